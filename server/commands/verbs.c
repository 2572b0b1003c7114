#include "server/commands/verbs.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

static int run_on_state(const struct verb *verb, const char *word)
{
    struct failure failure = {""};
    struct state state;
    enum status status = state_open(&state, &failure);
    if (status == STATUS_OK) {
        status = verb->run_on_state(&state, word, &failure);
    }
    state_close(&state);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

enum { WORDS_MAX = 256 };

static int run(const struct verb *verb, const char *command, int argc, char **argv)
{
    const struct options options = {.usage = verb->usage,
                                    .summary = verb->summary,
                                    .rows = verb->rows,
                                    .row_count = verb->row_count,
                                    .words_max = verb->run_words ? WORDS_MAX
                                                 : verb->word    ? 1
                                                                 : 0};
    int word = 0;
    ASSERT((verb->run != NULL) + (verb->run_on_state != NULL) + (verb->run_words != NULL) == 1);
    int code = options_read(&options, argc, argv, &word);
    if (code != OPTIONS_READY) {
        return code;
    }
    if (verb->word && word == argc) {
        return options_wrong("%s %s needs a %s; see ward %s %s --help", command, verb->name,
                             verb->word, command, verb->name);
    }
    code = verb->check ? verb->check() : OPTIONS_READY;
    if (code != OPTIONS_READY) {
        return code;
    }
    if (verb->run_words) {
        return verb->run_words(argc - word, argv + word);
    }
    const char *given = verb->word ? argv[word] : NULL;
    return verb->run ? verb->run(given) : run_on_state(verb, given);
}

/* The summary's first paragraph, indented. */
static void print_paragraph(const char *summary)
{
    const char *end = strstr(summary, "\n\n");
    end = end ? end : summary + strlen(summary);
    for (size_t line = 0; summary < end; summary += line + 1) {
        line = strcspn(summary, "\n");
        printf("      %.*s\n", (int)line, summary);
    }
}

static void print_help(const struct verb *verbs, size_t count, const char *command,
                       const char *guide)
{
    printf("usage: ward %s VERB [options]\n\n", command);
    for (size_t i = 0; i < count; i++) {
        printf("  %s\n", verbs[i].usage);
        print_paragraph(verbs[i].summary);
    }
    printf("\n%s%s`ward %s VERB --help` prints a verb's options.\n", guide ? guide : "",
           guide ? "\n" : "", command);
}

int verbs_main(const struct verb *verbs, size_t count, const char *guide, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return run(&verbs[i], argv[0], argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        print_help(verbs, count, argv[0], guide);
        return 0;
    }
    return name[0] ? options_wrong("%s: there is no verb %.40s; see ward %s --help", argv[0], name,
                                   argv[0])
                   : options_wrong("%s: a verb is needed; see ward %s --help", argv[0], argv[0]);
}
