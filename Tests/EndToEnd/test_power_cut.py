# SPDX-License-Identifier: MIT
"""SIGKILL at random points under load, while settings change.

TINYGATEWAY_POWER_CUTS rounds (10), in turns with each journal mode; `make power-cut` does 200. Each
has TINYGATEWAY_POWER_SECONDS (0) more of load, so that flushes have found their pace. A kill leaves
to the kernel what was written: lost and torn writes are for the unit tests (PowerCutTests).
"""

import os
import random
import shutil
import sqlite3
import threading
import time
from contextlib import closing, suppress

import httpx
import pytest

from process import next_number, wait_until
from stopped import query
from test_sdk_chat import user

ROUNDS = int(os.environ.get("TINYGATEWAY_POWER_CUTS", "10"))
MORE = float(os.environ.get("TINYGATEWAY_POWER_SECONDS", "0"))
INTERVAL = 0.5
# Where a flush takes more than half of the interval, two of them may be lost. It waits for the
# change before it, so it takes no longer than two of the slowest changes.
FLUSH = 2
LATE = 0.1                              # and twice as late as a busy machine woke a thread here
MODES = [
    {}, {"journal_mode": "persist", "page_size": 1024}, {"journal_mode": "truncate"},
    {"journal_mode": "delete", "synchronous": "extra"}, {"locking_mode": "normal"}]


class Load:
    """Requests and changes of settings from several threads until the gateway is gone."""

    def __init__(self, gateway, model, token, names):
        self.gateway, self.model, self.token, self.names = gateway, model, token, names
        self.began, self.done = 0, []           # requests; times of those that were answered
        self.slowest = self.late = 0            # seconds: the slowest change, a thread's waking
        self.lock, self.is_over = threading.Lock(), False
        self.threads = [threading.Thread(target=self.work, args=(job,))
                        for job in (self.ask, self.ask, self.create, self.rename)]
        self.threads.append(threading.Thread(target=self.watch))
        for thread in self.threads:
            thread.start()

    def work(self, job):
        with httpx.Client(base_url=self.gateway.url, timeout=20, trust_env=False) as client:
            try:
                while not self.is_over:
                    job(client)
            except httpx.HTTPError:
                return

    def watch(self):
        while not self.is_over:
            began = time.monotonic()
            time.sleep(0.02)
            self.late = max(self.late, time.monotonic() - began - 0.02)

    @property
    def window(self):
        """Seconds within which the usage of an answer must be written."""
        return max(INTERVAL, 2 * FLUSH * self.slowest) + LATE + 2 * self.late

    def end(self):
        """Waits for the threads; somebody else may have the gateway's port meanwhile."""
        self.is_over = True
        for thread in self.threads:
            thread.join()

    def ask(self, client):
        with self.lock:
            self.began += 1
        answer = client.post(
            "/v1/chat/completions", json={"model": self.model, "messages": user("x")},
            headers={"Authorization": f"Bearer {self.token['key']}"})
        assert answer.status_code == 200, answer.text
        self.done.append(time.monotonic())

    def change(self, client, method, path, body):
        began = time.monotonic()
        try:
            answer = client.request(method, "/api/v1" + path, json=body,
                                    headers={"Authorization": f"Bearer {self.gateway.jwt}"})
        finally:
            self.slowest = max(self.slowest, time.monotonic() - began)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def create(self, client):
        made = self.change(client, "POST", "/tokens", {"name": f"made {next_number()}"})
        self.names[made["id"]] = {made["name"]}

    def rename(self, client):
        if not self.names:
            return
        number, name = random.choice(list(self.names)), f"renamed {next_number()}"
        self.names[number].add(name)            # may be there from now on
        self.change(client, "PUT", f"/tokens/{number}", {"name": name})
        self.names[number] = {name}             # and nothing else


@pytest.fixture
def boards(make_gateway, upstream):
    """A gateway of each mode with a route, a token to be charged, and what is acknowledged."""
    made = []
    for mode in MODES[:ROUNDS]:
        gateway = make_gateway(flush_interval_ms=int(INTERVAL * 1000), **mode)
        route, token = gateway.route(upstream, "echo"), gateway.token(name="charged")
        gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
        charge = gateway.used_quota(token)
        assert charge > 0
        gateway.stop()
        made.append((gateway, route.model, token, charge, {}))
    return made


