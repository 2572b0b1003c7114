/* Method: a table of messages (messages.def) with what they tell; bars on what is found, on false
 * alarms and on attributes. Every message cut into pieces of 1 to 7 bytes gives the same finding,
 * byte for byte. Conversations: questions answered, signs that add up. Files that are wrong are
 * refused with their line. */
#include <string.h>

#include "tests/check.h"
#include "tests/policy/crisis/support_crisis.h"

static const struct {
    enum crisis_kind kind;
    enum crisis_grade grade;
    enum crisis_subject subject;
    enum crisis_time time;
    enum crisis_polarity polarity;
    const char *text;
    bool has_attributes;
} messages[] = {
#define ROW(kind, grade, subject, time, polarity, text) \
    {CRISIS_##kind, CRISIS_##grade, CRISIS_##subject, CRISIS_##time, CRISIS_##polarity, text, true},
#define TELLS(kind, grade, text) \
    {CRISIS_##kind, CRISIS_##grade, CRISIS_SELF, CRISIS_NOW, CRISIS_SAID, text, false},
#include "tests/policy/crisis/messages.def"
#include "tests/policy/crisis/messages_more.def"
#include "tests/policy/crisis/messages_set_a.def"
#include "tests/policy/crisis/messages_set_bc.def"
#include "tests/policy/crisis/messages_set_d.def"
};
enum { MESSAGE_COUNT = sizeof messages / sizeof messages[0] };

struct share {
    size_t good, all;
};

static double ratio(struct share share)
{
    return share.all > 0 ? (double)share.good / (double)share.all : 1;
}

static void messages_tell_what_they_tell(void)
{
    struct share grave = {0, 0}, low = {0, 0}, quiet = {0, 0}, attributes = {0, 0};
    struct share imminent = {0, 0};
    CHECK(MESSAGE_COUNT >= 250, "%d messages", MESSAGE_COUNT);
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        const struct crisis_finding found = support_crisis_read(messages[i].text, 0);
        const struct crisis_signal *signal = &found.signals[messages[i].kind];
        const bool is_grave = messages[i].grade >= CRISIS_HIGH;
        struct share *share = is_grave ? &grave : messages[i].grade == CRISIS_LOW ? &low : &quiet;
        const bool is_good = is_grave                          ? signal->grade >= CRISIS_HIGH
                             : messages[i].grade == CRISIS_LOW ? signal->grade >= CRISIS_LOW
                                                               : found.grade == CRISIS_NONE;
        share->all++;
        share->good += is_good;
        imminent.all += messages[i].grade == CRISIS_IMMINENT;
        imminent.good += messages[i].grade == CRISIS_IMMINENT && signal->grade == CRISIS_IMMINENT;
        if (!is_good) {
            fprintf(stderr, "missed: %s\n", messages[i].text);
        }
        if (messages[i].has_attributes
            && (messages[i].grade != CRISIS_NONE || messages[i].polarity != CRISIS_SAID)) {
            attributes.all++;
            attributes.good += signal->rule != 0 && signal->subject == messages[i].subject
                               && signal->time == messages[i].time
                               && signal->polarity == messages[i].polarity;
        }
    }
    printf("%d messages: high and imminent %.3f, low %.3f, quiet %.3f, attributes %.3f\n",
           MESSAGE_COUNT, ratio(grave), ratio(low), ratio(quiet), ratio(attributes));
    printf("%zu imminent, told as such %.3f\n", imminent.all, ratio(imminent));
    CHECK(ratio(grave) >= 0.97, "%zu of %zu", grave.good, grave.all);
    CHECK(ratio(imminent) >= 0.97, "%zu of %zu", imminent.good, imminent.all);
    CHECK(ratio(low) >= 0.97, "%zu of %zu", low.good, low.all);
    CHECK(ratio(quiet) >= 0.98, "%zu of %zu", quiet.good, quiet.all);
    CHECK(ratio(attributes) >= 0.96, "%zu of %zu", attributes.good, attributes.all);
}

/* What the machinery promises, whatever the wording: each alone fails if it breaks. */
static void wording_does_not_matter(void)
{
    static const char *const texts[] = {
        "i just honestly want to um legit basically die", /* fillers */
        "been thinkin abt killin myself",                 /* spellings */
        "no\ni want to die",                              /* a chat's lines */
        "i would never tell anyone but i want to die",    /* a but */
        "my doctor asked if i was suicidal and i said yes",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const struct crisis_finding found = support_crisis_read(texts[i], 0);
        CHECK(found.signals[CRISIS_SUICIDE].grade >= CRISIS_HIGH, "%s", texts[i]);
    }
}

static void cuts_change_nothing(void)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        const struct crisis_finding whole = support_crisis_read(messages[i].text, 0);
        for (size_t chunk = 1; chunk <= 7; chunk++) {
            const struct crisis_finding cut = support_crisis_read(messages[i].text, chunk);
            for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
                const struct crisis_signal *a = &whole.signals[kind], *b = &cut.signals[kind];
                CHECK(a->rule == b->rule && a->grade == b->grade && a->start == b->start
                          && a->end == b->end && a->polarity == b->polarity
                          && a->subject == b->subject && a->time == b->time,
                      "by %zu: %s", chunk, messages[i].text);
            }
        }
    }
}

