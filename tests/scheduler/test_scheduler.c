/* Method: one small scene a test, against the fake engine, with scheduler_check() after each call.
 * The scene's plan of the last step is kept, so that a test can say who was in it. */
#include <string.h>

#include "base/assert.h"
#include "scheduler/scheduler.h"
#include "tests/check.h"
#include "tests/scheduler/support_fake_engine.h"

enum { RUNNING_MAX = 8, REQUESTS_MAX = 64 };

static const struct scheduler_config roomy = {
    .shape = {.page_count = 64,
              .page_tokens = 4,
              .context_tokens_max = 64,
              .step_tokens_max = 16,
              .step_sequences_max = RUNNING_MAX,
              .vocabulary_count = 1000},
    .sequences_max = 16,
    .running_max = RUNNING_MAX,
    .tenant_queued_max = 8,
    .tenant_pages_max = 64,
    .tenant_count = 3,
};

struct answer { /* what was reported of a request; its id is the index */
    uint32_t token_count, finish_count;
    enum scheduler_finish finish;
};

struct scene {
    struct scheduler_config config;
    struct arena *arena;
    struct scheduler *scheduler;
    struct fake_engine *fake;
    struct engine engine;
    struct engine_plan plan;
    struct engine_sequence rows[RUNNING_MAX]; /* of the last plan, with whose they were */
    uint64_t rows_who[RUNNING_MAX];
    enum status step_status;
    uint32_t request_count;
    uint64_t who[REQUESTS_MAX];
    struct answer answers[REQUESTS_MAX];
};

static void open_scene(struct scene *scene, const struct scheduler_config *config)
{
    *scene = (struct scene){.config = *config};
    const size_t bytes = scheduler_arena_bytes(config);
    const enum status status = arena_create(bytes, &scene->arena);
    ASSERT(status == STATUS_OK);
    scene->scheduler = scheduler_create(scene->arena, config);
    CHECK(arena_used_bytes(scene->arena) == bytes, "arena_bytes is exact");
    arena_seal(scene->arena);
    scene->fake = fake_engine_create(&config->shape, config->tenant_pages_max);
    scene->engine = fake_engine_interface(scene->fake);
}

static void close_scene(struct scene *scene)
{
    fake_engine_destroy(scene->fake);
    arena_destroy(scene->arena);
}

static struct scheduler_request request_of(uint64_t id, uint32_t tenant, uint32_t prompt_count,
                                           uint32_t output_max)
{
    struct scheduler_request request = {
        .id = {id}, .tenant = {tenant}, .prompt_count = prompt_count, .output_max = output_max};
    request.sampling.seed = FAKE_ENGINE_WHO(id, tenant);
    return request;
}

static const uint32_t *prompt_of(uint64_t id)
{
    static uint32_t prompt[128];
    for (uint32_t i = 0; i < 128; i++) {
        prompt[i] = (uint32_t)((id * 31 + (uint64_t)i * 7) % 1000);
    }
    return prompt;
}

/* Returns the request's id. */
static uint32_t submit(struct scene *scene, uint32_t tenant, uint32_t prompt_count,
                       uint32_t output_max)
{
    const uint32_t id = ++scene->request_count;
    const struct scheduler_request request = request_of(id, tenant, prompt_count, output_max);
    scene->who[id] = request.sampling.seed;
    CHECK(scheduler_submit(scene->scheduler, &request, prompt_of(id)) == STATUS_OK, "submit %u",
          id);
    scheduler_check(scene->scheduler);
    return id;
}

static void cancel(struct scene *scene, uint32_t id)
{
    CHECK(scheduler_cancel(scene->scheduler, (struct request_id){id}) == STATUS_OK, "cancel %u",
          id);
    scheduler_check(scene->scheduler);
}

static bool plan(struct scene *scene)
{
    const bool has_plan = scheduler_plan(scene->scheduler, &scene->plan);
    scheduler_check(scene->scheduler);
    for (uint32_t i = 0; i < scene->plan.sequence_count; i++) {
        scene->rows[i] = scene->plan.sequences[i];
        scene->rows_who[i] = scene->plan.sequences[i].sampling->seed;
    }
    if (has_plan) {
        scene->step_status = scene->engine.launch(scene->engine.self, &scene->plan);
    }
    return has_plan;
}

