"""Checks that every C and C++ file stands as clang-format 14 would write it.

    format.py ROOT [--fix]

Exits 77, which ctest shows as skipped, where clang-format 14 is not installed: other versions differ.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from house import SOURCES, folders

SKIPPED = 77


def released(path):
    """Headers of earlier releases are kept byte for byte."""
    parts = path.split("/")
    return parts[:2] == ["tests", "abi"] and parts[2:3] and parts[2][0].isdigit()


def main(arguments):
    root = Path(arguments[0]).resolve()
    tool = shutil.which("clang-format-14")
    if not tool:
        print("skipped: clang-format-14 is not installed")
        return SKIPPED
    files = [
        f"{folder}/{name}"
        for folder, names in folders(root)
        for name in names
        if Path(name).suffix in SOURCES and not released(f"{folder}/{name}")
    ]
    if not files:
        print(f"{root} has no C or C++ files: nothing was checked", file=sys.stderr)
        return 2
    how = ["-i"] if "--fix" in arguments else ["--dry-run", "--Werror"]
    status = subprocess.run([tool, *how, *files], cwd=root, check=False).returncode
    if status:
        print("mend it with: python3 tests/lint/format.py . --fix", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
