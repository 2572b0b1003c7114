#include "server/openai/request/openai_messages.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"

enum { NAME_BYTES_MAX = 64, CONTENT_BYTES_MAX = 256 << 20 };

static const struct {
    const char *name, *for_template;
} roles[] = {
    {"system", "system"},       {"developer", "system"}, {"user", "user"},
    {"assistant", "assistant"}, {"tool", "tool"},
};

/* Where a value stands: "messages[2].content[0]". Made of names that we know and of numbers. */
struct place {
    char text[OPENAI_PARAM_BYTES];
};

__attribute__((format(printf, 1, 2))) static struct place place_of(const char *format, ...)
{
    struct place place;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(place.text, sizeof place.text, format, arguments);
    va_end(arguments);
    return place;
}

/* Every member must be one of those named; null counts as absent. */
static enum status check_members(json_t *object, const char *where, const char *const *names,
                                 struct openai_fault *fault)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool is_known = json_is_null(value);
        for (size_t i = 0; names[i] && !is_known; i++) {
            is_known = strcmp(key, names[i]) == 0;
        }
        if (!is_known) {
            static const char *const refused[] = {"tool_calls", "function_call", "refusal",
                                                  "audio",      "image_url",     "file"};
            const char *name = "a member of an unknown name";
            for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
                name = strcmp(key, refused[i]) == 0 ? refused[i] : name;
            }
            return openai_fault_set(fault, where, "unsupported_parameter",
                                    "%s: %s is not supported", where, name);
        }
    }
    return STATUS_OK;
}

static enum status append_part(json_t *part, const char *where, struct buffer *content,
                               struct openai_fault *fault)
{
    static const char *const names[] = {"type", "text", NULL};
    if (!json_is_object(part)) {
        return openai_fault_must(fault, where, "an object with type and text");
    }
    const char *type = json_string_value(json_object_get(part, "type"));
    if (!type || strcmp(type, "text") != 0) {
        return openai_fault_set(fault, place_of("%s.type", where).text, "unsupported_value",
                                "%s.type must be \"text\": other kinds of content are not "
                                "supported",
                                where);
    }
    const enum status status = check_members(part, where, names, fault);
    if (status != STATUS_OK) {
        return status;
    }
    const json_t *text = json_object_get(part, "text");
    if (!json_is_string(text)) {
        return openai_fault_must(fault, place_of("%s.text", where).text, "a string");
    }
    if ((content->length > 0 && buffer_append(content, "\n", 1) != STATUS_OK)
        || buffer_append(content, json_string_value(text), json_string_length(text)) != STATUS_OK) {
        return openai_fault_set(fault, where, "invalid_value", "%s is too long", where);
    }
    return STATUS_OK;
}

/* *out: a new string. */
static enum status read_content(json_t *value, const char *where, json_t **out,
                                struct openai_fault *fault)
{
    if (json_is_string(value)) {
        *out = json_incref(value);
        return STATUS_OK;
    }
    if (!json_is_array(value) || json_array_size(value) == 0) {
        return openai_fault_must(fault, where, "a string or an array of text parts");
    }
    struct buffer content = {.limit_bytes = CONTENT_BYTES_MAX};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(value); i++) {
        status = append_part(json_array_get(value, i), place_of("%s[%zu]", where, i).text, &content,
                             fault);
    }
    if (status == STATUS_OK) {
        *out = json_stringn(content.bytes ? content.bytes : "", content.length);
    }
    buffer_destroy(&content);
    return status;
}

/* As OpenAI has it: no space, <, |, \, / or >; those could imitate a template's own marks. */
static bool is_name(const json_t *value)
{
    const char *name = json_string_value(value);
    const size_t length = name ? strlen(name) : 0;
    return length > 0 && length <= NAME_BYTES_MAX && strcspn(name, " \t\r\n\v\f<|\\/>") == length;
}

static const char *role_for_template(const json_t *value)
{
    const char *role = json_string_value(value);
    for (size_t i = 0; role && i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(role, roles[i].name) == 0) {
            return roles[i].for_template;
        }
    }
    return NULL;
}

static enum status append_message(json_t *message, size_t index, json_t *list,
                                  struct openai_fault *fault)
{
    static const char *const names[] = {"role", "content", "name", NULL};
    static const char *const tool_names[] = {"role", "content", "name", "tool_call_id", NULL};
    const struct place where = place_of("messages[%zu]", index);
    if (!json_is_object(message)) {
        return openai_fault_must(fault, where.text, "an object with role and content");
    }
    const char *role = role_for_template(json_object_get(message, "role"));
    if (!role) {
        return openai_fault_must(fault, place_of("%s.role", where.text).text,
                                 "system, developer, user, assistant or tool");
    }
    const bool is_tool = strcmp(role, "tool") == 0;
    enum status status = check_members(message, where.text, is_tool ? tool_names : names, fault);
    if (status != STATUS_OK) {
        return status;
    }
    json_t *call = json_object_get(message, "tool_call_id");
    if (call && !json_is_null(call) && !json_is_string(call)) {
        return openai_fault_must(fault, place_of("%s.tool_call_id", where.text).text, "a string");
    }
    json_t *name = json_object_get(message, "name");
    if (name && !json_is_null(name) && !is_name(name)) {
        return openai_fault_must(fault, place_of("%s.name", where.text).text,
                                 "1 to 64 characters without space, <, |, \\, / or >");
    }
    json_t *content = NULL;
    status = read_content(json_object_get(message, "content"),
                          place_of("%s.content", where.text).text, &content, fault);
    if (status != STATUS_OK) {
        return status;
    }
    json_t *made = json_pack("{s:s, s:o, s:O*, s:O*}", "role", role, "content", content, "name",
                             json_is_string(name) ? name : NULL, "tool_call_id",
                             json_is_string(call) ? call : NULL);
    if (!made || json_array_append_new(list, made) != 0) {
        return openai_fault_set(fault, where.text, "invalid_value", "%s is too large", where.text);
    }
    return STATUS_OK;
}

enum status openai_messages_read(json_t *value, json_t **out, struct openai_fault *fault)
{
    if (!json_is_array(value) || json_array_size(value) == 0) {
        return openai_fault_must(fault, "messages", "an array of at least one message");
    }
    json_t *list = json_array();
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(value); i++) {
        status = append_message(json_array_get(value, i), i, list, fault);
    }
    if (status == STATUS_OK) {
        *out = list;
        return STATUS_OK;
    }
    json_decref(list);
    return status;
}
