/* Method: tables of texts and the lexemes they are cut into; every row again byte by byte. Random
 * strings of nasty fragments must give the same lexemes however they are cut. Floods must stay
 * within the window's bounds (support_describe asserts them, and that spans cover the text). */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tests/check.h"
#include "tests/policy/text/support_describe.h"

static char whole[DESCRIPTION_BYTES];
static char cut[DESCRIPTION_BYTES];

static const struct {
    const char *text, *want;
} rows[] = {
    {"", ""},
    {"John Smith", "WC:john S-: WC:smith"},
    {"john SMITH McCoy a A", "Wl:john S-: WU:smith S-: WM:mccoy S-: Wl:a S-: WU:a"},
    {"555-12", "N-:555 M-:- N-:12"},
    {"MR52508 5th 4B", "XU:mr52508 S-: Xl:5th S-: XU:4b"},
    {"o'brien O'Brien", "Wl:o'brien S-: WM:o'brien"},
    {"don't", "Wl:don't"},
    {"John's", "WC:john M-:' Wl:s"},
    {"JOHN'S x", "WU:john M-:' WU:s S-: Wl:x"},
    {"'John's'", "M-:' WC:john M-:' Wl:s M-:'"},
    {"O'Brien\u2019s", "WM:o'brien M-:' Wl:s"},
    {"dogs' x''y '' z'", "Wl:dogs M-:' S-: Wl:x M-:' M-:' Wl:y S-: M-:' M-:' S-: Wl:z M-:'"},
    {"80's o'5 's", "N-:80 M-:' Wl:s S-: Wl:o M-:' N-:5 S-: M-:' Wl:s"},
    {"a_b@c.de", "Wl:a M-:_ Wl:b M-:@ Wl:c M-:. Wl:de"},
    {"a\r\nb\nc\rd\te", "Wl:a B-: Wl:b B-: Wl:c B-: Wl:d S-: Wl:e"},
    {"a\xff\xe2\x82z", "Wl:a G-?:\ufffd G-?:\ufffd G-?:\ufffd Wl:z"},
    {"\xe2\x82\xe2\x82\xac", "G-?:\ufffd G-?:\ufffd M-:\u20ac"},
    {"\u5f20\u4f1f \u0e01\u0e02", "G-:\u5f20 G-:\u4f1f S-: G-:\u0e01 G-:\u0e02"},
    {"\u0418\u0432\u0430\u043d", "WC:\u0438\u0432\u0430\u043d"},
    {"\uae40\ubbfc\uc218", "W-:\uae40\ubbfc\uc218"},
    {"\u05d3\u05d5\u05d3", "W-:\u05d3\u05d5\u05d3"},
    {"Jos\u00e9 M\u00fcller \u0141uk \u00c6rø Stra\u00dfe",
     "WC:jose S-: WC:muller S-: WC:luk S-: WC:aero S-: WC:strasse"},
    {"Jose\u0301 x\u0301", "WC:jose S-: Wl:x"},
    /* evasion */
    {"\uff11\uff12\uff0d\uff21\uff42", "N-!:12 M-:- WC!:ab"},
    {"\u0661\u0662\u0663 \u0967", "N-:123 S-: N-:1"},
    {"\U0001d409\U0001d428\U0001d421\U0001d427 \U0001d7cf", "WC!:john S-: N-!:1"},
    {"\u2460\u2461\u2789 \u24bf\u24de", "N-!:1210 S-: WC!:jo"},
    {"\U0001f150\U0001f171 \u2776 \u24ea", "WU!:ab S-: N-!:1 S-: N-!:0"},
    {"J\u043ehn \u0430 12\u041e4", "WC!:john S-: Wl:\u0430 S-: XU!:12o4"},
    {"Jo\u200bhn 5\u00ad5\ufeff5", "WC!:john S-: N-!:555"},
    {"\u202eabc\u202c x", "Wl!:abc S-: Wl:x"},
    {". \u200b.", "M-:. S-: M-!:."},
    {"x \u200b", "Wl:x S-: G-!:"},
    {"a\x01\x02z", "Wl!:az"},
    {"hi\U000e0073\U000e0065 ok", "Wl!:hise S-: Wl:ok"},
    {"1\ufe0f\u20e3"
     "2\ufe0f\u20e3",
     "N-!:12"},
    {"\u2764\ufe0f x", "G-:\u2764 S-: Wl:x"},
    {"\u201cHi\u201d \u2013 \u2018a\u2019 \u2014 \u2026",
     "M-:\" WC:hi M-:\" S-: M-:- S-: M-:' Wl:a M-:' S-: M-:- S-: M-:\u2026"},
    {"1\u00b72\u30023", "N-:1 M-:. N-:2 M-:. N-:3"},
    {"\u2116 5 \ufb01n \u00bd", "W-:no S-: N-:5 S-: Wl:fin S-: G-:1\u20442"},
    {"a\u00a0b\u2003c\u2028d", "Wl:a S-: Wl:b S-: Wl:c B-: Wl:d"},
    /* escapes */
    {"Jos\\u00e9 x", "WC!:jose S-: Wl:x"},
    {"\\ud83d\\ude00 \\ud83dx", "G-!:\U0001f600 S-: G-!:\ufffd Wl:x"},
    {"a\\nb\\tc\\r\\nd\\/e\\\"f", "Wl:a B-: Wl:b S-: Wl:c B-: Wl:d M-:/ Wl:e M-:\" Wl:f"},
    {"a\\rb\\c\\\\n", "Wl:a M-:\\ Wl:rb M-:\\ Wl:c M-:\\ Wl:n"},
    {"\\u12 \\u12G4 \\", "M-:\\ Xl:u12 S-: M-:\\ XM:u12g4 S-: M-:\\"},
    {"\\u12", "M-:\\ Xl:u12"},
    {"&#49;&#x32;3 &amp; &amp &#; &#x; &#12", "N-!:123 S-: M-:& S-: M-:& Wl:amp S-: M-:& M-:# M-:; "
                                              "S-: M-:& M-:# Wl:x M-:; S-: M-:& M-:# N-:12"},
    {"&#1114112; &#xd800;", "M-:& M-:# N-:1114112 M-:; S-: M-:& M-:# Xl:xd800 M-:;"},
    {"a%40b.c 50% %4 %zz %e9 %4", "Wl:a M-!:@ Wl:b M-:. Wl:c S-: N-:50 M-:% S-: M-:% N-:4 S-: M-:% "
                                  "Wl:zz S-: M-:% Xl:e9 S-: M-:% N-:4"},
};

