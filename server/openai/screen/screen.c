#include "server/openai/screen/screen.h"

#include <string.h>

#include "base/clock.h"
#include "policy/duties/asked.h"
#include "server/openai/request/openai_prompt.h"

enum { GROWTH_MAX = 16, SPARE_BYTES = 4096, KINDS_BYTES = 160, TOLD_FIRST_BYTES_MAX = 8192 };
static const char language[] = "en";
static const char no_memory[] = "there is no memory for this request now";

static enum status no_room(struct openai_fault *fault, const char *what)
{
    const enum status status = openai_fault_set(fault, "", "server_busy", "%s: try again", what);
    fault->http_code = 503;
    return status;
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool is_pseudonymising(const struct rules *rules)
{
    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        if (rules->inbound[kind] == POLICY_PSEUDONYMISE) {
            return true;
        }
    }
    return false;
}

enum status screen_open(struct screen *screen, struct policy *policy,
                        const struct auth_identity *identity, const struct openai_request *request,
                        struct openai_fault *fault)
{
    screen->policy = policy;
    screen->told_first.limit_bytes = TOLD_FIRST_BYTES_MAX;
    screen->result.limit_bytes = TOLD_FIRST_BYTES_MAX;
    screen->tenant = identity->tenant;
    screen->rules = policy_rules(policy, identity->tenant_name);
    if (is_pseudonymising(screen->rules)) {
        const char *name = request->conversation ? request->conversation : "";
        if (vault_open(policy_vault(policy), identity->tenant, name, strlen(name),
                       clock_monotonic_ns(), &screen->session)
            != STATUS_OK) {
            return no_room(fault, "every place for pseudonyms is taken");
        }
    }
    if (inbound_create(screen->rules, policy_lexicon(policy), screen->session, &screen->inbound)
        != STATUS_OK) {
        return no_room(fault, no_memory);
    }
    screen->terms = (struct outbound_terms){.rules = screen->rules,
                                            .lexicon = policy_lexicon(policy),
                                            .vault = policy_vault(policy),
                                            .session = screen->session,
                                            .tenant = identity->tenant,
                                            .memory = inbound_memory(screen->inbound),
                                            .seen = inbound_seen(screen->inbound)};
    return STATUS_OK;
}

void screen_close(struct screen *screen)
{
    inbound_destroy(screen->inbound);
    buffer_destroy(&screen->told_first);
    buffer_destroy(&screen->result);
    vault_close(screen->session, clock_monotonic_ns());
    rules_release(screen->rules);
    explicit_bzero(screen, sizeof *screen);
}

const struct tally *screen_tally(const struct screen *screen)
{
    return screen->inbound ? inbound_tally(screen->inbound) : NULL;
}

static bool is_of(const json_t *message, const char *role)
{
    return strcmp(json_string_value(json_object_get(message, "role")), role) == 0;
}

/* ---- crisis ---------------------------------------------------------------------------------- */

static uint32_t actions_of(const struct rules *rules, const struct crisis_finding *finding)
{
    uint32_t actions = 0;
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        actions |= rules->crisis[kind][finding->signals[kind].grade];
    }
    return actions;
}

static void read_message(struct crisis_reader *reader, const json_t *message)
{
    const json_t *content = json_object_get(message, "content");
    const bool is_person = is_of(message, "user");
    if (is_person || is_of(message, "assistant")) {
        crisis_reader_begin(reader, is_person ? CRISIS_PERSON : CRISIS_ASSISTANT);
        crisis_reader_feed(reader, json_string_value(content), json_string_length(content));
        crisis_reader_end(reader);
    }
}

