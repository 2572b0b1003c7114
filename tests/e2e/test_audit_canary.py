"""Canaries in prompts, answers, keys, headers, paths and queries: found in no file, Redis, log line,
metric or error text of the server. And the process lets nobody dump its memory."""
import base64
import os
import pathlib
import re
import signal
import subprocess
import tempfile

import pytest

from conftest import BINARY, DEMO_MODEL, Server, never_ends, wait_for

PROMPT, HEADER, PATH = "CanaryPrompt83b1f7", "CanaryHeader19ce02", "CanaryPath5d70aa"
BAD_KEY = "ward_test_00000000deadbeef_CanarySecret44e9c1f00d"
not_sanitized = pytest.mark.skipif("asan" in str(BINARY) or "tsan" in str(BINARY),
                                   reason="sanitizers trace the process, and lock no memory")


def spellings(canary):
    """A canary as it could lie about: as it is, in another case, encoded."""
    raw = canary.encode()
    yield from (raw, raw.lower(), raw.upper(), raw.hex().encode(), raw[::-1],
                raw.decode().encode("utf-16-le"))
    for shift in range(3):  # base64 depends on where the text begins
        coded = base64.b64encode(b"\0" * shift + raw + b"\0" * 3).decode()
        yield coded[4:4 + len(coded) - 12].encode()


def everything_kept(server, redis):
    """(name, bytes) of all that the server wrote anywhere."""
    for path in sorted(pathlib.Path(server.state_dir).rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
    for path in sorted(redis.directory.rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()
    for key in redis.command("KEYS", "*"):
        yield f"redis {key!r}", key + (redis.command("DUMP", key) or b"")
    yield "metrics", "\n".join(server.metrics()).encode()


def ask_for_trouble(server, key):
    """Canaries in every place of a request that the server may refuse; the error bodies."""
    def post(path, body, **more):
        return server.request("POST", path, body, **more)[2]

    headers = {"X-Canary": HEADER, "User-Agent": HEADER, "X-Request-Id": HEADER,
               "OpenAI-Organization": HEADER, "Cookie": f"a={HEADER}"}
    yield post("/v1/chat/completions", {"model": PROMPT, "messages": []}, key=key, headers=headers)
    yield post("/v1/chat/completions", {"model": server.model, "unknown": PROMPT, "messages": [
        {"role": "user", "content": PROMPT}]}, key=key, headers=headers)
    yield post("/v1/completions", ('{"prompt": "' + PROMPT + '", ').encode(), key=key)
    yield post("/v1/completions", {"model": server.model, "prompt": PROMPT, "max_tokens": -5},
               key=key, headers=headers)
    yield post("/tokenize", {"model": server.model, "text": PROMPT}, key=BAD_KEY, headers=headers)
    yield server.request("GET", f"/v1/{PATH}", key=key, headers=headers)[2]
    yield server.request("GET", f"/v1/models?user={PATH}", key=key, headers=headers)[2]
    yield server.request("GET", f"/v1/models?api_key={BAD_KEY}", headers=headers)[2]


def use(server):
    """Answers that hold the canary: echoed, streamed, cut off, tokenised."""
    client = server.client()
    client.completions.create(model=server.model, prompt=PROMPT, max_tokens=4, echo=True,
                              extra_headers={"X-Canary": HEADER})
    messages = [{"role": "system", "content": PROMPT}, {"role": "user", "content": PROMPT}]
    for chunk in client.chat.completions.create(model=server.model, messages=messages,
                                                max_tokens=8, stream=True, user=PROMPT):
        assert chunk.id
    stream = client.completions.create(model=server.model, prompt=PROMPT, max_tokens=1000,
                                       stream=True, logit_bias=never_ends())
    next(iter(stream))
    stream.close()  # a client that goes away
    status, _, body = server.request("POST", "/tokenize", {"model": server.model, "prompt": PROMPT},
                                     key=server.keys[server.tenants[0]])
    assert status == 200, body


def test_canaries_are_nowhere(tmp_path, redis):
    (tmp_path / "state").mkdir()
    server = Server(tmp_path / "state", {"WARD_AUDIT_REDIS_URL": redis.url,
                                         "WARD_LOG_LEVEL": "debug"})
    keys = list(server.keys.values())
    errors = b"".join(ask_for_trouble(server, keys[0]))
    use(server)
    for name in server.tenants:
        wait_for(lambda n=name: redis.command("EXISTS", f"ward:audit:{n}"), "records in Redis")
    wait_for(lambda: b"request.cancelled" in b"".join(
        entry[1][b"event"] for entry in redis.stream(f"ward:audit:{server.tenants[0]}")),
        "the record of the client that went away")
    kept = list(everything_kept(server, redis))
    assert server.stop() == 0
    kept += list(everything_kept_after(server)) + [("errors", errors)]
    assert len(kept) > 10
    secrets = [key.rsplit("_", 1)[1] for key in keys]
    for canary in (PROMPT, HEADER, PATH, BAD_KEY.rsplit("_", 1)[1], *secrets):
        for spelling in spellings(canary):
            for name, data in kept:
                assert spelling not in data, f"{canary} as {spelling!r} in {name}"


def everything_kept_after(server):
    for path in sorted(pathlib.Path(server.state_dir).rglob("*")):
        if path.is_file():
            yield str(path), path.read_bytes()


@not_sanitized
def test_nobody_dumps_the_memory(server):
    limits = pathlib.Path(f"/proc/{server.process.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    locked = re.search(r"VmLck:\s+(\d+) kB",
                       pathlib.Path(f"/proc/{server.process.pid}/status").read_text())
    assert int(locked[1]) > 0, "keys are to be in locked memory"


def open_to_others(path):
    return all(os.stat(part).st_mode & 0o005 for part in (path, *path.resolve().parents))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a server as another user")
@not_sanitized
def test_another_user_cannot_read_the_process():
    """PR_SET_DUMPABLE 0 makes /proc/PID root's, so that the server's own user cannot trace it."""
    for path in (BINARY, DEMO_MODEL):
        if not open_to_others(path):
            pytest.skip(f"{path} is closed to other users")
    with tempfile.TemporaryDirectory(prefix="ward-other-") as name:  # pytest's are closed
        state = pathlib.Path(name)
        os.chown(state, 65534, 65534)
        process = subprocess.Popen(
            ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", BINARY, "demo",
             "--json", "--port", "0", "--admin-port", "0"], stdout=subprocess.PIPE, cwd=state,
            env={**os.environ, "WARD_STATE_DIR": name})
        try:
            assert process.stdout.readline()
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            assert re.search(r"Uid:\s+65534", status)
            assert os.stat(f"/proc/{process.pid}/mem").st_uid == 0
            process.send_signal(signal.SIGABRT)
            assert process.wait() == -signal.SIGABRT
            assert not list(state.rglob("core*"))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
