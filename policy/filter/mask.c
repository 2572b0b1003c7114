#include "policy/filter/mask.h"

#include "policy/identify/zip_prefix.h"

enum {
    YEAR_DIGITS = 4,
    YEAR_MIN = 1940, /* who was born earlier may be over 89: raise it as time goes */
    YEAR_MAX = 2099,
    ZIP_DIGITS = 5,
    ZIP_PREFIX = 3
};

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* The only year in the text; 0: none, or several. */
static uint32_t read_year(const char *text, size_t length)
{
    uint32_t found = 0;
    for (size_t at = 0, digits = 0, value = 0; at <= length; at++) {
        if (at < length && is_digit(text[at])) {
            value = digits < YEAR_DIGITS ? 10 * value + (size_t)(text[at] - '0') : value;
            digits++;
            continue;
        }
        if (digits == YEAR_DIGITS) {
            if (value < YEAR_MIN || value > YEAR_MAX || found != 0) {
                return 0;
            }
            found = (uint32_t)value;
        }
        digits = value = 0;
    }
    return found;
}

/* The first digits of a postal code of five and more; false: it is none of digits. */
static bool read_zip(const char *text, size_t length, char out[ZIP_PREFIX + 1])
{
    size_t digits = 0;
    for (size_t at = 0; at < length; at++) {
        if (is_digit(text[at])) {
            if (digits < ZIP_PREFIX) {
                out[digits] = text[at];
            }
            digits++;
        } else if (digits > 0 && digits < ZIP_DIGITS) {
            return false;
        }
    }
    out[ZIP_PREFIX] = '\0';
    return digits >= ZIP_DIGITS;
}

enum status mask_append_kind(enum policy_kind kind, struct buffer *out)
{
    return buffer_format(out, "[%s]", policy_kind_name(kind));
}

enum status mask_append_number(enum policy_kind kind, uint32_t number, struct buffer *out)
{
    return buffer_format(out, "[%s_%u]", policy_kind_name(kind), number);
}

enum status mask_append(const struct rules *rules, const struct scan_piece *finding,
                        struct buffer *out)
{
    char prefix[ZIP_PREFIX + 1];
    if (finding->kind == POLICY_DATE && rules->keeps_year) {
        const uint32_t year = read_year(finding->raw, finding->raw_bytes);
        if (year != 0) {
            return buffer_format(out, "[DATE %u]", year);
        }
    }
    if (finding->kind == POLICY_ZIP && rules->keeps_zip3
        && read_zip(finding->raw, finding->raw_bytes, prefix)) {
        return buffer_format(out, "[ZIP %s]", zip_is_sparse(prefix) ? "000" : prefix);
    }
    return mask_append_kind(finding->kind, out);
}

bool mask_is_needed(const char *raw, size_t raw_bytes)
{
    for (size_t i = 0; i < raw_bytes; i++) {
        const char byte = raw[i];
        if (is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z')
            || (unsigned char)byte >= 0x80) {
            return true;
        }
    }
    return false;
}
