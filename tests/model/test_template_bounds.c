/* Method: templates and variables that ask for too much, one row each, must end with a status and a
 * line of text that holds nothing of a user; and the bounds themselves must not be met by what is
 * large but honest. */
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/model/support_template.h"

#define SECRET "QSECRETQ"
static const char secret_variables[] =
    "{\"messages\": [{\"role\": \"" SECRET "\", \"content\": \"" SECRET "\", \"" SECRET "\": 1}],"
    " \"tools\": [{\"" SECRET "\": {}}], \"n\": 3}";

static const struct {
    const char *source;
    enum status want;
    const char *text; /* what the error must say; NULL: anything */
} cases[] = {
    /* steps */
    {"{% for i in range(10**9) %}{% endfor %}", STATUS_INVALID, "range() of more than 100000"},
    {"{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
     STATUS_TOO_LARGE, NULL},
    {"{% for i in range(99999) %}{% for j in 'abcdefgh' * 9999 %}{{ j in j }}{% endfor %}"
     "{% endfor %}",
     STATUS_TOO_LARGE, NULL},
    {"{% set s = 'a' * 10**7 %}{% for i in range(99999) %}{{ 'b' in s }}{% endfor %}",
     STATUS_TOO_LARGE, "steps"},
    {"{% set s = 'a' * 10**7 %}{% for i in range(99999) %}{{ s.rfind('ab') }}{% endfor %}",
     STATUS_TOO_LARGE, NULL},
    {"{% set s = 'a' * 10**7 %}{% for i in range(99999) %}{{ s[999999] }}{% endfor %}",
     STATUS_TOO_LARGE, NULL},
    /* memory */
    {"{{ 'a' * 10**9 }}", STATUS_TOO_LARGE, "memory"},
    {"{{ 'a' * 10**18 }}", STATUS_TOO_LARGE, NULL},
    {"{{ 'ab' * 9223372036854775807 }}", STATUS_TOO_LARGE, NULL},
    {"{{ [1] * 10**9 }}", STATUS_TOO_LARGE, "memory"},
    {"{{ [1, 2] * 9223372036854775807 }}", STATUS_TOO_LARGE, NULL},
    {"{{ '%1000000d' % 1 }}{{ 'a'.center(10**12) }}", STATUS_TOO_LARGE, NULL},
    {"{{ '%99999999d' % 1 }}", STATUS_INVALID, "too large"},
    {"{{ '{:99999999}'.format(1) }}", STATUS_INVALID, "too large"},
    {"{{ [1]|tojson(indent=10**12) }}", STATUS_TOO_LARGE, NULL},
    {"{{ 'a'|indent(10**12, true) }}", STATUS_TOO_LARGE, NULL},
    {"{{ [1]|batch(10**12, 0)|list }}", STATUS_TOO_LARGE, NULL},
    {"{{ [1]|slice(10**12)|list }}", STATUS_TOO_LARGE, NULL},
    {"{% set ns = namespace(s='a') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}"
     "{% endfor %}",
     STATUS_TOO_LARGE, "memory"},
    {"{% set ns = namespace(s='ab') %}{% for i in range(99) %}"
     "{% set ns.s = ns.s.replace('', ns.s) %}{% endfor %}",
     STATUS_TOO_LARGE, NULL},
    {"{% set ns = namespace(l=[1]) %}{% for i in range(99) %}{% set ns.l = ns.l + ns.l %}"
     "{% endfor %}",
     STATUS_TOO_LARGE, "memory"},
    /* output */
    {"{% set s = 'a' * 10**6 %}{% for i in range(17) %}{{ s }}{% endfor %}", STATUS_TOO_LARGE,
     "16777216"},
    /* depth */
    {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", STATUS_TOO_LARGE, "macros"},
    {"{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
     STATUS_TOO_LARGE, "macros"},
    {"{% macro m(x) %}{{ x() }}{% endmacro %}{{ m(m) }}", STATUS_INVALID, NULL},
    {"{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", STATUS_TOO_LARGE, "nested"},
    {"{% macro m() %}{{ caller() }}{% endmacro %}{% macro n() %}{% call m() %}{{ n() }}"
     "{% endcall %}{% endmacro %}{{ n() }}",
     STATUS_TOO_LARGE, NULL},
    {"{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}"
     "{{ ns.l }}",
     STATUS_TOO_LARGE, "nested"},
    {"{% set ns = namespace(l=[], m=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}"
     "{% set ns.m = [ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
     STATUS_TOO_LARGE, "nested"},
    {"{% set ns = namespace(l=[]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
     "{% endfor %}{{ ns.l|tojson }}",
     STATUS_TOO_LARGE, NULL},
    {"{% set ns = namespace(l=[], m=[]) %}{% for i in range(99) %}{% set ns.l = [ns.l, ns.l] %}"
     "{% set ns.m = [ns.m, ns.m] %}{% endfor %}{{ ns.l == ns.m }}",
     STATUS_TOO_LARGE, "steps"},
    {"{% set ns = namespace() %}{% set ns.a = ns %}{% set ns.b = ns %}{{ ns }}", STATUS_TOO_LARGE,
     NULL},
    {"{% set ns = namespace(t=()) %}{% for i in range(9999) %}{% set ns.t = (ns.t,) %}{% endfor %}"
     "{{ {ns.t: 1} }}",
     STATUS_TOO_LARGE, NULL},
    /* integers */
    {"{{ 9223372036854775807 + 1 }}", STATUS_INVALID, "64 bits"},
    {"{{ -9223372036854775807 - 2 }}", STATUS_INVALID, "64 bits"},
    {"{{ 3037000500 * 3037000500 }}", STATUS_INVALID, "64 bits"},
    {"{{ 10 ** 19 }}", STATUS_INVALID, "64 bits"},
    {"{{ 9223372036854775808 }}", STATUS_INVALID, "64 bits"},
    {"{{ (-9223372036854775807 - 1) // -1 }}", STATUS_INVALID, "64 bits"},
    {"{{ -(-9223372036854775807 - 1) }}", STATUS_INVALID, "64 bits"},
    {"{{ '9223372036854775808'|int }}", STATUS_INVALID, "64 bits"},
    {"{{ 1e19|int }}", STATUS_INVALID, NULL},
    {"{{ (-8) ** 0.5 }}", STATUS_INVALID, "complex"},
    /* parts of Jinja2 that are not here, by name */
    {"{% include 'x' %}", STATUS_UNSUPPORTED, "line 1: the tag 'include' is not supported"},
    {"\n{% block x %}{% endblock %}", STATUS_UNSUPPORTED, "line 2: the tag 'block'"},
    {"{{ 'x'|urlize }}", STATUS_UNSUPPORTED, "the filter 'urlize' is not supported"},
    {"{{ '\\N{DASH}' }}", STATUS_UNSUPPORTED, "\\N{...}"},
    /* errors name the template's line and names */
    {"a\nb{{ c.d }}", STATUS_INVALID, "line 2: 'c' is undefined"},
    {"\n\n{% if x %}\n{% endfor %}", STATUS_INVALID, "line 4: unknown tag 'endfor'"},
    {"{{ messages[0].nope.x }}", STATUS_INVALID, "'dict object' has no attribute 'nope'"},
    {"{{ raise_exception('No ' ~ n ~ ' roles') }}", STATUS_INVALID, "line 1: No 3 roles"},
    /* and nothing of a user */
    {"{{ raise_exception('Role ' + messages[0].role + '!') }}", STATUS_INVALID,
     "line 1: Role \u2026!"},
    {"{{ raise_exception(messages) }}", STATUS_INVALID, "line 1: \u2026"},
    {"{{ {}[messages[0].role].x }}", STATUS_INVALID, "has no attribute '\u2026'"},
    {"{{ [1]|map(messages[0].role)|list }}", STATUS_INVALID, "no filter named '\u2026'"},
    {"{{ [1]|select(messages[0].role)|list }}", STATUS_INVALID, NULL},
    {"{{ dict(**messages[0]).x.y }}", STATUS_INVALID, NULL},
    {"{{ 'a'|join(**messages[0]) }}", STATUS_INVALID, NULL},
    {"{% macro m() %}{% endmacro %}{{ m(**tools[0]) }}", STATUS_INVALID, NULL},
    {"{{ [messages[0].role]|sum }}", STATUS_INVALID, NULL},
    {"{{ messages[0].role|int + messages[0].content }}", STATUS_INVALID, NULL},
    {"{{ strftime_now(messages[0].role) }}", STATUS_INVALID, NULL},
    {"{{ messages[0].role % 1 }}{{ messages[0].role.format() ~ x.y }}", STATUS_INVALID, NULL},
};

static void every_case_ends_with_its_status(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct outcome outcome = support_render_source(cases[i].source, secret_variables);
        CHECK(outcome.status == cases[i].want, "%s: %s, %s", cases[i].source,
              status_name(outcome.status), outcome.failure.text);
        CHECK(!cases[i].text || strstr(outcome.failure.text, cases[i].text), "%s\n  says: %s",
              cases[i].source, outcome.failure.text);
        CHECK(!strstr(outcome.failure.text, SECRET), "%s\n  tells a user's text: %s",
              cases[i].source, outcome.failure.text);
        CHECK(outcome.text.length == 0 && outcome.is_markup.length == 0, "%s: text beside an error",
              cases[i].source);
        outcome_destroy(&outcome);
    }
}

