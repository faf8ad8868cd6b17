# SPDX-License-Identifier: MIT
"""The clients of the bad day: they ask at a steady rate, some leave early, and a lost connection
makes them ask again as OpenAI's SDK does."""

import asyncio
import itertools
import json
import random
import time
from dataclasses import dataclass

REPEATS = 2                 # the SDK's default max_retries
MOST_LATE = 0.5
LONG_AWAY = 1.0             # a busy machine: more than these repeats can wait for
FIRST_REST, LONGEST_REST = 0.5, 8.0
PATIENCE = 40
IDLE = 20                   # a kept connection is not used again after that
LEAVE = {"in the request": 0.01, "before the answer": 0.02, "in the answer": 0.02}


@dataclass(slots=True)
class Attempt:
    """One request over the wire and what came of it."""

    number: int
    model: str
    stream: bool
    usage: bool             # the stream is to tell its usage
    leaving: str
    life: int
    began: float
    ended: float = 0
    status: int = 0
    request_id: str = ""
    outcome: str = ""       # "complete", "cut", "left", "lost", "wrong"
    text: str = ""
    error: str = ""         # the code of the error event of a cut stream
    detail: str = ""


class Lost(Exception):
    """The connection ended before the answer did."""


class Reader:
    """Reads one answer from a connection."""

    def __init__(self, reader):
        self.reader = reader

    async def head(self):
        """Status and headers."""
        raw = await self.reader.readuntil(b"\r\n\r\n")
        first, *lines = raw.decode("latin-1").split("\r\n")
        headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
        return int(first.split(" ")[1]), headers

    async def body(self, headers):
        """The pieces of a body as they come, to its end."""
        if "content-length" in headers:
            yield await self.reader.readexactly(int(headers["content-length"]))
            return
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            yield await self.reader.readexactly(size)
            await self.reader.readexactly(2)
        await self.reader.readexactly(2)


