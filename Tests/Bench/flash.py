#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a simulated day, and an idle one, write with the storage settings of each board file.

usage: scripts/flash-bench.sh [--requests N] [--rows N] [--idle SECONDS] [--folder FOLDER]
                              [--write docs/flash.md] [BOARD…]

Board files with the same settings are measured once. The files lie in --folder (in memory, if
there is /dev/shm): what is counted is what the kernel is asked for, which is the same anywhere.
"""

import argparse
import datetime
import glob
import http.client
import os
import platform
import re
import shutil
import subprocess
import sys
import time

import flash_rows
import flash_report
import subjects
import system
import tools

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DAY = 86_400
KEYS = ("journal_mode", "synchronous", "locking_mode", "page_size", "cache_kb",
        "wal_autocheckpoint_pages", "journal_size_limit_kb", "flush_interval_ms", "flush_rows",
        "log_limit_mb", "history")
CALLS = "write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,sync_file_range"
FUTEX = {"x86_64": "202", "aarch64": "98"}  # the system call in which a thread waits for work
BODY = b'{"model":"mock","messages":[{"role":"user","content":"Hello"}]}'


def settings_of(board):
    """The keys of a board file, as text; defaults where it says nothing."""
    found = {"journal_mode": "wal", "synchronous": "full", "locking_mode": "exclusive",
             "page_size": "4096", "cache_kb": "512", "wal_autocheckpoint_pages": "1000",
             "journal_size_limit_kb": "4096", "flush_interval_ms": "5000", "flush_rows": "1000",
             "log_limit_mb": "64", "history": "flash"}
    with open(board, encoding="utf-8") as file:
        for line in file:
            match = re.match(r"([a-z_]+):\s*([^#]*)", line)
            if match and match[1] in KEYS:
                found[match[1]] = match[2].strip().strip('"')
    return tuple(found[key] for key in KEYS)


def requests_per_flush(settings, per_day):
    """Requests that one flush holds when a day's are spread evenly.

    The interval runs from the first of them; the flush begins a 64th of it early."""
    named = dict(zip(KEYS, settings))
    in_time = 1 + int(int(named["flush_interval_ms"]) * 63 / 64 / 1000 * per_day / DAY)
    return min(in_time, int(named["flush_rows"]))


class Board(subjects.Gateway):
    """The gateway with a board file, and a trace of what it writes to files."""

    def __init__(self, bench, label, binary, board):
        super().__init__(bench, label, binary)
        self.board = board
        self.trace = os.path.join(self.directory, "trace")
        self.more = []

    def command(self):
        return [*super().command(), "--board", self.board, "--listen", "127.0.0.1",
                "--tls-port", "0", *self.more]

    def start_traced(self):
        """Starts it under strace; the time from which writes count, once all is quiet."""
        self.start(["strace", "-f", "-ttt", "-y", "-s", "0", "-e", "trace=" + CALLS,
                    "-e", "signal=none", "-o", self.trace])
        time.sleep(1)
        return time.time()

    @property
    def gateway_pid(self):
        return next(pid for pid in system.tree(self.pid) if pid != self.pid)

    def backup(self):
        """Has a backup made as the schedule would; its size."""
        login = self._call("POST", "/api/v1/auth/login",
                           {"username": "root", "password": subjects.PASSWORD})
        return self._call("POST", "/api/v1/backups", None, login["token"])["size"]

    def stop_traced(self):
        os.kill(self.gateway_pid, 15)
        self.process.wait(15)
        self.stop()


def counted(trace, since, until, data):
    """Bytes, write calls and syncs of a folder's database between two times, by strace's lines."""
    call = re.compile(r"^(\d+)\s+(\d+\.\d+) (\w+)\(\d+<([^>]*)>")
    files = {}
    with open(trace, encoding="utf-8", errors="replace") as lines:
        pending = {}
        for line in lines:
            match, path = call.match(line), None
            if match:
                thread, when, name, path = match[1], float(match[2]), match[3], match[4]
                if "<unfinished" in line:
                    pending[thread] = (when, name, path)
                    continue
            elif "resumed>" in line and line.split(None, 1)[0] in pending:
                when, name, path = pending.pop(line.split(None, 1)[0])
            if path is None or not path.startswith(data + "/db.db") or not since <= when <= until:
                continue
            result = re.search(r"= (\d+)", line)
            entry = files.setdefault(os.path.basename(path), {"bytes": 0, "writes": 0, "syncs": 0})
            if name in ("fsync", "fdatasync", "sync_file_range"):
                entry["syncs"] += 1
            elif name != "ftruncate" and result:
                entry["bytes"] += int(result[1])
                entry["writes"] += 1
    return {key: sum(entry[key] for entry in files.values()) for key in
            ("bytes", "writes", "syncs")} | {"files": files}


class Storage:
    """The account of the storage thread: tells when a flush has ended."""

    def __init__(self, pid):
        for task in os.listdir(f"/proc/{pid}/task"):
            if system.slurp(f"/proc/{pid}/task/{task}/comm").strip() == "storage":
                self.folder = f"/proc/{pid}/task/{task}"
                return
        raise tools.Failure("the gateway has no thread named storage")

    def written(self):
        return int(re.search(r"wchar: (\d+)", system.slurp(self.folder + "/io"))[1])

    @property
    def waits(self):
        """Whether the thread waits for work: a slow sync is none."""
        return system.slurp(self.folder + "/syscall").split(" ")[0] == FUTEX[platform.machine()]

    def wait_for_flush(self, before, limit=20):
        """Waits until something was written and the thread has nothing more to do."""
        end, last, quiet = time.monotonic() + limit, before, 0
        while quiet < 3:
            if time.monotonic() > end:
                raise tools.Failure("no flush came")
            time.sleep(0.002)
            now = self.written()
            quiet = quiet + 1 if now == last and now != before and self.waits else 0
            last = now


def day(bench, binary, label, board, settings, requests):
    """So many requests in flushes as large as those of a day; what was written."""
    gateway = Board(bench, label, binary, board)
    gateway.prepare()
    per_flush = requests_per_flush(settings, requests)
    gateway.more = ["--flush-interval-ms", str(DAY * 1000), "--flush-rows", str(per_flush)]
    since = gateway.start_traced()
    try:
        storage = Storage(gateway.gateway_pid)
        before = system.directory_bytes(gateway.data)
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
        headers = {"Authorization": "Bearer " + gateway.key, "Content-Type": "application/json"}
        for number in range(1, requests + 1):
            mark = storage.written() if number % per_flush == 0 else 0
            connection.request("POST", "/v1/chat/completions", BODY, headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise tools.Failure(f"a request got {answer.status}")
            if number % per_flush == 0:
                storage.wait_for_flush(mark)
        connection.close()
        peak = int(re.search(r"VmHWM:\s+(\d+)",
                             system.slurp(f"/proc/{gateway.gateway_pid}/status"))[1])
        grown = system.directory_bytes(gateway.data) - before
        backup = gateway.backup()
    finally:
        gateway.stop_traced()
    # The stop writes the rest of the last flush and the last checkpoint: they belong to the day.
    result = counted(gateway.trace, since, time.time(), gateway.data)
    return result | {"requests": requests, "per_flush": per_flush, "peak_kb": peak,
                     "grown": grown, "backup": backup}


def idle(bench, binary, chosen, seconds):
    """Each board's gateway at once, unchanged and without a request; bytes that each wrote."""
    gateways = []
    for label, board in chosen:
        gateway = Board(bench, "idle-" + label, binary, board)
        gateway.prepare()
        gateways.append((label, gateway, gateway.start_traced()))
    time.sleep(seconds)
    until, results = time.time(), {}
    for label, gateway, since in gateways:
        gateway.stop_traced()
        results[label] = counted(gateway.trace, since, until, gateway.data)["bytes"]
    return results


