/* Method: rows of texts with what is spotted written in its place, each fed whole and in cuts of 1
 * to 7 bytes, which must spot the same. Then the same of random texts put together from nasty
 * pieces, with a bound on what a candidate holds. */
#include "policy/filter/spot/spotter.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/random.h"
#include "tests/check.h"

static const struct tenant_id reader = {1}, other = {2}, anybody = {0};

struct run {
    const char *text;
    uint64_t at;
    struct buffer out;
};

static enum status take(void *context, const struct spot *spot)
{
    struct run *const run = context;
    CHECK(spot->start >= run->at && spot->end > spot->start, "spots stand in order");
    enum status status =
        buffer_append(&run->out, run->text + run->at, (size_t)(spot->start - run->at));
    run->at = spot->end;
    if (status == STATUS_OK) {
        switch (spot->what) {
        case SPOT_CANARY:
            return buffer_append_text(&run->out, "<canary>");
        case SPOT_PLACEHOLDER:
            return buffer_format(&run->out, "<%s %u>", policy_kind_name(spot->kind), spot->number);
        case SPOT_HOTLINE:
            return buffer_format(&run->out, "<%s>", spot->text);
        case SPOT_CLAIM:
            return buffer_append_text(&run->out, spot->text[0] == 'A' ? "<as>" : "<claim>");
        }
    }
    return status;
}

/* What the text becomes, fed in cuts of so many bytes. The caller frees. */
static char *spot(const struct spotter_terms *terms, const char *text, size_t length, size_t cut)
{
    struct run run = {.text = text, .out = {.limit_bytes = 1 << 20}};
    struct spotter *spotter = NULL;
    bool is_good = spotter_create(terms, &spotter) == STATUS_OK;
    for (size_t at = 0; is_good && at < length; at += cut) {
        is_good =
            spotter_feed(spotter, text + at, length - at < cut ? length - at : cut, take, &run)
            == STATUS_OK;
        const uint64_t fed = length - at < cut ? length : at + cut;
        CHECK(spotter_clear(spotter) >= run.at && spotter_clear(spotter) <= fed, "clear");
        CHECK(fed - spotter_clear(spotter) <= 2 * WINDOW_RAW, "a candidate has a bound");
    }
    is_good = is_good && spotter_end(spotter, take, &run) == STATUS_OK
              && buffer_append(&run.out, text + run.at, length - (size_t)run.at) == STATUS_OK
              && buffer_append(&run.out, "", 1) == STATUS_OK;
    CHECK(is_good, "fed");
    spotter_destroy(spotter);
    return run.out.bytes;
}

static void check(const struct spotter_terms *terms, const char *text, const char *want)
{
    for (size_t cut = 1; cut <= 8; cut++) {
        char *const got = spot(terms, text, strlen(text), cut == 8 ? 4096 : cut);
        CHECK(got && strcmp(got, want) == 0, "cut %zu: \"%s\" became \"%s\", not \"%s\"", cut, text,
              got ? got : "", want);
        free(got);
    }
}

/* ---- placeholders ---------------------------------------------------------------------------- */

static const struct {
    const char *text, *want;
} placeholders[] = {
    {"Dear [NAME_1], hello", "Dear <NAME 1>, hello"},
    {"[NAME_1]'s and [DATE_22].", "<NAME 1>'s and <DATE 22>."},
    {"[NAME_1][NAME_2]", "<NAME 1><NAME 2>"},
    {"[name_1] [Name_3]", "<NAME 1> <NAME 3>"},
    {"\\[NAME\\_1\\] and [AGE90_1]", "<NAME 1> and <AGE90 1>"},
    {"[[NAME_1]]", "[<NAME 1>]"},
    {"**[PHONE_999999999]**", "**<PHONE 999999999>**"},
    {"[NAME 1]", "[NAME 1]"}, /* as text of a person becomes that stood for nothing */
    {"[NAME_01] [NAME_0]", "[NAME_01] [NAME_0]"},
    {"[NAME_1234567890]", "[NAME_1234567890]"},
    {"[NAME_] [NAME_1 [NAME_x]", "[NAME_] [NAME_1 [NAME_x]"},
    {"[NOTE_1] [_1] [NAME-1] NAME_1", "[NOTE_1] [_1] [NAME-1] NAME_1"},
    {"[NAME_1", "[NAME_1"},
    {"[NAME_\n1]", "[NAME_\n1]"},
    {"[NA\xe2\x80\x8bME_1]", "<NAME 1>"}, /* a zero-width space inside */
    {"\\", "\\"},
    {"", ""},
};

