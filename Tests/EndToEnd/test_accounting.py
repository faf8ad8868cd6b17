# SPDX-License-Identifier: MIT
"""Quota and figures: what the upstream reports is what the token pays."""

import asyncio
import json

import openai
import pytest

from process import wait_until
from test_sdk_chat import collect, user


@pytest.fixture
def token(gateway):
    return gateway.token(quota=1_000_000)


def use(gateway, token, model, stream=False, text="x", **more):
    """One chat completion with a token; drains a stream."""
    answer = gateway.sdk(token["key"]).chat.completions.create(
        model=model, messages=user(text), stream=stream, **more)
    if stream:
        collect(answer)


def expect_used(gateway, token, amount):
    wait_until(lambda: gateway.used_quota(token) >= amount, what=f"used_quota {amount}")
    assert gateway.used_quota(token) == amount


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", ["echo", "poem", "usage-last-choice", "dribble", "sse-crlf"])
def test_a_token_pays_what_the_upstream_reports(gateway, upstream, token, script, stream):
    route = gateway.route(upstream, script)
    use(gateway, token, route.model, stream)
    expect_used(gateway, token, 16)


def test_a_stream_that_asks_for_usage_is_counted_once(gateway, upstream, token):
    route = gateway.route(upstream, "echo")
    use(gateway, token, route.model, True, stream_options={"include_usage": True})
    expect_used(gateway, token, 16)


def test_completions_and_embeddings_are_counted(gateway, upstream, token):
    route = gateway.route(upstream, "echo")
    client = gateway.sdk(token["key"])
    client.completions.create(model=route.model, prompt="a b")
    client.embeddings.create(model=route.model, input=["a", "b", "c"])
    list(client.completions.create(model=route.model, prompt="a b", stream=True))
    expect_used(gateway, token, 16 + 6 + 16)


@pytest.mark.parametrize("stream", [False, True])
def test_missing_usage_is_estimated(gateway, upstream, token, stream):
    route = gateway.route(upstream, "no-usage")
    use(gateway, token, route.model, stream, text="some words " * 50)
    used = wait_until(lambda: gateway.used_quota(token), what="an estimate")
    assert 40 <= used <= 2000


@pytest.mark.parametrize("stream", [False, True])
def test_insane_usage_never_lowers_an_account(gateway, upstream, token, stream):
    use(gateway, token, gateway.route(upstream, "echo").model)
    expect_used(gateway, token, 16)
    use(gateway, token, gateway.route(upstream, "insane-usage").model, stream)
    wait_until(lambda: gateway.used_quota(token) > 16, what="the clamped usage")
    assert gateway.used_quota(token) <= 2 * 10**9 + 16


@pytest.mark.parametrize("script", ["status:500", "status:400", "reset", "raw:bad-json"])
def test_a_failed_request_costs_nothing(gateway, upstream, token, script):
    route = gateway.route(upstream, script)
    with pytest.raises(openai.APIStatusError):
        use(gateway, token, route.model)
    assert gateway.used_quota(token) == 0


def test_a_client_that_leaves_pays_for_what_it_received(gateway, upstream, token, raw):
    route = gateway.route(upstream, "slow-stream:10")
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True}).encode()
    client = raw().send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (token["key"].encode(), len(body), body))
    while client.held.count(b"data:") < 10:
        client.held += client.socket.recv(65536)
    client.socket.close()
    assert route.request().gone.wait(2)
    used = wait_until(lambda: gateway.used_quota(token), what="usage of a cancelled stream")
    assert 1 <= used < 200


def test_a_spent_quota_refuses_the_next_request(gateway, upstream, token):
    route = gateway.route(upstream, "echo")
    use(gateway, token, route.model)
    gateway.call("PUT", f"/tokens/{token['id']}", {"quota": 10})
    with pytest.raises(openai.RateLimitError) as caught:
        use(gateway, token, route.model)
    assert caught.value.code == "insufficient_quota"
    assert len(route.requests()) == 1
    gateway.call("PUT", f"/tokens/{token['id']}", {"quota": 1_000_000})
    use(gateway, token, route.model)
    expect_used(gateway, token, 32)


def test_many_requests_at_once_do_not_overdraw(gateway, upstream):
    route = gateway.route(upstream, "slow-first-byte:200")
    token = gateway.token(quota=100)
    prompt = "a prompt of some eleven tokens or so, I think"

    async def one(client):
        try:
            await client.chat.completions.create(
                model=route.model, messages=user(prompt), max_tokens=5)
            return 1
        except openai.RateLimitError as error:
            assert error.code == "insufficient_quota"
            return 0

    async def many():
        options = {"api_key": token["key"], "base_url": gateway.url + "/v1", "max_retries": 0}
        async with openai.AsyncOpenAI(**options) as client:
            return sum(await asyncio.gather(*(one(client) for _ in range(30))))

    served = asyncio.run(many())
    assert served >= 1
    wait_until(lambda: gateway.used_quota(token) == 16 * served, what="all settled")
    assert gateway.used_quota(token) <= 100 + 2 * 16


def test_channel_figures_count_successes_errors_and_tokens(gateway, upstream, token):
    route = gateway.route(upstream, "echo")
    for _ in range(3):
        use(gateway, token, route.model)
    use(gateway, token, route.model, True)
    figures = wait_until(
        lambda: (s := gateway.stats(route.channel))["successes"] == 4 and s, what="4 successes")
    assert (figures["requests"], figures["errors"]) == (4, 0)
    assert (figures["prompt_tokens"], figures["completion_tokens"]) == (44, 20)
    assert figures["latency_ms_mean"] >= 0 and figures["first_byte_ms_mean"] >= 0
    assert figures["success_rate"] in (1, 100) and figures["error_rate"] == 0


def test_channel_figures_name_the_last_error(gateway, upstream, token):
    route = gateway.route(upstream, "status:500")
    with pytest.raises(openai.InternalServerError):
        use(gateway, token, route.model)
    figures = wait_until(
        lambda: (s := gateway.stats(route.channel))["errors"] and s, what="errors")
    assert figures["successes"] == 0 and figures["success_rate"] == 0
    assert figures["last_error"] and figures["last_error_at"] > 1_600_000_000
    assert sum(figures["errors_by_kind"].values()) == figures["errors"]


def test_usage_survives_a_restart(make_gateway, upstream):
    gateway = make_gateway()
    token, route = gateway.token(quota=1000), gateway.route(upstream, "echo")
    for _ in range(3):
        use(gateway, token, route.model)
    expect_used(gateway, token, 48)
    gateway.restart()
    assert gateway.used_quota(token) == 48


def test_a_power_cut_loses_at_most_one_interval_of_usage(make_gateway, upstream):
    gateway = make_gateway(flush_interval_ms=200)
    token, route = gateway.token(quota=1000), gateway.route(upstream, "echo")
    use(gateway, token, route.model)
    expect_used(gateway, token, 16)
    asyncio.run(asyncio.sleep(1.0))
    gateway.kill()
    gateway.start()
    assert gateway.used_quota(token) == 16
