/* Method: tables of texts with the one resource that must be found in each, or none; every text
 * again fed byte by byte, which must give the same. Every string of every shipped region, in every
 * case and with each kind of separator, is found whole. Corrections: a table of sentences with the
 * number in brackets and what must stand there. Regions that are wrong are refused with their line.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "policy/crisis/resources.h"
#include "tests/check.h"

enum { TEXT_BYTES = 1024 };

static struct resources *region_of(const char *name)
{
    struct failure failure = {""};
    struct resources *resources = NULL;
    const enum status status = resources_create(name, NULL, &resources, &failure);
    CHECK(status == STATUS_OK, "%s: %s", name, failure.text);
    if (!resources) {
        exit(1);
    }
    return resources;
}

/* Writes what is found, each followed by "|". step: bytes fed at a time. */
static void find_all(const struct resources *resources, const char *text, size_t step,
                     char out[TEXT_BYTES])
{
    struct window *window = window_create(NULL);
    const size_t length = strlen(text);
    size_t fed = 0;
    size_t used = 0;
    bool has_ended = false;
    while (true) {
        const struct window_view view = window_view(window);
        uint32_t count = 0;
        const enum resource_match match = resources_match(resources, &view, has_ended, &count);
        if (match == RESOURCE_MORE || (view.at == view.count && !has_ended)) {
            CHECK(!has_ended, "more after the end: %s", text);
            const size_t piece = length - fed < step ? length - fed : step;
            fed += window_feed(window, text + fed, piece);
            has_ended = fed == length;
            if (has_ended) {
                window_end(window);
            }
            continue;
        }
        if (view.at == view.count) {
            break;
        }
        if (match == RESOURCE_IS) {
            size_t raw_bytes = 0;
            const char *raw = window_raw(window, view.at, view.at + count, &raw_bytes);
            CHECK(count > 0 && view.at + count <= view.count, "%s", text);
            used += (size_t)snprintf(out + used, TEXT_BYTES - used, "%.*s|", (int)raw_bytes, raw);
        }
        for (uint32_t i = 0; i < (match == RESOURCE_IS ? count : 1); i++) {
            window_release(window);
        }
    }
    out[used] = '\0';
    window_destroy(window);
}

static void expect(const struct resources *resources, const char *text, const char *want)
{
    char whole[TEXT_BYTES];
    char pieces[TEXT_BYTES];
    find_all(resources, text, TEXT_BYTES, whole);
    CHECK(strcmp(whole, want) == 0, "\"%s\": \"%s\", not \"%s\"", text, whole, want);
    for (size_t step = 1; step <= 7; step += 3) {
        find_all(resources, text, step, pieces);
        CHECK(strcmp(whole, pieces) == 0, "\"%s\" by %zu: \"%s\"", text, step, pieces);
    }
}

