/* From the files to a tokenizer. Ids and texts are settled first, because every other part refers
 * to them. */
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "model/tokenizer/tokenizer_parts.h"

enum { FILE_BYTES_MAX = 128 << 20, CONFIG_BYTES_MAX = 16 << 20 };

/* ---- vocabulary ----------------------------------------------------------------------------- */

struct sizes {
    uint32_t count; /* highest id + 1 */
    size_t texts_bytes;
};

static enum status count_token(struct sizes *sizes, const char *text, const json_t *id,
                               const char *place, struct failure *failure)
{
    const size_t length = text ? strlen(text) : 0;
    if (!text || length > TOKENIZER_PIECE_BYTES_MAX) {
        return fail(failure, STATUS_INVALID, "%s: a token is longer than %d bytes or no text",
                    place, TOKENIZER_PIECE_BYTES_MAX);
    }
    const json_int_t value = json_integer_value(id);
    if (!json_is_integer(id) || value < 0 || value >= LIMIT_VOCABULARY) {
        return fail(failure, STATUS_INVALID, "%s: the id of \"%.64s\" must be 0 to %d", place, text,
                    LIMIT_VOCABULARY - 1);
    }
    sizes->count = value >= (json_int_t)sizes->count ? (uint32_t)value + 1 : sizes->count;
    sizes->texts_bytes += length + 1;
    return STATUS_OK;
}

static enum status measure(json_t *vocab, const json_t *added, struct sizes *sizes,
                           struct failure *failure)
{
    const char *text = NULL;
    const json_t *id = NULL;
    enum status status = STATUS_OK;
    if (json_object_size(vocab) + json_array_size(added) > LIMIT_VOCABULARY) {
        return fail(failure, STATUS_TOO_LARGE, "model: vocab has more than %d tokens",
                    LIMIT_VOCABULARY);
    }
    for (void *at = json_object_iter(vocab); at && status == STATUS_OK;
         at = json_object_iter_next(vocab, at)) {
        text = json_object_iter_key(at);
        id = json_object_iter_value(at);
        status = count_token(sizes, text, id, "model: vocab", failure);
    }
    for (size_t i = 0; i < json_array_size(added) && status == STATUS_OK; i++) {
        const json_t *token = json_array_get(added, i);
        text = json_string_value(json_object_get(token, "content"));
        id = json_object_get(token, "id");
        status = count_token(sizes, text, id, "added_tokens", failure);
    }
    return status;
}

static enum status fill_vocabulary(struct tokenizer *tokenizer, json_t *vocab, const json_t *added,
                                   struct failure *failure)
{
    struct sizes sizes = {0};
    enum status status = measure(vocab, added, &sizes, failure);
    if (status != STATUS_OK) {
        return status;
    }
    if (sizes.count == 0) {
        return fail(failure, STATUS_INVALID, "model: vocab is missing or empty");
    }
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    status = vocabulary_create(sizes.count, sizes.texts_bytes, vocabulary);
    if (status != STATUS_OK) {
        return fail(failure, status, "no memory for the vocabulary");
    }
    for (void *at = json_object_iter(vocab); at; at = json_object_iter_next(vocab, at)) {
        const char *text = json_object_iter_key(at);
        const uint32_t id = (uint32_t)json_integer_value(json_object_iter_value(at));
        if (vocabulary_add(vocabulary, id, text, strlen(text)) != STATUS_OK) {
            return fail(failure, STATUS_INVALID, "model: vocab has the id %u twice", id);
        }
    }
    return STATUS_OK;
}

/* ---- added tokens --------------------------------------------------------------------------- */

static enum status push_added(struct tokenizer *tokenizer, const struct added_token *token,
                              const char *text, bool is_normalized, struct failure *failure)
{
    if (!is_normalized) {
        const enum status status = added_tokens_push(&tokenizer->exact, token, text, strlen(text));
        return status ? fail(failure, status, "no memory for added tokens") : STATUS_OK;
    }
    struct pattern_matcher *matcher = NULL;
    struct marked_text scratch[2] = {0};
    struct marked_span normal;
    const struct marked_span in = {text, NULL, strlen(text)};
    enum status status = pattern_matcher_create(&matcher);
    status =
        status ? status : normalizer_run(&tokenizer->normalizer, matcher, in, scratch, &normal);
    status = status ? status
                    : added_tokens_push(&tokenizer->normalized, token, normal.text, normal.length);
    marked_text_destroy(&scratch[0]);
    marked_text_destroy(&scratch[1]);
    pattern_matcher_destroy(matcher);
    return status ? fail(failure, status, "added_tokens: \"%.64s\" cannot be normalised", text)
                  : STATUS_OK;
}

