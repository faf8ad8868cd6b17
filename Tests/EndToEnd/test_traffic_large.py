# SPDX-License-Identifier: MIT
"""Large bodies, which are streamed through and not held, where a channel has to be waited for."""

import json
import socket
import threading
import time

import pytest

from process import PATIENCE, free_port, next_number
from test_failover import black_hole
from test_sdk_chat import user

LARGE = "x" * 3_000_000


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway that holds little of a body."""
    config = {"body_held_limit_kb": 64, "queue_timeout_ms": 3000 * PATIENCE}
    with seed.copy(tmp_path_factory.mktemp("large") / "data", config) as instance:
        yield instance


def ask(gateway, route, text="small", **more):
    """One chat request whose model comes first, as it must for a body to stream through."""
    body = {"model": route.model, "messages": user(text), **more}
    return gateway.post("/v1/chat/completions", json.dumps(body))


def occupied(gateway, upstream, script):
    """A channel for one request at a time that has one, and the thread that waits for it."""
    route = gateway.route(upstream, script, max_concurrency=1)
    first = threading.Thread(target=ask, args=(gateway, route))
    first.start()
    route.request()
    return route, first


def test_a_large_body_waits_for_a_busy_channel(gateway, upstream):
    route, first = occupied(gateway, upstream, f"slow-first-byte:{800 * PATIENCE}")
    response = ask(gateway, route, LARGE)
    first.join()
    assert response.status_code == 200, response.text[:300]
    assert json.loads(route.request(2).body)["messages"] == user(LARGE), "the whole body arrived"
    assert route.requests()[0].finished.is_set(), "one after the other"


def test_a_large_body_is_refused_when_it_has_waited_too_long(make_gateway, upstream):
    gateway = make_gateway(body_held_limit_kb=64, queue_timeout_ms=400)
    route, first = occupied(gateway, upstream, f"slow-first-byte:{3000 * PATIENCE}")
    response = ask(gateway, route, LARGE)
    assert response.status_code == 429, response.text[:300]
    first.join()
    assert ask(gateway, route, LARGE).status_code == 200, "nothing is left behind"
    assert len(route.requests()) == 2


@pytest.mark.parametrize("first", ["refused", "silent", "untrusted"])
def test_a_large_body_goes_to_the_next_channel_while_it_is_held(gateway, upstream, first):
    model = f"echo@{next_number()}"
    with black_hole() as silent:
        address = {"refused": f"http://127.0.0.1:{free_port()}/v1",
                   "silent": f"http://127.0.0.1:{silent}/v1",
                   "untrusted": upstream.url("unknown-ca")}[first]
        gateway.channel(address, [model], priority=2)
        gateway.channel(upstream.url(), [model], priority=1)
        body = json.dumps({"model": model, "messages": user(LARGE)})
        began = time.monotonic()
        response = gateway.post("/v1/chat/completions", body)
    assert time.monotonic() - began < 6 * PATIENCE, "a silent address has failover_connect_ms"
    assert response.status_code == 200, response.text[:300]
    assert response.headers["x-tinygateway-attempts"] == "2"
    [request] = upstream.requests(model.removeprefix("echo"))
    assert request.body == body.encode()


def test_a_large_body_passes_over_a_channel_that_would_have_to_hold_it(gateway, upstream):
    model = f"echo@{next_number()}"
    gateway.channel(f"http://127.0.0.1:{free_port()}/v1", [model], priority=3)
    gateway.channel(upstream.url(path=""), [model], priority=2, type="cohere")
    gateway.channel(upstream.url(), [model], priority=1)
    body = json.dumps({"model": model, "input": [LARGE]})
    response = gateway.post("/v1/embeddings", body)
    assert response.status_code == 200, response.text[:300]
    assert response.headers["x-tinygateway-attempts"] == "2"
    [request] = upstream.requests(model.removeprefix("echo"))
    assert (request.path, request.body) == ("/v1/embeddings", body.encode())


def test_a_large_body_counts_as_held_until_it_is_taken(make_gateway, upstream):
    """An upstream that reads nothing does not make room for the next body."""
    gateway = make_gateway(memory_limit_mb=24)  # a third of it for bodies
    route = gateway.route(upstream, "echo")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        model = f"echo@{next_number()}"
        gateway.channel(f"http://127.0.0.1:{deaf.getsockname()[1]}/v1", [model])
        body = json.dumps({"model": model, "messages": user("x" * 8_600_000)})
        first = threading.Thread(target=gateway.post, args=("/v1/chat/completions", body))
        first.start()
        with deaf.accept()[0] as taken:
            assert taken.recv(30) == b"POST /v1/chat/completions HTTP", "it has begun"
            assert ask(gateway, route, "x" * 600_000).status_code == 503
        first.join()
    assert ask(gateway, route, "x" * 600_000).status_code == 200


def test_a_large_body_never_meets_a_stale_connection(gateway, upstream):
    route = gateway.route(upstream, "stale")
    for text in ("small", LARGE, LARGE, "small"):
        assert ask(gateway, route, text).status_code == 200


def test_a_large_body_has_one_attempt_and_a_clear_error(gateway, upstream):
    route = gateway.route(upstream, "status:500", "echo")
    response = ask(gateway, route, LARGE)
    assert response.status_code == 502 and "upstream says 500" in response.text
    assert len(route.requests()) == 1
