#include "server/openai/generation_record.h"

#include <string.h>

#include "server/openai/screen/decisions.h"

static void draft_begin(const struct trail *trail, const struct generation_facts *facts,
                        enum record_event event, struct record_draft *out)
{
    trail_draft(trail, event, facts->identity, facts->request_id, metrics_route_name(facts->route),
                out);
}

/* What was done so far, and the rules by which. */
static void draft_policy(struct record_draft *draft, const struct generation_facts *facts,
                         const struct tally *outbound)
{
    struct decisions decisions;
    enum crisis_grade said[CRISIS_KIND_COUNT];
    openai_answer_crisis(facts->answer, said);
    if (facts->screen->rules) {
        decisions_make(facts->screen, outbound, outbound ? said : NULL, &decisions);
        record_draft_counts(draft, RECORD_FIELD_policy_decisions, decisions.counts,
                            decisions.count);
        record_draft_text(draft, RECORD_FIELD_policy_digest, facts->screen->rules->digest);
    }
}

enum status generation_record_accepted(struct trail *trail, const struct generation_facts *facts,
                                       uint64_t handle, struct audit_position *out)
{
    struct record_draft draft;
    draft_begin(trail, facts, RECORD_EVENT_REQUEST_ACCEPTED, &draft);
    record_draft_uint(&draft, RECORD_FIELD_prompt_tokens, facts->answer->prompt_tokens);
    record_draft_uint(&draft, RECORD_FIELD_choices, facts->answer->choice_count);
    record_draft_uint(&draft, RECORD_FIELD_stream, facts->request->stream);
    record_draft_bytes(&draft, RECORD_FIELD_prompt_digest, facts->prompt.bytes);
    draft_policy(&draft, facts, NULL);
    return audit_append(trail_audit(trail), &draft, handle, out);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Machine words of errors, as reasons of a cancelled request. */
static const char *reason_of(const char *code)
{
    static const struct {
        const char *code, *reason;
    } reasons[] = {
        {"invalid_api_key", "key_revoked"},
        {"draining", "shutdown"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strcmp(code, reasons[i].code) == 0) {
            return reasons[i].reason;
        }
    }
    return code;
}

static void draft_numbers(struct record_draft *draft, const struct generation_facts *facts)
{
    const struct openai_answer *answer = facts->answer;
    record_draft_uint(draft, RECORD_FIELD_prompt_tokens, answer->prompt_tokens);
    record_draft_uint(draft, RECORD_FIELD_output_tokens, openai_answer_tokens(answer));
    if (facts->first_ns > 0) {
        record_draft_uint(draft, RECORD_FIELD_first_token_us, facts->first_ns / 1000);
    }
    record_draft_uint(draft, RECORD_FIELD_total_us, facts->total_ns / 1000);
    record_draft_uint(draft, RECORD_FIELD_choices, answer->choice_count);
    record_draft_uint(draft, RECORD_FIELD_output_tokens_max, answer->terms.output_max);
}

static void draft_sampling(struct record_draft *draft, const struct engine_sampling *sampling,
                           uint64_t seed)
{
    record_draft_e6(draft, RECORD_FIELD_temperature, (double)sampling->temperature);
    record_draft_e6(draft, RECORD_FIELD_top_p, (double)sampling->top_p);
    record_draft_uint(draft, RECORD_FIELD_top_k, sampling->top_k);
    record_draft_e6(draft, RECORD_FIELD_min_p, (double)sampling->min_p);
    record_draft_e6(draft, RECORD_FIELD_frequency_penalty, (double)sampling->frequency_penalty);
    record_draft_e6(draft, RECORD_FIELD_presence_penalty, (double)sampling->presence_penalty);
    record_draft_e6(draft, RECORD_FIELD_repetition_penalty, (double)sampling->repetition_penalty);
    record_draft_int(draft, RECORD_FIELD_seed, (int64_t)seed);
}

static void draft_texts(struct record_draft *draft, const struct generation_facts *facts)
{
    const struct openai_answer *answer = facts->answer;
    const struct record_count finished[] = {
        {"content_filter", openai_answer_finished(answer, OPENAI_FILTERED)},
        {"length", openai_answer_finished(answer, OPENAI_LENGTH)},
        {"stop", openai_answer_finished(answer, OPENAI_STOP)},
    };
    struct digest told;
    record_draft_uint(draft, RECORD_FIELD_stream, facts->request->stream);
    record_draft_bytes(draft, RECORD_FIELD_prompt_digest, facts->prompt.bytes);
    if (openai_answer_digest(answer, &told)) {
        record_draft_bytes(draft, RECORD_FIELD_answer_digest, told.bytes);
    }
    record_draft_counts(draft, RECORD_FIELD_finish_reasons, finished, 3);
    const struct tally outbound = openai_answer_tally(answer);
    draft_policy(draft, facts, &outbound);
}

static void refuse(struct trail *trail, const struct generation_facts *facts,
                   const struct generation_end *end)
{
    const struct http_error error = {.http_code = end->http_code, .code = end->code};
    trail_refused(trail, facts->identity, facts->request_id, metrics_route_name(facts->route),
                  metrics_outcome_name(end->outcome), &error);
}

void generation_record_end(struct trail *trail, const struct generation_facts *facts,
                           const struct generation_end *end)
{
    struct record_draft draft;
    struct audit_position position;
    const bool is_complete = end->outcome == METRICS_COMPLETED;
    const bool is_cancelled =
        !is_complete && (facts->is_admitted || end->outcome == METRICS_CANCELLED);
    if (!facts->is_accepted) {
        refuse(trail, facts, end);
        return;
    }
    draft_begin(trail, facts,
                is_complete    ? RECORD_EVENT_REQUEST_COMPLETED
                : is_cancelled ? RECORD_EVENT_REQUEST_CANCELLED
                               : RECORD_EVENT_REQUEST_REFUSED,
                &draft);
    record_draft_text(&draft, RECORD_FIELD_outcome, metrics_outcome_name(end->outcome));
    record_draft_uint(&draft, RECORD_FIELD_http_code, (uint64_t)end->http_code);
    record_draft_text(&draft, RECORD_FIELD_code, end->code);
    if (is_complete || is_cancelled) {
        draft_numbers(&draft, facts);
        draft_sampling(&draft, &facts->request->sampling, facts->seed);
        draft_texts(&draft, facts);
    }
    if (is_cancelled) {
        record_draft_text(&draft, RECORD_FIELD_reason, reason_of(end->code));
    }
    const enum status status = audit_append(trail_audit(trail), &draft, 0, &position);
    (void)status; /* what finds no room is counted and logged by the writer */
}
