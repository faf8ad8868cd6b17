#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where a proxy's processor time goes under load of the mock upstream.

perf       samples while the load runs (Debian's linux-perf); functions by share, kernel apart
callgrind  counts instructions (Debian's valgrind), 20 to 50 times slower, exact and repeatable
syscalls   system calls per request or chunk (Debian's strace)
order      writes cross/x86_64.order from callgrind's counts of both loads: what runs for every
           chunk and every request, for the linker to put together
training   writes cross/x86_64.profile from a binary that counts, for the compiler

Give an unstripped binary: TINYGATEWAY_BINARY or --binary. Examples:
    Tests/Bench/profile.sh
    Tests/Bench/profile.sh --tool syscalls --subject nginx
    Tests/Bench/profile.sh --tool callgrind --load streams --requests 200
    Tests/Bench/profile.sh --load big --callers
Counting anew for the compiler, and linking with the counts:
    PROFILE=generate scripts/release.sh x86_64
    Tests/Bench/profile.sh --tool training --binary .build/x86_64/release/TinyGateway
    scripts/release.sh x86_64
"""

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import order
import subjects
import system
import tools
import training

LOADS = {  # driver's arguments and model
    "requests": (("-c", 64), "mock"),
    "single": (("-c", 1), "mock"),
    "big": (("-c", 8, "-b", 100_000), "mock"),
    "streams": (("-c", 16, "-s", "-N", 50), "mock-i0"),
    "paced": (("-c", 100, "-s", "-N", 50, "-R", 213), "mock"),
    "few": (("-c", 5, "-s", "-N", 50), "mock"),
}
COUNTS = {"requests": 100_000, "single": 5000, "big": 10_000, "streams": 4000, "paced": 400,
          "few": 20}
SLOW_COUNTS = {"requests": 5000, "single": 2000, "big": 300, "streams": 300, "paced": 100,
               "few": 20}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="Tests/Bench/profile.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tool", choices=("perf", "callgrind", "syscalls", "order",
                                           "training"),
                        default="perf")
    parser.add_argument("--load", choices=sorted(LOADS), default="requests")
    parser.add_argument("--requests", type=int, help="how many, else a number that fits the tool")
    parser.add_argument("--tls", action="store_true", help="TLS towards the upstream")
    parser.add_argument("--subject", default="gateway", metavar="WHAT",
                        help="gateway, nginx, or a command with {port} and {upstream_port}")
    parser.add_argument("--top", type=int, default=40, metavar="N", help="functions shown")
    parser.add_argument("--callers", action="store_true", help="also who calls (perf, callgrind)")
    parser.add_argument("--binary", default=os.environ.get(
        "TINYGATEWAY_BINARY", "dist/x86_64/tinygateway"))
    parser.add_argument("--nginx", default=os.environ.get("NGINX", "nginx"))
    parser.add_argument("--directory", default=".build/bench", help="work directory")
    return parser.parse_args()


def need(program, package):
    """Fails with the package's name when a program is missing."""
    if not shutil.which(program):
        raise tools.Failure(f"no {program}: apt-get install -y {package}")


def demangled(text):
    """The text with Swift's names made readable where the toolchain is at hand."""
    command = next((c for c in (["swift", "demangle"], ["swift-demangle"])
                    if shutil.which(c[0])), None)
    if not command:
        return text
    done = subprocess.run([*command, "--simplified"], input=text, capture_output=True, text=True,
                          check=False)
    return done.stdout if done.returncode == 0 and done.stdout else text


def shown(command, top, keep=lambda line: line.strip()):
    """Runs a reporting command and prints the first `top` lines worth keeping."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise tools.Failure(f"{shlex.join(command)}: {done.stderr[-500:]}")
    lines = [re.sub(r"(\s+-){2}$", "", line.rstrip()) for line in done.stdout.splitlines()
             if keep(line)]
    print(demangled("\n".join(lines[:top]) + "\n"), end="")


def useful(line):
    """Whether a line of perf's report carries a figure."""
    return bool(line.strip()) and not line.startswith("#")


def of_program(line):
    """Whether it is about the program and not the kernel."""
    return useful(line) and "[.]" in line


class Profile:
    """One subject under one load and one tool."""

    def __init__(self, options):
        self.options = options
        self.bench = tools.Bench(os.path.abspath(options.directory), options.nginx)
        fitting = COUNTS if options.tool == "perf" else SLOW_COUNTS
        self.count = options.requests or fitting[options.load]
        self.bench.start_mock()
        if options.tls or options.tool == "training":
            self.bench.start_tls()
        self.subject = self._subject()
        self.subject.prepare()

    def _subject(self):
        name, tls = self.options.subject, self.options.tls
        if name == "gateway":
            return subjects.Gateway(self.bench, "profiled", self.options.binary, tls)
        if name == "nginx":
            return subjects.Nginx(self.bench, "profiled", tls)
        return subjects.Command(self.bench, "profiled", name, tls)

    def load(self, count):
        """Runs the load and says how it went."""
        settings, model = LOADS[self.options.load]
        counts = self.subject.load(*settings, "-n", count, "-d", 300, model=model, limit=600)
        if counts["ok"] != count:
            print(f"only {counts['ok']} of {count} answered well: {counts['status']}")
        return counts

    def pids(self):
        """All processes of the subject, comma-separated."""
        return ",".join(map(str, system.tree(self.subject.pid)))

    def perf(self):
        """Samples by function."""
        need("perf", "linux-perf")
        data = self.bench.path("perf.data")
        self.subject.start()
        self.load(min(500, self.count))
        sampling = (["-F", "499", "--call-graph", "dwarf"] if self.options.callers
                    else ["-F", "4999", "--call-graph", "fp"])
        recorder = subprocess.Popen(
            ["perf", "record", "-q", *sampling, "-o", data, "-p", self.pids()],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(0.5)
        with system.Watch(self.subject.pid, self.bench.ours) as watch:
            counts = self.load(self.count)
        recorder.send_signal(signal.SIGINT)
        _, errors = recorder.communicate(timeout=30)
        if recorder.returncode not in (0, -signal.SIGINT):
            raise tools.Failure(f"perf record: {errors[-500:]}")
        self.summary(counts, watch.cpu)
        base = ["perf", "report", "-i", data, "--stdio"]
        itself = [*base, "-g", "none", "--no-children", "--percent-limit", "0.2", "--sort"]
        top = self.options.top
        print("\nby object:")
        shown([*itself, "dso"], 8, useful)
        print("\nby function ([k] kernel, [.] program):")
        shown([*itself, "symbol"], top, useful)
        print("\nfunctions of the program alone:")
        shown([*itself, "symbol"], top, of_program)
        print("\nwith everything they call:")
        shown([*base, "-g", "none", "--children", "--percent-limit", "1", "--sort", "symbol"],
              top, of_program)
        if self.options.callers:
            print("\nwho calls:")
            shown([*base, "-G", "--no-children", "--percent-limit", "2", "--sort", "symbol"],
                  400, useful)

    def counted(self, *further):
        """Runs the load under callgrind; the files that it leaves, the largest first."""
        need("valgrind", "valgrind")
        out = self.bench.path("callgrind.out")
        for name in os.listdir(self.bench.directory):
            if name.startswith("callgrind.out"):
                os.remove(self.bench.path(name))
        self.subject.start(["valgrind", "--tool=callgrind", "--instr-atstart=no", "--trace-children"
                            "=yes", f"--callgrind-out-file={out}.%p", "--dump-instr=no", *further])
        self.load(20)
        instrument = ["callgrind_control", "-i"]
        subprocess.run([*instrument, "on"], check=True, stdout=subprocess.DEVNULL)
        counts = self.load(self.count)
        subprocess.run([*instrument, "off"], check=True, stdout=subprocess.DEVNULL)
        self.subject.stop()
        files = [self.bench.path(n) for n in os.listdir(self.bench.directory)
                 if n.startswith("callgrind.out.")]
        if not files:
            raise tools.Failure("callgrind left no counts: " + tools.tail(self.subject.log))
        self.summary(counts, None)
        files.sort(key=lambda f: os.stat(f).st_size, reverse=True)
        return files, counts["chunks"] or counts["ok"]

    def callgrind(self):
        """Instructions by function."""
        largest = self.counted()[0][0]
        extra = ["--tree=caller"] if self.options.callers else []
        for title, inclusive in (("itself", "no"), ("with what it calls", "yes")):
            print(f"\ninstructions per function, {title}, all {self.count} requests:")
            shown(["callgrind_annotate", f"--inclusive={inclusive}", "--threshold=99", *extra,
                   largest], self.options.top, lambda line: "%)" in line)

    def order(self):
        """The functions of the main thread that every chunk or request calls, for the linker."""
        runs = []
        for load in order.LOADS:
            self.options.load, self.count = load, SLOW_COUNTS[load]
            files, units = self.counted("--separate-threads=yes")
            kept = self.bench.path("order." + load)
            os.replace(next(f for f in files if f.endswith("-01")), kept)
            runs.append((kept, units))
        print(order.write("cross/x86_64.order", runs), "functions in cross/x86_64.order")

    def training(self):
        """The counts of all loads, for the compiler."""
        folder = self.bench.path("training")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        os.environ["LLVM_PROFILE_FILE"] = os.path.join(folder, "other")  # asked for its version
        for index, (load, count, tls) in enumerate(training.LOADS):
            self.options.load, self.options.tls = load, tls
            self.subject = self._subject()
            self.subject.prepare()
            self.subject.start(["env", f"LLVM_PROFILE_FILE={folder}/{index}.profraw"])
            counts = self.load(count)
            if counts["ok"] != count:
                raise tools.Failure("not every request was answered well")
            self.summary(counts, None)
            self.subject.stop()
        print(training.write("cross/x86_64.profile", folder), "functions in cross/x86_64.profile")

    def syscalls(self):
        """System calls per request."""
        need("strace", "strace")
        out = self.bench.path("syscalls")
        self.subject.start()
        self.load(100)
        attach = [x for pid in system.tree(self.subject.pid) for x in ("-p", str(pid))]
        tracer = subprocess.Popen(["strace", "-f", "-c", "-qq", "-o", out, *attach],
                                  stderr=subprocess.PIPE, text=True)
        time.sleep(0.7)
        counts = self.load(self.count)
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=30)
        self.summary(counts, None)
        per_chunk = counts["chunks"] or 0
        print(f"\n{'system call':<20}{'calls':>10}{'per request':>14}"
              + (f"{'per chunk':>12}" if per_chunk else "") + f"{'errors':>10}")
        for line in system.slurp(out).splitlines()[2:]:
            fields = line.split()
            if len(fields) < 5 or fields[0].startswith("-"):
                continue
            calls, errors = int(fields[3]), fields[4] if len(fields) > 5 else ""
            chunk = f"{calls / per_chunk:>12.3f}" if per_chunk else ""
            print(f"{fields[-1]:<20}{calls:>10}{calls / counts['ok']:>14.3f}{chunk}{errors:>10}")

    def summary(self, counts, cpu):
        """What ran."""
        text = f"{self.subject.version()}: {self.options.load}, {counts['ok']} answered"
        if counts["chunks"]:
            text += f", {counts['chunks']} chunks"
        if cpu:
            text += f", {cpu / counts['ok'] * 1e6:.1f} µs of CPU per request"
        print(text)


def main():
    """Profiles, and leaves no process behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    try:
        getattr(Profile(options), options.tool)()
    except tools.Failure as failure:
        sys.exit(f"profile: {failure}")
    finally:
        system.stop_all()


if __name__ == "__main__":
    main()
