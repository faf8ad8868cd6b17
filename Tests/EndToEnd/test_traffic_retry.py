# SPDX-License-Identifier: MIT
"""Which failures are tried again and how often, what the client sees in the end, and headers."""

import re
import time

import httpx
import pytest

import payloads
from faulty import CUT, OK, RESET, failing, slow
from faulty_connection import Behaviour, complete
from process import PATIENCE
from traffic import pool_of, priorities


@pytest.fixture(scope="module")
def open_gateway(seed, tmp_path_factory):
    """A gateway that names channels to clients."""
    config = {"expose_channel": "true"}
    with seed.copy(tmp_path_factory.mktemp("exposed") / "data", config) as instance:
        yield instance


# What is tried again


def test_the_list_of_statuses_is_the_owners(make_gateway, fleet):
    gateway = make_gateway(retry_statuses="418,500-501")
    for status, expected in ((418, [1, 1]), (500, [1, 1]), (501, [1, 1]), (502, [1, 0])):
        pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(status), OK])
        assert (pool.ask().status_code == 200) == (expected[1] == 1), status
        assert pool.counts() == expected, status


@pytest.mark.parametrize("status, retried", [
    (400, False), (404, True), (408, True), (409, True), (413, False), (422, False), (429, True),
    (500, True), (502, True), (503, True), (504, True), (529, True), (599, True)])
def test_the_statuses_that_are_retried_without_settings(gateway, fleet, status, retried):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(status), OK])
    assert (pool.ask().status_code == 200) == retried
    assert pool.counts() == [1, int(retried)]


def test_no_retries_means_one_attempt(make_gateway, fleet):
    gateway = make_gateway(retries=0)
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[failing(500), OK])
    pool.failure(502)
    assert pool.counts() == [1, 0]


def test_three_retries_are_the_default(make_gateway, fleet):
    pool = pool_of(make_gateway(), fleet, *priorities(6), behaviours=[failing(500)] * 6)
    pool.failure(502)
    assert pool.counts() == [1, 1, 1, 1, 0, 0]


def test_a_channel_is_tried_once(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, {}, behaviours=[failing(500), RESET])
    pool.failure(502)
    assert pool.counts() == [1, 1]


@pytest.mark.short
def test_never_a_second_attempt_after_the_first_byte(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[CUT, OK])
    try:
        content = pool.ask(stream=True).content
    except httpx.RemoteProtocolError:
        content = b""
    assert b"data: [DONE]" not in content, "a broken stream must not look complete"
    assert pool.counts() == [1, 0]


def test_retries_have_a_deadline_in_total(make_gateway, fleet):
    gateway = make_gateway(retry_deadline_ms=500 * PATIENCE)
    pool = pool_of(gateway, fleet, *priorities(4),
                   behaviours=[failing(500, delay_ms=300 * PATIENCE)] * 4)
    began = time.monotonic()
    pool.failure((502, 504))
    assert time.monotonic() - began < 1.0 * PATIENCE
    assert pool.counts()[2:] == [0, 0], "no attempt begins after the deadline"


def test_the_interval_lies_between_attempts(make_gateway, fleet):
    gateway = make_gateway(retry_interval_ms=300)
    pool = pool_of(gateway, fleet, *priorities(3), behaviours=[failing(500), failing(500), OK])
    assert pool.served_by() == 2
    at = [upstream.arrivals[0].at for upstream in pool.upstreams]
    for pause in (at[1] - at[0], at[2] - at[1]):
        assert 0.15 <= pause < 0.45 + 0.5 * PATIENCE, f"a pause of {pause:.3f} s, not about 0.3 s"


# What the client sees


def test_the_most_useful_error_and_the_number_of_channels(gateway, fleet):
    exploded = failing(500, message="the model exploded")
    pool = pool_of(gateway, fleet, *priorities(3), behaviours=[OK, exploded, OK])
    pool.upstreams[0].kill()
    pool.upstreams[2].kill()
    error = pool.failure(502)
    assert "the model exploded" in error["message"]
    assert error["message"].rstrip(".").endswith("(3 channels tried)")


def test_a_refusal_of_the_request_is_more_useful_than_a_dead_channel(gateway, fleet):
    limited = failing(429, "rate_limit_exceeded", "slow down please", retry_after=9)
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[limited, OK])
    pool.upstreams[1].kill()
    response = pool.ask()
    assert response.status_code == 429 and 1 <= int(response.headers["retry-after"]) <= 9
    message = response.json()["error"]["message"]
    assert "slow down please" in message and "(2 channels tried)" in message


def test_one_channel_is_not_counted(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, behaviours=[failing(500, message="the model exploded")])
    message = pool.failure(502)["message"]
    assert "the model exploded" in message and "tried" not in message


@pytest.mark.short
@pytest.mark.parametrize("stream", [False, True])
def test_headers_tell_what_happened(gateway, fleet, stream):
    pool = pool_of(gateway, fleet, *priorities(3))
    response = pool.ask(stream=stream)
    assert re.fullmatch(r"[\w-]{8,}", response.headers["x-oneapi-request-id"])
    assert response.headers["x-tinygateway-attempts"] == "1"
    assert response.headers["x-tinygateway-model"] == pool.model
    assert "x-tinygateway-channel" not in response.headers, "channels are the owner's matter"
    pool.upstreams[0].kill()
    pool.upstreams[1].behave(failing(503))
    again = pool.ask(stream=stream)
    assert pool.number_of(again, stream) == 2
    assert again.headers["x-tinygateway-attempts"] == "3"
    assert again.headers["x-oneapi-request-id"] != response.headers["x-oneapi-request-id"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_channel_is_named_when_the_owner_allows(open_gateway, fleet, stream):
    pool = pool_of(open_gateway, fleet, *priorities(2))
    for number in (0, 1):
        response = pool.ask(stream=stream)
        assert response.headers["x-tinygateway-channel"] == pool.channels[number]["name"]
        pool.upstreams[0].kill()


def test_an_upstreams_own_headers_do_not_pose_as_the_gateways(gateway, fleet):
    message = {"role": "assistant", "content": "hi"}
    lines = b"X-Tinygateway-Attempts: 77\r\nX-Tinygateway-Channel: x\r\nX-Tinygateway-Model: x\r\n"
    forged = Behaviour(whole=complete(200, payloads.completion("m", message), lines))
    pool = pool_of(gateway, fleet, {}, behaviours=[forged])
    headers = pool.ask().headers
    assert headers["x-tinygateway-attempts"] == "1"
    assert headers["x-tinygateway-model"] == pool.model
    assert "x-tinygateway-channel" not in headers


def test_a_slow_answer_is_no_failure(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2), behaviours=[slow(700), OK])
    assert pool.served_by() == 0 and pool.upstreams[1].count == 0
