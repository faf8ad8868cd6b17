# SPDX-License-Identifier: MIT
"""No quota appears or vanishes: what the log's rows add up to is what users and tokens have used.

The load and the upstream are the C programs of Tests/Bench: 100,000 requests take seconds.
"""

import asyncio
import json
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from load import request_bytes
from money import MICRO, TOKEN, USER, Books, People
from process import free_port, wait_until

sys.path.append(str(Path(__file__).resolve().parent.parent / "Bench"))
import tools  # noqa: E402  (after the path to it)

pytestmark = pytest.mark.native

REQUESTS = 100_000
SETTINGS = {
    "memory_limit_mb": 128, "connections_per_address": 512, "log_level": "error",
    "log_limit_mb": 200, "flush_interval_ms": 200, "flush_rows": 50_000,
    # Faults are wanted throughout, so nothing is left alone for them.
    "breaker_failures": 10_000, "breaker_error_percent": 0, "retries": 1,
    "retry_after_limit_ms": 0}
RATIOS = {"default": 1_000_000, "friends": 700_000, "odd": 333_333}
PRICES = {
    "mock-1": {"prompt": "0.333333", "completion": "1.666667", "cached": "0.111111"},
    "mock-2*": {"prompt": "15", "completion": "30.000001", "cached": "0"},
    "mock-3": {"prompt": "0", "completion": "0.000001", "image": "40000.5"}}
