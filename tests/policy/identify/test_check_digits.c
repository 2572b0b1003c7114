/* Method: one row per rule with a published example or one computed by hand, and next to it the
 * same value with one character changed; then every one-digit change of a value must be refused by
 * the schemes that promise it (Luhn, IBAN, ABA, modulo 11). */
#include "policy/identify/number/check_digits.h"

#include <string.h>

#include "tests/check.h"

typedef bool (*validator)(const char *text, size_t length);

static const struct {
    validator is_valid;
    const char *text;
    bool want;
} cases[] = {
    {check_digits_luhn, "79927398713", true},
    {check_digits_luhn, "79927398710", false},
    {check_digits_luhn, "", false},
    {check_digits_luhn, "7992739871a", false},
    {check_digits_card, "4111111111111111", true},
    {check_digits_card, "4111111111111112", false},
    {check_digits_card, "378282246310005", true},
    {check_digits_card, "30569309025904", true},
    {check_digits_card, "5555555555554444", true},
    {check_digits_card, "2223003122003222", true},
    {check_digits_card, "2721000000000004", false},
    {check_digits_card, "6011111111111117", true},
    {check_digits_card, "3530111333300000", true},
    {check_digits_card, "0000000000000000", false},
    {check_digits_card, "18", false},
    {check_digits_ssn, "123456789", true},
    {check_digits_ssn, "000456789", false},
    {check_digits_ssn, "666456789", false},
    {check_digits_ssn, "900456789", false},
    {check_digits_ssn, "123006789", false},
    {check_digits_ssn, "123450000", false},
    {check_digits_ssn, "12345678", false},
    {check_digits_itin, "900501234", true},
    {check_digits_itin, "900651234", true},
    {check_digits_itin, "900661234", false},
    {check_digits_itin, "900891234", false},
    {check_digits_itin, "900931234", false},
    {check_digits_itin, "900941234", true},
    {check_digits_itin, "800501234", false},
    {check_digits_routing, "021000021", true},
    {check_digits_routing, "021000022", false},
    {check_digits_routing, "000000000", false},
    {check_digits_routing, "991000021", false},
    {check_digits_npi, "1234567893", true},
    {check_digits_npi, "1234567890", false},
    {check_digits_npi, "3234567893", false},
    {check_digits_imei, "490154203237518", true},
    {check_digits_imei, "490154203237519", false},
    {check_digits_nhs, "9434765919", true},
    {check_digits_nhs, "9434765918", false},
    {check_digits_dea, "ab1234563", true},
    {check_digits_dea, "ab1234564", false},
    {check_digits_dea, "a91234563", true},
    {check_digits_dea, "1b1234563", false},
    {check_digits_mbi, "1eg4te5mk73", true},
    {check_digits_mbi, "0eg4te5mk73", false},
    {check_digits_mbi, "1sg4te5mk73", false},
    {check_digits_mbi, "1eg4te5mk7", false},
    {check_digits_vin, "1m8gdm9axkp042788", true},
    {check_digits_vin, "1m8gdm9a1kp042788", false},
    {check_digits_vin_shape, "1m8gdm9a1kp042788", true},
    {check_digits_vin_shape, "1m8gdm9o1kp042788", false},
    {check_digits_vin_shape, "11111111111111111", false},
    {check_digits_iban, "gb82west12345698765432", true},
    {check_digits_iban, "gb82west12345698765433", false},
    {check_digits_iban, "de89370400440532013000", true},
    {check_digits_iban, "no9386011117947", true},
    {check_digits_iban, "zz9386011117947", false},
    {check_digits_iban, "", false},
};

static void every_case_has_its_answer(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const bool got = cases[i].is_valid(cases[i].text, strlen(cases[i].text));
        CHECK(got == cases[i].want, "case %zu: %s", i, cases[i].text);
    }
}

static void one_wrong_digit_is_refused(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const validator v = cases[i].is_valid;
        const bool promises = v == check_digits_luhn || v == check_digits_iban
                              || v == check_digits_nhs || v == check_digits_imei
                              || v == check_digits_npi || v == check_digits_routing;
        const size_t length = strlen(cases[i].text);
        for (size_t at = 0; promises && cases[i].want && at < length; at++) {
            char text[64];
            memcpy(text, cases[i].text, length + 1);
            if (text[at] >= '0' && text[at] <= '9') {
                text[at] = (char)(text[at] == '9' ? '0' : text[at] + 1);
                CHECK(!v(text, length), "case %zu with another digit at %zu", i, at);
            }
        }
    }
}

CHECK_MAIN(every_case_has_its_answer, one_wrong_digit_is_refused)
