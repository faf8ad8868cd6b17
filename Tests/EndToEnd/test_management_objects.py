# SPDX-License-Identifier: MIT
"""Channels and tokens over the management API, and what an SDK sees of them at once."""

import time

import openai
import pytest

from gateway import ManagementError
from process import PATIENCE, free_port
from test_failover import black_hole
from test_management_login import failure
from test_sdk_chat import user

NEW = {"name": "n", "type": "openai", "keys": ["sk-upstream-key-9876"], "models": ["m"],
       "base_url": "http://127.0.0.1:9/v1"}


def rejected(gateway, method, path, body, *words):
    """A call that must be a 400 whose message holds these words."""
    with pytest.raises(ManagementError) as caught:
        gateway.call(method, path, body)
    message = failure(caught.value.response, 400)
    for word in words:
        assert word in message, f"{word!r} is not in {message!r}"


def test_a_channel_is_created_read_changed_listed_and_deleted(gateway):
    body = {**NEW, "name": "所有 \"fields\"", "model_mapping": {"m": "upstream-m"}, "weight": 7,
            "priority": 3, "status": "enabled", "connect_timeout_ms": 1000,
            "first_byte_timeout_ms": 2000, "idle_timeout_ms": 3000, "headers": {"X-A": "b"}}
    created = gateway.call("POST", "/channels", body)
    path = f"/channels/{created['id']}"
    found = gateway.call("GET", path)
    for key, value in body.items():
        if key != "keys":
            assert found[key] == value, key
    assert found["key_hints"] == ["sk-...9876"] or "9876" in found["key_hints"][0]
    changed = gateway.call("PUT", path, {"name": "renamed", "weight": 1})
    assert changed is None or changed["name"] == "renamed"
    again = gateway.call("GET", path)
    assert again == {**found, "name": "renamed", "weight": 1, **{
        k: again[k] for k in again if k.endswith("_at")}}
    assert created["id"] in [c["id"] for c in gateway.items("/channels")]
    gateway.call("DELETE", path)
    failure(gateway.request("GET", path), 404)
    failure(gateway.request("DELETE", path), 404)
    failure(gateway.request("PUT", path, json={"name": "x"}), 404)


def test_channel_keys_never_come_out(gateway, upstream):
    key = "sk-secret-middle-part-5678"
    created = gateway.channel(upstream.url(), ["m"], keys=[key, "sk-second-secret-4321"])
    answers = [gateway.request("GET", f"/channels/{created['id']}").text,
               gateway.request("GET", "/channels?page_size=100").text, str(created),
               gateway.request("GET", "/channels/stats").text]
    for text in answers:
        assert "secret-middle" not in text and "second-secret" not in text
        assert '"keys"' not in text


def test_channel_keys_are_not_readable_on_the_disk(make_gateway, upstream):
    gateway = make_gateway()
    gateway.channel(upstream.url(), ["m"], keys=["sk-not-in-the-clear-1234"])
    token = gateway.token()
    gateway.stop()
    for path in gateway.data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"not-in-the-clear" not in content, path
            assert token["key"].encode() not in content, path


@pytest.mark.parametrize("change, words", [
    ({"no_such_field": 1}, ["no_such_field"]), ({"type": "no-such-type"}, ["type"]),
    ({"type": 1}, ["type"]), ({"name": ""}, ["name"]), ({"name": 5}, ["name"]),
    ({"base_url": "ftp://x/v1"}, ["base_url"]), ({"base_url": "http://u:p@h/v1"}, ["base_url"]),
    ({"base_url": "http://h:99999/v1"}, ["base_url"]), ({"base_url": "nonsense"}, ["base_url"]),
    ({"base_url": "http://h\r\nX: y/"}, ["base_url"]), ({"models": "m"}, ["models"]),
    ({"models": ["a b"]}, ["models"]), ({"models": ["m" * 129]}, ["models"]),
    ({"models": [1]}, ["models"]), ({"keys": "sk"}, ["keys"]), ({"keys": ["a\r\nb"]}, ["keys"]),
    ({"weight": 1001}, ["weight"]), ({"weight": -1}, ["weight"]), ({"weight": 1.5}, ["weight"]),
    ({"weight": "1"}, ["weight"]), ({"status": "auto_disabled"}, ["status"]),
    ({"status": "on"}, ["status"]), ({"model_mapping": ["a"]}, ["model_mapping"]),
    ({"model_mapping": {"a": 1}}, ["model_mapping"]), ({"headers": {"X": "a\nb"}}, ["headers"]),
    ({"headers": {"bad name": "a"}}, ["headers"]), ({"headers": {"Host": "h"}}, ["headers"]),
    ({"connect_timeout_ms": -5}, ["connect_timeout_ms"]),
    ({"priority": 10**30}, ["priority"]), ({"key_hints": ["x"]}, ["key_hints"])],
    ids=lambda value: str(value)[:32])
