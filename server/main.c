/* main.c - `ward`: one table of commands. */
#include <stdio.h>
#include <string.h>

#include "server/commands/commands.h"
#include "server/commands/options.h"

/* clang-format off */
static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"demo",       demo_main,       "a server with nothing configured, with a small bundled model"},
    {"serve",      serve_main,      "the server"},
    {"doctor",     doctor_main,     "what is wrong on this machine"},
    {"tenant",     tenant_main,     "add, set, list, disable, enable, remove a clinic"},
    {"key",        key_main,        "create, list, rotate, revoke a clinic's keys"},
    {"audit",      audit_main,      "verify, show, export the audit log"},
    {"policy",     policy_main,     "check, show, list rules: filters, crisis, duties"},
    {"generate",   generate_main,   "one completion without a server"},
    {"logits",     logits_main,     "logits of a list of token ids, raw float32"},
    {"tokenize",   tokenize_main,   "text on stdin to JSON ids"},
    {"detokenize", detokenize_main, "JSON ids on stdin to text"},
    {"template",   template_main,   "JSON messages on stdin to the prompt"},
    {"scan",       scan_main,       "identifiers and signs of a crisis in texts"},
    {"bench",      bench_main,      "speed of this machine with a model"},
};
/* clang-format on */

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_help(void)
{
    printf("usage: ward COMMAND [options]\n\n"
           "Ward serves a language model to many clinics over HTTPS.\n\ncommands:\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        printf("  %-12s %s\n", commands[i].name, commands[i].help);
    }
    printf("\n`ward COMMAND --help` prints a command's options, `ward --version` the version.\n");
}

/* What a command wrote must have arrived before it counts as done. */
static int finish(int code)
{
    if (fflush(stdout) != 0 && code == 0) {
        fputs("ward: standard output cannot be written\n", stderr);
        return 1;
    }
    return code;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return finish(commands[i].run(argc - 1, argv + 1));
        }
    }
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        print_help();
        return 0;
    }
    if (strcmp(name, "--version") == 0) {
        puts("ward " WARD_VERSION);
        return 0;
    }
    return name[0] ? options_wrong("there is no command %.40s; see ward --help", name)
                   : options_wrong("no command given; see ward --help");
}
