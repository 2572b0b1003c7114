"""A real redis-server of a test's own, on a unix socket, with an append-only file."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

PATIENCE_S = 30


class Redis:
    """Of the fixture `redis`, which stops it; it ends with this process in any case."""

    def __init__(self, directory, *options):
        if not shutil.which("redis-server"):
            pytest.skip("no Redis here (package redis-server)")
        self.directory, self.options = directory, options
        directory.mkdir(parents=True, exist_ok=True)
        self.socket_path = str(directory / "redis.sock")
        self.url = f"unix://{self.socket_path}"
        self.process = None
        self.start()

    def start(self):
        with open(self.directory / "redis.log", "ab") as log:
            self.process = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.socket_path, "--dir",
                 str(self.directory), "--appendonly", "yes", "--appendfsync", "everysec",
                 "--save", "", "--maxmemory-policy", "noeviction", *self.options],
                stdout=log, stderr=log, preexec_fn=end_with_parent)
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if self.command("PING") == b"PONG":
                    return
            except (OSError, RuntimeError):
                time.sleep(0.02)
        raise RuntimeError("redis-server did not start")

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

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(timeout=PATIENCE_S)
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)


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
