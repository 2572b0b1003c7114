/* detect_resource.c - a crisis line's name or number: asked before all other detectors, because it
 * stays as it is. */
#include "policy/crisis/resources.h"
#include "policy/identify/detector.h"

struct finding detect_resource(const struct reading *reading)
{
    static const enum finding_verdict verdicts[] = {
        [RESOURCE_NOT] = FINDING_NO, [RESOURCE_MORE] = FINDING_MORE, [RESOURCE_IS] = FINDING_YES};
    struct finding finding = {.verdict = FINDING_NO, .kind = POLICY_PHONE, .is_resource = true};
    if (reading->terms->resources) {
        finding.verdict = verdicts[resources_match(reading->terms->resources, &reading->view,
                                                   reading->has_ended, &finding.count)];
    }
    return finding;
}
