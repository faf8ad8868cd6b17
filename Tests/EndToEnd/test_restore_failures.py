# SPDX-License-Identifier: MIT
"""Restores that fail: bad files, clients that leave, kills, a full disk. Nothing is half done."""

import sqlite3
import threading
import time

import httpx
import pytest

from backups import PASSPHRASE, backup, changed, leftovers, restore, restored
from process import on_small_disk, wait_until
from test_management_login import failure


@pytest.fixture
def edited(tmp_path):
    """Changes a backup as somebody with an editor would; returns its bytes."""
    return lambda content, script: changed(content, tmp_path / "edited.db", script)


def test_bad_files_change_nothing(make_gateway, edited):
    gateway = make_gateway()
    gateway.token(name="still here")
    content = backup(gateway, {"passphrase": PASSPHRASE})
    foreign = edited(content, lambda db: db.execute("PRAGMA application_id=7"))
    newer = edited(content, lambda db: db.execute("PRAGMA user_version=900"))
    nobody = edited(content, lambda db: db.execute("UPDATE users SET role = 1"))
    orphan = edited(content, lambda db: db.execute("UPDATE tokens SET user_id = 99"))
    before = gateway.items("/tokens")
    for bad in (b"x", b"garbage" * 5000, content[:-5000], content[:100], foreign, newer, nobody,
                orphan, b"SQLite format 3\0" + bytes(8000)):
        failure(restore(gateway, bad), 400, "invalid_backup")
    assert "newer version" in failure(restore(gateway, newer), 400)
    failure(restore(gateway, content, "wrong horse battery"), 403, "wrong_passphrase")
    failure(restore(gateway, content, "short"), 400, "invalid_header")
    failure(restore(gateway, content, headers={"Content-Type": "text/plain"}), 415)
    failure(restore(gateway, b""), 400, "missing_body")
    assert gateway.items("/tokens") == before
    wait_until(lambda: not leftovers(gateway), what="files are removed")


def test_triggers_and_views_of_a_file_never_run(make_gateway, edited):
    gateway = make_gateway()
    gateway.token()

    def plant(database):
        database.execute("CREATE TABLE planted (a)")
        database.execute("CREATE VIEW seen AS SELECT * FROM users")
        database.execute("CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM tokens; END")
    count = len(gateway.items("/tokens"))
    assert restored(gateway, edited(backup(gateway), plant))["tokens"] == count
    gateway.stop()
    with sqlite3.connect(gateway.data_dir / "db.db") as database:
        names = {row[0] for row in database.execute("SELECT name FROM sqlite_master")}
    assert not names & {"planted", "seen", "t", "backup_key"}


def test_one_at_a_time_and_none_is_left_by_clients_that_leave(make_gateway):
    gateway = make_gateway()
    content = backup(gateway)

    def slowly():
        yield content[:1000]
        failure(gateway.request("GET", "/backup"), 409, "transfer_running")
        raise InterruptedError
    with pytest.raises(InterruptedError):
        restore(gateway, slowly())
    wait_until(lambda: gateway.request("GET", "/backup").status_code == 200, what="room")
    wait_until(lambda: not leftovers(gateway), what="files are removed")


def large(database):
    """Rows that take a restore a while."""
    database.executemany(
        "INSERT INTO tokens SELECT ?, user_id, 'many', randomblob(32), '', NULL, NULL, 0, '', '',"
        " '', 0, 0, 1, 1 FROM tokens WHERE id = (SELECT min(id) FROM tokens)",
        ((n,) for n in range(1000, 11_000)))
    database.executemany("INSERT INTO logs VALUES (?, 1, 1, 1, 0, 1, 1, NULL, x'00')",
                         ((n << 16,) for n in range(1, 50_000)))


def test_a_kill_in_the_middle_leaves_the_old_state_or_the_new_one(make_gateway, edited):
    gateway = make_gateway()
    gateway.token(name="before")
    content = edited(backup(gateway), large)
    original = backup(gateway)
    old = len(gateway.items("/tokens"))
    began = time.monotonic()
    assert restored(gateway, content)["tokens"] == old + 10_000
    whole = time.monotonic() - began            # what a restore takes on this machine
    restored(gateway, original)
    seen = set()
    for part in (0.05, 0.3, 0.6, 0.9):
        thread = threading.Thread(target=lambda: ignore_gone(gateway, content))
        thread.start()
        time.sleep(part * whole)                # the kill comes somewhere in the middle
        gateway.kill()
        thread.join()
        gateway.start()
        gateway.login()
        count = gateway.call("GET", "/tokens?page_size=1")["total"]
        assert count in (old, old + 10_000)
        seen.add(count)
        assert leftovers(gateway) == []
        assert gateway.get("/v1/models").status_code == 200
        if count != old:
            restored(gateway, original)
    assert old in seen
    gateway.stop()
    with sqlite3.connect(gateway.data_dir / "db.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def ignore_gone(gateway, content):
    """A restore whose gateway is killed meanwhile."""
    try:
        restore(gateway, content)
    except httpx.HTTPError:
        return


def test_a_backup_that_was_cut_off_by_a_kill_is_removed_at_the_start(make_gateway):
    gateway = make_gateway()
    gateway.kill()
    for name in ("backup.tmp", "restore.tmp", "db.db.restore-stage", "db.db.before-restore.new"):
        (gateway.data_dir / name).write_bytes(b"half")
    gateway.start()
    assert leftovers(gateway) == []


def test_a_full_disk_is_said_and_leaves_all_as_it_was(make_gateway, edited):
    source = make_gateway()
    content = edited(backup(source), large)
    gateway = make_gateway(start=False)
    gateway.wrapper = on_small_disk(gateway.data_dir, "2500k")
    gateway.start()
    before = gateway.items("/tokens")
    failure(restore(gateway, content), 507, "storage_full")     # announced: refused before
    failure(restore(gateway, iter([content])), 507, "storage_full")     # while it arrives
    assert gateway.items("/tokens") == before
    gateway.token(name="goes on")
    backup(gateway)
