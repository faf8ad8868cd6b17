# SPDX-License-Identifier: MIT
"""The Responses API of the official OpenAI SDK: converted for vendors that only chat, and passed
on to those that have it."""

import base64
import json

import openai
import pydantic
import pytest

import payloads
from test_audio import row
from test_sdk_chat import PNG

WEATHER = [{"type": "function", "name": "get_weather", "description": "Weather of a city",
            "strict": True, "parameters": {
                "type": "object", "properties": {"city": {"type": "string"}},
                "required": ["city"], "additionalProperties": False}}]


class Answer(pydantic.BaseModel):
    answer: int


@pytest.fixture(params=["openai-compatible", "ollama-native"])
def kind(request):
    """Channel types that have no Responses API, and the path of their base URL."""
    return {"type": request.param, "path": "/v1" if request.param == "openai-compatible" else ""}


@pytest.mark.short
def test_answers(gateway, upstream, kind):
    route = gateway.route(upstream, "split:9", **kind)
    answer = gateway.sdk().responses.create(
        model=route.model, input="x", instructions="Be brief.", temperature=0.5, store=True)
    assert answer.output_text == payloads.SHORT
    assert (answer.status, answer.model, answer.temperature) == ("completed", route.model, 0.5)
    assert (answer.usage.input_tokens, answer.usage.total_tokens) == (11, 16)
    assert answer.id.startswith("resp_") and answer.store is False
    assert route.request().json["messages"] == [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "x"}]


@pytest.mark.short
def test_streams_typed_events(gateway, upstream, kind):
    route = gateway.route(upstream, "split:9", **kind)
    with gateway.sdk().responses.stream(model=route.model, input="x") as stream:
        events = list(stream)
        final = stream.get_final_response()
    names = [e.type for e in events]
    assert names[:4] == ["response.created", "response.in_progress", "response.output_item.added",
                         "response.content_part.added"]
    assert names[-4:] == ["response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"]
    deltas = [e.delta for e in events if e.type == "response.output_text.delta"]
    assert "".join(deltas) == payloads.SHORT and len(deltas) > 1
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert final.output_text == payloads.SHORT and final.usage.output_tokens == 5


def test_calls_a_tool_and_uses_its_result(gateway, upstream):
    route = gateway.route(upstream, "tools")
    create = gateway.sdk().responses.create
    messages = [{"role": "user", "content": "Weather in Rome?"}]
    answer = create(model=route.model, input=messages, tools=WEATHER)
    call = answer.output[0]
    assert (call.type, call.name) == ("function_call", "get_weather")
    assert json.loads(call.arguments) == {"city": "Rome", "unit": "celsius"}
    messages += answer.output
    messages.append({"type": "function_call_output", "call_id": call.call_id, "output": "18 °C"})
    assert create(model=route.model, input=messages, tools=WEATHER).output_text == "It is 18 °C."


def test_streams_a_tool_call(gateway, upstream, kind):
    route = gateway.route(upstream, "tools", **kind)
    with gateway.sdk().responses.stream(
            model=route.model, input="Weather?", tools=WEATHER) as stream:
        events = list(stream)
        call = stream.get_final_response().output[0]
    assert call.name == "get_weather" and json.loads(call.arguments)["city"] == "Rome"
    deltas = [e.delta for e in events if e.type == "response.function_call_arguments.delta"]
    assert "".join(deltas) == call.arguments


def test_parses_structured_output(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().responses.parse(
        model=route.model, input='{"answer": 42}', text_format=Answer)
    assert answer.output_parsed == Answer(answer=42)
    asked = route.request().json["response_format"]
    assert asked["type"] == "json_schema" and asked["json_schema"]["strict"] is True


def test_carries_an_image(gateway, upstream):
    route = gateway.route(upstream, "vision")
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    answer = gateway.sdk().responses.create(model=route.model, input=[{"role": "user", "content": [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": url, "detail": "low"}]}])
    assert answer.output_text.startswith(f"image/png {len(PNG)} ")


def test_tells_thoughts_as_a_summary(gateway, upstream):
    route = gateway.route(upstream, "thinks", type="ollama-native", path="")
    answer = gateway.sdk().responses.create(model=route.model, input="x")
    assert [item.type for item in answer.output] == ["reasoning", "message"]
    assert answer.output[0].summary[0].text == "Let me see. "


def test_speaks_for_anthropic(gateway, upstream):
    echo = gateway.route(upstream, "echo", type="anthropic", path="")
    responses = gateway.sdk().responses
    assert responses.create(model=echo.model, input="hello").output_text == "hello"
    with responses.stream(model=echo.model, input="hello") as stream:
        assert stream.get_final_response().output_text == "hello"
    tools = gateway.route(upstream, "tools", type="anthropic", path="")
    with responses.stream(model=tools.model, input="Weather?", tools=WEATHER) as stream:
        output = stream.get_final_response().output
    call = next(item for item in output if item.type == "function_call")
    assert call.name == "get_weather" and "city" in json.loads(call.arguments)
    broken = gateway.route(upstream, "midstream", type="anthropic", path="")
    events = list(responses.create(model=broken.model, input="x", stream=True))
    assert events[-1].type == "response.failed"


@pytest.mark.parametrize("field, extra", [
    ("previous_response_id", {"previous_response_id": "resp_1"}),
    ("background", {"background": True}),
    ("web_search", {"tools": [{"type": "web_search"}]}),
])
def test_names_what_the_vendor_cannot_do(gateway, upstream, field, extra):
    route = gateway.route(upstream, "echo")
    with pytest.raises(openai.BadRequestError, match=field):
        gateway.sdk().responses.create(model=route.model, input="x", **extra)
    assert not route.requests()


def test_tells_a_failure_within_a_stream(gateway, upstream):
    route = gateway.route(upstream, "cut:4")
    stream = gateway.sdk().responses.create(model=route.model, input="x", stream=True)
    events = list(stream)
    assert [e.type for e in events[-2:]] == ["error", "response.failed"]
    assert events[-1].response.status == "failed" and events[-1].response.error.message


def test_tells_an_upstreams_error(gateway, upstream):
    route = gateway.route(upstream, "status:400:bad_thing:invalid_request_error")
    with pytest.raises(openai.BadRequestError) as caught:
        gateway.sdk().responses.create(model=route.model, input="x")
    assert caught.value.code == "bad_thing"


# Passed on.

def test_passes_a_request_on_as_it_is(gateway, upstream):
    token = gateway.token()
    route = gateway.route(upstream, "own", type="openai")
    extra = {"previous_response_id": "resp_0", "tools": [{"type": "web_search"}], "include": []}
    answer = gateway.sdk(token["key"]).responses.create(model=route.model, input="x", **extra)
    assert (answer.id, answer.output_text) == ("resp_upstream", "hello")
    request = route.request()
    assert request.path == "/v1/responses"
    assert request.json == {"model": route.model, "input": "x", **extra}
    assert row(gateway, token)["prompt_tokens"] == 11


def test_passes_a_stream_on_and_counts_its_usage(gateway, upstream):
    token = gateway.token()
    route = gateway.route(upstream, "own", type="openai")
    with gateway.sdk(token["key"]).responses.stream(model=route.model, input="x") as stream:
        final = stream.get_final_response()
    assert (final.id, final.output_text) == ("resp_upstream", "hello")
    log = row(gateway, token)
    assert (log["prompt_tokens"], log["completion_tokens"]) == (11, 5)
