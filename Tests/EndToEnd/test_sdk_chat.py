# SPDX-License-Identifier: MIT
"""The official OpenAI SDK through the gateway: everything that an application does every day."""

import asyncio
import base64
import hashlib
import json

import pytest

import payloads

pytestmark = pytest.mark.short

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5E"
    "rkJggg==")
IMAGE_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
WEATHER = [{"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}]


def user(text):
    return [{"role": "user", "content": text}]


def collect(stream):
    """The joined text of a stream and its usage."""
    text, usage = "", None
    for chunk in stream:
        usage = chunk.usage or usage
        text += "".join(choice.delta.content or "" for choice in chunk.choices)
    return text, usage


def test_answers_a_chat_completion(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("Hello, 世界 🌍"), temperature=0.2)
    assert answer.choices[0].message.content == "Hello, 世界 🌍"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == 16
    request = route.request()
    assert (request.path, request.key) == ("/v1/chat/completions", "sk-upstream-key-1")


def test_streams_every_character_in_order(gateway, upstream):
    route = gateway.route(upstream, "poem")
    chunks = list(gateway.sdk().chat.completions.create(
        model=route.model, messages=user("a poem"), stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == payloads.POEM
    assert [c.choices[0].finish_reason for c in chunks if c.choices[0].finish_reason] == ["stop"]
    assert all(c.usage is None for c in chunks), "usage was not asked for"


def test_streams_usage_when_asked_for(gateway, upstream):
    route = gateway.route(upstream, "poem")
    stream = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("a poem"), stream=True,
        stream_options={"include_usage": True})
    text, usage = collect(stream)
    assert text == payloads.POEM
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 5)


def test_serves_many_streams_of_the_async_client_at_once(gateway, upstream):
    route = gateway.route(upstream, "poem")

    async def one(client):
        stream = await client.chat.completions.create(
            model=route.model, messages=user("a poem"), stream=True)
        return "".join([c.choices[0].delta.content or "" async for c in stream])

    async def many():
        async with gateway.async_sdk() as client:
            return await asyncio.gather(*(one(client) for _ in range(20)))

    assert asyncio.run(many()) == [payloads.POEM] * 20


def test_calls_a_tool_and_uses_its_result(gateway, upstream):
    route = gateway.route(upstream, "tools")
    create = gateway.sdk().chat.completions.create
    messages = user("Weather in Rome?")
    message = create(model=route.model, messages=messages, tools=WEATHER).choices[0].message
    call = message.tool_calls[0]
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Rome", "unit": "celsius"}
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "18 °C"}]
    answer = create(model=route.model, messages=messages, tools=WEATHER)
    assert answer.choices[0].message.content == "It is 18 °C."


def test_streams_tool_calls_fragment_by_fragment(gateway, upstream):
    route = gateway.route(upstream, "tools")
    stream = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("Weather in Rome?"), tools=WEATHER, stream=True)
    deltas = [c.choices[0].delta.tool_calls for c in stream if c.choices]
    calls = [delta[0] for delta in deltas if delta]
    assert (calls[0].id, calls[0].function.name) == ("call_Rome0001", "get_weather")
    assert [c.function.arguments for c in calls[1:]] == payloads.TOOL_ARGUMENTS


def test_helper_for_streams_assembles_the_tool_call(gateway, upstream):
    route = gateway.route(upstream, "tools")
    with gateway.sdk().chat.completions.stream(
            model=route.model, messages=user("Weather?"), tools=WEATHER) as stream:
        completion = stream.get_final_completion()
    call = completion.choices[0].message.tool_calls[0]
    assert call.function.arguments == "".join(payloads.TOOL_ARGUMENTS)


def test_carries_an_image_in_the_request(gateway, upstream):
    route = gateway.route(upstream, "vision")
    image = PNG + bytes(range(256)) * 400
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    content = [{"type": "text", "text": "What is it?"},
               {"type": "image_url", "image_url": {"url": url}}]
    answer = gateway.sdk().chat.completions.create(
        model=route.model, messages=[{"role": "user", "content": content}])
    digest = hashlib.sha256(image).hexdigest()
    assert answer.choices[0].message.content == f"image/png {len(image)} {digest}"


def test_asks_for_json(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().chat.completions.create(
        model=route.model, messages=user('{"answer": 42}'),
        response_format={"type": "json_object"})
    assert json.loads(answer.choices[0].message.content) == {"answer": 42}
    assert route.request().json["response_format"] == {"type": "json_object"}


@pytest.mark.parametrize("encoding", ["float", "base64", None])
def test_makes_embeddings(gateway, upstream, encoding):
    route = gateway.route(upstream, "echo")
    more = {} if encoding is None else {"encoding_format": encoding}
    answer = gateway.sdk().embeddings.create(model=route.model, input=["a", "b"], **more)
    assert len(answer.data) == 2 and answer.usage.prompt_tokens == 4
    if encoding != "base64":
        assert answer.data[0].embedding == payloads.VECTOR
    assert route.request().path == "/v1/embeddings"


@pytest.mark.parametrize("streaming", [False, True])
def test_answers_the_older_completions_call(gateway, upstream, streaming):
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().completions.create(
        model=route.model, prompt="once upon a time", stream=streaming)
    if streaming:
        text = "".join(chunk.choices[0].text for chunk in answer)
        assert text == "onceuponatime"
    else:
        assert answer.choices[0].text == "once upon a time"
    assert route.request().path == "/v1/completions"


def test_lists_and_retrieves_models(gateway, upstream):
    route = gateway.route(upstream, "echo")
    client = gateway.sdk()
    listed = client.models.list().data
    assert [m.object for m in listed if m.id == route.model] == ["model"]
    assert client.models.retrieve(route.model).id == route.model


def test_lists_only_the_models_that_a_token_may_use(gateway, upstream):
    allowed, other = gateway.route(upstream, "echo"), gateway.route(upstream, "echo")
    client = gateway.sdk(gateway.token(models=[allowed.model])["key"])
    assert [m.id for m in client.models.list()] == [allowed.model]
    assert other.model in [m.id for m in gateway.sdk().models.list()]


@pytest.mark.parametrize("kind", ["openai", "openai-compatible", "deepseek", "moonshot", "ollama"])
def test_serves_every_channel_type(gateway, upstream, kind):
    route = gateway.route(upstream, "echo", type=kind)
    client = gateway.sdk()
    answer = client.chat.completions.create(model=route.model, messages=user("whole"))
    assert answer.choices[0].message.content == "whole"
    stream = client.chat.completions.create(
        model=route.model, messages=user("in parts"), stream=True)
    assert collect(stream)[0] == "in parts"


def test_a_base_url_without_a_version_gets_one(gateway, upstream):
    route = gateway.route(upstream, "echo", path="")
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert route.request().path == "/v1/chat/completions"
