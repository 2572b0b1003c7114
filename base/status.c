#include "base/status.h"

#include "base/assert.h"

static const struct {
    const char *name, *text;
    int http_code;
    bool can_retry;
} table[STATUS_COUNT] = {
#define STATUS(name, http, retry, text) [STATUS_##name] = {#name, text, http, retry},
#include "base/status.def"
};

const char *status_name(enum status status)
{
    ASSERT((unsigned)status < STATUS_COUNT);
    return table[status].name;
}

const char *status_text(enum status status)
{
    ASSERT((unsigned)status < STATUS_COUNT);
    return table[status].text;
}

int status_http_code(enum status status)
{
    ASSERT((unsigned)status < STATUS_COUNT);
    return table[status].http_code;
}

bool status_can_retry(enum status status)
{
    ASSERT((unsigned)status < STATUS_COUNT);
    return table[status].can_retry;
}
