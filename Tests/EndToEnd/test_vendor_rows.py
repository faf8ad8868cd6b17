# SPDX-License-Identifier: MIT
"""What a vendor's row says counts as well where a request in another format becomes OpenAI's."""

import json

import pytest

from process import next_number
from test_sdk_chat import user

THINKING = {"thinking": {"type": "enabled", "budget_tokens": 2000}}


def ask(gateway, upstream, vendor, script, **fields):
    """Claude's call for a model of that vendor: channel, answer, and what went upstream."""
    suffix = f"@{next_number()}"
    channel = gateway.channel(
        upstream.url(path="/v1"), ["public" + suffix], type=vendor,
        model_mapping={"public" + suffix: script + suffix})
    body = {"model": "public" + suffix, "max_tokens": 3000, "messages": user("hello"), **fields}
    answer = gateway.post("/v1/messages", json.dumps(body))
    return channel, answer, upstream.wait_for(suffix).json


@pytest.mark.parametrize("vendor,model,present,absent", [
    ("openai", "o4-mini", "max_completion_tokens reasoning_effort",
     "max_tokens top_k temperature"),
    ("openai", "gpt-4o", "max_tokens temperature", "top_k reasoning_effort"),
    ("openai-compatible", "echo", "max_tokens temperature top_k reasoning_effort user", ""),
    ("mistral", "echo", "max_tokens temperature", "top_k reasoning_effort stream_options user")])
def test_writes_what_the_vendor_takes(gateway, upstream, vendor, model, present, absent):
    _, _, seen = ask(
        gateway, upstream, vendor, model, stream=True, temperature=1, top_k=5,
        metadata={"user_id": "u-1"}, **THINKING)
    assert set(present.split()) <= seen.keys()
    assert not set(absent.split()) & seen.keys()


@pytest.mark.short
def test_believes_the_vendors_own_error_codes(gateway, upstream):
    channel, answer, _ = ask(gateway, upstream, "minimax", "raw:base-resp")
    assert answer.status_code == 502 and "exhausted" in answer.text, answer.text
    shown = gateway.call("GET", f"/channels/{channel['id']}")
    assert shown["status"] == "auto_disabled"


def test_refuses_models_that_lead_out_of_azures_path(gateway, upstream):
    suffix = f"@{next_number()}"
    gateway.channel(
        upstream.url(), ["public" + suffix], type="azure",
        model_mapping={"public" + suffix: ".."}, config={"api_version": "2024-10-21"})
    body = {"model": "public" + suffix, "messages": user("hello")}
    answer = gateway.post("/v1/chat/completions", json.dumps(body))
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "model"), answer.text
