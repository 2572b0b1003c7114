/* passage.c - bytes become valid UTF-8 (a bad byte is U+FFFD), go to the spotter, and to the
 * scanner as soon as no spot can begin in front of them. So each piece that the scanner tells meets
 * only spots that are known. Positions inside are of the valid text; `bad` leads back to the given
 * one. */
#include "policy/filter/passage.h"

#include <stdlib.h>
#include <string.h>

#include "policy/filter/clean.h"

enum {
    STEP_BYTES = 256, /* given at once: bounds what may wait */
    SPOTS_MAX = 1024, /* that wait for the scanner: it holds WINDOW_OPEN lexemes and a step */
    BADS_MAX = 2048,
    HELD_BYTES = 4 * WINDOW_RAW,
    HELD_BYTES_MAX = 16 << 20 /* of a lexeme with a flood of hidden characters; else HELD_BYTES */
};

struct passage {
    struct passage_terms terms;
    struct spotter *spotter; /* NULL: nothing is watched for */
    struct scanner *scanner;
    struct clean clean;
    uint64_t clean_bytes;   /* of valid text so far */
    uint64_t scanned_bytes; /* of it, given to the scanner */
    uint64_t told_bytes;    /* of it, told */
    char *held;             /* what is not told: held[held_at] .. held[held_end - 1] */
    size_t held_at, held_end, held_capacity;
    uint32_t spot_first, spot_count;
    struct spot spots[SPOTS_MAX];
    uint32_t bad_first, bad_count;
    uint64_t bad_told;      /* bytes that the told ones had more */
    uint64_t bad[BADS_MAX]; /* where in the valid text one byte became three; a ring */
    part_told told;         /* while passage_feed or passage_end runs */
    void *context;
};

enum status passage_create(const struct passage_terms *terms, struct passage **out)
{
    struct passage *const passage = calloc(1, sizeof *passage);
    if (!passage) {
        return STATUS_IO;
    }
    passage->terms = *terms;
    passage->held_capacity = HELD_BYTES;
    passage->held = calloc(1, HELD_BYTES);
    const struct spotter_terms *const watched = &passage->terms.spotter;
    enum status status = passage->held ? STATUS_OK : STATUS_IO;
    if (status == STATUS_OK) {
        status = scanner_create(terms->detector, terms->memory, &passage->scanner);
    }
    if (status == STATUS_OK
        && (watched->canaries || watched->resources || watched->finds_placeholders
            || watched->finds_claims)) {
        status = spotter_create(watched, &passage->spotter);
    }
    if (status != STATUS_OK) {
        passage_destroy(passage);
        return status;
    }
    *out = passage;
    return STATUS_OK;
}

static void wipe_held(struct passage *passage)
{
    if (passage->held) {
        explicit_bzero(passage->held, passage->held_capacity);
    }
    free(passage->held);
}

void passage_destroy(struct passage *passage)
{
    if (passage) {
        scanner_destroy(passage->scanner);
        spotter_destroy(passage->spotter);
        wipe_held(passage);
        explicit_bzero(passage, sizeof *passage);
        free(passage);
    }
}

void passage_reset(struct passage *passage)
{
    scanner_reset(passage->scanner);
    if (passage->spotter) {
        spotter_reset(passage->spotter);
    }
    explicit_bzero(passage->held, passage->held_capacity);
    passage->held_at = passage->held_end = 0;
    explicit_bzero(&passage->clean, sizeof passage->clean);
    passage->clean_bytes = passage->scanned_bytes = passage->told_bytes = 0;
    passage->spot_first = passage->spot_count = 0;
    passage->bad_first = passage->bad_count = 0;
    passage->bad_told = 0;
}

/* ---- telling --------------------------------------------------------------------------------- */

/* The next position of the valid text, as one of the given text. */
static uint64_t given_position(struct passage *passage, uint64_t position)
{
    while (passage->bad_count > 0 && passage->bad[passage->bad_first] < position) {
        passage->bad_first = (passage->bad_first + 1) % BADS_MAX;
        passage->bad_count--;
        passage->bad_told += CLEAN_BAD_BYTES - 1;
    }
    return position - passage->bad_told;
}

static enum status tell(struct passage *passage, uint64_t end, struct part *part)
{
    const size_t bytes = (size_t)(end - passage->told_bytes);
    part->start = given_position(passage, passage->told_bytes);
    part->end = given_position(passage, end);
    part->raw = passage->held + passage->held_at;
    part->raw_bytes = bytes;
    passage->told_bytes = end;
    passage->held_at += bytes;
    return passage->told(passage->context, part);
}

/* Of the piece what lies in front of `end`. */
static enum status tell_piece(struct passage *passage, const struct scan_piece *piece, uint64_t end,
                              bool is_first)
{
    struct part part = {.finding = piece->is_finding ? piece : NULL,
                        .is_whole = passage->told_bytes == piece->start && end == piece->end,
                        .is_first = is_first};
    return tell(passage, end, &part);
}

