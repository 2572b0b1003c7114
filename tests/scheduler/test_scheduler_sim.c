/* Method: random configurations with tiny pools, so that memory runs out all the time; random
 * arrivals, bursts, cancels, steps and failed steps, with scheduler_check() and an outside model
 * after every event. The fake engine proves KV truth; here each request's tokens must be what the
 * engine answers to it alone, each once and in order, every request must end, the oldest must get
 * on, decodes must not wait, and after the drain every byte must be zero.
 *
 * Usage: test_scheduler_sim [SEED...]. Each seed is printed before its run. Seeds that once failed
 * are in seeds.txt and run first. */
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/random.h"
#include "scheduler/scheduler.h"
#include "tests/check.h"
#include "tests/scheduler/support_fake_engine.h"

enum {
    SEEDS = 200,
    EVENTS = 10000,
    LIVE_MAX = 24,
    CONTEXT_MAX = 64,
    RUNNING_MAX = 8,
    TENANTS_MAX = 4
};

/* What the outside knows of a request: all of its answer, from the engine alone. */
struct known {
    uint64_t who; /* 0: this record is free */
    uint64_t arrival;
    struct tenant_id tenant;
    enum scheduler_finish finish;
    uint32_t output_count, reported_count;
    uint32_t output[CONTEXT_MAX];
    bool is_in_plan, was_decoding;
};

struct simulation {
    struct random_source random;
    struct scheduler_config config;
    struct arena *arena;
    struct scheduler *scheduler;
    struct fake_engine *fake;
    struct engine engine;
    uint32_t prompt_percent, stop_max, submit_percent, cancel_percent, fail_percent;
    struct known known[LIVE_MAX];
    uint32_t known_count, retired_count; /* retired: cancelled in flight, until settle */
    uint64_t request_count, prompt_tokens, output_tokens, steps, preemptions_before;
    uint64_t oldest_arrival; /* of the last plan, while that request lives; 0: none */
    bool is_in_flight, is_draining;
    enum status step_status;
    uint64_t refused[STATUS_COUNT], finished[FINISH_FAILED + 1], scrub_steps;
};

static uint32_t between(struct simulation *sim, uint32_t least, uint32_t most)
{
    return least + random_below(&sim->random, most - least + 1);
}

static bool chance(struct simulation *sim, uint32_t percent)
{
    return random_below(&sim->random, 100) < percent;
}

static struct known *find(struct simulation *sim, uint64_t who)
{
    for (uint32_t i = 0; who != 0 && i < LIVE_MAX; i++) {
        if (sim->known[i].who == who) {
            return &sim->known[i];
        }
    }
    return NULL;
}

/* ---- requests ------------------------------------------------------------------------------- */

/* The most tokens that a request may have, prompt and output. */
static uint32_t tokens_allowed(const struct simulation *sim)
{
    const struct engine_shape *shape = &sim->config.shape;
    const uint32_t page_count = sim->config.tenant_pages_max < shape->page_count
                                    ? sim->config.tenant_pages_max
                                    : shape->page_count;
    const uint32_t fit_count =
        page_count * shape->page_tokens + 1; /* the last is not computed on */
    return fit_count < shape->context_tokens_max ? fit_count : shape->context_tokens_max;
}

static struct scheduler_request random_request(struct simulation *sim, uint32_t *prompt)
{
    const uint32_t vocabulary_count = sim->config.shape.vocabulary_count;
    const uint32_t allowed = tokens_allowed(sim);
    const uint32_t prompt_count = between(sim, 1, 1 + (allowed - 2) * sim->prompt_percent / 100);
    struct scheduler_request request = {
        .id = {sim->request_count + 1},
        .tenant = {between(sim, 1, sim->config.tenant_count)},
        .prompt_count = prompt_count,
        .output_max = between(sim, 1, allowed - prompt_count + chance(sim, 20)),
        .stop_count = between(sim, 0, sim->stop_max),
    };
    for (uint32_t i = 0; i < request.prompt_count; i++) {
        prompt[i] = random_below(&sim->random, vocabulary_count);
    }
    for (uint32_t i = 0; i < request.stop_count; i++) {
        request.stop_ids[i] = random_below(&sim->random, vocabulary_count);
    }
    request.sampling.seed = FAKE_ENGINE_WHO(request.id.value, request.tenant.value);
    return request;
}