static void placeholders_are_spotted(void)
{
    const struct spotter_terms terms = {.finds_placeholders = true};
    for (size_t i = 0; i < sizeof placeholders / sizeof placeholders[0]; i++) {
        check(&terms, placeholders[i].text, placeholders[i].want);
    }
}

/* ---- claims ---------------------------------------------------------------------------------- */

static const struct {
    const char *text, *want;
} claims[] = {
    {"I am a licensed therapist.", "<claim>."},
    {"Hello! I'm your therapist, and I will listen.", "Hello! <claim>, and I will listen."},
    {"I\xe2\x80\x99m a board-certified psychiatrist with years of practice. Good.",
     "<claim>. Good."},
    {"I am really a licensed clinical social worker", "<claim>"},
    {"I am human!", "<claim>!"},
    {"Yes, I am a real person.", "Yes, <claim>."},
    {"I am a mental health professional; ask me", "<claim>; ask me"},
    {"As your therapist, I suggest rest.", "<as>, I suggest rest."},
    {"as a nurse I know", "<as> I know"},
    {"Think of me as your therapist.", "Think of me <as>."},
    {"I can diagnose you with this\nnext", "<claim>\nnext"},
    {"I can treat you here. I can treat your pain.", "<claim>. <claim>."},
    {"I am able to prescribe medication.", "<claim>."},
    {"She is kind and I am a doctor.", "She is kind and <claim>."},
    {"I can assure you that I am a doctor.", "I can assure you that <claim>."},
    /* denied */
    {"I am not a therapist.", "I am not a therapist."},
    {"I'm not a licensed doctor, I am an AI.", "I'm not a licensed doctor, I am an AI."},
    {"I can't diagnose you. I cannot treat you.", "I can't diagnose you. I cannot treat you."},
    {"I can not prescribe", "I can not prescribe"},
    {"I am no human", "I am no human"},
    /* something else */
    {"I am an AI assistant. I am here.", "I am an AI assistant. I am here."},
    {"I am an AI and a human therapist can help.", "I am an AI and a human therapist can help."},
    {"I am a therapist's helper", "I am a therapist's helper"},
    {"I am a virtual nurse assistant", "I am a virtual nurse assistant"},
    {"I am a doctor-built tool", "I am a doctor-built tool"},
    {"talk to someone such as your therapist or doctor",
     "talk to someone such as your therapist or doctor"},
    {"as your doctor may have said", "as your doctor may have said"},
    {"I will treat you with respect.", "I will treat you with respect."},
    {"I can treat this gently", "I can treat this gently"},
    {"I am a", "I am a"},
    {"I am", "I am"},
    /* of others */
    {"You could say: I am a nurse.", "You could say: I am a nurse."},
    {"She said \"I am a nurse\" twice.", "She said \"I am a nurse\" twice."},
    {"\xe2\x80\x9cWell, I am a nurse,\xe2\x80\x9d she said.",
     "\xe2\x80\x9cWell, I am a nurse,\xe2\x80\x9d she said."},
    {"She told me that I am a doctor", "She told me that I am a doctor"},
    {"If I am a nurse, what then", "If I am a nurse, what then"},
    {"\"Quoted.\" I am a nurse.", "\"Quoted.\" <claim>."},
};

static void claims_are_spotted(void)
{
    const struct spotter_terms terms = {.finds_claims = true};
    for (size_t i = 0; i < sizeof claims / sizeof claims[0]; i++) {
        check(&terms, claims[i].text, claims[i].want);
    }
}

/* ---- canaries -------------------------------------------------------------------------------- */

