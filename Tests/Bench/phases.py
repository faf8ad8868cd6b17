# SPDX-License-Identifier: MIT
"""The measurements. Gateway and nginx take turns in every phase, so that whatever else the machine
does meanwhile falls on both; each ratio is the median of the ratios of neighbouring runs."""

import statistics
import sys
import time

import system

CHUNKS = 50
PACED = ("-s", "-c", 100, "-n", 100, "-N", CHUNKS, "-R", 213, "-t", 30)


BEGAN = time.monotonic()
patience = 0.6  # seconds to wait before each round for a quiet machine


def say(*words):
    """Progress, on stderr."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  " + " ".join(str(w) for w in words),
          file=sys.stderr, flush=True)


def median(values):
    """The median of what is not None; None of nothing."""
    known = [v for v in values if v is not None]
    return statistics.median(known) if known else None


def summary(rows):
    """Medians of the runs; of 99th percentiles the best run, least disturbed by others."""
    return {k: (min if k.startswith("p99") else median)([r[k] for r in rows])
            for k in rows[0]} if rows else {}


def ratios(gateway, nginx):
    """(median, least, greatest) over neighbouring runs of gateway : nginx, for every figure."""
    out = {}
    for k in gateway[0] if gateway and nginx else ():
        each = [g[k] / n[k] for g, n in zip(gateway, nginx) if n[k] and g[k] is not None]
        if each:
            out[k] = (median(each), min(each), max(each))
    return out


def take_turns(rounds, runs):
    """Runs each of `runs` {name: function} once per round, in alternating order."""
    rows = {name: [] for name in runs}
    for i in range(rounds):
        system.quieten(patience)
        for name in list(runs)[:: 1 if i % 2 == 0 else -1]:
            rows[name].append(runs[name]())
    out = {name: summary(r) for name, r in rows.items()}
    out["ratio"] = ratios(rows.get("gateway"), rows.get("nginx"))
    out["rows"] = rows
    return out


def added(result, figure):
    """Per subject, the median over the rounds of its figure minus the direct one."""
    direct = result["rows"]["direct"]
    for name in result["rows"]:
        if name != "direct":
            rows = result["rows"][name]
            result[name]["added_" + figure] = median(
                [r[figure] - d[figure] for r, d in zip(rows, direct)])


def watched(subject, bench, *arguments, model="mock"):
    """One driver run against a subject with its processor time."""
    with system.Watch(subject.pid, bench.ours) as watch:
        counts = subject.load(*arguments, model=model)
    return counts, watch


def requests_run(subject, bench, *arguments):
    """Plain requests: throughput, latency, processor time per request."""
    counts, watch = watched(subject, bench, *arguments)
    return {
        "rps": counts["rps"], "p50": counts["latency_us"]["p50"],
        "p99": counts["latency_us"]["p99"], "failed": counts["sent"] - counts["ok"],
        "cpu_us": watch.cpu / max(1, counts["ok"]) * 1e6,
        "core": watch.cpu / max(0.001, counts["seconds"]) * 100, "other_load": watch.other_load,
    }


def direct_run(bench, *arguments):
    """Plain requests straight to the mock upstream."""
    counts = bench.load(bench.mock_port, "none", *arguments)
    return {"rps": counts["rps"], "p50": counts["latency_us"]["p50"],
            "p99": counts["latency_us"]["p99"]}


def one_core(subjects, bench, rounds, seconds):
    """One connection with everything on the load's core: no sleeping core has to be woken, so the
    added latency is the work itself and not the machine's way of waking a core."""
    for subject in subjects.values():
        system.move(subject.pid, system.LOAD_CPU)
    try:
        return plain_requests(subjects, bench, rounds, seconds, 1)
    finally:
        for subject in subjects.values():
            system.move(subject.pid, system.SUBJECT_CPU)


def start_times(subjects, times):
    """Milliseconds from process start to the first answer; leaves the subjects running."""
    rows = {name: [] for name in subjects}
    for i in range(times):
        for name, subject in subjects.items():
            rows[name].append(subject.start() * 1000)
            if i < times - 1:
                subject.stop()
    return {name: {"ms": median(r), "worst_ms": max(r)} for name, r in rows.items()}


def idle(subjects, seconds):
    """Memory, processor time and writes while nothing happens."""
    time.sleep(1.5)
    before = {}
    for name, s in subjects.items():
        before[name] = (system.written(system.tree(s.pid)), system.directory_bytes(s.directory),
                        system.cpu_seconds(s.pid))
    time.sleep(seconds)
    out = {}
    for name, s in subjects.items():
        was, size, cpu = before[name]
        now = system.written(system.tree(s.pid))
        out[name] = dict(
            system.memory_kb(s.pid), seconds=seconds,
            cpu_us=(system.cpu_seconds(s.pid) - cpu) * 1e6,
            write_bytes=now["write_bytes"] - was["write_bytes"],
            wchar=now["wchar"] - was["wchar"],
            growth=system.directory_bytes(s.directory) - size)
    return out


