# SPDX-License-Identifier: MIT
"""Ollama's own `/api/chat`, scripted: the model's name says what comes, as in behaviours.py."""

import json

import payloads
from shapes import send_head

CREATED_AT = "2025-10-09T08:53:20.123456789Z"
PIECES = ["héllo, ", "世界 ", "🌍!"]


def line(exchange, message, **more):
    """One line of a stream, or a whole answer."""
    return {"model": exchange.model, "created_at": CREATED_AT,
            "message": {"role": "assistant", "content": "", **message}, "done": False, **more}


def end(exchange, message=None, reason="stop"):
    return line(exchange, message or {}, done=True, done_reason=reason, total_duration=5,
                prompt_eval_count=11, eval_count=5)


def lines(exchange, script):
    """What a script answers, as lines."""
    if script == "tools":
        call = {"function": {"name": "get_weather", "arguments": {"city": "Rome"}}}
        return [line(exchange, {"tool_calls": [call]}), end(exchange)]
    if script == "thinks":
        return [line(exchange, {"thinking": "Let me see. "}),
                line(exchange, {"content": payloads.SHORT}), end(exchange)]
    answered = [line(exchange, {"content": piece}) for piece in PIECES]
    if script == "error":
        return [answered[0], {"error": "an error was encountered while running the model"}]
    return [*answered, end(exchange)]


async def answer(connection, exchange):
    """Answers as `stream` asks; like Ollama, with a stream when it is not said."""
    script = exchange.model.split("@")[0]
    if script == "missing":
        raw = payloads.dump({"error": "model 'missing' not found"})
        head = [("Content-Type", "application/json"), ("Content-Length", len(raw))]
        await send_head(connection, 404, head)
        return await connection.send(raw)
    said = lines(exchange, script)
    if exchange.json.get("stream", True):
        raw = b"".join(payloads.dump(x) + b"\n" for x in said)
        await send_head(connection, 200, [
            ("Content-Type", "application/x-ndjson"), ("Content-Length", len(raw))])
        # Cut without regard to lines and characters.
        return await connection.send(raw, segment=53)
    message = {"content": "".join(x["message"]["content"] for x in said)}
    for key in ("thinking", "tool_calls"):
        for x in said:
            if key in x["message"]:
                message[key] = x["message"][key]
    raw = payloads.dump(end(exchange, message))
    await send_head(connection, 200, [
        ("Content-Type", "application/json"), ("Content-Length", len(raw))])
    await connection.send(raw)


def asked(exchange):
    """What arrived: the body without the model's name."""
    return {k: v for k, v in json.loads(exchange.body).items() if k != "model"}
