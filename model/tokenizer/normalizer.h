/* normalizer.h - the "normalizer" of a tokenizer.json: a list of steps over the text between added
 * tokens. Immutable after parse. */
#pragma once
#include "model/json_field.h"
#include "model/tokenizer/marked_text.h"
#include "model/tokenizer/normal_form.h"
#include "model/tokenizer/pattern.h"

enum { NORMALIZER_STEPS_MAX = 16 };

enum normalizer_kind {
    NORMALIZER_FORM,
    NORMALIZER_PREPEND,
    NORMALIZER_REPLACE,
    NORMALIZER_LOWERCASE,
    NORMALIZER_STRIP
};

struct normalizer_step {
    enum normalizer_kind kind;
    enum normal_form form;
    struct pattern *pattern;        /* REPLACE */
    char *text;                     /* PREPEND, REPLACE: what is put in */
    bool strips_left, strips_right; /* STRIP */
};

struct normalizer {
    struct normalizer_step steps[NORMALIZER_STEPS_MAX];
    uint32_t step_count;
};

/* json may be NULL or null: no steps. STATUS_UNSUPPORTED names the type that is not here. */
MUST_CHECK enum status normalizer_parse(const json_t *json, struct normalizer *out,
                                        struct failure *failure);
void normalizer_destroy(struct normalizer *normalizer);

/* in, valid UTF-8, through all steps; *out then points into in or into scratch. */
MUST_CHECK enum status normalizer_run(const struct normalizer *normalizer,
                                      struct pattern_matcher *matcher, struct marked_span in,
                                      struct marked_text scratch[2], struct marked_span *out);
