#include "server/commands/state_verbs.h"

#include <stdio.h>
#include <string.h>

#include "server/state_directory.h"

const char *state_verbs_directory;

static int run(const struct state_verb *verb, const char *command, int argc, char **argv)
{
    const struct options options = {.usage = verb->usage,
                                    .summary = verb->summary,
                                    .rows = verb->rows,
                                    .row_count = verb->row_count,
                                    .words_max = verb->word ? 1 : 0};
    int word = 0;
    const int code = options_read(&options, argc, argv, &word);
    if (code != OPTIONS_READY) {
        return code;
    }
    if (verb->word && word == argc) {
        return options_wrong("%s %s needs a %s; see ward %s %s --help", command, verb->name,
                             verb->word, command, verb->name);
    }
    char directory[STATE_DIRECTORY_BYTES];
    struct failure failure = {""};
    struct auth *auth = NULL;
    enum status status = state_directory_find(state_verbs_directory, directory, &failure);
    if (status == STATUS_OK) {
        status = auth_open(directory, &auth, &failure);
    }
    if (status == STATUS_OK) {
        status = verb->run(auth, verb->word ? argv[word] : NULL, &failure);
    }
    auth_close(auth);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}

int state_verbs_main(const struct state_verb *verbs, size_t count, int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < count; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return run(&verbs[i], argv[0], argc - 1, argv + 1);
        }
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        printf("usage: ward %s VERB [options]\n\n", argv[0]);
        for (size_t i = 0; i < count; i++) {
            printf("  %s\n      %s\n", verbs[i].usage, verbs[i].summary);
        }
        printf("\n`ward %s VERB --help` prints a verb's options.\n", argv[0]);
        return 0;
    }
    return name[0] ? options_wrong("%s: there is no verb %.40s; see ward %s --help", argv[0], name,
                                   argv[0])
                   : options_wrong("%s: a verb is needed; see ward %s --help", argv[0], argv[0]);
}