static void read_conversation(struct crisis_reader *reader, const struct model *model,
                              const struct openai_request *request)
{
    for (size_t i = 0; i < json_array_size(request->messages); i++) {
        read_message(reader, json_array_get(request->messages, i));
    }
    for (uint32_t i = 0; !request->messages && i < request->prompt_count; i++) {
        struct buffer text = {.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
        if (openai_prompts_echo(model, request, i, &text) == STATUS_OK && text.bytes) {
            crisis_reader_begin(reader, CRISIS_PERSON);
            crisis_reader_feed(reader, text.bytes, text.length);
            crisis_reader_end(reader);
        }
        buffer_destroy(&text);
    }
}

/* In front of what is told already. */
static enum status tell_protocol(struct screen *screen, enum crisis_kind kind,
                                 enum crisis_grade grade)
{
    const struct resources *resources = screen->rules->terms.resources;
    const struct buffer *told = &screen->told_first;
    struct buffer all = {.limit_bytes = TOLD_FIRST_BYTES_MAX};
    const char *protocol = resources ? resources_protocol(resources, kind, grade, language) : NULL;
    if (!protocol || screen->has_protocol || (screen->crisis_actions & CRISIS_PROTOCOL) == 0) {
        return STATUS_OK;
    }
    const enum status status =
        buffer_format(&all, "%s%s%s", protocol, told->length > 0 ? "\n\n" : "",
                      told->length > 0 ? told->bytes : "");
    if (status != STATUS_OK) {
        buffer_destroy(&all);
        return status;
    }
    buffer_destroy(&screen->told_first);
    screen->told_first = all;
    screen->has_protocol = true;
    screen->is_answered = screen->is_answered || (screen->crisis_actions & CRISIS_STOP) != 0;
    return STATUS_OK;
}

/* What was said before keeps its place in the urgent lane; what is told and handed off answers the
 * last message alone, with the grade that the whole conversation gives it. */
static enum status decide(struct screen *screen, const struct crisis_finding *found,
                          const struct crisis_finding *last)
{
    const struct rules *rules = screen->rules;
    screen->crisis = *found;
    screen->crisis_actions = actions_of(rules, found) & CRISIS_MARK_URGENT;
    if (last->grade == CRISIS_NONE) {
        return STATUS_OK;
    }
    const enum crisis_kind kind = last->kind;
    const enum crisis_grade grade = found->signals[kind].grade;
    screen->crisis_actions |= rules->crisis[kind][grade];
    return tell_protocol(screen, kind, grade);
}

static enum status read_crisis(struct screen *screen, const struct model *model,
                               const struct openai_request *request, struct openai_fault *fault)
{
    struct crisis_reader *reader = NULL;
    if (crisis_reader_create(policy_crisis(screen->policy), &reader) != STATUS_OK) {
        return no_room(fault, no_memory);
    }
    read_conversation(reader, model, request);
    const enum status status =
        decide(screen, crisis_reader_found(reader), crisis_reader_last(reader));
    crisis_reader_destroy(reader);
    return status == STATUS_OK ? status : no_room(fault, no_memory);
}

/* A grade that words alone did not give, or not now: what an earlier message had already is done
 * for this one too. */
static enum status raise(struct screen *screen, enum crisis_kind kind)
{
    struct crisis_signal *signal = &screen->crisis.signals[kind];
    if (signal->grade < CRISIS_HIGH) {
        *signal = (struct crisis_signal){.kind = kind, .grade = CRISIS_HIGH};
    }
    if (screen->crisis.grade < CRISIS_HIGH) {
        screen->crisis.grade = CRISIS_HIGH;
        screen->crisis.kind = kind;
    }
    screen->crisis_actions |= screen->rules->crisis[kind][signal->grade];
    return tell_protocol(screen, kind, signal->grade);
}

bool screen_asks_model(const struct screen *screen)
{
    return screen->rules->asks_model && !screen->is_answered && screen->crisis.grade < CRISIS_HIGH;
}

void screen_raise(struct screen *screen, bool is_yes, bool has_failed)
{
    screen->second_read = has_failed ? SCREEN_UNANSWERED
                          : is_yes   ? SCREEN_SAYS_YES
                                     : SCREEN_SAYS_NO;
    const enum status status = is_yes ? raise(screen, CRISIS_SUICIDE) : STATUS_OK;
    (void)status; /* without memory for the text the grade and the other actions remain */
}

/* ---- duties ---------------------------------------------------------------------------------- */

/* True: the person's last message asks whether a person answers. */
static enum status read_question(const struct openai_request *request, bool *out)
{
    const size_t count = json_array_size(request->messages);
    const json_t *last = count > 0 ? json_array_get(request->messages, count - 1) : NULL;
    *out = false;
    if (!last || !is_of(last, "user")) {
        return STATUS_OK;
    }
    const json_t *content = json_object_get(last, "content");
    return asked_read(json_string_value(content), json_string_length(content), out);
}

static bool has_answer(const struct openai_request *request)
{
    for (size_t i = 0; i < json_array_size(request->messages); i++) {
        if (is_of(json_array_get(request->messages, i), "assistant")) {
            return true;
        }
    }
    return false;
}

/* Of conversations: a text that is to be continued has no turns. */
static enum status read_duties(struct screen *screen, struct duties *duties,
                               const struct openai_request *request, struct openai_fault *fault)
{
    const char *name = request->conversation ? request->conversation : "";
    struct duties_turn turn = {.tenant = screen->tenant,
                               .conversation = name,
                               .length = strlen(name),
                               .is_first = !has_answer(request),
                               .is_minor = request->is_minor,
                               .now_unix_s = clock_unix_ms() / 1000};
    if (!request->messages) {
        return STATUS_OK;
    }
    enum status status = read_question(request, &turn.is_asked);
    if (status == STATUS_OK) {
        screen->duty = duties_due(duties, &screen->rules->duties, &turn);
    }
    if (status == STATUS_OK && screen->duty != DUTY_NONE) {
        status =
            buffer_format(&screen->told_first, "%s%s", screen->told_first.length > 0 ? "\n\n" : "",
                          duties_text(&screen->rules->duties, screen->duty));
    }
    return status == STATUS_OK ? status : no_room(fault, no_memory);
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* *out: a new string; the text as the rules leave it. */
static enum status change(struct screen *screen, const char *text, size_t length, json_t **out,
                          struct openai_fault *fault)
{
    struct buffer changed = {.limit_bytes = GROWTH_MAX * length + SPARE_BYTES};
    enum status status = inbound_text(screen->inbound, text, length, &changed);
    *out = status == STATUS_OK ? json_stringn(changed.bytes ? changed.bytes : "", changed.length)
                               : NULL;
    buffer_destroy(&changed);
    return *out ? STATUS_OK : no_room(fault, no_memory);
}

static enum status change_member(struct screen *screen, json_t *object, const char *key,
                                 struct openai_fault *fault)
{
    const json_t *value = json_object_get(object, key);
    json_t *changed = NULL;
    if (!json_is_string(value)) {
        return STATUS_OK;
    }
    const enum status status =
        change(screen, json_string_value(value), json_string_length(value), &changed, fault);
    if (status == STATUS_OK && json_object_set_new(object, key, changed) != 0) {
        return no_room(fault, no_memory);
    }
    return status;
}

static enum status change_messages(struct screen *screen, const struct openai_request *request,
                                   struct openai_fault *fault)
{
    static const char *const members[] = {"name", "tool_call_id", "content"};
    const size_t member_count = sizeof members / sizeof members[0];
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(request->messages); i++) {
        json_t *message = json_array_get(request->messages, i);
        for (size_t m = 0; status == STATUS_OK && m < member_count; m++) {
            status = change_member(screen, message, members[m], fault);
        }
    }
    return status;
}

static uint64_t changes(const struct screen *screen)
{
    const struct tally *tally = inbound_tally(screen->inbound);
    uint64_t count = 0;
    for (int action = POLICY_REDACT; action < POLICY_ACTION_COUNT; action++) {
        for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            count += tally->counts[action][kind];
        }
    }
    return count;
}

