#include "server/openai/generation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/openai/generation_plan.h"
#include "server/openai/generation_record.h"
#include "server/openai/screen/screen.h"
#include "server/openai/second_read.h"

enum { JSON_BYTES_A_TEXT_BYTE = 6, DOCUMENT_SPARE_BYTES = 65536 };
static const uint64_t KEEP_ALIVE_NS = 5ULL * 1000 * 1000 * 1000;
static const char keep_alive[] = ": keep-alive\n\n";

enum phase {
    PHASE_READING,   /* the model is asked whether the person is in danger */
    PHASE_ADMITTING, /* the engine has not said yes or no */
    PHASE_ANSWERING,
    PHASE_ENDED, /* all is written: what is left is to be taken */
    PHASE_BROKEN /* likewise, then the connection is cut */
};

struct generation {
    struct service *service;
    enum metrics_route route;
    struct auth_identity identity;
    char request_id[OPENAI_ID_BYTES];
    uint64_t arrived_ns, sent_ns; /* of its last byte so far */
    struct openai_request request;
    struct screen screen;
    struct second_read second_read;
    struct openai_prompts prompts; /* until the engine has them */
    struct generation_plan plan;
    struct http_handle handle;
    struct openai_answer answer;
    struct token_log *log;
    struct auth_budget budget;
    uint32_t tokens_taken; /* from the tenant's budget */
    bool has_budget, is_concluded;
    enum phase phase;
    enum status submitted;
    struct audit_position accepted; /* value 0: it could not be recorded */
    struct digest prompt;           /* keyed digest of the body */
    uint64_t seed;
    _Atomic uint64_t ticket; /* 0: none */
    _Atomic bool is_abandoned;
};

/* What an abandoned request is told, if its client still listens: then its key was revoked. */
static const struct openai_refusal abandoned = {
    {401, "invalid_request_error", NULL, "invalid_api_key",
     "the request was cancelled: its API key is no longer valid", 0},
    METRICS_CANCELLED};

static const struct generation_end completed = {METRICS_COMPLETED, 200, NULL};

static struct engine_ticket ticket_of(struct generation *generation)
{
    return (struct engine_ticket){atomic_load(&generation->ticket)};
}

/* ---- the end --------------------------------------------------------------------------------- */

static double milliseconds(uint64_t ns)
{
    return (double)ns / 1e6;
}

static struct generation_facts facts_of(const struct generation *generation)
{
    enum status admission = STATUS_UNAVAILABLE;
    const struct token_log *log = generation->log;
    const uint64_t first_ns = log ? token_log_first_ns(log) : 0;
    return (struct generation_facts){
        .identity = &generation->identity,
        .request_id = generation->request_id,
        .route = generation->route,
        .request = &generation->request,
        .answer = &generation->answer,
        .screen = &generation->screen,
        .seed = generation->seed,
        .prompt = generation->prompt,
        .is_accepted = generation->accepted.value != 0,
        .is_admitted = log && token_log_admission(log, &admission) && admission == STATUS_OK,
        .first_ns = first_ns > 0 ? first_ns - generation->arrived_ns : 0,
        .total_ns = clock_monotonic_ns() - generation->arrived_ns,
    };
}

static void count(const struct generation *generation, const struct generation_facts *facts,
                  const struct generation_end *end)
{
    const uint32_t output_tokens = openai_answer_tokens(&generation->answer);
    struct metrics_request counted = {.tenant = generation->identity.tenant,
                                      .tenant_name = generation->identity.tenant_name,
                                      .route = generation->route,
                                      .outcome = end->outcome,
                                      .http_code = end->http_code,
                                      .first_token_ns = facts->first_ns};
    if (facts->first_ns > 0) {
        const uint64_t first_ns = token_log_first_ns(generation->log);
        const uint64_t last_ns = token_log_last_ns(generation->log);
        const uint32_t tokens_each = output_tokens / generation->answer.choice_count;
        counted.per_token_ns = tokens_each > 1 ? (last_ns - first_ns) / (tokens_each - 1) : 0;
    }
    metrics_count_request(generation->service->metrics, &counted);
    log_event(LOG_LEVEL_INFO, "openai", "generation.done",
              "request=%s tenant=%s key=%s outcome=%s status=%d prompt_tokens=%u "
              "output_tokens=%u ttft_ms=%.1f total_ms=%.1f",
              generation->request_id, generation->identity.tenant_name, generation->identity.key_id,
              metrics_outcome_name(end->outcome), end->http_code, generation->answer.prompt_tokens,
              output_tokens, milliseconds(facts->first_ns), milliseconds(facts->total_ns));
}

