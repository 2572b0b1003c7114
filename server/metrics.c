/* metrics.c - a row of atomics for each tenant id and one for the whole server: ward_x{tenant="t"}
 * and ward_all_x. Tenants past the table share row LIMIT_TENANTS + 1. A row is written out once its
 * tenant has a name. */
#include "server/metrics.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/auth.h"
#include "base/clock.h"
#include "server/hand_off/hand_off.h"

enum { ROW_COUNT = LIMIT_TENANTS + 2, ALL = 0 };

/* Upper bounds of every histogram, in seconds; as text too, so that le="0.001" is exact. */
static const struct {
    double seconds;
    const char *text;
} bounds[] = {
    {0.0005, "0.0005"}, {0.001, "0.001"}, {0.0025, "0.0025"}, {0.005, "0.005"},
    {0.01, "0.01"},     {0.025, "0.025"}, {0.05, "0.05"},     {0.1, "0.1"},
    {0.25, "0.25"},     {0.5, "0.5"},     {1.0, "1"},         {2.5, "2.5"},
    {5.0, "5"},         {10.0, "10"},     {30.0, "30"},       {60.0, "60"},
};
enum { BOUND_COUNT = sizeof bounds / sizeof bounds[0] };

static const int codes[] = {200, 400, 401, 404, 413, 422, 429, 500, 503};
enum { CODE_COUNT = sizeof codes / sizeof codes[0] + 1 }; /* the last: any other */

static const char *const route_names[METRICS_ROUTE_COUNT] = {
    [METRICS_ROUTE_CHAT] = "chat_completions", [METRICS_ROUTE_COMPLETIONS] = "completions",
    [METRICS_ROUTE_MODELS] = "models",         [METRICS_ROUTE_TOKENIZE] = "tokenize",
    [METRICS_ROUTE_DETOKENIZE] = "detokenize",
};

static const char *const outcome_names[METRICS_OUTCOME_COUNT] = {
    [METRICS_COMPLETED] = "completed", [METRICS_CANCELLED] = "cancelled",
    [METRICS_FAILED] = "failed",       [METRICS_INVALID] = "invalid",
    [METRICS_QUOTA] = "quota",         [METRICS_BUSY] = "busy",
    [METRICS_BLOCKED] = "blocked",
};

struct histogram {
    _Atomic uint64_t buckets[BOUND_COUNT + 1]; /* not cumulative; the last: above all bounds */
    _Atomic uint64_t sum_ns;
};

enum { INBOUND, OUTBOUND, DIRECTION_COUNT };

/* What is counted of the rules beside actions: a field of struct tally. */
static const struct {
    const char *name;
    size_t offset;
} policy_events[] = {
    {"disguised", offsetof(struct tally, disguised)},
    {"restored", offsetof(struct tally, restored)},
    {"unknown_pseudonym", offsetof(struct tally, unknown_pseudonyms)},
    {"crossed", offsetof(struct tally, crossed)},
    {"planted", offsetof(struct tally, canaries)},
    {"corrected", offsetof(struct tally, corrected)},
    {"claim", offsetof(struct tally, claims)},
};
enum { POLICY_EVENT_COUNT = sizeof policy_events / sizeof policy_events[0] };

struct row {
    _Atomic int name_state; /* NAME_NONE, NAME_BEING_WRITTEN, NAME_SET */
    char name[AUTH_NAME_BYTES];
    _Atomic uint64_t outcomes[METRICS_OUTCOME_COUNT];
    _Atomic uint64_t prompt_tokens, output_tokens, preemptions;
    _Atomic uint32_t queued, running, pages_used, pages_total;
    _Atomic uint64_t findings[DIRECTION_COUNT][POLICY_ACTION_COUNT][POLICY_KIND_COUNT];
    _Atomic uint64_t policy_events[POLICY_EVENT_COUNT];
    _Atomic uint64_t crises[CRISIS_KIND_COUNT][CRISIS_GRADE_COUNT];
    struct histogram first_token, per_token, step; /* the last in the whole server's row only */
};
enum { NAME_NONE, NAME_BEING_WRITTEN, NAME_SET };

struct metrics {
    double started_unix_s;
    struct row rows[ROW_COUNT];
    _Atomic uint64_t requests[METRICS_ROUTE_COUNT][CODE_COUNT];
    _Atomic uint64_t rebuilds, busy_ns, idle_ns;
    _Atomic bool has_times;
};

