/* Method: a table of sentences with what must be found in each, byte by byte as well as whole
 * (support_detect); the hard ones are those where a word is a name in one sentence and none in the
 * next. Tables are sorted. Generated sentences: every group of names in every frame, the gap
 * between groups is bounded. */
#include "policy/identify/detector.h"

#include <stdio.h>
#include <string.h>

#include "policy/identify/name/name_left.h"
#include "policy/identify/name/name_run.h"
#include "tests/check.h"
#include "tests/policy/support_detect.h"

enum { FOUND_BYTES = 512, TEXT_BYTES = 256 };

static struct lexicon *lexicon;

static const char *found_in(const char *text)
{
    static char out[FOUND_BYTES];
    const struct detector_terms terms = {.lexicon = lexicon};
    support_detect(detect_name, &terms, text, out, sizeof out);
    return out;
}

static const struct {
    const char *text, *want;
} cases[] = {
    /* written as names are */
    {"I keep hearing what Lillie said.", "NAME:Lillie"},
    {"Rosalba took the dog.", "NAME:Rosalba"},
    {"Yesterday Anna Maria Keller-Voss called.", "NAME:Anna Maria Keller-Voss"},
    {"Note for Jermaine L. Earth (see chart)", "NAME:Jermaine L. Earth"},
    {"Hi, Emilio C. here.", "NAME:Emilio C."},
    {"Referral to Centeno, Estella, today", "NAME:Centeno, Estella"},
    {"signed by Maria de la Cruz Ortega.", "NAME:Maria de la Cruz Ortega"},
    {"seen with Yusuf al-Hassan", "NAME:Yusuf al-Hassan"},
    {"Patient: Tom O'Brien Jr. was late", "NAME:Tom O'Brien Jr."},
    {"I met Ludwig van der Berg there", "NAME:Ludwig van der Berg"},
    {"J. Whitfield wrote it", "NAME:J. Whitfield"},
    {"It was Kriszti\xc3\xa1n Sz\xc3\xb6ll\xc3\xb6sne who left",
     "NAME:Kriszti\xc3\xa1n Sz\xc3\xb6ll\xc3\xb6sne"},
    {"DR. MARTIN FROST CALLED", "NAME:MARTIN FROST"},
    {"and then JOHN left", "NAME:JOHN"},
    {"Anna's mother and Pedro's uncle", "NAME:Anna|NAME:Pedro"},
    /* no list has them: closed inside a sentence */
    {"I saw Zbryntel again", "NAME:Zbryntel"},
    {"we asked Qorvanna Iltszk to stay", "NAME:Qorvanna Iltszk"},
    /* as patients type */
    {"my name is rebeca and i cant sleep", "NAME:rebeca"},
    {"my name is will", "NAME:will"},
    {"i dream about sunita", "NAME:sunita"},
    {"miguel and tanisha are fighting", "NAME:miguel|NAME:tanisha"},
    {"hey it's hope, i cant sleep", "NAME:hope"},
    {"my husbannd rajesh left", "NAME:rajesh"},
    {"i feel like priti doesnt care", "NAME:priti"},
    {"mine is ngozika", "NAME:ngozika"},
    {"dont tell k'anto i wrote", "NAME:k'anto"},
    {"my huband said no", ""},
    {"i saw a robin", ""},
    {"the Sun was out", ""},
    {"hope, faith and love", ""},
    /* labels */
    {"{\"firstName\":\"Hope\",\"last_name\":\"Long\"}", "NAME:Hope|NAME:Long"},
    {"remind(name=\"Hope\", city='Akron')", "NAME:Hope|CITY:Akron"},
    {"I live in St. Cloud and", "CITY:St. Cloud"},
    {"perla tovias called", "NAME:perla tovias"},
    {"my sister lakisha drove me", "NAME:lakisha"},
    {"hi , martha .", "NAME:martha"},
    {"dr cedric bitsue is kind", "NAME:cedric bitsue"},
    {"call me zbryn", "NAME:zbryn"},
    {"yesterday jennifer left me", "NAME:jennifer"},
    {"thanks, shawn", "NAME:shawn"},
    {"i told grandma rose about it", "NAME:rose"},
    {"my boss mark yelled at me", "NAME:mark"},
    /* one word, two meanings */
    {"May I ask? Will this end? Hope is hard. Long days.", ""},
    {"Will Smithson called", "NAME:Will Smithson"},
    {"i will and i may, i hope so, for long, with joy", ""},
    {"I told Will and he left", "NAME:Will"},
    {"see you on May 5, in May or in June", ""},
    {"May told me to come", "NAME:May"},
    {"with the grace of god and good faith", ""},
    {"my friend Grace drew a rose", "NAME:Grace"},
    {"An apple. An Nguyen ate it.", "NAME:An Nguyen"},
    {"he was frank with me, rich in art, a jack of all trades", ""},
    {"I pray for Grace and Joy", ""},
    {"the bill came, he drew a chase on a summer dawn", ""},
    {"Mr. Long and Ms. Summer", "NAME:Long|NAME:Summer"},
    /* eponyms, drugs, terms */
    {"the Beck Depression Inventory and the Hamilton scale", ""},
    {"Parkinson's or Alzheimer's, perhaps Tourette", ""},
    {"Mr. Beck has Crohn's", "NAME:Beck"},
    {"Therapy works (Beck, 1979) as Freud and Jung said", ""},
    {"The Columbia protocol, the Young Mania Rating Scale", ""},
    {"She has Hashimoto's and Asperger syndrome", ""},
    {"Is Wellbutrin better than Lexapro or Prozac?", ""},
    {"Increase Sertraline, then Lamictal", ""},
    {"On Monday we speak Spanish at Christmas, on Facebook", ""},
    {"Medicaid and Medicare pay for CBT, DBT, EMDR", ""},
    {"I am from Texas, she from New Mexico or New Zealand", ""},
    {"I'm tired. I'm sad. I am fine. This is hard. It's late.", ""},
    {"Doctor: No. Patient: Yes. Nurse: Okay, oh, um, good.", ""},
    {"my therapist is kind and the nurse will call", ""},
    {"hello there, thanks again, dear all", ""},
    {"PLEASE CALL ME BACK TODAY", ""},
    {"The PHQ-9 and GAD-7 were 14 and 9 (ICD-10)", ""},
    {"i recieved teh refil yesterdya", ""},
    {"Cognitive Behavioral Therapy and Progress Note", ""},
    {"the doctor told me and my mom", ""},
    {"I am taking Zbrixal daily", ""},
    {"a prescription for Nertizol cream", ""},
    {"We talked about Hyperfocusing and Neuroblastosis", ""},
    {"the race is White, the season is Winter", ""},
    {"i had a fight with roosevelt", "NAME:roosevelt"},
    {"Then Odell Wings came", "NAME:Odell Wings"},
    /* places */
    {"I live in Chicago now", "CITY:Chicago"},
    {"he moved to virginia beach", "CITY:virginia beach"},
    {"born in Fancy Gap, VA", "CITY:Fancy Gap"},
    {"we drove to tulsa", "CITY:tulsa"},
    {"the Mercy clinic in Hixson", "NAME:Mercy|CITY:Hixson"},
    {"12 cedar way, apt 9, towner. thanks", "CITY:towner"},
    {"in reading i find hope, at bath time in normal union", ""},
    {"Reading, PA is far", "CITY:Reading"},
    {"in Poolsborough", "CITY:Poolsborough"},
    {"in pain, in bed, in therapy, in general, in love, in school", ""},
    {"St. Louis, MO", "CITY:St. Louis"},
    /* terms of several words: with a possessive, a hyphen, small letters; not with a strong left */
    {"we ate at McDonald's and then Trader Joe's, on Valentine's Day", ""},
    {"Ms. McDonald's son", "NAME:McDonald"},
    {"hey jude, Macy's mom and Tom Collins called", "NAME:jude|NAME:Macy|NAME:Tom Collins"},
    {"my uncle sam, Yasmin and Zelda came", "NAME:sam|NAME:Yasmin|NAME:Zelda"},
    {"Martin Luther King Day, Stardew Valley, Brussels sprouts, Lily of the valley", ""},
    {"Martin Luther Reyes called", "NAME:Martin Luther Reyes"},
    {"Epstein-Barr, Charcot-Marie-Tooth and Spina Bifida", ""},
    {"Overeaters Anonymous or Al-Anon", ""},
    /* sentences that are not English: nouns have capitals, names are found all the same */
    {"Ich habe heute Kopfschmerzen und bin auch Migr\xc3\xa4ne", ""},
    {"Estoy muy triste y no puedo dormir", ""},
    {"Ich habe mit Thomas gesprochen", "NAME:Thomas"},
    {"Estoy con Mar\xc3\xad"
     "a Hern\xc3\xa1"
     "ndez hoy",
     "NAME:Mar\xc3\xad"
     "a Hern\xc3\xa1"
     "ndez"},
    {"gracias Zbryntel", "NAME:Zbryntel"},
    {"my name is hard to spell", ""},
    /* parts of other things */
    {"write anna@example.org or see anna.example.org", ""},
    {"@anna and #will", ""},
    {"", ""},
};

