# SPDX-License-Identifier: MIT
"""A database that is damaged, cut short or gone: kept aside, the newest good backup restored."""

import re

import pytest

from gateway import PASSWORD
from process import run

JUNK = b"\xa5" * 4096


def stored(gateway):
    """The backups that the gateway keeps, newest first."""
    return gateway.call("GET", "/backups")


def files(gateway, prefix):
    """Names in the data directory that begin so."""
    return sorted(path.name for path in gateway.data_dir.iterdir() if path.name.startswith(prefix))


def contents(gateway):
    """All files in the data directory that are not empty."""
    return {path.name: path.read_bytes() for path in gateway.data_dir.iterdir()
            if path.is_file() and path.stat().st_size}


def damage(gateway, what):
    """Damages the database of a stopped gateway."""
    path = gateway.data_dir / "db.db"
    content = path.read_bytes()
    path.write_bytes({
        "header": JUNK + content[4096:], "middle": content[:8192] + JUNK + content[12288:],
        "half": content[:len(content) // 2], "empty": b""}[what])


def with_backups(make_gateway, **config):
    """A running gateway whose two backups know the token `old`, and of which `new` is lost."""
    gateway = make_gateway(**config)
    gateway.token(name="old")
    for _ in range(2):
        gateway.call("POST", "/backups")
    gateway.token(name="new")
    return gateway


def names(gateway):
    return {token["name"] for token in gateway.items("/tokens")}


@pytest.mark.short
def test_a_damaged_database_gives_way_to_the_newest_good_backup(make_gateway, upstream):
    gateway = make_gateway()
    route = gateway.route(upstream, "echo")
    gateway.token(name="old")
    gateway.call("POST", "/backups")
    newest = gateway.call("POST", "/backups")
    gateway.token(name="new")
    gateway.stop()
    damage(gateway, "middle")
    bad = (gateway.data_dir / "db.db").read_bytes()
    gateway.start()
    assert "db.db is damaged" in gateway.log and "is lost" in gateway.log
    assert gateway.get("/v1/models").status_code == 200, "clients go on with their keys"
    gateway.login(PASSWORD)
    assert "old" in names(gateway) and "new" not in names(gateway)
    recovery = stored(gateway)["recovery"]
    assert recovery["backup"] == newest["name"] and recovery["reason"]
    kept = gateway.data_dir / "db.db.damaged-1"
    assert recovery["kept"] == str(kept) and kept.read_bytes() == bad
    rows = gateway.items("/audit", "action=restore&")
    assert newest["name"] in rows[0]["target"]
    gateway.sdk().chat.completions.create(
        model=route.model, messages=[{"role": "user", "content": "x"}])
    assert route.requests()[-1].key == "sk-upstream-key-1", "channel keys must open"
    gateway.restart()
    gateway.login(PASSWORD)
    assert stored(gateway)["recovery"] is None
    assert "old" in names(gateway)


@pytest.mark.parametrize("config, what", [
    ({}, "header"), ({}, "half"), ({}, "empty"), ({}, "gone"),
    ({"journal_mode": "persist", "page_size": 1024}, "middle")], ids=lambda v: str(v))
def test_every_kind_of_damage(make_gateway, config, what):
    gateway = with_backups(make_gateway, **config)
    if what == "half":
        gateway.kill()                                  # with a journal beside it
    else:
        gateway.stop()
    if what == "gone":
        (gateway.data_dir / "db.db").unlink()
    else:
        damage(gateway, what)
    gateway.start()
    gateway.login(PASSWORD)
    assert "old" in names(gateway) and "new" not in names(gateway)
    assert files(gateway, "db.db.recover") == []
    assert bool(files(gateway, "db.db.damaged-")) == (what != "gone")


def test_damaged_backups_are_passed_over_and_few_bad_files_are_kept(make_gateway):
    gateway = with_backups(make_gateway)
    first, second = [gateway.data_dir / "backups" / item["name"]
                     for item in reversed(stored(gateway)["items"])]
    second.write_bytes(second.read_bytes()[:-4096])
    for number in range(1, 4):
        gateway.stop()
        damage(gateway, "header")
        gateway.start()
        gateway.login(PASSWORD)
        assert stored(gateway)["recovery"]["backup"] == first.name
        assert f"db.db.damaged-{number}" in files(gateway, "db.db.damaged-")
    assert f"{second} is of no use" in gateway.log
    assert files(gateway, "db.db.damaged-") == ["db.db.damaged-2", "db.db.damaged-3"]


@pytest.mark.parametrize("what", ["middle", "empty"])
def test_without_a_backup_it_says_so_and_changes_nothing(make_gateway, tmp_path, what):
    gateway = make_gateway()
    gateway.token(name="old")
    gateway.stop()
    backup = tmp_path / "by-hand.db"
    assert run("backup", backup, "--data-dir", gateway.data_dir).returncode == 0
    damage(gateway, what)
    before = contents(gateway)
    result = run("serve", "--data-dir", gateway.data_dir, "--port", 0)
    assert result.returncode == 1
    assert re.search("db.db is damaged .*has no good backup: run tinygateway restore FILE",
                     result.stdout), result.stdout
    assert contents(gateway) == before
    result = run("restore", backup, "--data-dir", gateway.data_dir)
    assert result.returncode == 0 and "kept as" in result.stdout, result.stdout
    gateway.start()
    gateway.login(PASSWORD)
    assert "old" in names(gateway)


def test_what_a_power_cut_interrupts_is_ended_at_the_next_start(make_gateway):
    gateway = with_backups(make_gateway)
    gateway.stop()
    good = (gateway.data_dir / "db.db").read_bytes()
    (gateway.data_dir / "db.db.recovered").write_bytes(good)
    (gateway.data_dir / "db.db-wal").write_bytes(JUNK)     # of the bad one: must not be applied
    (gateway.data_dir / "db.db.recovering").write_bytes(JUNK)
    damage(gateway, "header")
    gateway.start()
    gateway.login(PASSWORD)
    assert {"old", "new"} <= names(gateway)
    assert (gateway.data_dir / "db.db.damaged-1-wal").read_bytes() == JUNK
    assert files(gateway, "db.db.recovered") == []