static void count_policy(const struct generation *generation)
{
    const struct screen *screen = &generation->screen;
    const struct tally *inbound = screen_tally(screen);
    if (inbound) {
        const struct tally outbound = openai_answer_tally(&generation->answer);
        metrics_count_policy(generation->service->metrics, generation->identity.tenant, inbound,
                             &outbound);
        metrics_count_crisis(generation->service->metrics, generation->identity.tenant,
                             &screen->crisis);
    }
}

static void give_back_ticket(struct generation *generation)
{
    const uint64_t ticket = atomic_exchange(&generation->ticket, 0);
    if (ticket != 0) {
        engine_loop_release(generation->service->engine_loop, (struct engine_ticket){ticket});
    }
}

/* Counted, recorded and everything of others given back, once; before the client can read of the
 * end. */
static void conclude(struct generation *generation, const struct generation_end *end)
{
    if (generation->is_concluded) {
        return;
    }
    generation->is_concluded = true;
    const struct generation_facts facts = facts_of(generation);
    count(generation, &facts, end);
    count_policy(generation);
    generation_record_end(generation->service->trail, &facts, end);
    give_back_ticket(generation);
    if (generation->has_budget) {
        auth_release(generation->service->config.auth, generation->identity.tenant,
                     generation->tokens_taken,
                     generation->answer.prompt_tokens + openai_answer_tokens(&generation->answer));
    }
}

/* Its exchange is over, and nobody said why. */
static void conclude_abandoned(struct generation *generation)
{
    const struct service *service = generation->service;
    const struct generation_end end = {METRICS_CANCELLED, 499,
                                       atomic_load(&service->is_draining) ? "draining"
                                       : !auth_is_live(service->config.auth, &generation->identity)
                                           ? "invalid_api_key"
                                           : "client_gone"};
    if (!generation->is_concluded) {
        conclude(generation, &end);
    }
}

static void destroy(void *context)
{
    struct generation *generation = context;
    if (generation) {
        conclude_abandoned(generation);
        openai_answer_close(&generation->answer);
        token_log_destroy(generation->log);
        second_read_end(&generation->second_read);
        openai_prompts_destroy(&generation->prompts);
        screen_close(&generation->screen);
        openai_request_destroy(&generation->request);
        explicit_bzero(generation, sizeof *generation);
        free(generation);
    }
}

static void refuse(struct generation *generation, struct http_exchange *exchange,
                   const struct openai_refusal *refusal)
{
    conclude(generation, &(struct generation_end){refusal->outcome, refusal->error.http_code,
                                                  refusal->error.code});
    if (generation->budget.requests_limit > 0 || generation->budget.tokens_limit > 0) {
        openai_reply_budget(exchange, &generation->budget);
    }
    http_reply_error(exchange, &refusal->error);
}

/* ---- before the engine ----------------------------------------------------------------------- */

static enum status echo(struct generation *generation)
{
    struct openai_answer *answer = &generation->answer;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; status == STATUS_OK && i < answer->choice_count; i++) {
        struct buffer text = {.limit_bytes = answer->terms.text_bytes_max};
        status = openai_prompts_echo(generation->service->config.model, &generation->request,
                                     i / generation->request.n, &text);
        if (status == STATUS_OK) {
            status =
                openai_choice_echo(&answer->choices[i], text.bytes ? text.bytes : "", text.length);
        }
        buffer_destroy(&text);
    }
    return status;
}

