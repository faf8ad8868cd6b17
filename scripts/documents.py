#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Packs files with gzip, the same bytes each time, for the table in Sources/CDocuments.

    scripts/documents.py FOLDER FILE…

Writes FOLDER/NAME.gz for each file that has none, or an older one with other contents.
"""

import pathlib
import sys
import zlib

# As CD_WINDOW_BITS in Sources/CDocuments/include/CDocuments.h.
WINDOW_BITS = 13


def pack(data):
    """gzip without name and time (RFC 1952)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -WINDOW_BITS, 9)
    body = packer.compress(data) + packer.flush()
    head = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
    return head + body + zlib.crc32(data).to_bytes(4, "little") + (
        len(data) & 0xFFFFFFFF).to_bytes(4, "little")


def main(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    changed = False
    for file in files:
        target = folder / (file.name + ".gz")
        packed = pack(file.read_bytes())
        if not target.exists() or target.read_bytes() != packed:
            target.write_bytes(packed)
            changed = True
    return changed


if __name__ == "__main__":
    changed = main(pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]])
    # The compiler knows no dependency on a file that was not there.
    if changed:
        pathlib.Path("Sources/CDocuments/CDocuments.c").touch()