static void every_row_is_cut_as_it_says(void)
{
    const size_t one = 1;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        support_describe(rows[i].text, strlen(rows[i].text), NULL, 0, whole);
        CHECK(strcmp(whole, rows[i].want) == 0, "row %zu: %s\n got  %s\n want %s", i, rows[i].text,
              whole, rows[i].want);
        support_describe(rows[i].text, strlen(rows[i].text), &one, 1, cut);
        CHECK(strcmp(cut, whole) == 0, "row %zu: %s\n bytes %s", i, rows[i].text, cut);
    }
}

static const char *const fragments[] = {
    "a",
    "B",
    "9",
    "'",
    "\u2019",
    "s",
    "'s",
    " ",
    "\r",
    "\n",
    "\r\n",
    "\\",
    "\\u00e9",
    "\\ud83d",
    "\\ude00",
    "\\n",
    "\\r",
    "&",
    "&#4",
    "&#49;",
    "&#x31;",
    "&amp;",
    "&am",
    "%",
    "%4",
    "%40",
    "%zz",
    "\u00e9",
    "e\u0301",
    "\u043e",
    "\u200b",
    "\u00ad",
    "\ufe0f",
    "\U000e0041",
    "\U0001d409",
    "\u24fe",
    "\u5f20",
    "\uae40",
    "\u0e01\u0e34",
    "\xff",
    "\xe2",
    "\xe2\x82",
    "\xf0\x9f",
    "\x80",
    ".",
    "-",
    "@",
    "\u00df",
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi",
    "\u043a\u043e\u043a\u043e\u043a\u043e\u043a\u043e\u043a\u043e\u043a\u043e\u043a\u043e\u043a",
    "\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b\u200b",
    "\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061",
};

