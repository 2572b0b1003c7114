#include "server/http/guard.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { CHUNK_LINE_BYTES_MAX = 128, CHUNK_DIGITS_MAX = 8, FORWARD_EXTRA_BYTES = 256 };

void guard_init(struct guard *guard, size_t head_bytes_max, size_t body_bytes_max)
{
    *guard = (struct guard){
        .head_bytes_max = head_bytes_max,
        .body_bytes_max = body_bytes_max,
        .input = {.limit_bytes = head_bytes_max + 2 * (size_t)GUARD_PUSH_BYTES_MAX},
        .forward = {.limit_bytes = head_bytes_max + FORWARD_EXTRA_BYTES},
        .query = {.limit_bytes = REQUEST_TARGET_BYTES_MAX},
    };
}

void guard_destroy(struct guard *guard)
{
    buffer_destroy(&guard->input);
    buffer_destroy(&guard->forward);
    buffer_destroy(&guard->query);
}

static const char *input_bytes(const struct guard *guard)
{
    return guard->input.bytes + guard->input_start;
}

static size_t input_length(const struct guard *guard)
{
    return guard->input.length - guard->input_start;
}

/* There is room, as forward is empty whenever the guard advances; there may be no memory. */
static void forward(struct guard *guard, const char *bytes, size_t length)
{
    if (buffer_append(&guard->forward, bytes, length) != STATUS_OK) {
        guard->is_broken = true;
    }
}

static void forward_text(struct guard *guard, const char *text)
{
    forward(guard, text, strlen(text));
}

static const char harmless[] = "GET / HTTP/1.1\r\nHost: refused\r\nConnection: close\r\n";

/* Ends the request in the library's eyes, wherever it is; what else comes is not looked at. */
static bool refuse(struct guard *guard, enum request_fault fault)
{
    if (guard->phase == GUARD_HEAD) {
        forward_text(guard, harmless);
        forward_text(guard, "\r\n");
    } else {
        forward_text(guard, "0\r\n\r\n");
    }
    guard->fault = fault;
    guard->has_body = true;
    guard->phase = GUARD_DONE;
    return true;
}

/* ---- head ------------------------------------------------------------------------------------ */

/* Without the query: what the library does not have it cannot log. */
static void forward_head(struct guard *guard, const char *bytes, size_t length,
                         const struct request_head *head)
{
    forward(guard, bytes, head->path_start + head->path_bytes);
    forward(guard, bytes + head->target_end, length - head->target_end);
}

/* The head has no fault, so whose request it is can be told. */
static bool refuse_large(struct guard *guard, const struct request_head *head)
{
    forward_text(guard, harmless);
    if (head->authorization_bytes > 0) {
        forward_text(guard, "Authorization: ");
        forward(guard, input_bytes(guard) + head->authorization_start, head->authorization_bytes);
        forward_text(guard, "\r\n");
    }
    forward_text(guard, "\r\n");
    guard->fault = REQUEST_FAULT_BODY_LARGE;
    guard->has_body = true;
    guard->phase = GUARD_DONE;
    return true;
}

static void keep_query(struct guard *guard, const struct request_head *head)
{
    const size_t mark = head->path_start + head->path_bytes;
    if (mark < head->target_end
        && buffer_append(&guard->query, input_bytes(guard) + mark + 1, head->target_end - mark - 1)
               != STATUS_OK) {
        guard->is_broken = true;
    }
}

static bool take_head(struct guard *guard, size_t length)
{
    struct request_head head;
    const enum request_fault fault = request_head_read(input_bytes(guard), length, &head);
    if (fault != REQUEST_FAULT_NONE) {
        return refuse(guard, fault);
    }
    if (head.body_bytes > guard->body_bytes_max) {
        return refuse_large(guard, &head);
    }
    forward_head(guard, input_bytes(guard), length, &head);
    keep_query(guard, &head);
    guard->input_start += length;
    guard->has_key_in_query = head.has_key_in_query;
    guard->has_body = head.is_chunked || head.body_bytes > 0;
    guard->body_left = head.body_bytes;
    guard->body_bytes = 0;
    guard->phase = head.is_chunked       ? GUARD_CHUNK_SIZE
                   : head.body_bytes > 0 ? GUARD_BODY
                                         : GUARD_DONE;
    return true;
}

