/* Sources of the terms: forms of US payers, clinics and states, and their British spellings. */
#include "policy/identify/number/record_labels.h"

#include <string.h>

#include "policy/text/word_hash.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* Pairs come first, as the longer label says more. */
static const struct record_label labels[] = {
    {"cross", "blue", POLICY_HPB, 2, true, false},
    {"shield", "blue", POLICY_HPB, 2, true, false},
    {"bar", "state", POLICY_LIC, 1, true, false},
    {"card", "health", POLICY_HPB, 1, true, false},
    {"card", "medicare", POLICY_HPB, 1, true, false},
    {"card", "insurance", POLICY_HPB, 1, true, false},
    {"ohip", NULL, POLICY_HPB, 2, true, false},
    {"phn", NULL, POLICY_HPB, 2, true, false},
    {"ramq", NULL, POLICY_HPB, 2, true, false},
    {"ehic", NULL, POLICY_HPB, 2, true, false},
    {"nhi", NULL, POLICY_MRN, 2, true, false},
    {"pt", NULL, POLICY_MRN, 1, false, false},
    {"har", NULL, POLICY_MRN, 1, false, false},
    {"bill", NULL, POLICY_ACCT, 1, false, false},
    {"pnr", NULL, POLICY_CODE, 1, false, false},
    {"locator", NULL, POLICY_CODE, 1, false, false},
    {"id", "tax", POLICY_SSN, 2, true, false},
    {"number", "tax", POLICY_SSN, 2, true, false},
    {"number", "insurance", POLICY_HPB, 2, true, false},
    {"number", "security", POLICY_SSN, 3, true, false},
    {"security", "social", POLICY_SSN, 3, true, false},
    {"c", "a", POLICY_ACCT, 1, true, false},
    {"ssn", NULL, POLICY_SSN, 4, true, false},
    {"social", NULL, POLICY_SSN, 1, true, false},
    {"itin", NULL, POLICY_SSN, 3, true, false},
    {"ein", NULL, POLICY_SSN, 2, true, false},
    {"nino", NULL, POLICY_SSN, 2, true, false},
    {"taxpayer", NULL, POLICY_SSN, 2, true, false},
    {"license", "drivers", POLICY_LIC, 2, true, false},
    {"licence", "drivers", POLICY_LIC, 2, true, false},
    {"license", "driver", POLICY_LIC, 2, true, false},
    {"licence", "driver", POLICY_LIC, 2, true, false},
    {"id", "state", POLICY_LIC, 2, true, false},
    {"license", "s", POLICY_LIC, 2, true, false},
    {"licence", "s", POLICY_LIC, 2, true, false},
    {"card", "green", POLICY_LIC, 2, true, false},
    {"plate", "license", POLICY_VEH, 4, true, false},
    {"plate", "licence", POLICY_VEH, 4, true, false},
    {"plate", "number", POLICY_VEH, 4, true, false},
    {"registration", "vehicle", POLICY_VEH, 4, true, false},
    {"registration", "car", POLICY_VEH, 4, true, false},
    {"address", "mac", POLICY_DEV, 1, false, false},
    {"id", "device", POLICY_DEV, 1, false, false},
    {"number", "device", POLICY_DEV, 1, false, false},
    {"record", "medical", POLICY_MRN, 3, true, false},
    {"id", "patient", POLICY_MRN, 3, true, false},
    {"number", "patient", POLICY_MRN, 3, true, false},
    {"identifier", "patient", POLICY_MRN, 3, true, false},
    {"number", "hospital", POLICY_MRN, 3, true, false},
    {"number", "unit", POLICY_MRN, 3, true, false},
    {"record", "health", POLICY_MRN, 3, true, false},
    {"id", "order", POLICY_CODE, 1, false, false},
    {"id", "employee", POLICY_CODE, 1, false, false},
    {"id", "student", POLICY_CODE, 1, false, false},
    {"id", "badge", POLICY_CODE, 1, false, false},
    {"id", "case", POLICY_CODE, 1, false, false},
    {"id", "claim", POLICY_CODE, 1, false, false},
    {"id", "study", POLICY_CODE, 1, false, false},
    {"number", "reference", POLICY_CODE, 1, false, false},
    {"mrn", NULL, POLICY_MRN, 4, true, false},
    {"mrns", NULL, POLICY_MRN, 4, true, false},
    {"emrn", NULL, POLICY_MRN, 4, true, false},
    {"medrec", NULL, POLICY_MRN, 4, true, false},
    {"nhs", NULL, POLICY_MRN, 4, true, false},
    {"chart", NULL, POLICY_MRN, 1, false, false},
    {"record", NULL, POLICY_MRN, 1, false, false},
    {"records", NULL, POLICY_MRN, 1, false, false},
    {"patient", NULL, POLICY_MRN, 1, false, false},
    {"emr", NULL, POLICY_MRN, 1, false, false},
    {"ehr", NULL, POLICY_MRN, 1, false, false},
    {"csn", NULL, POLICY_MRN, 1, false, false},
    {"fin", NULL, POLICY_MRN, 1, false, false},
    {"encounter", NULL, POLICY_MRN, 1, false, false},
    {"visit", NULL, POLICY_MRN, 1, false, false},
    {"mr", NULL, POLICY_MRN, 1, true, false},
    {"plate", NULL, POLICY_VEH, 5, true, false},
    {"plates", NULL, POLICY_VEH, 5, true, false},
    {"vin", NULL, POLICY_VEH, 5, true, false},
    {"tag", NULL, POLICY_VEH, 2, false, false},
    {"tags", NULL, POLICY_VEH, 2, false, false},
    {"registration", NULL, POLICY_VEH, 2, false, false},
    {"reg", NULL, POLICY_VEH, 2, false, false},
    {"car", NULL, POLICY_VEH, 6, false, true},
    {"vehicle", NULL, POLICY_VEH, 6, false, true},
    {"truck", NULL, POLICY_VEH, 6, false, true},
    {"van", NULL, POLICY_VEH, 6, false, true},
    {"suv", NULL, POLICY_VEH, 6, false, true},
    {"sedan", NULL, POLICY_VEH, 6, false, true},
    {"motorcycle", NULL, POLICY_VEH, 6, false, true},
    {"honda", NULL, POLICY_VEH, 6, false, true},
    {"toyota", NULL, POLICY_VEH, 6, false, true},
    {"ford", NULL, POLICY_VEH, 6, false, true},
    {"chevy", NULL, POLICY_VEH, 6, false, true},
    {"nissan", NULL, POLICY_VEH, 6, false, true},
    {"jeep", NULL, POLICY_VEH, 6, false, true},
    {"bmw", NULL, POLICY_VEH, 6, false, true},
    {"tesla", NULL, POLICY_VEH, 6, false, true},
    {"subaru", NULL, POLICY_VEH, 6, false, true},
    {"hyundai", NULL, POLICY_VEH, 6, false, true},
    {"kia", NULL, POLICY_VEH, 6, false, true},
    {"mazda", NULL, POLICY_VEH, 6, false, true},
    {"audi", NULL, POLICY_VEH, 6, false, true},
    {"dodge", NULL, POLICY_VEH, 6, false, true},
    {"camry", NULL, POLICY_VEH, 6, false, true},
    {"civic", NULL, POLICY_VEH, 6, false, true},
    {"corolla", NULL, POLICY_VEH, 6, false, true},
    {"prius", NULL, POLICY_VEH, 6, false, true},
    {"parked", NULL, POLICY_VEH, 6, false, true},
    {"drives", NULL, POLICY_VEH, 6, false, true},
    {"driving", NULL, POLICY_VEH, 6, false, true},
    {"drove", NULL, POLICY_VEH, 6, false, true},
    {"mbi", NULL, POLICY_HPB, 3, true, false},
    {"hicn", NULL, POLICY_HPB, 3, true, false},
    {"subscriber", NULL, POLICY_HPB, 3, true, false},
    {"beneficiary", NULL, POLICY_HPB, 3, true, false},
    {"policyholder", NULL, POLICY_HPB, 3, true, false},
    {"medicaid", NULL, POLICY_HPB, 3, true, false},
    {"medicare", NULL, POLICY_HPB, 3, true, false},
    {"rxbin", NULL, POLICY_HPB, 3, true, false},
    {"rxgrp", NULL, POLICY_HPB, 3, true, false},
    {"rxgroup", NULL, POLICY_HPB, 3, true, false},
    {"rxpcn", NULL, POLICY_HPB, 3, true, false},
    {"bcbs", NULL, POLICY_HPB, 3, true, false},
    {"tricare", NULL, POLICY_HPB, 3, true, false},
    {"member", NULL, POLICY_HPB, 2, true, false},
    {"policy", NULL, POLICY_HPB, 2, false, false},
    {"group", NULL, POLICY_HPB, 2, false, false},
    {"grp", NULL, POLICY_HPB, 2, false, false},
    {"insurance", NULL, POLICY_HPB, 2, false, false},
    {"insured", NULL, POLICY_HPB, 2, false, false},
    {"plan", NULL, POLICY_HPB, 2, false, false},
    {"payer", NULL, POLICY_HPB, 2, false, false},
    {"bin", NULL, POLICY_HPB, 2, false, false},
    {"pcn", NULL, POLICY_HPB, 2, false, false},
    {"aetna", NULL, POLICY_HPB, 2, false, false},
    {"cigna", NULL, POLICY_HPB, 2, false, false},
    {"humana", NULL, POLICY_HPB, 2, false, false},
    {"kaiser", NULL, POLICY_HPB, 2, false, false},
    {"anthem", NULL, POLICY_HPB, 2, false, false},
    {"uhc", NULL, POLICY_HPB, 2, false, false},
    {"unitedhealthcare", NULL, POLICY_HPB, 2, false, false},
    {"bluecross", NULL, POLICY_HPB, 2, false, false},
    {"coverage", NULL, POLICY_HPB, 2, false, false},
    {"enrollee", NULL, POLICY_HPB, 2, false, false},
    {"dependent", NULL, POLICY_HPB, 2, false, false},
    {"insurer", NULL, POLICY_HPB, 2, false, false},
    {"membership", NULL, POLICY_HPB, 2, false, false},
    {"cin", NULL, POLICY_HPB, 2, false, false},
    {"acct", NULL, POLICY_ACCT, 2, true, false},
    {"iban", NULL, POLICY_ACCT, 2, true, false},
    {"routing", NULL, POLICY_ACCT, 2, true, false},
    {"aba", NULL, POLICY_ACCT, 2, true, false},
    {"bic", NULL, POLICY_ACCT, 2, true, false},
    {"swift", NULL, POLICY_ACCT, 2, true, false},
    {"account", NULL, POLICY_ACCT, 2, false, false},
    {"accounts", NULL, POLICY_ACCT, 2, false, false},
    {"acc", NULL, POLICY_ACCT, 2, false, false},
    {"checking", NULL, POLICY_ACCT, 2, false, false},
    {"savings", NULL, POLICY_ACCT, 2, false, false},
    {"loan", NULL, POLICY_ACCT, 2, false, false},
    {"guarantor", NULL, POLICY_ACCT, 2, false, false},
    {"billing", NULL, POLICY_ACCT, 2, false, false},
    {"customer", NULL, POLICY_ACCT, 2, false, false},
    {"client", NULL, POLICY_ACCT, 2, false, false},
    {"bsb", NULL, POLICY_ACCT, 2, false, false},
    {"bank", NULL, POLICY_ACCT, 2, false, false},
    {"mortgage", NULL, POLICY_ACCT, 2, false, false},
    {"wallet", NULL, POLICY_ACCT, 2, false, false},
    {"sort", NULL, POLICY_ACCT, 2, false, false},
    {"card", NULL, POLICY_ACCT, 3, false, false},
    {"visa", NULL, POLICY_ACCT, 3, false, false},
    {"mastercard", NULL, POLICY_ACCT, 3, false, false},
    {"amex", NULL, POLICY_ACCT, 3, false, false},
    {"debit", NULL, POLICY_ACCT, 3, false, false},
    {"credit", NULL, POLICY_ACCT, 3, false, false},
    {"npi", NULL, POLICY_LIC, 3, true, false},
    {"dea", NULL, POLICY_LIC, 3, true, false},
    {"passport", NULL, POLICY_LIC, 3, true, false},
    {"lcsw", NULL, POLICY_LIC, 3, true, false},
    {"lmft", NULL, POLICY_LIC, 3, true, false},
    {"lpc", NULL, POLICY_LIC, 3, true, false},
    {"lpcc", NULL, POLICY_LIC, 3, true, false},
    {"lmhc", NULL, POLICY_LIC, 3, true, false},
    {"lcpc", NULL, POLICY_LIC, 3, true, false},
    {"lmsw", NULL, POLICY_LIC, 3, true, false},
    {"mft", NULL, POLICY_LIC, 3, true, false},
    {"psy", NULL, POLICY_LIC, 3, true, false},
    {"license", NULL, POLICY_LIC, 3, true, false},
    {"licence", NULL, POLICY_LIC, 3, true, false},
    {"licensed", NULL, POLICY_LIC, 3, true, false},
    {"lic", NULL, POLICY_LIC, 3, true, false},
    {"dl", NULL, POLICY_LIC, 3, true, false},
    {"cdl", NULL, POLICY_LIC, 3, true, false},
    {"upin", NULL, POLICY_LIC, 3, true, false},
    {"gmc", NULL, POLICY_LIC, 3, true, false},
    {"nmc", NULL, POLICY_LIC, 3, true, false},
    {"hcpc", NULL, POLICY_LIC, 3, true, false},
    {"bacb", NULL, POLICY_LIC, 3, true, false},
    {"licensure", NULL, POLICY_LIC, 1, false, false},
    {"certificate", NULL, POLICY_LIC, 1, false, false},
    {"cert", NULL, POLICY_LIC, 1, false, false},
    {"certification", NULL, POLICY_LIC, 1, false, false},
    {"permit", NULL, POLICY_LIC, 1, false, false},
    {"visa", NULL, POLICY_LIC, 1, false, false},
    {"uscis", NULL, POLICY_LIC, 1, false, false},
    {"alien", NULL, POLICY_LIC, 1, false, false},
    {"board", NULL, POLICY_LIC, 1, false, false},
    {"rn", NULL, POLICY_LIC, 1, false, false},
    {"np", NULL, POLICY_LIC, 1, false, false},
    {"psyd", NULL, POLICY_LIC, 1, false, false},
    {"phd", NULL, POLICY_LIC, 1, false, false},
    {"registered", NULL, POLICY_LIC, 1, false, false},
    {"nurse", NULL, POLICY_LIC, 1, false, false},
    {"physician", NULL, POLICY_LIC, 1, false, false},
    {"imei", NULL, POLICY_DEV, 2, true, false},
    {"meid", NULL, POLICY_DEV, 2, true, false},
    {"udi", NULL, POLICY_DEV, 2, true, false},
    {"iccid", NULL, POLICY_DEV, 2, true, false},
    {"serial", NULL, POLICY_DEV, 2, true, false},
    {"sn", NULL, POLICY_DEV, 2, true, false},
    {"gtin", NULL, POLICY_DEV, 2, true, false},
    {"device", NULL, POLICY_DEV, 2, false, false},
    {"model", NULL, POLICY_DEV, 2, false, false},
    {"pump", NULL, POLICY_DEV, 2, false, false},
    {"cpap", NULL, POLICY_DEV, 2, false, false},
    {"bipap", NULL, POLICY_DEV, 2, false, false},
    {"pacemaker", NULL, POLICY_DEV, 2, false, false},
    {"implant", NULL, POLICY_DEV, 2, false, false},
    {"lot", NULL, POLICY_DEV, 2, false, false},
    {"monitor", NULL, POLICY_DEV, 2, false, false},
    {"sensor", NULL, POLICY_DEV, 2, false, false},
    {"transmitter", NULL, POLICY_DEV, 2, false, false},
    {"watch", NULL, POLICY_DEV, 2, false, false},
    {"glucometer", NULL, POLICY_DEV, 2, false, false},
    {"defibrillator", NULL, POLICY_DEV, 2, false, false},
    {"stimulator", NULL, POLICY_DEV, 2, false, false},
    {"phone", NULL, POLICY_DEV, 2, false, false},
    {"inhaler", NULL, POLICY_DEV, 2, false, false},
    {"ventilator", NULL, POLICY_DEV, 2, false, false},
    {"machine", NULL, POLICY_DEV, 2, false, false},
    {"gudid", NULL, POLICY_DEV, 2, false, false},
    {"case", NULL, POLICY_CODE, 2, false, false},
    {"claim", NULL, POLICY_CODE, 2, false, false},
    {"claims", NULL, POLICY_CODE, 2, false, false},
    {"confirmation", NULL, POLICY_CODE, 2, false, false},
    {"conf", NULL, POLICY_CODE, 2, false, false},
    {"order", NULL, POLICY_CODE, 2, false, false},
    {"invoice", NULL, POLICY_CODE, 2, false, false},
    {"ticket", NULL, POLICY_CODE, 2, false, false},
    {"rx", NULL, POLICY_CODE, 2, false, false},
    {"prescription", NULL, POLICY_CODE, 2, false, false},
    {"accession", NULL, POLICY_CODE, 2, false, false},
    {"reference", NULL, POLICY_CODE, 2, false, false},
    {"ref", NULL, POLICY_CODE, 2, false, false},
    {"tracking", NULL, POLICY_CODE, 2, false, false},
    {"docket", NULL, POLICY_CODE, 2, false, false},
    {"booking", NULL, POLICY_CODE, 2, false, false},
    {"reservation", NULL, POLICY_CODE, 2, false, false},
    {"transaction", NULL, POLICY_CODE, 2, false, false},
    {"receipt", NULL, POLICY_CODE, 2, false, false},
    {"authorization", NULL, POLICY_CODE, 2, false, false},
    {"authorisation", NULL, POLICY_CODE, 2, false, false},
    {"auth", NULL, POLICY_CODE, 2, false, false},
    {"referral", NULL, POLICY_CODE, 2, false, false},
    {"badge", NULL, POLICY_CODE, 2, false, false},
    {"employee", NULL, POLICY_CODE, 2, false, false},
    {"student", NULL, POLICY_CODE, 2, false, false},
    {"staff", NULL, POLICY_CODE, 2, false, false},
    {"inmate", NULL, POLICY_CODE, 2, false, false},
    {"identifier", NULL, POLICY_CODE, 2, false, false},
    {"identification", NULL, POLICY_CODE, 2, false, false},
    {"file", NULL, POLICY_CODE, 2, false, false},
    {"specimen", NULL, POLICY_CODE, 2, false, false},
    {"sample", NULL, POLICY_CODE, 2, false, false},
    {"requisition", NULL, POLICY_CODE, 2, false, false},
    {"participant", NULL, POLICY_CODE, 2, false, false},
    {"subject", NULL, POLICY_CODE, 2, false, false},
    {"study", NULL, POLICY_CODE, 2, false, false},
    {"court", NULL, POLICY_CODE, 2, false, false},
    {"probation", NULL, POLICY_CODE, 2, false, false},
    {"veteran", NULL, POLICY_CODE, 2, false, false},
    {"military", NULL, POLICY_CODE, 2, false, false},
    {"service", NULL, POLICY_CODE, 2, false, false},
    {"warrant", NULL, POLICY_CODE, 2, false, false},
    {"incident", NULL, POLICY_CODE, 2, false, false},
    {"report", NULL, POLICY_CODE, 2, false, false},
    {"edipi", NULL, POLICY_CODE, 1, true, false},
    {"dodid", NULL, POLICY_CODE, 1, true, false},
};
const struct word_table record_labels = WORD_TABLE(labels);

