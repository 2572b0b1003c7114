"""Every answer has its record: official clients ask, then the files are read by audit_reader.py, which
shares no code with Ward, and compared with what the clients saw. Disks that fill up, kills, floods."""
import collections
import concurrent.futures
import functools
import hmac
import json
import re
import resource
import signal
import threading

import httpx2
import openai
import pytest
from audit_reader import read_log, tenant_key
from conftest import Server, never_ends, wait_for
from test_operations import ends_well, long_stream, new_key

QUESTION = [{"role": "user", "content": "Which vaccine is due, canary-7c1e, at sixty?"}]
ROUTES = ("chat_completions", "completions", "models", "tokenize", "detokenize")
ENDS = ("request.completed", "request.refused", "request.cancelled")


def records_of(server):
    """The log of a server that has stopped, by request id; and all of it."""
    log = read_log(server.state_dir / "audit")
    by_request = collections.defaultdict(list)
    for record in log:
        if "request_id" in record:
            by_request[record["request_id"]].append(record)
    return by_request, log


def check_pairs(by_request):
    """Every accepted request has exactly one end, and no end comes before it."""
    for request_id, records in by_request.items():
        events = [record["event"] for record in records]
        assert events.count("request.accepted") <= 1, (request_id, events)
        if "request.accepted" in events:
            assert events[0] == "request.accepted" and len(events) == 2, (request_id, events)
            assert events[1] in ENDS, (request_id, events)


class Asked:
    """An official client that remembers the bytes that it sent and the ids that it got."""

    def __init__(self, server, **more):
        self.bodies, self.last = {}, None
        http = functools.partial(openai.DefaultHttpxClient,
                                 event_hooks={"response": [self.remember]})
        self.client = server.client(http=http, **more)

    def remember(self, response):
        self.last = response.headers["x-request-id"]
        self.bodies[self.last] = response.request.content


def answer_digest(key, texts):
    digests = [hmac.digest(key, text.encode(), "sha256") for text in texts]
    return digests[0] if len(digests) == 1 else hmac.digest(key, b"".join(digests), "sha256")


def stream_texts(stream, count):
    texts, usage = [""] * count, None
    for chunk in stream:
        usage = chunk.usage or usage
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    return texts, usage


def ask_in_every_way(server, asked):
    """[(request id, texts, usage, what was asked)]"""
    chat, told = asked.client.chat.completions.create, []
    for terms in ({"max_tokens": 7}, {"max_tokens": 9, "n": 3, "temperature": 0.8, "seed": -5},
                  {"max_tokens": 40, "stop": "e", "top_p": 0.5, "presence_penalty": 0.25},
                  {"max_completion_tokens": 5, "logprobs": True, "top_logprobs": 2}):
        answer = chat(model=server.model, messages=QUESTION, **terms)
        told.append((asked.last, [c.message.content for c in answer.choices], answer.usage, terms))
        terms = {**terms, "stream": True, "stream_options": {"include_usage": True}}
        texts, usage = stream_texts(chat(model=server.model, messages=QUESTION, **terms),
                                    terms.get("n", 1))
        told.append((asked.last, texts, usage, terms))
    terms = {"max_tokens": 6, "n": 2}
    answer = asked.client.completions.create(model=server.model, prompt=["One", "Two"], **terms)
    told.append((asked.last, [c.text for c in answer.choices], answer.usage, terms))
    return told


def test_every_answer_has_records_that_fit_it(own_server):
    server = own_server()
    asked = Asked(server)
    told = ask_in_every_way(server, asked)
    asked.client.models.list()
    models = asked.last
    text = {"model": server.model, "prompt": "How long is a piece of string?"}
    _, headers, body = server.request("POST", "/tokenize", text, asked.client.api_key)
    assert server.stop() == 0
    by_request, log = records_of(server)
    check_pairs(by_request)
    key = tenant_key(server.state_dir / "audit", 1)
    for request_id, texts, usage, terms in told:
        accepted, end = by_request[request_id]
        assert end["event"] == "request.completed" and end["outcome"] == "completed"
        prompt = hmac.digest(key, asked.bodies[request_id], "sha256")
        for record in (accepted, end):
            assert record["tenant"] == server.tenants[0] and record["tenant_id"] == 1
            assert record["key_id"] == asked.client.api_key.split("_")[2]
            assert record["model"] == server.model and len(record["model_digest"]) == 64
            assert record["prompt_tokens"] == usage.prompt_tokens
            assert record["choices"] == len(texts)
            assert record["stream"] == bool(terms.get("stream"))
            assert record["prompt_digest"] == prompt
        assert end["output_tokens"] == usage.completion_tokens
        assert end["answer_digest"] == answer_digest(key, texts)
        assert sum(end["finish_reasons"].values()) == len(texts)
        assert 0 < end["first_token_us"] <= end["total_us"]
        for name in ("temperature", "top_p", "presence_penalty", "seed"):
            assert name not in terms or end[name] == pytest.approx(terms[name]), name
    assert [r["route"] for r in by_request[models]] == ["models"]
    [tokenized] = by_request[headers["x-request-id"]]
    assert tokenized["event"] == "request.completed" and tokenized["route"] == "tokenize"
    assert tokenized["prompt_tokens"] == json.loads(body)["count"]
    assert tokenized["prompt_digest"] == hmac.digest(key, json.dumps(text).encode(), "sha256")
    started, stopped = (next(r for r in log if r["event"] == f"server.{what}")
                        for what in ("started", "stopped"))
    assert started["model_digest"] == tokenized["model_digest"]
    assert stopped["number"] > started["number"] and len(started["config_digest"]) == 32


