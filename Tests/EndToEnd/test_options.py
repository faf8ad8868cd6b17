# SPDX-License-Identifier: MIT
"""Options that change at run time, and the registration that one of them opens."""

import json
import sqlite3

import pytest

from accounts import USER_PASSWORD, at_once, create, person
from test_management_login import failure
from test_management_objects import rejected

DEFAULTS = {"quota_per_unit": 500000, "currency": "USD", "unpriced_models": "ratio",
            "unpriced_ratio": "1", "assumed_completion_tokens": 1000, "registration": False,
            "new_user_quota": 0, "new_user_group": "default", "log_days": 0,
            "statistics_days": 400}


@pytest.fixture
def own(make_gateway):
    """A gateway of the test's own."""
    return make_gateway(password_rounds=10000)


def register(gateway, username, password=USER_PASSWORD, **more):
    """A stranger's registration; the answer as it is."""
    body = {"username": username, "password": password, **more}
    return gateway.request("POST", "/auth/register", jwt="", json=body)


@pytest.mark.short
def test_options_are_kept_and_changed_in_part(own):
    assert own.call("GET", "/options") == DEFAULTS
    own.call("POST", "/user-groups", {"name": "guests"})
    changed = {"quota_per_unit": 1000000000, "currency": "CNY", "unpriced_models": "refuse",
               "unpriced_ratio": "0.000001", "assumed_completion_tokens": 0, "registration": True,
               "new_user_quota": None, "new_user_group": "guests", "log_days": 3650,
               "statistics_days": 1}
    for name, value in changed.items():
        assert own.call("PUT", "/options", {name: value})[name] == value
    own.kill()
    own.start()
    assert own.call("GET", "/options") == changed
    assert own.call("PUT", "/options", DEFAULTS) == DEFAULTS
    own.kill()
    own.start()
    assert own.call("GET", "/options") == DEFAULTS


@pytest.mark.parametrize("change", [
    {"quota_per_unit": 0}, {"quota_per_unit": 1000000001}, {"currency": "usd"},
    {"currency": "EURO"}, {"unpriced_models": "deny"}, {"unpriced_ratio": 1},
    {"unpriced_ratio": "0.0000001"}, {"assumed_completion_tokens": 1000001},
    {"registration": "yes"}, {"new_user_quota": -1}, {"new_user_group": "gold"},
    {"log_days": 3651}, {"statistics_days": 0}, {"jwt_secret": "x"}],
    ids=lambda value: str(value)[:32])
def test_a_bad_option_is_named_and_changes_nothing(gateway, change):
    rejected(gateway, "PUT", "/options", {"log_days": 9, **change}, *change)
    assert gateway.call("GET", "/options")["log_days"] == 0


def test_two_changes_at_once_keep_both(own):
    changes = [{"log_days": 5}, {"statistics_days": 6}, {"currency": "EUR"},
               {"assumed_completion_tokens": 7}]
    at_once(*[lambda change=change: own.call("PUT", "/options", change) for change in changes])
    found = own.call("GET", "/options")
    assert found == {**DEFAULTS, "log_days": 5, "statistics_days": 6, "currency": "EUR",
                     "assumed_completion_tokens": 7}


def test_damaged_options_are_left_out_and_told(own):
    own.call("PUT", "/options", {"log_days": 5})
    strict = {**DEFAULTS, "unpriced_models": "refuse"}
    for damage, expected in (
            (b'{"log_days":', strict), (b"", strict), (b"\xff\x00", strict),
            (b'{"log_days":-1,"currency":"CNY","later":7}', {**DEFAULTS, "currency": "CNY"})):
        own.stop()
        with sqlite3.connect(own.data_dir / "db.db") as database:
            database.execute("UPDATE options SET value = ? WHERE name = 'settings'", (damage,))
        database.close()
        own.start()
        assert own.call("GET", "/options") == expected
        assert "stored options are left out" in own.log
    own.call("PUT", "/options", {"log_days": 5})
    own.stop()
    with sqlite3.connect(own.data_dir / "db.db") as database:
        (text,), = database.execute("SELECT value FROM options WHERE name = 'settings'").fetchall()
    database.close()
    assert json.loads(text) == {**DEFAULTS, "currency": "CNY", "log_days": 5, "later": 7}
    own.start()


def test_the_group_of_new_users_stays(own):
    group = own.call("POST", "/user-groups", {"name": "guests"})
    own.call("PUT", "/options", {"new_user_group": "guests"})
    path = f"/user-groups/{group['id']}"
    for method, more in (("DELETE", {}), ("PUT", {"json": {"name": "x"}})):
        assert "new_user_group" in failure(own.request(method, path, **more), 409, "conflict")
    own.call("PUT", "/options", {"new_user_group": "default"})
    own.call("DELETE", path)


def test_nobody_registers_before_it_is_allowed(own):
    failure(register(own, "stranger"), 403, "registration_closed")
    own.call("PUT", "/options", {"registration": True})
    assert register(own, "stranger").status_code == 200
    own.call("PUT", "/options", {"registration": False})
    failure(register(own, "another"), 403, "registration_closed")


def test_who_registers_is_a_user_with_the_quota_of_new_ones(own):
    own.call("POST", "/user-groups", {"name": "guests"})
    own.call("PUT", "/options", {"registration": True, "new_user_quota": 12,
                                 "new_user_group": "guests"})
    data = register(own, "stranger").json()["data"]
    assert data["must_change_password"] is False and data["expires_at"] > 0
    own.kill()
    own.start()
    me = own.request("GET", "/users/self", jwt=data["token"]).json()["data"]
    assert me["role"] == "user" and me["quota"] == 12 and me["group"] == "guests"
    failure(own.request("GET", "/users", jwt=data["token"]), 403)
    failure(register(own, "stranger"), 409, "duplicate")
    failure(register(own, "root"), 409, "duplicate")
    for more in ({"role": "root"}, {"quota": 5}, {"group": "default"}):
        failure(register(own, "x", **more), 400, "unknown_field")
    for name, password in (("", USER_PASSWORD), ("x" * 65, USER_PASSWORD), ("x", "short"),
                           ("same name", "same name")):
        failure(register(own, name, password), 400, "invalid_field")


def test_names_are_not_tried_without_end(own):
    own.call("PUT", "/options", {"registration": True})
    answers = [register(own, "root") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [409] * 5 + [429]
    # Nobody learns any more whether a name is free.
    failure(register(own, "nobody"), 429, "too_many_registrations")
    assert own.call("GET", "/users")["total"] == 1


def test_one_address_makes_five_accounts_an_hour(own):
    own.call("PUT", "/options", {"registration": True})
    answers = at_once(*[lambda n=n: register(own, f"stranger {n}") for n in range(8)])
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * 5 + [429] * 3
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["code"] == "too_many_registrations"
    assert 3500 < int(refused.headers["retry-after"]) <= 3600
    assert own.call("GET", "/users")["total"] == 6
    create(own)
    person(own)
