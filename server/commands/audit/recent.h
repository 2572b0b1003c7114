/* recent.h - the last records that fit a query: looks back through a window that grows until it
 * holds enough of them, so that the end of a large spool is found without reading it all. */
#pragma once
#include "audit/examine/query.h"

enum { RECENT_MAX = 100000 };

/* Checkpoints come every second, so they are shown to who asks for them. */
bool recent_wants(const struct query *query, const struct record *record);

/* Sets query->after_sequence so that `count` wanted records follow, or all that there are. */
MUST_CHECK enum status recent_find(const char *directory, struct query *query, uint32_t count,
                                   struct failure *failure);
