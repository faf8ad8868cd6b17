# SPDX-License-Identifier: MIT
"""What the scripted upstream does for which model name.

A model name is `script[:argument[:argument]][@anything]`. Most scripts are a `Shape`, one way to
frame an ordinary answer; the rest are functions.
"""

import asyncio
import dataclasses
import gzip

import dialects
import dialects_gemini  # noqa: F401
import media
import payloads
from shapes import (
    INSANE_USAGE, BodyWriter, Shape, chunks_of, encode_event, send_head, shape_for, text_of,
    verbatim)


async def run_script(connection, exchange):
    """Answers one request as its model name tells."""
    for unique, given in connection.upstream.verbatim.items():
        if exchange.model.endswith(unique):
            return await verbatim(connection, given)
    speak = dialects.find(exchange.path)
    if speak is not None:
        return await speak(connection, exchange)
    if exchange.method == "GET":
        return await answer_get(connection, exchange)
    request = exchange.json
    name, *arguments = exchange.model.split("@")[0].split(":")
    shape = shape_for(name, arguments)
    if name == "reason":
        return await dialects.reasoning(connection, exchange)
    if shape is None:
        return await SCRIPTS.get(name, unknown)(connection, exchange, request, arguments)
    await answer(connection, exchange, request, shape)


async def send_json(connection, status, body, headers=()):
    """A complete answer with Content-Length."""
    raw = body if isinstance(body, bytes) else payloads.dump(body)
    fixed = [("Content-Type", "application/json"), ("Content-Length", len(raw))]
    await send_head(connection, status, [*fixed, *headers])
    await connection.send(raw)


async def answer(connection, exchange, request, shape):
    """An ordinary answer: stream, chat completion, completion or embeddings."""
    if shape.wait:
        await asyncio.sleep(shape.wait)
    await connection.send(shape.interim)
    if request.get("stream"):
        await stream(connection, exchange, request, shape)
    else:
        await whole(connection, exchange, request, shape)
    if shape.close:
        connection.keep = False


