"""Starts the real binary on loopback and hands out official clients that trust its CA."""
import json
import os
import pathlib
import signal
import ssl
import subprocess
import time
import urllib.request

import openai
import pytest

from redis_server import Redis

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("WARD_BINARY", ROOT / "build/release/ward"))
DEMO_MODEL = ROOT / "demo/model"
DATA = pathlib.Path(os.environ.get("WARD_TEST_DATA", ROOT / "../shared/data"))
# A sanitizer build is many times slower; nothing is asserted on time, only waited for.
PATIENCE_S = 120


class Server:
    """One running process: `ward demo` on free ports, in a state directory of its own."""

    def __init__(self, state_dir, environment=None, arguments=()):
        self.state_dir = state_dir
        self.log_path = state_dir / "log"
        self.log = open(self.log_path, "ab")
        env = {**os.environ, "WARD_STATE_DIR": str(state_dir), "WARD_LOG_LEVEL": "info",
               "WARD_AUDIT_REDIS_URL": "none",  # not one that happens to be on this machine
               **(environment or {})}
        self.process = subprocess.Popen(
            [BINARY, "demo", "--json", "--port", "0", "--admin-port", "0", *arguments],
            stdout=subprocess.PIPE, stderr=self.log, env=env)
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise RuntimeError(f"ward demo did not start: {self.log_path.read_text()[-2000:]}")
        told = json.loads(line)
        self.base_url, self.ca_file = told["base_url"], told["ca_file"]
        self.admin_url, self.model, self.keys = told["admin_url"], told["model"], told["keys"]
        self.tenants = list(self.keys)
        self.port = int(self.base_url.split(":")[2].split("/")[0])
        self.admin_port = int(self.admin_url.split(":")[2].split("/")[0])

    def ssl_context(self):
        return ssl.create_default_context(cafile=self.ca_file)

    def client(self, tenant=0, key=None, cls=openai.OpenAI, http=openai.DefaultHttpxClient, **more):
        more.setdefault("max_retries", 0)
        return cls(base_url=self.base_url, api_key=key or self.keys[self.tenants[tenant]],
                   http_client=http(verify=self.ssl_context(), timeout=PATIENCE_S), **more)

    def request(self, method, path, body=None, key=None, headers=None):
        """One plain HTTPS request: (status, headers, body)."""
        url = self.base_url.removesuffix("/v1") + path
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
        if key is not None:
            request.add_header("Authorization", f"Bearer {key}")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, context=self.ssl_context(),
                                        timeout=PATIENCE_S) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def metrics(self):
        """{'name{labels}': value} of the admin listener."""
        with urllib.request.urlopen(self.admin_url + "/metrics", timeout=PATIENCE_S) as answer:
            lines = answer.read().decode().splitlines()
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in lines if line and not line.startswith("#")}

    def metric(self, name, **labels):
        """Sum of a metric over every label set that has these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(value for series, value in self.metrics().items()
                   if series.split("{")[0] == name and all(w in series for w in wanted))

    def logged(self):
        self.log.flush()
        return self.log_path.read_text(errors="replace")

    def ward(self, *arguments, **more):
        return subprocess.run([BINARY, *arguments], capture_output=True, text=True,
                              env={**os.environ, "WARD_STATE_DIR": str(self.state_dir)},
                              timeout=PATIENCE_S, **more)

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process.stdout.close()
        self.log.close()
        return code


def wait_for(condition, what, seconds=PATIENCE_S):
    """Polls until condition() is true; the value it had."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"did not come: {what}")


def never_ends():
    """A logit_bias that forbids the end tokens, so that an answer is as long as it may be."""
    ends = json.loads((DEMO_MODEL / "generation_config.json").read_text())["eos_token_id"]
    return {str(i): -100 for i in (ends if isinstance(ends, list) else [ends])}


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The server that most tests share. It must be alive and clean at the end."""
    running = Server(tmp_path_factory.mktemp("state"))
    yield running
    code = running.stop()
    assert code == 0, running.log_path.read_text()[-4000:]


@pytest.fixture
def redis(tmp_path):
    running = Redis(tmp_path / "redis")
    yield running
    running.stop()


@pytest.fixture
def own_server(tmp_path):
    """A function that starts a server for one test: own_server(environment={...})."""
    started = []

    def start(environment=None, arguments=()):
        started.append(Server(tmp_path / "state", environment, arguments))
        return started[-1]

    (tmp_path / "state").mkdir()
    yield start
    for running in started:
        running.stop()
