/* ready_probe.h - asks the server of this configuration on this machine whether it can answer: one
 * GET /readyz at the admin listener; where that has no fixed port (0), over TLS at the API's. The
 * certificate is not checked: it names the clinic's host, nothing secret is sent, and the answer is
 * one bit. Never takes longer than deadline_ms. */
#pragma once
#include <stdint.h>

#include "base/failure.h"
#include "server/config.h"

/* OK: it answered 200. STATUS_UNAVAILABLE: another answer, or nobody listens. STATUS_TIMEOUT.
 * STATUS_INVALID: neither listener has a fixed port. failure names the address that was asked. */
MUST_CHECK enum status ready_probe(const struct config *config, uint32_t deadline_ms,
                                   struct failure *failure);
