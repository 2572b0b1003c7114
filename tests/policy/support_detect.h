/* support_detect.h - one detector over a text, as the scanner would ask it, for tests of detectors.
 */
#pragma once
#include "policy/identify/detector.h"

typedef struct finding (*support_detector)(const struct reading *reading);

/* Writes "KIND:text|KIND:text" of what it finds (raw text; RESOURCE instead of the kind for a
 * crisis resource), cut off at out_bytes. terms NULL: no lexicon and nothing else. Asks at every
 * lexeme: MORE waits for the next one, YES skips its lexemes, NO goes one on. Does it with the
 * whole text and byte by byte and asserts that both find the same, and that MORE is no answer at
 * the end. */
void support_detect(support_detector detect, const struct detector_terms *terms, const char *text,
                    char *out, size_t out_bytes);