static const struct {
    const char *text, *want;
} canary_rows[] = {
    {"the code is WARD-canary-7f3a91.", "the code is <canary>."},
    {"ward Canary 7F3A91", "<canary>"},
    {"ward-canary-7f3a91bb", "<canary>"}, /* it goes on */
    {"ward-canary-7f3a9", "ward-canary-7f3a9"},
    {"ward-canary, ward-canary-7f3a91", "ward-canary, <canary>"},
    {"their plan of tuesday", "<canary>"},
    {"my own secret", "my own secret"}, /* the reader's */
    {"blue heron at the\nquiet pond", "<canary>"},
    {"blue heron at dawn", "blue heron at dawn"},
    {"\xef\xbd\x97\xef\xbd\x81\xef\xbd\x92\xef\xbd\x84 canary 7f3a91", "<canary>"}, /* full width */
};

static void canaries_are_spotted(void)
{
    const struct {
        struct tenant_id tenant;
        const char *text;
    } planted[] = {{anybody, "ward-canary-7f3a91"},
                   {other, "their plan of Tuesday"},
                   {reader, "my own secret"},
                   {other, "blue heron at the quiet pond"}};
    struct canaries *canaries = NULL;
    for (size_t i = 0; i < sizeof planted / sizeof planted[0]; i++) {
        struct canaries *more = NULL;
        CHECK(canaries_plant(canaries, planted[i].tenant, planted[i].text, strlen(planted[i].text),
                             &more)
                  == STATUS_OK,
              "planted %zu", i);
        canaries_release(canaries);
        canaries = more;
    }
    const struct spotter_terms terms = {.canaries = canaries, .reader = reader};
    for (size_t i = 0; i < sizeof canary_rows / sizeof canary_rows[0]; i++) {
        check(&terms, canary_rows[i].text, canary_rows[i].want);
    }
    canaries_release(canaries);
}

static void canaries_have_limits(void)
{
    struct canaries *canaries = NULL;
    struct canaries *more = NULL;
    char text[CANARY_BYTES + 1];
    memset(text, 'x', sizeof text);
    CHECK(canaries_plant(NULL, anybody, "ab - cde", 8, &more) == STATUS_INVALID, "too short");
    CHECK(canaries_plant(NULL, anybody, text, sizeof text, &more) == STATUS_TOO_LARGE, "too long");
    for (int i = 0; i < CANARIES_MAX; i++) {
        const int length = snprintf(text, sizeof text, "planted %d words", i);
        CHECK(canaries_plant(canaries, anybody, text, (size_t)length, &more) == STATUS_OK, "%d", i);
        canaries_release(canaries);
        canaries = more;
    }
    CHECK(canaries_plant(canaries, anybody, "one more", 8, &more) == STATUS_FULL, "full");
    const struct spotter_terms terms = {.canaries = canaries};
    check(&terms, "planted 0 words, planted 1023 words", "<canary>, <canary>");
    check(&terms, "planted 1024 words", "planted 1024 words");
    canaries_release(canaries);
}

/* ---- hotlines -------------------------------------------------------------------------------- */

static const struct {
    const char *text, *want;
} hotlines[] = {
    {"Please call the suicide lifeline at 1-800-555-0199 now.",
     "Please call the suicide lifeline at <988> now."},
    {"1-800-555-0199 is the suicide lifeline.", "<988> is the suicide lifeline."},
    {"Call 988 now.", "Call 988 now."},
    {"In 2019 we had 3 visits, 1.5 hours, $988.", "In 2019 we had 3 visits, 1.5 hours, $988."},
    {"My office is 555-0100.", "My office is 555-0100."},
};

static void hotlines_are_spotted(void)
{
    struct resources *resources = NULL;
    struct failure failure = {""};
    CHECK(resources_create("us", NULL, &resources, &failure) == STATUS_OK, "%s", failure.text);
    const struct spotter_terms terms = {.resources = resources};
    for (size_t i = 0; resources && i < sizeof hotlines / sizeof hotlines[0]; i++) {
        check(&terms, hotlines[i].text, hotlines[i].want);
    }
    resources_destroy(resources);
}

/* A candidate that goes on and on ends at its bound: the text in front of it is not held for ever.
 */
