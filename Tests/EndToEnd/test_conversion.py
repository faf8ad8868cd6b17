# SPDX-License-Identifier: MIT
"""OpenAI's clients and vendors of another format: which channel serves, and what goes wrong."""

import json

import openai
import pytest

from process import PATIENCE, next_number
from test_sdk_chat import user

ANTHROPIC = {"type": "anthropic", "path": ""}
OPENAI = {"type": "openai-compatible", "path": "/v1"}


class Mixed:
    """A model of channels of several vendors, tried in this order."""

    def __init__(self, gateway, upstream, *channels, **fields):
        self.upstream, self.suffix = upstream, f"@{next_number()}"
        self.model = "public" + self.suffix
        self.channels = [
            gateway.channel(
                upstream.url(path=vendor["path"]), [self.model], type=vendor["type"],
                model_mapping={self.model: script + self.suffix},
                priority=len(channels) - number, **fields)
            for number, (vendor, script) in enumerate(channels)]

    def paths(self):
        """The paths of the calls that arrived upstream, in order."""
        return [request.path for request in self.upstream.requests(self.suffix)]


def post(gateway, route, **fields):
    body = {"model": route.model, "messages": user("hello"), **fields}
    return gateway.post("/v1/chat/completions", json.dumps(body))


@pytest.mark.short
@pytest.mark.parametrize("stream", [False, True])
def test_converts_to_the_vendors_format_and_back(gateway, upstream, stream):
    route = Mixed(gateway, upstream, (ANTHROPIC, "echo"), headers={"X-Team": "blue"})
    more = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
    answer = post(gateway, route, **more)
    assert answer.status_code == 200, answer.text
    text, usage = answer.text, {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    chunks = [json.loads(line[6:]) for line in text.split("\n")
              if line.startswith("data: {")] if stream else [answer.json()]
    assert {chunk["model"] for chunk in chunks} == {route.model}
    assert usage.items() <= chunks[-1]["usage"].items()
    assert not stream or text.endswith("data: [DONE]\n\n")
    request = upstream.wait_for(route.suffix)
    assert request.path == "/v1/messages" and request.header("x-team") == ["blue"]
    assert request.header("authorization") == []
    assert answer.headers["x-tinygateway-attempts"] == "1"


def test_charges_what_the_vendor_counts(gateway, upstream):
    route = Mixed(gateway, upstream, (ANTHROPIC, "echo"))
    token = gateway.token()
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("a"))
    assert gateway.used_quota(token) > 0


@pytest.mark.parametrize("first", ["error:529:overloaded_error", "error:401:authentication_error",
                                   "error:404:not_found_error", "error:429:rate_limit_error"])
def test_another_vendor_serves_when_one_fails(gateway, upstream, first):
    route = Mixed(gateway, upstream, (ANTHROPIC, first), (OPENAI, "echo"))
    assert post(gateway, route).json()["choices"][0]["message"]["content"] == "hello"
    assert route.paths() == ["/v1/messages", "/v1/chat/completions"]


def test_goes_from_openais_format_to_another_one(gateway, upstream):
    route = Mixed(gateway, upstream, (OPENAI, "status:500"), (ANTHROPIC, "echo"))
    answer = post(gateway, route, stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert route.paths() == ["/v1/chat/completions", "/v1/messages"]


def test_passes_over_a_vendor_that_cannot_express_the_request(gateway, upstream):
    route = Mixed(gateway, upstream, (ANTHROPIC, "echo"), (OPENAI, "echo"))
    answer = post(gateway, route, n=2)
    assert answer.status_code == 200, answer.text
    assert route.paths() == ["/v1/chat/completions"]
    assert answer.headers["x-tinygateway-attempts"] == "1"


@pytest.mark.parametrize("path,fields,param", [
    ("/v1/chat/completions", {"messages": user("a"), "n": 2}, "n"),
    ("/v1/chat/completions", {"messages": user("a"), "audio": {}}, "modalities"),
    ("/v1/chat/completions", {"messages": "a"}, "messages"),
    ("/v1/embeddings", {"input": "a"}, None)])
def test_says_what_no_vendor_can_express(gateway, upstream, path, fields, param):
    route = Mixed(gateway, upstream, (ANTHROPIC, "echo"))
    answer = gateway.post(path, json.dumps({"model": route.model, **fields}))
    assert answer.status_code == 400, answer.text
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error" and error["param"] == param
    assert param is None or param in error["message"]
    assert route.paths() == []


@pytest.mark.parametrize("script,status,code", [
    ("error:529:overloaded_error", 503, "upstream_error"),
    ("error:401:authentication_error", 502, "upstream_auth_failed"),
    ("error:404:not_found_error", 404, "model_not_found"),
    ("error:413:request_too_large", 400, "request_too_large"),
    ("error:400:invalid_request_error", 400, "invalid_request_error")])
def test_judges_errors_by_the_vendors_table(gateway, upstream, script, status, code):
    route = Mixed(gateway, upstream, (ANTHROPIC, script))
    answer = post(gateway, route)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


@pytest.mark.parametrize("script", ["midstream", "cut"])
def test_a_broken_stream_never_looks_complete(gateway, upstream, script):
    route = Mixed(gateway, upstream, (ANTHROPIC, script), (OPENAI, "echo"))
    answer = post(gateway, route, stream=True)
    assert "[DONE]" not in answer.text and '"finish_reason":"' not in answer.text
    assert "error" in json.loads(answer.text.rstrip().split("\n\n")[-1].removeprefix("data: "))
    assert len(route.paths()) == 1, "no second attempt after the first content"
    with pytest.raises(openai.APIError):
        list(gateway.sdk().chat.completions.create(
            model=route.model, messages=user("x"), stream=True))


def test_holds_a_long_body_that_must_be_converted(gateway, upstream):
    route = Mixed(gateway, upstream, (ANTHROPIC, "echo"))
    text = "x" * 900_000
    answer = gateway.sdk().with_options(timeout=60 * PATIENCE).chat.completions.create(
        model=route.model, messages=user(text))
    assert answer.choices[0].message.content == text


def test_refuses_a_body_that_is_too_long_to_be_converted(upstream, make_gateway):
    gateway = make_gateway(memory_limit_mb=24)
    route = Mixed(gateway, upstream, (ANTHROPIC, "echo"))
    answer = post(gateway, route, messages=user("x" * 9_000_000))
    assert answer.status_code == 413 and "format" in answer.json()["error"]["message"]
    assert route.paths() == []


def test_azures_clients_find_their_paths(gateway, upstream):
    route = gateway.route(upstream, "echo")
    path = f"/openai/deployments/{route.model}/chat/completions?api-version=2024-10-21"
    answer = gateway.http.post(
        path, json={"messages": user("hi")}, headers={"api-key": gateway.key()})
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "hi"
    assert route.request().json["model"] == route.model
    refused = gateway.http.post(path, json={}, headers={"api-key": "sk-wrong"})
    assert refused.json()["error"]["code"] == "invalid_api_key"
