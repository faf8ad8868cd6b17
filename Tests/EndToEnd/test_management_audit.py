# SPDX-License-Identifier: MIT
"""Audit rows: every change of settings has one, failed logins have few, none has a secret."""

import time

import pytest

from stopped import query
from gateway import PASSWORD
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


def test_every_changing_call_leaves_a_row(make_gateway):
    gateway = make_gateway()
    channel = gateway.channel("http://127.0.0.1:9/v1", ["m"])
    group = gateway.call("POST", "/channel-groups", {"name": "fast"})
    people = gateway.call("POST", "/user-groups", {"name": "staff"})
    script = gateway.call("POST", "/auth/tokens", {"name": "script"})
    for method, path, body in (
            ("PUT", f"/channels/{channel['id']}", {"weight": 3}),
            ("DELETE", f"/channels/{channel['id']}", None),
            ("PUT", f"/channel-groups/{group['id']}", {"name": "faster"}),
            ("DELETE", f"/channel-groups/{group['id']}", None),
            ("PUT", f"/user-groups/{people['id']}", {"name": "team"}),
            ("DELETE", f"/user-groups/{people['id']}", None),
            ("PUT", "/model-fallbacks", {"offline": {}}),
            ("DELETE", f"/auth/tokens/{script['id']}", None)):
        answer = gateway.request(method, path, **({"json": body} if body else {}))
        assert answer.status_code == 200, answer.text
        assert rows(gateway)[0]["request_id"] == answer.headers["x-oneapi-request-id"]
    refused = gateway.request("POST", "/tokens", json={"name": ""})
    assert refused.status_code == 400
    assert rows(gateway)[0]["request_id"] != refused.headers["x-oneapi-request-id"]


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
