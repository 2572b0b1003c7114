/* reply.h - from an answer to MHD; the public half is in http_server.h. */
#pragma once
#include "server/http/http_private.h"

/* The error that the exchange was refused with. */
void reply_refusal(struct http_exchange *exchange);
