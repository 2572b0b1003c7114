/* Method: a table of answers as people write them, with what a careful interviewer would enter, or
 * that she would ask again. Rows marked UNSURE matter most: a wrong reading is worse than another
 * question. Then the same answers in other dress: capitals, full-width digits, stray spaces. */
#include <ctype.h>
#include <string.h>

#include "policy/instruments/instrument.h"
#include "tests/check.h"

enum { UNSURE = -1, DECLINED = -2, TEXT_BYTES = 512 };

static const struct {
    const char *text;
    int want; /* an option, UNSURE or DECLINED */
} cases[] = {
    /* numbers */
    {"0", 0},
    {"1", 1},
    {"2", 2},
    {"3", 3},
    {" 2 ", 2},
    {"2.", 2},
    {"2!", 2},
    {"(3)", 3},
    {"#1", 1},
    {"\"2\"", 2},
    {"zero", 0},
    {"one", 1},
    {"two", 2},
    {"three", 3},
    {"Three.", 3},
    {"a 3", 3},
    {"i'd say 2", 2},
    {"Id say a 2", 2},
    {"I\u2019d say 2", 2},
    {"maybe 2?", UNSURE},
    {"maybe 2", 2},
    {"probably a 1", 1},
    {"i guess 1", 1},
    {"option 3", 3},
    {"number two", 2},
    {"my answer is 0", 0},
    {"answer: 3", 3},
    {"it's 2", 2},
    {"its a 3 for this one", 3},
    {"for this one i would say one", 1},
    {"3 definitely", 3},
    {"um... 2 i think", 2},
    {"2 \U0001F622", 2},
    {"3 \U0001F62D\U0001F62D", 3},
    {"\uFF12", 2},
    {"3 - nearly every day", 3},
    {"2 (more than half the days)", 2},
    {"0 not at all", 0},
    {"3/3", 3},
    {"4", UNSURE},
    {"10", UNSURE},
    {"99999999999999999999", UNSURE},
    {"-1", UNSURE},
    {"- 1", 1},
    {"1.5", UNSURE},
    {"2 or 3", UNSURE},
    {"1-2", UNSURE},
    {"between 1 and 2", UNSURE},
    {"2/3", UNSURE},
    {"3/10", UNSURE},
    {"2+", UNSURE},
    {"<3", UNSURE},
    {":3", UNSURE},
    {"50%", UNSURE},
    {"$2", UNSURE},
    {"the third one", UNSURE},
    {"1 2 3", UNSURE},
    {"i slept 3 hours", UNSURE},
    {"i have 2 kids", UNSURE},
    {"not 3", UNSURE},
    {"3 times", UNSURE},
    {"2 weeks", UNSURE},
    {"no one", UNSURE},
    {"one of those", UNSURE},
    /* the options' own words */
    {"Not at all", 0},
    {"not at all.", 0},
    {"Several days", 1},
    {"several days i guess", 1},
    {"More than half the days", 2},
    {"more then half the days", 2},
    {"more than half", 2},
    {"Nearly every day", 3},
    {"NEARLY EVERY DAY", 3},
    {"nearly every day!!", 3},
    {"nearly evry day", 3},
    {"sevral days", 1},
    {"not atall", 0},
    {"mor than half the days", 2},
    {"not  at   all", 0},
    {"not\nat all", 0},
    /* paraphrases of none */
    {"never", 0},
    {"never ever", 0},
    {"Never!", 0},
    {"no", 0},
    {"nope", 0},
    {"nah", 0},
    {"none", 0},
    {"not once", 0},
    {"not even once", 0},
    {"not a single day", 0},
    {"no days", 0},
    {"not any day", 0},
    {"i haven't been bothered", 0},
    {"it doesn't bother me", 0},
    {"i never feel like that", 0},
    {"i've never felt that way", 0},
    {"no problem", 0},
    {"hasn't happened", UNSURE},
    {"it hasnt happened", 0},
    {"none at all", 0},
    {"none of the time", 0},
    {"not in the last two weeks", 0},
    {"absolutely not", 0},
    {"i dont feel like that at all", 0},
    {"not depressed at all", 0},
    {"no trouble sleeping", 0},
    {"hardly", 0},
    {"hardly ever", 0},
    {"hardly at all", 0},
    {"rarely", 0},
    {"almost never", 0},
    {"not really", 0},
    {"no not really", 0},
    {"not that often", 0},
    {"barely", 0},
    {"i don't think so", 0},
    {"seldom", 0},
    {"very rarely", 0},
    {"hardly any days", 0},
    {"never tired", 0},
    {"0 days", 0},
    {"zero days", 0},
    /* of several days */
    {"several", 1},
    {"some days", 1},
    {"a few days", 1},
    {"few days", 1},
    {"a couple of days", 1},
    {"a couple days", 1},
    {"sometimes", 1},
    {"sometimes i guess", 1},
    {"occasionally", 1},
    {"now and then", 1},
    {"every now and then", 1},
    {"once in a while", 1},
    {"on and off", 1},
    {"from time to time", 1},
    {"a few times", 1},
    {"a few days a week", 1},
    {"a couple of days a week", 1},
    {"several nights", 1},
    {"here and there", 1},
    {"some of the time", 1},
    {"just on weekends", 1},
    {"once a week", 1},
    {"twice a week", 1},
    {"3 days", 1},
    {"three days", 1},
    {"about 4 days", 1},
    {"5 or 6 days", 1},
    {"5-6 days", 1},
    {"3 to 4 days", 1},
    {"2 days a week", 1},
    {"three times a week", 1},
    {"6 days out of 14", 1},
    {"3days", 1},
    {"i feel down some days", 1},
    {"two days a week", 1},
    /* of more than half */
    {"most days", 2},
    {"Most days tbh", 2},
    {"most of the time", 2},
    {"most nights", 2},
    {"most of the days", 2},
    {"more days than not", 2},
    {"over half the days", 2},
    {"more often than not", 2},
    {"most days of the week", 2},
    {"the majority of the days", 2},
    {"10 days", 2},
    {"eight days", 2},
    {"4 days a week", 2},
    {"4 or 5 days a week", 2},
    {"9 out of 14 days", 2},
    {"9 of the 14 days", 2},
    {"i feel tired most days", 2},
    /* of nearly every day */
    {"every day", 3},
    {"everyday", 3},
    {"daily", 3},
    {"every single day", 3},
    {"all the time", 3},
    {"always", 3},
    {"constantly", 3},
    {"almost every day", 3},
    {"pretty much every day", 3},
    {"every night", 3},
    {"all day every day", 3},
    {"nonstop", 3},
    {"24/7", 3},
    {"day in day out", 3},
    {"almost daily", 3},
    {"nearly always", 3},
    {"each day", 3},
    {"the whole two weeks", 3},
    {"12 days", 3},
    {"14 days", 3},
    {"7 days a week", 3},
    {"6 days a week", 3},
    {"thirteen days", 3},
    {"yes, every day", 3},
    {"honestly every single day", 3},
    {"i worry all the time", 3},
    {"i can't sleep nearly every day", 3},
    {"literally every day lol", 3},
    {"like every day", 3},
    {"over the last 2 weeks every day", 3},
    {"every damn day", 3},
    {"in the past two weeks i felt hopeless almost every day", 3},
    /* one thing denied, another said; taken back */
    {"not every day but most days", 2},
    {"not every day, just some days", 1},
    {"not 3 but 2", 2},
    {"not never, but rarely", 0},
    {"1, no wait, 2", 2},
    {"3 sorry i meant 2", 2},
    {"never. actually several days", 1},
    {"3 actually", 3},
    {"idk... sorry, several days", 1},
    /* what must be asked again */
    {"", UNSURE},
    {" ", UNSURE},
    {"...", UNSURE},
    {"?", UNSURE},
    {"yes", UNSURE},
    {"yeah", UNSURE},
    {"maybe", UNSURE},
    {"idk", UNSURE},
    {"i don't know", UNSURE},
    {"not sure", UNSURE},
    {"not every day", UNSURE},
    {"not several days", UNSURE},
    {"not never", UNSURE},
    {"it isn't every day", UNSURE},
    {"not just several days", UNSURE},
    {"often", UNSURE},
    {"a lot", UNSURE},
    {"sort of", UNSURE},
    {"it depends", UNSURE},
    {"usually", UNSURE},
    {"several days or more", UNSURE},
    {"more than several days", UNSURE},
    {"less than half the days", UNSURE},
    {"at least several days", UNSURE},
    {"worse", UNSURE},
    {"never or every day", UNSURE},
    {"sometimes never", UNSURE},
    {"once", UNSURE},
    {"never, well nearly every day", UNSURE},
    {"half the time", UNSURE},
    {"one day", UNSURE},
    {"1 day", UNSURE},
    {"6 or 7 days", UNSURE},
    {"15 days", UNSURE},
    {"100 days", UNSURE},
    {"8 days a week", UNSURE},
    {"once or twice", UNSURE},
    {"i feel fine most days", UNSURE},
    {"nearly every day i feel good", UNSURE},
    {"i never sleep", UNSURE},
    {"i never have energy", UNSURE},
    {"i'm not at all happy", UNSURE},
    {"nothing helps", UNSURE},
    {"i used to every day", UNSURE},
    {"every day last year but not now", UNSURE},
    {"my sister nearly every day", UNSURE},
    {"what does several days mean?", UNSURE},
    {"is it 2?", UNSURE},
    {"i have energy every day", UNSURE},
    {"i can't stop", UNSURE},
    {"i want to stop worrying", UNSURE},
    {"i can never stop worrying", UNSURE},
    {"i skip meals", UNSURE},
    {"i just want it to end", UNSURE},
    {"no energy", UNSURE},
    {"weekly", UNSURE},
    {"2nd", UNSURE},
    {"\xff\xfe", UNSURE},
    {"\u6bcf\u5929", UNSURE},
    {"three hundred", UNSURE},
    {"my number is 2025550143", UNSURE},
    {"less", UNSURE},
    {"not even several days", UNSURE},
    {"don't worry", UNSURE},
    {"cant say", UNSURE},
    {"it isn't nothing", UNSURE},
    {"skip 3", UNSURE},
    {"i'd rather not say but 3", UNSURE},
    /* declined */
    {"skip", DECLINED},
    {"Skip.", DECLINED},
    {"skip this one", DECLINED},
    {"pass", DECLINED},
    {"stop", DECLINED},
    {"STOP", DECLINED},
    {"please stop", DECLINED},
    {"can we stop?", DECLINED},
    {"i'd rather not say", DECLINED},
    {"I\u2019d rather not say", DECLINED},
    {"i would rather not", DECLINED},
    {"prefer not to answer", DECLINED},
    {"i don't want to answer that", DECLINED},
    {"dont wanna talk about it", DECLINED},
    {"no comment", DECLINED},
    {"none of your business", DECLINED},
    {"quit", DECLINED},
    {"next question please", DECLINED},
    {"i want to stop now", DECLINED},
    {"no thanks", DECLINED},
    {"could we skip this question?", DECLINED},
    {"leave me alone", DECLINED},
    {"i'd rather not say because it is private", DECLINED},
    {"cancel", DECLINED},
    {"i'm not comfortable sharing", DECLINED},
    {"i won't answer this", DECLINED},
    {"stop asking me this", DECLINED},
    {"enough", DECLINED},
    {"end this", DECLINED},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0] };
