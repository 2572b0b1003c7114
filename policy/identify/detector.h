/* detector.h - a detector is a pure function that says whether an identifier begins at one lexeme.
 * It sees what stands to the left, what has arrived to the right, and may ask for more. The same
 * lexemes give the same answer, so a stream gives what the whole text gives. */
#pragma once
#include "policy/identify/memory.h"
#include "policy/kind.h"
#include "policy/text/lexeme.h"
#include "policy/text/lexicon.h"

enum finding_verdict {
    FINDING_NO,   /* and nothing that arrives later can change it */
    FINDING_MORE, /* it may: not an answer once has_ended */
    FINDING_YES
};

struct finding {
    enum finding_verdict verdict;
    enum policy_kind kind;
    bool is_resource; /* a crisis resource: stays as it is, whatever the policy says */
    uint32_t count;   /* lexemes, from `at` */
};

#define FINDING_IS(what, lexemes) \
    ((struct finding){.verdict = FINDING_YES, .kind = (what), .count = (lexemes)})

enum { FORMAT_TEXT_BYTES = 48, FORMATS_MAX = 32 };

/* A tenant's own numbers: A a letter, 9 a digit, X either, all else itself: "AA-999999". */
struct detector_format {
    char shape[FORMAT_TEXT_BYTES];
    enum policy_kind kind;
};

/* What may differ between texts; outlives the scan. */
struct detector_terms {
    const struct lexicon *lexicon;
    const struct resources *resources; /* policy/crisis/resources.h; NULL: none */
    const struct detector_format *formats;
    uint32_t format_count;
};

struct reading {
    struct window_view view;
    bool has_ended; /* nothing follows, or no more may be waited for */
    const struct detector_terms *terms;
    const struct memory *memory; /* names that were seen in this conversation */
};

struct finding detect_resource(const struct reading *reading); /* first: it wins */
struct finding detect_network(const struct reading *reading);  /* EMAIL URL IP HANDLE, MAC, GPS */
struct finding detect_phone(const struct reading *reading);    /* PHONE FAX, also spelled out */
struct finding detect_number(const struct reading *reading);   /* SSN, cards, NPI, IBAN, VIN ... */
struct finding detect_record(const struct reading *reading);  /* by context: MRN HPB ACCT LIC ... */
struct finding detect_secret(const struct reading *reading);  /* SECRET IMAGE CODE, long runs */
struct finding detect_date(const struct reading *reading);    /* DATE AGE90 */
struct finding detect_address(const struct reading *reading); /* STREET ZIP */
struct finding detect_name(const struct reading *reading);    /* NAME CITY: they compete */
