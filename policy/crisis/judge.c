#include "policy/crisis/judge.h"

#include <string.h>

enum { MATCHES_MAX = 96, CUES_SEEN_MAX = 96, SUBJECT_REACH = 12 };

struct match {
    const struct crisis_rule *rule;
    uint32_t start, end; /* words */
    uint64_t span;
};

struct cue_seen {
    const struct crisis_cue *cue;
    uint32_t start, end;
};

/* A sentence while it is judged. */
struct hearing {
    struct judge *judge;
    struct sentence *sentence;
    struct match matches[MATCHES_MAX];
    struct cue_seen cues[CUES_SEEN_MAX];
    uint32_t match_count, cue_count;
};

/* ---- finding --------------------------------------------------------------------------------- */

static uint32_t highest(uint64_t set)
{
    return 63 - (uint32_t)__builtin_clzll(set);
}

/* The next place from `start` on where the pattern stands, at its longest; false: none. */
static bool find_next(struct hearing *hearing, uint32_t pattern, uint32_t *start, uint32_t *end)
{
    const struct grammar *grammar = hearing->judge->rules->grammar;
    struct sentence *sentence = hearing->sentence;
    for (uint32_t at = *start; at < sentence->count; at++) {
        const uint64_t ends = grammar_match(grammar, sentence, pattern, UINT64_C(1) << at);
        if (ends != 0 && highest(ends) > at) {
            *start = at;
            *end = highest(ends);
            return true;
        }
    }
    return false;
}

static bool stands(struct hearing *hearing, uint32_t pattern)
{
    if (!(hearing->sentence->candidates[pattern / 64] >> (pattern % 64) & 1)) {
        return false;
    }
    const uint64_t all = sentence_span(0, hearing->sentence->count);
    return grammar_match(hearing->judge->rules->grammar, hearing->sentence, pattern, all) != 0;
}

/* One of the patterns may stand in the sentence. */
static bool is_possible(const struct sentence *sentence, const struct grammar_patterns *patterns)
{
    const uint32_t last = patterns->first + patterns->count - 1;
    uint64_t possible = 0;
    for (uint32_t set = patterns->first / 64; patterns->count > 0 && set <= last / 64; set++) {
        const uint32_t from = set == patterns->first / 64 ? patterns->first % 64 : 0;
        const uint32_t end = set == last / 64 ? last % 64 + 1 : 64;
        possible |= sentence->candidates[set] & sentence_span(from, end);
    }
    return possible != 0;
}

static void find_matches(struct hearing *hearing, const struct crisis_rule *rule)
{
    for (uint32_t i = 0; i < rule->patterns.count; i++) {
        const uint32_t pattern = rule->patterns.first + i;
        uint32_t start = 0, end = 0;
        if (!stands(hearing, pattern)) {
            continue;
        }
        for (; hearing->match_count < MATCHES_MAX && find_next(hearing, pattern, &start, &end);
             start = end) {
            hearing->matches[hearing->match_count++] =
                (struct match){rule, start, end, sentence_span(start, end)};
        }
    }
}

static void find_cues(struct hearing *hearing, const struct crisis_cue *cue)
{
    for (uint32_t i = 0; i < cue->patterns.count; i++) {
        const uint32_t pattern = cue->patterns.first + i;
        uint32_t start = 0, end = 0;
        if (!stands(hearing, pattern)) {
            continue;
        }
        for (; hearing->cue_count < CUES_SEEN_MAX && find_next(hearing, pattern, &start, &end);
             start = end) {
            hearing->cues[hearing->cue_count++] = (struct cue_seen){cue, start, end};
        }
    }
}

/* ---- cues ------------------------------------------------------------------------------------ */

/* Words `from` .. `to` - 1 and the border before `to` are of one clause. */
static bool is_one_clause(const struct sentence *sentence, uint32_t from, uint32_t to)
{
    const uint64_t between = sentence_span(from, to);
    const uint64_t borders = sentence_span(from, to + 1);
    return (sentence->roles[ROLE_CLAUSE] & between) == 0 && (sentence->pauses & borders) == 0;
}

