/* Rules, a pack or a region from bytes: refused with one line that names the file, or every value
 * is in its range and can be asked for. The last byte says as which of them the bytes are read. */
#include <string.h>

#include "base/assert.h"
#include "policy/rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void check_failure(const struct failure *failure)
{
    ASSERT(failure->text[0] != '\0' && !strchr(failure->text, '\n'));
}

/* What the files give is used: found in a text that is made of its own strings. */
static void check_resources(const struct resources *resources)
{
    struct window *window = window_create(NULL);
    ASSERT(window != NULL);
    const char *text = NULL;
    for (size_t i = 0; i < 8 && (text = resources_string(resources, i)) != NULL; i++) {
        window_reset(window);
        (void)window_feed(window, text, strlen(text));
        window_end(window);
        for (struct window_view view = window_view(window); view.at < view.count;
             view = window_view(window)) {
            uint32_t count = 0;
            const char *right = NULL;
            const enum resource_match match = resources_match(resources, &view, true, &count);
            ASSERT(match != RESOURCE_MORE);
            ASSERT(match == RESOURCE_NOT || (count > 0 && count <= view.count - view.at));
            ASSERT(!resources_correct(resources, &view, view.at, view.count, &right) || right);
            window_release(window);
        }
    }
    window_destroy(window);
}

static void check_rules(const struct rules *rules)
{
    for (unsigned kind = 0; kind < POLICY_KIND_COUNT; kind++) {
        ASSERT(rules->inbound[kind] < POLICY_ACTION_COUNT);
        ASSERT(rules->outbound[kind] < POLICY_ACTION_COUNT);
        ASSERT(rules->outbound[kind] != POLICY_PSEUDONYMISE);
    }
    for (unsigned kind = 0; kind < CRISIS_KIND_COUNT; kind++) {
        ASSERT(rules->crisis[kind][CRISIS_NONE] == 0 && rules->crisis[kind][CRISIS_HIGH] < 16);
    }
    ASSERT(rules->terms.format_count <= FORMATS_MAX && strlen(rules->digest) == 64);
    ASSERT(rules->duties.disclosure[0] && rules->duties.reminder[0] && rules->name[0]);
    check_resources(rules->terms.resources);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct failure failure = {""};
    const char *text = (const char *)bytes;
    const uint8_t what = length > 0 ? bytes[length - 1] % 4 : 0;
    enum status status = STATUS_OK;
    if (what == 1) {
        status = rules_check_pack(text, length, "x.yaml", &failure);
    } else if (what == 2) {
        struct resources *resources = NULL;
        status = resources_parse(text, length, "x.yaml", &resources, &failure);
        if (status == STATUS_OK) {
            check_resources(resources);
        }
        resources_destroy(resources);
    } else {
        struct rules *rules = NULL;
        status = rules_parse(text, length, "x.yaml", NULL, &rules, &failure);
        if (status == STATUS_OK) {
            check_rules(rules);
        }
        rules_release(rules);
    }
    if (status != STATUS_OK) {
        check_failure(&failure);
    }
    return 0;
}