_Static_assert(CASE_COUNT >= 150, "as many answers as were promised");

static struct instrument *instrument;

static int read_answer(const char *text, size_t length)
{
    uint32_t option = 0;
    switch (instrument_read(instrument, text, length, &option)) {
    case ANSWER_READ:
        return (int)option;
    case ANSWER_DECLINED:
        return DECLINED;
    case ANSWER_UNSURE:
        break;
    }
    return UNSURE;
}

static void every_answer_is_read_as_meant(void)
{
    for (size_t i = 0; i < CASE_COUNT; i++) {
        const int got = read_answer(cases[i].text, strlen(cases[i].text));
        CHECK(got == cases[i].want, "\"%s\": %d, not %d", cases[i].text, got, cases[i].want);
    }
}

/* Writes ASCII letters and digits as full-width ones. */
static size_t widen(const char *text, char *out)
{
    size_t length = 0;
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        if (isalnum(c)) {
            const unsigned point = 0xFF00U + c - 0x20U;
            out[length++] = (char)(0xE0 | point >> 12);
            out[length++] = (char)(0x80 | (point >> 6 & 0x3F));
            out[length++] = (char)(0x80 | (point & 0x3F));
        } else {
            out[length++] = (char)c;
        }
    }
    return length;
}

static void dress_does_not_matter(void)
{
    for (size_t i = 0; i < CASE_COUNT; i++) {
        char upper[TEXT_BYTES], wide[3 * TEXT_BYTES];
        const size_t length = strlen(cases[i].text);
        for (size_t k = 0; k <= length; k++) {
            upper[k] = (char)toupper((unsigned char)cases[i].text[k]);
        }
        CHECK(read_answer(upper, length) == cases[i].want, "\"%s\"", upper);
        const size_t wide_length = widen(cases[i].text, wide);
        CHECK(read_answer(wide, wide_length) == cases[i].want, "\"%.*s\"", (int)wide_length, wide);
    }
}

/* However long: asked again, and soon. */
static void a_long_answer_is_unsure(void)
{
    static char text[1 << 20];
    for (size_t i = 0; i + 6 <= sizeof text; i += 6) {
        memcpy(text + i, "never ", 6);
    }
    CHECK(read_answer(text, sizeof text) == UNSURE, "a million bytes");
    CHECK(read_answer(text, 6 * 20) == 0, "twenty times never");
    memset(text, 'a', sizeof text);
    CHECK(read_answer(text, sizeof text) == UNSURE, "one long word");
}

static void open_instrument(void)
{
    struct failure failure = {""};
    const enum status status = instrument_create("phq-9", &instrument, &failure);
    CHECK(status == STATUS_OK, "%s", failure.text);
}

static void close_instrument(void)
{
    instrument_destroy(instrument);
}

CHECK_MAIN(open_instrument, every_answer_is_read_as_meant, dress_does_not_matter,
           a_long_answer_is_unsure, close_instrument)
