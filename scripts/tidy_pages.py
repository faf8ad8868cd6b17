# SPDX-License-Identifier: MIT
"""The rules of the web pages, for scripts/tidy.py: what their modules may say, and their words."""

import os
import re

import tidy_sentences

FOLDER = "Sources/WebUI"
WORDS = f"{FOLDER}/zh.js"
TEXT = r'"((?:[^"\\]|\\.)*)"'
USED = re.compile(r"\b(?:t|counted)\(\s*(?:" + TEXT + r")?")
WORD = re.compile(r"^  " + TEXT + r":", re.MULTILINE)
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
    own = set()
    for path in (WORDS, tidy_sentences.WORDS):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            texts = WORD.findall(file.read())
        for text in sorted({text for text in texts if texts.count(text) > 1}):
            report(path, 1, f"“{text}” stands twice, remove one")
        own = own or set(texts)
    used = set()
    for name in sorted(os.listdir(os.path.join(root, FOLDER))):
        path = f"{FOLDER}/{name}"
        if not name.endswith(".js") or path in (WORDS, tidy_sentences.WORDS):
            continue
        with open(os.path.join(root, path), encoding="utf-8") as file:
            source = file.read()
        for match in USED.finditer(source):
            text = match.group(1)
            if text is not None:
                used.add(text)
                if text not in own:
                    line = source.count("\n", 0, match.start()) + 1
                    report(path, line, f"“{text}” has no Chinese, add it to {WORDS}")
    for text in sorted(own - used):
        report(WORDS, 1, f"“{text}” is said nowhere, remove it")
