/* audit_verbs.h - the verbs of `ward audit`: a file each, listed in audit_command.c. */
#pragma once
#include "server/commands/verbs.h"

extern const struct verb verb_checkpoint, verb_digest, verb_export, verb_report, verb_tail,
    verb_verify;

/* Finds the state directory. STATUS_NOT_FOUND: no audit log is in it; nothing is made. */
MUST_CHECK enum status audit_verbs_find(struct state *out, struct failure *failure);
