"""What operators start from: the health check, the image's recipe, Compose, Redis, Prometheus.

The image itself is built and started by `./run image`, which takes minutes.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

import pytest
import yaml
from conftest import BINARY, PATIENCE_S, ROOT, wait_for
from redis_server import Redis, free_port

DEPLOY = ROOT / "deploy"
PROMTOOL = shutil.which("promtool")


# ---- the health check ---------------------------------------------------------------------------

def dockerfile():
    """[(instruction, rest)] with continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.M)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [tuple(line.split(None, 1)) for line in lines if line.strip()]


def health_check():
    """The command of the image's HEALTHCHECK, and its `ward` replaced by the one under test."""
    rest = dict(dockerfile())["HEALTHCHECK"]
    command = json.loads(rest[rest.index("CMD") + 3:])
    assert command[0] == "/usr/bin/ward", "not the exec form: there is no shell in the image"
    return command


def ask_ready(server, **settings):
    """(exit code, stdout + stderr) of the health check against that server's ports."""
    environment = {**os.environ, "WARD_STATE_DIR": str(server.state_dir),
                   "WARD_SERVER_PORT": str(server.port),
                   "WARD_SERVER_ADMIN_PORT": str(server.admin_port),
                   **{f"WARD_SERVER_{key.upper()}": str(value) for key, value in settings.items()}}
    done = subprocess.run([BINARY, *health_check()[1:]], env=environment, capture_output=True,
                          text=True, timeout=PATIENCE_S)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("settings", [
    {},                                               # admin listener, plain
    {"admin_port": 0},                                # API listener, TLS
    {"admin_port": 0, "address": "0.0.0.0"},          # what the image sets: asked on loopback
    {"admin_address": "0.0.0.0"},
])
def test_the_health_check_of_a_server_that_is_ready(server, settings):
    code, said = ask_ready(server, **settings)
    assert (code, said) == (0, "ready\n")


@pytest.mark.parametrize("settings", [
    {"admin_port": 1},                                # nobody listens
    {"admin_port": 0, "port": 1},
    {"admin_port": 0, "port": 0},                     # nothing to ask
    {"admin_address": "::1"},
])
def test_the_health_check_finds_no_server(server, settings):
    code, said = ask_ready(server, **settings)
    assert code == 1 and said.startswith("ward: ") and said.count("\n") == 1, said


def test_the_health_check_wants_the_right_protocol(server):
    assert ask_ready(server, admin_port=server.port)[0] == 1
    assert ask_ready(server, admin_port=0, port=server.admin_port)[0] == 1


@pytest.mark.parametrize("settings", [{}, {"admin_port": 0}])
def test_the_health_check_ends_although_the_server_hangs(own_server, settings):
    server = own_server()
    threads = pathlib.Path(f"/proc/{server.process.pid}/task")
    server.process.send_signal(signal.SIGSTOP)
    wait_for(lambda: all("\nState:\tT" in (thread / "status").read_text()
                         for thread in threads.iterdir()), "every thread to stop")
    code, said = ask_ready(server, **settings)
    server.process.send_signal(signal.SIGCONT)
    assert code == 1 and "in time" in said


def answer_once(listener, text):
    with listener.accept()[0] as connection:
        connection.recv(4096)
        connection.sendall(text)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 503 Busy\r\n\r\n", b"HTTP/1.1 2000 OK\r\n\r\n"[:9],
                                    b"SSH-2.0-x 200 \r\n\r\n", b""])
def test_the_health_check_believes_only_200(server, answer):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = subprocess.Popen(
            [BINARY, "doctor", "--ready"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "WARD_SERVER_ADMIN_PORT": str(listener.getsockname()[1])})
        answer_once(listener, answer)
        assert process.wait(timeout=PATIENCE_S) == 1


def test_server_and_health_check_read_the_file_that_ward_config_names(server, tmp_path):
    config = tmp_path / "ward.yaml"
    config.write_text(f"server:\n  admin_port: {server.admin_port}\n")

    def ready(path):
        return subprocess.run([BINARY, "doctor", "--ready"], capture_output=True, text=True,
                              env={**os.environ, "WARD_CONFIG": str(path)}, timeout=PATIENCE_S)
    assert ready(config).returncode == 0
    config.write_text("server:\n  no_such: 1\n")
    assert "ward.yaml:2" in ready(config).stderr
    assert "nowhere.yaml" in ready(tmp_path / "nowhere.yaml").stderr