static enum status tell_spot(struct passage *passage)
{
    const struct spot spot = passage->spots[passage->spot_first];
    struct part part = {.spot = &spot};
    passage->spot_first = (passage->spot_first + 1) % SPOTS_MAX;
    passage->spot_count--;
    return tell(passage, spot.end, &part);
}

static enum status take_piece(void *context, const struct scan_piece *piece)
{
    struct passage *const passage = context;
    enum status status = STATUS_OK;
    bool is_first = true;
    while (status == STATUS_OK && passage->told_bytes < piece->end) {
        const struct spot *const spot =
            passage->spot_count > 0 ? &passage->spots[passage->spot_first] : NULL;
        if (!spot || spot->start >= piece->end) {
            return tell_piece(passage, piece, piece->end, is_first);
        }
        if (spot->start > passage->told_bytes) {
            status = tell_piece(passage, piece, spot->start, is_first);
            is_first = false;
        } else if (spot->end <= passage->told_bytes) { /* too late: what it was is told */
            passage->spot_first = (passage->spot_first + 1) % SPOTS_MAX;
            passage->spot_count--;
        } else if (spot->end <= piece->end) {
            status = tell_spot(passage);
        } else {
            break; /* the spot goes on in the next piece */
        }
    }
    return status;
}

/* ---- feeding --------------------------------------------------------------------------------- */

static enum status take_spot(void *context, const struct spot *spot)
{
    struct passage *const passage = context;
    if (passage->spot_count == SPOTS_MAX) {
        return STATUS_FULL;
    }
    passage->spots[(passage->spot_first + passage->spot_count++) % SPOTS_MAX] = *spot;
    return STATUS_OK;
}

/* Room behind what is held, which moves to the front or to more memory. */
static enum status make_room(struct passage *passage, size_t length)
{
    const size_t kept = passage->held_end - passage->held_at;
    if (passage->held_end + length <= passage->held_capacity) {
        return STATUS_OK;
    }
    if (kept + length <= passage->held_capacity / 2) {
        memmove(passage->held, passage->held + passage->held_at, kept);
        explicit_bzero(passage->held + kept, passage->held_end - kept);
    } else {
        const size_t capacity = 2 * passage->held_capacity;
        char *const held = capacity > HELD_BYTES_MAX ? NULL : calloc(1, capacity);
        if (!held) {
            return STATUS_TOO_LARGE;
        }
        memcpy(held, passage->held + passage->held_at, kept);
        wipe_held(passage);
        passage->held = held;
        passage->held_capacity = capacity;
    }
    passage->held_at = 0;
    passage->held_end = kept;
    return STATUS_OK;
}

/* Gives the scanner what is clear of spots to come; it may have a candidate's beginning already. */
static enum status scan(struct passage *passage, uint64_t clear)
{
    if (clear <= passage->scanned_bytes) {
        return STATUS_OK;
    }
    const char *const bytes =
        passage->held + passage->held_at + (size_t)(passage->scanned_bytes - passage->told_bytes);
    const size_t length = (size_t)(clear - passage->scanned_bytes);
    passage->scanned_bytes = clear;
    return scanner_feed(passage->scanner, bytes, length, take_piece, passage);
}

static enum status feed_clean(struct passage *passage, const char *bytes, size_t length)
{
    enum status status = make_room(passage, length);
    if (status != STATUS_OK) {
        return status;
    }
    memcpy(passage->held + passage->held_end, bytes, length);
    passage->held_end += length;
    passage->clean_bytes += length;
    if (passage->spotter) {
        status = spotter_feed(passage->spotter, bytes, length, take_spot, passage);
    }
    const uint64_t clear =
        passage->spotter ? spotter_clear(passage->spotter) : passage->clean_bytes;
    return status == STATUS_OK ? scan(passage, clear) : status;
}

static enum status take_clean(void *context, const char *bytes, size_t length, bool is_bad)
{
    struct passage *const passage = context;
    enum status status = STATUS_OK;
    if (is_bad && passage->bad_count == BADS_MAX) {
        return STATUS_FULL;
    }
    if (is_bad) {
        passage->bad[(passage->bad_first + passage->bad_count++) % BADS_MAX] = passage->clean_bytes;
    }
    for (size_t at = 0; at < length && status == STATUS_OK; at += STEP_BYTES) {
        status =
            feed_clean(passage, bytes + at, length - at < STEP_BYTES ? length - at : STEP_BYTES);
    }
    return status;
}

enum status passage_feed(struct passage *passage, const char *text, size_t length, part_told told,
                         void *context)
{
    passage->told = told;
    passage->context = context;
    return clean_feed(&passage->clean, text, length, take_clean, passage);
}

enum status passage_end(struct passage *passage, part_told told, void *context)
{
    passage->told = told;
    passage->context = context;
    enum status status = clean_end(&passage->clean, take_clean, passage);
    if (status == STATUS_OK && passage->spotter) {
        status = spotter_end(passage->spotter, take_spot, passage);
    }
    if (status == STATUS_OK) {
        status = scan(passage, passage->clean_bytes);
    }
    return status == STATUS_OK ? scanner_end(passage->scanner, take_piece, passage) : status;
}
