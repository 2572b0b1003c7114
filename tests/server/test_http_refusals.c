/* Method: a table of raw requests that two readers could understand differently, or that are too
 * large. Each is sent over TLS and over the plain listener, whole and byte by byte; each must get
 * its status once, the connection must be closed, and what hides behind it must not run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/server/support_http.h"

#define HOST          "Host: localhost\r\n"
#define GET(path)     "GET " path " HTTP/1.1\r\n" HOST "\r\n"
#define POST(headers) "POST /echo HTTP/1.1\r\n" HOST headers "\r\n"
#define CHUNKED       "Transfer-Encoding: chunked\r\n"
#define BYTES(text)   text, sizeof text - 1

static const struct {
    const char *name, *bytes;
    size_t length;
    int want;
} cases[] = {
    {"length and chunked", BYTES(POST("Content-Length: 4\r\n" CHUNKED) "0\r\n\r\n"), 400},
    {"chunked and length", BYTES(POST(CHUNKED "Content-Length: 4\r\n") "0\r\n\r\n"), 400},
    {"two lengths", BYTES(POST("Content-Length: 4\r\nContent-Length: 5\r\n") "abcd"), 400},
    {"two equal lengths", BYTES(POST("Content-Length: 4\r\nContent-Length: 4\r\n") "abcd"), 400},
    {"length list", BYTES(POST("Content-Length: 4, 4\r\n") "abcd"), 400},
    {"negative length", BYTES(POST("Content-Length: -4\r\n") "abcd"), 400},
    {"signed length", BYTES(POST("Content-Length: +4\r\n") "abcd"), 400},
    {"hex length", BYTES(POST("Content-Length: 0x4\r\n") "abcd"), 400},
    {"empty length", BYTES(POST("Content-Length:\r\n") "abcd"), 400},
    {"length with space", BYTES(POST("Content-Length: 4 4\r\n") "abcd"), 400},
    {"overlong length", BYTES(POST("Content-Length: 18446744073709551620\r\n") "abcd"), 400},
    {"two hosts", BYTES("GET /open HTTP/1.1\r\n" HOST HOST "\r\n"), 400},
    {"no host", BYTES("GET /open HTTP/1.1\r\n\r\n"), 400},
    {"empty host", BYTES("GET /open HTTP/1.1\r\nHost:\r\n\r\n"), 400},
    {"bad host", BYTES("GET /open HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400},
    {"two authorizations",
     BYTES("GET /open HTTP/1.1\r\n" HOST "Authorization: Bearer a\r\nauthorization: b\r\n\r\n"),
     400},
    {"folded", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n"), 400},
    {"folded with tab", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\r\n\tb\r\n\r\n"), 400},
    {"folded length", BYTES(POST("Content-Length:\r\n 4\r\n") "abcd"), 400},
    {"first header folded", BYTES("GET /open HTTP/1.1\r\n " HOST "\r\n"), 400},
    {"space before colon", BYTES("GET /open HTTP/1.1\r\n" HOST "X : a\r\n\r\n"), 400},
    {"space in name", BYTES("GET /open HTTP/1.1\r\n" HOST "X Y: a\r\n\r\n"), 400},
    {"no colon", BYTES("GET /open HTTP/1.1\r\n" HOST "X\r\n\r\n"), 400},
    {"empty name", BYTES("GET /open HTTP/1.1\r\n" HOST ": a\r\n\r\n"), 400},
    {"NUL in value", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n"), 400},
    {"NUL in name", BYTES("GET /open HTTP/1.1\r\n" HOST "X\0Y: a\r\n\r\n"), 400},
    {"bare CR in value", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n"), 400},
    {"bare CR ends line", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\rY: b\r\n\r\n"), 400},
    {"bare LF", BYTES("GET /open HTTP/1.1\nHost: a\n\n"), 400},
    {"bare LF once", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\nY: b\r\n\r\n"), 400},
    {"DEL in value", BYTES("GET /open HTTP/1.1\r\n" HOST "X: a\x7f\r\n\r\n"), 400},
    {"NUL in path", BYTES("GET /op\0en HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"encoded NUL", BYTES(GET("/op%00en")), 400},
    {"dots", BYTES(GET("/x/../open")), 400},
    {"encoded dots", BYTES(GET("/x/%2e%2e/open")), 400},
    {"mixed dots", BYTES(GET("/x/.%2E/open")), 400},
    {"dots at end", BYTES(GET("/open/..")), 400},
    {"broken escape", BYTES(GET("/op%zz")), 400},
    {"cut escape", BYTES(GET("/open%2")), 400},
    {"absolute form", BYTES(GET("http://localhost/open")), 400},
    {"absolute https", BYTES(GET("https://localhost/open")), 400},
    {"authority form", BYTES(GET("localhost:443")), 400},
    {"asterisk form", BYTES(GET("*")), 400},
    {"no slash", BYTES(GET("open")), 400},
    {"fragment", BYTES(GET("/open#a")), 400},
    {"space in target", BYTES(GET("/open /x")), 400},
    {"two spaces", BYTES("GET  /open HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"tab for space", BYTES("GET\t/open\tHTTP/1.1\r\n" HOST "\r\n"), 400},
    {"8-bit target", BYTES(GET("/\xc3\xa4")), 400},
    {"HTTP/0.9", BYTES("GET /open\r\n\r\n"), 400},
    {"HTTP/1.2", BYTES("GET /open HTTP/1.2\r\n" HOST "\r\n"), 400},
    {"HTTP/2.0", BYTES("GET /open HTTP/2.0\r\n" HOST "\r\n"), 400},
    {"HTTP/1.10", BYTES("GET /open HTTP/1.10\r\n" HOST "\r\n"), 400},
    {"HTTP/01.1", BYTES("GET /open HTTP/01.1\r\n" HOST "\r\n"), 400},
    {"http/1.1", BYTES("GET /open http/1.1\r\n" HOST "\r\n"), 400},
    {"version and space", BYTES("GET /open HTTP/1.1 \r\n" HOST "\r\n"), 400},
    {"HTTP/2 preface", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 400},
    {"not HTTP", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), 400},
    {"bad method", BYTES("G(T /open HTTP/1.1\r\n" HOST "\r\n"), 400},
    {"CONNECT", BYTES("CONNECT localhost:443 HTTP/1.1\r\n" HOST "\r\n"), 405},
    {"TRACE", BYTES("TRACE /open HTTP/1.1\r\n" HOST "\r\n"), 405},
    {"unknown coding", BYTES(POST("Transfer-Encoding: gzip\r\n") "abcd"), 400},
    {"coding list", BYTES(POST("Transfer-Encoding: gzip, chunked\r\n") "0\r\n\r\n"), 400},
    {"chunked twice", BYTES(POST(CHUNKED CHUNKED) "0\r\n\r\n"), 400},
    {"odd chunked", BYTES(POST("Transfer-Encoding: xchunked\r\n") "0\r\n\r\n"), 400},
    {"vertical tab chunked",
     BYTES(POST("Transfer-Encoding: \x0b"
                "chunked\r\n") "0\r\n\r\n"),
     400},
    {"quoted chunked", BYTES(POST("Transfer-Encoding: \"chunked\"\r\n") "0\r\n\r\n"), 400},
    {"chunked in 1.0", BYTES("POST /echo HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n"), 400},
    {"bad chunk size", BYTES(POST(CHUNKED) "zz\r\nabcd\r\n0\r\n\r\n"), 400},
    {"empty chunk size", BYTES(POST(CHUNKED) "\r\nabcd\r\n0\r\n\r\n"), 400},
    {"negative chunk size", BYTES(POST(CHUNKED) "-4\r\nabcd\r\n0\r\n\r\n"), 400},
    {"hex prefix chunk size", BYTES(POST(CHUNKED) "0x4\r\nabcd\r\n0\r\n\r\n"), 400},
    {"spaced chunk size", BYTES(POST(CHUNKED) "4 \r\nabcd\r\n0\r\n\r\n"), 400},
    {"overflowing chunk size", BYTES(POST(CHUNKED) "10000000000000004\r\nabcd\r\n0\r\n\r\n"), 400},
    {"chunk without end", BYTES(POST(CHUNKED) "4\r\nabcdXX0\r\n\r\n"), 400},
    {"chunk with bare LF", BYTES(POST(CHUNKED) "4\nabcd\r\n0\r\n\r\n"), 400},
    {"chunk with half its end", BYTES(POST(CHUNKED) "4\r\nabcdX\n0\r\n\r\n"), 400},
    {"chunk end bare LF", BYTES(POST(CHUNKED) "4\r\nabcd\n0\r\n\r\n"), 400},
    {"second chunk bad", BYTES(POST(CHUNKED) "4\r\nabcd\r\nxyz\r\n"), 400},
    {"bad extension", BYTES(POST(CHUNKED) "4;a\x01\r\nabcd\r\n0\r\n\r\n"), 400},
    {"trailer", BYTES(POST(CHUNKED) "4\r\nabcd\r\n0\r\nX: y\r\n\r\n"), 400},
    {"large chunk", BYTES(POST(CHUNKED) "10001\r\n"), 413},
    {"large length", BYTES(POST("Content-Length: 65537\r\n")), 413},
    {"unknown expectation", BYTES(POST("Expect: 200-ok\r\nContent-Length: 4\r\n") "abcd"), 417},
};
enum { CASE_COUNT = sizeof cases / sizeof cases[0], ANSWER_BYTES = 65536 };

/* Counts what really ran: a refused request and what hides behind it must not. */
static unsigned handled;