static enum status open_answer(struct generation *generation)
{
    const struct generation_plan *plan = &generation->plan;
    struct service *service = generation->service;
    struct openai_answer *answer = &generation->answer;
    const struct model *model = service->config.model;
    if (token_log_create(&plan->shape, &generation->log) != STATUS_OK) {
        return STATUS_IO;
    }
    const uint64_t bytes_max = service->config.request_bytes_max;
    answer->choice_count = plan->shape.sequence_count;
    answer->terms.output_max = plan->shape.output_max;
    answer->model_name = service->model_name;
    answer->fingerprint = service->fingerprint;
    answer->created_unix_s = clock_unix_ms() / 1000;
    answer->include_usage = generation->request.include_usage;
    answer->terms.tokenizer = model->tokenizer;
    answer->terms.stops = &generation->request.stops;
    answer->terms.stop_ids = model->config.eos_ids;
    answer->terms.stop_count = model->config.eos_count;
    answer->terms.log = generation->log;
    answer->terms.text_bytes_max = bytes_max;
    answer->terms.logprobs = generation->request.logprobs;
    answer->terms.outbound = &generation->screen.terms;
    answer->terms.crisis = policy_crisis(service->config.policy);
    answer->terms.preface = generation->screen.told_first.bytes;
    answer->terms.is_answered = generation->screen.is_answered;
    answer->terms.answered_finish = generation->screen.instrument ? OPENAI_STOP : OPENAI_FILTERED;
    answer->extension = generation->screen.result.bytes;
    audit_digest_begin(service->config.audit, generation->identity.tenant, &answer->terms.digest);
    answer->out.limit_bytes = JSON_BYTES_A_TEXT_BYTE * bytes_max + DOCUMENT_SPARE_BYTES;
    snprintf(answer->id, sizeof answer->id, "%s%s", answer->format->id_prefix,
             generation->request_id);
    const enum status status = openai_answer_open(answer);
    return status == STATUS_OK && generation->request.echo ? echo(generation) : status;
}

/* All sequences of a request are admitted together, so more than this can never be. */
static uint32_t sequences_max(const struct service *service)
{
    const struct service_config *config = &service->config;
    return config->tenant_queued_max < config->sequences_max ? config->tenant_queued_max
                                                             : config->sequences_max;
}

/* Up to what is the client's own. */
static enum status plan(struct generation *generation, struct http_exchange *exchange,
                        struct openai_fault *fault)
{
    const struct service *service = generation->service;
    const struct openai_terms terms = {.model_name = service->model_name,
                                       .instruments = service->instrument_names,
                                       .vocabulary_count =
                                           service->config.engine.shape.vocabulary_count,
                                       .sequences_max = sequences_max(service)};
    size_t length = 0;
    const char *body = http_exchange_body(exchange, &length);
    const enum openai_endpoint endpoint =
        generation->route == METRICS_ROUTE_CHAT ? OPENAI_CHAT : OPENAI_COMPLETIONS;
    enum status status =
        openai_request_parse(endpoint, body, length, &terms, &generation->request, fault);
    if (status == STATUS_OK) {
        status = screen_open(&generation->screen, service->config.policy, &generation->identity,
                             &generation->request, fault);
    }
    if (status == STATUS_OK) {
        const struct screen_parts parts = {service->duties, service->instruments,
                                           service->config.model};
        status = screen_request(&generation->screen, &parts, &generation->request, fault);
    }
    if (status == STATUS_OK) {
        status = openai_prompts_make(service->config.model, &generation->request,
                                     &generation->prompts, fault);
    }
    return status == STATUS_OK
               ? generation_plan_make(service, generation->answer.format, &generation->request,
                                      &generation->prompts, &generation->plan, fault)
               : status;
}

/* Over its quota a person in a crisis still hears where help is; the model costs, that does not. */
static bool answers_without_budget(struct screen *screen)
{
    screen->is_answered = screen->is_answered || screen->has_protocol;
    return screen->has_protocol;
}

