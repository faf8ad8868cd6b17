# SPDX-License-Identifier: MIT
"""A log of a million rows: how fast rows are found, and what an export takes."""

import math
import socket
import threading
import time

import pytest

from accounts import at_once, person
from database import add_log_rows
from process import PATIENCE, wait_until
from test_logs import ask, logs
from test_management_login import failure


class Traffic(threading.Thread):
    """Requests one after the other until it is stopped."""

    def __init__(self, gateway, model):
        super().__init__(daemon=True)
        self.gateway, self.model, self.key = gateway, model, gateway.key()
        self.seconds, self.statuses, self.stopped = [], set(), threading.Event()

    def run(self):
        while not self.stopped.is_set():
            began = time.monotonic()
            self.statuses.add(ask(self.gateway, self.key, self.model).status_code)
            self.seconds.append(time.monotonic() - began)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join(10)


def percentile_95(gateway, count, choose):
    """Seconds that 95 % of calls stay below; `choose`: parameters of a call by its number."""
    seconds = []
    for number in range(count):
        began = time.monotonic()
        assert logs(gateway, **choose(number))["items"]
        seconds.append(time.monotonic() - began)
    return sorted(seconds)[math.ceil(count * 0.95) - 1]


ROWS = 1_000_000


@pytest.fixture(scope="module")
def million(seed, tmp_path_factory):
    """A gateway with 1,000,000 log rows, and the ids of the first and the last one."""
    instance = seed.copy(tmp_path_factory.mktemp("million") / "data", {"log_limit_mb": 512})
    began = time.monotonic()
    instance.first, instance.last = add_log_rows(instance, ROWS, rare_token=77)
    assert time.monotonic() - began < 15 * PATIENCE
    with instance:
        yield instance


@pytest.mark.native
def test_a_million_rows_are_found_quickly_beside_traffic(million, upstream):
    route = million.route(upstream, "echo")
    start, seconds = million.first >> 16, ROWS // 10
    before = million.resident_kb
    measured = {}
    with Traffic(million, route.model) as traffic:
        wait_until(lambda: len(traffic.seconds) > 5, what="traffic")
        for name, count, limit, choose in (
                ("first page", 40, 0.1, lambda n: {}),
                ("cursor in the middle", 40, 0.05,
                 lambda n: {"before": (start + seconds // 2 + n) << 16, "page_size": 100}),
                ("cursor at the end", 40, 0.05,
                 lambda n: {"before": (start + 100 + n) << 16, "page_size": 100}),
                ("a page 9,000 rows down", 20, 0.15, lambda n: {"page": 90 + n, "page_size": 100}),
                ("model", 20, 0.5, lambda n: {"model": f"model-{1 + n}"}),
                ("time range", 20, 0.15,
                 lambda n: {"from": start + 5000 + n, "until": start + 9000}),
                ("failures", 20, 0.5, lambda n: {"status": "failed"}),
                ("rare token", 8, 3.0, lambda n: {"token_id": 77})):
            measured[name] = (percentile_95(million, count, choose), limit)
        assert logs(million, token_id=77)["total"] == 10
        began = time.monotonic()
        search = threading.Thread(target=logs, args=(million,), kwargs={"token_id": 77})
        search.start()
        million.token()     # a change of settings comes between two slices
        assert time.monotonic() - began < 0.5
        search.join()
    print({name: f"{took * 1000:.0f} ms" for name, (took, _) in measured.items()},
          f"relays: {len(traffic.seconds)}, slowest {max(traffic.seconds) * 1000:.0f} ms,",
          f"memory {before} to {million.resident_kb} kB")
    assert traffic.statuses == {200} and max(traffic.seconds) < 1
    assert all(took < limit for took, limit in measured.values()), measured
    assert million.resident_kb - before < 6 * 1024


def open_export(gateway, jwt):
    """A connection that has asked for the whole log and reads nothing yet."""
    client = socket.create_connection(("127.0.0.1", gateway.port))
    client.settimeout(20)
    client.sendall(
        f"GET /api/v1/logs?format=csv HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer "
        f"{jwt}\r\n\r\n".encode())
    return client


@pytest.mark.native
def test_an_export_waits_for_its_client_and_ends_with_it(million):
    others = [person(million, role="admin").jwt for _ in range(4)]
    before = million.resident_kb
    clients = [open_export(million, million.jwt)]
    assert clients[0].recv(12) == b"HTTP/1.1 200"
    failure(million.request("GET", "/logs?format=csv"), 503, "busy")    # one of each account
    clients += [open_export(million, jwt) for jwt in others[:3]]
    for client in clients[1:]:
        assert client.recv(12) == b"HTTP/1.1 200"
    failure(million.request("GET", "/logs?format=csv", jwt=others[3]), 503, "busy")
    assert million.resident_kb - before < 8 * 1024
    for client in clients:
        client.close()
    wait_until(lambda: million.request("HEAD", "/logs?format=csv").status_code == 200,
               what="places of clients that left")


@pytest.mark.native
def test_many_searches_wait_for_each_other_and_not_on_the_storage_thread(million):
    def search():
        return million.request("GET", "/logs", params={"token_id": 78})
    answers = at_once(*[search] * 24)
    refused = [answer for answer in answers if answer.status_code != 200]
    assert 0 < len(refused) < 24 - 8
    for answer in refused:
        failure(answer, 503, "busy")
        assert answer.headers["retry-after"] == "1"
    assert logs(million, token_id=78)["total"] == 0


@pytest.mark.native
def test_a_long_export_is_whole_in_bounded_memory(million):
    before, lines = million.resident_kb, 0
    with million.http.stream("GET", "/api/v1/logs", params={"format": "csv", "stream": "true"},
                             headers={"Authorization": f"Bearer {million.jwt}"}) as response:
        assert response.status_code == 200
        tail = b""
        for piece in response.iter_raw():
            lines += piece.count(b"\n")
            tail = (tail + piece)[-400:]
    assert lines == 1 + ROWS // 2 and tail.endswith(b"\r\n")
    oldest = tail.decode().split("\r\n")[-2].split(",")
    assert int(oldest[0]) == million.first
    assert million.resident_kb - before < 8 * 1024
