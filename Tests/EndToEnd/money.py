# SPDX-License-Identifier: MIT
"""What the database of a stopped gateway says about charges, and people to charge."""

import contextlib
import hashlib
import sqlite3

from process import next_number, wait_until
from test_sdk_chat import collect, user

MICRO = 1_000_000
USER, TOKEN = 1, 2


def expect_used(gateway, token, amount):
    """A token's used quota, in whole units, becomes this and no more."""
    wait_until(lambda: gateway.used_quota(token) >= amount, what=f"used_quota {amount}")
    assert gateway.used_quota(token) == amount


def ask(gateway, token, model, stream=False, **more):
    """One chat completion with a token; drains a stream."""
    answer = gateway.sdk(token["key"]).chat.completions.create(
        model=model, messages=user("x"), stream=stream, **more)
    return collect(answer) if stream else answer


def database(gateway):
    """The database of a stopped gateway; closed at the end of the block, after a commit."""
    @contextlib.contextmanager
    def opened():
        connection = sqlite3.connect(gateway.data_dir / "db.db")
        try:
            with connection:
                yield connection
        finally:
            connection.close()
    return opened()


class People:
    """Users and tokens that are put into the database of a stopped gateway."""

    def __init__(self, gateway):
        self.gateway, self.keys = gateway, {}

    def group(self, name, ratio_millionths):
        """A user group with a ratio."""
        with database(self.gateway) as rows:
            rows.execute(
                "INSERT INTO user_groups (name, channel_groups, created_at, ratio) "
                "VALUES (?, 'default', 1, ?)", (name, ratio_millionths))

    def user(self, group="default", quota=None):
        """A user; the id."""
        with database(self.gateway) as rows:
            return rows.execute(
                "INSERT INTO users (username, password_hash, role, user_group, quota, status, "
                "must_change_password, created_at, session_epoch) "
                "VALUES (?, '', 1, ?, ?, 1, 0, 1, 0)",
                (f"person {next_number()}", group, quota)).lastrowid

    def token(self, user, quota=None):
        """A user's token; its id, whose key is in `keys`."""
        key = f"sk-{next_number():048}"
        with database(self.gateway) as rows:
            number = rows.execute(
                "INSERT INTO tokens (user_id, name, key_hash, key_hint, quota, quota_period, "
                "allowed_ips, models, channel_group, rpm, tpm, status, created_at) "
                "VALUES (?, 't', ?, '', ?, 0, '', '', '', 0, 0, 1, 1)",
                (user, hashlib.sha256(key.encode()).digest(), quota)).lastrowid
        self.keys[number] = key
        return number


class Books:
    """Both sides of the account: what log rows say, and what users and tokens have used."""

    def __init__(self, gateway):
        with database(gateway) as rows:
            charge = f"ifnull(charge, (prompt_tokens + completion_tokens) * {MICRO})"
            self.by_user = dict(rows.execute(
                f"SELECT user_id, sum({charge}) FROM logs GROUP BY 1"))
            self.by_token = dict(rows.execute(
                f"SELECT token_id, sum({charge}) FROM logs GROUP BY 1"))
            self.used = {
                owner: dict(rows.execute(
                    "SELECT id, used_micro FROM usage WHERE owner = ?", (owner,)))
                for owner in (USER, TOKEN)}
            self.rows, self.charged = rows.execute(
                f"SELECT count(*), total({charge} > 0) FROM logs").fetchone()
            self.details = [LogDetail(*row) for row in rows.execute(
                "SELECT id, token_id, charge, detail FROM logs ORDER BY id")]

    def expect_balance(self):
        """Not a millionth may be missing on either side, of anybody."""
        for owner, sums in ((USER, self.by_user), (TOKEN, self.by_token)):
            logged = {id: total for id, total in sums.items() if total}
            used = {id: total for id, total in self.used[owner].items() if total}
            assert logged == used, f"owner kind {owner}: rows say {logged}, sums say {used}"
        return self


class LogDetail:
    """The packed part of a log row; see LogDetail.swift."""

    def __init__(self, number, token, charge, blob):
        self.token, self.charge = token, charge
        numbers = self.unpacked(blob)
        flags = next(numbers)
        self.is_stream, self.is_estimated = bool(flags & 1), bool(flags & 2)
        self.is_client_gone = bool(flags & 4)
        for _ in range(3):
            next(numbers)
        self.cached = next(numbers) if flags & 32 else 0
        unusual = [next(numbers) for _ in range(3)] if flags & 64 else [200, 1, 0]
        self.status, self.attempts, self.error_kind = unusual

    @staticmethod
    def unpacked(blob):
        """LEB128 numbers."""
        value = shift = 0
        for byte in blob:
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                yield value
                value = shift = 0
