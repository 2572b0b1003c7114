/* rows.h - a table of texts and what one detector finds in them. `calm.def` and `numbers.def` are
 * rows of texts in which several of them find nothing, to be included in a table. */
#pragma once
#include <string.h>

#include "tests/check.h"
#include "tests/policy/support_detect.h"

struct row {
    const char *text, *want; /* as support_detect writes it */
};

static inline void check_rows(support_detector detect, const struct detector_terms *terms,
                              const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char got[512];
        support_detect(detect, terms, rows[i].text, got, sizeof got);
        CHECK(strcmp(got, rows[i].want) == 0, "row %zu: %s\n got: %s", i, rows[i].text, got);
    }
}

#define CHECK_ROWS(detect, terms, table) \
    check_rows((detect), (terms), (table), sizeof(table) / sizeof((table)[0]))

/* The same with the lexicon in the binary. */
static inline void check_rows_with_lexicon(support_detector detect, const struct row *rows,
                                           size_t count)
{
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "no lexicon");
    const struct detector_terms terms = {.lexicon = lexicon};
    check_rows(detect, &terms, rows, count);
    lexicon_destroy(lexicon);
}

#define CHECK_ROWS_WITH_LEXICON(detect, table) \
    check_rows_with_lexicon((detect), (table), sizeof(table) / sizeof((table)[0]))
