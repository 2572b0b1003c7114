"""What a privacy officer and an operator type: records of administration, ward audit, the admin API."""
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

import pytest
from conftest import BINARY, PATIENCE_S, wait_for
from redis_server import free_port

QUESTION = [{"role": "user", "content": "Which room is the lab in?"}]


def records(server, *arguments):
    """Every record that `ward audit tail` shows, checkpoints left out."""
    told = server.ward("audit", "tail", "-n", "100000", "--json", *arguments)
    assert told.returncode == 0, told.stderr
    return [json.loads(line) for line in told.stdout.splitlines()]


def wait_for_record(server, **fields):
    def find():
        return [r for r in records(server) if all(r.get(k) == v for k, v in fields.items())]
    return wait_for(find, f"a record with {fields}")[-1]


def new_key(server, tenant, scope):
    made = server.ward("key", "create", "--tenant", tenant, "--scope", scope)
    assert made.returncode == 0, made.stderr
    key = made.stdout.strip()
    wait_for(lambda: admin(server, "/admin/v1/audit/checkpoint", key)[0] != 401, "the key to work")
    return key


def admin(server, path, key=None, **query):
    """One request to the admin listener: (status, JSON or text)."""
    url = server.admin_url + path + ("?" + urllib.parse.urlencode(query) if query else "")
    request = urllib.request.Request(url)
    if key is not None:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            body = answer.read().decode()
            return answer.status, json.loads(body) if body.startswith("{") else body
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def ask(server, tenant=0, **more):
    return server.client(tenant=tenant).chat.completions.create(
        model=server.model, messages=QUESTION, max_tokens=4, temperature=0, **more)


def segments(state):
    return sorted((state / "audit/segments").iterdir())


def verify(*arguments, state=None):
    told = subprocess.run([BINARY, "audit", "verify", "--json", *map(str, arguments),
                           *(["--state-dir", str(state)] if state else [])],
                          capture_output=True, text=True, timeout=PATIENCE_S)
    return told.returncode, json.loads(told.stdout), told.stderr


# ---- administration -----------------------------------------------------------------------------

def test_every_administrative_act_is_recorded(own_server):
    server = own_server()
    actor = "os:" + subprocess.run(["id", "-un"], capture_output=True, text=True).stdout.strip()
    server.ward("tenant", "add", "lab", "--rpm", "9", "--retention-days", "30")
    key = server.ward("key", "create", "--tenant", "lab", "--scope", "infer,audit:read")
    key_id = key.stdout.split("_")[2]
    for arguments in (["tenant", "set", "lab", "--tpm", "500", "--rpm", "0"],
                      ["key", "rotate", key_id, "--overlap", "60"], ["key", "revoke", key_id],
                      ["tenant", "disable", "lab"], ["tenant", "enable", "lab"],
                      ["tenant", "remove", "lab"]):
        done = server.ward(*arguments)
        assert done.returncode == 0, done.stderr
    wait_for_record(server, event="tenant.removed", subject="lab")
    told = [(r["event"], r.get("subject"), r.get("changes"), r.get("tenant"))
            for r in records(server) if "lab" in (r.get("tenant"), r.get("subject"))]
    assert told == [
        ("tenant.added", "lab", {"requests_per_minute": 9, "retention_days": 30}, None),
        ("key.created", key_id, None, "lab"),
        ("tenant.changed", "lab", {"no_requests_per_minute": 1, "tokens_per_minute": 500}, "lab"),
        ("key.rotated", key_id, {"overlap_s": 60}, "lab"),
        ("key.revoked", key_id, None, "lab"),
        ("tenant.disabled", "lab", None, "lab"),
        ("tenant.enabled", "lab", None, "lab"),
        ("tenant.removed", "lab", None, "lab"),
    ]
    for record in records(server):
        if record["event"].startswith(("tenant.", "key.")):
            assert record["actor"] == actor and record["outcome"] == "done", record
    created = [r for r in records(server) if r.get("subject") == key_id][0]
    assert created["scopes"] == "infer,audit:read"
    secret = key.stdout.strip().split("_")[3]
    for path in server.state_dir.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_acts_before_the_first_start_are_recorded_at_it(own_server, tmp_path):
    state = tmp_path / "state"
    environment = {**os.environ, "WARD_STATE_DIR": str(state)}
    for arguments in (["tenant", "add", "early"], ["tenant", "set", "early", "--streams", "2"]):
        subprocess.run([BINARY, *arguments], env=environment, check=True, capture_output=True)
    server = own_server()
    wait_for_record(server, event="tenant.changed", subject="early")
    assert [r["event"] for r in records(server) if r.get("subject") == "early"] == [
        "tenant.added", "tenant.changed"]


