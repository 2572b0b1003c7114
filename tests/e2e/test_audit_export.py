"""What `ward audit export` gives to other programs. Method: clients cause one of every event that they
can; each exported AuditEvent is read by the models of a maintained package, held to FHIR's own code
lists, and compared with the same record as JSON lines.

fhir.resources 8 has R4B (4.3.0) models and no R4 ones. AuditEvent has the same elements, types and
cardinalities in 4.0.1 as in 4.3.0 (hl7.org/fhir/R4/auditevent.html, hl7.org/fhir/R4B/auditevent.html);
the models refuse elements that they do not know."""
import json
import re

import openai
import pytest
from conftest import Server, never_ends, wait_for
from fhir.resources.R4B.auditevent import AuditEvent

QUESTION = [{"role": "user", "content": "Is a canary-51fa safe with warfarin?"}]
DCM = "http://dicom.nema.org/resources/ontology/DCM"
HL7 = "http://terminology.hl7.org/CodeSystem/"
# DICOM PS3.15 and PS3.16 CID 400: audit events; BALP: who sends and who receives.
DCM_EVENTS = {"110100", "110101", "110106", "110113", "110114", "110120", "110121", "110131", "110137"}
AGENT_TYPES = {(DCM, "110150"), (DCM, "110152"), (DCM, "110153"), (HL7 + "v3-ParticipationType", "AUT")}
BALP_ENTITY = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(records, events) of a server that did much and has stopped."""
    running = Server(tmp_path_factory.mktemp("export"))
    client = running.client()
    ask = client.chat.completions.create
    ask(model=running.model, messages=QUESTION, max_tokens=5, n=2, temperature=0.5, seed=-3)
    for _ in ask(model=running.model, messages=QUESTION, max_tokens=5, stream=True):
        pass
    with pytest.raises(openai.BadRequestError):
        ask(model="none", messages=QUESTION)
    with pytest.raises(openai.AuthenticationError):
        running.client(key="wk_wrong").models.list()
    with ask(model=running.model, messages=QUESTION, max_tokens=900, stream=True,
             logit_bias=never_ends()) as stream:
        next(iter(stream))
    for arguments in (("tenant", "add", "lab", "--rpm", "9"), ("key", "create", "--tenant", "lab"),
                      ("tenant", "disable", "lab"), ("tenant", "remove", "lab")):
        assert running.ward(*arguments).returncode == 0, arguments
    last = ("tenant.removed", "request.cancelled")
    wait_for(lambda: all(event in lines_of(running, "jsonl")[0] for event in last), last)
    assert running.stop() == 0
    jsonl, fhir = lines_of(running, "jsonl")[0], lines_of(running, "fhir")[0]
    records = [json.loads(line, object_pairs_hook=unique) for line in jsonl.splitlines()]
    events = [json.loads(line) for line in fhir.splitlines()]
    yield records, events, jsonl + fhir


def lines_of(running, file_format):
    told = running.ward("audit", "export", "--all", "--format", file_format)
    assert told.returncode == 0, told.stderr
    return told.stdout, told.stderr


def unique(pairs):
    assert len({name for name, _ in pairs}) == len(pairs), "a name twice in one object"
    return dict(pairs)


def texts_below(value):
    if isinstance(value, dict):
        for item in value.values():
            yield from texts_below(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_below(item)
    elif isinstance(value, str):
        yield value


def is_fhir(event):
    """What the models leave open: required code lists, invariants, formats."""
    AuditEvent.model_validate(event)
    assert event["resourceType"] == "AuditEvent"
    assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", event["id"])
    assert event["action"] in "CRUDE" and event["outcome"] in ("0", "4", "8", "12")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", event["recorded"])
    kind = event["type"]
    assert kind["code"] in DCM_EVENTS if kind["system"] == DCM else \
        (kind["system"], kind["code"]) == (HL7 + "audit-event-type", "rest")
    assert all(text.strip() == text and text for text in texts_below(event)), event
    assert event["source"]["observer"]["identifier"]["value"]
    for entity in event.get("entity", []):  # sev-1: a name or a query, not both
        assert not ("name" in entity and "query" in entity)


def is_balp(event):
    agents = event["agent"]
    assert sum(agent["requestor"] for agent in agents) == 1
    for agent in agents:
        coding = agent["type"]["coding"][0]
        assert (coding["system"], coding["code"]) in AGENT_TYPES
        assert agent["who"]["identifier"]["value"]
    assert all(code["system"] and code["code"] for code in event["subtype"])
    if event["type"]["code"] == "rest":
        codes = [agent["type"]["coding"][0]["code"] for agent in agents]
        assert codes == ["110153", "110152"], "source and destination"
        ids = [e["what"]["identifier"]["value"] for e in event["entity"]
               if e["type"] == {**e["type"], "system": BALP_ENTITY, "code": "XrequestId"}]
        assert len(ids) == 1


def says_what_the_record_says(event, record):
    """Everything of the record is somewhere in the event, and nothing but that."""
    assert event["id"] == f"ward-{record['sequence']}" and event["recorded"] == record["time"]
    assert event["subtype"][0]["code"] == record["event"]
    main = event["entity"][0]
    details = {d["type"]: d["valueString"] for d in main["detail"]}
    everything = list(texts_below(event))
    if record["event"] == "chain.checkpoint":  # says its own sequence, in its signed body
        assert details.pop("sequence") == str(record["sequence"])
    for name, value in record.items():
        if name in ("sequence", "time", "event"):
            continue
        if name in ("tenant_id", "tenant", "request_id", "key_id", "outcome", "actor", "peer", "subject"):
            assert str(value) in everything or (name, value) == ("tenant_id", 0), (name, value)
        else:
            text = value if isinstance(value, str) else details.get(name)
            assert details.pop(name) == text, name
            assert isinstance(value, str) or json.loads(text) == value, name
    assert not details, "the record does not say that"


def test_every_record_is_an_audit_event(exported):
    records, events, _ = exported
    assert len(records) == len(events) > 10
    for record, event in zip(records, events):
        is_fhir(event)
        is_balp(event)
        says_what_the_record_says(event, record)


def test_every_kind_that_clients_can_cause_is_there(exported):
    wanted = {"request.accepted", "request.completed", "request.refused", "request.cancelled",
              "auth.failed", "tenant.added", "tenant.disabled", "tenant.removed", "key.created",
              "server.started", "server.stopped", "chain.checkpoint", "audit.exported"}
    records, events, _ = exported
    assert wanted <= {record["event"] for record in records}
    outcome = {record["event"]: event["outcome"] for record, event in zip(records, events)}
    assert outcome["request.completed"] == "0" and outcome["tenant.added"] == "0"
    assert outcome["auth.failed"] == "4" and outcome["request.refused"] == "4"
    action = {record["event"]: event["action"] for record, event in zip(records, events)}
    assert (action["key.created"], action["tenant.removed"], action["request.completed"]) == ("C", "D", "E")


def test_no_text_of_a_question_is_exported(exported):
    for word in ("canary", "51fa", "warfarin", "wk_wrong"):
        assert word not in exported[2]
