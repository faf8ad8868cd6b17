#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Brings dist/BOARD to a board: over ssh, over adb, or as an image to a block device.

    scripts/flash.py BOARD --via ssh --target root@HOST
    scripts/flash.py BOARD --via adb [--target SERIAL]
    scripts/flash.py BOARD --via dev --target /dev/sdX3 [--image FILE]

Asks before anything is overwritten (--yes does not), verifies afterwards, and keeps what was there:
--rollback goes back to it. ssh and adb run dist/BOARD/install.sh on the board.
"""

import argparse
import gzip
import hashlib
import io
import os
import shlex
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

from board_tools import ROOT

REMOTE = "/tmp/tinygateway-install"
FILES = ("tinygateway", "board.yaml", "init", "keep.list", "install.sh", "SHA256SUMS")
CHUNK = 1 << 20


def fail(message):
    """Ends with one sentence."""
    sys.exit(f"flash: {message}")


def ask(question, given):
    """Goes on only after a yes."""
    if given.yes:
        return
    print(f"{question} [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        fail("nothing was changed")


class Shell:
    """A board that runs commands."""

    def __init__(self, given):
        self.given = given

    def command(self, script, stdin=None, check=True):
        """Runs a script on the board; its output."""
        # Without input of its own it must not take the answer to a question.
        result = subprocess.run(self.prefix() + [script], input=stdin or b"", check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        text = result.stdout.decode(errors="replace").replace("\r\n", "\n").strip()
        if check and result.returncode:
            fail(f"the board answered with status {result.returncode}:\n{text}")
        return text

    def install(self, folder):
        """Copies the files and installs them."""
        machine = self.command("uname -m; uname -r")
        there = self.command("/usr/bin/tinygateway --version 2>/dev/null | head -n 1", check=False)
        print(f"{self.given.target or 'the board'}: {machine.split()[0]}, "
              f"{there or 'no TinyGateway yet'}")
        ask(f"Install {self.given.board} there?", self.given)
        self.copy(folder)
        print(self.command(f"sh {REMOTE}/install.sh install"))
        self.verify(folder)

    def verify(self, folder):
        """Compares what is installed with what was meant."""
        wanted = hashlib.sha256((folder / "tinygateway").read_bytes()).hexdigest()
        if wanted not in self.command("sha256sum /usr/bin/tinygateway"):
            fail("the installed program is not the one of dist; go back with --rollback")
        print("verified: the program on the board is the one of dist")

    def rollback(self, folder):
        """Goes back to the version before."""
        ask("Go back to the version before?", self.given)
        self.copy(folder)
        print(self.command(f"sh {REMOTE}/install.sh rollback"))



class Secure(Shell):
    """Over ssh."""

    def prefix(self):
        """How a script is run."""
        return [*shlex.split(os.environ.get("SSH", "ssh")), self.given.target]

    def copy(self, folder):
        """Copies through standard input: small boards have no sftp."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name in FILES:
                if (folder / name).exists():
                    tar.add(folder / name, name)
        self.command(f"rm -rf {REMOTE} && mkdir -m 0700 {REMOTE} && tar -x -C {REMOTE} -f -",
                     buffer.getvalue())


class Bridge(Shell):
    """Over adb, which does not tell a script's status on old boards."""

    def base(self):
        """adb and the board meant."""
        chosen = ["-s", self.given.target] if self.given.target else []
        return [*shlex.split(os.environ.get("ADB", "adb")), *chosen]

    def prefix(self):
        """How a script is run."""
        return [*self.base(), "shell"]

    def copy(self, folder):
        """Copies file by file."""
        self.command(f"rm -rf {REMOTE}; mkdir -p {REMOTE}")
        for name in FILES:
            if (folder / name).exists():
                subprocess.run([*self.base(), "push", str(folder / name), f"{REMOTE}/{name}"],
                               check=True, stdout=subprocess.DEVNULL)
        self.command(f"chmod 755 {REMOTE}/tinygateway {REMOTE}/install.sh")

    def command(self, script, stdin=None, check=True):
        """Runs a script and asks for its status in its output."""
        text = super().command(f"{script}; echo status=$?", stdin, check)
        text, _, status = text.rpartition("status=")
        if check and status.strip() != "0":
            fail(f"the board answered with status {status.strip() or 'unknown'}:\n{text}")
        return text.strip()


# Block devices.

