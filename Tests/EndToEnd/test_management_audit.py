# SPDX-License-Identifier: MIT
"""Audit rows: every change of settings has one, failed logins have few, none has a secret."""

import re
import time

import pytest

from accounts import USER_PASSWORD, create, person
from backups import PASSPHRASE, TYPE, backup, restore
from gateway import PASSWORD
from stopped import query
from test_api_examples import DOCUMENT, MAKES
from test_management_login import failure


def rows(gateway, parameters=""):
    return gateway.call("GET", f"/audit?page_size=100&{parameters}")["items"]


@pytest.mark.short
def test_each_change_has_its_row(make_gateway):
    gateway = make_gateway()
    before = int(time.time())
    token = gateway.token(name="laptop")
    gateway.call("PUT", f"/tokens/{token['id']}", {"name": "desktop"})
    gateway.call("DELETE", f"/tokens/{token['id']}")
    answer = gateway.request("POST", "/user-groups", json={"name": "staff"})
    assert answer.status_code == 200
    found = rows(gateway)[:4]
    id = token["id"]
    assert [(row["action"], row["target"]) for row in reversed(found)] == [
        ("token_create", f"token {id} laptop"), ("token_change", f"token {id} desktop"),
        ("token_delete", f"token {id}"),
        ("user_group_create", f"user group {answer.json()['data']['id']} staff")]
    for row in found:
        assert row["username"] == "root" and row["user_id"] == 1 and row["times"] == 1
        assert row["address"] == "127.0.0.1" and before <= row["time"] <= time.time()
    assert found[0]["request_id"] == answer.headers["x-oneapi-request-id"]
    gateway.kill()
    gateway.start()
    assert rows(gateway)[:4] == found


# Calls of API.md that are not a plain creation, change or deletion: what they need, made here.
# Each gives what `request` takes beside method and path, and the object's id where there is one.

def login(gateway):
    username = create(gateway)["username"]
    return {"jwt": "", "json": {"username": username, "password": USER_PASSWORD}}


def session(gateway):
    answer = gateway.request("POST", "/auth/session", **login(gateway))
    gateway.http.cookies.clear()
    cookie = answer.headers["set-cookie"].split(";")[0]
    return {"jwt": "", "headers": {"Cookie": cookie, "Origin": gateway.url}}


def registration(gateway):
    gateway.call("PUT", "/options", {"registration": True})
    return {"jwt": "", "json": {"username": "a stranger", "password": USER_PASSWORD}}


def code(gateway):
    (text,) = gateway.call("POST", "/redemptions", {"name": "gift", "quota": 5})["codes"]
    return {"jwt": person(gateway, quota=0).jwt, "json": {"code": text}}


def password(gateway):
    return {"jwt": person(gateway).jwt,
            "json": {"old_password": USER_PASSWORD, "new_password": "another good password"}}


SPECIAL = {
    "POST /auth/login": login,
    "POST /auth/logout": lambda gateway: {"jwt": person(gateway).jwt},
    "POST /auth/session": login,
    "DELETE /auth/session": session,
    "POST /auth/register": registration,
    "PUT /users/self/password": password,
    "POST /users/self/redeem": code,
    "POST /users/{id}/top-up": lambda gateway: {
        "id": create(gateway, quota=1)["id"], "json": {"quota": 5}},
    "POST /channels/{id}/test": lambda gateway: {
        "id": gateway.channel("http://127.0.0.1:9/v1", ["m"])["id"]},
    "POST /prices/import": lambda gateway: {"json": {"prices": [{"model": "a", "prompt": "1"}]}},
    "PUT /model-fallbacks": lambda gateway: {"json": {"offline": {}}},
    "PUT /options": lambda gateway: {"json": {"log_days": 9}},
    "PUT /config": lambda gateway: {"json": {"queue_limit": 9}},
    "DELETE /logs": lambda gateway: {"params": {"until": 1}},
    "POST /backup": lambda gateway: {"json": {"passphrase": PASSPHRASE}},
    "POST /backups": lambda gateway: {},
    "POST /restore": lambda gateway: {"content": backup(gateway), "headers": TYPE},
}
# How the objects of each collection are changed; how they are made is in MAKES.
CHANGES = {
    "channels": {"weight": 3}, "channel-groups": {"name": "other"}, "user-groups": {"ratio": "2"},
    "tokens": {"name": "other"}, "users": {"quota": 7}, "redemptions": {"name": "other"},
    "prices": {"prompt": "2"}}


def changing_calls():
    """The calls of API.md that change something, a restore last: it brings old rows back.

    A chat leaves its row in the request log.
    """
    found = re.findall(r"^### (POST|PUT|DELETE) /api/v1(\S+)(?<!completions)$",
                       DOCUMENT.read_text(), re.M)
    return sorted((f"{method} {path}" for method, path in found), key="POST /restore".__eq__)


