# SPDX-License-Identifier: MIT
"""Prices, ratios of groups, what is charged when, and what clients see of it."""

import json

import httpx
import openai
import pytest

from faulty import HANG, RESET, failing
from gateway import ManagementError
from money import MICRO, Books, People
from process import next_number, wait_until
from test_sdk_chat import collect, user
from traffic import make_pool

KINDS = {"connect": 1, "timeout": 3, "reset": 4, "bad_answer": 5, "rate_limited": 7,
         "upstream_server": 8, "gateway": 12}
FULL = {"model": "full*", "prompt": "1.25", "completion": "5", "cached": "0.625",
        "image": "40000", "audio_prompt": "20", "audio_completion": "0.000001"}


@pytest.fixture(autouse=True)
def no_prices(request):
    """Tests of the shared gateway leave no price behind."""
    yield
    if "gateway" in request.fixturenames:
        request.getfixturevalue("gateway").call(
            "POST", "/prices/import", {"prices": [], "replace": True})


def expect_used(gateway, token, amount):
    wait_until(lambda: gateway.used_quota(token) >= amount, what=f"used_quota {amount}")
    assert gateway.used_quota(token) == amount


def ask(gateway, token, model, stream=False, **more):
    answer = gateway.sdk(token["key"]).chat.completions.create(
        model=model, messages=user("x"), stream=stream, **more)
    return collect(answer) if stream else answer


def fails(gateway, method, path, body, status, words):
    with pytest.raises(ManagementError) as caught:
        gateway.call(method, path, body)
    assert caught.value.status == status
    assert words in caught.value.body["message"], caught.value.body


# Prices


@pytest.mark.short
def test_a_price_lives_and_is_charged_by(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token()
    made = gateway.call("POST", "/prices", {"model": route.model, "prompt": "2"})
    assert made == {"id": made["id"], "model": route.model, "prompt": "2", "completion": None,
                    "cached": None, "image": None, "audio_prompt": None,
                    "audio_completion": None, "created_at": made["created_at"]}
    ask(gateway, token, route.model)
    expect_used(gateway, token, 32)
    path = f"/prices/{made['id']}"
    changed = gateway.call("PUT", path, {"completion": "0.5"})
    assert changed == {**made, "completion": "0.5"} == gateway.call("GET", path)
    ask(gateway, token, route.model, True)
    expect_used(gateway, token, 32 + 24)    # 11·2 + 5·0.5 = 24.5, shown as whole units
    assert made["id"] in [price["id"] for price in gateway.items("/prices")]
    gateway.call("DELETE", path)
    ask(gateway, token, route.model)
    expect_used(gateway, token, 32 + 24 + 16)
    fails(gateway, "GET", path, None, 404, "does not exist")


def test_the_most_specific_pattern_counts(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token()
    for model, prompt in (("*", "100"), ("ec*", "3"), ("e*", "50")):
        gateway.call("POST", "/prices", {"model": model, "prompt": prompt})
    ask(gateway, token, route.model)
    expect_used(gateway, token, 48)


def test_prices_survive_a_restart(make_gateway, upstream):
    gateway = make_gateway()
    route, token = gateway.route(upstream, "echo"), gateway.token()
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "2"})
    gateway.call("PUT", "/user-groups/1", {"ratio": "0.75"})
    gateway.restart()
    ask(gateway, token, route.model)
    expect_used(gateway, token, 24)


@pytest.mark.parametrize("body, words", [
    ({"model": "a"}, "prompt is missing"), ({"model": "a", "prompt": 1}, "decimal in quotes"),
    ({"model": "a", "prompt": "1.0000001"}, "at most 6 places"),
    ({"model": "a b", "prompt": "1"}, "model must be"),
    ({"model": "a", "prompt": "1", "price": "1"}, '"price" is not known'),
])
def test_wrong_prices_are_refused_with_field_and_limit(gateway, body, words):
    fails(gateway, "POST", "/prices", body, 400, words)
    assert gateway.items("/prices") == []


def test_a_model_has_one_price(gateway):
    made = [gateway.call("POST", "/prices", {"model": m, "prompt": "1"}) for m in ("a", "b")]
    fails(gateway, "POST", "/prices", {"model": "a", "prompt": "2"}, 409, "")
    fails(gateway, "PUT", f"/prices/{made[1]['id']}", {"model": "a"}, 409, "")


# Whole lists


def test_an_export_is_an_import(gateway):
    gateway.call("POST", "/prices", FULL)
    gateway.call("POST", "/prices", {"model": "plain", "prompt": "0.000001"})
    exported = gateway.call("GET", "/prices/export")
    assert exported == {
        "prices": [FULL, {"model": "plain", "prompt": "0.000001"}], "replace": True}
    gateway.call("POST", "/prices/import", {"prices": [], "replace": True})
    done = gateway.call("POST", "/prices/import", exported)
    assert done == {"imported": 2, "total": 2, "skipped": []}
    assert gateway.call("GET", "/prices/export") == exported


