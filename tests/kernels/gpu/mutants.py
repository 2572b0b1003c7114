#!/usr/bin/env python3
"""Breaks one line of a real kernel at a time and demands that the test of its op fails.

Usage: mutants.py [PATTERN]    needs build/debug; only the rows whose file or text match

A row: test, file, what is there, what comes instead ("" removes it), which of its occurrences. The
changed file lies in a scratch folder that is searched first; its object is linked before the
library, whose member is then left out.
"""
import json
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
import os

ROOT = pathlib.Path(__file__).resolve().parents[3]
BUILD = ROOT / os.environ.get("MUTANTS_BUILD", "build/debug")
TIMEOUT_S = 120
SYNC = "__syncthreads();"
A, M = "kernels/attention/attention_", "kernels/matmul/matmul_"
ROWS = (
    ("attention", A + "decode.cu", "cp_async_wait<2 * part::STAGES - 2>();", "", 1),
    ("attention", A + "decode.cu", SYNC + "\n        add_tile(", "add_tile(", 1),
    ("attention", A + "decode.cu", "unit.item.part_count - 1;", "unit.item.part_count;", 1),
    ("attention", A + "prefill.cu", "cp_async_wait<2 * part::STAGES - 2>();", "", 2),
    ("attention", A + "prefill.cu", SYNC + "\n        loader.load_values", "loader.load_values", 1),
    ("attention", A + "prefill_wgmma.cu", "wgmma_wait<1>();", "", 1),
    ("attention", A + "prefill_wgmma.cu", "barrier_wait(&shared->keys_empty[stage], place.parity);",
     "", 1),
    ("attention", A + "prefill_wgmma.cu", "clear_outside(shared->values[stage], keys, token);", "",
     1),
    ("attention", A + "prefill_wgmma.cu", "HALF_BYTES, 1024, 128)", "1024, 1024, 128)", 1),
    ("matmul_gpu", M + "mma.cu", "cp_async_wait<S::STAGES - 2>();", "", 1),
    ("matmul_gpu", M + "mma.cu", "cp_async_wait<S::STAGES - 2>();\n        " + SYNC,
     "cp_async_wait<S::STAGES - 2>();", 1),
    ("matmul_gpu", M + "mma.cu", "(piece ^ row % 8) * 16", "piece * 16", 1),
    ("matmul_gpu", M + "mma.cu", "*ticket != args.splits - 1", "*ticket != 0", 1),
    ("matmul_wgmma", M + "wgmma.cu", "barrier_wait(ring.full + ring.stage, ring.parity);", "", 1),
    ("matmul_wgmma", M + "wgmma.cu", "        wgmma_wait<1>();\n        if (chunk",
     "        if (chunk", 1),
    ("matmul_wgmma", M + "wgmma.cu", "MATMUL_CHUNK, 2, 128)", "MATMUL_CHUNK, 2, 64)", 1),
    ("matmul_wgmma", M + "wgmma.cu", "smaller(out_count - column, 4)", "4", 1),
    ("sample", "kernels/sample/sample_scan.cu", "shared->values[warp] = own;\n    " + SYNC,
     "shared->values[warp] = own;", 1),
    ("rms_norm", "kernels/rms_norm/rms_norm.cu", SYNC, "", 1),
    ("pages", "kernels/pages/pages.cu", "if (first + i * THREADS < count)",
     "if (first + i * THREADS <= count)", 2),
)


def mutated(row):
    """The file's text with the row's change, or None when the row no longer fits."""
    _, file, old, new, occurrence = row
    pieces = (ROOT / file).read_text().split(old)
    if len(pieces) <= occurrence:
        return None
    return old.join(pieces[:occurrence]) + new + old.join(pieces[occurrence:])


def compile_command(file, scratch):
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        if entry["file"] == str(ROOT / file):
            words = shlex.split(entry["command"])
            words[words.index("-o") + 1] = f"{scratch}/mutant.o"
            words[words.index(entry["file"])] = f"{scratch}/{file}"
            return [words[0], f"-I{scratch}"] + words[1:] + ["-w"]
    raise SystemExit(f"{file} is not in {BUILD}/compile_commands.json")


def fails(test, scratch):
    """Stops at the first check that does not hold."""
    objects = sorted((BUILD / f"tests/CMakeFiles/test_gpu_{test}.dir/kernels/gpu").glob("*.o"))
    libraries = [f"{BUILD}/lib{name}.a" for name in ("kernels_gpu", "kernels", "base")]
    subprocess.run(["g++", *map(str, objects), f"{scratch}/mutant.o", *libraries, "-lm", "-lpthread",
                    "-o", f"{scratch}/test"], check=True)
    with subprocess.Popen([f"{scratch}/test"], cwd=ROOT, text=True, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE) as process:
        for line in process.stderr:
            if re.match(r"\S+:\d+: ", line) or "GPU reported an error" in line:
                process.kill()
                return True
        return process.wait(TIMEOUT_S) != 0


def run(row):
    test, file, old = row[:3]
    name = f"{file}: {' '.join(old.split())}"
    text = mutated(row)
    if text is None:
        return False, f"{name}: no longer there, mend the table"
    with tempfile.TemporaryDirectory() as scratch:
        path = pathlib.Path(scratch) / file
        path.parent.mkdir(parents=True)
        path.write_text(text)
        subprocess.run(compile_command(file, scratch), cwd=BUILD, check=True)
        found = fails(test, scratch)
    return found, f"{name}: {'found' if found else 'NOT FOUND by test_gpu_' + test}"


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    rows = [row for row in ROWS if pattern in row[1] or pattern in row[2]]
    tests = sorted({f"test_gpu_{row[0]}" for row in rows})
    subprocess.run(["ninja", "-C", str(BUILD), "--quiet", *tests], check=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, rows))
    for _, text in results:
        print(text)
    missed = sum(not found for found, _ in results)
    print(f"mutants: {len(rows)} of kernels, {missed} not found")
    return missed > 0 or not rows


sys.exit(main())