def prepared(gateway, call):
    """What `request` takes for a call, besides method and path; the object's id is `id`."""
    if call in SPECIAL:
        return SPECIAL[call](gateway)
    method, path = call.split()
    collection = path.removeprefix("/").removesuffix("/{id}")
    assert collection in MAKES, f"test_management_audit.py: say how to make the call {call}"
    if method == "POST" and "{id}" not in path:
        return {"json": MAKES[collection]()}
    made = gateway.call("POST", "/" + collection, MAKES[collection]())
    id = made["id"] if "id" in made else made["items"][0]["id"]
    if method == "DELETE":
        return {"id": id}
    assert collection in CHANGES, f"test_management_audit.py: say what to change with {call}"
    return {"id": id, "json": CHANGES[collection]}


def test_every_changing_call_leaves_a_row(make_gateway):
    gateway = make_gateway(password_rounds=10_000)
    calls = changing_calls()
    assert len(calls) > 35 and set(SPECIAL) < set(calls)
    for call in calls:
        more = prepared(gateway, call)
        method, path = call.split()
        path = path.replace("{id}", str(more.pop("id", "")))
        answer = gateway.request(method, path, **more)
        gateway.http.cookies.clear()
        assert answer.status_code == 200, f"{call}: {answer.text}"
        if call == "POST /restore":
            gateway.login()
        ids = [row["request_id"] for row in rows(gateway)]
        assert answer.headers["x-oneapi-request-id"] in ids, f"{call} leaves no audit row"
    refused = gateway.request("POST", "/tokens", json={"name": ""})
    assert refused.status_code == 400
    ids = [row["request_id"] for row in rows(gateway)]
    assert refused.headers["x-oneapi-request-id"] not in ids


@pytest.mark.short
def test_a_power_cut_right_after_the_answer_keeps_change_and_row(make_gateway):
    gateway = make_gateway(flush_interval_ms=86_400_000)

    def change(method, path, body=None):
        answer = gateway.request(method, path, **({"json": body} if body else {}))
        gateway.kill()
        assert answer.status_code == 200, answer.text
        gateway.start()
        assert answer.headers["x-oneapi-request-id"] in [r["request_id"] for r in rows(gateway)]
        return answer.json()["data"]

    token = change("POST", "/tokens", {"name": "laptop"})
    path = f"/tokens/{token['id']}"
    assert gateway.call("GET", path)["name"] == "laptop"
    change("PUT", path, {"name": "desktop"})
    assert gateway.call("GET", path)["name"] == "desktop"
    content = backup(gateway)
    answer = restore(gateway, content)
    gateway.kill()
    assert answer.status_code == 200, answer.text
    gateway.start().login()
    assert answer.headers["x-oneapi-request-id"] in [r["request_id"] for r in rows(gateway)]
    change("PUT", "/options", {"log_days": 9})
    assert gateway.call("GET", "/options")["log_days"] == 9
    change("DELETE", path)
    failure(gateway.request("GET", path), 404)


def test_logins_are_noted_and_guesses_are_merged(make_gateway):
    gateway = make_gateway(password_rounds=10_000)
    gateway.login()
    for name in ("root", "root", "root", "nobody\u2028"):
        body = {"username": name, "password": "a wrong guess"}
        assert gateway.request("POST", "/auth/login", json=body, jwt="").status_code == 401
    failed = rows(gateway, "action=login_failed")
    assert [(row["username"], row["user_id"], row["times"]) for row in failed] == [
        ("nobody\u2028", 0, 1), ("root", 1, 3)]
    gateway.login()
    (login,) = rows(gateway, "action=login")[:1]
    assert login["username"] == "root" and login["times"] == 2
    gateway.restart()
    assert rows(gateway, "action=login_failed") == failed
    assert "a wrong guess" not in str(rows(gateway))


def test_rows_are_found_by_filter_and_cursor(make_gateway):
    gateway = make_gateway()
    for number in range(7):
        gateway.token(name=f"n{number}")
    found = rows(gateway, "action=token_create&user_id=1")
    assert len(found) >= 7 and {row["action"] for row in found} == {"token_create"}
    pages = [gateway.call("GET", f"/audit?action=token_create&page_size=3&page={page}")
             for page in (1, 2)]
    assert [row["id"] for page in pages for row in page["items"]] == [r["id"] for r in found[:6]]
    assert pages[0]["total"] == len(found)
    assert rows(gateway, f"action=token_create&before={found[2]['id']}") == found[3:]
    assert rows(gateway, "user_id=99") == []
    assert rows(gateway, f"from={int(time.time()) + 100}") == []
    assert rows(gateway, f"until={found[0]['time'] + 1}&action=token_create") == found
    for wrong in ("user_id=x", "before=0", "from=-1", "unknown=1", "page_size=101"):
        failure(gateway.request("GET", f"/audit?{wrong}"), 400)


def test_no_row_has_a_secret(make_gateway):
    gateway = make_gateway()
    key = "sk-0123456789abcdefghij"
    gateway.call("POST", "/tokens", {"name": key})
    gateway.call("POST", "/auth/tokens", {"name": "tgm-" + "b" * 48})
    body = {"old_password": PASSWORD, "new_password": "another good password"}
    gateway.jwt = gateway.call("PUT", "/users/self/password", body)["token"]
    text = str(rows(gateway))
    for secret in (key, "b" * 48, PASSWORD, "another good password"):
        assert secret not in text
    gateway.stop()
    found = query(gateway, "SELECT count(*) FROM audit WHERE target LIKE '%0123456789abc%'")
    assert found == [(0,)]
