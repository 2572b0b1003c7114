/* Method: a table of texts that end in the middle, and how much of each must not be told. */
#include "policy/filter/torn.h"

#include <string.h>

#include "tests/check.h"

static const struct {
    const char *text, *torn;
    enum policy_kind kind;
} rows[] = {
    {"", "", POLICY_CODE},
    {"nothing here", "", POLICY_CODE},
    {"Your SSN is 123-45-", "123-45-", POLICY_CODE},
    {"Your SSN is 123-45", "123-45", POLICY_CODE},
    {"Your SSN is 123-", "", POLICY_CODE},
    {"Call (798) 586-", "798) 586-", POLICY_CODE},
    {"the card 4111 1", "4111 1", POLICY_CODE},
    {"it was in 2019 ", "", POLICY_CODE},
    {"12345", "12345", POLICY_CODE},
    {"12345 pills", "", POLICY_CODE},
    {"Write to quill.zora@", "quill.zora@", POLICY_EMAIL},
    {"Write to quill.zora@clin", "quill.zora@clin", POLICY_EMAIL},
    {"é@", "@", POLICY_EMAIL},
    {"x@y.example, then", "", POLICY_CODE},
};

static void what_is_torn_is_told_by_its_length(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum policy_kind kind = POLICY_NAME;
        const size_t length = strlen(rows[i].text);
        const size_t torn = torn_bytes(rows[i].text, length, &kind);
        CHECK(torn == strlen(rows[i].torn), "case %zu: %zu bytes", i, torn);
        CHECK(torn <= length && strcmp(rows[i].text + length - torn, rows[i].torn) == 0, "case %zu",
              i);
        CHECK(torn == 0 || kind == rows[i].kind, "case %zu: kind %d", i, (int)kind);
    }
}

CHECK_MAIN(what_is_torn_is_told_by_its_length)