enum status metrics_create(struct metrics **out)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (!metrics) {
        return STATUS_IO;
    }
    atomic_init(&metrics->rows[ALL].name_state, NAME_SET);
    metrics->started_unix_s = (double)clock_unix_ms() / 1e3;
    *out = metrics;
    return STATUS_OK;
}

void metrics_destroy(struct metrics *metrics)
{
    free(metrics);
}

const char *metrics_outcome_name(enum metrics_outcome outcome)
{
    return outcome_names[outcome];
}

const char *metrics_route_name(enum metrics_route route)
{
    return route_names[route];
}

/* ---- counting ------------------------------------------------------------------------------- */

static void add(_Atomic uint64_t *counter, uint64_t count)
{
    atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

static void observe(struct histogram *histogram, uint64_t ns)
{
    const double seconds = (double)ns / 1e9;
    size_t bucket = 0;
    while (bucket < BOUND_COUNT && seconds > bounds[bucket].seconds) {
        bucket++;
    }
    add(&histogram->buckets[bucket], 1);
    add(&histogram->sum_ns, ns);
}

static struct row *row_of(struct metrics *metrics, struct tenant_id tenant)
{
    return &metrics->rows[tenant.value <= LIMIT_TENANTS ? tenant.value : LIMIT_TENANTS + 1];
}

static size_t code_index(int http_code)
{
    size_t i = 0;
    while (i < CODE_COUNT - 1 && codes[i] != http_code) {
        i++;
    }
    return i;
}

/* The first who comes writes its name; readers wait for NAME_SET. */
void metrics_know_tenant(struct metrics *metrics, struct tenant_id tenant, const char *name)
{
    struct row *row = row_of(metrics, tenant);
    int none = NAME_NONE;
    if (atomic_compare_exchange_strong(&row->name_state, &none, NAME_BEING_WRITTEN)) {
        const size_t length = strnlen(name, sizeof row->name - 1);
        memcpy(row->name, name, length);
        atomic_store(&row->name_state, NAME_SET);
    }
}

void metrics_count_request(struct metrics *metrics, const struct metrics_request *request)
{
    add(&metrics->requests[request->route][code_index(request->http_code)], 1);
    struct row *rows[] = {&metrics->rows[ALL], row_of(metrics, request->tenant)};
    metrics_know_tenant(metrics, request->tenant, request->tenant_name);
    for (size_t i = 0; i < 2; i++) {
        add(&rows[i]->outcomes[request->outcome], 1);
        if (request->first_token_ns > 0) {
            observe(&rows[i]->first_token, request->first_token_ns);
        }
        if (request->per_token_ns > 0) {
            observe(&rows[i]->per_token, request->per_token_ns);
        }
    }
}

static void add_tally(struct row *row, int direction, const struct tally *tally)
{
    for (int action = POLICY_TAG; action < POLICY_ACTION_COUNT; action++) {
        for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            if (tally->counts[action][kind] > 0) {
                add(&row->findings[direction][action][kind], tally->counts[action][kind]);
            }
        }
    }
    for (size_t i = 0; i < POLICY_EVENT_COUNT; i++) {
        uint32_t count = 0;
        memcpy(&count, (const char *)tally + policy_events[i].offset, sizeof count);
        add(&row->policy_events[i], count);
    }
}

void metrics_count_policy(struct metrics *metrics, struct tenant_id tenant,
                          const struct tally *inbound, const struct tally *outbound)
{
    struct row *rows[] = {&metrics->rows[ALL], row_of(metrics, tenant)};
    for (size_t i = 0; i < 2; i++) {
        add_tally(rows[i], INBOUND, inbound);
        add_tally(rows[i], OUTBOUND, outbound);
    }
}

void metrics_count_crisis(struct metrics *metrics, struct tenant_id tenant,
                          const struct crisis_finding *finding)
{
    struct row *rows[] = {&metrics->rows[ALL], row_of(metrics, tenant)};
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const enum crisis_grade grade = finding->signals[kind].grade;
        for (size_t i = 0; grade != CRISIS_NONE && i < 2; i++) {
            add(&rows[i]->crises[kind][grade], 1);
        }
    }
}

void metrics_count_tokens(struct metrics *metrics, struct tenant_id tenant, uint32_t prompt_tokens,
                          uint32_t output_tokens)
{
    struct row *rows[] = {&metrics->rows[ALL], row_of(metrics, tenant)};
    for (size_t i = 0; i < 2; i++) {
        add(&rows[i]->prompt_tokens, prompt_tokens);
        add(&rows[i]->output_tokens, output_tokens);
    }
}

