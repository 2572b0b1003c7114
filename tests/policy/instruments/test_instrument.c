/* Method: every answer vector. Of PHQ-2 and GAD-2 each is told in words through a whole
 * conversation; of PHQ-9 (4^9) and GAD-7 (4^7) sums, bands and the critical item are compared with
 * cut-offs that stand here again. Then the turns of a conversation, and files that are wrong. */
#include <string.h>

#include "policy/data/shipped.h"
#include "policy/instruments/instrument.h"
#include "tests/check.h"

enum { OPTIONS = 4, TURN_BYTES = 65536 };

static const struct instrument_facts {
    const char *name;
    uint32_t items, critical; /* from 1; 0: none */
    struct {
        uint32_t from;
        const char *name;
    } bands[5];
} facts[] = {
    {"phq-9",
     9,
     9,
     {{0, "minimal"}, {5, "mild"}, {10, "moderate"}, {15, "moderately severe"}, {20, "severe"}}},
    {"gad-7", 7, 0, {{0, "minimal"}, {5, "mild"}, {10, "moderate"}, {15, "severe"}}},
    {"phq-2", 2, 0, {{0, "negative"}, {3, "positive"}}},
    {"gad-2", 2, 0, {{0, "negative"}, {3, "positive"}}},
};
enum { FACTS = sizeof facts / sizeof facts[0] };

static struct instrument *open_shipped(const char *name)
{
    struct instrument *instrument = NULL;
    struct failure failure = {""};
    const enum status status = instrument_create(name, &instrument, &failure);
    CHECK(status == STATUS_OK, "%s: %s", name, failure.text);
    return instrument;
}

static const char *band_of(const struct instrument_facts *fact, uint32_t score)
{
    const char *band = NULL;
    for (size_t i = 0; i < 5 && fact->bands[i].name; i++) {
        band = score >= fact->bands[i].from ? fact->bands[i].name : band;
    }
    return band;
}

static void check_result(const struct instrument_facts *fact, const struct instrument *instrument,
                         const struct instrument_state *state, uint32_t vector)
{
    uint32_t sum = 0;
    for (uint32_t i = 0, rest = vector; i < fact->items; i++, rest /= OPTIONS) {
        sum += rest % OPTIONS;
    }
    const struct instrument_result result = instrument_score(instrument, state);
    CHECK(result.is_complete && result.score == sum && result.score_max == 3 * fact->items,
          "%s %x: %u of %u, not %u", fact->name, vector, result.score, result.score_max, sum);
    CHECK(result.band && strcmp(result.band, band_of(fact, sum)) == 0, "%s %u: %s", fact->name, sum,
          result.band ? result.band : "none");
}

static void every_vector_has_its_sum_and_band(void)
{
    for (size_t k = 0; k < FACTS; k++) {
        struct instrument *instrument = open_shipped(facts[k].name);
        const uint32_t vectors = 1U << 2 * facts[k].items;
        for (uint32_t vector = 0; vector < vectors; vector++) {
            struct instrument_state state = {.item = facts[k].items,
                                             .answer_count = facts[k].items};
            for (uint32_t i = 0; i < facts[k].items; i++) {
                state.answers[i] = (uint8_t)(vector >> 2 * i & 3);
            }
            check_result(&facts[k], instrument, &state, vector);
        }
        instrument_destroy(instrument);
    }
}

static void answer(const struct instrument *instrument, struct instrument_state *state,
                   const char *text)
{
    instrument_answer(instrument, state, text, strlen(text));
}

static const char *const words[][OPTIONS] = {
    {"0", "1", "2", "3"},
    {"not at all", "several days", "more than half the days", "nearly every day"},
    {"never", "a few days a week", "most days", "all the time"},
};

/* In words, in each of three ways. */
static void every_short_conversation_is_scored(void)
{
    for (size_t k = 2; k < FACTS; k++) {
        struct instrument *instrument = open_shipped(facts[k].name);
        for (uint32_t vector = 0; vector < 16; vector++) {
            for (size_t way = 0; way < 3; way++) {
                struct instrument_state state = {0};
                answer(instrument, &state, words[way][vector & 3]);
                answer(instrument, &state, words[way][vector >> 2]);
                check_result(&facts[k], instrument, &state, vector);
                CHECK(!state.is_critical, "%s has no critical item", facts[k].name);
            }
        }
        instrument_destroy(instrument);
    }
}

