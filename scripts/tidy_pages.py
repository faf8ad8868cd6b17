# SPDX-License-Identifier: MIT
"""The rules of the web pages, for scripts/tidy.py: what their modules may say, and their words."""

import os
import re

FOLDER = "Sources/WebUI"
WORDS = f"{FOLDER}/zh.js"
TEXT = r'"((?:[^"\\]|\\.)*)"'
USED = re.compile(r"\bt\(\s*(?:" + TEXT + r")?")
WORD = re.compile(r"^  " + TEXT + r":", re.MULTILINE)
# Sentences of the management API are translated as a whole, so no page names them.
SENTENCES = "// Sentences of the management API"
FORBIDDEN = {
    r"\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write": "markup from text, use h()",
    r"\beval\(|new Function\(": "code from text, write it out",
    r"setAttribute\(\"style|style=\"": "an inline style, which the policy refuses: use a class",
    r"https?://(?!www\.w3\.org/)[\w.]*[\w]\.\w{2,}": "another host, pages must work without",
    r"^ *console\.log": "left over from looking for a fault, remove it",
}


def check_page(path, lines, report):
    """One module, style or page."""
    for number, line in enumerate(lines, 1):
        # Addresses may be shown to people: in the words of a snippet, which say so.
        for pattern, advice in FORBIDDEN.items():
            if re.search(pattern, line) and "// shown" not in line:
                report(path, number, advice)
    if path.endswith(".js") and lines[:1] != ["// SPDX-License-Identifier: MIT"]:
        report(path, 1, "no licence line, begin the file with: // SPDX-License-Identifier: MIT")


def check_words(root, report):
    """Every text of the pages stands in zh.js once, and nothing else does."""
    with open(os.path.join(root, WORDS), encoding="utf-8") as file:
        listed = file.read()
    chinese = WORD.findall(listed)
    own = set(WORD.findall(listed.partition(SENTENCES)[0]))
    for text in sorted({text for text in chinese if chinese.count(text) > 1}):
        report(WORDS, 1, f"“{text}” stands twice, remove one")
    used = set()
    for name in sorted(os.listdir(os.path.join(root, FOLDER))):
        path = f"{FOLDER}/{name}"
        if not name.endswith(".js") or path == WORDS:
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            source = file.read()
        for match in USED.finditer(source):
            text = match.group(1)
            if text is not None:
                used.add(text)
                if text not in chinese:
                    line = source.count("\n", 0, match.start()) + 1
                    report(path, line, f"“{text}” has no Chinese, add it to {WORDS}")
    for text in sorted(own - used):
        report(WORDS, 1, f"“{text}” is said nowhere, remove it")
