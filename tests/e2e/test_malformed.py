"""Bad bodies: each gets its status and an error object that names the field; nothing dies."""
import copy
import json

import pytest

GOOD = {"messages": [{"role": "user", "content": "hello"}], "max_tokens": 2}
LONG = "x" * 300

# (field, bad value): each alone turns a good chat body into a 400 that names the field.
BAD_FIELDS = [
    *[("messages", v) for v in (None, 5, "hello", {}, [], [5], ["a"], [None], [[]])],
    *[("messages", [{**m}]) for m in (
        {}, {"role": "user"}, {"content": "a"}, {"role": "robot", "content": "a"},
        {"role": 5, "content": "a"}, {"role": "user", "content": 5},
        {"role": "user", "content": None}, {"role": "user", "content": {}},
        {"role": "user", "content": [5]}, {"role": "user", "content": [{}]},
        {"role": "user", "content": [{"type": "text"}]},
        {"role": "user", "content": [{"type": "text", "text": 5}]},
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]},
        {"role": "user", "content": "a", "no_such": 1},
        {"role": "user", "content": "a", "name": 5})],
    *[("max_tokens", v) for v in (0, -1, 1.5, "5", True, [], 10 ** 9, 2 ** 70)],
    *[("max_completion_tokens", v) for v in (0, -1, 1.5, "5")],
    *[("temperature", v) for v in (-0.1, 2.1, "1", True, [], 1e300)],
    *[("top_p", v) for v in (-0.1, 0, 1.1, "1", True)],
    *[("top_k", v) for v in (-2, 1.5, "1", 2 ** 40)],
    *[("min_p", v) for v in (-0.1, 1.1, "0")],
    *[("n", v) for v in (0, -1, 129, 1.5, "1", True)],
    *[("stop", v) for v in (5, [5], [""], "", ["a"] * 5, [LONG], {}, True)],
    *[("seed", v) for v in ("1", 1.5, 2 ** 70, [], True)],
    *[("presence_penalty", v) for v in (-2.1, 2.1, "0")],
    *[("frequency_penalty", v) for v in (-2.1, 2.1, "0")],
    *[("repetition_penalty", v) for v in (-1, 0, 2.1, "1")],
    *[("logit_bias", v) for v in (5, [], {"a": 1}, {"-1": 1}, {"1": 101}, {"1": -101}, {"1": "1"},
                                  {"99999999": 1}, {"1.5": 1}, {str(i): 1 for i in range(301)})],
    *[("logprobs", v) for v in (5, "true")],
    *[("top_logprobs", v) for v in (-1, 21, 1, "1", 1.5)],
    *[("stream", v) for v in (1, "true", [])],
    *[("stream_options", v) for v in (5, [], {"include_usage": True}, {"no_such": True})],
    *[("user", v) for v in (5, [], {})],
    *[("model", v) for v in (5, "", "gpt-4", [], "x" * 5000)],
    *[(field, value) for field, value in (
        ("tools", [{"type": "function", "function": {"name": "f"}}]), ("tool_choice", "auto"),
        ("functions", [{"name": "f"}]), ("function_call", "auto"), ("modalities", ["audio"]),
        ("response_format", {"type": "json_object"}), ("response_format", 5), ("audio", {"voice": "a"}),
        ("prediction", {"type": "content", "content": "a"}), ("reasoning_effort", "low"),
        ("parallel_tool_calls", True), ("service_tier", "flex"), ("web_search_options", {}),
        ("no_such_field", 1), ("Messages", []), ("", 1))],
]

