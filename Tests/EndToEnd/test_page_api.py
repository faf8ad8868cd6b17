# SPDX-License-Identifier: MIT
"""What the web pages ask for: state, configuration, names of models, the log as it grows."""

import contextlib
import subprocess
import time

import pytest

from database import add_user, opened
from gateway import PASSWORD
from process import EMULATOR, is_release, on_small_disk, run, wait_until
from test_management_login import failure
from test_sdk_chat import user

SECRET = "a-bearer-token-for-prometheus"


def status(gateway):
    return gateway.call("GET", "/status")


def log_in(gateway, username):
    """The JWT of an account that has root's password."""
    body = {"username": username, "password": PASSWORD}
    return gateway.call("POST", "/auth/login", body)["token"]


# State

@pytest.mark.short
def test_the_state_is_told(make_gateway, upstream):
    gateway = make_gateway(time_zone="Asia/Shanghai", memory_limit_mb=24)
    state = status(gateway)
    version = run("--version").stdout
    assert f"tinygateway {state['version']}\n{state['swift']}, {state['target']}\n" in version
    assert f"SQLite {state['sqlite']}\n" in version
    assert f"Mbed TLS {state['mbedtls']}\n" in version
    assert (state["swift"] == "Embedded Swift") == is_release()
    now = time.time()
    assert now - 60 < state["started_at"] <= state["now"] <= now
    assert 0 <= state["uptime_seconds"] < 60
    assert (state["clock"], state["time_zone"], state["board"]) == ("ok", "Asia/Shanghai", None)
    assert state["first_password"] is False
    assert state["memory_limit_bytes"] == 24 << 20
    assert 0 < state["machine_available_bytes"] < state["machine_memory_bytes"]
    assert EMULATOR or abs(state["resident_bytes"] / 1024 - gateway.resident_kb) < 2048
    assert state["client_connections"] >= 1 and state["relays"] == 0
    assert (state["storage"], state["storage_message"], state["storage_since"]) == (
        "ok", None, None)
    assert state["data_dir"] == str(gateway.data_dir)
    assert 0 < state["free_bytes"] < state["total_bytes"]
    files = sum(f.stat().st_size for f in gateway.data_dir.glob("db.db*"))
    assert 0 < state["database_bytes"] <= files
    assert 0 <= state["log_bytes"] < state["database_bytes"]
    assert state["log_limit_bytes"] == 64 << 20
    assert state["dropped_log_rows"] == state["failed_flushes"] == 0


def test_what_is_written_is_counted_and_asking_writes_nothing(make_gateway, upstream):
    gateway = make_gateway(flush_interval_ms=100)
    route = gateway.route(upstream, "echo")
    before = status(gateway)["written_bytes"]
    assert before > 0
    for _ in range(3):
        state = status(gateway)
        assert state["written_bytes"] == before
    assert state["written_bytes_today"] in (before, 0)      # 0: it was midnight meanwhile
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    after = wait_until(lambda: (now := status(gateway)["written_bytes"]) > before and now,
                       what="a flush is counted")
    # A flush is a few pages.
    assert 4096 <= after - before < 300_000
    gateway.restart()
    gateway.login()
    assert status(gateway)["written_bytes"] < before + 100_000


@pytest.mark.native
def test_a_full_disk_is_told_until_it_is_over(make_gateway, upstream):
    gateway = make_gateway(start=False, flush_interval_ms=100, wal_autocheckpoint_pages=16)
    gateway.wrapper = on_small_disk(gateway.data_dir, "6m")
    gateway.start()
    began = int(time.time())
    route = gateway.route(upstream, "echo")
    seen = f"/proc/{gateway.process.pid}/root{gateway.data_dir}"
    filler = f"{seen}/filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    state = wait_until(lambda: (now := status(gateway))["storage"] != "ok" and now)
    assert state["storage"] == "full" and "full" in state["storage_message"]
    assert began <= state["storage_since"] <= time.time()
    assert state["failed_flushes"] >= 1
    subprocess.run(["rm", filler], check=True)
    wait_until(lambda: status(gateway)["storage"] == "ok", what="the disk has space again")
    assert status(gateway)["storage_since"] is None


def test_a_first_password_is_told(make_gateway):
    gateway = make_gateway(start=False)
    add_user(gateway, "carl", "admin")
    with opened(gateway) as database:
        database.execute("UPDATE users SET must_change_password = 1 WHERE username = 'root'")
    gateway.start()
    gateway.jwt = log_in(gateway, "carl")
    assert status(gateway)["first_password"] is True


# Configuration

