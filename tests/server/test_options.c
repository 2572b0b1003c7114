/* Method: one row per command line; the exit code and the values must be as given. What the helper
 * prints about wrong use goes to the test's log. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "server/commands/options.h"
#include "tests/check.h"

enum { WORDS_MAX = 8 };

struct values {
    const char *text;
    uint32_t count;
    uint64_t seed;
    float number;
    bool flag;
};

static const struct {
    const char *words[WORDS_MAX]; /* after the command's name */
    int code;
    struct values want;
    int words_left;
} cases[] = {
    {{"-t", "a"}, OPTIONS_READY, {"a", 5, 0, 0.5F, false}, 0},
    {{"--text=a", "--count", "7", "--flag"}, OPTIONS_READY, {"a", 7, 0, 0.5F, true}, 0},
    {{"one", "-ta", "-fc", "10"}, OPTIONS_READY, {"a", 10, 0, 0.5F, true}, 1},
    {{"-t", "a", "--", "-f"}, OPTIONS_READY, {"a", 5, 0, 0.5F, false}, 1},
    {{"-t", "", "--number", "1e-1"}, OPTIONS_READY, {"", 5, 0, 0.1F, false}, 0},
    {{"-t", "a", "--seed", "18446744073709551615"},
     OPTIONS_READY,
     {"a", 5, UINT64_MAX, 0.5F, false},
     0},
    {{"--help"}, 0, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-h"}, 0, {NULL, 0, 0, 0, false}, 0},
    {{NULL}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"--count"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-x"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--unknown"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--flag=1"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "one", "two"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-c", "0"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-c", "11"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-c", "-1"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-c", "1x"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-c", " 1"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "-c", "4294967297"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--number", "nan"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--number", "1.5"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--number", ""}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--seed", "18446744073709551616"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--seed", "-1"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--device", "cpu"}, OPTIONS_READY, {"cpu", 5, 0, 0.5F, false}, 0},
    {{"-t", "a", "--device", "gpu"}, 2, {NULL, 0, 0, 0, false}, 0},
    {{"-t", "a", "--device", ""}, 2, {NULL, 0, 0, 0, false}, 0},
};

static void check_case(size_t number)
{
    struct values got = {NULL, 5, 0, 0.5F, false};
    const struct option_row rows[] = {
        {"text", 't', OPTION_TEXT, &got.text, 0, 0, "TEXT", "a text", true},
        {"count", 'c', OPTION_COUNT, &got.count, 1, 10, "N", "a count", false},
        {"seed", 0, OPTION_SEED, &got.seed, 0, 0, "S", "a seed", false},
        {"number", 0, OPTION_NUMBER, &got.number, 0, 1, "X", "a number", false},
        {"device", 0, OPTION_DEVICE, &got.text, 0, 0, "D", "a device", false},
        {"flag", 'f', OPTION_FLAG, &got.flag, 0, 0, NULL, "a flag", false},
    };
    const struct options options = {"ward test -t TEXT [WORD]", "A test.", rows,
                                    sizeof rows / sizeof rows[0], 1};
    char texts[WORDS_MAX + 1][32] = {"test"};
    char *argv[WORDS_MAX + 2] = {texts[0]};
    int argc = 1;
    for (int i = 0; i < WORDS_MAX && cases[number].words[i]; i++, argc++) {
        snprintf(texts[argc], sizeof texts[argc], "%s", cases[number].words[i]);
        argv[argc] = texts[argc];
    }
    int word = 0;
    const int code = options_read(&options, argc, argv, &word);
    const struct values *want = &cases[number].want;
    CHECK(code == cases[number].code, "case %zu: code %d", number, code);
    if (code == OPTIONS_READY) {
        CHECK(got.text && strcmp(got.text, want->text) == 0, "case %zu: text", number);
        CHECK(got.count == want->count && got.seed == want->seed, "case %zu: numbers", number);
        CHECK(fabsf(got.number - want->number) < 1e-6F, "case %zu: number", number);
        CHECK(got.flag == want->flag, "case %zu: flag", number);
        CHECK(argc - word == cases[number].words_left, "case %zu: words", number);
    }
}

static void every_command_line_is_read_or_refused(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check_case(i);
    }
}

CHECK_MAIN(every_command_line_is_read_or_refused)
