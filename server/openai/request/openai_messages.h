/* openai_messages.h - the `messages` of a chat request, checked and brought into the one form that
 * chat templates are given: role, content as one string, name. Any thread. */
#pragma once
#include <jansson.h>

#include "server/openai/request/openai_fault.h"

/* A new array for the template. Text parts are joined by a newline, as vLLM does for templates that
 * take strings; the role `developer` becomes `system`, which is what templates know. */
MUST_CHECK enum status openai_messages_read(json_t *value, json_t **out,
                                            struct openai_fault *fault);
