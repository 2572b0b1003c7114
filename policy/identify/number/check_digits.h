/* check_digits.h - the arithmetic and shapes by which issued numbers are known. Pure functions over
 * folded text (lower-case letters and digits, no separators) with its length. Sources: ISO/IEC 7812
 * (Luhn, card ranges), ISO 13616 and its registry (IBAN), 45 CFR 162.406 (NPI), 21 CFR 1301 and the
 * DEA's registrant numbers, CMS (MBI format), ABA routing numbers, 49 CFR 565 (VIN), 3GPP TS 23.003
 * (IMEI), SSA (areas after 2011), IRS (ITIN groups), NHS data dictionary, RFC 4122. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool check_digits_are_digits(const char *text, size_t length);
bool check_digits_luhn(const char *digits, size_t length);
bool check_digits_card(const char *digits, size_t length); /* a brand's range, length and Luhn */
bool check_digits_ssn(const char *digits, size_t length);  /* could have been issued */
bool check_digits_itin(const char *digits, size_t length);
bool check_digits_routing(const char *digits, size_t length);
bool check_digits_npi(const char *digits, size_t length);
bool check_digits_imei(const char *digits, size_t length);
bool check_digits_nhs(const char *digits, size_t length); /* ten digits, modulo 11 */
bool check_digits_dea(const char *text, size_t length);
bool check_digits_mbi(const char *text, size_t length);
bool check_digits_vin_shape(const char *text, size_t length); /* 17, without i, o, q */
bool check_digits_vin(const char *text, size_t length);       /* and its check digit */
bool check_digits_iban(const char *text, size_t length);

/* How long an IBAN is that begins with these two letters; 0: no such country. */
size_t check_digits_iban_length(const char *text, size_t length);