/* Looks for the empty line. A line that ends without CR is refused at once, as the empty line may
 * then never come. True: the phase changed. */
static bool read_head(struct guard *guard)
{
    while (input_length(guard) >= 2 && memcmp(input_bytes(guard), "\r\n", 2) == 0) {
        guard->input_start += 2; /* empty lines between requests are harmless */
        guard->head_scanned = 0;
    }
    const char *bytes = input_bytes(guard);
    const size_t length = input_length(guard);
    size_t i = guard->head_scanned;
    for (; i < length && i < guard->head_bytes_max; i++) {
        if (bytes[i] != '\n') {
            continue;
        }
        if (i == 0 || bytes[i - 1] != '\r') {
            return refuse(guard, REQUEST_FAULT_HEADER);
        }
        if (i >= 3 && bytes[i - 2] == '\n') {
            return take_head(guard, i + 1);
        }
    }
    guard->head_scanned = i;
    if (i >= guard->head_bytes_max) {
        const bool is_in_first_line = memchr(bytes, '\n', i) == NULL;
        return refuse(guard,
                      is_in_first_line ? REQUEST_FAULT_TARGET_LONG : REQUEST_FAULT_HEAD_LARGE);
    }
    return false;
}

/* ---- chunked body ---------------------------------------------------------------------------- */

static int hex_value(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *place = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c);
    return place ? (int)(place - digits) : -1;
}

/* The size line [0 .. length) without CR LF: 1 to 8 hex digits, then nothing or an extension, which
 * is printable and not passed on. */
