/* status.h - the one error type. Fallible functions return it; results leave through out params.
 * A status is an expected outcome the caller must handle. A broken invariant is an ASSERT. */
#pragma once
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum status {
#define STATUS(name, http, retry, text) STATUS_##name,
#include "base/status.def"
    STATUS_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))

const char *status_name(enum status status); /* "INVALID": stable, for logs */
const char *status_text(enum status status);
int status_http_code(enum status status);
bool status_can_retry(enum status status);

#ifdef __cplusplus
}
#endif
