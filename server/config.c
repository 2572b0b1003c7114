/* config.c - one table, made from config.def, drives the YAML reader, the environment names and the
 * printed reference. YAML is a mapping of sections, each a mapping of scalars; nothing else. */
#include "server/config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yaml.h>

#include "base/buffer.h"

enum setting_kind { KIND_TEXT, KIND_INTEGER, KIND_FRACTION, KIND_FLAG };

struct setting {
    const char *section, *key;
    size_t offset;
    enum setting_kind kind;
    const char *text_preset;
    int64_t preset, min, max; /* of a fraction: thousandths; of a flag: 0 or 1 */
    const char *help;
};

static double fraction(int64_t thousandths)
{
    return (double)thousandths / 1000.0;
}

static const struct setting settings[] = {
#define CONFIG_TEXT(section, key, preset, help) \
    {#section, #key, offsetof(struct config, section##_##key), KIND_TEXT, preset, 0, 0, 0, help},
#define CONFIG_INTEGER(section, key, preset, min, max, help)                                  \
    {#section, #key, offsetof(struct config, section##_##key), KIND_INTEGER, "", preset, min, \
     max,      help},
#define CONFIG_FRACTION(section, key, preset, min, max, help)                                  \
    {#section, #key, offsetof(struct config, section##_##key), KIND_FRACTION, "", preset, min, \
     max,      help},
#define CONFIG_FLAG(section, key, preset, help) \
    {#section, #key, offsetof(struct config, section##_##key), KIND_FLAG, "", preset, 0, 1, help},
#include "server/config.def"
};
enum { SETTING_COUNT = sizeof settings / sizeof settings[0], NAME_BYTES = 128 };

#define CONFIG_TEXT(section, key, preset, help) \
    _Static_assert(sizeof(preset) <= CONFIG_TEXT_BYTES, #key " default is too long");
#define CONFIG_INTEGER(section, key, preset, min, max, help) \
    _Static_assert((preset) >= (min) && (preset) <= (max), #key " default is out of range");
#define CONFIG_FRACTION(section, key, preset, min, max, help) \
    _Static_assert((preset) >= (min) && (preset) <= (max), #key " default is out of range");
#define CONFIG_FLAG(section, key, preset, help) \
    _Static_assert((preset) == 0 || (preset) == 1, #key " default is no flag");
#include "server/config.def"

static void *field(struct config *config, const struct setting *setting)
{
    return (char *)config + setting->offset;
}

static const void *value_of(const struct config *config, const struct setting *setting)
{
    return (const char *)config + setting->offset;
}

static void setting_name(const struct setting *setting, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%s.%s", setting->section, setting->key);
}

static const struct setting *find(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char candidate[NAME_BYTES];
        setting_name(&settings[i], candidate);
        if (strcmp(candidate, name) == 0) {
            return &settings[i];
        }
    }
    return NULL;
}

/* ---- one value ------------------------------------------------------------------------------ */

void config_set_defaults(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        const double as_fraction = fraction(setting->preset);
        const bool as_flag = setting->preset != 0;
        switch (setting->kind) {
        case KIND_TEXT:
            memcpy(field(config, setting), setting->text_preset, strlen(setting->text_preset) + 1);
            break;
        case KIND_INTEGER:
            memcpy(field(config, setting), &setting->preset, sizeof setting->preset);
            break;
        case KIND_FRACTION:
            memcpy(field(config, setting), &as_fraction, sizeof as_fraction);
            break;
        case KIND_FLAG:
            memcpy(field(config, setting), &as_flag, sizeof as_flag);
            break;
        }
    }
}

static enum status set_text(struct config *config, const struct setting *setting, const char *text,
                            struct failure *failure)
{
    const size_t length = strlen(text);
    if (length >= CONFIG_TEXT_BYTES) {
        return fail(failure, STATUS_INVALID, "%s.%s: at most %d bytes are allowed",
                    setting->section, setting->key, CONFIG_TEXT_BYTES - 1);
    }
    memset(field(config, setting), 0, CONFIG_TEXT_BYTES);
    memcpy(field(config, setting), text, length);
    return STATUS_OK;
}

static enum status set_integer(struct config *config, const struct setting *setting,
                               const char *text, struct failure *failure)
{
    char *end = NULL;
    errno = 0;
    const bool begins_well = isdigit((unsigned char)text[0]) || text[0] == '-';
    const long long value = strtoll(text, &end, 10);
    if (!begins_well || *end != '\0' || errno != 0 || value < setting->min
        || value > setting->max) {
        return fail(failure, STATUS_INVALID,
                    "%s.%s: must be a whole number from %" PRId64 " to %" PRId64, setting->section,
                    setting->key, setting->min, setting->max);
    }
    const int64_t stored = value;
    memcpy(field(config, setting), &stored, sizeof stored);
    return STATUS_OK;
}

static enum status set_fraction(struct config *config, const struct setting *setting,
                                const char *text, struct failure *failure)
{
    char *end = NULL;
    const double value = strtod(text, &end);
    const bool is_plain = text[0] != '\0' && text[strspn(text, "0123456789.")] == '\0';
    if (!is_plain || *end != '\0' || value < fraction(setting->min)
        || value > fraction(setting->max)) {
        return fail(failure, STATUS_INVALID, "%s.%s: must be a number from %g to %g",
                    setting->section, setting->key, fraction(setting->min), fraction(setting->max));
    }
    memcpy(field(config, setting), &value, sizeof value);
    return STATUS_OK;
}

static enum status set_flag(struct config *config, const struct setting *setting, const char *text,
                            struct failure *failure)
{
    const bool value = strcmp(text, "true") == 0;
    if (!value && strcmp(text, "false") != 0) {
        return fail(failure, STATUS_INVALID, "%s.%s: must be true or false", setting->section,
                    setting->key);
    }
    memcpy(field(config, setting), &value, sizeof value);
    return STATUS_OK;
}

enum status config_set(struct config *config, const char *name, const char *text,
                       struct failure *failure)
{
    const struct setting *setting = find(name);
    if (!setting) {
        return fail(failure, STATUS_NOT_FOUND,
                    "%s: no such setting; `ward serve --help-config` lists all", name);
    }
    switch (setting->kind) {
    case KIND_TEXT:
        return set_text(config, setting, text, failure);
    case KIND_INTEGER:
        return set_integer(config, setting, text, failure);
    case KIND_FRACTION:
        return set_fraction(config, setting, text, failure);
    case KIND_FLAG:
        break;
    }
    return set_flag(config, setting, text, failure);
}

enum status config_choose(const char *name, const char *text, const char *const *words,
                          size_t word_count, size_t *out, struct failure *failure)
{
    char list[NAME_BYTES] = "";
    for (size_t i = 0; i < word_count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *out = i;
            return STATUS_OK;
        }
        const size_t length = strlen(list);
        snprintf(list + length, sizeof list - length, "%s%s",
                 i == 0                ? ""
                 : i + 1 == word_count ? " or "
                                       : ", ",
                 words[i]);
    }
    return fail(failure, STATUS_INVALID, "%s: must be %s", name, list);
}

/* ---- YAML ----------------------------------------------------------------------------------- */

struct reader {
    struct config *config;
    const char *name; /* of the file, for errors */
    yaml_parser_t parser;
    yaml_event_t event;
    bool is_seen[SETTING_COUNT];
    struct failure *failure;
};

static enum status refuse(struct reader *reader, const char *what)
{
    return fail(reader->failure, STATUS_INVALID, "%s:%zu: %s", reader->name,
                reader->event.start_mark.line + 1, what);
}

static enum status next(struct reader *reader)
{
    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(&reader->parser, &reader->event)) {
        return STATUS_OK;
    }
    memset(&reader->event, 0, sizeof reader->event);
    return fail(reader->failure, STATUS_INVALID, "%s:%zu: not valid YAML: %s", reader->name,
                reader->parser.problem_mark.line + 1,
                reader->parser.problem ? reader->parser.problem : "cannot be read");
}

static enum status expect(struct reader *reader, yaml_event_type_t type, const char *what)
{
    const enum status status = next(reader);
    if (status == STATUS_OK && reader->event.type != type) {
        return refuse(reader, what);
    }
    return status;
}

/* The scalar of the current event as a C string; a NUL inside is refused. */
static enum status scalar_text(struct reader *reader, char *out, size_t out_bytes)
{
    const size_t length = reader->event.data.scalar.length;
    const char *value = (const char *)reader->event.data.scalar.value;
    if (length >= out_bytes || memchr(value, '\0', length)) {
        return refuse(reader, "a name or value is too long or holds a NUL byte");
    }
    memcpy(out, value, length);
    out[length] = '\0';
    return STATUS_OK;
}

static enum status read_setting(struct reader *reader, const char *section, const char *key)
{
    char name[2 * NAME_BYTES];
    char text[CONFIG_TEXT_BYTES];
    snprintf(name, sizeof name, "%s.%s", section, key);
    const struct setting *setting = find(name);
    if (setting && reader->is_seen[setting - settings]) {
        return refuse(reader, "this setting stands twice");
    }
    enum status status = next(reader);
    if (status == STATUS_OK && reader->event.type != YAML_SCALAR_EVENT) {
        return refuse(reader, "a setting's value must be a single word, number or text");
    }
    if (status == STATUS_OK) {
        status = scalar_text(reader, text, sizeof text);
    }
    if (status == STATUS_OK) {
        struct failure inner;
        if (config_set(reader->config, name, text, &inner) != STATUS_OK) {
            return refuse(reader, inner.text);
        }
        reader->is_seen[setting - settings] = true;
    }
    return status;
}

/* After a section's name: its mapping, or nothing at all (`server:`), which keeps the defaults. */
static enum status read_section(struct reader *reader, const char *section)
{
    enum status status = next(reader);
    if (status == STATUS_OK && reader->event.type == YAML_SCALAR_EVENT
        && reader->event.data.scalar.length == 0) {
        return STATUS_OK;
    }
    if (status == STATUS_OK && reader->event.type != YAML_MAPPING_START_EVENT) {
        return refuse(reader, "a section must be a mapping, `section:` then indented `key: value`");
    }
    while (status == STATUS_OK) {
        char key[NAME_BYTES];
        status = next(reader);
        if (status == STATUS_OK && reader->event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        if (status == STATUS_OK && reader->event.type != YAML_SCALAR_EVENT) {
            status = refuse(reader, "a setting's name must be a plain word");
        }
        if (status == STATUS_OK) {
            status = scalar_text(reader, key, sizeof key);
        }
        if (status == STATUS_OK) {
            status = read_setting(reader, section, key);
        }
    }
    return status;
}

static bool is_section(const char *name)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(settings[i].section, name) == 0) {
            return true;
        }
    }
    return false;
}

