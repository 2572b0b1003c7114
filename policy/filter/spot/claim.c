#include "policy/filter/spot/claim.h"

#include <string.h>

enum { FILLERS_MAX = 8, CLAUSE_LEXEMES_MAX = 32, SPACES_MAX = 4 };

static const char clinician_text[] = "I am an AI assistant, not a clinician";
static const char as_text[] = "As an AI assistant and not a clinician";

/* Each list ends with NULL. */
static const char *const fillers[] = {
    "a",        "an",        "the",      "your",       "also",       "actually",     "really",
    "indeed",   "fully",     "board",    "certified",  "licensed",   "licenced",     "registered",
    "trained",  "qualified", "clinical", "practicing", "practising", "professional", "experienced",
    "mental",   "health",    "real",     "actual",     "medical",    "psychiatric",  "family",
    "marriage", "ai",        "virtual",  "digital",    "online",     "primary",      "care",
    "doctoral", "personal",  "own",      "state",      "cognitive",  "behavioral",   "behavioural",
    "child",    "trauma",    "human",    "accredited", "fellow",     "senior",       "life",
    "coach",    NULL};
static const char *const roles[] = {
    "therapist",    "psychotherapist",   "psychologist", "psychiatrist", "doctor",
    "physician",    "clinician",         "nurse",        "counselor",    "counsellor",
    "practitioner", "neuropsychologist", "neurologist",  "pediatrician", "paediatrician",
    "surgeon",      "paramedic",         "human",        "pharmacist",   NULL};
/* Two words that are a role together. */
static const char *const pairs[][2] = {
    {"social", "worker"},         {"real", "person"},          {"actual", "person"},
    {"health", "professional"},   {"medical", "professional"}, {"healthcare", "professional"},
    {"licensed", "professional"}, {"healthcare", "provider"},  {"health", "provider"},
    {"human", "being"},
};
/* Behind a role they make something else of it. */
static const char *const not_after[] = {
    "assistant", "bot", "chatbot", "program", "simulator", "app", "simulation", "or", NULL};
/* In front of the claim, somebody else says it or it is not said to be so. */
static const char *const not_before[] = {
    "say",    "says",    "said",    "saying",  "tell",     "tells",   "told",   "write",  "writes",
    "wrote",  "if",      "whether", "imagine", "pretend",  "suppose", "like",   "wish",   "think",
    "thinks", "thought", "assume",  "believe", "believes", "mean",    "unless", "though", "claim",
    "claims", "when",    "ask",     "asks",    "asked",    NULL};
static const char *const programs[] = {"ai", "bot", "robot", "chatbot", "machine", NULL};
static const char *const able[] = {"can", "could", "will", NULL};
static const char *const able_to[] = {"able",       "qualified", "licensed", "authorized",
                                      "authorised", "here",      NULL};
static const char *const says_i[] = {"i", "i'm", "i'd", "i'll", "i've", "my", "let", NULL};

struct cursor {
    const struct window_view *view;
    uint32_t at;
    bool has_more; /* it ran out of lexemes that may still come */
};

static bool is_one_of(const struct window_view *view, uint32_t at, const char *const *list)
{
    for (; *list; list++) {
        if (lexeme_is(view, at, *list)) {
            return true;
        }
    }
    return false;
}

/* On to the next lexeme that is no space. False: there is none. */
static bool skip_spaces(struct cursor *cursor)
{
    const struct window_view *const view = cursor->view;
    for (int i = 0; i < SPACES_MAX && cursor->at < view->count
                    && view->lexemes[cursor->at].class == LEXEME_SPACE;
         i++) {
        cursor->at++;
    }
    if (cursor->at >= view->count) {
        cursor->has_more = !view->has_ended;
        return false;
    }
    return true;
}

static bool take(struct cursor *cursor, const char *word)
{
    if (!skip_spaces(cursor) || !lexeme_is(cursor->view, cursor->at, word)) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool take_one_of(struct cursor *cursor, const char *const *list)
{
    if (!skip_spaces(cursor) || !is_one_of(cursor->view, cursor->at, list)) {
        return false;
    }
    cursor->at++;
    return true;
}

static bool take_pair(struct cursor *cursor)
{
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct cursor ahead = *cursor;
        if (take(&ahead, pairs[i][0])) {
            const bool is_pair = take(&ahead, pairs[i][1]);
            cursor->has_more = cursor->has_more || ahead.has_more;
            cursor->at = is_pair ? ahead.at : cursor->at;
            if (is_pair) {
                return true;
            }
        }
    }
    return false;
}

