# SPDX-License-Identifier: MIT
"""Tokens: limits per minute, whose they are, lists of them, and ten thousand at once."""

import hashlib
import json
import time

import openai
import pytest

from gateway import PASSWORD
from process import IS_EMULATED, is_release
from test_management_login import failure
from test_quota_periods import ask, database
from test_sdk_chat import user

ROLES = {"user": 1, "admin": 10, "root": 100}


# Requests and tokens per minute

@pytest.mark.short
def test_so_many_requests_a_minute_are_served(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token(rpm=2)
    first, second, third = (ask(gateway, token, route.model) for _ in range(3))
    assert (first.status_code, second.status_code, third.status_code) == (200, 200, 429)
    error = third.json()["error"]
    assert (error["code"], error["type"]) == ("rate_limit_exceeded", "requests")
    assert "2 requests a minute" in error["message"]
    assert 50 <= int(third.headers["retry-after"]) <= 60
    for answer, left in ((first, "1"), (second, "0"), (third, "0")):
        assert answer.headers["x-ratelimit-limit-requests"] == "2"
        assert answer.headers["x-ratelimit-remaining-requests"] == left
        assert answer.headers["x-ratelimit-reset-requests"].endswith("s")
        assert "x-ratelimit-limit-tokens" not in answer.headers
    with pytest.raises(openai.RateLimitError):
        gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    assert len(route.requests()) == 2
    # The limit is lifted at once.
    gateway.call("PUT", f"/tokens/{token['id']}", {"rpm": None})
    answer = ask(gateway, token, route.model)
    assert answer.status_code == 200 and "x-ratelimit-limit-requests" not in answer.headers


def test_tokens_are_held_and_corrected(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token(tpm=1000)

    def ask_for(count, stream=False):
        return gateway.post("/v1/chat/completions", key=token["key"], body=json.dumps({
            "model": route.model, "messages": user("x"), "max_tokens": count, "stream": stream}))

    for number in range(3):             # each holds 900 and uses 16
        answer = ask_for(900, stream=number == 1)
        assert answer.status_code == 200
        left = int(answer.headers["x-ratelimit-remaining-tokens"])
        assert 80 - 16 * number <= left <= 100 - 16 * number
    refused = ask_for(960)
    assert refused.status_code == 429
    assert refused.json()["error"]["type"] == "tokens"
    assert refused.headers["x-ratelimit-remaining-tokens"] == str(1000 - 3 * 16)
    assert 50 <= int(refused.headers["retry-after"]) <= 60
    assert ask_for(900).status_code == 200


def test_more_than_the_limit_is_served_alone_and_failures_give_back(gateway, upstream):
    failing, route = gateway.route(upstream, "status:500"), gateway.route(upstream, "echo")
    token = gateway.token(tpm=10)
    assert ask(gateway, token, failing.model).status_code >= 500
    assert ask(gateway, token, route.model).status_code == 200
    assert ask(gateway, token, route.model).status_code == 429


def test_a_refusal_by_a_limit_is_a_row_of_the_log_and_costs_nothing(make_gateway, upstream):
    own = make_gateway()
    route, token = own.route(upstream, "echo"), own.token(rpm=1, quota=100)
    for status in (200, 429, 429):
        assert ask(own, token, route.model).status_code == status
    assert own.used_quota(token) == 16
    with database(own) as connection:
        query = "SELECT count(*) FROM logs WHERE token_id = ?"
        assert connection.execute(query, (token["id"],)).fetchone() == (3,)
    lines = [line for line in own.log_lines if f"token={token['id']} " in line]
    assert len([line for line in lines if " status=429 " in line]) == 2


# Fields

def test_limits_and_periods_are_shown_and_survive_a_restart(make_gateway, upstream):
    own = make_gateway()
    fields = {"rpm": 5, "tpm": 70, "quota_period": "monthly", "quota": 1000,
              "allowed_ips": ["127.0.0.0/8", "::ffff:10.0.0.0/104", "2001:DB8::1/128"]}
    token = own.token(**fields)
    shown = {**fields, "allowed_ips": ["127.0.0.0/8", "10.0.0.0/8", "2001:db8::1"]}
    assert {name: token[name] for name in fields} == shown
    assert token["accessed_at"] is None
    path, route = f"/tokens/{token['id']}", own.route(upstream, "echo")
    assert ask(own, token, route.model).status_code == 200
    used = own.call("GET", path)
    assert abs(used["accessed_at"] - time.time()) < 30
    own.restart()
    assert own.call("GET", path) == used
    cleared = own.call("PUT", path, {"rpm": None, "tpm": None, "quota_period": "none"})
    assert (cleared["rpm"], cleared["tpm"], cleared["quota_period"]) == (None, None, "none")


@pytest.mark.parametrize("change", [
    {"rpm": 0}, {"rpm": 1_000_001}, {"tpm": 0}, {"tpm": 1_000_000_001}, {"rpm": "1"},
    {"quota_period": "weekly"}, {"user_id": 999_999}, {"user_id": 0}, {"user_id": None}])
def test_a_wrong_limit_is_named(gateway, change):
    response = gateway.request("POST", "/tokens", json={"name": "n", **change})
    assert failure(response, 400, "invalid_field").startswith(next(iter(change)))


def test_a_key_is_found_without_its_prefix(gateway, upstream):
    token, route = gateway.token(), gateway.route(upstream, "echo")
    bare = {"key": token["key"].removeprefix("sk-")}
    assert ask(gateway, bare, route.model).status_code == 200
    pinned = {"key": f"{bare['key']}-{route.channel['id']}"}
    assert ask(gateway, pinned, route.model).status_code == 200
    assert ask(gateway, {"key": bare["key"][:-1]}, route.model).status_code == 401


# Whose they are

@pytest.fixture(scope="module")
def people(seed, tmp_path_factory):
    """A gateway with two accounts of each role, all with root's password; their logins, ids."""
    own = seed.copy(tmp_path_factory.mktemp("people") / "data").start()
    with database(own) as connection:
        for role, number in ROLES.items():
            for name in (f"{role}1", f"{role}2"):
                connection.execute(
                    "INSERT INTO users (username, password_hash, role, status, created_at, "
                    "must_change_password) SELECT ?, password_hash, ?, 1, 1, 0 FROM users "
                    "WHERE id = 1", (name, number))
        ids = dict(connection.execute("SELECT username, id FROM users"))
    logins = {}
    for name in ids:
        own.login(PASSWORD, name)
        logins[name] = own.jwt
    own.ids, own.logins = ids, logins
    own.jwt = logins["root"]
    yield own
    own.stop()


def as_user(own, name, method, path, body=None):
    return own.request(method, path, jwt=own.logins[name],
                       **({} if body is None else {"json": body}))


@pytest.mark.parametrize("owner", ["user1", "admin1", "root1"])
def test_roles_decide_whose_tokens_are_managed(people, owner):
    may = {"user1": {"user1", "admin1", "admin2", "root1", "root2"},
           "admin1": {"admin1", "root1", "root2"}, "root1": {"root1", "root2"}}[owner]
    for caller in ("user1", "user2", "admin1", "admin2", "root1", "root2"):
        body = {"name": f"made by {caller}", "user_id": people.ids[owner]}
        made = as_user(people, caller, "POST", "/tokens", body)
        token = people.token(user_id=people.ids[owner])
        path = f"/tokens/{token['id']}"
        calls = [as_user(people, caller, "GET", path),
                 as_user(people, caller, "PUT", path, {"name": "changed"}),
                 as_user(people, caller, "GET", f"/tokens?user_id={people.ids[owner]}"),
                 as_user(people, caller, "GET", f"/explain?model=m&token_id={token['id']}"),
                 as_user(people, caller, "DELETE", path)]
        if caller in may:
            explains = 403 if caller.startswith("user") else 200
            assert [call.status_code for call in calls] == [200, 200, 200, explains, 200], caller
            assert made.status_code in (200, 201)
            assert made.json()["data"]["user_id"] == people.ids[owner]
            assert calls[2].json()["data"]["total"] > 0
        else:
            failure(made, 400, "invalid_field")
            explains = 403 if caller.startswith("user") else 400
            assert [call.status_code for call in calls] == [404, 404, 200, explains, 404], caller
            assert calls[2].json()["data"]["total"] == 0
            people.call("GET", path)


def test_a_list_is_filtered(people):
    owner = people.ids["user2"]
    for name, status in (("Billing 中文", "enabled"), ("billing two", "disabled"), ("x", "enabled")):
        people.token(name=name, status=status, user_id=owner)

    def names(query):
        found = people.call("GET", f"/tokens?user_id={owner}&{query}")
        assert found["total"] == len(found["items"])
        return {item["name"] for item in found["items"]}

    assert names("name=BILL") == {"Billing 中文", "billing two"}
    assert names("name=%E4%B8%AD") == {"Billing 中文"}
    assert names("name=two&status=disabled") == {"billing two"}
    assert names("name=two&status=enabled") == set()
    assert names("name=no-such") == set()
    for query in ("user_id=x", "user_id=0", "status=off", "name=" + "n" * 65, "key=1"):
        assert people.request("GET", "/tokens?" + query).status_code == 400, query


def test_a_user_has_a_hundred_tokens_at_most(people):
    owner = people.ids["user2"]
    fill(people, 100, [owner])
    body = {"name": "one more", "user_id": owner}
    response = people.request("POST", "/tokens", json=body)
    assert "100 tokens" in failure(response, 409, "too_many_tokens")
    failure(as_user(people, "user2", "POST", "/tokens", {"name": "n"}), 409, "too_many_tokens")


def test_lists_of_a_users_token_are_short(people):
    owner = people.ids["user1"]
    models = [f"{number:03}-" + "m" * 123 for number in range(32)]  # 4095 bytes with commas
    token = people.call("POST", "/tokens", {"name": "n", "user_id": owner, "models": models})
    path = f"/tokens/{token['id']}"
    for body in ({"models": [*models, "x"]}, {"allowed_ips": ["::1"]},
                 {"models": [*models[1:], "x" * 121], "allowed_ips": ["10.0.0.1"]}):
        assert "4096 bytes" in failure(people.request("PUT", path, json=body), 400, "invalid_field")
        failure(as_user(people, "user1", "PUT", path, body), 400, "invalid_field")
    assert people.call("GET", path)["models"] == models
    # An administrator's own may be longer.
    own = people.call("POST", "/tokens", {"name": "n", "models": [*models, "x"]})
    assert len(own["models"]) == 33


# Very many

def key(number):
    return f"sk-{number:048}"


def fill(own, count, owners):
    """Puts tokens into the database of a gateway, by turns for the owners."""
    with database(own) as connection:
        connection.executemany(
            "INSERT INTO tokens (user_id, name, key_hash, key_hint, quota, quota_period, "
            "allowed_ips, models, channel_group, rpm, tpm, status, created_at) "
            "VALUES (?, ?, ?, ?, 1000, 1, ?, '', '', 0, 0, 1, 1)",
            [(owners[number % len(owners)], f"token number {number}",
              hashlib.sha256(key(number).encode()).digest(), "sk-0000…0000",
              "" if number % 10 else "127.0.0.0/8") for number in range(count)])


def test_ten_thousand_tokens_of_a_thousand_users_fit_into_12_mb(make_gateway, upstream):
    own = make_gateway()
    route = own.route(upstream, "echo")
    with database(own) as connection:
        connection.executemany(
            "INSERT INTO users (username, password_hash, role, status, created_at, "
            "must_change_password) SELECT ?, password_hash, 1, 1, 1, 0 FROM users WHERE id = 1",
            [(f"user number {number}",) for number in range(1000)])
        owners = [row[0] for row in connection.execute("SELECT id FROM users WHERE role = 1")]
    fill(own, 10_000, owners)
    print(f"resident with 10000 tokens and 1000 users: {own.resident_kb} kB")
    if is_release() and not IS_EMULATED:
        assert own.resident_kb < 12 * 1024
    for number in (0, 1, 4999, 9999):
        assert ask(own, {"key": key(number)}, route.model).status_code == 200
    assert ask(own, {"key": key(10_000)}, route.model).status_code == 401
    page = own.call("GET", "/tokens?page=100&page_size=100")
    assert page["total"] >= 10_000 and len(page["items"]) == 100
