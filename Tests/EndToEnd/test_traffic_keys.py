# SPDX-License-Identifier: MIT
"""Keys of a channel: used in turn, set aside when refused, tried again later."""

import re
import time
from collections import Counter

import pytest

from faulty import OK, failing
from process import PATIENCE, wait_until
from traffic import make_pool, pool_of, priorities

KEYS = ["sk-first-key-0001", "sk-second-key-0002", "sk-third-key-0003"]
REFUSED = failing(401, "invalid_api_key", "Incorrect API key provided")
WORDS = "invalid_api_key: account_deactivated, insufficient_quota, billing_not_active, 401, 402"


@pytest.fixture(scope="module")
def quick(seed, tmp_path_factory):
    """A gateway that tries again soon."""
    config = {"breaker_cooldown_ms": 400, "breaker_cooldown_limit_ms": 800}
    with seed.copy(tmp_path_factory.mktemp("quick") / "data", config) as instance:
        yield instance


def aside(pool, number=0):
    """The channel's state, once it is disabled automatically."""
    return wait_until(lambda: (s := pool.state(number))["status"] == "auto_disabled" and s, 2,
                      "auto_disabled")


@pytest.mark.short
def test_keys_are_used_in_turn(gateway, fleet):
    pool = pool_of(gateway, fleet, {"keys": KEYS})
    for _ in range(9):
        pool.served_by()
    keys = pool.upstreams[0].keys
    assert Counter(keys) == {key: 3 for key in KEYS}
    assert keys[:3] == keys[3:6] == keys[6:]


def test_a_refused_key_is_set_aside_and_the_others_go_on(gateway, fleet):
    pool = pool_of(gateway, fleet, {"keys": KEYS})
    [upstream] = pool.upstreams
    upstream.by_key[KEYS[1]] = REFUSED
    for _ in range(12):
        assert pool.ask().status_code == 200, "a refused key is no matter of the client"
    used = Counter(upstream.keys)
    assert used[KEYS[1]] == 1 and abs(used[KEYS[0]] - used[KEYS[2]]) <= 1, used
    assert pool.state()["status"] == "enabled" and pool.reason() is None


def test_the_channel_goes_with_its_last_key(gateway, fleet):
    pool = pool_of(gateway, fleet, {"keys": KEYS[:2], "priority": 2}, {"priority": 1})
    bad = pool.upstreams[0]
    bad.by_key[KEYS[0]] = REFUSED
    for _ in range(4):
        assert pool.ask().status_code == 200
    assert pool.state()["status"] == "enabled"
    bad.behave(REFUSED)
    assert [pool.served_by() for _ in range(4)] == [1] * 4
    assert aside(pool)["status_reason"]
    assert Counter(bad.keys)[KEYS[0]] == 1 and pool.reason() in ("auto_disabled", "keys_aside")


@pytest.mark.parametrize("status, code", [
    (401, None), (401, "invalid_api_key"), (403, "account_deactivated"),
    (429, "insufficient_quota"), (403, "billing_not_active"), (400, "billing_hard_limit_reached"),
    (402, None)])
def test_exact_codes_disable_the_channel(gateway, fleet, status, code):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(status, code), OK])
    assert [pool.served_by() for _ in range(4)] == [1] * 4
    state = aside(pool)
    assert re.search(r"\w+ \w+", state["status_reason"]), "the reason is a sentence"
    assert pool.reason() in ("auto_disabled", "keys_aside") and pool.verdict()["detail"]
    assert pool.counts() == [1, 4]


@pytest.mark.parametrize("status, code", [
    (500, None), (503, "server_error"), (403, "content_policy"), (429, "rate_limit_exceeded"),
    (400, "invalid_value"), (404, "model_not_found")])
def test_words_in_a_message_disable_nothing(gateway, fleet, status, code):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(status, code, WORDS), OK])
    for _ in range(2):
        assert pool.ask().status_code in (200, 400)
    time.sleep(0.1)
    assert pool.state()["status"] == "enabled"
    assert pool.reason() not in ("auto_disabled", "keys_aside")