static void every_case_finds_what_it_says(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const got = found_in(cases[i].text);
        CHECK(strcmp(got, cases[i].want) == 0, "%s: '%s', not '%s'", cases[i].text, got,
              cases[i].want);
    }
}

/* Names that lists have, of five groups, and frames in both spellings. */
enum { GROUPS = 5, NAMES = 8 };
static const char *const groups[GROUPS][NAMES] = {
    {"Guadalupe", "Jorge", "Xiomara", "Ignacio", "Marisela", "Esteban", "Yesenia", "Rogelio"},
    {"Latoya", "Darnell", "Keisha", "Jamal", "Ebony", "Tyrone", "Shanice", "Deshawn"},
    {"Nguyet", "Hiroshi", "Priya", "Sanjay", "Mei", "Thuy", "Kenji", "Lakshmi"},
    {"Gretchen", "Douglas", "Heidi", "Bradley", "Colleen", "Todd", "Brenda", "Keith"},
    {"Winona", "Dakotah", "Nizhoni", "Cheyenne", "Aiyana", "Takoda", "Kateri", "Chayton"},
};
static const char *const frames[] = {
    "my name is %s and i am new", "Then %s said it was over.", "My sister %s is ill.",
    "Dr. %s signed the form.",    "I was with %s last night.", "Hi, %s here.",
    "Note for %s, please.",       "we told %s to wait",
};
enum { FRAMES = sizeof frames / sizeof frames[0], GAP_MAX = 3 }; /* of 128 */

