# SPDX-License-Identifier: MIT
"""Every refusal reaches the application as the exception class that the SDK has for it."""

import json
import time

import openai
import pytest

from process import wait_until
from test_sdk_chat import user

pytestmark = pytest.mark.short


def refused(client, error, code, model="any", **more):
    """Checks class and code of a refused chat completion; returns the exception."""
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=user("x"), **more)
    assert caught.value.code == code, caught.value.body
    assert caught.value.body["message"], "an error needs a sentence"
    assert "sk-upstream-key" not in str(caught.value.body)
    return caught.value


@pytest.fixture(scope="module")
def route(gateway, upstream):
    return gateway.route(upstream, "echo")


@pytest.mark.parametrize("key", ["sk-" + "0" * 48, "nonsense", "sk-", "sk-" + "x" * 5000])
def test_unknown_key(gateway, key):
    refused(gateway.sdk(key), openai.AuthenticationError, "invalid_api_key")


@pytest.mark.parametrize("value", [None, "", "Basic cm9vdDoxMjM0NTY=", "Bearer", "Bearer x y"])
def test_missing_key(gateway, value):
    headers = {} if value is None else {"Authorization": value}
    answer = gateway.http.post("/v1/chat/completions", json={"model": "x"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_the_answer_does_not_repeat_a_wrong_key(gateway):
    key = "sk-wrongwrongwrongwrongwrongwrong"
    error = refused(gateway.sdk(key), openai.AuthenticationError, "invalid_api_key")
    assert key not in str(error.body)


def test_disabled_token(gateway, route):
    token = gateway.token()
    gateway.call("PUT", f"/tokens/{token['id']}", {"status": "disabled"})
    client = gateway.sdk(token["key"])
    refused(client, openai.AuthenticationError, "token_disabled", route.model)
    gateway.call("PUT", f"/tokens/{token['id']}", {"status": "enabled"})
    client.chat.completions.create(model=route.model, messages=user("x"))


def test_expired_token(gateway, route):
    token = gateway.token(expires_at=int(time.time()) + 3600)
    client = gateway.sdk(token["key"])
    client.chat.completions.create(model=route.model, messages=user("x"))
    gateway.call("PUT", f"/tokens/{token['id']}", {"expires_at": int(time.time()) - 5})
    refused(client, openai.AuthenticationError, "token_expired", route.model)


def test_deleted_token(gateway, route):
    token = gateway.token()
    gateway.call("DELETE", f"/tokens/{token['id']}")
    refused(gateway.sdk(token["key"]), openai.AuthenticationError, "invalid_api_key", route.model)


def test_model_that_the_token_may_not_use(gateway, route):
    client = gateway.sdk(gateway.token(models=["only-this"])["key"])
    refused(client, openai.PermissionDeniedError, "model_not_allowed", route.model)


@pytest.mark.parametrize("ips", [["10.9.0.0/16"], ["2001:db8::/32"], ["192.0.2.1", "::2"]])
def test_address_that_the_token_does_not_allow(gateway, route, ips):
    client = gateway.sdk(gateway.token(allowed_ips=ips)["key"])
    error = refused(client, openai.PermissionDeniedError, "ip_not_allowed", route.model)
    assert ips[0].split("/")[0] not in str(error.body), "the list must not be named"


@pytest.mark.parametrize(
    "ips", [["127.0.0.0/8"], ["::ffff:127.0.0.1"], ["10.0.0.0/8", "127.0.0.1"]])
def test_address_that_the_token_allows(gateway, route, ips):
    client = gateway.sdk(gateway.token(allowed_ips=ips)["key"])
    client.chat.completions.create(model=route.model, messages=user("x"))


def test_forwarded_address_of_a_stranger_counts_for_nothing(gateway, route):
    token = gateway.token(allowed_ips=["10.9.0.0/16"])
    client = gateway.sdk(token["key"], default_headers={"X-Forwarded-For": "10.9.1.1"})
    refused(client, openai.PermissionDeniedError, "ip_not_allowed", route.model)


@pytest.mark.parametrize("forwarded, is_allowed", [
    ("10.9.1.1", True), ("192.0.2.7, 10.9.1.1", True), ("10.9.1.1, 192.0.2.7", False),
    ("10.9.1.1, 127.0.0.1", True), ("nonsense", False), ("", False)])
def test_forwarded_address_of_a_trusted_proxy_counts(
        make_gateway, upstream, forwarded, is_allowed):
    gateway = make_gateway(trusted_proxies="127.0.0.0/8")
    route = gateway.route(upstream, "echo")
    client = gateway.sdk(gateway.token(allowed_ips=["10.9.0.0/16"])["key"],
                         default_headers={"X-Forwarded-For": forwarded})
    if is_allowed:
        client.chat.completions.create(model=route.model, messages=user("x"))
    else:
        refused(client, openai.PermissionDeniedError, "ip_not_allowed", route.model)


def test_unknown_model(gateway):
    error = refused(gateway.sdk(), openai.NotFoundError, "model_not_found", "no-such-model")
    assert "no-such-model" in error.body["message"]


def test_model_whose_channels_are_all_disabled(gateway, upstream):
    route = gateway.route(upstream, "echo")
    gateway.call("PUT", f"/channels/{route.channel['id']}", {"status": "disabled"})
    error = refused(gateway.sdk(), openai.NotFoundError, "model_not_found", route.model)
    assert "disabled" in error.body["message"]


def test_retrieving_an_unknown_model(gateway):
    with pytest.raises(openai.NotFoundError) as caught:
        gateway.sdk().models.retrieve("no-such-model")
    assert caught.value.code == "model_not_found"


def test_spent_quota(gateway, route):
    client = gateway.sdk(gateway.token(quota=0)["key"])
    refused(client, openai.RateLimitError, "insufficient_quota", route.model)


MODEL_FORM = "The field model must be a name of 1 to 128 characters of A-Z a-z 0-9 . _ : / @ + -."
STREAM_FORM = "The field stream must be true or false."
CUT = "the text ends in the middle of a value"
NO_OBJECT = "the text must be an object, beginning with '{'"
TOO_DEEP = "objects and arrays are nested too deep"


@pytest.mark.parametrize("body, position, reason", [
    (b"", 0, CUT), (b"{", 1, CUT), (b'{"model":"a', 11, CUT),
    (b"[]", 0, NO_OBJECT), (b"null", 0, NO_OBJECT), (b'"x"', 0, NO_OBJECT),
    (b"{}x", 2, "there is more text behind the end of the value"),
    (b'{"model":"a","model":"b","messages":[]}', 13, "a key occurs twice in the outermost object"),
    (b'{"model":"a","n":NaN}', 17, "a value is expected here"),
    (b'{"model":"a","n":01}', 18, "a number is not written as JSON demands"),
    (b'{"model":"a","x":"\xff"}', 18, "a string is not valid UTF-8"),
    (b'{"model":"a","x":"\\ud800"}', 24, "a \\u escape is half of a surrogate pair"),
    (b'{"model":"a",}', 13, "a key in double quotes is expected here"),
    (b'{"model":"a","x":"\n"}', 18, "a string contains a raw line break"),
    (b'\xef\xbb\xbf{"model":"a"}', 0, "the text begins with a byte order mark"),
    (b'{"model":"a","x":' + b"[" * 200, 80, TOO_DEEP),
    (b'{"model":"a","x":' + b"[" * 100 + b"]" * 100 + b"}", 80, TOO_DEEP),
], ids=lambda value: ascii(value[:28])[2:-1] if isinstance(value, bytes) else "")
def test_a_body_that_is_not_json_is_told_where_and_why(gateway, body, position, reason):
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == {
        "message": f"The request body is invalid JSON at byte {position}: {reason}.",
        "type": "invalid_request_error", "param": None, "code": "invalid_json"}


@pytest.mark.parametrize("body, param, message", [
    ('{"messages":[]}', "model", "The field model is missing."),
    ('{"model":1}', "model", MODEL_FORM), ('{"model":""}', "model", MODEL_FORM),
    ('{"model":"a b"}', "model", MODEL_FORM), ('{"model":"%s"}' % ("m" * 200), "model", MODEL_FORM),
    ('{"model":"a","stream":"yes"}', "stream", STREAM_FORM),
], ids=lambda value: str(value)[:28])
def test_a_bad_field_is_named(gateway, body, param, message):
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] == {
        "message": message, "type": "invalid_request_error", "param": param,
        "code": "invalid_request"}


@pytest.mark.parametrize("body", [
    b"[]", b'{"model":"a","model":"b"}', b'{"model":"\xff"}', b'{"a":1,}', b'{"model":"m"}x', b"{",
    b'{"model":3}'])
def test_a_bad_body_leaves_nothing_behind_for_the_next_request(gateway, route, body):
    for _ in range(3):
        assert gateway.post("/v1/chat/completions", body).status_code == 400
        good = gateway.post(
            "/v1/chat/completions", json.dumps({"model": route.model, "messages": user("well?")}))
        assert good.status_code == 200, good.text


def test_bad_request_has_the_sdk_class(gateway, route):
    error = refused(gateway.sdk(), openai.BadRequestError, "invalid_request", route.model,
                    extra_body={"stream": "perhaps"})
    assert error.body["message"] == STREAM_FORM and error.param == "stream"


def test_encoded_body_is_refused(gateway):
    answer = gateway.post("/v1/chat/completions", b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415


@pytest.mark.parametrize("code, error", [
    (400, openai.BadRequestError), (404, openai.NotFoundError),
    (422, openai.UnprocessableEntityError), (429, openai.RateLimitError),
    (500, openai.InternalServerError), (503, openai.InternalServerError)])
def test_upstream_error_keeps_its_class_and_text(gateway, upstream, code, error):
    route = gateway.route(upstream, f"status:{code}")
    with pytest.raises(error) as caught:
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert f"upstream says {code}" in caught.value.body["message"]


@pytest.mark.parametrize("script, code", [
    ("status:401:invalid_api_key", "upstream_auth_failed"),
    ("status:403:account_deactivated", "upstream_auth_failed"),
    ("status:402", "upstream_quota_exhausted"),
    ("status:429:insufficient_quota:insufficient_quota", "upstream_quota_exhausted")])
def test_a_refused_channel_key_does_not_look_like_a_refused_client_key(
        gateway, upstream, script, code):
    route = gateway.route(upstream, script)
    error = refused(gateway.sdk(), openai.InternalServerError, code, route.model)
    assert error.status_code == 502


@pytest.mark.parametrize("body, status", [("good", 200), ("{", 400), ('{"model":"none"}', 404)])
def test_every_answer_carries_the_request_id_of_the_log(gateway, route, body, status):
    if body == "good":
        body = json.dumps({"model": route.model, "messages": user("x")})
    answer = gateway.post("/v1/chat/completions", body)
    request_id = answer.headers["x-oneapi-request-id"]
    line = wait_until(
        lambda: next((line for line in gateway.log_lines if request_id in line), None),
        what="the log line of a request")
    assert answer.status_code == status and f" status={status} " in line


def test_unknown_path_is_an_openai_error(gateway):
    answer = gateway.post("/v1/no-such-call", "{}")
    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_wrong_method_is_refused(gateway):
    answer = gateway.get("/v1/chat/completions")
    assert answer.status_code == 405
    assert "POST" in answer.headers["allow"]
