#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Bytes that reach an emulated flash device for 1,000 requests, by file system.

    scripts/flash-device.py [--requests N] [--rows N] [--write FILE] [NAME…]

The gateway runs on an emulated board with the storage settings of a board file, on the file
system of that board; it flushes at --rows (100) requests, or with 0 as the board file says. Each
measurement: boot, a first chat completion, `sync`, then either the requests or as much time
without any, the gateway's own stop, `sync`; the device's counter before and after. SD card and NOR
are counted by QEMU's chips (-trace), NAND by nandsim.
"""

import argparse
import concurrent.futures
import dataclasses
import datetime
import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

import qemu_folder
import qemu_tools
from board_tools import ROOT, fail, read_board, tool

MIB = 1 << 20
NAND_PAGE, CARD_BLOCK = 2048, 512
# One line of QEMU's log for each byte programmed, each block of a card, each sector erased.
TRACED = ("m25p80_page_program", "m25p80_flash_erase", "sdcard_write_block")
SCRIPT = """
load() { insmod /modules.d/$1.ko $2; }
@MOUNT@
mark mounted
sh /install/install.sh
while read -r line; do eval "$line"; done
"""
NAND = """
@LOAD@
mount -t ubifs -o noatime ubi0:UDISK /mnt/UDISK || echo "BOARD no data"
mount -t debugfs debug /sys/kernel/debug
echo 'module nandsim +p' >/sys/kernel/debug/dynamic_debug/control
"""


@dataclasses.dataclass
class Flash:
    """One file system, what it lies on, and the most that 1,000 requests may write."""

    label: str
    board: str
    machine: qemu_tools.Machine
    mount: str
    goal: float
    more: tuple = ()
    words: str = ""


CARD = "mount -t {0} -o noatime /dev/mmcblk0 /mnt/UDISK || echo 'BOARD no data'"
NOR = "mount -t jffs2 -o noatime /dev/mtdblock0 /mnt/UDISK || echo 'BOARD no data'"
FLASHES = {
    "jffs2": Flash("JFFS2, SPI NOR 16 MiB, 4 KiB sectors", "generic-armv5te", qemu_tools.AST2600,
                   NOR, 0.8),
    "jffs2-small": Flash("JFFS2, SPI NOR 16 MiB, 4 KiB sectors", "lichee-zero-v3s-spinor",
                         qemu_tools.AST2600, NOR, 0.8),
    "ubifs": Flash("UBIFS, NAND 128 MiB (nandsim)", "t113-s3-spinand", qemu_tools.ORANGEPI_PC,
                   NAND, 0.45, ("nandsim", "ubi", "lzo", "deflate", "zstd", "ubifs"),
                         "log_buf_len=16M"),
    "ext4": Flash("ext4, SD card 64 MiB", "orangepi-pc-sd", qemu_tools.ORANGEPI_PC,
                  CARD.format("ext4"), 1.3),
    "f2fs": Flash("F2FS, SD card 64 MiB", "orangepi-pc-sd", qemu_tools.ORANGEPI_PC,
                  CARD.format("f2fs"), 1.1, ("crc32_generic", "f2fs")),
}


def make_board(flash, name, given, folder):
    """The board's folder, for this file system."""
    changes = {"log_place": "none", "target": "armv7", "file_system": name.partition("-")[0]}
    if given.rows:
        changes["flush_rows"] = str(given.rows)
    return qemu_folder.make_board(flash.board, folder, changes, binary=given.binary)


def make_drive(name, flash, made, folder):
    """An empty medium; the files of the read-only root."""
    path = folder / "drive.img"
    path.write_bytes(b"\xff" * (16 * MIB) if flash.machine.drive == "mtd" else b"")
    if flash.machine.drive == "sd":
        os.truncate(path, 64 * MIB)
    if name == "ext4":
        subprocess.run([tool("mkfs.ext4"), "-q", "-F", path], check=True)
    if name == "f2fs":
        subprocess.run([tool("mkfs.f2fs"), "-q", path], check=True)
    files = {f"install/{file}": made / file for file in qemu_folder.INSTALLED}
    if name == "ubifs":
        files["data.ubi"] = made / "data.ubi"
    return path, files


def mount_script(kernel, flash):
    """The lines that load what is not loaded at once, and mount."""
    lines, options = [], {
        "nandsim": "first_id_byte=0xec second_id_byte=0xa1 third_id_byte=0 fourth_id_byte=0x15 "
                   "log=1",
        "ubi": "mtd=0,2048"}
    for path in qemu_tools.module_paths(kernel, flash.more):
        if path.stem == "ubi":          # the image first, since BusyBox makes no volumes
            lines.append(f"dd if=/data.ubi of=/dev/mtd0 bs={NAND_PAGE} 2>/dev/null; rm /data.ubi")
        lines.append(f"load {path.stem} '{options.get(path.stem, '')}'")
    loading = "\n".join(lines)
    if "@LOAD@" in flash.mount:
        return flash.mount.replace("@LOAD@", loading)
    return loading + "\n" + flash.mount


