# SPDX-License-Identifier: MIT
"""HTTP that is right, in all its forms: keep-alive, pipelining, 100-continue, HEAD, 1.0, chunks."""

import json
import socket

import httpx
import pytest

HEALTH = "GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def chat(gateway, upstream):
    """Builds a chat request as raw bytes; the upstream echoes `text`."""
    route = gateway.route(upstream, "echo")

    def build(text="hi", headers="", chunks=None, stream=False, version="HTTP/1.1", model=None):
        body = json.dumps({"model": model or route.model, "stream": stream,
                           "messages": [{"role": "user", "content": text}]}).encode()
        framing = f"Content-Length: {len(body)}\r\n"
        if chunks:
            framing = "Transfer-Encoding: chunked\r\n"
            pieces = [body[i:i + chunks] for i in range(0, len(body), chunks)]
            body = b"".join(b"%X;x=1\r\n%s\r\n" % (len(p), p) for p in pieces)
            body += b"0\r\nX-Trailer: 1\r\n\r\n"
        head = (f"POST /v1/chat/completions {version}\r\nHost: a\r\n"
                f"Authorization: Bearer {gateway.key()}\r\nContent-Type: application/json\r\n"
                f"{headers}{framing}\r\n")
        return head.encode() + body

    build.route = route
    return build


def text(answer):
    assert answer.status == 200, answer.body
    return json.loads(answer.body)["choices"][0]["message"]["content"]


def test_a_connection_is_kept(raw, chat):
    client = raw()
    for number in range(5):
        assert text(client.send(chat(f"number {number}")).answer()) == f"number {number}"
    assert client.send(HEALTH).answer().status == 200


def test_pipelined_requests_are_answered_in_order(raw, chat):
    client = raw().send(b"".join(chat(f"number {n}") for n in range(8)))
    assert [text(client.answer()) for _ in range(8)] == [f"number {n}" for n in range(8)]


def test_a_slow_request_holds_back_the_pipelined_one_behind_it(raw, gateway, upstream, chat):
    slow = gateway.route(upstream, "slow-first-byte:300").model
    client = raw().send(chat(model=slow) + HEALTH.encode() + chat("last"))
    assert "choices" in json.loads(client.answer().body)
    assert b"success" in client.answer().body
    assert text(client.answer()) == "last"


def test_a_pipelined_request_after_a_stream(raw, chat):
    client = raw().send(chat("a stream", stream=True) + chat("after it"))
    assert client.answer().body.endswith(b"data: [DONE]\n\n")
    assert text(client.answer()) == "after it"


def test_a_request_may_arrive_byte_by_byte(raw, chat):
    assert text(raw().send(chat("slowly"), byte_by_byte=True).answer()) == "slowly"


@pytest.mark.parametrize("size", [1, 7, 100000])
def test_a_chunked_body_is_read(raw, chat, size):
    client = raw().send(chat("in chunks", chunks=size) + HEALTH.encode())
    assert text(client.answer()) == "in chunks"
    assert client.answer().status == 200


def test_connection_close_is_obeyed(raw, chat):
    client = raw().send(chat(headers="Connection: close\r\n"))
    answer = client.answer()
    assert text(answer) == "hi" and answer.header("connection") == ["close"]
    assert client.is_closed()


def test_continue_is_sent_when_the_body_will_be_read(raw, chat):
    head, _, body = chat(headers="Expect: 100-continue\r\n").partition(b"\r\n\r\n")
    client = raw().send(head + b"\r\n\r\n")
    assert client.answer().status == 100
    assert text(client.send(body).answer()) == "hi"


def test_continue_is_not_sent_for_a_body_that_is_refused(raw, gateway):
    client = raw().send(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
        f"Authorization: Bearer {gateway.key()}\r\nContent-Length: 99999999999\r\n\r\n")
    assert client.answer().status == 413
    assert client.is_closed()


def test_another_expectation_is_refused(raw, chat):
    assert raw().send(chat(headers="Expect: wonders\r\n")).answer().status == 417


def test_continue_is_not_sent_to_http_1_0(raw, chat):
    client = raw().send(chat(headers="Expect: 100-continue\r\n", version="HTTP/1.0"))
    assert text(client.answer()) == "hi"


def test_http_1_0_is_answered_and_closed(raw, chat):
    client = raw().send(chat(version="HTTP/1.0"))
    assert text(client.answer()) == "hi" and client.is_closed()


