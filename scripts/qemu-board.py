#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots an emulated board with the gateway, and cuts its power under load.

    scripts/qemu-board.py [--machine sd|nor|nor-512k|nor-2m] [--cuts N] [--seconds S]

sd: an Orange Pi PC (Allwinner H3); the SD card is the data.ext4 that scripts/board.py makes.
nor: an AST2600 with 16 MiB of SPI NOR in the place of a small board: erased flash that the kernel
makes JFFS2, the program in the read-only root, no random numbers at first, and no clock: upstreams
with certificates are tried in 1970.
nor-512k, nor-2m: the same with a chip as large as the writable partition of a small board. Before
the cuts the history is filled, which must leave the flash alone; after each it must be gone.

Linux is Debian's for ARMv7 boards; the board's install.sh and init script start the gateway. Each
round: changes of settings and chat completions, SIGKILL of the emulator, boot. Before the gateway
starts again the board sends its database as it was left: SQLite must find it whole, with every
change that was acknowledged, and with all usage but that of the last flush interval.
"""

import argparse
import contextlib
import dataclasses
import io
import os
import socket
import sqlite3
import statistics
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import qemu_clock
import qemu_folder
import qemu_load
import qemu_tools
from board_tools import fail
from qemu_tools import HOST

SLOTS = 12                              # tokens that are renamed in turn
CHARGE = 7                              # what one answer of the upstream adds to used_quota
HISTORY = ("logs", "audit", "usage_days", "channel_hours")
SCRIPT = """
@MOUNT@ || echo "BOARD no data"
mark mounted
for word in $(cat /proc/cmdline); do case $word in check=*)
  tar -c -C /mnt/UDISK tinygateway 2>/dev/null | nc @HOST@ "${word#check=}" ;; esac; done
here=/mnt/UDISK/install; [ -d $here ] || here=/install
echo "BOARD date $(date -u +%F), entropy $(cat /proc/sys/kernel/random/entropy_avail)"
sh $here/install.sh
mark installed
grep -q first /proc/cmdline && { cat /proc/mtd; mount | grep UDISK; tinygateway doctor; }
while :; do sleep 60; done
"""


@dataclasses.dataclass
class Kind:
    """What is emulated: machine, board file, its changes, how the data is mounted."""

    machine: qemu_tools.Machine
    board: str
    mount: str
    size: int                           # of the drive
    fills: bool = False                 # whether the history is filled before the cuts
    # So that seconds of load hold several flushes, and a flush takes less than half of it.
    flush_ms: int = 1000

    @property
    def has_no_clock(self):
        """Whether the board starts in 1970."""
        return self.machine.drive == "mtd"


NOR_FLUSH_MS = 5000
JFFS2 = "mount -t jffs2 -o noatime /dev/mtdblock0 /mnt/UDISK"
KINDS = {
    "sd": Kind(qemu_tools.ORANGEPI_PC, "orangepi-pc-sd",
               "mount -o noatime /dev/mmcblk0 /mnt/UDISK", 64 << 20),
    "nor": Kind(qemu_tools.AST2600, "lichee-zero-v3s-spinor", JFFS2, 16 << 20,
                flush_ms=NOR_FLUSH_MS),
    "nor-512k": Kind(qemu_tools.ast2600("w25x40"), "lichee-zero-v3s-spinor", JFFS2, 512 << 10,
                     True, NOR_FLUSH_MS),
    "nor-2m": Kind(qemu_tools.ast2600("w25x16"), "f1c200s-spinor", JFFS2, 2 << 20, True,
                   NOR_FLUSH_MS),
}


def make_board(kind, binary, folder):
    """The board's folder, with the intervals of flushing that the kind has."""
    changes = {"log_place": "syslog", "flush_interval_ms": str(kind.flush_ms)}
    more = ["ca_file: /install/ca.pem"] if kind.has_no_clock else []
    return qemu_folder.make_board(kind.board, folder, changes, more, binary)