class Counter:
    """What has reached the device."""

    def __init__(self, name, board, trace):
        self.name, self.board, self.number = name, board, 0
        self.trace, self.offset, self.size, self.erased = trace, 0, 0, 0

    def console(self, command):
        """What a command says on the board."""
        self.number += 1
        # In two words, since the console repeats what is typed.
        self.board.type(f"echo \"ANS\"\"WER{self.number} $({command})\"")
        return self.board.said(f"ANSWER{self.number} ").split(f"ANSWER{self.number} ")[1].strip()

    def read(self):
        """Bytes written or programmed and sectors erased until now, after a sync."""
        self.console("sync; sync; sleep 1; sync")
        if self.name == "ubifs":
            pages = self.console("dmesg | grep -c 'programm page'")
            return int(pages) * NAND_PAGE, int(self.console("dmesg | grep -c 'erase sector'"))
        with self.trace.open("rb") as file:
            file.seek(self.offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self.offset += len(line)
                self.size += line.startswith(b"m25p80_page_program ")
                self.size += CARD_BLOCK * line.startswith(b"sdcard_write_block ")
                self.erased += line.startswith(b"m25p80_flash_erase ")
        return self.size, self.erased


def quiet(counter):
    """Waits until the file system has prepared its medium; the counter then."""
    last = counter.read()
    for _ in range(60):
        time.sleep(2)
        now = counter.read()
        if now == last:
            return now
        last = now
    fail("the file system never comes to rest")


def measure(name, given, kernel, requests, seconds):
    """Bytes, erases and seconds of a run with requests, or of that many seconds without."""
    flash = FLASHES[name]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made = make_board(flash, name, given, folder)
        drive, files = make_drive(name, flash, made, folder)
        script = SCRIPT.replace("@MOUNT@", mount_script(kernel, flash))
        initrd = qemu_tools.make_initramfs(kernel, flash.machine, script, folder, flash.more, files)
        trace = folder / "trace"
        board = qemu_tools.Board(
            kernel, flash.machine, qemu_tools.make_kernel(kernel, flash.machine, folder), initrd,
            drive, ("-D", trace, *(word for event in TRACED for word in ("-trace", event))))
        counter = Counter(name, board, trace)
        try:
            board.boot(flash.words)
            if any("no data" in line for line in board.log):
                fail("the medium does not mount; the board's console:\n" + "".join(board.log))
            key = board.set_up(qemu_tools.start_upstream())
            before, began = quiet(counter), time.monotonic()
            if requests:
                with concurrent.futures.ThreadPoolExecutor(4) as pool:
                    answers = list(pool.map(lambda _: board.chat(key), range(requests)))
                if answers != ["Hello there"] * requests:
                    fail("a chat completion failed")
                seconds = time.monotonic() - began
            else:
                time.sleep(seconds)
            counter.console("/etc/init.d/S90tinygateway stop")
            after = counter.read()
        finally:
            board.cut()
        return after[0] - before[0], after[1] - before[1], seconds


def row(name, given, kernel):
    """One line of the table."""
    flash, settings = FLASHES[name], read_board(ROOT / f"board-configs/{FLASHES[name].board}.yaml")
    size, erased, seconds = measure(name, given, kernel, given.requests, 0)
    idle, idle_erased, _ = measure(name, given, kernel, 0, seconds)
    per_thousand = (size - idle) / given.requests * 1000 / MIB
    words = ", ".join([settings["journal_mode"], f"page {settings['page_size']}",
                       f"flush {int(settings['flush_interval_ms']) // 1000} s or "
                       f"{given.rows or settings['flush_rows']} rows",
                       f"history in {settings.get('history', 'flash')}"])
    cells = [flash.label, f"`{flash.board}`: {words}", f"{seconds:.0f} s", f"{size / 1024:,.0f}",
             f"{idle / 1024:,.0f}", f"{erased - idle_erased}" if erased else "–",
             f"{per_thousand:.2f}", f"{flash.goal}"]
    line = "| " + " | ".join(cells) + " |"
    print(line, flush=True)
    return line


HEAD = """# Bytes that reach the flash

Written by `{command}`; do not edit by hand.

- Date: {date}; Linux {release} (Debian's for ARMv7) on emulated boards, {emulator}
- {requests} requests one after the other in four threads, as fast as the emulated board answers

**What is counted.** Before: boot, password, channel, token, one chat completion, `sync`, and a
wait until two readings two seconds apart agree. Then the requests; the gateway's own stop, which
writes what has gathered and folds the log back; `sync`; the second reading. The control is the
same on a new medium with as many seconds without a request: it holds the stop's own writing. The
settings are the board file's, but for `data_dir`, `init_system`, `file_system`, `log_place`,
`target`{rows}. A flush comes after its interval or its number of rows, so this is the load of a
busy board; what a quiet board writes per request, flush by flush, is in [flash.md](flash.md).

**Where.** SD card: blocks of 512 bytes that QEMU's card takes (`-trace sdcard_write_block`). SPI
NOR: bytes that QEMU's chip programmes (`-trace m25p80_page_program`), and sectors that it erases.
NAND: pages of 2048 bytes that nandsim, the kernel's simulated chip, programmes (its log), without
their spare bytes. Nothing of this is a real chip.

| file system, medium | settings | time | KiB, requests and stop | KiB, control | erased | \
MiB per 1,000 requests | at most |
| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |
"""


def main():
    """Measures each file system; writes the table."""
    parser = argparse.ArgumentParser(prog="flash-device.py", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FLASHES))
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--binary", type=Path, default=ROOT / "dist/armv7/tinygateway")
    given = parser.parse_args()
    given.requests = max(given.requests, 1)
    if unknown := set(given.names) - set(FLASHES):
        fail(f"there is no {', '.join(unknown)}; there are {', '.join(FLASHES)}")
    kernel = qemu_tools.kernel_folder()
    lines = [row(name, given, kernel) for name in given.names or FLASHES]
    if given.write:
        said = subprocess.run(["qemu-system-arm", "--version"], check=True, capture_output=True,
                              text=True).stdout
        given.write.write_text(HEAD.format(
            command="make flash-device", date=datetime.date.today(), requests=f"{given.requests:,}",
            rows=f" and `flush_rows: {given.rows}`" if given.rows else "",
            release=qemu_tools.kernel_release(kernel),
            emulator="QEMU " + re.search(r"version (\S+)", said)[1]) + "\n".join(lines) + "\n",
            encoding="utf-8")


if __name__ == "__main__":
    main()
