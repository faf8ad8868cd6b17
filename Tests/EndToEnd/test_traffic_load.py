# SPDX-License-Identifier: MIT
"""Under load, no request fails while a channel is left, and none takes longer than it may."""

import contextlib
import time

import pytest

from faulty import HANG, OK, RESET, Fleet, failing, slow
from load import request_bytes
from process import PATIENCE, wait_until
from test_failover import black_hole
from traffic import make_pool

pytestmark = pytest.mark.native

ROOM = {"memory_limit_mb": 128, "connections_per_address": 256}
HANGS_MS = 2000         # the longest that one attempt may take before its first byte
INTERVAL_MS = 10
HICCUP = 0.25           # seconds that the machine itself may add at any time
PAUSE, PAUSED = 0.75, 64  # and once: seconds, and the requests that are open then
SETTINGS = {
    **ROOM, "first_byte_timeout_ms": HANGS_MS, "failover_connect_ms": 300,
    "retry_interval_ms": INTERVAL_MS, "breaker_cooldown_ms": 100, "breaker_cooldown_limit_ms": 100}
FAULTS = {
    "dead": lambda upstream: upstream.kill(),
    "hanging": lambda upstream: upstream.behave(HANG),
    "500": lambda upstream: upstream.behave(failing(500)),
    "429": lambda upstream: upstream.behave(failing(429)),
    "reset": lambda upstream: upstream.behave(RESET)}


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway that notices quickly and tries again soon."""
    with seed.copy(tmp_path_factory.mktemp("load") / "data", SETTINGS) as instance:
        yield instance


@pytest.fixture(scope="module")
def patient(seed, tmp_path_factory):
    """A gateway with the settings that every owner starts with."""
    with seed.copy(tmp_path_factory.mktemp("patient") / "data", ROOM) as instance:
        yield instance


@pytest.fixture(scope="module")
def healthy(gateway):
    """Seconds of the slowest request while nothing is wrong."""
    with Fleet() as fleet:
        pool = make_pool(gateway, three(fleet))
        return pool.load(fleet, 2000).expect_success(2000).slowest


def three(fleet, milliseconds=5):
    """Upstreams that take a moment."""
    return [fleet.upstream(slow(milliseconds)) for _ in range(3)]


def expect_in_time(run, healthy, *waits_ms):
    """No request may take longer than the healthy ones and what the settings let it wait.

    A machine that pauses hits all requests that are open at that moment, and no others.
    """
    allowed = healthy + sum(waits_ms) / 1000 + HICCUP
    late = sum(sample.seconds >= allowed for sample in run.samples)
    assert late <= PAUSED, (
        f"{late} requests took longer than the {allowed:.3f} s that are allowed "
        f"({healthy:.3f} s without faults)")
    assert run.slowest < allowed + PAUSE, f"the slowest request took {run.slowest:.3f} s"


@pytest.mark.parametrize("stream, requests", [(False, 10_000), (True, 2000)],
                         ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_bad_channel_of_three_is_never_seen(
        gateway, fleet, healthy, fault, stream, requests):
    upstreams = three(fleet)
    pool = make_pool(gateway, upstreams)
    bad = upstreams[1]
    run = pool.load(fleet, requests, stream=stream, hooks={400: lambda: FAULTS[fault](bad)})
    run.expect_success(requests)
    assert run.counts[bad.marker] >= 100, "the channel was used before the fault"
    assert fault == "dead" or bad.count > run.counts[bad.marker], "nobody met the fault"
    expect_in_time(run, healthy, HANGS_MS if fault == "hanging" else 0, 2 * INTERVAL_MS)


def test_every_fault_one_after_the_other_is_never_seen(gateway, fleet, healthy):
    upstreams = three(fleet, 30)
    pool = make_pool(gateway, upstreams)
    bad, each = upstreams[1], 2000
    names = ["dead", "500", "reset", "429", "hanging"]
    hooks, met = {}, {}

    def begin(name):
        met[name] = -bad.count
        FAULTS[name](bad)

    def end(name):
        met[name] += bad.count
        bad.revive()
        bad.behave(slow(30))

    for number, name in enumerate(names):
        hooks[number * each + 1] = lambda name=name: begin(name)
        hooks[number * each + each * 7 // 10] = lambda name=name: end(name)
    run = pool.load(fleet, each * len(names), hooks=hooks, seconds=60)
    run.expect_success(each * len(names))
    assert all(met[name] for name in names if name != "dead"), f"faults without requests: {met}"
    expect_in_time(run, healthy, 30, HANGS_MS, 2 * INTERVAL_MS)


def test_a_killed_channel_is_left_within_1200_ms(patient, fleet, healthy):
    upstreams = three(fleet)
    pool = make_pool(patient, upstreams)
    killed_at = []

    def kill():
        killed_at.append(time.monotonic())
        upstreams[0].kill()

    run = pool.load(fleet, 3000, interval=0.05, hooks={700: kill}).expect_success(3000)
    after = [s for s in run.samples if s.began > killed_at[0]]
    late = [s for s in after if s.began > killed_at[0] + 1.2]
    assert len(late) > 300, "the load has to go on for longer than 1.2 s"
    assert max(s.seconds for s in after) < healthy + 1.2
    assert not [s for s in late if s.attempts != 1], (
        "later than 1.2 s after its death the dead channel is still tried")
    assert all(s.attempts in (1, 2) for s in after), "a dead channel costs one attempt"


def test_a_machine_that_vanished_costs_no_more_than_1200_ms(patient, fleet, healthy):
    upstreams = three(fleet)[:2]
    pool = make_pool(patient, upstreams)
    with black_hole() as port:
        patient.channel(f"http://127.0.0.1:{port}/v1", [pool.model])
        run = pool.load(fleet, 1000).expect_success(1000)
    assert sum(s.attempts > 1 for s in run.samples) >= 1, "nobody met the vanished machine"
    assert run.slowest < healthy + 1.2, f"{run.slowest:.3f} s"


# Shares


def test_ninety_to_ten_is_exact_in_every_window_of_a_hundred(patient, fleet):
    upstreams = [fleet.upstream(), fleet.upstream()]
    pool = make_pool(patient, upstreams, {"weight": 90}, {"weight": 10})
    run = pool.load(fleet, 1000, connections=1).expect_success(1000)
    assert [run.counts[u.marker] for u in upstreams] == [900, 100]
    first = [marker == upstreams[0].marker for marker in run.markers]
    windows = {sum(first[start:start + 100]) for start in range(901)}
    assert windows == {90}, f"windows of 100 have {sorted(windows)} requests on the first channel"


@pytest.mark.parametrize("weights", [[90, 10], [50, 30, 20]])
def test_shares_are_exact_when_64_ask_at_once(patient, fleet, weights):
    upstreams = [fleet.upstream(slow(3)) for _ in weights]
    pool = make_pool(patient, upstreams, *[{"weight": weight} for weight in weights])
    run = pool.load(fleet, 1000).expect_success(1000)
    assert [run.counts[u.marker] for u in upstreams] == [10 * weight for weight in weights]


# Limits of concurrency


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_64_connections_never_exceed_a_limit_of_three(patient, fleet, stream):
    upstream = fleet.upstream(slow(5))
    pool = make_pool(patient, [upstream], max_concurrency=3)
    run = pool.load(fleet, 500, stream=stream).expect_success(500)
    assert upstream.most_open == 3, f"{upstream.most_open} requests were open at once"
    assert {s.attempts for s in run.samples} == {1}, "waiting is no attempt"


def test_each_channel_keeps_its_own_limit(patient, fleet):
    upstreams = three(fleet)
    pool = make_pool(patient, upstreams, *[{"max_concurrency": n} for n in (1, 3, 7)])
    pool.load(fleet, 1000).expect_success(1000)
    assert [u.most_open for u in upstreams] == [1, 3, 7]


def test_a_limit_holds_while_channels_fail(patient, fleet):
    upstreams = three(fleet)
    pool = make_pool(patient, upstreams, max_concurrency=4)
    upstreams[1].behave(failing(500, delay_ms=5))
    run = pool.load(fleet, 1000, hooks={
        300: upstreams[2].kill, 600: lambda: upstreams[1].behave(OK)})
    run.expect_success(1000)
    assert max(u.most_open for u in upstreams) <= 4


@contextlib.contextmanager
def paused(upstream):
    """Holds all requests of an upstream, and lets them go in the end."""
    upstream.pause()
    try:
        yield
    finally:
        upstream.resume()


def test_a_full_queue_refuses_at_once(make_gateway, fleet):
    gateway = make_gateway(**ROOM, queue_limit=4)
    upstream = fleet.upstream()
    pool = make_pool(gateway, [upstream], max_concurrency=1)
    with paused(upstream):
        hooks = {9: lambda: fleet.loop.call_later(0.8, upstream.resume)}
        run = pool.load(fleet, 10, 10, hooks=hooks)
    refused = run.with_status(429)
    assert len(run.with_status(200)) == 5, "one in work and four that wait succeed"
    assert len(refused) == 5, run.problems
    for sample in refused:
        assert sample.code == "rate_limit_exceeded", sample.body
        assert int(sample.headers["retry-after"]) >= 1
        assert sample.seconds < 0.5, "a full queue needs no waiting"
    assert upstream.most_open == 1
    pool.load(fleet, 20, 4).expect_success(20)


def test_waiting_has_a_deadline(make_gateway, fleet):
    gateway = make_gateway(**ROOM, queue_timeout_ms=300)
    upstream = fleet.upstream()
    pool = make_pool(gateway, [upstream], max_concurrency=1)
    with paused(upstream):
        hooks = {2: lambda: fleet.loop.call_later(1.2, upstream.resume)}
        run = pool.load(fleet, 3, 3, hooks=hooks)
    refused = [sample for sample in run.samples if sample.status != 200]
    assert len(refused) == 2, run.problems
    for sample in refused:
        assert sample.status in (429, 503), sample.body
        assert 0.25 < sample.seconds < 1.0 * PATIENCE, f"{sample.seconds:.3f} s"
    pool.load(fleet, 20, 4).expect_success(20)


def test_a_client_that_leaves_gives_its_place_in_the_queue_up(make_gateway, fleet, raw):
    gateway = make_gateway(**ROOM, queue_limit=1)
    upstream = fleet.upstream()
    pool = make_pool(gateway, [upstream], max_concurrency=1)
    request = request_bytes(pool.token["key"], pool.model)
    with paused(upstream):
        working, leaving = raw(gateway).send(request), raw(gateway)
        wait_until(lambda: upstream.open == 1, what="a request in work")
        leaving.send(request)
        time.sleep(0.2)    # nothing shows that a request waits
        assert pool.failure(429)["code"] == "rate_limit_exceeded"
        leaving.socket.close()
        time.sleep(0.1)
        staying = raw(gateway).send(request)
        assert staying.is_quiet(0.3), "there is a place to wait again"
    assert working.answer().status == staying.answer().status == 200
    assert upstream.count == 2
