# SPDX-License-Identifier: MIT
"""32 MB of memory, and TLS on both sides: 50 streams are served, what is too much is refused."""

import contextlib
import json
import os
import ssl
import threading
from pathlib import Path

import pytest

import payloads
from process import free_port, is_release, wait_until
from rawhttp import RawClient
from test_sdk_chat import user

pytestmark = pytest.mark.native
LIMIT = 32 << 20
STREAMS, CROWD = 50, 200


@contextlib.contextmanager
def control_group():
    """A control group of 32 MB without swap space; None where none can be made."""
    for root, limit, peak in (("", "memory.max", "memory.peak"),
                              ("memory", "memory.limit_in_bytes", "memory.max_usage_in_bytes")):
        folder = Path("/sys/fs/cgroup") / root / f"tinygateway-{os.getpid()}"
        try:
            folder.mkdir()
            with (folder / limit).open("r+") as file:   # a folder that is no group has none
                file.write(str(LIMIT))
            for swap, most in (
                    ("memory.swap.max", 0), ("memory.memsw.limit_in_bytes", LIMIT)):
                if (folder / swap).exists():
                    (folder / swap).write_text(str(most))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        yield folder, folder / peak
        wait_until(lambda: not (folder / "cgroup.procs").read_text(), what="the group is empty")
        folder.rmdir()
        return
    yield None, None


@pytest.fixture
def limited(make_gateway, certificates):
    """A gateway that cannot have more memory: of addresses, and of pages where that can be had."""
    with control_group() as (folder, peak):
        enter = f"echo $$ >{folder}/cgroup.procs && " if folder else ""
        gateway = make_gateway(
            start=False, memory_limit_mb=32, connections_per_address=400, tls_port=free_port(),
            tls_certificate=certificates.own_certificate, tls_key=certificates.own_key,
            ca_file=certificates.ca_file)
        gateway.wrapper = ["sh", "-c", f'{enter}ulimit -v {LIMIT >> 10} && exec "$@"', "sh"]
        gateway.start()
        gateway.group_peak = peak
        yield gateway
        gateway.stop()


class Streams:
    """Clients with TLS that ask at once, when all of them are connected."""

    def __init__(self, gateway, certificates, route, count):
        context = ssl.create_default_context(cafile=certificates.ca_file)
        body = json.dumps({"model": route.model, "messages": user("x"), "stream": True})
        self.request = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
                        f"{gateway.key()}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        self.answers, connected = [], threading.Barrier(count, timeout=30)

        def wrap(plain):
            return context.wrap_socket(plain, server_hostname="localhost")

        def ask():
            with RawClient(gateway.config["tls_port"], timeout=30, wrap=wrap) as client:
                connected.wait()
                self.answers.append(client.send(self.request).answer())
        self.threads = [threading.Thread(target=ask) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def wait(self):
        """Waits for the end of all of them."""
        for thread in self.threads:
            thread.join(60)
        return self

    def texts(self):
        """What whole streams said."""
        texts = []
        for answer in self.answers:
            if answer.status == 200:
                *lines, done, rest = answer.body.decode().split("\n\n")
                assert (done, rest) == ("data: [DONE]", "")
                chunks = [json.loads(line[6:]) for line in lines]
                texts.append("".join(choice["delta"].get("content") or "" for chunk in chunks
                                     for choice in chunk["choices"]))
        return texts

    def refused(self):
        """Answers that tell to come again."""
        refused = [answer for answer in self.answers if answer.status != 200]
        for answer in refused:
            assert answer.status == 503 and int(answer.header("retry-after")[0]) >= 1
        return refused


def test_streams_over_tls_within_32_mb(limited, upstream, certificates, capsys):
    def start(count, pace):
        route = limited.route(upstream, f"slow-stream:{pace}", listener="tls")
        return Streams(limited, certificates, route, count)

    streams = start(STREAMS, 120)
    wait_until(lambda: limited.call("GET", "/status")["relays"] == STREAMS, 20, "all at once")
    assert streams.wait().texts() == [payloads.POEM] * STREAMS
    usual = limited.peak_kb
    streams = start(CROWD, 120).wait()
    served, refused = streams.texts(), streams.refused()
    assert served == [payloads.POEM] * len(served) and len(served) >= STREAMS
    assert len(served) + len(refused) == CROWD and len(refused) > 0
    assert start(STREAMS, 5).wait().texts() == [payloads.POEM] * STREAMS
    with capsys.disabled():
        group = int(limited.group_peak.read_text()) >> 10 if limited.group_peak else 0
        print(f"\n  resident: {usual} kB with {STREAMS} streams, {limited.peak_kb} kB at the "
              f"limits; of addresses: {limited._status_kb('VmPeak')} kB; group: {group} kB ")
    if is_release():
        assert limited.peak_kb < LIMIT >> 10
