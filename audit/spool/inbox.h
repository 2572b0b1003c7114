/* inbox.h - records of processes that are not the writer (`ward tenant`, `ward key`, `ward audit
 * export`): a file each, written and synced before the act, finished after it, taken into the chain
 * by the server within a second, or at its next start. An intent that was never finished is
 * recorded with outcome "unknown" after a minute. */
#pragma once
#include "audit/spool/writer.h"

enum { INBOX_NAME_BYTES = 64 };

struct inbox_intent {
    char name[INBOX_NAME_BYTES]; /* "": none */
};

/* Before the act. The draft has no outcome field yet. Makes the directories that are missing. */
MUST_CHECK enum status inbox_begin(const char *directory, const struct record_draft *draft,
                                   struct inbox_intent *out, struct failure *failure);
/* After it; outcome "done" or "failed" is added. subject (NULL: as drafted) is what was only known
 * afterwards, e.g. the new key's id. */
void inbox_finish(const char *directory, const struct inbox_intent *intent, bool is_done,
                  const char *subject);

/* The server: appends what has been finished, each removed once it is durable, so that a crash may
 * repeat but not lose one; a repeated one is known by its name in `reason`, which begins with when
 * the act began (UTC). Call about each second, from one thread. Returns how many were appended.
 * Malformed files are renamed to *.bad and logged. While the writer fails nothing is taken. */
uint32_t inbox_collect(const char *directory, struct writer *writer);