def test_a_bad_field_is_named(gateway, change, words):
    rejected(gateway, "POST", "/channels", {**NEW, **change}, *words)


@pytest.mark.parametrize("missing", ["name", "type"])
def test_a_missing_field_is_named(gateway, missing):
    body = {k: v for k, v in NEW.items() if k != missing}
    rejected(gateway, "POST", "/channels", body, missing)


@pytest.mark.parametrize("path", ["/channels/abc", "/channels/-1", "/channels/99999999999999999999",
                                  "/channels/0", "/channels/1.5", "/tokens/999999"])
def test_an_unknown_number_is_a_404_or_400(gateway, path):
    assert gateway.request("GET", path).status_code in (400, 404)


def test_an_edit_without_keys_keeps_them_and_a_new_address_demands_them(gateway, upstream):
    route = gateway.route(upstream, "echo")
    path = f"/channels/{route.channel['id']}"
    gateway.call("PUT", path, {"name": "still the same key"})
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert route.requests()[-1].key == "sk-upstream-key-1"
    rejected(gateway, "PUT", path, {"base_url": "http://127.0.0.1:9/v1"}, "key")
    gateway.call("PUT", path, {"base_url": upstream.url(), "keys": ["sk-upstream-key-2"]})
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert route.requests()[-1].key == "sk-upstream-key-2"


def test_a_change_counts_from_the_next_request_on(gateway, upstream):
    route = gateway.route(upstream, "echo")
    path, client = f"/channels/{route.channel['id']}", gateway.sdk()
    client.chat.completions.create(model=route.model, messages=user("x"))
    gateway.call("PUT", path, {"status": "disabled"})
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=route.model, messages=user("x"))
    assert route.model not in [m.id for m in client.models.list()]
    models = [route.model, "other-" + route.model]
    gateway.call("PUT", path, {"status": "enabled", "models": models})
    client.chat.completions.create(model=route.model, messages=user("x"))
    assert "other-" + route.model in [m.id for m in client.models.list()]
    gateway.call("DELETE", path)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model=route.model, messages=user("x"))


def test_the_test_button_tells_the_latency(gateway, upstream):
    route = gateway.route(upstream, "slow-first-byte:60")
    result = gateway.call("POST", f"/channels/{route.channel['id']}/test", {})
    assert result["ok"] is True and result["model"] == route.model and not result["error"]
    assert 50 <= result["first_byte_ms"] <= result["latency_ms"] < 5000 * PATIENCE
    named = gateway.call("POST", f"/channels/{route.channel['id']}/test", {"model": route.model})
    assert named["ok"] is True


@pytest.mark.parametrize("script, words", [
    ("status:401:invalid_api_key", ["upstream says 401"]), ("status:500", ["upstream says 500"]),
    ("raw:html-502", ["502"]), ("reset", []), ("raw:bad-json", [])])
def test_the_test_button_tells_the_error_in_plain_words(gateway, upstream, script, words):
    route = gateway.route(upstream, script)
    result = gateway.call("POST", f"/channels/{route.channel['id']}/test", {})
    assert result["ok"] is False and len(result["error"]) > 5
    for word in words:
        assert word in result["error"]


@pytest.mark.parametrize("listener, word", [("unknown-ca", "certificate"), ("wrong-name", "name")])
def test_the_test_button_tells_what_is_wrong_with_a_certificate(gateway, upstream, listener, word):
    route = gateway.route(upstream, "echo", listener=listener)
    result = gateway.call("POST", f"/channels/{route.channel['id']}/test", {})
    assert result["ok"] is False and word in result["error"].lower()


def test_the_test_button_tells_that_nobody_listens(gateway):
    port = free_port()
    channel = gateway.channel(f"http://127.0.0.1:{port}/v1", ["m"])
    result = gateway.call("POST", f"/channels/{channel['id']}/test", {})
    assert (result["ok"], result["error"]) == (
        False, f"no connection to 127.0.0.1 port {port}: Connection refused; "
        "start the server there, or correct base_url")


def test_the_test_button_tells_that_nobody_answers(gateway):
    with black_hole() as port:
        channel = gateway.channel(f"http://127.0.0.1:{port}/v1", ["m"], connect_timeout_ms=300)
        result = gateway.call("POST", f"/channels/{channel['id']}/test", {})
    assert (result["ok"], result["error"]) == (
        False, f"no connection to 127.0.0.1 port {port} within 300 ms; "
        "check base_url and the network")


