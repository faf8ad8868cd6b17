# SPDX-License-Identifier: MIT
"""What the upstreams of faulty.py do with one request, and how they speak HTTP while they do it.

Answers are prebuilt bytes, written at once by asyncio protocols; careful framings and odd bytes
are upstream.py's task.
"""

import asyncio
import re
import socket
import struct
import time
from dataclasses import dataclass

import payloads

MODEL = re.compile(rb'"model"\s*:\s*"([^"]*)"')
STREAM = re.compile(rb'"stream"\s*:\s*true')
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.I)
KEY = re.compile(rb"\r\nauthorization: *Bearer +([^\r]+)", re.I)
STREAMED = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")


@dataclass(frozen=True)
class Behaviour:
    """What becomes of one request."""

    kind: str = "answer"        # "answer", "hang", "reset" (no byte sent), "cut" (after content)
    delay_ms: int = 0
    whole: bytes = b""          # an answer in place of the ordinary one


def complete(status, value, more=b""):
    """The bytes of a whole answer with a JSON body."""
    body = payloads.dump(value)
    return (b"HTTP/1.1 %d Scripted\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n%s\r\n%s" % (status, len(body), more, body))


NO_MODELS = complete(200, {"object": "list", "data": []})
OK = Behaviour()
HANG = Behaviour("hang")
RESET = Behaviour("reset")
CUT = Behaviour("cut")


def slow(milliseconds):
    """The ordinary answer, later."""
    return Behaviour(delay_ms=milliseconds)


def failing(status, code=None, message="scripted failure", retry_after=None, delay_ms=0,
            kind="server_error"):
    """An error answer as OpenAI writes it."""
    more = b"" if retry_after is None else b"Retry-After: %d\r\n" % retry_after
    answer = complete(status, payloads.error(message, kind, code), more)
    return Behaviour("answer", delay_ms, answer)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request as it came."""

    at: float
    model: str
    key: str
    stream: bool
    body: bytes


class Connection(asyncio.Protocol):
    """One accepted connection; answers one request after the other."""

    def __init__(self, upstream):
        self.upstream = upstream
        self.transport = self.serving = self.timer = None
        self.held = b""

    def connection_made(self, transport):
        self.transport = transport
        self.upstream.connections.add(self)
        if self.upstream.listener is None:    # killed while this one was being accepted
            self.reset()

    def connection_lost(self, _):
        self.upstream.connections.discard(self)
        self.end()

    def data_received(self, data):
        self.held += data
        if self.serving is None:
            self.begin()

    def begin(self):
        """Takes one complete request out of what is held, and serves it."""
        end = self.held.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.held[:end]
        assert not CHUNKED.search(head), "this upstream takes no chunked requests"
        length = LENGTH.search(head)
        whole = end + 4 + (int(length[1]) if length else 0)
        if len(self.held) < whole:
            return
        body, self.held = self.held[end + 4:whole], self.held[whole:]
        if not body:
            self.upstream.polls += 1
            self.transport.write(NO_MODELS)
            return
        key, model = KEY.search(head), MODEL.search(body)
        self.serving = Arrival(
            time.monotonic(), model[1].decode() if model else "", key[1].decode() if key else "",
            bool(STREAM.search(body)), body)
        self.act(self.upstream.arrived(self.serving))

    def act(self, behaviour):
        """Does now or later what the behaviour says."""
        if self.upstream.paused and behaviour.kind == "answer":
            self.upstream.waiting.append((self, self.serving, behaviour))
        elif behaviour.kind == "reset":
            self.reset()
        elif behaviour.kind == "cut":
            self.transport.write(STREAMED + chunks(self.upstream.events(self.serving)[:2]))
            self.timer = self.upstream.loop.call_later(0.05, self.reset)
        elif behaviour.kind == "answer" and behaviour.delay_ms:
            self.timer = self.upstream.loop.call_later(
                behaviour.delay_ms / 1000, self.answer, behaviour)
        elif behaviour.kind == "answer":
            self.answer(behaviour)

    def answer(self, behaviour):
        """Writes a complete answer."""
        self.transport.write(behaviour.whole or self.upstream.ordinary(self.serving))
        self.end()
        if self.held:
            self.begin()

    def end(self):
        """The request under way is no longer."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        if self.serving is not None:
            self.serving = None
            self.upstream.open -= 1

    def reset(self):
        """Ends the connection with RST."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None and sock.fileno() >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


def chunks(events, last=b""):
    """Events as HTTP chunks, one each."""
    return b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events) + last
