# SPDX-License-Identifier: MIT
"""The official SDK's client for Azure through the gateway."""

import openai
import pytest

import payloads
from test_sdk_chat import user


@pytest.fixture
def azure(gateway):
    return openai.AzureOpenAI(
        azure_endpoint=gateway.url, api_key=gateway.key(), api_version="2024-10-21",
        max_retries=0, timeout=30)


@pytest.mark.short
@pytest.mark.parametrize("streaming", [False, True])
def test_chats(gateway, upstream, azure, streaming):
    route = gateway.route(upstream, "echo")
    answer = azure.chat.completions.create(
        model=route.model, messages=user("hello"), stream=streaming)
    if streaming:
        assert "".join(c.choices[0].delta.content or "" for c in answer) == "hello"
    else:
        assert answer.choices[0].message.content == "hello"


def test_serves_the_other_calls(gateway, upstream, azure):
    route = gateway.route(upstream, "echo")
    answer = azure.embeddings.create(model=route.model, input=["a", "b"])
    assert answer.data[0].embedding == payloads.VECTOR
    assert azure.completions.create(model=route.model, prompt="a").choices[0].text == "a"
    own = gateway.route(upstream, "split:9", type="ollama-native", path="")
    assert azure.responses.create(model=own.model, input="x").output_text == payloads.SHORT


def test_the_deployment_counts(gateway, upstream):
    route = gateway.route(upstream, "echo")
    for body in ({"messages": user("a")}, {"model": "another", "messages": user("a")}):
        answer = gateway.post(
            f"/openai/deployments/{route.model}/chat/completions?api-version=2024-10-21",
            payloads.dump(body))
        assert answer.status_code == 200, answer.text
    assert [x.json["model"] for x in route.requests()] == [route.model] * 2


def test_serves_the_newer_paths(gateway, upstream):
    route = gateway.route(upstream, "echo")
    client = openai.OpenAI(base_url=gateway.url + "/openai/v1/", api_key=gateway.key())
    answer = client.chat.completions.create(model=route.model, messages=user("hello"))
    assert answer.choices[0].message.content == "hello"
    assert client.responses.create(model=route.model, input="hey").output_text == "hey"


def test_tells_errors(azure):
    with pytest.raises(openai.NotFoundError):
        azure.chat.completions.create(model="nothing-of-that-name", messages=user("x"))
