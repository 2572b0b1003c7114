/* bench.c - `ward bench`: prefill and decode speed of a model, as fractions of what this machine
 * reads and computes at best. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "kernels/cpu_features.h"
#include "kernels/measure.h"
#include "server/commands/commands.h"
#include "server/commands/options.h"
#include "server/commands/support/bench_run.h"

enum { ROWS_MAX = 16, BENCH_BATCH_MAX = 1024, REAL_DIGITS = 6 };

struct report {
    const struct model *model;
    struct measure_ceilings ceilings;
    uint32_t thread_count;
    struct bench_settings settings;
    struct bench_row rows[ROWS_MAX];
    uint32_t batches[ROWS_MAX], row_count;
};

/* ---- settings -------------------------------------------------------------------------------- */

/* "1,8,32" into batches; false: not such a list. */
static bool read_batches(const char *text, struct report *report)
{
    const char *at = text;
    while (report->row_count < ROWS_MAX) {
        char *end = NULL;
        const unsigned long batch = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;
        if (batch < 1 || batch > BENCH_BATCH_MAX) {
            return false;
        }
        report->batches[report->row_count++] = (uint32_t)batch;
        if (*end == '\0') {
            return true;
        }
        if (*end != ',') {
            return false;
        }
        at = end + 1;
    }
    return false;
}

/* A small model's context bounds what can be measured: the prompt gets three quarters of it. */
static void fit_context(struct report *report)
{
    struct bench_settings *settings = &report->settings;
    const uint32_t context = report->model->config.context_tokens_max;
    if ((uint64_t)settings->prompt_tokens + settings->out_tokens <= context || context < 4) {
        return;
    }
    if (settings->out_tokens > context / 4) {
        settings->out_tokens = context / 4;
    }
    if (settings->prompt_tokens > context - settings->out_tokens) {
        settings->prompt_tokens = context - settings->out_tokens;
    }
    fprintf(stderr, "the model's context is %u tokens: -p %u -n %u\n", context,
            settings->prompt_tokens, settings->out_tokens);
}

/* ---- report ---------------------------------------------------------------------------------- */

static bool is_on_gpu(const struct bench_row *row)
{
    return strcmp(row->device, "cuda") == 0;
}

/* A GPU's bandwidth is measured by copies, half of which is reading; 0 where it was not. */
static double fraction_of_read(const struct report *report, const struct bench_row *row)
{
    const double ceiling =
        is_on_gpu(row) ? row->copy_bytes_per_second : report->ceilings.read_bytes_per_second;
    return ceiling > 0 ? row->decode_bytes_per_second / ceiling : 0;
}

/* 0 on a GPU, whose peak `./run gpu` measures. */
static double fraction_of_peak(const struct report *report, const struct bench_row *row)
{
    return is_on_gpu(row)
               ? 0
               : row->prefill_operations_per_second / report->ceilings.fp32_operations_per_second;
}

static enum status print_json(const struct report *report)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        json_array_append_new(rows,
                              json_pack("{s:i, s:f, s:f, s:f, s:f, s:f}", "batch", (int)row->batch,
                                        "prefill_tok_s", row->prefill_tokens_per_second,
                                        "decode_tok_s", row->decode_tokens_per_second,
                                        "decode_GBps", row->decode_bytes_per_second / 1e9,
                                        "fraction_of_read", fraction_of_read(report, row),
                                        "fraction_of_peak", fraction_of_peak(report, row)));
    }
    json_t *document = json_pack(
        "{s:s, s:s, s:s, s:i, s:I, s:i, s:i, s:f, s:f, s:o}", "device", report->rows[0].device,
        "model", report->model->name, "kernels", cpu_features_name(cpu_features_level()), "threads",
        (int)report->thread_count, "model_bytes", (json_int_t)report->model->weights->bytes,
        "prompt_tokens", (int)report->settings.prompt_tokens, "output_tokens",
        (int)report->settings.out_tokens, "read_GBps", report->ceilings.read_bytes_per_second / 1e9,
        "peak_GFLOPs", report->ceilings.fp32_operations_per_second / 1e9, "rows", rows);
    const bool is_written =
        document
        && json_dumpf(document, stdout, JSON_COMPACT | JSON_REAL_PRECISION(REAL_DIGITS)) == 0;
    puts("");
    json_decref(document);
    return is_written ? STATUS_OK : STATUS_IO;
}

static void print_table(const struct report *report)
{
    printf("%s: %.2f GB of weights, prompt %u, output %u\n", report->model->name,
           (double)report->model->weights->bytes / 1e9, report->settings.prompt_tokens,
           report->settings.out_tokens);
    printf("this machine: %u threads, %s, reads %.1f GB/s, computes %.0f GFLOP/s (fp32)\n",
           report->thread_count, cpu_features_name(cpu_features_level()),
           report->ceilings.read_bytes_per_second / 1e9,
           report->ceilings.fp32_operations_per_second / 1e9);
    if (is_on_gpu(&report->rows[0])) {
        printf("its GPU copies %.0f GB/s, read and written\n",
               report->rows[0].copy_bytes_per_second / 1e9);
    }
    printf("\n%6s %14s %9s %13s %12s %9s\n", "batch", "prefill tok/s", "of peak", "decode tok/s",
           "decode GB/s", "of read");
    for (uint32_t i = 0; i < report->row_count; i++) {
        const struct bench_row *row = &report->rows[i];
        printf("%6u %14.1f %8.1f%% %13.1f %12.2f %8.1f%%\n", row->batch,
               row->prefill_tokens_per_second, 100 * fraction_of_peak(report, row),
               row->decode_tokens_per_second, row->decode_bytes_per_second / 1e9,
               100 * fraction_of_read(report, row));
    }
}

