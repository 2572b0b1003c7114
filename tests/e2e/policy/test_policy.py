"""A clinic's rules on a running server: official clients ask, and what the model saw, what they were
told, what is recorded and counted is compared. Rules change while it runs; a webhook hears of a crisis."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

import openai
import pytest
from audit_reader import read_log
from conftest import wait_for

NAME, MAIL = "Zoraida Quillfeather", "zoraida.quill@clinic-a.example"
CRISIS = [{"role": "user", "content": "i want to kill myself tonight, i have the pills here"}]
SECRET = b"a secret of this test alone"


def echo(server, text, **more):
    """The text as it comes back from the model's side: what is restored is as it was."""
    answer = server.client().completions.create(model=server.model, prompt=text, echo=True,
                                                max_tokens=1, **more)
    return answer.choices[0].text, answer.usage.prompt_tokens


def token_count(server, text):
    status, _, body = server.request("POST", "/tokenize", {"model": server.model, "prompt": text},
                                     key=server.keys[server.tenants[0]])
    assert status == 200, body
    return json.loads(body)["count"]


def records(server):
    return [record for record in read_log(server.state_dir / "audit")]


def test_the_model_sees_pseudonyms_and_the_client_its_own_words(own_server):
    server = own_server({"WARD_POLICY_DEFAULT": "standard"})
    text = f"Please remind {NAME} by mail to {MAIL} today."
    told, tokens = echo(server, text)
    assert told.startswith(text)
    assert tokens == token_count(server, "Please remind [NAME_1] by mail to [EMAIL_1] today.")
    assert server.metric("ward_policy_findings_total", action="pseudonymise", kind="EMAIL") >= 1
    assert server.metric("ward_policy_events_total", event="restored") >= 2
    assert MAIL not in server.logged() and NAME not in server.logged()


def test_a_stream_says_what_the_whole_says(own_server):
    server = own_server({"WARD_POLICY_DEFAULT": "standard"})
    text = f"My name is {NAME}, call me at 798-586-7565 or write to {MAIL}."
    whole, _ = echo(server, text, seed=1)
    client = server.client()
    events = client.completions.create(model=server.model, prompt=text, echo=True, max_tokens=1,
                                       seed=1, stream=True)
    assert "".join(event.choices[0].text for event in events if event.choices) == whole


def test_observe_counts_and_changes_nothing(own_server):
    server = own_server()
    text = f"Write to {MAIL}."
    told, tokens = echo(server, text)
    assert told.startswith(text) and tokens == token_count(server, text)
    assert server.metric("ward_policy_findings_total", action="tag", kind="EMAIL",
                         direction="in") == 1


def test_blocked_by_kind_never_by_value(own_server):
    server = own_server({"WARD_POLICY_DEFAULT": "strict"})
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        server.client().chat.completions.create(
            model=server.model,
            messages=[{"role": "user", "content": "my ssn is 123-45-6789, is that a problem?"}])
    assert refused.value.code == "policy_blocked" and "SSN" in str(refused.value)
    assert "6789" not in str(refused.value)
    assert server.metric("ward_requests_total", outcome="blocked") == 1


def test_help_comes_first_and_is_recorded(own_server):
    server = own_server({"WARD_POLICY_DEFAULT": "standard"})
    client = server.client()
    told = client.chat.completions.create(model=server.model, messages=CRISIS, max_tokens=4)
    assert "988" in told.choices[0].message.content.split("\n\n")[0]
    events = list(client.chat.completions.create(model=server.model, messages=CRISIS, max_tokens=4,
                                                 stream=True))
    streamed = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    assert "988" in streamed
    # A person in a crisis is not sent away for what else stands in the message.
    assert server.metric("ward_crisis_requests_total", kind="suicide", grade="imminent") == 2
    assert server.stop() == 0
    decisions = [r.get("policy_decisions", {}) for r in records(server)]
    assert sum("crisis.protocol" in d for d in decisions) >= 2
    assert all("pills" not in json.dumps(d) for d in decisions)


def test_help_is_not_refused(own_server, tmp_path):
    server = own_server({"WARD_POLICY_DEFAULT": "strict"})
    message = CRISIS[0]["content"] + ", my ssn is 123-45-6789"
    told = server.client().chat.completions.create(
        model=server.model, messages=[{"role": "user", "content": message}], max_tokens=4)
    assert told.choices[0].finish_reason == "content_filter"
    assert "988" in told.choices[0].message.content and "6789" not in str(told)


def test_rules_change_while_it_runs(own_server, tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    server = own_server({"WARD_POLICY_DIRECTORY": str(rules)})
    text = f"Write to {MAIL}."
    assert echo(server, text)[1] == token_count(server, text)
    (rules / f"{server.tenants[0]}.yaml").write_text(
        "version: 1\nname: own\nextends: redact\n")
    wait_for(lambda: echo(server, text)[0].startswith("Write to [EMAIL]."), "the new rules")
    other = server.client(tenant=1).completions.create(model=server.model, prompt=text, echo=True,
                                                       max_tokens=1)
    assert other.choices[0].text.startswith(text), "another clinic's rules"
    (rules / f"{server.tenants[0]}.yaml").write_text("version: 1\nname: own\nextends: nobody\n")
    wait_for(lambda: "rules.refused" in server.logged(), "the refusal of a wrong file")
    assert echo(server, text)[0].startswith("Write to [EMAIL]."), "the last good rules"
    assert server.stop() == 0
    changed = [r for r in records(server) if r["event"] == "policy.changed"]
    assert [r["subject"] for r in changed] == [server.tenants[0]]


def test_disclosure_at_the_start_and_when_asked(own_server, tmp_path):
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "default.yaml").write_text(
        "version: 1\nname: utah\nextends: observe\npacks: [us-ut]\n")
    server = own_server({"WARD_POLICY_DIRECTORY": str(rules)})

    def ask(*texts):
        roles = ["user", "assistant"] * len(texts)
        messages = [{"role": r, "content": t} for r, t in zip(roles, texts)]
        answer = server.client().chat.completions.create(model=server.model, messages=messages,
                                                         max_tokens=2)
        return answer.choices[0].message.content

    assert "AI" in ask("hello")
    assert "AI" not in ask("hello", "Hi.", "how do i sleep better?")
    assert "AI" in ask("hello", "Hi.", "are you a real person?")