static void open_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    http_reply(exchange, 200, "text/plain", "open", 4);
}

static void echo_handler(struct http_exchange *exchange, void *service)
{
    (void)service;
    size_t length = 0;
    const char *body = http_exchange_body(exchange, &length);
    __atomic_add_fetch(&handled, 1, __ATOMIC_RELAXED);
    http_reply(exchange, 200, "text/plain", body, length);
}

static const struct http_route routes[] = {
    {HTTP_LISTENER_API, "GET", "/open", HTTP_RULE_OPEN, 0, NULL, open_handler},
    {HTTP_LISTENER_API, "POST", "/echo", HTTP_RULE_OPEN, 0, NULL, echo_handler},
    {HTTP_LISTENER_ADMIN, "GET", "/open", HTTP_RULE_OPEN, 0, NULL, open_handler},
    {HTTP_LISTENER_ADMIN, "POST", "/echo", HTTP_RULE_OPEN, 0, NULL, echo_handler},
};

static struct http_server_config config(void)
{
    struct http_server_config made = front_config();
    made.routes = routes;
    made.route_count = sizeof routes / sizeof routes[0];
    return made;
}

static size_t count_text(const char *all, const char *wanted)
{
    size_t count = 0;
    for (const char *place = all; (place = strstr(place, wanted)); place++) {
        count++;
    }
    return count;
}

