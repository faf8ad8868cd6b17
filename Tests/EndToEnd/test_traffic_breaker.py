# SPDX-License-Identifier: MIT
"""The circuit breaker of a channel: closed, open, half-open, seen from both sides."""

import time

import pytest

from faulty import HANG, OK, RESET, failing
from process import PATIENCE, wait_until
from test_sdk_chat import user
from traffic import pool_of, priorities

FAILURES = 3
COOLDOWN = 0.5 * PATIENCE   # seconds, doubled up to twice as much
SETTINGS = {
    "breaker_failures": FAILURES, "breaker_cooldown_ms": int(COOLDOWN * 1000),
    "breaker_cooldown_limit_ms": int(COOLDOWN * 2000), "first_byte_timeout_ms": 200 * PATIENCE,
    "connections_per_address": 256}


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway whose breakers open early and try again soon."""
    with seed.copy(tmp_path_factory.mktemp("breaker") / "data", SETTINGS) as instance:
        yield instance


@pytest.fixture(scope="module")
def counting(seed, tmp_path_factory):
    """A gateway whose breakers look at the share of errors only."""
    config = {"breaker_failures": 100, "breaker_error_percent": 50, "breaker_window_ms": 10_000}
    with seed.copy(tmp_path_factory.mktemp("counting") / "data", config) as instance:
        yield instance


def opened(gateway, fleet, behaviour=None):
    """A pool whose first channel's breaker has just opened."""
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[behaviour or failing(500), OK])
    for _ in range(FAILURES):
        assert pool.served_by() == 1
    return pool


@pytest.mark.native
@pytest.mark.parametrize("behaviour", [failing(500), failing(503), HANG, RESET],
                         ids=["500", "503", "hanging", "reset"])
def test_opens_after_failures_in_a_row(gateway, fleet, behaviour):
    pool = opened(gateway, fleet, behaviour)
    verdict = pool.verdict()
    assert (verdict["eligible"], verdict["reason"]) == (False, "circuit_open")
    assert " " in verdict["detail"] and verdict["order"] is None
    assert pool.order() == [1]
    began = time.monotonic()
    while time.monotonic() - began < COOLDOWN / 2:
        assert pool.served_by() == 1
    assert pool.upstreams[0].count == FAILURES, "an open circuit lets nothing through"
    assert pool.state()["status"] == "enabled", "a breaker disables nothing"


@pytest.mark.native
def test_opens_when_nobody_listens(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2))
    pool.upstreams[0].kill()
    for _ in range(FAILURES):
        assert pool.served_by() == 1
    assert pool.reason() == "circuit_open"


def test_a_success_starts_the_count_anew(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2))
    bad = failing(500)
    pool.upstreams[0].next.extend([bad, bad, OK, bad, bad, OK, bad, bad, OK])
    assert [pool.served_by() for _ in range(9)] == [1, 1, 0] * 3
    assert pool.reason() is None


@pytest.mark.parametrize("status, code", [
    (400, "invalid_value"), (404, None), (413, None), (422, None),
    (400, "context_length_exceeded")])
def test_a_wrong_request_is_no_failure_of_the_channel(gateway, fleet, status, code):
    pool = pool_of(gateway, fleet, {}, behaviours=[failing(status, code)])
    for _ in range(2 * FAILURES):
        pool.failure(status)
    assert pool.reason() is None and pool.upstreams[0].count == 2 * FAILURES


def test_a_client_that_leaves_is_no_failure_of_the_channel(gateway, fleet, raw):
    pool = pool_of(gateway, fleet, {"first_byte_timeout_ms": 10_000}, behaviours=[HANG])
    [upstream] = pool.upstreams
    body = b'{"model":"%s","messages":[]}' % pool.model.encode()
    for number in range(2 * FAILURES):
        client = raw(gateway).send(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (pool.token["key"].encode(), len(body), body))
        wait_until(lambda: upstream.count == number + 1, what="the request upstream")
        client.socket.close()
        wait_until(lambda: upstream.open == 0, what="the cancelled request")
    assert pool.reason() is None


@pytest.mark.native
def test_cool_downs_double_up_to_the_limit_and_each_lets_one_request_through(gateway, fleet):
    pool = opened(gateway, fleet, failing(500, delay_ms=100))
    bad = pool.upstreams[0]
    bad.most_open = 0
    pool.load(fleet, 1500, 16, interval=0.03).expect_success(1500)
    at = [arrival.at for arrival in bad.arrivals[FAILURES - 1:]]
    gaps = [second - first - 0.1 for first, second in zip(at, at[1:])]
    assert bad.most_open == 1, "a half-open circuit lets one request through at a time"
    assert len(gaps) >= 2, f"the load saw too few probes: {gaps}"
    for number, gap in enumerate(gaps):
        expected = COOLDOWN if number == 0 else 2 * COOLDOWN
        assert expected * 0.95 < gap < expected + 0.4, f"cool-downs lasted {gaps}"


@pytest.mark.short
def test_a_successful_probe_closes(gateway, fleet):
    pool = opened(gateway, fleet)
    pool.upstreams[0].behave(OK)
    wait_until(lambda: pool.served_by() == 0, 3, "a probe")
    assert [pool.served_by() for _ in range(5)] == [0] * 5
    assert pool.reason() is None and pool.order() == [0, 1]
    pool.upstreams[0].behave(failing(500))
    assert [pool.served_by() for _ in range(FAILURES + 1)] == [1] * (FAILURES + 1)
    assert pool.reason() == "circuit_open", "after closing it opens again"


@pytest.mark.native
def test_while_one_request_probes_the_others_go_elsewhere(gateway, fleet):
    pool = opened(gateway, fleet)
    bad = pool.upstreams[0]
    bad.pause()
    bad.behave(OK)
    time.sleep(COOLDOWN * 1.3)
    future = pool.start(fleet, 40, 20)
    wait_until(lambda: pool.upstreams[1].count >= FAILURES + 39, 3, "all others elsewhere")
    assert bad.count == FAILURES + 1, "one probe"
    future.result(30).expect_success(40)


@pytest.mark.native
def test_opens_on_the_share_of_errors(counting, fleet):
    pool = pool_of(counting, fleet, *priorities(2))
    pool.upstreams[0].next.extend([failing(500), failing(500), failing(500), OK] * 25)
    pool.load(fleet, 100, 1).expect_success(100)
    assert pool.upstreams[0].count < 100, "75 % of errors are too many"
    assert pool.reason() == "circuit_open"


@pytest.mark.native
def test_stays_closed_below_the_share_of_errors(counting, fleet):
    pool = pool_of(counting, fleet, *priorities(2))
    pool.upstreams[0].next.extend([OK, OK, OK, failing(500)] * 25)
    pool.load(fleet, 100, 1).expect_success(100)
    assert pool.upstreams[0].count == 100 and pool.reason() is None


def test_breakers_of_other_channels_are_untouched(gateway, fleet, upstream):
    pool = opened(gateway, fleet)
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("here"))
    assert answer.choices[0].message.content == "here"
    assert pool.reason() == "circuit_open"


def test_enabling_by_hand_closes(gateway, fleet):
    pool = opened(gateway, fleet)
    pool.upstreams[0].behave(OK)
    pool.change(0, status="disabled")
    pool.change(0, status="enabled")
    assert pool.reason() is None
    wait_until(lambda: pool.served_by() == 0, 3, "the channel in use again")