void metrics_count_step(struct metrics *metrics, uint64_t step_ns)
{
    observe(&metrics->rows[ALL].step, step_ns);
}

void metrics_count_rebuild(struct metrics *metrics)
{
    add(&metrics->rebuilds, 1);
}

void metrics_set_times(struct metrics *metrics, const struct engine_times *times)
{
    atomic_store_explicit(&metrics->busy_ns, times->busy_ns, memory_order_relaxed);
    atomic_store_explicit(&metrics->idle_ns, times->idle_ns, memory_order_relaxed);
    atomic_store(&metrics->has_times, true);
}

void metrics_set_counts(struct metrics *metrics, struct tenant_id tenant,
                        const struct scheduler_counts *counts)
{
    struct row *row = row_of(metrics, tenant);
    atomic_store_explicit(&row->queued, counts->queued, memory_order_relaxed);
    atomic_store_explicit(&row->running, counts->running, memory_order_relaxed);
    atomic_store_explicit(&row->pages_used, counts->pages_used, memory_order_relaxed);
    atomic_store_explicit(&row->pages_total, counts->pages_total, memory_order_relaxed);
    atomic_store_explicit(&row->preemptions, counts->preemptions, memory_order_relaxed);
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The writer goes on after an error and reports it at the end: nothing is half-used meanwhile. */
struct writer {
    const struct metrics *metrics;
    struct buffer *out;
    enum status status;
};

static void keep(struct writer *writer, enum status status)
{
    if (writer->status == STATUS_OK) {
        writer->status = status;
    }
}

static void write_head(struct writer *writer, const char *prefix, const char *name,
                       const char *type, const char *help)
{
    keep(writer, buffer_format(writer->out, "# HELP ward_%s%s %s\n# TYPE ward_%s%s %s\n", prefix,
                               name, help, prefix, name, type));
}

/* A label value: backslash, quote and newline are escaped, as the format demands. */
static void write_escaped(struct writer *writer, const char *text)
{
    for (; *text; text++) {
        const char *escaped = *text == '\\' ? "\\\\" : *text == '"' ? "\\\"" : "\\n";
        if (*text == '\\' || *text == '"' || *text == '\n') {
            keep(writer, buffer_append_text(writer->out, escaped));
        } else {
            keep(writer, buffer_append(writer->out, text, 1));
        }
    }
}

/* ward_all_name, or ward_name{tenant="..."}; with label="value" where there is a label. */
static void write_series(struct writer *writer, const char *name, const struct row *row,
                         const char *label, const char *value)
{
    const bool is_tenant = row != &writer->metrics->rows[ALL];
    keep(writer, buffer_format(writer->out, "ward_%s%s", is_tenant ? "" : "all_", name));
    if (is_tenant) {
        keep(writer, buffer_append_text(writer->out, "{tenant=\""));
        write_escaped(writer, row->name);
        keep(writer, buffer_append_text(writer->out, label ? "\"," : "\"}"));
    } else if (label) {
        keep(writer, buffer_append_text(writer->out, "{"));
    }
    if (label) {
        keep(writer, buffer_format(writer->out, "%s=\"%s\"}", label, value));
    }
}

static void write_count(struct writer *writer, uint64_t count)
{
    keep(writer, buffer_format(writer->out, " %llu\n", (unsigned long long)count));
}

static void write_histogram(struct writer *writer, const char *name, const struct row *row,
                            const struct histogram *histogram)
{
    char part[64];
    snprintf(part, sizeof part, "%s_bucket", name);
    uint64_t count = 0;
    for (size_t i = 0; i <= BOUND_COUNT; i++) {
        count += atomic_load_explicit(&histogram->buckets[i], memory_order_relaxed);
        write_series(writer, part, row, "le", i < BOUND_COUNT ? bounds[i].text : "+Inf");
        write_count(writer, count);
    }
    const uint64_t sum_ns = atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed);
    snprintf(part, sizeof part, "%s_sum", name);
    write_series(writer, part, row, NULL, NULL);
    keep(writer, buffer_format(writer->out, " %.9g\n", (double)sum_ns / 1e9));
    snprintf(part, sizeof part, "%s_count", name);
    write_series(writer, part, row, NULL, NULL);
    write_count(writer, count);
}