static void resources_are_found(void)
{
    static const char *const rows[][2] = {
        {"Call 988 now", "988|"},
        {"call or text 988.", "988|"},
        {"9-8-8", "9-8-8|"},
        {"9 8 8, any time", "9 8 8|"},
        {"dial nine eight eight please", "nine eight eight|"},
        {"Nine-One-One", "Nine-One-One|"},
        {"988 24/7", "988|"},
        {"**988** Suicide & Crisis Lifeline", "988** Suicide & Crisis Lifeline|"},
        {"the 988 suicide and crisis lifeline, or", "988 suicide and crisis lifeline|"},
        {"SUICIDE AND CRISIS LIFELINE", "SUICIDE AND CRISIS LIFELINE|"},
        {"the National Suicide Prevention Lifeline (1-800-273-8255)",
         "National Suicide Prevention Lifeline|(1-800-273-8255|"},
        {"(800) 273-8255", "(800) 273-8255|"},
        {"+1 (800) 273-8255", "+1 (800) 273-8255|"},
        {"(+1) 800.273.8255", "(+1) 800.273.8255|"},
        {"18002738255", "18002738255|"},
        {"8002738255", "8002738255|"},
        {"1 800 273 TALK", "1 800 273 TALK|"},
        {"1-800-273-TALK (8255) is", "1-800-273-TALK (8255|"},
        {"800-273-talk", "800-273-talk|"},
        {"1800273TALK", "1800273TALK|"},
        {"one eight hundred two seven three eight two five five",
         "one eight hundred two seven three eight two five five|"},
        {"text HOME to 741741", "HOME to 741741|"},
        {"text \"HOME\" to 741-741.", "HOME\" to 741-741|"},
        {"Text **HOME** to **741741**", "HOME** to **741741|"},
        {"envía HOLA al 741741", "HOLA al 741741|"},
        {"741 741", "741 741|"},
        {"text START to 678-678", "START to 678-678|"},
        {"7-4-1-7-4-1", "7-4-1-7-4-1|"},
        {"The Trevor Project at 1-866-4-U-TREVOR", "The Trevor Project|1-866-4-U-TREVOR|"},
        {"1-866-488-7386, the TrevorLifeline", "1-866-488-7386|TrevorLifeline|"},
        {"Trans Lifeline (877-565-8860)", "Trans Lifeline|(877-565-8860|"},
        {"domestic violence hotline", "domestic violence hotline|"},
        {"1-800-799-SAFE (7233)", "1-800-799-SAFE (7233|"},
        {"https://988lifeline.org/chat/.", "https://988lifeline.org/chat/|"},
        {"988lifeline.org", "988lifeline.org|"},
        {"http://www.988lifeline.org/get-help", "http://www.988lifeline.org/get-help|"},
        {"see www.thetrevorproject.org, or", "www.thetrevorproject.org|"},
        {"[chat](https://988lifeline.org)", "https://988lifeline.org|"},
        {"tel:+18002738255", "tel:+18002738255|"},
        {"the Lifeline\xe2\x80\x94"
         "988\xe2\x80\x94is free",
         "988|"},
        {"988-trained", "988|"},
        {"Call 988.You matter", "988|"},
        {"Lifeline: 988", "988|"},
        {"sms:741741", "sms:741741|"},
        {"call 911 at 12 Elm Street", "911|"},
        {"911/988", "911|988|"},
        {"Poison Control: 1-800-222-1222", "Poison Control|1-800-222-1222|"},
        {"SAMHSA\xe2\x80\x99s National Helpline", "SAMHSA\xe2\x80\x99s National Helpline|"},
        {"9\xe2\x80\x91"
         "8\xe2\x80\x91"
         "8",
         "9\xe2\x80\x91"
         "8\xe2\x80\x91"
         "8|"},
    };
    struct resources *resources = region_of("us");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(resources, rows[i][0], rows[i][1]);
    }
    resources_destroy(resources);
}

static void others_are_not(void)
{
    static const char *const rows[] = {
        "988-555-0199",
        "988 555 0199",
        "(988) 555-0199",
        "988.555.0199",
        "555-988-1234",
        "555 988 1234",
        "9885550199",
        "9/11",
        "on 9/11/2001",
        "9-11-2001",
        "98 8",
        "MRN 988",
        "MRN: 988-1",
        "room 911",
        "911 Elm Street, Springfield",
        "988 north elm st",
        "1-800-273-8256",
        "800-273-82555",
        "1-800-273-8255-1",
        "741742",
        "7417410",
        "trevor",
        "Trevor Smith is on a project",
        "crisis",
        "the national team",
        "988lifeline.org.example.net",
        "nine eight seven",
        "(555) 010-0199",
        "https://example.com/988x",
        "+4",
        "(",
        "www",
        "one person",
        "five five nine one one two",
        "5 5 9 1 1 2",
        "my id is 4 9 8 8",
        "nine one one five five five",
        "ABC-988",
        "988-XK4",
        "911-2291",
        "x@988lifeline.org",
        "anad@clinic.example",
        "rainn.smith@clinic.example",
        "988_notes",
        "@988lifeline",
        "https://clinic.example/crisis-text-line/anna-lee",
        "clinic.example/911",
    };
    struct resources *resources = region_of("us");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect(resources, rows[i], "");
    }
    resources_destroy(resources);
}

