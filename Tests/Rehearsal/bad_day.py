# SPDX-License-Identifier: MIT
"""A bad day: steady requests while upstreams do everything wrong, clients leave, the gateway is
killed, its disk is full for a while, and somebody changes settings.

    DURATION=3600 python bad_day.py FOLDER      # the environment of scripts/e2e.sh

The times of everything follow from DURATION (seconds, 120 or more): the hour has a kill every ten
minutes, the short form of two minutes one every twenty seconds. With KILLS=0 there is none: one
long life, whose memory is judged by its slope alone.
"""

import asyncio
import math
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import httpx

sys.path.append(str(Path(__file__).resolve().parent.parent / "EndToEnd"))

from bad_day_books import Books  # noqa: E402  (after the path to what they need)
from bad_day_clients import Clients  # noqa: E402
from bad_day_disk import SmallDisk  # noqa: E402
from bad_day_plan import OLD_ROWS, PATIENCE_MS, Plan  # noqa: E402
from bad_day_report import WARM_UP, write_report  # noqa: E402
from bad_day_settings import Settings  # noqa: E402
from bad_day_upstreams import BadUpstream, Ledger  # noqa: E402
from bad_day_watch import Watch  # noqa: E402
from bad_day_wire import PRICE, Anthropic, OpenAI  # noqa: E402
from bad_day_witness import Witness  # noqa: E402
from certificates import Certificates  # noqa: E402
from database import add_log_rows  # noqa: E402
from gateway import Gateway  # noqa: E402
from process import wait_until  # noqa: E402

# Each model has a bad upstream of its own: its format, and whether it speaks TLS.
MODELS = {"day-plain": (OpenAI, False), "day-tls": (OpenAI, True), "day-native": (Anthropic, False)}


