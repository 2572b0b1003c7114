/* options.h - the command line of one command as a table of rows: getopt_long's options, --help and
 * the errors come from it. Values point into argv. Main thread only. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/failure.h"

enum option_kind {
    OPTION_FLAG,   /* bool *out: true when given */
    OPTION_TEXT,   /* const char **out */
    OPTION_DEVICE, /* const char **out: as engine.device */
    OPTION_COUNT,  /* uint32_t *out, from min to max */
    OPTION_SEED,   /* uint64_t *out, any */
    OPTION_NUMBER, /* float *out, from min to max */
};

struct option_row {
    const char *name; /* "model" for --model */
    char letter;      /* 'm' for -m; 0: none */
    enum option_kind kind;
    void *out; /* keeps its value where the option is not given */
    double min, max;
    const char *value; /* how --help calls it: "DIR"; NULL for a flag */
    const char *help;
    bool is_required;
};

struct options {
    const char *usage;   /* "ward generate -m DIR -p TEXT [options]" */
    const char *summary; /* what it does: whole lines */
    const struct option_row *rows;
    size_t row_count; /* at most OPTIONS_MAX */
    int words_max;    /* arguments that are not options, e.g. of `ward key create NAME` */
};

enum { OPTIONS_MAX = 24, OPTIONS_READY = -1 };

#define OPTIONS_DEVICE_HELP "auto: a GPU if one answers, else the CPU; cpu; cuda (default auto)"

/* OPTIONS_READY, with *word the index of the first word in argv (argc: none); or the exit code: 0
 * after --help, 2 after a line that says what was wrong. word may be NULL. */
int options_read(const struct options *options, int argc, char **argv, int *word);

/* Print `ward: ...` on stderr and return the exit code: 1, 2. */
int options_failed(const struct failure *failure);
int options_wrong(const char *format, ...) __attribute__((format(printf, 1, 2)));
