# SPDX-License-Identifier: MIT
"""The official Anthropic SDK through `/v1/messages`, to vendors of its own format and of others."""

import json

import anthropic
import pytest

import dialects
from process import PATIENCE
from test_sdk_chat import user

OPENAI = {"path": "/v1"}
OWN = {"path": "", "type": "anthropic"}
BOTH = pytest.mark.parametrize("vendor", [OPENAI, OWN], ids=["openai", "anthropic"])


@pytest.fixture(scope="module")
def client(gateway):
    """The SDK without its own retries."""
    return anthropic.Anthropic(
        api_key=gateway.key(), base_url=gateway.url, max_retries=0, timeout=30.0 * PATIENCE)


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


def ask(client, route, text="hi", **more):
    """Asks as a stream, and returns what the SDK puts together from the events."""
    with client.messages.stream(
            model=route.model, max_tokens=100, messages=user(text), **more) as stream:
        return stream.get_final_message()


@pytest.mark.short
@BOTH
def test_answers_a_message(gateway, upstream, client, vendor):
    route = gateway.route(upstream, "echo", **vendor)
    answer = client.messages.create(
        model=route.model, max_tokens=100, messages=user("Hello, 世界 🌍"), system="Be kind.",
        stop_sequences=["END"], metadata={"user_id": "u-1"}, extra_body={"temperature": 0.5})
    assert text_of(answer) == "Hello, 世界 🌍"
    assert (answer.type, answer.role, answer.stop_reason) == ("message", "assistant", "end_turn")
    assert answer.id.startswith("msg_")
    usage = answer.usage
    assert (usage.input_tokens, usage.output_tokens) == ((11, 5) if vendor is OPENAI else (6, 5))
    assert usage.cache_read_input_tokens == (0 if vendor is OPENAI else 3)


def test_takes_the_key_as_older_sdks_send_it(gateway, upstream):
    route = gateway.route(upstream, "echo")
    body = {"model": route.model, "max_tokens": 9, "messages": user("hello")}
    answer = gateway.http.post("/v1/messages", json=body, headers={"x-api-key": gateway.key()})
    assert answer.json()["content"] == [{"type": "text", "text": "hello"}]


@BOTH
@pytest.mark.parametrize("streaming", [False, True])
def test_shows_thoughts(gateway, upstream, client, vendor, streaming):
    route = gateway.route(upstream, "reason" if vendor is OPENAI else "thinking", **vendor)
    settings = {"model": route.model, "max_tokens": 4000,
                "thinking": {"type": "enabled", "budget_tokens": 2000}}
    if streaming:
        with client.messages.stream(messages=user("2+2?"), **settings) as stream:
            answer = stream.get_final_message()
    else:
        answer = client.messages.create(messages=user("2+2?"), **settings)
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].thinking == "2+2 is 4." and text_of(answer) == "4"
    if vendor is OWN:
        assert answer.content[0].signature == dialects.SEAL
    else:
        assert route.request().json["reasoning_effort"] == "low"


def test_passes_what_only_anthropic_knows(gateway, upstream, client):
    route = gateway.route(upstream, "echo", **OWN)
    client.messages.create(
        model=route.model, max_tokens=100, service_tier="auto", extra_body={"top_k": 3},
        messages=[{"role": "user", "content": [
            {"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}],
        extra_headers={"anthropic-beta": "one-2026,two-2026"})
    request = route.request()
    assert request.header("anthropic-beta") == ["one-2026,two-2026"]
    assert request.header("anthropic-version") == [client.default_headers["anthropic-version"]]
    assert request.header("x-api-key") == ["sk-upstream-key-1"]
    assert request.header("authorization") == []
    assert request.json["messages"][0]["content"][0]["cache_control"] == {"type": "ephemeral"}
    assert (request.json["service_tier"], request.json["top_k"]) == ("auto", 3)


def test_counts_tokens(gateway, upstream, client):
    own = gateway.route(upstream, "echo", **OWN)
    assert client.messages.count_tokens(
        model=own.model, messages=user("one two three")).input_tokens == 77
    other = gateway.route(upstream, "echo")
    counted = client.messages.count_tokens(model=other.model, messages=user("x" * 4000))
    assert 500 < counted.input_tokens < 2000
    assert other.requests() == [], "the estimate needs no upstream"


def test_counting_tokens_costs_nothing(gateway, upstream):
    token = gateway.token(quota=1000)
    client = anthropic.Anthropic(api_key=token["key"], base_url=gateway.url, max_retries=0)
    for vendor in (OPENAI, OWN):
        route = gateway.route(upstream, "echo", **vendor)
        client.messages.count_tokens(model=route.model, messages=user("hi"))
    assert gateway.used_quota(token) == 0


@pytest.mark.parametrize("vendor, script, error, kind", [
    (OPENAI, "status:429:rate_limit_exceeded", anthropic.RateLimitError, "rate_limit_error"),
    (OPENAI, "status:400", anthropic.BadRequestError, "invalid_request_error"),
    (OWN, "error:429:rate_limit_error", anthropic.RateLimitError, "rate_limit_error"),
    (OWN, "error:529:overloaded_error", anthropic.InternalServerError, "overloaded_error"),
    (OWN, "error:401:authentication_error", anthropic.InternalServerError, "api_error")])
def test_errors_have_anthropics_form(gateway, upstream, client, vendor, script, error, kind):
    route = gateway.route(upstream, script, **vendor)
    with pytest.raises(error) as raised:
        client.messages.create(model=route.model, max_tokens=9, messages=user("hi"))
    body = raised.value.response.json()
    assert body["type"] == "error" and body["error"]["type"] == kind
    assert body["error"]["message"]


def test_refuses_wrong_requests_in_anthropics_form(gateway, upstream, client):
    route = gateway.route(upstream, "echo")
    with pytest.raises(anthropic.AuthenticationError):
        ask(client.with_options(api_key="sk-wrong"), route)
    with pytest.raises(anthropic.NotFoundError):
        client.messages.create(model="no-such-model", max_tokens=9, messages=user("hi"))
    answer = gateway.post("/v1/messages", json.dumps({"model": route.model, "messages": []}))
    assert answer.status_code == 400
    assert "max_tokens" in answer.json()["error"]["message"]
    answer = gateway.post("/v1/messages", json.dumps({
        "model": route.model, "max_tokens": 9, "messages": user("hi"),
        "tools": [{"type": "web_search_20250305", "name": "web_search"}]}))
    assert "tools of another type than custom" in answer.json()["error"]["message"]
    assert gateway.post("/v1/messages/else", "{}").json()["type"] == "error"
