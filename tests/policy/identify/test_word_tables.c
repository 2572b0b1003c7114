/* test_word_tables.c - every table of words is sorted, without a word twice, and finds each; of
 * rows with the same word the first is found; each word is one lexeme; endings against a plain
 * search. */
#include <string.h>

#include "policy/identify/address/street_box.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/address/zip_code.h"
#include "policy/identify/date/age.h"
#include "policy/identify/date/calendar.h"
#include "policy/identify/date/date_words.h"
#include "policy/identify/number/record_labels.h"
#include "policy/identify/phone/phone_words.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"
#include "policy/identify/words/word_ending.h"
#include "policy/text/word_hash.h"
#include "tests/check.h"

static const struct word_table *const tables[] = {
    &street_words,     &calendar_words,          &phone_words,           &number_words,
    &plain_words_unit, &plain_words_grammatical, &plain_words_following, &age_words,
    &date_words,       &street_box_words,        &zip_code_words,
};

static void is_sorted(void)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        CHECK(word_table_is_sorted(tables[i]), "table %zu", i);
        for (uint32_t k = 0; k < tables[i]->count; k++) {
            const struct word_entry *entries = tables[i]->rows;
            const struct word_entry *entry = &entries[k];
            CHECK(word_table_find(tables[i], entry->text, strlen(entry->text)) == entry->value,
                  "%s", entry->text);
            CHECK(entry->value != 0, "%s", entry->text);
        }
        CHECK(word_table_find(tables[i], "zzz", 3) == 0, "table %zu", i);
        CHECK(word_table_find(tables[i], "", 0) == 0, "table %zu", i);
    }
}

/* A row whose word no text can give ("it's" is three lexemes, "tér" folds to "ter") is dead.
 */
static void holds_only_lexemes(void)
{
    struct window *window = window_create(NULL);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (uint32_t row = 0; row < tables[i]->count; row++) {
            const char *text = word_table_text(tables[i], row);
            window_reset(window);
            CHECK(window_feed(window, text, strlen(text)) == strlen(text), "%s", text);
            window_end(window);
            const struct window_view view = window_view(window);
            CHECK(view.count == 1 && lexeme_is(&view, 0, text), "table %zu: %s", i, text);
        }
    }
    window_destroy(window);
}

/* A start of an entry, or an entry with more behind it, is another word. */
static void finds_whole_words(void)
{
    CHECK(word_table_find(&calendar_words, "june", 4) == 6, "june");
    CHECK(word_table_find(&calendar_words, "junebug", 4) == 6, "its first four bytes");
    CHECK(word_table_find(&calendar_words, "june", 2) == 0, "ju");
    CHECK(word_table_find(&calendar_words, "junebug", 7) == 0, "junebug");
}

/* Labels have several rows for "card" and "number", which are read from the first one on. */
static void finds_the_first_row(void)
{
    for (uint32_t row = 0; row < record_labels.count; row++) {
        const char *text = word_table_text(&record_labels, row);
        uint32_t first = 0;
        while (strcmp(word_table_text(&record_labels, first), text) != 0) {
            first++;
        }
        const uint32_t hash = (uint32_t)word_hash(text, strlen(text));
        CHECK(word_table_row(&record_labels, hash, text, strlen(text)) == first + 1, "%s", text);
    }
}

static const char *const endings[] = {"kit", "it", "t", "wit", "\xC3\xA9", "ly"};
static const struct word_endings ending_table = WORD_ENDINGS(endings);

static uint32_t plain_ending(const char *word, size_t stem)
{
    for (uint32_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        const size_t bytes = strlen(endings[i]);
        if (strlen(word) >= bytes + stem && strcmp(word + strlen(word) - bytes, endings[i]) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static void finds_the_first_ending(void)
{
    static const char *const words[] = {"toolkit", "kit",  "akit", "wit", "twit", "t",
                                        "",        "only", "ly",   "my",  "soft", "caf\xC3\xA9",
                                        "\xC3\xA9"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        for (size_t stem = 0; stem < 4; stem++) {
            CHECK(word_ending_row(&ending_table, words[i], strlen(words[i]), stem)
                      == plain_ending(words[i], stem),
                  "%s, stem of %zu", words[i], stem);
        }
    }
}

static void knows_sparse_dates(void)
{
    CHECK(calendar_is_solid_date(2161961, 8), "02161961");
    CHECK(calendar_is_solid_date(19610216, 8), "19610216");
    CHECK(calendar_is_solid_date(21661, 6), "021661");
    CHECK(!calendar_is_solid_date(32161961, 8), "32161961");
    CHECK(!calendar_is_solid_date(99999999, 8), "99999999");
}

CHECK_MAIN(is_sorted, holds_only_lexemes, finds_whole_words, finds_the_first_row,
           finds_the_first_ending, knows_sparse_dates)
