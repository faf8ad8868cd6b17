# SPDX-License-Identifier: MIT
"""Bodies in OpenAI's format, as a vendor would write them."""

import base64
import hashlib
import json
import struct

CREATED = 1_760_000_000
POEM = "春眠不觉晓，处处闻啼鸟。\nRoses are red 🌹,\t\"quoted\" \\ and so on …"
SHORT = "héllo, 世界 🌍!"
USAGE = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
VECTOR = [0.25, -0.5, 1.0]


def dump(value):
    """Compact UTF-8 JSON, so that characters of several bytes cross the wire."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def completion(model, message, finish="stop", usage=USAGE):
    """A chat completion; `usage` None leaves the member out."""
    body = {
        "id": "chatcmpl-e2e1", "object": "chat.completion", "created": CREATED, "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "system_fingerprint": "fp_e2e",
    }
    if usage is not None:
        body["usage"] = usage
    return body


def chunk(model, delta, finish=None, **more):
    """One chunk of a streamed chat completion."""
    return {
        "id": "chatcmpl-e2e1", "object": "chat.completion.chunk", "created": CREATED,
        "model": model,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        **more,
    }


def text_completion(model, text, finish="stop", usage=USAGE):
    """An answer of the older `/completions` call."""
    body = {
        "id": "cmpl-e2e1", "object": "text_completion", "created": CREATED, "model": model,
        "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}],
    }
    if usage is not None:
        body["usage"] = usage
    return body


def embeddings(model, request):
    """One vector per input, floats or base64 as the request asks."""
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    vector = VECTOR
    if request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<3f", *VECTOR)).decode()
    data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(inputs))]
    usage = {"prompt_tokens": 2 * len(inputs), "total_tokens": 2 * len(inputs)}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def error(message, kind="server_error", code=None, param=None):
    """An error object as OpenAI writes it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def last_text(request):
    """The text of the last message, or the prompt of a `/completions` request."""
    if "messages" not in request:
        return str(request.get("prompt", ""))
    content = request["messages"][-1].get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def image_digest(request):
    """Type, size and SHA-256 of the data URL in the last message; proof that it arrived whole."""
    for part in request["messages"][-1]["content"]:
        if part["type"] == "image_url":
            head, _, data = part["image_url"]["url"].partition(",")
            raw = base64.b64decode(data, validate=True)
            mime = head.removeprefix("data:").removesuffix(";base64")
            return f"{mime} {len(raw)} {hashlib.sha256(raw).hexdigest()}"
    return "no image"


TOOL_ARGUMENTS = ['{"ci', 'ty":"Ro', 'me","unit":"cel', 'sius"}']


def tool_call():
    """The message that asks for `get_weather`."""
    function = {"name": "get_weather", "arguments": "".join(TOOL_ARGUMENTS)}
    call = {"id": "call_Rome0001", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def tool_call_chunks(model):
    """The same, in the fragments in which a stream carries it."""
    first = {"index": 0, "id": "call_Rome0001", "type": "function",
             "function": {"name": "get_weather", "arguments": ""}}
    yield chunk(model, {"role": "assistant", "content": None})
    yield chunk(model, {"tool_calls": [first]})
    for piece in TOOL_ARGUMENTS:
        yield chunk(model, {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
    yield chunk(model, {}, "tool_calls")
