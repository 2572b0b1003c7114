#include "auth/key_text.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

enum { ID_DIGITS = AUTH_KEY_ID_BYTES - 1, SECRET_BYTES = 32, SECRET_DIGITS = 2 * SECRET_BYTES };

static const char prefix[] = "ward_";
enum {
    PREFIX_BYTES = sizeof prefix - 1,
    ENVIRONMENT_BYTES = 4,
    ID_START = PREFIX_BYTES + ENVIRONMENT_BYTES + 1,
    SECRET_START = ID_START + ID_DIGITS + 1,
    TEXT_BYTES = SECRET_START + SECRET_DIGITS,
};
_Static_assert(TEXT_BYTES < (int)AUTH_KEY_TEXT_BYTES, "a key and its NUL fit");

static bool are_hex_digits(const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const bool is_digit = text[i] >= '0' && text[i] <= '9';
        const bool is_letter = text[i] >= 'a' && text[i] <= 'f';
        if (!is_digit && !is_letter) {
            return false;
        }
    }
    return true;
}

bool key_text_is_environment(const char *text)
{
    return strcmp(text, "live") == 0 || strcmp(text, "test") == 0;
}

bool key_text_parse(const char *text, size_t length, struct key_text *out)
{
    if (length != TEXT_BYTES || memcmp(text, prefix, PREFIX_BYTES) != 0 || text[ID_START - 1] != '_'
        || text[SECRET_START - 1] != '_' || !are_hex_digits(text + ID_START, ID_DIGITS)
        || !are_hex_digits(text + SECRET_START, SECRET_DIGITS)) {
        return false;
    }
    *out = (struct key_text){.id = ""};
    memcpy(out->environment, text + PREFIX_BYTES, ENVIRONMENT_BYTES);
    memcpy(out->id, text + ID_START, ID_DIGITS);
    return key_text_is_environment(out->environment);
}

void key_text_new_id(char out[AUTH_KEY_ID_BYTES])
{
    unsigned char bytes[ID_DIGITS / 2];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2hex(out, AUTH_KEY_ID_BYTES, bytes, sizeof bytes);
}

void key_text_new(const char *environment, const char *id, char out[AUTH_KEY_TEXT_BYTES])
{
    unsigned char secret[SECRET_BYTES];
    char digits[SECRET_DIGITS + 1];
    randombytes_buf(secret, sizeof secret);
    sodium_bin2hex(digits, sizeof digits, secret, sizeof secret);
    const int length =
        snprintf(out, AUTH_KEY_TEXT_BYTES, "%s%s_%s_%s", prefix, environment, id, digits);
    ASSERT(length == TEXT_BYTES);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(digits, sizeof digits);
}
