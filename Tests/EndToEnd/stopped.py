# SPDX-License-Identifier: MIT
"""Accounts and logins made from outside: rows in a stopped gateway's database, signed JWTs."""

import base64
import hashlib
import hmac
import json
import os
import sqlite3
import time
from contextlib import closing

ROLES = {"user": 1, "admin": 10, "root": 100}


def query(gateway, sql, *values):
    """Runs one statement on a stopped gateway's database; returns its rows."""
    assert gateway.process is None, "the database belongs to the running gateway"
    with closing(sqlite3.connect(gateway.data_dir / "db.db")) as database, database:
        return database.execute(sql, values).fetchall()


def password_hash(password, rounds=10_000):
    """A password as the gateway stores it."""
    salt = os.urandom(16)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, rounds)
    return "$".join(("pbkdf2-sha256", str(rounds), base64.b64encode(salt).decode(),
                     base64.b64encode(digest).decode()))


def add_user(gateway, username, role="user", password="a password of theirs", enabled=True,
             must_change=False):
    """Makes an account in a stopped gateway; returns its id."""
    query(gateway, "INSERT INTO users (username, password_hash, role, user_group, quota, status,"
          " must_change_password, created_at, session_epoch) VALUES (?,?,?,?,?,?,?,?,?)",
          username, password_hash(password), ROLES[role], "default", None, 1 if enabled else 2,
          int(must_change), int(time.time()), 0)
    return query(gateway, "SELECT id FROM users WHERE username = ?", username)[0][0]


def signing_secret(gateway):
    """What a stopped gateway signs JWTs with."""
    value = query(gateway, "SELECT value FROM options WHERE name = 'jwt_secret'")[0][0]
    return value if isinstance(value, bytes) else value.encode()


def encode(value):
    """Base64url of bytes, or of a value as JSON."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def sign(secret, user_id, epoch=0, age=0, header=None, **claims):
    """A JWT of an account, right but for what is given."""
    now = int(time.time()) - age
    payload = {"sub": str(user_id), "iat": now, "nbf": now, "exp": now + 86_400,
               "jti": os.urandom(16).hex(), "epoch": epoch, **claims}
    text = f"{encode(header or {'alg': 'HS256', 'typ': 'JWT'})}.{encode(payload)}"
    return f"{text}.{encode(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"
