#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Lets a day pass on an emulated board whose gateway has nothing to do, and counts what is written.

    scripts/qemu-idle.py [--hours N] [--binary FILE] [NAME…]

A first boot makes what an owner has: password, channel, token, a chat completion, a backup. Then
the board boots, a day later, with a clock that advances with each instruction and jumps to the next
timer whenever the processor sleeps (-icount sleep=off): every timer of the day fires, the kernel's
and the gateway's, in minutes. The gateway has the board file's own settings. The backup that is due
since the first boot has changed something comes first: ten minutes after the start, or after 24
hours on a board without a clock. Counted is the time after it: the bytes that QEMU's chip takes for
the whole board, and the write calls of the gateway's process.
"""

import argparse
import datetime
import importlib
import re
import tempfile
import types
from pathlib import Path

import qemu_tools
from board_tools import ROOT, fail

flash_device = importlib.import_module("flash-device")

NAMES = ("ext4", "jffs2", "jffs2-small")
INSTRUCTIONS = "shift=1,sleep=off"      # of 2 ns each
LATER = datetime.timedelta(hours=25)
SETTLED = {"sd": 1, "mtd": 25}          # hours until the backup is made: with a clock, without
SERVING = "until wget -q -O /dev/null http://127.0.0.1:3000/api/v1/health; do sleep 1; done"
BACKUPS = "ls /mnt/UDISK/tinygateway/backups | wc -l"
CALLS = "tr '\\n' ' ' </proc/$(pidof tinygateway)/io"


class Scene:
    """One medium, through two boots."""

    def __init__(self, name, given, kernel, folder):
        self.name, self.kernel, self.folder = name, kernel, folder
        self.flash, self.trace = flash_device.FLASHES[name], folder / "trace"
        given = types.SimpleNamespace(rows=0, binary=given.binary)
        made = flash_device.make_board(self.flash, name, given, folder)
        self.drive, files = flash_device.make_drive(name, self.flash, made, folder)
        script = flash_device.SCRIPT.replace(
            "@MOUNT@", flash_device.mount_script(kernel, self.flash))
        self.initrd = qemu_tools.make_initramfs(
            kernel, self.flash.machine, script, folder, self.flash.more, files)
        self.image = qemu_tools.make_kernel(kernel, self.flash.machine, folder)

    def board(self, *more):
        """The board, off, and what counts for it."""
        events = (word for event in flash_device.TRACED for word in ("-trace", event))
        board = qemu_tools.Board(self.kernel, self.flash.machine, self.image, self.initrd,
                                 self.drive, ("-D", self.trace, *events, *more))
        return board, flash_device.Counter(self.name, board, self.trace)

    def own(self):
        """The first boot."""
        board, counter = self.board()
        try:
            board.boot(self.flash.words)
            board.set_up(qemu_tools.start_upstream())
            board.call("POST", "/api/v1/backups", {}, board.login())
            counter.console("/etc/init.d/S90tinygateway stop; umount /mnt/UDISK")
        finally:
            board.cut()

    def idle(self, hours):
        """The second boot: bytes at the chip, and what /proc says of the process before and after;
        hours by the board's clock."""
        now = datetime.datetime.now(datetime.timezone.utc) + LATER
        board, counter = self.board(
            "-icount", INSTRUCTIONS, "-rtc", f"base={now:%Y-%m-%dT%H:%M:%S}")
        try:
            board.power_on(self.flash.words)
            board.said("install: installed")    # what is typed earlier nobody reads
            counter.console(SERVING)
            for _ in range(SETTLED[self.flash.machine.drive]):
                counter.console("sleep 3600")
            before, began = flash_device.quiet(counter), self.uptime(counter)
            calls = numbers(counter.console(CALLS))
            made = counter.console(BACKUPS)
            for _ in range(hours):
                counter.console("sleep 3600")
            if counter.console(BACKUPS) != made or made == "1":
                fail("the backups are not those of before, or the one that was due is missing")
            after, ended = counter.read(), self.uptime(counter)
            later = numbers(counter.console(CALLS))
            if any("no data" in line for line in board.log):
                fail("the medium does not mount; the console:\n" + "".join(board.log))
        finally:
            board.cut()
        return (after[0] - before[0], {key: later[key] - calls[key] for key in later},
                (ended - began) / 3600)

    @staticmethod
    def uptime(counter):
        """Seconds since power on, by the board's clock."""
        return float(counter.console("cat /proc/uptime").split()[0])


def numbers(text):
    """What /proc/PID/io holds."""
    return {key: int(value) for key, value in re.findall(r"(\w+): (\d+)", text)}


def main():
    """One day on each medium."""
    parser = argparse.ArgumentParser(prog="qemu-idle.py", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--hours", type=int, default=25)
    parser.add_argument("--binary", type=Path, default=ROOT / "dist/armv7/tinygateway")
    given = parser.parse_args()
    if unknown := set(given.names) - set(NAMES):
        fail(f"there is no {', '.join(unknown)}; there are {', '.join(NAMES)}")
    kernel = qemu_tools.kernel_folder()
    for name in given.names or NAMES:
        with tempfile.TemporaryDirectory() as folder:
            scene = Scene(name, given, kernel, Path(folder))
            scene.own()
            size, calls, hours = scene.idle(given.hours)
        print(f"{scene.flash.label}, {scene.flash.board}: in {hours:.1f} hours {size} bytes at the "
              f"chip; the gateway: {calls['syscw']} write calls, {calls['wchar']} bytes, "
              f"{calls['write_bytes']} to a medium, {calls['syscr']} read calls", flush=True)
        if size or calls["write_bytes"]:
            fail("an idle board writes")


if __name__ == "__main__":
    main()
