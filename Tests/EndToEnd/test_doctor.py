# SPDX-License-Identifier: MIT
"""`tinygateway doctor` and GET /api/v1/doctor; small flash through the real binary."""

import contextlib
import re
import socket
import sqlite3
import threading
import time

import httpx
import pytest

from process import free_port, run, wait_until
from test_logs import ask, logs

IDS = {"file_system", "journal_mode", "space", "clock", "name_resolution", "authorities", "memory",
       "kernel", "port", "password"}


def findings(result):
    """What the command printed, by id; several channels share one."""
    found = {}
    for line in result.stdout.splitlines():
        match = re.match(r"(ok|warning|error) +(\w+) +(.*)", line)
        if match:
            found.setdefault(match.group(2), []).append((match.group(1), match.group(3)))
    return found


def doctor(folder, *arguments):
    return run("doctor", "--data-dir", folder, *arguments)


@pytest.mark.short
def test_it_looks_at_a_new_device_and_changes_nothing(tmp_path):
    result = doctor(tmp_path, "--port", free_port())
    found = findings(result)
    assert IDS <= set(found), result.stdout
    assert found["password"] == [("ok", "there are no accounts yet")]
    assert found["port"][0][0] == "ok"
    assert list(tmp_path.iterdir()) == []
    levels = {level for kind in found.values() for level, _ in kind}
    assert result.returncode == (2 if "error" in levels else 1 if "warning" in levels else 0)


def test_the_first_password_is_an_error(fresh):
    fresh.start()
    fresh.stop()
    result = doctor(fresh.data_dir, "--port", free_port())
    assert result.returncode == 2
    level, _ = findings(result)["password"][0]
    assert level == "error" and "tinygateway passwd" in result.stdout


def test_it_tells_a_running_gateway_from_a_stranger(make_gateway):
    gateway = make_gateway()
    result = doctor(gateway.data_dir, "--port", gateway.port)
    assert "a gateway runs" in findings(result)["port"][0][1], result.stdout
    gateway.stop()
    with socket.create_server(("0.0.0.0", 0)) as stranger:
        result = doctor(gateway.data_dir, "--port", stranger.getsockname()[1])
        assert findings(result)["port"][0][0] == "error"
        assert result.returncode == 2


def test_it_names_channels_that_are_not_reached(make_gateway, upstream):
    gateway = make_gateway()
    gateway.channel(upstream.url(), ["doctor-good"], name="good")
    gateway.channel(f"http://127.0.0.1:{free_port()}", ["doctor-bad"], name="bad")
    data = gateway.call("GET", "/doctor")
    channels = {f["message"].split()[0]: f for f in data["findings"] if f["id"] == "channel"}
    assert channels["good"]["level"] == "ok"
    assert channels["bad"]["level"] == "warning" and "refused" in channels["bad"]["message"]
    assert all(f["advice"] for f in data["findings"] if f["level"] != "ok")
    assert data["status"] in ("warning", "error")
    kinds = {f["id"]: f for f in data["findings"]}
    assert IDS <= set(kinds)
    assert "served by this gateway" in kinds["port"]["message"]
    assert "root has a password of its own" in kinds["password"]["message"]
    # The command finds the same in the stopped gateway's database.
    gateway.stop()
    found = findings(doctor(gateway.data_dir, "--port", free_port()))
    levels = {text.split()[0]: level for level, text in found["channel"]}
    assert levels["good"] == "ok" and levels["bad"] == "warning"


def test_the_loop_goes_on_while_it_looks(make_gateway):
    gateway = make_gateway()
    with socket.socket() as deaf, contextlib.ExitStack() as waiting:
        # A full queue: further connections wait for an answer that never comes.
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            client = waiting.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(deaf.getsockname())
        gateway.channel(f"http://127.0.0.1:{deaf.getsockname()[1]}", ["doctor-slow"], name="slow")
        result, seconds = [], []
        thread = threading.Thread(target=lambda: result.append(gateway.call("GET", "/doctor")))
        began = time.monotonic()
        thread.start()
        with httpx.Client(base_url=gateway.url, trust_env=False, timeout=30) as other:
            while thread.is_alive():
                start = time.monotonic()
                assert other.get("/api/v1/health").status_code == 200
                seconds.append(time.monotonic() - start)
                time.sleep(0.05)
        took = time.monotonic() - began
    slow = next(f for f in result[0]["findings"] if f["message"].startswith("slow "))
    assert slow["level"] == "warning" and "timed out" in slow["message"]
    assert 2.5 < took < 10 and max(seconds) < 0.5


def test_a_damaged_database_is_an_error(make_gateway):
    gateway = make_gateway(start=False)
    (gateway.data_dir / "db.db").write_bytes(b"no database" * 1000)
    result = doctor(gateway.data_dir, "--port", free_port())
    assert findings(result)["journal_mode"][0][0] == "error"
    assert result.returncode == 2


def test_a_database_that_lost_its_contents_is_an_error(make_gateway):
    gateway = make_gateway()
    gateway.stop()
    for path in gateway.data_dir.glob("db.db*"):
        path.write_bytes(b"")
    (level, text), = findings(doctor(gateway.data_dir, "--port", free_port()))["journal_mode"]
    assert level == "error" and "it is empty" in text


def test_a_database_that_is_just_being_made_is_no_error(tmp_path):
    (tmp_path / "db.db").touch()
    found = findings(doctor(tmp_path, "--port", free_port()))
    assert found["journal_mode"][0][0] == "ok"
    assert found["password"] == [("ok", "there are no accounts yet")]


def test_a_wrong_configuration_has_the_status_of_an_error(tmp_path):
    (tmp_path / "config.yaml").write_text("journal_mode: fast\n")
    assert doctor(tmp_path).returncode == 2


def test_history_in_memory_leaves_the_flash_alone(make_gateway, upstream):
    gateway = make_gateway(
        history="memory", journal_mode="persist", log_limit_mb=1, flush_interval_ms=100)
    route = gateway.route(upstream, "echo")
    token = gateway.token(models=[route.model])
    assert ask(gateway, token["key"], route.model).status_code == 200
    wait_until(lambda: gateway.used_quota(token) > 0, what="a charge")
    wait_until(lambda: logs(gateway)["total"] == 1, what="a log row")
    used = gateway.used_quota(token)
    gateway.call("PUT", "/options", {"log_days": 7})
    gateway.stop()
    rows = sqlite3.connect(gateway.data_dir / "db.db")
    with contextlib.closing(rows):
        names = [name for name, in rows.execute("SELECT name FROM models")]
        assert route.model not in names
        for table in ("logs", "usage_days", "channel_hours"):
            assert rows.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    gateway.start()
    assert logs(gateway)["total"] == 0
    assert gateway.used_quota(token) == used
    assert gateway.call("GET", "/options")["log_days"] == 7
