"""What could be read two ways by a proxy and by us is refused, over raw TLS sockets; slow senders and
readers are dropped and never waited for."""
import concurrent.futures
import json
import socket
import time

import pytest
from conftest import PATIENCE_S, never_ends, wait_for

BODY = b'{"x":1}'


def connect(server):
    raw = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S)
    return server.ssl_context().wrap_socket(raw, server_hostname="localhost")


def exchange(server, sent):
    """Everything the server says to these bytes until it closes or falls silent for 2 s."""
    with connect(server) as tls:
        got = b""
        try:
            tls.sendall(sent)
            tls.settimeout(PATIENCE_S)
            while chunk := tls.recv(65536):
                got += chunk
                if b"\r\n\r\n" in got:
                    tls.settimeout(2)
        except (TimeoutError, ConnectionError, OSError):
            pass
        return got


def head(key, *lines, target=b"/v1/chat/completions", method=b"POST", version=b"HTTP/1.1",
         host=True):
    rows = [method + b" " + target + b" " + version]
    rows += [b"Host: localhost"] if host else []
    rows += [b"Authorization: Bearer " + key.encode()] + list(lines)
    return b"\r\n".join(rows) + b"\r\n\r\n"


LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
ONE_CHUNK = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

ATTACKS = {
    "length and chunked": lambda k: head(k, LENGTH, CHUNKED) + ONE_CHUNK,
    "chunked and length": lambda k: head(k, CHUNKED, LENGTH) + ONE_CHUNK,
    "two lengths": lambda k: head(k, LENGTH, b"Content-Length: 3") + BODY,
    "two equal lengths": lambda k: head(k, LENGTH, LENGTH) + BODY,
    "length list": lambda k: head(k, LENGTH + b", 7") + BODY,
    "negative length": lambda k: head(k, b"Content-Length: -7") + BODY,
    "signed length": lambda k: head(k, b"Content-Length: +7") + BODY,
    "hexadecimal length": lambda k: head(k, b"Content-Length: 0x7") + BODY,
    "huge length": lambda k: head(k, b"Content-Length: 99999999999999999999999") + BODY,
    "length with a space": lambda k: head(k, b"Content-Length: 7 7") + BODY,
    "empty length": lambda k: head(k, b"Content-Length:") + BODY,
    "two hosts": lambda k: head(k, b"Host: other", LENGTH) + BODY,
    "no host": lambda k: head(k, LENGTH, host=False) + BODY,
    "two authorizations": lambda k: head(k, b"Authorization: Bearer x", LENGTH) + BODY,
    "folded header": lambda k: head(k, b"X-A: b\r\n c", LENGTH) + BODY,
    "folded with a tab": lambda k: head(k, b"X-A: b\r\n\tc", LENGTH) + BODY,
    "folded length": lambda k: head(k, b"Content-Length:\r\n 7") + BODY,
    "first header folded": lambda k: b"POST /v1/models HTTP/1.1\r\n Host: a\r\n\r\n",
    "space before the colon": lambda k: head(k, b"Content-Length : 7") + BODY,
    "space in a name": lambda k: head(k, b"X A: 7", LENGTH) + BODY,
    "no colon": lambda k: head(k, b"XA", LENGTH) + BODY,
    "empty name": lambda k: head(k, b": 7", LENGTH) + BODY,
    "NUL in a value": lambda k: head(k, b"X-A: a\x00b", LENGTH) + BODY,
    "NUL in a name": lambda k: head(k, b"X\x00A: b", LENGTH) + BODY,
    "bare CR in a value": lambda k: head(k, b"X-A: a\rb", LENGTH) + BODY,
    "bare LF line ends": lambda k: head(k, LENGTH).replace(b"\r\n", b"\n") + BODY,
    "NUL in the path": lambda k: head(k, target=b"/v1/\x00models", method=b"GET"),
    "encoded NUL": lambda k: head(k, target=b"/v1/%00models", method=b"GET"),
    "dots": lambda k: head(k, target=b"/v1/../v1/models", method=b"GET"),
    "encoded dots": lambda k: head(k, target=b"/v1/%2e%2e/v1/models", method=b"GET"),
    "half encoded dots": lambda k: head(k, target=b"/v1/.%2E/v1/models", method=b"GET"),
    "absolute form": lambda k: head(k, target=b"https://localhost/v1/models", method=b"GET"),
    "foreign absolute form": lambda k: head(k, target=b"http://other/v1/models", method=b"GET"),
    "asterisk form": lambda k: head(k, target=b"*", method=b"GET"),
    "no slash": lambda k: head(k, target=b"v1/models", method=b"GET"),
    "space in the target": lambda k: head(k, target=b"/v1/models /x", method=b"GET"),
    "HTTP/0.9": lambda k: b"GET /v1/models\r\n\r\n",
    "HTTP/1.2": lambda k: head(k, method=b"GET", target=b"/v1/models", version=b"HTTP/1.2"),
    "HTTP/2.0": lambda k: head(k, method=b"GET", target=b"/v1/models", version=b"HTTP/2.0"),
    "HTTP/1.10": lambda k: head(k, method=b"GET", target=b"/v1/models", version=b"HTTP/1.10"),
    "lower-case version": lambda k: head(k, method=b"GET", target=b"/v1/models", version=b"http/1.1"),
    "HTTP/2 preface": lambda k: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "unknown coding": lambda k: head(k, b"Transfer-Encoding: gzip") + BODY,
    "coding list": lambda k: head(k, b"Transfer-Encoding: gzip, chunked") + ONE_CHUNK,
    "chunked twice": lambda k: head(k, CHUNKED, CHUNKED) + ONE_CHUNK,
    "odd chunked": lambda k: head(k, b"Transfer-Encoding: xchunked") + ONE_CHUNK,
    "chunked in HTTP/1.0": lambda k: head(k, CHUNKED, version=b"HTTP/1.0") + ONE_CHUNK,
    "bad chunk size": lambda k: head(k, CHUNKED) + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "huge chunk size": lambda k: head(k, CHUNKED) + b"fffffffffffffffff\r\n" + BODY,
    "negative chunk size": lambda k: head(k, CHUNKED) + b"-7\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk without its end": lambda k: head(k, CHUNKED) + b"7\r\n" + BODY + b"XX0\r\n\r\n",
    "not HTTP": lambda k: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_refused(server, name):
    got = exchange(server, ATTACKS[name](server.keys[server.tenants[0]]))
    assert got.count(b"HTTP/1.1 ") + got.count(b"HTTP/1.0 ") <= 1, f"answered twice: {got[:500]}"
    if got:
        status = int(got.split(b" ")[1])
        assert 400 <= status < 600 and status != 500, got[:200]


def test_a_smuggled_second_request_is_not_answered(server):
    """What hides behind the first request's body must not run."""
    key = server.keys[server.tenants[0]]
    hidden = head(key, method=b"GET", target=b"/v1/models")
    got = exchange(server, head(key, b"Content-Length: 4", CHUNKED) + b"0\r\n\r\n" + hidden)
    assert b'"object":"list"' not in got.replace(b" ", b"") and got.count(b"HTTP/1.") <= 1


def test_pipelined_requests_are_each_answered(server):
    """Where no answer has to wait for a record."""
    key = server.keys[server.tenants[0]]
    one = head(key, method=b"GET", target=b"/healthz")
    last = head(key, b"Connection: close", method=b"GET", target=b"/healthz")
    assert exchange(server, one + last).count(b"HTTP/1.1 200") == 2


def test_a_pipelined_request_is_answered_or_the_connection_closed(server):
    """Two answers that must be waited for, in one write: the second must not be lost in silence."""
    key = server.keys[server.tenants[0]]
    body = json.dumps({"model": server.model, "max_tokens": 3,
                       "messages": [{"role": "user", "content": "hello"}]}).encode()
    request = head(key, b"Content-Length: %d" % len(body)) + body

    def ask(_):
        with connect(server) as tls:
            tls.sendall(request + request)
            got = b""
            while chunk := tls.recv(65536):  # a lost request would run into the timeout
                got += chunk
                if got.count(b'"usage"') == 2:
                    break
            return got.count(b"HTTP/1.1 200")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(24)))
    assert all(count in (1, 2) for count in answers)


