/* guard.h - stands between a connection's bytes and libmicrohttpd, which forgives too much: pushed
 * what the client sent, it is pulled for what the library may see. A head is held back until it is
 * whole and has no fault; a chunked body's framing is checked and written anew; nothing of the next
 * request passes before this one is done. In place of a faulty request it gives a harmless one,
 * which the handler answers with the fault. Owner: the connection. One thread. Pure: no sockets. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "server/http/request_head.h"

enum { GUARD_PUSH_BYTES_MAX = 16384 };

enum guard_phase {
    GUARD_HEAD,       /* waits for a whole head */
    GUARD_BODY,       /* Content-Length */
    GUARD_CHUNK_SIZE, /* chunked: a size line, its data, the CR LF after them */
    GUARD_CHUNK_DATA,
    GUARD_CHUNK_END,
    GUARD_LAST_LINE, /* chunked: the empty line at the end */
    GUARD_DONE       /* the request was passed on whole; waits for guard_next */
};

struct guard {
    size_t head_bytes_max, body_bytes_max;
    enum guard_phase phase;
    enum request_fault fault; /* of the request that is passed on now */
    bool has_key_in_query;
    struct buffer query; /* of the request that is passed on now, without its '?' */
    bool has_body;       /* the request has one, or what comes after a fault is unknown */
    bool is_broken;      /* no memory: the connection must end */
    struct buffer input; /* came in, not yet looked at from input_start on */
    size_t input_start;  /* and for GUARD_HEAD: scanned up to head_scanned */
    size_t head_scanned;
    struct buffer forward; /* to be passed on before input */
    size_t forward_start;
    uint64_t body_left;  /* of GUARD_BODY or of this chunk */
    uint64_t body_bytes; /* of the chunked body so far */
};

void guard_init(struct guard *guard, size_t head_bytes_max, size_t body_bytes_max);
void guard_destroy(struct guard *guard); /* zeroes: input held keys and prompts */

/* Takes length <= GUARD_PUSH_BYTES_MAX bytes; only after guard_pull gave less than was asked for.
 * STATUS_IO: no memory. */
MUST_CHECK enum status guard_push(struct guard *guard, const char *bytes, size_t length);

/* Gives up to max bytes; less: more must be pushed first, or the request is done. */
size_t guard_pull(struct guard *guard, char *out, size_t max);

/* Bytes of the next request have come in already. */
bool guard_has_more(const struct guard *guard);

/* Its query will not be asked for. */
void guard_forget_query(struct guard *guard);

/* The request was answered; the next one may pass. */
void guard_next(struct guard *guard);
