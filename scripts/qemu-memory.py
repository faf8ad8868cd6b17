#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the gateway on an emulated Orange Pi PC: how soon it serves, and what 32 MB hold.

    scripts/qemu-memory.py [--binary FILE] [--only start|streams]

start: time from exec to the first answer, by the board's clock, which advances by 2 ns with each
instruction: about a Cortex-A7 at 1 GHz, whatever else this machine does. A first start makes keys,
certificate and database; a second one finds them. Right after power on the kernel has no random
numbers yet, for which the first start of all must wait. Cards answer at once here.

streams: the gateway in a control group of 32 MB, TLS on both sides. 50 streams at once must arrive
whole; of 80 and 200, those beyond the limits must get 503 with Retry-After; 50 again afterwards.
Handshakes are made a few at a time, which is what the emulated processor has done in ten seconds.
"""

import argparse
import contextlib
import http.server
import json
import re
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import qemu_tools
from board_tools import ROOT, fail, tool
from qemu_tools import HOST

MACHINE = qemu_tools.ORANGEPI_PC
LIMIT_MB, STREAMS, CROWDS = 32, 50, (80, 200)
HANDSHAKES = 4
PATIENCE = 600                          # seconds for a crowd
CARD_BYTES = 64 << 20
TLS_PORT = 3443
WORDS = ["Hello ", "there, ", "a stream ", "over TLS."]
INSTRUCTIONS = "shift=1,sleep=off"      # of 2 ns each
SERVE = (f"/gateway/tinygateway serve --data-dir /mnt/UDISK/data --tls-port {TLS_PORT} "
         f"--memory-limit-mb {LIMIT_MB} --connections-per-address 400 --ca-file /gateway/ca.pem "
         # Emulated on a busy machine, 50 handshakes take a minute.
         "--connect-timeout-ms 300000 --header-timeout-ms 300000 --first-byte-timeout-ms 300000 "
         "--stream-idle-timeout-ms 300000")
SCRIPT = f"""
mount -o noatime @DEVICE@ /mnt/UDISK || echo "BOARD no card"
now() {{ cut -d ' ' -f 1 /proc/uptime; }}
mkdir -p /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup
echo +memory >/sys/fs/cgroup/cgroup.subtree_control
group=/sys/fs/cgroup/gateway; mkdir $group
echo {LIMIT_MB}M >$group/memory.max; echo 0 >$group/memory.swap.max
begin() {{
  echo "BOARD $1: exec at $(now)"
  (echo 0 >$group/cgroup.procs; exec {SERVE}) | while read -r line; do
    echo "BOARD $1: $line, at $(now)"; done &
  until wget -q -O /dev/null http://127.0.0.1:3000/api/v1/health; do :; done
  echo "BOARD $1: answered at $(now)"
  process=$(head -n 1 $group/cgroup.procs)
}}
end() {{ kill $process; while [ -d /proc/$process ]; do sleep 0.1; done; }}
if grep -q measure /proc/cmdline; then
  wget -q -O /dev/null http://127.0.0.1:3000/; cat /gateway/tinygateway >/dev/null
  begin boot; end; rm -r /mnt/UDISK/data
  begin first; end; begin second; end; echo "BOARD measured"
fi
begin streams
while sleep 2; do
  echo "BOARD memory: peak $(cat $group/memory.peak)," \\
    "$(tr '\\n' ' ' <$group/memory.events), $(grep VmHWM /proc/$process/status | tr -s ' \\t' ' ')"
done
"""


class Upstream(http.server.BaseHTTPRequestHandler):
    """Streams that begin at once and end together, when they are let go."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802
        """One stream."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self.server.lock:
            self.server.open += 1
        for number, word in enumerate(WORDS):
            if number == len(WORDS) - 1:
                self.server.let_go.wait(PATIENCE)
            self.event(json.dumps({
                "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
                "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}))
        self.event(json.dumps({
            "id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}))
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")
        with self.server.lock:
            self.server.open -= 1

    def event(self, data):
        """One event in a chunk of its own."""
        text = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(text), text))
        self.wfile.flush()

    def log_message(self, *_):
        """Says nothing."""


class Server(http.server.ThreadingHTTPServer):
    """An upstream with TLS; handshakes are made by the threads that serve."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, folder):
        super().__init__(("127.0.0.1", 0), Upstream)
        self.lock, self.open, self.let_go = threading.Lock(), 0, threading.Event()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "ca.pem", folder / "ca.key")
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        """Who goes away is counted by the clients."""


