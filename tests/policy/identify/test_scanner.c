/* Method: the scanner with detectors of this file, whose answers are easy to foresee: a table of
 * texts and pieces, each also in random cuts; random texts of fragments in random cuts against the
 * whole; hostile texts for the bounds. */
#include "policy/identify/scanner.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/check.h"

/* ---- detectors ------------------------------------------------------------------------------- */

static const struct finding nothing = {.verdict = FINDING_NO};
static const struct finding more = {.verdict = FINDING_MORE};
static uint32_t asked_count;

static bool is_class(const struct reading *reading, uint32_t offset, enum lexeme_class class)
{
    return reading->view.lexemes[reading->view.at + offset].class == class;
}

/* What follows a shape that has matched `offset` lexemes: false if it is not there yet. */
static bool has(const struct reading *reading, uint32_t offset)
{
    return reading->view.at + offset < reading->view.count;
}

static struct finding wait_for(const struct reading *reading)
{
    return reading->has_ended ? nothing : more;
}

/* 988 in front of anything is a crisis line. */
static struct finding detect_line(const struct reading *reading)
{
    struct finding finding = FINDING_IS(POLICY_PHONE, 1);
    finding.is_resource = true;
    asked_count++;
    return lexeme_is(&reading->view, reading->view.at, "988") ? finding : nothing;
}

/* Number, hyphen, number. */
static struct finding detect_pair(const struct reading *reading)
{
    if (!has(reading, 1)) {
        return wait_for(reading);
    }
    if (!lexeme_is(&reading->view, reading->view.at + 1, "-")) {
        return nothing;
    }
    if (!has(reading, 2)) {
        return wait_for(reading);
    }
    return is_class(reading, 2, LEXEME_NUMBER) ? FINDING_IS(POLICY_SSN, 3) : nothing;
}

/* The same as another kind: who comes first in the table wins. */
static struct finding detect_pair_again(const struct reading *reading)
{
    struct finding finding = detect_pair(reading);
    finding.kind = POLICY_MRN;
    return finding;
}

/* Number, hyphen, number, hyphen, number: longer than a pair. */
static struct finding detect_triple(const struct reading *reading)
{
    static const enum lexeme_class classes[] = {LEXEME_NUMBER, LEXEME_MARK, LEXEME_NUMBER,
                                                LEXEME_MARK, LEXEME_NUMBER};
    for (uint32_t i = 0; i < 5; i++) {
        if (!has(reading, i)) {
            return wait_for(reading);
        }
        if (!is_class(reading, i, classes[i])) {
            return nothing;
        }
    }
    return FINDING_IS(POLICY_PHONE, 5);
}

/* "name is X Y", or X again where X or Y was seen before. */
static struct finding detect_names(const struct reading *reading)
{
    const struct window_view *view = &reading->view;
    const uint32_t at = view->at;
    if (memory_has(reading->memory, lexeme_text(view, at), view->lexemes[at].folded_bytes)) {
        return FINDING_IS(POLICY_NAME, 1);
    }
    if (at < 2 || !lexeme_is(view, at - 2, "is")) {
        return nothing;
    }
    if (!has(reading, 2)) {
        return wait_for(reading);
    }
    return is_class(reading, 2, LEXEME_WORD) ? FINDING_IS(POLICY_NAME, 3) : nothing;
}

/* From "open" to "shut", which may be far. A run too long for one lexeme. */
static struct finding detect_long(const struct reading *reading)
{
    const struct window_view *view = &reading->view;
    if (view->lexemes[view->at].is_cut) {
        return FINDING_IS(POLICY_SECRET, 1);
    }
    if (!lexeme_is(view, view->at, "open")) {
        return nothing;
    }
    for (uint32_t i = view->at; i < view->count; i++) {
        if (lexeme_is(view, i, "shut")) {
            return FINDING_IS(POLICY_SECRET, i - view->at + 1);
        }
    }
    return wait_for(reading);
}

static const struct detectors_row detectors[] = {
    {detect_line, DETECTORS_AT(LEXEME_NUMBER)},
    {detect_pair, DETECTORS_AT(LEXEME_NUMBER)},
    {detect_triple, DETECTORS_AT(LEXEME_NUMBER)},
    {detect_long, DETECTORS_AT(LEXEME_WORD)},
    {detect_pair_again, DETECTORS_AT(LEXEME_NUMBER)},
    {detect_names, DETECTORS_AT(LEXEME_WORD)},
    {NULL, 0},
};

/* ---- a scan in one line ---------------------------------------------------------------------- */

enum { OUT_BYTES = 1 << 20 };

struct told {
    char *out;
    size_t length;
    uint64_t end; /* of the last piece */
    enum status status;
    bool is_in_text;
};

static void put(struct told *told, const char *text, size_t length)
{
    if (told->length + length < OUT_BYTES) {
        memcpy(told->out + told->length, text, length);
        told->length += length;
    }
    told->out[told->length] = '\0';
}

