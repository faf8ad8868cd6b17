# SPDX-License-Identifier: MIT
"""Memory stays bounded, whatever clients and upstreams do."""

import base64
import hashlib
import json
import os
import resource
import shutil
import time

import pytest

import payloads
from process import IS_EMULATED, binary, is_release, wait_until
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
    if is_release() and not IS_EMULATED:
        assert small.peak_kb < 32 * 1024


LARGE = user("z" * 9_900_000)     # beyond what is held of a body whose model is known


@pytest.mark.parametrize("order", [
    "model stream messages", "model messages stream", "messages model stream",
    "stream messages model", "stream model messages stream_options"])
def test_a_large_request_is_edited_while_it_passes(small, upstream, order):
    route, token = small.route(upstream, "poem", "echo"), small.token(quota=10**9)
    values = {"model": route.model, "stream": True, "messages": LARGE,
              "stream_options": {"include_usage": False}}
    body = json.dumps({name: values[name] for name in order.split()})
    answer = small.post("/v1/chat/completions", body, key=token["key"])
    assert answer.status_code == 200, answer.text[:300]
    assert answer.content.endswith(b"data: [DONE]\n\n")
    assert b'"total_tokens"' not in answer.content
    [request] = route.requests()
    assert request.model.startswith("poem@")
    assert request.json["messages"] == values["messages"]
    assert request.json["stream_options"] == {"include_usage": True}
    wait_until(lambda: small.used_quota(token) == 16, what="the usage of a large request")
    if is_release() and not IS_EMULATED:
        assert small.peak_kb < 32 * 1024


@pytest.mark.parametrize("end", ['', ',"model":"again"}', ',"x":01}', '}}', ',"stream":"yes"}'])
def test_a_large_request_with_a_bad_end_is_never_completed_upstream(small, upstream, end):
    route = small.route(upstream, "echo")
    body = json.dumps({"model": route.model, "messages": LARGE})[:-1] + end
    answer = small.post("/v1/chat/completions", body)
    assert answer.status_code == 400, answer.text[:300]
    assert route.requests() == []


def test_a_large_request_without_a_valid_key_is_refused_early(small, raw):
    client = raw(small).send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sk-wrong\r\n"
        b"Content-Length: 20000000\r\n\r\n" + b" " * 100_000)
    assert client.answer().status == 401


@pytest.mark.native
@pytest.mark.parametrize("listener", ["plain", "tls"])
def test_a_slow_reader_of_a_long_stream_costs_little(small, upstream, raw, listener):
    route = small.route(upstream, "flood:64", listener=listener)
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True}).encode()
    before = small.resident_kb
    client = raw(small, receive_buffer=65536).send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (small.key().encode(), len(body), body))
    client.head()
    exchange = route.request()
    sent = []

    def has_stalled():
        sent.append(exchange.bytes_sent)
        time.sleep(0.3)
        return sent[-1] == exchange.bytes_sent

    wait_until(has_stalled, 15, "an upstream that is no longer read")
    # The kernel's, which hold up to 32 MiB received and 4 MiB to be sent where it lets them grow.
    assert sent[-1] < 48 * MEGABYTE, "only the kernel's buffers may hold what nobody reads"
    assert small.resident_kb - before < 2048
    received, tail = 0, b""
    while data := client.socket.recv(1 << 18):
        received += len(data)
        tail = (tail + data)[-64:]
        if tail.endswith(b"0\r\n\r\n"):
            break
    assert received > 60_000_000 and b"[DONE]" in tail
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
@pytest.mark.parametrize("listener, limit_kb", [("plain", 24), ("tls", 72)])
def test_many_streams_at_once_arrive_whole_and_cost_little(
        make_gateway, certificates, upstream, raw, listener, limit_kb):
    gateway = make_gateway(
        memory_limit_mb=256, connections_per_address=1000,
        ca_file=certificates.ca_file)
    route = gateway.route(upstream, "slow-stream:40", listener=listener)
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True})
    before = gateway.resident_kb
    clients = [raw(gateway, timeout=60) for _ in range(200)]
    for client in clients:
        client.send(f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
                    f"{gateway.key()}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    wait_until(lambda: len(route.requests()) == len(clients), 30, "all streams open")
    assert (gateway.resident_kb - before) / len(clients) < limit_kb
    for client in clients:
        lines = client.answer().body.decode().split("\n\n")
        chunks = [json.loads(line[6:]) for line in lines[:-2]]
        text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
        assert text == payloads.POEM and lines[-2:] == ["data: [DONE]", ""]


@pytest.mark.native
def test_running_out_of_descriptors_is_survived(make_gateway, upstream, raw):
    gateway = make_gateway()
    route, process = gateway.route(upstream, "echo"), gateway.process.pid
    body = json.dumps({"model": route.model, "messages": user("x")})
    assert gateway.post("/v1/chat/completions", body).status_code == 200
    count = len(os.listdir(f"/proc/{process}/fd"))
    resource.prlimit(process, resource.RLIMIT_NOFILE, (count + 8, count + 8))
    clients = [raw(gateway) for _ in range(40)]
    busy = cpu_seconds(process)
    time.sleep(0.5)
    assert cpu_seconds(process) - busy < 0.2, "a busy loop while descriptors are missing"
    for client in clients:
        client.socket.close()
    time.sleep(0.2)
    assert gateway.post("/v1/chat/completions", body).status_code == 200


def cpu_seconds(process):
    """Processor time that a process has used."""
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.native
def test_an_idle_gateway_is_small_and_writes_nothing(make_gateway, upstream, tmp_path):
    # A copy, since that is what people run: of the same file the kernel maps 200 kB more after
    # `cp` than after the linker wrote it, as its cache lies.
    copy = shutil.copy(binary(), tmp_path / "tinygateway")
    gateway = make_gateway(start=False)
    gateway.wrapper = ["sh", "-c", 'shift && exec "$0" "$@"', copy]
    gateway.start()
    time.sleep(1.0)

    def written():
        with open(f"/proc/{gateway.process.pid}/io") as io:
            return int(next(line for line in io if line.startswith("wchar")).split()[1])

    before = written()
    time.sleep(1.5)
    assert written() == before, "an idle gateway wrote something"
    if is_release():
        assert gateway.own_kb <= 640
        assert gateway.resident_kb <= 3000
        # The goal, 4 MiB, holds also when pages of the program were used since.
        body = json.dumps({"model": gateway.route(upstream, "echo").model, "messages": user("x")})
        for _ in range(20):
            assert gateway.post("/v1/chat/completions", body).status_code == 200
        assert gateway.resident_kb <= 4 * 1024
