#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots an emulated Orange Pi PC (Allwinner H3) with the gateway, and cuts its power under load.

    scripts/qemu-board.py [--cuts N]

Linux is Debian's for ARMv7 boards; the SD card is the data.ext4 that scripts/board.py makes, whose
install.sh and init script start the gateway. Each round: boot, chat completions, changes of
settings, SIGKILL of the emulator under load, boot, and everything that was acknowledged must be
there.
"""

import argparse
import contextlib
import gzip
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from board_tools import ROOT, fail, tool

MODULES = ("sunxi-mmc", "ext4", "dwmac-sun8i")
CARD_BYTES = 64 << 20
BOOT_SECONDS = 600
PASSWORD = "correct horse battery"
HOST = "10.0.2.2"                       # how the board sees this machine
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /usr/bin /etc /etc/init.d /var/run /mnt/UDISK /sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in $(cat /modules); do insmod "$module" 2>/dev/null; done
ip link set lo up
tries=0
until [ -b /dev/mmcblk0 ] && [ -d /sys/class/net/eth0 ] || [ $tries -gt 60 ]; do
  tries=$((tries + 1)); sleep 1; done
ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0; ip route add default via HOST
echo nameserver 10.0.2.3 >/etc/resolv.conf
mount -o noatime /dev/mmcblk0 /mnt/UDISK || echo "BOARD no card"
echo "BOARD installs at $(cut -d ' ' -f 1 /proc/uptime)"
/mnt/UDISK/install/tinygateway --version
echo "BOARD runs it: status $?, entropy $(cat /proc/sys/kernel/random/entropy_avail)"
sh /mnt/UDISK/install/install.sh
echo "BOARD installed at $(cut -d ' ' -f 1 /proc/uptime)"
echo "BOARD doctor"; tinygateway doctor
while :; do sleep 60; done
"""


