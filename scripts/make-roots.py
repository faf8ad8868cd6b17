#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the built-in table of certificate authorities as C.

usage: make-roots.py [BUNDLE_OR_FOLDER] [OUTPUT]

BUNDLE_OR_FOLDER  a PEM bundle, or a folder of PEM files named *.crt
                  (default: /usr/share/ca-certificates/mozilla, from Debian's ca-certificates)
OUTPUT            default: Sources/CRoots/roots.generated.inc in this checkout

Of a certificate only what a verification of chains reads is kept: validity, subject, public key,
and the extensions that limit it. The same certificates give the same bytes, in whatever order
they are read.
"""

import base64
import os
import re
import subprocess
import sys

DEFAULT_SOURCE = "/usr/share/ca-certificates/mozilla"
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)
SEQUENCE, BOOLEAN, EXPLICIT_VERSION, EXPLICIT_EXTENSIONS = 0x30, 0x01, 0xA0, 0xA3
# Object identifiers of the extensions that say what an authority may sign: keyUsage and
# basicConstraints (RFC 5280 sections 4.2.1.3 and 4.2.1.9).
KEPT_EXTENSIONS = (bytes.fromhex("0603551d0f"), bytes.fromhex("0603551d13"))
LARGEST_ANCHOR = 3072  # of CR_LARGEST_CERTIFICATE in CRoots.h, the issuer and the frame left out
LARGEST_EXTENSIONS = 0xFF  # their length is 8 bits wide in the table


def element(der: bytes, at: int) -> tuple[int, int, int]:
    """Tag, start of the content and end of the DER element at `at` (X.690 section 8.1)."""
    tag, first = der[at], der[at + 1]
    start, length = at + 2, first
    if first >= 0x80:
        count = first & 0x7F
        length = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + length > len(der):
        raise ValueError("element runs past the end")
    return tag, start, start + length


class Anchor:
    """What is kept of one certificate (RFC 5280 section 4.1)."""

    def __init__(self, der: bytes):
        _, certificate, _ = element(der, 0)
        _, at, self.end = element(der, certificate)
        is_version_1 = der[at] != EXPLICIT_VERSION
        if not is_version_1:
            at = element(der, at)[2]
        for _ in ("serial", "signature algorithm", "issuer"):
            at = element(der, at)[2]
        start, subject = at, element(der, at)[2]
        tag, _, key = element(der, subject)
        if tag != SEQUENCE:
            raise ValueError("no subject where one is expected")
        after_key = element(der, key)[2]
        self.bytes = der[start:after_key]
        self.subject_offset = subject - start
        self.subject = der[subject:key]
        self.extensions = self.limits(der, after_key)
        # An authority of version 1 has no extensions, and a later one without them is none.
        self.is_authority = is_version_1 or KEPT_EXTENSIONS[1] in self.extensions
        if len(self.bytes) + len(self.subject) > LARGEST_ANCHOR:
            raise ValueError("certificate larger than the reader's buffer")
        if len(self.extensions) > LARGEST_EXTENSIONS:
            raise ValueError("extensions larger than 255 bytes")

    def limits(self, der: bytes, at: int) -> bytes:
        """The extensions kept, in their frame: the critical ones, whatever they are, so that one
        that is not understood still refuses the authority."""
        while at < self.end and der[at] != EXPLICIT_EXTENSIONS:
            at = element(der, at)[2]
        if at == self.end:
            return b""
        _, inner, _ = element(der, at)
        _, at, end = element(der, inner)
        kept = b""
        while at < end:
            _, name, after = element(der, at)
            behind = element(der, name)[2]
            if der[behind] == BOOLEAN or der[name:behind] in KEPT_EXTENSIONS:
                kept += der[at:after]
            at = after
        return framed(EXPLICIT_EXTENSIONS, framed(SEQUENCE, kept))


def framed(tag: int, content: bytes) -> bytes:
    """A DER element of less than 256 bytes; longer ones are refused by the caller."""
    length = len(content)
    if length > 0xFF:
        raise ValueError("extensions larger than 255 bytes")
    return bytes([tag, length] if length < 0x80 else [tag, 0x81, length]) + content


def fnv1a(data: bytes) -> int:
    """32-bit FNV-1a, as cr_hash() in CRoots.c."""
    value = 2166136261
    for byte in data:
        value = ((value ^ byte) * 16777619) & 0xFFFFFFFF
    return value


def read_certificates(source: str) -> list[bytes]:
    """The distinct certificates of a bundle or of a folder of *.crt files."""
    paths = [source]
    if os.path.isdir(source):
        names = sorted(name for name in os.listdir(source) if name.endswith(".crt"))
        paths = [os.path.join(source, name) for name in names]
    found = set()
    for path in paths:
        with open(path, "rb") as file:
            for block in BLOCK.findall(file.read()):
                found.add(base64.b64decode(block))
    return sorted(found)


def source_version(source: str) -> str:
    """Which package version the certificates come from, or the bundle's file name."""
    if source != DEFAULT_SOURCE:
        return os.path.basename(source.rstrip("/"))
    query = ["dpkg-query", "-W", "-f", "${Package} ${Version}", "ca-certificates"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "ca-certificates"


def array(name: str, content: bytes) -> list[str]:
    """The lines of a C array."""
    lines = [f"static const uint8_t {name}[] = {{"]
    for start in range(0, len(content), 32):
        lines.append(",".join(str(byte) for byte in content[start : start + 32]) + ",")
    return [*lines, "};"]


def render(anchors: list[Anchor], source: str) -> str:
    """The C text: the bytes of all, and the table sorted by subject hash, then by bytes."""
    rows = [(fnv1a(anchor.subject), anchor.bytes, anchor) for anchor in anchors]
    rows.sort(key=lambda row: row[:2])
    everything, extensions, table = b"", b"", []
    for digest, kept, anchor in rows:
        # Most authorities have the same two extensions: those are in the array once.
        if anchor.extensions not in extensions:
            extensions += anchor.extensions
        place = extensions.index(anchor.extensions)
        table.append(
            f"  {{0x{digest:08x}u, {len(everything)}, {len(kept)}, {anchor.subject_offset}, "
            f"{len(anchor.subject)}, {place}, {len(anchor.extensions)}}},"
        )
        everything += kept
    lines = ["/* SPDX-License-Identifier: MIT */"]
    lines.append("/* Made by scripts/make-roots.py; do not edit. */")
    lines.append(f"#define ROOT_COUNT {len(rows)}")
    quoted = source.replace("\\", "").replace('"', "")
    lines.append(f'static const char root_source[] = "{quoted}";')
    lines += array("root_bytes", everything)
    lines += array("root_extensions", extensions + b"\0")
    lines += ["static const struct root roots[] = {", *table, "};"]
    return "\n".join(lines) + "\n"


def main() -> int:
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    source = sys.argv[1] if len(sys.argv) > 1 else DEFAULT_SOURCE
    default_output = os.path.join(here, "Sources", "CRoots", "roots.generated.inc")
    output = sys.argv[2] if len(sys.argv) > 2 else default_output
    try:
        certificates = read_certificates(source)
    except OSError as error:
        print(f"make-roots: {error}; install ca-certificates or name a bundle", file=sys.stderr)
        return 1
    if not certificates:
        print(f"make-roots: no certificate in {source}", file=sys.stderr)
        return 1
    anchors = [anchor for anchor in map(Anchor, certificates) if anchor.is_authority]
    text = render(anchors, source_version(source))
    with open(output + ".part", "w", encoding="ascii") as file:
        file.write(text)
    os.replace(output + ".part", output)
    total = sum(len(anchor.bytes) for anchor in anchors)
    print(f"make-roots: {len(anchors)} authorities, {total} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