def test_too_large(server):
    key = server.keys[server.tenants[0]]
    assert b" 431 " in exchange(server, head(key, b"X-A: " + b"a" * 100000))[:20]
    assert b" 413 " in exchange(server, head(key, b"Content-Length: 99999999"))[:20]
    got = exchange(server, head(key, method=b"GET", target=b"/" + b"a" * 100000))
    assert got[9:12] in (b"414", b"431")


def test_a_key_in_the_url_is_refused(server):
    key = server.keys[server.tenants[0]]
    for query in ("api_key=", "key=", "access_token="):
        status, _, body = server.request("GET", f"/v1/models?{query}{key}")
        assert status == 401 and key.encode() not in body
    assert key not in server.logged() and key.rsplit("_", 1)[1] not in server.logged()


def closes_within(tls, seconds):
    """Seconds until the server closed the connection, sending nothing more."""
    start = time.monotonic()
    tls.settimeout(seconds)
    try:
        while tls.recv(65536):
            pass
    except TimeoutError:
        return None
    except (ConnectionError, OSError):
        pass
    return time.monotonic() - start


def test_slow_senders_are_cut(own_server):
    """One byte now and then defeats an inactivity timeout; the deadline counts from the start."""
    server = own_server(environment={"WARD_SERVER_HEADER_DEADLINE_MS": "1500",
                                     "WARD_SERVER_BODY_DEADLINE_MS": "1500"})
    key = server.keys[server.tenants[0]]
    for beginning in (b"POST /v1/chat", head(key, b"Content-Length: 500")):
        with connect(server) as tls:
            tls.sendall(beginning)
            cut = False
            for _ in range(200):
                try:
                    tls.sendall(b" " if beginning.endswith(b"\r\n\r\n") else b"a")
                except OSError:
                    cut = True
                    break
                time.sleep(0.1)
            assert cut, "a sender that dribbles was never cut"
    with socket.create_connection(("127.0.0.1", server.port)) as raw:  # never says hello
        assert closes_within(raw, PATIENCE_S) is not None
    assert server.request("GET", "/healthz")[0] == 200


def test_a_slow_reader_is_dropped_and_delays_nobody(own_server):
    server = own_server(environment={"WARD_SERVER_IDLE_TIMEOUT_MS": "3000"})
    key = server.keys[server.tenants[0]]
    body = json.dumps({"model": server.model, "stream": True, "max_tokens": 500, "n": 16,
                       "messages": [{"role": "user", "content": "hello"}], "logit_bias": never_ends(),
                       "logprobs": True, "top_logprobs": 20}).encode()
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.connect(("127.0.0.1", server.port))
    with server.ssl_context().wrap_socket(raw, server_hostname="localhost") as tls:
        tls.sendall(head(key, b"Content-Length: %d" % len(body)) + body)
        tls.recv(100)
        other = server.client(tenant=1).chat.completions.create(
            model=server.model, messages=[{"role": "user", "content": "hi"}], max_tokens=5)
        assert other.choices[0].finish_reason
        wait_for(lambda: server.metric("ward_running_sequences") == 0
                 and server.metric("ward_kv_pages_used") == 0, "the slow reader to be dropped")

