/* redis_reply.h - commands and what their replies mean. Replies are the caller's to free
 * (freeReplyObject). One thread a connection. */
#pragma once
#include <hiredis/hiredis.h>

#include "base/failure.h"

/* The next reply, also an error reply. STATUS_UNAVAILABLE: the connection is lost or too slow. */
MUST_CHECK enum status redis_reply_next(redisContext *link, redisReply **out,
                                        struct failure *failure);

/* What an error reply means; STATUS_OK for any other. what: the command, for people.
 * STATUS_UNAVAILABLE: try again later. STATUS_UNAUTHENTICATED. STATUS_FORBIDDEN: the user lacks a
 * permission. STATUS_INVALID: the key holds something of another type. */
MUST_CHECK enum status redis_reply_judge(const redisReply *reply, const char *what,
                                         struct failure *failure);
bool redis_reply_is_error(const redisReply *reply, const char *begins);

/* One command of words, ended by NULL; *out is no error reply. */
MUST_CHECK enum status redis_reply_ask(redisContext *link, const char *const *words,
                                       redisReply **out, struct failure *failure);
/* The same where the reply says no more than that it worked. */
MUST_CHECK enum status redis_reply_do(redisContext *link, const char *const *words,
                                      struct failure *failure);

/* A stream's entries as XRANGE gives them. False: reply is no list of entries with fields. */
bool redis_reply_entry(const redisReply *reply, size_t index, const redisReply **id,
                       const redisReply **fields);
bool redis_reply_is_text(const redisReply *reply, const char *text);
