# SPDX-License-Identifier: MIT
"""Accounts over the management API: who may change whom, and what a user sees."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from accounts import USER_PASSWORD, Person, at_once, create, person
from gateway import PASSWORD
from test_management_login import failure
from test_management_objects import rejected
from test_sdk_chat import user as message

DOCUMENT = Path(__file__).parents[2] / "docs" / "API.md"


@pytest.fixture
def own(make_gateway):
    """A gateway of the test's own."""
    return make_gateway(password_rounds=10000)


@pytest.mark.short
def test_a_user_is_created_read_changed_and_deleted_and_survives_a_power_cut(own):
    own.call("POST", "/user-groups", {"name": "staff"})
    body = {"username": "李娜 \"x\"", "role": "user", "group": "staff", "quota": 9000000000000,
            "status": "disabled", "must_change_password": True}
    created = own.call("POST", "/users", {**body, "password": USER_PASSWORD})
    path = f"/users/{created['id']}"
    assert created == {**body, "id": created["id"], "used_quota": 0,
                       "used_cost": "0", "created_at": created["created_at"]}
    own.kill()
    own.start()
    assert own.call("GET", path) == created
    changed = own.call("PUT", path, {"quota": None, "status": "enabled"})
    assert changed == {**created, "quota": None, "status": "enabled"}
    own.kill()
    own.start()
    assert own.call("GET", path) == changed
    own.call("DELETE", path)
    own.kill()
    own.start()
    for method, more in (("GET", {}), ("DELETE", {}), ("PUT", {"json": {"quota": 1}})):
        failure(own.request(method, path, **more), 404)


def test_a_new_user_has_what_the_options_say(own):
    own.call("POST", "/user-groups", {"name": "guests"})
    own.call("PUT", "/options", {"new_user_quota": 77, "new_user_group": "guests"})
    created = create(own)
    assert created["quota"] == 77 and created["group"] == "guests"
    assert created["role"] == "user" and created["status"] == "enabled"
    assert created["must_change_password"] is False


def test_lists_filter_by_each_parameter(own):
    own.call("POST", "/user-groups", {"name": "staff"})
    names = ["Anna", "Annabel", "Bob 100%"]
    for name in names:
        create(own, username=name, group="staff" if name == "Anna" else "default",
               status="disabled" if name == "Annabel" else "enabled",
               role="admin" if name == "Bob 100%" else "user")

    def found(**parameters):
        response = own.request("GET", "/users", params=parameters)
        assert response.status_code == 200, response.text
        return [item["username"] for item in response.json()["data"]["items"]]

    assert found() == ["root", *names]
    assert found(username="ann") == ["Anna", "Annabel"] and found(username="%") == ["Bob 100%"]
    assert found(group="staff") == ["Anna"] and found(group="none") == []
    assert found(role="admin") == ["Bob 100%"] and found(role="root") == ["root"]
    assert found(status="disabled") == ["Annabel"]
    assert found(username="ann", status="enabled", role="user", group="staff") == ["Anna"]
    page = own.call("GET", "/users?page=2&page_size=3")
    assert [item["username"] for item in page["items"]] == ["Bob 100%"] and page["total"] == 4
    for query in ("role=owner", "status=off", "username=", "username=" + "x" * 65, "quota=1"):
        failure(own.request("GET", f"/users?{query}"), 400)


@pytest.mark.parametrize("change, word", [
    ({"username": ""}, "username"), ({"username": "x" * 65}, "64"),
    ({"username": "a\nb"}, "username"), ({"password": "short"}, "password"),
    ({"password": "x" * 129}, "128"), ({"password": 1}, "password"),
    ({"role": "owner"}, "role"), ({"group": "gold"}, '"gold"'), ({"quota": -1}, "quota"),
    ({"quota": 9000000000001}, "9000000000000"), ({"status": "off"}, "status"),
    ({"must_change_password": 1}, "must_change_password"), ({"used_quota": 0}, "used_quota"),
    ({"id": 1}, "id"), ({"password_hash": "x"}, "password_hash")],
    ids=lambda value: str(value)[:32])
def test_a_bad_user_field_is_named(gateway, change, word):
    body = {"username": "bad", "password": USER_PASSWORD, **change}
    rejected(gateway, "POST", "/users", body, word)
    me = gateway.call("GET", "/users/self")["id"]
    rejected(gateway, "PUT", f"/users/{me}", change, word)


@pytest.mark.parametrize("missing", ["username", "password"])
def test_a_new_user_needs_name_and_password(gateway, missing):
    body = {"username": "n", "password": USER_PASSWORD}
    del body[missing]
    rejected(gateway, "POST", "/users", body, missing, "missing")


def test_a_name_is_there_once(own):
    first, second = create(own, username="ann"), create(own, username="bob")
    for method, path in (("POST", "/users"), ("PUT", f"/users/{second['id']}")):
        body = {"username": "ann", "password": USER_PASSWORD}
        failure(own.request(method, path, json=body), 409, "duplicate")
    assert own.call("PUT", f"/users/{first['id']}", {"username": "ann"}) == first
    own.call("PUT", f"/users/{first['id']}", {"username": "anne"})
    assert own.call("PUT", f"/users/{second['id']}", {"username": "ann"})["username"] == "ann"
    Person(own, "anne")


