/* check.h - the test framework: CHECK in a table or a loop, CHECK_MAIN with the test functions.
 * A failed CHECK prints and counts; the process exits 1 at the end. One binary a file. */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

static int check_failures;

__attribute__((format(printf, 5, 6))) static inline void
check_that(bool holds, const char *file, int line, const char *condition, const char *format, ...)
{
    if (!holds && ++check_failures <= 20) {
        va_list arguments;
        va_start(arguments, format);
        fprintf(stderr, "%s:%d: %s: ", file, line, condition);
        vfprintf(stderr, format, arguments);
        fputc('\n', stderr);
        va_end(arguments);
    }
}

#define CHECK(condition, ...) check_that((condition), __FILE__, __LINE__, #condition, __VA_ARGS__)

#define CHECK_MAIN(...)                                               \
    int main(void)                                                    \
    {                                                                 \
        void (*const tests[])(void) = {__VA_ARGS__};                  \
        for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) { \
            tests[i]();                                               \
        }                                                             \
        if (check_failures > 0) {                                     \
            fprintf(stderr, "%d checks failed\n", check_failures);    \
        }                                                             \
        return check_failures > 0;                                    \
    }
