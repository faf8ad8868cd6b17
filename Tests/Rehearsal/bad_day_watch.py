# SPDX-License-Identifier: MIT
"""Looks at the gateway's process and files all day, and judges whether they stay as they are."""

import asyncio
import os
import statistics
import time
from dataclasses import dataclass

PAGE = os.sysconf("SC_PAGE_SIZE")
STARVED = 1.0       # seconds without a turn of this loop: the machine is busy with others


@dataclass(slots=True)
class Sample:
    """One look."""

    life: int
    at: float
    requests: int           # of this life
    resident: int           # bytes
    descriptors: int
    sizes: dict


def slope(points):
    """The least-squares slope of (x, y)."""
    count = len(points)
    middle_x, middle_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def middle(samples):
    """The median of the resident memory, in kB."""
    return statistics.median(sample.resident for sample in samples) / 1024


class Watch:
    """Samples of a process that is replaced now and then."""

    def __init__(self, disk, count):
        self.disk, self.count = disk, count     # `count()`: requests begun so far
        self.process, self.life, self.began_with = None, 0, 0
        self.samples, self.starved = [], []     # times at which this process got no turn

    def begin_life(self, process, life):
        self.process, self.life, self.began_with = process, life, self.count()

    def look(self):
        """One sample; none while there is no process."""
        try:
            with open(f"/proc/{self.process}/statm") as statm:
                resident = int(statm.read().split()[1]) * PAGE
            descriptors = len(os.listdir(f"/proc/{self.process}/fd"))
        except OSError:
            return
        if resident:
            self.samples.append(Sample(
                self.life, time.monotonic(), self.count() - self.began_with, resident,
                descriptors, self.disk.sizes()))

    async def work(self, pause):
        """Looks until it is cancelled."""
        while True:
            due = time.monotonic() + pause
            await asyncio.sleep(pause)
            late = time.monotonic() - due
            if late > STARVED:
                self.starved.append((due, due + late))
            self.look()

    def was_starved(self, attempt):
        """Whether the machine was too busy for us during an attempt."""
        return any(begin < attempt.ended and attempt.began < end for begin, end in self.starved)

    def lives(self):
        """The samples of each life."""
        found = {}
        for sample in self.samples:
            found.setdefault(sample.life, []).append(sample)
        return found

    def trends(self, warm_up):
        """Per life: kB and descriptors per 1,000 requests after the warm-up, and what was there.

        `warm_up`: the part of a life's requests that is left out at its beginning.
        """
        trends = []
        for life, samples in self.lives().items():
            last = samples[-1].requests
            cold = [s for s in samples if s.requests < last * warm_up]
            warm = samples[len(cold):]
            if len(cold) < 8 or len(warm) < 8:
                continue
            tenth = max(1, len(warm) // 10)
            most = [max(s.descriptors for s in part) for part in (cold, warm)]
            trends.append({
                "life": life, "requests": last, "judged": last - warm[0].requests,
                "kb_per_1000": round(slope([(s.requests / 1000, s.resident / 1024) for s in warm]),
                                     2),
                "growth_kb": round(middle(warm[-tenth:]) - middle(warm[:tenth])),
                "resident_kb": [s // 1024 for s in (
                    min(s.resident for s in warm), max(s.resident for s in warm))],
                "descriptors_per_1000": round(
                    slope([(s.requests / 1000, s.descriptors) for s in warm]), 2),
                "most_descriptors": most})
        return trends

    def largest(self):
        """The largest size of each file, in bytes."""
        largest = {}
        for sample in self.samples:
            for name, size in sample.sizes.items():
                largest[name] = max(size, largest.get(name, 0))
        return largest
