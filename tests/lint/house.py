"""The house rules that a program can check.

    house.py [ROOT]

Reads the includes and the folders of a source tree, prints one line a finding, as a compiler would,
and exits 1 if there is one. house_test.py proves for each rule that it can fail.
"""

import os
import re
import sys
from pathlib import Path

# core/'s rooms; each may include itself and those before it.
ROOMS = [
    "base",
    "config",
    "observe",
    "postgres",
    "replication",
    "outbox",
    "sinks",
    "delivery",
    "daemon",
    "cli",
]

# Libraries that stay in one place: what an include starts with, and the folders that may have it.
KEPT = {
    "libpq-fe.h": ["core/postgres", "tests/bench"],
    "libpq/": ["core/postgres", "tests/bench"],
    "yaml-cpp/": ["core/config", "core/cli", "tests"],
    "boost/dll": ["core/sinks", "tests"],
    "pgat/": ["core/sinks", "plugin-api", "plugins", "tests"],
}

SOURCES = {".c", ".cpp", ".h", ".hpp"}
FOLDERS = ["core", "plugin-api", "plugins", "sql", "tests", "packaging", "docs", ".ci"]
DRAWERS = re.compile(r"^(utils?|common|helpers?|misc|managers?|impl)$")
MANY_FILES = 3
# Folders of inputs, and of headers that are installed as they stand, hold nothing else.
NO_README = {"corpus", "include"}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def inside(path, folder):
    return path == folder or path.startswith(folder + "/")


def folders(root):
    """(folder, its files) for every folder that people work in, as paths from the root."""
    for top in FOLDERS:
        for here, below, files in os.walk(root / top):
            below[:] = sorted(name for name in below if name not in ("__pycache__", "build"))
            yield Path(here).relative_to(root).as_posix(), sorted(files)


def include_findings(path, target):
    """What is wrong with `path` including `target`."""
    parts = path.split("/")
    first = target.split("/")[0]
    room = parts[1] if parts[0] == "core" and len(parts) > 2 else None

    if ".." in target.split("/"):
        yield f'includes "{target}": name the file from the root of its library, without ..'
    if room in ROOMS and "/" in target and first in ROOMS:
        if ROOMS.index(first) > ROOMS.index(room):
            yield f'core/{room} includes "{target}": a room includes only itself and rooms above it'
    if parts[0] == "core" and "/" not in target and target.endswith(".hpp"):
        yield f'includes "{target}": write "{room}/{target}"'
    if parts[0] in ("plugin-api", "plugins") and (first in ROOMS or first == "core"):
        yield f'{parts[0]} includes "{target}": a sink is built from plugin-api alone'
    for prefix, places in KEPT.items():
        if target.startswith(prefix) and not any(inside(path, place) for place in places):
            yield f"includes <{target}>: only {', '.join(places)} may"


def file_findings(root, path):
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            for message in include_findings(path, found.group(1)):
                yield f"{path}:{number}: {message}"
    if path.endswith((".h", ".hpp")) and not re.search(r"^#pragma once$", text, re.MULTILINE):
        # The C headers that plugins compile, and the released copies of them, are for any compiler.
        guarded = re.search(r"^#ifndef (\w+)\n#define \1$", text, re.MULTILINE)
        if not (guarded and path.endswith(".h") and not inside(path, "core")):
            yield f"{path}:1: no #pragma once"


def folder_findings(folder, files):
    parts = folder.split("/")
    if parts[0] == "core" and len(parts) == 2 and parts[1] not in ROOMS:
        yield f"{folder}:1: not a room: add it to tests/lint/house.py in its place, or move it"
    if DRAWERS.match(parts[-1]):
        yield f"{folder}:1: a drawer: name the idea that the folder holds"
    if len(files) > MANY_FILES and "README.md" not in files and not NO_README & set(parts):
        yield f"{folder}:1: {len(files)} files and no README.md that says what belongs here"
    for name in files:
        if Path(name).suffix in SOURCES and DRAWERS.match(Path(name).stem):
            yield f"{folder}/{name}:1: a drawer: name the idea that the file holds"


def findings(root):
    for folder, files in folders(root):
        yield from folder_findings(folder, files)
        for name in files:
            if Path(name).suffix in SOURCES:
                yield from file_findings(root, f"{folder}/{name}")


def main(arguments):
    root = Path(arguments[0] if arguments else ".").resolve()
    if not (root / "core").is_dir():
        print(f"{root} has no core/: nothing was checked", file=sys.stderr)
        return 2
    found = list(findings(root))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
