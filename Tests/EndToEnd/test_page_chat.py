# SPDX-License-Identifier: MIT
"""Chat from a page: with a token of one's own, without its key."""

import json

import pytest

from database import add_user
from gateway import PASSWORD
from process import wait_until
from test_management_login import failure
from test_page_api import log_in
from test_sdk_chat import user


def cookie_of(gateway):
    """The headers of a page of the gateway's own."""
    answer = gateway.request("POST", "/auth/session", jwt="",
                             json={"username": "root", "password": PASSWORD})
    gateway.http.cookies.clear()
    return {"Cookie": f"tg_session={answer.cookies['tg_session']}", "Origin": gateway.url}


def chat(gateway, token, model, jwt=None, stream=False, **more):
    body = {"model": model, "messages": user("x"), "stream": stream}
    return gateway.request(
        "POST", f"/tokens/{token['id']}/chat/completions", jwt=jwt, json=body, **more)


@pytest.mark.short
def test_a_page_chats_with_a_token_but_without_its_key(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token(quota=1000)
    headers = cookie_of(gateway)
    whole = chat(gateway, token, route.model, jwt="", headers=headers)
    streamed = chat(gateway, token, route.model, jwt="", headers=headers, stream=True)
    bearer = chat(gateway, token, route.model)
    for answer in (whole, bearer):
        assert answer.status_code == 200, answer.text
        assert answer.json()["choices"][0]["message"]["content"]
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert streamed.text.rstrip().endswith("data: [DONE]")
    reference = gateway.post("/v1/chat/completions", json.dumps(
        {"model": route.model, "messages": user("x"), "stream": False}), token["key"])
    assert whole.json()["choices"] == reference.json()["choices"]
    assert set(whole.headers) == set(reference.headers)
    rows = gateway.call("GET", f"/logs?token_id={token['id']}")["items"]
    answers = [whole, streamed, bearer, reference]
    assert [row["request_id"] for row in rows[::-1]] == [
        answer.headers["x-oneapi-request-id"] for answer in answers]
    assert [row["stream"] for row in rows[::-1]] == [False, True, False, False]
    assert {row["quota"] for row in rows} == {16}
    assert gateway.used_quota(token) == 64
    # The upstream learns the channel's key and nothing of the login.
    for request in route.requests():
        assert request.key == "sk-upstream-key-1"
        assert not request.header("cookie") and not request.header("origin")


def test_only_pages_of_ones_own_may_chat_with_a_cookie(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token()
    headers = cookie_of(gateway)
    for origin in (None, "null", "http://evil.example", gateway.url.replace("http", "https")):
        foreign = {"Cookie": headers["Cookie"], **({"Origin": origin} if origin else {})}
        for kind in ("application/json", "text/plain"):
            answer = chat(gateway, token, route.model, jwt="",
                          headers={**foreign, "Content-Type": kind})
            failure(answer, 403, "cross_site")
    failure(chat(gateway, token, route.model, jwt=""), 401, "login_required")
    failure(chat(gateway, token, route.model, jwt=token["key"]), 401, "invalid_login")
    failure(gateway.request("GET", f"/tokens/{token['id']}/chat/completions"), 405)
    for read_only in (True, False):
        made = gateway.call("POST", "/auth/tokens", {"name": "a", "read_only": read_only})
        answer = chat(gateway, token, route.model, jwt=made["token"])
        if read_only:
            failure(answer, 403, "read_only_token")
        else:
            assert answer.status_code == 200
    assert len(route.requests()) == 1


def test_nobody_chats_with_anothers_token(make_gateway, upstream):
    gateway = make_gateway(start=False)
    add_user(gateway, "ann")
    add_user(gateway, "carl", "admin")
    gateway.start()
    route, own = gateway.route(upstream, "echo"), gateway.token()
    ann, carl = log_in(gateway, "ann"), log_in(gateway, "carl")
    root, gateway.jwt = gateway.jwt, ann
    anns = gateway.token()
    gateway.jwt = root
    for token, jwt, expected in [
            (own, ann, 404), (own, carl, 404), (anns, carl, 403), (anns, root, 403),
            ({"id": 999}, root, 404)]:
        failure(chat(gateway, token, route.model, jwt), expected)
    assert chat(gateway, anns, route.model, ann).status_code == 200
    assert len(route.requests()) == 1


def test_what_the_token_says_holds_and_is_told_as_on_v1(gateway, upstream):
    route = gateway.route(upstream, "echo")
    for fields, expected, code in [
            ({"allowed_ips": ["10.0.0.0/8"]}, 403, "ip_not_allowed"),
            ({"status": "disabled"}, 401, "token_disabled"),
            ({"expires_at": 1}, 401, "token_expired"),
            ({"models": ["other"]}, 403, "model_not_allowed"),
            ({"quota": 1}, 429, "insufficient_quota")]:
        token = gateway.token()
        gateway.call("PUT", f"/tokens/{token['id']}", fields)
        answer = chat(gateway, token, route.model)
        assert answer.status_code == expected, answer.text
        assert answer.json()["error"]["code"] == code
        reference = gateway.post(
            "/v1/chat/completions", json.dumps({"model": route.model, "messages": user("x")}),
            token["key"])
        assert reference.json() == answer.json()
    token = gateway.token()
    path = f"/tokens/{token['id']}/chat/completions"
    answer = gateway.request("POST", path, content=b"{", headers={
        "Content-Type": "application/json"})
    assert answer.status_code == 400 and answer.json()["error"]["type"]
    failure(gateway.request("POST", path + "?a=b", json={}), 400, "unknown_parameter")
    assert not route.requests()


def test_a_page_that_leaves_ends_its_request(gateway, upstream):
    route, token = gateway.route(upstream, "slow-stream:300"), gateway.token()
    body = {"model": route.model, "messages": user("x"), "stream": True}
    with gateway.http.stream(
            "POST", f"/api/v1/tokens/{token['id']}/chat/completions", json=body,
            headers={"Authorization": f"Bearer {gateway.jwt}"}) as answer:
        next(answer.iter_lines())
    rows = wait_until(lambda: gateway.call("GET", f"/logs?token_id={token['id']}")["items"])
    assert rows[0]["client_gone"] is True
    assert gateway.call("GET", "/status")["relays"] == 0