static enum status read_document(struct reader *reader)
{
    enum status status = expect(reader, YAML_STREAM_START_EVENT, "is not YAML");
    if (status == STATUS_OK) {
        status = next(reader);
    }
    if (status != STATUS_OK || reader->event.type == YAML_STREAM_END_EVENT) {
        return status; /* an empty file is all defaults */
    }
    status = expect(reader, YAML_MAPPING_START_EVENT, "must be a mapping of sections");
    while (status == STATUS_OK) {
        char section[NAME_BYTES];
        status = next(reader);
        if (status == STATUS_OK && reader->event.type == YAML_MAPPING_END_EVENT) {
            break;
        }
        if (status == STATUS_OK && reader->event.type != YAML_SCALAR_EVENT) {
            status = refuse(reader, "a section's name must be a plain word");
        }
        if (status == STATUS_OK) {
            status = scalar_text(reader, section, sizeof section);
        }
        if (status == STATUS_OK && !is_section(section)) {
            status = refuse(reader, "no such section; `ward serve --help-config` lists all");
        }
        if (status == STATUS_OK) {
            status = read_section(reader, section);
        }
    }
    return status;
}

enum status config_parse(struct config *config, const char *yaml, size_t length, const char *name,
                         struct failure *failure)
{
    struct reader reader = {.config = config, .name = name, .failure = failure};
    if (!yaml_parser_initialize(&reader.parser)) {
        return fail(failure, STATUS_IO, "%s: no memory", name);
    }
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)yaml, length);
    const enum status status = read_document(&reader);
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return status;
}