def make_initramfs(kernel, folder):
    """BusyBox, the modules that the machine needs, and our init."""
    release = next((kernel / "lib/modules").iterdir()).name
    subprocess.run([tool("depmod"), "-b", kernel, release], check=True)
    wanted = {}
    for name in MODULES:
        shown = subprocess.run([tool("modprobe"), "-d", kernel, "-S", release, "--show-depends",
                                name], check=True, capture_output=True, text=True).stdout
        for path in re.findall(r"^insmod (\S+)", shown, re.M):
            wanted[path] = None
    root = folder / "root"
    (root / "bin").mkdir(parents=True)
    (root / "modules.d").mkdir()
    shutil.copy(next(kernel.glob("**/bin/busybox")), root / "bin/busybox")
    for path in wanted:
        shutil.copy(path, root / "modules.d")
    (root / "modules").write_text("".join(f"/modules.d/{Path(p).name}\n" for p in wanted))
    (root / "init").write_text(INIT.replace("HOST", HOST))
    (root / "init").chmod(0o755)
    names = subprocess.run(["find", ".", "-print0"], cwd=root, check=True, capture_output=True)
    archive = subprocess.run(["cpio", "-0", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root,
                             check=True, input=names.stdout, capture_output=True).stdout
    (folder / "initrd.gz").write_bytes(gzip.compress(archive, 1))
    return release


def make_card(folder, target_binary):
    """The board's image on a card whose size is a power of two."""
    text = (ROOT / "board-configs/orangepi-pc-sd.yaml").read_text(encoding="utf-8")
    text = text.replace("init_system: systemd", "init_system: busybox")
    text = text.replace("log_place: journal", "log_place: syslog")
    text = text.replace("data_dir: /var/lib/tinygateway", "data_dir: /mnt/UDISK/tinygateway")
    (folder / "orangepi-pc.yaml").write_text(text, encoding="utf-8")
    subprocess.run([sys.executable, ROOT / "scripts/board.py", folder / "orangepi-pc.yaml",
                    "--binary", target_binary, "--out", folder / "made"], check=True)
    card = folder / "card.img"
    shutil.copy(folder / "made/data.ext4", card)
    with card.open("r+b") as file:
        file.truncate(CARD_BYTES)


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers every chat completion with two words."""

    def do_POST(self):  # noqa: N802
        """One answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({
            "id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "Hello there"},
                 "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


class Board:
    """The emulated board."""

    def __init__(self, kernel, release, folder):
        self.folder, self.process, self.log = folder, None, []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        boot = kernel / "boot"
        tree = kernel / f"usr/lib/linux-image-{release}/sun8i-h3-orangepi-pc.dtb"
        self.command = [
            "qemu-system-arm", "-M", "orangepi-pc", "-m", "1G", "-nographic", "-no-reboot",
            "-kernel", boot / f"vmlinuz-{release}", "-initrd", folder / "initrd.gz", "-dtb", tree,
            "-append", "console=ttyS0,115200 quiet maxcpus=1 nosoftlockup", "-drive",
            f"if=sd,format=raw,file={folder / 'card.img'}", "-nic",
            f"user,hostfwd=tcp:127.0.0.1:{self.port}-:3000"]

    def boot(self):
        """Waits until the gateway answers; the seconds that took."""
        began = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in self.command],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, daemon=True).start()
        while time.monotonic() - began < BOOT_SECONDS:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError, ValueError):
                self.call("GET", "/api/v1/health")
                return time.monotonic() - began
            time.sleep(0.5)
        self.cut()
        fail("the gateway does not answer; the board's console:\n" + "".join(self.log[-40:]))

    def read(self):
        """Keeps what the console says."""
        for line in self.process.stdout:
            self.log.append(line.decode(errors="replace"))

    def cut(self):
        """The end of the power."""
        self.process.kill()
        self.process.wait()

    def call(self, method, path, body=None, key=None):
        """One request; the decoded answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json",
                     **({"Authorization": f"Bearer {key}"} if key else {})})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def login(self, password):
        """A token of the management API."""
        body = {"username": "root", "password": password}
        return self.call("POST", "/api/v1/auth/login", body)["data"]["token"]


def chat(board, key):
    """One chat completion; its text."""
    answer = board.call("POST", "/v1/chat/completions", {
        "model": "m", "messages": [{"role": "user", "content": "x"}]}, key)
    return answer["choices"][0]["message"]["content"]


def set_up(board, port):
    """The first minutes of an owner: password, channel, token, chat."""
    first = board.login("123456")
    jwt = board.call("PUT", "/api/v1/users/self/password",
                     {"old_password": "123456", "new_password": PASSWORD}, first)["data"]["token"]
    board.call("POST", "/api/v1/channels", {
        "name": "host", "type": "openai-compatible", "keys": ["k"], "models": ["m"],
        "base_url": f"http://HOST:{port}/v1".replace("HOST", HOST)}, jwt)
    key = board.call("POST", "/api/v1/tokens", {"name": "first"}, jwt)["data"]["key"]
    if chat(board, key) != "Hello there":
        fail("the chat completion is not the upstream's")
    return key


def tokens(board, jwt):
    """The names of all tokens."""
    names, page = set(), 1
    while True:
        data = board.call("GET", f"/api/v1/tokens?page_size=100&page={page}", None, jwt)["data"]
        names |= {item["name"] for item in data["items"]}
        if len(data["items"]) < 100:
            return names
        page += 1


def load_and_cut(board, key, seconds):
    """Requests and changes until the power goes; the names that were acknowledged, the requests."""
    jwt, acknowledged, answered = board.login(PASSWORD), [], [0]
    stopped = threading.Event()

    def ask():
        while not stopped.is_set():
            with contextlib.suppress(OSError, ValueError):
                chat(board, key)
                answered[0] += 1

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        name = f"token {len(acknowledged)} of {os.urandom(4).hex()}"
        board.call("POST", "/api/v1/tokens", {"name": name}, jwt)
        acknowledged.append(name)
    board.cut()
    stopped.set()
    thread.join(10)
    return acknowledged, answered[0]


def main():
    """Boots, cuts, boots."""
    parser = argparse.ArgumentParser(prog="qemu-board.py", description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=2)
    parser.add_argument("--binary", type=Path, default=ROOT / "dist/armv7/tinygateway")
    given = parser.parse_args()
    if not given.binary.is_file():
        fail("there is no armv7 binary; type: make release TARGETS=armv7")
    found = subprocess.run([ROOT / "cross/fetch.sh", "kernel"], check=True, capture_output=True,
                           text=True).stdout
    kernel = Path(found.strip())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        release = make_initramfs(kernel, folder)
        make_card(folder, given.binary)
        board = Board(kernel, release, folder)
        try:
            print(f"Linux {release}: serving {board.boot():.0f} s after power on")
            key, everything = set_up(board, server.server_port), []
            print("a chat completion went through the board")
            for number in range(1, given.cuts + 1):
                names, answered = load_and_cut(board, key, 5)
                everything += names
                board.boot()
                jwt = board.login(PASSWORD)
                there = tokens(board, jwt)
                missing = [name for name in everything if name not in there]
                if missing:
                    fail(f"cut {number} took {len(missing)} of {len(everything)} changes")
                chat(board, key)
                print(f"cut {number}: {answered} answers and {len(names)} changes before it; "
                      f"all {len(everything)} changes are there")
            findings = board.call("GET", "/api/v1/doctor", None, jwt)["data"]["findings"]
            for finding in findings:
                print(f"  {finding['level']:8} {finding['id']:16} {finding['message']}")
        finally:
            board.cut()


if __name__ == "__main__":
    main()
