# SPDX-License-Identifier: MIT
"""What the gateway writes to disk for 1,000 requests within one flush interval, last flush and
checkpoint of a stop included."""

import os
import re
import shutil
import time

import system
import tools

REQUESTS = 1000
CALLS = "write,writev,pwrite64,pwritev,pwritev2"
LINE = re.compile(r"^\d+\s+(\d+\.\d+) (\w+)\(\d+<([^>]*)>.* = (\d+)")
RESUMED = re.compile(r"^(\d+)\s+(\d+\.\d+) <\.\.\. \w+ resumed>.* = (\d+)")
UNFINISHED = re.compile(r"^(\d+)\s+\d+\.\d+ (\w+)\(\d+<([^>]*)>.*<unfinished")


def _written_until_reaped(process, limit=8):
    """Ends a process and reads its account of writes before it is reaped."""
    process.terminate()
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break
        time.sleep(0.005)
    return system.written([process.pid])


def by_account(gateway):
    """write_bytes and wchar of /proc/PID/io per request, and growth of the data directory."""
    before = system.directory_bytes(gateway.data)
    gateway.start()
    time.sleep(0.5)
    started = system.written([gateway.pid])
    counts = gateway.load("-c", 16, "-n", REQUESTS)
    running = system.written([gateway.pid])
    stopped = _written_until_reaped(gateway.process)
    gateway.stop()
    done = max(1, counts["ok"])
    return {
        "requests": counts["ok"],
        "write_bytes": (stopped["write_bytes"] - started["write_bytes"]) / done,
        "write_bytes_running": (running["write_bytes"] - started["write_bytes"]) / done,
        "wchar": (stopped["wchar"] - started["wchar"]) / done,
        "growth": (system.directory_bytes(gateway.data) - before) / done,
    }


def parse_trace(text, since):
    """Bytes per path that write calls gave to files after `since` (seconds since 1970)."""
    paths, pending = {}, {}
    for line in text.splitlines():
        unfinished = UNFINISHED.match(line)
        if unfinished:
            pending[unfinished[1]] = unfinished[3]
            continue
        match, resumed = LINE.match(line), RESUMED.match(line)
        if match:
            when, path, count = float(match[1]), match[3], int(match[4])
        elif resumed and resumed[1] in pending:
            when, path, count = float(resumed[2]), pending.pop(resumed[1]), int(resumed[3])
        else:
            continue
        if path.startswith("/") and not path.startswith("/dev/") and when >= since:
            paths[path] = paths.get(path, 0) + count
    return paths


def by_trace(gateway):
    """Exact bytes of write calls to files per request, from strace; None without strace."""
    if not shutil.which("strace"):
        return None
    trace = os.path.join(gateway.directory, "trace")
    gateway.start(["strace", "-f", "-ttt", "-y", "-s", "0", "-e", "trace=" + CALLS,
                   "-e", "signal=none", "-o", trace])
    try:
        time.sleep(0.5)
        since = time.time()
        counts = gateway.load("-c", 16, "-n", REQUESTS)
        traced = [pid for pid in system.tree(gateway.pid) if pid != gateway.pid]
        for pid in traced:
            os.kill(pid, 15)
        gateway.process.wait(15)
    except OSError as error:
        raise tools.Failure(f"strace: {error}") from error
    finally:
        gateway.stop()
    paths = parse_trace(system.slurp(trace), since)
    done = max(1, counts["ok"])
    return {"requests": counts["ok"], "bytes": sum(paths.values()) / done,
            "files": {os.path.basename(p): round(n / done, 1) for p, n in paths.items()}}