def test_no_text_and_no_key_is_in_the_log(own_server):
    server = own_server()
    for terms in ({"stream": True}, {}, {"user": "canary-user-91"}):
        answer = server.client().chat.completions.create(
            model=server.model, messages=QUESTION, max_tokens=20, temperature=0, **terms)
        said = answer.choices[0].message.content if not terms.get("stream") else None
        list(answer)
    server.request("POST", "/v1/chat/completions", b"canary-7c1e", server.keys[server.tenants[0]],
                   headers={"x-canary": "canary-head-3"})
    server.request("GET", "/v1/models", key="ward_live_canary-key_5")
    assert not any("canary" in series for series in server.metrics())
    assert server.stop() == 0
    secrets = [b"canary", said.encode()[:12]]
    secrets += [key.split("_")[3].encode() for key in server.keys.values()]
    for path in (server.state_dir / "audit").rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for secret in secrets:
            assert secret not in data, path
    assert b"canary" not in server.log_path.read_bytes()


def test_what_is_refused_is_recorded(own_server):
    server = own_server({"WARD_SERVER_REQUEST_BYTES_MAX": "65536"})
    key = server.keys[server.tenants[0]]
    chat = {"model": server.model, "messages": QUESTION}
    rows = [  # method, path, body, key, code, outcome, route
        ("POST", "/v1/chat/completions", {**chat, "colour": 1}, key, 400, "invalid",
         "chat_completions"),
        ("POST", "/v1/chat/completions", b"{", key, 400, "invalid", "chat_completions"),
        ("POST", "/v1/completions", {"model": "none", "prompt": "x"}, key, 404, "invalid",
         "completions"),
        ("POST", "/tokenize", {"x": 1}, key, 400, "invalid", "tokenize"),
        ("GET", "/nothing", None, key, 404, "invalid", None),
        ("DELETE", "/v1/models", None, key, 405, "invalid", None),
        ("POST", "/tokenize", b"x" * 70000, key, 413, "invalid", None),
    ]
    asked = []
    for method, path, body, who, code, outcome, route in rows:
        status, headers, _ = server.request(method, path, body, who)
        asked.append((headers["x-request-id"], status, outcome, route))
    strangers = []
    for who in ("ward_live_0123456789abcdef_" + 64 * "0", key[:-4] + "0000"):
        status, headers, _ = server.request("GET", "/v1/models", key=who)
        assert status == 401
        strangers.append(headers["x-request-id"])
    assert server.request("GET", "/healthz")[0] == 200
    assert server.stop() == 0
    by_request, log = records_of(server)
    for request_id, status, outcome, route in asked:
        [record] = by_request[request_id]
        assert record["event"] == "request.refused" and record["http_code"] == status
        assert record["outcome"] == outcome and record.get("route") == route, record
        assert record["tenant"] == server.tenants[0] and record["key_id"] == key.split("_")[2]
    for request_id, key_id in zip(strangers, (None, key.split("_")[2])):
        [failed] = by_request[request_id]
        assert failed["event"] == "auth.failed" and failed["tenant_id"] == 0
        assert failed["peer"] == "127.0.0.1" and failed.get("key_id") == key_id


def test_a_flood_of_refusals_is_counted(own_server):
    server = own_server()
    key, sent = server.keys[server.tenants[1]], 200
    context = httpx2.Client(verify=server.ssl_context(), headers={"Authorization": f"Bearer {key}"})
    with context as client:
        for _ in range(sent):
            assert client.get(server.base_url + "/nothing").status_code == 404
    assert server.stop() == 0
    refused = [r for r in records_of(server)[1] if r["event"] == "request.refused"]
    assert sum(r.get("count", 1) for r in refused) == sent
    assert {r["tenant"] for r in refused} == {server.tenants[1]}
    assert {r["code"] for r in refused} == {"unknown_url"}


