"""No fault point in what ships.

    fault_points.py ROOT BINARY…

Reads the names that core/ gives to fault_point(), and exits 1 if one of them, or the variable that chooses
one, stands in a binary that was compiled without PGAT_FAULT_POINTS; or if the release preset, or those made
from it, would compile them in; or if a call's name is no plain literal, so that none of this could tell.
"""

import json
import re
import sys
from pathlib import Path

CALL = re.compile(r"\bfault_point\(([^)]*)\)")
VARIABLE = "PGAT_FAULT_POINT"
SHIPPED = ["release", "bench"]


def names_and_findings(root):
    names, findings = set(), []
    for path in sorted((root / "core").rglob("*.[ch]pp")):
        if path.stem == "fault_point":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for argument in CALL.findall(line):
                if re.fullmatch(r'"[a-z_]+"', argument):
                    names.add(argument.strip('"'))
                else:
                    findings.append(f"{path}:{number}: fault_point wants a literal name: {argument}")
    return names, findings


def compiled_in(presets, name):
    """Whether a configure preset, with what it inherits, turns the points on."""
    preset = presets[name]
    value = preset.get("cacheVariables", {}).get("PGAT_FAULT_POINTS")
    if value is not None:
        return value != "OFF"
    parents = preset.get("inherits", [])
    return any(compiled_in(presets, parent) for parent in ([parents] if isinstance(parents, str) else parents))


def main(arguments):
    root = Path(arguments[0])
    names, findings = names_and_findings(root)
    if not names or len(arguments) < 2:
        print("nothing was checked", file=sys.stderr)
        return 2
    with open(root / "CMakePresets.json", encoding="utf-8") as file:
        presets = {preset["name"]: preset for preset in json.load(file)["configurePresets"]}
    for name in SHIPPED:
        if compiled_in(presets, name):
            findings.append(f"CMakePresets.json: preset {name} turns PGAT_FAULT_POINTS on")
    for binary in arguments[1:]:
        content = Path(binary).read_bytes()
        # As a string of its own: some names are also part of a column's, a log line's or a symbol's.
        for name in sorted(names | {VARIABLE}):
            if b"\0" + name.encode() + b"\0" in b"\0" + content:
                findings.append(f"{binary}: holds the fault point {name}")
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