MODELS = ["mock-1", "mock-2", "mock-2x", "mock-3", "mock-4"]
PATHS = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/images/generations"]


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the compiled load driver and upstream."""
    folder = tmp_path_factory.mktemp("bench")
    tools.build(str(folder))
    return folder


class Market:
    """A gateway with prices, groups and people, in front of an upstream that acts by chance."""

    def __init__(self, gateway, programs):
        self.gateway, self.programs = gateway, programs
        self.people, self.dice = People(gateway), random.Random(4)
        self.upstream_port = free_port()
        self.upstream = subprocess.Popen([programs / "mock", str(self.upstream_port)])
        self.tokens = []
        for name, ratio in RATIOS.items():
            if name != "default":
                self.people.group(name, ratio)
        for name in RATIOS:
            for quota in (None, 50_000_000):
                user = self.people.user(name, quota)
                self.tokens += [self.people.token(user), self.people.token(user, 3_000_000)]
        gateway.start()
        for model, price in PRICES.items():
            gateway.call("POST", "/prices", {"model": model, **price})
        base = f"http://127.0.0.1:{self.upstream_port}/v1"
        mapping = {model: "mock-any" for model in MODELS}
        for _ in range(2):
            gateway.channel(base, MODELS, model_mapping=mapping)
        gateway.channel(base, ["slow"], model_mapping={"slow": "mock-any-i3"})
        gateway.channel(base, ["steady"], model_mapping={"steady": "mock-l20"})
        assert tools.await_answer(self.upstream, self.upstream_port)

    def key(self):
        """The key of somebody."""
        return self.people.keys[self.dice.choice(self.tokens)]

    def loads(self, requests, each=2500, connections=8):
        """Command lines of loads that make so many requests together."""
        for _ in range(requests // each):
            path = self.dice.choice(PATHS)
            stream = ["-s"] if path in PATHS[:2] and self.dice.random() < 0.5 else []
            yield [self.programs / "load", "-a", self.gateway.port, "-p", path, "-n", each,
                   "-k", self.key(), "-m", self.dice.choice(MODELS), "-c", connections,
                   "-d", 60, "-b", self.dice.choice([0, 100, 2000]), *stream]

    def leave(self, count):
        """So many clients that go away at some moment of their stream."""
        asyncio.run(self._leave(count))

    async def _leave(self, count):
        waits = [(self.key(), self.dice.random() * 0.05) for _ in range(count)]

        async def one(key, seconds):
            request = request_bytes(key, "slow", True)
            _, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port)
            writer.write(request)
            await asyncio.sleep(seconds)
            writer.transport.abort()

        for start in range(0, count, 50):
            await asyncio.gather(*(one(*wait) for wait in waits[start:start + 50]))

    def close(self):
        self.upstream.kill()
        self.upstream.wait()


@pytest.fixture
def market(make_gateway, programs):
    market = Market(make_gateway(start=False, **SETTINGS), programs)
    yield market
    market.close()


def run_load(command):
    """Runs one load; what it counted."""
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, timeout=100, check=True)
    return json.loads(done.stdout)


def test_not_a_millionth_is_lost_in_100_000_requests(market):
    with ThreadPoolExecutor(9) as pool:
        leaving = pool.submit(market.leave, 1000)
        results = list(pool.map(run_load, market.loads(REQUESTS)))
        leaving.result()
    assert sum(r["sent"] for r in results) == REQUESTS
    assert not sum(r["timeout"] for r in results), "every request ends"
    statuses = {s for r in results for s in r["status"]}
    assert {"200", "429", "502"} <= statuses, statuses
    market.gateway.stop()
    books = Books(market.gateway).expect_balance()
    # A client that leaves before its head was read leaves no row.
    assert REQUESTS < books.rows <= REQUESTS + 1000, "no row was dropped"
    print(f"{books.rows} rows, {books.charged} charged, {sum(books.by_user.values())} millionths")
    assert books.charged > REQUESTS * 0.4
    assert any(total % MICRO for total in books.by_user.values()), "odd ratios were charged"
    details = books.details
    assert sum(d.is_estimated for d in details) > REQUESTS * 0.02
    assert sum(d.is_client_gone for d in details) > 300
    assert sum(d.attempts > 1 for d in details) > REQUESTS * 0.02
    market.gateway.start()
    market.gateway.stop()
    assert Books(market.gateway).expect_balance().rows == books.rows


def test_a_power_cut_under_load_leaves_both_sides_equal(market):
    for _ in range(2):
        with ThreadPoolExecutor(8) as pool:
            commands = [[*c, "-d", 5, "-t", 1] for c in market.loads(20_000)]
            running = [pool.submit(run_load, command) for command in commands]
            time.sleep(1.3)    # the moment of the cut, in the middle of the load
            market.gateway.kill()
            for load in running:
                load.result()
        before = Books(market.gateway).expect_balance()
        assert before.rows > 1000, "something was written before the cut"
        market.gateway.start()
    market.gateway.stop()
    Books(market.gateway).expect_balance()


@pytest.mark.parametrize("limited", ["token", "user"])
def test_64_at_once_overdraw_a_quota_by_one_request_at_most(
        make_gateway, programs, limited):
    gateway = make_gateway(start=False, **SETTINGS)
    people = People(gateway)
    quota = 20_000
    user = people.user("default", quota if limited == "user" else None)
    tokens = [people.token(user, quota if limited == "token" else None)
              for _ in range(1 if limited == "token" else 3)]
    market = Market(gateway, programs)
    try:
        gateway.call("POST", "/prices", {"model": "steady", "prompt": "3", "completion": "1.5"})
        cost, held = 21 * 3 + 50 * 1.5, 300
        commands = [
            [programs / "load", "-a", gateway.port, "-k", people.keys[token], "-m", "steady",
             "-n", 600, "-c", 64 // len(tokens)] for token in tokens]
        with ThreadPoolExecutor(3) as pool:
            results = list(pool.map(run_load, commands))
        assert {s for r in results for s in r["status"]} == {"200", "429"}
        # Alone, the next ones are served until less is left than one holds back.
        results.append(run_load([*commands[0], "-c", 1, "-n", 50]))
        served = sum(r["ok"] for r in results)
        owner, number = (TOKEN, tokens[0]) if limited == "token" else (USER, user)
        gateway.stop()
        books = Books(gateway).expect_balance()
        used = books.used[owner][number]
        assert used == served * cost * MICRO
        assert quota - held < used / MICRO <= quota + cost, used
    finally:
        market.close()


@pytest.mark.parametrize("limited", ["token", "user"])
def test_requests_without_a_limit_overdraw_by_one_at_most(make_gateway, fleet, limited):
    gateway = make_gateway(start=False, **SETTINGS)
    people, quota = People(gateway), 3000
    user = people.user("default", quota if limited == "user" else None)
    token = people.token(user, quota if limited == "token" else None)
    gateway.start()
    upstream = fleet.upstream()
    gateway.channel(upstream.url, ["m"])
    gateway.call("POST", "/prices", {"model": "m", "prompt": "10", "completion": "7"})
    request = request_bytes(people.keys[token], "m")
    cost = 11 * 10 + 5 * 7

    async def ask():
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        statuses = []
        for _ in range(6):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            statuses.append(int(head.split(b" ")[1]))
        writer.close()
        return statuses

    async def all_of_them():
        return [s for each in await asyncio.gather(*(ask() for _ in range(64))) for s in each]

    statuses = fleet.run(all_of_them())
    assert set(statuses) == {200, 429}
    # Alone, the next one is served until nothing is left.
    while fleet.run(ask())[0] == 200:
        statuses.append(200)
    gateway.stop()
    used = Books(gateway).expect_balance().used[TOKEN if limited == "token" else USER]
    used = used[token if limited == "token" else user] / MICRO
    assert used % cost == 0
    assert quota - cost < used <= quota + cost, used
