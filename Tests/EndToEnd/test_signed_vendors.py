# SPDX-License-Identifier: MIT
"""Vendors whose requests are signed: AWS Bedrock and Tencent Hunyuan, with the vendors' samples."""

import hashlib
import hmac
from urllib.parse import quote

import openai
import pytest

from process import next_number
from samples import sample
from test_sdk_chat import user

SENTENCE = "The capital of Japan is Tokyo (東京)."
BEDROCK_MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def digest(raw):
    return hashlib.sha256(raw).hexdigest()


def sign(key, *texts):
    """A chain of HMACs, the last one in hexadecimal digits."""
    for text in texts:
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key.hex()


def fields(authorization):
    """The scheme, and the parts of `Credential=…, SignedHeaders=…, Signature=…`."""
    scheme, _, rest = authorization.partition(" ")
    return scheme, dict(part.split("=", 1) for part in rest.split(", "))


def expect_signed(request, secret, time_header, is_path_encoded):
    """Computes the signature of what arrived, as the vendor does."""
    path, headers, body = request
    headers = {name.lower(): value for name, value in headers.items()}
    scheme, parts = fields(headers["authorization"])
    scope = parts["Credential"].split("/", 1)[1]
    names = parts["SignedHeaders"].split(";")
    lines = "".join(
        f"{name}:{headers[name].lower() if name == 'x-tc-action' else headers[name]}\n"
        for name in names)
    canonical = "\n".join(
        ["POST", quote(path) if is_path_encoded else path, "", lines, ";".join(names),
         digest(body)])
    to_sign = "\n".join([scheme, headers[time_header], scope, digest(canonical.encode())])
    start = {"AWS4-HMAC-SHA256": "AWS4", "TC3-HMAC-SHA256": "TC3"}[scheme] + secret
    assert parts["Signature"] == sign(start.encode(), *scope.split("/"), to_sign)


@pytest.fixture
def bedrock(gateway, samples):
    name = f"bedrock{next_number()}"
    gateway.channel(samples.url, [name], type="bedrock", keys=[f"AKIDEXAMPLE|{SECRET}"],
                    model_mapping={name: BEDROCK_MODEL}, config={"region": "us-east-1"})
    return name


@pytest.fixture
def hunyuan(gateway, samples):
    name = f"hunyuan{next_number()}"
    gateway.channel(samples.url, [name], type="hunyuan-native", keys=[f"AKIDTEST|{SECRET}"],
                    model_mapping={name: "hunyuan-turbos-latest"})
    return name


def collect(gateway, model, **more):
    """The text, the finish reason and the usage of a stream."""
    text, finish, usage = "", None, None
    with gateway.sdk().chat.completions.create(
            model=model, messages=user("hi"), stream=True,
            stream_options={"include_usage": True}, **more) as stream:
        for chunk in stream:
            usage = chunk.usage or usage
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finish = choice.finish_reason or finish
    return text, finish, usage


@pytest.mark.short
def test_bedrock_streams(gateway, samples, bedrock):
    samples.samples.append(
        sample("bedrock/stream.vendor.bin", "application/vnd.amazon.eventstream"))
    text, finish, usage = collect(gateway, bedrock)
    assert (text, finish) == (SENTENCE, "stop")
    assert (usage.prompt_tokens, usage.completion_tokens) == (45, 14)
    request = samples.requests.pop()
    assert request[0] == f"/model/{quote(BEDROCK_MODEL)}/converse-stream"
    expect_signed(request, SECRET, "x-amz-date", True)


def test_bedrock_answers(gateway, samples, bedrock):
    samples.samples.append(sample("bedrock/tools.response.vendor.json"))
    answer = gateway.sdk().chat.completions.create(model=bedrock, messages=user("hi"))
    choice = answer.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Let me check."
    assert choice.message.tool_calls[0].function.name == "get_weather"
    request = samples.requests.pop()
    assert request[0].endswith("/converse")
    expect_signed(request, SECRET, "x-amz-date", True)


def test_bedrock_damaged_stream_is_no_clean_end(gateway, samples, bedrock):
    """One bit of a frame in the middle: what came before arrives, then an error."""
    kind, raw = sample("bedrock/stream.vendor.bin", "application/vnd.amazon.eventstream")
    damaged = bytearray(raw)
    damaged[raw.index("京".encode())] ^= 1
    samples.samples.append((kind, bytes(damaged)))
    with pytest.raises(openai.APIError) as error:
        collect(gateway, bedrock)
    assert "wJalr" not in str(error.value)
    samples.requests.pop()


@pytest.mark.short
def test_hunyuan_streams(gateway, samples, hunyuan):
    samples.samples.append(sample("hunyuan/stream.vendor.txt", "text/event-stream"))
    text, finish, usage = collect(gateway, hunyuan)
    assert (text, finish, usage.total_tokens) == (SENTENCE, "stop", 47)
    request = samples.requests.pop()
    assert request[0] == "/"
    expect_signed(request, SECRET, "x-tc-timestamp", False)


def test_hunyuan_answers(gateway, samples, hunyuan):
    samples.samples.append(sample("hunyuan/chat.response.vendor.json"))
    answer = gateway.sdk().chat.completions.create(model=hunyuan, messages=user("hi"))
    assert answer.choices[0].message.content == SENTENCE
    assert answer.model == hunyuan and answer.usage.total_tokens == 47
    expect_signed(samples.requests.pop(), SECRET, "x-tc-timestamp", False)


def test_hunyuan_tells_errors_with_status_200(gateway, samples, hunyuan):
    samples.samples.append(("application/json", b"""{"Response":{"Error":{"Code":
        "InvalidParameterValue","Message":"wrong"},"RequestId":"1"}}"""))
    with pytest.raises(openai.BadRequestError) as error:
        gateway.sdk(max_retries=0).chat.completions.create(model=hunyuan, messages=user("hi"))
    assert "wrong" in str(error.value)
    samples.requests.pop()