# ---- the image's recipe -------------------------------------------------------------------------

def stages():
    """name -> (base, [(instruction, rest)]) of the Dockerfile; what a stage inherits comes first."""
    found, name = {}, None
    for instruction, rest in dockerfile():
        if instruction == "FROM":
            base, name = re.fullmatch(r"(\S+) AS (\S+)", rest).groups()
            found[name] = (base, list(found.get(base, ("", []))[1]))
        elif name:
            found[name][1].append((instruction, rest))
    return found


@pytest.mark.parametrize("target", ["cpu", "cuda"])
def test_the_image_is_locked_down(target):
    steps = stages()[target][1]
    last = dict(steps)
    root = target
    while stages()[root][0] in stages():
        root = stages()[root][0]
    assert stages()[root][0] == "scratch" and "RUN" not in last, "a shell would be in it"
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", last["USER"]), "by number, so that others can check"
    assert last["STOPSIGNAL"] == "SIGTERM" and json.loads(last["ENTRYPOINT"]) == ["/usr/bin/ward"]
    assert {"/var/lib/ward", "/models"} == set(json.loads(last["VOLUME"]))
    assert last["EXPOSE"] == "8443" and "ADD" not in last
    assert health_check() == ["/usr/bin/ward", "doctor", "--ready"]
    owned = [rest for name, rest in steps if name == "COPY" and "/state" in rest]
    assert owned and f"--chown={last['USER']}" in owned[0]


def test_bases_are_arguments_and_sources_have_checksums():
    for base, _ in stages().values():
        assert base in {"scratch", *stages()} or re.fullmatch(r"\$\{\w+_IMAGE\}", base), base
    script = (DEPLOY / "image/dependencies.sh").read_text()
    assert re.search(r"^SHA256=[0-9a-f]{64}$", script, re.M) and '"SHA256:$SHA256"' in script
    version = re.search(r"^VERSION=([\d.]+)$", script, re.M).group(1)
    assert tuple(map(int, version.split("."))) >= (1, 0, 7)


def test_only_what_the_build_reads_reaches_the_builder():
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines()
             if line and not line.startswith("#")]
    assert lines[0] == "*"
    for line in lines[1:]:
        assert (ROOT / line.removeprefix("!")).exists(), line
    assert "!deploy" not in lines and "!tests" not in lines


@pytest.mark.parametrize("script", sorted(DEPLOY.rglob("*.sh")), ids=lambda path: path.name)
def test_scripts_are_valid_and_can_run(script):
    shell = script.read_text().split("\n", 1)[0].removeprefix("#!").split()[-1]
    assert subprocess.run([shell, "-n", script]).returncode == 0
    assert os.access(script, os.X_OK)


# ---- Compose ------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def compose():
    text = (DEPLOY / "compose.yaml").read_text()
    return yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))  # each with its default


def test_services_are_locked_down(compose):
    for name, service in compose["services"].items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "pid", "ipc", "userns_mode"} & set(service), name
        user, group = map(int, service["user"].split(":"))
        if name == "redis-secrets":  # runs once, with no network
            assert service["cap_add"] == ["CHOWN"] and service["network_mode"] == "none"
        else:
            assert user > 0 and group > 0 and "cap_add" not in service, name
            assert "healthcheck" in service, name
        image = service["image"]
        assert ":" in image and not image.endswith(":latest"), image


def test_no_more_is_open_than_needed(compose):
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert ports["ward"] == ports["ward-cpu"] == ["8443:8443"]
    assert ports["prometheus"] == ["127.0.0.1:9090:9090"]
    assert not ports["redis"] and not ports["redis-secrets"]
    assert compose["networks"]["back"]["internal"] and compose["services"]["redis"]["networks"] == \
        ["back"]


