"""Redis fails in every way while clients are served: no request fails, and in the end Redis holds
every record once. WARD_OUTAGES sets how often (the whole bar: 100), WARD_SEED in which order."""
import json
import os
import random
import signal
import threading
import time

from conftest import Server, wait_for
from test_audit_kill import Tail

OUTAGES = int(os.environ.get("WARD_OUTAGES", "8"))
SEED = int(os.environ.get("WARD_SEED", "20261121"))
CLIENTS = 3
PASSWORD = "a-password-of-this-test"


class Load:
    """Clients that ask one after the other; every answer must be a 200."""

    def __init__(self, server):
        self.server, self.is_over = server, threading.Event()
        self.answers, self.failures = 0, []
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, tenant):
        key = self.server.keys[self.server.tenants[tenant % 2]]
        while not self.is_over.is_set():
            status, _, body = self.server.request("POST", "/v1/completions", {
                "model": self.server.model, "prompt": "hello", "max_tokens": 2}, key=key)
            if status == 200 and json.loads(body)["choices"]:
                self.answers += 1
            else:
                self.failures.append((status, body))

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        return self.answers


# ---- outages: each begins, lasts for `seconds`, and is over when it returns -----------------------

def killed(redis, seconds):
    redis.kill()
    time.sleep(seconds)
    redis.start()


def restarted(redis, seconds):
    redis.stop()
    time.sleep(seconds)
    redis.start()


def stopped(redis, seconds):
    redis.process.send_signal(signal.SIGSTOP)
    time.sleep(seconds)
    redis.process.send_signal(signal.SIGCONT)


def cut(redis, seconds):
    for _ in range(5):
        redis.command("CLIENT", "KILL", "TYPE", "normal")
        time.sleep(seconds / 5)


def out_of_memory(redis, seconds):
    redis.command("CONFIG", "SET", "maxmemory", "1mb")
    time.sleep(seconds)
    redis.command("CONFIG", "SET", "maxmemory", "0")


def read_only(redis, seconds):
    redis.command("REPLICAOF", "127.0.0.1", "1")
    redis.command("CLIENT", "KILL", "TYPE", "normal")
    time.sleep(seconds)
    redis.command("REPLICAOF", "NO", "ONE")


def wrong_password(redis, seconds):
    redis.command("ACL", "SETUSER", "ward", "resetpass", ">another")
    redis.command("CLIENT", "KILL", "USER", "ward")
    time.sleep(seconds)
    redis.command("ACL", "SETUSER", "ward", "resetpass", ">" + PASSWORD)


def slow(redis, seconds):
    redis.command("CLIENT", "PAUSE", int(seconds * 1000), "ALL")
    time.sleep(seconds)


KINDS = (killed, restarted, stopped, cut, out_of_memory, read_only, wrong_password, slow)


def test_outages(tmp_path, redis):
    print(f"seed {SEED}, {OUTAGES} outages")
    rng = random.Random(SEED)
    (tmp_path / "state").mkdir()
    (tmp_path / "password").write_text(PASSWORD + "\n")
    redis.restart("--user", "ward", "on", ">" + PASSWORD, "~*", "+@all")
    server = Server(tmp_path / "state", {"WARD_AUDIT_REDIS_URL": redis.url,
                                         "WARD_AUDIT_REDIS_USER": "ward",
                                         "WARD_AUDIT_REDIS_PASSWORD_FILE": str(tmp_path / "password")})
    load = Load(server)
    for i in range(OUTAGES):
        time.sleep(rng.uniform(0.05, 0.5))
        KINDS[i % len(KINDS)](redis, rng.uniform(0.1, 1.5))
        assert not load.failures, (KINDS[i % len(KINDS)].__name__, load.failures[:3])
    answers = load.end()
    assert not load.failures, load.failures[:3]
    assert answers > 0
    wait_for(lambda: server.metric("ward_audit_redis_up") == 1
             and server.metric("ward_audit_redis_lag_records") == 0, "the copy")
    assert server.metric("ward_audit_redis_alarm") == 0
    assert server.stop() == 0
    tail = Tail(tmp_path / "state" / "audit" / "segments")
    tail.read()
    ids = [int(entry[0].split("-")[0]) for entry in redis.stream("ward:audit:@chain")]
    assert ids == list(range(1, tail.sequence + 1))
    print(f"{OUTAGES} outages, {answers} answers, {tail.sequence} records")
