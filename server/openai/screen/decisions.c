#include "server/openai/screen/decisions.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 4))) static void add(struct decisions *decisions, uint64_t count,
                                                      const char *format, ...)
{
    if (count == 0 || decisions->count == DECISIONS_MAX) {
        return;
    }
    const size_t at = decisions->count++;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(decisions->names[at], DECISION_NAME_BYTES, format, arguments);
    va_end(arguments);
    decisions->counts[at] = (struct record_count){decisions->names[at], count};
}

static void add_crisis(struct decisions *decisions, const struct screen *screen)
{
    static const struct {
        enum crisis_action action;
        const char *name;
    } actions[] = {
        {CRISIS_STOP, "crisis.stop"},
        {CRISIS_HAND_OFF, "crisis.hand_off"},
        {CRISIS_MARK_URGENT, "crisis.urgent"},
    };
    for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const enum crisis_grade grade = screen->crisis.signals[kind].grade;
        add(decisions, grade != CRISIS_NONE, "crisis.%s:%s", crisis_grade_name(grade),
            crisis_kind_name((enum crisis_kind)kind));
    }
    add(decisions, screen->second_read == SCREEN_SAYS_YES, "crisis.second_read:yes");
    add(decisions, screen->second_read == SCREEN_SAYS_NO, "crisis.second_read:no");
    add(decisions, screen->second_read == SCREEN_UNANSWERED, "crisis.second_read:failed");
    add(decisions, screen->has_protocol, "crisis.protocol");
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        add(decisions, (screen->crisis_actions & actions[i].action) != 0, "%s", actions[i].name);
    }
}

static void add_alarms(struct decisions *decisions, const struct tally *tally)
{
    add(decisions, tally->crossed, "out.crossed");
    add(decisions, tally->canaries, "out.canary");
    add(decisions, tally->corrected, "out.corrected");
    add(decisions, tally->claims, "out.claim");
    add(decisions, tally->unknown_pseudonyms, "out.unknown_pseudonym");
    add(decisions, tally->restored, "out.restored");
}

void decisions_make(const struct screen *screen, const struct tally *outbound,
                    const enum crisis_grade said[CRISIS_KIND_COUNT], struct decisions *out)
{
    const struct tally *inbound = screen_tally(screen);
    *out = (struct decisions){.count = 0};
    add_crisis(out, screen);
    for (int kind = 0; said && kind < CRISIS_KIND_COUNT; kind++) {
        add(out, said[kind] != CRISIS_NONE, "out.%s:%s", crisis_grade_name(said[kind]),
            crisis_kind_name((enum crisis_kind)kind));
    }
    if (outbound) {
        add_alarms(out, outbound);
    }
    if (screen->instrument && screen->state.is_critical) {
        add(out, 1, "instrument.critical");
    }
    add(out, screen->instrument && instrument_score(screen->instrument, &screen->state).is_complete,
        "instrument.completed");
    add(out, screen->instrument != NULL, "instrument.asked");
    add(out, screen->duty == DUTY_DISCLOSE, "duty.disclosed");
    add(out, screen->duty == DUTY_REMIND, "duty.reminded");
    for (int action = POLICY_ACTION_COUNT - 1; action > POLICY_ALLOW; action--) {
        for (int kind = 0; kind < POLICY_KIND_COUNT; kind++) {
            const char *action_name = policy_action_name((enum policy_action)action);
            const char *kind_name = policy_kind_name((enum policy_kind)kind);
            add(out, inbound ? inbound->counts[action][kind] : 0, "in.%s:%s", action_name,
                kind_name);
            add(out, outbound ? outbound->counts[action][kind] : 0, "out.%s:%s", action_name,
                kind_name);
        }
    }
    if (inbound) {
        add(out, inbound->disguised, "in.disguised");
    }
}
