/* Method: a front with handlers that reply at once. Every rule x {no key, wrong key, good key},
 * keys where they do not belong, bodies and answers byte by byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/check.h"
#include "tests/server/support_http.h"

enum { ANSWER_BYTES = 1 << 20 };

static char answer[ANSWER_BYTES];
static struct front front;

static void open_handler(struct http_exchange *exchange, void *service)
{
    CHECK(service == &front, "service");
    CHECK(http_exchange_identity(exchange) == NULL, "nobody is asked for a key");
    http_reply_header(exchange, "x-test", "yes");
    http_reply(exchange, 200, "text/plain", "open", 4);
}

static void echo_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    size_t length = 0;
    const char *body = http_exchange_body(exchange, &length);
    const struct auth_identity *identity = http_exchange_identity(exchange);
    CHECK(identity && strcmp(identity->tenant_name, "clinic") == 0, "identity");
    http_reply(exchange, 200, "text/plain", body, length);
}

static void error_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    const struct http_error error = {429, "rate_limit_error", "n", "slow", "say \"please\"", 7};
    http_reply_error(exchange, &error);
}

/* "a=VALUE", "a!" when it is refused, "a-" when it is not there; likewise b, of 8 bytes at most. */
static void query_handler(struct http_exchange *exchange, void *service)
{
    static const char *const names[] = {"a", "b"};
    char text[128] = "", value[9];
    (void)service;
    for (size_t i = 0; i < 2; i++) {
        const size_t length = strlen(text);
        const enum status status = http_exchange_query(exchange, names[i], value, sizeof value);
        snprintf(text + length, sizeof text - length, "%s%s%s;", names[i],
                 status == STATUS_OK          ? "="
                 : status == STATUS_NOT_FOUND ? "-"
                                              : "!",
                 status == STATUS_OK ? value : "");
    }
    http_reply(exchange, 200, "text/plain", text, strlen(text));
}

static const char *const query_names[] = {"a", "b", NULL};

static const struct http_route routes[] = {
    {HTTP_LISTENER_API, "GET", "/ask", HTTP_RULE_KEY, AUTH_SCOPE_INFER, query_names, query_handler},
    {HTTP_LISTENER_API, "GET", "/open", HTTP_RULE_OPEN, 0, NULL, open_handler},
    {HTTP_LISTENER_API, "POST", "/echo", HTTP_RULE_KEY, AUTH_SCOPE_INFER, NULL, echo_handler},
    {HTTP_LISTENER_API, "GET", "/error", HTTP_RULE_OPEN, 0, NULL, error_handler},
    {HTTP_LISTENER_API, "GET", "/manage", HTTP_RULE_KEY, AUTH_SCOPE_ADMIN, NULL, open_handler},
    {HTTP_LISTENER_API, "GET", "/unset", HTTP_RULE_UNSET, 0, NULL, open_handler},
    {HTTP_LISTENER_ADMIN, "GET", "/health", HTTP_RULE_OPEN, 0, NULL, open_handler},
};

/* What was told of the last refusal. The answer leaves afterwards, so a client that has it may
 * look. */
static struct {
    int count, code;
    char tenant[AUTH_NAME_BYTES], path[32], peer[HTTP_PEER_BYTES];
    bool has_request_id;
} told;

static void refused(void *service, const struct http_refusal *refusal)
{
    CHECK(service == &front, "service");
    told.count++;
    told.code = refusal->error.http_code;
    told.has_request_id = strncmp(refusal->request_id, "req_", 4) == 0;
    snprintf(told.tenant, sizeof told.tenant, "%s",
             refusal->identity ? refusal->identity->tenant_name : "");
    snprintf(told.path, sizeof told.path, "%s", refusal->path ? refusal->path : "");
    snprintf(told.peer, sizeof told.peer, "%s", refusal->peer);
}

static void start(void)
{
    struct http_server_config made = front_config();
    made.refused = refused;
    made.routes = routes;
    made.route_count = sizeof routes / sizeof routes[0];
    made.service = &front;
    if (!front_start(&front, &made)) {
        exit(1);
    }
}

static int ask(enum http_listener listener, const char *line, const char *key, const char *rest)
{
    return raw_client_request(&front, listener, line, key, rest, answer, sizeof answer);
}

/* ---- who may --------------------------------------------------------------------------------- */

