#include "policy/filter/vault/canary.h"

#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_COUNT = 2048 };

struct canary {
    struct tenant_id tenant;
    uint32_t first_bytes; /* of its first lexeme */
    uint32_t length;
    uint16_t next; /* with the same head: index + 1, 0: none */
    char text[CANARY_BYTES];
};

struct canaries {
    atomic_uint holds;
    uint32_t count;
    uint16_t heads[HEAD_COUNT]; /* by the first lexeme: index + 1 */
    struct canary list[];
};

/* FNV-1a */
static uint32_t head_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619U;
    }
    return (hash ^ hash >> 16) % HEAD_COUNT;
}

static bool is_counted(const struct lexeme *lexeme)
{
    return lexeme->class != LEXEME_SPACE && lexeme->class != LEXEME_BREAK
           && lexeme->class != LEXEME_MARK;
}

/* ---- planting -------------------------------------------------------------------------------- */

static enum status take_lexemes(struct window *window, struct canary *canary)
{
    for (struct window_view view = window_view(window); view.at < view.count;
         view = window_view(window)) {
        const struct lexeme *const lexeme = &view.lexemes[view.at];
        if (is_counted(lexeme)) {
            if (canary->length + lexeme->folded_bytes > CANARY_BYTES) {
                return STATUS_TOO_LARGE;
            }
            memcpy(canary->text + canary->length, lexeme_text(&view, view.at),
                   lexeme->folded_bytes);
            canary->length += lexeme->folded_bytes;
            canary->first_bytes = canary->first_bytes ? canary->first_bytes : canary->length;
        }
        window_release(window);
    }
    return STATUS_OK;
}

static enum status fold(const char *text, size_t length, struct canary *canary)
{
    struct window *const window = length > CANARY_BYTES ? NULL : window_create(NULL);
    if (!window) {
        return length > CANARY_BYTES ? STATUS_TOO_LARGE : STATUS_IO;
    }
    enum status status = STATUS_OK;
    for (size_t at = 0; at < length && status == STATUS_OK;) {
        at += window_feed(window, text + at, length - at);
        status = take_lexemes(window, canary);
    }
    window_end(window);
    status = status == STATUS_OK ? take_lexemes(window, canary) : status;
    window_destroy(window);
    return status == STATUS_OK && canary->length < CANARY_BYTES_MIN ? STATUS_INVALID : status;
}

static bool has(const struct canaries *canaries, const struct canary *canary)
{
    for (uint32_t i = 0; i < canaries->count; i++) {
        const struct canary *const one = &canaries->list[i];
        if (tenant_same(one->tenant, canary->tenant) && one->length == canary->length
            && memcmp(one->text, canary->text, one->length) == 0) {
            return true;
        }
    }
    return false;
}

enum status canaries_plant(struct canaries *old, struct tenant_id tenant, const char *text,
                           size_t length, struct canaries **out)
{
    const uint32_t count = old ? old->count : 0;
    struct canary canary = {.tenant = tenant};
    enum status status = fold(text, length, &canary);
    struct canaries *canaries = NULL;
    if (status == STATUS_OK && old && has(old, &canary)) {
        *out = canaries_hold(old);
        return STATUS_OK;
    }
    if (status == STATUS_OK && count == CANARIES_MAX) {
        status = STATUS_FULL;
    }
    if (status == STATUS_OK) {
        canaries = calloc(1, sizeof *canaries + (count + 1) * sizeof canaries->list[0]);
    }
    if (canaries) {
        atomic_init(&canaries->holds, 1);
        canaries->count = count + 1;
        if (old) {
            memcpy(canaries->heads, old->heads, sizeof old->heads);
            memcpy(canaries->list, old->list, count * sizeof old->list[0]);
        }
        uint16_t *const head = &canaries->heads[head_of(canary.text, canary.first_bytes)];
        canary.next = *head;
        *head = (uint16_t)(count + 1);
        canaries->list[count] = canary;
        *out = canaries;
    }
    sodium_memzero(&canary, sizeof canary);
    return status == STATUS_OK && !canaries ? STATUS_IO : status;
}

struct canaries *canaries_hold(struct canaries *canaries)
{
    if (canaries) {
        atomic_fetch_add(&canaries->holds, 1);
    }
    return canaries;
}

void canaries_release(struct canaries *canaries)
{
    if (canaries && atomic_fetch_sub(&canaries->holds, 1) == 1) {
        sodium_memzero(canaries, sizeof *canaries + canaries->count * sizeof canaries->list[0]);
        free(canaries);
    }
}

/* ---- matching -------------------------------------------------------------------------------- */

static enum canary_match match_one(const struct canary *canary, const struct window_view *view,
                                   uint32_t at, uint32_t *lexeme_count)
{
    uint32_t matched = 0;
    uint32_t i = at;
    for (; i < view->count && matched < canary->length; i++) {
        const struct lexeme *const lexeme = &view->lexemes[i];
        if (!is_counted(lexeme)) {
            continue;
        }
        const uint32_t left = canary->length - matched;
        const uint32_t bytes = lexeme->folded_bytes < left ? lexeme->folded_bytes : left;
        if (memcmp(lexeme_text(view, i), canary->text + matched, bytes) != 0) {
            return CANARY_NOT;
        }
        matched += bytes;
    }
    if (matched < canary->length) {
        return view->has_ended ? CANARY_NOT : CANARY_MORE;
    }
    *lexeme_count = i - at;
    return CANARY_IS;
}

enum canary_match canaries_match(const struct canaries *canaries, struct tenant_id reader,
                                 const struct window_view *view, uint32_t at,
                                 uint32_t *lexeme_count)
{
    const struct lexeme *const first = &view->lexemes[at];
    enum canary_match found = CANARY_NOT;
    if (!is_counted(first)) {
        return CANARY_NOT;
    }
    const char *const text = lexeme_text(view, at);
    for (uint32_t i = canaries->heads[head_of(text, first->folded_bytes)]; i != 0;
         i = canaries->list[i - 1].next) {
        const struct canary *const canary = &canaries->list[i - 1];
        if (canary->first_bytes != first->folded_bytes
            || memcmp(canary->text, text, first->folded_bytes) != 0
            || (canary->tenant.value != 0 && tenant_same(canary->tenant, reader))) {
            continue;
        }
        const enum canary_match match = match_one(canary, view, at, lexeme_count);
        if (match == CANARY_IS) {
            return CANARY_IS;
        }
        found = match == CANARY_MORE ? CANARY_MORE : found;
    }
    return found;
}
