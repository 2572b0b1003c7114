/* rules.h - a tenant's rules as one read-only value, from YAML (policy/data/packs/, an operator's
 * directory): what is done with each kind of identifier in and out, what happens in a crisis, which
 * duties of which jurisdiction hold. Every rule has its source. Digest: SHA-256 of all the bytes
 * the value was made of, so that a record names what was in force. Reference counted; any thread.
 */
#pragma once
#include "base/failure.h"
#include "policy/crisis/crisis.h"
#include "policy/crisis/resources.h"
#include "policy/identify/detector.h"
#include "policy/kind.h"

enum {
    RULES_NAME_BYTES = 64,
    RULES_DIGEST_BYTES = 65,
    RULES_PACKS_MAX = 8,
    RULES_CANARIES_MAX = 32,
    RULES_CANARY_BYTES = 129,
    RULES_REGION_BYTES = 16
};

/* What happens at a grade, besides being counted: bits. */
enum crisis_action {
    CRISIS_MARK_URGENT = 1 << 0, /* the scheduler's lane */
    CRISIS_PROTOCOL = 1 << 1,    /* the region's text is told first, outside the model's control */
    CRISIS_HAND_OFF = 1 << 2,    /* a webhook tells the clinic, without text */
    CRISIS_STOP = 1 << 3         /* the model does not answer */
};

/* Duties of operators; what is not set (0, false) does not hold. Where packs meet, the stricter. */
struct rules_duties {
    bool discloses_ai_at_start, discloses_ai_when_asked;
    uint32_t discloses_again_after_days; /* 7 */
    uint32_t reminds_every_minutes, reminds_minors_every_minutes;
    bool refuses_clinician_claims; /* the answer may not say it is a clinician or treats */
    bool has_minors_mode;
    bool needs_crisis_protocol;
    bool counts_referrals; /* for the yearly report */
    uint32_t retention_days;
    char disclosure[512], reminder[512]; /* texts to tell; "": the shipped ones */
};

struct rules {
    char name[RULES_NAME_BYTES];
    char digest[RULES_DIGEST_BYTES]; /* hexadecimal */
    char region[RULES_REGION_BYTES]; /* "us" */
    enum policy_action inbound[POLICY_KIND_COUNT], outbound[POLICY_KIND_COUNT];
    bool changes_text; /* false: everything is allowed or tagged, so nothing is held back */
    bool keeps_year;   /* [DATE] keeps a year: [DATE 1961] */
    bool keeps_zip3;   /* [ZIP] keeps three digits where 20,000 people live there */
    struct detector_terms terms; /* lexicon NULL: who scans fills it in */
    struct detector_format formats[FORMATS_MAX];
    uint32_t crisis[CRISIS_KIND_COUNT][CRISIS_GRADE_COUNT]; /* of enum crisis_action */
    bool asks_model;                                 /* a second read, which may raise a grade */
    char webhook_url[512], webhook_secret_file[512]; /* "": no hand-off */
    char canaries[RULES_CANARIES_MAX][RULES_CANARY_BYTES]; /* never told to another tenant */
    uint32_t canary_count;
    char packs[RULES_PACKS_MAX][RULES_NAME_BYTES];
    uint32_t pack_count;
    struct rules_duties duties;
};

/* Made of YAML text, with the packs it names (shipped ones, or DIRECTORY/packs/NAME.yaml, which
 * come first; directory NULL: shipped alone). STATUS_INVALID: failure names file, line, field and
 * what is allowed. rules_hold, rules_release: a count; the last release frees. */
MUST_CHECK enum status rules_parse(const char *yaml, size_t length, const char *name,
                                   const char *directory, struct rules **out,
                                   struct failure *failure);
MUST_CHECK enum status rules_load(const char *path, const char *directory, struct rules **out,
                                  struct failure *failure);
/* Shipped by name: "observe" (everything counted, nothing changed), "standard" (in: pseudonymised;
 * out: redacted; crisis protocol), "strict" (in: numbers blocked, all else redacted), "redact" (all
 * redacted both ways: ward scan). STATUS_NOT_FOUND. */
MUST_CHECK enum status rules_shipped(const char *name, struct rules **out, struct failure *failure);

/* A pack by itself: every rule known and with its source. STATUS_INVALID: failure says where. */
MUST_CHECK enum status rules_check_pack(const char *yaml, size_t length, const char *name,
                                        struct failure *failure);
struct rules *rules_hold(struct rules *rules);
void rules_release(struct rules *rules); /* NULL is fine */

/* Each rule of its packs with the law that it is from; false after the last. Lives as the rules. */
struct rules_source {
    const char *pack, *duty, *text;
};
bool rules_source(const struct rules *rules, size_t index, struct rules_source *out);

/* Files on disk, beside its own, that took part or would, were they there; NULL after the last. */
const char *rules_file(const struct rules *rules, size_t index);

/* Names of shipped rules, packs and regions in turn, for --help; NULL after the last. A pack's or
 * region's is good until the thread's next call. */
const char *rules_shipped_name(size_t index);
const char *rules_pack_name(size_t index);
const char *rules_region_name(size_t index);
