/* chat.c - POST /v1/chat/completions: its handler and how its answers are written. */
#include "server/openai/generation.h"
#include "server/openai/openai.h"
#include "server/openai/openai_format.h"

static void write_token(struct json_text *out, const struct openai_choice *choice,
                        struct token_record token)
{
    char raw[TOKENIZER_PIECE_BYTES_MAX];
    json_text_raw(out, "{\"token\":");
    const size_t length = openai_format_token(out, choice, token.id, raw);
    json_text_raw(out, ",\"logprob\":");
    json_text_float(out, token.logprob);
    json_text_raw(out, ",\"bytes\":[");
    for (size_t i = 0; i < length; i++) {
        json_text_raw(out, i > 0 ? "," : "");
        json_text_integer(out, (unsigned char)raw[i]);
    }
    json_text_raw(out, "]");
}

/* A token of text that the tenant's rules changed. */
static void write_hidden(struct json_text *out)
{
    json_text_raw(out, "{\"token\":\"\",\"logprob\":");
    json_text_float(out, OPENAI_LOGPROB_HIDDEN);
    json_text_raw(out, ",\"bytes\":[],\"top_logprobs\":[]}");
}

static void write_entry(struct json_text *out, const struct openai_choice *choice, uint32_t entry)
{
    const struct token_log *log = choice->terms->log;
    write_token(out, choice, token_log_token(log, choice->sequence, entry));
    json_text_raw(out, ",\"top_logprobs\":[");
    const struct token_record *tops;
    const uint32_t top_count = token_log_tops(log, choice->sequence, entry, &tops);
    bool is_first = true;
    for (uint32_t t = 0; t < top_count; t++) {
        if (openai_choice_may_show(choice, tops[t].id)) {
            json_text_raw(out, is_first ? "" : ",");
            write_token(out, choice, tops[t]);
            json_text_raw(out, "}");
            is_first = false;
        }
    }
    json_text_raw(out, "]}");
}

static void write_logprobs(struct json_text *out, const struct openai_choice *choice,
                           uint32_t entry_end)
{
    if (!choice->terms->logprobs) {
        json_text_raw(out, ",\"logprobs\":null");
        return;
    }
    json_text_raw(out, ",\"logprobs\":{\"content\":[");
    for (uint32_t i = choice->told_entries; i < entry_end; i++) {
        json_text_raw(out, i > choice->told_entries ? "," : "");
        if (openai_choice_is_hidden(choice, i)) {
            write_hidden(out);
        } else {
            write_entry(out, choice, i);
        }
    }
    json_text_raw(out, "],\"refusal\":null}");
}

static void write_whole(struct json_text *out, const struct openai_choice *choice)
{
    const struct openai_telling all = openai_choice_telling(choice);
    json_text_raw(out, ",\"message\":{\"role\":\"assistant\",\"content\":");
    json_text_string(out, choice->text.bytes, all.text_bytes);
    json_text_raw(out, ",\"refusal\":null}");
    write_logprobs(out, choice, all.entry_end);
}

static void write_first(struct json_text *out)
{
    json_text_raw(out, ",\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"
                       "\"logprobs\":null");
}

static void write_delta(struct json_text *out, const struct openai_choice *choice,
                        struct openai_telling telling)
{
    json_text_raw(out, ",\"delta\":{\"content\":");
    json_text_string(out, choice->text.bytes, telling.text_bytes);
    json_text_raw(out, "}");
    write_logprobs(out, choice, telling.entry_end);
}

static void write_last(struct json_text *out)
{
    json_text_raw(out, ",\"delta\":{},\"logprobs\":null");
}

const struct openai_format chat_format = {
    .id_prefix = "chatcmpl-",
    .object = "chat.completion",
    .chunk_object = "chat.completion.chunk",
    .write_whole = write_whole,
    .write_first = write_first,
    .write_delta = write_delta,
    .write_last = write_last,
};

void chat_handle(struct http_exchange *exchange, void *service)
{
    generation_start(exchange, service, OPENAI_CHAT);
}
