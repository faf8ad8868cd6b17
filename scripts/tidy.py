#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the rules that no compiler knows: layers, lengths, licences, the code map.

usage: scripts/tidy.py

Prints one line per finding, FILE:LINE: what, what to do; fails when there is any.
"""

import ast
import os
import re
import subprocess
import sys

import tidy_documents
import tidy_pages
import tidy_sentences

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOP_FILES = ["Makefile", "Package.swift"]
TOP_FOLDERS = [".ci", "Sources", "Tests", "board-configs", "cross", "docs", "scripts"]
SKIPPED_FOLDERS = {"__pycache__", ".pytest_cache"}

LINE_COLUMNS = 100
FILE_LINES = 300
TABLE_LINES = 1000
FUNCTION_LINES = 60

SOURCES = (".swift", ".c", ".h", ".py", ".sh", ".js", ".css")
# Files that may have TABLE_LINES lines, because a table reads best in one piece.
TABLES = {
    tidy_pages.WORDS: "the pages' words in Chinese",
    tidy_sentences.WORDS: "the management API's sentences in Chinese",
    f"{tidy_pages.FOLDER}/style.css": "one style sheet, so that the first page costs one request",
}

# Module: the Swift modules it may import, and which of its files may import a C module.
LAYERS = {
    "Platform": ([], {"CPlatform": r".*", "CMbedTLS": r"Digest[^/]*"}),
    "MiniJSON": (["Platform"], {"CPlatform": r".*"}),
    "MiniHTTP": (["Platform"], {"CPlatform": r".*", "CMbedTLS": r"Net/TLS[^/]*"}),
    "Store": (["Platform"], {"CSQLite": r"(Database|Statement)[^/]*"}),
    "Vendors": (["Platform", "MiniJSON"], {}),
    "TinyGateway": (
        ["Platform", "MiniJSON", "MiniHTTP", "Store", "Vendors"],
        {"CPlatform": r".*", "CDocuments": r"Document"},
    ),
}

# Spelled in parts, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + r"ME)\b")
MACHINE_PATH = re.compile(
    r"(?<![\w.$}])/(?:work|opt/swift|ro" + r"ot|ho" + r"me/\w+|Us" + r"ers/\w+)(?=[/\s\"':]|$)")
ADDRESS = re.compile(r"https?://([^/\s\"'`)>:]+)")
NOT_A_SERVER = re.compile(r"HOST|localhost|127\.[\d.]+|\[?::1?\]?|.*\.(invalid|test|example)")
SQL = re.compile(r"\"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|ALTER)\b [A-Za-z_]")
IMPORT = re.compile(r"^\s*(?:@\w+\s+)*(?:(?:public|package|internal|private)\s+)?import\s+"
                    r"(?:(?:struct|class|enum|func|let|var|protocol|typealias)\s+)?(\w+)")
ACCESS = r"(?:(?:package|private(?:\(set\))?|fileprivate|internal|nonisolated(?:\(unsafe\))?) )*"
DECLARATION = re.compile(r"^( *)(?:@\w+(?:\([^)]*\))? )*" + ACCESS +
                         r"(?:(?:static|final|override|mutating|consuming|borrowing|class|"
                         r"convenience|required) )*"
                         r"(func\b|init\b|deinit\b|subscript\b|var \w+: .*\{$)")
GLOBAL = re.compile(r"^\s*" + ACCESS + r"static var \w+(?:: [^={]+)?\s*(=|$)|^" + ACCESS + r"var ")
PUBLIC = re.compile(r"^\s*(?:@\w+ )*(public|open) ")
PRESUMED = re.compile(r"\b(try!|as!)")

findings: list[tuple[str, int, str]] = []


def report(path: str, line: int, text: str) -> None:
    """Notes one finding."""
    findings.append((path, line, text))


def files_below(folder: str) -> list[str]:
    """The project's own files of a folder, relative to the checkout."""
    found = []
    for directory, folders, names in os.walk(os.path.join(ROOT, folder)):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(names):
            if not name.endswith((".generated.inc", ".pyc", ".profraw", ".part", ".bin", ".png")):
                found.append(os.path.relpath(os.path.join(directory, name), ROOT))
    return found


def check_text(path: str, lines: list[str]) -> None:
    """What holds for every text file of the project."""
    is_build_file = path.startswith(("scripts/", "cross/", ".ci/")) or path in TOP_FILES
    has_columns = path.endswith(SOURCES) and (
        not path.endswith(".swift") or not path.startswith("Tests/"))
    for number, line in enumerate(lines, 1):
        if has_columns and len(line) > LINE_COLUMNS:
            report(path, number, f"{len(line)} columns, break the line at {LINE_COLUMNS}")
        if line != line.rstrip():
            report(path, number, "white space at the end of the line, remove it")
        if UNFINISHED.search(line):
            report(path, number, "a note about unfinished work, do it or open an issue")
        if MACHINE_PATH.search(line):
            report(path, number, "a path of one machine, derive it or let a variable name it")
        if is_build_file or path.endswith("requirements.txt"):
            for host in ADDRESS.findall(line):
                if not NOT_A_SERVER.fullmatch(host):
                    report(path, number, f"names the server {host}, use what the machine has "
                           "configured")


def check_licence(path: str, lines: list[str]) -> None:
    """The first line says the licence; only a tool's own first line may come before it."""
    end = path.rsplit(".", 1)[-1]
    name = os.path.basename(path)
    if end == "swift":
        wanted = "// SPDX-License-Identifier: MIT"
    elif end in ("c", "h"):
        wanted = "/* SPDX-License-Identifier: MIT */"
    elif end in ("py", "sh") or name in ("Makefile", "run"):
        wanted = "# SPDX-License-Identifier: MIT"
    else:
        return
    first = lines[:1]
    if first and first[0].startswith(("#!", "// swift-tools-version")):
        first = lines[1:2]
    if first != [wanted]:
        report(path, 1, f"no licence line, begin the file with: {wanted}")


