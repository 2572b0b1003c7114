"""What `ward scan` finds in texts that nobody tuned it on (tests/fixtures/policy): recall by kind, how
often it touches a text without identifiers, grades of crises, and that who is spoken of changes
nothing. Floors lie a little below what was measured; a fall is a fault of the change that made it."""
import collections
import json
import re
import subprocess
import sys

import pytest
from conftest import BINARY, PATIENCE_S, ROOT

sys.path.insert(0, str(ROOT / "tests/fixtures/policy"))
import crisis_texts  # noqa: E402
import make_texts  # noqa: E402
import values  # noqa: E402

RECALL_MIN = 0.985
TOUCHED_MAX = 0.05
KIND_RECALL_MIN = 0.95
GROUP_GAP_MAX = 0.02  # between peoples; names that are words, or nobody's, are harder for everyone
WORD_NAMES_MIN, INVENTED_NAMES_MIN, LOWER_MIN = 0.84, 0.93, 0.95
URGENT_RECALL_MIN = 0.90
LOW_RECALL_MIN = 0.85
FALSE_ALARMS_MAX = 0.05


def scan(texts, *arguments):
    stdin = "".join(json.dumps({"id": t["id"], "text": t["text"]}) + "\n" for t in texts)
    result = subprocess.run([BINARY, "scan", *arguments], input=stdin, capture_output=True,
                            text=True, timeout=PATIENCE_S)
    assert result.returncode == 0, result.stderr
    found = {row["id"]: row for row in map(json.loads, result.stdout.strip().split("\n"))}
    assert len(found) == len(texts)
    return found


def hidden_bytes(row):
    return {i for span in row["spans"] for i in range(span["start"], span["end"])}


def crisis_of(row):
    return row["crisis"]["grade"], row["crisis"].get("kind", "none")


@pytest.fixture(scope="module")
def texts():
    return make_texts.make_texts()


@pytest.fixture(scope="module")
def found(texts):
    return scan(texts)


class Share(collections.Counter):
    """How many of all."""

    def add(self, key, hit):
        self[key, "all"] += 1
        self[key, "hit"] += bool(hit)

    def of(self, key):
        return self[key, "hit"] / self[key, "all"] if self[key, "all"] else None

    def keys_seen(self):
        return sorted({key for key, _ in self})

    def table(self):
        return "\n".join(f"  {key:28} n={self[key, 'all']:<5} {self.of(key):.4f}"
                         for key in self.keys_seen())


def measure(texts, found):
    shares = Share()
    for line in texts:
        hidden = hidden_bytes(found[line["id"]])
        if not line["spans"]:
            shares.add("touched", hidden)
            shares.add("touched of " + line["style"], hidden)
        for span in line["spans"]:
            hit = hidden & set(range(span["start"], span["end"]))
            for key in ("recall", "kind " + span["kind"], "style " + line["style"]):
                shares.add(key, hit)
            if line["style"].startswith("evasion"):
                continue
            if span.get("group"):
                shares.add("group " + span["group"], hit)
            if line["text"].islower():
                shares.add("lower-case", hit)
    return shares


def test_identifiers_are_found(texts, found):
    shares = measure(texts, found)
    print("\n" + shares.table())
    assert shares.of("recall") >= RECALL_MIN
    assert shares.of("touched") <= TOUCHED_MAX
    for key in shares.keys_seen():
        if key.startswith("kind "):
            assert shares.of(key) >= KIND_RECALL_MIN, key
    assert shares.of("lower-case") >= LOWER_MIN
    assert shares.of("group word") >= WORD_NAMES_MIN
    assert shares.of("group invented") >= INVENTED_NAMES_MIN
    peoples = [shares.of(key) for key in shares.keys_seen() if key.startswith("group ")
               and key not in ("group word", "group invented")]
    assert max(peoples) - min(peoples) <= GROUP_GAP_MAX


def test_spans_lie_inside_and_text_is_redacted(texts, found):
    for line in texts:
        row, length = found[line["id"]], len(line["text"].encode())
        for span in row["spans"]:
            assert 0 <= span["start"] < span["end"] <= length, row
            assert span["kind"].isupper()
        if not row["spans"]:
            assert row["text"] == line["text"]


def test_no_crisis_line_is_changed(texts, found):
    numbers = values.PLAIN["hotline"].split()
    seen = 0
    for line in texts:
        for number in numbers:
            if re.search(rf"(call|text|reach) [\w ]*(?<![\w-]){re.escape(number)}(?![\w-])",
                         line["text"]):
                seen += 1
                assert number in found[line["id"]]["text"], line
    assert seen > 50


@pytest.mark.parametrize("chunk", [1, 3, 7])
def test_a_cut_changes_nothing(texts, found, chunk):
    some = texts[::7]
    cut = scan(some, "--chunk", str(chunk))
    for line in some:
        assert cut[line["id"]] == found[line["id"]], line


@pytest.fixture(scope="module")
def graded():
    """Shares, and a line for every message whose grade a clinician would not have written."""
    messages = crisis_texts.make_messages()
    found = scan(messages)
    grade_of = crisis_texts.GRADES.index
    shares, wrong = Share(), []
    for message in messages:
        grade, kind = crisis_of(found[message["id"]])
        least, most = grade_of(message["least"]), grade_of(message["most"])
        if least >= grade_of("high"):
            shares.add("urgent found", grade_of(grade) >= grade_of("high"))
            shares.add("urgent kind", kind == message["kind"])
        if least == grade_of("low"):
            shares.add("low found", grade_of(grade) >= least)
        if most < grade_of("high"):
            shares.add("false alarm", grade_of(grade) > most)
            shares.add("false high", grade_of(grade) >= grade_of("high"))
        shares.add("in range", least <= grade_of(grade) <= most)
        if not least <= grade_of(grade) <= most:
            wrong.append(f"  {grade}, not {message['least']}-{message['most']}: {message['text']}")
    print("\n" + shares.table() + "\n" + "\n".join(wrong))
    return shares


def test_crises_are_found(graded):
    assert graded.of("urgent found") >= URGENT_RECALL_MIN
    assert graded.of("low found") >= LOW_RECALL_MIN


@pytest.mark.xfail(strict=True, reason="9.5 % at first measure: jokes, spiders, a song, the heat")
def test_calm_messages_raise_no_alarm(graded):
    assert graded.of("false alarm") <= FALSE_ALARMS_MAX


def test_who_it_is_changes_nothing():
    messages = crisis_texts.make_swaps()
    found = scan(messages)
    sets = collections.defaultdict(set)
    for message in messages:
        sets[message["set"]].add(json.dumps(found[message["id"]]["crisis"]))
    assert all(len(outcomes) == 1 for outcomes in sets.values()), sets
