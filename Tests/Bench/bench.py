#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures the gateway beside nginx on this machine; scripts/bench.sh starts it.

It prints a Markdown table, never fails on a speed, and leaves its results as JSON.
"""

import argparse
import json
import os
import signal
import sys
import time

import disk
import phases
import report
import subjects
import system
import tools

# Rounds, seconds of one run; of held streams the models of 100 and 1000, chunks, starts per second.
QUICK = {"rounds": 3, "c1": 0.4, "c64": 0.7, "big": 0.5, "streams": 0.6, "paced": 2,
         "unpaced": 2, "starts": 3, "idle": 2, "patience": 0.0,
         "held": ("mock-c20-i80", "mock-i80", 50, 600),
         "held_tls": ("mock-c20-i80", "mock-i80", 50, 400)}
FULL = {"rounds": 6, "c1": 1.5, "c64": 2.5, "big": 2.0, "streams": 2.0, "paced": 6,
        "unpaced": 4, "starts": 9, "idle": 10, "patience": 0.6,
        "held": ("mock-c20-i80", "mock-i100", 50, 600),
        "held_tls": ("mock-c20-i80", "mock-c80-i100", 80, 250)}


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="about a minute instead of five")
    parser.add_argument("--write", metavar="FILE", help="also write the Markdown document")
    parser.add_argument("--json", metavar="FILE", help="where the results go")
    parser.add_argument("--only", metavar="PHASES",
                        help="start,requests,big,streams,converted,disk,held,tls (comma-separated)")
    parser.add_argument("--binary", default=os.environ.get(
        "TINYGATEWAY_BINARY", "dist/x86_64/tinygateway"))
    parser.add_argument("--nginx", default=os.environ.get("NGINX", "nginx"))
    parser.add_argument("--directory", default=".build/bench", help="work directory, on a disk")
    parser.add_argument("--memory-limit", type=int, default=256, metavar="MB",
                        help="the gateway's memory_limit_mb (256: it must admit 1000 streams from "
                        "one address); 0 leaves its default")
    parser.add_argument("--gateway-command", metavar="COMMAND",
                        help="measure this in the gateway's place; `nginx` is nginx itself, else "
                        "a command with {port} and {upstream_port} (to try the benchmark)")
    parser.add_argument("--self-test", action="store_true",
                        help="only prove that the driver notices faults, 5 s")
    return parser.parse_args()


class Run:
    """One run of the benchmark: its subjects and its results."""

    def __init__(self, options):
        self.options, self.plan = options, QUICK if options.quick else FULL
        self.bench = tools.Bench(os.path.abspath(options.directory), options.nginx)
        self.results = {"versions": {}, "machine": system.machine(),
                        "date": time.strftime("%Y-%m-%d")}
        if options.memory_limit:
            self.results["limit_note"] = f" `memory_limit_mb` is {options.memory_limit}."
        self.results["partial"] = bool(options.only)
        self.wanted = options.only.split(",") if options.only else None

    def wants(self, phase):
        """Whether a group of phases was asked for."""
        return self.wanted is None or phase in self.wanted

    def gateway(self, label, tls=False):
        """The gateway, or what stands in for it, prepared."""
        command, limit = self.options.gateway_command, self.options.memory_limit
        settings = {"memory_limit_mb": limit} if limit else {}
        if command == "nginx":
            subject = subjects.Nginx(self.bench, label, tls)
        elif command:
            subject = subjects.Command(self.bench, label, command, tls)
        else:
            subject = subjects.Gateway(self.bench, label, self.options.binary, tls, settings)
        subject.prepare()
        return subject

    def nginx(self, label, tls=False):
        """nginx, prepared."""
        subject = subjects.Nginx(self.bench, label, tls)
        subject.prepare()
        return subject

    def measure(self):
        """All phases that were asked for; what is measured when one fails is kept."""
        self.bench.start_mock()
        pair = {"gateway": self.gateway("gateway"), "nginx": self.nginx("nginx")}
        self.results["versions"] = {name: s.version() for name, s in pair.items()}
        first = getattr(pair["gateway"], "first_start", None)
        if first:
            self.results["first_start"] = {"gateway": {"ms": first * 1000}}
        self.plain(pair)
        for subject in pair.values():
            subject.stop()
        if self.wants("disk") and isinstance(pair["gateway"], subjects.Gateway):
            self.writes(pair["gateway"])
        if self.wants("held"):
            self.hold("held", False)
        if self.wants("converted"):
            self.hold_converted()
        if self.wants("tls"):
            if "{" in (self.options.gateway_command or ""):
                phases.say("TLS is not measured with this stand-in")
            else:
                self.bench.start_tls()
                self.hold("held_tls", True)

    def plain(self, pair):
        """The phases on one pair of processes, from their start on."""
        plan, results, bench = self.plan, self.results, self.bench
        phases.patience = plan["patience"]
        times = plan["starts"] if self.wants("start") else 1
        results["start"] = phases.start_times(pair, times)
        phases.say("start", results["start"])
        if self.wants("start"):
            results["idle"] = phases.idle(pair, plan["idle"])
            results["idle_cpu"] = {n: {"us": r["cpu_us"] / r["seconds"]}
                                   for n, r in results["idle"].items()}
            results["after"] = phases.ten_thousand(pair, bench)
            phases.say("memory", {n: (results["idle"][n]["rss"], r["rss"])
                                  for n, r in results["after"].items()})
        if self.wants("requests"):
            for connections in (1, 64):
                phase = f"c{connections}"
                results[phase] = phases.plain_requests(pair, bench, plan["rounds"], plan[phase],
                                                       connections)
                self.tell(phase, "rps", "cpu_us")
            results["one"] = phases.one_core(pair, bench, 3, plan["c1"] / 2)
        if self.wants("big"):
            results["big"] = phases.plain_requests(pair, bench, plan["rounds"], plan["big"], 8,
                                                   padding=100_000)
            self.tell("big", "rps", "cpu_us")
        if self.wants("streams"):
            results["paced"] = phases.paced_streams(pair, bench, plan["paced"])
            self.tell("paced", "cpu_us", "added_p50")
            results["unpaced"] = phases.unpaced_streams(pair, bench, plan["unpaced"],
                                                        plan["streams"])
            self.tell("unpaced", "cpu_us", "chunks_per_s")
        if self.wants("converted") and isinstance(pair["gateway"], subjects.Gateway):
            results["converted"] = phases.converted_streams(pair["gateway"], bench, plan["paced"])
            phases.say("converted", results["converted"]["gateway"])
        results["end"] = {name: system.memory_kb(s.pid) for name, s in pair.items()}

    def tell(self, phase, *figures):
        """Progress: these figures of both."""
        result = self.results[phase]
        phases.say(phase, {name: {f: round(result[name][f], 1) for f in figures}
                           for name in ("gateway", "nginx")})

    def writes(self, gateway):
        """Bytes written per request, twice: by the kernel's account and by strace."""
        self.results["disk"] = {"gateway": disk.by_account(gateway)}
        phases.say("disk", self.results["disk"]["gateway"])
        traced = disk.by_trace(gateway)
        if traced:
            self.results["trace"] = {"gateway": traced}
            phases.say("write calls", traced)

    def hold(self, phase, tls):
        """1000 streams held open, each subject alone and freshly started."""
        self.results[phase], burst = {}, {}
        for subject in (self.gateway("gateway-" + phase, tls),
                        self.nginx("nginx-" + phase, tls)):
            name = "nginx" if self.results[phase] else "gateway"
            self.results[phase][name] = phases.memory_per_stream(
                subject, self.bench, *self.plan[phase])
            if not tls:
                burst[name] = phases.burst(subject)
                phases.say(name, "burst", burst[name])
            subject.stop()
        if burst:
            self.results["burst"] = burst

    def hold_converted(self):
        """As above, of the gateway alone, with streams that it converts."""
        subject = self.gateway("gateway-converted", False)
        if isinstance(subject, subjects.Gateway):
            few, many = "messages-c20-i80", "messages-c80-i100"
            _, _, chunks, per_second = self.plan["held"]
            self.results["held_converted"] = {"gateway": phases.memory_per_stream(
                subject, self.bench, few, many, 80, per_second)}
            subject.stop()

    def conclude(self, began):
        """Sums up what belongs to no phase."""
        rows = [row for phase in ("c1", "c64", "big", "paced") for name in ("gateway", "nginx")
                for row in self.results.get(phase, {}).get("rows", {}).get(name, [])]
        loads = [row["other_load"] for row in rows]
        self.results["other_load"] = phases.median(loads) or 0
        self.results["took_s"] = time.monotonic() - began
        self.results["command"] = "scripts/bench.sh" + (" --quick" if self.options.quick else "")
        failed = {}
        for name in ("gateway", "nginx"):
            count = self.results.get("after", {}).get(name, {}).get("failed", 0)
            for phase in ("c1", "c64", "big"):
                for row in self.results.get(phase, {}).get("rows", {}).get(name, []):
                    count += row["failed"]
            for phase in ("paced", "unpaced"):
                for row in self.results.get(phase, {}).get("rows", {}).get(name, []):
                    count += row["lost"]
            failed[name] = {"count": count}
        self.results["failed"] = failed


