/* support_template.h - one rendering for the tests of model/template. */
#pragma once
#include <jansson.h>

#include "model/template/chat_template.h"

extern const int64_t support_template_time_unix_s; /* 2025-03-14 15:09:26 UTC, as in the fixtures */

struct outcome {
    enum status status; /* of the parsing, else of the rendering */
    bool has_parsed;
    struct buffer text, is_markup;
    struct failure failure;
};

struct outcome support_render(const struct chat_template *chat_template, json_t *variables);
/* variables: JSON text; NULL: none. */
struct outcome support_render_source(const char *source, const char *variables);
bool outcome_is(const struct outcome *outcome, const char *text, size_t length);
void outcome_destroy(struct outcome *outcome);

/* Calls check with each real template of WARD_TEST_DATA (default ../shared/data), parsed, and its
 * file, path for messages; returns how many there were. A template that does not parse is a failed
 * test of test_template.c. */
typedef void support_real_check(const struct chat_template *chat_template, json_t *file,
                                const char *path);
size_t support_real_templates(support_real_check *check);
