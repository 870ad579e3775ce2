"""usage: abidiff.py <C compiler> <sink.h> <folder of recorded ABIs> [--record]

Compares the interface with the ABI recorded for each version (<major.minor>.abi), by libabigail and without
suppressions: of the same version nothing may differ, since older ones only members at the ends of structs. What
abidiff finds is told apart by its report, as its exit status is the same for an appended member and an inserted one.
First the check itself is tried: on headers with changes of each kind it must say of which they are.
"""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "cross"))
from next_header import next_minor  # noqa: E402

SAME, APPENDED, BROKEN = "the same", "appended to", "broken"


def built(compiler, header_text, folder):
    (folder / "pgat").mkdir(parents=True)
    (folder / "pgat" / "sink.h").write_text(header_text)
    library = folder / "surface.so"
    command = [compiler, "-g", "-shared", "-fPIC", "-I", folder, "surface.c", "-o", library]
    subprocess.run(command, cwd=HERE, check=True)  # what is recorded names no folder of this machine
    return library


def record(library):
    options = "--no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names".split()
    return subprocess.run(["abidw", *options, library], check=True, capture_output=True, text=True).stdout


def classify(recorded, library):
    """What became of the ABI, and the report."""
    done = subprocess.run(["abidiff", "--leaf-changes-only", recorded, library], capture_output=True, text=True)
    if done.returncode & 3:
        raise SystemExit(f"abidiff failed: {done.stdout}{done.stderr}")
    if done.returncode == 0:
        return SAME, done.stdout
    result, size = APPENDED, 0
    for line in done.stdout.splitlines():
        if re.fullmatch(r"(Leaf changes|Changed leaf types) summary: .*|'struct \w+' changed:|\s*", line):
            continue
        if re.fullmatch(r"Removed/Changed/Added \w+ summary: 0 Removed, 0 Changed, 0 Added \w+", line):
            continue
        if grown := re.fullmatch(r"  type size changed from (\d+) to \d+ \(in bits\)", line):
            size = int(grown[1])
        elif re.fullmatch(r"  \d+ data member insertions?:", line):
            continue
        elif member := re.fullmatch(r"    '.*', at offset (\d+) \(in bits\).*", line):
            if int(member[1]) < size:
                result = BROKEN
        else:
            result = BROKEN
    return result, done.stdout


def changed(text, pattern, replacement):
    text, count = re.subn(pattern, replacement, text)
    assert count == 1, f"sink.h has {pattern!r} {count} times"
    return text


def examples(text):
    """Headers that differ from `text`, and what is to be said of each."""
    without_sizes = re.sub(r"PGAT_ASSERT\(sizeof\(pgat_(event|outcome)\)[^;]*;", "", text)
    yield "nothing changed", text, SAME
    yield "a comment changed", changed(text, r"/\* ordering key;", "/* the key;"), SAME
    yield "a member appended to each struct", next_minor(text), APPENDED
    yield "a member inserted", changed(without_sizes, r"(    pgat_str key;)", r"    pgat_str made_up;\n\1"), BROKEN
    yield "a member taken away", changed(without_sizes, r"    uint64_t xid;", ""), BROKEN
    yield "two members exchanged", changed(text, r"(uint64_t xid;[^\n]*\n)(\s+uint64_t commit_lsn;[^\n]*\n)", r"\2\1"), BROKEN
    yield "a member of another type", changed(text, r"uint32_t attempt;", "int32_t attempt;"), BROKEN
    yield "a function with another parameter", changed(
        text, r"\(\*counter_add\)\(const pgat_host \*, uint32_t", "(*counter_add)(const pgat_host *, uint64_t"
    ), BROKEN
    yield "one appended and one inserted", changed(next_minor(without_sizes + SIZES), r"(    pgat_str key;)", r"    pgat_str made_up_too;\n\1"), BROKEN


# What next_minor() replaces, for a header whose own assertions would meet the change first.
SIZES = "\nPGAT_ASSERT(sizeof(pgat_event) == 1);\nPGAT_ASSERT(sizeof(pgat_outcome) == 1);\n"


def main():
    compiler, header, recorded = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if shutil.which("abidiff") is None:
        print("abidiff is not installed (apt: abigail-tools)")
        return 77
    text = header.read_text()
    version = ".".join(re.search(rf"#define PGAT_ABI_{part} (\d+)u", text)[1] for part in ("MAJOR", "MINOR"))
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        current = built(compiler, text, folder / "current")
        if "--record" in sys.argv:
            (recorded / f"{version}.abi").write_text(record(current))
            return 0

        failed = False
        reference = folder / "reference.abi"
        reference.write_text(record(current))
        for i, (what, example, expected) in enumerate(examples(text)):
            found, report = classify(reference, built(compiler, example, folder / str(i)))
            if found != expected:
                print(f"FAIL: {what}: found {found}, not {expected}\n{report}")
                failed = True

        files = sorted(recorded.glob("*.abi"))
        if version not in [file.stem for file in files]:
            print(f"FAIL: the ABI of {version} is not recorded: run abidiff.py with --record")
            failed = True
        for file in files:
            found, report = classify(file, current)
            if found not in ((SAME,) if file.stem == version else (SAME, APPENDED)):
                print(f"FAIL: ABI {file.stem} is {found} in sink.h\n{report}")
                failed = True
        return int(failed)


if __name__ == "__main__":
    sys.exit(main())
