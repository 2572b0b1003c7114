#include "policy/filter/outbound.h"

#include <stdlib.h>
#include <string.h>

#include "policy/filter/changes.h"
#include "policy/filter/clean.h"
#include "policy/filter/mask.h"
#include "policy/filter/passage.h"
#include "policy/filter/torn.h"

enum { GROWTH_MAX = 16, SPARE_BYTES = 4096 };

static const char canary_text[] = "[REDACTED]";

struct outbound {
    struct outbound_terms terms;
    struct detector_terms detector;
    struct memory memory;
    struct canaries *canaries;
    struct passage *passage;
    struct tally tally;
    struct changes changes;
    uint64_t decided;
    bool passes;        /* nothing is changed: bytes go out at once, the passage only counts */
    struct clean clean; /* of what passes */
    struct buffer *out; /* while outbound_feed or outbound_end runs */
    size_t plain_from;  /* in out: nothing that follows is of a finding or a spot */
};

static bool refuses_claims(const struct outbound_terms *terms)
{
    return terms->rules->duties.refuses_clinician_claims && !terms->is_of_a_person;
}

enum status outbound_create(const struct outbound_terms *terms, struct outbound **out)
{
    struct outbound *const outbound = calloc(1, sizeof *outbound);
    if (!outbound) {
        return STATUS_IO;
    }
    const struct rules *const rules = terms->rules;
    outbound->terms = *terms;
    outbound->detector = rules->terms;
    outbound->detector.lexicon = terms->lexicon;
    outbound->passes = !rules->changes_text && !refuses_claims(terms);
    outbound->canaries = terms->vault ? vault_canaries(terms->vault) : NULL;
    if (terms->memory) {
        outbound->memory = *terms->memory;
    }
    const struct passage_terms passage = {
        .detector = &outbound->detector,
        .memory = &outbound->memory,
        .spotter = {.finds_placeholders = terms->session != NULL && !outbound->passes,
                    .finds_claims = refuses_claims(terms),
                    .canaries = outbound->canaries,
                    .resources =
                        outbound->passes || terms->is_of_a_person ? NULL : rules->terms.resources,
                    .reader = terms->tenant}};
    const enum status status = passage_create(&passage, &outbound->passage);
    if (status != STATUS_OK) {
        outbound_destroy(outbound);
        return status;
    }
    *out = outbound;
    return STATUS_OK;
}

void outbound_destroy(struct outbound *outbound)
{
    if (outbound) {
        passage_destroy(outbound->passage);
        canaries_release(outbound->canaries);
        explicit_bzero(outbound, sizeof *outbound);
        free(outbound);
    }
}

void outbound_reset(struct outbound *outbound)
{
    passage_reset(outbound->passage);
    explicit_bzero(&outbound->memory, sizeof outbound->memory);
    if (outbound->terms.memory) {
        outbound->memory = *outbound->terms.memory;
    }
    outbound->changes = (struct changes){.count = 0};
    outbound->clean = (struct clean){.open_bytes = 0};
    outbound->decided = 0;
}

/* ---- parts ----------------------------------------------------------------------------------- */

static enum status tell(struct outbound *outbound, const char *text, size_t length)
{
    return outbound->passes ? STATUS_OK : buffer_append(outbound->out, text, length);
}

static enum status tell_raw(struct outbound *outbound, const struct part *part)
{
    return tell(outbound, part->raw, part->raw_bytes);
}

static enum status restore(struct outbound *outbound, const struct spot *spot)
{
    const char *raw = NULL;
    size_t raw_bytes = 0;
    if (vault_restore(outbound->terms.session, spot->kind, spot->number, &raw, &raw_bytes)) {
        outbound->tally.restored++;
        return tell(outbound, raw, raw_bytes);
    }
    outbound->tally.unknown_pseudonyms++;
    return mask_append_kind(spot->kind, outbound->out);
}

static enum status take_spot(struct outbound *outbound, const struct part *part)
{
    const struct spot *const spot = part->spot;
    changes_add(&outbound->changes, part->start, part->end);
    switch (spot->what) {
    case SPOT_PLACEHOLDER:
        return restore(outbound, spot);
    case SPOT_CANARY:
        outbound->tally.canaries++;
        return tell(outbound, canary_text, sizeof canary_text - 1);
    case SPOT_HOTLINE:
        outbound->tally.corrected++;
        break;
    case SPOT_CLAIM:
        outbound->tally.claims++;
        break;
    }
    return tell(outbound, spot->text, strlen(spot->text));
}

/* What other tenants alone have is hidden whatever the rules do with its kind. */
static bool is_foreign(const struct outbound *outbound, const struct scan_piece *finding)
{
    const struct outbound_terms *const terms = &outbound->terms;
    return terms->vault
           && vault_is_foreign(terms->vault, terms->tenant, finding->kind, finding->folded,
                               finding->folded_bytes)
           && !(terms->seen
                && seen_has(terms->seen, finding->kind, finding->folded, finding->folded_bytes));
}