def test_why_a_request_was_cancelled(own_server):
    server = own_server(environment={"WARD_SERVER_DRAIN_MS": "0"})
    key, key_id = new_key(server)
    left = long_stream(server, None, n=16)
    next(iter(left))
    left.response.close()
    wait_for(lambda: server.metric("ward_live_requests") == 0, "the client's leaving")
    revoked = iter(long_stream(server, key, n=16))
    next(revoked)
    assert server.ward("key", "revoke", key_id).returncode == 0
    assert not ends_well(revoked)
    cut = iter(long_stream(server, None, n=128, temperature=2))
    next(cut)
    assert server.stop() == 0
    by_request, log = records_of(server)
    check_pairs(by_request)
    cancelled = [r for r in log if r["event"] == "request.cancelled"]
    assert [r["reason"] for r in cancelled] == ["client_gone", "key_revoked", "shutdown"]
    assert all("output_tokens" in r and "answer_digest" in r for r in cancelled)


def load(server, key):
    """One of each: what is answered, refused before and behind the handlers, left."""
    chat = {"model": server.model, "messages": QUESTION, "max_tokens": 3}
    post = functools.partial(server.request, "POST", key=key)
    for body in (chat, {**chat, "n": 2}, {**chat, "stream": True}):
        assert post("/v1/chat/completions", body)[0] == 200
    for path, body in (("/v1/chat/completions", {**chat, "x": 1}), ("/v1/completions", {}),
                       ("/tokenize", b"{"), ("/detokenize", {"tokens": "x"})):
        assert post(path, body)[0] == 400
    assert post("/tokenize", {"model": server.model, "prompt": "x"})[0] == 200
    assert server.request("GET", "/v1/models/" + server.model, key=key)[0] == 200
    assert post("/v1/completions", chat, headers={"Content-Encoding": "gzip"})[0] == 415
    left = long_stream(server, key, n=2, temperature=2)
    next(iter(left))
    left.response.close()


def test_the_log_and_the_metrics_say_the_same(own_server):
    server = own_server()
    server.ward("tenant", "add", "poor", "--rpm", "2")
    made = [server.ward("key", "create", "--tenant", "poor", *scope).stdout
            for scope in ((), ("--scope", "audit:read"))]
    poor, reader = (re.search(r"ward_(?:live|test)_\w+_\S+", text).group(0) for text in made)
    wait_for(lambda: server.request("GET", "/v1/models", key=reader)[0] == 403, "the keys to work")
    pool = concurrent.futures.ThreadPoolExecutor(6)
    loads = [pool.submit(load, server, server.keys[t]) for t in 3 * server.tenants[:2]]
    text = {"model": server.model, "prompt": "x", "max_tokens": 1}
    codes = [server.request("POST", "/v1/completions", text, poor)[0] for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    for done in loads:
        done.result()
    wait_for(lambda: server.metric("ward_live_requests") == 0, "the clients' leaving")
    series, counted = server.metrics(), collections.Counter()
    for name, value in series.items():
        if name.startswith("ward_requests_total{") and value > 0:
            labels = dict(re.findall(r'(\w+)="([^"]*)"', name))
            counted[labels["tenant"], labels["outcome"]] += int(value)
    assert server.stop() == 0
    by_request, log = records_of(server)
    check_pairs(by_request)
    recorded = collections.Counter()
    for record in log:
        if record["event"] in ENDS:
            assert record["route"] in ROUTES, record
            recorded[record["tenant"], record["outcome"]] += record.get("count", 1)
    assert recorded == counted
    assert {outcome for _, outcome in counted} == {"completed", "cancelled", "invalid", "quota"}


def test_every_answer_around_a_stop_has_its_record(own_server):
    server = own_server()
    key, answered, stop = server.keys[server.tenants[0]], [], threading.Event()

    def keep_asking():
        headers = {"Authorization": f"Bearer {key}"}
        with httpx2.Client(verify=server.ssl_context(), headers=headers) as client:
            while not stop.is_set():
                try:
                    answer = client.get(server.base_url + "/models")
                except httpx2.HTTPError:
                    return
                answered.append((answer.headers["x-request-id"], answer.status_code))

    threads = [threading.Thread(target=keep_asking) for _ in range(6)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(answered) > 30, "some answers")
    code = server.stop()
    stop.set()
    for thread in threads:
        thread.join()
    by_request, _ = records_of(server)
    assert code == 0 and {status for _, status in answered} <= {200, 503}
    for request_id, status in answered:
        [record] = by_request[request_id]
        assert record["http_code"] == status, record


# ---- a disk that takes no more ------------------------------------------------------------------


class FullDisk:
    """While entered, the server can write nothing beyond the first byte of any file."""

    def __init__(self, server):
        self.pid = server.process.pid

    def __enter__(self):
        _, self.hard = self.before = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (1, self.hard))

    def __exit__(self, *_):
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, self.before)