def make_drive(kind, made, folder):
    """The card with the board's image, or erased flash; files for the read-only root."""
    path, files = folder / "drive.img", {}
    if kind.machine.drive == "sd":
        path.write_bytes((made / "data.ext4").read_bytes())
        os.truncate(path, kind.size)    # QEMU wants a power of two
    else:
        path.write_bytes(b"\xff" * kind.size)
        files = {f"install/{name}": made / name for name in qemu_folder.INSTALLED}
        files["install/ca.pem"] = qemu_clock.certify(folder)
    return path, files


class Receiver:
    """Takes one archive from the board."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port, self.content = self.listener.getsockname()[1], b""
        self.thread = threading.Thread(target=self.take, daemon=True)
        self.thread.start()

    def take(self):
        """The whole of one connection."""
        connection, _ = self.listener.accept()
        with connection:
            parts = []
            while part := connection.recv(1 << 16):
                parts.append(part)
            self.content = b"".join(parts)
        self.listener.close()

    def database(self, folder):
        """The database as the board left it, opened with whatever journal lies beside it."""
        self.thread.join(60)
        if not self.content:
            fail("the board has sent no database")
        with tarfile.open(fileobj=io.BytesIO(self.content)) as tar:
            for name in ("db.db", "db.db-wal", "db.db-journal"):
                with contextlib.suppress(KeyError):
                    (folder / name).write_bytes(
                        tar.extractfile(f"tinygateway/{name}").read())
        return sqlite3.connect(folder / "db.db")


def check(database, load, cut, used_before, interval):
    """What a cut must leave; the answers whose usage went with it."""
    result = [row[0] for row in database.execute("PRAGMA integrity_check")]
    if result != ["ok"]:
        fail(f"the database is damaged: {result[:5]}")
    names = dict(database.execute("SELECT id, name FROM tokens"))
    for number, name in load.slots.items():
        if names.get(number) != name and load.pending != (number, names.get(number)):
            fail(f"token {number} is {names.get(number)!r}, acknowledged was {name!r}")
    if load.pending:                    # done or not, both are right; what is there counts
        load.slots[load.pending[0]] = names[load.pending[0]]
    return lambda used: check_usage(load, cut, used - used_before, interval)


def check_usage(load, cut, added, interval):
    """All usage must be there but that of one flush interval, and none twice; the ages in seconds
    of the answers whose usage is gone.

    Where a flush takes more than half of the interval, it is that of two flushes; one takes its
    turn behind a change and as long as one, so no longer than a change behind a flush."""
    counted = added // CHARGE
    late = max(interval, 2 * load.slowest)
    due = sum(at < cut - late for at in load.answers)
    if not due <= counted <= len(load.answers) + 1:
        fail(f"{counted} answers were counted, of {len(load.answers)}, {due} of "
             f"them {late:.1f} s before; the slowest change took {load.slowest:.1f} s")
    return [cut - at for at in sorted(load.answers)[counted:]]


def check_history(database):
    """What is kept in memory must not be on the flash."""
    for table in HISTORY:
        if rows := database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]:
            fail(f"the flash holds {rows} rows of {table}")


class Rounds:
    """Cuts of one board."""

    def __init__(self, kind, board, key, seconds, folder):
        self.kind, self.board, self.key = kind, board, key
        self.seconds, self.folder = seconds, folder
        jwt = board.login()
        self.slots, self.boots = {}, []
        for _ in range(SLOTS):
            made = board.call("POST", "/api/v1/tokens", {"name": "slot"}, jwt)["data"]
            self.slots[made["id"]] = "slot"
        self.first = min(self.slots) - 1
        self.jwt, self.used, self.early = jwt, self.used_quota(jwt), []
        self.answers = self.changes = self.lost = self.most = self.oldest = 0

    def used_quota(self, jwt):
        """What the first token has used."""
        items = self.board.call("GET", "/api/v1/tokens?page_size=100", None, jwt)["data"]["items"]
        return next(item["used_quota"] for item in items if item["id"] == self.first)

    def round(self, number):
        """Load, cut, boot, checks."""
        load = qemu_load.Load(self.board, self.key, self.jwt, self.slots)
        load.answers += self.early
        cut = load.until_cut(self.seconds * (0.6 + 0.8 * os.urandom(1)[0] / 255))
        receiver = Receiver()
        self.boots.append(self.board.boot(f"check={receiver.port}"))
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            with contextlib.closing(receiver.database(Path(name))) as database:
                check_later = check(database, load, cut, self.used, self.kind.flush_ms / 1000)
                if self.kind.fills:
                    check_history(database)
        self.jwt = self.board.login()
        if self.kind.fills and qemu_load.history(self.board, self.jwt):
            fail("the history in memory holds a request from before the cut")
        self.used = self.used_quota(self.jwt)
        ages = check_later(self.used)
        lost, answers = len(ages), len(load.answers) - len(self.early)
        self.board.chat(self.key)
        self.early = [time.monotonic()]  # counted with the next round: its flush may be due then
        self.answers += answers
        self.changes += load.changes
        self.lost += lost
        self.most = max(self.most, lost)
        self.oldest = max([self.oldest, *ages])
        print(f"cut {number}: {answers} answers, {load.changes} changes before it; all "
              f"changes there, usage of {lost} answers gone; serving after {self.boots[-1]:.1f} s",
              flush=True)

    def summary(self):
        """One line of all rounds."""
        boots, flush = sorted(self.boots), self.kind.flush_ms / 1000
        return (f"{len(boots)} cuts: {self.changes} acknowledged changes, none lost; "
                f"{self.answers} answers, usage of {self.lost} lost, at most {self.most} by one "
                f"cut, the oldest {self.oldest:.1f} s before it (a flush each {flush:.0f} s); "
                f"{len(boots)} times integrity_check: ok; boot to serving {boots[0]:.1f} / "
                f"{statistics.median(boots):.1f} / {boots[-1]:.1f} s (least, median, most)")


def main():
    """Boots, cuts, boots."""
    parser = argparse.ArgumentParser(prog="qemu-board.py", description=__doc__.splitlines()[0])
    parser.add_argument("--machine", choices=KINDS, default="sd")
    parser.add_argument("--cuts", type=int, default=2)
    parser.add_argument("--seconds", type=float,
                        help="of load before a cut, about; 3 s and a flush interval if not given")
    parser.add_argument("--binary", type=Path, help="dist/TARGET/tinygateway of the board file")
    given = parser.parse_args()
    kind, kernel = KINDS[given.machine], qemu_tools.kernel_folder()
    port = qemu_tools.start_upstream()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = make_board(kind, given.binary, folder)
        drive, files = make_drive(kind, made, folder)
        initrd = qemu_tools.make_initramfs(
            kernel, kind.machine, SCRIPT.replace("@MOUNT@", kind.mount), folder, files=files)
        image = qemu_tools.make_kernel(kernel, kind.machine, folder)
        board = qemu_tools.Board(kernel, kind.machine, image, initrd, drive)
        try:
            seconds = board.boot("first")
            print(f"Linux {qemu_tools.kernel_release(kernel)}, {kind.machine.name}, "
                  f"{kind.board}: serving {seconds:.0f} s after power on", flush=True)
            key = board.set_up(port)
            print("a chat completion went through the board; its console:")
            print("".join("  " + line for line in board.log), flush=True)
            if kind.has_no_clock:
                qemu_clock.check(board, key, board.login(), folder)
            seconds = given.seconds or 3 + kind.flush_ms / 1000
            rounds = Rounds(kind, board, key, seconds, folder)
            with contextlib.suppress(KeyboardInterrupt):  # Control-C ends with what was found
                if kind.fills:
                    qemu_load.fill_history(board, key, rounds.jwt, rounds.slots)
                for number in range(1, given.cuts + 1):
                    rounds.round(number)
            print(rounds.summary() if rounds.boots else "no cut")
        finally:
            board.cut()


if __name__ == "__main__":
    main()
