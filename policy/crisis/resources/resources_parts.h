/* resources_parts.h - what resources is made of, for its own files alone: the lines of a region,
 * its phrases, and the words by which a crisis line is known to be spoken of. */
#pragma once
#include "policy/crisis/resources.h"
#include "policy/crisis/resources/phrase_book.h"
#include "policy/yaml/yaml_tree.h"

enum {
    RESOURCE_LINES_MAX = 64,
    RESOURCE_CALLS_MAX = 256,
    RESOURCE_STRINGS_MAX = 512,
    RESOURCE_NEAR_MAX = 12,
    RESOURCE_DIGITS_BYTES = 20,
    RESOURCE_TEXT_BYTES = 160
};

/* What a word says about a number that stands near it. */
enum word_role {
    WORD_CUE = 1 << 0,       /* a line for people in a crisis */
    WORD_EMERGENCY = 1 << 1, /* or one of emergency services */
    WORD_OWNER = 1 << 2,     /* or somebody's or an office's own */
    WORD_DIAL = 1 << 3,      /* "call", in front of a number */
    WORD_TEXT = 1 << 4,      /* "text HOME to" */
    WORD_LINE = 1 << 5,      /* "hotline 123456" */
    WORD_STREET = 1 << 6,    /* what was taken for a number is a house */
    WORD_COUNTED = 1 << 7,   /* "room 911", "MRN 988" */
    WORD_ROOM = 1 << 8       /* "emergency contact": somebody's own after all */
};

struct resource_line {
    const char *call, *text;           /* the first ones, as told to people; NULL: none */
    uint16_t topic[RESOURCE_NEAR_MAX]; /* words of what it is for */
    uint32_t topic_count;
};

struct resources {
    struct yaml_tree *tree; /* owns the texts, the protocol's too */
    struct phrase_book *book;
    char trunk[4], country_code[4]; /* "1", "1" */
    struct resource_line lines[RESOURCE_LINES_MAX];
    uint32_t line_count;
    uint32_t default_line, emergency_line;
    char calls[RESOURCE_CALLS_MAX][RESOURCE_DIGITS_BYTES]; /* without trunk and country */
    uint32_t call_count;
    struct {
        char digits[RESOURCE_DIGITS_BYTES];
        bool is_emergency;
    } foreign[RESOURCE_NEAR_MAX * 2];
    uint32_t foreign_count;
    const char *strings[RESOURCE_STRINGS_MAX];
    uint32_t string_count;
    char extra[RESOURCE_LINES_MAX][RESOURCE_TEXT_BYTES]; /* a tenant's own */
    uint32_t extra_count;
    uint16_t roles[PHRASE_WORDS_MAX + 1]; /* by symbol: of enum word_role */
    struct {
        uint16_t symbol; /* "home", "start" */
        uint32_t line;
    } keywords[RESOURCE_LINES_MAX];
    uint32_t keyword_count;
};

/* resource_words.c: puts the words with a role into the book. STATUS_FULL, STATUS_IO. */
MUST_CHECK enum status resource_words_add(struct resources *resources);

/* resources_match.c: the longest name of a line that begins at a lexeme, NULL: none. *end: behind.
 */
const struct phrase *resources_match_name(const struct resources *resources,
                                          const struct window_view *view, uint32_t index,
                                          uint32_t *end);
