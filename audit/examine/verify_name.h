/* verify_name.h - what a break of a spool is called, decided by what lies around it. Reads the
 * files again from the broken place, so it is called once, at the end of a run. Not for other
 * folders. */
#pragma once
#include "audit/chain/frame.h"
#include "audit/examine/verify.h"

struct verify_scene {
    const char *directory;
    struct spool_place place; /* of what does not fit */
    uint64_t sequence;        /* of the last record that fitted */
    uint64_t segment_begin;   /* the last record before the segment that it lies in */
    struct digest head;       /* its hash */
    bool ends_signed;         /* that record is a checkpoint, as at the end of every segment */
    bool was_told;            /* chain.state says that there is more than that */
    bool has_state;           /* there is a chain.state to say so */
};

/* A frame that does not fit; result holds what verify_walk called it, and gets a better name. */
MUST_CHECK enum status verify_name_frame(const struct verify_scene *scene,
                                         const struct frame *frame, struct verify_result *result,
                                         struct failure *failure);

/* Bytes that are no frame. The result stays intact, with torn_bytes, when they were never told to
 * be kept. */
MUST_CHECK enum status verify_name_bytes(const struct verify_scene *scene,
                                         struct verify_result *result, struct failure *failure);
