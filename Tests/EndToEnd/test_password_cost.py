# SPDX-License-Identifier: MIT
"""What a password costs: measured once, kept, overruled; the relay does not wait for it."""

import os
import statistics
import threading
import time
from pathlib import Path

import pytest

from stopped import add_user, password_hash, query
from gateway import PASSWORD

MEASURED = "rounds on a password (measured once)"


def rounds(gateway, name="root"):
    """The rounds of an account's stored password."""
    (text,) = query(gateway, "SELECT password_hash FROM users WHERE username = ?", name)[0]
    return int(text.split("$")[1])


def test_the_device_is_measured_once(fresh):
    fresh.start()
    assert MEASURED not in fresh.log
    fresh.set_up()
    assert fresh.log.count(MEASURED) == 1
    fresh.stop()
    kept = int(query(fresh, "SELECT value FROM options WHERE name = 'password_rounds'")[0][0])
    assert 10_000 <= kept <= 1_000_000 and rounds(fresh) == kept
    fresh.log_lines.clear()
    fresh.start()
    fresh.login()
    assert MEASURED not in fresh.log
    fresh.stop()
    query(fresh, "DELETE FROM options WHERE name = 'password_rounds'")
    fresh.start()
    fresh.login()
    fresh.stop()
    assert fresh.log.count(MEASURED) == 1


def test_the_configuration_overrules_and_old_hashes_still_open(make_gateway):
    gateway = make_gateway(password_rounds=12_345)
    gateway.login()
    body = {"old_password": PASSWORD, "new_password": "another good password"}
    gateway.jwt = gateway.call("PUT", "/users/self/password", body)["token"]
    gateway.stop()
    assert rounds(gateway) == 12_345
    query(gateway, "UPDATE users SET password_hash = ? WHERE username = 'root'",
          password_hash(PASSWORD, 777))
    gateway.start()
    assert gateway.login(PASSWORD)["token"]
    gateway.stop()
    assert rounds(gateway) == 12_345, "a login gives the hash this device's cost"
    gateway.start()
    assert gateway.login(PASSWORD)["token"]


def processor_seconds(gateway):
    """What the gateway has spent, which a busy machine does not change."""
    fields = Path(f"/proc/{gateway.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.native
def test_a_dear_old_hash_does_not_tell_that_the_account_exists(make_gateway):
    gateway = make_gateway(start=False, password_rounds=10_000)
    add_user(gateway, "old")
    query(gateway, "UPDATE users SET password_hash = ? WHERE username = 'old'",
          password_hash("a password of theirs", 600_000))
    gateway.start()
    seconds = []
    for name in ("old", "nobody", "root"):
        before = processor_seconds(gateway)
        body = {"username": name, "password": "a wrong guess"}
        assert gateway.request("POST", "/auth/login", json=body, jwt="").status_code == 401
        seconds.append(processor_seconds(gateway) - before)
    assert max(seconds) < 2.5 * min(seconds), seconds


@pytest.mark.native
def test_the_relay_is_not_delayed_by_logins(make_gateway):
    gateway = make_gateway(password_rounds=1_000_000)
    stop = threading.Event()
    answers = []

    def log_in():
        while not stop.is_set():
            body = {"username": "root", "password": PASSWORD}
            answers.append(gateway.request("POST", "/auth/login", json=body, jwt="").status_code)

    threads = [threading.Thread(target=log_in) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        gateway.key()
        waited = []
        for _ in range(150):
            began = time.monotonic()
            assert gateway.get("/v1/models").status_code == 200
            waited.append(time.monotonic() - began)
            stop.wait(0.01)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert 200 in answers
    assert statistics.quantiles(waited, n=20)[-1] < 0.1, max(waited)
