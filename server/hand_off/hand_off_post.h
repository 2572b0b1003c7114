/* hand_off_post.h - one event to one webhook, signed as Standard Webhooks 1.0.0 has it: webhook-id,
 * webhook-timestamp, webhook-signature "v1,<base64 of HMAC-SHA256(secret, id.timestamp.body)>". */
#pragma once
#include <curl/curl.h>
#include <stdatomic.h>

#include "server/hand_off/hand_off.h"

enum { HAND_OFF_TIMEOUT_MS = 5000, HAND_OFF_SECRET_BYTES_MAX = 256 };

/* https, or http to loopback. */
bool hand_off_post_takes(const char *url);

/* The body: {"type":"crisis","timestamp":...,"data":{...}}. */
MUST_CHECK enum status hand_off_post_body(const struct hand_off_event *event, struct buffer *out);

/* STATUS_OK: answered 2xx. Else failure says what came, without the address's query. Ends early
 * when *is_stopping becomes true. */
MUST_CHECK enum status hand_off_post_send(CURL *curl, const struct rules *rules,
                                          const struct hand_off_event *event, int64_t now_unix_s,
                                          const atomic_bool *is_stopping, struct failure *failure);