const struct record_label record_number_label = {"number", NULL, POLICY_CODE, 0, false, false};
const struct record_label record_id_label = {"id", NULL, POLICY_CODE, 0, false, false};

WORD_LIST(number_words, "number", "numbers", "no", "num", "nbr", "nr", "id", "ids", "identifier",
          "code");
WORD_LIST(says_words, "is", "was", "ending", "ends");
WORD_LIST(link_words, "my", "the", "a", "its", "it", "s", "for", "with", "on", "in", "of", "are",
          "and", "under", "called", "listed", "as", "says", "reads", "his", "her", "their", "our",
          "your", "me", "card", "to", "at", "currently", "new", "old", "this", "that", "here", "ok",
          "okay", "be", "shows", "showing", "starts", "starting", "begins", "marked", "has", "by",
          "im", "i", "from", "which");
WORD_LIST(units, "mg", "mcg", "ug", "g", "kg", "ml", "l", "iu", "units", "unit", "tablets",
          "tablet", "pills", "pill", "capsules", "mm", "cm", "m", "km", "lb", "lbs", "oz", "bpm",
          "mmhg", "mmol", "kcal", "cal", "calories", "percent", "days", "day", "weeks", "week",
          "months", "month", "years", "year", "yrs", "yr", "hours", "hour", "hrs", "hr", "h",
          "minutes", "minute", "mins", "min", "seconds", "sec", "s", "am", "pm", "st", "nd", "rd",
          "th", "dollars", "bucks", "usd", "euros", "pounds", "people", "patients", "times",
          "steps", "words", "points", "degrees", "meq", "ng", "miles", "feet", "ft", "inches", "k",
          "x", "mah", "hz", "khz", "mhz", "ghz", "gb", "mb", "tb");
