#include "policy/filter/inbound.h"

#include <stdlib.h>
#include <string.h>

#include "policy/filter/mask.h"
#include "policy/filter/passage.h"

struct inbound {
    const struct rules *rules;
    struct vault_session *session;
    struct detector_terms terms;
    struct memory memory;
    struct seen seen;
    struct passage *passage;
    struct tally tally;
    struct buffer *out; /* while inbound_text runs */
};

enum status inbound_create(const struct rules *rules, const struct lexicon *lexicon,
                           struct vault_session *session, struct inbound **out)
{
    struct inbound *const inbound = calloc(1, sizeof *inbound);
    if (!inbound) {
        return STATUS_IO;
    }
    seen_start(&inbound->seen);
    inbound->rules = rules;
    inbound->session = session;
    inbound->terms = rules->terms;
    inbound->terms.lexicon = lexicon;
    const struct passage_terms terms = {.detector = &inbound->terms,
                                        .memory = &inbound->memory,
                                        .spotter = {.finds_placeholders = session != NULL}};
    const enum status status = passage_create(&terms, &inbound->passage);
    if (status != STATUS_OK) {
        inbound_destroy(inbound);
        return status;
    }
    *out = inbound;
    return STATUS_OK;
}

void inbound_destroy(struct inbound *inbound)
{
    if (inbound) {
        passage_destroy(inbound->passage);
        explicit_bzero(inbound, sizeof *inbound);
        free(inbound);
    }
}

/* A placeholder that the person wrote. One that stands for nothing yet is told as text that never
 * will: "[NAME 7]". */
static enum status take_placeholder(struct inbound *inbound, const struct spot *spot)
{
    const char *raw = NULL;
    size_t raw_bytes = 0;
    return vault_restore(inbound->session, spot->kind, spot->number, &raw, &raw_bytes)
               ? mask_append_number(spot->kind, spot->number, inbound->out)
               : buffer_format(inbound->out, "[%s %u]", policy_kind_name(spot->kind), spot->number);
}

static void count(struct inbound *inbound, const struct part *part, enum policy_action action)
{
    if (action != POLICY_ALLOW && part->is_first && !part->finding->continues) {
        inbound->tally.counts[action][part->finding->kind]++;
        inbound->tally.disguised += part->finding->is_disguised;
    }
}

static enum status hide(struct inbound *inbound, const struct part *part)
{
    if (part->finding->continues) {
        return STATUS_OK; /* its beginning stands for all of it */
    }
    if (part->is_whole) {
        return mask_append(inbound->rules, part->finding, inbound->out);
    }
    return mask_is_needed(part->raw, part->raw_bytes)
               ? mask_append_kind(part->finding->kind, inbound->out)
               : buffer_append(inbound->out, part->raw, part->raw_bytes);
}

static enum status pseudonymise(struct inbound *inbound, const struct part *part)
{
    const struct scan_piece *const finding = part->finding;
    uint32_t number = 0;
    if (inbound->session && part->is_whole && !finding->continues
        && vault_pseudonym(inbound->session, finding->kind, finding->folded, finding->folded_bytes,
                           finding->raw, finding->raw_bytes, &number)
               == STATUS_OK) {
        count(inbound, part, POLICY_PSEUDONYMISE);
        return mask_append_number(finding->kind, number, inbound->out);
    }
    count(inbound, part, POLICY_REDACT);
    return hide(inbound, part);
}

static enum status take_part(void *context, const struct part *part)
{
    struct inbound *const inbound = context;
    if (part->spot) {
        return take_placeholder(inbound, part->spot);
    }
    if (!part->finding || part->finding->is_resource) {
        return buffer_append(inbound->out, part->raw, part->raw_bytes);
    }
    if (part->is_first) {
        seen_add(&inbound->seen, part->finding->kind, part->finding->folded,
                 part->finding->folded_bytes);
    }
    const enum policy_action action = inbound->rules->inbound[part->finding->kind];
    switch (action) {
    case POLICY_REDACT:
    case POLICY_BLOCK:
        count(inbound, part, action);
        return hide(inbound, part);
    case POLICY_PSEUDONYMISE:
        return pseudonymise(inbound, part);
    case POLICY_ALLOW:
    case POLICY_TAG:
    case POLICY_ACTION_COUNT:
        break;
    }
    count(inbound, part, action);
    return buffer_append(inbound->out, part->raw, part->raw_bytes);
}

enum status inbound_text(struct inbound *inbound, const char *text, size_t length,
                         struct buffer *out)
{
    inbound->out = out;
    enum status status = passage_feed(inbound->passage, text, length, take_part, inbound);
    if (status == STATUS_OK) {
        status = passage_end(inbound->passage, take_part, inbound);
    }
    passage_reset(inbound->passage);
    inbound->out = NULL;
    return status;
}

const struct tally *inbound_tally(const struct inbound *inbound)
{
    return &inbound->tally;
}

bool inbound_is_blocked(const struct inbound *inbound)
{
    for (size_t kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        if (inbound->tally.counts[POLICY_BLOCK][kind] > 0) {
            return true;
        }
    }
    return false;
}

struct memory *inbound_memory(struct inbound *inbound)
{
    return &inbound->memory;
}

const struct seen *inbound_seen(const struct inbound *inbound)
{
    return &inbound->seen;
}