def test_channel_types_are_listed_with_their_defaults(gateway):
    data = gateway.call("GET", "/channel-types")
    types = {item["slug"]: item for item in data["items"]}
    assert len(types) == len(data["items"]) == data["total"] > 50 and data["page_size"] == 100
    assert {"openai", "openai-compatible", "deepseek", "moonshot", "ollama"} <= set(types)
    assert types["openai"]["default_base_url"] == "https://api.openai.com/v1"
    spark = types["spark-ws"]
    assert spark["key_form"] == "APPID|APISecret|APIKey"
    keys = spark["fields"][0]
    assert (keys["name"], keys["example"], keys["default"], keys["choices"]) == (
        "keys", spark["key_form"], "", [])


def test_lists_have_pages(gateway):
    for _ in range(3):
        gateway.token()
    first = gateway.call("GET", "/tokens?page=1&page_size=2")
    second = gateway.call("GET", "/tokens?page=2&page_size=2")
    assert first["total"] == second["total"] >= 3 and first["page_size"] == 2
    assert len(first["items"]) == 2
    assert {t["id"] for t in first["items"]}.isdisjoint(t["id"] for t in second["items"])
    for query in ("page=0", "page_size=0", "page_size=101", "page=x", "page=-1"):
        assert gateway.request("GET", "/tokens?" + query).status_code == 400


def test_a_token_shows_its_key_once(gateway):
    created = gateway.token(name="once", quota=5, models=["a"], allowed_ips=["10.0.0.0/8"])
    key = created["key"]
    assert key.startswith("sk-") and len(key) == 51 and key[3:].isalnum()
    found = gateway.call("GET", f"/tokens/{created['id']}")
    assert "key" not in found and key[-4:] in found["key_hint"] and key not in str(found)
    assert (found["name"], found["quota"], found["used_quota"]) == ("once", 5, 0)
    assert (found["models"], found["allowed_ips"]) == (["a"], ["10.0.0.0/8"])
    assert (found["status"], found["expires_at"]) == ("enabled", None)
    assert key not in gateway.request("GET", "/tokens?page_size=100").text


def test_a_token_is_changed_partially(gateway):
    created = gateway.token(quota=5, models=["a"])
    path = f"/tokens/{created['id']}"
    before = gateway.call("GET", path)
    expires = int(time.time()) + 500
    for change in ({"name": "n2"}, {"quota": None}, {"quota": 9 * 10**12}, {"models": []},
                   {"expires_at": expires}, {"expires_at": None}, {"status": "disabled"},
                   {"allowed_ips": ["::1", "192.0.2.0/24"]}):
        gateway.call("PUT", path, change)
        before.update(change)
        after = gateway.call("GET", path)
        assert {k: after[k] for k in before if k != "updated_at"} == {
            k: v for k, v in before.items() if k != "updated_at"}


@pytest.mark.parametrize("change, word", [
    ({"no_such_field": 1}, "no_such_field"), ({"quota": -1}, "quota"), ({"quota": 1.5}, "quota"),
    ({"quota": "5"}, "quota"), ({"quota": 10**19}, "quota"), ({"expires_at": "soon"}, "expires_at"),
    ({"expires_at": -1}, "expires_at"), ({"allowed_ips": ["x"]}, "allowed_ips"),
    ({"allowed_ips": ["10.0.0.0/33"]}, "allowed_ips"),
    ({"allowed_ips": "10.0.0.0/8"}, "allowed_ips"),
    ({"models": ["a b"]}, "models"), ({"status": "auto_disabled"}, "status"),
    ({"key": "sk-mine"}, "key"), ({"used_quota": 0}, "used_quota"), ({"name": "x" * 1000}, "name")],
    ids=lambda value: str(value)[:32])
def test_a_bad_token_field_is_named(gateway, change, word):
    rejected(gateway, "POST", "/tokens", {"name": "n", **change}, word)
    created = gateway.token()
    rejected(gateway, "PUT", f"/tokens/{created['id']}", change, word)


def test_channel_figures_exist_for_every_channel_and_window(gateway, upstream):
    route = gateway.route(upstream, "echo")
    fields = {"channel_id", "name", "status", "requests", "successes", "errors", "success_rate",
              "error_rate", "errors_by_kind", "latency_ms_mean", "latency_ms_p95",
              "first_byte_ms_mean", "prompt_tokens", "completion_tokens", "last_error",
              "last_error_at"}
    assert fields <= set(gateway.stats(route.channel))
    for window in ("1h", "24h", "30d"):
        assert gateway.request("GET", f"/channels/stats?window={window}").status_code == 200
    failure(gateway.request("GET", "/channels/stats?window=2h"), 400)
