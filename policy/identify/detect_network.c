/* Addresses of the network and the map, in an order in which the longer comes first: an email
 * before the host in it, a URL before the handle in it. */
#include "policy/identify/network/network.h"

static const struct {
    uint32_t (*match)(struct cursor *cursor);
    enum policy_kind kind;
} steps[] = {
    {email_match, POLICY_EMAIL}, {mac_match, POLICY_DEV},       {ip_match, POLICY_IP},
    {web_match, POLICY_URL},     {handle_match, POLICY_HANDLE}, {coordinates_match, POLICY_GPS},
};

struct finding detect_network(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        const uint32_t count = steps[i].match(&cursor);
        if (count > 0 || cursor.is_starved) {
            return cursor_answer(&cursor, FINDING_IS(steps[i].kind, count));
        }
    }
    return (struct finding){.verdict = FINDING_NO};
}