static enum status add_token(struct tokenizer *tokenizer, const json_t *json,
                             struct failure *failure)
{
    const struct json_source source = {json, "added_tokens", failure};
    const char *text = json_string_value(json_object_get(json, "content"));
    struct added_token token = {.id = (uint32_t)json_integer_value(json_object_get(json, "id"))};
    enum status status = json_field_bool(&source, "special", &token.is_special);
    bool is_normalized = !token.is_special;
    status = status ? status : json_field_bool(&source, "normalized", &is_normalized);
    status = status ? status : json_field_bool(&source, "single_word", &token.is_single_word);
    status = status ? status : json_field_bool(&source, "lstrip", &token.strips_left);
    status = status ? status : json_field_bool(&source, "rstrip", &token.strips_right);
    if (status != STATUS_OK) {
        return status;
    }
    struct vocabulary *vocabulary = &tokenizer->vocabulary;
    if (vocabulary_find(vocabulary, text, strlen(text)) != token.id
        && vocabulary_add(vocabulary, token.id, text, strlen(text)) != STATUS_OK) {
        return fail(failure, STATUS_INVALID,
                    "added_tokens: \"%.64s\" or its id %u stands for something else already", text,
                    token.id);
    }
    vocabulary->entries[token.id].is_special |= token.is_special;
    return push_added(tokenizer, &token, text, is_normalized, failure);
}

/* The text of a token that tokenizer_config.json names: a string or an object with its content. */
static const char *named_token(const json_t *config, const char *field)
{
    const json_t *value = json_object_get(config, field);
    const char *text =
        json_string_value(json_is_object(value) ? json_object_get(value, "content") : value);
    return text && strlen(text) <= TOKENIZER_PIECE_BYTES_MAX ? text : "";
}

/* BOS and EOS are special whether tokenizer.json lists them or not: no user may write them. */
static enum status add_named(struct tokenizer *tokenizer, const char *text, struct failure *failure)
{
    const uint32_t id = vocabulary_find(&tokenizer->vocabulary, text, strlen(text));
    if (id == VOCABULARY_NONE || tokenizer->vocabulary.entries[id].is_special) {
        return STATUS_OK;
    }
    const struct added_token token = {.id = id, .is_special = true};
    tokenizer->vocabulary.entries[id].is_special = true;
    return push_added(tokenizer, &token, text, false, failure);
}

/* One entry of the file may call an id special that another, or tokenizer_config.json, does not:
 * then it is special wherever it is looked for. */
static void agree_on_specials(const struct vocabulary *vocabulary, struct added_tokens *set)
{
    for (uint32_t i = 0; i < set->count; i++) {
        set->tokens[i].is_special = vocabulary->entries[set->tokens[i].id].is_special;
    }
    added_tokens_seal(set);
}

static enum status add_tokens(struct tokenizer *tokenizer, const json_t *list,
                              struct failure *failure)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(list); i++) {
        status = add_token(tokenizer, json_array_get(list, i), failure);
    }
    status = status ? status : add_named(tokenizer, tokenizer->bos_text, failure);
    status = status ? status : add_named(tokenizer, tokenizer->eos_text, failure);
    agree_on_specials(&tokenizer->vocabulary, &tokenizer->exact);
    agree_on_specials(&tokenizer->vocabulary, &tokenizer->normalized);
    return status;
}

/* ---- the whole ------------------------------------------------------------------------------ */

/* Older files leave BOS and EOS to two flags of tokenizer_config.json. */
static enum status post_process_by_flags(struct tokenizer *tokenizer, const json_t *config,
                                         struct failure *failure)
{
    struct post_processor *out = &tokenizer->post_processor;
    if (json_is_true(json_object_get(config, "add_bos_token"))) {
        if (!tokenizer_find(tokenizer, tokenizer->bos_text, &out->prefix[0])) {
            return fail(failure, STATUS_INVALID, "bos_token is not in the vocabulary");
        }
        out->prefix_count = 1;
    }
    if (json_is_true(json_object_get(config, "add_eos_token"))) {
        if (!tokenizer_find(tokenizer, tokenizer->eos_text, &out->suffix[0])) {
            return fail(failure, STATUS_INVALID, "eos_token is not in the vocabulary");
        }
        out->suffix_count = 1;
    }
    return STATUS_OK;
}

