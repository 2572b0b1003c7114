"""What an operator does: keys and tenants on a running server, metrics, logs, stopping, doctor."""
import json
import re
import threading
import time

import httpx2
import openai
import pytest
from conftest import DATA, never_ends, wait_for

QUESTION = [{"role": "user", "content": "How do I book an appointment?"}]


def new_key(server, tenant="new-clinic"):
    """A key of a new tenant, once the running server knows it; and its id."""
    added = server.ward("tenant", "add", tenant)
    assert added.returncode == 0, added.stderr
    made = server.ward("key", "create", "--tenant", tenant)
    assert made.returncode == 0, made.stderr
    key = re.search(r"ward_(?:live|test)_\w+_\S+", made.stdout).group(0)
    wait_for(lambda: server.request("GET", "/v1/models", key=key)[0] == 200, "the key to work")
    return key, key.split("_")[2]


def long_stream(server, key, **more):
    return server.client(key=key).chat.completions.create(
        model=server.model, messages=QUESTION, max_tokens=900, stream=True,
        logit_bias=never_ends(), **more)


def ends_well(stream):
    """False if the stream was broken off: an error event, or a cut without a clean end."""
    try:
        for _ in stream:
            pass
    except (openai.APIError, httpx2.HTTPError):
        return False
    return True


def test_a_revoked_key_stops_within_a_second_and_so_does_its_stream(own_server):
    server = own_server()
    key, key_id = new_key(server)
    stream = iter(long_stream(server, key, n=128, temperature=2))  # seconds of work
    next(stream)
    revoked = server.ward("key", "revoke", key_id)
    assert revoked.returncode == 0, revoked.stderr
    assert not ends_well(stream)
    assert server.request("GET", "/v1/models", key=key)[0] == 401
    wait_for(lambda: server.metric("ward_kv_pages_used") == 0, "its pages to be free")


def test_rotation_keeps_two_secrets_alive_for_a_while(own_server):
    server = own_server()
    key, key_id = new_key(server)
    rotated = server.ward("key", "rotate", key_id, "--overlap", "3600")
    assert rotated.returncode == 0, rotated.stderr
    new = re.search(r"ward_(?:live|test)_\w+_\S+", rotated.stdout).group(0)
    wait_for(lambda: server.request("GET", "/v1/models", key=new)[0] == 200, "the new secret")
    assert server.request("GET", "/v1/models", key=key)[0] == 200
    at_once = server.ward("key", "rotate", key_id, "--overlap", "0")
    assert at_once.returncode == 0, at_once.stderr
    wait_for(lambda: server.request("GET", "/v1/models", key=new)[0] == 401, "the old to stop")


def test_a_disabled_tenant_is_shut_out(own_server):
    server = own_server()
    key, _ = new_key(server)
    assert server.ward("tenant", "disable", "new-clinic").returncode == 0
    wait_for(lambda: server.request("GET", "/v1/models", key=key)[0] == 401, "the tenant to stop")
    others = server.request("GET", "/v1/models", key=server.keys[server.tenants[0]])
    assert others[0] == 200


def test_metrics_count_by_tenant(own_server):
    server = own_server()
    first, second = server.tenants[:2]
    for tenant, count in ((0, 3), (1, 2)):
        for _ in range(count):
            server.client(tenant=tenant).chat.completions.create(
                model=server.model, messages=QUESTION, max_tokens=4, temperature=0)
    server.request("POST", "/v1/chat/completions", {"messages": 5}, key=server.keys[first])
    done = {t: server.metric("ward_requests_total", tenant=t, outcome="completed")
            for t in (first, second)}
    assert done == {first: 3, second: 2}
    assert server.metric("ward_output_tokens_total", tenant=first) == 12
    assert server.metric("ward_output_tokens_total", tenant=second) == 8
    assert server.metric("ward_prompt_tokens_total", tenant=first) > 12
    assert server.metric("ward_time_to_first_token_seconds_count", tenant=first) == 3
    assert server.metric("ward_kv_pages_used") == 0


def test_logs_hold_no_text_and_no_key(own_server):
    server = own_server()
    key = server.keys[server.tenants[0]]
    canary = "canary-91c2-walrus"
    answer = server.client().chat.completions.create(
        model=server.model, messages=[{"role": "user", "content": canary}], max_tokens=30,
        temperature=0, user=canary)
    text = server.logged()
    assert canary not in text and key.rsplit("_", 1)[1] not in text
    assert answer.choices[0].message.content[:20] not in text
    assert answer._request_id in text


def test_sigterm_lets_a_running_answer_finish(own_server):
    server = own_server(environment={"WARD_SERVER_DRAIN_MS": "120000"})
    stream = long_stream(server, server.keys[server.tenants[0]])
    got = []

    def read():
        for chunk in stream:
            got.append(chunk.choices[0].finish_reason)
    reader = threading.Thread(target=read)
    reader.start()
    wait_for(lambda: got, "the first token")
    code = server.stop()
    reader.join()
    assert code == 0
    assert got[-1] == "length", "the answer was cut although there was time"


def test_drain_has_an_end(own_server):
    server = own_server(environment={"WARD_SERVER_DRAIN_MS": "200", "WARD_ENGINE_RUNNING_MAX": "16",
                                     "WARD_ENGINE_STEP_TOKENS_MAX": "16"})
    streams = [iter(long_stream(server, server.keys[server.tenants[n % 2]], n=32, temperature=2))
               for n in range(4)]
    for stream in streams:
        next(stream)
    start = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - start < 60
    assert not all([ends_well(stream) for stream in streams])


def test_readiness(server):
    assert server.request("GET", "/healthz")[0] == 200
    assert server.request("GET", "/readyz")[0] == 200


def test_the_published_description_has_every_path(server):
    status, _, body = server.request("GET", "/openapi.json")
    described = json.loads(body)
    assert status == 200 and described["openapi"].startswith("3.")
    for path in ("/v1/chat/completions", "/v1/completions", "/v1/models", "/tokenize", "/detokenize",
                 "/healthz", "/readyz"):
        assert path in described["paths"], path


def test_tokenize_and_back(server):
    key = server.keys[server.tenants[0]]
    status, _, body = server.request("POST", "/tokenize", {"prompt": "Grüße, a clinic 👋"}, key=key)
    tokens = json.loads(body)["tokens"]
    assert status == 200 and json.loads(body)["count"] == len(tokens)
    status, _, body = server.request("POST", "/detokenize", {"tokens": tokens}, key=key)
    assert status == 200 and "Grüße, a clinic 👋" in json.loads(body)["prompt"]


def test_doctor(server):
    found = server.ward("doctor")
    assert found.returncode in (0, 1) and "microhttpd" in found.stdout.lower(), found


@pytest.mark.skipif(not DATA.exists(), reason="outside data: set WARD_TEST_DATA")
def test_a_real_model_over_https_says_what_other_engines_say(own_server):
    """A SentencePiece model: the answer's first space belongs to it, unlike the first of a text."""
    server = own_server(arguments=["--model", str(DATA / "models/stories260K/f32")])
    for golden in json.loads((DATA / "goldens/f32.json").read_text())[1:6]:
        answer = server.client().completions.create(
            model=server.model, prompt=golden["prompt"], max_tokens=96, temperature=0)
        assert answer.choices[0].text == golden["text"]
        assert answer.usage.prompt_tokens == len(golden["prompt_ids"])
