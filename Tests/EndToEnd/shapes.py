# SPDX-License-Identifier: MIT
"""The ways to frame an ordinary answer: what OpenAI does, and what odd or broken upstreams do."""

import asyncio
from dataclasses import dataclass

import payloads


@dataclass(frozen=True)
class Shape:
    """How an ordinary answer looks on the wire; the defaults are what OpenAI does."""

    text: str | None = None         # None: echo the last message, word by word
    framing: str = "chunked"        # of a stream: "chunked", "length" or "close"
    version: str = "HTTP/1.1"
    newline: str = "\n"             # between the lines of the event stream
    opening: bytes = b""            # bytes before the first event
    comments: bool = False          # comment and foreign fields between the events
    done: bool = True               # the last event is [DONE]
    usage: str = "chunk"            # "chunk", "choice" (with the last choice), "none", "insane"
    segment: int = 0                # bytes per TCP segment; 0: an event at once
    chunk_bytes: int = 0            # bytes per HTTP chunk; 0: an event per chunk
    extension: bytes = b""          # after each chunk size
    trailer: bytes = b""            # after the last chunk
    wait: float = 0                 # seconds before the head
    pace: float = 0                 # seconds between events
    headers: tuple = ()             # added to the head
    interim: bytes = b""            # sent before the head
    close: bool = False             # close after the answer without a word
    cut: int | None = None          # events after which the stream breaks
    cut_by: str = "reset"           # "reset", "drop" (FIN), "error" (an error event) or "stall"


