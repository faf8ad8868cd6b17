#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes dist/BOARD: a board's binary, settings, init script, packages and images.

    scripts/board.py BOARD [--binary FILE] [--out FOLDER] [--version V] [--leb BYTES]

BOARD is a name in board-configs or the path of a board file. Which packages are made follows from
the file: `.ipk` and a feed package for procd and busybox, `.deb` for systemd, an image of the data
partition by file_system, an OCI archive for all but armv5te. Nothing needs root.
"""

import argparse
import hashlib
import re
import shutil
from pathlib import Path

import board_images
import board_packages
from board_packages import SUMMARY
from board_tools import ROOT, fail, read_board, version, write

TEMPLATES = ROOT / "scripts" / "packages"
# Release binary, Debian's names of the architecture, OCI's architecture and variant. What Raspberry
# Pi OS calls armhf runs on ARMv6 as well; Debian's own for such a processor is armel.
TARGETS = {
    "x86_64": (["amd64"], ("amd64", None)),
    "aarch64": (["arm64"], ("arm64", "v8")),
    "armv7": (["armhf"], ("arm", "v7")),
    "armv6": (["armhf", "armel"], ("arm", "v6")),
    "armv5te": (["armel"], None),
}
# What init scripts are called, and where they go.
INITS = {
    "systemd": ("tinygateway.service", "lib/systemd/system/tinygateway.service", 0o644),
    "procd": ("tinygateway.procd", "etc/init.d/tinygateway", 0o755),
    "busybox": ("S90tinygateway", "etc/init.d/S90tinygateway", 0o755),
}


class Board:
    """One board's files on their way to dist."""

    def __init__(self, path, binary, out, number, leb):
        self.settings = read_board(path)
        self.name, self.file, self.leb = path.stem, path, leb
        self.target = self.need("target")
        if self.target not in TARGETS:
            fail(f"{path}: target: there is no release binary for {self.target}; "
                 f"write one of {', '.join(TARGETS)}")
        self.architectures, self.oci = TARGETS[self.target]
        self.init, self.version = self.need("init_system"), number
        self.binary = binary or ROOT / "dist" / self.target / "tinygateway"
        if not self.binary.is_file():
            fail(f"there is no {self.binary}; type: make release TARGETS={self.target}")
        self.out = out or ROOT / "dist" / self.name
        self.made = []

    def need(self, key):
        """A setting that a board file must have."""
        return self.settings.get(key) or fail(f"{self.file}: {key} is missing")

    def template(self, name):
        """A file of scripts/packages with this board's values."""
        values = {
            "NAME": self.name, "VERSION": self.version, "DATA_DIR": self.need("data_dir"),
            "TARGET": self.target, "LOG_PLACE": self.settings.get("log_place", "none"),
            "MEMORY": str(2 * int(self.settings.get("memory_limit_mb", "48"))),
            "SUMMARY": SUMMARY,
        }
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        return re.sub(r"@([A-Z_]+)@", lambda found: values[found.group(1)], text)

    @property
    def keep_list(self):
        """Paths that survive a sysupgrade."""
        return "".join(sorted({"/etc/tinygateway/\n", self.need("data_dir") + "/\n"}))

    def note(self, path):
        """Remembers what was made."""
        self.made.append(path.relative_to(self.out))

    # The folder itself.

    def make(self):
        """Makes everything."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        write(self.out / "tinygateway", self.binary.read_bytes(), 0o755)
        write(self.out / "board.yaml", self.file.read_bytes())
        write(self.out / "keep.list", self.keep_list)
        if self.init in INITS:
            name, _, mode = INITS[self.init]
            write(self.out / "init", self.template(name), mode)
        write(self.out / "install.sh", self.template("install.sh"), 0o755)
        self.sums(["tinygateway", "board.yaml", "keep.list", "init", "install.sh"])
        if self.init == "systemd":
            for architecture in self.architectures:
                board_packages.deb(self, architecture)
        if self.init in ("procd", "busybox"):
            board_packages.ipk(self)
            board_packages.feed(self)
        board_images.image(self)
        if self.oci:
            board_images.container(self)
        for path in self.made:
            print(f"{(self.out / path).stat().st_size:>10}  {self.out / path}")

    def sums(self, names):
        """Checksums by which install.sh knows that all has arrived."""
        lines = [f"{hashlib.sha256((self.out / name).read_bytes()).hexdigest()}  {name}\n"
                 for name in names if (self.out / name).exists()]
        write(self.out / "SHA256SUMS", "".join(lines))

    def tree(self, folder):
        """What a package installs."""
        write(folder / "usr/bin/tinygateway", self.binary.read_bytes(), 0o755)
        write(folder / "etc/tinygateway/board.yaml", self.file.read_bytes())
        if self.init in INITS:
            name, path, mode = INITS[self.init]
            write(folder / path, self.template(name), mode)
        if self.init in ("procd", "busybox"):
            write(folder / "lib/upgrade/keep.d/tinygateway", self.keep_list)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="board.py", description=__doc__.splitlines()[0])
    parser.add_argument("board")
    parser.add_argument("--binary", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--version", default=version())
    parser.add_argument("--leb", type=int, default=board_images.UBIFS_LEB,
                        help="bytes of a logical erase block, from the board's ubinfo")
    given = parser.parse_args()
    path = Path(given.board)
    if not path.suffix:
        path = ROOT / "board-configs" / f"{given.board}.yaml"
    if not path.is_file():
        names = sorted(file.stem for file in (ROOT / "board-configs").glob("*.yaml"))
        fail(f"there is no board {given.board}; there are {', '.join(names)}")
    Board(path, given.binary, given.out, given.version, given.leb).make()


if __name__ == "__main__":
    main()
