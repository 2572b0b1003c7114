/* Method: the real threads, rings and scheduler around a fake engine whose every token is known in
 * advance. What a request must read in its log is computed beside it. */
#include "server/engine/engine_loop.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "tests/check.h"
#include "tests/server/support_fake_engine.h"

enum { REQUESTS_MAX = 32, PATIENCE_MS = 20000, GONE_US = 20000, HANDLES = 64 };

static struct fake_engine fake;
static struct metrics *metrics;
static _Atomic uint32_t wakes[HANDLES];

static pthread_mutex_t wake_gate = PTHREAD_MUTEX_INITIALIZER; /* held: delivery waits in a wake */

static void count_wake(void *context, uint64_t handle)
{
    (void)context;
    pthread_mutex_lock(&wake_gate);
    pthread_mutex_unlock(&wake_gate);
    atomic_fetch_add(&wakes[handle % HANDLES], 1);
}

static struct engine_loop_config config_of(void)
{
    const struct engine engine = fake_engine_interface(&fake);
    return (struct engine_loop_config){
        .engine = engine,
        .scheduler = {.shape = engine.shape,
                      .sequences_max = 128,
                      .running_max = FAKE_SEQUENCES_MAX,
                      .tenant_queued_max = 100,
                      .tenant_pages_max = 256,
                      .tenant_count = LIMIT_TENANTS},
        .requests_max = REQUESTS_MAX,
        .metrics = metrics,
    };
}

