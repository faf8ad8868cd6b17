# SPDX-License-Identifier: MIT
"""Rows written into the database of a stopped gateway, for what would take too long otherwise."""

import contextlib
import itertools
import sqlite3
import time

ROLES = {"user": 1, "admin": 10}


@contextlib.contextmanager
def opened(gateway):
    """The database of a stopped gateway; committed at the end."""
    assert gateway.process is None, "the gateway must be stopped"
    with contextlib.closing(sqlite3.connect(gateway.data_dir / "db.db")) as database:
        yield database
        database.commit()


def add_user(gateway, username, role="user", quota=None):
    """Adds an account with the password of root's; its id."""
    with opened(gateway) as database:
        return database.execute(
            "INSERT INTO users (username, password_hash, role, quota, status, "
            "must_change_password, created_at) "
            "SELECT ?, password_hash, ?, ?, 1, 0, ? FROM users WHERE role = 100",
            (username, ROLES[role], quota, int(time.time()))).lastrowid


def packed(value):
    """An unsigned number in seven bits a byte, the lowest first."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def detail(latency=900, first_byte=300, since_request=1 << 16, stream=False, failure=None):
    """The packed columns of a log row; `failure`: status, attempts and number of the kind."""
    flags = (1 if stream else 0) | (64 if failure else 0)
    blob = packed(flags) + packed(latency) + packed(latency - first_byte)
    blob += packed(since_request << 1)
    return blob + b"".join(map(packed, failure or ()))


def add_log_rows(gateway, count, user=1, rare_token=None):
    """Adds rows, ten a second up to a minute ago, of 40 tokens, 20 models and 5 channels.

    Every 100,000th is the rare token's. Returns ids of the first and of the last one.
    """
    details = [detail(900 + n, 100 + n, stream=n % 2 == 0) for n in range(15)]
    details.append(detail(failure=(502, 3, 8)))
    first = int(time.time()) - 60 - count // 10
    rows = (
        ((first + n // 10) << 16 | n % 10, user,
         rare_token if n % 100_000 == 50_000 else 1000 + n % 40, 1 + n % 5, 1 + n % 20,
         100 + n % 900, 50 + n % 400, details[n % 16])
        for n in range(count))
    with opened(gateway) as database:
        database.executemany(
            "INSERT OR IGNORE INTO models (id, name) VALUES (?, ?)",
            ((n, f"model-{n}") for n in range(1, 21)))
        while chunk := list(itertools.islice(rows, 50_000)):
            database.executemany(
                "INSERT INTO logs (id, user_id, token_id, channel_id, model_id, prompt_tokens, "
                "completion_tokens, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", chunk)
    return first << 16, (first + (count - 1) // 10) << 16 | (count - 1) % 10