def test_a_questionnaire_is_asked_and_scored_without_the_model(own_server):
    server = own_server({"WARD_POLICY_DEFAULT": "standard"})
    client = server.client()
    messages, answers = [{"role": "user", "content": "hello"}], ["2", "nearly every day"]
    for answer in [*answers, None]:
        told = client.chat.completions.create(model="phq-2", messages=messages)
        messages.append({"role": "assistant", "content": told.choices[0].message.content})
        assert told.usage.completion_tokens == 0
        if answer:
            messages.append({"role": "user", "content": answer})
    result = told.model_extra["ward"]
    assert result["complete"] is True and result["score"] == 5, result
    stream = list(client.chat.completions.create(model="phq-2", messages=messages[:-1], stream=True))
    assert stream[-1].model_extra["ward"] == result


# ---- hand-off -----------------------------------------------------------------------------------


class Clinic:
    """A webhook of a clinic: answers 500 so many times, then 200; keeps what it got."""

    def __init__(self, failures=0):
        clinic = self
        self.failures, self.got = failures, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                clinic.got.append((dict(self.headers.items()), body))
                clinic.failures -= 1
                self.send_response(500 if clinic.failures >= 0 else 200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}/ward"

    def stop(self):
        self.http.shutdown()
        self.http.server_close()


def rules_with(tmp_path, clinic):
    rules = tmp_path / "rules"
    rules.mkdir(exist_ok=True)
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    (rules / "default.yaml").write_text(
        f"version: 1\nname: clinic\nextends: standard\n"
        f"webhook: {{url: \"{clinic.url}\", secret_file: \"{tmp_path / 'secret'}\"}}\n")
    return {"WARD_POLICY_DIRECTORY": str(rules)}


def check_signed(headers, body):
    headers = {name.lower(): value for name, value in headers.items()}
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    want = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{want}"
    return headers["webhook-id"], json.loads(body)


def test_a_clinic_hears_of_a_crisis_until_it_says_so(own_server, tmp_path):
    clinic = Clinic(failures=2)
    server = own_server(rules_with(tmp_path, clinic))
    server.client().chat.completions.create(model=server.model, messages=CRISIS, max_tokens=4)
    wait_for(lambda: server.metric("ward_hand_off_acknowledged_total") == 1, "the acknowledgement")
    told = [check_signed(*request) for request in clinic.got]
    assert len(told) == 3 and len({identity for identity, _ in told}) == 1
    data = told[0][1]["data"]
    assert data["tenant"] == server.tenants[0] and data["grade"] == "imminent"
    assert data["kind"] == "suicide"
    assert b"pills" not in b"".join(body for _, body in clinic.got)
    assert server.stop() == 0
    handed = [r for r in records(server) if r["event"] == "crisis.handed_off"]
    assert [(r["outcome"], r["count"]) for r in handed] == [("acknowledged", 3)]
    clinic.stop()


def test_what_was_not_heard_outlives_the_process(own_server, tmp_path, redis):
    clinic = Clinic(failures=1000)
    environment = {**rules_with(tmp_path, clinic), "WARD_AUDIT_REDIS_URL": redis.url}
    server = own_server(environment)
    server.client().chat.completions.create(model=server.model, messages=CRISIS, max_tokens=4)
    wait_for(lambda: clinic.got, "the first attempt")
    wait_for(lambda: redis.command("XLEN", "ward:audit:@hand_off") == 1, "it to be kept")
    server.process.kill()
    server.stop()
    clinic.failures = 0
    again = own_server(environment)
    wait_for(lambda: again.metric("ward_hand_off_acknowledged_total") == 1, "the second process")
    assert len({check_signed(*request)[0] for request in clinic.got}) == 1
    wait_for(lambda: redis.command("XLEN", "ward:audit:@hand_off") == 0, "it to be removed")
    clinic.stop()


def test_the_yearly_report_is_summed_from_the_records(own_server):
    server = own_server({"WARD_POLICY_DEFAULT": "standard"})
    for tenant in (0, 0, 1):
        server.client(tenant=tenant).chat.completions.create(model=server.model, messages=CRISIS,
                                                             max_tokens=2)
    assert server.stop() == 0
    year = time.gmtime(records(server)[0]["time"] / 1000).tm_year
    made = server.ward("audit", "report", "--year", str(year), "--json")
    assert made.returncode == 0, made.stderr
    told = json.loads(made.stdout)["tenants"]
    assert [told[name]["crisis.protocol"] for name in server.tenants] == [2, 1]
    assert told[server.tenants[0]]["requests"] == 2
    other = server.ward("audit", "report", "--year", str(year - 1), "--json")
    assert json.loads(other.stdout)["tenants"] == {}
    assert server.ward("audit", "report").returncode == 2
