/* request_query.h - reads the query of a request target, `name=value` joined by `&`: percent
 * escapes are decoded, `+` stays what it is. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The value of that name, NUL-terminated. STATUS_NOT_FOUND. STATUS_INVALID: there is more than one,
 * an escape is broken, a byte is a control character, or it does not fit into out. */
MUST_CHECK enum status request_query_find(const char *query, size_t length, const char *name,
                                          char *out, size_t out_bytes);

/* True when every parameter has one of the names (the last is NULL), spelt plainly. */
bool request_query_is_known(const char *query, size_t length, const char *const *names);
