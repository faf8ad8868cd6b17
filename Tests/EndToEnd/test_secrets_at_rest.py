# SPDX-License-Identifier: MIT
"""No secret is readable on the disk, in the log, in a backup or in an answer."""

import base64
import shutil

import pytest

from gateway import PASSWORD
from process import run
from test_sdk_chat import user

VENDOR_KEY = "sk-vendor-Zq8wKx41nB"
HEADER_VALUE = "header-Jt52hVbc90"
PASSPHRASE = "passphrase-Rw7 long enough"
NEW_PASSWORD = "password-Lm3 for everyone"


def forms(secret):
    """How a secret might lie somewhere: as it is, and in base64 or hexadecimal."""
    raw = secret.encode()
    return [raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")[:-1]]


def places(gateway, answers, other):
    """Everything that somebody might read, by name."""
    found = {path.name: path.read_bytes()
             for folder in (gateway.data_dir, other) for path in folder.rglob("*")
             if path.is_file() and path.name != "secret.key"}
    return {**found, "log": gateway.log.encode(), **answers}


@pytest.mark.short
@pytest.mark.parametrize("journal", ["wal", "persist"])
def test_no_secret_lies_anywhere(make_gateway, upstream, tmp_path, journal):
    gateway = make_gateway(journal_mode=journal, log_level="debug")
    route = gateway.route(upstream, "echo", keys=[VENDOR_KEY], headers={"X-Api-Key": HEADER_VALUE})
    channel = f"/channels/{route.channel['id']}"
    token = gateway.token()
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    assert route.requests()[-1].key == VENDOR_KEY
    gateway.call("PUT", channel, {"name": "edited"})
    body = {"old_password": PASSWORD, "new_password": NEW_PASSWORD}
    gateway.jwt = gateway.call("PUT", "/users/self/password", body)["token"]
    answers = {path: gateway.request("GET", path).content for path in (
        "/channels", channel, "/channels/stats", "/tokens", f"/tokens/{token['id']}",
        "/users/self", f"/explain?token_id={token['id']}&model={route.model}", "/backup")}
    sealed = gateway.request("POST", "/backup", json={"passphrase": PASSPHRASE})
    answers["sealed backup"] = sealed.content
    failed = gateway.request(
        "POST", "/restore", content=sealed.content, headers={
            "Content-Type": "application/vnd.sqlite3", "X-Backup-Passphrase": PASSPHRASE + "?"})
    assert failed.status_code == 403
    restored = gateway.request(
        "POST", "/restore", content=sealed.content, headers={
            "Content-Type": "application/vnd.sqlite3", "X-Backup-Passphrase": PASSPHRASE})
    assert restored.status_code == 200, restored.text
    gateway.login(NEW_PASSWORD)
    other = tmp_path / "other"
    other.mkdir()
    while_running = shutil.copytree(gateway.data_dir, other / "running")
    gateway.stop()
    (other / "p").write_text(PASSPHRASE)
    made = run("backup", other / "made.db", "--passphrase-file", other / "p",
               "--data-dir", gateway.data_dir)
    assert made.returncode == 0, made.stdout
    (other / "p").unlink()
    secret = (gateway.data_dir / "secret.key").read_text().strip()
    read = places(gateway, answers, other)
    assert any("before-restore" in name for name in read) and (while_running / "db.db").exists()
    for name in (VENDOR_KEY, HEADER_VALUE, token["key"], PASSWORD, NEW_PASSWORD, PASSPHRASE):
        for form in forms(name):
            assert [place for place, content in read.items() if form in content] == [], name
    for form in (secret.encode(), bytes.fromhex(secret)):
        assert [place for place, content in read.items() if form in content] == []


def test_everything_is_private(make_gateway, upstream):
    gateway = make_gateway()
    gateway.route(upstream, "echo")
    content = gateway.request("GET", "/backup").content
    gateway.request("POST", "/restore", content=content,
                    headers={"Content-Type": "application/vnd.sqlite3"})
    modes = {path.name: path.stat().st_mode & 0o777 for path in gateway.data_dir.iterdir()}
    assert {"db.db", "secret.key", "db.db.before-restore"} <= modes.keys()
    assert {name for name, mode in modes.items() if mode != 0o600} == set(), modes


def test_a_new_data_directory_is_private(fresh):
    fresh.start()
    assert fresh.data_dir.stat().st_mode & 0o777 == 0o700
    for path in fresh.data_dir.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
