/* verbs.h - commands with verbs: `ward tenant add`, `ward key rotate`, `ward audit verify`. A verb
 * is a row: its options, its one word if it takes one, and what it does. */
#pragma once
#include "server/commands/options.h"
#include "server/commands/support/state.h"

struct verb {
    const char *name;
    const char *usage, *summary; /* as in struct options */
    const struct option_row *rows;
    size_t row_count;
    const char *word; /* "NAME": must be given; NULL: takes none */
    /* What options alone cannot say, before anything is opened: OPTIONS_READY, or the exit code
     * after options_wrong. NULL: nothing. */
    int (*check)(void);
    /* One of these three. With the tenants and keys of the state directory open: */
    enum status (*run_on_state)(struct state *state, const char *word, struct failure *failure);
    /* By itself; returns the exit code, after an error's line. */
    int (*run)(const char *word);
    int (*run_words)(int count, char **words); /* likewise, with one word and more */
};

/* For a verb's table: rows with their count. */
#define VERB_ROWS(table) .rows = (table), .row_count = sizeof(table) / sizeof(table)[0]

/* argv[0] is the command's name; guide: lines for its help on how the verbs go together, or NULL.
 * Returns the exit code. */
int verbs_main(const struct verb *verbs, size_t count, const char *guide, int argc, char **argv);