# Bodies that are not a JSON object of ours at all: (bytes, status).
BAD_BODIES = [
    (b"", 400), (b"{", 400), (b"[]", 400), (b"5", 400), (b'"a"', 400), (b"null", 400), (b"{}", 400),
    (b"{]", 400), (b'{"a":1,}', 400), (b"{'a':1}", 400), (b"\xff\xfe{\x00}\x00", 400),
    (b'{"messages": [{"role": "user", "content": "\xff"}]}', 400),
    (b'{"messages": [{"role": "user", "content": "\\ud800"}]}', 400),
    (b'{"messages": [{"role": "user", "content": "a\\u0000b"}]}', 400),
    (b'{"stream": false, "stream": false, "messages": [{"role": "user", "content": "a"}]}', 400),
    (b'{"messages": [{"role": "user", "content": "a"}]} trailing', 400),
    (b'{"messages": [{"role": "user", "content": "a"}]}{}', 400),
    (b"[" * 100000, 400), (b'{"a":' * 50000, 400), (b'{"max_tokens": 1e999}', 400),
    (b'{"max_tokens": NaN}', 400), (b'{"temperature": Infinity}', 400), (b"\x00" * 64, 400),
    (b" " * 1000, 400), (b"x" * (5 << 20), 413),
    (b'{"messages": [{"role": "user", "content": "' + b"a b " * 20000 + b'"}]}', 400),
]


def check_error(status, headers, body, want):
    assert status == want, (status, body[:300])
    error = json.loads(body)["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["message"]
    assert headers["x-request-id"]
    return error


@pytest.mark.parametrize("number", range(len(BAD_FIELDS)))
def test_a_bad_field_is_named(server, number):
    field, value = BAD_FIELDS[number]
    body = copy.deepcopy({"model": server.model, **GOOD})
    body[field] = value
    answer = server.request("POST", "/v1/chat/completions", body, key=server.keys[server.tenants[0]])
    error = check_error(*answer, 400)
    assert (error["param"] or "").split(".")[0].split("[")[0] == field, error


@pytest.mark.parametrize("number", range(len(BAD_BODIES)))
def test_a_bad_body_is_refused(server, number):
    body, want = BAD_BODIES[number]
    answer = server.request("POST", "/v1/chat/completions", body, key=server.keys[server.tenants[0]])
    check_error(*answer, want)


@pytest.mark.parametrize("body", [
    {"prompt": 5}, {"prompt": []}, {"prompt": [[]]}, {"prompt": [-1]}, {"prompt": [10 ** 9]},
    {"prompt": ["a", 5]}, {"prompt": None}, {}, {"prompt": "a", "suffix": "b"},
    {"prompt": "a", "logprobs": 6}, {"prompt": "a", "best_of": 3}, {"prompt": "a", "messages": []},
])
def test_bad_completions(server, body):
    answer = server.request("POST", "/v1/completions", {"model": server.model, **body},
                            key=server.keys[server.tenants[0]])
    check_error(*answer, 400)


@pytest.mark.parametrize("method, path, want", [
    ("GET", "/v1/chat/completions", 405), ("DELETE", "/v1/models", 405), ("POST", "/v1/models", 405),
    ("GET", "/v1/no-such-thing", 404), ("POST", "/", 404), ("GET", "/metrics", 404),
    ("PATCH", "/tokenize", 405),
])
def test_wrong_method_or_path(server, method, path, want):
    answer = server.request(method, path, key=server.keys[server.tenants[0]])
    check_error(*answer, want)


def test_errors_never_echo_the_prompt(server):
    canary = "canary-7f3a-zebra"
    body = {"model": server.model, "messages": [{"role": canary, "content": canary}]}
    for change in ({}, {"messages": [{"role": "user", "content": {canary: canary}}]},
                   {"stop": {"x": canary}}, {"temperature": canary}, {"model": canary}):
        status, headers, answer = server.request("POST", "/v1/chat/completions", {**body, **change},
                                                 key=server.keys[server.tenants[0]])
        assert status == 400 and canary.encode() not in answer, answer
    assert canary not in server.logged()


def test_the_server_is_alive_after_all_that(server):
    answer = server.request("POST", "/v1/chat/completions", {"model": server.model, **GOOD},
                            key=server.keys[server.tenants[0]])
    assert answer[0] == 200
    assert server.process.poll() is None
