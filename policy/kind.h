/* kind.h - kinds of identifiers (kind.def) and what a policy does with one. Plain values. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

enum policy_kind {
#define KIND(name, what) POLICY_##name,
#include "policy/kind.def"
    POLICY_KIND_COUNT
};

/* From the mildest; where two meet, the greater one holds. */
enum policy_action {
    POLICY_ALLOW,        /* nothing, not even counted */
    POLICY_TAG,          /* counted and reported; the text stays */
    POLICY_REDACT,       /* [NAME] */
    POLICY_PSEUDONYMISE, /* [NAME_1], the same for the same value; restored on the way out */
    POLICY_BLOCK,        /* 422 with the kinds; in an answer: as REDACT */
    POLICY_ACTION_COUNT
};

const char *policy_kind_name(enum policy_kind kind);       /* "NAME" */
const char *policy_action_name(enum policy_action action); /* "redact" */
bool policy_kind_read(const char *text, size_t length, enum policy_kind *out);
