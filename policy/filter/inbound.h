/* inbound.h - what a request's texts become before the model sees them: identifiers found and
 * treated as the tenant's rules say. The texts of a request are given in turn, so that a name that
 * was introduced in the first is known in the last. One thread; memory: taken at create. */
#pragma once
#include "base/buffer.h"
#include "policy/filter/seen.h"
#include "policy/filter/tally.h"
#include "policy/filter/vault.h"
#include "policy/identify/scanner.h"
#include "policy/rules/rules.h"

struct inbound;

/* session: NULL if the rules pseudonymise nothing. All are borrowed until destroy. */
MUST_CHECK enum status inbound_create(const struct rules *rules, const struct lexicon *lexicon,
                                      struct vault_session *session, struct inbound **out);
void inbound_destroy(struct inbound *inbound); /* zeroes; NULL is fine */

/* Appends what the text becomes; valid UTF-8 whatever came in. STATUS_TOO_LARGE: out's limit. */
MUST_CHECK enum status inbound_text(struct inbound *inbound, const char *text, size_t length,
                                    struct buffer *out);

const struct tally *inbound_tally(const struct inbound *inbound);
bool inbound_is_blocked(const struct inbound *inbound); /* a kind that the rules block was found */
struct memory *inbound_memory(struct inbound *inbound); /* for the answer's scanners */
const struct seen *inbound_seen(const struct inbound *inbound); /* for the answer's streams */