def test_compose_agrees_with_the_image_and_the_settings(compose):
    last = dict(stages()["cpu"][1])
    known = subprocess.run([BINARY, "serve", "--help-config"], capture_output=True, text=True)
    settings = yaml.safe_load(known.stdout)
    for name in ("ward", "ward-cpu"):
        service = compose["services"][name]
        assert service["user"] == last["USER"]
        assert service["healthcheck"]["test"] == ["CMD", *health_check()]
        grace = float(service["stop_grace_period"].removesuffix("s"))
        assert grace * 1000 > settings["server"]["drain_ms"]
        for variable in set(service["environment"]) - {"WARD_CONFIG"}:
            section, key = variable.lower().removeprefix("ward_").split("_", 1)
            assert key in settings[section], variable
        for place in json.loads(last["VOLUME"]):
            assert any(place in volume.split(":") for volume in service["volumes"]), place
        told = {name: value for name, value in service["environment"].items()
                if not name.endswith("_FILE")}
        assert not re.search(r"(?i)password|token|secret_", json.dumps(told))
    assert compose["services"]["ward"]["profiles"] == ["gpu"]
    assert compose["services"]["ward-cpu"]["profiles"] == ["cpu"]
    device = compose["services"]["ward"]["deploy"]["resources"]["reservations"]["devices"][0]
    assert device["driver"] == "nvidia" and device["capabilities"] == ["gpu"]
    assert "deploy" not in compose["services"]["ward-cpu"]


def test_volumes_and_files_of_compose_exist(compose):
    for name, service in compose["services"].items():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source in ("./redis", "./prometheus"):
                assert (DEPLOY / source).is_dir()
            else:
                assert source in compose["volumes"] or source in ("./models", "./files"), volume
        for needed in service.get("depends_on", {}):
            assert needed in compose["services"]
            assert "profiles" not in compose["services"][needed], needed


# ---- Redis and Prometheus -----------------------------------------------------------------------

