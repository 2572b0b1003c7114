#include "server/admin/audit_page.h"

#include <inttypes.h>

#include "audit/examine/export.h"
#include "audit/examine/own_page.h"

enum {
    LOOK_BYTES_MAX = 8 << 20, /* in which no record fits */
    LOOK_RECORDS_MAX = 20000, /* about as many bytes, where some fit */
};

struct page {
    const struct audit_page_request *request;
    struct query query;
    struct own_page own; /* of is_own */
    struct buffer *out;
    uint32_t count;
    uint64_t last;      /* sequence or number of the last record behind `after`; 0: none yet */
    uint64_t look_from; /* sequence of the first of them */
    uint64_t next;      /* 0: there is no more */
};

static enum status prepare(const char *directory, struct page *page, struct failure *failure)
{
    const struct audit_page_request *request = page->request;
    page->query = request->query;
    page->query.after_sequence = request->after;
    if (!request->is_own) {
        return STATUS_OK;
    }
    /* Each of the tenant's records must come by, for its number is where the next page begins; and
     * a query that ends somewhere would read the time of all records, the others' too. */
    page->query.has_event = false;
    page->query.to_unix_ms = INT64_MAX;
    const enum status status = own_page_find(directory, request->query.tenant, request->after,
                                             request->query.from_unix_ms, &page->own, failure);
    page->query.after_sequence = page->own.after_sequence;
    return status;
}

static enum status write_record(struct page *page, const struct record *record, uint64_t sequence)
{
    enum status status = page->count > 0 ? buffer_append_text(page->out, ",") : STATUS_OK;
    if (status != STATUS_OK) {
        return status;
    }
    page->count++;
    if (page->request->is_own) {
        return record_write_json(record, page->out);
    }
    status = export_write_record(EXPORT_JSONL, record, sequence, "", page->out);
    if (status == STATUS_OK) {
        page->out->length--; /* the line's end */
    }
    return status;
}

/* A record that came by, wanted or not. */
static enum status take(struct page *page, const struct record *record, uint64_t sequence)
{
    const struct audit_page_request *request = page->request;
    if (request->is_own && record->number <= request->after) {
        return STATUS_OK;
    }
    page->look_from = page->last > 0 ? page->look_from : sequence;
    page->last = request->is_own ? record->number : sequence;
    return request->query.has_event && record->event != request->query.event
               ? STATUS_OK
               : write_record(page, record, sequence);
}

/* True: the page is over, and page->next is said. record NULL: none was found yet. */
static bool is_over(struct page *page, const struct record *record, uint64_t sequence)
{
    const bool is_own = page->request->is_own;
    if (record && record->time_unix_ms >= page->request->query.to_unix_ms) {
        return true; /* time never goes back: no page comes after this one */
    }
    if (is_own && page->own.end_sequence > 0 && sequence >= page->own.end_sequence) {
        page->next = page->own.end_number;
        return true;
    }
    if (page->count == page->request->limit
        || (!is_own && page->last > 0 && sequence - page->look_from > LOOK_RECORDS_MAX)) {
        page->next = page->last;
        return true;
    }
    return false;
}

static enum status fill(struct query_cursor *cursor, struct page *page, struct failure *failure)
{
    struct record record;
    uint64_t sequence = 0;
    for (;;) { /* ends: `sequence` rises, and a page has bounds */
        const enum status status = query_next(cursor, LOOK_BYTES_MAX, &record, &sequence, failure);
        if (status == STATUS_TIMEOUT && !page->request->is_own) {
            page->next = sequence;
            return STATUS_OK;
        }
        if (status == STATUS_NOT_FOUND) {
            return STATUS_OK;
        }
        if (status != STATUS_OK && status != STATUS_TIMEOUT) {
            return status;
        }
        if (is_over(page, status == STATUS_OK ? &record : NULL, sequence)) {
            return STATUS_OK;
        }
        if (status == STATUS_OK && take(page, &record, sequence) != STATUS_OK) {
            return fail(failure, STATUS_IO, "no memory for a page of records");
        }
    }
}

enum status audit_page_write(const char *directory, const struct audit_page_request *request,
                             struct buffer *out, uint32_t *count, struct failure *failure)
{
    struct page page = {.request = request, .out = out};
    struct query_cursor *cursor = NULL;
    enum status status = prepare(directory, &page, failure);
    if (status == STATUS_OK) {
        status = buffer_append_text(out, "{\"records\":[");
    }
    if (status == STATUS_OK) {
        status = query_open(directory, &page.query, &cursor, failure);
    }
    if (status == STATUS_OK) {
        status = fill(cursor, &page, failure);
    }
    if (status == STATUS_OK) {
        status = page.next > 0 ? buffer_format(out, "],\"next\":\"%" PRIu64 "-%" PRId64 "\"}",
                                               page.next, request->query.to_unix_ms)
                               : buffer_append_text(out, "],\"next\":null}");
    }
    query_close(cursor);
    *count = page.count;
    return status;
}