/* Ids stay what they are unless their text has to change. */
static enum status change_prompt(struct screen *screen, const struct model *model,
                                 const struct openai_request *request, uint32_t index, json_t **out,
                                 struct openai_fault *fault)
{
    json_t *given = NULL;
    struct buffer text = {.limit_bytes = CHAT_TEMPLATE_OUTPUT_BYTES_MAX};
    const uint64_t before = changes(screen);
    if (openai_prompts_echo(model, request, index, &text) != STATUS_OK) {
        buffer_destroy(&text);
        return no_room(fault, no_memory);
    }
    const enum status status =
        change(screen, text.bytes ? text.bytes : "", text.length, &given, fault);
    buffer_destroy(&text);
    const json_t *prompt = openai_request_prompt(request, index);
    if (status == STATUS_OK && json_is_array(prompt) && changes(screen) == before) {
        json_decref(given);
        given = json_deep_copy(prompt);
    }
    *out = given;
    return given || status != STATUS_OK ? status : no_room(fault, no_memory);
}

static enum status change_prompts(struct screen *screen, const struct model *model,
                                  struct openai_request *request, struct openai_fault *fault)
{
    json_t *list = json_array();
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < request->prompt_count; i++) {
        json_t *one = NULL;
        status = change_prompt(screen, model, request, i, &one, fault);
        if (status == STATUS_OK && json_array_append_new(list, one) != 0) {
            status = no_room(fault, no_memory);
        }
    }
    if (status == STATUS_OK) { /* openai_request_prompt takes a list of one, too */
        request->prompt = list;
        return json_object_set_new(request->body, "prompt", list) == 0 ? STATUS_OK
                                                                       : no_room(fault, no_memory);
    }
    json_decref(list);
    return status;
}

