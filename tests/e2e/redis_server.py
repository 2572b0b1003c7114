"""A real redis-server of a test's own, on a unix socket and, where asked, a port of loopback."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

PATIENCE_S = 30
SAFE = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
        "--maxmemory-policy", "noeviction", "--stream-node-max-entries", "1")


class Redis:
    """Of the fixture `redis`, which stops it; it ends with this process in any case."""

    def __init__(self, directory, *options, port=0, config=None):
        """config: a file that stands for the settings of SAFE."""
        if not shutil.which("redis-server"):
            pytest.skip("no Redis here (package redis-server)")
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.config, self.process = directory.resolve(), config, None
        self.socket_path = str(self.directory / "redis.sock")
        self.options, self.port = options, port
        self.start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}" if self.port else f"unix://{self.socket_path}"

    def start(self):
        settings = [self.config] if self.config else SAFE
        words = ["redis-server", *settings, "--port", str(self.port), "--bind", "127.0.0.1",
                 "--unixsocket", self.socket_path, "--dir", self.directory, *self.options]
        with open(self.directory / "redis.log", "ab") as log:
            self.process = subprocess.Popen(words, stdout=log, stderr=log,
                                            preexec_fn=end_with_parent)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            if self.answers():
                return
            time.sleep(0.02)
        self.kill()
        raise RuntimeError("redis-server did not start")

    def restart(self, *options, port=0):
        """With other options beside those of SAFE; what it holds stays."""
        self.stop()
        self.options, self.port = options, port
        self.start()

    def answers(self):
        try:
            return self.command("PING") == b"PONG"
        except OSError:
            return False
        except RuntimeError as error:
            return str(error).startswith("NOAUTH")  # it has users and is ready for them

    def command(self, *words):
        """One command over a connection of its own: bytes, int, list or None."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(PATIENCE_S)
            link.connect(self.socket_path)
            words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
            link.sendall(b"*%d\r\n" % len(words)
                         + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            return read_reply(link.makefile("rb"))

    def stream(self, key):
        """[(id, {field: value})] of a whole stream, in order."""
        entries, start = [], "-"
        while page := self.command("XRANGE", key, start, "+", "COUNT", "2000"):
            for entry_id, pairs in page:
                entries.append((entry_id.decode(), dict(zip(pairs[::2], pairs[1::2]))))
            start = "(" + entries[-1][0]
        return entries

    def chain(self):
        """{id: frame} of the whole copy."""
        return {entry: fields[b"frame"] for entry, fields in self.stream("ward:audit:@chain")}

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)  # a test may have stopped it
            self.process.terminate()
        try:
            self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)
        return self.process.returncode


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def end_with_parent():
    """PR_SET_PDEATHSIG: a test that is killed leaves no Redis behind."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def read_reply(stream):
    line = stream.readline()
    kind, rest = line[:1], line[1:-2]
    if kind == b"+":
        return rest
    if kind == b"-" or not line:
        raise RuntimeError(rest.decode(errors="replace") or "the connection ended")
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == b"-1" else stream.read(int(rest) + 2)[:-2]
    return None if rest == b"-1" else [read_reply(stream) for _ in range(int(rest))]
