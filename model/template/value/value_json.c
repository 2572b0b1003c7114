#include "model/template/value/value_json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/template/value/value_print.h"
#include "model/template/value/value_sort.h"

/* ---- writing -------------------------------------------------------------------------------- */

struct json_writer {
    struct work *work;
    struct writer *writer;
    const struct value_json_style *style;
    uint8_t origin;
    size_t level;
};

static void put(struct json_writer *json, const char *bytes)
{
    writer_literal(json->writer, bytes, json->origin);
}

static void put_text(struct json_writer *json, const struct text *text)
{
    writer_bytes(json->writer, text->bytes, text->length, json->origin);
}

static void put_unit(struct json_writer *json, uint32_t unit)
{
    char escape[16];
    snprintf(escape, sizeof escape, "\\u%04" PRIx32, unit);
    put(json, escape);
}

static void put_special(struct json_writer *json, uint32_t code_point)
{
    static const char names[] = "\"\\\n\r\t\f\b";
    static const char letters[] = "\"\\nrtfb";
    const char *name = code_point > 0 && code_point < 0x80 ? strchr(names, (int)code_point) : NULL;
    if (name) {
        const char escape[] = {'\\', letters[name - names], '\0'};
        put(json, escape);
    } else if (code_point < 0x10000) {
        put_unit(json, code_point);
    } else {
        put_unit(json, 0xd800 + ((code_point - 0x10000) >> 10));
        put_unit(json, 0xdc00 + ((code_point - 0x10000) & 0x3ff));
    }
}

static void put_string(struct json_writer *json, const struct text *text)
{
    put(json, "\"");
    size_t plain = 0; /* from here to at nothing needs an escape */
    size_t bytes = 1;
    for (size_t at = 0; at < text->length; at += bytes) {
        const uint32_t code_point = text_code_point(text, at, &bytes);
        const bool is_plain = code_point >= 0x20 && code_point != '"' && code_point != '\\'
                              && !(json->style->is_ascii && code_point > 0x7e);
        if (!is_plain) {
            writer_bytes(json->writer, text->bytes + plain, at - plain, json->origin);
            put_special(json, code_point);
            plain = at + bytes;
        }
    }
    writer_bytes(json->writer, text->bytes + plain, text->length - plain, json->origin);
    put(json, "\"");
}

static void put_float(struct json_writer *json, double real)
{
    char number[VALUE_PRINT_FLOAT_BYTES];
    if (isfinite(real)) {
        value_print_float(real, number);
        put(json, number);
    } else {
        put(json, isnan(real) ? "NaN" : real < 0 ? "-Infinity" : "Infinity");
    }
}

static void put_scalar(struct json_writer *json, struct value value)
{
    char number[32];
    if (value.kind == VALUE_NONE) {
        put(json, "null");
    } else if (value.kind == VALUE_BOOLEAN) {
        put(json, value.boolean ? "true" : "false");
    } else if (value.kind == VALUE_INTEGER) {
        snprintf(number, sizeof number, "%" PRId64, value.integer);
        put(json, number);
    } else if (value.kind == VALUE_FLOAT) {
        put_float(json, value.real);
    } else {
        work_fail(json->work, STATUS_INVALID, "Object of type %s is not JSON serializable",
                  value_type(value));
    }
}

static void put_line(struct json_writer *json)
{
    if (json->style->indent) {
        put(json, "\n");
        for (size_t i = 0; i < json->level; i++) {
            put_text(json, json->style->indent);
        }
    }
}

static void put_value(struct json_writer *json, struct value value);

static void put_list(struct json_writer *json, const struct list *list)
{
    if (list->count == 0) {
        put(json, "[]");
        return;
    }
    put(json, "[");
    json->level++;
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) {
            put_text(json, json->style->item_separator);
        }
        put_line(json);
        put_value(json, list->items[i]);
    }
    json->level--;
    put_line(json);
    put(json, "]");
}

