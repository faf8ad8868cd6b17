# SPDX-License-Identifier: MIT
"""Backup and restore: over the management API and on the command line."""

import shutil
import sqlite3
import threading
import time

import httpx
import pytest

from backups import PASSPHRASE, backup, changed, leftovers, new_board, restored, served_key
from gateway import PASSWORD, Gateway
from process import PATIENCE, run, wait_until
from test_management_login import failure
from test_sdk_chat import user


@pytest.fixture
def edited(tmp_path):
    """Changes a backup as somebody with an editor would; returns its bytes."""
    return lambda content, script: changed(content, tmp_path / "edited.db", script)


@pytest.mark.short
def test_one_file_moves_everything_to_another_board(make_gateway, fresh, upstream):
    old = make_gateway()
    route = old.route(upstream, "echo", keys=["sk-vendor-key-7"],
                      headers={"X-Api-Key": "header-secret-7"})
    token = old.token(quota=1000, name="laptop")
    assert served_key(old, route, token["key"]) == "sk-vendor-key-7"
    used = wait_until(lambda: old.used_quota(token), what="usage")
    content = backup(old, {"passphrase": PASSPHRASE})
    new = new_board(fresh)
    before = (new.data_dir / "secret.key").read_bytes()
    data = restored(new, content, PASSPHRASE)
    assert data["channels"] == 1 and data["users"] == 1 and data["locked_channels"] == []
    assert served_key(new, route, token["key"]) == "sk-vendor-key-7"
    assert route.requests()[-1].header("x-api-key") == ["header-secret-7"]
    assert new.used_quota(token) >= used
    assert new.call("GET", f"/tokens/{token['id']}")["name"] == "laptop"
    new.restart()
    assert served_key(new, route, token["key"]) == "sk-vendor-key-7"
    assert (new.data_dir / "secret.key").read_bytes() == before
    assert (new.data_dir / "db.db.before-restore").stat().st_mode & 0o777 == 0o600
    assert leftovers(old) == leftovers(new) == []


def test_without_the_passphrase_channels_are_locked_and_named(make_gateway, fresh, upstream):
    old = make_gateway()
    route = old.route(upstream, "echo")
    for body in (None, {"passphrase": PASSPHRASE}):
        content = backup(old, body)
        if fresh.process is None:
            new_board(fresh)
        data = restored(fresh, content)
        assert data["locked_channels"] == [
            {"id": route.channel["id"], "name": route.channel["name"]}]
        channel = fresh.call("GET", f"/channels/{route.channel['id']}")
        assert channel["status"] == "auto_disabled" and "secret.key" in channel["status_reason"]


def test_the_same_board_needs_no_passphrase(make_gateway, upstream):
    gateway = make_gateway()
    route = gateway.route(upstream, "echo")
    content = backup(gateway, query="?logs=0")
    key = gateway.token()
    gateway.call("DELETE", f"/channels/{route.channel['id']}")
    assert restored(gateway, content)["locked_channels"] == []
    assert served_key(gateway, route, gateway.key()) == "sk-upstream-key-1"
    assert gateway.get("/v1/models", key["key"]).status_code == 401
    assert gateway.token()["id"] > key["id"], "an id came back"


def test_a_backup_gives_no_login_away(make_gateway, tmp_path):
    gateway = make_gateway()
    path = tmp_path / "copy.db"
    path.write_bytes(backup(gateway, {"passphrase": PASSPHRASE}))
    with sqlite3.connect(path) as database:
        names = {row[0] for row in database.execute("SELECT name FROM options")}
        sessions = database.execute("SELECT count(*) FROM sessions").fetchone()[0]
    assert "jwt_secret" not in names and sessions == 0
    content = path.read_bytes()
    assert (gateway.data_dir / "secret.key").read_bytes().strip() not in content
    with sqlite3.connect(f"file:{gateway.data_dir}/db.db?mode=ro&immutable=1", uri=True) as own:
        found = own.execute("SELECT value FROM options WHERE name = 'jwt_secret'").fetchone()
    assert found is None or found[0] not in content


