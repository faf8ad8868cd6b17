# SPDX-License-Identifier: MIT
"""The rules of the documents, for scripts/tidy.py: the code map and the links."""

import os
import re

# Files of Sources that the code map names.
MAPPED = (".swift", ".c", ".h", ".js", ".css", ".html")


def check_code_map(root, sources, report):
    """ARCHITECTURE.md names each file of Sources once, and no other."""
    path = "ARCHITECTURE.md"
    with open(os.path.join(root, path), encoding="utf-8") as file:
        lines = file.read().splitlines()
    named = {}
    module = ""
    for number, line in enumerate(lines, 1):
        heading = re.match(r"### `(\w+)`", line)
        if heading:
            module = heading.group(1)
        elif line.startswith("## "):
            module = ""
        row = re.match(r"\| (`[^|]*`) \|", line)
        if module and row:
            for name in re.findall(r"`([^`]+)`", row.group(1)):
                name = f"Sources/{module}/{name}"
                if name in named:
                    report(path, number, f"names {name} again, as line {named[name]} does, "
                           "keep the one that fits")
                named[name] = number
    existing = {name for name in sources if name.endswith(MAPPED)}
    for name in sorted(existing - named.keys()):
        report(name, 1, f"not in the code map, add it to {path}")
    for name in sorted(named.keys() - existing):
        report(path, named[name], f"names {name}, which does not exist, correct the code map")


def check_links(root, path, lines, report):
    """Relative links of documents lead somewhere."""
    for number, line in enumerate(lines, 1):
        for target in re.findall(r"\]\(([^)#\s]+)", line):
            if "://" in target or target.startswith("mailto:"):
                continue
            if not os.path.exists(os.path.join(root, os.path.dirname(path), target)):
                report(path, number, f"the link to {target} leads nowhere, correct it")
