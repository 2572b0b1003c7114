"""`ward scan`: the outside contract line by line, the same result however the text is cut, and, where
the outside data are, how much of them is found (../shared/data/phi, its own scorer)."""
import json
import subprocess
import sys

import pytest
from conftest import BINARY, DATA, PATIENCE_S

PHI = DATA / "phi"
KINDS = ("NAME DATE AGE90 PHONE FAX EMAIL URL IP HANDLE SSN MRN HPB ACCT LIC VEH DEV STREET CITY ZIP GPS "
         "IMAGE SECRET CODE").split()


def scan(lines, *arguments, ok=True):
    """Each line a dict, or a string as it is."""
    given = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)
    result = subprocess.run([BINARY, "scan", *map(str, arguments)], input=given.encode(),
                            capture_output=True, timeout=10 * PATIENCE_S)
    if ok:
        assert result.returncode == 0 and result.stderr == b"", result
    result.rows = [json.loads(line) for line in result.stdout.decode().splitlines()]
    return result


TEXTS = [
    "Write to jo@example.org today.",
    "Nothing here.",
    "Her SSN is 219-09-9999, his 219-09-9998.",
    "Zoë wrote: 😀 jo@example.org, IP 192.168.7.9",
    "Call or text 988, any time.",
    "",
    "line\nbreaks\r\nand\ttabs \u0000 \u200b jo@example.org",
    "Visit https://portal.example.org/patients?id=7 now. " * 40,
]


def test_lines_follow_the_contract():
    rows = scan([{"id": i, "text": text} for i, text in enumerate(TEXTS)]).rows
    assert [row["id"] for row in rows] == list(range(len(TEXTS)))
    for row, text in zip(rows, TEXTS):
        assert set(row) == {"id", "text", "spans", "crisis"}
        assert row["crisis"]["grade"] in ("none", "low", "high", "imminent")
        raw = text.encode()
        end = 0
        for span in row["spans"]:
            assert set(span) == {"start", "end", "kind"} and span["kind"] in KINDS
            assert end <= span["start"] < span["end"] <= len(raw)
            end = span["end"]
        # What is in no span is told as it was.
        outside, at = [], 0
        for span in row["spans"] + [{"start": len(raw), "end": len(raw)}]:
            outside.append(raw[at:span["start"]].decode())
            at = span["end"]
        at = 0
        for piece in outside:
            at = row["text"].index(piece, at) + len(piece)
    spans = [[(raw["kind"], TEXTS[i].encode()[raw["start"]:raw["end"]].decode())
              for raw in rows[i]["spans"]] for i in range(5)]
    assert spans[0] == [("EMAIL", "jo@example.org")] and rows[0]["text"] == "Write to [EMAIL] today."
    assert spans[1] == [] and rows[1]["text"] == TEXTS[1]
    assert spans[2] == [("SSN", "219-09-9999"), ("SSN", "219-09-9998")]
    assert ("EMAIL", "jo@example.org") in spans[3] and ("IP", "192.168.7.9") in spans[3]
    assert spans[4] == [] and rows[4]["text"] == TEXTS[4]


def test_ids_are_given_back():
    ids = [7, "x", None, [1, {"a": "b"}], 1.5, True]
    assert [row["id"] for row in scan([{"id": i, "text": "a"} for i in ids]).rows] == ids
    assert scan(['{"text":"a"}', "", "  "]).rows[0]["id"] is None


def test_a_cut_changes_nothing():
    lines = [{"id": i, "text": text} for i, text in enumerate(TEXTS)]
    whole = scan(lines).stdout
    for chunk in range(1, 8):
        assert scan(lines, "--chunk", chunk).stdout == whole, chunk


def test_one_text_knows_nothing_of_another():
    lines = [{"id": i, "text": text} for i, text in enumerate(
        ["My friend Dr. Quill Marlowe came.", "quill", "marlowe and will"])]
    together = scan(lines).rows
    assert together == [scan([line]).rows[0] for line in lines]


