/* redis_reader.h - reads the copy back: frames of PREFIX:@chain in order, and views. For verify. */
#pragma once
#include "audit/chain/frame.h"
#include "audit/redis/redis_link.h"

struct redis_reader;

/* STATUS_NOT_FOUND: nothing under that prefix. */
MUST_CHECK enum status redis_reader_open(const struct redis_terms *terms, const char *prefix,
                                         struct redis_reader **out, struct failure *failure);
void redis_reader_close(struct redis_reader *reader); /* NULL is fine */

/* As spool_reader_next, without snapshots; *sequence is what the id of the entry says. */
MUST_CHECK enum status redis_reader_next(struct redis_reader *reader, struct frame *out,
                                         uint64_t *sequence, struct failure *failure);

/* The body of a view's entry. STATUS_NOT_FOUND: it is not there. Views live until the next call. */
MUST_CHECK enum status redis_reader_view(struct redis_reader *reader, const char *tenant_name,
                                         struct tenant_id tenant, uint64_t number,
                                         const uint8_t **body, size_t *length,
                                         struct failure *failure);
/* The owner of the prefix, 64 hexadecimal digits. */
const char *redis_reader_owner(const struct redis_reader *reader);
