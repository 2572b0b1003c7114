#include "server/http/request_head.h"

#include <string.h>
#include <strings.h>

int request_fault_http_code(enum request_fault fault)
{
    static const int codes[] = {
#define FAULT(name, http, text) http,
#include "server/http/request_fault.def"
    };
    return codes[fault];
}

const char *request_fault_text(enum request_fault fault)
{
    static const char *const texts[] = {
#define FAULT(name, http, text) text,
#include "server/http/request_fault.def"
    };
    return texts[fault];
}

/* Some bytes of the head, not NUL-terminated. */
struct span {
    const char *bytes;
    size_t length;
};

static bool is_text(struct span span, const char *text)
{
    return strlen(text) == span.length && strncasecmp(span.bytes, text, span.length) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 9110: token. */
static bool is_token(struct span span)
{
    for (size_t i = 0; i < span.length; i++) {
        const char c = span.bytes[i];
        if (!is_digit(c) && !is_letter(c) && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return span.length > 0;
}

/* ---- request line ---------------------------------------------------------------------------- */

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    const char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes at most one percent escape at index *i and moves on; -1: a broken escape. */
static int next_decoded(struct span text, size_t *i)
{
    const char c = text.bytes[(*i)++];
    if (c != '%') {
        return (unsigned char)c;
    }
    if (text.length - *i < 2) {
        return -1;
    }
    const int high = hex_value(text.bytes[*i]), low = hex_value(text.bytes[*i + 1]);
    *i += 2;
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static enum request_fault check_path(struct span path)
{
    int previous = 0;
    for (size_t i = 0; i < path.length;) {
        const int c = next_decoded(path, &i);
        if (c <= 0 || (c == '.' && previous == '.')) {
            return REQUEST_FAULT_PATH;
        }
        previous = c;
    }
    return REQUEST_FAULT_NONE;
}

/* A key belongs into the Authorization header: URLs end up in logs of every machine on the way. */
static bool holds_key(struct span query)
{
    static const char beginning[] = "ward_";
    size_t matched = 0;
    for (size_t i = 0; i < query.length && beginning[matched] != '\0';) {
        const int c = next_decoded(query, &i);
        matched = c == beginning[matched] ? matched + 1 : (c == beginning[0] ? 1 : 0);
    }
    return beginning[matched] == '\0';
}

static enum request_fault read_target(struct span target, struct request_head *out)
{
    if (target.length == 0 || target.bytes[0] != '/') {
        return REQUEST_FAULT_TARGET;
    }
    for (size_t i = 0; i < target.length; i++) {
        if (target.bytes[i] == '\0') {
            return REQUEST_FAULT_PATH;
        }
        if (target.bytes[i] <= ' ' || target.bytes[i] > '~' || target.bytes[i] == '#') {
            return REQUEST_FAULT_TARGET;
        }
    }
    const char *mark = memchr(target.bytes, '?', target.length);
    out->path_bytes = mark ? (size_t)(mark - target.bytes) : target.length;
    const struct span query = {target.bytes + out->path_bytes, target.length - out->path_bytes};
    out->has_key_in_query = holds_key(query);
    return check_path((struct span){target.bytes, out->path_bytes});
}

static enum request_fault read_request_line(struct span line, struct request_head *out)
{
    const char *first = memchr(line.bytes, ' ', line.length);
    const char *last = first ? memrchr(line.bytes, ' ', line.length) : NULL;
    if (!first || first == last
        || !is_token((struct span){line.bytes, (size_t)(first - line.bytes)})) {
        return REQUEST_FAULT_REQUEST_LINE;
    }
    const struct span method = {line.bytes, (size_t)(first - line.bytes)};
    const struct span target = {first + 1, (size_t)(last - first - 1)};
    const struct span version = {last + 1, line.length - (size_t)(last + 1 - line.bytes)};
    const bool is_1_1 = version.length == 8 && memcmp(version.bytes, "HTTP/1.1", 8) == 0;
    const bool is_1_0 = version.length == 8 && memcmp(version.bytes, "HTTP/1.0", 8) == 0;
    if (!is_1_1 && !is_1_0) {
        return REQUEST_FAULT_VERSION;
    }
    if (is_text(method, "CONNECT") || is_text(method, "TRACE")) {
        return REQUEST_FAULT_METHOD;
    }
    if (target.length > REQUEST_TARGET_BYTES_MAX) {
        return REQUEST_FAULT_TARGET_LONG;
    }
    out->is_1_1 = is_1_1;
    out->path_start = method.length + 1;
    out->target_end = out->path_start + target.length;
    return read_target(target, out);
}

/* ---- headers --------------------------------------------------------------------------------- */

/* Headers of which a second one could be read instead of the first. */
enum single { HOST, AUTHORIZATION, LENGTH, TYPE, CODING, EXPECT, SINGLE_COUNT };

static const char *const single_names[SINGLE_COUNT] = {
    [HOST] = "Host",         [AUTHORIZATION] = "Authorization", [LENGTH] = "Content-Length",
    [TYPE] = "Content-Type", [CODING] = "Transfer-Encoding",    [EXPECT] = "Expect",
};

struct singles {
    struct span values[SINGLE_COUNT]; /* bytes NULL: was not there */
};

static struct span trim(struct span span)
{
    while (span.length > 0 && (span.bytes[0] == ' ' || span.bytes[0] == '\t')) {
        span.bytes++;
        span.length--;
    }
    while (span.length > 0
           && (span.bytes[span.length - 1] == ' ' || span.bytes[span.length - 1] == '\t')) {
        span.length--;
    }
    return span;
}

static bool is_value(struct span span)
{
    for (size_t i = 0; i < span.length; i++) {
        const unsigned char c = (unsigned char)span.bytes[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static enum request_fault read_header(struct span line, struct singles *singles)
{
    if (line.bytes[0] == ' ' || line.bytes[0] == '\t') {
        return REQUEST_FAULT_FOLDED;
    }
    const char *colon = memchr(line.bytes, ':', line.length);
    if (!colon) {
        return REQUEST_FAULT_HEADER;
    }
    const struct span name = {line.bytes, (size_t)(colon - line.bytes)};
    const struct span value = trim((struct span){colon + 1, line.length - name.length - 1});
    if (!is_token(name) || !is_value(value)) {
        return REQUEST_FAULT_HEADER;
    }
    for (int i = 0; i < SINGLE_COUNT; i++) {
        if (is_text(name, single_names[i])) {
            if (singles->values[i].bytes) {
                return REQUEST_FAULT_TWICE;
            }
            singles->values[i] = value;
        }
    }
    return REQUEST_FAULT_NONE;
}

static enum request_fault check_host(struct span host, bool is_needed)
{
    if (!host.bytes) {
        return is_needed ? REQUEST_FAULT_HOST : REQUEST_FAULT_NONE;
    }
    for (size_t i = 0; i < host.length; i++) {
        const char c = host.bytes[i];
        if (!is_digit(c) && !is_letter(c) && (c == '\0' || !strchr("-._~:[]", c))) {
            return REQUEST_FAULT_HOST;
        }
    }
    return host.length > 0 ? REQUEST_FAULT_NONE : REQUEST_FAULT_HOST;
}

static enum request_fault read_length(struct span text, uint64_t *out)
{
    enum { DIGITS_MAX = 18 };
    if (text.length == 0 || text.length > DIGITS_MAX) {
        return REQUEST_FAULT_LENGTH;
    }
    *out = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (!is_digit(text.bytes[i])) {
            return REQUEST_FAULT_LENGTH;
        }
        *out = *out * 10 + (uint64_t)(text.bytes[i] - '0');
    }
    return REQUEST_FAULT_NONE;
}

static enum request_fault read_framing(const struct singles *singles, struct request_head *out)
{
    const struct span length = singles->values[LENGTH], coding = singles->values[CODING];
    const struct span expect = singles->values[EXPECT];
    if (length.bytes && coding.bytes) {
        return REQUEST_FAULT_TWO_LENGTHS;
    }
    if (coding.bytes && (!out->is_1_1 || !is_text(coding, "chunked"))) {
        return REQUEST_FAULT_CODING;
    }
    if (expect.bytes && !is_text(expect, "100-continue")) {
        return REQUEST_FAULT_EXPECT;
    }
    out->is_chunked = coding.bytes != NULL;
    return length.bytes ? read_length(length, &out->body_bytes) : REQUEST_FAULT_NONE;
}

/* The line from start up to CR LF; false: a lone CR or LF, or none. */
static bool next_line(struct span all, size_t *start, struct span *out)
{
    const char *line = all.bytes + *start;
    const char *end = memchr(line, '\n', all.length - *start);
    if (!end || end == line || end[-1] != '\r') {
        return false;
    }
    *out = (struct span){line, (size_t)(end - line) - 1};
    *start += out->length + 2;
    return memchr(out->bytes, '\r', out->length) == NULL;
}

enum request_fault request_head_read(const char *bytes, size_t length, struct request_head *out)
{
    const struct span all = {bytes, length};
    struct singles singles = {0};
    struct request_head head = {0};
    struct span line;
    size_t start = 0;
    if (!next_line(all, &start, &line)) {
        return REQUEST_FAULT_REQUEST_LINE;
    }
    enum request_fault fault = read_request_line(line, &head);
    for (uint32_t count = 0; fault == REQUEST_FAULT_NONE && start < length; count++) {
        if (!next_line(all, &start, &line)) {
            return REQUEST_FAULT_HEADER;
        }
        if (line.length == 0) {
            break;
        }
        fault =
            count < REQUEST_HEADERS_MAX ? read_header(line, &singles) : REQUEST_FAULT_HEAD_LARGE;
    }
    if (fault == REQUEST_FAULT_NONE) {
        fault = check_host(singles.values[HOST], head.is_1_1);
    }
    if (fault == REQUEST_FAULT_NONE) {
        fault = read_framing(&singles, &head);
    }
    if (fault == REQUEST_FAULT_NONE && (line.length > 0 || start != length)) {
        fault = REQUEST_FAULT_HEADER;
    }
    const struct span authorization = singles.values[AUTHORIZATION];
    if (authorization.bytes) {
        head.authorization_start = (size_t)(authorization.bytes - bytes);
        head.authorization_bytes = authorization.length;
    }
    if (fault == REQUEST_FAULT_NONE) {
        *out = head;
    }
    return fault;
}
