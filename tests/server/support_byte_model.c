#include "tests/server/support_byte_model.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* The character that stands for a byte in a byte-level vocabulary: itself where it can be printed,
 * else the next free one from U+0100 on. */
static uint32_t character_of(uint32_t byte)
{
    uint32_t next = 256;
    for (uint32_t b = 0; b < 256; b++) {
        const bool is_printed =
            (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || (b >= 174 && b <= 255);
        if (b == byte) {
            return is_printed ? b : next;
        }
        next += !is_printed;
    }
    return 0;
}

static bool write_tokenizer(struct buffer *out)
{
    static const char head[] =
        "{\"version\":\"1.0\",\"truncation\":null,\"padding\":null,\"added_tokens\":["
        "{\"id\":256,\"content\":\"<|mark|>\",\"single_word\":false,\"lstrip\":false,"
        "\"rstrip\":false,\"normalized\":false,\"special\":true},"
        "{\"id\":257,\"content\":\"<|end|>\",\"single_word\":false,\"lstrip\":false,"
        "\"rstrip\":false,\"normalized\":false,\"special\":true}],\"normalizer\":null,"
        "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
        "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
        "\"decoder\":{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,"
        "\"use_regex\":true},\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{";
    bool fits = buffer_append_text(out, head) == STATUS_OK;
    for (uint32_t byte = 0; byte < 256 && fits; byte++) {
        char character[5] = {0};
        utf8_encode(character_of(byte), character);
        const char *escape = byte == '"' || byte == '\\' ? "\\" : "";
        fits = buffer_format(out, "%s\"%s%s\":%u", byte > 0 ? "," : "", escape, character, byte)
               == STATUS_OK;
    }
    return fits && buffer_append_text(out, "}}}") == STATUS_OK;
}

bool byte_model_create(struct model *out)
{
    static const char template[] = "{% for m in messages %}<|mark|>{{ m.role }}:{{ m.content }}"
                                   "{% endfor %}{% if add_generation_prompt %}<|mark|>{% endif %}";
    struct failure failure = {""};
    struct buffer json = {.limit_bytes = 1 << 16};
    *out = (struct model){.name = "bytes", .digest = "0123456789abcdef"};
    out->config.vocabulary_count = BYTE_MODEL_VOCABULARY;
    out->config.eos_ids[0] = BYTE_MODEL_END;
    out->config.eos_count = 1;
    const bool is_made =
        write_tokenizer(&json)
        && tokenizer_parse(json.bytes, json.length, &out->tokenizer, &failure) == STATUS_OK
        && chat_template_parse(template, sizeof template - 1, &out->chat_template, &failure)
               == STATUS_OK;
    if (!is_made) {
        fprintf(stderr, "byte model: %s\n", failure.text);
    }
    buffer_destroy(&json);
    return is_made;
}

void byte_model_destroy(struct model *model)
{
    tokenizer_destroy(model->tokenizer);
    chat_template_destroy(model->chat_template);
}
