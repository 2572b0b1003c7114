/* Method: what the shipped rules promise, kind by kind; a table of files with the one thing that
 * each changes; a table of wrong files with the start and a part of the line that is told; packs
 * merged in both orders give the same duties, and every rule of every pack has its source; the
 * digest follows every byte of every file that took part, and nothing else. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/rules/rules.h"
#include "tests/check.h"

static struct rules *shipped(const char *name)
{
    struct failure failure = {""};
    struct rules *rules = NULL;
    CHECK(rules_shipped(name, &rules, &failure) == STATUS_OK, "%s: %s", name, failure.text);
    if (!rules) {
        exit(1);
    }
    return rules;
}

static struct rules *parsed_in(const char *yaml, const char *directory)
{
    struct failure failure = {""};
    struct rules *rules = NULL;
    const enum status status =
        rules_parse(yaml, strlen(yaml), "a/clinic.yaml", directory, &rules, &failure);
    CHECK(status == STATUS_OK, "%s: %s", yaml, failure.text);
    if (!rules) {
        exit(1);
    }
    return rules;
}

static struct rules *parsed(const char *yaml)
{
    return parsed_in(yaml, NULL);
}

/* ---- shipped rules --------------------------------------------------------------------------- */

static bool is_number_kind(unsigned kind)
{
    return kind == POLICY_SSN || kind == POLICY_ACCT || kind == POLICY_SECRET
           || kind == POLICY_IMAGE;
}

static bool is_story_kind(unsigned kind)
{
    return kind == POLICY_NAME || kind == POLICY_CITY || kind == POLICY_DATE || kind == POLICY_AGE90
           || kind == POLICY_ZIP || kind == POLICY_URL;
}

static void shipped_rules_are_as_promised(void)
{
    struct rules *observe = shipped("observe");
    struct rules *standard = shipped("standard");
    struct rules *strict = shipped("strict");
    struct rules *redact = shipped("redact");
    for (unsigned kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        CHECK(observe->inbound[kind] == POLICY_TAG && observe->outbound[kind] == POLICY_TAG, "%u",
              kind);
        CHECK(redact->inbound[kind] == POLICY_REDACT && redact->outbound[kind] == POLICY_REDACT,
              "%u", kind);
        CHECK(standard->inbound[kind]
                  == (is_number_kind(kind) ? POLICY_REDACT : POLICY_PSEUDONYMISE),
              "%u", kind);
        CHECK(standard->outbound[kind] == (is_story_kind(kind) ? POLICY_TAG : POLICY_REDACT), "%u",
              kind);
        CHECK(strict->inbound[kind] == (is_number_kind(kind) ? POLICY_BLOCK : POLICY_REDACT), "%u",
              kind);
        CHECK(strict->outbound[kind] == POLICY_REDACT, "%u", kind);
    }
    for (unsigned kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        const uint32_t *grades = standard->crisis[kind];
        CHECK(grades[CRISIS_LOW] == 0, "%u", kind);
        CHECK(grades[CRISIS_HIGH] == (CRISIS_MARK_URGENT | CRISIS_PROTOCOL), "%u", kind);
        CHECK(grades[CRISIS_IMMINENT] == (CRISIS_MARK_URGENT | CRISIS_PROTOCOL | CRISIS_HAND_OFF),
              "%u", kind);
        CHECK(observe->crisis[kind][CRISIS_IMMINENT] == 0, "%u", kind);
    }
    CHECK(!observe->changes_text && standard->changes_text, "changes");
    CHECK(standard->terms.resources && strcmp(standard->region, "us") == 0, "region");
    CHECK(strcmp(standard->name, "standard") == 0, "%s", standard->name);
    rules_release(observe);
    rules_release(standard);
    rules_release(strict);
    rules_release(redact);
}