static void settle(struct scene *scene)
{
    struct engine_token tokens[RUNNING_MAX];
    struct scheduler_event events[2 * RUNNING_MAX];
    if (scene->step_status == STATUS_OK) {
        scene->step_status = scene->engine.settle(scene->engine.self, tokens);
    }
    const uint32_t count = scheduler_settle(scene->scheduler, scene->step_status, tokens, events);
    scheduler_check(scene->scheduler);
    for (uint32_t i = 0; i < count; i++) {
        struct answer *answer = &scene->answers[events[i].id.value];
        CHECK(answer->finish_count == 0, "event after the end");
        if (events[i].kind == SCHEDULER_EVENT_TOKEN) {
            answer->token_count++;
        } else {
            answer->finish_count++;
            answer->finish = events[i].finish;
        }
    }
}

static bool step(struct scene *scene)
{
    const bool has_plan = plan(scene);
    if (has_plan) {
        settle(scene);
    }
    return has_plan;
}

/* Steps until there is nothing to do; then every byte is zero. */
static void drain(struct scene *scene)
{
    uint32_t step_count = 0;
    while (step(scene) && step_count < 1000) {
        step_count++;
    }
    CHECK(step_count < 1000, "does not drain");
    CHECK(scheduler_counts(scene->scheduler).pages_used == 0, "pages of nobody");
    CHECK(fake_engine_is_clean(scene->fake), "bytes are left behind");
}

/* The rows of a request in the last plan; NULL: it is not in it. */
static const struct engine_sequence *rows_of(const struct scene *scene, uint32_t id)
{
    for (uint32_t i = 0; i < scene->plan.sequence_count; i++) {
        if (scene->rows_who[i] == scene->who[id]) {
            return &scene->rows[i];
        }
    }
    return NULL;
}

static struct scheduler_counts counts_of(const struct scene *scene, uint32_t tenant)
{
    return scheduler_tenant_counts(scene->scheduler, (struct tenant_id){tenant});
}

/* ---- submit --------------------------------------------------------------------------------- */

static void submit_gives_each_status(void)
{
    static const struct {
        uint32_t tenant, prompt_count, output_max, stop_count, bias_count, last_token;
        enum status want;
    } cases[] = {
        {1, 1, 1, 0, 0, 0, STATUS_OK},
        {3, 1, 1, LIMIT_STOP_TOKENS, LIMIT_LOGIT_BIAS, 999, STATUS_OK},
        {0, 1, 1, 0, 0, 0, STATUS_INVALID},
        {4, 1, 1, 0, 0, 0, STATUS_INVALID},
        {1, 0, 1, 0, 0, 0, STATUS_INVALID},
        {1, 1, 0, 0, 0, 0, STATUS_INVALID},
        {1, 1, 1, LIMIT_STOP_TOKENS + 1, 0, 0, STATUS_INVALID},
        {1, 1, 1, 0, LIMIT_LOGIT_BIAS + 1, 0, STATUS_INVALID},
        {1, 8, 1, 0, 0, 1000, STATUS_INVALID},
        {1, 8, 1, 0, 0, UINT32_MAX, STATUS_INVALID},
        {1, 33, 8, 0, 0, 0, STATUS_OK},        /* 40 positions: the tenant's 10 pages */
        {1, 33, 9, 0, 0, 0, STATUS_TOO_LARGE}, /* 41 of them */
        {1, 63, 1, 0, 0, 0, STATUS_TOO_LARGE}, /* fits the context, not the tenant */
        {1, 64, 1, 0, 0, 0, STATUS_TOO_LARGE}, /* past the context */
        {1, 4, UINT32_MAX, 0, 0, 0, STATUS_TOO_LARGE},
        {1, UINT32_MAX, UINT32_MAX, 0, 0, 0, STATUS_TOO_LARGE},
    };
    struct scheduler_config config = roomy;
    config.tenant_pages_max = 10;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct scene scene;
        open_scene(&scene, &config);
        struct scheduler_request request =
            request_of(1, cases[i].tenant, cases[i].prompt_count, cases[i].output_max);
        request.stop_count = cases[i].stop_count;
        request.sampling.bias_count = cases[i].bias_count;
        uint32_t prompt[64] = {0};
        prompt[cases[i].prompt_count % 64 == 0 ? 0 : cases[i].prompt_count % 64 - 1] =
            cases[i].last_token;
        const enum status got = scheduler_submit(scene.scheduler, &request, prompt);
        CHECK(got == cases[i].want, "case %zu: %s", i, status_name(got));
        CHECK(scheduler_counts(scene.scheduler).queued == (got == STATUS_OK), "case %zu", i);
        close_scene(&scene);
    }
}

