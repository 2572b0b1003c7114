/* Method: the lexicon in the binary against words whose use everybody knows; small lists with one
 * fault each, which must be refused with file and line; every cut of a small list, and the same
 * with bytes changed (seeded), for the sanitizers. */
#include "policy/text/lexicon.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/check.h"

enum { WEIGHT_LINES = 512, LISTS_MAX = 64 * 1024, CHANGED_RUNS = 2000 };

/* A word of running text is a name about once in thirty: four classes. */
enum { PRIOR_CLASSES = 4 };
enum { MORE_NAME, MORE_WORD, PLACE, DRUG, EPONYM, TERM, STATE, ABSENT };

static const struct {
    const char *word;
    int what;
} known[] = {
    {"michael", MORE_NAME}, {"mary", MORE_NAME},       {"garcia", MORE_NAME}, {"nguyen", MORE_NAME},
    {"lakisha", MORE_NAME}, {"martha", MORE_NAME},     {"begay", MORE_NAME},  {"smith", MORE_NAME},
    {"will", MORE_WORD},    {"hope", MORE_WORD},       {"may", MORE_WORD},    {"long", MORE_WORD},
    {"an", MORE_WORD},      {"the", MORE_WORD},        {"table", MORE_WORD},  {"boston", PLACE},
    {"chicago", PLACE},     {"virginia beach", PLACE}, {"fancy gap", PLACE},  {"sertraline", DRUG},
    {"zoloft", DRUG},       {"beck", EPONYM},          {"tourette", EPONYM},  {"monday", TERM},
    {"spanish", TERM},      {"new mexico", STATE},     {"ohio", STATE},       {"qqqzzqx", ABSENT},
    {"fancy", MORE_WORD},   {"new mexic", ABSENT},
};

static bool is_what(const struct lexicon_entry *entry, int what)
{
    const uint8_t name = entry->first > entry->last ? entry->first : entry->last;
    switch (what) {
    case MORE_NAME:
        return name > entry->word + PRIOR_CLASSES;
    case MORE_WORD:
        return name < entry->word + PRIOR_CLASSES;
    case PLACE:
        return entry->place > 0;
    case DRUG:
        return (entry->flags & LEXICON_DRUG) != 0;
    case EPONYM:
        return (entry->flags & LEXICON_EPONYM) != 0;
    case TERM:
        return (entry->flags & LEXICON_TERM) != 0;
    default:
        return (entry->flags & LEXICON_STATE) != 0;
    }
}

static void known_words_are_what_they_are(void)
{
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "created");
    for (size_t i = 0; i < sizeof known / sizeof known[0] && lexicon; i++) {
        const uint32_t number = lexicon_find(lexicon, known[i].word, strlen(known[i].word));
        if (known[i].what == ABSENT) {
            CHECK(number == 0, "%s is found", known[i].word);
        } else {
            CHECK(number != 0, "%s is not found", known[i].word);
            CHECK(is_what(lexicon_entry(lexicon, number), known[i].what), "%s", known[i].word);
        }
    }
    lexicon_destroy(lexicon);
}

static const struct {
    const char *text;
    enum lexicon_match want;
    bool is_entry;
} phrases[] = {
    {"virginia", LEXICON_BEGINS, true},
    {"fancy gap", LEXICON_IS, true},
    {"virginia sea", LEXICON_NOT, false},
    {"fancy", LEXICON_BEGINS, true},
    {"rancho palos", LEXICON_BEGINS, false},
    {"rancho palos verdes", LEXICON_IS, true},
    {"", LEXICON_NOT, false},
};

static void phrases_begin_and_end(void)
{
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "created");
    for (size_t i = 0; i < sizeof phrases / sizeof phrases[0] && lexicon; i++) {
        uint32_t number = 0;
        const char *const text = phrases[i].text;
        const enum lexicon_match got = lexicon_phrase(lexicon, text, strlen(text), &number);
        CHECK(got == phrases[i].want, "%s: %d", text, (int)got);
        CHECK((number != 0) == phrases[i].is_entry, "%s: %u", text, number);
    }
    lexicon_destroy(lexicon);
}

/* Names and words that no list has: the letters alone must tell most of them. */
static void letters_tell_names_from_words(void)
{
    static const char *const names[] = {"kowalczewski",  "mcgillivrayson", "okonkwonwa",
                                        "tsosiebegay",   "szollosyne",     "ramirezuela",
                                        "johannsdottir", "dimitrovski"};
    static const char *const words[] = {"unhelpfulnesses", "reschedulings", "overthinkingly",
                                        "medicationless",  "hospitalizing", "nonadherently",
                                        "recievable",      "disconnectedly"};
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "created");
    for (size_t i = 0; i < sizeof names / sizeof names[0] && lexicon; i++) {
        CHECK(lexicon_name_odds(lexicon, names[i], strlen(names[i])) > 0, "%s", names[i]);
        CHECK(lexicon_name_odds(lexicon, words[i], strlen(words[i])) < 0, "%s", words[i]);
    }
    CHECK(!lexicon || lexicon_entry(lexicon, 0)->word == 0, "number 0 is an entry of zeros");
    lexicon_destroy(lexicon);
}

/* ---- broken lists -----------------------------------------------------------------------------
 */

