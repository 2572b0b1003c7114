/* logits.c - `ward logits`: what the model says after a list of ids, for comparison with other
 * engines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/solo.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "floats are written as they lie");

/* "1,2,3" into out, which has room for one id per two characters. 0: not such a list. */
static uint32_t read_ids(const char *text, uint32_t *out)
{
    uint32_t count = 0;
    for (;;) {
        uint64_t id = 0;
        if (*text < '0' || *text > '9') {
            return 0;
        }
        while (*text >= '0' && *text <= '9' && id <= UINT32_MAX) {
            id = 10 * id + (uint64_t)(*text++ - '0');
        }
        if (id > UINT32_MAX) {
            return 0;
        }
        out[count++] = (uint32_t)id;
        if (*text == '\0') {
            return count;
        }
        if (*text++ != ',') {
            return 0;
        }
    }
}

struct wanted {
    const char *device;
    const uint32_t *ids;
    uint32_t count;
    bool is_all; /* of every position */
};

static enum status write_logits(const struct model *model, const struct wanted *wanted,
                                struct failure *failure)
{
    const uint32_t count = wanted->count;
    struct solo solo;
    enum status status = solo_open(model, wanted->device, count, &solo, failure);
    if (status != STATUS_OK) {
        return status;
    }
    const size_t vocabulary = model->config.vocabulary_count;
    struct solo_sequence sequence = {wanted->ids, count, count, 0, solo_greedy()};
    if (engine_choice_keep_logits(solo.engine, wanted->is_all ? MODEL_ENGINE_LOGITS_EVERY
                                                              : MODEL_ENGINE_LOGITS_SAMPLED)
        != STATUS_OK) {
        status = fail(failure, STATUS_IO, "no memory for the logits");
    }
    while (status == STATUS_OK && sequence.computed_count < count) {
        struct engine_token token;
        const uint32_t rows = solo_step(&solo, &sequence, &token);
        const bool is_last = sequence.computed_count == count;
        const size_t row_count = wanted->is_all ? rows : (is_last ? 1 : 0);
        if (rows == 0) {
            status = fail(failure, STATUS_DEVICE, "the engine failed");
        } else if (fwrite(engine_choice_logits(solo.engine), vocabulary * sizeof(float), row_count,
                          stdout)
                   != row_count) {
            status = fail(failure, STATUS_IO, "standard output cannot be written");
        }
    }
    solo_close(&solo);
    return status;
}

static enum status run(const char *directory, const struct wanted *wanted, struct failure *failure)
{
    struct model *model = NULL;
    enum status status = model_open(directory, &model, failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (model_has_ids(model, wanted->ids, wanted->count)) {
        status = write_logits(model, wanted, failure);
    } else {
        status = fail(failure, STATUS_INVALID, "--ids: must all be below vocab_size %u",
                      model->config.vocabulary_count);
    }
    model_close(model);
    return status;
}

int logits_main(int argc, char **argv)
{
    const char *directory = NULL;
    const char *list = NULL;
    struct wanted wanted = {.device = "auto"};
    const struct option_row rows[] = {
        {"model", 'm', OPTION_TEXT, &directory, 0, 0, "DIR", "Hugging Face model directory", true},
        {"ids", 0, OPTION_TEXT, &list, 0, 0, "1,2,3", "token ids", true},
        {"device", 0, OPTION_DEVICE, &wanted.device, 0, 0, "D", OPTIONS_DEVICE_HELP, false},
        {"all", 0, OPTION_FLAG, &wanted.is_all, 0, 0, NULL, "of every position, not the last",
         false},
    };
    const struct options options = {
        "ward logits -m DIR --ids 1,2,3 [--all] [--device D]",
        "Writes float32 logits, raw little-endian, [position][vocabulary], to standard output.",
        rows, sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    uint32_t *ids = malloc((strlen(list) / 2 + 1) * sizeof *ids);
    const uint32_t count = ids ? read_ids(list, ids) : 0;
    struct failure failure = {"no memory"};
    int result = 1;
    if (count == 0) {
        result =
            ids ? options_wrong("--ids: must be token ids, e.g. 1,2,3") : options_failed(&failure);
    } else {
        wanted.ids = ids;
        wanted.count = count;
        const enum status status = run(directory, &wanted, &failure);
        result = status == STATUS_OK ? 0 : options_failed(&failure);
    }
    free(ids);
    return result;
}