/* Text as it is; a finding as {KIND=folded}, ! for a resource, + where it continues, ? disguised.
 */
static enum status tell(void *context, const struct scan_piece *piece)
{
    struct told *told = context;
    CHECK(piece->start == told->end && piece->end > piece->start, "%llu after %llu",
          (unsigned long long)piece->start, (unsigned long long)told->end);
    told->end = piece->end;
    if (!piece->is_finding) {
        put(told, piece->raw, piece->raw_bytes);
        return told->status;
    }
    put(told, "{", 1);
    put(told, "!", piece->is_resource);
    put(told, "+", piece->continues);
    put(told, "?", piece->is_disguised);
    put(told, policy_kind_name(piece->kind), strlen(policy_kind_name(piece->kind)));
    put(told, "=", 1);
    put(told, piece->folded, piece->folded_bytes);
    put(told, "}", 1);
    return told->status;
}

static void scan(struct scanner *scanner, const char *text, size_t length,
                 struct random_source *random, char *out)
{
    struct told told = {.out = out};
    out[0] = '\0';
    scanner_reset(scanner);
    for (size_t at = 0; at < length;) {
        const size_t size = random ? 1 + random_below(random, 7) : length;
        const size_t step = size < length - at ? size : length - at;
        CHECK(scanner_feed(scanner, text + at, step, tell, &told) == STATUS_OK, "feed");
        at += step;
        CHECK(scanner_held_bytes(scanner) <= WINDOW_RAW, "%zu held", scanner_held_bytes(scanner));
    }
    CHECK(scanner_end(scanner, tell, &told) == STATUS_OK, "end");
    CHECK(told.end == length, "%llu of %zu bytes told", (unsigned long long)told.end, length);
    CHECK(scanner_held_bytes(scanner) == 0, "%zu held", scanner_held_bytes(scanner));
}

static char whole[OUT_BYTES];
static char cut[OUT_BYTES];

static struct scanner *create(void)
{
    static const struct detector_terms terms;
    struct scanner *scanner = NULL;
    CHECK(scanner_create_with(detectors, &terms, NULL, &scanner) == STATUS_OK, "create");
    return scanner;
}

/* ---- tests ----------------------------------------------------------------------------------- */

static const struct {
    const char *text, *want;
} rows[] = {
    {"", ""},
    {"plain text.", "plain text."},
    {"a 12-34 b", "a {SSN=1234} b"},
    {"12-34-56.", "{PHONE=123456}."},
    {"12-34-x", "{SSN=1234}-x"},
    {"12-34-", "{SSN=1234}-"},
    {"12-", "12-"},
    {"12", "12"},
    {"988-12 or 988", "{!PHONE=988}-12 or {!PHONE=988}"},
    {"name is Ann O'Dea, so ann", "name is {NAME=ann o'dea}, so {NAME=ann}"},
    {"is Jo Li; jo Li", "is {NAME=jo li}; jo Li"},
    {"open a b shut x", "{SECRET=openabshut} x"},
    {"open a b", "open a b"},
    {"x\xff"
     "12-\xff",
     "x\ufffd"
     "12-\ufffd"},
    {"1\u200b2-3\\u0034", "{?SSN=1234}"},
};

static void every_row_gives_its_pieces(void)
{
    struct scanner *scanner = create();
    struct random_source random = {1};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *text = rows[i].text;
        scan(scanner, text, strlen(text), NULL, whole);
        CHECK(strcmp(whole, rows[i].want) == 0, "row %zu: %s\n got  %s\n want %s", i, text, whole,
              rows[i].want);
        for (uint32_t turn = 0; turn < 20; turn++) {
            scan(scanner, text, strlen(text), &random, cut);
            CHECK(strcmp(whole, cut) == 0, "row %zu: %s\n cut %s", i, text, cut);
        }
    }
    scanner_destroy(scanner);
}

static void cuts_do_not_matter(void)
{
    static const char *const fragments[] = {
        "12",      "-",
        " ",       "is ",
        "Ann",     "Lee ",
        "open ",   "shut",
        "988",     "\xff",
        "\\u0031", "\u200b",
        "\r\n",    "'s",
        "\\",      "......................................",
        "\u5f20",  "qwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjklzxcvbnmqwertyuiopasdfghjkl"};
    static char text[400 * 80];
    struct scanner *scanner = create();
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random_source random = {seed};
        size_t length = 0;
        for (uint32_t i = random_below(&random, 400); i > 0; i--) {
            const char *fragment =
                fragments[random_below(&random, sizeof fragments / sizeof fragments[0])];
            memcpy(text + length, fragment, strlen(fragment));
            length += strlen(fragment);
        }
        scan(scanner, text, length, NULL, whole);
        scan(scanner, text, length, &random, cut);
        CHECK(strcmp(whole, cut) == 0, "seed %llu", (unsigned long long)seed);
        scan(scanner, text, length, NULL, cut);
        CHECK(strcmp(whole, cut) == 0, "seed %llu: not the same twice", (unsigned long long)seed);
    }
    scanner_destroy(scanner);
}

