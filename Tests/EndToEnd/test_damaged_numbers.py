# SPDX-License-Identifier: MIT
"""Numbers that no gateway writes, in every column of its database: it starts, serves and lists."""

import hashlib
import itertools
import json

import pytest

from accounts import create
from database import opened
from gateway import PASSWORD

EXTREMES = (-1 << 63, -1, (1 << 63) - 1)
HIGH = 10_000
"""Above the ids that the gateway has given."""
LISTS = (
    "/users", "/tokens", "/channels", "/channels/stats", "/channel-groups", "/user-groups",
    "/prices", "/redemptions", "/logs", "/audit")
OTHERS = (
    "/auth/tokens", "/model-fallbacks", "/options", "/health", "/users/self", "/users/self/prices",
    "/logs?format=csv", "/stats/summary", "/prices/export",
    "/stats?group_by=day,user,token,model&from=0001-01-01&until=9999-12-31")


def key(number):
    """The key of a token by its number."""
    return f"sk-{number:048}"


def key_hash(number):
    """What the database holds of it."""
    return hashlib.sha256(key(number).encode()).digest()


def columns(database, table):
    """Name, type and whether it belongs to the primary key, of each column."""
    return [(name, kind, part > 0) for _, name, kind, _, _, part in
            database.execute(f"PRAGMA table_info({table})")]


def insert(database, table, row):
    """Adds a row from a dictionary."""
    database.execute(
        f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
        tuple(row.values()))


def first(database, table, where="1"):
    """The first row of a table as a dictionary."""
    cursor = database.execute(f"SELECT * FROM {table} WHERE {where} LIMIT 1")
    row = cursor.fetchone()
    assert row is not None, f"{table} is empty: nothing of it would be tested"
    return dict(zip((column[0] for column in cursor.description), row))


def spread(database, table, base, numbers):
    """Adds a copy of a row for each whole number in it and each extreme; the rows added."""
    added = []
    for name, kind, is_key in columns(database, table):
        if kind != "INTEGER":
            continue
        for value in EXTREMES:
            number = next(numbers)
            row = {**base, name: value}
            if "id" in row and name != "id" and table != "usage":
                row["id"] = number
            for unique in ("username", "name", "model"):
                if unique in row:
                    row[unique] = f"{table} {number}"
            for unique in ("key_hash", "code_hash", "id_hash", "jti"):
                if unique in row:
                    row[unique] = key_hash(number)[:len(row[unique])]
            insert(database, table, row)
            added.append((number, row))
    return added


def damage(gateway, user):
    """Fills every table with extremes; the numbers of the tokens."""
    numbers = itertools.count(HIGH)
    with opened(gateway) as database:
        token = {**first(database, "tokens"), "quota": 9_000_000_000_000}
        account = {**first(database, "users", f"id = {user}"), "quota": 9_000_000_000_000}
        use = first(database, "usage")
        tokens = spread(database, "tokens", token, numbers)
        for _, owner in spread(database, "users", account, numbers):
            number = next(numbers)
            tokens.append((number, {**token, "id": number, "user_id": owner["id"],
                                    "key_hash": key_hash(number)}))
            insert(database, "tokens", tokens[-1][1])
        for owner, (name, value) in itertools.product(
                (1, 2), itertools.product(("used_micro", "period_start", "accessed_at"), EXTREMES)):
            number = next(numbers)
            insert(database, "users", {**account, "id": number, "username": f"u{number}"})
            tokens.append((number, {**token, "id": number, "user_id": number, "quota_period": 1,
                                    "key_hash": key_hash(number)}))
            insert(database, "tokens", tokens[-1][1])
            insert(database, "usage", {**use, "owner": owner, "id": number, name: value})
        for (table,) in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' "
                "AND name NOT LIKE 'sqlite_%'").fetchall():
            if table not in ("tokens", "users", "options"):
                spread(database, table, first(database, table), numbers)
    return [number for number, _ in tokens]


def prepare(gateway, upstream):
    """Puts a row into every table; what serves, and the id of an ordinary account."""
    route = gateway.route(upstream, "echo")
    user = create(gateway, quota=1000)
    gateway.call("POST", "/prices", {"model": "priced", "prompt": "1"})
    gateway.call("POST", "/redemptions", {"name": "gift", "quota": 10, "count": 1})
    gateway.call("POST", "/auth/tokens", {"name": "script"})
    gateway.call("POST", "/user-groups", {"name": "others"})
    gateway.sdk(gateway.token()["key"]).chat.completions.create(
        model=route.model, messages=[{"role": "user", "content": "x"}])
    body = {"username": "root", "password": PASSWORD}
    assert gateway.request("POST", "/auth/session", jwt="", json=body).status_code == 200
    ended = gateway.jwt
    gateway.login()
    assert gateway.request("POST", "/auth/logout", jwt=ended).status_code == 200
    return route, user["id"]


@pytest.mark.short
def test_no_number_in_the_database_ends_the_program(make_gateway, upstream):
    gateway = make_gateway()
    route, user = prepare(gateway, upstream)
    gateway.stop()
    tokens = damage(gateway, user)
    gateway.restart()
    gateway.login()
    statuses = set()
    body = json.dumps({"model": route.model, "max_tokens": 5,
                       "messages": [{"role": "user", "content": "x"}]})
    for number in tokens:
        answer = gateway.post("/v1/chat/completions", body, key=key(number))
        statuses.add(answer.status_code)
        for call in ("subscription", "usage"):
            gateway.get(f"/v1/dashboard/billing/{call}", key=key(number))
    assert statuses >= {200, 401, 429}, "served, unknown and used up: each kind is met"
    for path in LISTS:
        assert gateway.items(path), path
    for path in OTHERS:
        answer = gateway.request("GET", path)
        assert answer.status_code == 200, (path, answer.text)
    gateway.call("PUT", f"/users/{user}", {"quota": 2000})  # and its audit row
