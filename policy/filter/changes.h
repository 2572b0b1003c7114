/* changes.h - which bytes of a text were changed on its way: ranges in order, a fixed number of
 * them; what is forgotten counts as changed. A plain value; start from {0}. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { CHANGES_MAX = 512 };

struct changes {
    struct {
        uint64_t start, end;
    } ranges[CHANGES_MAX]; /* a ring */
    uint32_t first, count;
    uint64_t forgotten; /* below it nothing is known any more */
};

/* In order: start is not below an earlier end. */
void changes_add(struct changes *changes, uint64_t start, uint64_t end);
bool changes_has(const struct changes *changes, uint64_t start, uint64_t end);
