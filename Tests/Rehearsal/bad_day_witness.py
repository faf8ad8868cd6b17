# SPDX-License-Identifier: MIT
"""One application with OpenAI's own SDK and its default retries, which must not notice the day."""

import asyncio
import time

import httpx
from openai import APIConnectionError, APIError, AsyncOpenAI

from bad_day_clients import LONG_AWAY, PATIENCE, Attempt

FIRST = 5_000_000       # its requests' numbers


class Witness:
    """Asks now and then; `problems` is what the application would have seen."""

    def __init__(self, clients, ledger, key):
        self.clients, self.ledger = clients, ledger
        self.sdk = AsyncOpenAI(
            api_key=key, base_url=f"http://127.0.0.1:{clients.port}/v1", timeout=PATIENCE)
        self.problems, self.asked, self.cut = [], 0, 0

    async def work(self, pause):
        """One request after the other until it is cancelled."""
        while True:
            await asyncio.sleep(pause)
            self.asked += 1
            await self.ask(FIRST + self.asked, self.clients.dice.choice(self.clients.models))

    async def ask(self, number, model):
        """A request, every other one for a stream."""
        stream, text = number % 2 == 0, ""
        seen = Attempt(number, model, stream, False, "", 0, time.monotonic())
        try:
            answer = await self.sdk.chat.completions.create(
                model=model, stream=stream,
                messages=[{"role": "user", "content": f"{number:07d} hello"}])
            if not stream:
                text = answer.choices[0].message.content
            else:
                async for chunk in answer:
                    text += "".join(c.delta.content or "" for c in chunk.choices)
        except (APIError, APIConnectionError, httpx.HTTPError, ValueError) as error:
            seen.ended = time.monotonic()
            # The SDK repeats nothing of which it has begun to tell.
            told = (self.clients.was_killed(seen, LONG_AWAY)
                    or stream and (number in self.ledger.cut or self.clients.was_killed(seen)))
            self.cut += 1
            if not told:
                self.problems.append(f"the SDK gave up: {seen} {error!r}")
            return
        if not any(asked.text == text for asked in self.ledger.handed_out[number]):
            self.problems.append(f"the SDK got another answer: {seen} {text!r}")
