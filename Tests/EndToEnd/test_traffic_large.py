# SPDX-License-Identifier: MIT
"""Large bodies, which are streamed through and not held, where a channel has to be waited for."""

import json
import threading

import pytest

from process import PATIENCE
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


def test_a_large_body_has_one_attempt_and_a_clear_error(gateway, upstream):
    route = gateway.route(upstream, "status:500", "echo")
    response = ask(gateway, route, LARGE)
    assert response.status_code == 502 and "upstream says 500" in response.text
    assert len(route.requests()) == 1
