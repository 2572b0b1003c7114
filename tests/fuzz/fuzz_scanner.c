/* Any bytes through the scanner with all detectors: the pieces cover the text without a gap, what
 * is told is UTF-8, little is held back, and cuts of 1 to 7 bytes (chosen by the bytes) as well as
 * a second run give the very same. */
#include "policy/identify/scanner.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { TEXT_MAX = 16384, TOLD_BYTES = 32 * TEXT_MAX };

struct told {
    char *bytes;
    size_t length;
    uint64_t end;
};

static void put(struct told *told, const char *bytes, size_t length)
{
    ASSERT(told->length + length <= TOLD_BYTES);
    memcpy(told->bytes + told->length, bytes, length);
    told->length += length;
}

static enum status tell(void *context, const struct scan_piece *piece)
{
    struct told *told = context;
    ASSERT(piece->start == told->end && piece->end > piece->start);
    ASSERT(utf8_valid_bytes(piece->raw, piece->raw_bytes) == piece->raw_bytes);
    told->end = piece->end;
    if (piece->is_finding) {
        const char flags[] = {'\0', (char)piece->kind, (char)piece->is_resource,
                              (char)piece->is_disguised, (char)piece->continues};
        ASSERT((unsigned)piece->kind < POLICY_KIND_COUNT);
        ASSERT(utf8_valid_bytes(piece->folded, piece->folded_bytes) == piece->folded_bytes);
        put(told, flags, sizeof flags);
        put(told, (const char *)&piece->start, sizeof piece->start);
        put(told, (const char *)&piece->end, sizeof piece->end);
        put(told, piece->folded, piece->folded_bytes);
    }
    put(told, piece->raw, piece->raw_bytes);
    return STATUS_OK;
}

/* random NULL: all at once. */
static void scan(struct scanner *scanner, const char *text, size_t length,
                 struct random_source *random, struct told *told)
{
    *told = (struct told){.bytes = told->bytes};
    scanner_reset(scanner);
    for (size_t at = 0; at < length;) {
        const size_t size = random ? 1 + random_below(random, 7) : length;
        const size_t step = size < length - at ? size : length - at;
        ASSERT(scanner_feed(scanner, text + at, step, tell, told) == STATUS_OK);
        ASSERT(scanner_held_bytes(scanner) <= WINDOW_RAW);
        at += step;
    }
    ASSERT(scanner_end(scanner, tell, told) == STATUS_OK);
    ASSERT(told->end == length && scanner_held_bytes(scanner) == 0);
}

static bool is_same(const struct told *a, const struct told *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct lexicon *lexicon;
    static struct scanner *scanner;
    static struct told whole, again;
    static const struct detector_format format = {"AA-9999", POLICY_MRN};
    if (!scanner) {
        ASSERT(lexicon_create(&lexicon) == STATUS_OK);
        const struct detector_terms terms = {
            .lexicon = lexicon, .formats = &format, .format_count = 1};
        ASSERT(scanner_create(&terms, NULL, &scanner) == STATUS_OK);
        whole.bytes = malloc(TOLD_BYTES);
        again.bytes = malloc(TOLD_BYTES);
        ASSERT(whole.bytes && again.bytes);
    }
    if (length > TEXT_MAX) {
        return 0;
    }
    struct random_source random = {length};
    for (size_t i = 0; i < length && i < 8; i++) {
        random.state = random.state << 8 | bytes[i];
    }
    scan(scanner, (const char *)bytes, length, NULL, &whole);
    scan(scanner, (const char *)bytes, length, &random, &again);
    ASSERT(is_same(&whole, &again)); /* however it is cut */
    scan(scanner, (const char *)bytes, length, NULL, &again);
    ASSERT(is_same(&whole, &again)); /* nothing stays from the text before */
    return 0;
}
