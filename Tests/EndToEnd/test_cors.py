# SPDX-License-Identifier: MIT
"""Programs in browsers, on pages of other sites: closed at first, open where the owner says so."""

import pytest

from test_sdk_chat import user

ORIGIN = {"Origin": "https://chat.example"}
PREFLIGHT = {**ORIGIN, "Access-Control-Request-Method": "POST",
             "Access-Control-Request-Headers": "authorization,content-type,x-stainless-os"}
ALLOWED = "access-control-allow-origin"


@pytest.fixture(scope="module")
def opened(seed, tmp_path_factory):
    """A gateway that serves pages of any site."""
    with seed.copy(tmp_path_factory.mktemp("cors") / "data", {"cors": "true"}) as instance:
        yield instance


def test_it_is_closed_at_first(gateway, upstream):
    answer = gateway.http.options("/v1/chat/completions", headers=PREFLIGHT)
    assert answer.status_code == 405 and ALLOWED not in answer.headers
    assert ALLOWED not in gateway.get("/v1/models", headers=ORIGIN).headers


@pytest.mark.short
@pytest.mark.parametrize("path", [
    "/v1/chat/completions", "/v1/models", "/v1/dashboard/billing/usage", "/dashboard/billing/usage",
    "/v1/messages", "/v1beta/models/m:generateContent", "/api/chat", "/openai/v1/responses"])
def test_a_browser_may_ask_whether_it_may_call(opened, path):
    answer = opened.http.options(path, headers=PREFLIGHT)
    assert answer.status_code == 200 and answer.content == b""
    assert answer.headers[ALLOWED] == "*"
    assert answer.headers["access-control-allow-headers"] == \
        PREFLIGHT["Access-Control-Request-Headers"]
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "access-control-allow-credentials" not in answer.headers


def test_answers_streams_and_errors_may_be_read(opened, upstream):
    route = opened.route(upstream, "echo")
    chat = opened.sdk().chat.completions
    for stream in (False, True):
        answer = chat.with_raw_response.create(
            model=route.model, messages=user("x"), stream=stream, extra_headers=ORIGIN)
        assert answer.headers[ALLOWED] == "*"
        assert answer.headers["access-control-expose-headers"] == "*"
    for path, key in (("/v1/models", "sk-wrong"), ("/v1/nothing", None)):
        refused = opened.get(path, key, headers=ORIGIN)
        assert refused.status_code in (401, 404) and refused.headers[ALLOWED] == "*"


@pytest.mark.parametrize("path", ["/api/v1/auth/login", "/api/v1/users", "/metrics", "/", "/x"])
def test_what_is_not_for_clients_stays_closed(opened, path):
    answer = opened.http.options(path, headers=PREFLIGHT)
    assert answer.status_code >= 400 and ALLOWED not in answer.headers
    assert ALLOWED not in opened.http.get(path, headers=ORIGIN).headers