def check_length(path: str, lines: list[str]) -> None:
    """Files that do not fit into a head are split."""
    limit = TABLE_LINES if path in TABLES else FILE_LINES
    if len(lines) > limit:
        report(path, limit, f"{len(lines)} lines, split the file: at most {limit}")


def check_function(path: str, line: int, count: int) -> None:
    """Functions that do not fit on a screen are split."""
    if count > FUNCTION_LINES:
        report(path, line, f"a function of {count} lines, split it: at most {FUNCTION_LINES}")


def opening_line(lines: list[str], start: int, indent: str) -> int:
    """The line of a Swift declaration that opens its body; -1 for one without or in one line."""
    for index in range(start, min(start + 30, len(lines))):
        line = lines[index]
        if index > start and line.startswith(indent) and line[len(indent):len(indent) + 1] not in (
                " ", ")", "{", "t", "w"):
            return -1
        if line.endswith("{") or re.search(r"\{( \[.*\])?( .* in)$", line):
            return index
        if line.endswith("}"):
            return -1
    return -1


def check_swift_functions(path: str, lines: list[str]) -> None:
    """Relies on swift-format: a body ends with a brace at the indentation of its declaration."""
    for index, line in enumerate(lines):
        match = DECLARATION.match(line)
        if not match:
            continue
        indent = match.group(1)
        opening = opening_line(lines, index, indent)
        if opening < 0:
            continue
        for end in range(opening + 1, len(lines)):
            if lines[end].startswith(indent + "}"):
                check_function(path, index + 1, end - index + 1)
                break


def check_braced_functions(path: str, lines: list[str], first: re.Pattern[str]) -> None:
    """C and shell: from a line at the margin that opens a body to the brace at the margin."""
    start = -1
    for index, line in enumerate(lines):
        if start < 0 and line.endswith("{") and first.match(line):
            start = index
        elif start >= 0 and line.startswith("}"):
            check_function(path, start + 1, index - start + 1)
            start = -1


def check_python(path: str, text: str) -> None:
    """Function lengths of a Python file, which must at least be readable."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        report(path, error.lineno or 1, f"Python cannot read this: {error.msg}")
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            check_function(path, node.lineno, (node.end_lineno or node.lineno) - node.lineno + 1)


def check_shell(path: str) -> None:
    """A shell script must at least be readable by its shell."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        shell = "sh" if file.readline().startswith("#!/bin/sh") else "bash"
    done = subprocess.run(
        [shell, "-n", path], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        report(path, 1, f"{shell} cannot read this: {done.stderr.strip().splitlines()[0]}")


def check_layers(path: str, lines: list[str]) -> None:
    """What a Swift file of Sources may import and say."""
    module, _, rest = path.removeprefix("Sources/").partition("/")
    if module not in LAYERS:
        return report(path, 1, f"the module {module} has no layer, add it to LAYERS in tidy.py")
    allowed, bridges = LAYERS[module]
    for number, line in enumerate(lines, 1):
        match = IMPORT.match(line)
        if match and match.group(1) not in allowed:
            name = match.group(1)
            where = bridges.get(name)
            if where is None:
                report(path, number, f"{module} must not import {name}, see ARCHITECTURE.md")
            elif not re.fullmatch(where, rest.removesuffix(".swift")):
                report(path, number, f"{name} belongs to {module}/{where}, go through that")
        code = line.partition("//")[0]
        if PUBLIC.match(code):
            report(path, number, "public declaration, write package or nothing")
        if PRESUMED.search(code):
            report(path, number, "forced operation, handle the other case")
        if GLOBAL.match(code):
            report(path, number, "global variable, give it to an owner or make it let")
        if module != "Store" and SQL.search(code):
            report(path, number, "SQL outside Store, add a function to a table there")
    return None


def check_file(path: str) -> None:
    """All checks of one file."""
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        text = file.read()
    lines = text.splitlines()
    check_text(path, lines)
    check_licence(path, lines)
    if path.endswith(SOURCES):
        check_length(path, lines)
    if path.endswith(".swift"):
        check_swift_functions(path, lines)
        if path.startswith("Sources/"):
            check_layers(path, lines)
    elif path.endswith((".c", ".h")):
        check_braced_functions(path, lines, re.compile(r"^[a-z].*\("))
    elif path.endswith(".py"):
        check_python(path, text)
    elif path.endswith(".sh"):
        check_braced_functions(path, lines, re.compile(r"^\w+\(\) \{"))
        check_shell(path)
    elif path.endswith(".md"):
        tidy_documents.check_links(ROOT, path, lines, report)
    elif path.startswith(tidy_pages.FOLDER):
        tidy_pages.check_page(path, lines, report)


def main() -> int:
    """Checks everything; 1 when there is a finding."""
    documents = [name for name in sorted(os.listdir(ROOT)) if name.endswith(".md")]
    paths = [name for name in TOP_FILES + documents if os.path.exists(os.path.join(ROOT, name))]
    for folder in TOP_FOLDERS:
        paths += files_below(folder)
    for path in paths:
        check_file(path)
    tidy_documents.check_code_map(ROOT, files_below("Sources"), report)
    tidy_pages.check_words(ROOT, report)
    tidy_sentences.check_sentences(ROOT, report)
    for path in TABLES:
        if path not in paths:
            report("scripts/tidy.py", 1, f"{path} in TABLES does not exist, remove it")
    for path, line, text in sorted(findings):
        print(f"{path}:{line}: {text}")
    print(f"tidy: {len(paths)} files, {len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
