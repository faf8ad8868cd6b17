# SPDX-License-Identifier: MIT
"""Vendors whose answers are the samples in Tests/Fixtures, chosen by what a request asks for.

The first segment of a path only keeps the tests apart; what follows is the vendor's.
"""

import json
from pathlib import Path

from payloads import dump
from shapes import send_head

FIXTURES = Path(__file__).resolve().parent.parent / "Fixtures"
JSON, EVENTS = "application/json", "text/event-stream"
FAIL = "please fail"


def sample(name):
    return (FIXTURES / name).read_bytes()


def chosen(exchange, folder, streams):
    """The sample of a chat: an error, a call of a tool or a text; as a stream or whole."""
    if FAIL in exchange.body.decode():
        return 200, JSON, sample(f"{folder}/error.vendor.json")
    prefix = "tools." if b'"tools":' in exchange.body or b'"functions":' in exchange.body else ""
    if streams:
        return 200, EVENTS, sample(f"{folder}/{prefix}stream.vendor.txt")
    return 200, JSON, sample(f"{folder}/{prefix or 'chat.'}response.vendor.json")


def dashscope(exchange, _):
    streams = exchange.header("x-dashscope-sse") == ["enable"]
    status, kind, body = chosen(exchange, "dashscope", streams)
    if FAIL in exchange.body.decode():
        # Framed as events also where the head says JSON.
        body = b"id:1\nevent:error\n:HTTP_STATUS/400\ndata:" + dump(
            {"code": "DataInspectionFailed", "message": "Input data may be inappropriate."})
        return 400, JSON, body + b"\n\n"
    return status, kind, body


def ernie(exchange, path):
    if path.startswith("/oauth/2.0/token"):
        # The first token is stale.
        ernie.tokens += 1
        return 200, JSON, dump({"access_token": f"24.{ernie.tokens}", "expires_in": 2592000})
    if path.endswith("access_token=24.1"):
        return 200, JSON, b'{\n "error_code": 110,\n "error_msg": "Access token invalid"\n}'
    return chosen(exchange, "ernie-legacy", exchange.json.get("stream"))


ernie.tokens = 0


def cloudflare(exchange, _):
    status, kind, body = chosen(exchange, "cloudflare", exchange.json.get("stream"))
    return (401 if FAIL in exchange.body.decode() else status), kind, body


def dify(exchange, _):
    return chosen(exchange, "dify", exchange.json["response_mode"] == "streaming")


def coze(exchange, _):
    return chosen(exchange, "coze", True)


def replicate(exchange, path):
    if path == "/stream":
        return 200, EVENTS, sample("replicate/stream.vendor.txt")
    if path == "/get":
        return 200, JSON, sample("replicate/chat.response.vendor.json")
    if FAIL in exchange.body.decode():
        body = {"title": "Input validation failed", "detail": "no such input", "status": 422}
        return 422, JSON, dump(body)
    prediction = json.loads(sample("replicate/starting.response.vendor.json"))
    base = f"http://{exchange.header('host')[0]}/{exchange.path.split('/')[1]}"
    prediction["urls"] = {"get": base + "/get", "stream": base + "/stream"}
    return 201, JSON, dump(prediction)


VENDORS = {
    "qwen-native": dashscope, "ernie-v1": ernie, "cloudflare": cloudflare, "dify": dify,
    "coze": coze, "replicate": replicate}


async def run_script(connection, exchange):
    """Answers as the vendor named in the path's first segment."""
    _, vendor, rest = exchange.path.split("/", 2)
    status, kind, body = VENDORS[vendor](exchange, "/" + rest)
    await send_head(connection, status, [("Content-Type", kind), ("Content-Length", len(body))])
    # Cut without regard to lines and characters.
    await connection.send(body, segment=61)