/* ---- sources and variables that are made of one piece, many times --------------------------- */

static char *repeat(const char *head, const char *piece, size_t count, const char *tail)
{
    const size_t length = strlen(piece);
    const size_t bytes = strlen(head) + length * count + strlen(tail) + 1;
    char *text = malloc(bytes);
    size_t at = strlen(head);
    memcpy(text, head, at + 1);
    for (size_t i = 0; i < count; i++) {
        memcpy(text + at, piece, length + 1);
        at += length;
    }
    snprintf(text + at, bytes - at, "%s", tail);
    return text;
}

static const struct {
    const char *head, *piece;
    size_t count;
    const char *tail;
    enum status want;
} repeated[] = {
    {"{{ ", "(", 200000, "", STATUS_TOO_LARGE},
    {"{{ ", "[", 200000, "", STATUS_TOO_LARGE},
    {"{{ ", "{1:", 200000, "", STATUS_TOO_LARGE},
    {"{{ ", "-", 200000, "1 }}", STATUS_TOO_LARGE},
    {"{{ ", "not ", 200000, "1 }}", STATUS_TOO_LARGE},
    {"{{ 1", " + 1", 100000, " }}", STATUS_TOO_LARGE},
    {"{{ 1", " if 1 else 1", 50000, " }}", STATUS_TOO_LARGE},
    {"{{ a", ".a", 100000, " }}", STATUS_TOO_LARGE},
    {"{{ 1", "|string", 100000, " }}", STATUS_TOO_LARGE},
    {"{{ f", "()", 100000, " }}", STATUS_TOO_LARGE},
    {"{{ f", "(f", 100000, " }}", STATUS_TOO_LARGE},
    {"", "{% if 1 %}", 50000, "", STATUS_TOO_LARGE},
    {"", "{% for x in y %}", 50000, "", STATUS_TOO_LARGE},
    {"", "{% macro m() %}", 50000, "", STATUS_TOO_LARGE},
    {"{% if x %}", "{% elif x %}", 50000, "{% endif %}", STATUS_TOO_LARGE},
    {"{% set ", "(", 200000, "", STATUS_TOO_LARGE},
    {"", "a", CHAT_TEMPLATE_SOURCE_BYTES_MAX + 1, "", STATUS_TOO_LARGE},
    {"", "{#", 400000, "", STATUS_INVALID},
    {"", "{% raw %}", 100000, "", STATUS_INVALID},
    {"{{ ", "'a' ", 200000, "}}", STATUS_OK},
    {"{{ 1", " ~ 1", 200000, " }}", STATUS_OK},
    {"", "{{ 1 }}", 100000, "", STATUS_OK},
    {"{{ [", "1,", 200000, "] }}", STATUS_OK},
    {"{{ 1", " == 1", 100000, " }}", STATUS_OK},
    {"", "{{ x }}\n", 100000, "", STATUS_OK},
    {"{{ 1 +", "   \n", 200000, "1 }}", STATUS_OK},
};

