/* scan.c - `ward scan`: texts as JSON lines through the streaming filter, one after another: what
 * they become, where their identifiers are, whether someone is in a crisis. Nothing of one text is
 * known in the next. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/crisis/crisis.h"
#include "policy/filter/outbound.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/json/json_text.h"

enum {
    LINE_BYTES_MAX = 16 << 20,
    ANSWER_BYTES_MAX = 32 * LINE_BYTES_MAX, /* a mask may be longer than what it hides */
    READ_BYTES = 1 << 16
};

struct scan {
    struct rules *rules; /* what is done; held */
    struct lexicon *lexicon;
    struct crisis_rules *crisis;
    struct outbound *outbound;
    uint32_t chunk_bytes; /* 0: the whole text at once */
    uint64_t line;
    struct buffer text, spans, answer;
    struct {
        uint64_t start, end;
        enum policy_kind kind;
    } span; /* the last one, which may go on; end 0: none */
    struct json_text out_spans;
};

/* ---- spans ----------------------------------------------------------------------------------- */

static void put_span(struct scan *scan)
{
    struct json_text *const out = &scan->out_spans;
    if (scan->span.end == 0) {
        return;
    }
    json_text_raw(out, scan->spans.length > 0 ? ",{\"start\":" : "{\"start\":");
    json_text_integer(out, (int64_t)scan->span.start);
    json_text_raw(out, ",\"end\":");
    json_text_integer(out, (int64_t)scan->span.end);
    json_text_raw(out, ",\"kind\":\"");
    json_text_raw(out, policy_kind_name(scan->span.kind));
    json_text_raw(out, "\"}");
    scan->span.end = 0;
}

static void take_found(void *context, const struct outbound_found *found)
{
    struct scan *const scan = context;
    if (found->continues && scan->span.end == found->start && scan->span.kind == found->kind) {
        scan->span.end = found->end;
        return;
    }
    put_span(scan);
    scan->span.start = found->start;
    scan->span.end = found->end;
    scan->span.kind = found->kind;
}

/* ---- crisis ---------------------------------------------------------------------------------- */

static void put_word(struct json_text *out, const char *name, const char *word)
{
    json_text_raw(out, ",\"");
    json_text_raw(out, name);
    json_text_raw(out, "\":\"");
    json_text_raw(out, word);
    json_text_raw(out, "\"");
}

static void put_crisis(struct json_text *out, const struct crisis_finding *finding)
{
    static const char *const times[] = {[CRISIS_NOW] = "now", [CRISIS_PAST] = "past"};
    static const char *const subjects[] = {[CRISIS_SELF] = "self", [CRISIS_OTHER] = "other"};
    static const char *const polarities[] = {
        [CRISIS_SAID] = "said", [CRISIS_DENIED] = "denied", [CRISIS_QUOTED] = "quoted"};
    const struct crisis_signal *const signal = &finding->signals[finding->kind];
    json_text_raw(out, "{\"grade\":\"");
    json_text_raw(out, crisis_grade_name(finding->grade));
    json_text_raw(out, "\"");
    if (finding->grade != CRISIS_NONE) {
        put_word(out, "kind", crisis_kind_name(signal->kind));
        put_word(out, "subject", subjects[signal->subject]);
        put_word(out, "time", times[signal->time]);
        put_word(out, "polarity", polarities[signal->polarity]);
    }
    json_text_raw(out, "}");
}

static enum status read_crisis(const struct scan *scan, const char *text, size_t length,
                               struct json_text *out)
{
    struct crisis_reader *reader = NULL;
    const size_t step = scan->chunk_bytes > 0 ? scan->chunk_bytes : length;
    const enum status status = crisis_reader_create(scan->crisis, &reader);
    if (status != STATUS_OK) {
        return status;
    }
    crisis_reader_begin(reader, CRISIS_PERSON);
    for (size_t at = 0; at < length; at += step) {
        crisis_reader_feed(reader, text + at, length - at < step ? length - at : step);
    }
    crisis_reader_end(reader);
    put_crisis(out, crisis_reader_found(reader));
    crisis_reader_destroy(reader);
    return STATUS_OK;
}

/* ---- a line ---------------------------------------------------------------------------------- */

