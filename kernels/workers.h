/* workers.h - the CPU backend's threads: one caller and worker_count - 1 helpers run a function
 * over 0 .. part_count - 1 and meet at its end. Helpers spin for a bounded time, then sleep, so
 * that a shared machine does not collapse. One caller thread at a time. Allocates only at create.
 */
#pragma once
#include <stdint.h>

#include "base/status.h"

struct workers;

/* worker_count 0: one per core that this process may use; never more than that. */
MUST_CHECK enum status workers_create(uint32_t worker_count, struct workers **out);
void workers_destroy(struct workers *workers); /* NULL is fine; joins the threads */
uint32_t workers_count(const struct workers *workers);

/* Calls run(args, part) once for every part, on any thread in any order; returns when all are done.
 * Results must not depend on which thread took which part. workers NULL: all on the caller. The
 * parts run in the float mode of float_mode.h. */
void workers_run(struct workers *workers, void (*run)(const void *args, uint32_t part),
                 const void *args, uint32_t part_count);
