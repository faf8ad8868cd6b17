# SPDX-License-Identifier: MIT
"""Signs of life for streaming clients while the upstream thinks."""

import json

import pytest

from faulty import OK, failing
from faulty_connection import slow
from load import read_stream
from process import PATIENCE
from traffic import make_pool, pool_of


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway that shows life as often as may be."""
    config = {"heartbeat_ms": 1000, "retry_interval_ms": 10}
    with seed.copy(tmp_path_factory.mktemp("heartbeat") / "data", config) as instance:
        yield instance


def stream(gateway, pool):
    """The raw body of a streamed answer."""
    body = {"model": pool.model, "messages": [{"role": "user", "content": "x"}], "stream": True}
    response = gateway.http.post(
        "/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {pool.token['key']}"})
    assert response.status_code == 200, response.text
    return response


def test_a_slow_upstream_is_bridged_by_comments(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, behaviours=[slow(2600 * PATIENCE)])
    received = stream(gateway, pool).content
    early = received[:received.index(b"data:")]
    assert early.count(b": waiting\n\n") >= 1, received[:200]
    models, text = read_stream(received)
    assert models == {pool.model} and text.startswith(pool.upstreams[0].marker)


def test_another_channel_may_still_serve_behind_a_comment(gateway, fleet):
    late_failure = failing(500, delay_ms=2600 * PATIENCE)
    pool = pool_of(gateway, fleet, {"priority": 9}, {}, behaviours=[late_failure, OK])
    received = stream(gateway, pool).content
    assert received.startswith(b": waiting\n\n"), received[:100]
    _, text = read_stream(received)
    assert text.startswith(pool.upstreams[1].marker)


def test_an_error_behind_a_comment_is_an_event(gateway, fleet):
    late_failure = failing(500, message="the model exploded", delay_ms=2600 * PATIENCE)
    pool = pool_of(gateway, fleet, {}, behaviours=[late_failure])
    received = stream(gateway, pool).content
    last = received.strip().split(b"\n\n")[-1]
    assert "the model exploded" in json.loads(last.removeprefix(b"data: "))["error"]["message"]
    assert b"[DONE]" not in received


def test_a_document_gets_no_comment_into_it(gateway, upstream):
    route = gateway.route(upstream, f"slow-json:{2.2 * PATIENCE}")
    for size in (100, 200_000):  # one that is held until it is complete, one that is not
        body = {"model": route.model, "messages": [{"role": "user", "content": "x" * size}],
                "stream": True}
        response = gateway.post("/v1/chat/completions", json.dumps(body))
        assert response.headers["content-type"] == "application/json"
        assert response.json()["choices"][0]["message"]["content"] == "x" * size


def test_without_streaming_nothing_is_sent_early(gateway, fleet):
    pool = make_pool(gateway, [fleet.upstream(slow(2600 * PATIENCE))], {})
    response = pool.ask()
    assert response.status_code == 200 and response.json()["choices"]
