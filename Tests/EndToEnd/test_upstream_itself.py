# SPDX-License-Identifier: MIT
"""The scripted upstream, asked by the SDK directly: what the other tests rely on."""

import socket
import ssl
import time

import httpx
import pytest
from openai import APIConnectionError, InternalServerError, OpenAI, RateLimitError

import payloads
from test_sdk_chat import IMAGE_URL, WEATHER, collect

pytestmark = pytest.mark.self_test
HELLO = [{"role": "user", "content": "one two three"}]


@pytest.fixture
def client(upstream):
    return OpenAI(api_key="sk-direct", base_url=upstream.url(), max_retries=0, timeout=10)


def post(upstream, model, **more):
    body = {"model": model, "messages": HELLO, **more}
    return httpx.post(upstream.url() + "/chat/completions", json=body, timeout=5, trust_env=False)


def test_echoes_and_records(client, upstream):
    answer = client.chat.completions.create(model="echo@s1", messages=HELLO)
    assert answer.choices[0].message.content == "one two three"
    assert upstream.requests("@s1")[0].key == "sk-direct"


@pytest.mark.parametrize("script", [
    "dribble", "chunk-per-byte", "chunk-extensions", "close-delimited", "length-framed", "http10",
    "sse-crlf", "sse-cr", "sse-crlf-split", "sse-comments", "no-done", "usage-last-choice",
    "interim", "closes-after", "split:3", "leading-blank-lines", "stale"])
def test_every_shape_is_a_correct_stream(client, script):
    stream = client.chat.completions.create(model=script, messages=HELLO, stream=True)
    assert collect(stream)[0] == payloads.SHORT
    answer = client.chat.completions.create(model=script + "@s", messages=HELLO)
    assert answer.choices[0].message.content == payloads.SHORT


def test_usage_is_streamed_when_asked_for(client):
    options = {"include_usage": True}
    stream = client.chat.completions.create(
        model="poem", messages=HELLO, stream=True, stream_options=options)
    text, usage = collect(stream)
    assert (text, usage.total_tokens) == (payloads.POEM, 16)


def test_calls_a_tool_in_fragments(client):
    stream = client.chat.completions.create(
        model="tools", messages=HELLO, tools=WEATHER, stream=True)
    pieces = [c.choices[0].delta.tool_calls for c in stream]
    text = "".join(p[0].function.arguments for p in pieces if p)
    assert text == '{"city":"Rome","unit":"celsius"}'


def test_sees_the_image(client):
    content = [{"type": "image_url", "image_url": {"url": IMAGE_URL}}]
    answer = client.chat.completions.create(
        model="vision", messages=[{"role": "user", "content": content}])
    assert answer.choices[0].message.content.startswith("image/png 70 ")


def test_errors_have_the_sdk_classes(client):
    with pytest.raises(RateLimitError):
        client.chat.completions.create(model="status:429", messages=HELLO)
    with pytest.raises(InternalServerError):
        client.chat.completions.create(model="status:503", messages=HELLO)
    for script in ("reset", "half-close", "raw:short-body", "cut:3"):
        with pytest.raises(APIConnectionError):
            client.chat.completions.create(model=script, messages=HELLO)


def test_notices_that_the_client_went_away(upstream):
    with socket.create_connection(("127.0.0.1", upstream.ports["plain"])) as client:
        body = b'{"model":"slow-stream:50@s9","messages":[],"stream":true}'
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n"
                       b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        client.recv(100)
        closed_at = time.monotonic()
    exchange = upstream.wait_for("@s9")
    assert exchange.gone.wait(2) and exchange.gone_at - closed_at < 0.5


def test_shows_good_and_bad_certificates(upstream, certificates):
    trusted = ssl.create_default_context(cafile=certificates.ca_file)
    for listener in ("tls", "tls12-rsa"):
        answer = httpx.get(upstream.url(listener) + "/models", verify=trusted, trust_env=False)
        assert answer.status_code == 200
    for listener in ("unknown-ca", "wrong-name", "expired"):
        with pytest.raises(httpx.ConnectError):
            httpx.get(upstream.url(listener) + "/models", verify=trusted, trust_env=False)


def test_streams_a_flood_only_as_fast_as_it_is_read(upstream):
    body = {"model": "flood:8@s10", "messages": [], "stream": True}
    url = upstream.url() + "/chat/completions"
    with httpx.stream("POST", url, json=body, trust_env=False) as response:
        pieces = response.iter_raw()
        next(pieces)
        time.sleep(0.3)
        assert upstream.requests("@s10")[0].bytes_sent < 7_000_000
        assert sum(map(len, pieces)) > 6_000_000


def test_answers_bad_bytes_as_scripted(upstream):
    with pytest.raises(httpx.RemoteProtocolError):
        post(upstream, "raw:not-http")
    assert post(upstream, "raw:redirect").status_code == 302
    assert post(upstream, "huge:2").json()["choices"][0]["message"]["content"][:1] == "x"
    assert post(upstream, "gzip").json()["choices"][0]["message"]["content"] == "gzip"