/* ---- every string of every region ------------------------------------------------------------ */

static void spell(const char *text, int how, char out[TEXT_BYTES])
{
    size_t used = 0;
    for (size_t i = 0; text[i] && used < TEXT_BYTES - 8; i++) {
        const unsigned char c = (unsigned char)text[i];
        const bool is_ascii = c < 0x80;
        if (how == 1 && is_ascii) {
            out[used++] = (char)tolower(c);
        } else if (how == 2 && is_ascii) {
            out[used++] = (char)toupper(c);
        } else if (how == 3 && c == '-') {
            out[used++] = ' ';
        } else if (how == 4 && c == '-') {
            out[used++] = '.';
        } else if (how == 5 && c == '&') {
            used += (size_t)snprintf(out + used, 4, "and");
        } else {
            out[used++] = (char)c;
        }
    }
    out[used] = '\0';
}

static void every_string_is_found_whole(void)
{
    static const char *const regions[] = {"us", "ca", "gb"};
    for (size_t region = 0; region < 3; region++) {
        struct resources *resources = region_of(regions[region]);
        const char *text = NULL;
        size_t count = 0;
        for (; (text = resources_string(resources, count)) != NULL; count++) {
            for (int how = 0; how <= 5; how++) {
                const bool is_site = strchr(text, '.') != NULL;
                char spelled[TEXT_BYTES];
                char want[TEXT_BYTES + 1];
                spell(text, is_site && how > 2 ? 0 : how, spelled);
                snprintf(want, sizeof want, "%s|", spelled);
                expect(resources, spelled, want);
            }
        }
        CHECK(count >= 15, "%s: %zu strings", regions[region], count);
        resources_destroy(resources);
    }
}

/* ---- corrections ----------------------------------------------------------------------------- */

/* The number stands between [ and ], which are taken out. */
static void expect_right(const struct resources *resources, const char *marked, const char *want)
{
    char text[TEXT_BYTES];
    size_t length = 0;
    size_t start = 0;
    size_t end = 0;
    for (const char *at = marked; *at; at++) {
        if (*at == '[') {
            start = length;
        } else if (*at == ']') {
            end = length;
        } else {
            text[length++] = *at;
        }
    }
    struct window *window = window_create(NULL);
    CHECK(window_feed(window, text, length) == length, "%s", marked);
    window_end(window);
    const struct window_view view = window_view(window);
    uint32_t first = view.count;
    uint32_t last = view.count;
    for (uint32_t i = view.count; i-- > 0;) {
        first = view.lexemes[i].start >= start ? i : first;
        last = view.lexemes[i].start >= end ? i : last;
    }
    const char *right = "";
    const bool is_wrong = resources_correct(resources, &view, first, last, &right);
    CHECK(is_wrong == (want[0] != '\0') && strcmp(is_wrong ? right : "", want) == 0,
          "%s: \"%s\", not \"%s\"", marked, right, want);
    window_destroy(window);
}

