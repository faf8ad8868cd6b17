# SPDX-License-Identifier: MIT
"""Explaining: why a channel is or is not asked, for the owner, and in words for the client."""

import re

import pytest

from faulty import OK, failing
from process import next_number, wait_until
from test_management_login import failure
from traffic import make_pool, pool_of

REFUSED = failing(401, "invalid_api_key")


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway whose breakers open with the second failure and stay open."""
    config = {"breaker_failures": 2, "breaker_cooldown_ms": 60_000, "queue_timeout_ms": 5000,
              "breaker_cooldown_limit_ms": 60_000}
    with seed.copy(tmp_path_factory.mktemp("explain") / "data", config) as instance:
        yield instance


@pytest.mark.short
def test_every_channel_is_listed_with_its_reason_and_order(gateway, fleet):
    model = f"model-{next_number()}"
    settings = [
        {"priority": 1, "model_mapping": {model: "upstream-name"}}, {"priority": 7},
        {"groups": ["default"]}, {"models": ["another"]}, {"status": "disabled"}, {"weight": 0}]
    pool = pool_of(gateway, fleet, *settings, model=model, group={})
    reasons = [pool.reason(number) for number in range(len(settings))]
    assert reasons == [
        None, None, "not_in_group", "model_not_listed", "disabled", "weight_zero"]
    assert pool.order() == [1, 0]
    answer = pool.explain()
    assert answer["model"] == model and answer["groups"] == [pool.group["name"]]
    assert re.search(r"\w+ \w+", answer["answer"]), "a sentence"
    for number, channel in enumerate(pool.channels):
        verdict = pool.verdict(number)
        assert verdict["name"] == channel["name"]
        assert (verdict["order"] is None) == (not verdict["eligible"])
        assert verdict["eligible"] or re.search(r"\w+ \w+", verdict["detail"]), verdict
    assert pool.verdict(0)["upstream_model"] == "upstream-name"
    assert pool.verdict(1)["upstream_model"] == model
    assert pool.verdict(0)["group"] == pool.group["name"]
    assert sum(pool.counts()) == 0, "explaining asks nobody"
    assert pool.served_by() == 1


def break_circuit(pool):
    pool.upstreams[0].behave(failing(500))
    for _ in range(2):
        pool.failure(502)


def rest(pool):
    pool.upstreams[0].behave(failing(429, retry_after=60))
    pool.failure(429)


def refuse_keys(pool):
    pool.upstreams[0].behave(REFUSED)
    pool.failure(502)
    wait_until(lambda: pool.state()["status"] == "auto_disabled", 2, "auto_disabled")


# What is done to the only channel: its reason, the client's status, a word of the client's message.
STATES = {
    "disabled": (lambda pool: pool.change(status="disabled"), ["disabled"], (404, 503),
                 "disabled"),
    "refused key": (refuse_keys, ["keys_aside", "auto_disabled"], (404, 503),
                    "key|disabled"),
    "weight": (lambda pool: pool.change(weight=0), ["weight_zero"], (404, 503), "weight"),
    "group": (lambda pool: pool.change(groups=["default"]), ["not_in_group"], (404,), "group"),
    "models": (lambda pool: pool.change(models=["other"]), ["model_not_listed"], (404,),
               "no channel|model"),
    "rest": (rest, ["resting"], (429, 503), "rest|rate|wait|asked")}


@pytest.mark.parametrize("name", STATES)
def test_the_client_is_told_the_reason_in_words(gateway, fleet, name):
    change, reasons, statuses, words = STATES[name]
    pool = pool_of(gateway, fleet, {}, group={})
    change(pool)
    verdict = pool.verdict()
    assert verdict["reason"] in reasons and verdict["detail"], verdict
    before = pool.counts()
    message = pool.failure(statuses)["message"]
    assert re.search(words, message, re.I), message
    assert pool.counts() == before, "a channel that is not eligible is not asked"
    for secret in ("127.0.0.1", "sk-upstream", pool.channels[0]["name"]):
        assert secret not in message, f"{secret!r} is the owner's matter: {message}"


def test_the_last_channel_is_tried_early_by_one_request_at_a_time(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, group={})
    break_circuit(pool)
    assert pool.verdict()["reason"] == "circuit_open", pool.verdict()
    pool.upstreams[0].behave(OK)
    pool.upstreams[0].pause()
    probe = pool.start(fleet, 1)
    wait_until(lambda: pool.upstreams[0].open == 1, what="an early probe")
    before = pool.counts()
    message = pool.failure(503)["message"]
    assert "failures" in message and pool.counts() == before, message
    pool.upstreams[0].resume()
    probe.result(20).expect_success(1)
    assert pool.reason() is None, "the probe has closed the breaker"


def test_a_busy_channel_is_explained(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, group={}, max_concurrency=1)
    pool.upstreams[0].pause()
    future = pool.start(fleet, 1)
    wait_until(lambda: pool.upstreams[0].open == 1, what="a request under way")
    verdict = pool.verdict()
    pool.upstreams[0].resume()
    future.result(20).expect_success(1)
    assert verdict["reason"] == "busy" and "1" in verdict["detail"], verdict
    assert pool.reason() is None


def test_one_key_aside_leaves_the_channel_eligible(gateway, fleet):
    upstream = fleet.upstream()
    upstream.by_key["sk-bad-key-1111"] = REFUSED
    pool = make_pool(gateway, [upstream], keys=["sk-good-key-0000", "sk-bad-key-1111"])
    for _ in range(4):
        pool.served_by()
    assert pool.reason() is None and pool.order() == [0]


def test_an_unknown_model_is_explained(gateway, fleet):
    pool = pool_of(gateway, fleet, {})
    data = pool.explain(f"nothing-{next_number()}")
    assert not [c for c in data["channels"] if c["eligible"]]
    assert {c["reason"] for c in data["channels"]} >= {"model_not_listed"}
    assert "model" in data["answer"] or "channel" in data["answer"]


@pytest.mark.parametrize("query, statuses", [
    ("token_id=999999&model=m", (400, 404)), ("model=m", (400,)), ("token_id=1", (400,)),
    ("token_id=x&model=m", (400,)), ("token_id=1&model=m&no_such=1", (400,))])
def test_a_bad_question_is_refused(gateway, query, statuses):
    response = gateway.request("GET", "/explain?" + query)
    assert response.status_code in statuses, response.text
    failure(response, response.status_code)


def test_explaining_needs_a_login(gateway):
    assert gateway.request("GET", "/explain?token_id=1&model=m", jwt="").status_code == 401


def test_the_order_is_the_one_that_is_tried(gateway, fleet):
    settings = [{"priority": p} for p in (3, 9, 1, 5)]
    pool = pool_of(gateway, fleet, *settings, behaviours=[failing(500)] * 4)
    order = pool.order()
    assert order == [1, 3, 0, 2]
    pool.failure(502)
    arrivals = [upstream.arrivals[0].at for upstream in pool.upstreams]
    assert sorted(range(4), key=lambda number: arrivals[number]) == order
