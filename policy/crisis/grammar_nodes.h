/* grammar_nodes.h - what a compiled grammar is made of; for the files grammar*.c alone. */
#pragma once
#include "policy/crisis/grammar.h"

enum {
    NODES_MAX = 131072,
    PHRASES_MAX = 512,
    PATTERNS_MAX = 8192,
    NAMES_MAX = 512,
    NAME_BYTES_MAX = 32,
    ANCHORS_MAX = 1 << 18,
    PATTERN_DEPTH_MAX = 6,   /* brackets in brackets */
    PATTERN_COST_MAX = 20000 /* nodes visited at most, phrases in phrases counted out */
};

enum node_type {
    NODE_ENTRY, /* value: a word, beginning or class */
    NODE_GAP,   /* value: words at most */
    NODE_GROUP, /* value: its first alternative */
    NODE_OPTIONAL,
    NODE_PHRASE,
    NODE_ALTERNATIVE, /* value: its first node; next: the next alternative */
    NODE_FIRST,       /* ^ */
    NODE_LAST         /* $ */
};

struct node {
    enum node_type type;
    uint32_t value, next; /* 0: none */
};

struct pattern {
    uint32_t first;
};

struct anchor { /* of an entry, a list */
    uint32_t pattern, next;
};

struct grammar_name {
    char text[NAME_BYTES_MAX];
    enum node_type type; /* NODE_ENTRY or NODE_PHRASE */
    uint32_t value, cost;
};

struct grammar {
    struct word_book *vocabulary;
    struct node nodes[NODES_MAX];
    uint32_t phrases[PHRASES_MAX]; /* their first alternative */
    struct pattern patterns[PATTERNS_MAX];
    struct grammar_name names[NAMES_MAX];
    uint32_t node_count, phrase_count, pattern_count, name_count;
    uint32_t number_entry, many_entry, year_entry;
    bool is_common[VOCABULARY_ENTRIES_MAX];
    uint32_t first_anchors[VOCABULARY_ENTRIES_MAX];
    struct anchor anchors[ANCHORS_MAX];
    uint32_t anchor_count; /* the first is none */
};

/* STATUS_INVALID: there is no word that the pattern cannot do without. */
MUST_CHECK enum status grammar_anchor(struct grammar *grammar, uint32_t pattern);
