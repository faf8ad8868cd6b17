# SPDX-License-Identifier: MIT
"""OpenAI's `/responses`, scripted, for channels that are asked for it as they stand."""

import payloads
from shapes import send_head

USAGE = {"input_tokens": 11, "input_tokens_details": {"cached_tokens": 3},
         "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16}


def response(exchange, text=None, status="completed"):
    item = {"id": "msg_up", "type": "message", "status": "completed", "role": "assistant",
            "content": [{"type": "output_text", "text": text, "annotations": []}]}
    return {"id": "resp_upstream", "object": "response", "created_at": payloads.CREATED,
            "model": exchange.model, "status": status, "error": None,
            "output": [item] if text is not None else [], "parallel_tool_calls": True,
            "tool_choice": "auto", "tools": exchange.json.get("tools", []),
            "previous_response_id": exchange.json.get("previous_response_id"),
            "usage": USAGE if status == "completed" else None}


def events(exchange):
    """A short stream: what a client needs to put a text together."""
    at = {"item_id": "msg_up", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    item = {"id": "msg_up", "type": "message", "status": "in_progress", "role": "assistant",
            "content": []}
    yield {"type": "response.created", "response": response(exchange, status="in_progress")}
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    yield {"type": "response.content_part.added", **at, "part": part}
    for piece in ("hel", "lo"):
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    done = response(exchange, "hello")
    yield {"type": "response.output_item.done", "output_index": 0, "item": done["output"][0]}
    yield {"type": "response.completed", "response": done}


async def answer(connection, exchange):
    """Answers `hello`, whole or as a stream."""
    if exchange.json.get("stream"):
        raw = b"".join(
            f"event: {x['type']}\ndata: ".encode()
            + payloads.dump({**x, "sequence_number": n}) + b"\n\n"
            for n, x in enumerate(events(exchange)))
        kind = "text/event-stream"
    else:
        raw, kind = payloads.dump(response(exchange, "hello")), "application/json"
    await send_head(connection, 200, [("Content-Type", kind), ("Content-Length", len(raw))])
    await connection.send(raw)
