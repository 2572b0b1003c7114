/* spotter.h - what a text is watched for beside identifiers, over lexemes while it arrives:
 * canaries, placeholders ([NAME_1]), wrong hotline numbers, claims to be a clinician. It goes ahead
 * of the scanner, so that a spot is known before the scanner tells the bytes in which it lies. What
 * is spotted does not depend on how the text was cut. One thread; memory: taken at create. */
#pragma once
#include "base/status.h"
#include "policy/crisis/resources.h"
#include "policy/filter/vault/canary.h"
#include "policy/kind.h"

enum spot_what { SPOT_CANARY, SPOT_PLACEHOLDER, SPOT_HOTLINE, SPOT_CLAIM };

struct spot {
    uint64_t start, end; /* bytes of the whole text */
    enum spot_what what;
    enum policy_kind kind; /* of a placeholder, with its number */
    uint32_t number;
    const char *text; /* of a hotline or claim: what belongs there; lives as the resources */
};

struct spotter_terms { /* outlives the spotter */
    bool finds_placeholders, finds_claims;
    const struct canaries *canaries;   /* NULL: none */
    const struct resources *resources; /* NULL: none */
    struct tenant_id reader;           /* whose own canaries may be told */
};

/* A matcher says how its kind of spot lies at view->at: it sets `spot` but for start and end, and
 * the number of lexemes. MORE: what arrives may still decide; never when view->has_ended. */
enum spot_match { SPOT_NOT, SPOT_MORE, SPOT_IS };

struct spotter;

/* STATUS_IO: no memory. */
MUST_CHECK enum status spotter_create(const struct spotter_terms *terms, struct spotter **out);
void spotter_destroy(struct spotter *spotter); /* zeroes; NULL is fine */
void spotter_reset(struct spotter *spotter);   /* for the next text */

/* Spots in order, without overlap. Not OK: it stops and returns it. */
typedef enum status (*spot_told)(void *context, const struct spot *spot);
MUST_CHECK enum status spotter_feed(struct spotter *spotter, const char *bytes, size_t length,
                                    spot_told told, void *context);
MUST_CHECK enum status spotter_end(struct spotter *spotter, spot_told told, void *context);

/* No spot that was not told yet begins in front of this, in what a scanner of the same bytes may
 * tell: it holds back the last lexeme itself while that may go on. */
uint64_t spotter_clear(const struct spotter *spotter);