def mounted(device):
    """Where a device, or a part of it, is mounted."""
    lines = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    return [line.split()[1] for line in lines if line.split()[0].startswith(str(device))]


def size_of(path):
    """Bytes of a file or device."""
    with path.open("rb") as file:
        return file.seek(0, os.SEEK_END)


def pieces(file, count):
    """The first bytes of a file, in pieces."""
    while count > 0:
        piece = file.read(min(CHUNK, count))
        if not piece:
            return
        count -= len(piece)
        yield piece


def sha256(path, count):
    """Of the first bytes."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        for piece in pieces(file, count):
            found.update(piece)
    return found.hexdigest()


def copy_to_device(source, device, count):
    """Writes, waits for the medium, reads back."""
    wanted = hashlib.sha256()
    with device.open("r+b") as target:
        for piece in pieces(source, count):
            wanted.update(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
        # So that reading back asks the medium and not the page cache.
        os.posix_fadvise(target.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if sha256(device, count) != wanted.hexdigest():
        fail(f"{device} does not hold what was written: the medium is broken")


def kept_path(folder, device):
    """Where the old content of a device is kept."""
    return folder / f"before-{device.name}.gz"


def write_device(given, folder):
    """Writes an image over a partition, after keeping what the image covers."""
    image = given.image or next(
        (folder / name for name in ("data.ext4", "data.jffs2") if (folder / name).exists()), None)
    if image is None or not image.is_file():
        fail(f"{folder} has no image for a block device")
    device = check_device(given.target)
    count, room = size_of(image), size_of(device)
    if room < count:
        fail(f"{device} has {room} bytes, the image needs {count}")
    print(f"{device}: {room} bytes, {kind_of(device)}; {image.name}: {count} bytes")
    ask(f"OVERWRITE {device} with {image.name}?", given)
    kept = kept_path(folder, device)
    with device.open("rb") as old, gzip.open(kept, "wb", compresslevel=1) as file:
        for piece in pieces(old, count):
            file.write(piece)
    with image.open("rb") as source:
        copy_to_device(source, device, count)
    print(f"written and verified; what was there is in {kept}")


def rollback_device(given, folder):
    """Writes back what was kept."""
    device = check_device(given.target)
    kept = kept_path(folder, device)
    if not kept.is_file():
        fail(f"there is no {kept}")
    ask(f"OVERWRITE {device} with what was there before?", given)
    with gzip.open(kept, "rb") as source:
        count = sum(len(piece) for piece in pieces(source, 1 << 62))
        source.seek(0)
        copy_to_device(source, device, count)
    print("written back and verified")


def check_device(target):
    """A device that may be written: no whole system in use."""
    device = Path(target or fail("name the device with --target"))
    if not device.exists():
        fail(f"there is no {device}")
    mode = device.stat().st_mode
    if not stat.S_ISBLK(mode) and not stat.S_ISREG(mode):
        fail(f"{device} is neither a block device nor a file")
    if mounted(device):
        fail(f"{device} is mounted at {', '.join(mounted(device))}; unmount it first")
    return device


def kind_of(device):
    """What seems to be on a device."""
    with device.open("rb") as file:
        start = file.read(2048)
    if start[1080:1082] == b"\x53\xef":
        return "holds an ext file system"
    if start[510:512] == b"\x55\xaa":
        return "holds a partition table or a boot sector"
    return "nothing known on it" if any(start) else "empty at its beginning"


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="flash.py", description=__doc__.splitlines()[0])
    parser.add_argument("board")
    parser.add_argument("--via", choices=("ssh", "adb", "dev"), required=True)
    parser.add_argument("--target", default="")
    parser.add_argument("--image", type=Path)
    parser.add_argument("--folder", type=Path, help="in place of dist/BOARD")
    parser.add_argument("--yes", action="store_true")
    parser.add_argument("--rollback", action="store_true")
    given = parser.parse_args()
    folder = given.folder or ROOT / "dist" / given.board
    if not (folder / "SHA256SUMS").is_file():
        fail(f"there is no {folder}; type: make board BOARD={given.board}")
    if given.via == "dev":
        return rollback_device(given, folder) if given.rollback else write_device(given, folder)
    if given.via == "ssh" and not given.target:
        fail("name the board with --target user@host")
    board = Secure(given) if given.via == "ssh" else Bridge(given)
    return board.rollback(folder) if given.rollback else board.install(folder)


if __name__ == "__main__":
    main()
