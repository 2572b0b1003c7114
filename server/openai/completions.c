/* completions.c - POST /v1/completions: its handler and how its answers are written. */
#include <string.h>

#include "base/utf8.h"
#include "server/openai/generation.h"
#include "server/openai/openai.h"
#include "server/openai/openai_format.h"

/* Each member of the legacy object is an array over the same entries. */
struct entries {
    const struct openai_choice *choice;
    uint32_t first, end;
};

static struct token_record token_of(const struct entries *entries, uint32_t entry)
{
    return token_log_token(entries->choice->terms->log, entries->choice->sequence, entry);
}

static void write_token_text(struct json_text *out, const struct entries *entries, uint32_t entry)
{
    char raw[TOKENIZER_PIECE_BYTES_MAX];
    if (openai_choice_is_hidden(entries->choice, entry)) {
        json_text_raw(out, "\"\"");
        return;
    }
    openai_format_token(out, entries->choice, token_of(entries, entry).id, raw);
}

static void write_logprob(struct json_text *out, const struct entries *entries, uint32_t entry)
{
    json_text_float(out, openai_choice_is_hidden(entries->choice, entry)
                             ? OPENAI_LOGPROB_HIDDEN
                             : token_of(entries, entry).logprob);
}

static void write_offset(struct json_text *out, const struct entries *entries, uint32_t entry)
{
    json_text_integer(out, entries->choice->marks[entry].start_characters);
}

/* True: an earlier one of tops, or first, reads the same, and an object has no member twice. */
static bool is_repeated(const struct openai_choice *choice, uint32_t first,
                        const struct token_record *tops, uint32_t at)
{
    char one[TOKENIZER_PIECE_BYTES_MAX], other[TOKENIZER_PIECE_BYTES_MAX];
    const struct tokenizer *tokenizer = choice->terms->tokenizer;
    const size_t length = tokenizer_token_bytes(tokenizer, tops[at].id, one);
    for (uint32_t i = 0; i <= at; i++) {
        const uint32_t id = i == 0 ? first : tops[i - 1].id;
        const size_t other_length = tokenizer_token_bytes(tokenizer, id, other);
        const bool both_broken = utf8_valid_bytes(one, length) != length
                                 && utf8_valid_bytes(other, other_length) != other_length;
        if (id == tops[at].id || both_broken
            || (length == other_length && memcmp(one, other, length) == 0)) {
            return true;
        }
    }
    return false;
}

/* The chosen token first, then the others. */
static void write_tops(struct json_text *out, const struct entries *entries, uint32_t entry)
{
    const struct openai_choice *choice = entries->choice;
    const struct token_record chosen = token_of(entries, entry);
    const struct token_record *tops;
    const uint32_t count = token_log_tops(choice->terms->log, choice->sequence, entry, &tops);
    char raw[TOKENIZER_PIECE_BYTES_MAX];
    if (openai_choice_is_hidden(choice, entry)) {
        json_text_raw(out, "{}");
        return;
    }
    json_text_raw(out, "{");
    openai_format_token(out, choice, chosen.id, raw);
    json_text_raw(out, ":");
    json_text_float(out, chosen.logprob);
    for (uint32_t i = 0; i < count; i++) {
        if (!is_repeated(choice, chosen.id, tops, i)
            && openai_choice_may_show(choice, tops[i].id)) {
            json_text_raw(out, ",");
            openai_format_token(out, choice, tops[i].id, raw);
            json_text_raw(out, ":");
            json_text_float(out, tops[i].logprob);
        }
    }
    json_text_raw(out, "}");
}

static void write_logprobs(struct json_text *out, const struct openai_choice *choice,
                           uint32_t entry_end)
{
    static const struct {
        const char *name;
        void (*write)(struct json_text *out, const struct entries *entries, uint32_t entry);
    } members[] = {
        {",\"logprobs\":{\"tokens\":[", write_token_text},
        {"],\"token_logprobs\":[", write_logprob},
        {"],\"top_logprobs\":[", write_tops},
        {"],\"text_offset\":[", write_offset},
    };
    if (!choice->terms->logprobs) {
        json_text_raw(out, ",\"logprobs\":null");
        return;
    }
    const struct entries entries = {choice, choice->told_entries, entry_end};
    for (size_t m = 0; m < sizeof members / sizeof members[0]; m++) {
        json_text_raw(out, members[m].name);
        for (uint32_t i = entries.first; i < entries.end; i++) {
            json_text_raw(out, i > entries.first ? "," : "");
            members[m].write(out, &entries, i);
        }
    }
    json_text_raw(out, "]}");
}

static void write_delta(struct json_text *out, const struct openai_choice *choice,
                        struct openai_telling telling)
{
    json_text_raw(out, ",\"text\":");
    json_text_string(out, choice->text.bytes, telling.text_bytes);
    write_logprobs(out, choice, telling.entry_end);
}

static void write_whole(struct json_text *out, const struct openai_choice *choice)
{
    write_delta(out, choice, openai_choice_telling(choice));
}

static void write_last(struct json_text *out)
{
    json_text_raw(out, ",\"text\":\"\",\"logprobs\":null");
}

const struct openai_format completions_format = {
    .id_prefix = "cmpl-",
    .object = "text_completion",
    .chunk_object = "text_completion",
    .max_tokens_default = 16, /* as the OpenAI API has it */
    .write_whole = write_whole,
    .write_delta = write_delta,
    .write_last = write_last,
};

void completions_handle(struct http_exchange *exchange, void *service)
{
    generation_start(exchange, service, OPENAI_COMPLETIONS);
}
