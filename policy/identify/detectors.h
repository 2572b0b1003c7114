/* detectors.h - which detectors a scan asks, in which order. Read-only. */
#pragma once
#include "policy/identify/detector.h"

#define DETECTORS_AT(class) (1U << (class))

struct detectors_row {
    struct finding (*detect)(const struct reading *reading); /* NULL ends the table */
    uint32_t classes; /* DETECTORS_AT of the lexemes at which its findings may begin */
};

/* The first of two that are equally long wins. */
const struct detectors_row *detectors_table(void);
