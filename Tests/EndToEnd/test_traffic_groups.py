# SPDX-License-Identifier: MIT
"""Channel groups: what they consist of, their strategies and policy, and who may use them."""

from collections import Counter

import pytest

from faulty import OK, failing, slow
from gateway import ManagementError
from process import PATIENCE, next_number
from test_management_login import failure
from traffic import make_group, pool_of, priorities

STRATEGIES = ["weighted_round_robin", "weighted_random", "priority", "least_latency", "least_busy"]


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway without pauses between attempts, and with room for many at once."""
    config = {"connections_per_address": 256, "memory_limit_mb": 128, "expose_channel": "true",
              "failover_connect_ms": 300 * PATIENCE}
    with seed.copy(tmp_path_factory.mktemp("groups") / "data", config) as instance:
        yield instance


# The group itself


@pytest.mark.short
def test_a_group_is_created_read_changed_listed_and_deleted(gateway):
    channel = gateway.channel("http://127.0.0.1:9/v1", ["m"])
    body = {"name": f"vip-{next_number()}", "strategy": "least_busy", "retries": 2,
            "retry_interval_ms": 50, "fallback_channels": [channel["id"]], "sticky": True}
    created = gateway.call("POST", "/channel-groups", body)
    path = f"/channel-groups/{created['id']}"
    found = gateway.call("GET", path)
    assert {key: found[key] for key in body} == body and found["members"] == []
    member = gateway.channel("http://127.0.0.1:9/v1", ["m"], groups=[body["name"]])
    assert str(member["id"]) in str(gateway.call("GET", path)["members"])
    for change in ({"strategy": "priority"}, {"retries": 0}, {"retry_interval_ms": None},
                   {"fallback_channels": []}, {"sticky": False}):
        gateway.call("PUT", path, change)
        body.update(change)
        found = gateway.call("GET", path)
        assert {key: found[key] for key in body} == body, change
    assert created["id"] in [group["id"] for group in gateway.items("/channel-groups")]
    assert gateway.request("DELETE", path).status_code in (400, 409), "it has a member"
    gateway.call("DELETE", f"/channels/{member['id']}")
    gateway.call("DELETE", path)
    failure(gateway.request("GET", path), 404)


@pytest.mark.parametrize("change, word", [
    ({"strategy": "fastest"}, "strategy"), ({"retries": -1}, "retries"),
    ({"retries": 1000}, "retries"), ({"retry_interval_ms": -1}, "retry_interval_ms"),
    ({"fallback_channels": [999999]}, "fallback_channels"), ({"sticky": 1}, "sticky"),
    ({"fallback_channels": "1"}, "fallback_channels"), ({"name": ""}, "name"),
    ({"name": "a,b"}, "name"), ({"no_such_field": 1}, "no_such_field")], ids=str)
def test_a_bad_field_of_a_group_is_named(gateway, change, word):
    with pytest.raises(ManagementError) as caught:
        make_group(gateway, **change)
    assert word in failure(caught.value.response, 400)


def test_names_of_groups_must_exist(gateway):
    name = f"nowhere-{next_number()}"
    for path, field in (("/channels", {"groups": [name]}), ("/tokens", {"channel_group": name})):
        body = {"name": "n", **field}
        if path == "/channels":
            body.update(type="openai", keys=["sk-1234567890"], models=["m"])
        with pytest.raises(ManagementError) as caught:
            gateway.call("POST", path, body)
        assert name in failure(caught.value.response, 400)


def test_the_default_group_stays(gateway):
    [group] = [g for g in gateway.items("/channel-groups") if g["name"] == "default"]
    assert group["strategy"] == "weighted_round_robin"
    assert gateway.request("DELETE", f"/channel-groups/{group['id']}").status_code in (400, 409)


# Strategies


@pytest.mark.short
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_highest_priority_is_used_alone_and_the_next_one_when_it_fails(
        gateway, fleet, strategy):
    pool = pool_of(gateway, fleet, *priorities(3), group={"strategy": strategy})
    assert [pool.served_by() for _ in range(6)] == [0] * 6
    assert pool.order() == [0, 1, 2]
    pool.upstreams[0].kill()
    assert [pool.served_by() for _ in range(6)] == [1] * 6
    assert pool.upstreams[2].count == 0


def test_weighted_round_robin_is_exact_and_looking_on_changes_nothing(gateway, fleet):
    pool = pool_of(gateway, fleet, {"weight": 9}, {"weight": 1}, {"weight": 0}, group={})
    served = []
    for _ in range(20):
        served.append(pool.served_by())
        assert pool.order()[0] in (0, 1)
    assert Counter(served[:10]) == Counter(served[10:]) == {0: 9, 1: 1}
    assert pool.reason(2) == "weight_zero"


def test_shares_stay_exact_while_channels_come_and_go(gateway, fleet):
    settings = [{"weight": 60}, {"weight": 30}, {"weight": 10}]
    pool = pool_of(gateway, fleet, *settings, group={})
    for status, shares in (("enabled", [60, 30, 10]), ("disabled", [60, 30, 0]),
                           ("enabled", [60, 30, 10])):
        pool.change(2, status=status)
        before = pool.counts()
        pool.load(fleet, sum(shares), 8).expect_success(sum(shares))
        found = [count - old for count, old in zip(pool.counts(), before)]
        assert all(abs(n - share) <= 1 for n, share in zip(found, shares)), (found, shares)


@pytest.mark.native
def test_weighted_random_follows_the_weights(gateway, fleet):
    pool = pool_of(gateway, fleet, {"weight": 70}, {"weight": 30}, {"weight": 0},
                   group={"strategy": "weighted_random"})
    run = pool.load(fleet, 1000, 8).expect_success(1000)
    first, second, none = pool.counts()
    # Six standard deviations of 14.5 either way.
    assert 610 < first < 790 and first + second == 1000 and none == 0, pool.counts()
    letters = "".join("a" if m == pool.upstreams[0].marker else "b" for m in run.markers)
    assert "bbb" in letters, "1,000 random choices have three of the lighter one in a row"


def test_priority_takes_the_heaviest_then_the_oldest(gateway, fleet):
    pool = pool_of(gateway, fleet, {"weight": 1}, {"weight": 5}, {"weight": 5},
                   group={"strategy": "priority"})
    assert [pool.served_by() for _ in range(6)] == [1] * 6
    assert pool.order() == [1, 2, 0]
    pool.upstreams[1].kill()
    assert [pool.served_by() for _ in range(6)] == [2] * 6
    pool.upstreams[2].kill()
    assert pool.served_by() == 0


@pytest.mark.native
def test_least_latency_prefers_the_fast_one(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, {}, behaviours=[slow(60), slow(2)],
                   group={"strategy": "least_latency"})
    pool.load(fleet, 20, 1).expect_success(20)
    before = pool.counts()
    pool.load(fleet, 100, 1).expect_success(100)
    assert pool.upstreams[1].count - before[1] >= 85, pool.counts()
    pool.upstreams[1].behave(slow(150))
    pool.load(fleet, 30, 1).expect_success(30)
    before = pool.counts()
    pool.load(fleet, 40, 1).expect_success(40)
    assert pool.upstreams[0].count - before[0] >= 30, "the other one is faster now"


@pytest.mark.native
def test_least_busy_counts_open_requests_over_weight(gateway, fleet):
    pool = pool_of(gateway, fleet, {"weight": 3}, {"weight": 1},
                   group={"strategy": "least_busy"})
    for upstream in pool.upstreams:
        upstream.pause()

    def resume():
        for upstream in pool.upstreams:
            upstream.resume()

    pool.load(fleet, 8, 8, hooks={7: lambda: fleet.loop.call_later(0.3, resume)})
    assert [u.most_open for u in pool.upstreams] == [6, 2]


@pytest.mark.native
def test_least_busy_gives_more_to_the_faster(gateway, fleet):
    pool = pool_of(gateway, fleet, {}, {}, behaviours=[slow(60), slow(10)],
                   group={"strategy": "least_busy"})
    pool.load(fleet, 200, 16).expect_success(200)
    assert pool.upstreams[1].count > 2 * pool.upstreams[0].count, pool.counts()


def test_a_busy_channel_leaves_work_to_the_next_priority(gateway, fleet):
    pool = pool_of(gateway, fleet, {"priority": 2, "max_concurrency": 1}, {"priority": 1},
                   group={})
    pool.upstreams[0].pause()
    run = pool.load(fleet, 5, 5, hooks={
        4: lambda: fleet.loop.call_later(0.3, pool.upstreams[0].resume)})
    run.expect_success(5)
    assert pool.counts() == [1, 4]


def test_one_model_by_channels_of_different_vendors(gateway, fleet):
    model = f"model-{next_number()}"
    pool = pool_of(
        gateway, fleet,
        {"type": "openai-compatible", "model_mapping": {model: "qwen-max"}},
        {"type": "deepseek", "model_mapping": {model: "ernie-4"}}, model=model, group={})
    for _ in range(4):
        response = pool.ask()
        assert response.status_code == 200
        assert response.headers["x-tinygateway-model"] == model
    assert [{a.model for a in u.arrivals} for u in pool.upstreams] == [{"qwen-max"}, {"ernie-4"}]
    assert {c["upstream_model"] for c in pool.explain()["channels"]
            if c["eligible"]} == {"qwen-max", "ernie-4"}


# Policy of a group


def test_a_group_has_its_own_number_of_retries(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(3), group={"retries": 1},
                   behaviours=[failing(500)] * 3)
    pool.failure(502)
    assert pool.counts() == [1, 1, 0]
    none = pool_of(gateway, fleet, *priorities(2), group={"retries": 0},
                   behaviours=[failing(500), OK])
    none.failure(502)
    assert none.counts() == [1, 0]


def test_a_group_has_its_own_interval(gateway, fleet):
    pool = pool_of(gateway, fleet, *priorities(2), group={"retry_interval_ms": 400},
                   behaviours=[failing(500), OK])
    assert pool.served_by() == 1
    pause = pool.upstreams[1].arrivals[0].at - pool.upstreams[0].arrivals[0].at
    assert 0.2 <= pause < 0.4 * 1.5 + 0.5 * PATIENCE, f"the pause was {pause:.3f} s"


def test_fallback_channels_come_last(gateway, fleet):
    reserve = fleet.upstream()
    model = f"model-{next_number()}"
    channel = gateway.channel(reserve.url, [model], priority=1000)
    # The reserve is in the group `default`, the pool in a group of its own.
    pool = pool_of(gateway, fleet, *priorities(2), model=model,
                   group={"fallback_channels": [channel["id"]]})
    assert pool.served_by() == 0
    pool.upstreams[0].kill()
    pool.upstreams[1].behave(failing(503))
    response = pool.ask()
    assert response.status_code == 200 and reserve.count == 1, response.text
    assert response.headers["x-tinygateway-attempts"] == "3"
    ordered = sorted((c["order"], c["channel_id"]) for c in pool.explain()["channels"]
                     if c["order"] is not None)
    assert ordered[-1][1] == channel["id"]


# Who may use which group


def test_token_and_user_group_choose_the_channel_groups(make_gateway, fleet):
    gateway = make_gateway()
    pool = pool_of(gateway, fleet, {}, group={})
    vip = pool.group["name"]
    [users] = [g for g in gateway.items("/user-groups") if g["name"] == "default"]
    plain, chosen = pool.token, gateway.token()
    assert pool.explain()["groups"] == [vip] and pool.served_by() == 0
    pool.token = chosen
    assert pool.explain()["groups"] == ["default"] and pool.reason() == "not_in_group"
    assert "group" in pool.failure(404)["message"]
    gateway.call("PUT", f"/user-groups/{users['id']}", {"channel_groups": ["default", vip]})
    assert pool.explain()["groups"] == ["default", vip]
    assert pool.served_by() == 0 and pool.reason() is None
    gateway.call("PUT", f"/tokens/{chosen['id']}", {"channel_group": "default"})
    assert pool.explain()["groups"] == ["default"] and pool.reason() == "not_in_group"
    gateway.call("PUT", f"/tokens/{chosen['id']}", {"channel_group": vip})
    assert pool.served_by() == 0
    pool.token = plain
    assert pool.served_by() == 0


def test_a_user_group_names_groups_that_exist(gateway):
    body = {"name": f"users-{next_number()}", "channel_groups": ["nowhere-at-all"]}
    assert "nowhere-at-all" in failure(gateway.request("POST", "/user-groups", json=body), 400)
    body["channel_groups"] = ["default"]
    created = gateway.call("POST", "/user-groups", body)
    assert gateway.call("GET", f"/user-groups/{created['id']}")["channel_groups"] == ["default"]
    gateway.call("DELETE", f"/user-groups/{created['id']}")
