# SPDX-License-Identifier: MIT
"""Tables of the results, with the goals beside them."""

NOTES = """\
Both proxies run on one core, with one worker and kept-alive connections to the same mock upstream;
mock and load driver share another core; everything is on 127.0.0.1. They take turns in every
phase. Figures are medians of the runs, ratios medians of the ratios of neighbouring runs (in
brackets the least and the greatest of those), p99 is that of the least disturbed run. CPU is user
and system time of the process tree. The gateway checks the key, routes, inspects the JSON and
accounts; nginx does none of these.

Added latency at 1 connection contains the waking of two sleeping cores, which costs a virtual
machine more than any proxy's work; the line below it shows the work alone. Where the core in use
is well below 100 %, mock and driver bound the throughput: compare CPU per request then."""


class Row:
    """One line: where its figure is, how it is shown, and which goal it has.

    A goal is (what, comparison, limit), where `what` is "ratio" or "value".
    """

    def __init__(self, label, phase, figure, digits=0, scale=1.0, goal=None, ratio=True):
        self.label, self.phase, self.figure = label, phase, figure
        self.digits, self.scale, self.goal, self.with_ratio = digits, scale, goal, ratio

    def value(self, results, name):
        """The figure of one subject, None when it was not measured."""
        node = results.get(self.phase, {}).get(name)
        for key in self.figure.split("."):
            node = node.get(key) if isinstance(node, dict) else None
        return None if node is None else node * self.scale

    def ratio(self, results):
        """gateway : nginx, from neighbouring runs where there are several."""
        if not self.with_ratio:
            return None
        paired = results.get(self.phase, {}).get("ratio", {}).get(self.figure)
        if paired is not None:
            return paired[0]
        gateway, nginx = self.value(results, "gateway"), self.value(results, "nginx")
        return gateway / nginx if gateway is not None and nginx else None

    def spread(self, results):
        """Least and greatest ratio of neighbouring runs, as text."""
        paired = results.get(self.phase, {}).get("ratio", {}).get(self.figure)
        return f" ({paired[1]:.2f}–{paired[2]:.2f})" if paired and self.with_ratio else ""

    def verdict(self, results):
        """"ok", "short", "not measured", or "" for a row without a goal."""
        if not self.goal:
            return ""
        what, comparison, limit = self.goal
        value = self.ratio(results) if what == "ratio" else self.value(results, "gateway")
        if value is None:
            return "not measured"
        return "ok" if (value >= limit if comparison == "≥" else value <= limit) else "short"

    def goal_text(self):
        """The goal as the table shows it."""
        if not self.goal:
            return ""
        what, comparison, limit = self.goal
        return f"{'ratio ' if what == 'ratio' else ''}{comparison} {limit:g}"

    def cells(self, results):
        """The line's cells, from the label to the verdict."""

        def shown(value, digits):
            return "-" if value is None else f"{value:,.{digits}f}"

        return [self.label, shown(self.value(results, "gateway"), self.digits),
                shown(self.value(results, "nginx"), self.digits),
                shown(self.ratio(results), 2) + self.spread(results), self.goal_text(),
                self.verdict(results)]


def at_most(limit):
    """A goal on the gateway's own figure."""
    return ("value", "≤", limit)


