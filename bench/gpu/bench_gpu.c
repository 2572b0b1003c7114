/* bench_gpu.c - `bench_gpu [--tiny] [--json FILE] [--peers FILE]`: every row, one table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gpu/bench.h"

struct options {
    bool is_tiny;
    const char *json, *peers;
};

static bool read_options(int count, char **words, struct options *out)
{
    *out = (struct options){0};
    for (int i = 1; i < count; i++) {
        const bool has_value = i + 1 < count;
        if (strcmp(words[i], "--tiny") == 0) {
            out->is_tiny = true;
        } else if (strcmp(words[i], "--json") == 0 && has_value) {
            out->json = words[++i];
        } else if (strcmp(words[i], "--peers") == 0 && has_value) {
            out->peers = words[++i];
        } else {
            return false;
        }
    }
    return true;
}

/* What was measured before something failed is still printed. */
static enum status run(struct bench *bench, struct failure *failure)
{
    enum status (*const parts[])(struct bench * bench, struct failure * failure) = {
        bench_ceilings, bench_attention, bench_matmul, bench_sample, bench_engine,
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == STATUS_OK; i++) {
        status = parts[i](bench, failure);
    }
    return status;
}

int main(int count, char **words)
{
    struct options options;
    if (!read_options(count, words, &options)) {
        fprintf(stderr, "usage: bench_gpu [--tiny] [--json FILE] [--peers FILE]\n");
        return 2;
    }
    struct failure failure = {""};
    struct bench *bench = calloc(1, sizeof *bench);
    enum status status = bench ? gpu_open(0, &bench->gpu, &failure) : STATUS_IO;
    if (status == STATUS_OK) {
        bench->is_tiny = options.is_tiny;
        gpu_get_info(bench->gpu, &bench->info);
        status = run(bench, &failure);
        if (options.peers && !table_read_peers(&bench->table, options.peers)) {
            fprintf(stderr, "bench_gpu: no peers: %s cannot be read\n", options.peers);
        }
        printf("%s, driver %s, CUDA %s\n", bench->info.name, bench->info.driver,
               bench->info.runtime);
        table_print(&bench->table);
        if (options.json && !table_write_json(&bench->table, &bench->info, options.json)) {
            fprintf(stderr, "bench_gpu: %s cannot be written\n", options.json);
            status = STATUS_IO;
        }
        gpu_close(bench->gpu);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "bench_gpu: %s: %s\n", status_name(status), failure.text);
    }
    free(bench);
    return status != STATUS_OK;
}
