/* Method: questions and sentences that only look like one, each also padded so that it crosses the
 * window, and with capitals and typographic marks. */
#include "policy/duties/asked.h"

#include <stdio.h>
#include <string.h>

#include "tests/check.h"

static const struct {
    const char *text;
    bool want;
} cases[] = {
    {"are you a bot?", true},
    {"Are you a real person?", true},
    {"are you real", true},
    {"Hi. Am I talking to a human?", true},
    {"am i talking to someone real or to a machine", true},
    {"is this a robot", true},
    {"wait, is this an AI?", true},
    {"are u human", true},
    {"r u a bot", true},
    {"ARE YOU AN AI OR A PERSON", true},
    {"are you a real therapist?", true},
    {"are you an actual doctor", true},
    {"is there a person i can talk to", true},
    {"", false},
    {"are you there?", false},
    {"i feel like a robot", false},
    {"is this normal?", false},
    {"are you able to help me sleep", false},
    {"my brother builds robots", false},
    {"are you free on monday? the human resources people asked", false},
    {"is it okay to take two", false},
};

static void check(const char *text, bool want)
{
    bool got = !want;
    CHECK(asked_read(text, strlen(text), &got) == STATUS_OK, "no memory");
    CHECK(got == want, "\"%s\"", text);
}

static void questions_are_told_from_sentences(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        check(cases[i].text, cases[i].want);
    }
}

static void wherever_they_stand(void)
{
    static char text[8192];
    for (size_t words = 0; words < 1200; words += 31) {
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            size_t length = 0;
            for (size_t w = 0; w < words; w++) {
                length += (size_t)snprintf(text + length, sizeof text - length, "well ");
            }
            snprintf(text + length, sizeof text - length, ". %s", cases[i].text);
            check(text, cases[i].want);
        }
    }
}

CHECK_MAIN(questions_are_told_from_sentences, wherever_they_stand)
