# SPDX-License-Identifier: MIT
"""Upstreams that are odd but right: however an answer is framed, the client gets all of it."""

import pytest

import payloads
from test_sdk_chat import collect, user

SHAPES = [
    "dribble", "chunk-per-byte", "chunk-extensions", "close-delimited", "length-framed", "http10",
    "sse-crlf", "sse-cr", "sse-crlf-split", "sse-bom", "sse-comments", "no-done",
    "usage-last-choice", "no-usage", "interim", "closes-after", "leading-blank-lines",
    "split:2", "split:3", "split:5", "split:13", "split:64"]


@pytest.mark.parametrize("listener", ["plain", "tls"])
@pytest.mark.parametrize("script", SHAPES)
def test_a_stream_arrives_whole(gateway, upstream, script, listener):
    route = gateway.route(upstream, script, listener=listener)
    for usage in (False, True):
        text, counted = collect(gateway.sdk().chat.completions.create(
            model=route.model, messages=user("x"), stream=True,
            **({"stream_options": {"include_usage": True}} if usage else {})))
        assert text == payloads.SHORT
        if usage and script not in ("no-usage", "no-done"):
            assert counted.total_tokens == 16


@pytest.mark.parametrize("script", SHAPES)
def test_a_whole_answer_arrives_whole(gateway, upstream, script):
    route = gateway.route(upstream, script)
    for _ in range(2):
        answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
        assert answer.choices[0].message.content == payloads.SHORT


@pytest.mark.parametrize("script", SHAPES)
def test_the_end_of_a_stream_is_clear(gateway, upstream, script):
    route = gateway.route(upstream, script)
    answer = gateway.post(
        "/v1/chat/completions",
        '{"model":"%s","messages":[{"role":"user","content":"x"}],"stream":true}' % route.model)
    assert answer.content.count(b"[DONE]") == 1, "one [DONE], also when the upstream forgets it"
    assert answer.content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").endswith(
        b"data: [DONE]\n\n")


def test_a_chunk_leaves_in_the_turn_in_which_it_arrived(gateway, upstream):
    route = gateway.route(upstream, "slow-stream:10")
    stream = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True)
    next(iter(stream))
    exchange = route.request()
    assert not exchange.finished.is_set(), "the first chunk waited for the end of the stream"
    list(stream)
