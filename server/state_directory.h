/* state_directory.h - where tenants, keys and demo certificates live, the same for every command.
 */
#pragma once
#include "base/failure.h"

enum { STATE_DIRECTORY_BYTES = 1024 };

/* configured (may be NULL or ""), else WARD_STATE_DIR, else $XDG_STATE_HOME/ward, else
 * ~/.local/state/ward, else /var/lib/ward. Does not make it. STATUS_INVALID: too long. */
MUST_CHECK enum status state_directory_find(const char *configured, char out[STATE_DIRECTORY_BYTES],
                                            struct failure *failure);

/* The audit log in it. STATUS_INVALID: too long. */
MUST_CHECK enum status state_directory_audit(const char *state, char out[STATE_DIRECTORY_BYTES],
                                             struct failure *failure);
