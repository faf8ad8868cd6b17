# SPDX-License-Identifier: MIT
"""Channel groups, user groups and model fallbacks over the management API."""

import pytest

from accounts import person
from test_management_login import failure
from test_management_objects import NEW, rejected

PLAIN = {"strategy": "weighted_round_robin", "retries": None, "retry_interval_ms": None,
         "fallback_channels": [], "sticky": False}


def group_of(gateway, path, name):
    """The group with the name."""
    return next(group for group in gateway.items(path) if group["name"] == name)


def conflict(gateway, method, path, *words, body=None):
    """A call that must be a 409 `conflict` whose message holds these words."""
    response = gateway.request(method, path, **({} if body is None else {"json": body}))
    message = failure(response, 409)
    assert response.json()["code"] == "conflict"
    for word in words:
        assert word in message, f"{word!r} is not in {message!r}"


@pytest.fixture
def own(make_gateway):
    """A gateway of the test's own: groups have names, not numbers."""
    return make_gateway()


def test_the_default_groups_are_there_and_stay(own):
    group = group_of(own, "/channel-groups", "default")
    assert group == {**PLAIN, "id": group["id"], "name": "default", "members": [],
                     "created_at": group["created_at"]}
    assert group_of(own, "/user-groups", "default")["channel_groups"] == ["default"]
    for kind in ("/channel-groups", "/user-groups"):
        path = f"{kind}/{group_of(own, kind, 'default')['id']}"
        conflict(own, "DELETE", path, "default is always there")
        conflict(own, "PUT", path, "default is always there", body={"name": "other"})
    path = f"/channel-groups/{group['id']}"
    changed = own.call("PUT", path, {"strategy": "least_busy", "retries": 0, "name": "default"})
    assert changed == {**group, "strategy": "least_busy", "retries": 0}


@pytest.mark.short
def test_a_channel_group_is_created_read_changed_and_deleted_and_survives_a_restart(own):
    one, two = [own.call("POST", "/channels", {**NEW, "name": name})["id"] for name in "ab"]
    body = {"name": "fast \"所有\"", "strategy": "least_latency", "retries": 10,
            "retry_interval_ms": 60000, "fallback_channels": [two, one], "sticky": True}
    created = own.call("POST", "/channel-groups", body)
    path = f"/channel-groups/{created['id']}"
    assert {key: created[key] for key in body} == body
    assert created["members"] == [] and created["created_at"] > 0
    own.call("PUT", f"/channels/{one}", {"groups": ["default", body["name"]], "weight": 9,
                                         "priority": 2})
    members = [{"channel_id": one, "name": "a", "weight": 9, "priority": 2, "status": "enabled"}]
    assert own.call("GET", path)["members"] == members
    own.restart()
    assert own.call("GET", path) == {**created, "members": members}
    changed = own.call("PUT", path, {"retries": None, "retry_interval_ms": None, "sticky": False})
    assert changed == {**created, "members": members, "retries": None,
                       "retry_interval_ms": None, "sticky": False}
    own.call("PUT", f"/channels/{one}", {"groups": []})
    assert own.call("PUT", path, {"name": "slow"})["name"] == "slow"
    own.call("DELETE", path)
    for method, more in (("GET", {}), ("DELETE", {}), ("PUT", {"json": {"name": "x"}})):
        failure(own.request(method, path, **more), 404)


@pytest.mark.parametrize("kind", ["/channel-groups", "/user-groups"])
def test_a_name_is_there_once(own, kind):
    created = own.call("POST", kind, {"name": "a"})
    for method, path, name in (("POST", kind, "a"), ("PUT", f"{kind}/{created['id']}", "default")):
        response = own.request(method, path, json={"name": name})
        failure(response, 409)
        assert response.json()["code"] == "duplicate"


