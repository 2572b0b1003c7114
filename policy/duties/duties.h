/* duties.h - what the rules' jurisdictions oblige a server to say of itself now. Time comes in. One
 * table of conversations, of fixed size: hashes and times, no names and no text. Any thread. */
#pragma once
#include "base/ids.h"
#include "policy/rules/rules.h"

struct duties;

/* STATUS_IO: no memory or no random bytes. */
MUST_CHECK enum status duties_create(uint32_t conversations_max, struct duties **out);
void duties_destroy(struct duties *duties); /* NULL is fine */

struct duties_turn {
    struct tenant_id tenant;
    const char *conversation; /* the client's own name for it; length 0: it gave none */
    size_t length;
    bool is_first; /* no answer stands in the conversation yet */
    bool is_asked; /* asked.h */
    bool is_minor; /* the client says so of its user */
    int64_t now_unix_s;
};

enum duty { DUTY_NONE, DUTY_DISCLOSE, DUTY_REMIND };

/* What is due before this answer; counts it as told. */
enum duty duties_due(struct duties *duties, const struct rules_duties *rules,
                     const struct duties_turn *turn);

/* The words for it: the rules' own, or the shipped ones; NULL for NONE. Lives as rules. */
const char *duties_text(const struct rules_duties *rules, enum duty duty);
