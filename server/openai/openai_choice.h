/* openai_choice.h - one choice of an answer: takes tokens from the log, makes text of them, ends it
 * at a stop string or stop id, and says how much of it may be told already. On the request's I/O
 * thread. The token that ends an answer is neither text nor an entry nor counted. */
#pragma once
#include "audit/chain/digest.h"
#include "base/buffer.h"
#include "model/tokenizer/tokenizer.h"
#include "policy/filter/outbound.h"
#include "server/engine/token_log.h"
#include "server/openai/stop_match.h"

enum openai_finish {
    OPENAI_RUNNING,
    OPENAI_STOP,
    OPENAI_LENGTH,
    OPENAI_FILTERED, /* the model was not let answer */
    OPENAI_FAILED
};

/* What all choices of a request share; outlives them. */
struct openai_choice_terms {
    const struct tokenizer *tokenizer;
    const struct stop_set *stops;
    const uint32_t *stop_ids;
    uint32_t stop_count;
    const struct token_log *log;
    uint32_t output_max;     /* tokens of the longest choice */
    uint64_t text_bytes_max; /* of text that waits to be told */
    bool logprobs;
    struct digest_stream digest; /* begun with the tenant's key; every choice has a copy */
    const struct outbound_terms *outbound; /* the tenant's rules */
    struct outbound *alone;                /* for texts by themselves; only with logprobs */
    const struct crisis_rules *crisis;     /* its own text is read by */
    const char *preface;                   /* told before anything of the model; NULL: nothing */
    bool is_answered;                      /* by the preface: the model is not asked */
    enum openai_finish answered_finish;    /* how such an answer ends */
};

/* Where a token's text stands in the text that the model made. */
struct openai_mark {
    uint32_t start_characters; /* code points in front of it, the preface's too */
    uint32_t end_bytes;
};

struct openai_choice {
    const struct openai_choice_terms *terms;
    uint32_t sequence;
    enum openai_finish finish;
    bool is_cut; /* by a stop string */
    uint32_t token_count;
    struct buffer raw;         /* the model's, not given to outbound: it may become a stop string */
    uint64_t raw_bytes;        /* in front of raw */
    uint64_t echo_bytes;       /* of them, in front of the first token's */
    struct outbound *outbound; /* raw to text */
    struct crisis_reader *reader; /* of raw, which is counted */
    struct buffer text;           /* may be told, but is not yet */
    struct digest_stream told;    /* a keyed digest of what was told */
    uint32_t told_entries;        /* tokens whose log-probabilities were told */
    struct openai_mark *marks;    /* [token_count]; NULL without logprobs */
    struct tokenizer_decoder decoder;
    struct stop_scan scan;
    uint32_t characters;
};

/* STATUS_IO: no memory. Destroy in any case; it zeroes. */
MUST_CHECK enum status openai_choice_open(struct openai_choice *choice,
                                          const struct openai_choice_terms *terms,
                                          uint32_t sequence);
void openai_choice_close(struct openai_choice *choice);

/* Text of the prompt, for echo: before the first step. */
MUST_CHECK enum status openai_choice_echo(struct openai_choice *choice, const char *text,
                                          size_t length);

/* Signs of a crisis in its own text so far. */
const struct crisis_finding *openai_choice_crisis(const struct openai_choice *choice);

/* What the rules did to its text so far. */
const struct tally *openai_choice_tally(const struct openai_choice *choice);

/* Takes one token, or the end, from the log. False: there is none now, or the choice has ended.
 * The sequence must be cancelled when is_cut has become true. */
bool openai_choice_step(struct openai_choice *choice);

/* True: the rules changed something of the token's text, so that it must not be shown, nor what
 * else could have stood there. */
bool openai_choice_is_hidden(const struct openai_choice *choice, uint32_t entry);

/* False: the rules would change the token's text if it stood alone: it is no alternative to show.
 */
bool openai_choice_may_show(const struct openai_choice *choice, uint32_t id);

/* What may be told now: all of text, and log-probabilities of the tokens told_entries ..
 * entry_end - 1. */
struct openai_telling {
    size_t text_bytes;
    uint32_t entry_end;
};
struct openai_telling openai_choice_telling(const struct openai_choice *choice);
void openai_choice_told(struct openai_choice *choice, struct openai_telling telling);
