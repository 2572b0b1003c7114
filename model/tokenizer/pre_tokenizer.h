/* pre_tokenizer.h - the "pre_tokenizer" of a tokenizer.json: cuts text into the pieces that the
 * model encodes one by one. ByteLevel and Metaspace are taken apart into the same few stages that
 * everything else is made of. Immutable after parse. */
#pragma once
#include "model/json_field.h"
#include "model/tokenizer/pattern.h"

enum { PRE_TOKENIZER_STAGES_MAX = 32, PRE_TOKENIZER_TEXT_BYTES_MAX = 512 << 20 };

enum pre_tokenizer_kind {
    PRE_TOKENIZER_SPLIT,
    PRE_TOKENIZER_REPLACE, /* each space by text */
    PRE_TOKENIZER_PREPEND, /* text, unless the piece begins with it */
    PRE_TOKENIZER_BYTES    /* each byte by its sign in the byte alphabet */
};

/* What becomes of the matches of a split's pattern. */
enum pre_tokenizer_behavior {
    BEHAVIOR_REMOVED,
    BEHAVIOR_ISOLATED,
    BEHAVIOR_PREVIOUS,
    BEHAVIOR_NEXT,
    BEHAVIOR_CONTIGUOUS,
    BEHAVIOR_COUNT
};

struct pre_tokenizer_stage {
    enum pre_tokenizer_kind kind;
    struct pattern *pattern; /* SPLIT */
    enum pre_tokenizer_behavior behavior;
    bool is_inverted;
    char text[8];          /* REPLACE, PREPEND */
    bool is_at_start_only; /* PREPEND: only to the piece that begins the whole text */
};

struct pre_tokenizer {
    struct pre_tokenizer_stage stages[PRE_TOKENIZER_STAGES_MAX];
    uint32_t stage_count;
};

/* json may be NULL or null: the text is one piece. STATUS_UNSUPPORTED names what is not here. */
MUST_CHECK enum status pre_tokenizer_parse(const json_t *json, struct pre_tokenizer *out,
                                           struct failure *failure);
void pre_tokenizer_destroy(struct pre_tokenizer *pre_tokenizer);

/* Scratch of one thread. Start from {.matcher}. */
struct pre_tokenizer_scratch {
    struct pattern_matcher *matcher;
    struct buffer texts[PRE_TOKENIZER_STAGES_MAX];
};

void pre_tokenizer_scratch_destroy(struct pre_tokenizer_scratch *scratch); /* not the matcher */

struct pre_tokenizer_sink {
    enum status (*take)(void *context, const char *text, size_t length);
    void *context;
};

struct pre_tokenizer_input {
    const char *text; /* valid UTF-8 */
    size_t length;
    bool is_at_start; /* of the whole text */
};

/* Cuts the text and gives each piece that is not empty to sink, in order. */
MUST_CHECK enum status pre_tokenizer_run(const struct pre_tokenizer *pre_tokenizer,
                                         struct pre_tokenizer_scratch *scratch,
                                         struct pre_tokenizer_sink sink,
                                         struct pre_tokenizer_input input);