def test_what_cannot_be_recorded_is_not_done(tmp_path):
    (tmp_path / "audit").write_text("a file where the folder belongs")
    done = subprocess.run([BINARY, "tenant", "add", "lab", "--state-dir", tmp_path],
                          capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "recorded" in done.stderr
    listed = subprocess.run([BINARY, "tenant", "list", "--json", "--state-dir", tmp_path],
                            capture_output=True, text=True)
    assert json.loads(listed.stdout) == []


def test_tenant_set_changes_only_what_is_given(tmp_path):
    def ward(*arguments):
        return subprocess.run([BINARY, "tenant", *arguments, "--state-dir", tmp_path],
                              capture_output=True, text=True)
    assert ward("add", "lab", "--rpm", "1", "--tpm", "2", "--streams", "3").returncode == 0
    assert ward("set", "lab", "--tpm", "20", "--retention-days", "40").returncode == 0
    listed = json.loads(ward("list", "--json").stdout)[0]
    assert (listed["requests_per_minute"], listed["tokens_per_minute"], listed["streams_max"],
            listed["retention_days"]) == (1, 20, 3, 40)
    assert ward("set", "lab").returncode == 2
    assert ward("set", "nobody", "--rpm", "1").returncode == 1


# ---- ward audit ---------------------------------------------------------------------------------

def test_a_live_and_a_stopped_log_verify(own_server):
    server = own_server()
    ask(server)
    wait_for_record(server, event="request.completed")
    code, live, _ = verify(state=server.state_dir)
    assert code == 0 and live["ok"] is True and live["first_break"] is None
    assert live["records"] >= 4 and live["live"] is True
    human = server.ward("audit", "verify")
    assert human.returncode == 0 and "intact" in human.stdout and human.stderr == ""
    assert server.stop() == 0
    code, stopped, _ = verify(state=server.state_dir)
    assert code == 0 and stopped["records"] > live["records"] and stopped["live"] is False
    assert stopped["signed_up_to"] == stopped["records"]

    officer = server.state_dir / "taken-away"
    (server.state_dir / "audit/officer.key").rename(officer)
    assert verify(state=server.state_dir)[1]["macs_checked"] == 0
    code, checked, _ = verify("--officer-key", officer, state=server.state_dir)
    assert code == 0 and checked["macs_checked"] > 0
    officer.write_text("00" * 32 + "\n")
    code, wrong, said = verify("--officer-key", officer, state=server.state_dir)
    assert code == 1 and wrong["first_break"]["kind"] == "rewrite" and said.count("\n") == 1


def test_a_changed_byte_is_found_and_named(own_server):
    server = own_server()
    wait_for_record(server, event="key.created")
    server.stop()
    segment = segments(server.state_dir)[0]
    bytes_ = bytearray(segment.read_bytes())
    place = bytes_.index(b"os:")
    bytes_[place] ^= 1
    segment.write_bytes(bytes_)
    code, told, said = verify(state=server.state_dir)
    found = told["first_break"]
    assert code == 1 and told["ok"] is False and found["kind"] == "bit_flip"
    assert found["segment"] == int(segment.stem) and found["offset"] < place
    assert found["sequence"] >= 1 and found["text"]
    assert said.startswith("ward: ") and said.count("\n") == 1 and "bit_flip" in said
    human = server.ward("audit", "verify")
    assert human.returncode == 1 and "BROKEN: bit_flip" in human.stdout


def test_a_checkpoint_that_was_kept_elsewhere_finds_a_cut_end(own_server):
    server = own_server()
    wait_for_record(server, event="key.created")
    kept = server.state_dir / "kept"
    early = shutil.copytree(server.state_dir / "audit", server.state_dir / "early/audit",
                            ignore=shutil.ignore_patterns("lock", "inbox"))
    ask(server)
    last = wait_for_record(server, event="request.completed")["sequence"]

    wait_for(lambda: verify(state=server.state_dir)[1]["signed_up_to"] > last, "a checkpoint")
    line = server.ward("audit", "checkpoint").stdout
    assert line.startswith("ward-checkpoint 1 ") and line.count("\n") == 1
    kept.write_text("an older line\n" + line)
    server.stop()
    assert verify("--checkpoint", kept, state=server.state_dir)[0] == 0
    code, told, _ = verify("--checkpoint", kept, state=early.parent)
    assert code == 1 and told["first_break"]["kind"] == "truncation", told


def test_tail_shows_the_last_and_follows(own_server):
    server = own_server()
    wait_for_record(server, event="key.created")
    every = records(server)
    assert len(records(server, "-n", "2")) == 2
    assert [r["sequence"] for r in every] == sorted(r["sequence"] for r in every)
    assert not any(r["event"] == "chain.checkpoint" for r in every)
    tenant = server.tenants[1]
    own = records(server, "--tenant", tenant)
    assert own and all(r["tenant"] == tenant for r in own)
    assert records(server, "--tenant", f"id:{own[0]['tenant_id']}") == own
    lines = server.ward("audit", "tail", "-n", "3").stdout.splitlines()
    assert len(lines) == 3 and all(re.match(r"2\d{3}-\d\d-\d\dT[\d:.]+Z \d+ \w+\.\w+ ", line)
                                   for line in lines)
    follower = subprocess.Popen([BINARY, "audit", "tail", "-n", "0", "--follow", "--json"],
                                stdout=subprocess.PIPE, text=True,
                                env={**os.environ, "WARD_STATE_DIR": str(server.state_dir)})
    server.ward("tenant", "add", "late-clinic")
    told = json.loads(follower.stdout.readline())
    follower.terminate()
    follower.wait(timeout=PATIENCE_S)
    assert (told["event"], told["subject"]) == ("tenant.added", "late-clinic")


def test_a_digest_says_whether_a_text_was_it(own_server):
    server = own_server()
    body = json.dumps({"model": server.model, "messages": QUESTION, "max_tokens": 3}).encode()
    first, second = server.tenants[:2]
    assert server.request("POST", "/v1/chat/completions", body, key=server.keys[first])[0] == 200
    record = wait_for_record(server, event="request.completed")

    def digest(tenant, text):
        told = subprocess.run([BINARY, "audit", "digest", "--tenant", tenant], input=text,
                              capture_output=True,
                              env={**os.environ, "WARD_STATE_DIR": str(server.state_dir)})
        assert told.returncode == 0, told.stderr
        return told.stdout.decode().strip()
    assert digest(first, body) == record["prompt_digest"]
    assert digest(f"id:{record['tenant_id']}", body) == record["prompt_digest"]
    assert digest(second, body) != record["prompt_digest"] != digest(first, body + b" ")


def test_export_writes_what_was_asked_and_is_recorded(own_server, tmp_path):
    server = own_server()
    ask(server)
    wait_for_record(server, event="request.completed")
    tenant = server.tenants[0]
    out = tmp_path / "november"
    done = server.ward("audit", "export", "--tenant", tenant, "-o", str(out))
    assert done.returncode == 0 and done.stdout == "" and "records exported" in done.stderr
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [r["number"] for r in lines] == list(range(1, len(lines) + 1))
    assert all(r["tenant"] == tenant for r in lines)
    again = server.ward("audit", "export", "--tenant", tenant, "-o", str(out))
    assert again.returncode == 1 and again.stderr.count("\n") == 1 and "exists" in again.stderr
    record = wait_for_record(server, event="audit.exported")
    assert record["tenant"] == tenant and record["subject"] == "../.. jsonl"
    assert record["actor"].startswith("os:") and record["outcome"] == "done"

    only = server.ward("audit", "export", "--all", "--event", "key.created", "--to", "2999-01-01")
    events = [json.loads(line) for line in only.stdout.splitlines()]
    assert len(events) == len(server.tenants) and {r["event"] for r in events} == {"key.created"}
    assert server.ward("audit", "export", "--all", "--from", "2999-01-01").stdout == ""
    fhir = server.ward("audit", "export", "--tenant", tenant, "--format", "fhir")
    assert all(json.loads(line)["resourceType"] == "AuditEvent"
               for line in fhir.stdout.splitlines()) and fhir.stdout
    wait_for_record(server, event="audit.exported",
                    subject="../2999-01-01T00:00:00.000Z jsonl key.created")


def test_a_proof_needs_only_the_public_key(own_server, tmp_path):
    server = own_server()
    ask(server)
    wait_for_record(server, event="request.completed")
    key = tmp_path / "signing.pub"
    shutil.copy(server.state_dir / "audit/signing.pub", key)
    proof = tmp_path / "proof"

    def proves_the_request():
        proof.unlink(missing_ok=True)
        done = server.ward("audit", "export", "--tenant", server.tenants[0], "--proof", "-o",
                           str(proof))
        if done.returncode != 0:
            assert "no record of tenant" in done.stderr and not proof.exists()
            return False
        return verify("--proof", proof, "--public-key", key)[1]["last_number"] >= 3
    wait_for(proves_the_request, "a checkpoint after the request")
    server.stop()
    shutil.rmtree(server.state_dir / "audit")
    code, told, _ = verify("--proof", proof, "--public-key", key)
    assert code == 0 and told["ok"] is True and told["tenant"] == server.tenants[0]
    assert (told["first_number"], told["records"]) == (1, told["last_number"])
    assert told["from"] is None and told["to"].endswith("Z")
    assert server.tenants[1].encode() not in proof.read_bytes()
    lines = proof.read_bytes().splitlines(keepends=True)
    proof.write_bytes(b"".join(lines[:3] + lines[4:]))
    code, told, said = verify("--proof", proof, "--public-key", key)
    assert code == 1 and told["ok"] is False and said.count("\n") == 1
    assert "--redis" not in said and "ask who gave it" in said
    without = subprocess.run([BINARY, "audit", "verify", "--proof", proof, "--state-dir",
                              tmp_path / "none"], capture_output=True, text=True)
    assert without.returncode == 1 and "--public-key" in without.stderr


def test_keys_of_another_log_are_not_called_tampering_alone(own_server, tmp_path):
    server = own_server()
    server.stop()
    audit = server.state_dir / "audit"
    for option, name in (("--officer-key", "officer.key"), ("--public-key", "signing.pub")):
        text = (audit / name).read_text()
        other = tmp_path / name
        other.write_text(text[:-2] + ("0" if text[-2] != "0" else "1") + "\n")
        code, told, said = verify(option, other, "--state-dir", server.state_dir)
        assert (code, told["first_break"]["kind"]) == (1, "rewrite"), told
        assert "see that the key is this log's" in said and said.count("\n") == 1


def test_a_kept_public_key_stands_in_for_one_that_is_gone(own_server, tmp_path):
    server = own_server()
    server.stop()
    key = tmp_path / "signing.pub"
    (server.state_dir / "audit/signing.pub").rename(key)
    gone = subprocess.run([BINARY, "audit", "verify", "--state-dir", server.state_dir],
                          capture_output=True, text=True)
    assert gone.returncode == 1 and "signing.pub is gone" in gone.stderr, gone
    assert verify("--public-key", key, "--state-dir", server.state_dir)[0] == 0
    none = subprocess.run([BINARY, "audit", "verify", "--public-key", key, "--state-dir",
                           tmp_path / "none"], capture_output=True, text=True)
    assert none.returncode == 1 and none.stdout == "" and "no record here" in none.stderr, none


def test_what_was_not_checked_is_said(own_server, tmp_path):
    server = own_server()
    server.stop()
    assert verify("--state-dir", server.state_dir)[1]["not_checked"] is None
    copy = tmp_path / "copy"
    shutil.copytree(server.state_dir / "audit/segments", copy / "audit/segments")
    arguments = ("--public-key", server.state_dir / "audit/signing.pub", "--state-dir", copy)
    code, told, _ = verify(*arguments)
    assert code == 0 and "MACs" in told["not_checked"] and "the end" in told["not_checked"], told
    human = subprocess.run([BINARY, "audit", "verify", *arguments], capture_output=True, text=True)
    assert "beware       " + told["not_checked"] in human.stdout, human


@pytest.mark.parametrize("arguments", [
    [], ["frobnicate"], ["verify", "extra"], ["verify", "--proof", "x", "--redis"],
    ["verify", "-c", "x"], ["tail", "-n", "x"], ["tail", "--no-such"],
    ["export"], ["export", "--all", "--tenant", "a"], ["export", "--all", "--format", "xml"],
    ["export", "--all", "--event", "no.such"], ["export", "--all", "--from", "yesterday"],
    ["export", "--all", "--to", "2026-13-01"],
    ["export", "--all", "--from", "2026-02-01", "--to", "2026-01-01"],
    ["export", "--all", "--proof"], ["export", "--tenant", "a", "--proof", "--format", "fhir"],
    ["digest"], ["checkpoint", "now"],
])
def test_wrong_use_of_ward_audit(arguments):
    done = subprocess.run([BINARY, "audit", *arguments], capture_output=True, text=True, input="")
    assert done.returncode == 2 and done.stdout == "", done
    assert done.stderr.startswith("ward: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [
    ["verify"], ["tail"], ["export", "--all"], ["digest", "--tenant", "a"], ["checkpoint"],
    ["verify", "--proof", "/no/such/file"],
])
def test_no_log_is_one_line_and_makes_nothing(tmp_path, arguments):
    done = subprocess.run([BINARY, "audit", *arguments, "--state-dir", tmp_path / "none"],
                          capture_output=True, text=True, input="")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("verb", ["verify", "tail", "export", "digest", "checkpoint"])
