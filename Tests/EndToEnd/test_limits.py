# SPDX-License-Identifier: MIT
"""Limits and timeouts: what is too large, too slow or too much is refused, never swallowed."""

import json
import re
import threading
import time

import httpx
import pytest

from process import PATIENCE, wait_until
from test_sdk_chat import user

HEALTH = "GET /api/v1/health HTTP/1.1\r\nHost: a\r\n"
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def strict(seed, certificates, tmp_path_factory):
    """A gateway with small limits and short timeouts."""
    config = {
        "header_timeout_ms": 600, "keep_alive_timeout_ms": 900, "body_held_limit_kb": 1024,
        "body_limit_mb": 4, "body_idle_timeout_ms": 600, "write_timeout_ms": 800,
        "request_timeout_ms": 2000 * PATIENCE, "retry_interval_ms": 10}
    with seed.copy(tmp_path_factory.mktemp("strict") / "data", config) as gateway:
        yield gateway


def post(gateway, length=None, body=b"", headers=""):
    framing = "" if length is None else f"Content-Length: {length}\r\n"
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n{headers}{framing}"
            f"Authorization: Bearer {gateway.key()}\r\n\r\n").encode() + body


@pytest.mark.parametrize("request_text, status", [
    (f"GET /{'a' * 9000} HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    (HEALTH + f"X: {'a' * 9000}\r\n\r\n", 431),
    (HEALTH + "".join(f"X-{n}: {'a' * 1000}\r\n" for n in range(40)) + "\r\n", 431),
    (HEALTH + "".join(f"X-{n}: a\r\n" for n in range(120)) + "\r\n", 431),
], ids=["request line", "header line", "all headers", "number of headers"])
def test_a_head_that_is_too_large(raw, request_text, status):
    client = raw().send(request_text)
    answer = client.answer()
    assert answer.status == status
    assert answer.header("connection") == ["close"] and client.is_closed()


@pytest.mark.parametrize("request_text", [
    f"GET /{'a' * 7000} HTTP/1.1\r\nHost: a\r\n\r\n",
    HEALTH + f"X: {'a' * 7000}\r\n\r\n",
    HEALTH + "".join(f"X-{n}: a\r\n" for n in range(90)) + "\r\n"])
def test_a_head_within_the_limits(raw, request_text):
    assert raw().send(request_text).answer().status in (200, 404)


def test_a_head_without_end_is_cut_off(raw):
    client = raw().send("GET / HTTP/1.1\r\nX: ")
    for _ in range(60):
        client.send(b"a" * 1000)
    assert client.answer().status == 431


def test_a_declared_body_that_is_too_large_is_refused_before_it_is_read(raw, strict):
    client = raw(strict).send(post(strict, 5 * MEGABYTE))
    assert client.answer().status == 413 and client.is_closed()


def test_a_chunked_body_that_grows_too_large_is_refused(raw, strict):
    client = raw(strict).send(post(strict, headers="Transfer-Encoding: chunked\r\n"))
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    for _ in range(100):
        client.send(piece)
    assert client.answer().status == 413


def test_a_refused_body_of_a_fast_client_still_gets_its_answer(raw, strict):
    client = raw(strict).send(post(strict, 5 * MEGABYTE, b" " * MEGABYTE))
    assert client.answer().status == 413


def test_a_body_between_the_two_limits_is_streamed_through(strict, upstream):
    route = strict.route(upstream, "echo")
    for order in (("model", "messages"), ("messages", "model")):
        values = {"model": route.model, "messages": user("y" * 3 * MEGABYTE)}
        body = json.dumps({name: values[name] for name in order})
        answer = strict.post("/v1/chat/completions", body)
        assert len(answer.json()["choices"][0]["message"]["content"]) == 3 * MEGABYTE
        assert route.requests()[-1].body == body.encode()


def test_a_management_body_that_is_too_large(strict):
    body = {"name": "x" * 300_000}
    assert strict.request("POST", "/tokens", json=body).status_code == 413


@pytest.mark.parametrize("start", ["", "GET / HT", "GET /\r\n", HEALTH])
def test_a_slow_head_is_given_up(raw, strict, start):
    client = raw(strict).send(start)
    began = time.monotonic()
    if start:
        assert client.answer().status in (400, 408, 505)
    assert client.is_closed(within=4)
    assert time.monotonic() - began < 4 * PATIENCE


def test_a_head_that_drips_does_not_gain_time(raw, strict):
    client = raw(strict)
    began = time.monotonic()
    client.socket.settimeout(0.05)
    for byte in HEALTH * 40:
        client.send(byte)
        try:
            if client._more():
                break
        except TimeoutError:
            continue
    assert time.monotonic() - began < 3 * PATIENCE
    client.socket.settimeout(5)
    assert client.answer().status == 408


def test_a_body_that_stops_is_given_up(raw, strict):
    client = raw(strict).send(post(strict, 1000, b'{"model":'))
    assert client.answer().status == 408 and client.is_closed()


def test_a_client_that_does_not_read_is_given_up(raw, strict, upstream):
    route = strict.route(upstream, "flood:12")
    body = json.dumps({"model": route.model, "stream": True, "messages": []}).encode()
    client = raw(strict, receive_buffer=4096).send(post(strict, len(body), body))
    client.head()
    assert route.request().gone.wait(6 * PATIENCE), "the upstream of a dead client is still held"


def test_an_idle_connection_is_closed(raw, strict):
    client = raw(strict).send(HEALTH + "\r\n")
    assert client.answer().status == 200
    seconds = client.seconds_until_closed(5 * PATIENCE)
    assert 0.5 < seconds < 4 * PATIENCE


def test_the_whole_request_has_a_limit(strict, upstream):
    route = strict.route(upstream, "slow-stream:200")
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True})
    began = time.monotonic()
    answer = strict.post("/v1/chat/completions", body)
    assert time.monotonic() - began < 5 * PATIENCE
    assert b"[DONE]" not in answer.content and b'"error"' in answer.content