async def whole(connection, exchange, request, shape):
    usage = {"none": None, "insane": INSANE_USAGE}.get(shape.usage, payloads.USAGE)
    if exchange.path.endswith("/embeddings"):
        body = payloads.embeddings(exchange.model, request)
    elif exchange.path.endswith("/chat/completions"):
        message = {"role": "assistant", "content": text_of(request, shape), "refusal": None}
        body = payloads.completion(exchange.model, message, usage=usage)
    else:
        body = payloads.text_completion(exchange.model, text_of(request, shape), usage=usage)
    raw = payloads.dump(body)
    if shape.opening.isspace():
        raw = shape.opening + raw
    writer = BodyWriter(connection, dataclasses.replace(shape, chunk_bytes=shape.chunk_bytes * 9))
    odd = shape.chunk_bytes or shape.extension or shape.segment or shape.cut is not None
    if shape.framing == "chunked" and not odd:
        return await send_json(connection, 200, raw, shape.headers)
    await writer.head("application/json", len(raw))
    if shape.cut is not None:
        await writer.write(raw[:len(raw) // 2])
        return await writer.cut()
    await writer.write(raw)
    await writer.finish()


async def stream(connection, exchange, request, shape):
    chat = exchange.path.endswith("/chat/completions")
    chunks = list(chunks_of(request, exchange.model, shape, chat))
    await stream_events(connection, chunks, shape)


async def stream_events(connection, chunks, shape):
    """Writes events one by one, in the framing, pace and to the end that the shape tells."""
    events = [encode_event(value, shape) for value in chunks]
    if shape.done:
        events.append(encode_event(b"[DONE]", shape))
    writer = BodyWriter(connection, shape)
    await writer.head("text/event-stream", len(shape.opening) + sum(map(len, events)))
    if shape.opening:
        await writer.write(shape.opening)
    for number, event in enumerate(events):
        if shape.cut == number:
            return await writer.cut()
        await writer.write(event)
        if shape.pace:
            await asyncio.sleep(shape.pace)
    await writer.finish()


async def answer_get(connection, exchange):
    """The list of models, or what `BALANCES` has for the first segment of the base path."""
    folder, _, path = exchange.path.removeprefix("/").partition("/")
    if folder not in BALANCES:
        return await list_models(connection)
    wanted, status, body = BALANCES[folder]
    if path != wanted or exchange.key != "sk-upstream-key-1":
        status, body = 400, payloads.error(f"not {path} with {exchange.key}")
    await send_json(connection, status, body)


async def list_models(connection):
    names = ["echo", "poem", "upstream-only-model"]
    data = [{"id": n, "object": "model", "created": 1, "owned_by": "scripted"} for n in names]
    await send_json(connection, 200, {"object": "list", "data": data})


async def unknown(connection, exchange, request, arguments):
    body = payloads.error("The model does not exist", "invalid_request_error", "model_not_found")
    await send_json(connection, 404, body)


async def tools(connection, exchange, request, arguments):
    """Asks for the tool first, and answers with its result when the history has one."""
    results = [m["content"] for m in request["messages"] if m["role"] == "tool"]
    if results or not request.get("tools"):
        shape = Shape(text=f"It is {results[0]}." if results else "No tools.")
        return await answer(connection, exchange, request, shape)
    if request.get("stream"):
        chunks = list(payloads.tool_call_chunks(exchange.model))
        if (request.get("stream_options") or {}).get("include_usage"):
            chunks.append({**chunks[0], "choices": [], "usage": payloads.USAGE})
        return await stream_events(connection, chunks, Shape())
    body = payloads.completion(exchange.model, payloads.tool_call(), "tool_calls")
    await send_json(connection, 200, body)


async def slow_json(connection, exchange, request, arguments):
    """A whole answer whether a stream was asked for or not, with a pause in the middle."""
    message = {"role": "assistant", "content": request["messages"][-1]["content"], "refusal": None}
    raw = payloads.dump(payloads.completion(exchange.model, message, usage=payloads.USAGE))
    fields = [("Content-Type", "application/json"), ("Content-Length", len(raw))]
    await send_head(connection, 200, fields)
    await connection.send(raw[:len(raw) // 2])
    await asyncio.sleep(float(arguments[0]))
    await connection.send(raw[len(raw) // 2:])


async def vision(connection, exchange, request, arguments):
    shape = Shape(text=payloads.image_digest(request))
    await answer(connection, exchange, request, shape)


async def status(connection, exchange, request, arguments):
    """`status:CODE[:error-code[:type]]`: a JSON error with that status."""
    code = arguments[1] if len(arguments) > 1 else None
    kind = arguments[2] if len(arguments) > 2 else "server_error"
    body = payloads.error(f"upstream says {arguments[0]}", kind, code)
    await send_json(connection, arguments[0], body)


async def retry_after(connection, exchange, request, arguments):
    """`retry-after:SECONDS`: 429 with that header."""
    body = payloads.error("slow down", "requests", "rate_limit_exceeded")
    await send_json(connection, 429, body, [("Retry-After", arguments[0])])


async def raw(connection, exchange, request, arguments):
    """`raw:NAME`: one of the bad answers of `RAW`, then the connection ends."""
    await connection.send(RAW[arguments[0]])
    connection.keep = False


async def reset(connection, exchange, request, arguments):
    connection.reset()


async def half_close(connection, exchange, request, arguments):
    """Ends its own direction without an answer and leaves the other one open."""
    if not connection.writer.can_write_eof():    # TLS has no half-closed state
        return connection.drop()
    connection.writer.write_eof()
    await asyncio.sleep(30)


async def never(connection, exchange, request, arguments):
    await asyncio.sleep(600)


async def stale(connection, exchange, request, arguments):
    """Answers the first request of a connection and resets at any later one."""
    if exchange.sequence > 0:
        return connection.reset()
    await answer(connection, exchange, request, Shape(text=payloads.SHORT))


async def closes_tls(connection, exchange, request, arguments):
    """A close-delimited answer that ends without close_notify: on TLS, a truncated one."""
    await send_head(connection, 200, [("Content-Type", "application/json")])
    message = {"role": "assistant", "content": "cut?"}
    await connection.send(payloads.dump(payloads.completion(exchange.model, message)))
    await asyncio.sleep(0.05)
    connection.drop()


async def huge(connection, exchange, request, arguments):
    """`huge:MEGABYTES`: a chat completion of that size."""
    text = "x" * (int(arguments[0]) * 1_000_000)
    message = {"role": "assistant", "content": text}
    await send_json(connection, 200, payloads.completion(exchange.model, message))


async def flood(connection, exchange, request, arguments):
    """`flood:MEGABYTES`: a stream of that size, as fast as it is taken."""
    event = payloads.chunk(exchange.model, {"content": "y" * 4000})
    await stream_events(connection, [event] * (int(arguments[0]) * 240), Shape())


async def long_line(connection, exchange, request, arguments):
    """`long-line:KILOBYTES`: a stream whose second event is one line of that size."""
    small = payloads.chunk(exchange.model, {"content": "a"})
    large = payloads.chunk(exchange.model, {"content": "z" * (int(arguments[0]) * 1000)})
    await stream_events(connection, [small, large, small], Shape())


async def compressed(connection, exchange, request, arguments):
    message = {"role": "assistant", "content": "gzip"}
    raw_body = gzip.compress(payloads.dump(payloads.completion(exchange.model, message)))
    await send_json(connection, 200, raw_body, [("Content-Encoding", "gzip")])


async def early_script(connection, exchange, name):
    """`/early-413/…`: refuses a request before its body, then closes."""
    connection.exchange = exchange
    body = payloads.error("too large for me", "invalid_request_error", "request_too_large")
    await send_json(connection, name.removeprefix("early-"), body, [("Connection", "close")])
    await asyncio.sleep(0.2)


DEEPSEEK, MOONSHOT = "user/balance", "v1/users/me/balance"
BALANCES = {
    "deepseek": (DEEPSEEK, 200, {"is_available": True, "balance_infos": [
        {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00",
         "topped_up_balance": "100.00"}]}),
    "moonshot": (MOONSHOT, 200, b'{"code":0,"data":{"available_balance":49.58894,'
                 b'"voucher_balance":46.58893,"cash_balance":3.00001},"status":true}'),
    "bad-key": (DEEPSEEK, 401, payloads.error("Authentication Fails", "authentication_error")),
    "broken": (DEEPSEEK, 500, payloads.error("out of order")),
    "page": (DEEPSEEK, 404, b"<html>not here</html>"),
    "odd": (DEEPSEEK, 200, {"balance": 5}),
    "no-json": (DEEPSEEK, 200, b"<html></html>"),
}

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
RAW = {
    "bad-json": OK + b"Content-Length: 10\r\n\r\n{\"id\": \"x\"",
    "empty": OK + b"Content-Length: 0\r\n\r\n",
    "not-http": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "two-lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "both-framings": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
                     b"2\r\n{}\r\n0\r\n\r\n",
    "bad-chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
    "huge-chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n",
    "huge-head": OK + b"X-Long: " + b"a" * 70_000 + b"\r\nContent-Length: 2\r\n\r\n{}",
    "short-body": OK + b"Content-Length: 100\r\n\r\n{\"id\": \"x\"",
    "short-chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
    "redirect": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
    "html-502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"
                b"<html></html>",
    "html-404": b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"
                b"<html></html>",
    "error-200": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 34\r\n\r\n"
                 b'{"error":{"message":"overloaded"}}',
    "comment-error": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
                     b"Connection: close\r\n\r\n"
                     b': keep-alive\n\ndata: {"error":{"message":"overloaded"}}\n\n',
    "base-resp": OK + b'Content-Length: 55\r\n\r\n'
                 b'{"base_resp":{"status_code":1008,"status_msg":"empty"}}',
    "html-200": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n"
                b"<html></html>",
}

SCRIPTS = {
    "tools": tools, "vision": vision, "status": status, "retry-after": retry_after, "raw": raw,
    "reset": reset, "half-close": half_close, "never": never, "stale": stale,
    "slow-json": slow_json,
    "closes-tls": closes_tls, "huge": huge, "flood": flood, "long-line": long_line,
    "gzip": compressed, **media.SCRIPTS,
}