/* What follows a role must leave it one: no "therapist's", no "nurse-led", no "doctor bot". */
static bool is_role_left(struct cursor *cursor)
{
    const struct window_view *const view = cursor->view;
    if (cursor->at >= view->count) {
        cursor->has_more = !view->has_ended;
        return view->has_ended;
    }
    if (lexeme_is(view, cursor->at, "'") || lexeme_is(view, cursor->at, "-")) {
        return false;
    }
    struct cursor ahead = *cursor;
    const bool is_other = take_one_of(&ahead, not_after);
    cursor->has_more = ahead.has_more;
    return !is_other && !ahead.has_more;
}

/* [a licensed clinical ...] therapist */
static bool take_role(struct cursor *cursor)
{
    for (int i = 0; i < FILLERS_MAX && !cursor->has_more; i++) {
        const bool is_pair = take_pair(cursor);
        if (cursor->has_more && !is_pair) {
            return false;
        }
        if (is_pair || take_one_of(cursor, roles)) {
            return is_role_left(cursor);
        }
        if (!take_one_of(cursor, fillers) && !take(cursor, "-")) {
            return false;
        }
    }
    return false;
}

/* "i am", "i'm" */
static bool take_i_am(struct cursor *cursor)
{
    if (take(cursor, "i'm") || take(cursor, "im")) {
        return true;
    }
    return take(cursor, "i") && take(cursor, "am");
}

/* "i work as a nurse", "i have been a nurse", "i've worked as a nurse" */
static bool take_works(struct cursor *cursor)
{
    static const char *const work[] = {"work",       "worked",     "working", "practice",
                                       "practicing", "practising", "serve",   NULL};
    bool is_been = false;
    if (!take(cursor, "i've")) {
        if (!take(cursor, "i")) {
            return false;
        }
        is_been = take(cursor, "have") && take(cursor, "been");
    } else {
        is_been = take(cursor, "been");
    }
    if (cursor->has_more) {
        return false;
    }
    const bool is_work = take_one_of(cursor, work) && take(cursor, "as");
    return (is_work || (is_been && !cursor->has_more)) && take_role(cursor);
}

/* "i am not an ai": the end of what it says; not "not an ai that knows you" */
static bool take_denies_ai(struct cursor *cursor)
{
    static const char *const articles[] = {"a", "an", NULL};
    if (!take_i_am(cursor) || !take(cursor, "not") || !take_one_of(cursor, articles)
        || !take_one_of(cursor, programs)) {
        return false;
    }
    if (!skip_spaces(cursor)) {
        return !cursor->has_more;
    }
    const uint8_t class = cursor->view->lexemes[cursor->at].class;
    return (class == LEXEME_MARK && !lexeme_is(cursor->view, cursor->at, "-"))
           || class == LEXEME_BREAK;
}

/* "diagnose", "treat your depression"; not "treat you with respect" */
static bool take_treats(struct cursor *cursor)
{
    static const char *const sure[] = {"diagnose", "prescribe", NULL};
    static const char *const person[] = {"you", "your", NULL};
    static const char *const manner[] = {"with", "like", "as", "well", "fairly", "kindly", NULL};
    if (take_one_of(cursor, sure)) {
        return true;
    }
    if (!take(cursor, "treat") || !take_one_of(cursor, person)) {
        return false;
    }
    struct cursor ahead = *cursor;
    const bool is_manner = take_one_of(&ahead, manner);
    cursor->has_more = ahead.has_more;
    return !is_manner && !ahead.has_more;
}

/* "i diagnose you with", "i'm prescribing you" */
static bool take_acts(struct cursor *cursor)
{
    static const char *const acts[] = {"diagnose", "prescribe", NULL};
    static const char *const acting[] = {"diagnosing", "prescribing", NULL};
    struct cursor ahead = *cursor;
    const bool is_acting = take_i_am(&ahead) && take_one_of(&ahead, acting);
    if (!is_acting) {
        cursor->has_more = ahead.has_more;
        ahead = *cursor;
        if (!take(&ahead, "i") || !take_one_of(&ahead, acts)) {
            cursor->has_more = cursor->has_more || ahead.has_more;
            return false;
        }
    }
    const bool is_person = take(&ahead, "you");
    *cursor = ahead;
    return is_person;
}

