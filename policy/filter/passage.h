/* passage.h - one text on its way through the filter: made valid UTF-8, watched by the spotter,
 * read by the scanner, told as parts in order. Where a spot and an identifier overlap the spot
 * holds, and what is left of the identifier is still one. Parts do not depend on how the text was
 * cut, but that plain text comes in other portions. One thread; memory: taken at create, zeroed. */
#pragma once
#include "policy/filter/spot/spotter.h"
#include "policy/identify/scanner.h"

struct passage_terms { /* borrowed until destroy */
    const struct detector_terms *detector;
    struct memory *memory;
    struct spotter_terms spotter;
};

/* What a part is of: nothing (text), an identifier, or a spot. */
struct part {
    uint64_t start, end; /* bytes of the text as it was given */
    const char *raw;     /* valid UTF-8, as it was */
    size_t raw_bytes;
    const struct scan_piece *finding; /* NULL: none */
    bool is_whole;                    /* of the finding; false: a spot took the rest of it */
    bool is_first;                    /* of the finding's parts */
    const struct spot *spot;          /* NULL: none */
};

/* Not OK: the passage stops and returns it. */
typedef enum status (*part_told)(void *context, const struct part *part);

struct passage;

/* STATUS_IO: no memory. */
MUST_CHECK enum status passage_create(const struct passage_terms *terms, struct passage **out);
void passage_destroy(struct passage *passage); /* NULL is fine */
void passage_reset(struct passage *passage);   /* for the next text */

MUST_CHECK enum status passage_feed(struct passage *passage, const char *text, size_t length,
                                    part_told told, void *context);
MUST_CHECK enum status passage_end(struct passage *passage, part_told told, void *context);