static void spans_lie_in_the_text(void)
{
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        const struct crisis_finding found = support_crisis_read(messages[i].text, 0);
        for (int kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
            const struct crisis_signal *signal = &found.signals[kind];
            CHECK(signal->rule == 0
                      || (signal->start < signal->end && signal->end <= strlen(messages[i].text)),
                  "%s", messages[i].text);
        }
    }
}

/* ---- conversations --------------------------------------------------------------------------- */

static const struct {
    const char *turns[6]; /* "A: " of the assistant; up to NULL */
    enum crisis_grade grade;
    enum crisis_polarity polarity;
} talks[] = {
    {{"A: Are you thinking of killing yourself?", "yes i am"}, CRISIS_HIGH, CRISIS_SAID},
    {{"A: Are you thinking about suicide?", "yeah"}, CRISIS_HIGH, CRISIS_SAID},
    {{"A: Are you having thoughts of ending your life?", "no"}, CRISIS_NONE, CRISIS_DENIED},
    {{"A: Are you suicidal?", "Not really."}, CRISIS_NONE, CRISIS_DENIED},
    {{"A: Do you want to die?", "sometimes"}, CRISIS_HIGH, CRISIS_SAID},
    {{"A: Do you want to die?", "maybe"}, CRISIS_LOW, CRISIS_SAID},
    {{"A: Thoughts that you would be better off dead?", "several days"}, CRISIS_HIGH, CRISIS_SAID},
    {{"i feel awful", "A: Do you mean suicide?", "yes"}, CRISIS_HIGH, CRISIS_SAID},
    {{"A: \u00bfPiensas en suicidarte?", "si"}, CRISIS_HIGH, CRISIS_SAID},
    {{"A: \u00bfPiensas en suicidarte?", "no, nunca"}, CRISIS_NONE, CRISIS_DENIED},
    {{"A: Have you thought about hurting yourself?", "yes"}, CRISIS_HIGH, CRISIS_SAID},
    {{"i want to die", "a pistol is in the closet"}, CRISIS_IMMINENT, CRISIS_SAID},
    {{"A: Do you want to hurt yourself?", "what time is it"}, CRISIS_NONE, CRISIS_SAID},
    {{"A: Do you like soup?", "yes"}, CRISIS_NONE, CRISIS_SAID},
    {{"A: Suicide is never the answer. You are not alone.", "yes"}, CRISIS_NONE, CRISIS_SAID},
    {{"A: Do you want to die?", "i like soup", "yes"}, CRISIS_NONE, CRISIS_SAID},
    {{"i want to die", "A: Do you have a plan?", "yes"}, CRISIS_IMMINENT, CRISIS_SAID},
    {{"i want to die", "A: Do you have a plan?", "no"}, CRISIS_HIGH, CRISIS_SAID},
    {{"i want to die", "i have a bottle of pills next to me"}, CRISIS_IMMINENT, CRISIS_SAID},
    {{"I want to die", "ok", "i have a plan"}, CRISIS_IMMINENT, CRISIS_SAID},
    {{"i have a gun", "i want to kill myself"}, CRISIS_IMMINENT, CRISIS_SAID},
    {{"i want to die", "tonight i will cook dinner"}, CRISIS_HIGH, CRISIS_SAID},
    {{"i dont want to die", "i have a gun"}, CRISIS_NONE, CRISIS_DENIED},
    {{"I want to kill myself", "sorry, i am fine now"}, CRISIS_HIGH, CRISIS_SAID},
    {{"A: I want to kill myself, said Hamlet.", "ok"}, CRISIS_NONE, CRISIS_SAID},
};