SHAPES = {
    "echo": Shape(),
    "poem": Shape(text=payloads.POEM),
    "dribble": Shape(text=payloads.SHORT, segment=1),
    "chunk-per-byte": Shape(text=payloads.SHORT, chunk_bytes=1),
    "chunk-extensions": Shape(
        text=payloads.SHORT, extension=b';name="a;b";x', trailer=b"X-T: 1\r\n"),
    "close-delimited": Shape(text=payloads.SHORT, framing="close"),
    "length-framed": Shape(text=payloads.SHORT, framing="length"),
    "http10": Shape(text=payloads.SHORT, framing="close", version="HTTP/1.0"),
    "sse-crlf": Shape(text=payloads.SHORT, newline="\r\n"),
    "sse-cr": Shape(text=payloads.SHORT, newline="\r"),
    "sse-crlf-split": Shape(text=payloads.SHORT, newline="\r\n", segment=7),
    "sse-bom": Shape(text=payloads.SHORT, opening=b"\xef\xbb\xbf"),
    "sse-comments": Shape(text=payloads.SHORT, opening=b": keep-alive\n\n", comments=True),
    "no-done": Shape(text=payloads.SHORT, done=False),
    "usage-last-choice": Shape(text=payloads.SHORT, usage="choice"),
    "no-usage": Shape(text=payloads.SHORT, usage="none"),
    "insane-usage": Shape(text=payloads.SHORT, usage="insane"),
    "interim": Shape(
        text=payloads.SHORT,
        interim=b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "closes-after": Shape(text=payloads.SHORT, close=True),
    "leaky-headers": Shape(text=payloads.SHORT, headers=(
        ("Set-Cookie", "session=1"), ("Server", "vendor/1"), ("Keep-Alive", "timeout=1"),
        ("X-Internal", "secret"), ("x-request-id", "req_upstream_1"))),
    "leading-blank-lines": Shape(text=payloads.SHORT, opening=b"\n\n\n"),
}


def shape_for(name, arguments):
    """The shape of a script that takes arguments, or None."""
    number = float(arguments[0]) if arguments and arguments[0].isdigit() else 0
    if name == "slow-first-byte":
        return Shape(text=payloads.SHORT, wait=number / 1000)
    if name == "slow-stream":
        return Shape(text=payloads.POEM, pace=number / 1000)
    if name == "close-cut":
        return Shape(text=payloads.POEM, framing="close", cut=int(number), cut_by="drop")
    if name in ("cut", "drop", "error", "stall"):
        return Shape(text=payloads.POEM, cut=int(number), pace=0.002,
                     cut_by="reset" if name == "cut" else name)
    if name == "split":
        return Shape(text=payloads.SHORT, segment=int(number))
    return SHAPES.get(name)


async def send_head(connection, status, headers, version="HTTP/1.1"):
    lines = [f"{version} {status} Scripted"] + [f"{n}: {v}" for n, v in headers]
    await connection.send(("\r\n".join(lines) + "\r\n\r\n").encode())


@dataclass(frozen=True)
class Verbatim:
    """An answer of given bytes, in segments of some bytes when that is not 0."""

    body: bytes
    segment: int
    head: bytes


async def verbatim(connection, given):
    """Sends what a test has put into `Upstream.verbatim`, and closes."""
    await connection.send(given.head)
    await connection.send(given.body, given.segment)
    connection.keep = False


class BodyWriter:
    """Writes a body in the framing of a shape."""

    def __init__(self, connection, shape):
        self.connection, self.shape = connection, shape

    async def head(self, content_type, length):
        shape = self.shape
        headers = [("Content-Type", content_type), *shape.headers]
        if shape.framing == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        elif shape.framing == "length":
            headers.append(("Content-Length", length))
        elif shape.version == "HTTP/1.1":
            headers.append(("Connection", "close"))
        await send_head(self.connection, 200, headers, shape.version)

    async def write(self, data):
        shape = self.shape
        if shape.framing != "chunked":
            return await self.connection.send(data, shape.segment)
        step = shape.chunk_bytes or max(len(data), 1)
        framed = bytearray()
        for start in range(0, len(data), step):
            piece = data[start:start + step]
            framed += b"%x%s\r\n%s\r\n" % (len(piece), shape.extension, piece)
        await self.connection.send(bytes(framed), shape.segment)

    async def finish(self):
        shape = self.shape
        if shape.framing == "chunked":
            await self.connection.send(b"0%s\r\n%s\r\n" % (shape.extension, shape.trailer))
        elif shape.framing == "close":
            self.connection.keep = False

    async def cut(self):
        """Breaks the stream as the shape tells; what was written so far has left."""
        if self.shape.cut_by == "error":
            broken = payloads.dump(payloads.error("The server had an error mid-stream."))
            await self.write(b"data: " + broken + b"\n\n")
            return await self.finish()
        await asyncio.sleep(600 if self.shape.cut_by == "stall" else 0.05)
        self.connection.reset() if self.shape.cut_by == "reset" else self.connection.drop()


def text_of(request, shape):
    return payloads.last_text(request) if shape.text is None else shape.text


INSANE_USAGE = {"prompt_tokens": -5, "completion_tokens": 10**18, "total_tokens": 10**30}


def chunks_of(request, model, shape, chat):
    """The JSON of all events of a stream, without [DONE]."""
    asked = bool((request.get("stream_options") or {}).get("include_usage"))
    text = text_of(request, shape)
    pieces = list(text) if shape.text is not None else text.split(" ")
    more = {"usage": None} if asked else {}
    if chat:
        yield payloads.chunk(model, {"role": "assistant", "content": ""}, **more)
        for number, piece in enumerate(pieces):
            space = " " if shape.text is None and number else ""
            yield payloads.chunk(model, {"content": space + piece}, **more)
        usage = {"usage": payloads.USAGE} if shape.usage == "choice" else more
        yield payloads.chunk(model, {}, "stop", **usage)
    else:
        for piece in pieces:
            yield payloads.text_completion(model, piece, None, None)
        yield payloads.text_completion(model, "", "stop", None)
    if asked and shape.usage in ("chunk", "insane"):
        usage = payloads.USAGE if shape.usage == "chunk" else INSANE_USAGE
        yield {**payloads.chunk(model, {}), "choices": [], "usage": usage}


def encode_event(value, shape):
    data = value if isinstance(value, bytes) else payloads.dump(value)
    newline = shape.newline.encode()
    noise = b""
    if shape.comments:
        noise = b": ping" + newline + b"id: 7" + newline + b"retry: 100" + newline
    return noise + b"data: " + data + newline + newline