static enum status filter(struct scan *scan, const char *text, size_t length)
{
    const size_t step = scan->chunk_bytes > 0 ? scan->chunk_bytes : length;
    enum status status = STATUS_OK;
    buffer_clear(&scan->text);
    buffer_clear(&scan->spans);
    scan->out_spans = (struct json_text){.out = &scan->spans};
    outbound_reset(scan->outbound);
    for (size_t at = 0; at < length && status == STATUS_OK; at += step) {
        status = outbound_feed(scan->outbound, text + at, length - at < step ? length - at : step,
                               &scan->text);
    }
    if (status == STATUS_OK) {
        status = outbound_end(scan->outbound, &scan->text);
    }
    put_span(scan);
    return status == STATUS_OK ? scan->out_spans.status : status;
}

static enum status put_id(struct json_text *out, const json_t *id)
{
    char *const text = id ? json_dumps(id, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    if (id && !text) {
        return STATUS_IO;
    }
    json_text_raw(out, text ? text : "null");
    free(text);
    return STATUS_OK;
}

static enum status answer(struct scan *scan, const json_t *id, const char *text, size_t length)
{
    enum status status = filter(scan, text, length);
    buffer_clear(&scan->answer);
    struct json_text out = {.out = &scan->answer};
    json_text_raw(&out, "{\"id\":");
    status = status == STATUS_OK ? put_id(&out, id) : status;
    json_text_raw(&out, ",\"text\":");
    json_text_string(&out, scan->text.bytes ? scan->text.bytes : "", scan->text.length);
    json_text_raw(&out, ",\"spans\":[");
    json_text_raw(&out, scan->spans.bytes ? scan->spans.bytes : "");
    json_text_raw(&out, "],\"crisis\":");
    status = status == STATUS_OK ? read_crisis(scan, text, length, &out) : status;
    json_text_raw(&out, "}\n");
    return status == STATUS_OK ? out.status : status;
}

static enum status scan_line(struct scan *scan, const char *line, size_t length,
                             struct failure *failure)
{
    json_error_t error = {.text = ""};
    json_t *const root = json_loadb(line, length, JSON_ALLOW_NUL, &error);
    const json_t *const text = json_object_get(root, "text");
    enum status status = STATUS_INVALID;
    if (!root) {
        status = fail(failure, status, "line %llu: not JSON: column %d: %.100s",
                      (unsigned long long)scan->line, error.column, error.text);
    } else if (!json_is_string(text)) {
        status = fail(failure, status,
                      "line %llu: must be an object with \"id\" and \"text\", which is a string",
                      (unsigned long long)scan->line);
    } else {
        status = answer(scan, json_object_get(root, "id"), json_string_value(text),
                        json_string_length(text));
        if (status != STATUS_OK) {
            fail(failure, status, "line %llu: %s", (unsigned long long)scan->line,
                 status_text(status));
        }
    }
    if (status == STATUS_OK
        && fwrite(scan->answer.bytes, 1, scan->answer.length, stdout) != scan->answer.length) {
        status = fail(failure, STATUS_IO, "standard output cannot be written");
    }
    json_decref(root);
    return status;
}

/* ---- input ----------------------------------------------------------------------------------- */

static bool is_blank(const char *line, size_t length)
{
    return strspn(line, " \t\r") >= length;
}

static enum status end_line(struct scan *scan, struct buffer *line, struct failure *failure)
{
    enum status status = STATUS_OK;
    scan->line++;
    if (line->length > 0 && !is_blank(line->bytes, line->length)) {
        status = scan_line(scan, line->bytes, line->length, failure);
    }
    line->length = 0;
    return status;
}

/* The lines in a block of input; what has no end yet stays in `line`. */
static enum status take_block(struct scan *scan, const char *block, size_t length,
                              struct buffer *line, struct failure *failure)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; at < length && status == STATUS_OK;) {
        const char *const end = memchr(block + at, '\n', length - at);
        const size_t bytes = end ? (size_t)(end - (block + at)) : length - at;
        if (buffer_append(line, block + at, bytes) != STATUS_OK) {
            return fail(failure, STATUS_TOO_LARGE, "line %llu: longer than %d MiB",
                        (unsigned long long)scan->line + 1, LINE_BYTES_MAX >> 20);
        }
        at += bytes + (end != NULL);
        status = end ? end_line(scan, line, failure) : STATUS_OK;
    }
    return status;
}