static void ids_of_stop_and_bias_are_checked(void)
{
    struct scene scene;
    open_scene(&scene, &roomy);
    struct scheduler_request request = request_of(1, 1, 4, 4);
    request.stop_count = 1;
    request.stop_ids[0] = 1000;
    CHECK(scheduler_submit(scene.scheduler, &request, prompt_of(1)) == STATUS_INVALID, "stop");
    request = request_of(1, 1, 4, 4);
    request.sampling.bias_count = 1;
    request.sampling.bias[0].id = 1000;
    CHECK(scheduler_submit(scene.scheduler, &request, prompt_of(1)) == STATUS_INVALID, "bias");
    close_scene(&scene);
}

static void the_queue_is_bounded_by_tenant_and_in_all(void)
{
    struct scene scene;
    open_scene(&scene, &roomy);
    for (uint32_t i = 0; i < 8; i++) {
        submit(&scene, 1, 4, 4);
    }
    struct scheduler_request request = request_of(60, 1, 4, 4);
    CHECK(scheduler_submit(scene.scheduler, &request, prompt_of(60)) == STATUS_QUOTA, "tenant 1");
    for (uint32_t i = 0; i < 8; i++) {
        submit(&scene, 2 + i % 2, 4, 4);
    }
    request.tenant.value = 3;
    CHECK(scheduler_submit(scene.scheduler, &request, prompt_of(60)) == STATUS_FULL, "all");
    cancel(&scene, 16);
    submit(&scene, 3, 4, 4);
    drain(&scene);
    close_scene(&scene);
}

static void config_is_checked_by_name(void)
{
    struct failure failure = {{0}};
    CHECK(scheduler_config_check(&roomy, &failure) == STATUS_OK, "a good one");
    struct scheduler_config config = roomy;
    config.running_max = RUNNING_MAX + 1;
    CHECK(scheduler_config_check(&config, &failure) == STATUS_INVALID, "running_max");
    CHECK(strstr(failure.text, "running_max is 9: allowed are 1 to 8"), "%s", failure.text);
    config = roomy;
    config.shape.step_tokens_max = RUNNING_MAX - 1;
    CHECK(scheduler_config_check(&config, &failure) == STATUS_INVALID, "rows for each that runs");
    config = roomy;
    config.shape.page_tokens = 0;
    CHECK(scheduler_config_check(&config, &failure) == STATUS_INVALID, "page_tokens");
}

/* ---- steps ---------------------------------------------------------------------------------- */

static void a_request_ends_by_length_or_stop(void)
{
    struct scene scene;
    open_scene(&scene, &roomy);
    const uint32_t by_length = submit(&scene, 1, 5, 3);

    const uint32_t by_stop = ++scene.request_count;
    struct scheduler_request request = request_of(by_stop, 2, 1, 20);
    uint32_t tokens[8] = {prompt_of(by_stop)[0]};
    for (uint32_t i = 1; i < 5; i++) {
        tokens[i] = fake_engine_next_token(&roomy.shape, tokens, i, request.sampling.seed);
    }
    request.stop_count = 2;
    request.stop_ids[0] = 0;
    request.stop_ids[1] = tokens[4];
    CHECK(scheduler_submit(scene.scheduler, &request, tokens) == STATUS_OK, "submit");
    drain(&scene);
    const struct answer *length = &scene.answers[by_length], *stop = &scene.answers[by_stop];
    CHECK(length->token_count == 3 && length->finish == FINISH_LENGTH, "length");
    CHECK(stop->token_count == 4 && stop->finish == FINISH_STOP, "stop is the last token");
    CHECK(length->finish_count == 1 && stop->finish_count == 1, "one end");
    CHECK(!scheduler_plan(scene.scheduler, &scene.plan), "nothing to do");
    const struct scheduler_counts counts = scheduler_counts(scene.scheduler);
    CHECK(counts.prompt_tokens == 6 && counts.output_tokens == 7, "tokens in and out");
    close_scene(&scene);
}

