# SPDX-License-Identifier: MIT
"""What the scripted upstream answers to the calls beside chat: sound, forms, vectors, ranks."""

import asyncio
import base64
import hashlib
import struct

import payloads
from shapes import BodyWriter, Shape, encode_event, send_head

VECTOR = [0.1, -0.25, 1e-05, 123.456, -0.0, 3.4e38]
SPEECH_USAGE = {"input_tokens": 7, "output_tokens": 20, "total_tokens": 27}
TRANSCRIPT_USAGE = {"type": "tokens", "input_tokens": 14, "output_tokens": 45, "total_tokens": 59,
                    "input_token_details": {"text_tokens": 4, "audio_tokens": 10}}


def sound(text, count):
    """So many bytes that follow from the text, line ends and all byte values among them."""
    block = hashlib.sha512(text.encode()).digest() + bytes(range(256)) + b"\r\n--\r\n"
    return (block * (count // len(block) + 1))[:count]


def digest(exchange):
    """Name, size and SHA-256 of each file of a form; proof that it arrived whole."""
    if not exchange.is_form:
        return "no form"
    return ", ".join(f"{part.file_name} {len(part.value)} {hashlib.sha256(part.value).hexdigest()}"
                     for part in exchange.parts if part.file_name is not None)


async def send_bytes(connection, kind, raw, framing="length", cut=None):
    """An answer of that type; `cut`: bytes after which the connection is reset."""
    writer = BodyWriter(connection, Shape(framing=framing))
    await writer.head(kind, len(raw))
    for start in range(0, len(raw) if cut is None else cut, 1 << 16):
        await writer.write(raw[start:start + (1 << 16)])
    if cut is not None:
        return connection.reset()
    await writer.finish()


async def send_events(connection, events, done=False):
    writer = BodyWriter(connection, Shape())
    await writer.head("text/event-stream", None)
    for event in [*events, *([b"[DONE]"] if done else [])]:
        await writer.write(encode_event(event, Shape()))
    await writer.finish()


async def speech(connection, exchange, request, arguments):
    """`speech:KILOBYTES[:TYPE[:FRAMING]]`: sound that follows from the text."""
    raw = sound(request["input"], int(arguments[0]) * 1000)
    kind = arguments[1] if len(arguments) > 1 else "audio/mpeg"
    if request.get("stream_format") == "sse":
        pieces = [raw[start:start + 3000] for start in range(0, len(raw), 3000)]
        events = [{"type": "speech.audio.delta", "audio": base64.b64encode(p).decode()}
                  for p in pieces]
        end = {"type": "speech.audio.done", "usage": SPEECH_USAGE}
        return await send_events(connection, events if kind == "cut" else [*events, end])
    framing = arguments[2] if len(arguments) > 2 else "length"
    await send_bytes(connection, kind, raw, framing)


async def speech_cut(connection, exchange, request, arguments):
    """`speech-cut:BYTES`: sound that breaks off there."""
    await send_bytes(connection, "audio/mpeg", sound("cut", 200_000), cut=int(arguments[0]))


async def transcript(connection, exchange, request, arguments):
    """`transcript[:no-usage|seconds|silent]`: says which files came, in the format asked for."""
    fields = exchange.fields
    how = arguments[0] if arguments else ""
    usage = {"no-usage": {}, "seconds": {"usage": {"type": "duration", "seconds": 12.5}}}.get(
        how, {"usage": TRANSCRIPT_USAGE})
    text = "" if how == "silent" else digest(exchange)
    if fields.get("stream") == "true":
        deltas = [{"type": "transcript.text.delta", "delta": word + " "} for word in text.split()]
        end = {"type": "transcript.text.done", "text": text, **usage}
        return await send_events(connection, [*deltas, end], done=how == "done")
    plain = {"text": ("text/plain; charset=utf-8", text),
             "srt": ("text/plain", f"1\n00:00:00,000 --> 00:00:01,000\n{text}\n"),
             "vtt": ("text/vtt", f"WEBVTT\n\n00:00.000 --> 00:01.000\n{text}\n")}
    form = fields.get("response_format", "json")
    if form in plain:
        kind, body = plain[form]
        return await send_bytes(connection, kind, body.encode())
    body = {"text": text, **usage}
    if form == "verbose_json":
        body |= {"task": "transcribe", "language": "english", "duration": 12.5, "segments": []}
    await send_json(connection, body)


async def pictures(connection, exchange, request, arguments):
    """`pictures`: as many as asked for; the first tells what came."""
    fields = exchange.fields
    said = f"{sorted(fields)} {digest(exchange)}".encode()
    data = [{"b64_json": base64.b64encode(said).decode()}] * int(fields.get("n", 1))
    await send_json(connection, {"created": payloads.CREATED, "data": data})


async def moderation(connection, exchange, request, arguments):
    result = {"flagged": False, "categories": {"violence": False},
              "category_scores": {"violence": 0.01},
              "category_applied_input_types": {"violence": ["text"]}}
    body = {"id": "modr-1", "model": request["model"], "results": [result]}
    await send_json(connection, body)


async def ranks(connection, exchange, request, arguments):
    """`ranks:jina|cohere|silicon`: the documents by length, with usage in that vendor's words."""
    usage = {"jina": {"usage": {"total_tokens": 30}},
             "cohere": {"meta": {"billed_units": {"search_units": 1}}},
             "silicon": {"meta": {"tokens": {"input_tokens": 25, "output_tokens": 1}}}}
    order = sorted(enumerate(request["documents"]), key=lambda pair: -len(pair[1]))
    results = [{"index": i, "relevance_score": 0.5} for i, _ in order[:request.get("top_n", 9)]]
    await send_json(connection, {"results": results, **usage[arguments[0]]})


async def floats(connection, exchange, request, arguments):
    """`floats[:COUNT]`: vectors as numbers, whatever was asked for."""
    vector = VECTOR * (int(arguments[0]) if arguments else 1)
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(inputs))]
    await send_json(connection, {
        "object": "list", "data": data, "model": exchange.model,
        "usage": {"prompt_tokens": 4, "total_tokens": 4}})


async def nested(connection, exchange, request, arguments):
    """A vector that is none."""
    await send_json(connection, {"data": [{"embedding": [0.5, None]}]})


async def send_json(connection, body):
    raw = payloads.dump(body)
    fields = [("Content-Type", "application/json"), ("Content-Length", len(raw))]
    await send_head(connection, 200, fields)
    await connection.send(raw)
    await asyncio.sleep(0)


def single(values):
    """The numbers as 32 bits hold them."""
    return list(struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values)))


SCRIPTS = {
    "speech": speech, "speech-cut": speech_cut, "transcript": transcript, "pictures": pictures,
    "moderation": moderation, "ranks": ranks, "floats": floats, "nested": nested,
}
