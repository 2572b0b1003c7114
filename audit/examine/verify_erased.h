/* verify_erased.h - are erased bodies and removed segments explained: a signed audit.retention
 * tells each segment's erased bodies by range and number, and each segment that was removed. Not
 * for other folders. One thread. */
#pragma once
#include "audit/chain/frame.h"
#include "audit/examine/verify.h"
#include "audit/record/record.h"

struct verify_stretch {   /* a segment of which bodies are erased; of Redis the whole stream */
    uint64_t first, last; /* sequences; last UINT64_MAX: not known yet */
    uint64_t from, to;    /* of erased bodies */
    uint64_t count;       /* of them */
    uint64_t told_from, told_to, told_count; /* by records of retention */
};

struct verify_erased {
    struct verify_stretch *stretches; /* ascending */
    size_t count, capacity;
    uint64_t first;      /* sequence of the segment at hand */
    uint64_t removed_to; /* the last record of removed segments, as far as a signed record tells */
    bool has_untold;     /* a record of retention that no checkpoint covers yet: the last one */
    bool untold_removes;
    uint64_t untold_from, untold_to, untold_count;
    bool is_short_of_memory;
};

void verify_erased_begin(struct verify_erased *erased, uint64_t first); /* a segment */
void verify_erased_take(struct verify_erased *erased, uint64_t sequence);
/* An audit.retention, which counts once a checkpoint covers it: the writer signs it at once. */
void verify_erased_tell(struct verify_erased *erased, const struct record *record);
void verify_erased_sign(struct verify_erased *erased);
/* At the end; a break is written into the result. */
enum verify_break verify_erased_end(const struct verify_erased *erased,
                                    struct verify_result *result);
void verify_erased_free(struct verify_erased *erased);