static enum status hide(struct outbound *outbound, const struct part *part, bool keeps_part)
{
    const struct scan_piece *const finding = part->finding;
    if (outbound->passes) {
        return STATUS_OK;
    }
    if (!part->is_whole && !mask_is_needed(part->raw, part->raw_bytes)) {
        return tell_raw(outbound, part);
    }
    changes_add(&outbound->changes, part->start, part->end);
    if (finding->continues) {
        return STATUS_OK; /* its beginning stands for all of it */
    }
    return part->is_whole && keeps_part ? mask_append(outbound->terms.rules, finding, outbound->out)
                                        : mask_append_kind(finding->kind, outbound->out);
}

static void say(const struct outbound *outbound, const struct part *part, enum policy_action action)
{
    if (outbound->terms.saw && action != POLICY_ALLOW) {
        const struct outbound_found found = {part->start, part->end, part->finding->kind, action,
                                             part->finding->continues};
        outbound->terms.saw(outbound->terms.context, &found);
    }
}

static enum status take_finding(struct outbound *outbound, const struct part *part)
{
    const struct scan_piece *const finding = part->finding;
    const bool is_counted = part->is_first && !finding->continues;
    if (is_foreign(outbound, finding)) {
        outbound->tally.crossed += is_counted;
        say(outbound, part, POLICY_REDACT);
        return hide(outbound, part, false);
    }
    const enum policy_action ruled = outbound->terms.rules->outbound[finding->kind];
    const enum policy_action action = ruled > POLICY_REDACT ? POLICY_REDACT : ruled;
    if (is_counted && action != POLICY_ALLOW) {
        outbound->tally.counts[action][finding->kind]++;
        outbound->tally.disguised += finding->is_disguised;
    }
    say(outbound, part, action);
    return action == POLICY_REDACT ? hide(outbound, part, true) : tell_raw(outbound, part);
}

static enum status take_part(void *context, const struct part *part)
{
    struct outbound *const outbound = context;
    enum status status = STATUS_OK;
    if (part->spot) {
        status = take_spot(outbound, part);
    } else if (part->finding && !part->finding->is_resource) {
        status = take_finding(outbound, part);
    } else {
        status = tell_raw(outbound, part);
    }
    outbound->decided = outbound->passes ? outbound->decided : part->end;
    if (part->spot || part->finding) {
        outbound->plain_from = outbound->out->length;
    }
    return status;
}

/* ---- the stream ------------------------------------------------------------------------------ */

static enum status pass(void *context, const char *bytes, size_t length, bool is_bad)
{
    struct outbound *const outbound = context;
    outbound->decided += is_bad ? 1 : length;
    return buffer_append(outbound->out, bytes, length);
}

enum status outbound_feed(struct outbound *outbound, const char *text, size_t length,
                          struct buffer *out)
{
    outbound->out = out;
    enum status status = STATUS_OK;
    if (outbound->passes) {
        status = clean_feed(&outbound->clean, text, length, pass, outbound);
    }
    return status == STATUS_OK ? passage_feed(outbound->passage, text, length, take_part, outbound)
                               : status;
}

enum status outbound_end(struct outbound *outbound, struct buffer *out)
{
    outbound->out = out;
    enum status status = STATUS_OK;
    if (outbound->passes) {
        status = clean_end(&outbound->clean, pass, outbound);
    }
    return status == STATUS_OK ? passage_end(outbound->passage, take_part, outbound) : status;
}

static enum status hide_torn(struct outbound *outbound)
{
    struct buffer *const out = outbound->out;
    enum policy_kind kind = POLICY_CODE;
    const size_t torn =
        torn_bytes(out->bytes + outbound->plain_from, out->length - outbound->plain_from, &kind);
    if (torn == 0 || outbound->terms.rules->outbound[kind] < POLICY_REDACT) {
        return STATUS_OK;
    }
    out->length -= torn;
    memset(out->bytes + out->length, 0, torn);
    changes_add(&outbound->changes, outbound->decided - torn, outbound->decided);
    outbound->tally.counts[POLICY_REDACT][kind]++;
    return mask_append_kind(kind, out);
}

enum status outbound_cut(struct outbound *outbound, struct buffer *out)
{
    outbound->plain_from = out->length;
    const enum status status = outbound_end(outbound, out);
    return status == STATUS_OK && !outbound->passes && out->length > outbound->plain_from
               ? hide_torn(outbound)
               : status;
}

uint64_t outbound_decided(const struct outbound *outbound)
{
    return outbound->decided;
}

bool outbound_is_changed(const struct outbound *outbound, uint64_t start, uint64_t end)
{
    if (outbound->passes) {
        return false;
    }
    return (outbound->decided > OUTBOUND_PAST && start < outbound->decided - OUTBOUND_PAST)
           || changes_has(&outbound->changes, start, end);
}

bool outbound_would_change(struct outbound *outbound, const char *text, size_t length)
{
    struct buffer out = {.limit_bytes = GROWTH_MAX * length + SPARE_BYTES};
    if (outbound->passes) {
        return false;
    }
    outbound_reset(outbound);
    const bool is_same = outbound_feed(outbound, text, length, &out) == STATUS_OK
                         && outbound_end(outbound, &out) == STATUS_OK && out.length == length
                         && (length == 0 || memcmp(out.bytes, text, length) == 0);
    buffer_destroy(&out);
    return !is_same;
}

const struct tally *outbound_tally(const struct outbound *outbound)
{
    return &outbound->tally;
}