def ten_thousand(subjects, bench):
    """Memory after 10,000 requests at 64 connections, once those are closed."""
    out = {}
    for name, subject in subjects.items():
        with system.Watch(subject.pid, bench.ours, every=0.1) as watch:
            counts = subject.load("-c", 64, "-n", 10000)
        time.sleep(0.5)
        out[name] = dict(system.memory_kb(subject.pid), peak_rss=watch.peak["rss"],
                         failed=counts["sent"] - counts["ok"])
    return out


def plain_requests(subjects, bench, rounds, seconds, connections, padding=0):
    """Closed loop with so many connections; `direct` beside it unless the prompt is padded."""
    arguments = ("-c", connections, "-d", seconds, "-b", padding)
    runs = {} if padding else {
        "direct": lambda: direct_run(bench, "-c", connections, "-d", min(1, seconds))}
    for name, subject in subjects.items():
        subject.load("-c", connections, "-d", 0.3, "-b", padding)
        runs[name] = lambda s=subject: requests_run(s, bench, *arguments)
    result = take_turns(rounds, runs)
    if not padding:
        added(result, "p50")
        added(result, "p99")
    return result


def stream_figures(counts):
    """The delays of one streaming run, in microseconds."""
    return {"p50": counts["delay_us"]["p50"], "p99": counts["delay_us"]["p99"],
            "p50_first": counts["first_us"]["p50"], "lost": counts["sent"] - counts["ok"]}


def paced_streams(subjects, bench, rounds):
    """100 streams with a chunk every 20 ms: delay and processor time per chunk."""

    def run(subject):
        counts, watch = watched(subject, bench, *PACED)
        return dict(stream_figures(counts), other_load=watch.other_load,
                    cpu_us=watch.cpu / max(1, counts["chunks"]) * 1e6)

    runs = {"direct": lambda: stream_figures(bench.load(bench.mock_port, "none", *PACED))}
    runs |= {name: (lambda s=subject: run(s)) for name, subject in subjects.items()}
    result = take_turns(rounds, runs)
    for figure in ("p50", "p99", "p50_first"):
        added(result, figure)
    return result


def unpaced_streams(subjects, bench, rounds, seconds):
    """16 streams whose chunks come as fast as they are taken."""

    def run(subject):
        counts, watch = watched(subject, bench, "-s", "-c", 16, "-d", seconds, "-N", CHUNKS,
                                model="mock-i0")
        return {"chunks_per_s": counts["chunks_per_s"], "lost": counts["sent"] - counts["ok"],
                "cpu_us": watch.cpu / max(1, counts["chunks"]) * 1e6}

    return take_turns(rounds, {n: (lambda s=subject: run(s)) for n, subject in subjects.items()})


def converted_streams(subject, bench, rounds):
    """20 streams of 1,000 chunks from an upstream that speaks Anthropic's format: processor time of
    the gateway for each chunk that it turns into OpenAI's."""
    rows = []
    for _ in range(rounds):
        system.quieten(patience)
        counts, watch = watched(subject, bench, "-s", "-c", 20, "-n", 20, "-N", 1000, "-t", 30,
                                model="messages-c1000-i5")
        rows.append({"cpu_us": watch.cpu / max(1, counts["chunks"]) * 1e6,
                     "lost": counts["sent"] - counts["ok"]})
    return {"gateway": summary(rows)}


def held(subject, bench, count, chunks, model, per_second):
    """Holds `count` streams open at once; memory at their peak and how they ended."""
    with system.Watch(subject.pid, bench.ours, every=0.2) as watch:
        counts = subject.load("-s", "-c", count, "-n", count, "-N", chunks, "-R", per_second,
                              "-d", 30, "-t", 30, model=model)
    faults = ("non200", "broken", "short", "no_done", "reordered", "timeout")
    return {"ok": counts["ok"], "open": counts["most_active"], "rss": watch.peak["rss"],
            "pss": watch.peak["pss"], "delay_p50": counts["delay_us"]["p50"],
            "cpu_us": watch.cpu / max(1, counts["chunks"]) * 1e6, "status": counts["status"],
            "faults": {f: counts[f] for f in faults if counts[f]}}


def memory_per_stream(subject, bench, few_model, model, chunks, per_second):
    """On a freshly started subject: 100 streams, then 1000; KiB for each stream more."""
    subject.start()
    few = held(subject, bench, 100, 20, few_model, 400)
    time.sleep(0.3)
    many = held(subject, bench, 1000, chunks, model, per_second)
    whole = many["open"] == 1000 and many["ok"] == 1000 and few["ok"] == 100
    each = (many["rss"] - few["rss"]) / 900 if whole else None
    result = {"few": few, "many": many, "kb_each": each}
    say(subject.name, "TLS" if subject.tls else "plain", f"{many['ok']} of 1000 streams,",
        "kB each:", each and round(each, 1), many["faults"] or "")
    return result


def burst(subject):
    """1000 streams at once whose chunks come without a pause: completeness under overload."""
    counts = subject.load("-s", "-c", 1000, "-n", 1000, "-N", CHUNKS, "-d", 30, "-t", 30,
                          model="mock-i0")
    return {"ok": counts["ok"], "status": counts["status"], "seconds": counts["seconds"],
            "faults": {f: counts[f] for f in ("non200", "broken", "short", "no_done",
                                              "reordered", "timeout") if counts[f]}}
