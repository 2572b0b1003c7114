/* table.h - the rows of the GPU benchmark: kept in order, joined with what peers.py wrote, printed
 * as one table and written as JSON. One thread; fixed capacity. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/gpu/gpu.h"

enum { TABLE_ROWS_MAX = 256, TABLE_KEY_BYTES = 64 };

enum table_unit {
    TABLE_US,
    TABLE_MS,
    TABLE_SECONDS,
    TABLE_GB_S,
    TABLE_TFLOP_S,
    TABLE_TOKENS_S,
    TABLE_PERCENT
};

struct table_row {
    char key[TABLE_KEY_BYTES];
    enum table_unit unit;
    double ours, floor; /* floor 0: none. For rates it is the ceiling */
    double peer;        /* 0: not measured */
};

struct table {
    struct table_row rows[TABLE_ROWS_MAX];
    uint32_t count;
};

/* Units of time are better when lower, and so are percentages; rates when higher. */
void table_add(struct table *table, const char *key, enum table_unit unit, double ours,
               double floor);

/* Lines "key<tab>figure", in the unit of the row. Unknown keys are kept out. False: no such file.
 */
bool table_read_peers(struct table *table, const char *path);

/* The mean over all rows whose key begins with prefix and ends with suffix; 0: there is none. */
double table_mean_fraction(const struct table *table, const char *prefix, const char *suffix);
double table_mean_times_peer(const struct table *table, const char *prefix, const char *suffix);

/* Prints the rows, then each bar with what was reached: met, MISSED, or not measured. */
void table_print(const struct table *table);
bool table_write_json(const struct table *table, const struct gpu_info *info, const char *path);
