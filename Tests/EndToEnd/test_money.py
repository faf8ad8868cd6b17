# SPDX-License-Identifier: MIT
"""What is charged when, what is refused, and what is left behind."""

import csv
import io
import json
from decimal import ROUND_HALF_UP, Decimal

import httpx
import openai
import pytest

from accounts import person
from faulty import HANG, RESET, failing
from money import Books, People, ask, expect_used
from process import wait_until
from test_sdk_chat import user
from traffic import make_pool

pytestmark = pytest.mark.usefixtures("no_prices")
KINDS = {"connect": 1, "timeout": 3, "reset": 4, "bad_answer": 5, "rate_limited": 7,
         "upstream_server": 8, "gateway": 12}


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


def test_cost_is_shown_exactly_in_the_currency_of_the_options(make_gateway, upstream):
    gateway = make_gateway()
    route, someone = gateway.route(upstream, "echo"), person(gateway, quota=1000)
    token = someone.call("POST", "/tokens", {"name": "t"})
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "1.5", "completion": "0.7"})
    gateway.call("PUT", "/options", {"currency": "CNY", "quota_per_unit": 7})
    for _ in range(3):
        ask(gateway, token, route.model)
    micro = 11 * 1_500_000 + 5 * 700_000
    expect_used(gateway, token, 3 * micro // 1_000_000)

    def cost(micro):
        worth = (Decimal(micro) / 7).quantize(Decimal(1), ROUND_HALF_UP) / 1_000_000
        return f"{worth:f}".rstrip("0").rstrip(".")

    money = {"currency": "CNY", "quota_per_unit": 7}
    own = someone.call("GET", "/users/self")
    assert own["used_cost"] == cost(3 * micro) == "8.571429" and money.items() <= own.items()
    assert someone.call("GET", f"/tokens/{token['id']}")["used_cost"] == cost(3 * micro)
    assert gateway.call("GET", someone.path)["used_cost"] == cost(3 * micro)
    page = someone.call("GET", "/logs")
    assert [row["cost"] for row in page["items"]] == [cost(micro)] * 3 and cost(micro) == "2.857143"
    assert money.items() <= page.items()
    text = someone.request("GET", "/logs?format=csv").text
    assert [row["cost"] for row in csv.DictReader(io.StringIO(text))] == [cost(micro)] * 3
    stats = someone.call("GET", "/stats")
    assert stats["total"]["cost"] == stats["items"][0]["cost"] == cost(3 * micro)
    summary = someone.call("GET", "/stats/summary")
    assert summary["today"]["cost"] == summary["last_30_days"]["cost"] == cost(3 * micro)
    assert money.items() <= stats.items() and money.items() <= summary.items()


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