/* Every check up to the engine's door. False: replied. */
static bool prepare(struct generation *generation, struct http_exchange *exchange)
{
    struct service *service = generation->service;
    struct generation_plan *out = &generation->plan;
    struct openai_fault fault = {0};
    if (plan(generation, exchange, &fault) != STATUS_OK) {
        const struct openai_refusal refusal = openai_refusal_of_fault(&fault);
        refuse(generation, exchange, &refusal);
        return false;
    }
    out->engine.tenant = generation->identity.tenant;
    generation->seed = out->engine.sampling.seed;
    generation->answer.prompt_tokens = out->prompt_tokens;
    generation->tokens_taken = out->tokens_max;
    const char *what = NULL;
    const enum status status =
        auth_admit(service->config.auth, generation->identity.tenant, clock_monotonic_ns(),
                   generation->tokens_taken, &generation->budget, &what);
    generation->has_budget = status == STATUS_OK;
    if (status != STATUS_OK && !answers_without_budget(&generation->screen)) {
        const struct openai_refusal refusal =
            status == STATUS_QUOTA
                ? openai_refusal_of_budget(&generation->budget, what, generation->tokens_taken)
                : openai_refusal_of_status(service, status);
        refuse(generation, exchange, &refusal);
        return false;
    }
    return true;
}

/* ---- to the engine --------------------------------------------------------------------------- */

/* The clinic is told at once, whatever becomes of the answer. */
static void hand_off(const struct generation *generation)
{
    const struct screen *screen = &generation->screen;
    const struct service_config *config = &generation->service->config;
    if ((screen->crisis_actions & CRISIS_HAND_OFF) == 0 || !config->hand_off
        || screen->rules->webhook_url[0] == '\0') {
        return;
    }
    struct hand_off_event event = {.tenant = generation->identity.tenant,
                                   .kind = screen->crisis.kind,
                                   .grade = screen->crisis.grade,
                                   .subject = screen->crisis.signals[screen->crisis.kind].subject,
                                   .unix_s = clock_unix_ms() / 1000};
    snprintf(event.tenant_name, sizeof event.tenant_name, "%s", generation->identity.tenant_name);
    snprintf(event.request_id, sizeof event.request_id, "%s", generation->request_id);
    hand_off_push(config->hand_off, &event);
}

static void record_accepted(struct generation *generation)
{
    const struct generation_facts facts = facts_of(generation);
    struct audit_position position;
    if (generation_record_accepted(generation->service->trail, &facts, generation->handle.value,
                                   &position)
        == STATUS_OK) {
        generation->accepted = position;
    }
}

/* Where the engine has no answer, a person in a crisis still hears where help is. False: there is
 * nothing to tell, or no memory for it. */
static bool answer_without_engine(struct generation *generation)
{
    struct screen *screen = &generation->screen;
    if (!screen->has_protocol || screen->is_answered) {
        return false;
    }
    give_back_ticket(generation);
    openai_answer_close(&generation->answer);
    token_log_destroy(generation->log);
    generation->log = NULL;
    screen->is_answered = true;
    generation->submitted = open_answer(generation) == STATUS_OK ? STATUS_OK : STATUS_FULL;
    return generation->submitted == STATUS_OK;
}

/* What is told first is known now. The engine may work while the record is written. */
static void launch(struct generation *generation)
{
    struct engine_ticket ticket = {0};
    generation->submitted = open_answer(generation) == STATUS_OK ? STATUS_OK : STATUS_FULL;
    if (generation->submitted == STATUS_OK && !generation->screen.is_answered) {
        generation->submitted = engine_loop_submit(
            generation->service->engine_loop, &generation->plan.engine, generation->prompts.tokens,
            generation->log, generation->handle.value, &ticket);
    }
    atomic_store(&generation->ticket, ticket.value);
    openai_prompts_destroy(&generation->prompts);
    generation->phase = PHASE_ADMITTING;
    if (generation->submitted == STATUS_OK || answer_without_engine(generation)) {
        record_accepted(generation);
        hand_off(generation);
    }
}

/* True: there is an answer, or there will be none. */
static bool has_read(struct generation *generation)
{
    const enum second_read_answer answer = second_read_look(&generation->second_read);
    if (answer == SECOND_READ_WAITING) {
        return false;
    }
    screen_raise(&generation->screen, answer == SECOND_READ_YES, answer == SECOND_READ_FAILED);
    second_read_end(&generation->second_read);
    return true;
}

/* ---- the task -------------------------------------------------------------------------------- */

static void cut(void *context, uint32_t sequence)
{
    struct generation *generation = context;
    engine_loop_cancel(generation->service->engine_loop, ticket_of(generation), sequence);
}