static void wrong_numbers_are_corrected(void)
{
    static const char *const rows[][2] = {
        {"Call the National Suicide Prevention Lifeline at [1-800-555-0142].", "988"},
        {"You can reach the suicide hotline at [800-555-0142] any time", "988"},
        {"Crisis hotline: [1-800-555-0142]", "988"},
        {"The crisis line is [555-0142]", "988"},
        {"call [1-800-555-0142], the suicide prevention hotline", "988"},
        {"the Trevor Project at [1-866-555-0142]", "1-866-488-7386"},
        {"Trans Lifeline, [877-555-0142]", "1-877-565-8860"},
        {"the National Domestic Violence Hotline ([1-800-555-0142])", "1-800-799-7233"},
        {"the domestic abuse helpline [1-800-555-0142]", "1-800-799-7233"},
        {"Text HOME to [741742] to reach the Crisis Text Line", "741741"},
        {"text home to [747474]", "741741"},
        {"Text TEEN to [839864]", "839863"}, /* the last word of the file */
        {"In an emergency call [999]", "911"},
        {"If you are in danger, dial [112]", "911"},
        {"If you feel suicidal, call Samaritans on [116 123]", "988"},
        {"Veterans can call the crisis line at [1-800-555-0142]", "988"},
        {"Llame a la línea de prevención del suicidio [1-800-555-0142]", "988"},
        {"The suicide lifeline number is [989]", "988"},
        {"Poison Control: [1-800-555-0142]", "1-800-222-1222"},
        /* right ones, and what is nobody's line */
        {"call the suicide hotline at [988]", ""},
        {"call the suicide hotline at [1-800-273-8255]", ""},
        {"call the suicide hotline at [(800) 273-8255]", ""},
        {"Text HOME to [741741]", ""},
        {"the domestic violence hotline is 1-800-[799-7233]", ""},
        {"the domestic violence hotline is [799-7233]", ""},
        {"in a crisis, call my doctor at [212-555-0100]", ""},
        {"after the suicide we called the office at [212-555-0100]", ""},
        {"call our office at [555-0100]", ""},
        {"call our office at [555-0100], and in a crisis call 988", ""},
        {"In a crisis call 988. Our office is at [212-555-0100].", ""},
        {"my sister's number is [212-555-0100], she is my emergency contact", ""},
        {"emergency contact: [212-555-0100]", ""},
        {"the suicide of his brother in [1998] was hard", ""},
        {"a suicide attempt at [317] days", ""},
        {"text YES to [22333] to confirm", ""},
        {"I weighed [120] in the emergency room", ""},
        {"Ring the pharmacy at [212-555-0100]", ""},
        {"", ""},
    };
    struct resources *resources = region_of("us");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_right(resources, rows[i][0], rows[i][1]);
    }
    resources_destroy(resources);
    resources = region_of("gb");
    expect_right(resources, "In an emergency call [911]", "999");
    expect_right(resources, "if you feel suicidal call [988]", "116 123");
    expect_right(resources, "Samaritans crisis line: [0800 555 0142]", "116 123");
    expect_right(resources, "In an emergency call [999]", "");
    resources_destroy(resources);
}

static void a_tenants_own_lines_hold(void)
{
    struct resources *resources = region_of("us");
    expect(resources, "our crisis line 212-555-0142", "");
    CHECK(resources_extend(resources, "(212) 555-0142") == STATUS_OK, "number");
    CHECK(resources_extend(resources, "Riverbend Crisis Team") == STATUS_OK, "name");
    CHECK(resources_extend(resources, "riverbend.example") == STATUS_OK, "site");
    CHECK(resources_extend(resources, "") == STATUS_INVALID, "nothing");
    expect(resources, "our crisis line 212-555-0142", "212-555-0142|");
    expect(resources, "+1 212.555.0142", "+1 212.555.0142|");
    expect(resources, "the riverbend crisis team", "riverbend crisis team|");
    expect(resources, "https://riverbend.example/help", "https://riverbend.example/help|");
    expect_right(resources, "our crisis hotline is [212-555-0142]", "");
    expect_right(resources, "our crisis hotline is [212-555-0143]", "988");
    resources_destroy(resources);
}

/* ---- protocol and files ---------------------------------------------------------------------- */

