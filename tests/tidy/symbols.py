#!/usr/bin/env python3
"""No two of our libraries define a function or variable of one name: a linker takes the first, silently.

Usage: symbols.py BUILD    needs nm; BUILD holds lib*.a. Exit 1 when a name stands twice.
"""
import collections
import pathlib
import subprocess
import sys



def names(library):
    listed = subprocess.run(["nm", "--defined-only", "--extern-only", "--format=posix", library],
                            capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        words = line.split()
        if len(words) >= 3 and words[1] in "TDBR":
            yield words[0]


def main():
    homes = collections.defaultdict(set)
    libraries = sorted(pathlib.Path(sys.argv[1]).glob("lib*.a"))
    for library in libraries:
        for name in names(library):
            homes[name].add(library.stem.removeprefix("lib"))
    twice = {name: home for name, home in homes.items() if len(home) > 1}
    for name, home in sorted(twice.items()):
        print(f"{name} is defined in {', '.join(sorted(home))}: rename one")
    print(f"symbols: {len(libraries)} libraries, {len(twice)} names twice")
    return 1 if twice or not libraries else 0


sys.exit(main())