def check_file(gateway, copy):
    """The file by itself, as another program sees it after the cut."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in gateway.data_dir.glob("db.db*"):
        shutil.copy(path, copy)
    with closing(sqlite3.connect(copy / "db.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.native
@pytest.mark.timeout(120 + (20 + 2 * MORE) * ROUNDS)
def test_power_is_cut_under_load(boards, tmp_path):
    seed = random.randrange(1 << 32)
    random.seed(seed)
    changes = lost = oldest = 0
    for number in range(ROUNDS):
        gateway, model, token, charge, names = boards[number % len(boards)]
        where = f"round {number} of seed {seed}, {gateway.config}"
        gateway.start()
        before = gateway.used_quota(token)
        load = Load(gateway, model, token, names)
        time.sleep(MORE + random.uniform(*(0.05, 1.0) if number % 4 else (1.2, 1.6)))
        cut = time.monotonic()
        gateway.kill()
        load.end()
        check_file(gateway, tmp_path / "copy")
        gateway.start()
        assert "damaged" not in gateway.log, where
        after = gateway.used_quota(token) - before
        known = sum(1 for done in load.done if done < cut - load.window)
        assert known * charge <= after <= load.began * charge, where
        lost = max(lost, len(load.done) - after // charge)
        found = {item["id"]: item["name"] for item in gateway.items("/tokens")}
        for made, possible in names.items():
            assert found.get(made) in possible, where
            names[made] = {found[made]}
        changes += len(names)
        oldest = max([oldest, *(cut - done for done in sorted(load.done)[after // charge:])])
        gateway.stop()
    assert changes > ROUNDS
    print(f"{ROUNDS} cuts, {changes} settings looked at, at most {lost} requests of usage lost, "
          f"the oldest {oldest:.2f} s before the cut (a flush each {INTERVAL} s)")


@pytest.mark.native
def test_power_is_cut_while_a_backup_is_written(make_gateway, upstream, tmp_path):
    card = tmp_path / "card"
    card.mkdir()
    gateway = make_gateway(start=False, flush_interval_ms=int(INTERVAL * 1000), backup_dir=card,
                           backup_logs="true", log_limit_mb=512)
    # So many rows that copying them takes the storage thread a while.
    query(gateway, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
          " INSERT INTO logs SELECT i, 1, 1, 1, 1, 1, 1, 1, zeroblob(300) FROM n", 200_000)
    gateway.start()
    route, token, names = gateway.route(upstream, "echo"), gateway.token(), {}
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    charge = gateway.used_quota(token)
    load = Load(gateway, route.model, token, names)
    wait_until(lambda: load.done and load.done[-1] > load.done[0] + 1.5 * load.window, 20, "load")
    due = time.monotonic() - load.window        # the backup itself begins with a flush
    asked = time.monotonic()
    backup = threading.Thread(target=ask_for_backup, args=(gateway,))
    backup.start()
    wait_until(lambda: any(path.stat().st_size > 1 << 20 for path in card.iterdir()),
               what="a part of the backup")
    behind = len(load.done)
    wait_until(lambda: len(load.done) > behind + 5, what="answers while it is written")
    cut = time.monotonic()
    gateway.kill()
    load.end()
    backup.join()
    left, = card.iterdir()
    assert left.suffix == ".tmp", "the backup was ready before the cut"
    check_file(gateway, tmp_path / "copy")
    gateway.start()
    used = gateway.used_quota(token) - charge
    known = sum(1 for done in load.done if done < due)
    assert 0 < known * charge <= used <= load.began * charge
    found = {item["id"]: item["name"] for item in gateway.items("/tokens")}
    assert all(found.get(made) in possible for made, possible in names.items())
    made = gateway.call("POST", "/backups")
    assert [path.name for path in card.iterdir()] == [made["name"]]
    print(f"cut {cut - asked:.2f} s after the backup was asked for: of {len(load.done)} answers "
          f"{used // charge} are counted, {len(names)} settings looked at")


def ask_for_backup(gateway):
    """Asks and is cut off."""
    with suppress(httpx.HTTPError):
        gateway.request("POST", "/backups")
