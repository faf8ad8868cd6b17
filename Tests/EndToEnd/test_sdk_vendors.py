# SPDX-License-Identifier: MIT
"""OpenAI's client against vendors with protocols of their own."""

import json

import openai
import pytest

import dialect_samples
from test_sdk_chat import user
from upstream import Upstream

TEXT = "The capital of Japan is Tokyo (東京)."
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}}}}
KEYS = {"ernie-v1": "test-ak|test-sk"}
MODELS = {"coze": "bot-7300000000000000001"}
USAGE = {"qwen-native": (44, 11), "ernie-v1": (20, 10), "cloudflare": (50, 11), "dify": (25, 11),
         "coze": (48, 12), "replicate": (44, 11)}
ALL = list(dialect_samples.VENDORS)
WITH_TOOLS = ALL[:3]


@pytest.fixture(scope="module")
def vendors():
    with Upstream() as upstream:
        upstream.script = dialect_samples.run_script
        yield upstream


@pytest.fixture(scope="module")
def models(gateway, vendors):
    """The name of a model of each vendor."""
    names = {}
    for vendor in ALL:
        config = {"cloudflare": {"account_id": "testaccount"}}.get(vendor, {})
        if vendor == "ernie-v1":
            config = {"exchange_url": vendors.url(path="/ernie-v1/oauth/2.0/token")}
        names[vendor] = MODELS.get(vendor, f"own/{vendor}")
        gateway.channel(
            vendors.url(path=f"/{vendor}"), [names[vendor]], type=vendor, config=config,
            keys=[KEYS.get(vendor, "sk-upstream-key-1")])
    return names


def ask(gateway, model, text="Which city?", **more):
    return gateway.sdk().chat.completions.create(model=model, messages=user(text), **more)


@pytest.mark.parametrize("vendor", ALL)
def test_whole(gateway, models, vendor):
    answer = ask(gateway, models[vendor])
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"
    assert answer.model == models[vendor]
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == USAGE[vendor]


@pytest.mark.parametrize("vendor", ALL)
def test_stream(gateway, models, vendor):
    chunks = list(ask(
        gateway, models[vendor], stream=True, stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text.replace("\n\n", " ").removesuffix(".") == TEXT.removesuffix(".")
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    usage = chunks[-1].usage
    if vendor == "replicate":
        # Its streams bring no counts.
        assert usage.completion_tokens >= 0
    else:
        assert (usage.prompt_tokens, usage.completion_tokens) == USAGE[vendor]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("vendor", WITH_TOOLS)
def test_tools(gateway, models, vendor, stream):
    answer = ask(gateway, models[vendor], tools=[TOOL], stream=stream)
    if stream:
        deltas = [c.choices[0].delta for c in answer if c.choices]
        calls = [call.function for d in deltas for call in d.tool_calls or []]
    else:
        assert answer.choices[0].finish_reason == "tool_calls"
        calls = [call.function for call in answer.choices[0].message.tool_calls]
    assert [call.name for call in calls if call.name] == ["get_weather"]
    arguments = "".join(call.arguments or "" for call in calls)
    assert json.loads(arguments) == {"city": "Rome", "unit": "celsius"}


@pytest.mark.parametrize("vendor", sorted(set(ALL) - set(WITH_TOOLS)))
def test_refuses_tools_where_there_are_none(gateway, models, vendor):
    with pytest.raises(openai.BadRequestError) as caught:
        ask(gateway, models[vendor], tools=[TOOL])
    assert "tools" in caught.value.body["message"]


@pytest.mark.parametrize("vendor, error, code", [
    ("qwen-native", openai.BadRequestError, "content_filter"),
    ("replicate", openai.BadRequestError, None),
    ("ernie-v1", openai.RateLimitError, "rate_limit_exceeded"),
])
@pytest.mark.parametrize("stream", [False, True])
def test_error(gateway, models, vendor, error, code, stream):
    with pytest.raises(error) as caught:
        ask(gateway, models[vendor], dialect_samples.FAIL, stream=stream)
    assert code is None or caught.value.code == code


@pytest.mark.parametrize("vendor", ["cloudflare", "dify", "coze"])
def test_error_of_the_key(make_gateway, vendors, vendor):
    """In a gateway of its own, since the key is disabled."""
    gateway = make_gateway()
    model = MODELS.get(vendor, f"own/{vendor}")
    gateway.channel(
        vendors.url(path=f"/{vendor}"), [model], type=vendor, config={"account_id": "a"}
        if vendor == "cloudflare" else {})
    with pytest.raises(openai.InternalServerError) as caught:
        ask(gateway, model, dialect_samples.FAIL)
    assert caught.value.code == "upstream_auth_failed"


def test_takes_another_token_for_a_stale_one(gateway, models, vendors):
    """ERNIE's first token is refused by all calls: each test above has used the second."""
    ask(gateway, models["ernie-v1"])
    assert dialect_samples.ernie.tokens == 2
    paths = [x.path for x in vendors._exchanges if "/chat/" in x.path and "ernie" in x.path]
    assert paths[-1].endswith("?access_token=24.2")
    tokens = [x.path for x in vendors._exchanges if "/oauth/" in x.path]
    assert tokens[0].endswith("&client_id=test-ak&client_secret=test-sk")


def test_calls_go_where_the_vendor_has_them(gateway, models, vendors):
    ask(gateway, models["cloudflare"])
    ask(gateway, models["qwen-native"])
    paths = {x.path for x in vendors._exchanges}
    assert "/cloudflare/client/v4/accounts/testaccount/ai/run/own/cloudflare" in paths
    assert "/qwen-native/api/v1/services/aigc/text-generation/generation" in paths
