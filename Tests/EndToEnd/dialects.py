# SPDX-License-Identifier: MIT
"""What the scripted upstream says in other formats than OpenAI's.

A dialect is a function for the ending of a path. It checks requests as strictly as the vendor does,
so that a request which passes here would pass there. Its scripts are named by models, as always.
"""

import base64
import hashlib

import dialect_ollama
import dialect_responses
import payloads
from shapes import send_head

KEY = "sk-upstream-key-1"


def find(path):
    """The dialect of a path; None for OpenAI's."""
    path = path.partition("?")[0]
    for ending, speak in DIALECTS.items():
        if path.endswith(ending):
            return speak
    return None


async def send(connection, body, status=200, kind="application/json"):
    raw = body if isinstance(body, bytes) else payloads.dump(body)
    await send_head(connection, status, [("Content-Type", kind), ("Content-Length", len(raw))])
    await connection.send(raw)


async def send_events(connection, events, segment=0):
    """Server-Sent Events with the type of each before its data."""
    await send_head(connection, 200, [("Content-Type", "text/event-stream"),
                                      ("Connection", "close")])
    for event in events:
        head = f"event: {event['type']}\ndata: ".encode()
        await connection.send(head + payloads.dump(event) + b"\n\n", segment)
    connection.keep = False


def digest(mime, data):
    """Type, size and SHA-256 of a picture; proof that it arrived whole."""
    raw = base64.b64decode(data, validate=True)
    return f"{mime} {len(raw)} {hashlib.sha256(raw).hexdigest()}"


# OpenAI's format, with the thoughts that many vendors add to it

async def reasoning(connection, exchange):
    """`reason`: thinks before it answers."""
    message = {"role": "assistant", "content": "4", "reasoning_content": "2+2 is 4."}
    if not exchange.json.get("stream"):
        return await send(connection, payloads.completion(exchange.model, message))
    chunks = [payloads.chunk(exchange.model, delta) for delta in (
        {"role": "assistant", "content": ""}, {"reasoning_content": "2+2 "},
        {"reasoning_content": "is 4."}, {"content": "4"})]
    chunks += [payloads.chunk(exchange.model, {}, "stop"),
               {**chunks[0], "choices": [], "usage": payloads.USAGE}]
    raw = b"".join(b"data: " + payloads.dump(chunk) + b"\n\n" for chunk in chunks)
    await send(connection, raw + b"data: [DONE]\n\n", kind="text/event-stream")


# Anthropic

def anthropic_error(kind, message):
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_e2e"}


def anthropic_fault(exchange):
    """What Anthropic would refuse a request for: status, type and message; None for nothing."""
    request = exchange.json
    if exchange.header("x-api-key") != [KEY] and exchange.key != KEY:
        return 401, "authentication_error", "invalid x-api-key"
    if exchange.header("anthropic-version") not in ANTHROPIC_VERSIONS:
        return 400, "invalid_request_error", "anthropic-version: header is required"
    if exchange.method == "GET":
        return None
    if exchange.path.endswith("/messages") and not isinstance(request.get("max_tokens"), int):
        return 400, "invalid_request_error", "max_tokens: Field required"
    if unknown := set(request) - ANTHROPIC_FIELDS:
        return 400, "invalid_request_error", f"{unknown}: Extra inputs are not permitted"
    roles = [message["role"] for message in request["messages"]]
    if roles[:1] != ["user"] or set(roles) - {"user", "assistant"}:
        return 400, "invalid_request_error", "messages: first message must use the \"user\" role"
    open_calls = set()
    for message in request["messages"]:
        blocks = message["content"]
        blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
        if any(b["type"] == "text" and not b["text"].strip() for b in blocks) or not blocks:
            return 400, "invalid_request_error", "messages: text content blocks must be non-empty"
        results = {b["tool_use_id"] for b in blocks if b["type"] == "tool_result"}
        if results != open_calls:
            return 400, "invalid_request_error", "messages: tool_use without tool_result"
        open_calls = {b["id"] for b in blocks if b["type"] == "tool_use"}
    return None


ANTHROPIC_VERSIONS = ["2023-06-01"], ["2026-10-21"]
ANTHROPIC_FIELDS = {
    "model", "max_tokens", "messages", "system", "stream", "temperature", "top_p", "top_k",
    "stop_sequences", "tools", "tool_choice", "thinking", "output_config", "metadata",
    "service_tier"}
SEAL = "c2VhbA=="