/* Makes the request malformed now and then. */
static void spoil(struct simulation *sim, struct scheduler_request *request, uint32_t *prompt)
{
    switch (between(sim, 0, 4)) {
    case 0:
        request->prompt_count = 0;
        break;
    case 1:
        request->output_max = 0;
        break;
    case 2:
        request->tenant.value = chance(sim, 50) ? 0 : sim->config.tenant_count + 1;
        break;
    case 3:
        prompt[random_below(&sim->random, request->prompt_count)] =
            sim->config.shape.vocabulary_count;
        break;
    default:
        request->stop_count = LIMIT_STOP_TOKENS + 1;
        break;
    }
}

static bool is_too_large(const struct simulation *sim, const struct scheduler_request *request)
{
    return request->prompt_count + request->output_max > tokens_allowed(sim);
}

/* The answer that the engine gives to this request alone. */
static void answer_alone(const struct simulation *sim, const struct scheduler_request *request,
                         const uint32_t *prompt, struct known *out)
{
    uint32_t tokens[CONTEXT_MAX];
    memcpy(tokens, prompt, request->prompt_count * sizeof *prompt);
    uint32_t token_count = request->prompt_count;
    out->finish = FINISH_LENGTH;
    while (out->output_count < request->output_max) {
        const uint32_t token =
            fake_engine_next_token(&sim->config.shape, tokens, token_count, request->sampling.seed);
        tokens[token_count++] = token;
        out->output[out->output_count++] = token;
        for (uint32_t i = 0; i < request->stop_count; i++) {
            if (request->stop_ids[i] == token) {
                out->finish = FINISH_STOP;
                return;
            }
        }
    }
}

static enum status predict(const struct simulation *sim, const struct scheduler_request *request,
                           bool is_spoiled)
{
    if (is_spoiled) {
        return STATUS_INVALID;
    }
    if (is_too_large(sim, request)) {
        return STATUS_TOO_LARGE;
    }
    if (scheduler_tenant_counts(sim->scheduler, request->tenant).queued
        >= sim->config.tenant_queued_max) {
        return STATUS_QUOTA;
    }
    return sim->known_count + sim->retired_count == sim->config.sequences_max ? STATUS_FULL
                                                                              : STATUS_OK;
}

static void submit(struct simulation *sim)
{
    uint32_t prompt[CONTEXT_MAX] = {0};
    struct scheduler_request request = random_request(sim, prompt);
    const bool is_spoiled = !is_too_large(sim, &request) && chance(sim, 2);
    if (is_spoiled) {
        spoil(sim, &request, prompt);
    }
    const enum status want = predict(sim, &request, is_spoiled);
    const enum status got = scheduler_submit(sim->scheduler, &request, prompt);
    CHECK(got == want, "submit: %s, not %s", status_name(got), status_name(want));
    sim->refused[got]++;
    if (got != STATUS_OK) {
        return;
    }
    struct known *known = sim->known;
    while (known->who != 0) {
        known++;
    }
    *known = (struct known){
        .who = request.sampling.seed, .arrival = ++sim->request_count, .tenant = request.tenant};
    answer_alone(sim, &request, prompt, known);
    sim->known_count++;
    sim->prompt_tokens += request.prompt_count;
}

static void forget(struct simulation *sim, struct known *known)
{
    if (known->arrival == sim->oldest_arrival) {
        sim->oldest_arrival = 0;
    }
    *known = (struct known){0};
    sim->known_count--;
}

static void cancel(struct simulation *sim)
{
    struct known *known = &sim->known[random_below(&sim->random, LIVE_MAX)];
    if (known->who == 0) {
        const struct request_id over = {sim->request_count + 1};
        CHECK(scheduler_cancel(sim->scheduler, over) == STATUS_NOT_FOUND, "cancel of nobody");
        return;
    }
    const struct request_id id = {known->arrival};
    const uint32_t running_count = scheduler_counts(sim->scheduler).running;
    CHECK(scheduler_cancel(sim->scheduler, id) == STATUS_OK, "cancel");
    CHECK(scheduler_cancel(sim->scheduler, id) == STATUS_NOT_FOUND, "cancel twice");
    if (sim->is_in_flight && scheduler_counts(sim->scheduler).running < running_count) {
        sim->retired_count++;
    }
    sim->finished[FINISH_CANCELLED]++;
    forget(sim, known);
}