def test_roles_reach_no_further_than_their_own(own):
    admin, other, plain, target = [
        person(own, role=role) for role in ("admin", "admin", "user", "user")]
    root = own.call("GET", "/users/self")
    before = own.items("/users")
    for role in ("admin", "root"):
        body = {"username": "made", "password": USER_PASSWORD, "role": role}
        failure(admin.request("POST", "/users", body), 403, "forbidden")
        failure(admin.request("PUT", target.path, {"role": role}), 403, "forbidden")
    for path in (f"/users/{root['id']}", other.path, admin.path):
        for change in ({"quota": 1}, {"role": "user"}, {"status": "disabled"},
                       {"password": "another password"}, {"username": "x"}):
            failure(admin.request("PUT", path, change), 403, "forbidden")
        failure(admin.request("DELETE", path), 403, "forbidden")
        failure(admin.request("POST", f"{path}/top-up", {"quota": 1}), 403, "forbidden")
    for method, path, body in (
            ("GET", "/users", None),
            ("POST", "/users", {"username": "a", "password": USER_PASSWORD}),
            ("GET", plain.path, None), ("PUT", plain.path, {"quota": 1}),
            ("DELETE", target.path, None), ("POST", f"{plain.path}/top-up", {"quota": 1}),
            ("GET", "/options", None), ("PUT", "/options", {"registration": True}),
            ("GET", "/redemptions", None), ("POST", "/redemptions", {"name": "n", "quota": 1}),
            ("GET", "/redemptions/1", None), ("PUT", "/redemptions/1", {"status": "disabled"}),
            ("DELETE", "/redemptions/1", None)):
        failure(plain.request(method, path, body), 403, "forbidden")
        failure(own.request(method, path, jwt="", json=body), 401)
    assert own.items("/users") == before
    assert admin.call("PUT", target.path, {"quota": 5})["quota"] == 5
    assert admin.call("POST", f"{target.path}/top-up", {"quota": 5})["quota"] == 10
    admin.call("DELETE", target.path)


def test_root_keeps_its_own_role_and_the_last_root_stays(own):
    me = own.call("GET", "/users/self")
    path = f"/users/{me['id']}"
    changes = ({"role": "admin"}, {"role": "user"}, {"status": "disabled"})
    for change in changes:
        failure(own.request("PUT", path, json=change), 409, "conflict")
    failure(own.request("DELETE", path), 409, "conflict")
    second = person(own, role="root")
    for change in (*changes, {"password": "another password"}):
        failure(own.request("PUT", path, json=change), 403, "forbidden")
    failure(own.request("DELETE", path), 403, "forbidden")
    assert own.call("PUT", path, {"role": "root", "quota": 5})["quota"] == 5
    second.call("PUT", path, {"status": "disabled"})
    failure(own.request("GET", "/users"), 401)
    failure(second.request("PUT", second.path, {"role": "user"}), 409, "conflict")
    second.call("PUT", path, {"status": "enabled"})


def test_two_roots_that_remove_each_other_leave_one(own):
    first = Person(own, "root", PASSWORD, own.call("GET", "/users/self"))
    second = person(own, role="root")
    answers = at_once(lambda: first.request("DELETE", second.path),
                      lambda: second.request("DELETE", first.path))
    assert sorted(answer.status_code for answer in answers) == [200, 401]
    winner = first if answers[0].status_code == 200 else second
    assert [item["role"] for item in winner.call("GET", "/users")["items"]] == ["root"]


def test_a_new_password_ends_the_users_logins(own):
    someone = person(own)
    own.call("PUT", someone.path, {"quota": 3})
    someone.call("GET", "/users/self")
    body = {"password": "another password", "must_change_password": True}
    own.call("PUT", someone.path, body)
    failure(someone.request("GET", "/users/self"), 401, "session_ended")
    response = own.request("POST", "/auth/login", jwt="", json={
        "username": someone.username, "password": USER_PASSWORD})
    failure(response, 401)
    again = Person(own, someone.username, "another password", someone.record)
    failure(again.request("GET", "/tokens"), 403, "password_change_required")
    own.call("PUT", someone.path, {"password": USER_PASSWORD})
    assert Person(own, someone.username).call("GET", "/tokens")["total"] == 0


def test_a_user_sees_and_changes_only_what_is_theirs(own):
    one, two = person(own), person(own)
    mine = one.call("POST", "/tokens", {"name": "mine"})
    path = f"/tokens/{mine['id']}"
    more = {"currency": "USD", "quota_per_unit": 500_000, "channel_groups": ["default"]}
    assert one.call("GET", "/users/self") == own.call("GET", one.path) | more
    assert [item["id"] for item in one.call("GET", "/tokens")["items"]] == [mine["id"]]
    assert two.call("GET", "/tokens")["items"] == []
    for method, body in (("GET", None), ("PUT", {"name": "stolen"}), ("DELETE", None)):
        failure(two.request(method, path, body), 404, "not_found")
    assert one.call("GET", path)["name"] == "mine" == own.call("GET", path)["name"]
    wrong = {"old_password": "a wrong password", "new_password": "another password"}
    failure(two.request("PUT", "/users/self/password", wrong), 403, "wrong_password")