static bool is_before(const struct sentence *sentence, const struct cue_seen *seen,
                      const struct match *match)
{
    if (seen->end > match->start || match->start - seen->end > seen->cue->within) {
        return false;
    }
    const uint64_t but = sentence->roles[ROLE_CLAUSE] & sentence->roles[ROLE_GAP_STOP]
                         & sentence_span(seen->end, match->start);
    if (seen->cue->effect == EFFECT_DENIED && but != 0) {
        return false; /* "i would never tell her, but i want to": a but takes it back */
    }
    const bool begins_clause = sentence->roles[ROLE_CLAUSE] >> match->start & 1;
    return seen->cue->crosses
           || (!begins_clause && is_one_clause(sentence, seen->end, match->start));
}

static bool is_after(const struct sentence *sentence, const struct cue_seen *seen,
                     const struct match *match)
{
    if (seen->start < match->end || seen->start - match->end > seen->cue->within) {
        return false;
    }
    const uint64_t between = sentence_span(match->end, seen->start);
    return seen->cue->crosses || (sentence->roles[ROLE_CLAUSE] & between) == 0;
}

/* A "not" that is part of "not sure" denies nothing. */
static bool is_no_denial(const struct hearing *hearing, const struct cue_seen *seen)
{
    const uint64_t span = sentence_span(seen->start, seen->end);
    for (uint32_t i = 0; i < hearing->cue_count; i++) {
        const struct cue_seen *other = &hearing->cues[i];
        if (other->cue->effect == EFFECT_SAID
            && (sentence_span(other->start, other->end) & span) != 0) {
            return true;
        }
    }
    return false;
}

/* A "not" that is part of another sign's own words ("don't want to live") belongs to that sign. */
static bool is_taken(const struct hearing *hearing, const struct cue_seen *seen,
                     const struct match *match)
{
    const uint64_t span = sentence_span(seen->start, seen->end);
    for (uint32_t i = 0; i < hearing->match_count; i++) {
        const struct match *other = &hearing->matches[i];
        if ((other->span & span) != 0 && (other->span & match->span) != match->span) {
            return true;
        }
    }
    return false;
}

static bool applies(const struct hearing *hearing, const struct cue_seen *seen,
                    const struct match *match)
{
    const struct crisis_cue *cue = seen->cue;
    if ((cue->kinds >> match->rule->kind & 1) == 0
        || (cue->effect == EFFECT_DENIED && is_no_denial(hearing, seen))) {
        return false;
    }
    switch (cue->place) {
    case PLACE_BEFORE:
        return is_before(hearing->sentence, seen, match)
               && !(cue->effect == EFFECT_DENIED && is_taken(hearing, seen, match));
    case PLACE_AFTER:
        return is_after(hearing->sentence, seen, match);
    case PLACE_OVER:
        return (sentence_span(seen->start, seen->end) & match->span) != 0;
    case PLACE_SENTENCE:
        return true;
    case PLACE_COUNT:
        break;
    }
    return false;
}