static const struct {
    const char *lists, *terms, *says; /* says: NULL if it is good */
    int weight_lines;
} sources[] = {
    {"lexicon 1 2 32768\n0ab!?\n1cd?\n", "[drug]\nxy, z w\n# c\n\n", NULL, WEIGHT_LINES},
    {"lexicon 1 0 32768\n", "", NULL, WEIGHT_LINES},
    {"lexicon 2 0 32768\n", "", "lexicon.txt:1:", WEIGHT_LINES},
    {"lexicon 1 x 32768\n", "", "lexicon.txt:1:", WEIGHT_LINES},
    {"lexicon 1 0 32767\n", "", "lexicon.txt:1:", WEIGHT_LINES},
    {"lexicon 1 600001 32768\n", "", "lexicon.txt:1:", WEIGHT_LINES},
    {"lexicon 1 99999999999 32768\n", "", "lexicon.txt:1:", WEIGHT_LINES},
    {"lexicon 1 1 32768", "", "lexicon.txt:1:", 0},
    {"lexicon 1 1 32768\n1ab!\n", "", "lexicon.txt:2:", WEIGHT_LINES},  /* shares what is not */
    {"lexicon 1 1 32768\n0ab\n", "", "lexicon.txt:2:", WEIGHT_LINES},   /* no code */
    {"lexicon 1 1 32768\n0!!\n", "", "lexicon.txt:2:", WEIGHT_LINES},   /* no letter */
    {"lexicon 1 1 32768\n-ab!\n", "", "lexicon.txt:2:", WEIGHT_LINES},  /* no digit */
    {"lexicon 1 1 32768\n0ab!!\n", "", "lexicon.txt:2:", WEIGHT_LINES}, /* a column twice */
    {"lexicon 1 1 32768\n0ab~\n", "", "lexicon.txt:2:", WEIGHT_LINES},  /* no such class */
    {"lexicon 1 1 32768\n0ab`\n", "", "lexicon.txt:2:", WEIGHT_LINES},
    {"lexicon 1 2 32768\n0ab!\n0ab!\n", "", "lexicon.txt:3:", WEIGHT_LINES}, /* order */
    {"lexicon 1 2 32768\n0ab!\n1aa!\n", "", "lexicon.txt:3:", WEIGHT_LINES},
    {"lexicon 1 1 32768\n0ab!\n", "", "lexicon.txt:513:", WEIGHT_LINES - 1},
    {"lexicon 1 1 32768\n0ab!\n", "", "lexicon.txt:514:", WEIGHT_LINES + 1},
    {"lexicon 1 0 32768\n", "word\n", "terms.txt:1:", WEIGHT_LINES},
    {"lexicon 1 0 32768\n", "[drugs]\n", "terms.txt:1:", WEIGHT_LINES},
    {"lexicon 1 0 32768\n", "[drug]\nab, C\n", "terms.txt:2:", WEIGHT_LINES},
};

static size_t write_lists(char *out, const char *head, int weight_lines)
{
    size_t length = strlen(head);
    memcpy(out, head, length);
    for (int i = 0; i < weight_lines; i++) {
        memset(out + length, 'O', 64);
        out[length + 64] = '\n';
        length += 65;
    }
    return length;
}

static void broken_lists_are_refused_with_their_line(void)
{
    static char lists[LISTS_MAX];
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        const struct lexicon_source source = {
            .lists = lists,
            .lists_bytes = write_lists(lists, sources[i].lists, sources[i].weight_lines),
            .terms = sources[i].terms,
            .terms_bytes = strlen(sources[i].terms)};
        struct failure failure = {""};
        struct lexicon *lexicon = NULL;
        const enum status got = lexicon_parse(&source, &lexicon, &failure);
        const char *const says = sources[i].says;
        CHECK(got == (says ? STATUS_INVALID : STATUS_OK), "case %zu: %d", i, (int)got);
        CHECK(!says || strncmp(failure.text, says, strlen(says)) == 0, "case %zu: %s", i,
              failure.text);
        lexicon_destroy(lexicon);
    }
}

/* Whatever the bytes are, parse says yes or no and reads nothing outside: the block is exact. */
static void changed_lists_are_read_or_refused(void)
{
    static char lists[LISTS_MAX];
    static const char head[] = "lexicon 1 4 32768\n0ab!?\n1bcd?\n2b?\n0new york^\n";
    const size_t length = write_lists(lists, head, WEIGHT_LINES);
    struct random_source random = {20};
    for (int run = 0; run < CHANGED_RUNS; run++) {
        const size_t kept = run % 2 ? length : random_below(&random, sizeof head + 70);
        char *const copy = malloc(kept > 0 ? kept : 1);
        if (!copy) {
            return;
        }
        memcpy(copy, lists, kept);
        for (int change = 0; change < 2 && kept > 0; change++) {
            copy[random_below(&random, kept < 100 ? (uint32_t)kept : 100)] =
                (char)random_below(&random, 256);
        }
        const struct lexicon_source source = {.lists = copy, .lists_bytes = kept, .terms = ""};
        struct lexicon *lexicon = NULL;
        struct failure failure = {""};
        const enum status status = lexicon_parse(&source, &lexicon, &failure);
        CHECK((status == STATUS_OK) == (lexicon != NULL), "run %d: %s", run, failure.text);
        lexicon_destroy(lexicon);
        free(copy);
    }
}

CHECK_MAIN(known_words_are_what_they_are, phrases_begin_and_end, letters_tell_names_from_words,
           broken_lists_are_refused_with_their_line, changed_lists_are_read_or_refused)
