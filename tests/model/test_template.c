/* Method: real Jinja2 as the oracle. Rows of tests/fixtures/template/ (made by
 * make_template_fixtures.py) and, where WARD_TEST_DATA has them, real templates of real models must
 * render byte for byte what Jinja2 rendered, and fail where it failed. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/model/support_template.h"

/* ---- fixtures ------------------------------------------------------------------------------- */

/* {"template", and "expected" or "error"} */
static void check_row(json_t *row, json_t *variables, const char *file, size_t index)
{
    const char *source = json_string_value(json_object_get(row, "template"));
    json_t *expected = json_object_get(row, "expected");
    char *text = json_dumps(variables, 0);
    struct outcome outcome = support_render_source(source, text);
    const char *got = outcome.text.bytes ? outcome.text.bytes : "";
    if (expected) {
        CHECK(outcome_is(&outcome, json_string_value(expected), json_string_length(expected)),
              "%s %zu: %s\n  want: %s\n  got:  %s %s", file, index, source,
              json_string_value(expected), got,
              outcome.status == STATUS_OK ? "" : outcome.failure.text);
    } else {
        CHECK(outcome.status == STATUS_INVALID, "%s %zu: %s\n  want an error (%s), got %s: %s",
              file, index, source, json_string_value(json_object_get(row, "error")),
              status_name(outcome.status), got);
        CHECK(strncmp(outcome.failure.text, "line ", 5) == 0, "%s %zu: %s\n  an error without line",
              file, index, source);
        CHECK(outcome.text.length == 0, "%s %zu: text beside an error", file, index);
    }
    CHECK(outcome.text.length == outcome.is_markup.length, "%s %zu: one mark a byte", file, index);
    outcome_destroy(&outcome);
    free(text);
}

static size_t check_file(const char *name)
{
    char path[256];
    json_error_t error;
    snprintf(path, sizeof path, "tests/fixtures/template/%s.json", name);
    json_t *file = json_load_file(path, 0, &error);
    json_t *rows = json_object_get(file, "rows");
    CHECK(json_is_array(rows), "%s: %s", path, error.text);
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach(rows, index, row)
    {
        check_row(row, json_object_get(file, "variables"), name, index);
    }
    const size_t count = json_array_size(rows);
    json_decref(file);
    return count;
}

static void every_fixture_renders_as_jinja2_does(void)
{
    static const char *const names[] = {"expressions", "filters", "statements", "whitespace",
                                        "errors"};
    size_t count = 0;
    setenv("TZ", "UTC", 1); /* what strftime_now says in the fixtures */
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        count += check_file(names[i]);
    }
    printf("%zu rows of tests/fixtures/template\n", count);
    CHECK(count > 1000, "only %zu rows of fixtures were found", count);
}

/* ---- real templates ------------------------------------------------------------------------- */

static size_t conversation_count;

static void check_real(const struct chat_template *chat_template, json_t *file, const char *path)
{
    size_t index = 0;
    json_t *row = NULL;
    json_array_foreach(json_object_get(file, "cases"), index, row)
    {
        const char *name = json_string_value(json_object_get(row, "case"));
        json_t *expected = json_object_get(row, "expected");
        struct outcome outcome = support_render(chat_template, json_object_get(row, "inputs"));
        if (expected) {
            CHECK(outcome_is(&outcome, json_string_value(expected), json_string_length(expected)),
                  "%s %s: %s\n  want: %s\n  got:  %s", path, name,
                  outcome.status == STATUS_OK ? "" : outcome.failure.text,
                  json_string_value(expected), outcome.text.bytes ? outcome.text.bytes : "");
        } else {
            CHECK(outcome.status == STATUS_INVALID, "%s %s: want an error, got %s", path, name,
                  status_name(outcome.status));
        }
        outcome_destroy(&outcome);
        conversation_count++;
    }
}

static void every_real_template_renders_as_jinja2_does(void)
{
    const size_t count = support_real_templates(check_real);
    CHECK(count == 0 || conversation_count >= count, "%zu real templates, %zu conversations", count,
          conversation_count);
    printf("%zu conversations of %zu real templates\n", conversation_count, count);
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { THREADS = 4, RENDERINGS = 50 };

struct shared {
    const struct chat_template *chat_template;
    json_t *variables;
    size_t equal_count;
};

static void *render_many(void *context)
{
    struct shared *shared = context;
    static const char want[] = "[sys]Be kind.[usr]HI-x0x1x2";
    for (size_t i = 0; i < RENDERINGS; i++) {
        struct outcome outcome = support_render(shared->chat_template, shared->variables);
        shared->equal_count += outcome_is(&outcome, want, strlen(want));
        outcome_destroy(&outcome);
    }
    return NULL;
}

/* Run under TSan: a rendering writes nothing that another one reads. */
static void one_template_renders_in_many_threads(void)
{
    static const char source[] =
        "{% macro m(x) %}[{{ x[:3] }}]{% endmacro %}{% for r, t in pairs %}{{ m(r) + t|trim }}"
        "{% endfor %}{% set ns = namespace(s='-') %}{% for i in range(3) %}"
        "{% set ns.s = ns.s + 'x' ~ i %}{% endfor %}{{ ns.s }}";
    struct chat_template *chat_template = NULL;
    struct failure failure;
    const enum status status =
        chat_template_parse(source, strlen(source), &chat_template, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    json_t *variables =
        json_loads("{\"pairs\": [[\"system\", \" Be kind. \"], [\"usr\", \"HI\"]]}", 0, NULL);
    pthread_t threads[THREADS];
    struct shared shared[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        shared[i] = (struct shared){chat_template, variables, 0};
        CHECK(pthread_create(&threads[i], NULL, render_many, &shared[i]) == 0, "thread %zu", i);
    }
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        CHECK(shared[i].equal_count == RENDERINGS, "thread %zu: %zu of %d", i,
              shared[i].equal_count, RENDERINGS);
    }
    json_decref(variables);
    chat_template_destroy(chat_template);
}

CHECK_MAIN(every_fixture_renders_as_jinja2_does, every_real_template_renders_as_jinja2_does,
           one_template_renders_in_many_threads)
