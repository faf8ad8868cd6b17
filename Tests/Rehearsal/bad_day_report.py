# SPDX-License-Identifier: MIT
"""The figures of a bad day, their limits, and a chart of its memory."""

import collections
import json
import resource
import time

WARM_UP = 1 / 3             # of a life: caches and what is kept for the next request fill
SLOPE_KB = 1.0              # per 1,000 requests
# Blocks that are kept for later come and go: a life says no more exactly where its memory ends.
RESOLUTION_KB = 128
SHORT_RESOLUTION_KB = 384
# More connections at once than ever before need memory, of which some is kept.
DESCRIPTOR_KB = 16
DESCRIPTOR_SLOPE = 1.0      # per 1,000 requests
# Usage that waits while the disk is full: a row in memory, whose room is kept for others.
WAITING_ROW_BYTES = 128
# What 20 requests a second may have open at once where a busy machine delays them.
MOST_DESCRIPTORS = 150


def judge_memory(plan, trends):
    """Lives whose memory or descriptors grow."""
    problems = []
    resolution = RESOLUTION_KB if plan.is_long else SHORT_RESOLUTION_KB
    for trend in trends:
        before, most = trend["most_descriptors"]
        allowed = (SLOPE_KB * trend["judged"] / 1000 + resolution
                   + DESCRIPTOR_KB * max(0, most - before))
        if trend["life"] == plan.life_of_outage:
            allowed += plan.waiting_rows * WAITING_ROW_BYTES / 1024
        if trend["growth_kb"] > allowed or most > MOST_DESCRIPTORS:
            problems.append(f"memory or descriptors are not flat: {trend}")
        elif plan.is_long and trend["descriptors_per_1000"] >= DESCRIPTOR_SLOPE:
            problems.append(f"descriptors are not flat: {trend}")
        elif plan.is_long and not plan.has_kills and trend["kb_per_1000"] >= SLOPE_KB:
            problems.append(f"memory is not flat: {trend}")
    return problems


def judge_files(largest, limits):
    """Files that were larger than they may be, or that nobody knows."""
    return [f"{name} had {size} bytes, {limits.get(name, 0)} are its limit"
            for name, size in largest.items() if size > limits.get(name, 0)]


def figures_of(day, trends):
    """Everything that was counted."""
    attempts = day.clients.attempts
    outcomes = collections.Counter(attempt.outcome for attempt in attempts)
    served = sorted(a.ended - a.began for a in attempts if a.outcome == "complete")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "duration_s": day.plan.duration, "rate": day.plan.rate, "seed": day.plan.seed,
        "requests": len({attempt.number for attempt in attempts}), "attempts": len(attempts),
        "outcomes": dict(outcomes), "kills": len(day.plan.kills),
        "sdk": {"requests": day.witness.asked, "streams_cut": day.witness.cut},
        "repeated_after_a_kill": day.clients.repeated,
        "away_s": [round(back - killed, 2) for killed, back in day.clients.deaths],
        "slowest_s": {"median": round(served[len(served) // 2], 3),
                      "99 %": round(served[len(served) * 99 // 100], 3),
                      "all": round(served[-1], 3)},
        "upstreams_did": dict(sorted(day.ledger.done.items())),
        "disk_full_s": [round(x) for x in day.plan.full], "healed_after_s": round(day.healed, 1),
        "settings": {"acknowledged": day.settings.acknowledged, "refused": day.settings.refused,
                     "unanswered": day.settings.unanswered},
        "lives": day.books.lives, "memory": trends, "largest_files": day.watch.largest(),
        "starved": len(day.watch.starved),
        "rehearsal_cpu_percent": round(
            100 * (usage.ru_utime + usage.ru_stime) / day.plan.duration, 1),
        "finished": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())}


def text_of(figures, problems):
    """The figures for people."""
    lines = ["# A bad day", ""]
    for name, value in figures.items():
        rows = value if isinstance(value, list) and value and isinstance(value[0], dict) else None
        lines += [f"{name}: {value}"] if rows is None else [f"{name}:", *(f"  {r}" for r in rows)]
    lines += ["", f"{len(problems)} problems", *(f"- {problem}" for problem in problems[:50])]
    return "\n".join(lines) + "\n"


def chart(lives):
    """Resident memory over the requests of each life, as SVG."""
    points = [[(s.requests, s.resident / 1024) for s in samples] for samples in lives.values()]
    width, height, left, bottom = 800, 320, 60, 40
    most_x = max((x for line in points for x, _ in line), default=1) or 1
    most_y = max((y for line in points for _, y in line), default=1) * 1.1

    def place(x, y):
        return (f"{left + x / most_x * (width - left - 20):.1f},"
                f"{(height - bottom) * (1 - y / most_y) + 10:.1f}")
    colours = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="12">',
             f'<rect width="{width}" height="{height}" fill="#fff"/>']
    for step in range(5):
        x, y = most_x * step / 4, most_y * step / 4
        at_x, at_y = place(x, 0).split(",")[0], place(0, y).split(",")[1]
        parts.append(f'<text x="{at_x}" y="{height - 18}" text-anchor="middle">{x:.0f}</text>')
        parts.append(f'<text x="{left - 6}" y="{at_y}" text-anchor="end">{y:.0f}</text>')
        parts.append(f'<path d="M{left} {at_y}H{width - 20}" stroke="#ddd"/>')
    for number, line in enumerate(points):
        drawn = " ".join(place(x, y) for x, y in line)
        parts.append(f'<polyline points="{drawn}" fill="none" '
                     f'stroke="{colours[number % len(colours)]}"/>')
    parts.append(f'<text x="{width / 2}" y="{height - 3}" text-anchor="middle">'
                 'requests of a life (one line each); resident memory in kB</text></svg>')
    return "\n".join(parts) + "\n"


def write_report(day):
    """Writes `bad-day.json`, `.txt` and `.svg`; returns what the figures show to be wrong."""
    trends = day.watch.trends(WARM_UP)
    limits = day.plan.size_limits
    problems = judge_memory(day.plan, trends) + judge_files(day.watch.largest(), limits)
    figures = figures_of(day, trends) | {"limits": limits}
    (day.results / "bad-day.json").write_text(json.dumps(figures, indent=1) + "\n")
    with (day.results / "bad-day.csv").open("w") as file:
        file.write("life,second,requests,resident_kb,descriptors\n")
        for sample in day.watch.samples:
            file.write(f"{sample.life},{sample.at - day.began:.1f},{sample.requests},"
                       f"{sample.resident >> 10},{sample.descriptors}\n")
    (day.results / "bad-day.txt").write_text(text_of(figures, day.problems + problems))
    (day.results / "bad-day.svg").write_text(chart(day.watch.lives()))
    return problems