static struct engine_loop *start_configured(struct engine_loop_config config)
{
    struct engine_loop *loop = NULL;
    struct failure failure = {{0}};
    fake_engine_init(&fake);
    CHECK(metrics_create(&metrics) == STATUS_OK, "no metrics");
    config.metrics = metrics;
    CHECK(engine_loop_create(&config, &loop, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(engine_loop_start(loop, count_wake, NULL, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(engine_loop_state(loop) == ENGINE_LOOP_READY, "not ready after start");
    return loop;
}

static struct engine_loop *start_with(uint32_t inbound_bytes, uint32_t outbound_bytes)
{
    struct engine_loop_config config = config_of();
    config.inbound_bytes = inbound_bytes;
    config.outbound_bytes = outbound_bytes;
    return start_configured(config);
}

static struct engine_loop *start_loop(void)
{
    return start_with(0, 0);
}

static void end_loop(struct engine_loop *loop)
{
    engine_loop_destroy(loop);
    metrics_destroy(metrics);
}

#define WAIT_FOR(condition)                                                      \
    do {                                                                         \
        const uint64_t end_ns = clock_monotonic_ns() + PATIENCE_MS * 1000000ULL; \
        while (!(condition) && clock_monotonic_ns() < end_ns) {                  \
            usleep(200);                                                         \
        }                                                                        \
        CHECK((condition), "waited in vain");                                    \
    } while (0)

struct asked {
    struct engine_request request;
    uint32_t tokens[64];
    struct token_log *log;
    struct engine_ticket ticket;
    uint64_t handle;
};

static void fill(struct asked *asked, uint32_t tenant, uint32_t samples, uint32_t output_max)
{
    *asked = (struct asked){
        .request = {.tenant = {tenant},
                    .prompt_count = 1,
                    .sample_count = samples,
                    .sampling = {.top_p = 1.0F, .repetition_penalty = 1.0F, .seed = 40}},
        .tokens = {5, 6, tenant},
    };
    asked->request.prompts[0].token_count = 3;
    asked->request.prompts[0].output_max = output_max;
}

static enum status ask(struct engine_loop *loop, struct asked *asked, uint64_t handle)
{
    const struct engine_request *request = &asked->request;
    const struct token_log_shape shape = {.sequence_count =
                                              request->prompt_count * request->sample_count,
                                          .output_max = request->prompts[0].output_max,
                                          .top_count = request->sampling.top_logprobs_count};
    CHECK(token_log_create(&shape, &asked->log) == STATUS_OK, "no log");
    asked->handle = handle;
    return engine_loop_submit(loop, request, asked->tokens, asked->log, handle, &asked->ticket);
}

static void let_go(struct engine_loop *loop, struct asked *asked)
{
    engine_loop_release(loop, asked->ticket);
    token_log_destroy(asked->log);
}

static bool is_admitted(const struct asked *asked)
{
    enum status status;
    return token_log_admission(asked->log, &status);
}

static enum status admission(const struct asked *asked)
{
    enum status status = STATUS_COUNT;
    CHECK(token_log_admission(asked->log, &status), "no admission yet");
    return status;
}

static bool has_ended(const struct asked *asked, uint32_t sequence)
{
    return token_log_end(asked->log, sequence) != TOKEN_END_NONE;
}

/* Every token of a sequence against the function. */
static void check_tokens(const struct asked *asked, uint32_t sequence, const uint32_t *prompt,
                         uint32_t prompt_count, uint64_t seed)
{
    uint32_t known[600] = {0};
    for (uint32_t i = 0; i < prompt_count; i++) {
        known[i] = prompt[i];
    }
    for (uint32_t i = 0; i < token_log_count(asked->log, sequence); i++) {
        const uint32_t want = fake_engine_next(known, prompt_count + i, seed);
        const struct token_record got = token_log_token(asked->log, sequence, i);
        CHECK(got.id == want, "sequence %u token %u is %u, not %u", sequence, i, got.id, want);
        known[prompt_count + i] = got.id;
    }
}

static void an_answer_arrives_whole(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked;
    fill(&asked, 1, 1, 50);
    asked.request.sampling.top_logprobs_count = 3;
    CHECK(ask(loop, &asked, 1) == STATUS_OK, "refused");
    WAIT_FOR(has_ended(&asked, 0));
    CHECK(admission(&asked) == STATUS_OK, "not accepted");
    CHECK(token_log_end(asked.log, 0) == TOKEN_END_LENGTH, "wrong end");
    CHECK(token_log_count(asked.log, 0) == 50, "%u tokens", token_log_count(asked.log, 0));
    check_tokens(&asked, 0, asked.tokens, 3, 40);
    const struct token_record *tops = NULL;
    CHECK(token_log_tops(asked.log, 0, 7, &tops) == 3, "no alternatives");
    CHECK(tops[2].id == (tops[0].id + 2) % FAKE_VOCABULARY, "alternatives are not the engine's");
    CHECK(token_log_first_ns(asked.log) > 0, "no time of the first token");
    CHECK(token_log_last_ns(asked.log) >= token_log_first_ns(asked.log), "times go back");
    CHECK(atomic_load(&wakes[1]) > 0, "never woken");
    let_go(loop, &asked);
    CHECK(engine_loop_live_requests(loop) == 0, "the ticket is still out");
    end_loop(loop);
}

static void samples_and_prompts_are_sequences(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked;
    fill(&asked, 1, 3, 20);
    asked.request.prompt_count = 2;
    asked.request.prompts[1].token_count = 2;
    asked.request.prompts[1].output_max = 5;
    asked.tokens[3] = 9;
    asked.tokens[4] = 8;
    CHECK(ask(loop, &asked, 2) == STATUS_OK, "refused");
    for (uint32_t i = 0; i < 6; i++) {
        WAIT_FOR(has_ended(&asked, i));
        const bool is_second = i >= 3;
        CHECK(token_log_count(asked.log, i) == (is_second ? 5 : 20), "sequence %u is %u long", i,
              token_log_count(asked.log, i));
        check_tokens(&asked, i, is_second ? asked.tokens + 3 : asked.tokens, is_second ? 2 : 3,
                     40 + i % 3);
    }
    let_go(loop, &asked);
    end_loop(loop);
}

static void a_stop_id_ends_a_sequence(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked;
    fill(&asked, 1, 1, 50);
    asked.request.stop_count = 1;
    asked.request.stop_ids[0] = fake_engine_next(asked.tokens, 3, 40);
    CHECK(ask(loop, &asked, 3) == STATUS_OK, "refused");
    WAIT_FOR(has_ended(&asked, 0));
    CHECK(token_log_end(asked.log, 0) == TOKEN_END_STOP, "wrong end");
    CHECK(token_log_count(asked.log, 0) == 1, "%u tokens", token_log_count(asked.log, 0));
    let_go(loop, &asked);
    end_loop(loop);
}

/* Twelve samples fit the scheduler's queue, 120 do not: then none may be left in it. */
static void all_samples_are_accepted_or_none(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked;
    atomic_store(&fake.step_us, 2000);
    fill(&asked, 1, 120, 400);
    CHECK(ask(loop, &asked, 4) == STATUS_OK, "refused");
    WAIT_FOR(is_admitted(&asked));
    CHECK(admission(&asked) == STATUS_QUOTA, "accepted 120 sequences for 100 places");
    let_go(loop, &asked);
    const uint32_t steps = atomic_load(&fake.steps);
    usleep(20000);
    CHECK(atomic_load(&fake.steps) == steps, "refused sequences ran");
    fill(&asked, 1, 12, 4);
    CHECK(ask(loop, &asked, 4) == STATUS_OK, "refused");
    for (uint32_t i = 0; i < 12; i++) {
        WAIT_FOR(has_ended(&asked, i));
    }
    let_go(loop, &asked);
    end_loop(loop);
}

static void tickets_and_prompts_have_limits(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked[REQUESTS_MAX + 1];
    pthread_mutex_lock(&fake.gate);
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        fill(&asked[i], 1 + i % 3, 1, 10);
        CHECK(ask(loop, &asked[i], i) == STATUS_OK, "request %u refused", i);
    }
    struct asked *last = &asked[REQUESTS_MAX];
    fill(last, 1, 1, 10);
    CHECK(ask(loop, last, 0) == STATUS_FULL, "more tickets than there are");
    token_log_destroy(last->log);
    CHECK(engine_loop_live_requests(loop) == REQUESTS_MAX, "wrong count");
    pthread_mutex_unlock(&fake.gate);
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        WAIT_FOR(has_ended(&asked[i], 0));
        check_tokens(&asked[i], 0, asked[i].tokens, 3, 40);
        let_go(loop, &asked[i]);
    }
    fill(last, 1, 1, 10);
    last->request.prompts[0].token_count = 1 << 24;
    CHECK(ask(loop, last, 0) == STATUS_TOO_LARGE, "a prompt past any ring");
    token_log_destroy(last->log);
    fill(last, 1, 1, 511); /* 3 + 511 is more than a context */
    CHECK(ask(loop, last, 0) == STATUS_OK, "refused early");
    WAIT_FOR(is_admitted(last));
    CHECK(admission(last) == STATUS_TOO_LARGE, "accepted more than a context");
    let_go(loop, last);
    end_loop(loop);
}

static void a_cancelled_sequence_falls_silent(void)
{
    struct engine_loop *loop = start_loop();
    atomic_store(&fake.step_us, 200);
    struct asked asked;
    fill(&asked, 1, 2, 400);
    CHECK(ask(loop, &asked, 5) == STATUS_OK, "refused");
    WAIT_FOR(token_log_count(asked.log, 0) > 5);
    engine_loop_cancel(loop, asked.ticket, 0);
    const uint32_t count = token_log_count(asked.log, 0);
    WAIT_FOR(has_ended(&asked, 1));
    CHECK(token_log_count(asked.log, 0) == count, "a cancelled sequence went on");
    CHECK(!has_ended(&asked, 0), "a cancelled sequence has no end");
    CHECK(token_log_count(asked.log, 1) == 400, "its neighbour was cut");
    let_go(loop, &asked);
    end_loop(loop);
}

static void releasing_early_leaves_the_batch(void)
{
    struct engine_loop *loop = start_loop();
    atomic_store(&fake.step_us, 200);
    struct asked asked;
    fill(&asked, 1, 4, 500);
    CHECK(ask(loop, &asked, 6) == STATUS_OK, "refused");
    WAIT_FOR(token_log_count(asked.log, 3) > 2);
    let_go(loop, &asked);
    const uint32_t steps = atomic_load(&fake.steps);
    usleep(20000);
    const uint32_t later = atomic_load(&fake.steps);
    usleep(20000);
    CHECK(atomic_load(&fake.steps) == later, "steps go on with nobody there");
    CHECK(later - steps < 400, "the sequences ran to their end");
    CHECK(engine_loop_live_requests(loop) == 0, "the ticket is still out");
    end_loop(loop);
}

/* The ring holds three requests and a little more: while the engine is held, single cancels soon
 * find it full. */
static void cancels_survive_a_full_ring(void)
{
    enum { SAMPLES = 60, WAITING_MAX = 8 };
    struct engine_loop *loop = start_with(12000, 0);
    atomic_store(&fake.step_us, 200);
    struct asked running, waiting[WAITING_MAX];
    fill(&running, 1, SAMPLES, 500);
    CHECK(ask(loop, &running, 7) == STATUS_OK, "refused");
    WAIT_FOR(token_log_count(running.log, 0) > 2);
    pthread_mutex_lock(&fake.gate);
    usleep(5000);
    uint32_t queued = 0;
    for (; queued < WAITING_MAX; queued++) {
        fill(&waiting[queued], 2, 1, 5);
        if (ask(loop, &waiting[queued], 8) != STATUS_OK) {
            token_log_destroy(waiting[queued].log);
            break;
        }
    }
    CHECK(queued == 3, "the ring took %u requests", queued);
    for (uint32_t i = 0; i < SAMPLES; i++) {
        engine_loop_cancel(loop, running.ticket, i);
    }
    let_go(loop, &running);
    CHECK(engine_loop_live_requests(loop) == queued + 1, "no cancel found the ring full");
    pthread_mutex_unlock(&fake.gate);
    for (uint32_t i = 0; i < queued; i++) {
        WAIT_FOR(has_ended(&waiting[i], 0));
        let_go(loop, &waiting[i]);
    }
    WAIT_FOR(engine_loop_live_requests(loop) == 0);
    usleep(20000);
    const uint32_t later = atomic_load(&fake.steps);
    usleep(20000);
    CHECK(atomic_load(&fake.steps) == later, "a cancel was lost");
    end_loop(loop);
}

/* The smallest outbound ring, and a delivery thread that stands still: the engine waits, nothing is
 * lost, and nothing is late once delivery goes on. */
static void a_full_outbound_ring_holds_the_engine(void)
{
    struct engine_loop *loop = start_with(0, 72000);
    struct asked asked;
    fill(&asked, 1, 60, 100);
    asked.request.sampling.top_logprobs_count = LIMIT_TOP_LOGPROBS;
    pthread_mutex_lock(&wake_gate);
    CHECK(ask(loop, &asked, 9) == STATUS_OK, "refused");
    usleep(50000);
    CHECK(atomic_load(&fake.steps) < 50, "the engine went on to step %u", atomic_load(&fake.steps));
    pthread_mutex_unlock(&wake_gate);
    for (uint32_t i = 0; i < 60; i++) {
        WAIT_FOR(has_ended(&asked, i));
        CHECK(token_log_count(asked.log, i) == 100, "sequence %u lost tokens", i);
        check_tokens(&asked, i, asked.tokens, 3, 40 + i);
    }
    let_go(loop, &asked);
    end_loop(loop);
}

static void a_lost_engine_fails_everyone(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked[6];
    atomic_store(&fake.fail_at_step, 12);
    pthread_mutex_lock(&fake.gate);
    for (uint32_t i = 0; i < 6; i++) {
        fill(&asked[i], 1 + i, 1, 300);
        CHECK(ask(loop, &asked[i], i) == STATUS_OK, "request %u refused", i);
    }
    pthread_mutex_unlock(&fake.gate);
    for (uint32_t i = 0; i < 6; i++) {
        WAIT_FOR(has_ended(&asked[i], 0));
        CHECK(token_log_end(asked[i].log, 0) == TOKEN_END_FAILED, "request %u did not fail", i);
        let_go(loop, &asked[i]);
    }
    CHECK(engine_loop_state(loop) != ENGINE_LOOP_READY, "ready without an engine");
    fill(&asked[0], 1, 1, 3);
    CHECK(ask(loop, &asked[0], 0) == STATUS_DEVICE, "accepted without an engine");
    token_log_destroy(asked[0].log);
    end_loop(loop);
}

static struct engine_loop *start_rebuilding(uint32_t attempts_max)
{
    struct engine_loop_config config = config_of();
    config.rebuild = (struct engine_rebuild){.run = fake_engine_rebuild,
                                             .context = &fake,
                                             .attempts_max = attempts_max,
                                             .backoff_ms = 1};
    return start_configured(config);
}

static bool is_over(const struct asked *asked)
{
    return has_ended(asked, 0) || (is_admitted(asked) && admission(asked) != STATUS_OK);
}

/* Loses the engine under three requests, one of them still in the queue's ring. */
static void lose_engine(struct engine_loop *loop)
{
    struct asked asked[3];
    pthread_mutex_lock(&fake.gate);
    for (uint32_t i = 0; i < 3; i++) {
        fill(&asked[i], 1 + i, 1, 500);
        CHECK(ask(loop, &asked[i], i) == STATUS_OK, "request %u refused", i);
    }
    atomic_store(&fake.fail_at_step, atomic_load(&fake.steps) + 5);
    pthread_mutex_unlock(&fake.gate);
    for (uint32_t i = 0; i < 3; i++) {
        WAIT_FOR(is_over(&asked[i]));
        CHECK(token_log_end(asked[i].log, 0) == TOKEN_END_FAILED
                  || admission(&asked[i]) == STATUS_DEVICE,
              "request %u did not fail", i);
        let_go(loop, &asked[i]);
    }
}

/* Meanwhile nobody is accepted; afterwards answers are whole, and pages are free again. */
static void a_lost_engine_is_rebuilt(void)
{
    struct engine_loop *loop = start_rebuilding(4);
    struct asked asked;
    for (uint32_t round = 0; round < 3; round++) {
        pthread_mutex_lock(&fake.rebuild_gate);
        atomic_store(&fake.rebuilds, 0);
        atomic_store(&fake.rebuilds_to_fail, round);
        lose_engine(loop);
        CHECK(engine_loop_state(loop) == ENGINE_LOOP_REBUILDING, "round %u: not rebuilding", round);
        fill(&asked, 1, 1, 3);
        CHECK(ask(loop, &asked, 0) == STATUS_UNAVAILABLE, "accepted without an engine");
        token_log_destroy(asked.log);
        pthread_mutex_unlock(&fake.rebuild_gate);
        WAIT_FOR(engine_loop_state(loop) == ENGINE_LOOP_READY);
        CHECK(atomic_load(&fake.rebuilds) == round + 1, "%u attempts", atomic_load(&fake.rebuilds));
        fill(&asked, 1, 2, 200);
        CHECK(ask(loop, &asked, 9) == STATUS_OK, "refused after the rebuild");
        for (uint32_t i = 0; i < 2; i++) {
            WAIT_FOR(has_ended(&asked, i));
            CHECK(token_log_count(asked.log, i) == 200, "sequence %u was cut", i);
            check_tokens(&asked, i, asked.tokens, 3, 40 + i);
        }
        let_go(loop, &asked);
    }
    CHECK(engine_loop_live_requests(loop) == 0, "tickets are still out");
    end_loop(loop);
}

static void rebuilding_has_an_end(void)
{
    struct engine_loop *loop = start_rebuilding(3);
    atomic_store(&fake.rebuilds_to_fail, 100);
    lose_engine(loop);
    WAIT_FOR(engine_loop_state(loop) == ENGINE_LOOP_LOST);
    CHECK(atomic_load(&fake.rebuilds) == 3, "%u attempts", atomic_load(&fake.rebuilds));
    usleep(GONE_US); /* counts are published, of what is left */
    struct asked asked;
    fill(&asked, 1, 1, 3);
    CHECK(ask(loop, &asked, 0) == STATUS_DEVICE, "accepted without an engine");
    token_log_destroy(asked.log);
    end_loop(loop);
}

/* Rebuilt every time, and every time the warm-up succeeds and the first request kills it. */
static void an_engine_that_never_gets_anywhere_is_given_up(void)
{
    struct engine_loop *loop = start_rebuilding(3);
    struct asked asked;
    atomic_store(&fake.fails_requests, true);
    for (uint32_t i = 0; i < 1000 && engine_loop_state(loop) != ENGINE_LOOP_LOST; i++) {
        fill(&asked, 1, 1, 3);
        if (ask(loop, &asked, 0) == STATUS_OK) {
            WAIT_FOR(is_over(&asked));
            let_go(loop, &asked);
        } else {
            token_log_destroy(asked.log);
            usleep(1000);
        }
    }
    CHECK(engine_loop_state(loop) == ENGINE_LOOP_LOST, "still trying");
    CHECK(atomic_load(&fake.rebuilds) == 3, "%u attempts", atomic_load(&fake.rebuilds));
    end_loop(loop);
}

static void an_engine_that_cannot_start_says_so(void)
{
    fake_engine_init(&fake);
    atomic_store(&fake.fail_at_step, 1);
    CHECK(metrics_create(&metrics) == STATUS_OK, "no metrics");
    struct engine_loop_config config = config_of();
    config.metrics = metrics;
    struct engine_loop *loop = NULL;
    struct failure failure = {{0}};
    CHECK(engine_loop_create(&config, &loop, &failure) == STATUS_OK, "%s", failure.text);
    CHECK(engine_loop_start(loop, count_wake, NULL, &failure) == STATUS_DEVICE, "it started");
    CHECK(engine_loop_state(loop) != ENGINE_LOOP_READY, "ready without an engine");
    end_loop(loop);
}

static void failing_all_wakes_them(void)
{
    struct engine_loop *loop = start_loop();
    atomic_store(&fake.step_us, 200);
    struct asked asked;
    fill(&asked, 1, 2, 500);
    CHECK(ask(loop, &asked, 20) == STATUS_OK, "refused");
    WAIT_FOR(token_log_count(asked.log, 0) > 2);
    const uint32_t before = atomic_load(&wakes[20]);
    engine_loop_fail_all(loop, STATUS_TIMEOUT);
    CHECK(token_log_end(asked.log, 0) == TOKEN_END_FAILED, "not failed");
    CHECK(token_log_end(asked.log, 1) == TOKEN_END_FAILED, "not failed");
    CHECK(atomic_load(&wakes[20]) > before, "not woken");
    const uint32_t count = token_log_count(asked.log, 0);
    usleep(10000);
    CHECK(token_log_count(asked.log, 0) == count, "tokens after the end");
    let_go(loop, &asked);
    end_loop(loop);
}

static void bad_limits_are_named(void)
{
    const struct {
        uint32_t requests_max, inbound_bytes, outbound_bytes;
        const char *says;
    } cases[] = {{0, 0, 0, "requests_max"},
                 {9000, 0, 0, "requests_max"},
                 {8, 100, 0, "inbound_bytes"},
                 {8, 0, 100, "outbound_bytes"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct engine_loop_config config = config_of();
        config.requests_max = cases[i].requests_max;
        config.inbound_bytes = cases[i].inbound_bytes;
        config.outbound_bytes = cases[i].outbound_bytes;
        struct engine_loop *loop = NULL;
        struct failure failure = {{0}};
        CHECK(engine_loop_create(&config, &loop, &failure) == STATUS_INVALID, "case %zu", i);
        CHECK(strstr(failure.text, cases[i].says), "case %zu says %s", i, failure.text);
    }
}

/* Random requests of random tenants, some dropped at a random moment: what is read is right, and
 * afterwards nobody holds anything. */
static void many_come_and_go(void)
{
    struct engine_loop *loop = start_loop();
    struct random_source random = {71};
    struct asked *asked = calloc(REQUESTS_MAX, sizeof *asked);
    bool is_live[REQUESTS_MAX] = {false};
    for (uint32_t i = 0; i < 1500; i++) {
        const uint32_t at = random_below(&random, REQUESTS_MAX);
        struct asked *one = &asked[at];
        if (!is_live[at]) {
            fill(one, 1 + random_below(&random, 5), 1 + random_below(&random, 4),
                 1 + random_below(&random, 60));
            const enum status status = ask(loop, one, at);
            is_live[at] = status == STATUS_OK;
            if (!is_live[at]) {
                CHECK(status == STATUS_FULL, "refused with %s", status_name(status));
                token_log_destroy(one->log);
            }
        } else if (has_ended(one, 0) || random_below(&random, 3) == 0) {
            check_tokens(one, 0, one->tokens, 3, 40);
            let_go(loop, one);
            is_live[at] = false;
        }
    }
    for (uint32_t at = 0; at < REQUESTS_MAX; at++) {
        if (is_live[at]) {
            WAIT_FOR(is_admitted(&asked[at]));
            WAIT_FOR(has_ended(&asked[at], 0) || admission(&asked[at]) != STATUS_OK);
            check_tokens(&asked[at], 0, asked[at].tokens, 3, 40);
            let_go(loop, &asked[at]);
        }
    }
    CHECK(engine_loop_live_requests(loop) == 0, "tickets are still out");
    free(asked);
    end_loop(loop);
}

/* Not a check: what one token costs on its way from the engine into a log. */
static void print_cost(void)
{
    struct engine_loop *loop = start_loop();
    struct asked asked[16];
    const uint64_t start_ns = clock_monotonic_ns();
    for (uint32_t i = 0; i < 16; i++) {
        fill(&asked[i], 1, 4, 500);
        CHECK(ask(loop, &asked[i], 50) == STATUS_OK, "refused");
    }
    uint32_t tokens = 0;
    for (uint32_t i = 0; i < 16; i++) {
        for (uint32_t s = 0; s < 4; s++) {
            WAIT_FOR(has_ended(&asked[i], s));
            tokens += token_log_count(asked[i].log, s);
        }
        let_go(loop, &asked[i]);
    }
    const double us = (double)(clock_monotonic_ns() - start_ns) / 1e3;
    printf("%u tokens in %.1f ms: %.2f us a token, scheduler and fake engine included\n", tokens,
           us / 1e3, us / tokens);
    end_loop(loop);
}

CHECK_MAIN(an_answer_arrives_whole, samples_and_prompts_are_sequences, a_stop_id_ends_a_sequence,
           all_samples_are_accepted_or_none, tickets_and_prompts_have_limits,
           a_cancelled_sequence_falls_silent, releasing_early_leaves_the_batch,
           cancels_survive_a_full_ring, a_full_outbound_ring_holds_the_engine,
           a_lost_engine_fails_everyone, a_lost_engine_is_rebuilt, rebuilding_has_an_end,
           an_engine_that_never_gets_anywhere_is_given_up, an_engine_that_cannot_start_says_so,
           failing_all_wakes_them, bad_limits_are_named, many_come_and_go, print_cost)