def anthropic_blocks(request, script):
    """The content of the answer."""
    last = request["messages"][-1]["content"]
    blocks = [{"type": "text", "text": last}] if isinstance(last, str) else last
    results = [b["content"] for b in blocks if b["type"] == "tool_result"]
    if script == "thinking" and request.get("thinking"):
        return [{"type": "thinking", "thinking": "2+2 is 4.", "signature": SEAL},
                {"type": "text", "text": "4"}]
    if script == "tools" and results:
        return [{"type": "text", "text": f"It is {results[0]}."}]
    if script == "tools" and request.get("tools"):
        call = {"type": "tool_use", "id": "toolu_Rome0001", "name": "get_weather",
                "input": {"city": "Rome", "unit": "celsius"}}
        return [{"type": "text", "text": "Let me check."}, call]
    if script == "vision":
        sources = [b["source"] for b in blocks if b["type"] in ("image", "document")]
        return [{"type": "text", "text": digest(s["media_type"], s["data"])} for s in sources]
    if script == "poem":
        return [{"type": "text", "text": payloads.POEM}]
    return [{"type": "text", "text": "".join(b.get("text", "") for b in blocks)}]


def anthropic_message(request, blocks):
    reason = "tool_use" if blocks[-1]["type"] == "tool_use" else "end_turn"
    usage = {"input_tokens": 6, "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
             "output_tokens": 5}
    return {"id": "msg_e2e1", "type": "message", "role": "assistant", "model": request["model"],
            "content": blocks, "stop_reason": reason, "stop_sequence": None, "usage": usage}


def anthropic_events(message):
    """A message as a stream."""
    start = {**message, "content": [], "stop_reason": None,
             "usage": {**message["usage"], "output_tokens": 1}}
    yield {"type": "message_start", "message": start}
    for index, block in enumerate(message["content"]):
        kind = block["type"]
        empty = {"text": {"text": ""}, "thinking": {"thinking": "", "signature": ""},
                 "tool_use": {**block, "input": {}}}[kind]
        yield {"type": "content_block_start", "index": index,
               "content_block": {"type": kind, **empty}}
        yield {"type": "ping"}
        deltas = [{"type": "text_delta", "text": c} for c in block.get("text", "")]
        if kind == "thinking":
            deltas = [{"type": "thinking_delta", "thinking": c} for c in block["thinking"]]
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        if kind == "tool_use":
            text = payloads.dump(block["input"]).decode()
            deltas = [{"type": "input_json_delta", "partial_json": c} for c in ["", *text]]
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta",
           "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
           "usage": {"output_tokens": message["usage"]["output_tokens"]}}
    yield {"type": "message_stop"}


async def anthropic(connection, exchange):
    """`error:STATUS:TYPE`, `midstream`, `cut`, `thinking`, `tools`, `vision`, `poem`, `echo`."""
    script, *arguments = exchange.model.split("@")[0].split(":")
    fault = anthropic_fault(exchange)
    if fault is None and script == "error":
        fault = int(arguments[0]), arguments[1], f"upstream says {arguments[0]}"
    if fault is not None:
        status, kind, message = fault
        return await send(connection, anthropic_error(kind, message), status)
    request = exchange.json
    if exchange.path.endswith("/count_tokens"):
        return await send(connection, {"input_tokens": 77})
    message = anthropic_message(request, anthropic_blocks(request, script))
    if not request.get("stream"):
        return await send(connection, message)
    events = list(anthropic_events(message))
    if script == "midstream":
        events = [*events[:4], anthropic_error("overloaded_error", "Overloaded")]
    await send_events(connection, events[:4] if script == "cut" else events)


async def anthropic_models(connection, exchange):
    fault = anthropic_fault(exchange)
    if fault is not None:
        status, kind, message = fault
        return await send(connection, anthropic_error(kind, message), status)
    data = [{"type": "model", "id": n, "display_name": n} for n in ("claude-b", "claude-a")]
    await send(connection, {"data": data, "has_more": False})


# Cohere

async def cohere(connection, exchange):
    """`error:STATUS`, else an echo."""
    script, *arguments = exchange.model.split("@")[0].split(":")
    request = exchange.json
    if script == "error" or exchange.key != KEY:
        status = int(arguments[0]) if arguments else 401
        return await send(connection, {"id": "e", "message": f"upstream says {status}"}, status)
    text = payloads.last_text(request)
    usage = {"tokens": {"input_tokens": 11.0, "output_tokens": 5.0}}
    if not request["stream"]:
        message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
        return await send(connection, {
            "id": "e2e1", "finish_reason": "COMPLETE", "message": message, "usage": usage})
    deltas = [{"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": c}}}}
              for c in text]
    await send_events(connection, [
        {"type": "message-start", "id": "e2e1", "delta": {"message": {"role": "assistant"}}},
        *deltas,
        {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": usage}}])


async def cohere_models(connection, exchange):
    models = [{"name": n, "endpoints": ["chat"]} for n in ("command-b", "command-a")]
    await send(connection, {"models": models})


# Files of their own add theirs.
DIALECTS = {
    "/v1/messages": anthropic, "/v1/messages/count_tokens": anthropic,
    "/anthropic/v1/models": anthropic_models,
    "/api/chat": dialect_ollama.answer, "/responses": dialect_responses.answer,
    "/v2/chat": cohere, "/cohere/v1/models": cohere_models,
}
