/* Method: the definition, written plainly, is the oracle: the first byte at which some stop string
 * is complete, and the longest of those. Texts and stop strings over two letters meet every
 * overlap; each is fed in random pieces, and after each piece no more and no less is held back than
 * the longest ending that is a beginning of a stop string. */
#include <string.h>

#include "base/random.h"
#include "server/openai/stop_match.h"
#include "tests/check.h"

enum { TEXT_BYTES = 60, ROUNDS = 20000 };

struct plain {
    char stops[LIMIT_STOP_STRINGS][16];
    uint32_t count;
};

static bool ends_with(const char *text, size_t length, const char *ending, size_t ending_length)
{
    return length >= ending_length
           && memcmp(text + length - ending_length, ending, ending_length) == 0;
}

/* Where the text ends; length if no stop string is in it. */
static size_t plain_cut(const struct plain *plain, const char *text, size_t length)
{
    for (size_t end = 1; end <= length; end++) {
        size_t longest = 0;
        for (uint32_t i = 0; i < plain->count; i++) {
            const size_t stop_length = strlen(plain->stops[i]);
            if (ends_with(text, end, plain->stops[i], stop_length) && stop_length > longest) {
                longest = stop_length;
            }
        }
        if (longest > 0) {
            return end - longest;
        }
    }
    return length;
}

static size_t plain_held(const struct plain *plain, const char *text, size_t length)
{
    size_t held = 0;
    for (uint32_t i = 0; i < plain->count; i++) {
        for (size_t part = 1; part < strlen(plain->stops[i]); part++) {
            if (ends_with(text, length, plain->stops[i], part) && part > held) {
                held = part;
            }
        }
    }
    return held;
}

static void random_letters(struct random_source *random, uint32_t letters, size_t length, char *out)
{
    for (size_t i = 0; i < length; i++) {
        out[i] = (char)('a' + random_below(random, letters));
    }
    out[length] = '\0';
}

static void check_round(struct random_source *random, int round)
{
    const uint32_t letters = 2 + random_below(random, 2);
    struct plain plain = {.count = random_below(random, LIMIT_STOP_STRINGS + 1)};
    struct stop_set set = {.count = 0};
    for (uint32_t i = 0; i < plain.count; i++) {
        random_letters(random, letters, 1 + random_below(random, 12), plain.stops[i]);
        stop_set_add(&set, plain.stops[i], strlen(plain.stops[i]));
    }
    char text[TEXT_BYTES + 1];
    random_letters(random, letters, TEXT_BYTES, text);

    struct stop_scan scan = {{0}};
    size_t fed = 0, end = TEXT_BYTES;
    while (fed < TEXT_BYTES) {
        const size_t left = TEXT_BYTES - fed;
        const size_t piece = 1 + random_below(random, (uint32_t)(left < 9 ? left : 9));
        size_t consumed = 0, cut = 0;
        if (stop_scan_feed(&set, &scan, text + fed, piece, &consumed, &cut)) {
            end = fed + consumed - cut;
            break;
        }
        fed += piece;
        const size_t held = stop_scan_held(&set, &scan);
        CHECK(held == plain_held(&plain, text, fed), "round %d: %zu held", round, held);
    }
    CHECK(end == plain_cut(&plain, text, TEXT_BYTES), "round %d: ends at %zu", round, end);
}

static void any_cut_of_any_text(void)
{
    struct random_source random = {3};
    for (int round = 0; round < ROUNDS; round++) {
        check_round(&random, round);
    }
}

static void the_longest_possible_stop_string(void)
{
    char text[LIMIT_STOP_STRING_BYTES];
    memset(text, 'a', sizeof text);
    struct stop_set set = {.count = 0};
    stop_set_add(&set, text, sizeof text);
    struct stop_scan scan = {{0}};
    size_t consumed = 0, cut = 0;
    CHECK(!stop_scan_feed(&set, &scan, text, sizeof text - 1, &consumed, &cut), "early");
    CHECK(stop_scan_held(&set, &scan) == sizeof text - 1, "not held");
    CHECK(!stop_scan_feed(&set, &scan, "b", 1, &consumed, &cut), "not this one");
    CHECK(stop_scan_held(&set, &scan) == 0, "held for nothing");
    CHECK(stop_scan_feed(&set, &scan, text, sizeof text, &consumed, &cut), "missed");
    CHECK(consumed == sizeof text && cut == sizeof text, "%zu %zu", consumed, cut);
}

CHECK_MAIN(any_cut_of_any_text, the_longest_possible_stop_string)