@pytest.mark.parametrize("limit", ["connection_limit", "connections_per_address"])
def test_more_connections_than_allowed_are_told_so(make_gateway, raw, limit):
    gateway = make_gateway(**{limit: 20})
    busy = [raw(gateway).send(HEALTH) for _ in range(20)]
    # More in a row than may be told at once; each has sent something before it reads.
    for _ in range(40):
        client = raw(gateway).send(HEALTH + "\r\n" + "x" * 100_000)
        answer = client.answer()
        assert answer.status == 503 and int(answer.header("retry-after")[0]) >= 1
        assert answer.header("connection") == ["close"] and client.is_closed()
        error = json.loads(answer.body)["error"]
        assert (error["type"], error["code"]) == ("server_error", "overloaded")
        assert "too many connections" in error["message"]
        client.socket.close()
    for client in busy:
        assert client.send("\r\n").answer().status == 200


def test_a_flood_of_connections_does_not_stop_the_service(make_gateway, raw):
    gateway = make_gateway(memory_limit_mb=24)
    clients = [raw(gateway).send(HEALTH) for _ in range(200)]
    statuses = []
    for client in clients:
        client.socket.settimeout(0.01)
        try:
            statuses.append(client.socket.recv(12)[9:])
        except TimeoutError:
            statuses.append(None)  # admitted, and waited for
        except ConnectionResetError:
            statuses.append(b"")
    assert statuses.count(None) == 64 and b"503" in statuses
    assert set(statuses) == {None, b"503", b""}
    for client in clients:
        client.socket.close()

    def is_served():
        try:
            return gateway.get("/api/v1/health").status_code == 200
        except httpx.TransportError:    # the closed ones have not been noticed yet
            return False

    wait_until(is_served, what="a service for those who come after the flood")


def test_few_descriptors_leave_enough_for_those_who_are_admitted(make_gateway, upstream, raw):
    gateway = make_gateway(start=False, retries=0)
    gateway.wrapper = ["sh", "-c", 'ulimit -n 60 && exec "$@"', "sh"]
    gateway.start()
    assert "the limit of open files leaves 10 of 512 connections; raise it" in gateway.log
    route = gateway.route(upstream, "slow-first-byte:300")
    body = json.dumps({"model": route.model, "messages": user("x")}).encode()
    gateway.key()
    gateway.http.close()
    gateway.http = httpx.Client(base_url=gateway.url, timeout=30 * PATIENCE, trust_env=False)
    head = post(gateway, len(body))
    admitted = [raw(gateway).send(head) for _ in range(10)]
    time.sleep(0.2)
    others = [raw(gateway).send(HEALTH) for _ in range(60)]
    assert others[0].send("\r\n").answer().status == 503
    for client in admitted:
        client.send(body)
    assert [client.answer().status for client in admitted] == [200] * 10
    assert "descriptor" not in gateway.log


def test_more_requests_than_allowed_get_503(make_gateway, upstream):
    gateway = make_gateway(memory_limit_mb=24)
    route = gateway.route(upstream, "slow-first-byte:1500")
    body = json.dumps({"model": route.model, "messages": user("x")})
    answers = []

    def one():
        answers.append(gateway.post("/v1/chat/completions", body))

    threads = [threading.Thread(target=one) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503} and statuses.count(200) >= 20
    refused = next(answer for answer in answers if answer.status_code == 503)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["error"]["message"]


@pytest.mark.parametrize("limit", [1, 3])
def test_as_many_requests_as_allowed_are_served(make_gateway, upstream, raw, limit):
    gateway = make_gateway(request_limit=limit)
    route = gateway.route(upstream, "slow-first-byte:600")
    body = json.dumps({"model": route.model, "messages": user("x")}).encode()
    clients = [raw(gateway).send(post(gateway, len(body), body)) for _ in range(limit)]
    route.request(limit)
    refused = raw(gateway).send(post(gateway, len(body), body)).answer()
    assert (refused.status, refused.header("retry-after")) == (503, ["1"])
    assert [client.answer().status for client in clients] == [200] * limit


@pytest.mark.short
def test_memory_that_others_have_used_is_cleared(gateway, raw):
    """The reader of a page gets a block that a head of its size has left."""
    path = re.search(r'/ui/[^/"]+/', gateway.http.get("/").text)[0] + "core.js"

    def page():
        return gateway.http.get(path, headers={"Accept-Encoding": "identity"}).content
    expected = page()
    for size in (11_000, 11_500, 12_000):
        head = "GET / HTTP/1.1\r\nHost: x\r\n" + f"X-A: {'a' * 4000}\r\n" * 3
        clients = [raw().send(head[:size]) for _ in range(8)]
        gateway.http.get("/healthz")            # The heads before it are read.
        for client in clients:
            client.socket.close()
        gateway.http.get("/healthz")
        assert page() == expected
