/* request_head.h - reads one whole request head, CR LF CR LF included, more strictly than the
 * library behind it: what two readers could take differently is a fault. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum request_fault {
#define FAULT(name, http, text) REQUEST_FAULT_##name,
#include "server/http/request_fault.def"
};

int request_fault_http_code(enum request_fault fault);
const char *request_fault_text(enum request_fault fault);

enum {
    REQUEST_TARGET_BYTES_MAX = 4096,
    REQUEST_HEADERS_MAX = 100,
};

struct request_head {
    size_t path_start, path_bytes; /* the target without its query */
    size_t target_end;             /* index of the space before the version */
    bool is_1_1, is_chunked;
    bool has_key_in_query;                           /* the query holds what looks like a key */
    uint64_t body_bytes;                             /* Content-Length; 0 without one */
    size_t authorization_start, authorization_bytes; /* the header's value; bytes 0: none */
};

/* bytes[0 .. length) ends with the empty line. *out is filled in when the fault is NONE. */
enum request_fault request_head_read(const char *bytes, size_t length, struct request_head *out);