static void check_refused(const struct front *front, enum http_listener listener, size_t i)
{
    static char answer[ANSWER_BYTES];
    static const char hidden[] = GET("/open");
    char bytes[2048];
    bool is_closed = false;
    memcpy(bytes, cases[i].bytes, cases[i].length);
    memcpy(bytes + cases[i].length, hidden, sizeof hidden - 1);
    raw_client_ask(front, listener, bytes, cases[i].length + sizeof hidden - 1, answer,
                   sizeof answer, &is_closed);
    CHECK(raw_client_status(answer) == cases[i].want, "%s: %.60s", cases[i].name, answer);
    CHECK(count_text(answer, "HTTP/1.1 ") == 1, "%s: one answer", cases[i].name);
    CHECK(is_closed, "%s: the connection is closed", cases[i].name);
    CHECK(strstr(answer, "x-request-id: req_") != NULL, "%s: request id", cases[i].name);
    CHECK(strstr(answer, "{\"error\":{\"message\":\"") != NULL, "%s: body", cases[i].name);
}

static void every_case_is_refused_on_both_listeners(void)
{
    struct front front;
    const struct http_server_config made = config();
    CHECK(front_start(&front, &made), "start");
    for (size_t i = 0; i < CASE_COUNT; i++) {
        check_refused(&front, HTTP_LISTENER_API, i);
        check_refused(&front, HTTP_LISTENER_ADMIN, i);
    }
    CHECK(handled == 0, "%u refused or hidden requests ran", handled);
    front_stop(&front);
}

