#include "policy/identify/number/check_digits.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'a' && c <= 'z';
}

static unsigned digit(char c)
{
    return (unsigned)(c - '0');
}

/* The number that digits first .. first + length - 1 spell; at most nine of them. */
static unsigned number(const char *digits, size_t first, size_t length)
{
    unsigned value = 0;
    for (size_t i = first; i < first + length; i++) {
        value = value * 10 + digit(digits[i]);
    }
    return value;
}

bool check_digits_are_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i])) {
            return false;
        }
    }
    return length > 0;
}

static unsigned luhn_sum(const char *digits, size_t length)
{
    unsigned sum = 0;
    for (size_t i = 0; i < length; i++) {
        const unsigned value = digit(digits[length - 1 - i]);
        const unsigned doubled = value * 2 > 9 ? value * 2 - 9 : value * 2;
        sum += i % 2 == 1 ? doubled : value;
    }
    return sum;
}

bool check_digits_luhn(const char *digits, size_t length)
{
    return check_digits_are_digits(digits, length) && luhn_sum(digits, length) % 10 == 0;
}

/* Ranges of the first four digits. */
static const struct {
    uint16_t first, last;
    uint8_t length_min, length_max;
} brands[] = {
    {1800, 1800, 15, 15},                                             /* JCB, old */
    {2131, 2131, 15, 15}, {2200, 2204, 16, 19},                       /* Mir */
    {2221, 2720, 16, 16},                                             /* Mastercard */
    {3000, 3059, 14, 19},                                             /* Diners */
    {3088, 3094, 16, 19},                                             /* JCB */
    {3095, 3095, 14, 19}, {3400, 3499, 15, 15},                       /* American Express */
    {3528, 3589, 16, 19},                                             /* JCB */
    {3600, 3699, 14, 19},                                             /* Diners */
    {3700, 3799, 15, 15}, {3800, 3999, 14, 19}, {4000, 4999, 13, 19}, /* Visa */
    {5000, 5099, 12, 19},                                             /* Maestro */
    {5100, 5599, 16, 16},                                             /* Mastercard */
    {5600, 5999, 12, 19},                                             /* Maestro */
    {6000, 6999, 12, 19}, /* Discover, UnionPay, RuPay, Maestro */
    {8100, 8171, 16, 19}, /* UnionPay */
    {9792, 9792, 16, 16}, /* Troy */
};

bool check_digits_card(const char *digits, size_t length)
{
    if (length < 12 || length > 19 || !check_digits_luhn(digits, length)) {
        return false;
    }
    const unsigned start = number(digits, 0, 4);
    for (size_t i = 0; i < sizeof brands / sizeof brands[0]; i++) {
        if (start >= brands[i].first && start <= brands[i].last && length >= brands[i].length_min
            && length <= brands[i].length_max) {
            return true;
        }
    }
    return false;
}

bool check_digits_ssn(const char *digits, size_t length)
{
    if (length != 9 || !check_digits_are_digits(digits, length)) {
        return false;
    }
    const unsigned area = number(digits, 0, 3);
    return area != 0 && area != 666 && area < 900 && number(digits, 3, 2) != 0
           && number(digits, 5, 4) != 0;
}

bool check_digits_itin(const char *digits, size_t length)
{
    if (length != 9 || !check_digits_are_digits(digits, length) || digits[0] != '9') {
        return false;
    }
    const unsigned group = number(digits, 3, 2);
    return (group >= 50 && group <= 65) || (group >= 70 && group <= 88)
           || (group >= 90 && group <= 99 && group != 93);
}

bool check_digits_routing(const char *digits, size_t length)
{
    static const unsigned weights[] = {3, 7, 1};
    if (length != 9 || !check_digits_are_digits(digits, length)) {
        return false;
    }
    const unsigned bank = number(digits, 0, 2);
    if (!(bank <= 12 || (bank >= 21 && bank <= 32) || (bank >= 61 && bank <= 72) || bank == 80)) {
        return false;
    }
    unsigned sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += digit(digits[i]) * weights[i % 3];
    }
    return sum > 0 && sum % 10 == 0;
}

bool check_digits_npi(const char *digits, size_t length)
{
    enum { PREFIX_SUM = 24 }; /* what 80840 adds in front of ten digits */
    return length == 10 && check_digits_are_digits(digits, length)
           && (digits[0] == '1' || digits[0] == '2')
           && (luhn_sum(digits, length) + PREFIX_SUM) % 10 == 0;
}

bool check_digits_imei(const char *digits, size_t length)
{
    return length == 15 && check_digits_luhn(digits, length) && number(digits, 0, 2) > 0;
}

bool check_digits_nhs(const char *digits, size_t length)
{
    if (length != 10 || !check_digits_are_digits(digits, length)) {
        return false;
    }
    unsigned sum = 0;
    for (size_t i = 0; i < 9; i++) {
        sum += digit(digits[i]) * (unsigned)(10 - i);
    }
    const unsigned check = 11 - sum % 11;
    return check != 10 && check % 11 == digit(digits[9]);
}

