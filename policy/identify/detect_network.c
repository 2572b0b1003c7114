/* Addresses of the network and the map, in an order in which the longer comes first: an email
 * before the host in it, a URL before the handle in it. */
#include <string.h>

#include "policy/identify/network/network.h"

static const struct {
    uint32_t (*match)(struct cursor *cursor);
    enum policy_kind kind;
    bool goes_over_blanks; /* a blank may stand behind its first lexeme */
    const char *marks;     /* that it may begin with */
} steps[] = {
    {email_match, POLICY_EMAIL, true, "@["},  {mac_match, POLICY_DEV, false, ""},
    {ip_match, POLICY_IP, false, ":"},        {web_match, POLICY_URL, false, ""},
    {handle_match, POLICY_HANDLE, true, "@"}, {coordinates_match, POLICY_GPS, true, "/-+"},
};

/* Most lexemes are words before a space: most steps need not look at those. */
struct finding detect_network(const struct reading *reading)
{
    struct cursor cursor = {.reading = reading};
    const uint32_t at = reading->view.at;
    const char mark = cursor_mark(&cursor, at);
    const bool is_mark = cursor_is_class(&cursor, at, LEXEME_MARK);
    if (!is_mark && !cursor_is_alnum(&cursor, at)) {
        return (struct finding){.verdict = FINDING_NO};
    }
    const bool is_before_blank = !is_mark && cursor_is_blank(&cursor, at + 1);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !cursor.is_starved; i++) {
        const bool may_be = is_mark ? mark != 0 && strchr(steps[i].marks, mark) != NULL
                                    : steps[i].goes_over_blanks || !is_before_blank;
        const uint32_t count = may_be ? steps[i].match(&cursor) : 0;
        if (count > 0) {
            return cursor_answer(&cursor, FINDING_IS(steps[i].kind, count));
        }
    }
    return cursor_answer(&cursor, (struct finding){.verdict = FINDING_NO});
}