static void answer_whole(struct generation *generation, struct http_exchange *exchange)
{
    struct service *service = generation->service;
    struct openai_answer *answer = &generation->answer;
    enum openai_progress progress = openai_answer_gather(answer);
    if (progress == OPENAI_BROKEN && answer_without_engine(generation)) {
        progress = OPENAI_DONE;
    }
    if (progress == OPENAI_WAITING) {
        return;
    }
    if (!audit_is_available(service->config.audit)) {
        const struct openai_refusal refusal = openai_refusal_of_audit();
        refuse(generation, exchange, &refusal);
        return;
    }
    if (progress == OPENAI_BROKEN || openai_answer_write_whole(answer) != STATUS_OK) {
        const struct openai_refusal refusal = openai_refusal_of_status(service, STATUS_DEVICE);
        refuse(generation, exchange, &refusal);
        return;
    }
    conclude(generation, &completed);
    openai_reply_budget(exchange, &generation->budget);
    http_reply(exchange, 200, "application/json", answer->out.bytes, answer->out.length);
}

/* Whether request.accepted is durable: before that no byte of an answer may leave. */
static enum audit_keeping keeping_of(const struct generation *generation)
{
    return generation->accepted.value == 0
               ? AUDIT_LOST
               : trail_keeping(generation->service->trail, generation->accepted,
                               generation->arrived_ns);
}

static void step(struct http_exchange *exchange, void *context)
{
    struct generation *generation = context;
    if (atomic_load(&generation->is_abandoned)) {
        refuse(generation, exchange, &abandoned);
        return;
    }
    if (generation->phase == PHASE_READING) {
        if (!has_read(generation)) {
            return;
        }
        launch(generation);
    }
    enum status admission = generation->submitted;
    const enum audit_keeping keeping = keeping_of(generation);
    const bool is_decided = generation->screen.is_answered || admission != STATUS_OK
                            || token_log_admission(generation->log, &admission);
    if (keeping == AUDIT_WAITING || (!is_decided && keeping != AUDIT_LOST)) {
        return;
    }
    if (admission != STATUS_OK && !answer_without_engine(generation)) {
        const struct openai_refusal refusal =
            openai_refusal_of_status(generation->service, admission);
        refuse(generation, exchange, &refusal);
        return;
    }
    if (keeping == AUDIT_LOST) {
        const struct openai_refusal refusal = openai_refusal_of_audit();
        refuse(generation, exchange, &refusal);
        return;
    }
    if (!generation->request.stream) {
        answer_whole(generation, exchange);
        return;
    }
    openai_reply_budget(exchange, &generation->budget);
    generation->phase = openai_answer_write_first(&generation->answer) == STATUS_OK
                            ? PHASE_ANSWERING
                            : PHASE_BROKEN;
    http_stream_begin(exchange, "text/event-stream; charset=utf-8");
}

static void break_off(struct generation *generation, const struct openai_refusal *refusal)
{
    const enum status status = openai_answer_write_error(&generation->answer, &refusal->error);
    (void)status; /* without memory for the event the cut alone must tell */
    conclude(generation, &(struct generation_end){refusal->outcome, 200, refusal->error.code});
    generation->phase = PHASE_BROKEN;
}

static void write_events(struct generation *generation)
{
    struct openai_answer *answer = &generation->answer;
    if (atomic_load(&generation->is_abandoned)) {
        break_off(generation, &abandoned);
        return;
    }
    if (!audit_is_available(generation->service->config.audit)) {
        const struct openai_refusal refusal = openai_refusal_of_audit();
        break_off(generation, &refusal);
        return;
    }
    const enum openai_progress progress = openai_answer_write_events(answer);
    if (progress == OPENAI_DONE && openai_answer_write_end(answer) == STATUS_OK) {
        conclude(generation, &completed);
        generation->phase = PHASE_ENDED;
    } else if (progress != OPENAI_WAITING) {
        const struct openai_refusal refusal =
            openai_refusal_of_status(generation->service, STATUS_DEVICE);
        break_off(generation, &refusal);
    }
}

