/* Method: count known things and read the text back; every line must have the form of the
 * exposition format, and a histogram must add up. */
#include "server/metrics.h"

#include <stdlib.h>
#include <string.h>

#include "tests/check.h"

static const struct audit_facts audit = {.is_available = true,
                                         .is_failing = true,
                                         .has_redis = true,
                                         .records = 12,
                                         .groups = 5,
                                         .sequence = 40,
                                         .redis_acknowledged = 37,
                                         .sync_us_total = 1500000};
static const struct metrics_facts facts = {.audit = &audit,
                                           .model_name = "a \"model\"\\\n",
                                           .model_digest = "d",
                                           .is_ready = true,
                                           .live_requests = 3};

#define BUILD_INFO                            \
    "ward_build_info{version=\"" WARD_VERSION \
    "\",model=\"a \\\"model\\\"\\\\\\n\",model_digest=\"d\"} 1\n"

static void count(struct metrics *metrics, uint32_t tenant, const char *name, uint64_t first_ns)
{
    metrics_count_request(metrics, &(struct metrics_request){.tenant = {tenant},
                                                             .tenant_name = name,
                                                             .route = METRICS_ROUTE_COMPLETIONS,
                                                             .outcome = METRICS_COMPLETED,
                                                             .http_code = 200,
                                                             .first_token_ns = first_ns,
                                                             .per_token_ns = 1000000});
}

/* name{labels} value, or a comment. */
static bool is_line(const char *line)
{
    if (strncmp(line, "# HELP ", 7) == 0 || strncmp(line, "# TYPE ", 7) == 0) {
        return true;
    }
    const size_t name = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    const char *after = line + name;
    if (*after == '{') {
        after = strrchr(line, '}');
        after = after ? after + 1 : line;
    }
    char *end = NULL;
    strtod(after, &end);
    return name > 0 && *after == ' ' && end != after && *end == '\0';
}

static void every_line_is_well_formed_and_true(void)
{
    static const char *const lines[] = {
        "ward_requests_total{tenant=\"north\",outcome=\"completed\"} 2\n",
        "ward_requests_total{tenant=\"a\\\\b\\\"c\",outcome=\"completed\"} 1\n",
        "ward_all_requests_total{outcome=\"completed\"} 4\n",
        "ward_time_to_first_token_seconds_bucket{tenant=\"north\",le=\"0.0005\"} 1\n",
        "ward_time_to_first_token_seconds_bucket{tenant=\"north\",le=\"0.025\"} 1\n",
        "ward_time_to_first_token_seconds_bucket{tenant=\"north\",le=\"0.05\"} 2\n",
        "ward_time_to_first_token_seconds_bucket{tenant=\"north\",le=\"+Inf\"} 2\n",
        "ward_time_to_first_token_seconds_sum{tenant=\"north\"} 0.0305\n",
        "ward_all_time_to_first_token_seconds_bucket{le=\"60\"} 3\n",
        "ward_all_time_to_first_token_seconds_count 4\n",
        BUILD_INFO,
        "ward_http_requests_total{route=\"completions\",code=\"200\"} 4\n",
        "ward_prompt_tokens_total{tenant=\"north\"} 7\n",
        "ward_all_output_tokens_total 9\n",
        "ward_queued_sequences{tenant=\"north\"} 5\n",
        "ward_kv_pages 64\n",
        "ward_ready 1\n",
        "ward_live_requests 3\n",
        "ward_all_step_seconds_count 1\n",
        "ward_audit_available 1\n",
        "ward_audit_failing 1\n",
        "ward_audit_records_total 12\n",
        "ward_audit_groups_total 5\n",
        "ward_audit_sequence 40\n",
        "ward_audit_sync_seconds_total 1.5\n",
        "ward_audit_redis_up 0\n",
        "ward_audit_redis_lag_records 3\n",
    };
    struct metrics *metrics = NULL;
    CHECK(metrics_create(&metrics) == STATUS_OK, "no memory");
    count(metrics, 1, "north", 500000);
    count(metrics, 1, "north", 30000000);
    count(metrics, LIMIT_TENANTS, "a\\b\"c", 1000000000);
    count(metrics, LIMIT_TENANTS + 7, "beyond", 90000000000);
    metrics_count_tokens(metrics, (struct tenant_id){1}, 7, 9);
    metrics_count_step(metrics, 2000000);
    const struct scheduler_counts counts = {.queued = 5, .pages_total = 64};
    metrics_set_counts(metrics, (struct tenant_id){1}, &counts);
    metrics_set_counts(metrics, (struct tenant_id){0}, &counts);

    struct buffer text = {.limit_bytes = METRICS_TEXT_BYTES_MAX};
    CHECK(metrics_write(metrics, &facts, &text) == STATUS_OK, "not written");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        CHECK(strstr(text.bytes, lines[i]), "no line %s", lines[i]);
    }
    CHECK(!strstr(text.bytes, "tenant=\"\""), "a tenant without a name is shown");
    char *rest = text.bytes;
    for (char *line; (line = strsep(&rest, "\n"));) {
        CHECK(line[0] == '\0' || is_line(line), "a strange line: %s", line);
    }
    buffer_destroy(&text);
    metrics_destroy(metrics);
}

static void a_small_buffer_is_an_error(void)
{
    struct metrics *metrics = NULL;
    CHECK(metrics_create(&metrics) == STATUS_OK, "no memory");
    struct buffer text = {.limit_bytes = 100};
    CHECK(metrics_write(metrics, &facts, &text) == STATUS_TOO_LARGE, "it fits");
    buffer_destroy(&text);
    metrics_destroy(metrics);
}

CHECK_MAIN(every_line_is_well_formed_and_true, a_small_buffer_is_an_error)