def test_an_import_merges_or_replaces(gateway):
    def names():
        return [(p["model"], p["prompt"]) for p in gateway.items("/prices")]

    gateway.call("POST", "/prices/import", {"prices": [
        {"model": "a", "prompt": "1"}, {"model": "b", "prompt": "1"}]})
    gateway.call("POST", "/prices/import", {"prices": [
        {"model": "b", "prompt": "2"}, {"model": "c", "prompt": "3"}]})
    assert names() == [("a", "1"), ("b", "2"), ("c", "3")]
    gateway.call("POST", "/prices/import", {
        "replace": True, "prices": [{"model": "c", "prompt": "4"}]})
    assert names() == [("c", "4")]


def test_one_wrong_entry_changes_nothing(gateway):
    gateway.call("POST", "/prices", FULL)
    body = {"replace": True, "prices": [
        {"model": "good", "prompt": "1"}, {"model": "bad", "prompt": "-1"}]}
    fails(gateway, "POST", "/prices/import", body, 400, 'prices entry 2 ("bad"): prompt must')
    many = [{"model": f"m{n}", "prompt": "1"} for n in range(2001)]
    fails(gateway, "POST", "/prices/import", {"prices": many}, 400, "at most 2000")
    fails(gateway, "POST", "/prices/import", {"prices": many[:2000]}, 409, "more than 2000")
    assert [price["model"] for price in gateway.items("/prices")] == ["full*"]


def test_the_largest_list_is_taken_and_given_back(gateway):
    full = {name: "999999.999999" for name in FULL if name != "model"}
    prices = [{"model": f"{n:04}" + "m" * 124, **full} for n in range(2000)]
    gateway.call("POST", "/prices/import", {"prices": prices, "replace": True})
    assert gateway.call("GET", "/prices/export")["prices"] == prices


def test_one_apis_ratios_are_taken_exactly(gateway):
    done = gateway.call("POST", "/prices/import", {
        "model_ratio": {"gpt-4": 15, "gpt-3.5": 0.75, "gizmo-*": 2.5, "llama(33)": 1, "bad": -5},
        "completion_ratio": {"gpt-4": 2, "gpt-3.5": 1.3333333333333333}, "replace": True})
    assert done == {"imported": 3, "total": 3, "skipped": ["llama(33)", "bad"]}
    found = {p["model"]: (p["prompt"], p["completion"]) for p in gateway.items("/prices")}
    assert found == {"gpt-4": ("15", "30"), "gpt-3.5": ("0.75", "1"), "gizmo-*": ("2.5", None)}


def test_a_user_sees_prices_and_ratio_of_the_own_group(gateway):
    gateway.call("POST", "/prices", FULL)
    data = gateway.call("GET", "/users/self/prices")
    assert (data["group"], data["ratio"], data["total"]) == ("default", "1", 1)
    others = {name: value for name, value in data["items"][0].items() if value is not None}
    assert others == FULL


# Images


def images(gateway, token, model, **more):
    body = {"model": model, "prompt": "a cat", **more}
    return gateway.post("/v1/images/generations", json.dumps(body), token["key"])


@pytest.mark.parametrize("fields, count", [({}, 1), ({"n": 3}, 3), ({"n": None}, 1)])
def test_images_are_charged_by_their_number_and_reported_tokens(
        gateway, upstream, fields, count):
    gateway.call("POST", "/prices", {"model": "*", "prompt": "0.5", "image": "1000.5"})
    quiet, telling = gateway.route(upstream, "no-usage"), gateway.route(upstream, "echo")
    token = gateway.token()
    assert images(gateway, token, quiet.model, **fields).status_code == 200
    expect_used(gateway, token, int(1000.5 * count))
    assert quiet.request().path.endswith("/images/generations")
    token = gateway.token()
    assert images(gateway, token, telling.model, **fields).status_code == 200
    expect_used(gateway, token, int(1000.5 * count + 8))


@pytest.mark.parametrize("fields, param", [
    ({"n": 0}, "n"), ({"n": 129}, "n"), ({"n": "2"}, "n"), ({"stream": True}, "stream")])