static enum status scan_input(struct scan *scan, struct failure *failure)
{
    char *const block = malloc(READ_BYTES);
    struct buffer line = {.limit_bytes = LINE_BYTES_MAX};
    enum status status = block ? STATUS_OK : fail(failure, STATUS_IO, "%s", status_text(STATUS_IO));
    while (status == STATUS_OK && !feof(stdin) && !ferror(stdin)) {
        const size_t length = fread(block, 1, READ_BYTES, stdin);
        status = take_block(scan, block, length, &line, failure);
    }
    if (status == STATUS_OK && ferror(stdin)) {
        status = fail(failure, STATUS_IO, "standard input cannot be read");
    }
    if (status == STATUS_OK) {
        status = end_line(scan, &line, failure);
    }
    buffer_destroy(&line);
    if (block) {
        explicit_bzero(block, READ_BYTES);
        free(block);
    }
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Shipped rules by their name, or a file. */
static enum status read_rules(const char *policy, struct rules **out, struct failure *failure)
{
    enum status status = rules_shipped(policy, out, failure);
    if (status == STATUS_NOT_FOUND) {
        status = rules_load(policy, NULL, out, failure);
    }
    return status == STATUS_NOT_FOUND
               ? fail(failure, status,
                      "--policy %.200s: neither a file nor observe, standard, strict or redact",
                      policy)
               : status;
}

static enum status prepare(struct scan *scan, const char *policy, struct failure *failure)
{
    enum status status = read_rules(policy, &scan->rules, failure);
    if (status == STATUS_OK) {
        status = crisis_rules_create(&scan->crisis, failure);
    }
    if (status == STATUS_OK && lexicon_create(&scan->lexicon) != STATUS_OK) {
        status = fail(failure, STATUS_IO, "no memory for the word lists");
    }
    if (status == STATUS_OK) {
        const struct outbound_terms terms = {.rules = scan->rules,
                                             .lexicon = scan->lexicon,
                                             .is_of_a_person = true,
                                             .saw = take_found,
                                             .context = scan};
        status = outbound_create(&terms, &scan->outbound);
        if (status != STATUS_OK) {
            fail(failure, status, "no memory for the filter");
        }
    }
    return status;
}

static void finish(struct scan *scan)
{
    outbound_destroy(scan->outbound);
    lexicon_destroy(scan->lexicon);
    crisis_rules_destroy(scan->crisis);
    rules_release(scan->rules);
    buffer_destroy(&scan->text);
    buffer_destroy(&scan->spans);
    buffer_destroy(&scan->answer);
}

int scan_main(int argc, char **argv)
{
    const char *policy = "redact";
    struct scan scan = {.text = {.limit_bytes = ANSWER_BYTES_MAX},
                        .spans = {.limit_bytes = ANSWER_BYTES_MAX},
                        .answer = {.limit_bytes = ANSWER_BYTES_MAX}};
    const struct option_row rows[] = {
        {"policy", 0, OPTION_TEXT, &policy, 0, 0, "FILE",
         "rules, as for answers: a YAML file, or observe, standard, strict, redact (default "
         "redact)",
         false},
        {"chunk", 0, OPTION_COUNT, &scan.chunk_bytes, 1, LINE_BYTES_MAX, "N",
         "give the filter N bytes at a time; the result is the same (default: all at once)", false},
    };
    const struct options options = {
        "ward scan [--policy FILE] [--chunk N]",
        "Reads JSON lines {\"id\": ..., \"text\": ...} on stdin and prints for each\n"
        "{\"id\", \"text\": redacted, \"spans\": [{\"start\", \"end\", \"kind\"}], \"crisis\": "
        "{\"grade\", ...}},\n"
        "offsets in bytes of the UTF-8 text. A line that is wrong ends it with its number.",
        rows, sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    struct failure failure = {""};
    enum status status = prepare(&scan, policy, &failure);
    if (status == STATUS_OK) {
        status = scan_input(&scan, &failure);
    }
    finish(&scan);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}
