/* clock.h - the two clocks. The scheduler never reads them: time is handed in. */
#pragma once
#include <stdint.h>

uint64_t clock_monotonic_ns(void); /* for durations and deadlines; never goes back */
int64_t clock_unix_ms(void);       /* for people and records; may jump */
