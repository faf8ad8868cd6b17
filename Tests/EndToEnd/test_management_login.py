# SPDX-License-Identifier: MIT
"""Login to the management API: the forced password change, JWT, and brute force."""

import base64
import hashlib
import hmac
import json
import time

import pytest

from gateway import FIRST_PASSWORD, PASSWORD


def failure(response, status, code=None):
    """Checks the envelope of a refused call and returns its message."""
    assert response.status_code == status, response.text
    body = response.json()
    assert body["success"] is False and body["message"] and body["code"]
    if code:
        assert body["code"] == code
    return body["message"]


@pytest.mark.short
def test_the_first_login_can_only_change_the_password(fresh):
    fresh.start()
    data = fresh.login(FIRST_PASSWORD)
    assert data["must_change_password"] is True and data["expires_at"] > time.time()
    for method, path in (("GET", "/channels"), ("POST", "/tokens"), ("GET", "/channels/stats"),
                         ("GET", "/channel-types"), ("DELETE", "/channels/1")):
        failure(fresh.request(method, path, json={} if method == "POST" else None),
                403, "password_change_required")
    first = fresh.jwt
    body = {"old_password": FIRST_PASSWORD, "new_password": PASSWORD}
    fresh.jwt = fresh.call("PUT", "/users/self/password", body)["token"]
    page = fresh.call("GET", "/channels")
    assert page == {"items": [], "total": 0, "page": 1, "page_size": 50}
    assert fresh.request("GET", "/channels", jwt=first).status_code in (401, 403)
    wrong = fresh.request("POST", "/auth/login",
                          json={"username": "root", "password": FIRST_PASSWORD})
    failure(wrong, 401)
    assert fresh.login(PASSWORD)["must_change_password"] is False


@pytest.mark.parametrize("body", [
    {"old_password": "wrong", "new_password": "a good password"},
    {"old_password": PASSWORD, "new_password": "short"},
    {"old_password": PASSWORD, "new_password": "x" * 129},
    {"old_password": PASSWORD}, {"new_password": "a good password"}, {}])
def test_a_bad_password_change_is_refused(make_gateway, body):
    gateway = make_gateway()
    assert gateway.request("PUT", "/users/self/password", json=body).status_code in (400, 401, 403)
    assert gateway.login(PASSWORD)["token"]


def test_the_default_password_cannot_be_kept(fresh):
    fresh.start()
    fresh.login(FIRST_PASSWORD)
    body = {"old_password": FIRST_PASSWORD, "new_password": FIRST_PASSWORD}
    failure(fresh.request("PUT", "/users/self/password", json=body), 400)


def test_a_password_change_ends_the_other_logins(make_gateway):
    gateway = make_gateway()
    old = gateway.jwt
    body = {"old_password": PASSWORD, "new_password": "a second good password"}
    gateway.jwt = gateway.call("PUT", "/users/self/password", body)["token"]
    gateway.call("GET", "/tokens")
    failure(gateway.request("GET", "/tokens", jwt=old), 401)


@pytest.mark.native
def test_wrong_password_and_unknown_user_are_told_apart_by_nothing(make_gateway):
    gateway = make_gateway()
    answers, seconds = {}, {"root": [], "nobody": []}
    for name in 2 * list(seconds):
        began = time.monotonic()
        answers[name] = gateway.request(
            "POST", "/auth/login", json={"username": name, "password": "wrong password"})
        seconds[name].append(time.monotonic() - began)
    assert failure(answers["root"], 401) == failure(answers["nobody"], 401)
    assert answers["root"].json()["code"] == answers["nobody"].json()["code"]
    assert 0.4 < min(seconds["root"]) / min(seconds["nobody"]) < 2.5


def test_guessing_is_slowed_down_and_the_relay_does_not_suffer(make_gateway):
    gateway = make_gateway()
    body = {"username": "root", "password": "a wrong guess"}
    statuses = [gateway.request("POST", "/auth/login", json=body) for _ in range(8)]
    assert [r.status_code for r in statuses[:5]] == [401] * 5
    limited = [r for r in statuses if r.status_code == 429]
    assert limited and int(limited[0].headers["retry-after"]) >= 1
    assert gateway.get("/v1/models").status_code == 200


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'{"username":"root"}', b'{"username":1,"password":"x"}',
    b'{"username":"root","password":"x","extra":1}', b'{"username":"root","username":"a"}'])
def test_a_malformed_login_is_a_400(gateway, body):
    failure(gateway.request("POST", "/auth/login", content=body, jwt="",
                            headers={"Content-Type": "application/json"}), 400)


def encode(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_the_token_is_a_jwt_with_hs256(gateway):
    head, body, _ = gateway.jwt.split(".")
    head, body = (json.loads(base64.urlsafe_b64decode(p + "==")) for p in (head, body))
    assert head["alg"] == "HS256"
    assert body["exp"] - body["iat"] <= 24 * 3600 and body["jti"]


def test_forged_tokens_are_refused(gateway):
    head, body, signature = gateway.jwt.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    later = encode({**claims, "exp": claims["exp"] + 10})
    none = encode({"alg": "none", "typ": "JWT"})
    signed = hmac.new(b"", f"{head}.{body}".encode(), hashlib.sha256).digest()
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    for jwt in (f"{head}.{later}.{signature}", f"{none}.{body}.", f"{none}.{body}.{signature}",
                f"{head}.{body}.{encode(signed)}", f"{head}.{body}.", f"{head}.{body}",
                f"{head}.{body}.{flipped}", "..", ".", "x", "a.b.c", gateway.jwt + "A",
                gateway.jwt + ".x", "A" * 7000):
        failure(gateway.request("GET", "/channels", jwt=jwt), 401)
    assert gateway.request("GET", "/channels").status_code == 200


def test_a_client_key_opens_nothing_here_and_a_jwt_nothing_there(gateway):
    failure(gateway.request("GET", "/channels", jwt=gateway.key()), 401)
    assert gateway.get("/v1/models", key=gateway.jwt).status_code == 401


@pytest.mark.parametrize("method, path", [
    ("GET", "/channels"), ("POST", "/channels"), ("GET", "/channels/1"), ("PUT", "/channels/1"),
    ("DELETE", "/channels/1"), ("POST", "/channels/1/test"), ("GET", "/channels/stats"),
    ("GET", "/tokens"), ("POST", "/tokens"), ("GET", "/tokens/1"), ("PUT", "/tokens/1"),
    ("DELETE", "/tokens/1"), ("PUT", "/users/self/password"), ("GET", "/channel-types")])
def test_every_call_but_login_and_health_needs_a_login(gateway, method, path):
    failure(gateway.request(method, path, jwt="", json={} if method != "GET" else None), 401)


def test_health_needs_no_login_and_tells_nothing(gateway):
    answer = gateway.request("GET", "/health", jwt="")
    assert answer.status_code == 200 and answer.json()["success"] is True
    assert "version" not in answer.text.lower()


def test_unknown_calls_and_methods_are_told_apart(gateway):
    failure(gateway.request("GET", "/no-such-call"), 404)
    failure(gateway.request("GET", "/restores"), 404)
    assert gateway.request("PATCH", "/channels").status_code in (405, 501)


def test_changes_need_json_and_our_own_origin(gateway):
    body = json.dumps({"name": "x"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert gateway.request("POST", "/tokens", content=body, headers=form).status_code in (400, 415)
