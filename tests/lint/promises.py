"""Every test that tests/README.md names for a promise exists, and every promise names one.

    promises.py [ROOT]
"""

import re
import sys
from pathlib import Path

TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")
HEADING = "## What is promised, and what holds it"


def promises(readme):
    """(line number, promise, names of its tests) for each line of the tables."""
    lines = readme.splitlines()
    if HEADING not in lines:
        return
    for number, line in enumerate(lines[lines.index(HEADING) :], lines.index(HEADING) + 1):
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if len(cells) == 2 and cells[1] not in ("test", "---"):
            yield number, cells[0], re.findall(r"`([^`]*)`", cells[1])


def main(arguments):
    root = Path(arguments[0] if arguments else ".")
    tests = set()
    for path in root.glob("tests/**/*_test.cpp"):
        tests |= {".".join(name) for name in TEST.findall(path.read_text(encoding="utf-8"))}
    found = list(promises((root / "tests/README.md").read_text(encoding="utf-8")))
    if not tests or not found:
        print(f"{root}: nothing was checked", file=sys.stderr)
        return 2
    findings = [
        f"tests/README.md:{number}: no test holds: {promise}"
        for number, promise, names in found
        if not names
    ] + [
        f"tests/README.md:{number}: there is no test {name}"
        for number, _, names in found
        for name in names
        if name not in tests
    ]
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
