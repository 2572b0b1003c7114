#!/usr/bin/env python3
"""Gates what ptxas says of every kernel: no spills, no stack frame, registers within a limit.

Usage: ptxas.py BUILD_FOLDER [-v]    reads the *.ptxas files that nvcc_log.sh left beside objects
"""
import pathlib
import re
import subprocess
import sys

# 65,536 registers a multiprocessor: 128 let 4 blocks of 128 threads run, or one of 512.
REGISTERS_MAX = 128
# kernel (a regular expression over the readable name) -> registers it may use, and why
ALLOWED = (
    (r"^attention_prefill", 255, "one block holds the sums of a tile of queries"),
    (r"^attention_decode", 168, "the sums of 16 heads; few warps with many loads under way"),
    (r"^matmul_mma", 255, "8 and 12 blocks of tokens: 2 blocks of 128 threads still fit"),
    (r"^matmul_wgmma", 168, "3 warpgroups; two raise theirs by registers_raise"),
)


def kernels(text):
    """Yields (architecture, mangled name, stack, spilled, registers) of a log."""
    entry = stack = spilled = None
    for line in text.splitlines():
        match = re.search(r"Compiling entry function '(\S+)' for '(\S+)'", line)
        if match:
            entry, stack, spilled = match.groups(), 0, 0
        match = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes", line)
        if match:
            stack, spilled = int(match[1]), int(match[2]) + int(match[3])
        match = re.search(r"Used (\d+) registers", line)
        if match and entry:
            yield entry[1], entry[0], stack, spilled, int(match[1])
            entry = None


def readable(names):
    out = subprocess.run(["c++filt", "-p"], input="\n".join(names), text=True,
                         capture_output=True, check=True).stdout.split("\n")
    return [name.replace("(anonymous namespace)::", "") for name in out[:len(names)]]


def limit_of(name):
    for pattern, registers, _ in ALLOWED:
        if re.search(pattern, name):
            return registers
    return REGISTERS_MAX


def main():
    folder, verbose = pathlib.Path(sys.argv[1]), "-v" in sys.argv[2:]
    objects = list(folder.glob("CMakeFiles/kernels_gpu.dir/**/*.cu.o"))
    missing = [path for path in objects if not path.with_name(path.name + ".ptxas").exists()]
    found = [kernel for path in objects if path not in missing
             for kernel in kernels(path.with_name(path.name + ".ptxas").read_text())]
    names = readable([kernel[1] for kernel in found])
    broken = len(missing)
    for path in missing:
        print(f"{path}: no log: remove the folder, so that it is built again")
    for (architecture, _, stack, spilled, registers), name in sorted(
            zip(found, names), key=lambda row: (row[1], row[0])):
        faults = [text for text, is_bad in (
            (f"a stack frame of {stack} bytes", stack), (f"spills {spilled} bytes", spilled),
            (f"{registers} registers, at most {limit_of(name)}", registers > limit_of(name)))
            if is_bad]
        if faults:
            print(f"{architecture} {name}: {', '.join(faults)}")
            broken += 1
        elif verbose:
            print(f"{architecture} {registers:3} {name}")
    print(f"ptxas: {len(objects)} files, {len(found)} kernels, {broken} problems")
    return broken > 0 or not found


sys.exit(main())
