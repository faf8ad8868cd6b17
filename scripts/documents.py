#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packs the documents and the web pages with zopfli, the same bytes each time, and writes the
table of them that Sources/CDocuments compiles.

    scripts/documents.py FOLDER

Writes FOLDER/NAME-HASH.gz for each file and FOLDER/table.inc. Packing is slow (3 s for all), so
what is there under the hash of its contents is not packed again.
"""

import hashlib
import pathlib
import subprocess
import sys

from lean import lean

# What all pages may come to, packed.
PAGES_LIMIT = 100_000
DOCUMENTS = {"/docs/API.md": "docs/API.md", "/openapi.json": "docs/openapi.json"}
PAGES = pathlib.Path("Sources/WebUI")
START = "index.html"
# Packed within zh.js.
WITHIN = ("said.js", "zh-api.js")
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
}


def pack(plain):
    """The file packed as gzip without name and time (RFC 1952), a tenth of it smaller than zlib
    makes it."""
    return subprocess.run(["zopfli", "--gzip", "-c", plain], check=True,
                          capture_output=True).stdout


def files():
    """Path under which clients ask, and contents, of every file.

    The pages' modules and styles have a name of all their contents in their path: they are kept
    for ever, and those of another version are never mixed with these.
    """
    pages = sorted(file for file in PAGES.iterdir() if file.suffix in TYPES)
    assert [file.name for file in pages if file.suffix == ".html"] == [START], PAGES
    whole = hashlib.sha256()
    for file in pages:
        whole.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    version = whole.hexdigest()[:8]
    for path, file in DOCUMENTS.items():
        yield path, pathlib.Path(file).read_bytes()
    texts = {file.name: file.read_text(encoding="utf-8") for file in pages}
    for name, text in texts.items():
        if name in WITHIN:
            continue
        if name == START:
            yield "/", text.replace("{version}", version).encode()
        else:
            yield f"/ui/{version}/{name}", lean(name, texts).encode()


def tag(data):
    """A strong validator's text."""
    return hashlib.sha256(data).hexdigest()[:32]


def kept(folder, name, data):
    """The packed form's file, which is made unless it is there."""
    target = folder / f"{name}-{tag(data)}.gz"
    if not target.exists():
        plain, packed = folder / name, folder / (name + ".gz")
        plain.write_bytes(data)
        packed.write_bytes(pack(plain))
        plain.unlink()
        packed.replace(target)
    return target


def main(folder):
    """Writes all; tells whether the table has changed."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays, rows, targets, total = [], [], set(), 0
    for number, (path, data) in enumerate(files()):
        name = path.rsplit("/", 1)[1] or START
        target = kept(folder, name, data)
        targets.add(target)
        packed = target.read_bytes()
        total += len(packed) if path not in DOCUMENTS else 0
        kind = TYPES[pathlib.Path(name).suffix]
        arrays.append(f'static const uint8_t file{number}[] = {{\n#embed "{target.name}"\n}};\n')
        # A validator of the packed form, and another one of the plain form.
        rows.append(f'    {{"{path}", "{kind}", "{tag(packed)}", "{tag(data)}",\n'
                    f'     file{number}, sizeof file{number}}},\n')
    if total > PAGES_LIMIT:
        sys.exit(f"documents: the pages are {total} bytes packed, more than {PAGES_LIMIT}")
    for old in set(folder.glob("*.gz")) - targets:
        old.unlink()
    text = "".join(arrays) + "static const struct cd_file files[] = {\n" + "".join(rows) + "};\n"
    table = folder / "table.inc"
    if table.exists() and table.read_text() == text:
        return False
    table.write_text(text)
    return True


if __name__ == "__main__":
    # The compiler knows no dependency on a file that was not there.
    if main(pathlib.Path(sys.argv[1])):
        pathlib.Path("Sources/CDocuments/CDocuments.c").touch()