/* The three fields that everything else stands on. Very old files do not say that they are BPE. */
static enum status check_shape(const json_t *model, const json_t *added, struct failure *failure)
{
    const json_t *type = json_object_get(model, "type");
    if (json_is_string(type) && strcmp(json_string_value(type), "BPE") != 0) {
        return fail(failure, STATUS_UNSUPPORTED, "model: the type \"%.64s\" is not BPE",
                    json_string_value(type));
    }
    if (!json_is_object(model) || !json_is_object(json_object_get(model, "vocab"))) {
        return fail(failure, STATUS_INVALID, "model and its vocab must be objects");
    }
    if (added && !json_is_array(added) && !json_is_null(added)) {
        return fail(failure, STATUS_INVALID, "added_tokens must be an array");
    }
    return STATUS_OK;
}

static enum status build(struct tokenizer *tokenizer, const json_t *root, const json_t *config,
                         struct failure *failure)
{
    const json_t *model = json_object_get(root, "model");
    const json_t *added = json_object_get(root, "added_tokens");
    const json_t *post_processor = json_object_get(root, "post_processor");
    const struct vocabulary *vocabulary = &tokenizer->vocabulary;
    const struct piece_source source = {vocabulary, &tokenizer->normalized};
    const char *bos = named_token(config, "bos_token");
    const char *eos = named_token(config, "eos_token");
    memcpy(tokenizer->bos_text, bos, strlen(bos) + 1);
    memcpy(tokenizer->eos_text, eos, strlen(eos) + 1);

    enum status status = check_shape(model, added, failure);
    status = status ? status
                    : fill_vocabulary(tokenizer, json_object_get(model, "vocab"), added, failure);
    status = status ? status
                    : normalizer_parse(json_object_get(root, "normalizer"), &tokenizer->normalizer,
                                       failure);
    status = status ? status : add_tokens(tokenizer, added, failure);
    status = status ? status
                    : pre_tokenizer_parse(json_object_get(root, "pre_tokenizer"),
                                          &tokenizer->pre_tokenizer, failure);
    status = status ? status : bpe_parse(model, vocabulary, &tokenizer->bpe, failure);
    status = status ? status
                    : piece_decoder_parse(json_object_get(root, "decoder"), &source,
                                          &tokenizer->decoder, failure);
    status = status ? status
                    : post_processor_parse(post_processor, vocabulary, &tokenizer->post_processor,
                                           failure);
    if (status == STATUS_OK && (!post_processor || json_is_null(post_processor))) {
        status = post_process_by_flags(tokenizer, config, failure);
    }
    return status;
}

static enum status create(const json_t *root, const json_t *config, struct tokenizer **out,
                          struct failure *failure)
{
    struct tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    if (!tokenizer) {
        return fail(failure, STATUS_IO, "no memory for a tokenizer");
    }
    const enum status status = build(tokenizer, root, config, failure);
    if (status != STATUS_OK) {
        fail_prefix(failure, "tokenizer.json");
        tokenizer_destroy(tokenizer);
        return status;
    }
    *out = tokenizer;
    return STATUS_OK;
}

enum status tokenizer_parse(const char *json, size_t length, struct tokenizer **out,
                            struct failure *failure)
{
    json_t *root = NULL;
    enum status status = json_field_parse(json, length, "tokenizer.json", &root, failure);
    if (status == STATUS_OK) {
        status = create(root, NULL, out, failure);
    }
    json_decref(root);
    return status;
}

enum status tokenizer_load(const char *directory, struct tokenizer **out, struct failure *failure)
{
    json_t *root = NULL;
    json_t *config = NULL;
    enum status status =
        json_field_read(directory, "tokenizer.json", FILE_BYTES_MAX, &root, failure);
    if (status == STATUS_OK) {
        status =
            json_field_read(directory, "tokenizer_config.json", CONFIG_BYTES_MAX, &config, failure);
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    if (status == STATUS_OK) {
        status = create(root, config, out, failure);
    }
    json_decref(config);
    json_decref(root);
    return status;
}