/* What exists for the whole server and for each tenant, by its place in the row. */
static const struct {
    const char *name, *type, *help;
    size_t offset;
    bool is_wide; /* uint64_t */
} numbers[] = {
    {"prompt_tokens_total", "counter", "Prompt tokens of accepted requests.",
     offsetof(struct row, prompt_tokens), true},
    {"output_tokens_total", "counter", "Tokens generated.", offsetof(struct row, output_tokens),
     true},
    {"preemptions_total", "counter", "Sequences sent back to the queue to free KV pages.",
     offsetof(struct row, preemptions), true},
    {"queued_sequences", "gauge", "Sequences that wait for a place in the batch.",
     offsetof(struct row, queued), false},
    {"running_sequences", "gauge", "Sequences in the batch.", offsetof(struct row, running), false},
    {"kv_pages_used", "gauge", "KV pages that sequences hold.", offsetof(struct row, pages_used),
     false},
};

static const struct {
    const char *name, *help;
    size_t offset;
} histograms[] = {
    {"time_to_first_token_seconds", "From arrival to the first token.",
     offsetof(struct row, first_token)},
    {"time_per_output_token_seconds", "Mean time between the tokens of a request.",
     offsetof(struct row, per_token)},
};

static uint64_t number_of(const struct row *row, size_t index)
{
    const char *at = (const char *)row + numbers[index].offset;
    return numbers[index].is_wide ? atomic_load_explicit((const _Atomic uint64_t *)(const void *)at,
                                                         memory_order_relaxed)
                                  : atomic_load_explicit((const _Atomic uint32_t *)(const void *)at,
                                                         memory_order_relaxed);
}

static bool is_shown(const struct row *row)
{
    return atomic_load(&row->name_state) == NAME_SET;
}

/* One metric for every row of a range: the whole server's alone, or those of the tenants. */
struct range {
    const char *prefix;
    size_t first, last;
};

static void write_number(struct writer *writer, struct range range, size_t index)
{
    write_head(writer, range.prefix, numbers[index].name, numbers[index].type, numbers[index].help);
    for (size_t i = range.first; i <= range.last; i++) {
        const struct row *row = &writer->metrics->rows[i];
        if (is_shown(row)) {
            write_series(writer, numbers[index].name, row, NULL, NULL);
            write_count(writer, number_of(row, index));
        }
    }
}

static void write_outcomes(struct writer *writer, struct range range)
{
    write_head(writer, range.prefix, "requests_total", "counter", "Requests by how they ended.");
    for (size_t i = range.first; i <= range.last; i++) {
        const struct row *row = &writer->metrics->rows[i];
        for (size_t o = 0; is_shown(row) && o < METRICS_OUTCOME_COUNT; o++) {
            write_series(writer, "requests_total", row, "outcome", outcome_names[o]);
            write_count(writer, atomic_load_explicit(&row->outcomes[o], memory_order_relaxed));
        }
    }
}

/* A series for each kind that was ever counted: most never are. */
static void write_kinds(struct writer *writer, const struct row *row, const char *labels,
                        const _Atomic uint64_t counts[POLICY_KIND_COUNT])
{
    for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        const uint64_t count = atomic_load_explicit(&counts[kind], memory_order_relaxed);
        if (count > 0) {
            write_series(writer, "policy_findings_total", row, labels,
                         policy_kind_name((enum policy_kind)kind));
            write_count(writer, count);
        }
    }
}

static void write_findings(struct writer *writer, const struct row *row)
{
    static const char *const directions[DIRECTION_COUNT] = {"in", "out"};
    char labels[64];
    for (int direction = 0; direction < DIRECTION_COUNT; direction++) {
        for (int action = POLICY_TAG; action < POLICY_ACTION_COUNT; action++) {
            snprintf(labels, sizeof labels, "direction=\"%s\",action=\"%s\",kind",
                     directions[direction], policy_action_name((enum policy_action)action));
            write_kinds(writer, row, labels, row->findings[direction][action]);
        }
    }
}

static void write_policy_events(struct writer *writer, const struct row *row)
{
    for (size_t i = 0; i < POLICY_EVENT_COUNT; i++) {
        write_series(writer, "policy_events_total", row, "event", policy_events[i].name);
        write_count(writer, atomic_load_explicit(&row->policy_events[i], memory_order_relaxed));
    }
}

static void write_crises(struct writer *writer, const struct row *row)
{
    char labels[32];
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        snprintf(labels, sizeof labels, "kind=\"%s\",grade",
                 crisis_kind_name((enum crisis_kind)kind));
        for (int grade = CRISIS_LOW; grade < CRISIS_GRADE_COUNT; grade++) {
            const uint64_t count =
                atomic_load_explicit(&row->crises[kind][grade], memory_order_relaxed);
            if (count > 0) {
                write_series(writer, "crisis_requests_total", row, labels,
                             crisis_grade_name((enum crisis_grade)grade));
                write_count(writer, count);
            }
        }
    }
}

