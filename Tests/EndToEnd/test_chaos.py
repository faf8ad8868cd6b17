# SPDX-License-Identifier: MIT
"""Many clients and upstreams that misbehave all at once: every complete answer is a correct one."""

import json
import os
import random
import threading
import time

import pytest

import payloads
from process import wait_until
from rawhttp import RawClient
from test_sdk_chat import user

SECONDS = 6
# The echo puts the whole text into one event, which must stay below the 1 MiB that one may have.
REPEATS = [1, 10, 1000, 70_000]
WORKERS = 16
GOOD = {"echo": None, "poem": payloads.POEM} | dict.fromkeys((
    "dribble", "chunk-per-byte", "close-delimited", "http10", "sse-crlf", "sse-cr", "sse-bom",
    "no-done", "interim", "closes-after", "stale"), payloads.SHORT)
BAD = [
    "no-usage", "insane-usage", "cut:4", "drop:7", "error:3", "stall:3", "close-cut:5", "reset",
    "half-close", "never", "raw:bad-json", "raw:short-body", "raw:short-chunks", "raw:bad-chunk",
    "raw:huge-head", "raw:not-http", "huge:2", "flood:2", "long-line:1200", "gzip", "status:500",
    "status:401", "retry-after:1", "slow-stream:3", "slow-first-byte:50", "closes-tls"]


class Chaos:
    """The clients; `problems` must stay empty."""

    def __init__(self, gateway, upstream, seed):
        self.gateway, self.seed = gateway, seed
        self.random = random.Random(seed)
        self.key = gateway.key()
        self.problems, self.suspects, self.checked = [], [], 0
        self.models = [
            gateway.route(upstream, script, listener=listener).model
            for script in [*GOOD, *BAD] for listener in ("plain", "tls")]
        for _ in range(20):
            scripts = self.random.sample([*GOOD, *BAD], 3)
            self.models.append(gateway.route(upstream, *scripts).model)

    def run(self):
        self.end = time.monotonic() + SECONDS
        threads = [threading.Thread(target=self.work, args=(n,)) for n in range(WORKERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def work(self, number):
        dice = random.Random(self.seed + number)
        while time.monotonic() < self.end:
            model, text = dice.choice(self.models), "é世x" * dice.choice(REPEATS)
            fields = {"model": model, "stream": dice.random() < 0.5, "messages": user(text)}
            if dice.random() < 0.3:
                fields["stream_options"] = {"include_usage": dice.random() < 0.5}
            names = list(fields)
            dice.shuffle(names)
            try:
                with RawClient(self.gateway.port, timeout=20) as client:
                    self.converse(client, dice, {name: fields[name] for name in names}, text)
            except (AssertionError, OSError, ValueError) as problem:
                self.problems.append((model, fields["stream"], repr(problem)[:200]))

    def converse(self, client, dice, fields, text):
        """One to three requests over one connection; some clients leave early."""
        request = self.request(dice, fields)
        for _ in range(dice.randint(1, 3)):
            fate = dice.random()
            if fate < 0.1:
                client.send(request[:dice.randrange(len(request))])
                return
            client.send(request)
            if fate < 0.2:
                return
            if fate < 0.3:
                client.socket.recv(dice.randint(1, 2000))
                return
            answer = client.answer()
            try:
                self.check(fields, text, answer)
            except AssertionError:
                self.suspects += answer.header("x-request-id")
                raise
            if answer.header("connection") == ["close"]:
                return

    def request(self, dice, fields):
        body = json.dumps(fields, ensure_ascii=dice.random() < 0.5).encode()
        framing = b"Content-Length: %d" % len(body)
        if dice.random() < 0.3:
            size = dice.choice([5000, 70_000] if len(body) > 5000 else [1, 100])
            pieces = [body[at:at + size] for at in range(0, len(body), size)]
            body = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
            framing = b"Transfer-Encoding: chunked"
        return (b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
                b"%s\r\n\r\n%s" % (self.key.encode(), framing, body))

    def check(self, fields, text, answer):
        script = fields["model"].split("@")[0]
        if answer.status != 200 or script not in GOOD:
            assert answer.status in (200, 429, 502, 503, 504), (answer.status, answer.body[:200])
            return
        if not fields["stream"]:
            found = json.loads(answer.body)["choices"][0]["message"]["content"]
        else:
            body = answer.body.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
            assert body.endswith("data: [DONE]\n\n"), body[-200:]
            chunks = [json.loads(s[6:]) for s in body.split("\n") if s.startswith("data: {")]
            found = "".join(c["delta"].get("content") or "" for x in chunks for c in x["choices"])
        assert found == (GOOD[script] or text)
        self.checked += 1


@pytest.mark.native
def test_every_complete_answer_is_correct_whatever_happens_around_it(
        make_gateway, certificates, upstream):
    gateway = make_gateway(
        ca_file=certificates.ca_file, memory_limit_mb=128, retry_interval_ms=1,
        first_byte_timeout_ms=3000, stream_idle_timeout_ms=3000, body_held_limit_kb=512)
    descriptors = len(os.listdir(f"/proc/{gateway.process.pid}/fd"))
    chaos = Chaos(gateway, upstream, random.randrange(1 << 30))
    chaos.run()
    told = [line for line in gateway.log_lines if any(s in line for s in chaos.suspects)]
    assert not chaos.problems, (chaos.seed, told[:10], chaos.problems[:5])
    assert chaos.checked >= WORKERS
    wait_until(lambda: len(os.listdir(f"/proc/{gateway.process.pid}/fd")) < descriptors + 40,
               what="closed descriptors")
    assert gateway.resident_kb < 40 * 1024
    # The level is the third word; an upstream's message may hold the word too.
    levels = [line.split(" ")[2:3] for line in gateway.log_lines]
    assert ["error"] not in levels, gateway.log[-2000:]
