/* bench_scheduler.c - what a step costs the scheduler itself: plan + settle without an engine, with
 * the queue kept full. Submit copies the prompt and is measured apart. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/clock.h"
#include "base/random.h"
#include "scheduler/scheduler.h"

enum { STEPS = 5000, WARM_STEPS = 1000, CONTEXT_MAX = 768, PAGE_TOKENS = 16 };

static const struct {
    const char *name;
    uint32_t running, queued, tenants, pages, prompt_max;
} cases[] = {
    {"memory for all", 256, 1000, 8, 16384, 512},
    {"memory short", 256, 1000, 8, 3000, 16},
    {"memory for all", 1000, 3000, 200, 65536, 512},
    {"memory short", 1000, 3000, 200, 12000, 16},
};

struct load {
    struct scheduler *scheduler;
    struct random_source random;
    uint32_t tenant_count, known_max, known_count, prompt_max;
    uint64_t id, submit_ns;
};

static void keep_full(struct load *load)
{
    static uint32_t prompt[CONTEXT_MAX];
    for (; load->known_count < load->known_max; load->known_count++) {
        struct scheduler_request request = {
            .id = {++load->id},
            .tenant = {1 + random_below(&load->random, load->tenant_count)},
            .prompt_count = 1 + random_below(&load->random, load->prompt_max),
            .output_max = 1 + random_below(&load->random, CONTEXT_MAX - load->prompt_max),
        };
        const uint64_t start_ns = clock_monotonic_ns();
        const enum status status = scheduler_submit(load->scheduler, &request, prompt);
        load->submit_ns += clock_monotonic_ns() - start_ns;
        ASSERT(status == STATUS_OK);
    }
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void measure(size_t at)
{
    static struct engine_token tokens[LIMIT_SEQUENCES]; /* id 0, which stops nothing */
    static struct scheduler_event events[2 * LIMIT_SEQUENCES];
    static uint64_t step_ns[STEPS];
    const uint32_t known_max = cases[at].running + cases[at].queued;
    const struct scheduler_config config = {
        .shape = {.page_count = cases[at].pages,
                  .page_tokens = PAGE_TOKENS,
                  .context_tokens_max = CONTEXT_MAX,
                  .step_tokens_max = 8192,
                  .step_sequences_max = cases[at].running,
                  .vocabulary_count = 128256},
        .sequences_max = known_max,
        .running_max = cases[at].running,
        .tenant_queued_max = known_max,
        .tenant_pages_max = cases[at].pages,
        .tenant_count = cases[at].tenants,
    };
    struct arena *arena = NULL;
    const enum status status = arena_create(scheduler_arena_bytes(&config), &arena);
    ASSERT(status == STATUS_OK);
    struct load load = {.scheduler = scheduler_create(arena, &config),
                        .random = {1},
                        .tenant_count = cases[at].tenants,
                        .known_max = known_max,
                        .prompt_max = cases[at].prompt_max};
    uint64_t sum_ns = 0, sequence_count = 0;
    for (uint32_t i = 0; i < WARM_STEPS + STEPS; i++) {
        keep_full(&load);
        struct engine_plan plan;
        const uint64_t start_ns = clock_monotonic_ns();
        const bool has_plan = scheduler_plan(load.scheduler, &plan);
        ASSERT(has_plan);
        const uint32_t count = scheduler_settle(load.scheduler, STATUS_OK, tokens, events);
        const uint64_t elapsed_ns = clock_monotonic_ns() - start_ns;
        for (uint32_t j = 0; j < count; j++) {
            load.known_count -= events[j].kind == SCHEDULER_EVENT_FINISHED;
        }
        if (i >= WARM_STEPS) {
            step_ns[i - WARM_STEPS] = elapsed_ns;
            sum_ns += elapsed_ns;
            sequence_count += plan.sequence_count;
        }
    }
    qsort(step_ns, STEPS, sizeof step_ns[0], compare);
    const uint64_t p50_ns = step_ns[STEPS / 2], p99_ns = step_ns[STEPS - STEPS / 100];
    const struct scheduler_counts counts = scheduler_counts(load.scheduler);
    printf("%7u %7u %7u  %-15s %7.1f %7.1f %7.1f %9.1f %9.1f %11.2f\n", cases[at].running,
           cases[at].queued, cases[at].tenants, cases[at].name, (double)sum_ns / STEPS / 1e3,
           (double)p50_ns / 1e3, (double)p99_ns / 1e3, (double)sum_ns / (double)sequence_count,
           (double)load.submit_ns / (double)load.id,
           (double)counts.preemptions / (double)counts.steps);
    arena_destroy(arena);
}

int main(void)
{
    printf("running  queued tenants  case               mean     p50  p99 us  ns a seq. ns submit "
           "preempts a step\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        measure(i);
    }
    return 0;
}
