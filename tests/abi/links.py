"""usage: links.py PREFIX

Follows every relative link of the Markdown pages that were installed under the prefix: it leads to a file, and to one
of the same package, as another may not be there. The pages of a package are share/doc/<package>/, and its other files
share/<package>/.
"""

import re
import sys
from pathlib import Path

LINK = re.compile(r"\]\(([^()\s#]+)(?:#[^()\s]*)?\)")


def main(prefix):
    share = Path(prefix).resolve() / "share"
    followed = 0
    wrong = []
    for page in sorted(share.glob("doc/*/**/*.md")):
        package = page.relative_to(share / "doc").parts[0]
        for target in LINK.findall(page.read_text(encoding="utf-8")):
            if re.match(r"[a-z]+:", target):
                continue
            followed += 1
            file = (page.parent / target).resolve()
            if not file.exists():
                wrong.append(f"{page}: {target} is dead")
            elif not any(at in file.parents for at in (share / "doc" / package, share / package)):
                wrong.append(f"{page}: {target} leads out of its package")
    if followed < 20:
        wrong.append(f"only {followed} links were found under {share}")
    print("\n".join(wrong) or f"{followed} links")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