def test_logs_stay_out_when_asked(make_gateway, upstream, tmp_path):
    gateway = make_gateway(flush_interval_ms=100)
    route = gateway.route(upstream, "echo")
    served_key(gateway, route, gateway.key())

    def rows(content):
        path = tmp_path / "rows.db"
        path.write_bytes(content)
        with sqlite3.connect(path) as database:
            return database.execute("SELECT count(*) FROM logs").fetchone()[0]
    wait_until(lambda: rows(backup(gateway)) > 0, what="a log row in the backup")
    assert rows(backup(gateway, query="?logs=0")) == 0
    assert rows(backup(gateway, {"passphrase": PASSPHRASE, "logs": False})) == 0


def test_a_backup_under_load_is_whole(make_gateway, upstream, tmp_path):
    gateway = make_gateway(flush_interval_ms=100)
    route = gateway.route(upstream, "echo")
    gateway.key()
    ended, failures = threading.Event(), []

    def load():
        while not ended.is_set():
            try:
                gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
            except Exception as error:                  # noqa: BLE001
                failures.append(error)
                return
    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in range(5):
            path = tmp_path / f"{number}.db"
            path.write_bytes(backup(gateway))
            with sqlite3.connect(path) as database:
                assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        last = path.read_bytes()
        restored(gateway, last)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert not failures, failures
    assert served_key(gateway, route, gateway.key()) == "sk-upstream-key-1"


def test_only_root_may(make_gateway, edited):
    gateway = make_gateway()
    restored(gateway, edited(backup(gateway), lambda database: database.execute(
        "INSERT INTO users SELECT 50, 'admin', password_hash, 10, user_group, quota, status,"
        " must_change_password, created_at, session_epoch FROM users WHERE role = 100")))
    admin = gateway.call("POST", "/auth/login", {"username": "admin", "password": PASSWORD})
    for method, path in (("GET", "/backup"), ("POST", "/backup"), ("POST", "/restore")):
        failure(gateway.request(method, path, jwt="nonsense"), 401)
        failure(gateway.request(method, path, jwt=admin["token"]), 403, "forbidden")
    for body in ({}, {"passphrase": "short"}, {"passphrase": "x" * 129}, {"passphrase": 7}):
        failure(gateway.request("POST", "/backup", json=body), 400)
    failure(gateway.request("GET", "/backup?logs=2"), 400, "invalid_parameter")


def test_a_slow_reader_costs_little_memory(make_gateway, edited):
    gateway = make_gateway()

    def fill(database):
        database.executemany("INSERT INTO logs VALUES (?, 1, 1, 1, 0, 1, 1, NULL, ?)",
                             ((n << 16, bytes(200)) for n in range(1, 40_000)))
    restored(gateway, edited(backup(gateway), fill))
    headers = {"Authorization": f"Bearer {gateway.jwt}"}
    with httpx.stream("GET", gateway.url + "/api/v1/backup", headers=headers, timeout=60,
                      trust_env=False) as response:
        size = int(response.headers["content-length"])
        assert size > 8_000_000
        received = 0
        before = gateway.resident_kb
        for chunk in response.iter_raw(65536):
            received += len(chunk)
            if received < 1_000_000:
                time.sleep(0.01)                # the reader is slow; nothing is waited for
        assert received == size
        assert gateway.resident_kb < before + 4000


def test_management_tokens_of_the_backup_work_again_and_are_told(make_gateway):
    gateway = make_gateway()
    kept, leaked = (gateway.call("POST", "/auth/tokens", {"name": name}) for name in ("a", "b"))
    content = backup(gateway)
    gateway.call("DELETE", f"/auth/tokens/{leaked['id']}")
    assert gateway.request("GET", "/channels", jwt=leaked["token"]).status_code == 401
    assert restored(gateway, content)["management_tokens"] == 2
    line = "management tokens of the backup that work again, deleted or not: 2"
    wait_until(lambda: line in gateway.log, what="the line about management tokens")
    for token in (kept, leaked):
        assert gateway.request("GET", "/channels", jwt=token["token"]).status_code == 200


