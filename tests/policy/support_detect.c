#include "tests/policy/support_detect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

struct search {
    support_detector detect;
    const struct detector_terms *terms;
    struct memory memory;
    struct window *window;
    char *out;
    size_t out_bytes, length;
};

static void write_finding(struct search *search, const struct window_view *view,
                          const struct finding *finding)
{
    ASSERT(finding->count >= 1 && finding->count <= view->count - view->at);
    size_t raw_bytes = 0;
    const char *raw = window_raw(search->window, view->at, view->at + finding->count, &raw_bytes);
    const int written = snprintf(
        search->out + search->length, search->out_bytes - search->length, "%s%s:%.*s",
        search->length > 0 ? "|" : "",
        finding->is_resource ? "RESOURCE" : policy_kind_name(finding->kind), (int)raw_bytes, raw);
    search->length += (size_t)written;
    search->length = search->length < search->out_bytes ? search->length : search->out_bytes - 1;
}

/* False: more of the text is needed, or there is none. */
static bool step(struct search *search)
{
    struct reading reading = {
        .view = window_view(search->window), .terms = search->terms, .memory = &search->memory};
    const bool may_wait = !reading.view.has_ended && !window_is_full(search->window);
    reading.has_ended = reading.view.has_ended;
    if (reading.view.at == reading.view.count) {
        return false;
    }
    struct finding finding = search->detect(&reading);
    if (finding.verdict == FINDING_MORE && may_wait) {
        return false;
    }
    if (finding.verdict == FINDING_MORE) {
        ASSERT(!reading.has_ended); /* MORE is no answer once has_ended */
        reading.has_ended = true;
        finding = search->detect(&reading);
        ASSERT(finding.verdict != FINDING_MORE);
    }
    const bool is_found = finding.verdict == FINDING_YES;
    if (is_found) {
        write_finding(search, &reading.view, &finding);
    }
    for (uint32_t i = 0; i < (is_found ? finding.count : 1); i++) {
        window_release(search->window);
    }
    return true;
}

static void run(struct search *search, const char *text, size_t piece_bytes)
{
    const size_t length = strlen(text);
    search->window = window_create(search->terms->lexicon);
    ASSERT(search->window);
    search->length = 0;
    search->out[0] = '\0';
    for (size_t at = 0; at < length;) {
        const size_t rest = length - at;
        at += window_feed(search->window, text + at, rest < piece_bytes ? rest : piece_bytes);
        /* A text that fits is looked at as a whole, so that nothing of it is seen in part. */
        while ((at < length || piece_bytes < length) && step(search)) {
        }
    }
    window_end(search->window);
    while (step(search)) {
    }
    window_destroy(search->window);
}

void support_detect(support_detector detect, const struct detector_terms *terms, const char *text,
                    char *out, size_t out_bytes)
{
    static const struct detector_terms no_terms;
    struct search search = {
        .detect = detect, .terms = terms ? terms : &no_terms, .out = out, .out_bytes = out_bytes};
    char *bytewise = calloc(1, out_bytes);
    ASSERT(bytewise && out_bytes > 0);
    run(&search, text, strlen(text) + 1);
    search.out = bytewise;
    run(&search, text, 1);
    if (strcmp(out, bytewise) != 0) {
        fprintf(stderr, "of \"%s\"\n whole: %s\n bytes: %s\n", text, out, bytewise);
    }
    ASSERT(strcmp(out, bytewise) == 0);
    free(bytewise);
}
