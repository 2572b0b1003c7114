/* redis_key.h - names of keys under a prefix, and ids of stream entries. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/ids.h"

enum {
    REDIS_PREFIX_BYTES = 64,
    REDIS_KEY_BYTES = 192, /* prefix, colon, name of a tenant */
    REDIS_ID_BYTES = 48,
};

/* 1 to 63 letters, digits and ":_.-". */
bool redis_key_is_prefix(const char *prefix);

/* Each returns the length. */
size_t redis_key_owner(const char *prefix, char out[REDIS_KEY_BYTES]);
size_t redis_key_chain(const char *prefix, char out[REDIS_KEY_BYTES]);
size_t redis_key_erased(const char *prefix, char out[REDIS_KEY_BYTES]);
size_t redis_key_view(const char *prefix, const char *tenant_name, char out[REDIS_KEY_BYTES]);

/* "<high>-<low>": the id of a stream's entry. */
size_t redis_key_id(uint64_t high, uint64_t low, char out[REDIS_ID_BYTES]);
/* False: no such id. */
bool redis_key_read_id(const char *text, size_t length, uint64_t *high, uint64_t *low);
