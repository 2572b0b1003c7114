/* chat_template.h - renders a model's chat template: an interpreter for the part of Jinja2 that
 * real templates use, set up as Hugging Face transformers does (trim_blocks, lstrip_blocks,
 * sandbox, raise_exception, tojson without escapes of HTML, strftime_now, generation blocks). A
 * parsed template is immutable: any number of threads may render it, each with its own bounds. */
#pragma once
#include <stdint.h>

#include "base/buffer.h"
#include "base/failure.h"

struct chat_template;

enum {
    CHAT_TEMPLATE_SOURCE_BYTES_MAX = 1 << 20,
    CHAT_TEMPLATE_OUTPUT_BYTES_MAX = 16 << 20,
    CHAT_TEMPLATE_STEPS_MAX = 20 * 1000 * 1000, /* evaluated nodes of one rendering */
    CHAT_TEMPLATE_DEPTH_MAX = 100,              /* nesting of source and of macro calls */
    CHAT_TEMPLATE_MEMORY_BYTES_MAX = 256 << 20, /* values of one rendering */
};

/* STATUS_INVALID: a syntax error, with its line. STATUS_UNSUPPORTED: a part of Jinja that is not
 * here, by name. STATUS_TOO_LARGE. */
MUST_CHECK enum status chat_template_parse(const char *source, size_t length,
                                           struct chat_template **out, struct failure *failure);

/* The template of a model directory: chat_template.jinja if there is one, else `chat_template` of
 * tokenizer_config.json (a string, or the entry named "default" of a list).
 * STATUS_NOT_FOUND: the model has none. */
MUST_CHECK enum status chat_template_load(const char *directory, struct chat_template **out,
                                          struct failure *failure);
void chat_template_destroy(struct chat_template *chat_template); /* NULL is fine */

struct chat_template_input {
    /* The variables: a JSON object, e.g. {"messages": [...], "add_generation_prompt": true,
     * "bos_token": "<s>"}. Borrowed. Text inside `messages`, `tools` and `documents` is from users;
     * every other variable and the template's own text is markup. */
    struct json_t *variables;
    int64_t now_unix_s;      /* what strftime_now sees (local time zone) */
    uint64_t steps_max;      /* 0: CHAT_TEMPLATE_STEPS_MAX */
    size_t memory_bytes_max; /* 0: CHAT_TEMPLATE_MEMORY_BYTES_MAX */
};

/* Renders into text, and into is_markup one byte for each byte of text: 1 where the template (or a
 * markup variable) wrote it, 0 where it came from a user, however it was sliced, joined, trimmed or
 * replaced on the way (see tokenizer.h). Both buffers are cleared first.
 * STATUS_INVALID: the template raised an exception or failed on these variables (the text says
 * what, and may hold the template's own message). STATUS_TOO_LARGE: steps, depth, memory or output
 * bound. */
MUST_CHECK enum status chat_template_render(const struct chat_template *chat_template,
                                            const struct chat_template_input *input,
                                            struct buffer *text, struct buffer *is_markup,
                                            struct failure *failure);
