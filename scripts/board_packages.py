# SPDX-License-Identifier: MIT
"""Packages of a board: Debian, OpenWrt, and for the build systems of OpenWrt and Tina."""

import gzip
import tempfile
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path

from board_tools import EPOCH, ROOT, archive, packed, run, tool, write

MAINTAINER = "TinyGateway <tinygateway@localhost>"
LINTIAN = """# On purpose: one binary for every libc, and no mail address is given out.
tinygateway: statically-linked-binary
tinygateway: bogus-mail-host
tinygateway: bogus-mail-host-in-debian-changelog
"""
SUMMARY = "one OpenAI-style address in front of many language-model services"


def deb(board, architecture):
    """A Debian package."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        board.tree(folder)
        document = folder / "usr/share/doc/tinygateway"
        write(document / "copyright", (ROOT / "LICENSE").read_bytes())
        date = format_datetime(datetime.fromtimestamp(EPOCH, timezone.utc))
        log = (f"tinygateway ({board.version}) unstable; urgency=low\n\n  * See CHANGELOG.md.\n\n"
               f" -- {MAINTAINER}  {date}\n")
        write(document / "changelog.gz", gzip.compress(log.encode(), 9, mtime=0))
        write(folder / "usr/share/lintian/overrides/tinygateway", LINTIAN)
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) // 1024 + 1
        write(folder / "DEBIAN/control", (
            f"Package: tinygateway\nVersion: {board.version}\nArchitecture: {architecture}\n"
            f"Maintainer: {MAINTAINER}\nSection: net\n"
            f"Priority: optional\nInstalled-Size: {size}\nRecommends: ca-certificates\n"
            f"Description: {SUMMARY}\n"
            " Clients speak the OpenAI, Anthropic or Gemini API to it; it converts, balances,\n"
            " retries and meters. One static binary, settings in /etc/tinygateway/board.yaml\n"
            f" ({board.name}).\n"))
        write(folder / "DEBIAN/conffiles", "/etc/tinygateway/board.yaml\n")
        for script in ("postinst", "prerm", "postrm"):
            write(folder / "DEBIAN" / script, board.template("deb." + script), 0o755)
        path = board.out / f"tinygateway_{board.version}_{architecture}.deb"
        run(tool("dpkg-deb"), "--root-owner-group", "-Zxz", "--build", folder, path)
    board.note(path)


def ipk(board):
    """An OpenWrt package: a gzip'd tar of three members.

    Its architecture is `all`, which every opkg takes: a Cortex-A7 has four names (OpenWrt's
    arm_cortex-a7, arm_cortex-a7_vfpv4 and arm_cortex-a7_neon-vfpv4, sunxi in old trees), and opkg
    refuses all but its own, while the binary needs nothing but the processor. postinst tries it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        board.tree(folder)
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        control = Path(name) / "control"
        write(control / "control", (
            f"Package: tinygateway\nVersion: {board.version}\nArchitecture: all\n"
            f"Maintainer: {MAINTAINER}\nSection: net\nLicense: MIT\n"
            f"Installed-Size: {size}\nDescription: {SUMMARY}\n"))
        write(control / "conffiles", "/etc/tinygateway/board.yaml\n")
        for script in ("postinst", "prerm"):
            write(control / script, board.template("ipk." + script), 0o755)
        members = {"debian-binary": b"2.0\n", "data.tar.gz": archive(folder),
                   "control.tar.gz": archive(control)}
    path = board.out / f"tinygateway_{board.version}_{board.target}.ipk"
    write(path, packed({f"./{name}": (content, 0o644) for name, content in members.items()}))
    board.note(path)


def feed(board):
    """A package for the build systems of OpenWrt and Tina, with the binary in it."""
    folder = board.out / "feed" / "tinygateway"
    board.tree(folder / "files")
    write(folder / "Makefile", board.template("feed.mk"))
    board.note(folder / "Makefile")
