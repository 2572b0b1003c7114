/* generation.h - one chat or completions request from its body to its last byte: checks, limits,
 * submit, then a task that is stepped when the engine has written into its log. On the exchange's
 * I/O thread, but for abandon. Memory: one object a request, zeroed when the exchange is over. */
#pragma once
#include "server/http/http_server.h"
#include "server/openai/request/openai_request.h"

/* In a handler: replies with what is wrong, or leaves a task. */
void generation_start(struct http_exchange *exchange, void *context, enum openai_endpoint endpoint);
