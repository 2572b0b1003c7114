/* Method: model directories made on the fly, one a row: which template is found, or which line of
 * text says what is wrong with which file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/model/support_template.h"

#define LIST(name)                                                         \
    "{\"chat_template\": [{\"name\": \"tool_use\", \"template\": \"T\"}, " \
    "{\"name\": \"" name "\", \"template\": \"D\"}]}"

static const struct {
    const char *jinja, *config; /* contents of the two files; NULL: there is no such file */
    enum status want;
    const char *text; /* the rendering, or what the error says */
} cases[] = {
    {"from the file", "{\"chat_template\": \"from the config\"}", STATUS_OK, "from the file"},
    {NULL, "{\"chat_template\": \"from the config\"}", STATUS_OK, "from the config"},
    {NULL, LIST("default"), STATUS_OK, "D"},
    {"", NULL, STATUS_OK, ""},
    {NULL, LIST("rag"), STATUS_NOT_FOUND, "tokenizer_config.json: has no chat_template"},
    {NULL, "{}", STATUS_NOT_FOUND, "tokenizer_config.json: has no chat_template"},
    {NULL, "{\"chat_template\": null}", STATUS_NOT_FOUND, "has no chat_template"},
    {NULL, NULL, STATUS_NOT_FOUND, "tokenizer_config.json"},
    {NULL, "{\"chat_template\": 5}", STATUS_INVALID, "chat_template is not a string"},
    {NULL, "[]", STATUS_INVALID, "tokenizer_config.json: is not a JSON object"},
    {NULL, "{", STATUS_INVALID, "tokenizer_config.json: line 1"},
    {NULL, "", STATUS_INVALID, "tokenizer_config.json"},
    {NULL, "{\"chat_template\": \"a\\n{% if %}\"}", STATUS_INVALID,
     "tokenizer_config.json: chat_template: line 2: expected an expression, found %}"},
    {"{% include 'x' %}", NULL, STATUS_UNSUPPORTED, "chat_template.jinja: line 1: the tag"},
    {"\xff", NULL, STATUS_INVALID, "chat_template.jinja: is not valid UTF-8"},
};

static void write_file(const char *directory, const char *name, const char *content)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (!content) {
        unlink(path);
        return;
    }
    FILE *file = fopen(path, "w");
    CHECK(file && fputs(content, file) >= 0 && fclose(file) == 0, "%s cannot be written", path);
}

static void every_directory_gives_its_template_or_error(void)
{
    char directory[] = "/tmp/ward_template_XXXXXX";
    CHECK(mkdtemp(directory) != NULL, "no directory for the test");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct chat_template *chat_template = NULL;
        struct failure failure = {0};
        write_file(directory, "chat_template.jinja", cases[i].jinja);
        write_file(directory, "tokenizer_config.json", cases[i].config);
        const enum status status = chat_template_load(directory, &chat_template, &failure);
        CHECK(status == cases[i].want, "case %zu: %s, %s", i, status_name(status), failure.text);
        if (status == STATUS_OK) {
            json_t *variables = json_object();
            struct outcome outcome = support_render(chat_template, variables);
            CHECK(outcome_is(&outcome, cases[i].text, strlen(cases[i].text)), "case %zu", i);
            outcome_destroy(&outcome);
            json_decref(variables);
        } else {
            CHECK(strstr(failure.text, cases[i].text), "case %zu says: %s", i, failure.text);
        }
        chat_template_destroy(chat_template);
    }
    write_file(directory, "chat_template.jinja", NULL);
    write_file(directory, "tokenizer_config.json", NULL);
    rmdir(directory);
}

CHECK_MAIN(every_directory_gives_its_template_or_error)