/* ---- steps ---------------------------------------------------------------------------------- */

/* Who was decoding and was not preempted is in the next plan; the oldest of the last plan is in it,
 * or somebody older; rows are left over only when nobody wants them. */
static void check_progress(struct simulation *sim, const struct engine_plan *plan)
{
    const struct scheduler_counts counts = scheduler_counts(sim->scheduler);
    uint64_t oldest_arrival = UINT64_MAX;
    bool wants_rows = counts.running > plan->sequence_count;
    bool has_prefill = false;
    for (uint32_t i = 0; i < LIVE_MAX; i++) {
        sim->known[i].is_in_plan = false;
    }
    for (uint32_t i = 0; i < plan->sequence_count; i++) {
        const struct engine_sequence *rows = &plan->sequences[i];
        struct known *known = find(sim, rows->sampling->seed);
        CHECK(known && !known->is_in_plan, "the plan has a request twice, or one that is over");
        if (!known) {
            continue;
        }
        known->is_in_plan = true;
        CHECK(rows->token_count == rows->prompt_count + known->reported_count,
              "tokens of the plan");
        oldest_arrival = known->arrival < oldest_arrival ? known->arrival : oldest_arrival;
        wants_rows = wants_rows || !rows->samples;
        has_prefill = has_prefill || rows->position_first + 1 < rows->token_count;
        CHECK(!known->was_decoding || rows->position_first + 1 == rows->token_count,
              "forced out and let in again in one step");
        CHECK(!(has_prefill && known->was_decoding), "a prompt comes before a decode");
    }
    CHECK(!wants_rows || plan->row_count == sim->config.shape.step_tokens_max,
          "rows are left over: %u", plan->row_count);
    CHECK(sim->known_count == 0 || plan->sequence_count > 0, "nobody runs");
    CHECK(sim->oldest_arrival == 0 || oldest_arrival <= sim->oldest_arrival,
          "the oldest does not get on");
    for (uint32_t i = 0; i < LIVE_MAX; i++) {
        struct known *known = &sim->known[i];
        CHECK(!known->was_decoding || known->is_in_plan
                  || counts.preemptions > sim->preemptions_before,
              "a decode waits");
        known->was_decoding = known->was_decoding && known->is_in_plan;
    }
    sim->oldest_arrival = plan->sequence_count > 0 ? oldest_arrival : 0;
    sim->preemptions_before = counts.preemptions;
}

/* False: there was nothing to do. */
static bool plan(struct simulation *sim)
{
    struct engine_plan plan;
    if (!scheduler_plan(sim->scheduler, &plan)) {
        CHECK(sim->known_count == 0, "%u requests and no plan", sim->known_count);
        return false;
    }
    check_progress(sim, &plan);
    sim->scrub_steps += plan.sequence_count == 0;
    if (!sim->is_draining && chance(sim, sim->fail_percent)) {
        if (chance(sim, 50)) {
            fake_engine_fail_launch(sim->fake);
        } else {
            fake_engine_fail_settle(sim->fake);
        }
    }
    sim->step_status = sim->engine.launch(sim->engine.self, &plan);
    sim->is_in_flight = true;
    return true;
}

static void take_token(struct simulation *sim, struct known *known, uint32_t token)
{
    CHECK(known->reported_count < known->output_count, "a token too many");
    if (known->reported_count < known->output_count) {
        CHECK(token == known->output[known->reported_count], "request %llu: token %u differs",
              (unsigned long long)known->arrival, known->reported_count);
        known->reported_count++;
    }
    known->was_decoding = true;
    sim->output_tokens++;
}

static void take_finish(struct simulation *sim, struct known *known, enum scheduler_finish finish)
{
    if (sim->step_status == STATUS_OK) {
        CHECK(finish == known->finish, "finish %u, not %u", (unsigned)finish,
              (unsigned)known->finish);
        CHECK(known->reported_count == known->output_count, "%u of %u tokens",
              known->reported_count, known->output_count);
    } else {
        CHECK(finish == FINISH_FAILED, "finish %u of a failed step", (unsigned)finish);
    }
    sim->finished[finish]++;
    forget(sim, known);
}

