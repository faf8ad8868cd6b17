# SPDX-License-Identifier: MIT
"""HTTP that is wrong or ambiguous: one clear answer, then the connection closes; no smuggling."""

import json

import pytest

HOST = "Host: gateway\r\n"
KEY = "KEY-OF-THE-TEST"     # stands for a valid key in the tables below
TAIL = "GET /api/v1/health HTTP/1.1\r\nHost: smuggled\r\n\r\n"


def post(*headers, body="", version="HTTP/1.1", target="/v1/chat/completions"):
    lines = "".join(header + "\r\n" for header in headers)
    return f"POST {target} {version}\r\n{HOST}Authorization: Bearer {KEY}\r\n{lines}\r\n{body}"


def get(*headers, target="/api/v1/health", version="HTTP/1.1", host=HOST):
    return f"GET {target} {version}\r\n{host}" + "".join(h + "\r\n" for h in headers) + "\r\n"


CHUNKED = "Transfer-Encoding: chunked"
FRAMING = {
    "length and chunked": (post("Content-Length: 4", CHUNKED, body="0\r\n\r\n" + TAIL), {400}),
    "chunked and length": (post(CHUNKED, "Content-Length: 4", body="0\r\n\r\n" + TAIL), {400}),
    "two lengths": (post("Content-Length: 0", "Content-Length: 44", body=TAIL), {400}),
    "two equal lengths": (post("Content-Length: 2", "Content-Length: 2", body="{}"), {400}),
    "length list": (post("Content-Length: 2, 2", body="{}"), {400}),
    "length with plus": (post("Content-Length: +2", body="{}"), {400}),
    "negative length": (post("Content-Length: -1"), {400}),
    "hexadecimal length": (post("Content-Length: 0x2", body="{}"), {400}),
    "length with a letter": (post("Content-Length: 2a", body="{}"), {400}),
    "empty length": (post("Content-Length:", body="{}"), {400}),
    "length overflow": (post("Content-Length: 18446744073709551618", body="{}"), {400, 413}),
    "coding list": (post("Transfer-Encoding: gzip, chunked", body="0\r\n\r\n"), {400, 501}),
    "chunked twice": (post("Transfer-Encoding: chunked, chunked", body="0\r\n\r\n"), {400, 501}),
    "two codings": (post(CHUNKED, CHUNKED, body="0\r\n\r\n"), {400, 501}),
    "identity": (post("Transfer-Encoding: identity", body=""), {400, 501}),
    "unknown coding": (post("Transfer-Encoding: xchunked", body="0\r\n\r\n"), {400, 501}),
    "coding with tab": (post("Transfer-Encoding:\x0bchunked", body="0\r\n\r\n"), {400, 501}),
    "coding in HTTP/1.0": (post(CHUNKED, body="0\r\n\r\n", version="HTTP/1.0"), {400, 501}),
    "coding with space before colon":
        (post("Transfer-Encoding : chunked", "Content-Length: 0", body=TAIL), {400}),
    "bad chunk size": (post(CHUNKED, body="ZZ\r\n{}\r\n0\r\n\r\n"), {400}),
    "empty chunk size": (post(CHUNKED, body="\r\n{}\r\n0\r\n\r\n"), {400}),
    "chunk size with 0x": (post(CHUNKED, body="0x2\r\n{}\r\n0\r\n\r\n"), {400}),
    "chunk size with sign": (post(CHUNKED, body="+2\r\n{}\r\n0\r\n\r\n"), {400}),
    "chunk size with space": (post(CHUNKED, body=" 2\r\n{}\r\n0\r\n\r\n"), {400}),
    "chunk size overflow": (post(CHUNKED, body="FFFFFFFFFFFFFFFFF\r\n{}\r\n0\r\n\r\n"), {400}),
    "chunk size of 2^64-1": (post(CHUNKED, body="FFFFFFFFFFFFFFFF\r\n{}"), {400, 413}),
    "chunk with bare LF": (post(CHUNKED, body="2\n{}\r\n0\r\n\r\n"), {400}),
    "chunk data too long": (post(CHUNKED, body="2\r\n{}x\r\n0\r\n\r\n"), {400}),
    "chunk data ended by LF": (post(CHUNKED, body="2\r\n{}\n0\r\n\r\n"), {400}),
    "long chunk extension": (post(CHUNKED, body="2;" + "x" * 20000 + "\r\n{}\r\n0\r\n\r\n"), {400}),
    "bad trailer": (post(CHUNKED, body="0\r\nno colon\r\n\r\n"), {400}),
    "long trailers": (post(CHUNKED, body="0\r\nA: " + "x" * 9000 + "\r\n\r\n"), {400, 431}),
}
HEAD = {
    "bare LF": ("GET /api/v1/health HTTP/1.1\nHost: a\n\n", {400}),
    "one bare LF": ("GET /api/v1/health HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", {400}),
    "bare CR": ("GET /api/v1/health HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", {400}),
    "NUL in value": (get("X: a\0b"), {400}),
    "control in value": (get("X: a\x01b"), {400}),
    "space before colon": (get("X : b"), {400}),
    "folded line": (get("X: a\r\n b"), {400}),
    "folded by tab": (get("X: a\r\n\tb"), {400}),
    "folded first line": ("GET / HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n", {400}),
    "no colon": (get("nonsense"), {400}),
    "empty name": (get(": x"), {400}),
    "bad name": (get("X(y): x"), {400}),
    "no host": (get(host=""), {400}),
    "two hosts": (get(host="Host: a\r\nHost: b\r\n"), {400}),
    "two equal hosts": (get(host="Host: a\r\nHost: a\r\n"), {400}),
    "host with space": (get(host="Host: a b\r\n"), {400}),
    "host with path": (get(host="Host: a/b\r\n"), {400}),
    "host with user": (get(host="Host: u@b\r\n"), {400}),
    "host with bad port": (get(host="Host: a:x\r\n"), {400}),
    "no version": ("GET /\r\n\r\n", {400, 505}),
    "HTTP/2.0": (get(version="HTTP/2.0"), {400, 505}),
    "HTTP/1.10": (get(version="HTTP/1.10"), {400, 505}),
    "lower-case version": (get(version="http/1.1"), {400, 505}),
    "two spaces": (f"GET  / HTTP/1.1\r\n{HOST}\r\n", {400}),
    "space at the end": (f"GET / HTTP/1.1 \r\n{HOST}\r\n", {400, 505}),
    "tab between": (f"GET\t/\tHTTP/1.1\r\n{HOST}\r\n", {400}),
    "space in target": (get(target="/a b"), {400, 505}),
    "control in target": (get(target="/a\x01"), {400}),
    "byte above ASCII in target": (get(target="/\xe9"), {400}),
    "bad percent": (get(target="/%zz"), {400}),
    "cut percent": (get(target="/%4"), {400}),
    "percent NUL": (get(target="/%00"), {400}),
    "relative target": (get(target="health"), {400}),
    "star with GET": (get(target="*"), {400}),
    "TRACE": (f"TRACE / HTTP/1.1\r\n{HOST}\r\n", {400, 405, 501}),
    "CONNECT": (f"CONNECT a:443 HTTP/1.1\r\n{HOST}\r\n", {400, 405, 501}),
    "unknown method": (f"BREW / HTTP/1.1\r\n{HOST}\r\n", {405, 501}),
    "lower-case method": (f"get / HTTP/1.1\r\n{HOST}\r\n", {400, 405, 501}),
    "TLS hello": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "a" * 40 + "\r\n\r\n", {400}),
    "many empty lines": ("\r\n" * 5 + get(), {400}),
}


