/* second_read.h - asks the hosted model one question about a conversation before it is answered: is
 * this person in danger? One token, yes or no. It can raise what the grammar found, never lower it;
 * whatever goes wrong leaves that as it was. The prompt begins as the conversation's own does, so
 * that a prefix cache serves it. On the request's I/O thread, but for cancel. */
#pragma once
#include <stdatomic.h>

#include "server/openai/request/openai_prompt.h"
#include "server/service.h"

struct second_read { /* start from {0}; end it in any case */
    struct engine_loop *engine_loop;
    struct token_log *log;
    uint32_t yes_id, no_id;
    _Atomic uint64_t ticket; /* 0: none */
};

/* handle is woken when there is an answer. A status that is not OK: there will be none. */
MUST_CHECK enum status second_read_begin(struct second_read *read, struct service *service,
                                         const struct openai_request *request,
                                         struct tenant_id tenant, uint64_t handle);

enum second_read_answer {
    SECOND_READ_WAITING,
    SECOND_READ_NO,
    SECOND_READ_YES,
    SECOND_READ_FAILED
};
enum second_read_answer second_read_look(const struct second_read *read);

void second_read_cancel(struct second_read *read); /* any thread; end it all the same */
void second_read_end(struct second_read *read);    /* gives back what it holds; also after {0} */