@pytest.mark.parametrize("change, word", [
    ({"name": ""}, "name"), ({"name": "a,b"}, "name"), ({"name": " a"}, "name"),
    ({"strategy": "random"}, "strategy"), ({"retries": 11}, "retries"),
    ({"retries": "1"}, "retries"), ({"retry_interval_ms": 60001}, "retry_interval_ms"),
    ({"fallback_channels": [999999]}, "999999"), ({"fallback_channels": "1"}, "fallback_channels"),
    ({"sticky": 1}, "sticky"), ({"members": []}, "members"), ({"id": 1}, "id")],
    ids=lambda value: str(value)[:32])
def test_a_bad_group_field_is_named(gateway, change, word):
    rejected(gateway, "POST", "/channel-groups", {"name": "bad", **change}, word)


def test_a_group_in_use_is_neither_deleted_nor_renamed(own):
    group = own.call("POST", "/channel-groups", {"name": "vip"})
    path = f"/channel-groups/{group['id']}"
    channel = own.call("POST", "/channels", {**NEW, "name": "the user", "groups": ["vip"]})
    token = own.token(channel_group="vip")
    staff = own.call("POST", "/user-groups", {"name": "staff", "channel_groups": ["vip"]})
    for method, body in (("DELETE", None), ("PUT", {"name": "gold"})):
        conflict(own, method, path, '"vip"', f'channel {channel["id"]} "the user"',
                 f'user group {staff["id"]} "staff"', f"token {token['id']} ", body=body)
    assert own.call("PUT", path, {"name": "vip", "retries": 1})["retries"] == 1
    own.call("DELETE", f"/channels/{channel['id']}")
    own.call("PUT", f"/tokens/{token['id']}", {"channel_group": None})
    conflict(own, "DELETE", path, "staff")
    own.call("PUT", f"/user-groups/{staff['id']}", {"channel_groups": []})
    own.call("DELETE", path)


def test_a_channel_that_is_deleted_is_no_fallback_any_more(own):
    one, two, three = [own.call("POST", "/channels", {**NEW, "name": n})["id"] for n in "abc"]
    for name, ids in (("x", [three, one, two]), ("y", [one]), ("z", [two])):
        own.call("POST", "/channel-groups", {"name": name, "fallback_channels": ids})
    own.call("DELETE", f"/channels/{one}")
    expected = {"default": [], "x": [three, two], "y": [], "z": [two]}
    for _ in range(2):
        found = {g["name"]: g["fallback_channels"] for g in own.items("/channel-groups")}
        assert found == expected
        own.restart()


def test_a_user_group_lists_channel_groups_in_order(own):
    own.call("POST", "/channel-groups", {"name": "vip"})
    created = own.call("POST", "/user-groups", {
        "name": "staff", "channel_groups": ["vip", "default"]})
    path = f"/user-groups/{created['id']}"
    own.restart()
    assert own.call("GET", path) == created
    assert own.call("PUT", path, {"name": "team"}) == {**created, "name": "team"}
    rejected(own, "PUT", path, {"channel_groups": ["gold"]}, '"gold"',
             "POST /api/v1/channel-groups")
    rejected(own, "PUT", path, {"ratio": 0.5}, "ratio")
    own.call("DELETE", path)
    failure(own.request("GET", path), 404)


def test_an_account_tells_to_which_channel_groups_its_tokens_may_be_bound(own):
    for name in ("vip", "gold"):
        own.call("POST", "/channel-groups", {"name": name})
    own.call("POST", "/user-groups", {"name": "staff", "channel_groups": ["vip", "default"]})
    someone = person(own, group="staff")
    failure(someone.request("GET", "/channel-groups"), 403)
    listed = someone.call("GET", "/users/self")["channel_groups"]
    assert listed == ["vip", "default"]
    for name in listed:
        someone.call("POST", "/tokens", {"name": name, "channel_group": name})
    refused = someone.request("POST", "/tokens", {"name": "t", "channel_group": "gold"})
    failure(refused, 403, "group_not_allowed")


def test_channels_and_tokens_name_groups_that_exist(own):
    words = ['"gold"', "does not exist", "POST /api/v1/channel-groups"]
    rejected(own, "POST", "/channels", {**NEW, "groups": ["default", "gold"]}, "groups", *words)
    rejected(own, "POST", "/tokens", {"name": "t", "channel_group": "gold"}, "channel_group",
             *words)
    own.call("POST", "/channel-groups", {"name": "gold"})
    created = own.call("POST", "/channels", {**NEW, "groups": ["default", "gold"]})
    assert created["groups"] == ["default", "gold"]
    assert own.token(channel_group="gold")["channel_group"] == "gold"