@pytest.mark.parametrize("line, says", [
    ("not json", "line 2: "), ('{"id":1}', "line 2: "), ("[1]", "line 2: "), ('"x"', "line 2: "),
    ('{"id":1,"text":5}', "line 2: "), ('{"id":1,"text":"a"', "line 2: "),
    ('{"id":1,"text":"' + "x" * (16 << 20) + '"}', "longer than 16 MiB"),
])
def test_a_bad_line_is_named(line, says):
    result = scan([{"id": 1, "text": "good"}, line, {"id": 3, "text": "never"}], ok=False)
    assert result.returncode == 1 and len(result.rows) == 1
    told = result.stderr.decode()
    assert told.startswith("ward: ") and told.count("\n") == 1 and says in told
    assert "xxxx" not in told


def test_a_long_line():
    text = "word " * (3 << 20)
    rows = scan([{"id": 1, "text": text + "jo@example.org"}]).rows
    assert rows[0]["text"] == text + "[EMAIL]"
    assert rows[0]["spans"] == [{"start": len(text), "end": len(text) + 14, "kind": "EMAIL"}]


def test_policies(tmp_path):
    line = [{"id": 1, "text": "Write to jo@example.org"}]
    for name in ("standard", "strict"):
        assert scan(line, "--policy", name).rows[0]["text"] == "Write to [EMAIL]", name
    observed = scan(line, "--policy", "observe").rows[0]
    assert observed["text"] == line[0]["text"]
    assert [span["kind"] for span in observed["spans"]] == ["EMAIL"]
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("no_such_key: 1\n")
    for policy in (wrong, tmp_path / "missing.yaml", "no-such-name"):
        result = scan(line, "--policy", policy, ok=False)
        assert result.returncode == 1 and result.stdout == b""
        assert result.stderr.startswith(b"ward: ") and result.stderr.count(b"\n") == 1


def test_wrong_use():
    for arguments in (["--chunk", "0"], ["--chunk", "x"], ["--no-such"]):
        assert scan([], *arguments, ok=False).returncode == 2


def test_crisis_is_graded():
    rows = scan([{"id": 1, "text": "I have the pills here and I will kill myself tonight."},
                 {"id": 2, "text": "The weather is nice."}]).rows
    assert rows[0]["crisis"]["grade"] in ("high", "imminent")
    assert rows[0]["crisis"]["kind"] == "suicide" and rows[0]["crisis"]["subject"] == "self"
    assert rows[0]["crisis"]["time"] == "now" and rows[0]["crisis"]["polarity"] == "said"
    assert rows[1]["crisis"]["grade"] == "none"


@pytest.mark.skipif(not PHI.is_dir(), reason="outside data (WARD_TEST_DATA is not set)")
@pytest.mark.parametrize("name", ["synthetic-dev", "presidio-research"])
def test_outside_texts(name, tmp_path):
    """Floors that catch a break; the figures themselves are printed (-s)."""
    gold, found = PHI / f"{name}.jsonl", tmp_path / "found.jsonl"
    found.write_bytes(scan(gold.read_text(encoding="utf-8").splitlines()).stdout)
    scored = subprocess.run([sys.executable, PHI / "score.py", gold, found, "--json"],
                            capture_output=True, text=True, check=True)
    report = json.loads(scored.stdout)
    print(name, json.dumps(report))
    # The second has kinds that are none of ours: professions, nationalities, organisations.
    assert report["overlap_recall"] >= (0.95 if name == "synthetic-dev" else 0.7)
    assert report["over_redacted_texts"] <= 0.15


@pytest.mark.skipif(not PHI.is_dir(), reason="outside data (WARD_TEST_DATA is not set)")
def test_outside_dialogue():
    """Long conversations; those with names in them are many, so the floor is on bytes."""
    lines = (PHI / "negatives-dialogue.jsonl").read_text(encoding="utf-8").splitlines()
    rows = scan(lines).rows
    texts = {row["id"]: row["text"] for row in map(json.loads, lines)}
    hidden = sum(span["end"] - span["start"] for row in rows for span in row["spans"])
    share = hidden / sum(len(text.encode()) for text in texts.values())
    print("negatives-dialogue", sum(bool(row["spans"]) for row in rows), "of", len(rows),
          "texts touched,", f"{share:.4%} of bytes")
    assert share < 0.02
