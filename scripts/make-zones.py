#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes the built-in table of time zones as Swift, and the figures that test it.

usage: make-zones.py [FOLDER] [OUTPUT [FIXTURES]]

FOLDER    compiled zones (default: /usr/share/zoneinfo, from Debian's tzdata; where the old names
          are a package of their own, tzdata-legacy is needed too)
OUTPUT    default: Sources/Platform/TimeZoneTable.swift in this checkout
FIXTURES  default: Tests/PlatformTests/TimeZoneFixtures.swift: what Python's zoneinfo says of
          60 zones

The same zones give the same bytes. A zone whose file has no rule for the future gets its last
offset.
"""

import os
import struct
import sys
import zoneinfo
from datetime import datetime, timezone

DEFAULT_FOLDER = "/usr/share/zoneinfo"
SKIPPED = {"posix", "right", "posixrules", "localtime", "Factory"}
MASK = (1 << 64) - 1
FIRST = int(datetime(2026, 1, 1, tzinfo=timezone.utc).timestamp())
SPAN = int(datetime(2038, 1, 1, tzinfo=timezone.utc).timestamp()) - FIRST
# Their files list changes far into the future, by the moon; the rule behind those is not enough.
BY_THE_MOON = {"Africa/Casablanca", "Africa/El_Aaiun", "Asia/Gaza", "Asia/Hebron"}
FIXTURES = 60
ALWAYS = [
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
    "Africa/Cairo", "Asia/Beirut", "Pacific/Apia", "America/Santiago", "Europe/Dublin",
    "America/Nuuk", "Asia/Jerusalem", "Pacific/Chatham", "America/St_Johns", "Etc/GMT-14", "UTC"]


def rule(path: str) -> str | None:
    """The rule of a compiled zone (RFC 9636), or None when the file is none."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] != b"TZif":
        return None
    counts = struct.unpack(">6l", data[20:44])
    at = 44 + block_size(counts, 4)
    if data[4:5] >= b"2":
        counts = struct.unpack(">6l", data[at + 20 : at + 44])
        footer = data[at + 44 + block_size(counts, 8) :].strip(b"\n").decode("ascii")
        if footer:
            return footer
        return last_offset(data[at + 44 :], counts, 8)
    return last_offset(data[44:], counts, 4)


def block_size(counts: tuple[int, ...], width: int) -> int:
    """Bytes of the data block behind a header."""
    ut, std, leap, times, types, chars = counts
    return times * width + times + types * 6 + chars + leap * (width + 4) + std + ut


def last_offset(block: bytes, counts: tuple[int, ...], width: int) -> str:
    """The rule that keeps the offset of a zone's last change for ever."""
    times = counts[3]
    kind = block[times * (width + 1) - 1] if times else 0
    start = times * (width + 1) + kind * 6
    (offset,) = struct.unpack(">l", block[start : start + 4])
    sign, offset = ("-" if offset >= 0 else ""), abs(offset)
    return f"<LMT>{sign}{offset // 3600}:{offset // 60 % 60:02}:{offset % 60:02}"


def read_zones(folder: str) -> dict[str, str]:
    """Name and rule of every zone below a folder."""
    zones = {}
    for directory, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in names:
            path = os.path.join(directory, name)
            found = rule(path) if name not in SKIPPED else None
            if found:
                zones[os.path.relpath(path, folder)] = found
    return zones


def packed(zones: dict[str, str]) -> str:
    """`RULE NAME NAME…;` for each rule; a name `/X` is in the folder of the name before it."""
    groups: dict[str, list[str]] = {}
    for name in sorted(zones):
        groups.setdefault(zones[name], []).append(name)
    text = []
    for found in sorted(groups):
        words, folder = [found], ""
        for name in groups[found]:
            parent, _, last = name.rpartition("/")
            words.append("/" + last if parent and parent == folder else name)
            folder = parent
        text.append(" ".join(words) + ";")
    return "".join(text)


def version(folder: str) -> str:
    """Which tzdata the zones come from."""
    with open(os.path.join(folder, "tzdata.zi"), encoding="ascii") as file:
        return file.readline().strip("# \n").removeprefix("version ")


def render(zones: dict[str, str], source: str) -> str:
    """The Swift text of the table."""
    body = packed(zones)
    assert '"' not in body and "\\" not in body
    lines = [
        "// SPDX-License-Identifier: MIT", "",
        "/// Names of time zones and their rules, made by `scripts/make-zones.py`; do not edit.",
        "enum TimeZoneTable {",
        f"  /// `RULE NAME NAME…;` for each rule, from tzdata {source}.", "  ///",
        "  /// A name `/X` is in the folder of the name before it.",
        '  static let text: StaticString = """']
    lines += [f"    {body[start : start + 94]}\\" for start in range(0, len(body), 94)]
    lines[-1] = lines[-1][:-1]
    return "\n".join(lines + ['    """', "}"]) + "\n"


def checksum(name: str) -> int:
    """FNV-1a over the offsets at 200 times from 2026 to 2037, as the test computes it."""
    zone, state, value = zoneinfo.ZoneInfo(name), 1, 14695981039346656037
    for _ in range(200):
        state = (state * 6364136223846793005 + 1442695040888963407) & MASK
        at = FIRST + (state >> 33) % SPAN
        offset = int(datetime.fromtimestamp(at, zone).utcoffset().total_seconds())
        value = ((value ^ (offset & MASK)) * 1099511628211) & MASK
    return value


def render_fixtures(zones: dict[str, str]) -> str:
    """The Swift text of what Python says of some zones, different rules first."""
    chosen = list(ALWAYS)
    seen = {zones[name] for name in chosen}
    for name in sorted(zones):
        if len(chosen) < FIXTURES and zones[name] not in seen and name not in BY_THE_MOON:
            seen.add(zones[name])
            chosen.append(name)
    lines = [
        "// SPDX-License-Identifier: MIT", "",
        "/// What Python's zoneinfo says, made by `scripts/make-zones.py`; do not edit.",
        "enum TimeZoneFixtures {",
        "  /// Zones, and FNV-1a over their offsets at 200 times from 2026 to 2037.",
        "  static let checksums: [(name: StaticString, checksum: UInt64)] = ["]
    lines += [f'    ("{name}", {checksum(name)}),' for name in chosen]
    return "\n".join(lines + ["  ]", "}"]) + "\n"


def write(path: str, text: str) -> None:
    """Replaces a file."""
    with open(path + ".part", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(path + ".part", path)


def main() -> int:
    """Reads, writes, and says how much."""
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    given = sys.argv[1:]
    folder = given[0] if given else DEFAULT_FOLDER
    output = given[1] if len(given) > 1 else f"{here}/Sources/Platform/TimeZoneTable.swift"
    fixtures = (given[2] if len(given) > 2
                else f"{here}/Tests/PlatformTests/TimeZoneFixtures.swift")
    zoneinfo.reset_tzpath([os.path.abspath(folder)])
    try:
        zones = read_zones(folder)
        write(output, render(zones, version(folder)))
        write(fixtures, render_fixtures(zones))
    except OSError as error:
        print(f"make-zones: {error}; install tzdata or name a folder", file=sys.stderr)
        return 1
    print(f"make-zones: {len(zones)} names, {len(packed(zones))} bytes", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