static void a_full_window_closes(void)
{
    struct scanner *scanner = create();
    char text[1000] = "open ";
    memset(text + 5, '.', 500);
    memcpy(text + 505, " shut", 6);
    scan(scanner, text, strlen(text), NULL, whole);
    CHECK(strncmp(whole, "{CODE=open} ...", 15) == 0, "%.40s", whole);
    struct random_source random = {2};
    scan(scanner, text, strlen(text), &random, cut);
    CHECK(strcmp(whole, cut) == 0, "%.40s", cut);
    scanner_destroy(scanner);
}

static void a_run_that_is_cut_stays_one(void)
{
    struct scanner *scanner = create();
    char text[400];
    memset(text, 'q', 130);
    memcpy(text + 130, " q", 3);
    scan(scanner, text, strlen(text), NULL, whole);
    char want[400];
    snprintf(want, sizeof want, "{SECRET=%.64s}{+SECRET=%.64s}{+SECRET=qq} q", text, text);
    CHECK(strcmp(whole, want) == 0, "%s", whole);
    scanner_destroy(scanner);
}

/* Twice the text, twice the questions: also where every lexeme waits until the window is full. */
static void cost_is_linear(void)
{
    static const char *const parts[] = {"open ", "1-", "988", "is ", "\\u12", "\u0301", "qqqqqqqq"};
    struct scanner *scanner = create();
    char *text = malloc(1 << 17);
    for (size_t i = 0; text && i < sizeof parts / sizeof parts[0]; i++) {
        uint32_t asked[2];
        for (size_t round = 0; round < 2; round++) {
            size_t length = 0;
            while (length + 16 < (size_t)1 << (15 + round)) {
                memcpy(text + length, parts[i], strlen(parts[i]));
                length += strlen(parts[i]);
            }
            asked_count = 0;
            struct random_source random = {i + 1};
            scan(scanner, text, length, &random, cut);
            asked[round] = asked_count;
        }
        CHECK(asked[1] <= 2 * asked[0] + 400, "part %zu: %u, then %u", i, asked[0], asked[1]);
    }
    free(text);
    scanner_destroy(scanner);
}

static void a_refusal_stops_the_scan(void)
{
    struct scanner *scanner = create();
    struct told told = {.out = cut, .status = STATUS_FULL};
    CHECK(scanner_feed(scanner, "a b 1-2 c ", 10, tell, &told) == STATUS_FULL, "goes on");
    CHECK(told.end == 4, "%llu told", (unsigned long long)told.end);
    CHECK(scanner_feed(scanner, "a", 1, tell, &told) == STATUS_FULL, "forgot");
    CHECK(scanner_end(scanner, tell, &told) == STATUS_FULL, "forgot");
    scan(scanner, "1-2", 3, NULL, whole);
    CHECK(strcmp(whole, "{SSN=12}") == 0, "%s", whole);
    scanner_destroy(scanner);
    scanner_destroy(NULL);
}

static void a_conversation_remembers(void)
{
    static const struct detector_terms terms;
    struct memory memory = {0};
    struct scanner *scanner = NULL;
    CHECK(scanner_create_with(detectors, &terms, &memory, &scanner) == STATUS_OK, "create");
    scan(scanner, "is Ann Lee", 10, NULL, whole);
    scan(scanner, "ann", 3, NULL, whole);
    CHECK(strcmp(whole, "{NAME=ann}") == 0, "%s", whole);
    scanner_destroy(scanner);
    scanner = create();
    scan(scanner, "is Ann Lee", 10, NULL, whole);
    scan(scanner, "ann", 3, NULL, whole);
    CHECK(strcmp(whole, "ann") == 0, "of another text: %s", whole);
    scanner_destroy(scanner);
}

static void memory_lets_the_oldest_go(void)
{
    struct memory memory = {0};
    CHECK(!memory_has(&memory, "ann", 3), "of nothing");
    for (uint32_t i = 0; i < 2 * MEMORY_WORDS; i++) {
        memory_add(&memory, (const char *)&i, sizeof i);
        memory_add(&memory, (const char *)&i, sizeof i);
        CHECK(memory_has(&memory, (const char *)&i, sizeof i), "%u is not kept", i);
        const uint32_t old = i - MEMORY_WORDS + 1;
        CHECK(i + 1 < MEMORY_WORDS || memory_has(&memory, (const char *)&old, sizeof old),
              "%u gave way too early", old);
        const uint32_t older = old - 1;
        CHECK(i < MEMORY_WORDS || !memory_has(&memory, (const char *)&older, sizeof older),
              "%u is still kept", older);
    }
}

CHECK_MAIN(every_row_gives_its_pieces, cuts_do_not_matter, a_full_window_closes,
           a_run_that_is_cut_stays_one, cost_is_linear, a_refusal_stops_the_scan,
           a_conversation_remembers, memory_lets_the_oldest_go)
