/* key_text.h - the form of a key: ward_<live|test>_<16 hex: id>_<64 hex: secret>. The id is public
 * and finds the record; only the whole text is proof. Pure functions. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "auth/auth.h"

struct key_text {
    char environment[5]; /* "live" or "test" */
    char id[AUTH_KEY_ID_BYTES];
};

/* False unless text[0 .. length) is exactly a key in lower case. */
bool key_text_parse(const char *text, size_t length, struct key_text *out);

bool key_text_is_environment(const char *text);

/* A new random id, and the text of a key with a new random secret. libsodium must be ready. */
void key_text_new_id(char out[AUTH_KEY_ID_BYTES]);
void key_text_new(const char *environment, const char *id, char out[AUTH_KEY_TEXT_BYTES]);