bool check_digits_dea(const char *text, size_t length)
{
    if (length != 9 || !is_letter(text[0]) || !(is_letter(text[1]) || text[1] == '9')
        || !check_digits_are_digits(text + 2, 7)) {
        return false;
    }
    const char *digits = text + 2;
    const unsigned odd = digit(digits[0]) + digit(digits[2]) + digit(digits[4]);
    const unsigned even = digit(digits[1]) + digit(digits[3]) + digit(digits[5]);
    return (odd + 2 * even) % 10 == digit(digits[6]);
}

bool check_digits_mbi(const char *text, size_t length)
{
    static const char shape[] = "9axnaxnaann"; /* 9: not zero, a: letter, x: either, n: digit */
    if (length != sizeof shape - 1 || text[0] == '0') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const bool is_mbi_letter = is_letter(text[i]) && !strchr("sloibz", text[i]);
        const bool fits = shape[i] == 'a'   ? is_mbi_letter
                          : shape[i] == 'x' ? is_mbi_letter || is_digit(text[i])
                                            : is_digit(text[i]);
        if (!fits) {
            return false;
        }
    }
    return true;
}

bool check_digits_vin_shape(const char *text, size_t length)
{
    size_t digits = 0;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]) && (!is_letter(text[i]) || strchr("ioq", text[i]))) {
            return false;
        }
        digits += is_digit(text[i]);
    }
    return length == 17 && digits > 1 && digits < 17;
}

bool check_digits_vin(const char *text, size_t length)
{
    /*                                     a b c d e f g h i j k l m n o p q r s t u v w x y z */
    static const uint8_t letter_values[] = {1, 2, 3, 4, 5, 6, 7, 8, 0, 1, 2, 3, 4,
                                            5, 0, 7, 0, 9, 2, 3, 4, 5, 6, 7, 8, 9};
    static const uint8_t weights[] = {8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2};
    if (!check_digits_vin_shape(text, length)) {
        return false;
    }
    unsigned sum = 0;
    for (size_t i = 0; i < length; i++) {
        sum += weights[i] * (is_digit(text[i]) ? digit(text[i]) : letter_values[text[i] - 'a']);
    }
    const char check = (char)(sum % 11 == 10 ? 'x' : '0' + (int)(sum % 11));
    return text[8] == check;
}

/* Country and length, of the SWIFT registry. */
static const struct {
    char country[3];
    uint8_t length;
} ibans[] = {
    {"ad", 24}, {"ae", 23}, {"al", 28}, {"at", 20}, {"az", 28}, {"ba", 20}, {"be", 16}, {"bg", 22},
    {"bh", 22}, {"bi", 27}, {"br", 29}, {"by", 28}, {"ch", 21}, {"cr", 22}, {"cy", 28}, {"cz", 24},
    {"de", 22}, {"dj", 27}, {"dk", 18}, {"do", 28}, {"ee", 20}, {"eg", 29}, {"es", 24}, {"fi", 18},
    {"fk", 18}, {"fo", 18}, {"fr", 27}, {"gb", 22}, {"ge", 22}, {"gi", 23}, {"gl", 18}, {"gr", 27},
    {"gt", 28}, {"hr", 21}, {"hu", 28}, {"ie", 22}, {"il", 23}, {"iq", 23}, {"is", 26}, {"it", 27},
    {"jo", 30}, {"kw", 30}, {"kz", 20}, {"lb", 28}, {"lc", 32}, {"li", 21}, {"lt", 20}, {"lu", 20},
    {"lv", 21}, {"ly", 25}, {"mc", 27}, {"md", 24}, {"me", 22}, {"mk", 19}, {"mn", 20}, {"mr", 27},
    {"mt", 31}, {"mu", 30}, {"ni", 28}, {"nl", 18}, {"no", 15}, {"om", 23}, {"pk", 24}, {"pl", 28},
    {"ps", 29}, {"pt", 25}, {"qa", 29}, {"ro", 24}, {"rs", 22}, {"ru", 33}, {"sa", 24}, {"sc", 31},
    {"sd", 18}, {"se", 24}, {"si", 19}, {"sk", 24}, {"sm", 27}, {"so", 23}, {"st", 25}, {"sv", 28},
    {"tl", 23}, {"tn", 24}, {"tr", 26}, {"ua", 29}, {"va", 22}, {"vg", 24}, {"xk", 20}, {"ye", 30},
};

size_t check_digits_iban_length(const char *text, size_t length)
{
    for (size_t i = 0; length >= 2 && i < sizeof ibans / sizeof ibans[0]; i++) {
        if (memcmp(text, ibans[i].country, 2) == 0) {
            return ibans[i].length;
        }
    }
    return 0;
}

bool check_digits_iban(const char *text, size_t length)
{
    if (length == 0 || check_digits_iban_length(text, length) != length
        || !check_digits_are_digits(text + 2, 2)) {
        return false;
    }
    unsigned remainder = 0;
    for (size_t i = 0; i < length; i++) {
        const char c = text[(i + 4) % length];
        if (is_digit(c)) {
            remainder = (remainder * 10 + digit(c)) % 97;
        } else if (is_letter(c)) {
            remainder = (remainder * 100 + (unsigned)(c - 'a') + 10) % 97;
        } else {
            return false;
        }
    }
    return remainder == 1;
}
