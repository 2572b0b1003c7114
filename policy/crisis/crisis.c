#include "policy/crisis/crisis.h"

#include "base/assert.h"

static const char *const kind_names[CRISIS_KIND_COUNT] = {
    [CRISIS_SUICIDE] = "suicide", [CRISIS_VIOLENCE] = "violence",
    [CRISIS_ABUSE] = "abuse",     [CRISIS_PSYCHOSIS] = "psychosis",
    [CRISIS_EATING] = "eating",   [CRISIS_SUBSTANCE] = "substance",
    [CRISIS_MEDICAL] = "medical",
};

static const char *const grade_names[CRISIS_GRADE_COUNT] = {
    [CRISIS_NONE] = "none",
    [CRISIS_LOW] = "low",
    [CRISIS_HIGH] = "high",
    [CRISIS_IMMINENT] = "imminent",
};

const char *crisis_kind_name(enum crisis_kind kind)
{
    ASSERT((unsigned)kind < CRISIS_KIND_COUNT);
    return kind_names[kind];
}

const char *crisis_grade_name(enum crisis_grade grade)
{
    ASSERT((unsigned)grade < CRISIS_GRADE_COUNT);
    return grade_names[grade];
}