/* "i can diagnose", "i am licensed to treat you" */
static bool take_treating(struct cursor *cursor)
{
    struct cursor ahead = *cursor;
    if (take(&ahead, "i") && take_one_of(&ahead, able) && take_treats(&ahead)) {
        *cursor = ahead;
        return true;
    }
    cursor->has_more = cursor->has_more || ahead.has_more;
    ahead = *cursor;
    if (take_i_am(&ahead) && take_one_of(&ahead, able_to) && take(&ahead, "to")
        && take_treats(&ahead)) {
        *cursor = ahead;
        return true;
    }
    cursor->has_more = cursor->has_more || ahead.has_more;
    ahead = *cursor;
    if (take_acts(&ahead)) {
        *cursor = ahead;
        return true;
    }
    cursor->has_more = cursor->has_more || ahead.has_more;
    return false;
}

static uint32_t before(const struct window_view *view, uint32_t at)
{
    while (at > 0 && view->lexemes[at - 1].class == LEXEME_SPACE) {
        at--;
    }
    return at;
}

/* "as a nurse, i", "(think of) me as your therapist"; not "such as your doctor" */
static bool take_as(struct cursor *cursor)
{
    const struct window_view *const view = cursor->view;
    const uint32_t left = before(view, view->at);
    const bool is_me = left > 0 && lexeme_is(view, left - 1, "me");
    if (!take(cursor, "as") || !take_role(cursor)) {
        return false;
    }
    if (is_me) {
        return true;
    }
    struct cursor ahead = *cursor;
    (void)take(&ahead, ",");
    const bool is_said = take_one_of(&ahead, says_i);
    cursor->has_more = ahead.has_more;
    return is_said;
}

static bool is_quote(const struct window_view *view, uint32_t at)
{
    static const char *const quotes[] = {"\"",       "\xe2\x80\x9c", "\xe2\x80\x9d",
                                         "\xc2\xab", "\xc2\xbb",     NULL};
    return is_one_of(view, at, quotes);
}

/* Inside a quotation, behind a colon or behind a word that gives the claim to somebody else. */
static bool is_somebody_elses(const struct window_view *view)
{
    uint32_t at = before(view, view->at);
    static const char *const told[] = {"me", "you", "him", "her", "us", "them", NULL};
    if (at > 0 && lexeme_is(view, at - 1, "that")) {
        at = before(view, at - 1);
    }
    if (at > 0 && is_one_of(view, at - 1, told)) {
        at = before(view, at - 1);
    }
    if (at > 0
        && (is_one_of(view, at - 1, not_before) || lexeme_is(view, at - 1, ":")
            || lexeme_is(view, at - 1, "'"))) {
        return true;
    }
    bool is_quoted = false;
    for (; at > 0 && view->lexemes[at - 1].class != LEXEME_BREAK; at--) {
        is_quoted = is_quoted != is_quote(view, at - 1);
    }
    return is_quoted;
}

/* The rest of the clause goes too: what a clinician would do is not left standing alone. */
static bool take_clause(struct cursor *cursor)
{
    static const char *const ends[] = {".", "!", "?", ";", ":", ",", ")", NULL};
    const struct window_view *const view = cursor->view;
    for (int i = 0; i < CLAUSE_LEXEMES_MAX; i++, cursor->at++) {
        if (cursor->at >= view->count) {
            cursor->has_more = !view->has_ended;
            return view->has_ended;
        }
        if (view->lexemes[cursor->at].class == LEXEME_BREAK || is_quote(view, cursor->at)
            || is_one_of(view, cursor->at, ends)) {
            return true;
        }
    }
    return true;
}

static bool take_am(struct cursor *cursor)
{
    return take_i_am(cursor) && take_role(cursor);
}

enum spot_match claim_match(const struct window_view *view, struct spot *spot,
                            uint32_t *lexeme_count)
{
    static const char *const firsts[] = {"i", "i'm", "im", "i've", "as", NULL};
    static bool (*const forms[])(struct cursor *) = {take_as, take_am, take_treating, take_works,
                                                     take_denies_ai};
    if (!is_one_of(view, view->at, firsts) || is_somebody_elses(view)) {
        return SPOT_NOT;
    }
    struct cursor end = {.view = view, .at = view->at};
    const bool is_as = lexeme_is(view, view->at, "as");
    bool is_claim = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct cursor cursor = {.view = view, .at = view->at};
        const bool is_form = forms[i](&cursor);
        if (!is_form && cursor.has_more) {
            return SPOT_MORE;
        }
        end = is_form && !is_claim ? cursor : end;
        is_claim = is_claim || is_form;
    }
    if (!is_claim) {
        return SPOT_NOT;
    }
    if (!is_as && !take_clause(&end)) {
        return SPOT_MORE;
    }
    spot->what = SPOT_CLAIM;
    spot->text = is_as ? as_text : clinician_text;
    *lexeme_count = end.at - view->at;
    return SPOT_IS;
}