def make_certificate(folder):
    """A certificate for this machine as the board sees it, which is its own authority."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=host",
                    "-addext", f"subjectAltName=IP:{HOST}", "-keyout", folder / "ca.key", "-out",
                    folder / "ca.pem"], check=True, capture_output=True)


def make_board(folder, binary, more=()):
    """The board with an empty card."""
    kernel, card = qemu_tools.kernel_folder(), folder / "card.img"
    with card.open("wb") as file:
        file.truncate(CARD_BYTES)
    subprocess.run([tool("mkfs.ext4"), "-q", "-F", card], check=True)
    initrd = qemu_tools.make_initramfs(
        kernel, MACHINE, SCRIPT, folder,
        files={"gateway/tinygateway": binary, "gateway/ca.pem": folder / "ca.pem"})
    board = qemu_tools.Board(kernel, MACHINE, qemu_tools.make_kernel(kernel, MACHINE, folder),
                             initrd, card, more)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        board.tls_port = probe.getsockname()[1]
    board.command = [f"{word},hostfwd=tcp:127.0.0.1:{board.tls_port}-:{TLS_PORT}"
                     if str(word).startswith("user,") else word for word in board.command]
    return board


def measure_start(folder, binary):
    """How soon starts serve: right after power on, a first one, a second one."""
    board = make_board(folder, binary, ("-icount", INSTRUCTIONS))
    board.power_on("measure")
    try:
        board.said("BOARD measured")
    finally:
        board.cut()
    at = {}
    for line in board.log:
        if found := re.search(r"BOARD (boot|first|second): (exec|Server started on http:|answered)"
                              r".* at ([\d.]+)", line):
            at[found[1], found[2].split()[0]] = float(found[3])
    for name in ("boot", "first", "second"):
        begin, listening, answered = (at[name, what] for what in ("exec", "Server", "answered"))
        print(f"{name}: listening after {1000 * (listening - begin):.0f} ms, "
              f"first answer after {1000 * (answered - begin):.0f} ms")


class Crowd:
    """Clients that are there at once: whole streams, refusals."""

    def __init__(self, board, key, server, count):
        self.board, self.key, self.server, self.count = board, key, server, count
        self.whole = self.refused = 0
        self.wrong, self.handshakes = [], threading.Semaphore(HANDSHAKES)
        self.context = ssl.create_default_context()
        self.context.check_hostname, self.context.verify_mode = False, ssl.CERT_NONE

    def ask(self):
        """One client."""
        body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}],
                           "stream": True})
        try:
            with self.handshakes:
                plain = socket.create_connection(("127.0.0.1", self.board.tls_port), PATIENCE)
                secure = self.context.wrap_socket(plain, server_hostname="board")
            with secure:
                secure.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: "
                                f"close\r\nAuthorization: Bearer {self.key}\r\nContent-Length: "
                                f"{len(body)}\r\n\r\n{body}").encode())
                answer = b"".join(iter(lambda: secure.recv(65536), b"")).decode()
        except OSError as error:
            self.wrong.append(repr(error))
            return
        said = "".join(re.findall(r'"content":"([^"]*)"', answer.replace('": "', '":"')))
        if answer.startswith("HTTP/1.1 200") and said == "".join(WORDS) and "[DONE]" in answer:
            self.whole += 1
        elif answer.startswith("HTTP/1.1 503") and re.search("(?i)\nretry-after: [1-9]", answer):
            self.refused += 1
        else:
            self.wrong.append(answer[:300])

    def run(self):
        """All of them; the most that were open at once."""
        self.server.let_go.clear()
        threads = [threading.Thread(target=self.ask) for _ in range(self.count)]
        began = time.monotonic()
        for thread in threads:
            thread.start()
        while time.monotonic() - began < PATIENCE:
            most = self.server.open
            if most + self.refused + len(self.wrong) >= self.count:
                break
            time.sleep(0.1)
        self.server.let_go.set()
        for thread in threads:
            thread.join(PATIENCE)
        print(f"{self.count} clients: {most} streams at once, {self.whole} whole, "
              f"{self.refused} refused with 503 and Retry-After, in "
              f"{time.monotonic() - began:.0f} s", flush=True)
        if self.wrong or self.whole != most:
            fail(f"{len(self.wrong)} answers are neither whole nor refusals: {self.wrong[:2]}")
        return most


def hold_streams(folder, binary):
    """Streams within 32 MB."""
    server, board = Server(folder), make_board(folder, binary)
    try:
        board.boot()
        first = board.login("123456")
        jwt = board.call("PUT", "/api/v1/users/self/password", {
            "old_password": "123456", "new_password": qemu_tools.PASSWORD}, first)["data"]["token"]
        board.call("POST", "/api/v1/channels", {
            "name": "host", "type": "openai-compatible", "keys": ["k"], "models": ["m"],
            "base_url": f"https://HOST:{server.server_port}/v1".replace("HOST", HOST)}, jwt)
        key = board.call("POST", "/api/v1/tokens", {"name": "first"}, jwt)["data"]["key"]
        for count in (STREAMS, *CROWDS, STREAMS):
            most = Crowd(board, key, server, count).run()
            if most < STREAMS:
                fail(f"only {most} streams at once")
        board.log.clear()
        line = board.said("BOARD memory")
        print(line.strip().removeprefix("BOARD "))
        peak = int(re.search(r"peak (\d+)", line)[1])
        print(f"control group of {LIMIT_MB} MB: at most {peak / (1 << 20):.1f} MB")
        if "oom_kill 0" not in line:
            fail("the kernel has ended a process")
    finally:
        with contextlib.suppress(OSError):
            board.cut()


def main():
    """Both."""
    parser = argparse.ArgumentParser(prog="qemu-memory.py", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=Path, default=ROOT / "dist/armv7/tinygateway")
    parser.add_argument("--only", choices=("start", "streams"))
    given = parser.parse_args()
    if not given.binary.is_file():
        fail("there is no armv7 binary; type: make release TARGETS=armv7")
    for name, measure in (("start", measure_start), ("streams", hold_streams)):
        if given.only in (None, name):
            with tempfile.TemporaryDirectory() as path:
                make_certificate(Path(path))
                measure(Path(path), given.binary)


if __name__ == "__main__":
    main()
