# SPDX-License-Identifier: MIT
"""Vendors of Anthropic's and of Cohere's format: asked by the OpenAI SDK, tested, and listed."""

import base64

import openai
import pytest

import dialects
from test_management_login import failure
from test_sdk_chat import IMAGE_URL, PNG, collect, user

OPENAI = {"path": "/v1"}
OWN = {"path": "", "type": "anthropic"}


@pytest.mark.short
def test_openai_clients_reach_anthropic(gateway, upstream):
    route = gateway.route(upstream, "echo", **OWN)
    answer = gateway.sdk().chat.completions.create(
        model=route.model, seed=1,
        messages=[{"role": "system", "content": "Be kind."}, *user("Hello, 世界 🌍")])
    assert answer.choices[0].message.content == "Hello, 世界 🌍"
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.id, answer.model) == ("chatcmpl-msg_e2e1", route.model)
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 5)
    assert usage.prompt_tokens_details.cached_tokens == 3
    sent = route.request()
    assert sent.path == "/v1/messages"
    assert (sent.json["system"], sent.json["max_tokens"]) == ("Be kind.", 4096)
    assert gateway.stats(route.channel)["completion_tokens"] == 5


def test_openai_clients_show_pictures_and_see_thoughts(gateway, upstream):
    route = gateway.route(upstream, "vision", **OWN)
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=[
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": IMAGE_URL}}]}])
    assert answer.choices[0].message.content == dialects.digest("image/png", base64.b64encode(PNG))
    route = gateway.route(upstream, "thinking", **OWN)
    answer = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("2+2?"), reasoning_effort="high")
    assert answer.choices[0].message.reasoning_content == "2+2 is 4."
    assert answer.choices[0].message.content == "4"


@pytest.mark.parametrize("script, error, code", [
    ("error:429:rate_limit_error", openai.RateLimitError, "rate_limit_exceeded"),
    ("error:404:not_found_error", openai.NotFoundError, "model_not_found"),
    ("error:402:billing_error", openai.InternalServerError, "upstream_quota_exhausted")])
def test_openai_clients_see_their_own_errors(gateway, upstream, script, error, code):
    route = gateway.route(upstream, script, **OWN)
    with pytest.raises(error) as raised:
        gateway.sdk().chat.completions.create(model=route.model, messages=user("hi"))
    assert raised.value.code == code


def test_an_overloaded_vendor_is_replaced_by_one_of_another_format(gateway, upstream):
    suffix = gateway.route(upstream, "echo").unique
    for script, priority, vendor in (("error:529:overloaded_error", 2, OWN), ("echo", 1, OPENAI)):
        gateway.channel(
            upstream.url(path=vendor["path"]), [f"both{suffix}"],
            model_mapping={f"both{suffix}": script + suffix}, priority=priority,
            type=vendor.get("type", "openai-compatible"))
    answer = gateway.sdk().chat.completions.create(
        model=f"both{suffix}", messages=user("still there?"))
    assert answer.choices[0].message.content == "still there?"


# Cohere.

def test_openai_clients_reach_cohere(gateway, upstream):
    route = gateway.route(upstream, "echo", path="", type="cohere")
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("hello"))
    assert answer.choices[0].message.content == "hello" and answer.usage.total_tokens == 16
    stream = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("hello"), stream=True,
        stream_options={"include_usage": True})
    text, usage = collect(stream)
    assert text == "hello" and usage.total_tokens == 16
    assert route.request().path == "/v2/chat"


# The management API.

@pytest.mark.parametrize("kind, path, names", [
    ("anthropic", "/anthropic", ["claude-a", "claude-b"]),
    ("anthropic", "/anthropic/v1", ["claude-a", "claude-b"]),
    ("cohere", "/cohere", ["command-a", "command-b"])])
def test_models_are_listed_where_the_vendor_lists_them(gateway, upstream, kind, path, names):
    channel = gateway.channel(upstream.url(path=path), ["m"], type=kind)
    assert gateway.call("GET", f"/channels/{channel['id']}/models")["models"] == names


def test_a_model_list_that_is_refused_has_a_reason(gateway, upstream):
    channel = gateway.channel(
        upstream.url(path="/anthropic"), ["m"], type="anthropic", keys=["sk-other"])
    answer = gateway.request("GET", f"/channels/{channel['id']}/models")
    message = failure(answer, 502, "upstream_error")
    assert "refuses the key (401): invalid x-api-key" in message


@pytest.mark.parametrize("kind, script, words", [
    ("anthropic", "echo", None), ("cohere", "echo", None),
    ("anthropic", "error:401:authentication_error", "the upstream refuses the key (401)"),
    ("anthropic", "error:402:billing_error", "no balance (402)"),
    ("anthropic", "error:404:not_found_error", "does not know the model error:404"),
    ("anthropic", "error:529:overloaded_error", "the upstream fails (529): upstream says 529"),
    ("cohere", "error:498", "the upstream refuses the key (498)"),
    ("cohere", "error:422", "the upstream refuses the request (422): upstream says 422")])
def test_channels_are_tested_in_their_own_format(gateway, upstream, kind, script, words):
    route = gateway.route(upstream, script, path="", type=kind)
    result = gateway.call("POST", f"/channels/{route.channel['id']}/test", {})
    if words is None:
        assert result["ok"], result
        assert result["error"] is None
    else:
        assert words in result["error"]