/* Every byte in a record of its own: the guard may not depend on how bytes arrive. */
static void every_case_is_refused_byte_by_byte(void)
{
    static char answer[ANSWER_BYTES];
    struct front front;
    const struct http_server_config made = config();
    CHECK(front_start(&front, &made), "start");
    for (size_t i = 0; i < CASE_COUNT; i++) {
        struct raw_client client;
        bool is_closed = false;
        CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
        for (size_t j = 0; j < cases[i].length; j++) {
            if (!raw_client_send(&client, cases[i].bytes + j, 1)) {
                break; /* refused before its end */
            }
        }
        raw_client_receive(&client, answer, sizeof answer, 10000, &is_closed);
        CHECK(raw_client_status(answer) == cases[i].want, "%s: %.60s", cases[i].name, answer);
        CHECK(is_closed, "%s: closed", cases[i].name);
        raw_client_close(&client);
    }
    CHECK(handled == 0, "%u refused requests ran", handled);
    front_stop(&front);
}

static void what_is_too_large_is_refused(void)
{
    static char bytes[1 << 20], answer[ANSWER_BYTES];
    struct front front;
    const struct http_server_config made = config();
    bool is_closed = false;
    CHECK(front_start(&front, &made), "start");
    int length = snprintf(bytes, sizeof bytes, "GET /open HTTP/1.1\r\n" HOST "X: ");
    memset(bytes + length, 'a', sizeof bytes - (size_t)length);
    raw_client_ask(&front, HTTP_LISTENER_API, bytes, 100000, answer, sizeof answer, &is_closed);
    CHECK(raw_client_status(answer) == 431 && is_closed, "large headers: %.60s", answer);

    length = snprintf(bytes, sizeof bytes, "GET /");
    memset(bytes + length, 'a', sizeof bytes - (size_t)length);
    raw_client_ask(&front, HTTP_LISTENER_API, bytes, 100000, answer, sizeof answer, &is_closed);
    CHECK(raw_client_status(answer) == 414 && is_closed, "endless target: %.60s", answer);
    memcpy(bytes + 5000, " HTTP/1.1\r\n" HOST "\r\n", 30);
    raw_client_ask(&front, HTTP_LISTENER_API, bytes, 5030, answer, sizeof answer, &is_closed);
    CHECK(raw_client_status(answer) == 414 && is_closed, "long target: %.60s", answer);

    length = snprintf(bytes, sizeof bytes, "GET /open HTTP/1.1\r\n" HOST);
    for (int i = 0; i < 101; i++) {
        length += snprintf(bytes + length, sizeof bytes - (size_t)length, "X%d: a\r\n", i);
    }
    length += snprintf(bytes + length, sizeof bytes - (size_t)length, "\r\n");
    raw_client_ask(&front, HTTP_LISTENER_API, bytes, (size_t)length, answer, sizeof answer,
                   &is_closed);
    CHECK(raw_client_status(answer) == 431 && is_closed, "many headers: %.60s", answer);

    /* The client sends all of its body before it reads: the answer must survive that. */
    length = snprintf(bytes, sizeof bytes, POST("Content-Length: 8388000\r\n"));
    memset(bytes + length, 'a', sizeof bytes - (size_t)length);
    struct raw_client client;
    CHECK(raw_client_open(&client, &front, HTTP_LISTENER_API, NULL), "open");
    for (int i = 0; i < 8; i++) {
        CHECK(raw_client_send(&client, bytes, sizeof bytes), "%d MiB can be sent", i + 1);
    }
    raw_client_receive(&client, answer, sizeof answer, 5000, &is_closed);
    raw_client_close(&client);
    CHECK(raw_client_status(answer) == 413 && is_closed, "large body: %.60s", answer);
    CHECK(handled == 0, "%u refused requests ran", handled);
    front_stop(&front);
}

