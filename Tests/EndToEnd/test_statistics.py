# SPDX-License-Identifier: MIT
"""Usage by day, model, user and token."""

import time

import pytest

from database import add_user, opened
from test_logs import ask, logs
from test_management_login import failure

SUMS = ("requests", "failures", "prompt_tokens", "completion_tokens", "cached_tokens", "quota",
        "quota_micro", "cost")
MONEY = {"currency": "USD", "quota_per_unit": 500_000}


def stats(gateway, jwt=None, **parameters):
    response = gateway.request("GET", "/stats", jwt=jwt, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def summary(gateway, jwt=None, **parameters):
    response = gateway.request("GET", "/stats/summary", jwt=jwt, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def today():
    return time.strftime("%Y-%m-%d", time.gmtime())


@pytest.fixture(scope="module")
def used(seed, tmp_path_factory, upstream):
    """A gateway where root made 2 requests and ann 4, of which one failed; no flush by time."""
    data = tmp_path_factory.mktemp("stats") / "data"
    instance = seed.copy(data, {"flush_interval_ms": 86_400_000})
    add_user(instance, "ann")
    with instance as gateway:
        root = gateway.jwt
        gateway.ann = gateway.login(username="ann")["token"]
        tokens = {"ann": gateway.token()}
        gateway.jwt = root
        tokens["root"] = gateway.token()
        routes = [gateway.route(upstream, "echo") for _ in range(2)]
        routes.append(gateway.route(upstream, "status:500"))
        for name, model in (
                ("root", 0), ("root", 1), ("ann", 0), ("ann", 0), ("ann", 1), ("ann", 2)):
            ask(gateway, tokens[name]["key"], routes[model].model)
        gateway.tokens, gateway.models = tokens, [route.model for route in routes]
        yield gateway


def agrees_with_rows(gateway, total):
    rows = logs(gateway)["items"]
    for name in ("prompt_tokens", "completion_tokens", "cached_tokens", "quota_micro"):
        assert total[name] == sum(row[name] for row in rows), name
    assert total["requests"] == len(rows)
    assert total["failures"] == sum(row["status"] >= 400 for row in rows)


@pytest.mark.short
def test_sums_agree_with_the_rows_before_and_after_a_flush(used):
    before = stats(used)
    agrees_with_rows(used, before["total"])
    assert before["total"]["quota"] == 5 * 16 and before["total"]["failures"] == 1
    assert [item["day"] for item in before["items"]] == [today()]
    assert {name: before["items"][0][name] for name in SUMS} == before["total"]
    used.restart()
    assert stats(used) == before
    with_rest = summary(used)
    assert with_rest == {
        "day": today(), "today": before["total"], "last_30_days": before["total"], **MONEY}
    assert before["total"]["cost"] == "0.00016" and MONEY.items() <= before.items()
    user = sum(used.used_quota(token) for token in used.tokens.values())
    assert user == before["total"]["quota"]


def test_groups_tell_apart_what_they_name(used):
    by_user = stats(used, group_by="user")["items"]
    assert [(i["username"], i["requests"], i["failures"]) for i in by_user] == [
        ("ann", 4, 1), ("root", 2, 0)]
    by_model = stats(used, group_by="model")["items"]
    assert [(i["model"], i["quota"]) for i in by_model] == list(zip(used.models, (48, 32, 0)))
    by_token = stats(used, group_by="token")["items"]
    assert [(i["token_id"], i["token_name"]) for i in by_token] == [
        (used.tokens[name]["id"], used.tokens[name]["name"]) for name in ("ann", "root")]
    both = stats(used, group_by="day,model")["items"]
    assert [(i["day"], i["model"], i["requests"]) for i in both] == [
        (today(), model, count) for model, count in zip(used.models, (3, 2, 1))]
    assert "user_id" not in both[0]


def test_filters_and_days_choose(used):
    token = used.tokens["root"]["id"]
    assert stats(used, token_id=token)["total"]["requests"] == 2
    assert stats(used, user_id=1, model=used.models[1])["total"]["requests"] == 1
    assert stats(used, model="never-asked")["total"]["requests"] == 0
    assert stats(used, **{"from": "2020-01-01", "until": "2020-12-31"})["items"] == []
    assert stats(used, **{"from": today(), "until": today()})["total"]["requests"] == 6
    assert summary(used, user_id=1)["today"]["requests"] == 2


def test_users_see_their_own_usage(used):
    assert stats(used, used.ann)["total"]["requests"] == 4
    assert [i["username"] for i in stats(used, used.ann, group_by="user")["items"]] == ["ann"]
    assert stats(used, used.ann, token_id=used.tokens["root"]["id"])["items"] == []
    assert summary(used, used.ann)["today"]["requests"] == 4
    for path in ("/stats?user_id=1", "/stats/summary?user_id=1"):
        failure(used.request("GET", path, jwt=used.ann), 404, "not_found")


@pytest.mark.parametrize("query", [
    "group_by=hour", "group_by=", "group_by=day,day", "group_by=day,", "from=2026-13-01",
    "from=1790000000", "until=yesterday", "from=2026-02-01&until=2026-01-01", "token_id=0"])
def test_bad_parameters_are_named(used, query):
    message = failure(used.request("GET", "/stats?" + query), 400, "invalid_parameter")
    assert query.partition("=")[0] in message


@pytest.mark.native
def test_the_largest_table_is_summed_quickly_in_little_memory(make_gateway):
    gateway = make_gateway(start=False)
    day = int(time.time()) // 86_400
    with opened(gateway) as database:
        database.executemany(
            "INSERT INTO usage_days VALUES (?, 1, ?, 0, 1, 0, 2, 3, 0, 5000000)",
            ((day - n // 10_000, n % 10_000 + 1) for n in range(200_000)))
    gateway.start()
    before = gateway.resident_kb
    for group_by, groups in (("day", 20), ("token", 1000), ("day,token", 1000)):
        began = time.monotonic()
        answer = stats(gateway, group_by=group_by)
        assert time.monotonic() - began < 1
        assert len(answer["items"]) == groups and answer["total"]["quota"] == 1_000_000
    assert gateway.resident_kb - before < 8 * 1024


def test_answers_are_cut_to_the_largest_groups(make_gateway):
    gateway = make_gateway(start=False)
    day = int(time.time()) // 86_400
    with opened(gateway) as database:
        database.executemany(
            "INSERT INTO usage_days VALUES (?, 1, ?, 0, 1, 0, 2, 3, 0, ?)",
            ((day - n % 3, n, n * 1_000_000) for n in range(1, 1501)))
    gateway.start()
    answer = stats(gateway, group_by="token")
    assert [item["token_id"] for item in answer["items"]] == list(range(1500, 500, -1))
    assert answer["is_cut"] and answer["total"]["requests"] == 1500
    days = [item["day"] for item in stats(gateway, group_by="day,token")["items"]]
    assert len(days) == 1000 and days == sorted(days)
    whole = stats(gateway, group_by="day")
    assert not whole["is_cut"] and len(whole["items"]) == 3
