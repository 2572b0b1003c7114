/* Method: the real engine thread, rings and scheduler around a GPU engine whose device is made to
 * fail in the middle of answers. Those who wait are told, the engine is built again, and a request
 * then gets the tokens that it got before. */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "server/engine/engine_loop.h"
#include "tests/check.h"
#include "tests/model/gpu/support_engines.h"

enum { PATIENCE_MS = 60000, ANSWER_TOKENS = 12, PROMPT_TOKENS = 5 };

static struct model *model;
static struct gpu_engine *gpu;
static struct engine inner; /* of gpu; wrapped so that the test can break the device */
static _Atomic bool breaks_device;

static enum status launch(void *self, const struct engine_plan *plan)
{
    static char on_the_host;
    if (atomic_exchange(&breaks_device, false)) {
        const enum status status = gpu_fill_async(gpu_engine_device(gpu), &on_the_host, 1, 1);
        CHECK(status != STATUS_OK || gpu_wait(gpu_engine_device(gpu)) != STATUS_OK, "not broken");
    }
    return inner.launch(self, plan);
}

static struct engine wrap(void)
{
    inner = gpu_engine_interface(gpu);
    struct engine engine = inner;
    engine.launch = launch;
    return engine;
}

static void create(void)
{
    const struct gpu_engine_config config = support_gpu_config(model, 0);
    gpu = support_gpu_engine(model, &config);
}

static enum status rebuild(void *context, struct engine *out, struct failure *failure)
{
    (void)context;
    (void)failure;
    gpu_engine_destroy(gpu);
    create();
    *out = wrap();
    return STATUS_OK;
}

static void ignore_wake(void *context, uint64_t handle)
{
    (void)context;
    (void)handle;
}

static struct engine_loop *start(struct metrics *metrics)
{
    const struct engine engine = wrap();
    const struct engine_loop_config config = {
        .engine = engine,
        .rebuild = {.run = rebuild, .attempts_max = 3, .backoff_ms = 1},
        .scheduler = {.shape = engine.shape,
                      .sequences_max = 16,
                      .running_max = engine.shape.step_sequences_max,
                      .tenant_queued_max = 16,
                      .tenant_pages_max = engine.shape.page_count,
                      .tenant_count = LIMIT_TENANTS},
        .requests_max = 8,
        .metrics = metrics,
    };
    struct engine_loop *loop = NULL;
    struct failure failure = {""};
    CHECK(engine_loop_create(&config, &loop, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(engine_loop_start(loop, ignore_wake, NULL, &failure) == STATUS_OK, "%s", failure.text);
    return loop;
}

struct asked {
    struct token_log *log;
    struct engine_ticket ticket;
};

static enum status ask(struct engine_loop *loop, struct asked *asked)
{
    static const uint32_t tokens[PROMPT_TOKENS] = {5, 6, 7, 8, 9};
    struct engine_request request = {.tenant = {1},
                                     .prompt_count = 1,
                                     .sample_count = 1,
                                     .sampling = {.top_p = 1.0F, .repetition_penalty = 1.0F}};
    request.prompts[0].token_count = PROMPT_TOKENS;
    request.prompts[0].output_max = ANSWER_TOKENS;
    const struct token_log_shape shape = {.sequence_count = 1, .output_max = ANSWER_TOKENS};
    CHECK(token_log_create(&shape, &asked->log) == STATUS_OK, "no log");
    return engine_loop_submit(loop, &request, tokens, asked->log, 1, &asked->ticket);
}

static enum token_end wait_for_end(const struct asked *asked)
{
    const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL;
    while (token_log_end(asked->log, 0) == TOKEN_END_NONE && clock_monotonic_ns() < end_ns) {
        usleep(500);
    }
    return token_log_end(asked->log, 0);
}

static void let_go(struct engine_loop *loop, struct asked *asked)
{
    engine_loop_release(loop, asked->ticket);
    token_log_destroy(asked->log);
}

/* A whole answer into ids. */
static void answer(struct engine_loop *loop, uint32_t ids[ANSWER_TOKENS])
{
    struct asked asked;
    CHECK(ask(loop, &asked) == STATUS_OK, "refused");
    CHECK(wait_for_end(&asked) == TOKEN_END_LENGTH, "no whole answer");
    for (uint32_t i = 0; i < ANSWER_TOKENS; i++) {
        ids[i] = token_log_token(asked.log, 0, i).id;
    }
    let_go(loop, &asked);
}

static void a_lost_device_is_replaced_under_load(void)
{
    struct metrics *metrics = NULL;
    uint32_t before[ANSWER_TOKENS], after[ANSWER_TOKENS];
    model = support_random_model();
    CHECK(metrics_create(&metrics) == STATUS_OK, "no metrics");
    create();
    struct engine_loop *loop = start(metrics);
    answer(loop, before);
    struct asked asked[3];
    for (size_t i = 0; i < 3; i++) {
        CHECK(ask(loop, &asked[i]) == STATUS_OK, "refused");
    }
    atomic_store(&breaks_device, true);
    for (size_t i = 0; i < 3; i++) {
        CHECK(wait_for_end(&asked[i]) == TOKEN_END_FAILED, "request %zu was not told", i);
        let_go(loop, &asked[i]);
    }
    const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL;
    while (engine_loop_state(loop) != ENGINE_LOOP_READY && clock_monotonic_ns() < end_ns) {
        usleep(500);
    }
    answer(loop, after);
    CHECK(memcmp(before, after, sizeof before) == 0, "another engine, another answer");
    struct buffer text = {.limit_bytes = METRICS_TEXT_BYTES_MAX};
    const struct audit_facts audit = {.is_available = true};
    const struct metrics_facts facts = {
        .model_name = "m", .model_digest = "d", .audit = &audit, .is_ready = true};
    CHECK(metrics_write(metrics, &facts, &text) == STATUS_OK, "no metrics");
    CHECK(buffer_append(&text, "", 1) == STATUS_OK, "no memory");
    CHECK(strstr(text.bytes, "\nward_engine_rebuilds_total 1\n"), "not counted");
    CHECK(strstr(text.bytes, "\nward_gpu_busy_seconds_total "), "no time of the device");
    CHECK(strstr(text.bytes, "\nward_gpu_idle_seconds_total "), "no idle time of the device");
    buffer_destroy(&text);
    engine_loop_destroy(loop);
    gpu_engine_destroy(gpu);
    metrics_destroy(metrics);
    support_random_close(model);
}

CHECK_MAIN(a_lost_device_is_replaced_under_load)