def test_a_user_that_is_deleted_takes_the_tokens_along(own, upstream):
    route = own.route(upstream, "slow-stream:20")
    someone = person(own, quota=None)
    key = someone.call("POST", "/tokens", {"name": "t"})["key"]
    stream = own.sdk(key).chat.completions.create(
        model=route.model, messages=message("x"), stream=True)
    next(iter(stream))
    own.call("DELETE", someone.path)
    assert [c.choices[0].finish_reason for c in stream if c.choices][-1] == "stop"
    assert own.get("/v1/models", key).status_code == 401
    failure(someone.request("GET", "/users/self"), 401, "session_ended")
    assert all(item["user_id"] != someone.record["id"] for item in own.items("/tokens"))
    own.restart()
    assert own.get("/v1/models", key).status_code == 401
    Person(own, create(own, username=someone.username)["username"])


def test_a_user_that_is_disabled_is_shut_out(own):
    someone = person(own)
    key = someone.call("POST", "/tokens", {"name": "t"})["key"]
    assert own.get("/v1/models", key).status_code == 200
    own.call("PUT", someone.path, {"status": "disabled"})
    failure(someone.request("GET", "/tokens"), 401, "account_disabled")
    assert own.get("/v1/models", key).status_code == 401
    response = own.request("POST", "/auth/login", jwt="", json={
        "username": someone.username, "password": USER_PASSWORD})
    failure(response, 403, "account_disabled")
    own.call("PUT", someone.path, {"status": "enabled"})
    assert own.get("/v1/models", key).status_code == 200
    failure(someone.request("GET", "/tokens"), 401, "session_ended")
    own.restart()
    failure(someone.request("GET", "/tokens"), 401, "session_ended")
    again = Person(own, someone.username)
    own.call("PUT", someone.path, {"quota": 5, "status": "enabled"})
    again.call("GET", "/tokens")


def test_top_ups_add_up_and_stop_at_the_limits(own):
    limited, free = create(own, quota=10), create(own, quota=None)
    path = f"/users/{limited['id']}/top-up"
    answers = at_once(*[lambda: own.request("POST", path, json={"quota": 7})] * 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    own.kill()
    own.start()
    assert own.call("GET", f"/users/{limited['id']}")["quota"] == 66
    failure(own.request("POST", f"/users/{free['id']}/top-up", json={"quota": 1}), 409, "conflict")
    failure(own.request("POST", path, json={"quota": 9000000000000}), 409, "conflict")
    failure(own.request("POST", "/users/999/top-up", json={"quota": 1}), 404)
    for body in ({}, {"quota": 0}, {"quota": None}, {"quota": 9000000000001}, {"quota": 1, "x": 1}):
        failure(own.request("POST", path, json=body), 400)
    assert own.call("GET", f"/users/{limited['id']}")["quota"] == 66


def test_two_changes_at_once_do_not_half_apply(own):
    someone = create(own, quota=0)
    path = f"/users/{someone['id']}"
    changes = [{"quota": number, "username": f"name {number}"} for number in range(1, 9)]
    changes += [{"must_change_password": True}, {"status": "disabled"}]
    answers = at_once(*[lambda change=change: own.request("PUT", path, json=change)
                        for change in changes])
    assert [answer.status_code for answer in answers] == [200] * len(changes)
    found = own.call("GET", path)
    assert found["username"] == f"name {found['quota']}"
    assert found["must_change_password"] is True and found["status"] == "disabled"
    own.restart()
    assert own.call("GET", path) == found


def test_passwords_are_not_readable_on_the_disk_or_in_the_log(own):
    create(own, username="hidden", password="an unusual password 4711")
    assert "unusual password" not in own.request("GET", "/users").text
    own.stop()
    assert "unusual password" not in own.log and "user_create" in own.log
    for path in own.data_dir.rglob("*"):
        if path.is_file():
            assert b"unusual password" not in path.read_bytes(), path


@pytest.mark.native
@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_the_example_for_human_resources_works_as_written(own):
    text = DOCUMENT.read_text()
    block = next(found for found in re.findall(r"```sh\n(.*?)```", text, re.S) if "ID=$(" in found)
    own.call("POST", "/user-groups", {"name": "staff"})
    environment = {"API": f"{own.url}/api/v1", "TOKEN": own.jwt, "PATH": "/usr/bin:/bin"}
    subprocess.run(["sh", "-euc", block], env=environment, check=True, timeout=60)
    found = own.call("GET", "/users?username=li.na")["items"]
    assert [(item["quota"], item["group"], item["status"], item["must_change_password"])
            for item in found] == [(2500000, "staff", "disabled", True)]
