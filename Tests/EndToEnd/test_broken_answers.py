# SPDX-License-Identifier: MIT
"""Upstreams that break: a stream ends with an error event, anything else with a 502; no lies."""

import json

import openai
import pytest

import payloads
from process import PATIENCE
from test_sdk_chat import user


def stream_bytes(gateway, route):
    """Everything that a client receives of a stream, and whether its framing ended well."""
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True})
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 200, answer.text
    return answer.content


def texts(content):
    """The pieces of text in a stream's bytes."""
    for line in content.split(b"\n"):
        if line.startswith(b"data: {") and b'"choices"' in line:
            for choice in json.loads(line[6:])["choices"]:
                yield choice["delta"].get("content") or ""


BREAKS = ["cut:6", "drop:6", "error:6", "close-cut:6", "stall:6"]


@pytest.mark.parametrize("script", BREAKS)
def test_a_broken_stream_ends_with_an_error_event(gateway, upstream, script):
    route = gateway.route(upstream, script, "echo", idle_timeout_ms=400 * PATIENCE)
    content = stream_bytes(gateway, route)
    assert "".join(texts(content)) == payloads.POEM[:5], "what had arrived must have been sent"
    assert b"[DONE]" not in content
    last = content.rstrip().split(b"\n\n")[-1]
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert error["message"]
    assert len(route.requests()) == 1, "no second attempt after the first byte"


@pytest.mark.parametrize("script", BREAKS)
def test_the_sdk_raises_on_a_broken_stream(gateway, upstream, script):
    route = gateway.route(upstream, script, idle_timeout_ms=400 * PATIENCE)
    stream = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True)
    with pytest.raises(openai.APIError):
        list(stream)


def test_an_error_event_of_the_upstream_keeps_its_text(gateway, upstream):
    route = gateway.route(upstream, "error:6")
    assert b"The server had an error mid-stream." in stream_bytes(gateway, route)


def test_an_error_event_instead_of_the_first_one_is_no_success(gateway, upstream):
    route = gateway.route(upstream, "error:0")
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True})
    answer = gateway.post("/v1/chat/completions", body)
    assert b"[DONE]" not in answer.content
    assert b"The server had an error mid-stream." in answer.content


@pytest.mark.parametrize("script", [
    "raw:bad-json", "raw:empty", "raw:not-http", "raw:two-lengths", "raw:both-framings",
    "raw:bad-chunk", "raw:huge-chunk", "raw:huge-head", "raw:redirect", "raw:html-502",
    "raw:html-200", "reset", "half-close"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_bad_answer_is_a_502(gateway, upstream, script, stream):
    route = gateway.route(upstream, script)
    with pytest.raises(openai.InternalServerError) as caught:
        list(gateway.sdk().chat.completions.create(
            model=route.model, messages=user("x"), stream=stream))
    assert caught.value.status_code == 502
    assert caught.value.body["message"]


@pytest.mark.parametrize("script", ["raw:short-body", "raw:short-chunks", "cut:3", "drop:3"])
def test_half_an_answer_is_never_a_whole_one(gateway, upstream, script):
    route = gateway.route(upstream, script)
    with pytest.raises((openai.InternalServerError, openai.APIConnectionError)):
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))


def test_a_compressed_answer_is_refused_or_decoded(gateway, upstream):
    route = gateway.route(upstream, "gzip")
    try:
        answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
        assert answer.choices[0].message.content == "gzip"
    except openai.InternalServerError as error:
        assert error.status_code == 502


def test_a_large_answer_passes_and_a_huge_one_is_refused(gateway, upstream):
    route = gateway.route(upstream, "huge:4")
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert len(answer.choices[0].message.content) == 4_000_000
    route = gateway.route(upstream, "huge:20")
    with pytest.raises((openai.InternalServerError, openai.APIConnectionError)):
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))


def test_a_long_event_passes_and_an_endless_one_breaks_the_stream(gateway, upstream):
    content = stream_bytes(gateway, gateway.route(upstream, "long-line:900"))
    assert sum(map(len, texts(content))) == 900_002 and content.endswith(b"data: [DONE]\n\n")
    content = stream_bytes(gateway, gateway.route(upstream, "long-line:3000"))
    assert b"[DONE]" not in content and b'"error"' in content


def test_an_upstream_that_answers_before_the_body_is_heard(gateway, upstream):
    route = gateway.route(upstream, "echo", path="/early-413/v1")
    body = json.dumps({"model": route.model, "messages": user("x" * 3_000_000)})
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 413, answer.text


def test_the_gateway_still_serves_after_all_this(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("alive"))
    assert answer.choices[0].message.content == "alive"
