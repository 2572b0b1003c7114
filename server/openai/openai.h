/* openai.h - the handlers of the OpenAI routes and of the two tokenizer routes, for the route
 * table. service is the struct service. They run on I/O threads and never block. */
#pragma once
#include "server/http/http_server.h"
#include "server/openai/request/openai_fault.h"
#include "server/service.h"

void chat_handle(struct http_exchange *exchange, void *service);
void completions_handle(struct http_exchange *exchange, void *service);
void models_handle_list(struct http_exchange *exchange, void *service);
void models_handle_one(struct http_exchange *exchange, void *service);
void tokenize_handle(struct http_exchange *exchange, void *context);
void tokenize_handle_back(struct http_exchange *exchange, void *context);