/* What a strict reader must still take. */
static void good_requests_are_served(void)
{
    static const struct {
        const char *name, *bytes;
        const char *body;
    } good[] = {
        {"plain", GET("/open"), "open"},
        {"query", GET("/open?a=..&b=%00"), "open"},
        {"HTTP/1.0", "GET /open HTTP/1.0\r\n\r\n", "open"},
        {"empty line first", "\r\n" GET("/open"), "open"},
        {"no space after colon", "GET /open HTTP/1.1\r\nHost:localhost\r\nX:a\r\n\r\n", "open"},
        {"spaces around a value", "GET /open HTTP/1.1\r\nHost: \t localhost \t\r\n\r\n", "open"},
        {"8-bit value", "GET /open HTTP/1.1\r\n" HOST "X: \xc3\xa4\r\n\r\n", "open"},
        {"IPv6 host", "GET /open HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n", "open"},
        {"length", POST("Content-Length: 4\r\n") "abcd", "abcd"},
        {"length 0", POST("Content-Length: 0\r\n"), ""},
        {"length with zeros", POST("Content-Length: 0004\r\n") "abcd", "abcd"},
        {"no body", POST(""), ""},
        {"chunked", POST(CHUNKED) "4\r\nabcd\r\n0\r\n\r\n", "abcd"},
        {"chunks", POST(CHUNKED) "1\r\na\r\n0002\r\nbc\r\n1;x=y\r\nd\r\n0\r\n\r\n", "abcd"},
        {"CHUNKED", POST("transfer-ENCODING: CHUNKED\r\n") "4\r\nabcd\r\n0\r\n\r\n", "abcd"},
        {"empty chunked", POST(CHUNKED) "0\r\n\r\n", ""},
    };
    static char answer[ANSWER_BYTES];
    struct front front;
    const struct http_server_config made = config();
    CHECK(front_start(&front, &made), "start");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        for (int listener = 0; listener < 2; listener++) {
            struct raw_client client;
            char wanted[64];
            bool is_closed = false;
            CHECK(raw_client_open(&client, &front, (enum http_listener)listener, NULL), "open");
            raw_client_send_text(&client, good[i].bytes);
            snprintf(wanted, sizeof wanted, "\r\n\r\n%s", good[i].body);
            CHECK(raw_client_receive_text(&client, wanted, answer, sizeof answer), "%s: %s",
                  good[i].name, answer);
            CHECK(raw_client_status(answer) == 200, "%s: %.60s", good[i].name, answer);
            const bool is_last = strstr(good[i].bytes, "HTTP/1.0") || listener == 1;
            const size_t more =
                raw_client_receive(&client, answer, sizeof answer, is_last ? 5000 : 30, &is_closed);
            CHECK(more == 0, "%s: nothing follows: %s", good[i].name, answer);
            CHECK(is_closed == is_last, "%s: kept open", good[i].name);
            raw_client_close(&client);
        }
    }
    handled = 0;
    front_stop(&front);
}

static void pipelined_requests_are_each_answered(void)
{
    static char answer[ANSWER_BYTES];
    struct front front;
    const struct http_server_config made = config();
    bool is_closed = false;
    CHECK(front_start(&front, &made), "start");
    static const char three[] = GET("/open")
        POST("Content-Length: 4\r\n") "abcd" POST(CHUNKED) "1\r\na\r\n0\r\n\r\n"
                                                           "GET /open HTTP/1.1\r\n" HOST
                                                           "Connection: close\r\n\r\n";
    raw_client_ask(&front, HTTP_LISTENER_API, BYTES(three), answer, sizeof answer, &is_closed);
    CHECK(count_text(answer, "HTTP/1.1 200") == 4 && is_closed, "%s", answer);
    static const char bad[] =
        GET("/open") "GET /open HTTP/1.1\r\n" HOST "X : a\r\n\r\n" GET("/open");
    raw_client_ask(&front, HTTP_LISTENER_API, BYTES(bad), answer, sizeof answer, &is_closed);
    CHECK(count_text(answer, "HTTP/1.1 200") == 1 && count_text(answer, "HTTP/1.1 400") == 1
              && is_closed,
          "the second is refused: %s", answer);
    handled = 0;
    front_stop(&front);
}

CHECK_MAIN(every_case_is_refused_on_both_listeners, every_case_is_refused_byte_by_byte,
           what_is_too_large_is_refused, good_requests_are_served,
           pipelined_requests_are_each_answered)
