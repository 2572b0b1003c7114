#!/usr/bin/env python3
"""Ward and Microsoft Presidio on the same texts, beside each other: overlap recall by kind, texts
without identifiers that were touched, bytes hidden needlessly, MB/s of one core.

Installs nothing. In an environment of its own: `pip install presidio-analyzer`. Its pattern recognisers
need no model (a blank English pipeline of spaCy); --model NAME adds its NER with a spaCy model that is
installed there, such as en_core_web_lg.

usage: presidio.py [--ward build/release/ward] [--model NAME] [--out DIR] GOLD.jsonl...
A GOLD file: {"id", "text", "spans": [{"start", "end", "kind"}]} a line, offsets in bytes. Findings go to
DIR/<file>.<who>.jsonl, the form that score.py of the data reads.
"""
import argparse
import collections
import json
import pathlib
import subprocess
import time

COLUMN = 20


def load(path):
    with open(path, encoding="utf-8") as lines:
        return [{"spans": [], **json.loads(line)} for line in lines]


def write(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row) + "\n")


# ---- who finds ----------------------------------------------------------------------------------

def presidio_engine(model):
    """Patterns, and NER where a model is named. Nothing is fetched."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())

    class Engine(SpacyNlpEngine):
        def __init__(self):
            super().__init__()
            self.nlp = {"en": spacy.load(model) if model else spacy.blank("en")}

    return AnalyzerEngine(nlp_engine=Engine(), supported_languages=["en"])


def byte_offsets(text):
    offsets = [0]
    for c in text:
        offsets.append(offsets[-1] + len(c.encode()))
    return offsets


def run_presidio(engine, rows):
    found = []
    for row in rows:
        results = engine.analyze(text=row["text"], language="en")
        at = byte_offsets(row["text"])
        found.append({"id": row["id"], "spans": [
            {"start": at[r.start], "end": at[r.end], "kind": r.entity_type} for r in results]})
    return found


def run_ward(binary, rows):
    stdin = "".join(json.dumps({"id": r["id"], "text": r["text"]}) + "\n" for r in rows)
    told = subprocess.run([binary, "scan"], input=stdin, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in told.stdout.strip().split("\n")]


def timed(function, *arguments):
    """Seconds of this process and of those it waited for."""
    before = time.process_time(), children_s()
    found = function(*arguments)
    own, others = time.process_time() - before[0], children_s() - before[1]
    return found, others if others > 0 else own


def children_s():
    import resource
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


# ---- scores -------------------------------------------------------------------------------------

def hidden_bytes(spans):
    return {i for span in spans for i in range(span["start"], span["end"])}


def score(rows, found):
    """As score.py of the data counts: a span is found when one of its bytes is hidden."""
    by_id = {row["id"]: row for row in found}
    counts = collections.Counter()
    for row in rows:
        hidden, gold = hidden_bytes(by_id[row["id"]]["spans"]), hidden_bytes(row["spans"])
        counts["bytes"] += len(row["text"].encode())
        counts["excess"] += len(hidden - gold)
        if not row["spans"]:
            counts["clean"] += 1
            counts["touched"] += bool(hidden)
        for span in row["spans"]:
            is_found = not hidden.isdisjoint(range(span["start"], span["end"]))
            for key in ("all", span["kind"]):
                counts[key, "gold"] += 1
                counts[key, "found"] += is_found
    return counts


def share(part, whole):
    return f"{part / whole:.4f}" if whole else "-"


def print_table(name, columns):
    """columns: who -> (counts, seconds)."""
    some = next(iter(columns.values()))[0]
    kinds = sorted(key[0] for key in some if isinstance(key, tuple) and key[1] == "gold")
    kinds.sort(key=lambda kind: kind != "all")
    lines = [(f"overlap recall, {kind}", lambda c, s, k=kind: share(c[k, "found"], c[k, "gold"]),
              some[kind, "gold"]) for kind in kinds]
    lines += [("touched of clean texts", lambda c, s: share(c["touched"], c["clean"]), some["clean"]),
              ("bytes hidden needlessly", lambda c, s: share(c["excess"], c["bytes"]), some["bytes"]),
              ("MB/s", lambda c, s: f"{c['bytes'] / s / 1e6:.3f}" if s > 0 else "-", "")]
    print(f"\n{name:36}{'n':>8}" + "".join(f"{who:>{COLUMN}}" for who in columns))
    for label, value, count in lines:
        print(f"{label:36}{count:>8}" + "".join(
            f"{value(counts, seconds):>{COLUMN}}" for counts, seconds in columns.values()))


def finders(args):
    """who -> rows to found rows."""
    made = {}
    if args.ward.exists():
        made["ward"] = lambda rows: run_ward(args.ward, rows)
    try:
        engine = presidio_engine(None)
        engine.analyze(text="warm up", language="en")
        made["presidio-patterns"] = lambda rows: run_presidio(engine, rows)
        if args.model:
            full = presidio_engine(args.model)
            full.analyze(text="warm up", language="en")
            made["presidio-ner"] = lambda rows: run_presidio(full, rows)
    except ImportError as error:
        print(f"presidio.py: {error}; pip install presidio-analyzer, in an environment of its own")
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("gold", nargs="+", type=pathlib.Path)
    parser.add_argument("--ward", type=pathlib.Path, default=pathlib.Path("build/release/ward"))
    parser.add_argument("--model", help="a spaCy model that is installed")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    made = finders(args)
    for path in args.gold:
        rows, columns = load(path), {}
        for who, finder in made.items():
            found, seconds = timed(finder, rows)
            write(args.out / f"{path.stem}.{who}.jsonl", found)
            columns[who] = score(rows, found), seconds
        if columns:
            print_table(path.name, columns)


main()