MB = 1 / 1024
ROWS = [
    Row("requests/s, 1 connection", "c1", "rps"),
    Row("p50, 1 connection (µs)", "c1", "p50"),
    Row("p99, 1 connection (µs)", "c1", "p99"),
    Row("added p50 over direct, 1 connection (µs)", "c1", "added_p50", goal=at_most(150)),
    Row("the same, all on one core (µs)", "one", "added_p50"),
    Row("requests/s, 64 connections", "c64", "rps", goal=("ratio", "≥", 1.0)),
    Row("p50, 64 connections (µs)", "c64", "p50"),
    Row("p99, 64 connections (µs)", "c64", "p99"),
    Row("core in use, 64 connections (%)", "c64", "core", ratio=False),
    Row("CPU per request, 64 connections (µs)", "c64", "cpu_us", 1, goal=("ratio", "≤", 1.0)),
    Row("CPU per request, 1 connection (µs)", "c1", "cpu_us", 1),
    Row("CPU per request, 100 kB prompt (µs)", "big", "cpu_us", 1, goal=("ratio", "≤", 2.0)),
    Row("CPU per chunk, 100 streams, 20 ms (µs)", "paced", "cpu_us", 1,
        goal=("ratio", "≤", 1.0)),
    Row("CPU per chunk, 16 streams, no pause (µs)", "unpaced", "cpu_us", 2),
    Row("chunks/s, 16 streams, no pause", "unpaced", "chunks_per_s"),
    Row("chunk delay added p50 (µs)", "paced", "added_p50", goal=at_most(100)),
    Row("chunk delay added p99 (µs)", "paced", "added_p99"),
    Row("first chunk added p50 (µs)", "paced", "added_p50_first"),
    Row("complete of 1000 streams, 50 chunks, 100 ms", "held", "many.ok",
        goal=("value", "≥", 1000), ratio=False),
    Row("complete of 1000 streams, 50 chunks, no pause", "burst", "ok",
        goal=("value", "≥", 1000), ratio=False),
    Row("complete of 1000 streams, TLS upstream", "held_tls", "many.ok",
        goal=("value", "≥", 1000), ratio=False),
    Row("memory per stream, plain upstream (kB)", "held", "kb_each", 1, goal=at_most(16)),
    Row("memory per stream, TLS upstream (kB)", "held_tls", "kb_each", 1, goal=at_most(48)),
    Row("CPU per converted chunk, streams of 1,000 (µs)", "converted", "cpu_us", 1,
        goal=at_most(50), ratio=False),
    Row("memory per converted stream (kB)", "held_converted", "kb_each", 1, goal=at_most(48),
        ratio=False),
    Row("RSS, 1000 streams, plain upstream (MB)", "held", "many.rss", 1, MB),
    Row("RSS, 1000 streams, TLS upstream (MB)", "held_tls", "many.rss", 1, MB),
    Row("RSS idle (MB)", "idle", "rss", 2, MB, at_most(4)),
    Row("PSS idle (MB)", "idle", "pss", 2, MB),
    Row("RSS after 10,000 requests (MB)", "after", "rss", 2, MB, at_most(6)),
    Row("RSS at the end of all phases (MB)", "end", "rss", 2, MB),
    Row("start to first answer (ms)", "start", "ms", 1, goal=at_most(50)),
    Row("first start, empty data directory (ms)", "first_start", "ms", 1),
    Row("bytes in write calls to files, per request", "trace", "bytes", 1, goal=at_most(128)),
    Row("block bytes (write_bytes), per request", "disk", "write_bytes", 1, goal=at_most(128)),
    Row("growth of the data directory, per request", "disk", "growth", 1),
    Row("bytes to blocks while idle", "idle", "write_bytes", goal=at_most(0), ratio=False),
    Row("bytes in write calls while idle", "idle", "wchar", goal=at_most(0), ratio=False),
    Row("CPU while idle (µs per second)", "idle_cpu", "us", ratio=False),
    Row("requests that failed", "failed", "count", goal=at_most(0), ratio=False),
]


def table(results):
    """The Markdown table; rows of which nothing was measured are left out."""
    lines = ["| measure | gateway | nginx | gateway : nginx | goal | |",
             "| --- | ---: | ---: | ---: | --- | --- |"]
    for row in ROWS:
        cells = row.cells(results)
        unmeasured = cells[5] == "not measured" and not results.get("partial")
        if unmeasured or any(c != "-" for c in cells[1:3]):
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def score(results):
    """How many goals are met, as one sentence."""
    verdicts = [row.verdict(results) for row in ROWS if row.goal]
    text = f"{verdicts.count('ok')} of {len(verdicts)} goals met"
    missing = verdicts.count("not measured")
    return text + (f", {missing} not measured" if missing else "")


def heading(results):
    """What ran, where, when and how disturbed, as a list."""
    return "\n".join([
        f"- Machine: {results['machine']}",
        f"- Gateway: {results['versions'].get('gateway', '?')}; "
        f"nginx: {results['versions'].get('nginx', '?')}",
        f"- Date: {results['date']}; command: `{results['command']}`, "
        f"{results['took_s']:.0f} s",
        f"- Other programs used {results['other_load']:.0f} % of one core meanwhile"
        + ("; above 20 % latencies and throughput tell little, CPU, memory and counts still do"
           if results["other_load"] > 20 else ""),
    ])


def document(results):
    """docs/performance.md."""
    traced = results.get("trace", {}).get("gateway", {}).get("files")
    files = ""
    if traced:
        listed = ", ".join(f"`{name}` {count}" for name, count in sorted(traced.items()))
        files = f"\nBytes per request in write calls, by file: {listed}.\n"
    return f"""# Performance

Written by `scripts/bench.sh --write docs/performance.md`; do not edit by hand.

{heading(results)}

{table(results)}

{score(results)}.
{files}
{NOTES}

Memory per stream is the difference between 1000 and 100 streams held open at once, divided by 900,
on a freshly started process.{results.get('limit_note', '')}
Bytes written are those of 1,000 requests at the default flush interval and of the stop after them.
Every stream counts only with all its chunks, in order, and its `[DONE]`.
"""
