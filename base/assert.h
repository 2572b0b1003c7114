/* assert.h - ASSERT is on in every build: it stops the process where an invariant of ours broke.
 * Data from outside the process must never reach one. Nothing of the data is printed. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

void assert_failed(const char *expression, const char *file, int line) __attribute__((noreturn));

#define ASSERT(expression) ((expression) ? (void)0 : assert_failed(#expression, __FILE__, __LINE__))

#ifdef __cplusplus
}
#endif
