# SPDX-License-Identifier: MIT
"""Start, stop, restart, kill: nothing acknowledged is lost, no stream is cut without need."""

import re
import signal
import socket
import threading
import time

import openai
import pytest

import payloads
from gateway import PASSWORD, Gateway
from process import PATIENCE, run, wait_until
from test_sdk_chat import collect, user


@pytest.mark.short
def test_the_first_start_makes_the_data_directory(fresh):
    fresh.start()
    assert f"Server started on http://0.0.0.0:{fresh.port}" in fresh.log
    assert (fresh.data_dir / "config.yaml").is_file()
    assert (fresh.data_dir / "db.db").is_file()
    assert fresh.data_dir.stat().st_mode & 0o077 == 0
    assert (fresh.data_dir / "db.db").stat().st_mode & 0o077 == 0
    assert any("123456" in line or "password" in line.lower() for line in fresh.log_lines), \
        "each start must warn while the first password is unchanged"


@pytest.mark.short
def test_a_restart_keeps_everything(make_gateway, upstream):
    gateway = make_gateway()
    route, token = gateway.route(upstream, "echo"), gateway.token(quota=500)
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    channel = gateway.call("GET", f"/channels/{route.channel['id']}")
    gateway.restart()
    assert gateway.login(PASSWORD)["must_change_password"] is False
    assert gateway.call("GET", f"/channels/{channel['id']}") == channel
    answer = gateway.sdk(token["key"]).chat.completions.create(
        model=route.model, messages=user("again"))
    assert answer.choices[0].message.content == "again"
    assert route.requests()[-1].key == "sk-upstream-key-1", "channel keys must survive"
    assert gateway.used_quota(token) >= 16


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_ordinary_stop_is_quick_and_clean(make_gateway, number):
    gateway = make_gateway()
    began = time.monotonic()
    gateway.signal(number)
    assert gateway.wait() == 0
    assert time.monotonic() - began < 3 * PATIENCE
    gateway.process = None


def test_a_stop_finishes_the_stream_that_runs(make_gateway, upstream):
    gateway = make_gateway()
    route = gateway.route(upstream, "slow-stream:20")
    stream = iter(gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True))
    next(stream)
    gateway.signal()
    assert collect(stream)[0] == payloads.POEM
    assert gateway.wait() == 0
    gateway.process = None


def test_a_stopping_gateway_accepts_nothing_new(make_gateway, upstream):
    gateway = make_gateway()
    route = gateway.route(upstream, "slow-stream:30")
    stream = iter(gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True))
    next(stream)
    gateway.signal()
    time.sleep(0.3)
    with pytest.raises(OSError):
        with socket.create_connection(("127.0.0.1", gateway.port), 2) as client:
            client.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: a\r\n\r\n")
            if client.recv(100) == b"":
                raise ConnectionResetError
    list(stream)
    assert gateway.wait() == 0
    gateway.process = None


def test_a_stop_ends_a_stream_at_the_deadline(make_gateway, upstream):
    gateway = make_gateway(stop_timeout_ms=500)
    route = gateway.route(upstream, "stall:3")
    stream = iter(gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True))
    next(stream)
    began = time.monotonic()
    gateway.signal()
    assert gateway.wait() == 0
    assert time.monotonic() - began < 3 * PATIENCE
    with pytest.raises(openai.APIError):
        list(stream)
    gateway.process = None


@pytest.mark.parametrize("journal", [
    {}, {"journal_mode": "persist"}, {"journal_mode": "truncate"},
    {"journal_mode": "delete", "synchronous": "extra"}, {"locking_mode": "normal"}],
    ids=lambda value: " ".join(value.values()) or "default")
def test_an_acknowledged_setting_survives_a_lost_power_line(make_gateway, upstream, journal):
    gateway = make_gateway(**journal)
    for round_ in range(4):
        route, token = gateway.route(upstream, "echo"), gateway.token(models=["a", "b"])
        gateway.call("PUT", f"/tokens/{token['id']}", {"name": f"renamed {round_}"})
        gateway.kill()
        gateway.start()
        assert gateway.call("GET", f"/channels/{route.channel['id']}")["name"]
        found = gateway.call("GET", f"/tokens/{token['id']}")
        assert (found["name"], found["models"]) == (f"renamed {round_}", ["a", "b"])


def test_a_kill_amid_writes_leaves_a_sound_database(make_gateway):
    gateway = make_gateway()
    for _ in range(3):
        acknowledged = []

        def create():
            while True:
                try:
                    acknowledged.append(gateway.token()["id"])
                except Exception:
                    return

        writer = threading.Thread(target=create)
        writer.start()
        time.sleep(0.3)
        gateway.process.kill()
        writer.join()
        gateway.kill()
        gateway.start()
        assert acknowledged
        for number in acknowledged[-5:]:
            gateway.call("GET", f"/tokens/{number}")


def test_two_gateways_cannot_share_a_data_directory_or_say_so(make_gateway):
    gateway = make_gateway()
    result = run("serve", "--data-dir", gateway.data_dir, "--port", gateway.port)
    assert result.returncode not in (0, -6, -11)
    sentence = "another process uses the database: stop the gateway that is running already\n"
    assert result.stdout == f"tinygateway: {gateway.data_dir / 'db.db'}: {sentence}"
    assert run("passwd", "--data-dir", gateway.data_dir, stdin="x\n").stdout == sentence
    assert gateway.get("/v1/models").status_code == 200


