# SPDX-License-Identifier: MIT
"""Vendors in OpenAI's format with ways of their own: Azure, MiniMax, Spark, Zhipu."""

import base64
import hashlib
import hmac
import json

import openai
import pytest

from process import next_number
from samples import sample
from test_sdk_chat import user


@pytest.fixture
def add(gateway, samples):
    """Makes a model of a vendor that answers with a sample."""

    def make(kind, answer, **fields):
        name = f"quirk{next_number()}"
        gateway.channel(samples.url, [name], type=kind, **fields)
        samples.samples.append(sample(answer))
        return name

    return make


def ask(gateway, model):
    return gateway.sdk().chat.completions.create(model=model, messages=user("hi"))


@pytest.mark.short
def test_azure_has_the_deployment_in_the_path(gateway, samples, add):
    model = add("azure", "azure/chat.response.vendor.json", config={"api_version": "2024-10-21"})
    assert ask(gateway, model).choices[0].message.content
    path, headers, _ = samples.requests[-1]
    assert path == f"/openai/deployments/{model}/chat/completions?api-version=2024-10-21"
    assert headers["api-key"] == "sk-upstream-key-1" and "Authorization" not in headers


def test_minimax_refuses_a_key_with_status_200(gateway, samples, add):
    model = add("minimax", "minimax/error.vendor.json")
    with pytest.raises(openai.InternalServerError) as raised:
        ask(gateway, model)
    assert (raised.value.status_code, raised.value.code) == (502, "upstream_auth_failed")


def test_the_test_of_a_channel_tells_minimax_errors(gateway, samples):
    channel = gateway.channel(samples.url, ["m"], type="minimax")
    samples.samples.append(sample("minimax/error.vendor.json"))
    result = gateway.call("POST", f"/channels/{channel['id']}/test", {"model": "m"})
    assert result["ok"] is False and "login fail" in result["error"]


def test_spark_answers_become_openais(gateway, add):
    model = add("spark", "spark-http/chat.response.vendor.json")
    answer = ask(gateway, model)
    assert answer.choices[0].message.content and answer.model == model
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0


def test_zhipu_gets_a_signed_token_where_the_owner_wants_it(gateway, samples, add):
    model = add("zhipu", "zhipu/chat.response.vendor.json", keys=["testid.testsecret"],
                config={"signing": "jwt"})
    assert ask(gateway, model).choices[0].message.content
    scheme, _, token = samples.requests[-1][1]["Authorization"].partition(" ")
    signed, _, signature = token.rpartition(".")
    mac = hmac.new(b"testsecret", signed.encode(), hashlib.sha256).digest()
    assert scheme == "Bearer"
    assert base64.urlsafe_b64encode(mac).decode().rstrip("=") == signature
    payload = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
    assert payload["api_key"] == "testid" and payload["exp"] - payload["timestamp"] == 3_600_000