static void every_rule_is_kept(void)
{
    static const char wrong[] = "ward_test_0123456789abcdef_"
                                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        const char *line;
        int without, wrong, good;
    } rows[] = {
        {"GET /open", 200, 200, 200},    {"HEAD /open", 200, 200, 200},
        {"POST /open", 405, 405, 405},   {"OPTIONS /open", 405, 405, 405},
        {"GET /echo", 401, 401, 405},    {"GET /manage", 401, 401, 403},
        {"HEAD /manage", 401, 401, 403}, {"GET /unset", 401, 401, 401},
        {"GET /nothing", 401, 401, 404}, {"DELETE /echo", 401, 401, 405},
        {"GET /health", 401, 401, 404},  {"GET /open/", 401, 401, 404},
        {"GET //open", 401, 401, 404},   {"GET /Open", 401, 401, 404},
        {"GET /%6fpen", 401, 401, 404},  {"OPTIONS /echo", 401, 401, 405},
        {"BREW /open", 405, 405, 405},
    };
    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *line = rows[i].line;
        CHECK(ask(HTTP_LISTENER_API, line, NULL, NULL) == rows[i].without, "%s: %.20s", line,
              answer);
        CHECK(rows[i].without != 401 || strstr(answer, "Bearer\r\n"), "%s: challenge", line);
        CHECK(strstr(answer, "x-request-id: req_"), "%s: request id", line);
        CHECK(strstr(answer, "cache-control: no-store\r\n"), "%s: no-store", line);
        CHECK(strstr(answer, "x-content-type-options: nosniff\r\n"), "%s: nosniff", line);
        CHECK(ask(HTTP_LISTENER_API, line, wrong, NULL) == rows[i].wrong, "%s: %.20s", line,
              answer);
        CHECK(ask(HTTP_LISTENER_API, line, front.key, NULL) == rows[i].good, "%s: %.20s", line,
              answer);
        CHECK(rows[i].good != 405 || strstr(answer, "allow: "), "%s: allow", line);
    }
    CHECK(ask(HTTP_LISTENER_ADMIN, "GET /health", NULL, NULL) == 200, "admin: %.20s", answer);
    CHECK(ask(HTTP_LISTENER_ADMIN, "GET /open", front.key, NULL) == 404, "admin: %.20s", answer);
    front_stop(&front);
}

static void who_is_refused_is_told_once(void)
{
    static const struct {
        const char *line;
        bool has_key;
        int code; /* 0: not refused here */
        const char *tenant, *path;
    } rows[] = {
        {"GET /open", true, 0, "", ""},
        {"GET /error", false, 0, "", ""},
        {"GET /manage", false, 401, "", ""},
        {"GET /manage", true, 403, "clinic", "/manage"},
        {"GET /nothing", true, 404, "clinic", ""},
        {"DELETE /echo", true, 405, "clinic", ""},
        {"GET /unset", true, 401, "clinic", ""},
        {"POST /open", true, 405, "", ""},
    };
    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int before = told.count;
        ask(HTTP_LISTENER_API, rows[i].line, rows[i].has_key ? front.key : NULL, NULL);
        CHECK(told.count - before == (rows[i].code != 0), "%s: told", rows[i].line);
        if (rows[i].code != 0) {
            CHECK(told.code == rows[i].code, "%s: %d", rows[i].line, told.code);
            CHECK(strcmp(told.tenant, rows[i].tenant) == 0, "%s: %s", rows[i].line, told.tenant);
            CHECK(strcmp(told.path, rows[i].path) == 0, "%s: %s", rows[i].line, told.path);
            CHECK(strcmp(told.peer, "127.0.0.1") == 0, "%s: %s", rows[i].line, told.peer);
            CHECK(told.has_request_id, "%s: request id", rows[i].line);
        }
    }
    static const char *const too_large[] = {"Content-Length: 65537\r\n\r\n",
                                            "Transfer-Encoding: chunked\r\n\r\n10001\r\n"};
    for (size_t i = 0; i < 2; i++) {
        const int before = told.count;
        CHECK(ask(HTTP_LISTENER_API, "POST /echo", front.key, too_large[i]) == 413, "%s", answer);
        CHECK(told.count == before + 1 && told.code == 413, "%s", too_large[i]);
        CHECK(strcmp(told.tenant, "clinic") == 0, "%s: %s", too_large[i], told.tenant);
        const int code = ask(HTTP_LISTENER_API, "POST /echo", NULL, too_large[i]);
        CHECK(code == 413 || (i == 1 && code == 401), "without a key: %s", answer);
        CHECK(told.tenant[0] == '\0', "nobody's: %s", told.tenant);
    }
    front_stop(&front);
}

