#include "policy/filter/spot/spotter.h"

#include <stdlib.h>

#include "policy/filter/spot/claim.h"
#include "policy/filter/spot/hotline.h"
#include "policy/filter/spot/placeholder.h"

enum { STEP_BYTES = 256, CANDIDATE_BYTES_MAX = WINDOW_RAW };

struct spotter {
    const struct spotter_terms *terms;
    struct window *window;
    uint64_t fed;
};

enum status spotter_create(const struct spotter_terms *terms, struct spotter **out)
{
    struct spotter *const spotter = calloc(1, sizeof *spotter);
    struct window *const window = window_create(NULL);
    if (!spotter || !window) {
        window_destroy(window);
        free(spotter);
        return STATUS_IO;
    }
    *spotter = (struct spotter){.terms = terms, .window = window};
    *out = spotter;
    return STATUS_OK;
}

void spotter_destroy(struct spotter *spotter)
{
    if (spotter) {
        window_destroy(spotter->window);
        free(spotter);
    }
}

void spotter_reset(struct spotter *spotter)
{
    window_reset(spotter->window);
    spotter->fed = 0;
}

static enum spot_match match_canary(const struct spotter_terms *terms,
                                    const struct window_view *view, struct spot *spot,
                                    uint32_t *count)
{
    spot->what = SPOT_CANARY;
    switch (canaries_match(terms->canaries, terms->reader, view, view->at, count)) {
    case CANARY_IS:
        return SPOT_IS;
    case CANARY_MORE:
        return SPOT_MORE;
    case CANARY_NOT:
        break;
    }
    return SPOT_NOT;
}

/* The first that does not say no decides, so that a spot never depends on which was sure first. */
static enum spot_match match(const struct spotter_terms *terms, const struct window_view *view,
                             struct spot *spot, uint32_t *count)
{
    enum spot_match found = SPOT_NOT;
    if (terms->canaries) {
        found = match_canary(terms, view, spot, count);
    }
    if (found == SPOT_NOT && terms->finds_placeholders) {
        found = placeholder_match(view, spot, count);
    }
    if (found == SPOT_NOT && terms->resources) {
        found = hotline_match(terms->resources, view, spot, count);
    }
    if (found == SPOT_NOT && terms->finds_claims) {
        found = claim_match(view, spot, count);
    }
    return found;
}

/* A candidate that is longer than it may be, hidden characters included, has ended. Looked at only
 * where a step ends, so that it does not depend on how the text was cut. */
static bool is_too_long(const struct spotter *spotter, const struct window_view *view)
{
    return window_is_full(spotter->window)
           || (spotter->fed % STEP_BYTES == 0
               && spotter->fed - view->lexemes[view->at].start > CANDIDATE_BYTES_MAX);
}

static enum status advance(struct spotter *spotter, spot_told told, void *context)
{
    for (struct window_view view = window_view(spotter->window); view.at < view.count;
         view = window_view(spotter->window)) {
        struct spot spot = {.text = NULL};
        uint32_t count = 1;
        enum spot_match found = match(spotter->terms, &view, &spot, &count);
        if (found == SPOT_MORE && is_too_long(spotter, &view)) {
            view.has_ended = true;
            count = 1;
            found = match(spotter->terms, &view, &spot, &count);
        }
        if (found == SPOT_MORE) {
            return STATUS_OK;
        }
        if (found == SPOT_IS) {
            spot.start = view.lexemes[view.at].start;
            spot.end = view.lexemes[view.at + count - 1].end;
            const enum status status = told(context, &spot);
            if (status != STATUS_OK) {
                return status;
            }
        }
        for (uint32_t i = 0; i < (found == SPOT_IS ? count : 1); i++) {
            window_release(spotter->window);
        }
    }
    return STATUS_OK;
}

enum status spotter_feed(struct spotter *spotter, const char *bytes, size_t length, spot_told told,
                         void *context)
{
    enum status status = STATUS_OK;
    for (size_t at = 0; at < length && status == STATUS_OK;) {
        const size_t step = STEP_BYTES - spotter->fed % STEP_BYTES;
        const size_t given = length - at < step ? length - at : step;
        const size_t taken = window_feed(spotter->window, bytes + at, given);
        spotter->fed += taken;
        at += taken;
        status = advance(spotter, told, context);
    }
    return status;
}

enum status spotter_end(struct spotter *spotter, spot_told told, void *context)
{
    window_end(spotter->window);
    return advance(spotter, told, context);
}

uint64_t spotter_clear(const struct spotter *spotter)
{
    const struct window_view view = window_view(spotter->window);
    return view.at < view.count ? view.lexemes[view.at].start : spotter->fed;
}
