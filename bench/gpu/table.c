#include "bench/gpu/table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum { LINE_BYTES = 256 };

static const struct {
    const char *name;
    bool is_better_low;
} units[] = {
    [TABLE_US] = {"us", true},
    [TABLE_MS] = {"ms", true},
    [TABLE_SECONDS] = {"s", true},
    [TABLE_GB_S] = {"GB/s", false},
    [TABLE_TFLOP_S] = {"TFLOP/s", false},
    [TABLE_TOKENS_S] = {"tok/s", false},
    [TABLE_PERCENT] = {"%", true},
};

/* ---- rows ------------------------------------------------------------------------------------ */

void table_add(struct table *table, const char *key, enum table_unit unit, double ours,
               double floor)
{
    ASSERT(table->count < TABLE_ROWS_MAX && strlen(key) < TABLE_KEY_BYTES);
    struct table_row *row = &table->rows[table->count++];
    *row = (struct table_row){.unit = unit, .ours = ours, .floor = floor};
    memcpy(row->key, key, strlen(key));
    fprintf(stderr, "%-44s %10.4g %s\n", key, ours, units[unit].name);
}

static struct table_row *find(struct table *table, const char *key)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].key, key) == 0) {
            return &table->rows[i];
        }
    }
    return NULL;
}

bool table_read_peers(struct table *table, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        return false;
    }
    char line[LINE_BYTES];
    while (fgets(line, sizeof line, file)) {
        char *tab = strchr(line, '\t');
        if (tab) {
            *tab = '\0';
            struct table_row *row = find(table, line);
            const double figure = strtod(tab + 1, NULL);
            if (row && figure > 0) {
                row->peer = figure;
            }
        }
    }
    fclose(file);
    return true;
}

/* 0: not known. */
static double ratio(const struct table_row *row, double to)
{
    if (row->ours <= 0 || to <= 0) {
        return 0;
    }
    return units[row->unit].is_better_low ? to / row->ours : row->ours / to;
}

static double fraction(const struct table_row *row)
{
    return ratio(row, row->floor);
}

static double times_peer(const struct table_row *row)
{
    return ratio(row, row->peer);
}

static double own_figure(const struct table_row *row)
{
    return row->ours;
}

static bool matches(const char *key, const char *prefix, const char *suffix)
{
    const size_t length = strlen(key), end = strlen(suffix);
    return strncmp(key, prefix, strlen(prefix)) == 0 && length >= end
           && strcmp(key + length - end, suffix) == 0;
}

static double mean(const struct table *table, const char *prefix, const char *suffix,
                   double (*of)(const struct table_row *row))
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        const double value = of(&table->rows[i]);
        if (matches(table->rows[i].key, prefix, suffix) && value > 0) {
            sum += value;
            count++;
        }
    }
    return count > 0 ? sum / count : 0;
}

double table_mean_fraction(const struct table *table, const char *prefix, const char *suffix)
{
    return mean(table, prefix, suffix, fraction);
}

double table_mean_times_peer(const struct table *table, const char *prefix, const char *suffix)
{
    return mean(table, prefix, suffix, times_peer);
}

/* ---- bars ------------------------------------------------------------------------------------ */

