/* audit_command.c - `ward audit`: what a privacy officer runs. */
#include "audit/spool/directory.h"
#include "server/commands/audit/audit_verbs.h"
#include "server/commands/commands.h"

enum status audit_verbs_find(struct state *out, struct failure *failure)
{
    uint8_t key[CHECKPOINT_KEY_BYTES];
    const enum status status = state_find(out, failure);
    return status == STATUS_OK ? directory_read_public_key(out->audit_directory, key, failure)
                               : status;
}

int audit_main(int argc, char **argv)
{
    const struct verb verbs[] = {verb_verify, verb_tail, verb_export, verb_digest, verb_checkpoint};
    return verbs_main(verbs, sizeof verbs / sizeof verbs[0], argc, argv);
}
