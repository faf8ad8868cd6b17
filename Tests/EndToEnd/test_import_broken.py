# SPDX-License-Identifier: MIT
"""`tinygateway import` with files that are broken, foreign or hostile."""

import random
import sqlite3

import pytest

from foreign import new_api, one_api
from process import run
from test_import import bring


@pytest.mark.parametrize("make, expected", [
    (lambda path: None, "cannot be read"),
    (lambda path: path.mkdir(), "cannot be read"),
    (lambda path: path.write_bytes(b""), "no SQLite database"),
    (lambda path: path.write_bytes(b"SQLite format 3\0" + b"x" * 4096), "cannot be read"),
    (lambda path: sqlite3.connect(path).execute("CREATE TABLE users (id)"), "neither"),
    (lambda path: sqlite3.connect(path).executescript(
        "CREATE VIEW users AS SELECT 1 AS username, 1 AS quota; CREATE TABLE tokens (key, user_id,"
        " remain_quota); CREATE TABLE channels (type, key)"), "neither"),
], ids=["missing", "folder", "empty", "garbage", "other", "view"])
def test_what_is_no_such_database_is_refused(fresh, tmp_path, make, expected):
    path = tmp_path / "one-api.db"
    make(path)
    assert expected in bring(fresh, path, succeeds=False)


def test_a_database_with_unfinished_changes_is_refused(fresh, tmp_path):
    path = one_api(tmp_path / "one-api.db").close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("INSERT INTO options VALUES ('QuotaPerUnit', '1')")
    database.commit()
    assert "one-api.db-wal" in bring(fresh, path, succeeds=False)
    database.close()
    names = sorted(file.name for file in tmp_path.iterdir())
    bring(fresh, path)
    assert sorted(file.name for file in tmp_path.iterdir()) == names, "nothing is made beside it"


def test_damaged_and_hostile_files_end_with_a_sentence(make_gateway, tmp_path):
    gateway = make_gateway(start=False)
    source = one_api(tmp_path / "good.db")
    for number in range(2, 60):
        source.user(number, f"user{number}", quota=number, group=f"g{number % 5}")
        source.channel(f"channel {number}", number % 52, model_mapping='{"m": "n"}')
    source.option("ModelRatio", {f"m{number}": number for number in range(100)})
    good = source.close().read_bytes()
    chance = random.Random(20261125)
    path = tmp_path / "bad.db"
    for _ in range(40):
        data = bytearray(good)
        for _ in range(chance.randrange(1, 60)):
            data[chance.randrange(100, len(data))] = chance.randrange(256)
        path.write_bytes(data[:chance.choice([len(data), chance.randrange(200, len(data))])])
        result = run("import", path, "--data-dir", gateway.data_dir, "--dry-run")
        assert result.returncode in (0, 1), result.stdout
        assert result.returncode == 0 or "nothing was changed" in result.stdout


ODD = [None, -1, 2**63 - 1, -2**63, 1e300, "", "x", "12", "-5", b"\xff\xfe\x00", "\n\r\x01",
       "a," * 3000, "{", '{"a":', "[" * 100, '{"m":{"m":1}}', "sealed1$AAAA", "*" * 5000, "ünïcödé"]


def test_any_type_in_any_column(fresh, tmp_path):
    chance = random.Random(4)
    for round_ in range(12):
        made = (one_api, new_api)[round_ % 2](tmp_path / f"odd{round_}.db")
        for table in ("users", "tokens", "channels", "redemptions"):
            names = [row[1] for row in made.database.execute(f"PRAGMA table_info({table})")]
            for _ in range(60):
                values = {name: chance.choice([*ODD, 1, 1, "u" + str(chance.random())])
                          for name in names if name != "id" and chance.random() < 0.8}
                try:
                    made.add(table, **values)
                except sqlite3.IntegrityError:
                    pass
        for name in ("ModelRatio", "CompletionRatio", "GroupRatio", "QuotaPerUnit"):
            made.add("options", key=name, value=chance.choice(ODD))
        bring(fresh, made.close())
    fresh.start()
    assert "is left out" not in fresh.log, "what is imported must be valid here"