/* ---- running --------------------------------------------------------------------------------- */

static double higher(double a, double b)
{
    return a > b ? a : b;
}

/* Called before and after the rows: on a shared machine the better of both is the ceiling. */
static enum status measure_machine(struct report *report, struct failure *failure)
{
    struct workers *workers = NULL;
    struct measure_ceilings now = {0, 0};
    enum status status = workers_create(0, &workers);
    if (status == STATUS_OK) {
        report->thread_count = workers_count(workers);
        status = measure_ceilings(workers, &now);
    }
    workers_destroy(workers);
    struct measure_ceilings *best = &report->ceilings;
    best->read_bytes_per_second = higher(best->read_bytes_per_second, now.read_bytes_per_second);
    best->fp32_operations_per_second =
        higher(best->fp32_operations_per_second, now.fp32_operations_per_second);
    return status == STATUS_OK
               ? status
               : fail(failure, status, "the machine cannot be measured: no memory or threads");
}

static enum status run(struct report *report, struct failure *failure)
{
    fit_context(report);
    fprintf(stderr, "measuring the machine\n");
    enum status status = measure_machine(report, failure);
    for (uint32_t i = 0; status == STATUS_OK && i < report->row_count; i++) {
        fprintf(stderr, "measuring batch %u\n", report->batches[i]);
        status = bench_run(report->model, &report->settings, report->batches[i], &report->rows[i],
                           failure);
    }
    return status == STATUS_OK ? measure_machine(report, failure) : status;
}

static enum status open_model(const char *directory, struct model **out, struct failure *failure)
{
    if (directory) {
        return model_open(directory, out, failure);
    }
    fprintf(stderr, "making random weights\n");
    const struct model_config config = bench_run_config_1b();
    return model_make_random("synthetic-1b", &config, out, failure);
}

int bench_main(int argc, char **argv)
{
    const char *directory = NULL;
    const char *synthetic = NULL;
    const char *batches = "1,8,32";
    bool is_json = false;
    struct report report = {
        .settings = {.device = "auto", .prompt_tokens = 512, .out_tokens = 128}};
    const struct option_row rows[] = {
        {"model", 'm', OPTION_TEXT, &directory, 0, 0, "DIR", "Hugging Face model directory", false},
        {"synthetic", 0, OPTION_TEXT, &synthetic, 0, 0, "1b",
         "random weights of Llama-3.2-1B's shape, instead", false},
        {"prompt", 'p', OPTION_COUNT, &report.settings.prompt_tokens, 1, LIMIT_CONTEXT_TOKENS, "N",
         "tokens of a prompt (default 512)", false},
        {"tokens", 'n', OPTION_COUNT, &report.settings.out_tokens, 1, LIMIT_CONTEXT_TOKENS, "N",
         "tokens to decode (default 128)", false},
        {"batch", 'b', OPTION_TEXT, &batches, 0, 0, "LIST", "batch sizes (default 1,8,32)", false},
        {"device", 0, OPTION_DEVICE, &report.settings.device, 0, 0, "D", OPTIONS_DEVICE_HELP,
         false},
        {"json", 0, OPTION_FLAG, &is_json, 0, 0, NULL, "one JSON document, not a table", false},
    };
    const struct options options = {
        "ward bench (-m DIR | --synthetic 1b) [-p N] [-n N] [-b 1,8,32] [--device D] [--json]",
        "Measures tokens/s, and what fraction of this machine's read bandwidth (decode) and fp32\n"
        "peak (prefill) that is. Both ceilings are measured first.",
        rows, sizeof rows / sizeof rows[0], 0};
    const int code = options_read(&options, argc, argv, NULL);
    if (code != OPTIONS_READY) {
        return code;
    }
    if (!directory == !synthetic || (synthetic && strcmp(synthetic, "1b") != 0)) {
        return options_wrong("bench needs either -m DIR or --synthetic 1b");
    }
    if (!read_batches(batches, &report)) {
        return options_wrong("-b: must be at most %d numbers from 1 to %d, e.g. 1,8,32", ROWS_MAX,
                             BENCH_BATCH_MAX);
    }
    struct failure failure = {""};
    struct model *model = NULL;
    enum status status = open_model(directory, &model, &failure);
    if (status == STATUS_OK) {
        report.model = model;
        status = run(&report, &failure);
    }
    if (status == STATUS_OK && is_json) {
        status = print_json(&report);
    } else if (status == STATUS_OK) {
        print_table(&report);
    }
    model_close(model);
    return status == STATUS_OK ? 0 : options_failed(&failure);
}