static void settle(struct simulation *sim)
{
    struct engine_token tokens[RUNNING_MAX];
    struct scheduler_event events[2 * RUNNING_MAX];
    CHECK(scheduler_events_max(sim->scheduler) <= 2 * RUNNING_MAX, "room for events");
    if (sim->step_status == STATUS_OK) {
        sim->step_status = sim->engine.settle(sim->engine.self, tokens);
    }
    const uint32_t count = scheduler_settle(sim->scheduler, sim->step_status, tokens, events);
    CHECK(count <= scheduler_events_max(sim->scheduler), "%u events", count);
    for (uint32_t i = 0; i < count; i++) {
        const struct scheduler_event *event = &events[i];
        struct known *known = find(sim, FAKE_ENGINE_WHO(event->id.value, event->tenant.value));
        CHECK(known && known->is_in_plan, "event of request %llu, which is over or did not run",
              (unsigned long long)event->id.value);
        if (!known) {
            continue;
        }
        if (event->kind == SCHEDULER_EVENT_TOKEN) {
            CHECK(sim->step_status == STATUS_OK, "a token of a failed step");
            take_token(sim, known, event->token->id);
        } else {
            take_finish(sim, known, event->finish);
        }
    }
    if (sim->step_status != STATUS_OK) {
        for (uint32_t i = 0; i < LIVE_MAX; i++) {
            CHECK(!sim->known[i].is_in_plan, "a failed step left a request");
            sim->known[i].was_decoding = false;
        }
        sim->oldest_arrival = 0;
    }
    sim->is_in_flight = false;
    sim->retired_count = 0;
    sim->steps++;
}

static void step(struct simulation *sim)
{
    if (sim->is_in_flight) {
        settle(sim);
    } else {
        plan(sim);
    }
}

/* ---- a run ---------------------------------------------------------------------------------- */

static void check_after_event(struct simulation *sim)
{
    scheduler_check(sim->scheduler);
    const struct scheduler_counts counts = scheduler_counts(sim->scheduler);
    CHECK(counts.queued + counts.running == sim->known_count, "%u + %u requests, not %u",
          counts.queued, counts.running, sim->known_count);
    CHECK(counts.steps == sim->steps, "steps");
    CHECK(counts.prompt_tokens == sim->prompt_tokens, "prompt tokens");
    CHECK(counts.output_tokens == sim->output_tokens, "output tokens");
    CHECK(sim->known_count + sim->retired_count > 0 || counts.pages_used == 0, "pages of nobody");
    CHECK(counts.running <= sim->config.running_max, "running");
}

static void random_config(struct simulation *sim)
{
    struct engine_shape *shape = &sim->config.shape;
    static const uint32_t page_tokens[] = {1, 1, 2, 3, 8};
    shape->page_tokens = page_tokens[between(sim, 0, 4)];
    shape->context_tokens_max = between(sim, 8, CONTEXT_MAX);
    const uint32_t context_pages =
        (shape->context_tokens_max + shape->page_tokens - 1) / shape->page_tokens;
    shape->page_count = between(sim, 4, context_pages + 6); /* about one long context */
    sim->config.running_max = chance(sim, 95) ? between(sim, 2, RUNNING_MAX) : 1;
    shape->step_sequences_max = sim->config.running_max + between(sim, 0, 1);
    shape->step_tokens_max = sim->config.running_max + between(sim, 0, chance(sim, 50) ? 4 : 24);
    shape->vocabulary_count = between(sim, 2, 40);
    sim->config.sequences_max = chance(sim, 90) ? between(sim, 3, LIVE_MAX) : 1;
    sim->config.tenant_count = between(sim, 1, TENANTS_MAX);
    sim->config.tenant_queued_max = between(sim, 1, 8);
    sim->config.tenant_pages_max = between(sim, 1 + shape->page_count / 2, shape->page_count + 2);
    sim->prompt_percent = between(sim, 0, 90);
    sim->stop_max = chance(sim, 50) ? between(sim, 0, 2) : 0;
    sim->fail_percent = chance(sim, 50) ? between(sim, 0, 3) : 0;
    sim->submit_percent = between(sim, 5, 40);
    sim->cancel_percent = between(sim, 0, 8);
}