class Clients:
    """Everybody who asks; `attempts` is what they saw, `problems` what must not be."""

    def __init__(self, models, dice):
        self.models, self.dice = models, dice
        self.port, self.keys = 0, {}
        self.life, self.deaths = 0, []          # of the gateway: its number, its last moments
        self.attempts, self.problems, self.repeated = [], [], 0
        self.idle, self.tasks = [], set()

    async def ask_until(self, end, rate):
        """Asks at this rate, by chance and without waiting for answers, until a time."""
        loop, due = asyncio.get_running_loop(), time.monotonic()
        number = 0
        while (due := due + self.dice.expovariate(rate)) < end:
            await asyncio.sleep(max(0, due - time.monotonic()))
            # What a busy machine made us miss is not asked all at once.
            due = max(due, time.monotonic() - MOST_LATE)
            number += 1
            task = loop.create_task(self.ask(number))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        await asyncio.gather(*self.tasks)

    async def ask(self, number):
        """One request, repeated while the gateway is away."""
        dice, leaving = self.dice.random(), ""
        for fate, part in LEAVE.items():
            dice -= part
            if dice < 0 and not leaving:
                leaving = fate
        wish = (self.dice.choice(self.models), self.dice.random() < 0.5, self.dice.random() < 0.5)
        for repeat in itertools.count():
            attempt = Attempt(number, *wish, leaving, self.life, time.monotonic())
            self.attempts.append(attempt)
            await self.exchange(attempt)
            if attempt.outcome != "lost":
                break
            if not self.was_killed(attempt):
                return self.problems.append(f"lost without a kill: {attempt}")
            if leaving:
                return
            if repeat >= REPEATS and not self.was_killed(attempt, LONG_AWAY):
                return self.problems.append(f"not served in {repeat + 1} attempts: {attempt}")
            self.repeated += 1
            rest = min(FIRST_REST * 2 ** repeat, LONGEST_REST)
            await asyncio.sleep(rest * (1 - 0.25 * random.random()))
        if attempt.outcome == "wrong":
            self.problems.append(f"not served as it could be: {attempt}")

    def was_killed(self, attempt, seconds=0):
        """Whether an attempt met a kill after which the gateway was away longer than that."""
        return any(attempt.began < back and killed < attempt.ended
                   and min(back, attempt.ended) - killed >= seconds
                   for killed, back in self.deaths)

    async def exchange(self, attempt):
        """Sends the request and reads its answer, as far as this client stays."""
        writer = None
        try:
            async with asyncio.timeout(PATIENCE):
                reader, writer = await self.connect()
                await self.converse(attempt, reader, writer)
        except TimeoutError:
            attempt.outcome, attempt.detail = "wrong", f"no end within {PATIENCE} s"
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            attempt.outcome, attempt.detail = "lost", repr(error)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            attempt.outcome, attempt.detail = "wrong", repr(error)
        attempt.ended = time.monotonic()
        if writer is None:
            return
        if attempt.outcome in ("complete", "cut"):
            self.idle.append((attempt.ended, self.life, reader, writer))
        else:
            writer.transport.abort() if self.dice.random() < 0.5 else writer.close()

    def leave(self):
        """Closes what is kept."""
        for *_, writer in self.idle:
            writer.transport.abort()
        self.idle.clear()

    async def connect(self):
        """A kept connection or a new one."""
        now = time.monotonic()
        while self.idle:
            since, life, reader, writer = self.idle.pop()
            fresh = life == self.life and now - since < IDLE and not reader.at_eof()
            if fresh and self.dice.random() < 0.8:
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)

    async def converse(self, attempt, reader, writer):
        request = self.request(attempt)
        if attempt.leaving == "in the request":
            writer.write(request[:len(request) // 2])
            await writer.drain()
            await asyncio.sleep(0.02)
            attempt.outcome = "left"
            return
        writer.write(request)
        if attempt.leaving == "before the answer":
            await asyncio.sleep(self.dice.random() * 0.1)
            attempt.outcome = "left"
            return
        answer = Reader(reader)
        attempt.status, headers = await answer.head()
        attempt.request_id = headers.get("x-oneapi-request-id", "")
        body = b""
        async for piece in answer.body(headers):
            body += piece
            if attempt.leaving and len(body) > 1000:
                attempt.outcome = "left"
                return
        self.judge(attempt, body)

    def request(self, attempt):
        """The request as it goes over the wire; of the same length for all of a model."""
        more = {}
        if attempt.stream:
            more = {"stream": True, "stream_options": {"include_usage": attempt.usage}}
        raw = self.body(attempt.model, attempt.number, **more)
        key = self.keys["leaving" if attempt.leaving else "staying"]
        return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s"
                b"\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                % (key.encode(), len(raw), raw))

    @staticmethod
    def body(model, number, **more):
        """The JSON of a request."""
        question = f"{number:07d} Wie spät ist es? 几点了？"
        body = {"model": model, "messages": [{"role": "user", "content": question}], **more}
        return json.dumps(body, ensure_ascii=False).encode()

    @staticmethod
    def judge(attempt, body):
        """Takes the text out of an answer and says whether it is a complete one."""
        attempt.outcome = "wrong"
        if attempt.status != 200:
            attempt.detail = body[:300].decode(errors="replace")
            return
        if not attempt.stream:
            attempt.text = json.loads(body)["choices"][0]["message"]["content"]
            attempt.outcome = "complete"
            return
        *events, last = [e for e in body.decode().split("\n\n") if e and not e.startswith(":")]
        done = last == "data: [DONE]"
        error = None if done else json.loads(last.removeprefix("data: "))["error"]
        finished = False
        for event in events:
            try:
                value = json.loads(event.removeprefix("data: "))
            except ValueError:
                if done:
                    raise
                continue        # an upstream's broken event, before the error event
            for choice in value.get("choices", ()):
                attempt.text += choice["delta"].get("content") or ""
                finished = finished or choice["finish_reason"] == "stop"
        if done and finished:
            attempt.outcome = "complete"
        elif error:
            attempt.outcome, attempt.error = "cut", error.get("code") or error["message"]
        else:
            attempt.detail = f"no good end: {last[-200:]}"
