/* openai_format.h - how the two endpoints write their answers: what differs is a table of functions
 * and names, one for chat (chat.c) and one for completions (completions.c). */
#pragma once
#include "server/json/json_text.h"
#include "server/openai/openai_choice.h"

struct openai_format {
    const char *id_prefix;             /* "chatcmpl-" */
    const char *object, *chunk_object; /* of a whole answer, of a stream's chunk */
    uint32_t max_tokens_default;       /* 0: what the context leaves */

    /* The members of one choice between its index and its finish_reason, each with a comma in
     * front: all of it; in a stream what stands before, what may be told now, and the end. */
    void (*write_whole)(struct json_text *out, const struct openai_choice *choice);
    void (*write_first)(struct json_text *out); /* NULL: nothing stands before */
    void (*write_delta)(struct json_text *out, const struct openai_choice *choice,
                        struct openai_telling telling);
    void (*write_last)(struct json_text *out);
};

/* What stands for the log-probability of a token that must not be shown, as in the OpenAI API of
 * one that is not among the likely ones. */
#define OPENAI_LOGPROB_HIDDEN (-9999.0F)

extern const struct openai_format chat_format, completions_format;

/* A token's bytes as a JSON string; writes the bytes to raw (TOKENIZER_PIECE_BYTES_MAX). */
size_t openai_format_token(struct json_text *out, const struct openai_choice *choice, uint32_t id,
                           char *raw);
