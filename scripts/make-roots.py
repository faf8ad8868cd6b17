#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the built-in table of certificate authorities as C.

usage: make-roots.py [BUNDLE_OR_FOLDER] [OUTPUT]

BUNDLE_OR_FOLDER  a PEM bundle, or a folder of PEM files named *.crt
                  (default: /usr/share/ca-certificates/mozilla, from Debian's ca-certificates)
OUTPUT            default: Sources/CRoots/roots.generated.inc in this checkout

The same certificates give the same bytes, in whatever order they are read.
"""

import base64
import os
import re
import subprocess
import sys

DEFAULT_SOURCE = "/usr/share/ca-certificates/mozilla"
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)
SEQUENCE, EXPLICIT_VERSION = 0x30, 0xA0
LARGEST_CERTIFICATE = 0xFFFF  # lengths are 16 bits wide in the table


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


def subject(der: bytes) -> tuple[int, int]:
    """Offset and length of the subject, tag and length octets included (RFC 5280 section 4.1)."""
    _, certificate, _ = element(der, 0)
    _, at, _ = element(der, certificate)
    if der[at] == EXPLICIT_VERSION:
        at = element(der, at)[2]
    for _ in ("serial", "signature algorithm", "issuer", "validity"):
        at = element(der, at)[2]
    tag, _, end = element(der, at)
    if tag != SEQUENCE:
        raise ValueError("no subject where one is expected")
    return at, end - at


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


def render(certificates: list[bytes], source: str) -> str:
    """The C text: all DER in one array, and the table sorted by subject hash, then by DER."""
    rows = []
    for der in certificates:
        if len(der) > LARGEST_CERTIFICATE:
            raise ValueError("certificate larger than 65535 bytes")
        at, length = subject(der)
        rows.append((fnv1a(der[at : at + length]), der, at, length))
    rows.sort()
    lines = ["/* SPDX-License-Identifier: MIT */"]
    lines.append("/* Made by scripts/make-roots.py; do not edit. */")
    lines.append(f"#define ROOT_COUNT {len(rows)}")
    quoted = source.replace("\\", "").replace('"', "")
    lines.append(f'static const char root_source[] = "{quoted}";')
    lines.append("static const uint8_t root_bytes[] = {")
    everything = b"".join(row[1] for row in rows)
    for start in range(0, len(everything), 32):
        lines.append(",".join(str(byte) for byte in everything[start : start + 32]) + ",")
    lines.append("};")
    lines.append("static const struct root roots[] = {")
    offset = 0
    for digest, der, at, length in rows:
        lines.append(f"  {{0x{digest:08x}u, {offset}, {len(der)}, {at}, {length}}},")
        offset += len(der)
    lines.append("};")
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
    text = render(certificates, source_version(source))
    with open(output + ".part", "w", encoding="ascii") as file:
        file.write(text)
    os.replace(output + ".part", output)
    total = sum(len(der) for der in certificates)
    print(f"make-roots: {len(certificates)} certificates, {total} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