static uint32_t find_effects(const struct hearing *hearing, const struct match *match)
{
    uint32_t effects = 0;
    for (uint32_t i = 0; i < hearing->cue_count; i++) {
        const struct cue_seen *seen = &hearing->cues[i];
        effects |= applies(hearing, seen, match) ? 1U << seen->cue->effect : 0;
    }
    for (uint32_t i = 0; i < hearing->judge->rules->cue_count; i++) {
        const struct crisis_cue *cue = &hearing->judge->rules->cues[i];
        if (hearing->judge->lasting[i] > 0 && cue->kinds >> match->rule->kind & 1) {
            effects |= 1U << cue->effect;
        }
    }
    return effects & ~match->rule->ignored;
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* The nearest word before the sign that says who does it; SELF where none is told. `has_object`: a
 * "him" in the sign is whom it is done to. */
static enum crisis_subject find_subject_before(const struct hearing *hearing,
                                               const struct match *match, bool has_object)
{
    const struct sentence *sentence = hearing->sentence;
    const uint32_t from = match->start > SUBJECT_REACH ? match->start - SUBJECT_REACH : 0;
    const uint64_t before = sentence_span(from, match->start);
    const uint64_t first = sentence->roles[ROLE_FIRST_SUBJECT] & before;
    const uint64_t third = sentence->roles[ROLE_THIRD_SUBJECT] & before;
    if (first == 0 && third == 0) {
        const bool is_told = ((sentence->roles[ROLE_FIRST] | sentence->roles[ROLE_THIRD_SUBJECT])
                              & sentence_span(0, sentence->count))
                             != 0;
        const bool is_carried = !is_told && hearing->judge->other_lasts > 0;
        return is_carried || (!has_object && (sentence->roles[ROLE_THIRD_OBJECT] & match->span))
                   ? CRISIS_OTHER
                   : CRISIS_SELF;
    }
    return third > first ? CRISIS_OTHER : CRISIS_SELF;
}

/* Between two persons it is who is hurt, or in violence who does it: the one who speaks, if the
 * words leave it open. */
static enum crisis_subject find_party(const struct hearing *hearing, const struct match *match)
{
    const uint64_t *roles = hearing->sentence->roles;
    const uint64_t third = roles[ROLE_THIRD_SUBJECT] | roles[ROLE_THIRD_OBJECT];
    if (roles[ROLE_FIRST] & match->span) {
        return CRISIS_SELF;
    }
    if (match->rule->kind == CRISIS_VIOLENCE) {
        const uint64_t start = sentence_span(match->start, match->start + 1);
        return roles[ROLE_THIRD] & start ? CRISIS_OTHER : find_subject_before(hearing, match, true);
    }
    return third & match->span && !(third & sentence_span(match->start, match->start + 1))
               ? CRISIS_OTHER
               : CRISIS_SELF;
}

static enum crisis_subject find_subject(const struct hearing *hearing, const struct match *match,
                                        uint32_t effects)
{
    const uint64_t *roles = hearing->sentence->roles;
    if (match->rule->has_subject) {
        return match->rule->subject;
    }
    if (effects >> EFFECT_OTHER & 1) {
        return CRISIS_OTHER;
    }
    if (match->rule->kind == CRISIS_ABUSE || match->rule->kind == CRISIS_VIOLENCE) {
        return find_party(hearing, match);
    }
    const uint64_t own = roles[ROLE_MINE] & ~(roles[ROLE_THIRD_SUBJECT] >> 1);
    if ((roles[ROLE_FIRST] | own) & match->span) {
        return CRISIS_SELF;
    }
    if ((roles[ROLE_THIRD] | roles[ROLE_THIRD_SUBJECT]) & match->span) {
        return CRISIS_OTHER;
    }
    if (roles[ROLE_SECOND] & match->span) {
        return hearing->judge->speaker == CRISIS_ASSISTANT ? CRISIS_SELF : CRISIS_OTHER;
    }
    return find_subject_before(hearing, match, false);
}

static enum crisis_polarity find_polarity(const struct hearing *hearing, const struct match *match,
                                          uint32_t effects)
{
    const bool is_in_quotes = (hearing->sentence->quoted & match->span) != 0;
    const bool speaks_of_self = (hearing->sentence->roles[ROLE_FIRST] & match->span) != 0;
    if (effects >> EFFECT_DENIED & 1) {
        return CRISIS_DENIED;
    }
    if (effects >> EFFECT_NOT_MEANT & 1) {
        return CRISIS_QUOTED;
    }
    return (effects >> EFFECT_QUOTED & 1) && (is_in_quotes || !speaks_of_self) ? CRISIS_QUOTED
                                                                               : CRISIS_SAID;
}

static bool is_of_past(const struct hearing *hearing, const struct match *match, uint32_t effects)
{
    const bool is_present = (hearing->sentence->roles[ROLE_PRESENT] & match->span) != 0;
    return (match->rule->is_past || effects >> EFFECT_WAS & 1
            || (effects >> EFFECT_PAST & 1 && !is_present))
           && !(effects >> EFFECT_NOW & 1);
}

static enum crisis_grade find_grade(const struct judge *judge, const struct crisis_rule *rule,
                                    const struct crisis_signal *signal, uint32_t effects)
{
    enum crisis_grade grade = signal->polarity == CRISIS_SAID ? rule->grade : CRISIS_NONE;
    const enum crisis_grade past = judge->rules->past_grades[rule->kind];
    if (signal->time == CRISIS_PAST && !rule->is_past && grade > past) {
        grade = past;
    }
    if (effects >> EFFECT_SOFT & 1 && grade == CRISIS_HIGH) {
        grade = CRISIS_LOW;
    }
    return grade;
}

/* ---- adding up ------------------------------------------------------------------------------- */

/* Graver first; then what is said, now, of oneself; else what came first stays. */
static int rank(const struct crisis_signal *signal)
{
    if (signal->rule == 0) {
        return -1;
    }
    const int said = signal->polarity == CRISIS_SAID ? 2 : signal->polarity == CRISIS_DENIED;
    return (int)signal->grade * 16 + said * 4 + (signal->time == CRISIS_NOW) * 2
           + (signal->subject == CRISIS_SELF);
}

static void raise_finding(struct crisis_finding *finding, const struct crisis_signal *signal)
{
    struct crisis_signal *held = &finding->signals[signal->kind];
    if (rank(signal) > rank(held)) {
        *held = *signal;
    }
    if (held->grade > finding->grade) {
        finding->grade = held->grade;
        finding->kind = signal->kind;
    }
}

static void tell(struct judge *judge, const struct crisis_signal *signal)
{
    raise_finding(&judge->last, signal);
    if (judge->speaker == CRISIS_PERSON) {
        raise_finding(&judge->found, signal);
    }
}

/* A sign's factors join those of the conversation, which may be graver together than each. */
static void add_factors(struct judge *judge, const struct crisis_signal *signal, uint32_t factors)
{
    if (signal->polarity != CRISIS_SAID || signal->time == CRISIS_PAST || factors == 0) {
        return;
    }
    const int who = (int)signal->subject, kind = (int)signal->kind;
    judge->here[who][kind] |= factors;
    const uint32_t near = judge->here[who][kind] | judge->before[who][kind];
    uint32_t all = near;
    if (judge->speaker == CRISIS_PERSON) {
        judge->factors[who][kind] |= factors & ~(1U << FACTOR_TIME);
        all |= judge->factors[who][kind];
    }
    for (uint32_t i = 0; i < judge->rules->together_count; i++) {
        const struct crisis_together *together = &judge->rules->together[i];
        const uint32_t told = together->factors >> FACTOR_TIME & 1 ? near : all;
        if (together->kind == signal->kind && (told & together->factors) == together->factors
            && (factors & together->factors) != 0 && together->grade > signal->grade) {
            struct crisis_signal graver = *signal;
            graver.grade = together->grade;
            graver.rule = together->id;
            tell(judge, &graver);
        }
    }
}

static void ask(struct judge *judge, const struct crisis_signal *signal, uint32_t factors)
{
    if (!judge->was_asked || signal->grade >= judge->asked.grade) {
        judge->was_asked = true;
        judge->asked = *signal;
        judge->asked_factors = factors;
    }
}

/* True: it is someone else's. */
static bool judge_match(struct hearing *hearing, const struct match *match)
{
    struct judge *judge = hearing->judge;
    const struct crisis_rule *rule = match->rule;
    const uint32_t effects = find_effects(hearing, match);
    if (effects >> EFFECT_IDIOM & 1) {
        return false;
    }
    const bool is_past = is_of_past(hearing, match, effects);
    struct crisis_signal signal = {
        .kind = rule->kind,
        .subject = find_subject(hearing, match, effects),
        .time = is_past ? CRISIS_PAST : CRISIS_NOW,
        .polarity = find_polarity(hearing, match, effects),
        .start = hearing->sentence->words[match->start].start,
        .end = hearing->sentence->words[match->end - 1].end,
        .rule = rule->id,
    };
    signal.grade = find_grade(judge, rule, &signal, effects);
    const bool is_asked = judge->speaker == CRISIS_ASSISTANT && hearing->sentence->is_question;
    if (is_asked && signal.polarity == CRISIS_SAID) {
        ask(judge, &signal, rule->factors);
    }
    if (rule->grade != CRISIS_NONE || signal.polarity == CRISIS_DENIED) {
        tell(judge, &signal);
    }
    add_factors(judge, &signal, effects >> EFFECT_SOFT & 1 ? 0 : rule->factors);
    return signal.subject == CRISIS_OTHER;
}

/* ---- answers --------------------------------------------------------------------------------- */

static bool is_answer(struct hearing *hearing, enum crisis_answer answer)
{
    const struct crisis_rules *rules = hearing->judge->rules;
    for (uint32_t language = 0; language < rules->language_count; language++) {
        const struct grammar_patterns *patterns = &rules->answers[language][answer];
        for (uint32_t i = 0; i < patterns->count; i++) {
            if (grammar_match(rules->grammar, hearing->sentence, patterns->first + i, 1) > 1) {
                return true;
            }
        }
    }
    return false;
}

/* "Are you thinking of ending your life?" "yes": as if the person had said it. */
static void judge_answer(struct hearing *hearing)
{
    struct judge *judge = hearing->judge;
    struct crisis_signal signal = judge->asked;
    signal.start = hearing->sentence->words[0].start;
    signal.end = hearing->sentence->words[hearing->sentence->count - 1].end;
    if (is_answer(hearing, ANSWER_NO)) {
        signal.polarity = CRISIS_DENIED;
        signal.grade = CRISIS_NONE;
    } else if (is_answer(hearing, ANSWER_MAYBE)) {
        signal.grade = signal.grade > CRISIS_LOW ? CRISIS_LOW : signal.grade;
    } else if (!is_answer(hearing, ANSWER_YES)) {
        return;
    }
    tell(judge, &signal);
    add_factors(judge, &signal, judge->asked_factors);
}

/* ---- messages -------------------------------------------------------------------------------- */

void judge_begin(struct judge *judge, enum crisis_speaker speaker)
{
    judge->speaker = speaker;
    judge->last = (struct crisis_finding){0};
    memset(judge->here, 0, sizeof judge->here);
    memset(judge->before, 0, sizeof judge->before);
    memset(judge->lasting, 0, sizeof judge->lasting);
    judge->sentence_count = 0;
    if (speaker == CRISIS_ASSISTANT) {
        judge->was_asked = false;
    }
}

void judge_end(struct judge *judge)
{
    if (judge->speaker == CRISIS_PERSON) {
        judge->was_asked = false;
        judge->other_lasts = judge->other_lasts > 0;
    }
}

/* Cues that reach into the next sentences, and whom the message is about. */
static void carry_on(struct hearing *hearing, bool found_other)
{
    struct judge *judge = hearing->judge;
    const struct sentence *sentence = hearing->sentence;
    for (uint32_t i = 0; i < judge->rules->cue_count; i++) {
        const struct crisis_cue *cue = &judge->rules->cues[i];
        judge->lasting[i] -= judge->lasting[i] > 0;
        const bool lasts = cue->lasts > 0 && is_possible(sentence, &cue->patterns);
        for (uint32_t k = 0; lasts && k < cue->patterns.count; k++) {
            if (stands(hearing, cue->patterns.first + k)) {
                judge->lasting[i] = cue->lasts;
            }
        }
    }
    const bool speaks_of_self = sentence->roles[ROLE_FIRST_SUBJECT] != 0;
    judge->other_lasts = speaks_of_self || judge->other_lasts == 0 ? 0 : judge->other_lasts - 1;
    if (found_other) {
        judge->other_lasts = JUDGE_OTHER_LASTS;
    }
}

void judge_sentence(struct judge *judge, struct sentence *sentence)
{
    struct hearing hearing; /* only what is counted of it is read */
    hearing.judge = judge;
    hearing.sentence = sentence;
    hearing.match_count = 0;
    hearing.cue_count = 0;
    if (sentence->count == 0) {
        return;
    }
    grammar_find_candidates(judge->rules->grammar, sentence);
    if (judge->speaker == CRISIS_PERSON && judge->was_asked && judge->sentence_count == 0) {
        judge_answer(&hearing);
    }
    for (uint32_t i = 0; i < judge->rules->rule_count; i++) {
        const struct crisis_rule *rule = &judge->rules->rules[i];
        if (is_possible(sentence, &rule->patterns)
            && (!rule->is_question || judge->speaker == CRISIS_ASSISTANT)) {
            find_matches(&hearing, rule);
        }
    }
    for (uint32_t i = 0; hearing.match_count > 0 && i < judge->rules->cue_count; i++) {
        if (is_possible(sentence, &judge->rules->cues[i].patterns)) {
            find_cues(&hearing, &judge->rules->cues[i]);
        }
    }
    bool found_other = false;
    for (uint32_t i = 0; i < hearing.match_count; i++) {
        found_other = judge_match(&hearing, &hearing.matches[i]) || found_other;
    }
    carry_on(&hearing, found_other);
    judge->sentence_count++;
    memcpy(judge->before, judge->here, sizeof judge->before);
    memset(judge->here, 0, sizeof judge->here);
}
