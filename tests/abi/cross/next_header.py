"""usage: next_header.py <sink.h> <output>

Makes up the next minor version of sink.h as the rules of growth have it: a member appended to every struct."""
import pathlib
import re
import sys

APPENDED = {
    "pgat_event": "uint64_t made_up;",
    "pgat_batch": "uint64_t made_up;",
    "pgat_outcome": "uint64_t made_up;",
    "pgat_host": "uint64_t (*made_up)(const pgat_host *);",
    "pgat_sink_plugin": "pgat_status (*made_up)(pgat_sink *, uint64_t);",
}


def once(pattern, replacement, text):
    text, count = re.subn(pattern, replacement, text, flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"next_header.py: sink.h has {pattern!r} {count} times")
    return text


def next_minor(text):
    minor = int(re.search(r"#define PGAT_ABI_MINOR (\d+)u", text).group(1))
    text = once(r"#define PGAT_ABI_MINOR \d+u", f"#define PGAT_ABI_MINOR {minor + 1}u", text)
    text += "\n#define PGAT_MADE_UP 1\n"
    for struct, member in APPENDED.items():
        text = once(rf"(struct {struct} {{.*?)\n}}", rf"\1\n    {member}\n}}", text)
        text = once(
            rf"PGAT_ASSERT\(sizeof\({struct}\) == [^;]*;",
            f"PGAT_ASSERT(sizeof({struct}) == offsetof({struct}, made_up) + 8);",
            text,
        )
    return text


if __name__ == "__main__":
    source, output = map(pathlib.Path, sys.argv[1:])
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(next_minor(source.read_text()))
