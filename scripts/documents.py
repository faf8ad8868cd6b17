#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packs the documents and the web pages with gzip, the same bytes each time, and writes the
table of them that Sources/CDocuments compiles.

    scripts/documents.py FOLDER

Writes FOLDER/NAME.gz for each file and FOLDER/table.inc, where they are not there already.
"""

import hashlib
import pathlib
import sys
import zlib

# As CD_WINDOW_BITS in Sources/CDocuments/include/CDocuments.h.
WINDOW_BITS = 14
# What all pages may come to, packed.
PAGES_LIMIT = 100_000
DOCUMENTS = {"/docs/API.md": "docs/API.md", "/openapi.json": "docs/openapi.json"}
PAGES = pathlib.Path("Sources/WebUI")
START = "index.html"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".svg": "image/svg+xml",
}


def pack(data):
    """gzip without name and time (RFC 1952)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS, 9)
    body = packer.compress(data) + packer.flush()
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + body + zlib.crc32(data).to_bytes(4, "little") + (
        len(data) & 0xFFFFFFFF).to_bytes(4, "little")


def lean(name, text):
    """A module or the style sheet without indentation, and without comments that have their lines
    for themselves; what is inside a template literal stays."""
    result, is_comment, is_literal = [], False, False
    for line in text.split("\n"):
        bare = line.strip()
        if not is_literal:
            is_comment |= bare.startswith("/*")
            if is_comment or bare.startswith("//") or not bare:
                is_comment &= not bare.endswith("*/")
                continue
        result.append(line if is_literal else bare)
        is_literal ^= name.endswith(".js") and line.count("`") % 2 == 1
    assert not is_literal and not is_comment, f"{name}: write a lone ` as \\x60"
    return "\n".join(result) + "\n"


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
    for file in pages:
        data = file.read_bytes()
        if file.name == START:
            yield "/", data.replace(b"{version}", version.encode())
        else:
            yield f"/ui/{version}/{file.name}", lean(file.name, data.decode()).encode()


def write(target, data):
    """Writes a file unless it is there with the same contents; tells whether it did."""
    if target.exists() and target.read_bytes() == data:
        return False
    target.write_bytes(data)
    return True


def tag(data):
    """A strong validator's text."""
    return hashlib.sha256(data).hexdigest()[:32]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    arrays, rows, changed, total = [], [], False, 0
    for number, (path, data) in enumerate(files()):
        name = (path.rsplit("/", 1)[1] or START) + ".gz"
        packed = pack(data)
        changed |= write(folder / name, packed)
        total += len(packed) if path not in DOCUMENTS else 0
        kind = TYPES[pathlib.Path(name[:-3]).suffix]
        arrays.append(f'static const uint8_t file{number}[] = {{\n#embed "{name}"\n}};\n')
        # A validator of the packed form, and another one of the plain form.
        rows.append(f'    {{"{path}", "{kind}", "{tag(packed)}", "{tag(data)}",\n'
                    f'     file{number}, sizeof file{number}}},\n')
    if total > PAGES_LIMIT:
        sys.exit(f"documents: the pages are {total} bytes packed, more than {PAGES_LIMIT}")
    text = "".join(arrays) + "static const struct cd_file files[] = {\n" + "".join(rows) + "};\n"
    return write(folder / "table.inc", text.encode()) or changed


if __name__ == "__main__":
    changed = main(pathlib.Path(sys.argv[1]))
    # The compiler knows no dependency on a file that was not there.
    if changed:
        pathlib.Path("Sources/CDocuments/CDocuments.c").touch()