@pytest.fixture
def taken():
    """A port that another program listens on."""
    with socket.create_server(("0.0.0.0", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use_leaves_the_data_clean(fresh, taken):
    result = run("serve", "--data-dir", fresh.data_dir, "--port", taken)
    assert result.returncode == 1
    assert f"port {taken} is already in use; stop the other program" in result.stdout
    fresh.start()
    fresh.login("123456")
    assert not any("not clean" in line for line in fresh.log_lines), fresh.log


def test_nothing_is_announced_before_every_port_is_open(make_gateway, taken):
    gateway = make_gateway(start=False)
    result = run("serve", "--data-dir", gateway.data_dir, "--port", 0, "--tls-port", taken)
    assert result.returncode == 1
    assert f"port {taken} is already in use" in result.stdout and "--tls-port" in result.stdout
    assert "Server started" not in result.stdout


def test_the_log_level_is_read_again_on_sighup(make_gateway):
    gateway = make_gateway()
    config = gateway.data_dir / "config.yaml"
    before = len(gateway.log_lines)
    lines = [line for line in config.read_text().splitlines() if not line.startswith("log_level")]
    config.write_text("\n".join([*lines, "log_level: error"]) + "\n")
    gateway.signal(signal.SIGHUP)
    time.sleep(0.5)
    quiet_from = len(gateway.log_lines)
    gateway.get("/v1/models")
    gateway.post("/v1/chat/completions", '{"model":"no-such-model","messages":[]}')
    time.sleep(0.3)
    assert len(gateway.log_lines) == quiet_from, gateway.log_lines[before:]
    config.write_text("\n".join([*lines, "log_level: info"]) + "\n")
    gateway.signal(signal.SIGHUP)
    time.sleep(0.5)
    gateway.post("/v1/chat/completions", '{"model":"no-such-model","messages":[]}')
    time.sleep(0.3)
    assert len(gateway.log_lines) > quiet_from


def test_a_failing_supply_has_usage_written_at_once(make_gateway, upstream):
    gateway = make_gateway(flush_interval_ms=600_000)
    route = gateway.route(upstream, "echo")
    wal = gateway.data_dir / "db.db-wal"
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    before = wal.stat().st_size
    gateway.signal(signal.SIGPWR)
    wait_until(lambda: wal.stat().st_size > before, what="the write-ahead log grows")
    for _ in range(9):                  # most of them come while a flush is under way
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
        gateway.signal(signal.SIGPWR)
    for weight in 2, 3:                 # behind the flush under way, and behind the one after it
        gateway.call("PUT", f"/channels/{route.channel['id']}", {"weight": weight})
    gateway.kill()
    gateway.start()
    gateway.login()
    assert [item["model"] for item in gateway.items("/logs")] == 10 * [route.model]


def test_a_bad_file_at_sighup_is_reported_and_ignored(make_gateway):
    gateway = make_gateway()
    config = gateway.data_dir / "config.yaml"
    config.write_text("log_level: noisy\n")
    gateway.signal(signal.SIGHUP)
    time.sleep(0.5)
    assert any("log_level" in line for line in gateway.log_lines)
    assert gateway.get("/v1/models").status_code == 200


def test_the_log_never_shows_a_key_or_a_prompt(make_gateway, upstream):
    gateway = make_gateway(arguments=["--log-level", "debug"])
    route = gateway.route(upstream, "echo", keys=["sk-very-secret-channel-key-1"])
    token = gateway.token()
    gateway.sdk(token["key"]).chat.completions.create(
        model=route.model, messages=user("the-prompt-of-this-test"))
    with pytest.raises(openai.AuthenticationError):
        gateway.sdk("sk-unknown-but-secret-all-the-same").models.list()
    time.sleep(0.2)
    for secret in ("very-secret-channel", token["key"], "unknown-but-secret", PASSWORD,
                   "the-prompt-of-this-test", gateway.jwt):
        assert secret not in gateway.log


def test_a_request_is_logged_with_its_id_and_figures(make_gateway, upstream):
    gateway = make_gateway()
    route = gateway.route(upstream, "echo")
    answer = gateway.sdk().chat.completions.with_raw_response.create(
        model=route.model, messages=user("x"))
    request_id = answer.headers["x-oneapi-request-id"]
    line = wait_until(
        lambda: next((line for line in gateway.log_lines if request_id in line), None),
        what="the log line of a request")
    assert route.model in line and "200" in line


@pytest.fixture
def unread(make_gateway):
    """A gateway whose log is a pipe that nobody reads, and that is full."""
    gateway = make_gateway(start=False)
    gateway.leaves_log = True
    gateway.start()
    for _ in range(2000):
        assert gateway.post("/v1/chat/completions", "{").status_code == 400
    return gateway


@pytest.mark.native
def test_a_log_that_nobody_reads_is_lost_in_part_and_counted(unread):
    unread.leaves_log = False
    unread.read_log()
    told = wait_until(
        lambda: re.search(r"warn (\d+) log lines were lost because nobody read them", unread.log),
        what="the number of lost lines")
    kept = sum(" status=400 " in line for line in unread.log_lines)
    assert kept > 100 and kept + int(told.group(1)) == 2000
    answer = unread.post("/v1/chat/completions", "{")
    request_id = answer.headers["x-oneapi-request-id"]
    wait_until(lambda: request_id in unread.log, what="the lines after the lost ones")


@pytest.mark.native
def test_a_log_that_nobody_reads_does_not_hold_the_stop_up(unread):
    unread.stop()


def test_a_log_whose_reader_is_gone_changes_nothing(make_gateway):
    gateway = make_gateway(start=False)
    gateway.leaves_log = True
    gateway.start()
    gateway._reader.join()
    gateway.process.stdout.close()
    for _ in range(200):
        assert gateway.post("/v1/chat/completions", "{").status_code == 400
    gateway.stop()


def test_the_start_is_fast(make_gateway):
    gateway = make_gateway(start=False)
    began = time.monotonic()
    gateway.start()
    assert time.monotonic() - began < 2 * PATIENCE
    assert isinstance(gateway, Gateway)
