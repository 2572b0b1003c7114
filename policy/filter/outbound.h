/* outbound.h - one stream of a model's text on its way out: pseudonyms of this conversation become
 * their values again, other identifiers are treated as the rules say, values of other tenants and
 * canaries are stopped, wrong hotline numbers are corrected. Bytes in, bytes out; held back is only
 * what may still become one of these, also a placeholder cut in the middle ("[NA", "ME_1]"). What
 * comes out does not depend on how the text was cut. One object a choice; no allocation a token but
 * for growth of `out`. Where the rules change nothing, bytes pass at once and are only counted. */
#pragma once
#include "base/buffer.h"
#include "policy/filter/seen.h"
#include "policy/filter/tally.h"
#include "policy/filter/vault.h"
#include "policy/identify/scanner.h"
#include "policy/rules/rules.h"

/* What an identifier in the model's text became. */
struct outbound_found {
    uint64_t start, end; /* bytes of the model's text */
    enum policy_kind kind;
    enum policy_action action;
    bool continues; /* what ended where this begins is the same identifier */
};
typedef void (*outbound_saw)(void *context, const struct outbound_found *found);

struct outbound_terms { /* outlives the stream */
    const struct rules *rules;
    const struct lexicon *lexicon;
    const struct vault *vault;
    const struct vault_session *session; /* NULL: nothing to restore */
    struct tenant_id tenant;
    const struct memory *memory; /* names of the prompt; copied. NULL: none */
    const struct seen *seen;     /* the prompt's own values, which are none of others. NULL: none */
    bool is_of_a_person;         /* no model wrote it: nothing is corrected, no claim is one */
    outbound_saw saw;            /* NULL; or told each identifier that the rules do not allow */
    void *context;
};

struct outbound;

MUST_CHECK enum status outbound_create(const struct outbound_terms *terms, struct outbound **out);
void outbound_destroy(struct outbound *outbound); /* zeroes; NULL is fine */
void outbound_reset(struct outbound *outbound);   /* for another text; the tally goes on */

/* Appends to out what may be told. A status that is not OK: nothing more may be told. */
MUST_CHECK enum status outbound_feed(struct outbound *outbound, const char *text, size_t length,
                                     struct buffer *out);
MUST_CHECK enum status outbound_end(struct outbound *outbound, struct buffer *out);

/* The same for a text that would have gone on: what it ends with may be the beginning of a number
 * or address, which is hidden (torn.h). */
MUST_CHECK enum status outbound_cut(struct outbound *outbound, struct buffer *out);

uint64_t outbound_decided(const struct outbound *outbound); /* bytes of the model's text */

/* True: of the model's bytes start .. end - 1, all decided and none older than OUTBOUND_PAST bytes,
 * something was changed, so that the tokens that made them must not be shown (logprobs). Older ones
 * count as changed. */
enum { OUTBOUND_PAST = 65536 };
bool outbound_is_changed(const struct outbound *outbound, uint64_t start, uint64_t end);

/* True: the rules would change this text if it stood alone; what the stream had before is
 * forgotten, so that it is to be one for this use. Takes memory for a moment; true too when there
 * is none. */
bool outbound_would_change(struct outbound *outbound, const char *text, size_t length);

const struct tally *outbound_tally(const struct outbound *outbound);