enum { SEEDS = 300, FRAGMENTS = 600, SIZES = 16 };

static void cuts_do_not_matter(void)
{
    static char text[FRAGMENTS * 128];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_source random = {seed};
        size_t length = 0;
        const uint32_t count = 1 + random_below(&random, FRAGMENTS);
        for (uint32_t i = 0; i < count; i++) {
            const char *fragment =
                fragments[random_below(&random, sizeof fragments / sizeof fragments[0])];
            memcpy(text + length, fragment, strlen(fragment));
            length += strlen(fragment);
        }
        size_t sizes[SIZES];
        for (size_t i = 0; i < SIZES; i++) {
            sizes[i] = 1 + random_below(&random, seed % 2 ? 7 : 300);
        }
        support_describe(text, length, NULL, 0, whole);
        support_describe(text, length, sizes, SIZES, cut);
        CHECK(strcmp(whole, cut) == 0, "seed %llu\n %.300s\n %.300s", (unsigned long long)seed,
              whole, cut);
    }
}

/* `count` times `part` behind the first of some digits. */
static size_t flood(char *text, const char *part, size_t count)
{
    size_t length = 0;
    text[length++] = '1';
    for (size_t i = 0; i < count; i++) {
        memcpy(text + length, part, strlen(part));
        length += strlen(part);
    }
    memcpy(text + length, "23456", 5);
    return length + 5;
}

static void floods_stay_in_bounds(void)
{
    static const struct {
        const char *part;
        size_t count;
        const char *want; /* NULL: only the bounds */
    } floods[] = {
        {"\u200b", 10000, "N-!:123456"},
        {"\u0301", 100000, "N-:123456"},
        {"a", 10000, NULL},
        {"\u0430", 10000, NULL},
        {"'", 10000, NULL},
        {"\\", 10001, NULL},
        {"\\u12", 10000, NULL},
        {"\\ud83d", 10000, NULL},
        {"&#", 10000, NULL},
        {"%4", 10000, NULL},
        {"\xe2", 10000, NULL},
        {"\\u0061", 10000, NULL},
        {"\ufdfa", 3000, NULL},
    };
    char *text = malloc(1 << 20);
    const size_t seven = 7;
    for (size_t i = 0; text && i < sizeof floods / sizeof floods[0]; i++) {
        const size_t length = flood(text, floods[i].part, floods[i].count);
        support_describe(text, length, NULL, 0, whole);
        support_describe(text, length, &seven, 1, cut);
        CHECK(strcmp(whole, cut) == 0, "flood %zu", i);
        CHECK(!floods[i].want || strcmp(whole, floods[i].want) == 0, "flood %zu: %.80s", i, whole);
    }
    free(text);
}

static void a_long_run_is_cut_and_says_so(void)
{
    char text[200];
    memset(text, 'q', sizeof text);
    support_describe(text, sizeof text, NULL, 0, whole);
    char want[300];
    snprintf(want, sizeof want, "Wl+:%.64s Wl+:%.64s Wl+:%.64s Wl:%.8s", text, text, text, text);
    CHECK(strcmp(whole, want) == 0, "%s", whole);
}

