/* state.h - the state directory for commands: where it is, the audit log in it, tenants and keys.
 * Every verb over it has the row of --state-dir. Main thread. */
#pragma once
#include "auth/auth.h"
#include "server/state_directory.h"

struct state {
    char directory[STATE_DIRECTORY_BYTES];
    char audit_directory[STATE_DIRECTORY_BYTES];
    struct auth *auth; /* NULL: only found, not opened */
};

extern const char *state_given; /* as --state-dir says; NULL: by the environment */
#define STATE_ROW                                                                      \
    {                                                                                  \
        .name = "state-dir", .kind = OPTION_TEXT, .out = &state_given, .value = "DIR", \
        .help = "where tenants, keys and records live; default: WARD_STATE_DIR, XDG"   \
    }

/* The paths alone; nothing is made. *out is ready for state_close in any case. */
MUST_CHECK enum status state_find(struct state *out, struct failure *failure);
/* And tenants and keys, made when missing. */
MUST_CHECK enum status state_open(struct state *out, struct failure *failure);
void state_close(struct state *state);