static void every_repeated_source_ends_with_its_status(void)
{
    for (size_t i = 0; i < sizeof repeated / sizeof repeated[0]; i++) {
        char *source =
            repeat(repeated[i].head, repeated[i].piece, repeated[i].count, repeated[i].tail);
        struct outcome outcome = support_render_source(source, NULL);
        CHECK(outcome.status == repeated[i].want, "%s%s...: %s, %s", repeated[i].head,
              repeated[i].piece, status_name(outcome.status), outcome.failure.text);
        outcome_destroy(&outcome);
        free(source);
    }
}

/* A document nested as deep as jansson reads, and one that is far too large to print. */
static void deep_and_wide_variables_are_bounded(void)
{
    static const char *const sources[] = {"{{ messages }}", "{{ messages|tojson }}",
                                          "{{ messages == [[]] }}"};
    char *open = repeat("", "[", 2000, "");
    char *deep = repeat(open, "]", 2000, "");
    for (size_t i = 0; i < 3; i++) {
        json_t *variables = json_pack("{s:o}", "messages", json_loads(deep, 0, NULL));
        char *text = json_dumps(variables, 0);
        struct outcome outcome = support_render_source(sources[i], text);
        CHECK(outcome.status == STATUS_TOO_LARGE, "%s: %s", sources[i],
              status_name(outcome.status));
        outcome_destroy(&outcome);
        json_decref(variables);
        free(text);
    }
    free(open);
    free(deep);
}