/* Escapes fill the raw bytes first, so that the arrays are moved at each place inside a word. */
static void moving_changes_nothing(void)
{
    enum { ESCAPES = 40, WORD_BYTES = 6 * ESCAPES + 6, WORDS = 200 };
    static char text[WORD_BYTES * (WORDS + 1)];
    char want[ESCAPES + 32];
    memset(want, 'a', sizeof want);
    memcpy(want, "Wl!:", 4);
    memcpy(want + 4 + ESCAPES, "'e M-!:' Wl!:s M-:.", 20);
    const size_t one = 1;
    for (size_t pad = 0; pad < WORD_BYTES; pad++) {
        size_t length = pad;
        memset(text, '.', pad);
        for (size_t i = 0; i < WORDS; i++) {
            for (size_t k = 0; k < ESCAPES; k++, length += 6) {
                memcpy(text + length, "\\u0061", 6);
            }
            memcpy(text + length, "'e's.", 5);
            length += 5;
        }
        support_describe(text, length, &one, 1, whole);
        size_t count = 0;
        for (const char *at = whole; (at = strstr(at, want)) != NULL; at++) {
            count++;
        }
        CHECK(count == WORDS, "pad %zu: %zu words in %.200s", pad, count, whole);
    }
}

static void the_left_context_is_whole(void)
{
    struct window *window = window_create(NULL);
    for (uint32_t i = 0; i < 2000; i++) {
        const char byte = (char)('(' + i % 7);
        CHECK(window_feed(window, &byte, 1) == 1, "feed");
        window_release(window);
        const struct window_view view = window_view(window);
        CHECK(view.at == (i + 1 < WINDOW_LEFT ? i + 1 : WINDOW_LEFT), "%u in front", view.at);
        CHECK(*lexeme_text(&view, 0) == (char)('(' + (i + 1 - view.at) % 7), "not the first");
    }
    window_destroy(window);
}

/* By its bytes: at the same one, whether they come alone or together. */
static void a_window_is_full_at_one_place(void)
{
    static char text[2 * WINDOW_RAW];
    struct window *window = window_create(NULL);
    for (size_t pad = 0; pad < 64; pad++) {
        memset(text, '.', pad);
        memset(text + pad, 'q', sizeof text - pad);
        const size_t together = window_feed(window, text, sizeof text);
        CHECK(window_is_full(window) && together < WINDOW_RAW, "pad %zu: %zu", pad, together);
        window_reset(window);
        size_t alone = 0;
        while (window_feed(window, text + alone, 1) == 1) {
            alone++;
        }
        CHECK(alone == together, "pad %zu: %zu alone, %zu together", pad, alone, together);
        window_reset(window);
    }
    window_destroy(window);
}

static void a_full_window_takes_nothing(void)
{
    char text[1000];
    memset(text, '.', sizeof text);
    struct window *window = window_create(NULL);
    CHECK(window_feed(window, text, sizeof text) == WINDOW_OPEN, "not filled");
    CHECK(window_is_full(window) && window_feed(window, text, 1) == 0, "takes more");
    window_release(window);
    CHECK(!window_is_full(window) && window_feed(window, text, 9) == 1, "room for one");
    const struct window_view view = window_view(window);
    CHECK(view.at == 1 && view.count == WINDOW_OPEN + 1, "at %u of %u", view.at, view.count);
    CHECK(lexeme_is(&view, 0, ".") && !lexeme_is(&view, 0, "..") && !lexeme_is(&view, 0, ""),
          "lexeme_is");
    CHECK(!lexeme_is(&view, view.count, ".") && !lexeme_is(&view, UINT32_MAX, "."), "outside");
    window_reset(window);
    CHECK(window_view(window).count == 0 && window_open_bytes(window) == 0, "not reset");
    CHECK(window_feed(window, "ab", 2) == 2 && window_open_bytes(window) == 2, "one word");
    window_destroy(window);
    window_destroy(NULL);
}

CHECK_MAIN(every_row_is_cut_as_it_says, cuts_do_not_matter, floods_stay_in_bounds,
           a_long_run_is_cut_and_says_so, moving_changes_nothing, the_left_context_is_whole,
           a_window_is_full_at_one_place, a_full_window_takes_nothing)