def test_what_was_disabled_automatically_comes_back(quick, fleet):
    pool = pool_of(quick, fleet, *priorities(2), behaviours=[REFUSED, OK])
    assert pool.served_by() == 1
    aside(pool)
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        assert pool.served_by() == 1
        time.sleep(0.03)
    probes = pool.upstreams[0].count - 1
    assert 1 <= probes <= 4, f"{probes} probes in 1.5 s; the first cool-down is 0.4 s"
    pool.upstreams[0].behave(OK)
    wait_until(lambda: pool.served_by() == 0, 5, "a channel in use again")
    wait_until(lambda: pool.state()["status"] == "enabled", 2, "enabled")
    assert not pool.state()["status_reason"] and pool.reason() is None
    assert [pool.served_by() for _ in range(3)] == [0] * 3


def test_one_key_that_was_set_aside_comes_back(quick, fleet):
    pool = pool_of(quick, fleet, {"keys": KEYS[:2]})
    [upstream] = pool.upstreams
    upstream.by_key[KEYS[0]] = REFUSED
    for _ in range(4):
        pool.served_by()
    del upstream.by_key[KEYS[0]]

    def both():
        before = len(upstream.keys)
        for _ in range(4):
            pool.served_by()
        return Counter(upstream.keys[before:]) == {KEYS[0]: 2, KEYS[1]: 2}

    wait_until(both, 5, "both keys in turn")


def test_what_was_disabled_by_hand_stays_so(quick, fleet):
    pool = pool_of(quick, fleet, {"priority": 3}, {"priority": 2}, {"priority": 1},
                   behaviours=[OK, REFUSED, OK])
    pool.change(0, status="disabled")
    assert pool.served_by() == 2
    aside(pool, 1)
    pool.change(1, status="disabled")
    pool.upstreams[1].behave(OK)
    before = pool.counts()
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        assert pool.served_by() == 2
        time.sleep(0.03)
    assert pool.counts()[:2] == before[:2]
    assert [pool.state(n)["status"] for n in (0, 1)] == ["disabled"] * 2
    assert [pool.reason(n) for n in (0, 1)] == ["disabled"] * 2


def test_enabling_by_hand_counts_at_once(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[REFUSED, OK])
    assert pool.served_by() == 1
    aside(pool)
    pool.upstreams[0].behave(OK)
    pool.change(0, status="enabled")
    assert [pool.served_by() for _ in range(3)] == [0] * 3
    assert pool.state()["status"] == "enabled" and not pool.state()["status_reason"]


def test_enabling_what_is_enabled_keeps_a_rest(gateway, fleet):
    """Whoever saves a whole channel sends its status too."""
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(429, retry_after=60), OK])
    assert pool.served_by() == 1 and pool.reason() == "resting"
    pool.change(0, status="enabled", weight=2)
    assert pool.reason() == "resting"
    assert pool.served_by() == 1 and pool.upstreams[0].count == 1


def test_new_keys_count_at_once(gateway, fleet):
    pool = pool_of(gateway, fleet, {"priority": 2, "keys": KEYS[:1]}, {"priority": 1})
    pool.upstreams[0].by_key[KEYS[0]] = REFUSED
    assert pool.served_by() == 1
    aside(pool)
    pool.change(0, keys=KEYS[1:])
    assert pool.served_by() == 0 and pool.state()["status"] == "enabled"


@pytest.mark.native
def test_retry_after_rests_the_channel_exactly_that_long(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(429, retry_after=2), OK])
    future = pool.start(fleet, 150, 1, interval=0.02)
    first = pool.upstreams[0]
    wait_until(lambda: first.count == 1, what="the first request")
    wait_until(lambda: pool.upstreams[1].count > 1, what="the second request")
    assert pool.reason() == "resting" and pool.verdict()["detail"]
    assert pool.state()["status"] == "enabled"
    future.result(60).expect_success(150)
    gap = first.arrivals[1].at - first.arrivals[0].at
    assert 1.99 <= gap < 2.3, f"asked again after {gap:.3f} s, Retry-After was 2 s"


@pytest.mark.native
def test_retry_after_rests_one_key_exactly_that_long(gateway, fleet):
    upstream = fleet.upstream()
    upstream.by_key[KEYS[0]] = failing(429, retry_after=1)
    pool = make_pool(gateway, [upstream], {"keys": KEYS[:2]})
    pool.load(fleet, 100, 1, interval=0.02).expect_success(100)
    at = [arrival.at for arrival in upstream.arrivals if arrival.key == KEYS[0]]
    assert len(at) >= 2 and 0.99 <= at[1] - at[0] < 1.3 * PATIENCE, at
    assert pool.state()["status"] == "enabled"