static const struct {
    const char *name, *help;
    void (*write)(struct writer *writer, const struct row *row);
} policy_metrics[] = {
    {"policy_findings_total", "Identifiers found, by what the tenant's rules did.", write_findings},
    {"policy_events_total",
     "What else the rules did; crossed and planted are alarms: another's value was stopped.",
     write_policy_events},
    {"crisis_requests_total", "Requests whose conversation gave signs of a crisis.", write_crises},
};

static void write_rows(struct writer *writer, struct range range)
{
    write_outcomes(writer, range);
    for (size_t p = 0; p < sizeof policy_metrics / sizeof policy_metrics[0]; p++) {
        write_head(writer, range.prefix, policy_metrics[p].name, "counter", policy_metrics[p].help);
        for (size_t i = range.first; i <= range.last; i++) {
            if (is_shown(&writer->metrics->rows[i])) {
                policy_metrics[p].write(writer, &writer->metrics->rows[i]);
            }
        }
    }
    for (size_t n = 0; n < sizeof numbers / sizeof numbers[0]; n++) {
        write_number(writer, range, n);
    }
    for (size_t h = 0; h < sizeof histograms / sizeof histograms[0]; h++) {
        write_head(writer, range.prefix, histograms[h].name, "histogram", histograms[h].help);
        for (size_t i = range.first; i <= range.last; i++) {
            const struct row *row = &writer->metrics->rows[i];
            if (is_shown(row)) {
                const char *at = (const char *)row + histograms[h].offset;
                write_histogram(writer, histograms[h].name, row, (const void *)at);
            }
        }
    }
}

static void write_requests(struct writer *writer)
{
    write_head(writer, "", "http_requests_total", "counter",
               "Requests that reached a handler, by route and status code.");
    for (size_t r = 0; r < METRICS_ROUTE_COUNT; r++) {
        for (size_t c = 0; c < CODE_COUNT; c++) {
            const uint64_t count =
                atomic_load_explicit(&writer->metrics->requests[r][c], memory_order_relaxed);
            char code[8] = "other";
            if (c < CODE_COUNT - 1) {
                snprintf(code, sizeof code, "%d", codes[c]);
            }
            keep(writer, buffer_format(writer->out,
                                       "ward_http_requests_total{route=\"%s\",code=\"%s\"} %llu\n",
                                       route_names[r], code, (unsigned long long)count));
        }
    }
}

static void write_seconds(struct writer *writer, const char *name, const char *help,
                          const _Atomic uint64_t *ns)
{
    write_head(writer, "", name, "counter", help);
    keep(writer, buffer_format(writer->out, "ward_%s %.9g\n", name,
                               (double)atomic_load_explicit(ns, memory_order_relaxed) / 1e9));
}

/* The device's idle share is idle / (busy + idle). */
static void write_device(struct writer *writer)
{
    const struct metrics *metrics = writer->metrics;
    write_head(writer, "", "engine_rebuilds_total", "counter",
               "Times that a lost engine was replaced.");
    keep(writer, buffer_format(writer->out, "ward_engine_rebuilds_total %llu\n",
                               (unsigned long long)atomic_load(&metrics->rebuilds)));
    if (atomic_load(&metrics->has_times)) {
        write_seconds(writer, "gpu_busy_seconds_total", "Time that the GPU spent in steps.",
                      &metrics->busy_ns);
        write_seconds(writer, "gpu_idle_seconds_total",
                      "Time between two steps while the second one was waiting.",
                      &metrics->idle_ns);
    }
}