/* ---- all sources ---------------------------------------------------------------------------- */

static char variable_letter(char c)
{
    return c == '.' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static void variable_name(const char *name, char *out, size_t out_bytes)
{
    snprintf(out, out_bytes, "WARD_%s", name);
    for (char *c = out; *c; c++) {
        *c = variable_letter(*c);
    }
}

/* A misspelt variable of a section that there is would otherwise be ignored without a word. */
static enum status refuse_unknown_variables(struct failure *failure)
{
    for (char **entry = environ; entry && *entry; entry++) {
        bool is_of_section = false, is_known = false;
        for (size_t i = 0; i < SETTING_COUNT && !is_known; i++) {
            char name[NAME_BYTES], known[NAME_BYTES + 8], section[NAME_BYTES + 8];
            setting_name(&settings[i], name);
            variable_name(name, known, sizeof known);
            variable_name(settings[i].section, section, sizeof section);
            const size_t length = strcspn(*entry, "="), section_bytes = strlen(section);
            is_known = strlen(known) == length && strncmp(*entry, known, length) == 0;
            is_of_section =
                is_of_section
                || (strncmp(*entry, section, section_bytes) == 0 && (*entry)[section_bytes] == '_');
        }
        if (is_of_section && !is_known) {
            return fail(failure, STATUS_INVALID,
                        "%.*s: no such setting; `ward serve --help-config` lists all",
                        (int)strcspn(*entry, "="), *entry);
        }
    }
    return STATUS_OK;
}

enum status config_read_environment(struct config *config, struct failure *failure)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        char name[NAME_BYTES], variable[NAME_BYTES + 8];
        setting_name(&settings[i], name);
        variable_name(name, variable, sizeof variable);
        const char *text = getenv(variable);
        if (text && text[0] != '\0') {
            const enum status status = config_set(config, name, text, failure);
            if (status != STATUS_OK) {
                fail_prefix(failure, variable);
                return status;
            }
        }
    }
    return refuse_unknown_variables(failure);
}

