"""kill -9 at random moments: whatever was answered has its record, the chain fits together, and
Redis holds every record once. WARD_KILLS sets how often (the whole bar: 1000), WARD_SEED when."""
import http.client
import json
import os
import random
import signal
import socket
import struct
import subprocess
import threading
import time

from conftest import BINARY, DEMO_MODEL, PATIENCE_S, Server

KILLS = int(os.environ.get("WARD_KILLS", "12"))
SEED = int(os.environ.get("WARD_SEED", "20261121"))
CLIENTS = 4
# A sanitizer build takes seconds to start: then most kills would meet a server that does nothing yet.
LIFE_S = 1.2 if "release" in str(BINARY) else 6.0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Tail:
    """Frames of the spool that were not seen before: request ids of request.accepted records."""
    HEADER = struct.Struct("<IIB3xIQQ32s32s")

    def __init__(self, directory):
        self.directory = directory
        self.segment, self.offset, self.sequence = None, 0, 0
        self.accepted = set()

    def read(self):
        names = sorted(path.name for path in self.directory.glob("*.seg"))
        for name in names[names.index(self.segment) if self.segment else 0:]:
            if name != self.segment:
                self.segment, self.offset = name, 0
            self.read_segment((self.directory / name).read_bytes())

    def read_segment(self, data):
        assert len(data) >= self.offset, "bytes that were seen are gone"
        while len(data) - self.offset >= self.HEADER.size:
            length, _, kind, _, sequence, *_ = self.HEADER.unpack_from(data, self.offset)
            end = self.offset + self.HEADER.size + length
            if end > len(data):
                return
            if kind == 1:
                assert sequence == self.sequence + 1
                self.sequence = sequence
                self.take(data[self.offset + self.HEADER.size:end])
            self.offset = end

    def take(self, body):
        # Field 4, the event, 1 = request.accepted; field 7, the request id, a text of 24 to 255 bytes.
        if b"\x04\x01\x05" in body[:32]:
            at = body.index(b"\x07", body.index(b"\x04\x01\x05") + 3)
            head = body[at + 1]
            length, start = (body[at + 2], at + 3) if head == 0x78 else (head - 0x60, at + 2)
            self.accepted.add(body[start:start + length].decode())


class Clients:
    """Ask one after the other and remember which requests were answered with at least a byte."""

    def __init__(self, port, context, key, seed):
        self.port, self.context, self.key = port, context, key
        self.answered, self.is_over = set(), threading.Event()
        self.threads = [threading.Thread(target=self.run, args=(random.Random(seed * 100 + i),))
                        for i in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, rng):
        while not self.is_over.is_set():
            link = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context,
                                               timeout=PATIENCE_S)
            try:
                while not self.is_over.is_set():
                    self.ask(link, rng)
            except (OSError, http.client.HTTPException):
                time.sleep(0.005)
            finally:
                link.close()

    def ask(self, link, rng):
        stream = rng.random() < 0.5
        body = json.dumps({"model": "demo", "prompt": "hello", "max_tokens": rng.randint(1, 6),
                           "stream": stream, "seed": rng.randint(0, 1 << 30)})
        link.request("POST", "/v1/completions", body, {"Authorization": f"Bearer {self.key}",
                                                       "Content-Type": "application/json"})
        answer = link.getresponse()
        request_id = answer.headers["x-request-id"]
        if answer.status == 200 and answer.read(1):
            self.answered.add(request_id)
        answer.read()

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        return self.answered


class Node:
    """`ward serve` on one state directory, started again and again."""

    def __init__(self, directory, redis):
        directory.mkdir()
        demo = Server(directory)
        self.context = demo.ssl_context()
        demo.ward("tenant", "add", "clinic-k", check=True)
        made = demo.ward("key", "create", "--tenant", "clinic-k", check=True)
        assert demo.stop() == 0
        self.key = made.stdout.strip()
        self.directory, self.port = directory, free_port()
        tls = directory / "demo-tls"
        self.environment = {
            **os.environ, "WARD_STATE_DIR": str(directory), "WARD_MODEL_DIRECTORY": str(DEMO_MODEL),
            "WARD_MODEL_NAME": "demo", "WARD_SERVER_ADDRESS": "127.0.0.1",
            "WARD_SERVER_PORT": str(self.port), "WARD_SERVER_ADMIN_PORT": "0",
            "WARD_ENGINE_KV_MIB": "64", "WARD_ENGINE_THREADS": "1",
            "WARD_TLS_CERTIFICATE_FILE": str(tls / "server.pem"),
            "WARD_TLS_PRIVATE_KEY_FILE": str(tls / "server.key"),
            "WARD_AUDIT_REDIS_URL": redis.url, "WARD_AUDIT_SEGMENT_MIB": "1"}

    def start(self):
        with open(self.directory / "log", "ab") as log:
            return subprocess.Popen([BINARY, "serve"], stdout=subprocess.DEVNULL, stderr=log,
                                    env=self.environment)

    def is_ready(self):
        link = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=1)
        try:
            link.request("GET", "/readyz")
            return link.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            link.close()

    def verify(self):
        told = subprocess.run([BINARY, "audit", "verify", "--json"], capture_output=True, text=True,
                              env=self.environment, timeout=PATIENCE_S)
        assert told.returncode == 0, told.stdout + told.stderr
        return json.loads(told.stdout)


def finish(node, redis, tail):
    """One last life until Redis has everything, and a stop in order."""
    process = node.start()
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        if not node.is_ready():
            time.sleep(0.05)
            continue
        last = redis.command("XREVRANGE", "ward:audit:@chain", "+", "-", "COUNT", "1")
        tail.read()
        if last and tail.sequence > 0 and int(last[0][0].split(b"-")[0]) >= tail.sequence:
            break
        time.sleep(0.05)
    assert process.poll() is None, (node.directory / "log").read_text()[-2000:]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=PATIENCE_S) == 0
    tail.read()


def test_kill(tmp_path, redis):
    print(f"seed {SEED}, {KILLS} kills")
    rng = random.Random(SEED)
    node = Node(tmp_path / "state", redis)
    tail = Tail(tmp_path / "state" / "audit" / "segments")
    answered_in_all = 0
    for kill in range(KILLS):
        process = node.start()
        clients = Clients(node.port, node.context, node.key, SEED + kill)
        time.sleep(rng.uniform(0.05, LIFE_S))  # the random moment itself
        assert process.poll() is None, (node.directory / "log").read_text()[-2000:]
        process.send_signal(signal.SIGKILL)
        process.wait()
        answered = clients.end()
        answered_in_all += len(answered)
        tail.read()
        assert answered <= tail.accepted, f"seed {SEED}, kill {kill}"
        if kill % 100 == 99:
            print(f"{kill + 1} kills, {answered_in_all} answers, {node.verify()['records']} records")
    finish(node, redis, tail)
    assert answered_in_all > 0
    told = node.verify()
    assert told["ok"] and told["records"] == tail.sequence
    entries = redis.stream("ward:audit:@chain")
    assert [int(e[0].split("-")[0]) for e in entries] == list(range(1, tail.sequence + 1))
    view = [e[0] for e in redis.stream("ward:audit:clinic-k")]
    numbers = [int(entry_id.split("-")[1]) for entry_id in view]
    assert numbers == list(range(1, len(numbers) + 1))
    print(f"{KILLS} kills, {answered_in_all} answers, {tail.sequence} records")
