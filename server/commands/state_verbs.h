/* state_verbs.h - commands with verbs over the state directory: `ward tenant add`, `ward key
 * rotate`. A verb is a row; it gets the open store and its one word, if it takes one. */
#pragma once
#include "auth/auth.h"
#include "server/commands/options.h"

struct state_verb {
    const char *name;
    const char *usage, *summary; /* as in struct options */
    const struct option_row *rows;
    size_t row_count;
    const char *word; /* "NAME": must be given; NULL: takes none */
    enum status (*run)(struct auth *auth, const char *word, struct failure *failure);
};

/* For a verb's table: rows with their count, and the row of --state-dir, which every verb has. */
#define STATE_VERB_ROWS(table) (table), sizeof(table) / sizeof(table)[0]
#define STATE_VERB_DIRECTORY                                                                     \
    {                                                                                            \
        .name = "state-dir", .kind = OPTION_TEXT, .out = &state_verbs_directory, .value = "DIR", \
        .help = "where tenants and keys live; default: WARD_STATE_DIR, XDG"                      \
    }

extern const char *state_verbs_directory; /* as --state-dir says */

/* argv[0] is the command's name. Returns the exit code. */
int state_verbs_main(const struct state_verb *verbs, size_t count, int argc, char **argv);
