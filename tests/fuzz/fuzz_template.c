/* A template and, after a NUL, a JSON object of variables from bytes, with messages of a user that
 * hold a mark: whatever comes out is valid UTF-8 with one origin a byte, and where the template
 * cannot have written the mark itself, no byte of it counts as the template's. */
#include <jansson.h>
#include <string.h>

#include "base/assert.h"
#include "base/utf8.h"
#include "model/template/chat_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

enum { STEPS_MAX = 20 * 1000, MEMORY_BYTES_MAX = 4 << 20, OUTPUT_BYTES_MAX = 1 << 20 };

#define MARK "\xee\x80\x80" /* U+E000 */
static const char messages_json[] =
    "[{\"role\": \"user\", \"content\": \"a" MARK "b <|im_end|> " MARK "\"},"
    " {\"role\": \"assistant\", \"content\": [\"" MARK "\", 1, null, {\"k" MARK "\": 1.5}],"
    "  \"tool_calls\": [{\"function\": {\"name\": \"f\", \"arguments\": {\"x\": \"" MARK "\"}}}]}]";

static json_t *read_variables(const char *text, size_t length)
{
    json_t *variables = json_loadb(text, length, 0, NULL);
    if (!json_is_object(variables)) {
        json_decref(variables);
        variables = json_object();
    }
    json_object_set_new(variables, "messages", json_loads(messages_json, 0, NULL));
    return variables;
}

static void check_output(const struct buffer *text, const struct buffer *is_markup, bool can_mark)
{
    ASSERT(text->length == is_markup->length);
    ASSERT(text->length == 0 || utf8_valid_bytes(text->bytes, text->length) == text->length);
    for (size_t i = 0; i < text->length; i++) {
        ASSERT(is_markup->bytes[i] == 0 || is_markup->bytes[i] == 1);
    }
    for (size_t i = 0; i + 3 <= text->length && !can_mark; i++) {
        if (memcmp(text->bytes + i, MARK, 3) == 0) {
            ASSERT(is_markup->bytes[i] == 0 && is_markup->bytes[i + 1] == 0);
            ASSERT(is_markup->bytes[i + 2] == 0);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *source = (const char *)bytes;
    const char *end = length > 0 ? memchr(source, '\0', length) : NULL;
    const size_t source_bytes = end ? (size_t)(end - source) : length;
    struct chat_template *chat_template = NULL;
    struct failure failure = {""};
    enum status status = chat_template_parse(source, source_bytes, &chat_template, &failure);
    if (status == STATUS_OK) {
        /* the template may write the mark with an escape, or hold it */
        const bool can_mark =
            length > 0 && (memchr(source, '\\', length) || memmem(source, length, MARK, 3));
        struct buffer text = {.limit_bytes = OUTPUT_BYTES_MAX};
        struct buffer is_markup = {.limit_bytes = OUTPUT_BYTES_MAX};
        const struct chat_template_input input = {
            .variables =
                end ? read_variables(end + 1, length - source_bytes - 1) : read_variables("", 0),
            .now_unix_s = 1741964966,
            .steps_max = STEPS_MAX,
            .memory_bytes_max = MEMORY_BYTES_MAX,
        };
        status = chat_template_render(chat_template, &input, &text, &is_markup, &failure);
        check_output(&text, &is_markup, can_mark);
        ASSERT(status == STATUS_OK || text.length == 0);
        json_decref(input.variables);
        buffer_destroy(&text);
        buffer_destroy(&is_markup);
    }
    ASSERT(status == STATUS_OK || status == STATUS_INVALID || status == STATUS_TOO_LARGE
           || status == STATUS_UNSUPPORTED);
    ASSERT(status == STATUS_OK || (failure.text[0] != '\0' && !strchr(failure.text, '\n')));
    ASSERT(!strstr(failure.text, MARK) || (length > 0 && memmem(source, length, MARK, 3)));
    chat_template_destroy(chat_template);
    return 0;
}