@pytest.mark.short
def test_the_command_line_does_the_same(make_gateway, upstream, tmp_path):
    old = make_gateway()
    route = old.route(upstream, "echo")
    key = old.key()
    file, secret = tmp_path / "b.db", tmp_path / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    data = ["--data-dir", old.data_dir]
    busy = run("backup", file, *data)
    assert busy.returncode == 1 and "stop the gateway" in busy.stdout and not file.exists()
    old.stop()
    made = run("backup", file, "--passphrase-file", secret, "--without-logs", *data)
    assert made.returncode == 0 and "complete" in made.stdout, made.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    again = run("backup", file, *data)
    assert again.returncode == 1 and "exists already" in again.stdout
    folder = tmp_path / "new"
    secret.write_text("another passphrase\n")
    wrong = run("restore", file, "--passphrase-file", secret, "--data-dir", folder)
    assert wrong.returncode == 1 and "passphrase" in wrong.stdout
    locked = run("restore", file, "--data-dir", folder)
    assert locked.returncode == 0 and "is off" in locked.stdout, locked.stdout
    secret.write_text(PASSPHRASE)
    done = run("restore", file, "--passphrase-file", secret, "--data-dir", folder)
    assert done.returncode == 0 and "is off" not in done.stdout, done.stdout
    assert "1 user, 1 token, 1 channel, 0 management tokens. What was there is kept" in done.stdout
    first = run("restore", file, "--data-dir", tmp_path / "first")
    assert first.returncode == 0 and "0 management tokens.\n" in first.stdout, first.stdout
    assert not list((tmp_path / "first").glob("db.db.before-restore*"))
    with Gateway(folder) as new:
        new.login()
        assert served_key(new, route, key) == "sk-upstream-key-1"
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"no database")
    refused = run("restore", garbage, "--data-dir", folder)
    assert refused.returncode == 1 and "damaged" in refused.stdout
    missing = run("restore", tmp_path / "nothing", "--data-dir", folder)
    assert missing.returncode == 1 and "does not exist" in missing.stdout


def test_a_request_from_before_a_restore_touches_no_quota_of_its_successor(
        make_gateway, upstream):
    first, second = make_gateway(), make_gateway()
    route = second.route(upstream, "echo")
    old, new = (each.token(quota_period="daily", quota=1000) for each in (first, second))
    assert old["id"] == new["id"]
    served_key(second, route, new["key"])
    used = wait_until(lambda: second.used_quota(new), what="usage")
    content = backup(second)
    asked, replaced = threading.Event(), threading.Event()

    def body():
        yield b'{"messages":[{"role":"user","content":"x"}],'
        asked.set()
        assert replaced.wait(20)
        yield f'"model":"{models[0]}"}}'.encode()

    def request():
        answers.append(httpx.post(
            f"http://127.0.0.1:{first.port}/v1/chat/completions", content=body(), timeout=30,
            headers={"Authorization": f"Bearer {old['key']}"}))
    models, answers, thread = [], [], threading.Thread(target=request)
    thread.start()
    assert asked.wait(20)
    restored(first, content)
    models.append(first.route(upstream, "echo").model)
    replaced.set()
    thread.join()
    assert answers[0].status_code == 200
    assert first.used_quota(new) == used
    first.restart()
    first.login()
    assert first.used_quota(new) == used, "the period of another token was begun"


def test_a_state_from_before_a_restore_can_itself_be_restored(make_gateway, fresh):
    gateway = make_gateway()
    mine = gateway.token(name="mine")
    content = backup(new_board(fresh))
    restored(gateway, content)
    assert mine["id"] not in [token["id"] for token in gateway.items("/tokens")]
    gateway.stop()
    kept = shutil.copy(gateway.data_dir / "db.db.before-restore", gateway.data_dir / "kept")
    done = run("restore", kept, "--data-dir", gateway.data_dir, timeout=30 * PATIENCE)
    assert done.returncode == 0, done.stdout
    gateway.start().login()
    assert mine["name"] in [token["name"] for token in gateway.items("/tokens")]