static const struct {
    const char *text, *prefix, *suffix;
    double (*of)(const struct table_row *row);
    double bar;
    bool is_most; /* else at least */
} bars[] = {
    {"decode attention 64 x 2k bf16, of copy bandwidth", "attention decode 64 x 2048 bf16", "",
     fraction, 0.80, false},
    {"decode attention 1 x 32k bf16, of copy bandwidth", "attention decode 1 x 32768 bf16", "",
     fraction, 0.80, false},
    {"decode attention 64 x 2k bf16, times peer", "attention decode 64 x 2048 bf16", "", times_peer,
     1.0, false},
    {"decode attention 1 x 32k bf16, times peer", "attention decode 1 x 32768 bf16", "", times_peer,
     1.0, false},
    {"skinny matmul bf16, mean of copy bandwidth: 1 row", "matmul ", " x 1 bf16", fraction, 0.75,
     false},
    {"skinny matmul bf16, mean of copy bandwidth: 8 rows", "matmul ", " x 8 bf16", fraction, 0.75,
     false},
    {"skinny matmul bf16, mean of copy bandwidth: 16 rows", "matmul ", " x 16 bf16", fraction, 0.75,
     false},
    {"skinny matmul bf16, mean of copy bandwidth: 64 rows", "matmul ", " x 64 bf16", fraction, 0.75,
     false},
    {"skinny matmul bf16, 16 rows, mean times cuBLAS", "matmul ", " x 16 bf16", times_peer, 1.3,
     false},
    {"matmul 2,048 rows bf16, mean times cuBLAS", "matmul ", " x 2048 bf16", times_peer, 0.90,
     false},
    {"prefill attention 8k, TFLOP/s", "attention prefill 8192 rate", "", own_figure, 400, false},
    {"sampler 64 rows, us", "sample 64 x 128256", "", own_figure, 60, true},
    {"8B bf16, one sequence, tok/s", "engine decode 1", "", own_figure, 240, false},
    {"8B bf16, 64 sequences at 1k, of the floor", "engine decode 64", "", fraction, 0.60, false},
    {"time to first token of 2k, ms", "engine first token 2048", "", own_figure, 50, true},
    {"GPU idle between steps at 64 sequences, %", "engine idle 64", "", own_figure, 2, true},
    {"invariant, times fastest, 64 sequences", "engine invariant times fastest 64", "", own_figure,
     0.90, false},
};

static void print_bars(const struct table *table)
{
    printf("\n%-56s %10s %10s\n", "bar", "at least", "reached");
    for (size_t i = 0; i < sizeof bars / sizeof bars[0]; i++) {
        const double got = mean(table, bars[i].prefix, bars[i].suffix, bars[i].of);
        const bool is_met = bars[i].is_most ? got <= bars[i].bar : got >= bars[i].bar;
        printf("%-56s %s%9.4g %10.4g %s\n", bars[i].text, bars[i].is_most ? "<" : " ", bars[i].bar,
               got,
               got <= 0 ? "not measured"
               : is_met ? "met"
                        : "MISSED");
    }
}

/* ---- out ------------------------------------------------------------------------------------- */

/* 0: not known. */
static void print_cell(double value)
{
    if (value > 0) {
        printf(" %10.4g", value);
    } else {
        printf(" %10s", "-");
    }
}

void table_print(const struct table *table)
{
    printf("\n%-44s %8s %10s %10s %10s %10s %10s\n", "row", "unit", "ours", "floor", "fraction",
           "peer", "x peer");
    for (uint32_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        printf("%-44s %8s %10.4g", row->key, units[row->unit].name, row->ours);
        print_cell(row->floor);
        print_cell(fraction(row));
        print_cell(row->peer);
        print_cell(times_peer(row));
        putchar('\n');
    }
    print_bars(table);
}

static void write_number(FILE *file, const char *name, double value)
{
    if (value > 0 && isfinite(value)) {
        fprintf(file, ",\"%s\":%.6g", name, value);
    } else {
        fprintf(file, ",\"%s\":null", name);
    }
}

bool table_write_json(const struct table *table, const struct gpu_info *info, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        return false;
    }
    fprintf(file, "{\"gpu\":\"%s\",\"driver\":\"%s\",\"runtime\":\"%s\",\"rows\":[", info->name,
            info->driver, info->runtime);
    for (uint32_t i = 0; i < table->count; i++) {
        const struct table_row *row = &table->rows[i];
        fprintf(file, "%s\n{\"row\":\"%s\",\"unit\":\"%s\"", i > 0 ? "," : "", row->key,
                units[row->unit].name);
        write_number(file, "ours", row->ours);
        write_number(file, "floor", row->floor);
        write_number(file, "fraction", fraction(row));
        write_number(file, "peer", row->peer);
        write_number(file, "times_peer", times_peer(row));
        fputc('}', file);
    }
    fputs("\n]}\n", file);
    const bool is_written = ferror(file) == 0;
    return fclose(file) == 0 && is_written;
}
