#include "audit/redis/redis_url.h"

#include <stdlib.h>
#include <string.h>

enum { PORT_MAX = 65535, DATABASE_MAX = 16383, NUMBER_DIGITS_MAX = 9 };

/* The address is never repeated in a failure: somebody may have put a password into it. */
static enum status refuse(struct failure *failure, const char *why)
{
    return fail(failure, STATUS_INVALID,
                "audit.redis_url: %s; write redis://[user@]host[:port][/database], rediss:// for "
                "TLS, or unix:///path[?db=N]",
                why);
}

static bool read_number(const char *text, size_t length, int least, int most, int *out)
{
    int value = 0;
    if (length == 0 || length > NUMBER_DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (text[i] - '0');
    }
    *out = value;
    return value >= least && value <= most;
}

static bool copy(const char *text, size_t length, char *out, size_t out_bytes)
{
    if (length == 0 || length >= out_bytes) {
        return false;
    }
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* Printable ASCII but space: what else is there was pasted by mistake. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

static enum status parse_unix(const char *text, struct redis_url *out, struct failure *failure)
{
    const size_t length = strcspn(text, "?");
    const char *query = text + length;
    out->is_unix = true;
    if (text[0] != '/' || !copy(text, length, out->host, sizeof out->host)) {
        return refuse(failure, "the socket's path must be absolute and at most 255 bytes");
    }
    if (*query == '\0') {
        return STATUS_OK;
    }
    if (strncmp(query, "?db=", 4) != 0
        || !read_number(query + 4, strlen(query + 4), 0, DATABASE_MAX, &out->database)) {
        return refuse(failure, "what follows the socket's path is not ?db=NUMBER");
    }
    return STATUS_OK;
}

/* In brackets stands an address of IPv6 and nothing else; elsewhere no bracket does. */
static bool is_host(const char *host, bool is_bracketed)
{
    static const char ipv6[] = "0123456789abcdefABCDEF:.";
    return is_bracketed ? host[strspn(host, ipv6)] == '\0' : !strpbrk(host, "[]");
}

/* host, [IPv6] or either with :port; ends at end. */
static enum status parse_host(const char *text, const char *end, struct redis_url *out,
                              struct failure *failure)
{
    const bool is_bracketed = text < end && *text == '[';
    const char *from = text + is_bracketed;
    const char *to = from;
    while (to < end && *to != (is_bracketed ? ']' : ':')) {
        to++;
    }
    const char *rest = is_bracketed ? to + 1 : to;
    if (rest > end || !copy(from, (size_t)(to - from), out->host, sizeof out->host)) {
        return refuse(failure, "the host is missing or too long");
    }
    if (!is_host(out->host, is_bracketed)) {
        return refuse(failure, "the host is no name and no [IPv6 address]");
    }
    if (rest == end) {
        return STATUS_OK;
    }
    if (*rest != ':' || !read_number(rest + 1, (size_t)(end - rest - 1), 1, PORT_MAX, &out->port)) {
        return refuse(failure, "the port is not a number from 1 to 65535");
    }
    return STATUS_OK;
}

static enum status parse_net(const char *text, struct redis_url *out, struct failure *failure)
{
    const char *end = text + strcspn(text, "/?#");
    const char *at = memchr(text, '@', (size_t)(end - text));
    if (at) {
        if (memchr(text, ':', (size_t)(at - text))) {
            return fail(failure, STATUS_INVALID,
                        "audit.redis_url: has a password; put it into the file that "
                        "audit.redis_password_file names");
        }
        if (!copy(text, (size_t)(at - text), out->user, sizeof out->user)) {
            return refuse(failure, "the user is empty or longer than 63 bytes");
        }
        text = at + 1;
    }
    const enum status status = parse_host(text, end, out, failure);
    if (status != STATUS_OK || *end == '\0' || strcmp(end, "/") == 0) {
        return status;
    }
    if (*end != '/' || !read_number(end + 1, strlen(end + 1), 0, DATABASE_MAX, &out->database)) {
        return refuse(failure, "what follows the host is not /DATABASE, a number");
    }
    return STATUS_OK;
}

enum status redis_url_parse(const char *text, struct redis_url *out, struct failure *failure)
{
    static const struct {
        const char *text;
        bool is_unix, has_tls;
    } schemes[] = {
        {"redis://", false, false}, {"rediss://", false, true}, {"unix://", true, false}};
    *out = (struct redis_url){.port = 6379};
    if (!is_plain(text)) {
        return refuse(failure, "has a space or a character that is not plain ASCII");
    }
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        const size_t length = strlen(schemes[i].text);
        if (strncmp(text, schemes[i].text, length) == 0) {
            out->has_tls = schemes[i].has_tls;
            return schemes[i].is_unix ? parse_unix(text + length, out, failure)
                                      : parse_net(text + length, out, failure);
        }
    }
    return refuse(failure, "begins with none of redis://, rediss://, unix://");
}
