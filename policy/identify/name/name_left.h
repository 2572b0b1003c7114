/* name_left.h - what stands to the left of a word says for or against a name or a place that begins
 * there: honorifics, greetings, relations, labels, prepositions. Tables of words with points, in
 * the units of name_word.h. */
#pragma once
#include "policy/identify/detector.h"

struct name_left {
    int name, place;    /* points; the best row's */
    int matter;         /* points, below 0: a drug or thing is expected; of words that are no
                           listed name */
    bool after_capital; /* a capitalised ordinary word stands directly before: a title */
    bool follows_name;  /* "Anna and", "Anna,": Anna was found before */
    bool is_strong;     /* next to certain: an eponym or a word in lower case may be a name too */
    bool is_place;      /* "in", "near": where a place is expected */
    bool is_sentence_start; /* a capital says little there */
    bool is_month;          /* "in", "of", "last": where May is a month */
    bool is_address;        /* a comma after a number or street: a town follows */
    bool is_label;          /* "Patient: ": also who speaks, in a dialogue */
    bool is_glued;          /* @anna, /anna: part of something else */
    bool is_foreign;        /* words of another language before it: nouns have capitals there */
    bool is_article;        /* "a robin", "the sun": a thing */
    bool is_owned;          /* "my huband": a relation or a thing rather than a name */
    bool is_citing;         /* "(": where a source is named */
};

struct name_left name_left_read(const struct reading *reading);

/* True if the table is in order, as look-ups need it; for a test. */
bool name_left_is_sorted(void);