def test_help_of_every_verb(verb):
    done = subprocess.run([BINARY, "audit", verb, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.startswith(f"usage: ward audit {verb}")
    summary = done.stdout.split("\n\n")[1]
    whole = subprocess.run([BINARY, "audit", "--help"], capture_output=True, text=True).stdout
    assert " ".join(summary.split()) in " ".join(whole.split())


# ---- GET /admin/v1/audit ------------------------------------------------------------------------

@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """A server with requests of two tenants, and a key of each kind."""
    from conftest import Server
    running = Server(tmp_path_factory.mktemp("audited"))
    for _ in range(3):
        ask(running, 0)
        ask(running, 1)
    first = running.tenants[0]
    running.reader = new_key(running, first, "infer,audit:read")
    running.officer = new_key(running, first, "admin,audit:read")
    yield running
    running.stop()


def pages(server, key, **query):
    """Every record over all pages."""
    found, after = [], 0
    for _ in range(1000):
        code, page = admin(server, "/admin/v1/audit", key, after=after, **query)
        assert code == 200, page
        found += page["records"]
        if page["next"] is None:
            return found
        assert int(page["next"].split("-")[0]) > int(str(after).split("-")[0]), "no progress"
        after = page["next"]
    raise AssertionError("the pages do not end")


def test_a_clinic_pages_through_its_own_records(audited):
    own = audited.tenants[0]
    for limit in (1, 2, 3, 1000):
        told = pages(audited, audited.reader, limit=limit)
        assert all(r["tenant"] == own and "sequence" not in r for r in told)
        assert [r["number"] for r in told] == list(range(1, len(told) + 1)), limit
    completed = pages(audited, audited.reader, event="request.completed", tenant=own)
    assert len(completed) == 3 and {r["event"] for r in completed} == {"request.completed"}
    code, page = admin(audited, "/admin/v1/audit", audited.reader, limit=1, after=2)
    assert [r["number"] for r in page["records"]] == [3] and page["next"].startswith("3-")


def test_reading_is_recorded(audited):
    code, page = admin(audited, "/admin/v1/audit", audited.reader, limit=4, event="key.created")
    assert code == 200
    record = wait_for_record(audited, event="audit.read", subject="../.. after 0 key.created")
    assert record["tenant"] == audited.tenants[0] and record["count"] == len(page["records"])
    assert record["actor"] == "key:" + audited.reader.split("_")[2]


def test_the_operators_key_sees_all(audited):
    told = pages(audited, audited.officer, limit=5)
    sequences = [r["sequence"] for r in told]
    assert sequences == sorted(set(sequences)) and sequences[0] == 1
    assert {r.get("tenant") for r in told} >= {None, *audited.tenants[:2]}

    def of_other(**query):  # that it was read is recorded too
        return [r for r in pages(audited, audited.officer, **query) if r["event"] != "audit.read"]
    other = of_other(tenant=audited.tenants[1])
    assert other and all(r["tenant"] == audited.tenants[1] for r in other)
    assert of_other(tenant=f"id:{other[0]['tenant_id']}") == other
    middle = other[len(other) // 2]["time"]
    late = of_other(tenant=audited.tenants[1], **{"from": middle})
    early = of_other(tenant=audited.tenants[1], to=middle)
    assert late and early and early + late == other


@pytest.mark.parametrize("query, param", [
    ({"tenant": "no such"}, "tenant"), ({"tenant": "id:0"}, "tenant"), ({"tenant": "id:x"}, "tenant"),
    ({"tenant": "a" * 200}, "tenant"), ({"event": "no.such"}, "event"), ({"event": ""}, "event"),
    ({"from": "yesterday"}, "from"), ({"to": "2026-11-20T25:00:00Z"}, "to"),
    ({"from": "2026-11-20", "to": "2026-11-20"}, "to"), ({"after": "-1"}, "after"),
    ({"after": "x"}, "after"), ({"after": "99999999999999999999"}, "after"),
    ({"limit": "0"}, "limit"), ({"limit": "1001"}, "limit"), ({"limit": "1e3"}, "limit"),
    ({"limit": ""}, "limit"),
])
def test_a_wrong_parameter_is_named(audited, query, param):
    code, told = admin(audited, "/admin/v1/audit", audited.officer, **query)
    assert code == 400 and told["error"]["param"] == param, told


def test_other_queries_are_refused(audited):
    assert admin(audited, "/admin/v1/audit", audited.officer, tenat="a")[0] == 400
    code, told = admin(audited, "/admin/v1/audit?limit=1&limit=1", audited.officer)
    assert code == 400 and told["error"]["param"] == "limit"
    assert admin(audited, "/admin/v1/audit?tenant=%zz", audited.officer)[0] == 400
    assert admin(audited, "/admin/v1/audit", audited.officer, tenant=audited.officer)[0] == 401


def test_who_may_read(audited):
    infer = audited.keys[audited.tenants[0]]
    for path in ("/admin/v1/audit", "/admin/v1/audit/checkpoint"):
        assert admin(audited, path)[0] == 401
        assert admin(audited, path, infer)[0] == 403
        assert admin(audited, path, audited.officer)[0] == 200
        assert audited.request("GET", path, key=audited.reader)[0] == 404, "not on the API's listener"
    assert admin(audited, "/admin/v1/audit", audited.reader)[0] == 200
    code, told = admin(audited, "/admin/v1/audit/checkpoint", audited.reader)
    assert code == 403 and "sequence" not in str(told), "it counts the others' records"
    for tenant in (audited.tenants[1], "no-such", "id:1"):
        code, told = admin(audited, "/admin/v1/audit", audited.reader, tenant=tenant)
        assert code == 403 and told["error"]["param"] == "tenant"


def test_the_checkpoint_can_be_kept(audited, tmp_path):
    code, line = admin(audited, "/admin/v1/audit/checkpoint", audited.officer)
    assert code == 200 and re.fullmatch(r"ward-checkpoint 1 [A-Za-z0-9+/=]+\n", line)
    wait_for_record(audited, event="audit.read", subject="checkpoint",
                    actor="key:" + audited.officer.split("_")[2])
    (tmp_path / "kept").write_text(line)
    assert verify("--checkpoint", tmp_path / "kept", state=audited.state_dir)[0] == 0


# ---- Redis, and the machine ---------------------------------------------------------------------

def test_the_copy_in_redis_verifies_until_it_is_trimmed(own_server, redis, tmp_path):
    redis.restart(port=free_port())
    settings = tmp_path / "ward.yaml"
    settings.write_text(f"state:\n  dir: {tmp_path}/state\naudit:\n  redis_url: {redis.url}\n")
    server = own_server({"WARD_AUDIT_REDIS_URL": redis.url})
    last = wait_for_record(server, event="key.created")["sequence"]

    def is_shipped():
        code, told, _ = verify("--redis", "-c", settings)
        return code == 0 and told["redis"]["ok"] and told["redis"]["records"] >= last
    wait_for(is_shipped, "the copy")
    human = subprocess.run([BINARY, "audit", "verify", "--redis", "-c", settings],
                           capture_output=True, text=True)
    assert human.stdout.count("intact") == 2, human
    server.stop()
    assert redis.command("XDEL", "ward:audit:@chain", f"{last}-1") == 1
    code, told, said = verify("--redis", "-c", settings)
    assert code == 1 and told["ok"] is False and told["redis"]["ok"] is False
    assert told["first_break"]["kind"] in ("trimmed", "deletion"), told
    assert said.count("\n") == 1 and "Redis" in said
    redis.stop()
    # What is here is told to people all the same; a program gets a document or nothing.
    gone = subprocess.run([BINARY, "audit", "verify", "--redis", "-c", settings],
                          capture_output=True, text=True)
    assert gone.returncode == 1 and gone.stdout.count("result       intact") == 1, gone
    assert gone.stderr.count("\n") == 1 and "Redis" in gone.stderr
    gone = subprocess.run([BINARY, "audit", "verify", "--redis", "--json", "-c", settings],
                          capture_output=True, text=True)
    assert gone.returncode == 1 and gone.stdout == "" and gone.stderr.count("\n") == 1


def own_network():
    """What starts a command with a loopback of its own; None where that is not allowed."""
    words = ["unshare", "--net", "--map-root-user"]
    works = subprocess.run([*words, "ip", "link", "set", "lo", "up"], capture_output=True)
    return words if works.returncode == 0 else None


@pytest.mark.skipif(not all(map(shutil.which, ("redis-server", "unshare", "ip")))
                    or not own_network(), reason="no Redis, or no network of one's own here")
def test_the_demo_uses_a_redis_that_is_there_and_nobody_elses(tmp_path):
    """In a network of its own, so that 6379 is ours: none, then ours, then another server's."""
    script = tmp_path / "script"
    script.write_text(f"""
import json, os, pathlib, subprocess, sys
sys.path.insert(0, {str(pathlib.Path(__file__).parent)!r})
from conftest import BINARY
from redis_server import Redis, end_with_parent
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

def demo(state):
    environment = {{**os.environ, "WARD_STATE_DIR": state}}
    environment.pop("WARD_AUDIT_REDIS_URL", None)
    process = subprocess.Popen([BINARY, "demo", "--json", "--port", "0", "--admin-port", "0"],
                               stdout=subprocess.PIPE, env=environment, preexec_fn=end_with_parent)
    told = json.loads(process.stdout.readline())
    process.terminate()
    assert process.wait() == 0
    return told["redis_url"]

told = [demo("first")]
redis = Redis(pathlib.Path("redis"), port=6379)
told += [demo("first"), demo("first"), demo("second")]
redis.stop()
print(json.dumps(told))
""")
    done = subprocess.run([*own_network(), sys.executable, script], cwd=tmp_path,
                          capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr
    ours = "redis://127.0.0.1:6379"
    assert json.loads(done.stdout.splitlines()[-1]) == [None, ours, ours, None]


def test_the_doctor_looks_at_the_log(own_server):
    server = own_server()
    found = server.ward("doctor").stdout
    assert re.search(r"^(ok  |warn)  audit .*MiB free", found, re.M), found
    assert re.search(r"^ok    log clock", found, re.M), found
    assert re.search(r"^warn  officer key .*officer\.key", found, re.M), found
    assert re.search(r"^ok    redis .*none is configured", found, re.M), found
    (server.state_dir / "audit/officer.key").unlink()
    assert re.search(r"^ok    officer key", server.ward("doctor").stdout, re.M)


def test_the_doctor_says_what_an_unsafe_redis_would_lose(own_server, redis):
    redis.command("CONFIG", "SET", "appendonly", "no")
    server = own_server()
    for unsafe, verdict in (("refuse", "BAD "), ("warn", "warn")):
        found = subprocess.run(
            [BINARY, "doctor"], capture_output=True, text=True,
            env={**os.environ, "WARD_STATE_DIR": str(server.state_dir),
                 "WARD_AUDIT_REDIS_URL": redis.url, "WARD_AUDIT_REDIS_UNSAFE": unsafe})
        assert re.search(f"^{verdict}  redis .*set appendonly yes", found.stdout, re.M), found
