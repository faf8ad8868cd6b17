# SPDX-License-Identifier: MIT
"""Memory stays bounded, whatever clients and upstreams do."""

import base64
import hashlib
import json
import os
import time

import pytest

from process import IS_EMULATED, wait_until
from test_sdk_chat import user

MEGABYTE = 1 << 20


@pytest.fixture
def small(make_gateway, certificates):
    return make_gateway(memory_limit_mb=32, ca_file=certificates.ca_file)


@pytest.mark.short
@pytest.mark.parametrize("listener", ["plain", "tls"])
def test_a_10_mb_image_passes_through_a_gateway_of_32_mb(small, upstream, listener):
    image = os.urandom(10 * MEGABYTE)
    route = small.route(upstream, "vision", listener=listener)
    content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {
        "url": "data:image/jpeg;base64," + base64.b64encode(image).decode()}}]
    answer = small.sdk().chat.completions.create(
        model=route.model, messages=[{"role": "user", "content": content}])
    digest = hashlib.sha256(image).hexdigest()
    assert answer.choices[0].message.content == f"image/jpeg {len(image)} {digest}"
    if not IS_EMULATED:
        assert small.resident_kb < 32 * 1024


def test_the_model_of_a_large_request_is_mapped_too(small, upstream):
    route = small.route(upstream, "vision", "echo")
    image = os.urandom(9 * MEGABYTE)
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    content = [{"type": "image_url", "image_url": {"url": url}}]
    for order in (["messages", "model", "stream"], ["model", "stream", "messages"]):
        values = {"model": route.model, "stream": True,
                  "messages": [{"role": "user", "content": content}]}
        body = json.dumps({name: values[name] for name in order})
        answer = small.post("/v1/chat/completions", body)
        assert answer.content.endswith(b"data: [DONE]\n\n")
        request = route.requests()[-1]
        assert request.model.startswith("vision@")
        assert request.json["messages"] == values["messages"]
        assert request.json["stream_options"] == {"include_usage": True}


def test_a_large_request_without_a_valid_key_is_refused_early(small, raw):
    client = raw(small).send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-wrong\r\n"
        b"Content-Length: 20000000\r\n\r\n" + b" " * 100_000)
    assert client.answer().status == 401


@pytest.mark.native
@pytest.mark.parametrize("listener", ["plain", "tls"])
def test_a_slow_reader_of_a_long_stream_costs_little(small, upstream, raw, listener):
    route = small.route(upstream, "flood:60", listener=listener)
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True}).encode()
    before = small.resident_kb
    client = raw(small, receive_buffer=65536).send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (small.key().encode(), len(body), body))
    client.head()
    exchange = route.request()
    time.sleep(0.7)
    stalled_at = exchange.bytes_sent
    time.sleep(0.3)
    assert exchange.bytes_sent == stalled_at < 8 * MEGABYTE, "the upstream is still being read"
    assert small.resident_kb - before < 2048
    received, tail = 0, b""
    while data := client.socket.recv(1 << 18):
        received += len(data)
        tail = (tail + data)[-64:]
        if tail.endswith(b"0\r\n\r\n"):
            break
    assert received > 55_000_000 and b"[DONE]" in tail
    assert small.resident_kb - before < 2048


@pytest.mark.native
def test_many_requests_leave_no_memory_behind(small, upstream):
    route = small.route(upstream, "echo")
    body = json.dumps({"model": route.model, "messages": user("x" * 1000)})
    for _ in range(300):
        small.post("/v1/chat/completions", body)
    before = small.resident_kb
    for _ in range(1500):
        assert small.post("/v1/chat/completions", body).status_code == 200
    assert small.resident_kb - before < 512


@pytest.mark.native
def test_clients_that_leave_in_the_middle_leave_nothing_behind(small, upstream, raw):
    route = small.route(upstream, "slow-stream:5")
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True}).encode()
    request = (b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
               b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
               % (small.key().encode(), len(body), body))

    def descriptors():
        return len(os.listdir(f"/proc/{small.process.pid}/fd"))

    before = descriptors()
    for number in range(100):
        client = raw(small).send(request[:len(request) - number % 3])
        if number % 3 == 0:
            client.socket.recv(100)
        client.socket.close()
    wait_until(lambda: descriptors() <= before + 12, what="descriptors closed")


@pytest.mark.native
def test_an_idle_gateway_is_small_and_writes_nothing(make_gateway):
    gateway = make_gateway()
    time.sleep(1.0)

    def written():
        with open(f"/proc/{gateway.process.pid}/io") as io:
            return int(next(line for line in io if line.startswith("wchar")).split()[1])

    before = written()
    time.sleep(1.5)
    assert written() == before, "an idle gateway wrote something"
    assert gateway.resident_kb <= 6 * 1024