@pytest.mark.parametrize("name", [*FRAMING, *HEAD])
def test_is_refused_and_the_connection_ends(raw, gateway, name):
    request, allowed = (FRAMING | HEAD)[name]
    client = raw().send(request.replace(KEY, gateway.key()))
    answer = client.answer()
    assert answer.status in allowed, (answer.status, answer.body)
    assert answer.status < 500 or answer.status in (501, 505)
    assert answer.header("content-type") == ["application/json"]
    error = json.loads(answer.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert len(error["message"]) > 15 and error["type"] == "invalid_request_error" and error["code"]
    if name not in ("TRACE", "unknown method", "lower-case method"):
        assert answer.header("connection") == ["close"]
        assert client.is_closed(), "nothing after a framing error may be answered"


@pytest.mark.parametrize("name", ["length and chunked", "bare LF", "bad chunk size", "two hosts"])
def test_is_refused_also_byte_by_byte(raw, gateway, name):
    request, allowed = (FRAMING | HEAD)[name]
    request = request.replace(KEY, gateway.key())
    assert raw().send(request, byte_by_byte=True).answer().status in allowed


@pytest.mark.parametrize("target, status", [
    ("/api/v1/health", 200), ("/api/v1/../v1/health", 200), ("/api/%761/health", 200),
    ("/api/v1/health?x=%zz", None), ("/../../etc/passwd", None), ("/api/v1/health/", None),
    ("/%2e%2e/%2e%2e/etc/passwd", None), ("//api/v1/health", None)])
def test_targets_are_decoded_once_and_cannot_leave(raw, target, status):
    answer = raw().send(get(target=target)).answer()
    assert answer.status == status if status else answer.status in (200, 400, 404)


@pytest.mark.parametrize("target", [
    "/api/v1/channels", "/api/v1/./channels", "/api/v1/x/../channels", "/api/%761/channels",
    "/api/v1/%63hannels", "//api/v1/channels", "/api/v1/channels/", "/API/v1/channels",
    "/v1/../api/v1/channels", "/api/v1/health/../channels", "/api/v1/health%2f..%2fchannels"])
def test_no_spelling_of_a_path_avoids_the_login(raw, target):
    answer = raw().send(get(target=target)).answer()
    assert answer.status in (400, 401, 404)


def test_the_gateway_is_well_after_all_this(raw, gateway):
    assert raw().send(get()).answer().status == 200
    assert gateway.process.poll() is None
