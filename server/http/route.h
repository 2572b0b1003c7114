/* route.h - which handler a request gets, and whether it may have it. */
#pragma once
#include "server/http/http_private.h"

/* Fills in the exchange's route, identity and refusal (http_code 0: it may go on). Nobody without a
 * valid key learns which paths exist, but for those that are open. */
void route_decide(struct http_exchange *exchange, const char *method, const char *path);
