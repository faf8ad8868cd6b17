# SPDX-License-Identifier: MIT
"""Wake-on-LAN: a sleeping machine is woken, and its request waits or goes elsewhere."""

import asyncio
import errno
import json
import socket
import time

import pytest

from faulty import FaultyUpstream
from load import read_stream
from process import PATIENCE, wait_until
from test_management_login import failure
from traffic import make_pool

MAC = "02:00:5e:10:20:ff"
MAGIC = b"\xff" * 6 + bytes.fromhex(MAC.replace(":", "")) * 16
PORT = 9                # "discard"; only root may bind it
BOOT_SECONDS = 2
WAKING = {"wake_mac": MAC, "wake_broadcast": "127.0.0.1", "location": "local"}


class Machine(asyncio.DatagramProtocol):
    """A model server that sleeps until the magic packet comes, and then takes its time."""

    def __init__(self, fleet, sock):
        self.fleet = fleet
        self.upstream: FaultyUpstream = fleet.upstream(listening=False)
        self.packets, self.boots = [], True
        self.awake_at = None
        fleet.run(fleet.loop.create_datagram_endpoint(lambda: self, sock=sock))

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, _):
        self.packets.append(data)
        if len(self.packets) == 1 and self.boots:
            self.fleet.loop.call_later(BOOT_SECONDS, self.wake)

    def wake(self):
        self.awake_at = time.monotonic()
        self.upstream.revive()

    def close(self):
        self.fleet.on_loop(self.transport.close)


@pytest.fixture
def machine(fleet):
    """A sleeping machine in the LAN of this test."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind(("127.0.0.1", PORT))
    except OSError as error:
        sock.close()
        pytest.skip(f"UDP port 9 of 127.0.0.1 cannot be bound: {errno.errorcode[error.errno]}")
    sock.setblocking(False)
    machine = Machine(fleet, sock)
    yield machine
    machine.close()


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway with as frequent signs of life as may be."""
    config = {"heartbeat_ms": 1000, "failover_connect_ms": 500, "breaker_cooldown_ms": 300,
              "retry_deadline_ms": 1000,  # less than the machine needs: waking is no retry
              "breaker_cooldown_limit_ms": 600}
    with seed.copy(tmp_path_factory.mktemp("wake") / "data", config) as instance:
        yield instance


def sleeping(gateway, machine, *others, policy="hold", timeout_ms=15_000):
    """A pool whose first channel is the machine; the others come after it."""
    first = {**WAKING, "wake_policy": policy, "wake_timeout_ms": timeout_ms, "priority": 9}
    return make_pool(gateway, [machine.upstream, *others], first, *[{}] * len(others))


def expect_packets(machine, least=1):
    """The machine was woken by the right packet, and was not flooded."""
    assert least <= len(machine.packets) <= 20, f"{len(machine.packets)} packets"
    assert set(machine.packets) <= {MAGIC}, machine.packets[0].hex()


def test_a_request_is_held_until_the_machine_is_up(gateway, machine):
    pool = sleeping(gateway, machine)
    began = time.monotonic()
    response = pool.ask()
    took = time.monotonic() - began
    assert pool.number_of(response) == 0
    assert BOOT_SECONDS <= took < BOOT_SECONDS + 2.5 * PATIENCE, f"{took:.2f} s"
    expect_packets(machine)
    assert machine.upstream.count == 1
    count = len(machine.packets)
    assert pool.served_by() == 0
    assert len(machine.packets) == count, "a machine that answers is not woken"


def test_a_held_stream_shows_signs_of_life_before_its_content(gateway, machine):
    pool = sleeping(gateway, machine)
    body = {"model": pool.model, "messages": [{"role": "user", "content": "x"}], "stream": True}
    headers = {"Authorization": f"Bearer {pool.token['key']}", "Content-Type": "application/json"}
    received = b""
    with gateway.http.stream("POST", "/v1/chat/completions", content=json.dumps(body),
                             headers=headers) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert machine.awake_at is None, "the head comes while the machine still sleeps"
        for piece in response.iter_raw():
            received += piece
            if machine.awake_at is None:
                assert all(line.startswith(b":") for line in received.split(b"\n") if line)
    early = received[:received.index(b"data:")]
    assert early.count(b"\n:") + early.startswith(b":") >= 1, f"heartbeats: {early!r}"
    models, text = read_stream(received)
    assert models == {pool.model} and text.startswith(machine.upstream.marker)
    expect_packets(machine)


def test_many_requests_wait_for_one_machine(gateway, machine, fleet):
    pool = sleeping(gateway, machine)
    run = pool.load(fleet, 16, 16).expect_success(16)
    assert min(sample.seconds for sample in run.samples) >= BOOT_SECONDS - 0.1
    expect_packets(machine)


def test_the_fallback_serves_at_once_while_the_machine_wakes(gateway, machine, fleet):
    pool = sleeping(gateway, machine, fleet.upstream(), policy="fallback")
    began = time.monotonic()
    assert pool.served_by() == 1
    assert time.monotonic() - began < 1.0 * PATIENCE, "nobody waits for the machine"
    wait_until(lambda: machine.packets, 2, "a magic packet")
    wait_until(lambda: pool.served_by() == 0, 15, "the machine in use")
    assert machine.awake_at is not None
    expect_packets(machine)


def test_a_machine_that_stays_asleep_is_given_up(gateway, machine):
    machine.boots = False
    pool = sleeping(gateway, machine, timeout_ms=1500)
    began = time.monotonic()
    error = pool.failure((502, 503, 504))
    assert 1.2 < time.monotonic() - began < 1.5 + 2.0 * PATIENCE
    assert len(error["message"]) > 15 and MAC not in error["message"]
    expect_packets(machine)


def test_another_channel_serves_when_the_machine_stays_asleep(gateway, machine, fleet):
    machine.boots = False
    pool = sleeping(gateway, machine, fleet.upstream(), timeout_ms=1500)
    assert pool.served_by() == 1
    expect_packets(machine)


def test_a_client_that_leaves_ends_the_wait(gateway, machine, raw):
    pool = sleeping(gateway, machine)
    body = json.dumps({"model": pool.model, "messages": []})
    client = raw(gateway).send(
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
        f"{pool.token['key']}\r\nContent-Length: {len(body)}\r\n\r\n{body}")
    wait_until(lambda: machine.packets, 2, "a magic packet")
    client.socket.close()
    wait_until(lambda: machine.awake_at is not None, 5, "the machine up")
    assert pool.served_by() == 0
    assert machine.upstream.count == 1, "the request of a client that left is not sent"


@pytest.mark.parametrize("change", [
    {"wake_mac": "no address"}, {"wake_mac": "02:00:5e:10:20"}, {"wake_broadcast": "nowhere"},
    {"wake_timeout_ms": -1}, {"wake_policy": "wait"}], ids=str)
def test_a_bad_setting_is_named(gateway, change):
    body = {"name": "n", "type": "ollama", "models": ["m"], **WAKING, **change}
    [field] = change
    assert field in failure(gateway.request("POST", "/channels", json=body), 400)


def test_settings_are_kept(gateway):
    fields = {**WAKING, "wake_policy": "fallback", "wake_timeout_ms": 60_000}
    created = gateway.channel("http://127.0.0.1:9/v1", ["m"], **fields)
    found = gateway.call("GET", f"/channels/{created['id']}")
    assert {key: found[key] for key in fields} == fields
    gateway.call("PUT", f"/channels/{created['id']}", {"wake_mac": ""})
    assert not gateway.call("GET", f"/channels/{created['id']}")["wake_mac"]
