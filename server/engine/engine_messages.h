/* engine_messages.h - what travels between I/O threads and an engine: flat values, no pointers, so
 * that the engine can live in a process of its own. Private to the engine loop.
 *
 * Inbound: a ring message is a submit_message with its tokens behind it, or a cancel_message.
 * Outbound: a ring message is a batch of outbound_event, each with its top_count records behind. */
#pragma once
#include <stdint.h>

#include "server/engine/engine_loop.h"

enum inbound_kind { INBOUND_SUBMIT = 1, INBOUND_CANCEL };

struct submit_message {
    uint64_t kind, ticket;
    struct engine_request request;
};

struct sequence_set { /* of one request; sequence i is bit i */
    uint64_t bits[LIMIT_SAMPLES / 64];
};

struct cancel_message {
    uint64_t kind, ticket;
    struct sequence_set sequences;
};

enum outbound_kind {
    OUTBOUND_ADMISSION = 1, /* value: enum status */
    OUTBOUND_TOKEN,         /* value: the token's id */
    OUTBOUND_FINISHED,      /* value: enum scheduler_finish */
    OUTBOUND_LOST           /* the engine; no id */
};

struct outbound_event {
    uint64_t id; /* ticket, with the sequence in its low bits */
    uint32_t kind, value;
    float logprob;      /* TOKEN only, as is top_count */
    uint32_t top_count; /* of struct token_record that follow */
};

enum {
    OUTBOUND_EVENT_BYTES_MAX =
        sizeof(struct outbound_event) + LIMIT_TOP_LOGPROBS * sizeof(struct token_record),
    OUTBOUND_BATCH_BYTES = 32768
};

/* A request's id for the scheduler: serial, place in the table of tickets, sequence. */
enum { ID_SEQUENCE_BITS = 7, ID_PLACE_BITS = 13 };
_Static_assert(1 << ID_SEQUENCE_BITS == LIMIT_SAMPLES, "a sequence fits its bits");
_Static_assert(1 << ID_PLACE_BITS == ENGINE_LOOP_REQUESTS_MAX, "a place fits its bits");

static inline uint32_t id_sequence(uint64_t id)
{
    return (uint32_t)(id & (LIMIT_SAMPLES - 1));
}

static inline uint32_t id_place(uint64_t id)
{
    return (uint32_t)(id >> ID_SEQUENCE_BITS) & (ENGINE_LOOP_REQUESTS_MAX - 1);
}