static void a_key_is_taken_from_its_header_alone(void)
{
    char line[RAW_REQUEST_BYTES], rest[RAW_REQUEST_BYTES];
    start();
    static const char *const good[] = {"Bearer ", "bearer ", "BEARER  "};
    static const char *const bad[] = {"", "Basic ", "Bearer", "Token ", "Bearer x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        snprintf(rest, sizeof rest,
                 "Connection: close\r\nAuthorization: %s%s\r\nContent-Length: 2\r\n\r\nhi", good[i],
                 front.key);
        CHECK(ask(HTTP_LISTENER_API, "POST /echo", NULL, rest) == 200, "%s", good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        snprintf(rest, sizeof rest,
                 "Connection: close\r\nAuthorization: %s%s\r\nContent-Length: 2\r\n\r\nhi", bad[i],
                 front.key);
        CHECK(ask(HTTP_LISTENER_API, "POST /echo", NULL, rest) == 401, "%s", bad[i]);
    }
    static const char *const queries[] = {"api_key=", "", "a=b&token=", "%77%61rd_x&w=ward%5f"};
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        snprintf(line, sizeof line, "GET /open?%s%s", queries[i], front.key);
        CHECK(ask(HTTP_LISTENER_API, line, NULL, NULL) == 401, "%s: open route", queries[i]);
        CHECK(ask(HTTP_LISTENER_API, line, front.key, NULL) == 401, "%s: with key", queries[i]);
        CHECK(!strstr(answer, front.key), "%s: not echoed", queries[i]);
    }
    CHECK(ask(HTTP_LISTENER_API, "GET /open?award=1", NULL, NULL) == 200, "a word is no key");
    snprintf(rest, sizeof rest, "Connection: close\r\nX-Api-Key: %s\r\nCookie: key=%s\r\n\r\n",
             front.key, front.key);
    CHECK(ask(HTTP_LISTENER_API, "GET /manage", NULL, rest) == 401, "other headers");
    front_stop(&front);
}

static void a_query_is_read_where_the_route_names_it(void)
{
    static const struct {
        const char *query, *said; /* NULL: 400 */
    } rows[] = {
        {"", "a-;b-;"},
        {"?", "a-;b-;"},
        {"?a=1", "a=1;b-;"},
        {"?b=2&a=1", "a=1;b=2;"},
        {"?a=&b", "a=;b=;"},
        {"?a=1&a=1", "a!;b-;"},
        {"?a=1&a=1&a=1", "a!;b-;"},
        {"?a=x%2Dy%2b+%C3%A4", "a=x-y++\xc3\xa4;b-;"},
        {"?a=12345678", "a=12345678;b-;"},
        {"?a=123456789", "a!;b-;"},
        {"?a=%", "a!;b-;"},
        {"?a=%4", "a!;b-;"},
        {"?a=%4g&b=1", "a!;b=1;"},
        {"?a=%00", "a!;b-;"},
        {"?a=%0a", "a!;b-;"},
        {"?a=1=2?", "a=1=2?;b-;"},
        {"?c=1", NULL},
        {"?a=1&", "a=1;b-;"},
        {"?&a=1", NULL},
        {"?A=1", NULL},
        {"?%61=1", NULL},
        {"?aa=1", NULL},
    };
    char line[RAW_REQUEST_BYTES];
    start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(line, sizeof line, "GET /ask%s", rows[i].query);
        CHECK(ask(HTTP_LISTENER_API, line, NULL, NULL) == 401, "%s: nobody", rows[i].query);
        const int code = ask(HTTP_LISTENER_API, line, front.key, NULL);
        CHECK(code == (rows[i].said ? 200 : 400), "%s: %d", rows[i].query, code);
        const char *body = strstr(answer, "\r\n\r\n");
        CHECK(!rows[i].said || (body && strcmp(body + 4, rows[i].said) == 0), "%s: %s",
              rows[i].query, answer);
        CHECK(rows[i].said || strstr(answer, "\"unknown_parameter\""), "%s", answer);
    }
    snprintf(line, sizeof line, "GET /ask?a=%s", front.key);
    CHECK(ask(HTTP_LISTENER_API, line, front.key, NULL) == 401, "a key in the query");

    /* The next request on the connection does not have the query of the one before. */
    struct raw_client client;
    char request[RAW_REQUEST_BYTES];
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    raw_client_write(request, "GET /ask?a=1", front.key, NULL);
    raw_client_send_text(&client, request);
    CHECK(raw_client_receive_text(&client, "a=1;b-;", answer, sizeof answer), "%s", answer);
    raw_client_write(request, "GET /ask", front.key, NULL);
    raw_client_send_text(&client, request);
    CHECK(raw_client_receive_text(&client, "a-;b-;", answer, sizeof answer), "%s", answer);
    raw_client_close(&client);
    front_stop(&front);
}

