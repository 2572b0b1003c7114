/* support_spool.h - a real audit log in a directory of its own, on a disk that a test can hold and
 * break: fdatasync of the whole program goes through here. Only for tests. */
#pragma once
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>

#include "audit/audit.h"
#include "server/waker.h"

struct spool {
    char directory[64];
    struct waker waker;
    struct audit *audit;
    unsigned readings;
};

/* False: it failed, and said why on stderr. */
bool spool_open(struct spool *spool, bool keeps_in_memory, uint64_t queue_bytes);
void spool_close(struct spool *spool); /* and removes its files */

extern pthread_mutex_t spool_gate; /* a test that holds it holds every fdatasync */
extern _Atomic bool spool_fails;   /* each fdatasync answers EIO */

/* Every record of the log as an array of JSON objects, once all that was appended is on the disk:
 * up to a record audit.read of its own. The caller's to decref. */
json_t *spool_records(struct spool *spool);

/* Those of them whose event and request_id are these; NULL: any. */
size_t spool_count(const json_t *records, const char *event, const char *request_id);
const json_t *spool_find(const json_t *records, const char *event, const char *request_id);
const char *spool_text(const json_t *record, const char *field); /* "": absent */
int64_t spool_number(const json_t *record, const char *field);   /* -1: absent */