static void a_candidate_has_a_bound(void)
{
    enum { TIMES = 4000 };
    static const char *const fillers[] = {" ", "\xe2\x80\x8b", " - ", "\n"};
    struct canaries *canaries = NULL;
    CHECK(canaries_plant(NULL, anybody, "ward-canary-7f3a91", 18, &canaries) == STATUS_OK, "plant");
    const struct spotter_terms terms = {true, true, canaries, NULL, reader};
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        struct buffer text = {.limit_bytes = 1 << 20};
        enum status status = buffer_append_text(&text, "I am a ward-canary");
        for (int j = 0; j < TIMES && status == STATUS_OK; j++) {
            status = buffer_append_text(&text, fillers[i]);
        }
        CHECK(status == STATUS_OK && buffer_append_text(&text, "-7f3a91 [NAME_1]") == STATUS_OK,
              "a text");
        char *const whole = spot(&terms, text.bytes, text.length, text.length);
        char *const cut = spot(&terms, text.bytes, text.length, 1);
        CHECK(whole && cut && strcmp(whole, cut) == 0, "filler %zu", i);
        CHECK(whole && strstr(whole, "<NAME 1>"), "filler %zu: what follows is seen", i);
        free(whole);
        free(cut);
        buffer_destroy(&text);
    }
    canaries_release(canaries);
}

/* ---- random texts ---------------------------------------------------------------------------- */

static const char *const pieces[] = {"[",
                                     "NAME",
                                     "_",
                                     "1",
                                     "]",
                                     "\\",
                                     "[NAME_1]",
                                     "[na",
                                     "I am ",
                                     "a ",
                                     "licensed ",
                                     "therapist",
                                     ".",
                                     "\n",
                                     "as your ",
                                     "call 1-800-",
                                     "555-",
                                     "0199",
                                     " ",
                                     "i",
                                     "ward-",
                                     "canary-",
                                     "7f3a91",
                                     "\xe2\x80\x8b",
                                     "\"",
                                     "I can ",
                                     "treat ",
                                     "you ",
                                     "not ",
                                     "\xc3\xa9",
                                     "suicide lifeline ",
                                     "\\u005b",
                                     "blue heron ",
                                     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
                                     "&#91;"};

static void cuts_change_nothing(void)
{
    enum { ROUNDS = 300, PIECES_MAX = 400 };
    struct canaries *canaries = NULL;
    struct resources *resources = NULL;
    struct failure failure = {""};
    CHECK(canaries_plant(NULL, anybody, "ward-canary-7f3a91", 18, &canaries) == STATUS_OK, "plant");
    CHECK(resources_create("us", NULL, &resources, &failure) == STATUS_OK, "%s", failure.text);
    const struct spotter_terms terms = {true, true, canaries, resources, reader};
    for (uint64_t seed = 0; seed < ROUNDS; seed++) {
        struct random_source random = {seed};
        struct buffer text = {.limit_bytes = 1 << 20};
        enum status status = STATUS_OK;
        const uint32_t count = 1 + random_below(&random, seed % 50 == 0 ? PIECES_MAX : 30);
        for (uint32_t i = 0; i < count && status == STATUS_OK; i++) {
            const uint32_t piece = random_below(&random, sizeof pieces / sizeof pieces[0]);
            const uint32_t times = random_below(&random, 40) == 0 ? 100 : 1;
            for (uint32_t j = 0; j < times && status == STATUS_OK; j++) {
                status = buffer_append_text(&text, pieces[piece]);
            }
        }
        char *const whole = spot(&terms, text.bytes, text.length, text.length);
        for (size_t cut = 1; cut <= 7; cut++) {
            char *const got = spot(&terms, text.bytes, text.length, cut);
            CHECK(got && whole && strcmp(got, whole) == 0, "seed %llu, cut %zu",
                  (unsigned long long)seed, cut);
            free(got);
        }
        free(whole);
        buffer_destroy(&text);
    }
    resources_destroy(resources);
    canaries_release(canaries);
}

CHECK_MAIN(placeholders_are_spotted, claims_are_spotted, canaries_are_spotted, canaries_have_limits,
           hotlines_are_spotted, a_candidate_has_a_bound, cuts_change_nothing)
