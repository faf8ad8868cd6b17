# SPDX-License-Identifier: MIT
"""Management calls whose body comes so slowly that the caller loses the right meanwhile."""

import json

import pytest

from accounts import Person, create
from backups import TYPE, backup, leftovers
from process import wait_until
from rawhttp import RawClient



@pytest.fixture
def own(make_gateway):
    """A gateway whose passwords are checked quickly."""
    return make_gateway(password_rounds=10_000)


class Held:
    """A request of which the gateway has admitted the head; half of the body is missing."""

    def __init__(self, gateway, method, path, body, headers):
        self.client, self.rest = RawClient(gateway.port), body[len(body) // 2:]
        lines = {"Host": f"127.0.0.1:{gateway.port}", "Content-Type": "application/json",
                 "Content-Length": len(body), "Expect": "100-continue", **headers}
        self.client.send(f"{method} /api/v1{path} HTTP/1.1\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines.items()) + "\r\n")
        assert self.client.head().status == 100
        self.client.send(body[:len(body) // 2])

    def finish(self):
        """Sends the rest; status and code of the answer."""
        answer = self.client.send(self.rest).answer()
        return answer.status, json.loads(answer.body).get("code")


def bearer(text):
    return {"Authorization": f"Bearer {text}"}


def session(gateway, username):
    """The headers of a page that somebody has logged in to."""
    body = {"username": username, "password": "a user's password"}
    answer = gateway.request("POST", "/auth/session", jwt="", json=body)
    assert answer.status_code == 200, answer.text
    gateway.http.cookies.clear()
    return {"Cookie": answer.headers["set-cookie"].split(";")[0], "Origin": gateway.url}


ENDINGS = {
    "demoted": (403, "forbidden", lambda own, held: own.call("PUT", held.path, {"role": "user"})),
    "password": (401, "session_ended", lambda own, held: own.call(
        "PUT", held.path, {"password": "another password"})),
    "must change": (403, "password_change_required", lambda own, held: own.call(
        "PUT", held.path, {"must_change_password": True})),
    "disabled": (401, "account_disabled", lambda own, held: own.call(
        "PUT", held.path, {"status": "disabled"})),
    "logout": (401, "session_ended", lambda own, held: held.call("POST", "/auth/logout")),
}


@pytest.mark.short
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_held_body_does_not_outlive_the_right_to_send_it(own, ending):
    admin = Person(own, create(own, username="admin", role="admin")["username"])
    admin.record = admin.call("GET", "/users/self")
    status, code, end = ENDINGS[ending]
    paths = ("/channel-groups", "/user-groups", "/redemptions")
    requests = []
    for path in paths:
        fields = {"name": "held"} | ({"quota": 1} if path == "/redemptions" else {})
        requests.append(Held(own, "POST", path, json.dumps(fields).encode(), bearer(admin.jwt)))
    end(own, admin)
    assert [held.finish() for held in requests] == [(status, code)] * len(paths)
    for path in paths:
        assert all(item["name"] != "held" for item in own.items(path)), path


def test_a_held_body_does_not_outlive_its_session(own):
    create(own, username="admin", role="admin")
    headers = session(own, "admin")
    body = json.dumps({"name": "held"}).encode()
    held = Held(own, "POST", "/channel-groups", body, headers)
    other = Held(own, "POST", "/channel-groups", body, session(own, "admin"))
    assert own.request("DELETE", "/auth/session", jwt="", headers=headers).status_code == 200
    assert held.finish() == (401, "session_ended")
    assert other.finish() == (200, None)


def test_a_held_body_does_not_outlive_its_management_token(own):
    token = own.call("POST", "/auth/tokens", {"name": "script"})
    body = json.dumps({"name": "held"}).encode()
    held = Held(own, "POST", "/channel-groups", body, bearer(token["token"]))
    own.call("DELETE", f"/auth/tokens/{token['id']}")
    assert held.finish() == (401, "invalid_login")
    assert all(item["name"] != "held" for item in own.items("/channel-groups"))


@pytest.mark.parametrize("ending", ["demoted", "disabled", "logout"])
def test_a_held_restore_does_not_outlive_the_right_to_it(own, ending):
    content = backup(own)
    second = Person(own, create(own, username="second", role="root")["username"])
    second.record = second.call("GET", "/users/self")
    held = Held(own, "POST", "/restore", content, {**bearer(second.jwt), **TYPE})
    status, code, end = ENDINGS[ending]
    end(own, second)
    assert held.finish() == (status, code)
    # Nothing was replaced, and the place is free again.
    assert own.call("GET", second.path)["username"] == "second"
    assert len(backup(own)) > 0
    wait_until(lambda: not leftovers(own), what="the upload's file to go")
    assert not (own.data_dir / "db.db.before-restore").exists()
    rows = own.call("GET", "/audit?action=restore_failed")["items"]
    assert [row["username"] for row in rows] == ["second"]
