#!/usr/bin/env python3
"""Checks the rules of the tree that a compiler does not: layers, sizes, banned calls, READMEs.

Usage: tidy.py [FILE...]    without files: everything git knows of. Exit 1 when a rule is broken.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINE_MAX, FUNCTION_MAX, CUDA_FUNCTION_MAX = 100, 70, 150
FILE_MAX, HEADER_MAX, README_MAX, FOLDER_MAX = 800, 150, 40, 20
BANNED = {
    "strcpy": "memcpy with a length", "strcat": "snprintf", "sprintf": "snprintf",
    "vsprintf": "vsnprintf", "gets": "fgets", "strtok": "a loop with lengths",
    "atoi": "strtol with checks", "atol": "strtol with checks", "atof": "strtod with checks",
    "alloca": "the arena", "system": "posix_spawn", "popen": "posix_spawn", "rand": "base/random.h",
    "strncpy": "memcpy with a length", "strncat": "snprintf", "sscanf": "strtol or strtod",
}
# Who may ask for the environment, and who may use the heap in folders that must not.
GETENV = {"server/config.c", "server/state_directory.c"}
NO_HEAP = {"scheduler": set(), "kernels": {"kernels/workers.c", "kernels/measure.c"}}
UNFINISHED = re.compile(r"\b(FIX" r"ME|TO" r"DO|XX" r"X|HA" r"CK)\b")
CODE = {".c", ".h", ".cu", ".cuh", ".def", ".py", ".sh"}


def layers():
    """folder -> what it may include: folders, or single headers."""
    table = {}
    for line in (ROOT / "tests/tidy/layers.txt").read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            table[words[0]] = set(words)
    return table


def include_errors(path, lines, table):
    allowed = table.get(path.parts[0])
    for number, line in enumerate(lines, 1):
        match = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if match and allowed is not None:
            target = match.group(1)
            if target.split("/")[0] not in allowed and target not in allowed:
                yield number, f"{path.parts[0]}/ may not include {target} (tests/tidy/layers.txt)"


def function_errors(path, lines):
    """A function's body opens with `{` in column 0 and closes with `}` in column 0."""
    limit = CUDA_FUNCTION_MAX if path.suffix == ".cu" else FUNCTION_MAX
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start:
            if number - start - 1 > limit:
                yield start, f"function of {number - start - 1} lines, at most {limit}"
            start = None


def call_errors(path, lines):
    for number, line in enumerate(lines, 1):
        code = re.sub(r'"(\\.|[^"\\])*"', '""', line).split("//")[0]
        for call in re.findall(r"(?<![\w.>])(\w+)\s*\(", code):
            if call in BANNED:
                yield number, f"{call}() is banned: use {BANNED[call]}"
            if call in ("getenv", "secure_getenv") and str(path) not in GETENV \
                    and path.parts[0] != "tests":
                yield number, "getenv() belongs into server/config.c"
            exempt = NO_HEAP.get(path.parts[0])
            if call in ("malloc", "calloc", "realloc", "aligned_alloc") and exempt is not None \
                    and str(path) not in exempt:
                yield number, f"{path.parts[0]}/ takes its memory from the caller, not {call}()"


def file_errors(path, table):
    lines = (ROOT / path).read_text(errors="replace").splitlines()
    limit = HEADER_MAX if path.suffix == ".h" else FILE_MAX
    if len(lines) > limit:
        yield 1, f"{len(lines)} lines, at most {limit}"
    for number, line in enumerate(lines, 1):
        if path.suffix not in (".py", ".sh") and len(line) > LINE_MAX:
            yield number, f"{len(line)} columns, at most {LINE_MAX}"
        if UNFINISHED.search(line):
            yield number, "unfinished work: finish it or file an issue"
    if path.suffix in (".c", ".h", ".cu", ".cuh"):
        yield from include_errors(path, lines, table)
        yield from function_errors(path, lines)
        yield from call_errors(path, lines)


def folder_errors(files, table):
    modules = {}  # a module is a .c with its .h: one name, counted once
    for path in files:
        if path.suffix in CODE:
            modules.setdefault(path.parent, set()).add(path.stem)
    for folder in table:
        if not (ROOT / folder / "README.md").exists() and (ROOT / folder).exists():
            yield folder, "has no README.md with its rules"
    for folder, names in modules.items():
        if len(names) > FOLDER_MAX and folder.parts and folder.parts[0] in table:
            yield folder, f"{len(names)} modules, at most {FOLDER_MAX}: split the folder"
    for path in files:
        if path.name == "README.md" and len(path.parts) > 1:
            count = len((ROOT / path).read_text().splitlines())
            if count > README_MAX:
                yield path, f"{count} lines, at most {README_MAX}"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT,
                            capture_output=True, text=True, check=True).stdout.split("\n")
    files = [pathlib.Path(name) for name in listed if name and (ROOT / name).is_file()]
    chosen = [pathlib.Path(name).resolve().relative_to(ROOT) for name in sys.argv[1:]] or files
    table, broken = layers(), 0
    for path in chosen:
        if path.suffix in CODE:
            for number, text in file_errors(path, table):
                print(f"{path}:{number}: {text}")
                broken += 1
    for place, text in folder_errors(files, table):
        print(f"{place}: {text}")
        broken += 1
    print(f"tidy: {len(chosen)} files, {broken} problems")
    return broken > 0


sys.exit(main())
