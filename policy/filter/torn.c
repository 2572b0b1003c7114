#include "policy/filter/torn.h"

#include <stdbool.h>

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_in(char byte, const char *others)
{
    for (; *others != '\0'; others++) {
        if (byte == *others) {
            return true;
        }
    }
    return false;
}

static bool is_of_a_number(char byte)
{
    return is_digit(byte) || is_in(byte, " -.()+");
}

static bool is_of_an_address(char byte)
{
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
           || is_in(byte, "@._%+-");
}

/* The address as far as it stands there; the sign is what tells it from a word. */
static size_t address_bytes(const char *text, size_t length)
{
    bool has_sign = false;
    size_t bytes = 0;
    for (; bytes < length && is_of_an_address(text[length - bytes - 1]); bytes++) {
        has_sign = has_sign || text[length - bytes - 1] == '@';
    }
    return has_sign ? bytes : 0;
}

/* From its first digit on. */
static size_t number_bytes(const char *text, size_t length)
{
    size_t bytes = 0, digits = 0;
    for (size_t i = 0; i < length && is_of_a_number(text[length - i - 1]); i++) {
        if (is_digit(text[length - i - 1])) {
            digits++;
            bytes = i + 1;
        }
    }
    return digits >= TORN_DIGITS_MIN ? bytes : 0;
}

size_t torn_bytes(const char *text, size_t length, enum policy_kind *kind)
{
    const size_t address = address_bytes(text, length);
    *kind = address > 0 ? POLICY_EMAIL : POLICY_CODE;
    return address > 0 ? address : number_bytes(text, length);
}