def test_a_caller_sees_the_models_of_its_groups(own, upstream):
    for name in ("vip", "cheap"):
        own.call("POST", "/channel-groups", {"name": name})
    own.channel(upstream.url(), ["plain"])
    own.channel(upstream.url(), ["gold"], groups=["vip"])
    own.channel(upstream.url(), ["both"], groups=["cheap", "vip"])

    def models(key):
        return [model.id for model in own.sdk(key).models.list()]

    named, free = own.token(channel_group="vip")["key"], own.token()["key"]
    assert models(named) == ["both", "gold"] and models(free) == ["plain"]
    path = f"/user-groups/{group_of(own, '/user-groups', 'default')['id']}"
    own.call("PUT", path, {"channel_groups": ["vip", "default"]})
    assert models(free) == ["both", "gold", "plain"] and models(named) == ["both", "gold"]
    assert own.sdk(free).models.retrieve("gold").id == "gold"
    own.call("PUT", path, {"channel_groups": []})
    assert models(free) == []


def test_channel_fields_of_load_and_waking_are_kept(own):
    fields = {"max_concurrency": 8, "location": "local", "wake_mac": "00:11:22:aa:bb:cc",
              "wake_broadcast": "192.168.1.255", "wake_timeout_ms": 90000,
              "wake_policy": "fallback"}
    plain = {"max_concurrency": 0, "location": "auto", "wake_mac": "", "wake_broadcast": "",
             "wake_timeout_ms": 0, "wake_policy": "hold"}
    created = own.call("POST", "/channels", NEW)
    path = f"/channels/{created['id']}"
    assert {key: created[key] for key in plain} == plain
    own.call("PUT", path, {**fields, "wake_mac": "00-11-22-AA-BB-CC"})
    own.restart()
    assert own.call("GET", path) == {**created, **fields}
    assert own.call("PUT", path, plain) == created


@pytest.mark.parametrize("change", [
    {"max_concurrency": 100001}, {"location": "lan"}, {"wake_mac": "00:11:22"},
    {"wake_broadcast": "nas.local"}, {"wake_timeout_ms": 999}, {"wake_policy": "wait"}],
    ids=lambda value: str(value)[:32])
def test_a_bad_field_of_load_or_waking_is_named(gateway, change):
    rejected(gateway, "POST", "/channels", {**NEW, **change}, *change)


@pytest.mark.short
def test_model_fallbacks_are_kept_and_changed_in_part(own):
    empty = {"fallbacks": {}, "offline": {}}
    assert own.call("GET", "/model-fallbacks") == empty
    fallbacks = {"gpt-4o": ["deepseek-chat", "llama3:8b"], "a": ["b"]}
    offline = {"*": "llama3:8b", "gpt-4o": "qwen:4b"}
    changed = own.call("PUT", "/model-fallbacks", {"fallbacks": fallbacks})
    assert changed == {"fallbacks": fallbacks, "offline": {}}
    own.call("PUT", "/model-fallbacks", {"offline": offline})
    rejected(own, "PUT", "/model-fallbacks", {"fallbacks": {"a": ["a"]}, "offline": {}},
             "fallbacks", '"a"')
    rejected(own, "PUT", "/model-fallbacks", {"fallbacks": {}, "offline": {"a": ["b"]}}, "offline")
    rejected(own, "PUT", "/model-fallbacks", {"online": {}}, "online")
    own.restart()
    assert own.call("GET", "/model-fallbacks") == {"fallbacks": fallbacks, "offline": offline}
    assert own.call("PUT", "/model-fallbacks", empty) == empty


@pytest.mark.parametrize("path", ["/channel-groups", "/user-groups", "/model-fallbacks"])
def test_groups_need_a_login(gateway, path):
    failure(gateway.request("GET", path, jwt=""), 401)
