# SPDX-License-Identifier: MIT
"""iFlytek Spark over WebSocket, asked by the OpenAI SDK, with the vendor's samples."""

import base64
import hashlib
import hmac
import json
import socketserver
import struct
import threading
from functools import partial
from urllib.parse import parse_qs, urlsplit

import openai
import pytest

from process import next_number
from samples import FIXTURES
from test_sdk_chat import collect, user

TEXT = "The capital of Japan is Tokyo (東京)."
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Spark(socketserver.ThreadingTCPServer):
    """Accepts or refuses handshakes and answers the first message with the lines at hand."""

    daemon_threads = allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lines, self.refusal, self.requests = [], None, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def play(self, name):
        """What is sent: the lines of a sample, or the one value in it."""
        text = (FIXTURES / "spark-ws" / name).read_text()
        lines = text.splitlines() if name.endswith(".txt") else [json.dumps(json.loads(text))]
        self.lines, self.refusal = [line.encode() for line in lines if line], None


class Handler(socketserver.StreamRequestHandler):
    """One socket of the gateway."""

    def handle(self):
        target = self.rfile.readline().split()[1].decode()
        head = {}
        while (line := self.rfile.readline().strip()):
            name, _, value = line.decode().partition(":")
            head[name.lower()] = value.strip()
        if self.server.refusal:
            body = b'{"message":"HMAC signature cannot be verified"}'
            self.wfile.write(
                b"HTTP/1.1 %d No\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                % (self.server.refusal, len(body)) + body)
            return
        key = hashlib.sha1(head["sec-websocket-key"].encode() + MAGIC).digest()
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(key) + b"\r\n\r\n")
        self.server.requests.append((target, head, json.loads(self.message())))
        for line in self.server.lines:
            size = bytes([len(line)]) if len(line) < 126 else b"\x7e" + struct.pack("!H", len(line))
            self.wfile.write(b"\x81" + size + line)
        # The socket stays open behind the answer.
        self.rfile.read(1)

    def message(self):
        """The text of one masked frame."""
        first, size = self.rfile.read(2)
        assert first == 0x81 and size & 0x80, "one whole text message, masked"
        size &= 0x7F
        if size == 126:
            size = struct.unpack("!H", self.rfile.read(2))[0]
        mask = self.rfile.read(4)
        return bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(size)))


@pytest.fixture(scope="module")
def spark():
    server = Spark()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def create(gateway, spark):
    """Asks for a completion of a model of its own, since a refused key is laid aside."""
    name = f"spark{next_number()}"
    gateway.channel(spark.url, [name], type="spark-ws", model_mapping={name: "Spark-Max"},
                    keys=["testapp|test-secret|test-api-key"])
    return partial(gateway.sdk().chat.completions.create, model=name)


def expect_signed(target, host):
    """Computes the signature of the handshake, as the vendor does."""
    query = {name: value[0] for name, value in parse_qs(urlsplit(target).query).items()}
    parts = base64.b64decode(query["authorization"]).decode()
    line = f"host: {query['host']}\ndate: {query['date']}\nGET {urlsplit(target).path} HTTP/1.1"
    mac = base64.b64encode(hmac.new(b"test-secret", line.encode(), hashlib.sha256).digest())
    assert f'signature="{mac.decode()}"' in parts and 'api_key="test-api-key"' in parts
    assert query["host"] == host


@pytest.mark.short
def test_whole_answers(create, spark):
    spark.play("stream.vendor.txt")
    answer = create(messages=user("capital?"), max_tokens=64)
    assert answer.choices[0].message.content == TEXT
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (33, 11)
    target, head, sent = spark.requests[-1]
    expect_signed(target, head["host"])
    assert urlsplit(target).path == "/v3.5/chat" and sent["header"]["app_id"] == "testapp"
    assert sent["payload"]["message"]["text"] == user("capital?")


def test_streams(create, spark):
    spark.play("stream.vendor.txt")
    stream = create(messages=user("capital?"), stream=True,
                    stream_options={"include_usage": True})
    text, usage = collect(stream)
    assert text == TEXT and usage.total_tokens == 44


@pytest.mark.parametrize("streaming", [False, True])
def test_an_error_in_the_first_message(create, spark, streaming):
    spark.play("error.vendor.json")
    with pytest.raises(openai.InternalServerError) as raised:
        create(messages=user("x"), stream=streaming)
    assert (raised.value.status_code, raised.value.code) == (502, "upstream_auth_failed")


def test_a_refused_handshake(create, spark):
    spark.refusal = 403
    with pytest.raises(openai.InternalServerError) as raised:
        create(messages=user("x"))
    assert (raised.value.status_code, raised.value.code) == (502, "upstream_auth_failed")
