# SPDX-License-Identifier: MIT
"""Sessions of the web pages, logging out, and management tokens of scripts."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from stopped import add_user, query, sign, signing_secret
from gateway import PASSWORD
from test_management_login import failure

DAY = 86_400


@pytest.fixture
def own(make_gateway):
    """A gateway whose passwords are checked quickly."""
    gateway = make_gateway(password_rounds=10_000)
    body = {"old_password": PASSWORD, "new_password": PASSWORD + "!"}
    gateway.jwt = gateway.call("PUT", "/users/self/password", body)["token"]
    return gateway


def begin(gateway, password=PASSWORD + "!", **more):
    """Logs in as a browser does; returns the cookie."""
    answer = gateway.request("POST", "/auth/session", jwt="",
                             json={"username": "root", "password": password}, **more)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == {
        "username": "root", "role": "root", "must_change_password": False}
    gateway.http.cookies.clear()
    return answer.headers["set-cookie"]


def ask(gateway, cookie, method="GET", path="/auth/session", **headers):
    """A call as a page of the gateway makes it."""
    value = cookie.split(";")[0]
    headers = {"Cookie": value, "Origin": gateway.url, **headers}
    return gateway.request(method, path, jwt="", headers=headers)


@pytest.mark.short
def test_a_session_lives_until_logout(own):
    cookie = begin(own)
    value, *flags = cookie.split("; ")
    assert set(flags) == {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"}
    assert len(value) == len("tg_session=") + 64
    assert ask(own, cookie).json()["data"]["username"] == "root"
    assert ask(own, cookie, path="/channels").status_code == 200
    other = begin(own)
    assert other.split(";")[0] != value
    gone = ask(own, cookie, "DELETE")
    assert gone.status_code == 200
    assert gone.headers["set-cookie"].startswith("tg_session=; Max-Age=0")
    failure(ask(own, cookie), 401, "session_ended")
    assert ask(own, other).status_code == 200
    own.kill()
    own.start()
    failure(ask(own, cookie), 401, "session_ended")
    assert ask(own, other).status_code == 200
    own.stop()
    assert value.split("=")[1] not in own.log
    assert value.split("=")[1].encode() not in (own.data_dir / "db.db").read_bytes()


def test_a_session_acts_for_its_own_pages_only(own):
    cookie = begin(own)
    value = {"Cookie": cookie.split(";")[0]}
    body = {"name": "from the page"}

    def post(**headers):
        return own.request("POST", "/tokens", jwt="", headers={**value, **headers}, json=body)

    assert post(Origin=own.url).status_code == 200
    assert post(**{"Sec-Fetch-Site": "same-origin"}).status_code == 200
    for headers in ({}, {"Origin": "http://127.0.0.1"}, {"Origin": "http://127.0.0.1:1"}):
        failure(post(**headers), 403, "cross_site")
    failure(own.request("POST", "/tokens", jwt="", headers={
        **value, "Origin": own.url, "Content-Type": "text/plain"}, content=b"{}"), 415)
    assert ask(own, cookie, path="/tokens").json()["data"]["total"] == 3
    assert own.request("POST", "/tokens", headers=value, json=body).status_code == 200


def test_behind_a_trusted_proxy_the_scheme_may_differ(make_gateway):
    gateway = make_gateway(trusted_proxies="127.0.0.0/8")
    secure = {"X-Forwarded-Proto": "https", "Origin": gateway.url.replace("http", "https")}
    cookie = begin(gateway, PASSWORD, headers=secure)
    assert "Secure" in cookie.split("; ")
    assert ask(gateway, cookie, "DELETE", **secure).status_code == 200


def test_one_of_too_many_sessions_goes(own):
    cookies = [begin(own) for _ in range(20)]
    assert {ask(own, cookie).status_code for cookie in cookies} == {200}
    newest = begin(own)
    statuses = sorted(ask(own, cookie).status_code for cookie in cookies)
    assert statuses == [200] * 19 + [401] and ask(own, newest).status_code == 200
    own.stop()
    assert query(own, "SELECT count(*) FROM sessions") == [(20,)]


def test_sessions_end_with_time(own):
    cookies = [begin(own) for _ in range(3)]
    own.stop()
    now = int(time.time())
    rows = [row[0] for row in query(own, "SELECT id_hash FROM sessions")]
    assert len(rows) == 3
    ages = ((8 * DAY, 8 * DAY), (31 * DAY, 0), (29 * DAY, 2 * DAY))
    for row, (created, seen) in zip(rows, ages):
        query(own, "UPDATE sessions SET created_at = ?, seen_at = ? WHERE id_hash = ?",
              now - created, now - seen, row)
    own.start()
    statuses = [ask(own, cookie).status_code for cookie in cookies]
    assert sorted(statuses) == [200, 401, 401]
    begin(own)
    own.stop()
    kept = query(own, "SELECT created_at, seen_at FROM sessions ORDER BY created_at")
    assert len(kept) == 2 and all(seen >= now for _, seen in kept)
    assert kept[0][0] == now - 29 * DAY


def test_a_new_password_ends_every_login_but_not_scripts(own):
    cookie, jwt = begin(own), own.jwt
    script = own.call("POST", "/auth/tokens", {"name": "script"})["token"]
    body = {"old_password": PASSWORD + "!", "new_password": PASSWORD}
    own.jwt = own.call("PUT", "/users/self/password", body)["token"]
    failure(ask(own, cookie), 401, "session_ended")
    failure(own.request("GET", "/tokens", jwt=jwt), 401, "session_ended")
    assert own.request("GET", "/tokens", jwt=script).status_code == 200
    own.stop()
    assert query(own, "SELECT count(*) FROM sessions") == [(0,)]


def test_a_session_needs_the_right_password_and_is_guarded(own):
    body = {"username": "root", "password": "a wrong guess"}
    answers = [own.request("POST", path, json=body, jwt="")
               for path in ("/auth/session", "/auth/login") * 3]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert int(answers[5].headers["retry-after"]) >= 1


def test_guesses_at_once_get_no_more_tries(own):
    body = {"username": "root", "password": "a wrong guess"}

    def guess(number):
        path = ("/auth/session", "/auth/login")[number % 2]
        return own.request("POST", path, json=body, jwt="").status_code

    with ThreadPoolExecutor(9) as pool:
        statuses = list(pool.map(guess, range(9)))
    assert sorted(statuses) == [401] * 5 + [429] * 4


def test_logging_out_ends_one_jwt_for_good(own):
    other = own.jwt
    own.login(PASSWORD + "!")
    ended = own.jwt
    assert own.request("POST", "/auth/logout").status_code == 200
    for start in (None, own.kill, own.stop):
        if start:
            start()
            own.start()
        failure(own.request("GET", "/tokens", jwt=ended), 401, "session_ended")
        assert own.request("GET", "/tokens", jwt=other).status_code == 200
    failure(own.request("POST", "/auth/logout", jwt=ended), 401)


def test_many_logouts_take_bounded_room(own):
    own.stop()
    secret = signing_secret(own)
    (epoch,) = query(own, "SELECT session_epoch FROM users WHERE username = 'root'")[0]
    own.start()
    jwts = [sign(secret, 1, epoch) for _ in range(66)]
    for number, jwt in enumerate(jwts[:65]):
        assert own.request("GET", "/tokens", jwt=jwts[65]).status_code == 200, number
        assert own.request("POST", "/auth/logout", jwt=jwt).status_code == 200
    for jwt in jwts:
        failure(own.request("GET", "/tokens", jwt=jwt), 401, "session_ended")
    own.stop()
    assert query(own, "SELECT count(*) FROM ended_logins") == [(0,)]


# Management tokens

def test_a_management_token_is_shown_once_and_works_until_deleted(own):
    made = own.call("POST", "/auth/tokens", {"name": "HR", "expires_at": None})
    token = made["token"]
    assert token.startswith("tgm-") and len(token) == 52 and made["read_only"] is False
    assert made["token_hint"] == f"{token[:8]}…{token[-4:]}"
    listed = own.call("GET", "/auth/tokens")
    assert listed["items"] == [{k: v for k, v in made.items() if k != "token"}]
    own.restart()
    assert own.request("POST", "/tokens", jwt=token, json={"name": "by HR"}).status_code == 200
    assert own.request("DELETE", f"/auth/tokens/{made['id']}").status_code == 200
    failure(own.request("GET", "/tokens", jwt=token), 401, "invalid_login")
    assert own.request("DELETE", f"/auth/tokens/{made['id']}").status_code == 404
    own.stop()
    assert token not in own.log
    assert token.encode() not in (own.data_dir / "db.db").read_bytes()


def test_a_management_token_expires_and_needs_an_enabled_account(own):
    late = own.call("POST", "/auth/tokens", {"name": "late", "expires_at": int(time.time()) - 5})
    failure(own.request("GET", "/tokens", jwt=late["token"]), 401, "token_expired")
    later = int(time.time()) + 1000
    token = own.call("POST", "/auth/tokens", {"name": "good", "expires_at": later})["token"]
    own.stop()
    add_user(own, "second", role="root")
    query(own, "UPDATE users SET status = 2 WHERE username = 'root'")
    own.start()
    failure(own.request("GET", "/tokens", jwt=token), 401, "account_disabled")
    own.stop()
    query(own, "UPDATE users SET status = 1, role = 1 WHERE username = 'root'")
    own.start()
    assert own.request("GET", "/tokens", jwt=token).status_code == 200
    failure(own.request("GET", "/channels", jwt=token), 403, "forbidden")


def test_an_account_has_a_bounded_number_of_management_tokens(own):
    for number in range(100):
        own.call("POST", "/auth/tokens", {"name": f"token {number}"})
    failure(own.request("POST", "/auth/tokens", json={"name": "one more"}), 409, "conflict")


@pytest.mark.parametrize("body", [
    {}, {"name": ""}, {"name": "x" * 129}, {"name": 5}, {"name": "x", "read_only": 1},
    {"name": "x", "expires_at": "never"}, {"name": "x", "expires_at": 0}, {"name": "x", "id": 1}])
def test_a_bad_management_token_is_a_400(gateway, body):
    failure(gateway.request("POST", "/auth/tokens", json=body), 400)
