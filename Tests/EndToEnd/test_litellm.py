# SPDX-License-Identifier: MIT
"""LiteLLM's proxy behind the gateway, as the OpenAI, the Anthropic and the Google upstream."""

import json
import os

import anthropic
import openai
import payloads
import pytest
from google import genai
from google.genai import types
from litellm_proxy import KEY, SENTENCE, LiteLLMProxy
from process import next_number
from test_sdk_chat import IMAGE_URL, WEATHER, collect, user

pytestmark = [
    pytest.mark.tools,
    pytest.mark.skipif(
        "TINYGATEWAY_LITELLM" not in os.environ,
        reason="LiteLLM runs beside the x86_64 round only")]

DIALECTS = {"openai": ("openai-compatible", "/v1"), "anthropic": ("anthropic", ""),
            "gemini": ("gemini", "")}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory, upstream):
    instance = LiteLLMProxy(tmp_path_factory.mktemp("litellm"), upstream)
    try:
        yield instance.wait()
    finally:
        instance.stop()


@pytest.fixture(params=DIALECTS)
def serve(request, gateway, proxy):
    """Makes a model that LiteLLM serves in one dialect; its public name."""
    kind, path = DIALECTS[request.param]

    def make(upstream_model):
        public = f"lite{next_number()}"
        gateway.channel(proxy.url + path, [public], type=kind, keys=[KEY],
                        model_mapping={public: upstream_model})
        return public

    make.dialect = request.param
    return make


def test_answers_whole(gateway, serve):
    model = serve("lite-mock")
    answer = gateway.sdk().chat.completions.create(model=model, messages=user("hi"), max_tokens=50)
    assert answer.choices[0].message.content == SENTENCE
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens > 0 and answer.usage.completion_tokens > 0
    assert answer.model == model or serve.dialect == "openai"


def test_streams(gateway, serve):
    """Also where the proxy answers a stream with a whole document, as its mock does."""
    model = serve("lite-mock")
    stream = gateway.sdk().chat.completions.create(
        model=model, messages=user("hi"), stream=True, max_tokens=50,
        stream_options={"include_usage": True})
    text, usage = collect(stream)
    assert text == SENTENCE
    assert usage.completion_tokens > 0


def test_streams_what_it_translates(gateway, serve):
    model = serve(f"poem@{next_number()}")
    chunks = list(gateway.sdk().chat.completions.create(
        model=model, messages=user("a poem"), stream=True, max_tokens=50))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == payloads.POEM
    assert [c.choices[0].finish_reason for c in chunks
            if c.choices and c.choices[0].finish_reason] == ["stop"]


@pytest.mark.parametrize("is_stream", [False, True])
def test_calls_tools_and_takes_their_results(gateway, serve, is_stream):
    model = serve(f"tools@{next_number()}")
    client = gateway.sdk().chat.completions
    messages = user("How is the weather in Paris?")
    if is_stream:
        calls = {}
        for chunk in client.create(
                model=model, messages=messages, tools=WEATHER, stream=True, max_tokens=50):
            for delta in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
                call = calls.setdefault(delta.index, {"id": "", "name": "", "arguments": ""})
                call["id"] += delta.id or ""
                call["name"] += delta.function.name or ""
                call["arguments"] += delta.function.arguments or ""
        assert list(calls) == [0]
        call = calls[0]
    else:
        answer = client.create(model=model, messages=messages, tools=WEATHER, max_tokens=50)
        assert answer.choices[0].finish_reason == "tool_calls"
        made = answer.choices[0].message.tool_calls[0]
        call = {"id": made.id, "name": made.function.name, "arguments": made.function.arguments}
    assert call["name"] == "get_weather"
    assert "city" in json.loads(call["arguments"])
    messages += [
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": call["id"], "type": "function",
             "function": {"name": call["name"], "arguments": call["arguments"]}}]},
        {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}]
    answer = client.create(model=model, messages=messages, tools=WEATHER, max_tokens=50)
    # For Google's clients LiteLLM passes the result on as the object that they write.
    said = '{"result": "sunny"}' if serve.dialect == "gemini" else "sunny"
    assert answer.choices[0].message.content == f"It is {said}."


# Of Google's pictures LiteLLM only sees those that are spelled `inline_data`, as no SDK does.
@pytest.mark.parametrize("serve", ["openai", "anthropic"], indirect=True)
def test_carries_pictures(gateway, serve):
    model = serve(f"vision@{next_number()}")
    content = [{"type": "text", "text": "What is this?"},
               {"type": "image_url", "image_url": {"url": IMAGE_URL}}]
    answer = gateway.sdk().chat.completions.create(
        model=model, messages=[{"role": "user", "content": content}], max_tokens=50)
    request = {"messages": [{"role": "user", "content": content}]}
    assert answer.choices[0].message.content == payloads.image_digest(request)


def test_tells_its_refusals(gateway, serve):
    model = serve(f"status:400@{next_number()}")
    with pytest.raises(openai.BadRequestError) as caught:
        gateway.sdk().chat.completions.create(model=model, messages=user("hi"), max_tokens=50)
    assert "upstream says 400" in caught.value.message


def test_serves_the_anthropic_sdk(gateway, serve):
    client = anthropic.Anthropic(api_key=gateway.key(), base_url=gateway.url, max_retries=0)
    model = serve(f"poem@{next_number()}")
    with client.messages.stream(
            model=model, max_tokens=50, messages=user("a poem")) as stream:
        assert "".join(stream.text_stream) == payloads.POEM
        assert stream.get_final_message().stop_reason == "end_turn"


def test_serves_the_google_sdk(gateway, serve):
    client = genai.Client(
        api_key=gateway.key(), http_options=types.HttpOptions(base_url=gateway.url))
    model = serve(f"poem@{next_number()}")
    pieces = list(client.models.generate_content_stream(model=model, contents="a poem"))
    assert "".join(piece.text or "" for piece in pieces) == payloads.POEM
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
