/* What a client sends, through the guard: what comes out must not depend on how the bytes arrived,
 * and a plain reader that knows only one way to read must understand all of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "base/random.h"
#include "server/http/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { HEAD_BYTES_MAX = 1024, BODY_BYTES_MAX = 4096, OUT_BYTES = 1 << 20, REQUESTS_MAX = 64 };

struct outcome {
    char *bytes;
    size_t length;
    size_t request_count, ends[REQUESTS_MAX]; /* where each request ends */
    enum request_fault fault;
};

/* Pulls what there is, taking each request as answered at once, until there were REQUESTS_MAX. */
static void pull(struct guard *guard, struct random_source *random, struct outcome *out)
{
    while (out->request_count < REQUESTS_MAX) {
        const size_t max = random ? 1 + random_below(random, 40) : OUT_BYTES - out->length;
        ASSERT(out->length + max <= OUT_BYTES);
        const size_t pulled = guard_pull(guard, out->bytes + out->length, max);
        out->length += pulled;
        ASSERT(!guard->is_broken && pulled <= max);
        if (pulled == max) {
            continue;
        }
        out->fault = guard->fault;
        if (guard->phase != GUARD_DONE) {
            return;
        }
        out->ends[out->request_count++] = out->length;
        if (guard->fault != REQUEST_FAULT_NONE) {
            return;
        }
        guard_next(guard);
    }
}

static void pass(const char *bytes, size_t length, struct random_source *random,
                 struct outcome *out)
{
    struct guard guard;
    guard_init(&guard, HEAD_BYTES_MAX, BODY_BYTES_MAX);
    for (size_t at = 0; at < length && out->request_count < REQUESTS_MAX;) {
        const size_t most = random ? 1 + random_below(random, 8) : GUARD_PUSH_BYTES_MAX;
        const size_t piece = most < length - at ? most : length - at;
        ASSERT(guard_push(&guard, bytes + at, piece) == STATUS_OK);
        at += piece;
        pull(&guard, random, out);
        if (out->fault != REQUEST_FAULT_NONE) {
            break;
        }
    }
    guard_destroy(&guard);
}

/* ---- the plain reader ------------------------------------------------------------------------ */

struct framing {
    bool is_chunked;
    size_t length, header_count, hosts;
};

static void read_line(const char *line, size_t length, struct framing *framing)
{
    ASSERT(length > 0 && line[0] != ' ' && line[0] != '\t');
    ASSERT(!memchr(line, '\r', length) && !memchr(line, '\n', length) && !memchr(line, '\0', length)
           && memchr(line, ':', length));
    framing->hosts += strncasecmp(line, "host:", 5) == 0;
    if (strncasecmp(line, "content-length:", 15) == 0) {
        ASSERT(framing->header_count++ == 0);
        framing->length = strtoul(line + 15, NULL, 10);
    } else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
        ASSERT(framing->header_count++ == 0);
        framing->is_chunked = true;
    }
}

/* Bytes of the body; all of it must be there. */
static size_t body_bytes(const char *body, size_t length, const struct framing *framing)
{
    if (!framing->is_chunked) {
        return framing->length;
    }
    size_t at = 0;
    for (;;) {
        char *end = NULL;
        ASSERT(at < length && body[at] != '+' && body[at] != '-' && body[at] != ' ');
        const size_t size = strtoul(body + at, &end, 16);
        ASSERT(end > body + at && end + 2 <= body + length && memcmp(end, "\r\n", 2) == 0);
        at = (size_t)(end - body) + 2 + size + 2;
        ASSERT(at <= length && memcmp(body + at - 2, "\r\n", 2) == 0);
        if (size == 0) {
            return at;
        }
    }
}

static void read_request(const char *bytes, size_t length)
{
    struct framing framing = {0};
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    ASSERT(end != NULL);
    const char *line = memmem(bytes, length, "\r\n", 2);
    ASSERT(line >= bytes + 12 && bytes[0] > ' ');
    ASSERT(memcmp(line - 9, " HTTP/1.1", 9) == 0 || memcmp(line - 9, " HTTP/1.0", 9) == 0);
    while (line < end) {
        const char *start = line + 2;
        line = memmem(start, length - (size_t)(start - bytes), "\r\n", 2);
        read_line(start, (size_t)(line - start), &framing);
    }
    const size_t head = (size_t)(end - bytes) + 4;
    ASSERT(framing.hosts <= 1);
    ASSERT(body_bytes(end + 4, length - head, &framing) == length - head);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static char whole_bytes[OUT_BYTES], pieces_bytes[OUT_BYTES];
    struct outcome whole = {.bytes = whole_bytes}, pieces = {.bytes = pieces_bytes};
    struct random_source random = {length};
    if (length > GUARD_PUSH_BYTES_MAX) {
        return 0;
    }
    pass((const char *)bytes, length, NULL, &whole);
    pass((const char *)bytes, length, &random, &pieces);
    ASSERT(whole.fault == pieces.fault && whole.request_count == pieces.request_count);
    for (size_t i = 0; i < whole.request_count; i++) {
        const size_t start = i > 0 ? whole.ends[i - 1] : 0;
        read_request(whole.bytes + start, whole.ends[i] - start);
    }
    return 0;
}
