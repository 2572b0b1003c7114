/* outbound.h - one stream of a model's text on its way out: pseudonyms of this conversation become
 * their values again, other identifiers are treated as the rules say, values of other tenants and
 * canaries are stopped, wrong hotline numbers are corrected. Bytes in, bytes out; held back is only
 * what may still become one of these, also a placeholder cut in the middle ("[NA", "ME_1]"). What
 * comes out does not depend on how the text was cut. One object a choice; no allocation a token but
 * for growth of `out`. */
#pragma once
#include "base/buffer.h"
#include "policy/filter/tally.h"
#include "policy/filter/vault.h"
#include "policy/identify/scanner.h"
#include "policy/rules/rules.h"

struct outbound_terms { /* outlives the stream */
    const struct rules *rules;
    const struct lexicon *lexicon;
    const struct vault *vault;
    const struct vault_session *session; /* NULL: nothing to restore */
    struct tenant_id tenant;
    const struct memory *memory; /* names of the prompt; copied. NULL: none */
};

struct outbound;

MUST_CHECK enum status outbound_create(const struct outbound_terms *terms, struct outbound **out);
void outbound_destroy(struct outbound *outbound); /* zeroes; NULL is fine */

/* Appends to out what may be told. A status that is not OK: nothing more may be told. */
MUST_CHECK enum status outbound_feed(struct outbound *outbound, const char *text, size_t length,
                                     struct buffer *out);
MUST_CHECK enum status outbound_end(struct outbound *outbound, struct buffer *out);

uint64_t outbound_decided(const struct outbound *outbound); /* bytes of the model's text */

/* True: of the model's bytes start .. end - 1, all decided and none older than OUTBOUND_PAST bytes,
 * something was changed, so that the tokens that made them must not be shown (logprobs). Older ones
 * count as changed. */
enum { OUTBOUND_PAST = 65536 };
bool outbound_is_changed(const struct outbound *outbound, uint64_t start, uint64_t end);

const struct tally *outbound_tally(const struct outbound *outbound);
