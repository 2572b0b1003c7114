/* names.h - the names of one template as small numbers, so that a lookup compares numbers. */
#pragma once
#include "model/template/value/text.h"

/* Ids that every template has, in this order. */
enum { NAME_LOOP, NAME_CALLER, NAME_VARARGS, NAME_KWARGS, NAME_BUILTIN_COUNT };
enum { NAMES_MAX = 1024, NAMES_BUCKETS = 2048 };

struct names {
    const struct text *texts[NAMES_MAX];
    uint16_t buckets[NAMES_BUCKETS]; /* id + 1; 0: empty */
    uint32_t count;
};

struct names *names_create(struct work *work);
uint32_t names_add(struct work *work, struct names *names, const struct text *name);
/* The id of a name, or NAMES_MAX when the template does not use it. */
uint32_t names_find(const struct names *names, const char *bytes, size_t length);
