# SPDX-License-Identifier: MIT
"""The owner's two vendors: Qwen in OpenAI's format, ERNIE in the format of its first API.

Both answer at one port, below `/qwen` and `/ernie`, and each has a mood that a step changes.
"""

import asyncio
import collections
import time

import payloads
from behaviours import send_json
from shapes import Shape, encode_event, send_head
from upstream import Upstream

POEMS = {
    "qwen": "床前明月光，疑是地上霜。\n举头望明月，低头思故乡。",
    "ernie": "春眠不觉晓，处处闻啼鸟。\n夜来风雨声，花落知多少。",
}
PACE = 0.02             # seconds between two characters of a stream
KEY = "sk-upstream-key-1"
USAGE = {"prompt_tokens": 30, "completion_tokens": 70, "total_tokens": 100}
THROTTLED = "Requests rate limit exceeded, please try again later."


class Vendors(Upstream):
    """Answers every question with a poem."""

    def __init__(self):
        super().__init__()
        self.script = self.speak
        self.moods = {"qwen": "well", "ernie": "well"}      # or "throttled", "silent"
        self.answered = collections.Counter()
        self.refused = collections.Counter()
        self.sent_at = []               # when each piece of a stream left

    async def speak(self, connection, exchange):
        """One request, at whichever vendor."""
        path, _, query = exchange.path.partition("?")
        vendor = path.split("/")[1]
        if path.endswith("/oauth/2.0/token"):
            return await send_json(connection, 200, self.token(query))
        if self.moods[vendor] == "silent":
            self.refused[vendor] += 1
            await asyncio.sleep(600)
        if self.moods[vendor] == "throttled":
            self.refused[vendor] += 1
            status, body = REFUSALS[vendor]
            return await send_json(connection, status, body)
        self.answered[vendor] += 1
        speak = {"qwen": self.qwen, "ernie": self.ernie}[vendor]
        await speak(connection, exchange, exchange.json, query)

    @staticmethod
    def token(query):
        if "client_id=my-ak&client_secret=my-sk" not in query:
            return {"error": "invalid_client", "error_description": "unknown client id"}
        return {"access_token": "24.rehearsal", "expires_in": 2592000}

    async def qwen(self, connection, exchange, request, _):
        if exchange.key != KEY or exchange.path != "/qwen/v1/chat/completions":
            body = payloads.error(f"not {exchange.path} with {exchange.key}", code="bad_request")
            return await send_json(connection, 400, body)
        model, poem = request["model"], POEMS["qwen"]
        if not request.get("stream"):
            message = {"role": "assistant", "content": poem}
            return await send_json(
                connection, 200, payloads.completion(model, message, usage=USAGE))
        values = [payloads.chunk(model, {"content": c}) for c in poem]
        values += [payloads.chunk(model, {}, "stop"),
                   {**payloads.chunk(model, {}), "choices": [], "usage": USAGE}, b"[DONE]"]
        await self.stream(connection, values)

    async def ernie(self, connection, exchange, request, query):
        path = exchange.path.partition("?")[0].removeprefix("/ernie/rpc/2.0/ai_custom/v1/")
        last = request["messages"][-1]["role"]
        if query != "access_token=24.rehearsal" or last != "user" or "model" in request:
            return await send_json(connection, 200, {"error_code": 110, "error_msg": "no token"})
        if path != "wenxinworkshop/chat/completions_pro":
            return await send_json(connection, 200, {"error_code": 3, "error_msg": path})
        answer = {"id": "as-e2e1", "object": "chat.completion", "created": payloads.CREATED,
                  "is_truncated": False, "need_clear_history": False, "finish_reason": "normal",
                  "usage": USAGE}
        poem = POEMS["ernie"]
        if not request.get("stream"):
            return await send_json(connection, 200, {**answer, "result": poem})
        await self.stream(connection, [
            {**answer, "sentence_id": number, "is_end": number == len(poem), "result": character}
            for number, character in enumerate([*poem, ""])])

    async def stream(self, connection, values):
        self.sent_at = []
        await send_head(connection, 200, [("Content-Type", "text/event-stream"),
                                          ("Connection", "close")])
        for value in values:
            self.sent_at.append(time.monotonic())
            await connection.send(encode_event(value, Shape()))
            await asyncio.sleep(PACE)
        connection.keep = False


REFUSALS = {
    "qwen": (429, payloads.error(THROTTLED, "limit_requests", "limit_requests")),
    "ernie": (200, {"error_code": 18, "error_msg": "Open api qps request limit reached"}),
}
