# SPDX-License-Identifier: MIT
"""The price list: one by one, as a whole, and what is charged by it."""

import json

import pytest

from gateway import ManagementError
from money import ask, expect_used

FULL = {"model": "full*", "prompt": "1.25", "completion": "5", "cached": "0.625",
        "image": "40000", "audio_prompt": "20", "audio_completion": "0.000001"}
pytestmark = pytest.mark.usefixtures("no_prices")


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


# Models without a price


@pytest.fixture
def options(gateway):
    """Changes options of the shared gateway; they go back after the test."""
    before = gateway.call("GET", "/options")
    yield lambda **changed: gateway.call("PUT", "/options", changed)
    gateway.call("PUT", "/options", before)


def make_images(gateway, token, model, **more):
    body = {"model": model, "prompt": "x", **more}
    return gateway.post("/v1/images/generations", json.dumps(body), token["key"])


def test_a_model_without_a_price_costs_a_ratio_or_nothing_or_is_refused(
        gateway, upstream, options):
    route, token = gateway.route(upstream, "echo"), gateway.token(quota=100)
    options(unpriced_models="ratio", unpriced_ratio="0.5")
    ask(gateway, token, route.model)
    expect_used(gateway, token, 8)              # (11 + 5) · 0.5
    options(unpriced_models="free")
    ask(gateway, token, route.model, True)
    poor = gateway.token(quota=0)
    ask(gateway, poor, route.model)             # what costs nothing needs no quota
    options(unpriced_models="refuse")
    asked = len(route.requests())
    refusal = gateway.post("/v1/chat/completions", json.dumps(
        {"model": route.model, "messages": [{"role": "user", "content": "x"}]}), token["key"])
    assert refusal.status_code == 403
    assert refusal.json()["error"]["code"] == "model_not_priced"
    assert len(route.requests()) == asked
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "2"})
    ask(gateway, token, route.model)
    expect_used(gateway, token, 8 + 32)
    assert gateway.used_quota(poor) == 0


def test_images_without_a_price_cost_nothing_or_are_refused(gateway, upstream, options):
    route, token = gateway.route(upstream, "no-usage"), gateway.token(quota=100)
    for policy in ("ratio", "free"):
        options(unpriced_models=policy, unpriced_ratio="3")
        assert make_images(gateway, token, route.model, n=2).status_code == 200
    options(unpriced_models="refuse")
    refusal = make_images(gateway, token, route.model)
    assert refusal.status_code == 403
    assert refusal.json()["error"]["code"] == "model_not_priced"
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "0", "image": "7"})
    assert make_images(gateway, token, route.model, n=2).status_code == 200
    expect_used(gateway, token, 14)


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