/* ---- bodies and answers ---------------------------------------------------------------------- */

static void answers_are_whole(void)
{
    char request[RAW_REQUEST_BYTES];
    struct raw_client client;
    bool is_closed = false;
    start();
    CHECK(ask(HTTP_LISTENER_API, "GET /error", NULL, NULL) == 429, "%.20s", answer);
    CHECK(strstr(answer, "retry-after: 7\r\n"), "%s", answer);
    CHECK(strstr(answer, "\r\n\r\n{\"error\":{\"message\":\"say \\\"please\\\"\",\"type\":"
                         "\"rate_limit_error\",\"param\":\"n\",\"code\":\"slow\"}}"),
          "%s", answer);
    CHECK(ask(HTTP_LISTENER_API, "HEAD /open", NULL, NULL) == 200, "%.20s", answer);
    CHECK(strstr(answer, "Content-Length: 4\r\n") && strstr(answer, "x-test: yes\r\n"), "HEAD");
    CHECK(strcmp(answer + strlen(answer) - 4, "\r\n\r\n") == 0, "HEAD has no body");
    CHECK(ask(HTTP_LISTENER_API, "POST /echo", front.key,
              "Content-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
              == 415,
          "%.20s", answer);

    /* Several requests on one connection, with 100-continue before one. */
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    for (int i = 0; i < 3; i++) {
        raw_client_write(request, "POST /echo", front.key,
                         "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
        raw_client_send_text(&client, request);
        CHECK(raw_client_receive_text(&client, "\r\n\r\n", answer, sizeof answer), "head");
        CHECK(raw_client_status(answer) == 100, "continue: %.30s", answer);
        raw_client_send_text(&client, "howdy");
        CHECK(raw_client_receive_text(&client, "\r\n\r\nhowdy", answer, sizeof answer), "echo");
        CHECK(raw_client_status(answer) == 200, "%s", answer);
    }
    raw_client_write(request, "POST /echo", NULL,
                     "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    raw_client_send_text(&client, request);
    raw_client_receive(&client, answer, sizeof answer, 5000, &is_closed);
    CHECK(raw_client_status(answer) == 401 && is_closed, "no continue for nobody: %.30s", answer);
    raw_client_close(&client);
    front_stop(&front);
}

static void a_large_body_arrives_whole(void)
{
    static char bytes[80000], framed[200000];
    start();
    for (int chunked = 0; chunked < 2; chunked++) {
        struct raw_client client;
        char request[RAW_REQUEST_BYTES];
        bool is_closed = false;
        size_t length = 65536;
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (char)('a' + i % 23);
        }
        raw_client_write(request, "POST /echo", front.key,
                         chunked ? "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                                 : "Content-Length: 65536\r\nConnection: close\r\n\r\n");
        size_t at = 0;
        for (size_t i = 0; chunked && i < length;) {
            const size_t piece = i % 977 + 1 < length - i ? i % 977 + 1 : length - i;
            at += (size_t)snprintf(framed + at, sizeof framed - at, "%zX\r\n", piece);
            memcpy(framed + at, bytes + i, piece);
            memcpy(framed + at + piece, "\r\n", 2);
            at += piece + 2;
            i += piece;
        }
        memcpy(framed + at, "0\r\n\r\n", 5);
        CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
        raw_client_send_text(&client, request);
        raw_client_send(&client, chunked ? framed : bytes, chunked ? at + 5 : length);
        const size_t got = raw_client_receive(&client, answer, sizeof answer, 8000, &is_closed);
        CHECK(got > length && memcmp(answer + got - length, bytes, length) == 0, "chunked %d",
              chunked);
        raw_client_close(&client);
    }
    front_stop(&front);
}

CHECK_MAIN(every_rule_is_kept, who_is_refused_is_told_once, a_key_is_taken_from_its_header_alone,
           a_query_is_read_where_the_route_names_it, answers_are_whole, a_large_body_arrives_whole)