def ready(server):
    status, _, body = server.request("GET", "/readyz")
    return "" if status == 200 else json.loads(body)["error"]["code"]


def ask(server):
    return server.client().chat.completions.create(model=server.model, messages=QUESTION,
                                                   max_tokens=4)


def test_without_a_disk_nothing_is_answered_and_then_all_is_again(own_server):
    server = own_server()
    ask(server)
    stream = iter(long_stream(server, None, n=128, temperature=2))
    next(stream)
    broken = []

    def read_on():
        try:
            for _ in stream:
                pass
        except (openai.APIError, httpx2.HTTPError) as error:
            broken.append(error)

    reader = threading.Thread(target=read_on)
    reader.start()
    with FullDisk(server):
        wait_for(lambda: ready(server) == "audit_unavailable", "the outage to be noticed")
        for call in (lambda: ask(server), lambda: server.client().models.list()):
            with pytest.raises(openai.InternalServerError) as refused:
                call()
            assert refused.value.status_code == 503 and refused.value.code == "audit_unavailable"
            assert int(refused.value.response.headers["retry-after"]) > 0
        reader.join()
        assert len(broken) == 1 and "audit log" in str(broken[0])
        assert server.metric("ward_audit_available") == 0 and server.metric("ward_ready") == 0
        assert server.metric("ward_audit_failures_total") > 0
        assert server.request("GET", "/healthz")[0] == 200
    wait_for(lambda: ready(server) == "", "recovery")
    ask(server)
    assert server.stop() == 0
    by_request, log = records_of(server)
    check_pairs(by_request)
    [outage] = [r for r in log if r["event"] == "audit.outage"]
    assert outage["count"] == 2
    assert [r["reason"] for r in log if r["event"] == "request.cancelled"] == ["audit_unavailable"]
    refused = [r for r in log if r["event"] == "request.refused"]
    assert sum(r.get("count", 1) for r in refused) == 2
    assert sum(r["event"] == "request.completed" for r in log) == 2


def test_memory_keeps_records_where_that_is_configured(own_server):
    server = own_server(environment={"WARD_AUDIT_ON_FAILURE": "spool_memory"})
    with FullDisk(server):
        wait_for(lambda: server.metric("ward_audit_failures_total") > 0, "the outage")
        answers = [ask(server) for _ in range(5)]
        assert ready(server) == "" and server.metric("ward_audit_failing") == 1
    ids = [answer.id.removeprefix("chatcmpl-") for answer in answers]
    wait_for(lambda: server.metric("ward_audit_queued_bytes") == 0, "the records to be written")
    assert server.metric("ward_audit_failing") == 0
    assert server.stop() == 0
    by_request, _ = records_of(server)
    check_pairs(by_request)
    assert all(len(by_request[request_id]) == 2 for request_id in ids)


# ---- processes ------------------------------------------------------------------------------------


def test_answered_requests_have_their_records_after_a_kill(own_server, tmp_path):
    server = own_server()
    ids, stop = [], threading.Event()

    def keep_asking():
        while not stop.is_set():
            try:
                ids.append(ask(server).id.removeprefix("chatcmpl-"))
            except openai.APIError:
                return

    threads = [threading.Thread(target=keep_asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(ids) > 20, "some answers")
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    stop.set()
    for thread in threads:
        thread.join()
    server.stop()
    again = Server(server.state_dir)
    ask(again)
    assert again.stop() == 0
    by_request, log = records_of(again)
    for request_id in ids:
        assert by_request[request_id][0]["event"] == "request.accepted", request_id
    assert [r["event"] for r in log if r["event"].startswith("server.")].count(
        "server.recovered") == 1


def test_a_second_server_on_the_same_state_is_refused(own_server):
    server = own_server()
    second = server.ward("demo", "--json", "--port", "0", "--admin-port", "0")
    assert second.returncode == 1 and "audit" in second.stderr, second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    ask(server)


def test_settings_of_the_audit_log_are_checked_at_start(tmp_path):
    for name, value, says in (("ON_FAILURE", "ignore", "audit.on_failure: must be refuse or"),
                              ("REDIS_UNSAFE", "yes", "audit.redis_unsafe: must be refuse or warn"),
                              ("REQUIRE_AOF", "maybe", "must be true or false"),
                              ("MEMORY_MIB", "0", "audit.memory_mib"),
                              ("REDIS_URL", "http://x", "redis")):
        with pytest.raises(RuntimeError) as failed:
            Server(tmp_path, {f"WARD_AUDIT_{name}": value})
        assert says in str(failed.value), str(failed.value)
