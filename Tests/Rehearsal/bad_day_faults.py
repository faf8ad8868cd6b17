# SPDX-License-Identifier: MIT
"""Everything that an upstream can do wrong, each a function of one exchange.

`EARLY` happens before the client may have seen any content: the gateway must go to another
channel. `LATE` happens to a stream in the middle: the client gets the error event. Of an answer in
one piece the gateway has shown nothing by then, so it must go on, too.
"""

import asyncio

STREAMED = b"text/event-stream"
JSON = b"application/json"
PACE = 0.02


def head(status, kind, framing):
    """The head of an answer."""
    return b"HTTP/1.1 %d Scripted\r\nContent-Type: %s\r\n%s\r\n\r\n" % (status, kind, framing)


def sized(count):
    return b"Content-Length: %d" % count


CHUNKED = b"Transfer-Encoding: chunked"


def chunk(piece):
    return b"%x\r\n%s\r\n" % (len(piece), piece)


class Answer:
    """The good answer to one request, and how it is framed."""

    def __init__(self, wire, asked):
        self.wire, self.asked = wire, asked
        if asked.stream:
            self.parts = wire.events(asked)
        else:
            raw = wire.whole(asked)
            step = -(-len(raw) // 4)
            self.parts = [raw[at:at + step] for at in range(0, len(raw), step)]

    @property
    def kind(self):
        return STREAMED if self.asked.stream else JSON

    @property
    def middle(self):
        """Parts of which the first ones have content, and the rest is missing."""
        return len(self.parts) // 2

    def framed(self, parts):
        """Parts as they go over the wire, without the head."""
        return [chunk(part) for part in parts] if self.asked.stream else list(parts)

    @property
    def head(self):
        framing = CHUNKED if self.asked.stream else sized(sum(map(len, self.parts)))
        return head(200, self.kind, framing)

    @property
    def end(self):
        return b"0\r\n\r\n" if self.asked.stream else b""


async def good(line, answer):
    """The answer as it should be."""
    await asyncio.sleep(PACE)
    line.hand_out(answer.asked)
    await line.send(answer.head)
    for piece in answer.framed(answer.parts):
        await line.send(piece)
        if answer.asked.stream:
            await asyncio.sleep(PACE)
    await line.send(answer.end)


async def dribble(line, answer):
    """The same, a few bytes at a time."""
    line.hand_out(answer.asked)
    raw = answer.head + b"".join(answer.framed(answer.parts)) + answer.end
    for at in range(0, len(raw), 11):
        await line.send(raw[at:at + 11])
        await asyncio.sleep(0.004)


async def reset(line, answer):
    line.reset()


async def drop(line, answer):
    line.drop()


async def head_reset(line, answer):
    await line.send(answer.head[:20])
    await asyncio.sleep(PACE)
    line.reset()


async def head_hang(line, answer):
    await line.send(answer.head[:20])
    await line.hold()


async def hang(line, answer):
    await line.hold()


async def body_hang(line, answer):
    """The head, and nothing behind it."""
    await line.send(answer.head)
    await line.hold()


async def refuse(line, answer, status, more=b"", raw=None):
    raw = answer.wire.error(f"scripted {status}") if raw is None else raw
    await line.send(head(status, JSON, sized(len(raw)) + more) + raw)


async def status_429(line, answer):
    await refuse(line, answer, 429)


async def retry_after(line, answer):
    await refuse(line, answer, 429, b"\r\nRetry-After: 1")


async def status_500(line, answer):
    await refuse(line, answer, 500)


async def status_502(line, answer):
    await refuse(line, answer, 502, raw=b"<html>Bad Gateway</html>")


async def status_503(line, answer):
    await refuse(line, answer, 503)


async def broken_json(line, answer):
    raw = answer.wire.whole(answer.asked)[:60]
    await line.send(head(200, JSON, sized(len(raw))) + raw)


async def bad_chunk(line, answer):
    await line.send(head(200, answer.kind, CHUNKED) + b"ZZ\r\n{}\r\n0\r\n\r\n")
    line.drop()


async def short_body(line, answer):
    """Less than the length that was promised, before any content."""
    await line.send(head(200, answer.kind, sized(5000)) + b"\n")
    line.drop()


async def long_body(line, answer):
    """More than the length that was promised: what is cut off is missing."""
    raw = answer.wire.whole(answer.asked)
    await line.send(head(200, JSON, sized(len(raw) - 40)) + raw)
    line.drop()


async def not_http(line, answer):
    await line.send(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
    line.drop()


async def huge_head(line, answer):
    await line.send(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 70_000 + b"\r\n\r\n")
    line.drop()


async def error_200(line, answer):
    """An error under status 200."""
    if not answer.asked.stream:
        return await refuse(line, answer, 200)
    raw = answer.wire.error_event("scripted overload")
    await line.send(head(200, STREAMED, CHUNKED) + chunk(raw) + b"0\r\n\r\n")


async def broken_event(line, answer):
    """A stream that begins with half a JSON text."""
    if not answer.asked.stream:
        return await broken_json(line, answer)
    events = [answer.wire.broken_event, *answer.parts]
    await line.send(answer.head + b"".join(answer.framed(events)) + answer.end)


async def html_200(line, answer):
    raw = b"<html>Welcome to this hotel's network</html>"
    await line.send(head(200, b"text/html", sized(len(raw))) + raw)


async def half(line, answer):
    """The first half, with what is left on the way to arrive."""
    await line.send(answer.head)
    for piece in answer.framed(answer.parts[:answer.middle]):
        await line.send(piece)
        await asyncio.sleep(PACE)


async def cut_reset(line, answer):
    await half(line, answer)
    await asyncio.sleep(0.1)
    line.reset()


async def cut_drop(line, answer):
    await half(line, answer)
    line.drop()


async def cut_hang(line, answer):
    await half(line, answer)
    await line.hold()


async def cut_error(line, answer):
    """An error event; of an answer in one piece, the connection ends."""
    await half(line, answer)
    if not answer.asked.stream:
        return line.drop()
    await line.send(chunk(answer.wire.error_event("scripted failure")) + b"0\r\n\r\n")


async def cut_chunk(line, answer):
    await half(line, answer)
    await line.send(b"G1\r\n\r\n")
    line.drop()


async def cut_event(line, answer):
    """Half an event, then the end."""
    await half(line, answer)
    if answer.asked.stream:
        await line.send(chunk(answer.wire.broken_event[:-2]) + b"0\r\n\r\n")
    line.drop()


async def cut_broken_event(line, answer):
    """An event whose data is half a JSON text, then the end."""
    await half(line, answer)
    if answer.asked.stream:
        await line.send(chunk(answer.wire.broken_event) + b"0\r\n\r\n")
    line.drop()


EARLY = {
    "reset": reset, "drop": drop, "reset within head": head_reset, "silence within head": head_hang,
    "silence": hang, "silence after head": body_hang, "429": status_429,
    "429 with Retry-After": retry_after, "500": status_500, "502": status_502, "503": status_503,
    "broken JSON": broken_json, "bad chunk": bad_chunk, "short body": short_body,
    "wrong Content-Length": long_body, "no HTTP": not_http, "head too long": huge_head,
    "error with 200": error_200, "broken event first": broken_event, "HTML with 200": html_200}
LATE = {
    "reset within body": cut_reset, "end within body": cut_drop, "silence within body": cut_hang,
    "error event": cut_error, "bad chunk within body": cut_chunk, "half an event": cut_event,
    "broken event within body": cut_broken_event}