static void every_shipped_name_loads(void)
{
    struct failure failure = {""};
    struct rules *rules = NULL;
    size_t count = 0;
    for (const char *name = NULL; (name = rules_shipped_name(count)) != NULL; count++) {
        rules = shipped(name);
        CHECK(strlen(rules->digest) == 64 && rules->duties.disclosure[0]
                  && rules->duties.reminder[0],
              "%s", name);
        rules_release(rules);
    }
    CHECK(count == 4, "%zu", count);
    CHECK(rules_shipped("nothing", &rules, &failure) == STATUS_NOT_FOUND, "%s", failure.text);
    CHECK(rules_shipped("../rules/observe", &rules, &failure) == STATUS_NOT_FOUND, "%s",
          failure.text);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void files_say_what_holds(void)
{
    struct rules *rules = parsed("version: 1\n");
    CHECK(rules->inbound[POLICY_NAME] == POLICY_PSEUDONYMISE, "without extends: standard");
    CHECK(strcmp(rules->name, "clinic") == 0, "%s", rules->name);
    rules_release(rules);

    rules = parsed("version: 1\nname: north\nextends: observe\nregion: gb\n"
                   "inbound: {MRN: block, default: redact, NAME: pseudonymise}\n"
                   "outbound: {PHONE: redact}\nkeep: [zip3]\nsecond_read: true\n"
                   "formats:\n- {kind: MRN, shape: \"MR-999999\"}\n- {kind: CODE, shape: AAX9}\n"
                   "crisis: {default: {high: [protocol]}, suicide: {high: [stop, urgent]}}\n"
                   "webhook: {url: \"https://clinic.example/hook\", secret_file: /run/secret}\n");
    CHECK(rules->inbound[POLICY_MRN] == POLICY_BLOCK, "a kind over the default");
    CHECK(rules->inbound[POLICY_NAME] == POLICY_PSEUDONYMISE, "a kind");
    CHECK(rules->inbound[POLICY_PHONE] == POLICY_REDACT, "the default");
    CHECK(rules->outbound[POLICY_PHONE] == POLICY_REDACT
              && rules->outbound[POLICY_NAME] == POLICY_TAG,
          "the rest stays");
    CHECK(rules->changes_text && rules->keeps_zip3 && !rules->keeps_year && rules->asks_model,
          "flags");
    CHECK(rules->terms.format_count == 2 && rules->terms.formats == rules->formats, "formats");
    CHECK(strcmp(rules->formats[0].shape, "MR-999999") == 0 && rules->formats[0].kind == POLICY_MRN,
          "%s", rules->formats[0].shape);
    CHECK(rules->formats[1].kind == POLICY_CODE, "code");
    CHECK(rules->crisis[CRISIS_SUICIDE][CRISIS_HIGH] == (CRISIS_STOP | CRISIS_MARK_URGENT), "own");
    CHECK(rules->crisis[CRISIS_ABUSE][CRISIS_HIGH] == CRISIS_PROTOCOL, "default");
    CHECK(rules->crisis[CRISIS_ABUSE][CRISIS_IMMINENT] == 0, "stays");
    CHECK(strcmp(rules->webhook_url, "https://clinic.example/hook") == 0, "%s", rules->webhook_url);
    CHECK(strcmp(rules->name, "north") == 0 && strcmp(rules->region, "gb") == 0, "head");
    rules_release(rules);

    rules = parsed("version: 1\nresources: {extra: [\"212-555-0142\", Riverbend Crisis Team]}\n");
    bool has_extra = false;
    const char *text = NULL;
    for (size_t i = 0; (text = resources_string(rules->terms.resources, i)) != NULL; i++) {
        has_extra = has_extra || strcmp(text, "212-555-0142") == 0;
    }
    CHECK(has_extra, "a tenant's own line");
    rules_release(rules);
}

static void wrong_files_are_refused(void)
{
    static const struct {
        const char *yaml, *starts, *holds;
    } rows[] = {
        {"", "x:1: version: 1", ""},
        {"version: 2\n", "x:1: version: 1", ""},
        {"version: 1\ninbuond: {}\n", "x:2: rules: \"inbuond\"", "did you mean inbound?"},
        {"version: 1\ninbound: {NMAE: tag}\n", "x:2: inbound: \"NMAE\"", "did you mean NAME?"},
        {"version: 1\ninbound:\n  NAME: hide\n", "x:3: NAME: \"hide\"", "allow, tag, redact"},
        {"version: 1\ninbound: [NAME]\n", "x:2: inbound: a map", ""},
        {"version: 1\noutbound: {NAME: pseudonymise}\n", "x:2: NAME:", "allow, tag, redact, block"},
        {"version: 1\nextends: stict\n", "x:2: extends:", "did you mean strict?"},
        {"version: 1\nregion: zz\n", "x:2: region:", ""},
        {"version: 1\nregion: ../us\n", "x:2: region:", ""},
        {"version: 1\nkeep: [month]\n", "x:2: keep:", "year, zip3"},
        {"version: 1\nkeep: year\n", "x:2: keep: a list", ""},
        {"version: 1\nformats: [{kind: MRN}]\n", "x:2: shape:", ""},
        {"version: 1\nformats: [{shape: \"9999\"}]\n", "x:2: formats: kind", "NAME"},
        {"version: 1\nformats: [{kind: MRN, shape: \"99\"}]\n", "x:2: shape:", "at least 4"},
        {"version: 1\nformats: [{kind: MRN, shape: \"99 99\"}]\n", "x:2: shape:", ""},
        {"version: 1\nformats: [{kind: MRN, shap: \"99999\"}]\n", "x:2: formats:", "shape?"},
        {"version: 1\ncrisis: {suicide: {high: stop}}\n", "x:2: crisis: a list", ""},
        {"version: 1\ncrisis: {suicide: {high: [shout]}}\n", "x:2: crisis: \"shout\"", "urgent"},
        {"version: 1\ncrisis: {suicide: {none: []}}\n", "x:2: suicide: \"none\"", "imminent"},
        {"version: 1\ncrisis: {sadness: {}}\n", "x:2: crisis: \"sadness\"", "psychosis"},
        {"version: 1\nsecond_read: maybe\n", "x:2: second_read: true or false", ""},
        {"version: 1\nwebhook: {url: \"http://clinic.example\", secret_file: x}\n",
         "x:2: webhook:", ""},
        {"version: 1\nwebhook: {url: \"https://clinic.example\"}\n",
         "x:2: webhook:", "secret_file"},
        {"version: 1\nwebhook: {url: \"http://localhost.evil.example/\", secret_file: x}\n",
         "x:2: ", ""},
        {"version: 1\npacks: [us-xx]\n", "x:2: packs:", "us-xx"},
        {"version: 1\npacks: [[us-ca]]\n", "x:2: packs:", ""},
        {"version: 1\npacks: [a,b,c,d,e,f,g,h,i]\n", "x:2: packs: a list of at most 8", ""},
        {"version: 1\nduties: {retention_day: 7}\n", "x:2: duties:", "retention_days?"},
        {"version: 1\nduties: {retention_days: -1}\n", "x:2: retention_days: a number", ""},
        {"version: 1\nduties: {has_minors_mode: 7}\n", "x:2: has_minors_mode: true or false", ""},
        {"version: 1\nduties: {disclosure: \"\"}\n", "x:2: disclosure: a text", ""},
        {"version: 1\nname: \"a b\"\n", "x:2: name:", ""},
        {"version: 1\nresources: {extra: [\"!\"]}\n", "x:2: extra:", ""},
        {"version: 1\nversion: 1\n", "x:", "twice"},
        {"version: 1\na: [\n", "x:", ""},
        {"version: 1\na: &b c\nd: *b\n", "x:", "aliases"},
        {"- 1\n", "x:1: rules: a map", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct failure failure = {""};
        struct rules *rules = NULL;
        const enum status status =
            rules_parse(rows[i].yaml, strlen(rows[i].yaml), "x", NULL, &rules, &failure);
        CHECK(status == STATUS_INVALID, "row %zu: %d", i, (int)status);
        CHECK(strncmp(failure.text, rows[i].starts, strlen(rows[i].starts)) == 0, "row %zu: %s", i,
              failure.text);
        CHECK(strstr(failure.text, rows[i].holds), "row %zu: %s", i, failure.text);
        rules_release(rules);
    }
}

/* ---- packs ----------------------------------------------------------------------------------- */

static void packs_set_duties(void)
{
    struct rules *rules = parsed("version: 1\nextends: observe\npacks: [us-ut]\n");
    const struct rules_duties *duties = &rules->duties;
    CHECK(duties->discloses_ai_at_start && duties->discloses_ai_when_asked, "Utah discloses");
    CHECK(duties->discloses_again_after_days == 7, "%u", duties->discloses_again_after_days);
    CHECK(!duties->refuses_clinician_claims && !rules->changes_text, "nothing else");
    rules_release(rules);

    rules = parsed("version: 1\nextends: observe\npacks: [us-il]\n");
    CHECK(rules->duties.refuses_clinician_claims && rules->changes_text, "claims change text");
    rules_release(rules);

    rules = parsed("version: 1\nextends: observe\npacks: [us-ny]\n");
    CHECK(rules->duties.reminds_every_minutes == 180, "%u", rules->duties.reminds_every_minutes);
    CHECK(rules->crisis[CRISIS_SUICIDE][CRISIS_HIGH] & CRISIS_PROTOCOL, "a protocol is told");
    CHECK(!(rules->crisis[CRISIS_SUICIDE][CRISIS_LOW] & CRISIS_PROTOCOL), "not at low");
    rules_release(rules);

    rules = parsed("version: 1\nextends: observe\npacks: [us-ca, us-hipaa]\n");
    CHECK(rules->duties.reminds_minors_every_minutes == 180 && rules->duties.has_minors_mode
              && rules->duties.counts_referrals && rules->duties.retention_days == 2192,
          "California, HIPAA");
    CHECK(rules->pack_count == 2 && strcmp(rules->packs[1], "us-hipaa") == 0, "%u",
          rules->pack_count);
    rules_release(rules);
}

static void the_stricter_holds(void)
{
    struct rules *one = parsed("version: 1\npacks: [us-il, us-ut, us-nv, us-ca, us-ny]\n");
    struct rules *other = parsed("version: 1\npacks: [us-ny, us-ca, us-nv, us-ut, us-il]\n");
    CHECK(memcmp(&one->duties, &other->duties, sizeof one->duties) == 0, "order of packs");
    CHECK(strcmp(one->digest, other->digest) != 0, "but another file");
    rules_release(one);
    rules_release(other);
    one = parsed("version: 1\npacks: [us-ny]\nduties: {reminds_every_minutes: 60, "
                 "discloses_ai_at_start: false, retention_days: 9, disclosure: ours}\n");
    CHECK(one->duties.reminds_every_minutes == 60, "a tenant may be stricter");
    CHECK(one->duties.discloses_ai_at_start, "not milder");
    CHECK(one->duties.retention_days == 9 && strcmp(one->duties.disclosure, "ours") == 0, "own");
    rules_release(one);
    one = parsed("version: 1\npacks: [us-ny]\nduties: {reminds_every_minutes: 600}\n");
    CHECK(one->duties.reminds_every_minutes == 180, "%u", one->duties.reminds_every_minutes);
    rules_release(one);
}

static void every_rule_has_its_source(void)
{
    size_t packs = 0;
    for (const char *name = NULL; (name = rules_pack_name(packs)) != NULL; packs++) {
        char yaml[128];
        struct rules_source source;
        size_t count = 0;
        snprintf(yaml, sizeof yaml, "version: 1\npacks: [%s]\n", name);
        struct rules *rules = parsed(yaml);
        for (; rules_source(rules, count, &source); count++) {
            CHECK(strlen(source.text) >= 10 && strcmp(source.pack, rules->packs[0]) == 0
                      && source.duty[0],
                  "%s %zu", name, count);
        }
        CHECK(count > 0, "%s", name);
        rules_release(rules);
    }
    CHECK(packs == 6, "%zu", packs);
}

/* ---- an operator's directory, the digest ----------------------------------------------------- */

static void write_file(const char *directory, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "we");
    CHECK(file && fputs(text, file) >= 0, "%s", path);
    if (file) {
        fclose(file);
    }
}

#define PACK(source)                               \
    "version: 1\nnote: not legal advice\nrules:\n" \
    "- {duty: retention_days, value: 5" source "}\n"

static void directories_come_first(void)
{
    char directory[] = "/tmp/ward-rules-XXXXXX";
    char path[256];
    struct failure failure = {""};
    struct rules *rules = NULL;
    CHECK(mkdtemp(directory), "a folder");
    snprintf(path, sizeof path, "%s/packs", directory);
    CHECK(mkdir(path, 0700) == 0, "%s", path);
    const char *yaml = "version: 1\npacks: [us-ca]\n";
    struct rules *before = parsed_in(yaml, directory);
    write_file(directory, "packs/us-ca.yaml", PACK(", source: a law of ours"));
    struct rules *after = parsed_in(yaml, directory);
    CHECK(after->duties.retention_days == 5 && !after->duties.has_minors_mode, "the operator's");
    CHECK(before->duties.has_minors_mode && strcmp(before->digest, after->digest) != 0, "digest");
    CHECK(rules_file(after, 0) && rules_file(after, 1) && !rules_file(after, 2), "region and pack");
    struct rules *again = parsed_in(yaml, directory);
    CHECK(strcmp(again->digest, after->digest) == 0, "the same bytes, the same digest");
    rules_release(again);
    static const char *const wrong[][2] = {
        {PACK(""), "source: every rule"},
        {"version: 1\nrules: []\n", "note: every pack"},
        {"version: 1\nnote: not legal advice\nrules: [{duty: x, value: 1, source: y}]\n", "duty:"},
        {"version: 1\nnote: not legal advice\nrules: [{duty: retention_days, source: y}]\n",
         "value:"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_file(directory, "packs/us-ca.yaml", wrong[i][0]);
        CHECK(rules_parse(yaml, strlen(yaml), "x", directory, &rules, &failure) == STATUS_INVALID,
              "row %zu", i);
        CHECK(strstr(failure.text, "packs/us-ca.yaml:") && strstr(failure.text, wrong[i][1]),
              "row %zu: %s", i, failure.text);
    }
    rules_release(before);
    rules_release(after);
    snprintf(path, sizeof path, "%s/packs/us-ca.yaml", directory);
    unlink(path);
    snprintf(path, sizeof path, "%s/packs", directory);
    rmdir(path);
    rmdir(directory);
}

static void the_digest_is_of_bytes_not_places(void)
{
    const char *yaml = "version: 1\n";
    struct failure failure = {""};
    struct rules *here = NULL;
    struct rules *there = NULL;
    struct rules *other = parsed("version: 1 \n");
    CHECK(rules_parse(yaml, strlen(yaml), "a/b.yaml", NULL, &here, &failure) == STATUS_OK, "here");
    CHECK(rules_parse(yaml, strlen(yaml), "/c/b.yaml", NULL, &there, &failure) == STATUS_OK,
          "there");
    CHECK(strcmp(here->digest, there->digest) == 0, "a folder is no part of it");
    CHECK(strcmp(here->digest, other->digest) != 0, "a byte is");
    CHECK(rules_hold(here) == here, "held");
    rules_release(here);
    CHECK(strlen(here->digest) == 64, "still there");
    rules_release(here);
    rules_release(there);
    rules_release(other);
    rules_release(NULL);
    CHECK(rules_load("/nowhere/x.yaml", NULL, &here, &failure) == STATUS_NOT_FOUND, "%s",
          failure.text);
}

CHECK_MAIN(shipped_rules_are_as_promised, every_shipped_name_loads, files_say_what_holds,
           wrong_files_are_refused, packs_set_duties, the_stricter_holds, every_rule_has_its_source,
           directories_come_first, the_digest_is_of_bytes_not_places)