static void a_long_prompt_delays_no_decode(void)
{
    struct scene scene;
    open_scene(&scene, &roomy);
    const uint32_t decoding = submit(&scene, 1, 4, 20);
    step(&scene);
    const uint32_t long_prompt = submit(&scene, 2, 50, 2);
    static const uint32_t chunks[] = {15, 15, 15, 5};
    for (size_t i = 0; i < 4; i++) {
        step(&scene);
        const struct engine_sequence *rows = rows_of(&scene, long_prompt);
        CHECK(rows && rows->row_count == chunks[i] && rows->samples == (i == 3), "chunk %zu", i);
        CHECK(rows_of(&scene, decoding) == &scene.rows[0], "the decode is first");
        CHECK(scene.answers[decoding].token_count == i + 2, "a token a step");
    }
    drain(&scene);
    close_scene(&scene);
}

static void tenants_take_turns(void)
{
    struct scheduler_config config = roomy;
    config.running_max = 1;
    struct scene scene;
    open_scene(&scene, &config);
    static const uint32_t tenants[] = {1, 1, 1, 2, 2, 3};
    static const uint32_t want_order[] = {1, 4, 6, 2, 5, 3};
    for (size_t i = 0; i < 6; i++) {
        submit(&scene, tenants[i], 4, 1);
    }
    for (size_t i = 0; i < 6; i++) {
        step(&scene);
        CHECK(rows_of(&scene, want_order[i]), "turn %zu is not of request %u", i, want_order[i]);
    }
    drain(&scene);
    close_scene(&scene);
}

/* ---- memory --------------------------------------------------------------------------------- */

static void memory_is_taken_from_the_newest(void)
{
    struct scheduler_config config = roomy;
    config.shape.page_count = 8;
    config.shape.page_tokens = 1;
    struct scene scene;
    open_scene(&scene, &config);
    const uint32_t oldest = submit(&scene, 1, 1, 8);
    const uint32_t middle = submit(&scene, 2, 1, 8);
    const uint32_t newest = submit(&scene, 3, 1, 8);
    uint32_t preempted_step = 0;
    for (uint32_t i = 1; i <= 8; i++) {
        step(&scene);
        CHECK(rows_of(&scene, oldest), "the oldest is in step %u", i);
        if (preempted_step == 0 && scheduler_counts(scene.scheduler).preemptions > 0) {
            preempted_step = i;
            CHECK(rows_of(&scene, middle) && !rows_of(&scene, newest), "the newest goes");
        }
    }
    CHECK(preempted_step > 0, "memory was short");
    CHECK(counts_of(&scene, 1).preemptions == 0, "never the oldest");
    drain(&scene);
    for (uint32_t id = oldest; id <= newest; id++) {
        CHECK(scene.answers[id].token_count == 8, "request %u: no token lost or doubled", id);
    }
    close_scene(&scene);
}

static void a_tenant_at_its_ceiling_preempts_its_own(void)
{
    struct scheduler_config config = roomy;
    config.shape.page_tokens = 1;
    config.tenant_pages_max = 10;
    struct scene scene;
    open_scene(&scene, &config);
    const uint32_t first = submit(&scene, 1, 1, 10);
    const uint32_t second = submit(&scene, 1, 1, 10);
    const uint32_t other = submit(&scene, 2, 1, 10);
    for (uint32_t i = 1; i <= 10; i++) {
        step(&scene);
        CHECK(rows_of(&scene, first) && rows_of(&scene, other), "step %u", i);
        CHECK(counts_of(&scene, 1).pages_used <= 10, "ceiling");
    }
    CHECK(counts_of(&scene, 1).preemptions == 1, "%u preemptions",
          (unsigned)counts_of(&scene, 1).preemptions);
    CHECK(counts_of(&scene, 2).preemptions == 0, "another tenant pays");
    CHECK(scene.answers[second].finish_count == 0, "the second waits");
    drain(&scene);
    CHECK(scene.answers[second].token_count == 10, "and ends");
    close_scene(&scene);
}

