/* Method: 2,000 sentences, seeded, each with one or two strings of a shipped region in one of their
 * spellings, between words that make identifiers of what follows them ("phone:", "Dr.", "ID"). All
 * detectors scan each, whole and in pieces of 1 to 7 bytes: no byte of a crisis resource lies in a
 * finding that is none. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "policy/crisis/resources.h"
#include "policy/identify/scanner.h"
#include "tests/check.h"

enum { SENTENCES = 2000, TEXT_BYTES = 2048, SPANS_MAX = 2 };

static const char *const templates[] = {
    "Call # now.",
    "If you feel unsafe, call or text # at any hour.",
    "You can reach # or #, day and night.",
    "My therapist Maria Lopez gave me # last week.",
    "please save #",
    "Phone: #",
    "phone number # is free",
    "Contact # today",
    "Text: #",
    "I talked to # and they were kind",
    "- #\n- #\n",
    "**#** (#)",
    "1. # \xe2\x80\x93 free and confidential",
    "Dr. Smith said: try #.",
    "the number is # I think",
    "Have you tried #? It helped Sam.",
    "In an emergency dial #!",
    "# is there for you",
    "see #",
    "ask for help: #, #",
    "i was on hold with # for an hour",
    "Visit # for more.",
    "(#)",
    "\"#\"",
    "Reach out to # 24/7",
    "I live in Boston and # answered",
    "My mom, Ana, works at #.",
    "Email or call #",
    "The # is open 24 hours",
    "En caso de crisis, llame a #.",
    "Ask Maria about #.",
    "Mr. # was what he wrote",
    "my name is # haha",
    "Sincerely,\n#",
    "Patient called # on 03/04/2021 at 10:30.",
    "# (Maria Lopez)",
    "Maria Lopez # 12 Elm Street",
    "Tel: # Fax: 212-555-0142",
    "http://example.com # x@example.com #",
    "i told my sister jen to call #",
};

enum { TEMPLATE_COUNT = sizeof templates / sizeof templates[0] };

static struct random_source source;

static uint32_t draw(uint32_t below)
{
    return random_below(&source, below);
}

struct sentence {
    char text[TEXT_BYTES];
    size_t length;
    struct {
        size_t start, end;
    } spans[SPANS_MAX];
    size_t span_count;
};

static bool is_number(const char *text)
{
    return strspn(text, "0123456789-+() ") == strlen(text);
}

static const char *const digit_words[] = {"zero", "one", "two",   "three", "four",
                                          "five", "six", "seven", "eight", "nine"};

/* One of the spellings that people and models use. */
static void spell(struct sentence *sentence, const char *text)
{
    const uint32_t how = draw(8);
    const bool is_plain_number = is_number(text);
    const bool is_short = strlen(text) <= 6;
    for (const char *at = text; *at && sentence->length < TEXT_BYTES - 16; at++) {
        const unsigned char c = (unsigned char)*at;
        char *to = sentence->text + sentence->length;
        if (how == 1 && c < 0x80) {
            *to = (char)tolower(c);
        } else if (how == 2 && c < 0x80) {
            *to = (char)toupper(c);
        } else if (how == 3 && c == '&') {
            sentence->length += (size_t)snprintf(to, 8, "and");
            continue;
        } else if (how == 4 && is_plain_number && c == '-') {
            *to = ' ';
        } else if (how == 5 && is_plain_number && c == '-') {
            *to = '.';
        } else if (how == 6 && is_plain_number && (c == '-' || c == ' ')) {
            continue;
        } else if (how == 7 && is_plain_number && is_short && c >= '0' && c <= '9') {
            sentence->length +=
                (size_t)snprintf(to, 8, "%s%s", at == text ? "" : " ", digit_words[c - '0']);
            continue;
        } else {
            *to = *at;
        }
        sentence->length++;
    }
}

static void make(const struct resources *resources, uint32_t strings, struct sentence *sentence)
{
    const char *template = templates[draw(TEMPLATE_COUNT)];
    *sentence = (struct sentence){.length = 0};
    for (const char *at = template; *at; at++) {
        if (*at != '#') {
            sentence->text[sentence->length++] = *at;
            continue;
        }
        sentence->spans[sentence->span_count].start = sentence->length;
        spell(sentence, resources_string(resources, draw(strings)));
        sentence->spans[sentence->span_count++].end = sentence->length;
    }
}

static enum status told(void *context, const struct scan_piece *piece)
{
    const struct sentence *sentence = context;
    for (size_t i = 0; piece->is_finding && !piece->is_resource && i < sentence->span_count; i++) {
        CHECK(piece->end <= sentence->spans[i].start || piece->start >= sentence->spans[i].end,
              "%s: %.*s in: %.*s", policy_kind_name(piece->kind), (int)piece->raw_bytes, piece->raw,
              (int)sentence->length, sentence->text);
    }
    return STATUS_OK;
}

static void scan(struct scanner *scanner, struct sentence *sentence, size_t step)
{
    scanner_reset(scanner);
    for (size_t at = 0; at < sentence->length; at += step) {
        const size_t piece = sentence->length - at < step ? sentence->length - at : step;
        CHECK(scanner_feed(scanner, sentence->text + at, piece, told, sentence) == STATUS_OK,
              "fed");
    }
    CHECK(scanner_end(scanner, told, sentence) == STATUS_OK, "ended");
}

static void no_resource_is_touched(void)
{
    static const char *const regions[] = {"us", "us", "us", "ca", "gb"};
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "lexicon");
    for (uint32_t round = 0; round < 5; round++) {
        struct failure failure = {""};
        struct resources *resources = NULL;
        struct scanner *scanner = NULL;
        uint32_t strings = 0;
        source = (struct random_source){.state = 4100 + round};
        if (resources_create(regions[round], NULL, &resources, &failure) != STATUS_OK) {
            CHECK(false, "%s", failure.text);
            return;
        }
        while (resources_string(resources, strings)) {
            strings++;
        }
        const struct detector_terms terms = {.lexicon = lexicon, .resources = resources};
        CHECK(scanner_create(&terms, NULL, &scanner) == STATUS_OK, "scanner");
        for (uint32_t i = 0; scanner && i < SENTENCES / 5; i++) {
            struct sentence sentence;
            make(resources, strings, &sentence);
            scan(scanner, &sentence, TEXT_BYTES);
            scan(scanner, &sentence, 1 + draw(7));
        }
        scanner_destroy(scanner);
        resources_destroy(resources);
    }
    lexicon_destroy(lexicon);
}

CHECK_MAIN(no_resource_is_touched)
