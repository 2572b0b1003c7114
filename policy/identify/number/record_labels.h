/* record_labels.h - the words by which records, accounts, licences, vehicles and devices are
 * called, and what may stand between such a word and its number. Tables, read-only. */
#pragma once
#include "policy/identify/words/word_table.h"
#include "policy/kind.h"
#include "policy/text/lexeme.h"

struct record_label {
    const char *word;
    const char *before; /* the word that must stand in front of it; NULL: none */
    enum policy_kind kind;
    uint8_t strangers; /* words that are no links and may stand between it and the number */
    bool is_strong;    /* says enough for four digits */
    bool is_plate;     /* the value must look like a plate or VIN */
};

extern const struct word_table record_labels; /* of struct record_label; pairs come first */
extern const struct record_label record_id_label, record_number_label; /* of whatever */

enum record_link {
    RECORD_LINK_NONE,
    RECORD_LINK_WORD,  /* "my", "is", "ending in" */
    RECORD_LINK_SAYS,  /* "is", "was" */
    RECORD_LINK_NUMBER /* "number", "no", "id" */
};
enum record_link record_link_of(const struct window_view *view, uint32_t index);

/* "mg", "days", "dollars", "th": what follows a quantity. */
bool record_is_unit(const char *text, size_t length);
bool record_is_device_label(const struct window_view *view, uint32_t index);

/* The letters that text begins with are a known prefix; *length of them. */
bool record_prefix(const char *text, size_t text_length, size_t *length, enum policy_kind *kind);
