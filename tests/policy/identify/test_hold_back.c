/* Method: what a detector may not wait behind. Each row is a text of which the first lexeme must be
 * decided by the rest of it: asked there, none of these detectors may answer MORE. */
#include <string.h>

#include "tests/check.h"
#include "tests/policy/support_detect.h"

static const char *const texts[] = {
    " ",          "hello ",      "hello, ",  "hello. ",       "Hello! ",
    "(maybe ",    "feeling? ",   "my\n",     "and ",          "at the ",
    "one of ",    "7 days ",     "50 mg ",   "1-10 how ",     "10, ",
    "3. ",        "2024 was ",   "7/10 ",    "12.5 percent ", "therapist's ",
    "self-harm ", "- a ",        "plan: ",   "data ",         "20mg ",
    "b12 ",       "3:45 and ",   "5th ",     "F33.1 ",        "serious ",
    "password ",  "u ",          "sk it ",   "IV was ",       "I ",
    "PHQ-9 ",     "120/80 and ", "\"quote ", "[patient ",     "... ",
};

static const struct {
    const char *name;
    support_detector detect;
} detectors[] = {
    {"network", detect_network},
    {"record", detect_record},
    {"number", detect_number},
    {"secret", detect_secret},
};

static void ordinary_text_is_decided_at_once(void)
{
    struct lexicon *lexicon = NULL;
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "no lexicon");
    const struct detector_terms terms = {.lexicon = lexicon};
    const struct memory memory = {0};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct window *window = window_create(lexicon);
        CHECK(window_feed(window, texts[i], strlen(texts[i])) == strlen(texts[i]), "text %zu", i);
        const struct reading reading = {
            .view = window_view(window), .terms = &terms, .memory = &memory};
        for (size_t d = 0; d < sizeof detectors / sizeof detectors[0]; d++) {
            const struct finding finding = detectors[d].detect(&reading);
            CHECK(finding.verdict == FINDING_NO, "detect_%s at \"%s\"", detectors[d].name,
                  texts[i]);
        }
        window_destroy(window);
    }
    lexicon_destroy(lexicon);
}

CHECK_MAIN(ordinary_text_is_decided_at_once)
