/* claim.h - an answer that says it is a clinician or a person, or that it diagnoses: "I am a
 * licensed therapist", "as your therapist", "I can prescribe". Words in tables, read over lexemes.
 * Not what is denied ("I am not a therapist"), quoted, or said of others. Pure. */
#pragma once
#include "policy/filter/spot/spotter.h"

/* spot->text is what belongs there; the rest of its clause goes with it. */
enum spot_match claim_match(const struct window_view *view, struct spot *spot,
                            uint32_t *lexeme_count);
