# SPDX-License-Identifier: MIT
"""A load driver: many keep-alive connections on a loop, every answer read whole and checked."""

import asyncio
import collections
import json
import time
from dataclasses import dataclass, field

from faulty import text_of


@dataclass(slots=True)
class Sample:
    """One request and what came of it."""

    number: int
    began: float
    seconds: float = 0.0
    status: int = 0
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    problem: str = ""           # why there is no complete answer
    marker: str = ""            # of the upstream that gave the answer, when it is a correct one

    @property
    def attempts(self):
        """What the gateway says about its attempts; 0 when it says nothing."""
        return int(self.headers.get("x-tinygateway-attempts", 0))

    @property
    def code(self):
        """The code of an error answer."""
        try:
            return json.loads(self.body)["error"]["code"]
        except (ValueError, KeyError, TypeError):
            return None

    def judge(self, model, stream):
        """Finds the marker of a correct answer, or notes what is wrong with it."""
        if self.problem or self.status != 200:
            return
        try:
            named, text = read_stream(self.body) if stream else read_answer(self.body)
        except (ValueError, KeyError, IndexError, TypeError) as error:
            self.problem = f"no answer in OpenAI's format: {error!r}"
            return
        marker = text.partition(":")[0]
        if text != text_of(marker):
            self.problem = f"the text is not what the upstream sent: {text!r}"
        elif named != {model}:
            self.problem = f"the answer names {named}, not {model}"
        else:
            self.marker = marker


def read_answer(body):
    """Models and text of a chat completion."""
    value = json.loads(body)
    return {value["model"]}, value["choices"][0]["message"]["content"]


def read_stream(body):
    """The same of a stream, which must be complete."""
    events = [e for e in body.decode().split("\n\n") if e and not e.startswith(":")]
    if events.pop() != "data: [DONE]":
        raise ValueError("the stream does not end with [DONE]")
    values = [json.loads(event.removeprefix("data: ")) for event in events]
    choices = [choice for value in values for choice in value["choices"]]
    if choices[-1]["finish_reason"] != "stop":
        raise ValueError("no finish_reason")
    return ({value["model"] for value in values},
            "".join(choice["delta"].get("content") or "" for choice in choices))


class Caller(asyncio.Protocol):
    """One connection to the gateway; reads one answer at a time."""

    def __init__(self):
        self.transport = self.answered = None
        self.held = b""
        self.sample = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.transport = None
        self.finish(f"connection lost: {error!r} after {self.held[:100]!r}")

    def data_received(self, data):
        self.held += data
        end = self.held.find(b"\r\n\r\n")
        if end >= 0 and self.sample is not None:
            self.read(end)

    def read(self, end):
        """Ends the request when its whole answer is there."""
        sample = self.sample
        if not sample.headers:
            first, *lines = self.held[:end].decode("latin-1").split("\r\n")
            sample.status = int(first.split(" ")[1])
            sample.headers = {
                name.lower(): value.strip() for name, _, value in
                (line.partition(":") for line in lines)}
        if "content-length" in sample.headers:
            whole = end + 4 + int(sample.headers["content-length"])
            if len(self.held) >= whole:
                sample.body, self.held = self.held[end + 4:whole], self.held[whole:]
                self.finish()
        elif self.held.endswith(b"\r\n0\r\n\r\n"):
            try:
                sample.body = b"".join(pieces(self.held, end + 4))
            except ValueError:
                return    # the last bytes were content by chance
            self.held = b""
            self.finish()

    def finish(self, problem=""):
        sample, self.sample = self.sample, None
        if sample is not None:
            sample.seconds = time.monotonic() - sample.began
            sample.problem = problem or (f"{len(self.held)} bytes too many" if self.held else "")
            if not self.answered.done():
                self.answered.set_result(None)

    async def ask(self, request, sample):
        """Sends one request and waits for the end of its answer."""
        self.sample, self.answered = sample, asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self.answered
        if self.transport is not None and sample.headers.get("connection") == "close":
            self.transport.close()
            self.transport = None

    def leave(self):
        """Ends the connection; a request under way stays unanswered."""
        self.sample = None
        if self.transport is not None:
            self.transport.abort()


def pieces(data, at):
    """The chunks of a chunked body, which must end where the data ends."""
    while True:
        line = data.index(b"\r\n", at)
        size, at = int(data[at:line].split(b";")[0], 16), line + 2
        if data[at + size:at + size + 2] != b"\r\n":
            raise ValueError("chunk without end")
        if size == 0:
            if at + 2 != len(data):
                raise ValueError("bytes behind the last chunk")
            return
        yield data[at:at + size]
        at += size + 2


class Run:
    """What a load has shown."""

    def __init__(self):
        self.samples = []

    @property
    def problems(self):
        """Every request that did not get a correct and complete answer, in words."""
        return [f"request {s.number} after {s.seconds:.3f} s: status {s.status} "
                f"{s.problem or s.body[:200]}" for s in self.samples if not s.marker]

    @property
    def slowest(self):
        """Seconds of the slowest request."""
        return max(sample.seconds for sample in self.samples)

    @property
    def markers(self):
        """The upstream of each request, in the order in which they began."""
        return [sample.marker for sample in sorted(self.samples, key=lambda s: s.number)]

    @property
    def counts(self):
        """How many answers each upstream gave."""
        return collections.Counter(self.markers)

    def with_status(self, status):
        """All requests that were answered with this status."""
        return [sample for sample in self.samples if sample.status == status]

    def expect_success(self, requests):
        """All requests must have been answered, completely and correctly."""
        assert not self.problems, (
            f"{len(self.problems)} of {requests} requests failed, such as", self.problems[:4])
        assert len(self.samples) == requests, f"only {len(self.samples)} requests were sent"
        return self


def request_bytes(key, model, stream=False, **more):
    """One chat request as it goes over the wire."""
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], **more}
    if stream:
        body["stream"] = True
    raw = json.dumps(body).encode()
    return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer %s\r\n"
            b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (key.encode(), len(raw), raw))


async def drive(port, request, model, requests, connections=64, stream=False, hooks=None,
                seconds=30, interval=0.0):
    """Sends `requests` requests over `connections` connections and returns a `Run`.

    `hooks` maps the number of a request to a function that is called just before it is sent.
    After `seconds` what is unanswered is given up and counted as a problem. `interval` seconds
    lie between the answer to one request and the next on the same connection.
    """
    run, numbers, loop = Run(), iter(range(requests)), asyncio.get_running_loop()

    async def work():
        caller = None
        try:
            for number in numbers:
                if hooks and number in hooks:
                    hooks[number]()
                if caller is None or caller.transport is None:
                    _, caller = await loop.create_connection(Caller, "127.0.0.1", port)
                sample = Sample(number, time.monotonic(), problem="no answer in time")
                run.samples.append(sample)
                await caller.ask(request, sample)
                sample.judge(model, stream)
                if interval:
                    await asyncio.sleep(interval)
        finally:
            if caller is not None:
                caller.leave()

    tasks = [loop.create_task(work()) for _ in range(min(connections, requests))]
    done, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    for task in done:
        task.result()
    return run