/* The last item of PHQ-9 alone, whatever the others were. */
static void item_nine_above_none_is_critical(void)
{
    static const struct {
        const char *text;
        bool is_critical, is_asked_again;
    } last[] = {
        {"0", false, false},          {"never", false, false}, {"not at all", false, false},
        {"1", true, false},           {"2", true, false},      {"3", true, false},
        {"sometimes", true, false},   {"hardly", true, true},  {"not really", true, true},
        {"almost never", true, true}, {"maybe", false, true},  {"one day", false, true},
    };
    struct instrument *instrument = open_shipped("phq-9");
    for (size_t i = 0; i < sizeof last / sizeof last[0]; i++) {
        for (uint32_t others = 0; others < OPTIONS; others++) {
            struct instrument_state state = {0};
            for (uint32_t item = 0; item < 8; item++) {
                answer(instrument, &state, words[0][others]);
                CHECK(!state.is_critical, "item %u is not critical", item + 1);
            }
            answer(instrument, &state, last[i].text);
            CHECK(state.is_critical == last[i].is_critical, "\"%s\"", last[i].text);
            CHECK((state.asked_again == 1) == last[i].is_asked_again, "\"%s\"", last[i].text);
            CHECK(instrument_score(instrument, &state).is_critical == last[i].is_critical,
                  "\"%s\": the result", last[i].text);
        }
    }
    instrument_destroy(instrument);
}

static void turn(const struct instrument *instrument, const struct instrument_state *state,
                 struct buffer *out)
{
    buffer_clear(out);
    CHECK(instrument_next(instrument, state, out) == STATUS_OK, "a turn");
}

#define HAS(turn_text, part)     CHECK(strstr((turn_text).bytes, part), "%s", (turn_text).bytes)
#define HAS_NOT(turn_text, part) CHECK(!strstr((turn_text).bytes, part), "%s", (turn_text).bytes)

static void turns_are_asked_in_order(void)
{
    struct instrument *instrument = open_shipped("phq-2");
    struct buffer out = {.limit_bytes = TURN_BYTES};
    struct instrument_state state = {0};
    turn(instrument, &state, &out);
    HAS(out, "standard questionnaire");
    HAS(out, "Over the last 2 weeks, how often have you been bothered by any of the following "
             "problems?\n\n1 of 2. Little interest or pleasure in doing things\n\n0 - Not at all\n"
             "1 - Several days\n2 - More than half the days\n3 - Nearly every day");
    answer(instrument, &state, "hmm");
    turn(instrument, &state, &out);
    HAS(out, "Please choose");
    HAS(out, "1 of 2. Little interest");
    HAS_NOT(out, "standard questionnaire");
    answer(instrument, &state, "most days");
    turn(instrument, &state, &out);
    CHECK(strncmp(out.bytes, "2 of 2. Feeling down, depressed, or hopeless\n", 44) == 0, "%s",
          out.bytes);
    answer(instrument, &state, "never");
    turn(instrument, &state, &out);
    HAS(out, "Thank you");
    buffer_clear(&out);
    CHECK(instrument_json(instrument, &state, &out) == STATUS_OK, "json");
    CHECK(strcmp(out.bytes, "{\"instrument\":\"phq-2\",\"version\":1,\"complete\":true,\"score\":2,"
                            "\"max\":6,\"band\":\"negative\",\"items\":[2,0],\"critical\":false}")
              == 0,
          "%s", out.bytes);
    const struct instrument_state done = state;
    answer(instrument, &state, "3"); /* nothing is asked any more */
    CHECK(memcmp(&done, &state, sizeof done) == 0, "an answer behind the end");
    buffer_destroy(&out);
    instrument_destroy(instrument);
}

/* Asked again twice, then declined; or at once when the person says so. */
static void a_declined_one_has_no_score(void)
{
    struct instrument *instrument = open_shipped("gad-7");
    struct buffer out = {.limit_bytes = TURN_BYTES};
    for (int at_once = 0; at_once < 2; at_once++) {
        struct instrument_state state = {0};
        answer(instrument, &state, "3");
        for (int i = 0; i < INSTRUMENT_ASKED_AGAIN_MAX && !at_once; i++) {
            answer(instrument, &state, "it depends");
            CHECK(!state.is_declined && state.item == 1, "asked again %d times", i);
        }
        answer(instrument, &state, at_once ? "i'd rather not say" : "dunno");
        CHECK(state.is_declined, "declined");
        answer(instrument, &state, "2");
        const struct instrument_result result = instrument_score(instrument, &state);
        CHECK(!result.is_complete && !result.band && state.answer_count == 1, "no score");
        turn(instrument, &state, &out);
        HAS(out, "nothing is scored");
        buffer_clear(&out);
        CHECK(instrument_json(instrument, &state, &out) == STATUS_OK, "json");
        HAS(out, "\"complete\":false,\"score\":null,\"max\":21,\"band\":null,\"items\":[3]");
    }
    struct instrument_state state = {0}; /* a readable answer forgets the doubts before it */
    answer(instrument, &state, "dunno");
    answer(instrument, &state, "1");
    CHECK(state.asked_again == 0 && state.item == 1, "read at last");
    buffer_destroy(&out);
    instrument_destroy(instrument);
}

static void a_turn_beyond_the_limit_is_refused(void)
{
    struct instrument *instrument = open_shipped("phq-9");
    const struct instrument_state state = {0};
    struct buffer out = {.limit_bytes = 64};
    CHECK(instrument_next(instrument, &state, &out) == STATUS_TOO_LARGE, "64 bytes");
    buffer_destroy(&out);
    instrument_destroy(instrument);
}