static void a_tenant_at_its_ceiling_is_passed_over(void)
{
    struct scheduler_config config = roomy;
    config.tenant_pages_max = 8;
    struct scene scene;
    open_scene(&scene, &config);
    submit(&scene, 1, 28, 4);
    const uint32_t waits = submit(&scene, 1, 28, 4);
    const uint32_t other = submit(&scene, 2, 4, 8);
    for (uint32_t i = 0; i < 3; i++) {
        step(&scene);
    }
    CHECK(rows_of(&scene, other) && !rows_of(&scene, waits), "the other tenant runs");
    drain(&scene);
    CHECK(scene.answers[waits].token_count == 4, "it had its turn");
    close_scene(&scene);
}

/* Four pages: the first needs a second one in step 2, and a newcomer of three would have to go. */
static void who_comes_in_is_not_forced_out_again_at_once(void)
{
    for (int by_tenant = 0; by_tenant < 2; by_tenant++) {
        struct scheduler_config config = roomy;
        config.shape.page_count = by_tenant ? 64 : 4;
        config.tenant_pages_max = 4;
        struct scene scene;
        open_scene(&scene, &config);
        submit(&scene, 1, 4, 8);
        const uint32_t newcomer = submit(&scene, by_tenant ? 1 : 2, 12, 4);
        drain(&scene);
        CHECK(scheduler_counts(scene.scheduler).preemptions == 0, "let in too early");
        CHECK(scene.answers[newcomer].token_count == 4, "let in");
        close_scene(&scene);
    }
}

/* A request of three quarters of the pool, and a tenant that keeps the pool busy with small ones.
 */
static void small_requests_do_not_starve_a_large_one(void)
{
    struct scheduler_config config = roomy;
    config.shape.page_count = 16;
    struct scene scene;
    open_scene(&scene, &config);
    for (uint32_t i = 0; i < 6; i++) {
        submit(&scene, 1, 4, 4);
    }
    step(&scene);
    const uint32_t large = submit(&scene, 2, 48, 2);
    uint32_t step_count = 0;
    while (scene.answers[large].finish_count == 0 && step_count < 30) {
        if (counts_of(&scene, 1).queued < 2 && scene.request_count < REQUESTS_MAX - 1) {
            submit(&scene, 1, 4, 4);
        }
        step(&scene);
        step_count++;
    }
    CHECK(scene.answers[large].finish_count == 1, "starved for %u steps", step_count);
    drain(&scene);
    close_scene(&scene);
}

/* ---- ends ----------------------------------------------------------------------------------- */

static void cancel_works_in_every_phase(void)
{
    struct scene scene;
    open_scene(&scene, &roomy);
    const uint32_t queued = submit(&scene, 1, 4, 4);
    cancel(&scene, queued);
    CHECK(!step(&scene), "nothing to do");
    CHECK(scheduler_cancel(scene.scheduler, (struct request_id){queued}) == STATUS_NOT_FOUND,
          "twice");

    const uint32_t prefilling = submit(&scene, 1, 40, 4);
    const uint32_t decoding = submit(&scene, 2, 4, 4);
    const uint32_t staying = submit(&scene, 3, 4, 4);
    for (uint32_t i = 0; i < 2; i++) {
        step(&scene);
    }
    cancel(&scene, prefilling);
    CHECK(counts_of(&scene, 1).pages_used == 0, "pages are free at once");
    step(&scene);
    step(&scene);
    CHECK(scene.answers[decoding].token_count > 0, "decoding");
    cancel(&scene, decoding);
    step(&scene);
    CHECK(!rows_of(&scene, decoding), "out of the batch");
    drain(&scene);
    CHECK(scene.answers[prefilling].token_count == 0, "silent");
    CHECK(scene.answers[decoding].finish_count == 0, "no event follows a cancel");
    CHECK(scene.answers[staying].token_count == 4, "others go on");
    close_scene(&scene);
}