class DeployedRedis(Redis):
    """The real server with the committed configuration and users, on loopback."""

    def __init__(self, directory):
        self.secrets = directory / "secrets"
        self.secrets.mkdir()
        self.make_secrets()
        config = (DEPLOY / "redis/redis.conf").read_text()
        (directory / "redis.conf").write_text(config.replace("/secrets/", f"{self.secrets}/"))
        super().__init__(directory / "data", port=free_port(), config=directory / "redis.conf")

    def make_secrets(self):
        me = str(os.getuid())
        subprocess.run([DEPLOY / "redis/make-secrets.sh", self.secrets, me, me], check=True)
        self.password = (self.secrets / "redis-password").read_text().strip()

    def ask(self, *command, user="ward", password=None, source="127.0.0.1"):
        """The first line of the reply to one command, as that user; None: not even a connection."""
        commands = [("AUTH", user, self.password if password is None else password)] if user else []
        reply = None
        try:
            with socket.create_connection(("127.0.0.1", self.port), PATIENCE_S,
                                          source_address=(source, 0)) as connection:
                lines = connection.makefile("rb")
                for words in [*commands, command]:
                    words = [word.encode() for word in words]
                    connection.sendall(b"*%d\r\n" % len(words) + b"".join(
                        b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
                    reply = lines.readline().decode().strip().lstrip("+")
        except OSError:
            return None
        return reply


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    running = DeployedRedis(tmp_path_factory.mktemp("redis"))
    yield running
    assert running.stop() == 0


def test_redis_lets_ward_do_what_it_needs(redis):
    """What Ward's own shipper does with this user: tests/audit/redis/test_shipper_refusals.c."""
    assert re.fullmatch(r"\$\d+", redis.ask("XADD", "ward:audit", "*", "event", "started"))
    for command in (["SET", "ward:audit:@owner", "00", "NX"], ["GET", "ward:audit:@owner"],
                    ["XRANGE", "ward:audit", "-", "+"],
                    ["XREVRANGE", "ward:audit", "+", "-", "COUNT", "1"],
                    ["XINFO", "STREAM", "ward:audit"], ["INFO"], ["WATCH", "ward:audit"],
                    ["MULTI"], ["XTRIM", "ward:audit", "MINID", "=", "0-1"], ["SELECT", "0"],
                    ["XDEL", "ward:audit", "1-1"], ["BGREWRITEAOF"],
                    ["SET", "ward:audit:@erased", "1"], ["GET", "ward:audit:@erased"],
                    ["CONFIG", "GET", "maxmemory-policy"], ["CLIENT", "SETNAME", "ward"]):
        assert redis.ask(*command)[0] in ":*$%OB", command
    assert redis.ask("INFO", source="127.0.0.2")[0] == "$", "protected mode shuts other hosts out"


@pytest.mark.parametrize("command", [
    "DEL ward:audit", "DEL ward:audit:@owner", "XTRIM other MAXLEN 0", "XDEL other 1-1",
    "XSETID ward:audit 9-9", "FLUSHALL", "KEYS *", "GET ward:audit", "SET ward:audit:@chain 1",
    "GET other:@owner", "XADD other * a 1", "XRANGE other - +", "EXPIRE ward:audit 1",
    "RENAME ward:audit ward:b", "CONFIG SET appendonly no", "CONFIG REWRITE", "ACL LIST", "EVAL 1 0",
    "SHUTDOWN", "DEBUG SLEEP 0", "REPLICAOF 127.0.0.1 1", "MONITOR", "CLIENT LIST", "SCRIPT FLUSH",
])
def test_redis_lets_ward_do_nothing_else(redis, command):
    assert redis.ask(*command.split()).startswith(("-NOPERM", "-ERR DEBUG")), command


def test_redis_knows_no_one_else(redis):
    assert redis.ask("PING", user=None).startswith("-NOAUTH")
    assert redis.ask("XRANGE", "ward:audit", "-", "+", user="probe", password="").startswith("-NOPERM")
    assert redis.ask("INFO", user="probe", password="").startswith("-NOPERM")
    assert redis.ask("PING", password="wrong").startswith(("-NOAUTH", "-WRONGPASS"))
    assert redis.ask("PING", user="default", password="").startswith(("-NOAUTH", "-WRONGPASS"))


def test_redis_loses_nothing_quietly(redis):
    told = {}
    for name in ("maxmemory-policy", "appendonly", "appendfsync", "maxmemory",
                 "stream-node-max-entries"):
        with socket.create_connection(("127.0.0.1", redis.port), PATIENCE_S) as connection:
            connection.sendall(f"AUTH ward {redis.password}\r\nCONFIG GET {name}\r\n".encode())
            lines = connection.makefile("rb")
            told[name] = [lines.readline().decode().strip() for _ in range(6)][-1]
    assert told["maxmemory-policy"] == "noeviction" and told["appendonly"] == "yes"
    assert told["appendfsync"] == "everysec" and int(told["maxmemory"]) > 0
    assert told["stream-node-max-entries"] == "1", "what is erased is gone"


def test_secrets_are_made_once_and_are_private(redis):
    before = {path.name: path.read_text() for path in redis.secrets.iterdir()}
    redis.make_secrets()
    assert before == {path.name: path.read_text() for path in redis.secrets.iterdir()}
    assert set(before) == {"redis-password", "users.acl"} and len(redis.password) == 64
    assert hashlib.sha256(redis.password.encode()).hexdigest() in before["users.acl"]
    assert all(path.stat().st_mode & 0o777 == 0o400 for path in redis.secrets.iterdir())


def test_prometheus_rules_name_metrics_that_there_are(own_server):
    server = own_server(environment={"WARD_AUDIT_REDIS_URL": "redis://127.0.0.1:1"})
    rules = yaml.safe_load((DEPLOY / "prometheus/ward.rules.yml").read_text())
    scrape = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    assert scrape["scrape_configs"][0]["static_configs"][0]["targets"] == ["ward:9090"]
    exported = {series.split("{")[0] for series in server.metrics()}
    for rule in rules["groups"][0]["rules"]:
        for name in re.findall(r"\bward_\w+", rule["expr"]):
            assert name in exported, name


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not here (package prometheus)")
def test_prometheus_accepts_its_configuration():
    done = subprocess.run([PROMTOOL, "check", "config", DEPLOY / "prometheus/prometheus.yml"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
