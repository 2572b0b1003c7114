#include "model/model.h"

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "model/files/weight_files.h"

enum { DIRECTORY_SHOWN_BYTES = 100 };

/* ---- name and digest ------------------------------------------------------------------------- */

/* The last part of the resolved path, so that "." has a name too. */
static void read_name(const char *directory, char *out, size_t out_bytes)
{
    char resolved[PATH_MAX];
    const char *path = realpath(directory, resolved) ? resolved : directory;
    const char *slash = strrchr(path, '/');
    const int shown_bytes = (int)out_bytes - 1; /* a longer name is cut */
    snprintf(out, out_bytes, "%.*s", shown_bytes, slash && slash[1] ? slash + 1 : path);
}

static void write_hex(const unsigned char *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < length; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static enum status read_digest(const char *directory, struct model *model, struct failure *failure)
{
    char path[PATH_MAX];
    struct buffer config = {.limit_bytes = MODEL_CONFIG_BYTES_MAX};
    snprintf(path, sizeof path, "%s/config.json", directory);
    const enum status status = buffer_read_file(&config, path);
    if (status != STATUS_OK) {
        return fail(failure, status, "config.json: cannot be read again");
    }
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, (const unsigned char *)config.bytes, config.length);
    buffer_destroy(&config);
    for (size_t i = 0; i < weight_files_count(model->weights->files); i++) {
        const struct weight_file *file = weight_files_at(model->weights->files, i);
        const uint64_t length = file->length;
        unsigned char size[sizeof length];
        memcpy(size, &length, sizeof size);
        crypto_hash_sha256_update(&state, file->bytes, safetensors_header_bytes(file->tensors));
        crypto_hash_sha256_update(&state, size, sizeof size);
    }
    unsigned char hash[crypto_hash_sha256_BYTES];
    _Static_assert(sizeof model->digest == 2 * sizeof hash + 1, "hex and its NUL");
    crypto_hash_sha256_final(&state, hash);
    write_hex(hash, sizeof hash, model->digest);
    return STATUS_OK;
}

/* ---- open and close -------------------------------------------------------------------------- */

static void close_text_parts(struct model *model)
{
    chat_template_destroy(model->chat_template);
    tokenizer_destroy(model->tokenizer);
}

/* The parts that a directory may lack leave NULL. */
static enum status open_text_parts(const char *directory, struct model *model,
                                   struct failure *failure)
{
    model->close_text = close_text_parts;
    enum status status = tokenizer_load(directory, &model->tokenizer, failure);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        status = chat_template_load(directory, &model->chat_template, failure);
    }
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return status;
    }
    const uint32_t known_count =
        model->tokenizer ? tokenizer_vocabulary_count(model->tokenizer) : 0;
    if (known_count > model->config.vocabulary_count) {
        log_event(LOG_LEVEL_WARN, "model", "tokenizer.larger", "ids=%u vocab_size=%u", known_count,
                  model->config.vocabulary_count);
    }
    return STATUS_OK;
}

/* Puts the directory, at least its end, in front of the text. */
static void name_directory(const char *directory, enum status status, struct failure *failure)
{
    if (failure) {
        const struct failure inner = *failure;
        const size_t length = strlen(directory);
        const size_t skipped = length > DIRECTORY_SHOWN_BYTES ? length - DIRECTORY_SHOWN_BYTES : 0;
        fail(failure, status, "%s: %s", directory + skipped, inner.text);
    }
}

enum status model_open(const char *directory, struct model **out, struct failure *failure)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model) {
        return fail(failure, STATUS_IO, "no memory");
    }
    read_name(directory, model->name, sizeof model->name);
    enum status status = model_config_read(directory, &model->config, failure);
    if (status == STATUS_OK) {
        status = weights_open(directory, &model->config, &model->weights, failure);
    }
    if (status == STATUS_OK) {
        status = read_digest(directory, model, failure);
    }
    if (status == STATUS_OK) {
        status = open_text_parts(directory, model, failure);
    }
    if (status == STATUS_OK) {
        *out = model;
        model = NULL; /* ownership moved to the caller */
    } else {
        name_directory(directory, status, failure);
    }
    model_close(model);
    return status;
}
