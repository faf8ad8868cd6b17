# SPDX-License-Identifier: MIT
"""Writes requests as One API does, each by itself: five transactions with SQLite.

usage: python3 flash_rows.py FOLDER REQUESTS KEY=VALUE…    the keys are those of a board file
"""

import pathlib
import sqlite3
import sys
import time

SCHEMA = """
CREATE TABLE users (id INTEGER PRIMARY KEY, quota INTEGER, used_quota INTEGER, requests INTEGER);
CREATE TABLE tokens (id INTEGER PRIMARY KEY, remain INTEGER, used INTEGER, accessed INTEGER);
CREATE TABLE channels (id INTEGER PRIMARY KEY, used INTEGER);
CREATE TABLE logs (id INTEGER PRIMARY KEY, user_id INTEGER, created_at INTEGER, type INTEGER,
  content TEXT, username TEXT, token_name TEXT, model_name TEXT, quota INTEGER,
  prompt_tokens INTEGER, completion_tokens INTEGER, channel_id INTEGER);
CREATE INDEX logs_time ON logs (created_at, type);
CREATE INDEX logs_model ON logs (model_name, username);
INSERT INTO users VALUES (1, 1000000000, 0, 0);
INSERT INTO tokens VALUES (1, 1000000000, 0, 0);
INSERT INTO channels VALUES (1, 0);
"""
REQUEST = [
    # What the request may cost is taken before it, the rest is settled after it.
    ("UPDATE users SET quota = quota - 500 WHERE id = 1", False),
    ("UPDATE tokens SET remain = remain - 500, used = used + 500, accessed = ? WHERE id = 1", True),
    ("INSERT INTO logs (user_id, created_at, type, content, username, token_name, model_name,"
     " quota, prompt_tokens, completion_tokens, channel_id) VALUES (1, ?, 2, 'ratio 1.00, 1.00',"
     " 'root', 'laptop', 'gpt-4o-mini', 120, 40, 80, 1)", True),
    ("UPDATE users SET used_quota = used_quota + 120, requests = requests + 1 WHERE id = 1", False),
    ("UPDATE channels SET used = used + 120 WHERE id = 1", False),
]


def main():
    """Makes the database with the settings and writes so many requests."""
    folder, requests = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    settings = dict(word.split("=", 1) for word in sys.argv[3:])
    database = sqlite3.connect(folder / "db.db", isolation_level=None)
    for pragma in ("locking_mode", "page_size", "journal_mode", "synchronous"):
        database.execute(f"PRAGMA {pragma}={settings[pragma]}").fetchall()
    database.execute(f"PRAGMA cache_size=-{settings['cache_kb']}")
    database.execute(f"PRAGMA wal_autocheckpoint={settings['wal_autocheckpoint_pages']}").fetchall()
    limit = int(settings["journal_size_limit_kb"]) << 10
    database.execute(f"PRAGMA journal_size_limit={limit}").fetchall()
    database.executescript(SCHEMA)
    (folder / "begun").write_text("from here on, says the trace", encoding="utf-8")
    for number in range(requests):
        for sql, has_time in REQUEST:
            database.execute(sql, (int(time.time()) + number,) if has_time else ())
    database.close()


if __name__ == "__main__":
    main()
