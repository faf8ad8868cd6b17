# SPDX-License-Identifier: MIT
"""Emulated boards: Debian's kernel unpacked for them, an initramfs, power, requests."""

import contextlib
import dataclasses
import http.server
import json
import lzma
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

from board_tools import ROOT, fail, tool

BOOT_SECONDS = 600
PASSWORD = "correct horse battery"
HOST = "10.0.2.2"                       # how the board sees this machine
TEXT_OFFSET = 0x208000               # where Debian's kernel for many machines wants to lie
SIGNATURE = b"~Module signature appended~\n"
# What every machine does first. `mark` says how many seconds after power on something was reached.
INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /usr/bin /etc /etc/init.d /var/run /mnt/UDISK /sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mark() { echo "BOARD $1 at $(cut -d ' ' -f 1 /proc/uptime)"; }
mark init
while read -r module; do insmod $module; done </modules
mark modules
ip link set lo up
tries=0
until [ -e @DEVICE@ ] && [ -d /sys/class/net/eth0 ] || [ $tries -gt 600 ]; do
  tries=$((tries + 1)); sleep 0.1; done
ip link set eth0 up; ip address add 10.0.2.15/24 dev eth0; ip route add default via @HOST@
echo nameserver 10.0.2.3 >/etc/resolv.conf
mark devices
"""


@dataclasses.dataclass
class Machine:
    """One of QEMU's machines, and what Debian's kernel needs for it."""

    name: str                           # QEMU's name, with its options
    memory: str
    base: int                           # where RAM begins
    tree: str                           # device tree
    console: str
    device: str                         # the data's device, when it is there
    drive: str                          # how QEMU names the kind of drive
    modules: tuple
    words: str = ""                     # more words for the kernel


ORANGEPI_PC = Machine(
    "orangepi-pc", "1G", 0x40000000, "sun8i-h3-orangepi-pc.dtb", "ttyS0", "/dev/mmcblk0", "sd",
    ("sunxi-mmc", "ext4", "dwmac-sun8i"), "maxcpus=1")


def ast2600(chip):
    """The board with SPI NOR; chip: QEMU's name of it."""
    return Machine(
        f"ast2600-evb,fmc-model={chip}", "512M", 0x80000000, "aspeed-ast2600-evb.dtb", "ttyS4",
        "/dev/mtdblock0", "mtd", ("spi-aspeed-smc", "spi-nor", "mtdblock", "jffs2", "mdio-aspeed",
                               "ftgmac100"),
        "vmalloc=768M maxcpus=1")


AST2600 = ast2600("n25q128")


def kernel_folder():
    """Debian's kernel for ARMv7 boards, unpacked; fetched when it is not there."""
    found = subprocess.run([ROOT / "cross/fetch.sh", "kernel"], check=True, capture_output=True,
                           text=True).stdout
    return Path(found.strip())


def kernel_release(kernel):
    """The version of that kernel."""
    return next((kernel / "lib/modules").iterdir()).name


def make_kernel(kernel, machine, folder):
    """The kernel as it is after unpacking itself, which takes an emulated processor seconds."""
    packed = (kernel / "boot" / f"vmlinuz-{kernel_release(kernel)}").read_bytes()
    start = packed.rindex(b"\xfd7zXZ\x00")
    image = lzma.LZMADecompressor().decompress(packed[start:])
    address = machine.base + TEXT_OFFSET
    header = struct.pack(">IIIIIIIBBBB32s", 0x27051956, 0, 0, len(image), address, address,
                         zlib.crc32(image), 5, 2, 2, 0, b"Linux")
    header = header[:4] + struct.pack(">I", zlib.crc32(header)) + header[8:]
    path = folder / "kernel.uimage"
    path.write_bytes(header + image)
    return path


def module_paths(kernel, names):
    """The modules of that names with what they need, in the order of loading."""
    release = kernel_release(kernel)
    if not (kernel / "lib/modules" / release / "modules.dep").exists():
        subprocess.run([tool("depmod"), "-b", kernel, release], check=True)
    wanted = {}
    for name in names:
        shown = subprocess.run([tool("modprobe"), "-d", kernel, "-S", release, "--show-depends",
                                name], check=True, capture_output=True, text=True).stdout
        for path in re.findall(r"^insmod (\S+)", shown, re.M):
            wanted[Path(path)] = None
    return list(wanted)


def unsigned(content):
    """A module without its signature, whose check takes an emulated processor long."""
    if not content.endswith(SIGNATURE):
        return content
    length, = struct.unpack(">I", content[-len(SIGNATURE) - 4:-len(SIGNATURE)])
    return content[:-len(SIGNATURE) - 12 - length]