def test_wrong_image_requests_are_refused(gateway, upstream, fields, param):
    route = gateway.route(upstream, "echo")
    answer = images(gateway, gateway.token(), route.model, **fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param
    assert not route.requests()


# Quota


def test_a_short_quota_is_told_with_whose_it_is_and_what_is_needed(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token(quota=20)
    with pytest.raises(openai.RateLimitError) as caught:
        ask(gateway, token, route.model, max_tokens=100)
    assert caught.value.code == "insufficient_quota"
    assert "quota of this API key" in str(caught.value) and "20 units are left" in str(caught.value)
    assert "retry-after" not in caught.value.response.headers
    ask(gateway, token, route.model)    # What is only assumed may overdraw, once.
    expect_used(gateway, token, 16)


def test_what_is_free_needs_no_quota(gateway, upstream):
    route, token = gateway.route(upstream, "echo"), gateway.token(quota=0)
    with pytest.raises(openai.RateLimitError):
        ask(gateway, token, route.model)
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "0"})
    ask(gateway, token, route.model)
    assert gateway.used_quota(token) == 0


def test_the_price_is_that_of_the_moment_of_admission(gateway, upstream):
    route, token = gateway.route(upstream, "slow-first-byte:400"), gateway.token()
    with httpx.Client(timeout=10) as client:
        body = {"model": route.model, "messages": user("x"), "stream": True}
        headers = {"Authorization": f"Bearer {token['key']}"}
        with client.stream("POST", gateway.url + "/v1/chat/completions", json=body,
                           headers=headers) as answer:
            route.request()
            gateway.call("POST", "/prices", {"model": route.model, "prompt": "1000"})
            answer.read()
    expect_used(gateway, token, 16)


def test_a_fallback_model_costs_no_more_than_the_one_asked_for(make_gateway, upstream):
    gateway = make_gateway()
    asked, other = gateway.route(upstream, "status:500"), gateway.route(upstream, "echo")
    gateway.call("PUT", "/model-fallbacks", {"fallbacks": {asked.model: [other.model]}})
    for asked_price, other_price, cost in (("10", "2", 32), ("2", "10", 32), ("0", "5", 0)):
        token = gateway.token()
        gateway.call("POST", "/prices/import", {"replace": True, "prices": [
            {"model": asked.model, "prompt": asked_price},
            {"model": other.model, "prompt": other_price}]})
        ask(gateway, token, asked.model)
        expect_used(gateway, token, cost)


# What is left behind


def test_rows_tell_the_kind_of_the_last_error_and_the_attempts(make_gateway, fleet):
    gateway = make_gateway(
        start=False, retries=1, first_byte_timeout_ms=200, retry_after_limit_ms=0,
        failover_first_byte_ms=200)
    people = People(gateway)
    token = people.token(people.user())
    gateway.start()
    behaviours = {
        "timeout": HANG, "reset": RESET, "rate_limited": failing(429),
        "upstream_server": failing(500)}
    for kind, behaviour in behaviours.items():
        pool = make_pool(gateway, [fleet.upstream(behaviour) for _ in range(2)], model=kind)
        assert pool.ask().status_code >= 429
    dead = [fleet.upstream(listening=False) for _ in range(2)]
    make_pool(gateway, dead, model="connect").ask()
    gateway.post("/v1/chat/completions", b'{"model":"nowhere"}', people.keys[token])
    gateway.stop()
    found = [(d.error_kind, d.attempts) for d in Books(gateway).expect_balance().details]
    assert found == [(KINDS[kind], 2) for kind in [*behaviours, "connect"]] + [
        (KINDS["gateway"], 0)]


def test_the_log_line_tells_the_charge(make_gateway, upstream):
    gateway = make_gateway()
    route, token = gateway.route(upstream, "echo"), gateway.token()
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "0.333333"})
    gateway.call("PUT", "/user-groups/1", {"ratio": "0.7"})
    ask(gateway, token, route.model)
    wait_until(lambda: " quota=3.73333 " in gateway.log, what="16 · 0.333333 · 0.7 in the log")


# The balance


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_chat_clients_see_their_balance(gateway, upstream, prefix):
    route, token = gateway.route(upstream, "echo"), gateway.token(quota=750_000)
    ask(gateway, token, route.model)
    expect_used(gateway, token, 16)
    path = prefix + "/dashboard/billing/"
    limit = gateway.get(path + "subscription", token["key"])
    assert limit.json() == {
        "object": "billing_subscription", "has_payment_method": True, "soft_limit_usd": 1.5,
        "hard_limit_usd": 1.5, "system_hard_limit_usd": 1.5, "access_until": 0}
    used = gateway.get(path + "usage?start_date=2026-01-01&end_date=2026-12-31", token["key"])
    assert used.text == '{"object":"list","total_usage":0.0032}'
    assert gateway.get(path + "usage", "sk-wrong").status_code == 401
    assert gateway.post(path + "usage", b"{}", token["key"]).status_code == 405


def test_a_key_without_limits_shows_one_apis_number(gateway):
    answer = gateway.get("/v1/dashboard/billing/subscription", gateway.token()["key"])
    assert answer.json()["hard_limit_usd"] == 100_000_000