static ssize_t pull(void *context, char *out, size_t max)
{
    struct generation *generation = context;
    if (generation->phase == PHASE_ANSWERING) {
        write_events(generation);
    }
    const uint64_t now_ns = clock_monotonic_ns();
    size_t length = openai_answer_take(&generation->answer, out, max);
    if (length == 0) {
        if (generation->phase == PHASE_ENDED) {
            return HTTP_PULL_END;
        }
        if (generation->phase == PHASE_BROKEN) {
            conclude(generation, &(struct generation_end){METRICS_FAILED, 200, "no_memory"});
            return HTTP_PULL_CUT;
        }
        if (now_ns - generation->sent_ns < KEEP_ALIVE_NS || max < sizeof keep_alive - 1) {
            return HTTP_PULL_WAIT;
        }
        length = sizeof keep_alive - 1;
        memcpy(out, keep_alive, length);
    }
    generation->sent_ns = now_ns;
    return (ssize_t)length;
}

/* Any thread, while the others run. */
static void abandon(void *context)
{
    struct generation *generation = context;
    atomic_store(&generation->is_abandoned, true);
    const struct engine_ticket ticket = ticket_of(generation);
    second_read_cancel(&generation->second_read);
    if (ticket.value != 0) {
        engine_loop_cancel_all(generation->service->engine_loop, ticket);
    }
}

/* ---- the handler ----------------------------------------------------------------------------- */

static void submit(struct generation *generation, struct http_exchange *exchange)
{
    const struct http_task task = {
        .context = generation, .step = step, .pull = pull, .abandon = abandon, .destroy = destroy};
    generation->prompt = openai_reply_body_digest(exchange, generation->service);
    generation->handle = http_defer(exchange, &task);
    const bool asks_model = screen_asks_model(&generation->screen);
    if (asks_model
        && second_read_begin(&generation->second_read, generation->service, &generation->request,
                             generation->identity.tenant, generation->handle.value)
               == STATUS_OK) {
        generation->phase = PHASE_READING;
    } else {
        if (asks_model) {
            screen_raise(&generation->screen, false, true);
        }
        launch(generation);
    }
    if (atomic_load(&generation->is_abandoned)) {
        abandon(generation); /* it may have come before there was a ticket */
    }
}

static enum status create(struct http_exchange *exchange, struct service *service,
                          enum openai_endpoint endpoint, struct generation **out)
{
    const bool is_chat = endpoint == OPENAI_CHAT;
    struct generation *generation = calloc(1, sizeof *generation);
    if (!generation) {
        return STATUS_FULL;
    }
    generation->service = service;
    generation->route = is_chat ? METRICS_ROUTE_CHAT : METRICS_ROUTE_COMPLETIONS;
    generation->identity = *http_exchange_identity(exchange);
    generation->arrived_ns = clock_monotonic_ns();
    generation->sent_ns = generation->arrived_ns;
    generation->answer.format = is_chat ? &chat_format : &completions_format;
    generation->answer.cut = cut;
    generation->answer.cut_context = generation;
    metrics_know_tenant(service->metrics, generation->identity.tenant,
                        generation->identity.tenant_name);
    snprintf(generation->request_id, sizeof generation->request_id, "%s",
             http_exchange_request_id(exchange));
    *out = generation;
    return STATUS_OK;
}

/* Without an engine a request is read all the same, for what needs none; launch() asks again. */
static bool may_begin(const struct service *service, enum status status)
{
    return status == STATUS_OK || status == STATUS_UNAVAILABLE
           || (status == STATUS_DEVICE
               && engine_loop_state(service->engine_loop) == ENGINE_LOOP_LOST);
}

void generation_start(struct http_exchange *exchange, void *context, enum openai_endpoint endpoint)
{
    struct service *service = context;
    struct generation *generation = NULL;
    enum status status = create(exchange, service, endpoint, &generation);
    if (status == STATUS_OK) {
        status = service_status(service);
    }
    if (!may_begin(service, status)) {
        const struct openai_refusal refusal = openai_refusal_of_status(service, status);
        openai_reply_refusal(
            exchange, service,
            endpoint == OPENAI_CHAT ? METRICS_ROUTE_CHAT : METRICS_ROUTE_COMPLETIONS, &refusal);
        free(generation);
        return;
    }
    if (prepare(generation, exchange)) {
        submit(generation, exchange);
    } else {
        destroy(generation);
    }
}