def test_http_1_0_may_keep_its_connection(raw):
    client = raw()
    for _ in range(3):
        answer = client.send(HEALTH.replace("1.1", "1.0\r\nConnection: keep-alive")).answer()
        assert (answer.status, answer.header("connection")) == (200, ["keep-alive"])


def test_http_1_0_without_host(raw):
    assert raw().send("GET /api/v1/health HTTP/1.0\r\n\r\n").answer().status == 200


def test_a_stream_to_http_1_0_is_ended_by_closing(raw, chat):
    client = raw().send(chat("one two", version="HTTP/1.0", stream=True))
    answer = client.answer()
    assert answer.header("transfer-encoding") == []
    assert answer.body.endswith(b"data: [DONE]\n\n")


def test_head_has_the_headers_of_get_and_no_body(raw):
    client = raw()
    get = client.send(HEALTH).answer()
    head = client.send(HEALTH.replace("GET", "HEAD")).answer("HEAD")
    assert head.status == get.status
    assert head.header("content-length") == get.header("content-length")
    assert client.send(HEALTH).answer().status == 200, "the connection must still be in step"


def test_absolute_form_is_accepted(raw):
    request = "GET http://gateway:3000/api/v1/health HTTP/1.1\r\nHost: other\r\n\r\n"
    assert raw().send(request).answer().status == 200


def test_absolute_form_is_relayed_whatever_host_says(raw, chat):
    request = chat("absolute").replace(b" /v1", b" HTTP://gateway.test:3000/v1")
    assert text(raw().send(request).answer()) == "absolute"


@pytest.mark.parametrize("target", [
    "http:///v1/models", "ftp://a/v1/models", "http://user@a/v1/models", "http://a:x/v1/models"])
def test_an_absolute_form_that_is_none_is_refused(raw, target):
    client = raw().send(HEALTH.replace("/api/v1/health", target))
    assert client.answer().status == 400 and client.is_closed()


def test_one_empty_line_before_a_request_is_ignored(raw):
    client = raw().send(HEALTH + "\r\n" + HEALTH)
    assert client.answer().status == client.answer().status == 200


def test_upgrade_is_ignored(raw):
    request = HEALTH.replace("\r\n\r\n", "\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n")
    assert raw().send(request).answer().status == 200


def test_a_half_request_is_never_processed(raw, chat):
    client = raw().send(chat("half")[:-5])
    assert client.is_quiet()
    client.socket.close()
    assert chat.route.requests() == []


def test_a_refused_request_in_a_pipeline_ends_it(raw, chat):
    client = raw().send(chat("good") + b"BAD\r\n\r\n" + chat("never"))
    assert text(client.answer()) == "good"
    assert client.answer().status == 400 and client.is_closed()
    assert len(chat.route.requests()) == 1


def test_a_stream_carries_the_right_headers(raw, chat):
    answer = raw().send(chat("a b", stream=True)).answer()
    assert answer.header("content-type")[0].startswith("text/event-stream")
    assert answer.header("transfer-encoding") == ["chunked"]
    assert "no-cache" in answer.header("cache-control")[0]


def test_the_page_at_the_root_says_what_this_is(raw):
    answer = raw().send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").answer()
    assert answer.status == 200 and b"TinyGateway" in answer.body
    assert answer.header("content-type")[0].startswith("text/")


def test_api_answers_are_not_cached_and_not_sniffed(raw):
    answer = raw().send(HEALTH).answer()
    assert answer.header("cache-control") == ["no-store"]
    assert answer.header("x-content-type-options") == ["nosniff"]


@pytest.mark.parametrize("listen, hosts", [
    ("::1", ["[::1]"]), ("::", ["[::1]", "127.0.0.1"]), ("127.0.0.1", ["127.0.0.1"])])
def test_listens_on_ipv6_and_ipv4(make_gateway, listen, hosts):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    gateway = make_gateway(listen=listen)
    shown = f"[{listen}]" if ":" in listen else listen
    assert f"Server started on http://{shown}:{gateway.port}" in gateway.log
    for host in ("[::1]", "127.0.0.1"):
        address = f"http://{host}:{gateway.port}/api/v1/health"
        if host not in hosts:
            with pytest.raises(httpx.ConnectError):
                httpx.get(address, trust_env=False)
        else:
            assert httpx.get(address, trust_env=False).status_code == 200