/* Each kind and grade has a text that holds a number of the region. */
static void protocols_lead_to_help(void)
{
    static const struct {
        const char *region, *language, *number;
    } rows[] = {{"us", "en", "988"}, {"us", "es", "988"}, {"ca", "en", "988"}, {"gb", "en", "116"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct resources *resources = region_of(rows[i].region);
        for (unsigned kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
            for (unsigned grade = CRISIS_HIGH; grade <= CRISIS_IMMINENT; grade++) {
                const char *text = resources_protocol(resources, (enum crisis_kind)kind,
                                                      (enum crisis_grade)grade, rows[i].language);
                char found[TEXT_BYTES * 2] = "";
                find_all(resources, text ? text : "", TEXT_BYTES, found);
                CHECK(found[0] != '\0', "%s %s %u %u", rows[i].region, rows[i].language, kind,
                      grade);
            }
        }
        const char *high =
            resources_protocol(resources, CRISIS_SUICIDE, CRISIS_HIGH, rows[i].language);
        CHECK(high && strstr(high, rows[i].number), "%s", rows[i].region);
        CHECK(!resources_protocol(resources, CRISIS_SUICIDE, CRISIS_HIGH, "xx"), "no language");
        CHECK(!resources_protocol(resources, CRISIS_SUICIDE, CRISIS_NONE, "en"), "no grade");
        resources_destroy(resources);
    }
}

static void wrong_regions_are_refused(void)
{
#define LINES                                                               \
    "lines:\n- {name: [A Line], call: [\"988\"], is: default, source: x}\n" \
    "- {name: [B Line], call: [\"911\"], is: emergency, source: x}\n"
    static const char *const rows[][2] = {
        {"version: 1\n" LINES "region: x\n", ""},
        {"version: 2\n" LINES, "x:1: version"},
        {"version: 1\n" LINES "colour: red\n", "x:5: unknown key"},
        {"version: 1\n" LINES "trnk: 1\n",
         "x:5: unknown key: \"trnk\" is not known, did you mean trunk?"},
        {"version: 1\nlines: 3\n", "x:2: lines: a list"},
        {"version: 1\nlines:\n- {name: [A], text: [\"988\"], keyword: HI, source: x}\n",
         "x:3: keyword: a list"},
        {"version: 1\nlines:\n- {name: [A], call: [\"988\"], topic: war, source: x}\n",
         "x:3: topic: a list"},
        {"version: 1\n" LINES "protocol: call 988\n", "x:5: protocol"},
        {"version: 1\n" LINES "protocol: {en: call 988}\n", "x:5: protocol"},
        {"version: 1\n" LINES "foreign_crisis: \"999\"\n", "x:5: foreign_crisis: a list"},
        {"version: 1\n", "x:1: lines"},
        {"version: 1\nlines:\n- {name: [A], call: [\"1\"], source: x}\n", "x:3: call"},
        {"version: 1\nlines:\n- {name: [A], call: [\"988\"]}\n", "x:3: lines: each needs"},
        {"version: 1\nlines:\n- {name: A, source: x}\n", "x:3: "},
        {"version: 1\ntrunk: a\n" LINES, "x:2: trunk"},
        {"version: 1\n" LINES "protocol: {en: {suicide: {grave: x}}}\n", "x:5: protocol"},
        {"version: 1\n" LINES "protocol: {en: {colour: {high: x}}}\n", "x:5: protocol"},
        {"version: 1\n" LINES "foreign_emergency: [\"1\"]\n", "x:5: foreign_emergency: numbers"},
        {"lines: [", "x:"},
        {"- 1\n", "x:1: keys and values"},
        {"version: 1\nlines: [1]\n", "x:2: lines"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct failure failure = {""};
        struct resources *resources = NULL;
        const enum status status =
            resources_parse(rows[i][0], strlen(rows[i][0]), "x", &resources, &failure);
        const bool is_good = rows[i][1][0] == '\0';
        CHECK(status == (is_good ? STATUS_OK : STATUS_INVALID), "row %zu: %s", i, failure.text);
        CHECK(is_good || strncmp(failure.text, rows[i][1], strlen(rows[i][1])) == 0, "row %zu: %s",
              i, failure.text);
        resources_destroy(resources);
    }
    struct failure failure = {""};
    struct resources *resources = NULL;
    CHECK(resources_create("zz", NULL, &resources, &failure) == STATUS_NOT_FOUND, "%s",
          failure.text);
    CHECK(resources_create("../us", NULL, &resources, &failure) == STATUS_NOT_FOUND, "%s",
          failure.text);
}

CHECK_MAIN(resources_are_found, others_are_not, every_string_is_found_whole,
           wrong_numbers_are_corrected, a_tenants_own_lines_hold, protocols_lead_to_help,
           wrong_regions_are_refused)