def make_initramfs(kernel, machine, script, folder, more=(), files=None):
    """BusyBox, modules (those of `more` are not loaded), files, INIT and a script; its path."""
    root = folder / "root"
    (root / "bin").mkdir(parents=True)
    (root / "modules.d").mkdir()
    shutil.copy(next(kernel.glob("**/bin/busybox")), root / "bin/busybox")
    paths = module_paths(kernel, machine.modules)
    for path in module_paths(kernel, more):
        (root / "modules.d" / path.name).write_bytes(unsigned(path.read_bytes()))
    for path in paths:
        (root / "modules.d" / path.name).write_bytes(unsigned(path.read_bytes()))
    (root / "modules").write_text("".join(f"/modules.d/{path.name}\n" for path in paths))
    text = (INIT + script).replace("@DEVICE@", machine.device).replace("@HOST@", HOST)
    (root / "init").write_text(text)
    (root / "init").chmod(0o755)
    for name, source in (files or {}).items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, root / name)
    names = subprocess.run(["find", ".", "-print0"], cwd=root, check=True, capture_output=True)
    archive = subprocess.run(["cpio", "-0", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root,
                             check=True, input=names.stdout, capture_output=True).stdout
    path = folder / "initrd"            # not packed: memory is there, time is not
    path.write_bytes(archive)
    return path


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers every chat completion with two words."""

    protocol_version = "HTTP/1.1"

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


class Quiet(http.server.ThreadingHTTPServer):
    """A server that says nothing of boards that vanish."""

    def handle_error(self, request, client_address):
        """Nothing."""


def start_upstream(certificate=None):
    """An upstream on a port of this machine, with TLS if it has a certificate; the port."""
    server = Quiet(("127.0.0.1", 0), Upstream)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


class Board:
    """An emulated board with the gateway: its power, its console, requests to it."""

    def __init__(self, kernel, machine, image, initrd, drive, more=()):
        self.drive, self.process, self.log = drive, None, []
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        tree = kernel / f"usr/lib/linux-image-{kernel_release(kernel)}" / machine.tree
        # Each module whose pages are made read-only costs an emulated processor half a second.
        self.words = (f"console={machine.console},115200 quiet nosoftlockup rodata=off "
                      f"{machine.words}")
        self.command = [
            "qemu-system-arm", "-M", machine.name, "-m", machine.memory, "-display", "none",
            "-serial", "stdio", "-monitor", "none", "-no-reboot", "-accel", "tcg,thread=single",
            "-kernel", image, "-initrd",
            initrd, "-dtb", tree, "-drive", f"if={machine.drive},format=raw,file={drive}", "-nic",
            f"user,hostfwd=tcp:127.0.0.1:{self.port}-:3000", *more]

    def power_on(self, words=""):
        """Starts the machine, with more words for the kernel."""
        self.log = []
        self.process = subprocess.Popen(
            [*map(str, self.command), "-append", f"{self.words} {words}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        threading.Thread(target=self.read, args=(self.process, self.log), daemon=True).start()

    @staticmethod
    def read(process, log):
        """Keeps what the console says."""
        for line in process.stdout:
            log.append(line.decode(errors="replace"))

    def boot(self, words=""):
        """Waits until the gateway answers; the seconds that took."""
        began = time.monotonic()
        self.power_on(words)
        while time.monotonic() - began < BOOT_SECONDS and self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                self.call("GET", "/api/v1/health")
                return time.monotonic() - began
            time.sleep(0.1)
        self.cut()
        fail("the gateway does not answer; the board's console:\n" + "".join(self.log[-40:]))

    def said(self, text, seconds=BOOT_SECONDS):
        """Waits for a line of the console that holds a text; the line."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            running = self.process.poll() is None
            for line in self.log:
                if text in line and line.endswith("\n"):
                    return line
            if not running:
                break
            time.sleep(0.05)
        fail(f"the board does not say {text!r}; its console:\n" + "".join(self.log[-40:]))

    def type(self, line):
        """Types a line at the console."""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

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

    def login(self, password=PASSWORD):
        """A token of the management API."""
        body = {"username": "root", "password": password}
        return self.call("POST", "/api/v1/auth/login", body)["data"]["token"]

    def chat(self, key, model="m"):
        """One chat completion; its text."""
        answer = self.call("POST", "/v1/chat/completions", {
            "model": model, "messages": [{"role": "user", "content": "x"}]}, key)
        return answer["choices"][0]["message"]["content"]

    def set_up(self, port):
        """The first minutes of an owner: password, channel, token, chat; the token's key."""
        first = self.login("123456")
        change = {"old_password": "123456", "new_password": PASSWORD}
        jwt = self.call("PUT", "/api/v1/users/self/password", change, first)["data"]["token"]
        self.call("POST", "/api/v1/channels", {
            "name": "host", "type": "openai-compatible", "keys": ["k"], "models": ["m"],
            "base_url": f"http://HOST:{port}/v1".replace("HOST", HOST)}, jwt)
        key = self.call("POST", "/api/v1/tokens", {"name": "first"}, jwt)["data"]["key"]
        if self.chat(key) != "Hello there":
            fail("the chat completion is not the upstream's")
        return key
