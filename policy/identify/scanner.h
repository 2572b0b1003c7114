/* scanner.h - the streaming recogniser: bytes in, pieces out, each either text as it was or one
 * identifier. It holds back only while a candidate is open, never more than the window; there it
 * closes: what may still become an identifier is told as one (CODE). The pieces do not depend on
 * how the bytes were cut. All memory is taken at create and zeroed. One thread at a time. Linear
 * time: a detector looks at most at WINDOW_LEFT + WINDOW_OPEN lexemes. */
#pragma once
#include "base/status.h"
#include "policy/identify/detectors.h"

struct scan_piece {
    uint64_t start, end; /* bytes of the whole text */
    const char *raw; /* as it was; of a bad byte U+FFFD, of a flood of hidden characters a part */
    size_t raw_bytes;
    bool is_finding, is_resource;
    bool is_disguised; /* of a finding: hidden characters, look-alikes or escapes in it */
    bool continues;    /* the identifier began in the piece before (a run longer than the window) */
    enum policy_kind kind;
    const char *folded; /* of a finding: words joined by one space, numbers without separators */
    size_t folded_bytes;
};

/* Pieces in order, without gaps. Not OK: the scan stops and returns it. */
typedef enum status (*scan_told)(void *context, const struct scan_piece *piece);

struct scanner;

/* memory: shared by the texts of one conversation, which are scanned in turn; NULL: what one text
 * says is remembered to its end. STATUS_IO: no memory. */
MUST_CHECK enum status scanner_create(const struct detector_terms *terms, struct memory *memory,
                                      struct scanner **out);
/* With other detectors, which outlive the scanner. */
MUST_CHECK enum status scanner_create_with(const struct detectors_row *rows,
                                           const struct detector_terms *terms,
                                           struct memory *memory, struct scanner **out);
void scanner_destroy(struct scanner *scanner); /* zeroes; NULL is fine */
void scanner_reset(struct scanner *scanner);   /* for the next text */

MUST_CHECK enum status scanner_feed(struct scanner *scanner, const char *bytes, size_t length,
                                    scan_told told, void *context);
MUST_CHECK enum status scanner_end(struct scanner *scanner, scan_told told, void *context);

size_t scanner_held_bytes(const struct scanner *scanner);