enum status config_load(struct config *config, const char *path, struct failure *failure)
{
    config_set_defaults(config);
    enum status status = STATUS_OK;
    const char *named = getenv("WARD_CONFIG");
    if (!path && named && named[0] != '\0') {
        path = named;
    }
    if (path) {
        struct buffer text = {.limit_bytes = CONFIG_FILE_BYTES_MAX};
        status = buffer_read_file(&text, path);
        status =
            status != STATUS_OK
                ? fail(failure, status, "%s: cannot be read: %s", path, status_text(status))
                : config_parse(config, text.bytes ? text.bytes : "", text.length, path, failure);
        buffer_destroy(&text);
    }
    return status == STATUS_OK ? config_read_environment(config, failure) : status;
}

enum status config_write(const struct config *config, struct buffer *out)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < SETTING_COUNT && status == STATUS_OK; i++) {
        const struct setting *setting = &settings[i];
        const void *at = value_of(config, setting);
        char number[32] = "";
        int64_t integer = 0;
        double real = 0;
        if (setting->kind == KIND_INTEGER) {
            memcpy(&integer, at, sizeof integer);
            snprintf(number, sizeof number, "%" PRId64, integer);
        } else if (setting->kind == KIND_FRACTION) {
            memcpy(&real, at, sizeof real);
            snprintf(number, sizeof number, "%.17g", real);
        } else if (setting->kind == KIND_FLAG) {
            snprintf(number, sizeof number, "%s", *(const bool *)at ? "true" : "false");
        }
        const char *text = setting->kind == KIND_TEXT ? (const char *)at : number;
        status = buffer_format(out, "%s.%s=%zu:%s\n", setting->section, setting->key, strlen(text),
                               text);
    }
    return status;
}

void config_print_reference(FILE *out)
{
    const char *section = "";
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        if (strcmp(section, setting->section) != 0) {
            section = setting->section;
            fprintf(out, "%s%s:\n", i ? "\n" : "", section);
        }
        fprintf(out, "  # %s\n", setting->help);
        if (setting->kind == KIND_TEXT) {
            fprintf(out, "  %s: \"%s\"\n", setting->key, setting->text_preset);
        } else if (setting->kind == KIND_FRACTION) {
            fprintf(out, "  %s: %g  # %g to %g\n", setting->key, fraction(setting->preset),
                    fraction(setting->min), fraction(setting->max));
        } else if (setting->kind == KIND_FLAG) {
            fprintf(out, "  %s: %s\n", setting->key, setting->preset != 0 ? "true" : "false");
        } else {
            fprintf(out, "  %s: %" PRId64 "  # %" PRId64 " to %" PRId64 "\n", setting->key,
                    setting->preset, setting->min, setting->max);
        }
    }
}
