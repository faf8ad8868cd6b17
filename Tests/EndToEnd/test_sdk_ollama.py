# SPDX-License-Identifier: MIT
"""The official Ollama client through the gateway, and Ollama's own API as a vendor."""

import httpx
import ollama
import pytest

import dialect_ollama
import payloads
from test_sdk_chat import PNG, WEATHER, collect, user


def client(gateway, key=None):
    return ollama.Client(
        gateway.url, headers={"Authorization": f"Bearer {key or gateway.key()}"})


@pytest.fixture(params=["openai-compatible", "ollama-native"])
def kind(request):
    """What the channel speaks."""
    return {"type": request.param, "path": "/v1" if request.param == "openai-compatible" else ""}


@pytest.mark.short
def test_chats(gateway, upstream, kind):
    route = gateway.route(upstream, "split:9", **kind)
    answer = client(gateway).chat(route.model, messages=user("x"), options={"temperature": 0.5})
    assert answer.message.content == payloads.SHORT
    assert (answer.done, answer.done_reason) == (True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (11, 5)


@pytest.mark.short
def test_streams_lines(gateway, upstream, kind):
    route = gateway.route(upstream, "split:9", **kind)
    pieces = list(client(gateway).chat(route.model, messages=user("x"), stream=True))
    assert "".join(p.message.content for p in pieces) == payloads.SHORT
    assert [p.done for p in pieces] == [False] * (len(pieces) - 1) + [True]
    assert pieces[-1].eval_count == 5 and len(pieces) > 2


def test_streams_unless_told_otherwise(gateway, upstream):
    route = gateway.route(upstream, "split:9")
    answer = gateway.post("/api/chat", payloads.dump(
        {"model": route.model, "messages": user("x")}))
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert len(answer.text.splitlines()) > 2


@pytest.mark.parametrize("streaming", [False, True])
def test_calls_a_tool_and_uses_its_result(gateway, upstream, streaming):
    route = gateway.route(upstream, "tools")
    messages = user("Weather in Rome?")
    answer = client(gateway).chat(
        route.model, messages=messages, tools=WEATHER, stream=streaming)
    said = [p.message for p in answer] if streaming else [answer.message]
    message = next(m for m in said if m.tool_calls)
    assert message.tool_calls[0].function.name == "get_weather"
    assert message.tool_calls[0].function.arguments == {"city": "Rome", "unit": "celsius"}
    messages += [message, {"role": "tool", "tool_name": "get_weather", "content": "18 °C"}]
    answer = client(gateway).chat(route.model, messages=messages, tools=WEATHER)
    assert answer.message.content == "It is 18 °C."


def test_generates(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = client(gateway).generate(route.model, "once upon a time", system="Be brief.")
    assert answer.response == "once upon a time" and answer.done
    pieces = list(client(gateway).generate(route.model, "once upon", stream=True))
    assert "".join(p.response for p in pieces).replace(" ", "") == "onceupon"


def test_carries_an_image(gateway, upstream):
    route = gateway.route(upstream, "vision")
    answer = client(gateway).chat(
        route.model, messages=[{"role": "user", "content": "What?", "images": [PNG]}])
    assert answer.message.content.startswith(f"image/png {len(PNG)} ")


def test_lists_and_shows_models(gateway, upstream):
    route = gateway.route(upstream, "echo")
    key = gateway.token(models=[route.model])["key"]
    assert [m.model for m in client(gateway, key).list().models] == [route.model]
    assert client(gateway).show(route.model).capabilities == ["completion", "tools"]
    with pytest.raises(ollama.ResponseError, match="does not exist"):
        client(gateway).show("nothing-of-that-name")
    assert client(gateway).ps().models == []


@pytest.mark.parametrize("method, path", [
    ("GET", "/api/tags"), ("POST", "/api/chat"), ("GET", "/api/version")])
def test_wants_a_key(gateway, method, path):
    answer = httpx.request(method, gateway.url + path)
    assert answer.status_code == 401
    assert list(answer.json()) == ["error"] and isinstance(answer.json()["error"], str)


def test_tells_errors_in_its_form(gateway, upstream):
    route = gateway.route(upstream, "cut:4")
    with pytest.raises(ollama.ResponseError):
        list(client(gateway).chat(route.model, messages=user("x"), stream=True))
    with pytest.raises(ollama.ResponseError, match="suffix"):
        client(gateway).generate(route.model, "a", suffix="b")


# As a vendor.

def test_serves_chat_completions(gateway, upstream):
    route = gateway.route(upstream, "thinks", type="ollama-native", path="")
    create = gateway.sdk().chat.completions.create
    answer = create(model=route.model, messages=user("x"), max_tokens=9, temperature=0.5)
    assert answer.choices[0].message.content == payloads.SHORT
    assert answer.choices[0].message.reasoning_content == "Let me see. "
    assert answer.usage.total_tokens == 16
    assert dialect_ollama.asked(route.request()) == {
        "stream": False, "messages": user("x"), "options": {"num_predict": 9, "temperature": 0.5}}
    stream = create(model=route.model, messages=user("x"), stream=True,
                    stream_options={"include_usage": True})
    text, usage = collect(stream)
    assert text == payloads.SHORT and usage.completion_tokens == 5


def test_goes_on_where_the_model_is(gateway, upstream):
    route = gateway.route(upstream, "missing", "split:9", type="ollama-native", path="")
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert answer.choices[0].message.content == payloads.SHORT


@pytest.mark.parametrize("streaming", [False, True])
def test_answers_the_older_completions_call(gateway, upstream, streaming):
    route = gateway.route(upstream, "split:9", type="ollama-native", path="")
    answer = gateway.sdk().completions.create(
        model=route.model, prompt="once", stream=streaming)
    said = list(answer) if streaming else [answer]
    assert "".join(x.choices[0].text for x in said) == payloads.SHORT
    assert route.request().json["messages"] == user("once")