static void put_key(struct json_writer *json, struct value key)
{
    if (key.kind == VALUE_STRING) {
        put_string(json, key.text);
    } else if (value_is_number(key) || key.kind == VALUE_NONE) {
        put(json, "\"");
        put_scalar(json, key);
        put(json, "\"");
    } else {
        work_fail(json->work, STATUS_INVALID, "keys must be str, int, float, bool or None, not %s",
                  value_type(key));
    }
}

static int key_order(struct work *work, const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    return value_compare_order(work, left->key, right->key, "<");
}

static void put_dict(struct json_writer *json, const struct dict *dict)
{
    if (dict->count == 0) {
        put(json, "{}");
        return;
    }
    struct entry *entries = dict->entries;
    if (json->style->sorts_keys) {
        entries = work_take(json->work, dict->count, sizeof *entries);
        memcpy(entries, dict->entries, dict->count * sizeof *entries);
        value_sort(json->work, entries, dict->count, sizeof *entries, key_order);
    }
    put(json, "{");
    json->level++;
    for (size_t i = 0; i < dict->count; i++) {
        if (i > 0) {
            put_text(json, json->style->item_separator);
        }
        put_line(json);
        put_key(json, entries[i].key);
        put_text(json, json->style->key_separator);
        put_value(json, entries[i].value);
    }
    json->level--;
    put_line(json);
    put(json, "}");
}

static void put_value(struct json_writer *json, struct value value)
{
    work_step(json->work);
    work_enter(json->work);
    if (value.kind == VALUE_STRING) {
        put_string(json, value.text);
    } else if (value.kind == VALUE_LIST || value.kind == VALUE_TUPLE) {
        put_list(json, value.list);
    } else if (value.kind == VALUE_DICT) {
        put_dict(json, value.dict);
    } else {
        put_scalar(json, value);
    }
    work_leave(json->work);
}

const struct text *value_json_write(struct work *work, struct value value,
                                    const struct value_json_style *style)
{
    struct json_writer json = {
        .work = work,
        .writer = writer_create(work),
        .style = style,
        .origin = value_has_user(work, value) ? ORIGIN_USER : ORIGIN_MARKUP,
    };
    put_value(&json, value);
    return writer_done(json.writer);
}

/* ---- reading -------------------------------------------------------------------------------- */

static struct value read_string(struct work *work, const char *bytes, size_t length, bool is_user)
{
    return value_text(text_make(work, bytes, length, is_user ? ORIGIN_USER : ORIGIN_MARKUP));
}

static struct value read_array(struct work *work, json_t *json, bool is_user)
{
    const size_t count = json_array_size(json);
    struct value *items = work_take(work, count, sizeof *items);
    for (size_t i = 0; i < count; i++) {
        items[i] = value_json_read(work, json_array_get(json, i), is_user);
    }
    return value_list(work, VALUE_LIST, items, count);
}

static struct value read_object(struct work *work, json_t *json, bool is_user)
{
    struct value value = value_dict(work, VALUE_DICT, json_object_size(json));
    const char *key = NULL;
    size_t length = 0;
    json_t *member = NULL;
    json_object_keylen_foreach(json, key, length, member)
    {
        value.dict->entries[value.dict->count++] = (struct entry){
            read_string(work, key, length, is_user), value_json_read(work, member, is_user)};
    }
    return value;
}

static struct value read_scalar(struct work *work, json_t *json, bool is_user)
{
    switch (json_typeof(json)) {
    case JSON_STRING:
        return read_string(work, json_string_value(json), json_string_length(json), is_user);
    case JSON_INTEGER:
        return value_integer(json_integer_value(json));
    case JSON_REAL:
        return value_float(json_real_value(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return value_boolean(json_is_true(json));
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return value_none();
}

struct value value_json_read(struct work *work, json_t *json, bool is_user)
{
    work_step(work);
    work_enter(work);
    struct value value = json_is_array(json)    ? read_array(work, json, is_user)
                         : json_is_object(json) ? read_object(work, json, is_user)
                                                : read_scalar(work, json, is_user);
    value.is_user = is_user && value.kind != VALUE_STRING;
    work_leave(work);
    return value;
}