static void write_audit(struct writer *writer, const struct audit_facts *facts)
{
    const uint64_t behind = facts->sequence > facts->redis_acknowledged
                                ? facts->sequence - facts->redis_acknowledged
                                : 0;
    const struct {
        const char *name, *type, *help;
        uint64_t value;
        bool is_of_redis;
    } rows[] = {
        {"available", "gauge", "1 while records can be kept.", facts->is_available, false},
        {"failing", "gauge", "1 while nothing can be written, also where memory keeps records.",
         facts->is_failing, false},
        {"records_total", "counter", "Records made durable.", facts->records, false},
        {"groups_total", "counter", "Groups of records that one sync made durable.", facts->groups,
         false},
        {"failures_total", "counter", "Writes and syncs that failed.", facts->failures, false},
        {"refused_total", "counter", "Requests refused for want of a record.", facts->refused,
         false},
        {"lost_total", "counter", "Records that found no room in memory.", facts->lost, false},
        {"queued_bytes", "gauge", "Memory of records that are not on disk yet.",
         facts->queued_bytes, false},
        {"sequence", "gauge", "Number of the last durable record.", facts->sequence, false},
        {"redis_up", "gauge", "1 while records are shipped to Redis.", facts->redis_is_shipping,
         true},
        {"redis_acknowledged_sequence", "gauge", "Last record that Redis has.",
         facts->redis_acknowledged, true},
        {"redis_lag_records", "gauge", "Records that Redis has not yet.", behind, true},
        {"redis_resent_total", "counter", "Records that Redis had already.", facts->redis_resent,
         true},
        {"redis_reconnects_total", "counter", "Connections to Redis after the first.",
         facts->redis_reconnects, true},
        {"redis_alarm", "gauge", "1: Redis holds something else than the spool.",
         facts->redis_has_alarm, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].is_of_redis || facts->has_redis) {
            write_head(writer, "audit_", rows[i].name, rows[i].type, rows[i].help);
            keep(writer, buffer_format(writer->out, "ward_audit_%s", rows[i].name));
            write_count(writer, rows[i].value);
        }
    }
    write_head(writer, "audit_", "sync_seconds_total", "counter", "Time spent in syncs.");
    keep(writer, buffer_format(writer->out, "ward_audit_sync_seconds_total %.9g\n",
                               (double)facts->sync_us_total / 1e6));
}

static void write_hand_off(struct writer *writer, const struct hand_off_counts *counts)
{
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } rows[] = {
        {"waiting", "gauge", "Hand-offs that no clinic acknowledged yet.", counts->waiting},
        {"acknowledged_total", "counter", "Hand-offs that arrived.", counts->acknowledged},
        {"given_up_total", "counter", "Hand-offs that never arrived.", counts->given_up},
        {"lost_total", "counter", "Hand-offs that found the queue full.", counts->lost},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        write_head(writer, "hand_off_", rows[i].name, rows[i].type, rows[i].help);
        keep(writer, buffer_format(writer->out, "ward_hand_off_%s", rows[i].name));
        write_count(writer, rows[i].value);
    }
}

static void write_facts(struct writer *writer, const struct metrics_facts *facts)
{
    write_head(writer, "", "build_info", "gauge", "Always 1; what runs is in the labels.");
    keep(writer,
         buffer_append_text(writer->out, "ward_build_info{version=\"" WARD_VERSION "\",model=\""));
    write_escaped(writer, facts->model_name);
    keep(writer, buffer_format(writer->out, "\",model_digest=\"%s\"} 1\n", facts->model_digest));
    write_head(writer, "", "ready", "gauge", "1 when /readyz says so.");
    keep(writer, buffer_format(writer->out, "ward_ready %d\n", facts->is_ready));
    write_head(writer, "", "live_requests", "gauge", "Generations that have not ended.");
    keep(writer, buffer_format(writer->out, "ward_live_requests %u\n", facts->live_requests));
    const struct row *all = &writer->metrics->rows[ALL];
    write_head(writer, "", "kv_pages", "gauge", "KV pages that there are.");
    keep(writer, buffer_format(writer->out, "ward_kv_pages %u\n",
                               atomic_load_explicit(&all->pages_total, memory_order_relaxed)));
    write_head(writer, "all_", "step_seconds", "histogram", "One engine step.");
    write_histogram(writer, "step_seconds", all, &all->step);
    write_device(writer);
    keep(writer, buffer_format(writer->out,
                               "# HELP process_start_time_seconds Start, Unix time.\n"
                               "# TYPE process_start_time_seconds gauge\n"
                               "process_start_time_seconds %.3f\n",
                               writer->metrics->started_unix_s));
}

enum status metrics_write(const struct metrics *metrics, const struct metrics_facts *facts,
                          struct buffer *out)
{
    struct writer writer = {.metrics = metrics, .out = out, .status = STATUS_OK};
    write_facts(&writer, facts);
    write_audit(&writer, facts->audit);
    if (facts->hand_off) {
        write_hand_off(&writer, facts->hand_off);
    }
    write_requests(&writer);
    write_rows(&writer, (struct range){"all_", ALL, ALL});
    write_rows(&writer, (struct range){"", ALL + 1, ROW_COUNT - 1});
    return writer.status;
}