def self_test(bench):
    """The driver against the mock: what it must notice, it notices."""
    bench.start_mock()
    port, stream = bench.mock_port, ("-s", "-N", 50)
    cases = [
        ("plain requests", ("-c", 8, "-n", 200), "mock", {"ok": 200}),
        ("complete streams", (*stream, "-c", 20, "-n", 40), "mock-i1", {"ok": 40, "chunks": 2000}),
        ("a missing chunk", (*stream, "-n", 1), "mock-c49-i1", {"ok": 0, "short": 1}),
        ("a cut stream", (*stream, "-n", 1), "mock-i1-cut", {"ok": 0, "broken": 1, "chunks": 25}),
        ("a refusal", ("-n", 3), "mock-e429", {"ok": 0, "status": {"429": 3}}),
        ("a large prompt", ("-n", 3, "-b", 100_000), "mock", {"ok": 3}),
        ("a late answer", ("-n", 1, "-d", 0.2, "-t", 0.2), "mock-l2000", {"timeout": 1}),
    ]
    good = True
    for what, args, model, expected in cases:
        counts = bench.load(port, "none", *args, model=model)
        passed = all(counts[k] == v for k, v in expected.items())
        print(("ok    " if passed else "FAIL  ") + what)
        good = good and passed
    return 0 if good else 1


def run(options):
    """Measures, writes and prints; the exit status."""
    began = time.monotonic()
    this = Run(options)
    if options.self_test:
        return self_test(this.bench)
    try:
        this.measure()
    finally:
        this.conclude(began)
        target = options.json or os.path.join(options.directory, "result.json")
        with open(target, "w", encoding="utf-8") as file:
            json.dump(this.results, file, indent=1)
    print(report.heading(this.results) + "\n\n" + report.table(this.results))
    print("\n" + report.score(this.results))
    if options.write:
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(report.document(this.results))
    return 0


def main():
    """Runs, and leaves no process behind."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(run(arguments()))
    except tools.Failure as failure:
        sys.exit(f"bench: {failure}")
    finally:
        system.stop_all()


if __name__ == "__main__":
    main()