static unsigned found_of(size_t group, bool is_lower)
{
    unsigned found = 0;
    for (size_t i = 0; i < FRAMES * NAMES; i++) {
        char name[32];
        char text[TEXT_BYTES];
        (void)snprintf(name, sizeof name, "%s", groups[group][i % NAMES]);
        name[0] = (char)(is_lower ? name[0] + ('a' - 'A') : name[0]);
        char *out = text;
        const char *const frame = frames[i / NAMES];
        const char *const gap = strchr(frame, '%');
        (void)snprintf(out, sizeof text, "%.*s%s%s", (int)(gap - frame), frame, name, gap + 2);
        found += strstr(found_in(text), name) != NULL;
    }
    return found;
}

static void groups_are_found_alike(void)
{
    for (int is_lower = 0; is_lower < 2; is_lower++) {
        unsigned least = FRAMES * NAMES;
        unsigned most = 0;
        for (size_t group = 0; group < GROUPS; group++) {
            const unsigned found = found_of(group, is_lower != 0);
            least = found < least ? found : least;
            most = found > most ? found : most;
        }
        CHECK(most - least <= GAP_MAX, "lower %d: between %u and %u of %d", is_lower, least, most,
              FRAMES * NAMES);
        CHECK(least * 100 >= FRAMES * NAMES * 85, "lower %d: only %u", is_lower, least);
    }
}

static void tables_are_sorted(void)
{
    CHECK(name_left_is_sorted(), "name_left.def");
    CHECK(name_right_is_sorted(), "name_right.def");
}

static void lexicon_opens(void)
{
    CHECK(lexicon_create(&lexicon) == STATUS_OK, "created");
}

static void lexicon_closes(void)
{
    lexicon_destroy(lexicon);
    lexicon = NULL;
}

CHECK_MAIN(lexicon_opens, every_case_finds_what_it_says, groups_are_found_alike, tables_are_sorted,
           lexicon_closes)