static void cancel_in_flight_is_silent_and_keeps_its_pages_until_settle(void)
{
    struct scene scene;
    open_scene(&scene, &roomy);
    const uint32_t id = submit(&scene, 1, 8, 4);
    step(&scene);
    plan(&scene);
    cancel(&scene, id);
    CHECK(counts_of(&scene, 1).pages_used == 3, "named by the plan");
    CHECK(counts_of(&scene, 1).running == 0, "but not running");
    const uint32_t next = submit(&scene, 2, 8, 4);
    settle(&scene);
    CHECK(scene.answers[id].token_count == 1 && scene.answers[id].finish_count == 0, "silent");
    CHECK(counts_of(&scene, 1).pages_used == 0, "free after settle");
    drain(&scene);
    CHECK(scene.answers[next].token_count == 4, "the next one is whole");
    close_scene(&scene);
}

static void a_failed_step_ends_its_own_sequences_only(void)
{
    for (int at_launch = 0; at_launch < 2; at_launch++) {
        struct scheduler_config config = roomy;
        config.running_max = 3;
        struct scene scene;
        open_scene(&scene, &config);
        const uint32_t decoding = submit(&scene, 1, 4, 8);
        const uint32_t prefilling = submit(&scene, 1, 40, 8);
        const uint32_t without_rows = submit(&scene, 1, 40, 8);
        const uint32_t waiting = submit(&scene, 2, 4, 8);
        step(&scene);
        if (at_launch) {
            fake_engine_fail_launch(scene.fake);
        } else {
            fake_engine_fail_settle(scene.fake);
        }
        step(&scene);
        CHECK(scene.answers[decoding].finish == FINISH_FAILED, "decoding");
        CHECK(scene.answers[prefilling].finish == FINISH_FAILED, "prefilling");
        CHECK(scene.answers[without_rows].finish_count == 0, "it was not in the step");
        drain(&scene);
        CHECK(scene.answers[without_rows].token_count == 8, "it starts over");
        CHECK(scene.answers[waiting].token_count == 8, "it goes on");
        close_scene(&scene);
    }
}

static void an_idle_server_scrubs(void)
{
    struct scheduler_config config = roomy;
    config.shape.page_count = 200;
    config.shape.context_tokens_max = 800;
    config.shape.step_tokens_max = 800;
    config.tenant_pages_max = 200;
    struct scene scene;
    open_scene(&scene, &config);
    uint32_t prompt[792] = {0};
    const struct scheduler_request request = request_of(1, 1, 792, 1);
    CHECK(scheduler_submit(scene.scheduler, &request, prompt) == STATUS_OK, "submit");
    step(&scene);
    CHECK(scene.answers[1].finish_count == 1 && !fake_engine_is_clean(scene.fake), "198 dirty");
    static const uint32_t scrubs[] = {64, 64, 64, 6};
    for (size_t i = 0; i < 4; i++) {
        CHECK(step(&scene), "step %zu", i);
        CHECK(scene.plan.sequence_count == 0 && scene.plan.scrub_count == scrubs[i],
              "step %zu scrubs %u", i, scene.plan.scrub_count);
    }
    CHECK(!step(&scene) && fake_engine_is_clean(scene.fake), "clean");
    close_scene(&scene);
}

CHECK_MAIN(submit_gives_each_status, ids_of_stop_and_bias_are_checked,
           the_queue_is_bounded_by_tenant_and_in_all, config_is_checked_by_name,
           a_request_ends_by_length_or_stop, a_long_prompt_delays_no_decode, tenants_take_turns,
           memory_is_taken_from_the_newest, a_tenant_at_its_ceiling_preempts_its_own,
           a_tenant_at_its_ceiling_is_passed_over, who_comes_in_is_not_forced_out_again_at_once,
           small_requests_do_not_starve_a_large_one, cancel_works_in_every_phase,
           cancel_in_flight_is_silent_and_keeps_its_pages_until_settle,
           a_failed_step_ends_its_own_sequences_only, an_idle_server_scrubs)
