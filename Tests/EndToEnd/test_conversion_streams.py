# SPDX-License-Identifier: MIT
"""Streams as vendors and proxies really write them, passed on and converted: however the bytes
are split and framed the client gets all of the answer, and a failure is never a clean end."""

import itertools
import json

import pytest

import dialects
import dialects_gemini
import payloads
from behaviours import OK
from shapes import Verbatim
from sdk_clients import CLIENTS
from test_sdk_matrix import SPENT, VENDORS

# Characters of two to four bytes, and all kinds of JSON's escapes.
PIECES = ["héllo ", "\"世界\" ", "🌍", "\n\\\t\u0007/ end"]
TEXT = "".join(PIECES)
PAIRS = list(itertools.product(["openai", "anthropic"], VENDORS))


def openai_events():
    """The answer as OpenAI streams it."""
    chunks = [payloads.chunk("m", {"role": "assistant", "content": ""})]
    chunks += [payloads.chunk("m", {"content": piece}) for piece in PIECES]
    chunks += [payloads.chunk("m", {}, "stop"),
               {**chunks[0], "choices": [], "usage": payloads.USAGE}]
    return chunks, "[DONE]"


def anthropic_events():
    """The same as Anthropic does, a delta per piece."""
    blocks = [{"type": "text", "text": TEXT}]
    whole = dialects.anthropic_message({"model": "m"}, blocks)
    events = list(dialects.anthropic_events(whole))
    first = next(n for n, e in enumerate(events) if e["type"] == "content_block_delta")
    deltas = [{"type": "content_block_delta", "index": 0,
               "delta": {"type": "text_delta", "text": piece}} for piece in PIECES]
    rest = [e for e in events[first:-1] if e["type"] != "content_block_delta"]
    return events[:first] + deltas + rest, events[-1]


def gemini_events():
    """The same as Google does."""
    pieces = [dialects_gemini.piece("m", [{"text": piece}]) for piece in PIECES]
    return pieces, dialects_gemini.piece("m", [{"text": ""}], "STOP")


EVENTS = {"openai": openai_events, "anthropic": anthropic_events, "gemini": gemini_events}
ERRORS = {
    "openai": payloads.error("The vendor is tired."),
    "anthropic": dialects.anthropic_error("overloaded_error", "The vendor is tired."),
    "gemini": dialects_gemini.error(503, "UNAVAILABLE", "The vendor is tired.")}


def encode(events, newline="\n", space=" ", before="", ascii=False, indent=None):
    """Events as Server-Sent Events; JSON of several lines has a `data:` before each of them."""
    text = ""
    for event in events:
        name = event.get("type") if isinstance(event, dict) else None
        data = event if isinstance(event, str) else json.dumps(
            event, ensure_ascii=ascii, indent=indent)
        text += before.replace("\n", newline)
        text += f"event:{space}{name}{newline}" if name else ""
        text += "".join(f"data:{space}{line}{newline}" for line in data.split("\n")) + newline
    return text.encode()


SHAPES = {
    "at once": {}, "a byte at a time": {"segment": 1}, "three bytes": {"segment": 3},
    "seven bytes": {"segment": 7}, "escapes, a byte at a time": {"segment": 1, "ascii": True},
    "CRLF": {"newline": "\r\n"}, "CRLF, split": {"newline": "\r\n", "segment": 5},
    "CR": {"newline": "\r"}, "no space": {"space": ""},
    "comments": {"before": ": ping\n\n:\n"}, "foreign fields": {"before": "id: 7\nretry: 10\n"},
    "blank lines": {"before": "\n\n"}, "lines of data": {"indent": 1},
    "lines of data, split": {"indent": 1, "newline": "\r\n", "segment": 2}}


@pytest.fixture(params=PAIRS, ids="-".join)
def serve(request, gateway, upstream):
    """Has a vendor answer with some bytes; returns the SDK's client and the model."""
    sdk, vendor = request.param
    client = CLIENTS[sdk](gateway, gateway.key())

    def make(raw, segment=0, head=b""):
        route = gateway.route(upstream, "verbatim", **VENDORS[vendor])
        upstream.verbatim[route.unique] = Verbatim(raw, segment, head or EVENT_STREAM)
        return client, route.model

    make.sdk, make.vendor = sdk, vendor
    return make


EVENT_STREAM = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                b"Connection: close\r\n\r\n")


@pytest.mark.parametrize("shape", SHAPES)
def test_brings_every_character(serve, shape):
    settings = dict(SHAPES[shape])
    segment = settings.pop("segment", 0)
    events, end = EVENTS[serve.vendor]()
    client, model = serve(encode([*events, end], **settings), segment)
    pieces, is_complete, spent = client.stream(model)
    assert ("".join(pieces), is_complete, spent) == (TEXT, True, SPENT)


def test_takes_a_stream_whose_last_line_is_not_ended(serve):
    events, end = EVENTS[serve.vendor]()
    client, model = serve(encode([*events, end]).rstrip(b"\n"))
    pieces, is_complete, _ = client.stream(model)
    assert ("".join(pieces), is_complete) == (TEXT, True)


def test_takes_an_answer_that_lacks_only_the_mark_of_its_end(serve):
    """Vendors forget `[DONE]` or `message_stop`; the finish reason tells that all is there."""
    events, end = EVENTS[serve.vendor]()
    client, model = serve(encode(events if serve.vendor != "gemini" else [*events, end]))
    pieces, is_complete, spent = client.stream(model)
    assert ("".join(pieces), is_complete, spent) == (TEXT, True, SPENT)


@pytest.mark.parametrize("segment", [0, 1])
@pytest.mark.parametrize("count", [0, 4], ids=["before", "after"])
def test_an_error_event_raises(serve, count, segment):
    """Before and after the first content."""
    events, _ = EVENTS[serve.vendor]()
    client, model = serve(encode([*events[:count], ERRORS[serve.vendor]]), segment)
    with pytest.raises(client.error) as raised:
        client.stream(model)
    assert "The vendor is tired." in str(raised.value)


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize("tail", [b"", b"data: {\"id\":\"x\",\"cho"], ids=["between", "within"])
def test_a_stream_that_only_stops_raises(serve, count, tail):
    events, _ = EVENTS[serve.vendor]()
    client, model = serve(encode(events[:count]) + tail)
    with pytest.raises(client.error):
        client.stream(model)


@pytest.mark.parametrize("ask", ["text", "stream"])
def test_an_error_body_of_a_success_raises(serve, ask):
    raw = payloads.dump(ERRORS[serve.vendor])
    head = OK + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(raw)
    client, model = serve(raw, head=head)
    with pytest.raises(client.error):
        getattr(client, ask)(model)


def test_an_event_that_is_no_json_raises(serve):
    """Its content is lost, although the stream goes on to its proper end; OpenAI's own format is
    passed on without being read, and its SDK stumbles by itself."""
    events, end = EVENTS[serve.vendor]()
    client, model = serve(encode([*events[:4], '{"id":', *events[4:], end]))
    with pytest.raises((client.error, json.JSONDecodeError)):
        client.stream(model)
