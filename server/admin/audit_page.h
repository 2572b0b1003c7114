/* audit_page.h - one page of audit records as JSON: {"records":[...],"next":"N-MS" or null}. next
 * is what to ask for as `after`; a page may be short, even empty, before the last one. It also says
 * when all the pages end, so that the records of their being read lie behind them. One thread;
 * reads files, but no more than a page's bound. */
#pragma once
#include "audit/examine/query.h"

enum { AUDIT_PAGE_LIMIT_MAX = 1000, AUDIT_PAGE_BYTES_MAX = 16 << 20 };

struct audit_page_request {
    struct query query; /* after_sequence is filled in here */
    bool is_own;        /* by the tenant's own numbers, without global sequences */
    uint64_t after;     /* sequence or, of is_own, number */
    uint32_t limit;     /* records, 1 .. AUDIT_PAGE_LIMIT_MAX */
};

/* *count: records in the page. STATUS_INVALID: the log is damaged. STATUS_TOO_LARGE, STATUS_IO. */
MUST_CHECK enum status audit_page_write(const char *directory,
                                        const struct audit_page_request *request,
                                        struct buffer *out, uint32_t *count,
                                        struct failure *failure);
