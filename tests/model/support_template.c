#include "tests/model/support_template.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1024 };

const int64_t support_template_time_unix_s = 1741964966;

struct outcome support_render(const struct chat_template *chat_template, json_t *variables)
{
    struct outcome outcome = {.has_parsed = true,
                              .text.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX,
                              .is_markup.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
    const struct chat_template_input input = {.variables = variables,
                                              .now_unix_s = support_template_time_unix_s};
    outcome.status = chat_template_render(chat_template, &input, &outcome.text, &outcome.is_markup,
                                          &outcome.failure);
    return outcome;
}

struct outcome support_render_source(const char *source, const char *variables)
{
    struct outcome outcome = {0};
    struct chat_template *chat_template = NULL;
    outcome.status = chat_template_parse(source, strlen(source), &chat_template, &outcome.failure);
    if (outcome.status == STATUS_OK) {
        json_t *json = json_loads(variables ? variables : "{}", 0, NULL);
        outcome = support_render(chat_template, json);
        json_decref(json);
    }
    chat_template_destroy(chat_template);
    return outcome;
}

bool outcome_is(const struct outcome *outcome, const char *text, size_t length)
{
    return outcome->status == STATUS_OK && outcome->text.length == length
           && (length == 0 || memcmp(outcome->text.bytes, text, length) == 0);
}

void outcome_destroy(struct outcome *outcome)
{
    buffer_destroy(&outcome->text);
    buffer_destroy(&outcome->is_markup);
}

static size_t check_one(const char *path, support_real_check *check)
{
    json_t *file = json_load_file(path, 0, NULL);
    const char *source = json_string_value(json_object_get(file, "template"));
    struct chat_template *chat_template = NULL;
    struct failure failure;
    if (source
        && chat_template_parse(source, strlen(source), &chat_template, &failure) == STATUS_OK) {
        check(chat_template, file, path);
    }
    chat_template_destroy(chat_template);
    json_decref(file);
    return 1;
}

size_t support_real_templates(support_real_check *check)
{
    const char *data = getenv("WARD_TEST_DATA");
    char folder[PATH_BYTES / 2];
    snprintf(folder, sizeof folder, "%s/templates", data ? data : "../shared/data");
    DIR *directory = opendir(folder);
    size_t count = 0;
    if (!directory) {
        printf("skipped: no real templates in %s\n", folder);
        return 0;
    }
    for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
        const char *dot = strrchr(entry->d_name, '.');
        char path[PATH_BYTES];
        if (dot && strcmp(dot, ".json") == 0) {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            count += check_one(path, check);
        }
    }
    closedir(directory);
    return count;
}