def begun(trace):
    """When flash_rows.py wrote its mark, by the trace's own clock."""
    return float(re.search(r"^\d+\s+([\d.]+) write\(\d+<[^>]*/begun>", system.slurp(trace),
                           re.M)[1])


def by_rows(bench, label, settings, requests):
    """The same load written as One API does: five transactions per request."""
    folder = bench.path(f"rows-{label}")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    trace = folder + ".trace"
    named = dict(zip(KEYS, settings))
    subprocess.run(
        ["strace", "-f", "-ttt", "-y", "-s", "0", "-e", "trace=" + CALLS, "-e", "signal=none",
         "-o", trace, sys.executable, flash_rows.__file__, folder, str(requests),
         *(f"{key}={value}" for key, value in named.items())], check=True, timeout=900)
    return counted(trace, begun(trace), time.time(), folder) | {"requests": requests}


def main():
    """Runs everything and prints or writes the report."""
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1])
    memory = "/dev/shm/flash-bench" if os.access("/dev/shm", os.W_OK) else ".build/flash-bench"
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1000, help="requests written one by one")
    parser.add_argument("--idle", type=float, default=120)
    parser.add_argument("--folder", default=os.path.join(ROOT, memory))
    parser.add_argument("--write", metavar="FILE")
    parser.add_argument("boards", nargs="*", metavar="BOARD")
    options = parser.parse_args()
    binary = os.environ.get("TINYGATEWAY_BINARY", f"{ROOT}/dist/x86_64/tinygateway")
    if not shutil.which("strace"):
        sys.exit("flash-bench: no strace: apt-get install strace")
    groups = {}
    for board in sorted(glob.glob(f"{ROOT}/board-configs/*.yaml")):
        name = os.path.basename(board)[:-5]
        if not options.boards or name in options.boards:
            groups.setdefault(settings_of(board), []).append((name, board))
    if not groups:
        sys.exit("flash-bench: no such board in board-configs")
    bench = tools.Bench(os.path.abspath(options.folder), None)
    bench.start_mock()
    results = []
    try:
        idles = idle(bench, binary, [boards[0] for boards in groups.values()], options.idle)
        for settings, boards in groups.items():
            label, board = boards[0]
            print(f"flash-bench: {label}", file=sys.stderr, flush=True)
            results.append({
                "boards": [name for name, _ in boards], "settings": dict(zip(KEYS, settings)),
                "day": day(bench, binary, label, board, settings, options.requests),
                "rows": by_rows(bench, label, settings, options.rows),
                "idle": idles[label]})
    finally:
        system.stop_all()
        shutil.rmtree(bench.directory, ignore_errors=True)
    about = {"date": datetime.date.today().isoformat(), "machine": system.machine(),
             "requests": options.requests, "rows": options.rows, "idle": options.idle,
             "command": "scripts/flash-bench.sh " + " ".join(sys.argv[1:])}
    text = flash_report.document(about, results)
    if options.write:
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(text)
    print(text)
    if any(result["idle"] for result in results):
        sys.exit("flash-bench: something was written while idle")


if __name__ == "__main__":
    main()
