# SPDX-License-Identifier: MIT
"""The fleet of faulty upstreams and the load driver against each other."""

import socket
import time

import pytest

from faulty import CUT, HANG, OK, RESET, failing, slow
from load import drive, request_bytes
from process import wait_until

pytestmark = pytest.mark.self_test
MODEL = "m"


def load(fleet, upstream, requests, connections=8, stream=False, key="sk-a", **more):
    """A load that goes straight to one upstream."""
    request = request_bytes(key, MODEL, stream)
    return fleet.run(
        drive(upstream.port, request, MODEL, requests, connections, stream, **more))


@pytest.mark.native
@pytest.mark.parametrize("stream", [False, True])
def test_two_thousand_requests_a_second_take_half_a_core(fleet, stream):
    upstream = fleet.upstream()
    before = time.process_time()
    run = load(fleet, upstream, 4000, 64, stream).expect_success(4000)
    cost = (time.process_time() - before) / 4000
    assert run.counts == {"u1": 4000} and upstream.count == 4000
    assert cost < 1 / 2000 / 2, f"{cost * 1e6:.0f} µs of processor time for driver and upstream"


@pytest.mark.parametrize("behaviour, status, problem", [
    (OK, 200, ""), (slow(30), 200, ""), (failing(500), 500, ""), (failing(429), 429, ""),
    (failing(429, retry_after=7), 429, ""), (failing(401, "invalid_api_key"), 401, ""),
    (RESET, 0, "connection lost"), (CUT, 200, "connection lost"), (HANG, 0, "no answer in time")])
def test_behaves_as_told(fleet, behaviour, status, problem):
    upstream = fleet.upstream(behaviour)
    stream = behaviour is CUT
    [sample] = load(fleet, upstream, 1, stream=stream, seconds=1).samples
    assert sample.status == status and sample.problem.startswith(problem), sample
    assert (sample.marker == "u1") == (status == 200 and not problem)
    assert upstream.count == 1
    if behaviour.delay_ms:
        assert 0.03 <= sample.seconds < 0.5
    if status in (401, 429):
        assert sample.code == ("invalid_api_key" if status == 401 else None)
    wait_until(lambda: upstream.open == 0, what="an upstream without open requests")


def test_retry_after_is_a_header(fleet):
    [sample] = load(fleet, fleet.upstream(failing(429, retry_after=7)), 1).samples
    assert sample.headers["retry-after"] == "7"


def test_a_dead_upstream_refuses_and_a_revived_one_has_its_old_port(fleet):
    upstream = fleet.upstream()
    run = load(fleet, upstream, 200, 4, hooks={100: upstream.kill, 101: upstream.revive})
    lost = [sample for sample in run.samples if sample.problem]
    assert 1 <= len(lost) <= 4 and all("connection lost" in sample.problem for sample in lost)
    upstream.kill()
    for _ in range(3):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", upstream.port))
    upstream.revive()
    load(fleet, upstream, 20).expect_success(20)


def test_a_paused_upstream_accepts_and_answers_later(fleet):
    upstream = fleet.upstream()
    upstream.pause()
    began = time.monotonic()
    fleet.loop.call_soon_threadsafe(fleet.loop.call_later, 0.2, upstream.resume)
    load(fleet, upstream, 16, 8).expect_success(16)
    assert time.monotonic() - began > 0.2
    assert upstream.most_open == 8 and upstream.open == 0


def test_counts_what_is_open_at_once(fleet):
    upstream = fleet.upstream(slow(20))
    load(fleet, upstream, 40, 10).expect_success(40)
    assert upstream.most_open == 10 and upstream.open == 0


def test_single_keys_and_single_requests_behave_differently(fleet):
    upstream = fleet.upstream()
    upstream.by_key["sk-b"] = failing(401)
    assert load(fleet, upstream, 1, key="sk-b").samples[0].status == 401
    upstream.next.extend([failing(500), failing(503)])
    statuses = [s.status for s in load(fleet, upstream, 3, 1).samples]
    assert statuses == [500, 503, 200]
    assert upstream.keys == ["sk-b", "sk-a", "sk-a", "sk-a"]


@pytest.mark.parametrize("body, problem", [
    (b'{"model":"m","choices":[{"message":{"content":"u1: wrong"}}]}', "not what the upstream"),
    (b'{"model":"x"}', "OpenAI's format"), (b"{", "OpenAI's format"), (b"", "OpenAI's format")])
def test_the_driver_notices_a_wrong_answer(fleet, body, problem):
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    upstream = fleet.upstream(type(OK)(whole=answer))
    run = load(fleet, upstream, 1)
    assert problem in run.samples[0].problem
    with pytest.raises(AssertionError):
        run.expect_success(1)


@pytest.mark.parametrize("events", [
    b"data: {\"model\":\"m\",\"choices\":[]}\n\n", b"data: [DONE]\n\n", b": ping\n\n"])
def test_the_driver_notices_an_incomplete_stream(fleet, events):
    answer = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
              % (len(events), events))
    run = load(fleet, fleet.upstream(type(OK)(whole=answer)), 1, stream=True)
    assert run.samples[0].problem