static void conversations_add_up(void)
{
    for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++) {
        struct crisis_reader *reader = NULL;
        const enum status status = crisis_reader_create(support_crisis_rules(), &reader);
        CHECK(status == STATUS_OK, "%s", status_name(status));
        for (size_t k = 0; status == STATUS_OK && k < 6 && talks[i].turns[k]; k++) {
            const char *turn = talks[i].turns[k];
            const bool is_assistant = strncmp(turn, "A: ", 3) == 0;
            turn += is_assistant ? 3 : 0;
            crisis_reader_begin(reader, is_assistant ? CRISIS_ASSISTANT : CRISIS_PERSON);
            crisis_reader_feed(reader, turn, strlen(turn));
            crisis_reader_end(reader);
        }
        const struct crisis_finding *found = crisis_reader_found(reader);
        const struct crisis_signal *signal = &found->signals[CRISIS_SUICIDE];
        CHECK(found->grade == talks[i].grade && signal->polarity == talks[i].polarity,
              "talk %zu (%s): %s", i, talks[i].turns[0], crisis_grade_name(found->grade));
        crisis_reader_destroy(reader);
    }
}

/* ---- files ----------------------------------------------------------------------------------- */

static const char good[] = "language: xx\nversion: 1\nclasses:\n  self: me myself\n"
                           "phrases:\n  end_it: |\n    end (it|@self) [..2 now]\n"
                           "rules:\n  - id: 1\n    kind: suicide\n    grade: high\n"
                           "    say: |\n      will ..3 @end_it\n";

static const struct {
    const char *from, *to, *told; /* of `good`; what the failure says */
} wrongs[] = {
    {"kind: suicide", "kind: sadness", "x.yaml:10: kind"},
    {"grade: high", "grade: huge", "x.yaml:11: grade"},
    {"id: 1", "id: 0", "x.yaml:9: "},
    {"id: 1\n", "id: 1\n    colour: red\n", "colour"},
    {"will ..3 @end_it", "will ..3 @nothing", "x.yaml:12: say: no class or phrase"},
    {"will ..3 @end_it", "will ..33 @end_it", "x.yaml:12: say: a gap"},
    {"will ..3 @end_it", "will (now @end_it", "x.yaml:12: say: a bracket"},
    {"will ..3 @end_it", "will now) @end_it", "x.yaml:12: say: no bracket"},
    {"will ..3 @end_it", "will () @end_it", "x.yaml:12: say: an empty"},
    {"will ..3 @end_it", "Will @end_it", "x.yaml:12: say: not a word"},
    {"will ..3 @end_it", "[will] ..3 [now]", "x.yaml:12: say: no word"},
    {"will ..3 @end_it", "((((((((a))))))))", "x.yaml:12: say: too many"},
    {"will ..3 @end_it", "# nothing", "x.yaml:12: say: it has no pattern"},
    {"  self: me myself", "  number: me myself", "the name"},
    {"language: xx", "langauge: xx", "langauge"},
    {"rules:\n  - id: 1", "rules:\n    id: 1", "rules must be a list"},
};

static void wrong_files_are_refused(void)
{
    char text[1024];
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct crisis_rules *rules = NULL;
        struct failure failure = {""};
        const char *at = strstr(good, wrongs[i].from);
        CHECK(at != NULL, "%s", wrongs[i].from);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at ? at - good : 0), good, wrongs[i].to,
                 at ? at + strlen(wrongs[i].from) : "");
        const enum status status =
            crisis_rules_parse(text, strlen(text), "x.yaml", &rules, &failure);
        CHECK(status == STATUS_INVALID && strstr(failure.text, wrongs[i].told), "case %zu: %s: %s",
              i, status_name(status), failure.text);
        crisis_rules_destroy(rules);
    }
}

static void a_small_file_is_read(void)
{
    struct crisis_rules *rules = NULL;
    struct crisis_reader *reader = NULL;
    struct failure failure = {""};
    enum status status = crisis_rules_parse(good, strlen(good), "x.yaml", &rules, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
    status = status == STATUS_OK ? crisis_reader_create(rules, &reader) : status;
    if (status == STATUS_OK) {
        static const char text[] = "they will then, at last, end MYSELF.";
        crisis_reader_begin(reader, CRISIS_PERSON);
        crisis_reader_feed(reader, text, strlen(text));
        crisis_reader_end(reader);
        const struct crisis_signal *signal = &crisis_reader_last(reader)->signals[CRISIS_SUICIDE];
        CHECK(signal->rule == 1 && signal->start == 5 && signal->end == strlen(text) - 1,
              "rule %u at %d", signal->rule, (int)signal->start);
    }
    crisis_reader_destroy(reader);
    crisis_rules_destroy(rules);
}

CHECK_MAIN(messages_tell_what_they_tell, wording_does_not_matter, cuts_change_nothing,
           spans_lie_in_the_text, conversations_add_up, wrong_files_are_refused,
           a_small_file_is_read)
