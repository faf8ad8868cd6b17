# SPDX-License-Identifier: MIT
"""What the benchmark needs of the machine: processes pinned to a core, and the figures of /proc."""

import os
import platform
import resource
import socket
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
QUIET = 0.09  # seconds that others may use of 0.3
CORES = sorted(os.sched_getaffinity(0))
_LOAD, _SUBJECT = os.environ.get("BENCH_CPUS", f"{CORES[0]},{CORES[-1]}").split(",")
LOAD_CPU, SUBJECT_CPU = int(_LOAD), int(_SUBJECT)
NICE = int(os.environ.get("BENCH_NICE", "0"))
running = []


def slurp(path):
    """The text of a file; empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def _stat(pid):
    text = slurp(f"/proc/{pid}/stat")
    return text[text.rindex(")") + 2 :].split() if ")" in text else None


def tree(root):
    """`root` and all its living descendants."""
    children = {}
    for name in os.listdir("/proc"):
        fields = _stat(name) if name.isdigit() else None
        if fields:
            children.setdefault(int(fields[1]), []).append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        if os.path.exists(f"/proc/{pid}"):
            found.append(pid)
        todo += children.get(pid, [])
    return found


def cpu_seconds(root):
    """User and system time of the tree, ended threads included, to the nanosecond.

    Each process has a clock of its own (clock_getcpuclockid(3): the complement of its id, shifted
    by three, kind 2 for the scheduler's account); without it the ticks of /proc serve.
    """
    total = 0.0
    for pid in tree(root):
        try:
            total += time.clock_gettime((~pid << 3) | 2)
        except OSError:
            fields = _stat(pid)
            total += sum(int(x) for x in fields[11:13]) / TICKS if fields else 0
    return total


def memory_kb(root):
    """Resident and proportional memory of the tree in KiB, and its number of threads."""
    sums = {"rss": 0, "pss": 0, "threads": 0}
    for pid in tree(root):
        for line in slurp(f"/proc/{pid}/smaps_rollup").splitlines():
            name, _, value = line.partition(":")
            if name in ("Rss", "Pss"):
                sums[name.lower()] += int(value.split()[0])
        fields = _stat(pid)
        sums["threads"] += int(fields[17]) if fields else 0
    return sums


def written(pids):
    """Bytes given to write calls, and bytes that dirtied a file's pages, by these processes."""
    sums = {"wchar": 0, "write_bytes": 0}
    for pid in pids:
        for line in slurp(f"/proc/{pid}/io").splitlines():
            name, _, value = line.partition(": ")
            if name in sums:
                sums[name] += int(value)
    return sums


def directory_bytes(path):
    """The sizes of all files below a directory, added up."""
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                pass
    return total


def machine():
    """Processor, cores and kernel; deliberately not the host's name."""
    model = platform.machine()
    for line in slurp("/proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            model = line.split(": ", 1)[1]
            break
    memory = int(slurp("/proc/meminfo").split()[1]) / 1048576
    return (f"{model} ({platform.machine()}), {os.cpu_count()} cores, {memory:.1f} GiB, "
            f"Linux {platform.release()}")


def _busy_seconds():
    fields = [int(x) for x in slurp("/proc/stat").split("\n", 1)[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / TICKS


def free_port():
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(command, cpu, log, environment=None, directory=None):
    """Starts a process on one core, with all the descriptors it may have."""

    def prepare():
        os.sched_setaffinity(0, {cpu})
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
        if NICE:
            os.nice(NICE)
            try:
                with open("/proc/self/autogroup", "w", encoding="utf-8") as file:
                    file.write(str(NICE))
            except OSError:
                pass

    with open(log, "ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, env=environment, cwd=directory,
                                   start_new_session=True, preexec_fn=prepare)
    running.append(process)
    return process


def move(root, cpu):
    """Puts all threads of a process tree on one core."""
    for pid in tree(root):
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(task), {cpu})
        except OSError:
            pass


def stop(process, limit=8):
    """Ends a process that `spawn` started, and what it started, with SIGTERM, then SIGKILL."""
    if process is None:
        return
    family = [pid for pid in tree(process.pid) if pid != process.pid]
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for pid in family:
        try:
            os.kill(pid, 9)
        except OSError:
            pass
    if process in running:
        running.remove(process)


def stop_all():
    """Ends everything that still runs."""
    for process in list(running):
        stop(process, limit=2)


def quieten(limit):
    """Waits, at most `limit` seconds, until other programs leave the machine alone."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        before = _busy_seconds()
        time.sleep(0.3)
        if _busy_seconds() - before < QUIET:
            return


class Watch:
    """Processor time, peak memory and writes of a process tree while a `with` block runs.

    `other_load` is what all other programs used meanwhile, in percent of one core.
    """

    def __init__(self, root, ours=(), every=None):
        self.root, self.ours, self.every = root, ours, every
        self.peak = {"rss": 0, "pss": 0, "threads": 0}

    def __enter__(self):
        self._halt, self._sampler = threading.Event(), None
        self._began, self._busy = time.monotonic(), _busy_seconds()
        self._own, self._cpu = self._own_seconds(), cpu_seconds(self.root)
        if self.every:
            self._sampler = threading.Thread(target=self._sample)
            self._sampler.start()
        return self

    def __exit__(self, *_):
        self.cpu = cpu_seconds(self.root) - self._cpu
        self._halt.set()
        if self._sampler:
            self._sampler.join()
        self.seconds = time.monotonic() - self._began
        own = self._own_seconds() - self._own + self.cpu
        self.other_load = max(0.0, (_busy_seconds() - self._busy - own) / self.seconds * 100)

    def _own_seconds(self):
        t = os.times()
        mine = t.user + t.system + t.children_user + t.children_system
        return mine + sum(cpu_seconds(pid) for pid in self.ours)

    def _sample(self):
        while not self._halt.wait(self.every):
            for name, value in memory_kb(self.root).items():
                self.peak[name] = max(self.peak[name], value)