#define HEAD    "version: 1\nname: x\ntitle: t\nintroduction: i\nquestion: q\nagain: a\n"
#define TAIL    "closing: c\ndeclined: d\n"
#define ITEMS   "options: [no, yes]\nitems: [one, two]\nbands: [{from: 0, name: low}]\n"
#define ANSWERS "answers: {options: [[no], [yes]]}\n"

static void wrong_files_are_told(void)
{
    static const struct {
        const char *yaml, *told; /* NULL: it is right */
    } files[] = {
        {HEAD TAIL ITEMS ANSWERS, NULL},
        {HEAD TAIL ITEMS "answers: frequency\n", "options"}, /* that one has four */
        {HEAD TAIL ITEMS "answers: other\n", "answers"},
        {HEAD TAIL ITEMS, "answers"},
        {HEAD TAIL ANSWERS, "options"},
        {TAIL ITEMS ANSWERS, "name"},
        {"", "must be a text"},
        {"[]", "map"},
        {"version: 1\nversion: 2", "twice"},
        {HEAD TAIL ITEMS ANSWERS "more: 1\n", "more"},
        {HEAD TAIL ITEMS ANSWERS "critical: [0]\n", "critical"},
        {HEAD TAIL ITEMS ANSWERS "critical: [3]\n", "critical"},
        {HEAD TAIL ITEMS ANSWERS "critical: [2]\n", NULL},
        {HEAD TAIL ITEMS ANSWERS "critical: 2\n", "critical"},
        {HEAD TAIL ITEMS "answers: {options: [[no]]}\n", "options"},
        {HEAD TAIL ITEMS "answers: {options: [[No], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[a  b], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[a?], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[a/], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[/a], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[''], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[a b c d e f g h i j k], [yes]]}\n", "phrase"},
        {HEAD TAIL ITEMS "answers: {options: [[no], [yes]], ranges: [[0, 3], [4, 15]]}\n", "range"},
        {HEAD TAIL ITEMS "answers: {options: [[no], [yes]], ranges: [[3, 2], [4, 5]]}\n", "range"},
        {HEAD TAIL ITEMS "answers: {options: [[no], [yes]], numbers: [Zero]}\n", "number"},
        {HEAD TAIL ITEMS "answers: {options: [[no], [yes]], fillers: 3}\n", "list"},
        {HEAD TAIL ITEMS "answers: {options: [[no], [yes]], other: []}\n", "other"},
        {HEAD TAIL "options: [no, yes]\nitems: [one]\nbands: [{from: 1, name: low}]\n" ANSWERS,
         "band"},
        {HEAD TAIL "options: [no, yes]\nitems: [one]\nbands: [{from: 0, name: 'a\"'}]\n" ANSWERS,
         "band"},
        {HEAD TAIL "options: [no, yes]\nitems: [one]\nbands: [{from: 0, name: a}, {from: 2, name: "
                   "b}]\n" ANSWERS,
         "band"},
        {HEAD TAIL "options: [no, yes]\nitems: [one]\nbands: [{from: 0, name: a}, {from: 0, name: "
                   "b}]\n" ANSWERS,
         "band"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct instrument *instrument = NULL;
        struct failure failure = {""};
        const enum status status =
            instrument_parse(files[i].yaml, strlen(files[i].yaml), "x.yaml", &instrument, &failure);
        CHECK(status == (files[i].told ? STATUS_INVALID : STATUS_OK), "%zu: %s", i, failure.text);
        CHECK(!files[i].told || strstr(failure.text, files[i].told), "%zu: %s", i, failure.text);
        instrument_destroy(instrument);
    }
}

/* The names that callers may ask for are the files that are there. */
static void every_shipped_file_has_its_name(void)
{
    size_t files = 0, names = 0;
    for (const struct shipped_file *file = shipped_files; file->path; file++) {
        files += strncmp(file->path, "instruments/", 12) == 0 && !strchr(file->path + 12, '/');
    }
    for (; instrument_shipped_name(names); names++) {
        instrument_destroy(open_shipped(instrument_shipped_name(names)));
    }
    CHECK(names == files && names == FACTS, "%zu names, %zu files", names, files);
    struct instrument *instrument = NULL;
    struct failure failure = {""};
    CHECK(instrument_create("phq-8", &instrument, &failure) == STATUS_NOT_FOUND, "phq-8");
    CHECK(instrument_create("answers/frequency", &instrument, &failure) == STATUS_NOT_FOUND,
          "path");
}

CHECK_MAIN(every_vector_has_its_sum_and_band, every_short_conversation_is_scored,
           item_nine_above_none_is_critical, turns_are_asked_in_order, a_declined_one_has_no_score,
           a_turn_beyond_the_limit_is_refused, wrong_files_are_told,
           every_shipped_file_has_its_name)
