#include "server/json/json_body.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- bounds, before anything is allocated --------------------------------------------------- */

/* A walk over the bytes that knows strings and brackets and nothing else. On text that is not JSON
 * its counts mean little, and jansson refuses that text. */
struct walk {
    const char *bytes;
    size_t length, at;
    size_t depth, value_count;
    size_t name_first, name_bytes; /* of the latest member of the outermost object */
};

static void skip_string(struct walk *walk)
{
    walk->at++;
    while (walk->at < walk->length && walk->bytes[walk->at] != '"') {
        walk->at += walk->bytes[walk->at] == '\\' ? 2 : 1;
    }
    walk->at++;
}

/* A string right after `{` or `,` of the outermost object is a member's name. */
static void step(struct walk *walk, bool *may_be_name)
{
    const char byte = walk->bytes[walk->at];
    const size_t first = walk->at;
    switch (byte) {
    case '"':
        skip_string(walk);
        if (*may_be_name && walk->depth == 1 && walk->at <= walk->length) {
            walk->name_first = first + 1;
            walk->name_bytes = walk->at - first - 2;
        }
        *may_be_name = false;
        return;
    case '{':
    case '[':
        walk->depth++;
        walk->value_count++;
        *may_be_name = byte == '{';
        break;
    case '}':
    case ']':
        walk->depth -= walk->depth > 0;
        break;
    case ',':
        walk->value_count++;
        *may_be_name = true;
        break;
    default:
        break;
    }
    walk->at++;
}

/* Walks up to position `end`. False: a bound is passed. */
static bool walk_to(struct walk *walk, size_t end)
{
    bool may_be_name = false;
    while (walk->at < end) {
        step(walk, &may_be_name);
        if (walk->depth > JSON_BODY_DEPTH_MAX || walk->value_count > JSON_BODY_VALUES_MAX) {
            return false;
        }
    }
    return true;
}

static void keep_name(const struct walk *walk, struct json_body_fault *fault)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (walk->name_bytes > 0 && walk->name_bytes < sizeof fault->member) {
        memcpy(fault->member, walk->bytes + walk->name_first, walk->name_bytes);
        fault->member[walk->name_bytes] = '\0';
        if (strspn(fault->member, plain) != walk->name_bytes) {
            fault->member[0] = '\0';
        }
    }
}

/* ---- jansson -------------------------------------------------------------------------------- */

/* Not jansson's own text: that repeats the input. */
static const char *explain(enum json_error_code code)
{
    switch ((int)code) { /* the rest cannot happen here */
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows its end";
    case json_error_invalid_utf8:
        return "it is not UTF-8";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "it holds a NUL character";
    case json_error_duplicate_key:
        return "an object has a member twice";
    case json_error_numeric_overflow:
        return "a number is out of range";
    case json_error_stack_overflow:
        return "it is nested too deeply";
    default:
        return "its syntax is wrong";
    }
}

enum status json_body_parse(const char *bytes, size_t length, json_t **out,
                            struct json_body_fault *fault)
{
    *fault = (struct json_body_fault){0};
    struct walk bounds = {.bytes = bytes, .length = length};
    if (!walk_to(&bounds, length)) {
        keep_name(&bounds, fault);
        return fail(&fault->failure, STATUS_INVALID,
                    "the body must be nested at most %d deep and hold at most %d values",
                    (int)JSON_BODY_DEPTH_MAX, (int)JSON_BODY_VALUES_MAX);
    }
    json_error_t error;
    json_t *value = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
    if (!value) {
        const size_t position = error.position > 0 ? (size_t)error.position : 0;
        struct walk place = {.bytes = bytes, .length = length};
        if (walk_to(&place, position < length ? position : length)) {
            keep_name(&place, fault);
        }
        return fail(&fault->failure, STATUS_INVALID,
                    "the body must be a JSON object, but %s (byte %zu)",
                    explain(json_error_code(&error)), position);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return fail(&fault->failure, STATUS_INVALID, "the body must be a JSON object");
    }
    *out = value;
    return STATUS_OK;
}

/* ---- memory --------------------------------------------------------------------------------- */

static void free_zeroed(void *block)
{
    if (block) {
        explicit_bzero(block, malloc_usable_size(block));
        free(block);
    }
}

void json_body_zero_freed_memory(void)
{
    json_set_alloc_funcs(malloc, free_zeroed);
}