static bool read_chunk_size(const char *line, size_t length, uint64_t *out)
{
    size_t i = 0;
    *out = 0;
    while (i < length && i < CHUNK_DIGITS_MAX && hex_value(line[i]) >= 0) {
        *out = *out * 16 + (uint64_t)hex_value(line[i++]);
    }
    if (i == 0 || (i < length && line[i] != ';')) {
        return false;
    }
    for (; i < length; i++) {
        if ((line[i] < ' ' && line[i] != '\t') || line[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool take_size_line(struct guard *guard, const char *line, size_t length)
{
    uint64_t size = 0;
    if (!read_chunk_size(line, length, &size)) {
        return refuse(guard, REQUEST_FAULT_CHUNK);
    }
    if (size > guard->body_bytes_max || guard->body_bytes > guard->body_bytes_max - size) {
        return refuse(guard, REQUEST_FAULT_BODY_LARGE);
    }
    guard->input_start += length + 2;
    guard->body_bytes += size;
    guard->body_left = size;
    guard->phase = size > 0 ? GUARD_CHUNK_DATA : GUARD_LAST_LINE;
    return true;
}

static bool read_chunk_line(struct guard *guard)
{
    const char *bytes = input_bytes(guard);
    const size_t length = input_length(guard);
    const char *end = length > 0 ? memchr(bytes, '\n', length) : NULL;
    if (end && end > bytes && end[-1] == '\r' && end - bytes < CHUNK_LINE_BYTES_MAX) {
        return take_size_line(guard, bytes, (size_t)(end - bytes) - 1);
    }
    return (end || length >= CHUNK_LINE_BYTES_MAX) && refuse(guard, REQUEST_FAULT_CHUNK);
}

/* After a chunk's data, and after the last size line, where trailers are not taken. */
static bool read_line_end(struct guard *guard)
{
    const size_t length = input_length(guard);
    if (length == 0) {
        return false;
    }
    if (input_bytes(guard)[0] != '\r' || (length > 1 && input_bytes(guard)[1] != '\n')) {
        return refuse(guard, REQUEST_FAULT_CHUNK);
    }
    if (length == 1) {
        return false;
    }
    guard->input_start += 2;
    if (guard->phase == GUARD_LAST_LINE) {
        forward_text(guard, "0\r\n\r\n");
        guard->phase = GUARD_DONE;
    } else {
        guard->phase = GUARD_CHUNK_SIZE;
    }
    return true;
}

/* Passes on what is there of a body: as it is, or as a chunk of our own, so that the library stands
 * between two chunks whenever a fault is found. */
static bool read_data(struct guard *guard)
{
    const uint64_t left = guard->body_left;
    size_t length = input_length(guard) < left ? input_length(guard) : (size_t)left;
    length = length < guard->head_bytes_max ? length : guard->head_bytes_max; /* forward's room */
    if (length == 0) {
        return false;
    }
    const bool is_chunk = guard->phase == GUARD_CHUNK_DATA;
    if (is_chunk) {
        char line[24];
        snprintf(line, sizeof line, "%zx\r\n", length);
        forward_text(guard, line);
    }
    forward(guard, input_bytes(guard), length);
    if (is_chunk) {
        forward_text(guard, "\r\n");
    }
    guard->input_start += length;
    guard->body_left -= length;
    if (guard->body_left == 0) {
        guard->phase = is_chunk ? GUARD_CHUNK_END : GUARD_DONE;
    }
    return true;
}

/* ---- in and out ------------------------------------------------------------------------------ */

/* One step further; false: needs more input, or is done. Nothing is waiting to be passed on. */
static bool advance(struct guard *guard)
{
    switch (guard->phase) {
    case GUARD_HEAD:
        return input_length(guard) > 0 && read_head(guard);
    case GUARD_BODY:
    case GUARD_CHUNK_DATA:
        return read_data(guard);
    case GUARD_CHUNK_SIZE:
        return read_chunk_line(guard);
    case GUARD_CHUNK_END:
    case GUARD_LAST_LINE:
        return read_line_end(guard);
    case GUARD_DONE:
        return false;
    }
    return false;
}

enum status guard_push(struct guard *guard, const char *bytes, size_t length)
{
    ASSERT(length <= GUARD_PUSH_BYTES_MAX);
    if (guard->fault != REQUEST_FAULT_NONE) {
        return STATUS_OK; /* nobody will look at it */
    }
    const size_t left = input_length(guard);
    if (guard->input_start > 0 && left > 0) {
        memmove(guard->input.bytes, input_bytes(guard), left);
        guard->input.length = left;
    } else if (left == 0) {
        buffer_clear(&guard->input);
    }
    guard->input_start = 0;
    return buffer_append(&guard->input, bytes, length);
}

size_t guard_pull(struct guard *guard, char *out, size_t max)
{
    size_t pulled = 0;
    for (;;) {
        const size_t waiting = guard->forward.length - guard->forward_start;
        const size_t length = waiting < max - pulled ? waiting : max - pulled;
        if (length > 0) {
            memcpy(out + pulled, guard->forward.bytes + guard->forward_start, length);
        }
        pulled += length;
        guard->forward_start += length;
        if (pulled == max) {
            return pulled;
        }
        if (guard->forward.length > 0) {
            buffer_clear(&guard->forward);
        }
        guard->forward_start = 0;
        if (guard->is_broken || !advance(guard)) {
            return pulled;
        }
    }
}

bool guard_has_more(const struct guard *guard)
{
    return guard->input.length > guard->input_start || guard->forward.length > guard->forward_start;
}

void guard_forget_query(struct guard *guard)
{
    buffer_destroy(&guard->query);
}

void guard_next(struct guard *guard)
{
    guard_forget_query(guard);
    if (guard->phase == GUARD_DONE && guard->fault == REQUEST_FAULT_NONE) {
        guard->phase = GUARD_HEAD;
        guard->head_scanned = 0;
        guard->has_key_in_query = false;
        guard->has_body = false;
        if (input_length(guard) == 0) {
            guard_destroy(guard); /* an idle connection holds no memory and no text */
            guard->input_start = 0;
        }
    }
}
