/* An instrument's file and a person's answers from bytes: what is accepted can be asked to its end,
 * states stay within the items, the result is the sum; answers of a shipped one are read alike
 * whatever they are. The first byte says which of both the rest is. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "policy/instruments/instrument.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { TURN_BYTES_MAX = 4 << 20, ANSWERS_MAX = 12 };

static void check_state(const struct instrument *instrument, const struct instrument_state *state)
{
    struct buffer out = {.limit_bytes = TURN_BYTES_MAX};
    ASSERT(instrument_next(instrument, state, &out) == STATUS_OK && out.length > 0);
    ASSERT(instrument_json(instrument, state, &out) == STATUS_OK);
    buffer_destroy(&out);
    uint32_t sum = 0;
    for (uint32_t i = 0; i < state->answer_count; i++) {
        sum += state->answers[i];
    }
    const struct instrument_result result = instrument_score(instrument, state);
    ASSERT(result.score == sum && sum <= result.score_max);
    ASSERT(result.is_complete == (result.band != NULL)
           && !(result.is_complete && state->is_declined));
    ASSERT(state->asked_again <= INSTRUMENT_ASKED_AGAIN_MAX);
    ASSERT(state->answer_count == state->item && state->item <= INSTRUMENT_ITEMS_MAX);
}

/* Lines are answers; the same lines give the same state. */
static void answer_lines(const struct instrument *instrument, const char *text, size_t length)
{
    struct instrument_state state = {0};
    for (int i = 0; i < ANSWERS_MAX && length > 0; i++) {
        const char *end = memchr(text, '\n', length);
        const size_t line = end ? (size_t)(end - text) : length;
        uint32_t first = 0, second = 0;
        const enum answer_verdict verdict = instrument_read(instrument, text, line, &first);
        ASSERT(instrument_read(instrument, text, line, &second) == verdict && first == second);
        instrument_answer(instrument, &state, text, line);
        check_state(instrument, &state);
        const size_t taken = end ? line + 1 : line;
        text += taken;
        length -= taken;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct instrument *shipped;
    struct failure failure = {""};
    if (!shipped) {
        const enum status status = instrument_create("phq-9", &shipped, &failure);
        ASSERT(status == STATUS_OK);
    }
    if (length == 0) {
        return 0;
    }
    char *copy = malloc(length); /* exact for the sanitizer */
    ASSERT(copy);
    memcpy(copy, bytes + 1, length - 1);
    struct instrument *parsed = NULL;
    if (bytes[0] % 2 == 0) {
        answer_lines(shipped, copy, length - 1);
    } else if (instrument_parse(copy, length - 1, "x.yaml", &parsed, &failure) == STATUS_OK) {
        static const char answers[] = "0\n1\nno\nyes\nnever\n0\n0\n1\n1";
        answer_lines(parsed, answers, sizeof answers - 1);
    } else {
        ASSERT(failure.text[0] != '\0'
               && utf8_valid_bytes(failure.text, strlen(failure.text)) == strlen(failure.text));
    }
    instrument_destroy(parsed);
    free(copy);
    return 0;
}