/* 1,000 messages of 4 KiB, put together in a namespace one by one: large but honest. */
static void a_long_conversation_fits(void)
{
    char *content = repeat("", "word ", 800, "");
    json_t *messages = json_array();
    for (size_t i = 0; i < 1000; i++) {
        json_array_append_new(messages, json_pack("{s:s,s:s}", "role", i % 2 ? "assistant" : "user",
                                                  "content", content));
    }
    json_t *variables = json_pack("{s:o}", "messages", messages);
    char *text = json_dumps(variables, 0);
    struct outcome outcome = support_render_source(
        "{% set ns = namespace(s='') %}{% for m in messages %}"
        "{% set ns.s = ns.s + '<|' + m.role + '|>' + m.content|trim + '<|end|>\\n' %}{% endfor %}"
        "{{ ns.s }}",
        text);
    CHECK(outcome.status == STATUS_OK, "%s", outcome.failure.text);
    CHECK(outcome.text.length > 4000000, "%zu bytes", outcome.text.length);
    outcome_destroy(&outcome);
    json_decref(variables);
    free(text);
    free(content);
}

static void sources_that_are_not_text_are_refused(void)
{
    struct chat_template *chat_template = NULL;
    struct failure failure;
    CHECK(chat_template_parse("a\xff", 2, &chat_template, &failure) == STATUS_INVALID, "not UTF-8");
    CHECK(strstr(failure.text, "UTF-8"), "%s", failure.text);
    CHECK(chat_template_parse("", 0, &chat_template, &failure) == STATUS_OK, "empty");
    struct outcome outcome = support_render(chat_template, NULL);
    CHECK(outcome.status == STATUS_INVALID, "no variables at all");
    outcome_destroy(&outcome);
    chat_template_destroy(chat_template);
}

CHECK_MAIN(every_case_ends_with_its_status, every_repeated_source_ends_with_its_status,
           deep_and_wide_variables_are_bounded, a_long_conversation_fits,
           sources_that_are_not_text_are_refused)
