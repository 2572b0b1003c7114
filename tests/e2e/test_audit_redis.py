"""The copy of the audit log in a real Redis: what is there equals the files, whatever Redis does."""
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest
from audit_reader import RECORD, frames
from conftest import Server, wait_for
from test_audit import ask, ready

pytestmark = pytest.mark.skipif(not shutil.which("redis-server"), reason="there is no redis-server")
SAFE = ("--appendonly", "yes", "--appendfsync", "everysec")


class Redis:
    """One redis-server on a socket in a directory of its own; a client of a few lines."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="ward-redis-"))  # short: a socket's path
        self.socket, self.process = self.directory / "socket", None
        self.url = f"unix://{self.socket}"

    def start(self, *terms):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.directory,
             "--save", "", *(terms or SAFE)], stdout=subprocess.DEVNULL)
        wait_for(self.answers, "redis-server")
        return self

    def answers(self):
        try:
            return self.ask("PING") == b"PONG"
        except (OSError, RuntimeError):
            return False

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()

    def ask(self, *words):
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        request = b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(request)
            with connection.makefile("rb") as answer:
                return self.read(answer)

    def read(self, answer):
        kind, _, rest = (line := answer.readline())[:1], None, line[1:-2]
        if kind == b"$":
            return None if int(rest) < 0 else answer.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.read(answer) for _ in range(int(rest))]
        if kind == b"-" or not kind:
            raise RuntimeError(rest.decode())
        return int(rest) if kind == b":" else rest

    def chain(self):
        """{id: frame} of the whole stream."""
        return {entry: dict(zip(fields[::2], fields[1::2]))[b"frame"]
                for entry, fields in self.ask("XRANGE", "ward:audit:@chain", "-", "+")}


@pytest.fixture
def redis():
    running = Redis()
    yield running
    running.kill()
    shutil.rmtree(running.directory)


def check_copy(server, redis):
    """Every record of the files is in Redis once, in both of its streams, byte for byte."""
    chain, views, last = redis.chain(), {}, 0
    for path in sorted((server.state_dir / "audit/segments").glob("*.seg")):
        data, at = path.read_bytes(), 0
        for kind, tenant, sequence, _, _, _, body in frames(path):
            frame, at = data[at:at + 96 + len(body)], at + 96 + len(body)
            if kind == RECORD:
                assert chain.pop(b"%d-1" % sequence) == frame, sequence
                views.setdefault(tenant, []).append(body)
                last = sequence
    assert not chain, "Redis has what the files have not"
    for tenant, bodies in views.items():
        name = server.tenants[tenant - 1] if tenant else "@server"
        if tenant:
            there = redis.ask("XRANGE", f"ward:audit:{name}", "-", "+")
            assert [entry for entry, _ in there] == [
                b"%d-%d" % (tenant, i + 1) for i in range(len(bodies))]
            assert [dict(zip(f[::2], f[1::2]))[b"record"] for _, f in there] == bodies
    return last


def has_all(server):
    return (server.metric("ward_audit_redis_up") == 1
            and server.metric("ward_audit_redis_lag_records") == 0)


def test_redis_gets_every_record_once(own_server, redis):
    server = own_server({"WARD_AUDIT_REDIS_URL": redis.start().url})
    for i in range(6):
        server.client(tenant=i % 2).chat.completions.create(
            model=server.model, messages=[{"role": "user", "content": "canary-52"}], max_tokens=3)
    wait_for(lambda: has_all(server), "the copy")
    assert server.metric("ward_audit_redis_alarm") == 0
    assert b"canary" not in b"".join(redis.chain().values())
    assert server.stop() == 0
    assert check_copy(server, redis) > 12


def test_redis_may_come_and_go(own_server, redis):
    server = own_server({"WARD_AUDIT_REDIS_URL": redis.url})  # not there yet
    ask(server)
    redis.start()
    wait_for(lambda: has_all(server), "the first copy")
    for _ in range(3):
        redis.kill()
        wait_for(lambda: server.metric("ward_audit_redis_up") == 0, "its end to be noticed")
        assert ready(server) == ""
        ask(server)
        redis.start()
        ask(server)
        wait_for(lambda: has_all(server), "the copy")
    assert server.metric("ward_audit_redis_reconnects_total") >= 3
    assert server.stop() == 0
    check_copy(server, redis)


@pytest.mark.parametrize("terms,settings,says", [
    (("--appendonly", "no"), {}, "append"),
    ((*SAFE, "--maxmemory-policy", "allkeys-lru"), {}, "noeviction"),
    (("--appendonly", "no"), {"REDIS_UNSAFE": "warn"}, None),
    (("--appendonly", "no"), {"REQUIRE_AOF": "false"}, None),
])
def test_a_redis_that_may_lose_records_is_refused(own_server, redis, terms, settings, says):
    settings = {f"WARD_AUDIT_{name}": value for name, value in settings.items()}
    settings["WARD_AUDIT_REDIS_URL"] = redis.start(*terms).url
    if says is None:
        server = own_server(settings)
        wait_for(lambda: has_all(server), "the copy")
        assert server.stop() == 0
        check_copy(server, redis)
    else:
        with pytest.raises(RuntimeError) as refused:
            own_server(settings)
        assert says in str(refused.value) and redis.ask("DBSIZE") == 0


def test_a_redis_of_another_server_is_left_alone(own_server, redis, tmp_path_factory):
    first = own_server({"WARD_AUDIT_REDIS_URL": redis.start().url})
    wait_for(lambda: has_all(first), "the copy")
    with pytest.raises(RuntimeError) as refused:
        Server(tmp_path_factory.mktemp("other"), {"WARD_AUDIT_REDIS_URL": redis.url})
    assert "audit.redis_prefix" in str(refused.value), str(refused.value)
    ask(first)
    wait_for(lambda: has_all(first), "the copy")
    assert first.stop() == 0
    check_copy(first, redis)
