#include "server/openai/request/openai_fault.h"

#include <stdarg.h>
#include <stdio.h>

enum status openai_fault_set(struct openai_fault *fault, const char *param, const char *code,
                             const char *format, ...)
{
    fault->http_code = 400;
    fault->code = code;
    snprintf(fault->param, sizeof fault->param, "%s", param);
    char text[FAILURE_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return fail(&fault->failure, STATUS_INVALID, "%s", text);
}

enum status openai_fault_must(struct openai_fault *fault, const char *param, const char *what)
{
    return openai_fault_set(fault, param, "invalid_value", "%s must be %s", param, what);
}