static void create(struct simulation *sim, uint64_t seed)
{
    *sim = (struct simulation){.random = {seed}};
    random_config(sim);
    struct failure failure;
    const enum status checked = scheduler_config_check(&sim->config, &failure);
    ASSERT(checked == STATUS_OK);
    const enum status created = arena_create(scheduler_arena_bytes(&sim->config), &sim->arena);
    ASSERT(created == STATUS_OK);
    sim->scheduler = scheduler_create(sim->arena, &sim->config);
    arena_seal(sim->arena);
    sim->fake = fake_engine_create(&sim->config.shape, sim->config.tenant_pages_max);
    sim->engine = fake_engine_interface(sim->fake);
}

/* Nothing more arrives: all must end, in about the steps that they would take one after another. */
static void drain(struct simulation *sim)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < LIVE_MAX; i++) {
        rows += sim->known[i].who != 0 ? 2 * CONTEXT_MAX : 0;
    }
    uint64_t step_count = 0;
    sim->is_draining = true;
    do {
        if (sim->is_in_flight) {
            settle(sim);
        }
        check_after_event(sim);
    } while (plan(sim) && step_count++ < 2 * rows + sim->config.shape.page_count);
    CHECK(!sim->is_in_flight, "not drained after %llu steps", (unsigned long long)step_count);
    CHECK(sim->known_count == 0, "%u requests never end", sim->known_count);
    CHECK(scheduler_counts(sim->scheduler).pages_used == 0, "pages of nobody");
    CHECK(fake_engine_is_clean(sim->fake), "bytes are left behind");
}

static void run(uint64_t seed)
{
    printf("scheduler seed %llu\n", (unsigned long long)seed);
    fflush(stdout);
    static struct simulation sim;
    create(&sim, seed);
    for (uint32_t i = 0; i < EVENTS && check_failures == 0; i++) {
        const uint32_t event = random_below(&sim.random, 100);
        if (event == 0) {
            for (uint32_t burst = between(&sim, 2, 20); burst > 0; burst--) {
                submit(&sim);
            }
        } else if (event < sim.submit_percent) {
            submit(&sim);
        } else if (event < sim.submit_percent + sim.cancel_percent) {
            cancel(&sim);
        } else {
            step(&sim);
        }
        check_after_event(&sim);
    }
    if (check_failures == 0) {
        drain(&sim);
    }
    printf("  %llu accepted, %llu full, %llu quota, %llu too large, %llu invalid; %llu stop, "
           "%llu length, %llu cancelled, %llu failed; %llu steps, %llu preemptions, %llu tokens\n",
           (unsigned long long)sim.request_count, (unsigned long long)sim.refused[STATUS_FULL],
           (unsigned long long)sim.refused[STATUS_QUOTA],
           (unsigned long long)sim.refused[STATUS_TOO_LARGE],
           (unsigned long long)sim.refused[STATUS_INVALID],
           (unsigned long long)sim.finished[FINISH_STOP],
           (unsigned long long)sim.finished[FINISH_LENGTH],
           (unsigned long long)sim.finished[FINISH_CANCELLED],
           (unsigned long long)sim.finished[FINISH_FAILED], (unsigned long long)sim.steps,
           (unsigned long long)scheduler_counts(sim.scheduler).preemptions,
           (unsigned long long)sim.output_tokens);
    fake_engine_destroy(sim.fake);
    arena_destroy(sim.arena);
}

static void run_seeds_that_failed(void)
{
    FILE *file = fopen(WARD_SOURCE_DIR "/tests/scheduler/seeds.txt", "re");
    CHECK(file, "seeds.txt cannot be read");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        if (line[0] >= '0' && line[0] <= '9') {
            run(strtoull(line, NULL, 10));
        }
    }
    if (file) {
        fclose(file);
    }
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        run(strtoull(argv[i], NULL, 10));
    }
    if (argc == 1) {
        run_seeds_that_failed();
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            run(seed);
        }
    }
    return check_failures > 0;
}
