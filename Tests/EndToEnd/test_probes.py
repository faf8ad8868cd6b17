# SPDX-License-Identifier: MIT
"""What the gateway asks upstreams on its owner's behalf: channel tests and balances."""

import pytest

from process import free_port
from test_management_login import failure


def balance(gateway, upstream, kind, folder, path=""):
    """Asks for the balance of a channel below that folder of the scripted upstream."""
    channel = gateway.channel(upstream.url(path=f"/{folder}{path}"), ["m"], type=kind)
    return gateway.request("GET", f"/channels/{channel['id']}/balance")


@pytest.mark.short
@pytest.mark.parametrize("kind, path, expected", [
    ("deepseek", "/v1", {"amount": "110.00", "currency": "CNY"}),
    ("deepseek", "", {"amount": "110.00", "currency": "CNY"}),
    ("moonshot", "/v1", {"amount": "49.58894", "currency": "CNY"})])
def test_the_balance_is_told(gateway, upstream, kind, path, expected):
    answer = balance(gateway, upstream, kind, kind, path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == expected


@pytest.mark.parametrize("folder, words", [
    ("bad-key", ["refuses the key", "401", "Authentication Fails"]),
    ("broken", ["the upstream fails", "500", "out of order"]),
    ("page", ["base_url is wrong", "404"]),
    ("odd", ["not in the form that DeepSeek"]), ("no-json", ["balance is"])])
def test_a_balance_that_cannot_be_told_has_a_reason(gateway, upstream, folder, words):
    answer = balance(gateway, upstream, "deepseek", folder, "/v1")
    message = failure(answer, 502, "upstream_error")
    for word in words:
        assert word in message, message
    assert "sk-upstream" not in message


def test_a_balance_without_an_upstream_has_a_reason(gateway):
    channel = gateway.channel(f"http://127.0.0.1:{free_port()}/v1", ["m"], type="deepseek")
    answer = gateway.request("GET", f"/channels/{channel['id']}/balance")
    assert "refused" in failure(answer, 502, "upstream_error").lower()


def test_a_type_without_a_balance_says_so(gateway, upstream):
    channel = gateway.channel(upstream.url(), ["m"])
    answer = gateway.request("GET", f"/channels/{channel['id']}/balance")
    assert "no call that tells the balance" in failure(answer, 404, "not_supported")
    failure(gateway.request("GET", "/channels/99999/balance"), 404, "not_found")


@pytest.mark.parametrize("script, words", [
    ("status:401:invalid_api_key", ["refuses the key"]),
    ("status:403", ["refuses the key, or its use"]),
    ("status:402", ["no balance"]), ("status:429:insufficient_quota", ["no balance"]),
    ("status:429:x:exceeded_current_quota_error", ["no balance"]),
    ("status:404:model_not_found", ["does not know the model"]),
    ("status:400:model_not_found", ["does not know the model"]),
    ("status:429:rate_limit_exceeded", ["rate limit"]), ("retry-after:5", ["rate limit"]),
    ("raw:html-404", ["base_url is wrong"]), ("raw:html-200", ["web page", "base_url is wrong"]),
    ("raw:redirect", ["redirects", "base_url is wrong"]), ("raw:not-http", ["HTTP"]),
    ("raw:empty", ["base_url right"]), ("status:500", ["fails"]),
    ("reset", ["closed the connection"]), ("raw:short-body", ["broke off"])])
def test_a_failed_test_is_told_in_plain_words(gateway, upstream, script, words):
    route = gateway.route(upstream, script)
    result = gateway.call("POST", f"/channels/{route.channel['id']}/test", {})
    assert result["ok"] is False
    for word in words:
        assert word in result["error"], result["error"]


@pytest.mark.parametrize("script, limits, words", [
    ("never", {"first_byte_timeout_ms": 200}, ["did not answer within 200 ms"]),
    ("stall:2", {"idle_timeout_ms": 200}, ["stopped", "200 ms"])])
def test_a_slow_upstream_is_told_in_plain_words(gateway, upstream, script, limits, words):
    route = gateway.route(upstream, script, **limits)
    result = gateway.call("POST", f"/channels/{route.channel['id']}/test", {})
    assert result["ok"] is False
    for word in words:
        assert word in result["error"], result["error"]


def test_a_name_that_does_not_exist_is_told_in_plain_words(gateway):
    # A label of more than 63 characters is refused without asking anybody.
    channel = gateway.channel(f"http://{'a' * 64}.invalid/v1", ["m"])
    result = gateway.call("POST", f"/channels/{channel['id']}/test", {})
    assert result["ok"] is False and "was not found" in result["error"]
    assert "base_url" in result["error"] and "DNS" in result["error"]