@pytest.mark.short
def test_the_configuration_is_told_without_its_secrets(make_gateway):
    gateway = make_gateway(
        start=False, env={"TINYGATEWAY_METRICS_TOKEN": SECRET}, log_level="warn")
    with open(gateway.data_dir / "config.yaml", "a") as file:
        file.write("\nretries: 5\n")
    gateway.start()
    answer = gateway.request("GET", "/config")
    assert SECRET not in answer.text
    data = answer.json()["data"]
    assert data["file"] == str(gateway.data_dir / "config.yaml") and data["board_file"] == ""
    items = {item["key"]: item for item in data["items"]}
    checked = run("check-config", "--data-dir", gateway.data_dir).stdout
    assert list(items) == [line.split(":")[0] for line in checked.splitlines()
                           if ": " in line and not line.startswith("#")]
    lines = (gateway.data_dir / "config.yaml").read_text().splitlines()
    retries = items["retries"]
    assert (retries["value"], retries["source"]) == ("5", "file")
    assert lines[retries["line"] - 1] == "retries: 5" and retries["place"] == data["file"]
    assert retries["default"] != "5" and retries["reload"] is True and retries["section"]
    level = items["log_level"]
    assert (level["value"], level["source"], level["line"]) == ("warn", "command_line", None)
    token = items["metrics_token"]
    assert (token["value"], token["secret"], token["is_set"]) == (None, True, True)
    assert token["source"] == "environment"
    assert items["initial_root_password"]["is_set"] is False
    assert items["stop_timeout_ms"]["source"] == "default"
    assert items["stop_timeout_ms"]["value"] == items["stop_timeout_ms"]["default"] == "10000"


# Models

def test_models_are_those_of_the_callers_groups(make_gateway, upstream):
    gateway = make_gateway(start=False)
    add_user(gateway, "ann")
    gateway.start()
    gateway.call("POST", "/channel-groups", {"name": "vip"})
    gateway.channel(upstream.url(), ["b", "a"])
    gateway.channel(upstream.url(), ["c"], groups=["vip"])
    off = gateway.channel(upstream.url(), ["d"])
    gateway.call("PUT", f"/channels/{off['id']}", {"status": "disabled"})
    ann = log_in(gateway, "ann")

    def models(jwt=None, **parameters):
        return gateway.request("GET", "/models", jwt=jwt, params=parameters)

    for jwt in (None, ann):
        assert models(jwt).json()["data"] == ["a", "b"]
        assert models(jwt, channel_group="default").json()["data"] == ["a", "b"]
    assert models(channel_group="vip").json()["data"] == ["c"]
    failure(models(ann, channel_group="vip"), 403, "group_not_allowed")
    failure(models(ann, channel_group="none"), 403, "group_not_allowed")
    failure(models(channel_group="none"), 400, "invalid_parameter")
    group = next(g for g in gateway.items("/user-groups") if g["name"] == "default")
    gateway.call("PUT", f"/user-groups/{group['id']}", {"channel_groups": ["default", "vip"]})
    assert models(ann).json()["data"] == ["a", "b", "c"]
    assert models(ann, channel_group="vip").json()["data"] == ["c"]


# The log as it grows

def test_the_tail_of_the_log_shows_what_is_not_written_yet(make_gateway, upstream):
    gateway = make_gateway(flush_interval_ms=3_600_000)
    route = gateway.route(upstream, "echo")

    def ask():
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))

    def tail(after, **more):
        answer = gateway.request("GET", "/logs", params={"after": after, **more}).json()["data"]
        assert answer["total"] is None and answer["total_is_capped"] is False
        return answer

    ask()
    first = gateway.call("GET", "/logs")["items"][0]["id"]
    assert tail(first)["items"] == []
    written = status(gateway)["written_bytes"]
    for number in range(1, 6):
        ask()
        assert len(tail(first)["items"]) == number
    page = tail(first, page_size=2)
    seen = [row["id"] for row in page["items"]]
    while page["next_before"]:
        page = tail(first, page_size=2, before=page["next_before"])
        seen += [row["id"] for row in page["items"]]
    assert seen == [row["id"] for row in tail(first)["items"]] == sorted(seen, reverse=True)
    assert len(seen) == 5 and min(seen) > first
    assert status(gateway)["written_bytes"] == written
    gateway.restart()
    gateway.login()
    assert [row["id"] for row in tail(first)["items"]] == seen
    ask()
    assert len(tail(first)["items"]) == 6 and len(tail(seen[0])["items"]) == 1
    assert tail(9_223_372_036_854_775_807)["items"] == []
    failure(gateway.request("GET", "/logs?after=x"), 400, "invalid_parameter")