/* They are compared with the model's text, which knows a person by the pseudonym. One that grows
 * too long could not stop anything. */
static enum status change_stops(struct screen *screen, struct openai_request *request,
                                struct openai_fault *fault)
{
    const struct stop_set given = request->stops;
    request->stops = (struct stop_set){0};
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < given.count; i++) {
        json_t *changed = NULL;
        status = change(screen, given.strings[i].text, given.strings[i].length, &changed, fault);
        if (status == STATUS_OK) {
            const size_t length = json_string_length(changed);
            if (length > 0 && length <= LIMIT_STOP_STRING_BYTES) {
                stop_set_add(&request->stops, json_string_value(changed), length);
            }
            json_decref(changed);
        }
    }
    return status;
}

static enum status refuse_blocked(const struct screen *screen, const char *param,
                                  struct openai_fault *fault)
{
    char kinds[KINDS_BYTES];
    tally_blocked(inbound_tally(screen->inbound), kinds, sizeof kinds);
    const enum status status = openai_fault_set(
        fault, param, "policy_blocked",
        "%s holds what this clinic's rules do not let in (%s): take it out and ask again", param,
        kinds);
    fault->http_code = 422;
    return status;
}

/* ---- instruments ----------------------------------------------------------------------------- */

/* Every message of the person that follows one of ours is an answer to what was asked there. */
static void read_answers(struct screen *screen, const struct openai_request *request)
{
    bool has_asked = false;
    for (size_t i = 0; i < json_array_size(request->messages); i++) {
        const json_t *message = json_array_get(request->messages, i);
        const json_t *content = json_object_get(message, "content");
        if (has_asked && is_of(message, "user")) {
            instrument_answer(screen->instrument, &screen->state, json_string_value(content),
                              json_string_length(content));
        }
        has_asked = is_of(message, "assistant") || (has_asked && !is_of(message, "user"));
    }
}

/* The next turn is the whole answer: the model has no part in it. */
static enum status ask_instrument(struct screen *screen, const struct screen_parts *parts,
                                  const struct openai_request *request, struct openai_fault *fault)
{
    enum status status = STATUS_OK;
    screen->instrument = parts->instruments[request->instrument];
    read_answers(screen, request);
    if (screen->state.is_critical) { /* an item that must not wait, whatever its words were */
        status = raise(screen, CRISIS_SUICIDE);
    }
    if (status == STATUS_OK && screen->told_first.length > 0) {
        status = buffer_append_text(&screen->told_first, "\n\n");
    }
    if (status == STATUS_OK) {
        status = instrument_next(screen->instrument, &screen->state, &screen->told_first);
    }
    if (status == STATUS_OK) {
        status = instrument_json(screen->instrument, &screen->state, &screen->result);
    }
    screen->is_answered = true;
    return status == STATUS_OK ? status : no_room(fault, no_memory);
}

/* ---- the whole ------------------------------------------------------------------------------- */

enum status screen_request(struct screen *screen, const struct screen_parts *parts,
                           struct openai_request *request, struct openai_fault *fault)
{
    enum status status = read_crisis(screen, parts->model, request, fault);
    if (status == STATUS_OK) {
        status = read_duties(screen, parts->duties, request, fault);
    }
    if (status == STATUS_OK && request->instrument >= 0) {
        status = ask_instrument(screen, parts, request, fault);
    }
    if (status == STATUS_OK) {
        status = request->messages ? change_messages(screen, request, fault)
                                   : change_prompts(screen, parts->model, request, fault);
    }
    if (status == STATUS_OK) {
        status = change_stops(screen, request, fault);
    }
    if (status == STATUS_OK && inbound_is_blocked(screen->inbound)) {
        if (screen->has_protocol) { /* help is not refused; the model, which is, sees nothing */
            screen->is_answered = true;
            return STATUS_OK;
        }
        status = refuse_blocked(screen, request->messages ? "messages" : "prompt", fault);
    }
    return status;
}
