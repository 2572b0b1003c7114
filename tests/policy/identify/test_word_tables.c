/* test_word_tables.c - every table of words is sorted, as its search asks; numbers in words by a
 * table. */
#include <string.h>

#include "policy/identify/address/street_box.h"
#include "policy/identify/address/street_words.h"
#include "policy/identify/address/zip_code.h"
#include "policy/identify/date/age.h"
#include "policy/identify/date/calendar.h"
#include "policy/identify/date/date_words.h"
#include "policy/identify/phone/phone_words.h"
#include "policy/identify/words/number_words.h"
#include "policy/identify/words/plain_words.h"
#include "tests/check.h"

static void is_sorted(void)
{
    const struct word_table *const tables[] = {
        &street_words,     &calendar_words,          &phone_words,           &number_words,
        &plain_words_unit, &plain_words_grammatical, &plain_words_following, &age_words,
        &date_words,       &street_box_words,        &zip_code_words,
    };
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

/* A start of an entry, or an entry with more behind it, is another word. */
static void finds_whole_words(void)
{
    CHECK(word_table_find(&calendar_words, "june", 4) == 6, "june");
    CHECK(word_table_find(&calendar_words, "junebug", 4) == 6, "its first four bytes");
    CHECK(word_table_find(&calendar_words, "june", 2) == 0, "ju");
    CHECK(word_table_find(&calendar_words, "junebug", 7) == 0, "junebug");
}

static void knows_sparse_dates(void)
{
    CHECK(calendar_is_solid_date(2161961, 8), "02161961");
    CHECK(calendar_is_solid_date(19610216, 8), "19610216");
    CHECK(calendar_is_solid_date(21661, 6), "021661");
    CHECK(!calendar_is_solid_date(32161961, 8), "32161961");
    CHECK(!calendar_is_solid_date(99999999, 8), "99999999");
}

CHECK_MAIN(is_sorted, finds_whole_words, knows_sparse_dates)
