#include "server/commands/options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "server/engine_choice.h"

enum {
    HELP_VALUE = 256,
    LONG_VALUE = 512,
    LABEL_BYTES = 48,
    LABEL_COLUMNS = 26,
    COMMAND_NAME_BYTES = 48
};

/* ---- errors ---------------------------------------------------------------------------------- */

int options_failed(const struct failure *failure)
{
    fprintf(stderr, "ward: %s\n", failure->text);
    return 1;
}

int options_wrong(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("ward: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return 2;
}

/* ---- help ------------------------------------------------------------------------------------ */

static void print_row(char letter, const char *name, const char *value, const char *help)
{
    char label[LABEL_BYTES];
    char short_name[8] = "    ";
    if (letter) {
        snprintf(short_name, sizeof short_name, "-%c, ", letter);
    }
    snprintf(label, sizeof label, "%s--%s%s%s", short_name, name, value ? " " : "",
             value ? value : "");
    printf("  %-*s %s\n", LABEL_COLUMNS, label, help);
}

static void print_help(const struct options *options)
{
    printf("usage: %s\n\n%s\n\noptions:\n", options->usage, options->summary);
    for (size_t i = 0; i < options->row_count; i++) {
        const struct option_row *row = &options->rows[i];
        print_row(row->letter, row->name, row->value, row->help);
    }
    print_row('h', "help", NULL, "print this");
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_count(const struct option_row *row, const char *text)
{
    char *end = NULL;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    const bool is_number = text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
    if (is_number && row->kind == OPTION_SEED) {
        *(uint64_t *)row->out = value;
        return true;
    }
    if (is_number && (double)value >= row->min && (double)value <= row->max) {
        *(uint32_t *)row->out = (uint32_t)value;
        return true;
    }
    return false;
}

static bool read_number(const struct option_row *row, const char *text)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(value) || value < row->min || value > row->max) {
        return false;
    }
    *(float *)row->out = (float)value;
    return true;
}

static bool read_value(const struct option_row *row, const char *text)
{
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->out = true;
        return true;
    case OPTION_TEXT:
        *(const char **)row->out = text;
        return true;
    case OPTION_DEVICE:
        *(const char **)row->out = text;
        return engine_choice_knows_device(text);
    case OPTION_COUNT:
    case OPTION_SEED:
        return read_count(row, text);
    case OPTION_NUMBER:
        break;
    }
    ASSERT(row->kind == OPTION_NUMBER);
    return read_number(row, text);
}

static int refuse_value(const struct option_row *row, const char *text)
{
    if (row->kind == OPTION_DEVICE) {
        return options_wrong("--%s %.40s: must be auto, cpu or cuda", row->name, text);
    }
    const char *kind = row->kind == OPTION_NUMBER ? "a number" : "a whole number";
    if (row->kind == OPTION_SEED) {
        return options_wrong("--%s %.40s: must be %s from 0", row->name, text, kind);
    }
    return options_wrong("--%s %.40s: must be %s from %.10g to %.10g", row->name, text, kind,
                         row->min, row->max);
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct option_row *find_row(const struct options *options, int value)
{
    for (size_t i = 0; i < options->row_count; i++) {
        if (value == LONG_VALUE + (int)i
            || (value < HELP_VALUE && options->rows[i].letter == value)) {
            return &options->rows[i];
        }
    }
    return NULL;
}

/* getopt's two descriptions of the same rows; '+' is absent, so options may stand after words. */
static void describe(const struct options *options, struct option *longs, char *shorts)
{
    *shorts++ = ':'; /* tell a missing value from an unknown option */
    for (size_t i = 0; i < options->row_count; i++) {
        const struct option_row *row = &options->rows[i];
        const bool has_value = row->kind != OPTION_FLAG;
        longs[i] = (struct option){row->name, has_value ? required_argument : no_argument, NULL,
                                   LONG_VALUE + (int)i};
        if (row->letter) {
            *shorts++ = row->letter;
            if (has_value) {
                *shorts++ = ':';
            }
        }
    }
    longs[options->row_count] = (struct option){"help", no_argument, NULL, HELP_VALUE};
    longs[options->row_count + 1] = (struct option){NULL, 0, NULL, 0};
    memcpy(shorts, "h", 2);
}

/* "key create" of the usage "ward key create --tenant NAME [options]": the words before the first
 * that is an option or a value. */
static void name_command(const struct options *options, char out[COMMAND_NAME_BYTES])
{
    const char *from = options->usage + strlen("ward ");
    size_t length = strcspn(from, " ");
    while (from[length] == ' ' && islower((unsigned char)from[length + 1])) {
        length += 1 + strcspn(from + length + 1, " ");
    }
    snprintf(out, COMMAND_NAME_BYTES, "%.*s", (int)length, from);
}

/* What remains after the options: enough words, and every option that must be there. */
static int check_rest(const struct options *options, const bool *is_given, int argc, char **argv)
{
    char name[COMMAND_NAME_BYTES];
    name_command(options, name);
    for (size_t i = 0; i < options->row_count; i++) {
        if (options->rows[i].is_required && !is_given[i]) {
            return options_wrong("%s needs --%s %s; see ward %s --help", name,
                                 options->rows[i].name, options->rows[i].value, name);
        }
    }
    if (argc - optind > options->words_max) {
        return options_wrong("%s: %.80s is not expected; see ward %s --help", name,
                             argv[optind + options->words_max], name);
    }
    return OPTIONS_READY;
}

int options_read(const struct options *options, int argc, char **argv, int *word)
{
    struct option longs[OPTIONS_MAX + 2];
    char shorts[2 * OPTIONS_MAX + 3];
    bool is_given[OPTIONS_MAX] = {false};
    char name[COMMAND_NAME_BYTES];
    name_command(options, name);
    ASSERT(options->row_count <= OPTIONS_MAX);
    describe(options, longs, shorts);
    opterr = 0;
    optind = 0; /* starts a new scan */
    for (;;) {
        const int value = getopt_long(argc, argv, shorts, longs, NULL);
        if (value == -1) {
            break;
        }
        if (value == 'h' || value == HELP_VALUE) {
            print_help(options);
            return 0;
        }
        const struct option_row *row = find_row(options, value);
        if (value == ':') {
            return options_wrong("%s: %s needs a value; see ward %s --help", name, argv[optind - 1],
                                 name);
        }
        if (!row) {
            return options_wrong("%s: unknown option %.80s; see ward %s --help", name,
                                 argv[optind - 1], name);
        }
        if (!read_value(row, optarg)) {
            return refuse_value(row, optarg);
        }
        is_given[row - options->rows] = true;
    }
    if (word) {
        *word = optind;
    }
    return check_rest(options, is_given, argc, argv);
}
