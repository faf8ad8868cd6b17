# SPDX-License-Identifier: MIT
"""Backups that the gateway keeps: made by API, rotated, into another folder, never without need."""

import stat

import pytest

from backups import restored
from process import wait_until
from test_management_login import failure


def backups(gateway):
    return gateway.call("GET", "/backups")


@pytest.mark.short
def test_backups_by_api_are_listed_newest_first_and_rotated(make_gateway, tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    gateway = make_gateway(backup_dir=folder, backup_keep=2)
    assert backups(gateway) == {"directory": str(folder), "interval_hours": 24, "failure": None,
                                "recovery": None, "items": []}
    (folder / "other.db").write_bytes(b"not ours")
    (folder / "unfinished.tmp").write_bytes(b"of a killed program")
    made = [gateway.call("POST", "/backups") for _ in range(3)]
    assert [item["name"].split("-")[1] for item in made] == ["1", "2", "3"]
    assert backups(gateway)["items"] == [made[2], made[1]]
    assert gateway.items("/audit", "action=backup&")[0]["target"] == "kept"
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        ["other.db", made[1]["name"], made[2]["name"]])
    file = folder / made[2]["name"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.stat().st_size == made[2]["size"]
    gateway.token(name="after")
    restored(gateway, file.read_bytes())
    assert "after" not in {token["name"] for token in gateway.items("/tokens")}


def test_a_folder_that_is_not_there_is_said_and_never_made(make_gateway, tmp_path):
    gateway = make_gateway(backup_dir=tmp_path / "not-mounted")
    answer = failure(gateway.request("POST", "/backups"), 503, "storage_failed")
    assert "not-mounted" in answer
    assert "not-mounted" in backups(gateway)["failure"]
    assert not (tmp_path / "not-mounted").exists()
    assert gateway.call("GET", "/health")["storage"] == "ok", "the data directory is sound"
    wait_until(lambda: "no backup into" in gateway.log, what="a line of the log")


def test_only_root_may_see_and_make_them(make_gateway):
    gateway = make_gateway()
    gateway.call("POST", "/users", {"username": "ann", "password": "a password of hers",
                                    "role": "admin"})
    gateway.login("a password of hers", "ann")
    failure(gateway.request("GET", "/backups"), 403, "forbidden")
    failure(gateway.request("POST", "/backups"), 403, "forbidden")