WORD_LIST(device_labels, "imei", "meid", "udi", "iccid", "sn", "serial", "gtin");

static bool is_any(const struct window_view *view, uint32_t index, const struct word_table *words)
{
    const struct lexeme *lexeme = &view->lexemes[index];
    return word_table_row(words, lexeme->hash, lexeme_text(view, index), lexeme->folded_bytes) != 0;
}

enum record_link record_link_of(const struct window_view *view, uint32_t index)
{
    if (is_any(view, index, &number_words)) {
        return RECORD_LINK_NUMBER;
    }
    if (is_any(view, index, &says_words)) {
        return RECORD_LINK_SAYS;
    }
    return is_any(view, index, &link_words) ? RECORD_LINK_WORD : RECORD_LINK_NONE;
}

bool record_is_unit(const char *text, size_t length)
{
    return word_table_row(&units, (uint32_t)word_hash(text, length), text, length) != 0;
}

bool record_is_device_label(const struct window_view *view, uint32_t index)
{
    return is_any(view, index, &device_labels);
}

static const struct {
    const char *letters;
    enum policy_kind kind;
} prefixes[] = {
    {"ssn", POLICY_SSN},      {"mr", POLICY_MRN},     {"mrn", POLICY_MRN},
    {"mrnr", POLICY_MRN},     {"mrno", POLICY_MRN},   {"med", POLICY_MRN},
    {"pt", POLICY_MRN},       {"pat", POLICY_MRN},    {"chart", POLICY_MRN},
    {"emr", POLICY_MRN},      {"lcsw", POLICY_LIC},   {"lmft", POLICY_LIC},
    {"mft", POLICY_LIC},      {"lpc", POLICY_LIC},    {"lpcc", POLICY_LIC},
    {"lmhc", POLICY_LIC},     {"lcpc", POLICY_LIC},   {"lmsw", POLICY_LIC},
    {"psy", POLICY_LIC},      {"lic", POLICY_LIC},    {"rn", POLICY_LIC},
    {"npi", POLICY_LIC},      {"dea", POLICY_LIC},    {"dl", POLICY_LIC},
    {"psyd", POLICY_LIC},     {"lp", POLICY_LIC},     {"md", POLICY_LIC},
    {"np", POLICY_LIC},       {"pa", POLICY_LIC},     {"cdl", POLICY_LIC},
    {"sn", POLICY_DEV},       {"imei", POLICY_DEV},   {"udi", POLICY_DEV},
    {"ser", POLICY_DEV},      {"serial", POLICY_DEV}, {"dev", POLICY_DEV},
    {"acct", POLICY_ACCT},    {"acc", POLICY_ACCT},   {"vin", POLICY_VEH},
    {"mem", POLICY_HPB},      {"mbr", POLICY_HPB},    {"sub", POLICY_HPB},
    {"pol", POLICY_HPB},      {"policy", POLICY_HPB}, {"grp", POLICY_HPB},
    {"group", POLICY_HPB},    {"hpb", POLICY_HPB},    {"ins", POLICY_HPB},
    {"medicaid", POLICY_HPB}, {"case", POLICY_CODE},  {"clm", POLICY_CODE},
    {"claim", POLICY_CODE},   {"inv", POLICY_CODE},   {"ref", POLICY_CODE},
    {"conf", POLICY_CODE},    {"ord", POLICY_CODE},   {"order", POLICY_CODE},
    {"id", POLICY_CODE},      {"tkt", POLICY_CODE},   {"ticket", POLICY_CODE},
    {"rx", POLICY_CODE},      {"auth", POLICY_CODE},  {"trk", POLICY_CODE},
    {"acn", POLICY_CODE},     {"enc", POLICY_CODE},   {"visit", POLICY_CODE},
    {"emp", POLICY_CODE},
};

bool record_prefix(const char *text, size_t text_length, size_t *length, enum policy_kind *kind)
{
    size_t letters = 0;
    while (letters < text_length && text[letters] >= 'a' && text[letters] <= 'z') {
        letters++;
    }
    bool is_found = false;
    *length = 0;
    for (size_t i = 0; i < COUNT(prefixes); i++) {
        if (prefixes[i].letters[0] != text[0]) {
            continue;
        }
        const size_t prefix = strlen(prefixes[i].letters);
        /* "sn" may have letters of its number behind it: "snadfb144d79eb" */
        const bool fits =
            prefix == letters
            || (prefixes[i].kind == POLICY_DEV && prefix < letters && letters < text_length);
        if (fits && prefix > *length && memcmp(text, prefixes[i].letters, prefix) == 0) {
            *length = prefix;
            *kind = prefixes[i].kind;
            is_found = true;
        }
    }
    return is_found;
}