class Day:
    """Everything and everybody of one day."""

    def __init__(self, folder, results, plan):
        self.folder, self.results, self.plan = Path(folder), Path(results), plan
        self.dice = random.Random(plan.seed)
        self.problems = []
        self.full_until = None

    def prepare(self):
        """A stopped gateway with an owner and a full log, in its folder."""
        certificates = Certificates(self.folder)
        self.context = certificates.server_context("tls")
        config = {**self.plan.settings, "ca_file": certificates.ca_file}
        self.gateway = Gateway(self.folder / "data", config)
        with self.gateway:
            self.gateway.set_up()
        add_log_rows(self.gateway, OLD_ROWS)
        return SmallDisk(self.gateway.data_dir, self.plan.disk)

    def open_upstreams(self):
        """One upstream that is always well, and a bad one for each model."""
        self.ledger = Ledger()
        self.good = BadUpstream("good", OpenAI(), self.ledger)
        self.bad = {
            model: BadUpstream(
                f"bad {model}", wire(), self.ledger, self.context if has_tls else None,
                BadUpstream.all_faults(has_tls), self.dice)
            for model, (wire, has_tls) in MODELS.items()}
        for upstream in (self.good, *self.bad.values()):
            upstream.listen()

    def open_channels(self):
        """Channels, a price, and two tokens: of those who stay and of those who leave early."""
        channels = [
            self.gateway.channel(upstream.url, [model], type=upstream.wire.type, weight=80,
                                 name=upstream.marker, **PATIENCE_MS)
            for model, upstream in self.bad.items()]
        channels.append(self.gateway.channel(self.good.url, list(MODELS), name="good", weight=20))
        for model in MODELS:
            self.gateway.call("POST", "/prices", {"model": model, **PRICE})
        self.tokens = {name: self.gateway.token(name=name, quota=10**12)
                       for name in ("staying", "leaving", "witness")}
        return channels

    def estimate_prompts(self):
        """Prompt tokens of each model's requests as the gateway counts them by itself."""
        row = "/logs?page_size=1&model="
        for model in MODELS:
            request = self.clients.body(model, 0)
            answer = self.gateway.post(
                "/v1/chat/completions", request, self.tokens["staying"]["key"])
            assert answer.status_code == 200, answer.text

        def rows():
            found = [self.gateway.call("GET", row + model)["items"] for model in MODELS]
            return all(found) and [item[0] for item in found]
        items = wait_until(rows, 10, "rows of requests without usage")
        return {item["model"]: item["prompt_tokens"] for item in items}

    async def run(self):
        """The day from its first request to its last."""
        self.open_upstreams()
        self.gateway.wrapper = self.disk.wrapper
        await asyncio.to_thread(self.gateway.start)
        channels = await asyncio.to_thread(self.open_channels)
        self.clients = Clients(list(MODELS), self.dice)
        self.clients.keys = {name: token["key"] for name, token in self.tokens.items()}
        self.settings = Settings(channels, self.dice)
        self.settings.may_refuse = self.may_refuse
        self.watch = Watch(self.disk, lambda: len(self.clients.attempts))
        estimates = await asyncio.to_thread(self.estimate_prompts)
        self.books = Books(self.ledger, self.tokens, estimates, self.plan.window)
        self.books.open_with(await asyncio.to_thread(self.stop))
        await asyncio.to_thread(self.gateway.start)
        self.begin_life(0)
        self.began = time.monotonic()
        self.witness = Witness(self.clients, self.ledger, self.tokens["witness"]["key"])
        work = [asyncio.create_task(self.witness.work(1.0)),
                asyncio.create_task(self.settings.work(self.plan.change_pause)),
                asyncio.create_task(self.watch.work(self.plan.look_pause))]
        try:
            await asyncio.gather(
                self.clients.ask_until(self.began + self.plan.duration, self.plan.rate),
                self.kill_now_and_then(), self.fill_the_disk())
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
        await self.finish()

    def may_refuse(self):
        """Whether a change may be refused because the disk is full."""
        return self.full_until is not None and time.monotonic() < self.full_until

    def begin_life(self, life):
        self.clients.port, self.clients.life = self.gateway.port, life
        self.watch.begin_life(self.gateway.process.pid, life)
        self.settings.connect(self.gateway)

    def stop(self):
        """Ends the gateway in the ordinary way; returns a copy of what it left."""
        self.gateway.stop()
        return self.disk.copy_database(self.folder / "copy")

    def until(self, seconds):
        """Waits for a time of the plan."""
        return asyncio.sleep(max(0, self.began + seconds - time.monotonic()))

    async def kill_now_and_then(self):
        for life, seconds in enumerate(self.plan.kills):
            await self.until(seconds)
            death = [time.monotonic(), math.inf]
            self.clients.deaths.append(death)
            port = self.gateway.port
            await asyncio.to_thread(self.gateway.kill)
            copy = await asyncio.to_thread(self.disk.copy_database, self.folder / "copy")
            await asyncio.to_thread(self.gateway.start, port)
            death[1] = time.monotonic()
            self.begin_life(life + 1)
            await self.settings.verify(self.gateway)
            # Answers that the kernel had taken before the kill are still being read.
            await asyncio.sleep(0.5)
            await asyncio.to_thread(self.close_life, life, copy, death[0])

    def close_life(self, life, copy, killed):
        answer = self.gateway.request("GET", "/logs?format=csv")
        self.books.close_life(life, self.clients.attempts, copy, answer.text, killed)
        problems = [p for part in (self.clients, self.witness, self.settings, self.books)
                    for p in part.problems]
        print(f"after {time.monotonic() - self.began:.0f} s: {self.books.lives[-1]}, "
              f"{len(problems)} problems", *problems[-3:], self.watch.trends(WARM_UP)[-1:],
              sep="\n  ", flush=True)

    async def fill_the_disk(self):
        """Leaves no room on the disk for a while; everybody must be served meanwhile."""
        begin, end = self.plan.full
        await self.until(begin)
        self.full_until = math.inf
        seen = set()
        while time.monotonic() < self.began + end:
            await asyncio.to_thread(self.disk.fill)
            seen.add(await asyncio.to_thread(self.storage))
            await asyncio.sleep(0.25)
        if "failing" not in seen:
            self.problems.append(f"a full disk was not noticed: {seen}")
        self.disk.free()
        while await asyncio.to_thread(self.storage) == "failing":
            await asyncio.sleep(0.25)
        self.full_until = time.monotonic()
        self.healed = self.full_until - self.began - end

    def storage(self):
        """What the gateway says about its disk; nothing while it is away."""
        try:
            return self.gateway.call("GET", "/health")["storage"]
        except (httpx.HTTPError, RuntimeError):
            return ""

    async def finish(self):
        """The last life ends in the ordinary way: then nothing at all may be missing."""
        await self.settings.verify(self.gateway)
        self.clients.leave()
        begun = self.watch.samples[0].descriptors
        left = await asyncio.to_thread(self.descriptors_at_rest)
        if left > begun + 4:
            self.problems.append(f"{left} descriptors at the end, {begun} at the beginning")
        copy = await asyncio.to_thread(self.stop)
        await asyncio.to_thread(self.gateway.start)
        await self.settings.verify(self.gateway)
        await asyncio.to_thread(self.close_life, self.clients.life, copy, None)
        await asyncio.to_thread(self.gateway.stop)
        self.books.check_cuts(self.clients.attempts, self.watch.was_starved)
        for upstream in (self.good, *self.bad.values()):
            await upstream.end()

    def descriptors_at_rest(self):
        """Descriptors when the clients have closed and idle connections to upstreams are gone."""
        folder = f"/proc/{self.gateway.process.pid}/fd"
        for _ in range(80):
            left = len(os.listdir(folder))
            if left <= self.watch.samples[0].descriptors:
                break
            time.sleep(0.1)
        return left


def run(results, plan):
    """A whole day; returns it, with everything that must not be in `problems`.

    `results`: the folder for figures, chart and log.
    """
    with tempfile.TemporaryDirectory() as folder:
        day = Day(folder, results, plan)
        with day.prepare() as day.disk:
            try:
                asyncio.run(day.run())
            finally:
                if day.gateway.process is not None:
                    day.gateway.kill()
                (day.results / "gateway.log").write_text(day.gateway.log)
    for part in (day.clients, day.witness, day.settings, day.books):
        day.problems += part.problems
    day.problems += write_report(day)
    return day


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else ".build/rehearsal/bad-day").resolve()
    target.mkdir(parents=True, exist_ok=True)
    day = run(target, Plan.of_environment())
    print((target / "bad-day.txt").read_text())
    sys.exit(1 if day.problems else 0)
