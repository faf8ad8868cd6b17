# SPDX-License-Identifier: MIT
"""The dashboard and its charts: what was asked of the gateway is what they show."""

import json
import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, person
from pages import DESKTOP, PHONE, Pages, held

pytestmark = pytest.mark.native
DAY = re.compile("^[A-Z][a-z]+ [0-9]+$")
MARKUP = "<b>bold</b><img src=x onerror=alert(1)>"
MODULE = "(name) => import(document.querySelector('script[src]').src.replace('app.js', name))"


def ask(gateway, model, key=None, status=200):
    """One chat request that ends with this status."""
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}]}
    response = gateway.post("/v1/chat/completions", json.dumps(body), key)
    assert response.status_code == status, response.text


def chart(page, caption):
    """The chart with this caption."""
    return page.locator("figure.chart").filter(
        has=page.locator("figcaption", has_text=caption))


def figures(page, caption):
    """A chart's figures as its table shows them: series to the newest value."""
    found = chart(page, caption)
    if found.locator("details[open]").count() == 0:
        found.locator("summary").click()
    rows = found.locator("tr")
    expect(rows.nth(1)).to_be_visible()
    names, newest = (rows.nth(row).locator("th, td").all_inner_texts() for row in (0, 1))
    return dict(zip(names[1:], newest[1:], strict=True))


def card(page, label):
    """The large figure of a card."""
    return page.locator(".card", has=page.locator("span", has_text=label)).locator("strong")


@pytest.fixture
def busy(make_gateway, upstream):
    """A gateway that answered three requests of one channel and none of another's."""
    gateway = make_gateway(retry_interval_ms=10)
    gateway.call("POST", "/prices", {"model": "poem*", "prompt": "0", "completion": "1000"})
    gateway.good = gateway.route(upstream, "poem", name=MARKUP)
    gateway.bad = gateway.route(upstream, "status:500", name="broken")
    for _ in range(3):
        ask(gateway, gateway.good.model)
    ask(gateway, gateway.bad.model, status=502)
    return gateway


def test_pure_functions_of_the_charts(visit):
    page = visit().page
    page.goto("/")
    run = lambda body: page.evaluate(f"async () => {{ const m = await ({MODULE})('chart.js');"
                                     f" return {body}; }}")
    assert run("m.ticks(0)") == [0, 0.5, 1]
    assert run("m.ticks(1)") == [0, 0.5, 1]
    assert run("m.ticks(7, 4, 1)") == [0, 2, 4, 6, 8]
    assert run("m.ticks(2, 4, 1)") == [0, 1, 2]
    assert run("m.ticks(0.3)") == [0, 0.1, 0.2, 0.3]
    assert run("m.ticks(1234)") == [0, 500, 1000, 1500]
    assert run("m.timeTicks(1000, 4600, 6)") == [1200, 1800, 2400, 3000, 3600, 4200]
    # India is five and a half hours ahead: its hours are half ones of UTC.
    assert run("m.timeTicks(0, 14400, 4, 19800)") == [1800, 5400, 9000, 12600]
    assert run("[0, 5, 10].map(m.scale(0, 10, 100, 200))") == [100, 150, 200]
    assert run("[0, 5].map(m.scale(5, 5, 0, 9))") == [-45, 0]
    assert run("m.runs([[0, 1], [60, 2], [120, null], [180, 4], [240, 5], [480, 6]], 60)") == [
        [[0, 1], [60, 2]], [[180, 4], [240, 5]], [[480, 6]]]
    assert run("m.stack([{ points: [[0, 1], [1, 2]] }, { points: [[1, 3], [2, 4]] }])") == [
        [[0, 0, 1], [1, 0, 2]], [[1, 2, 5], [2, 0, 4]]]
    assert run("m.dayTime('2026-11-25')") == 1795564800


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_charts_show_what_was_asked(chromium, busy, size):
    with Pages(chromium, busy, size=size) as pages:
        pages.page.clock.install()
        page = pages.log_in(at="/#/dashboard").page
        expect(card(page, "Requests today")).to_have_text("4")
        expect(card(page, "Failed today")).to_have_text("25%")
        assert figures(page, "Success rate") == {MARKUP: "100%", "broken": "0%"}
        assert figures(page, "Error rate") == {MARKUP: "0%", "broken": "100%"}
        assert figures(page, "Latency, mean")["broken"] == "–"
        assert "ms" in figures(page, "Latency, 95%")[MARKUP]
        image = chart(page, "Success rate").get_by_role("img")
        assert "broken: last 0%, lowest 0%, highest 0%" in image.get_attribute("aria-label")
        assert page.locator("main img").count() == 0
        # The charts follow without a reload, and keep what has the focus.
        image.focus()
        ask(busy, busy.bad.model, status=502)
        ask(busy, busy.good.model.replace("poem", "status:400"), status=404)
        busy.call("PUT", f"/channels/{busy.bad.channel['id']}", {"name": "mended"})
        pages.pass_time(11_000, lambda timeout: expect(page.locator(".legend").first)
                        .to_contain_text("mended", timeout=timeout))
        expect(image).to_be_focused()
        expect(chart(page, "Success rate").locator(".tip")).to_contain_text("0% mended")
        pages.pass_time(31_000, lambda timeout: expect(card(page, "Requests today")).to_have_text(
            "6", timeout=timeout))
        pages.check_accessibility()


def test_a_chart_is_used_with_keys_and_finger(chromium, busy):
    with Pages(chromium, busy, size={"width": 320, "height": 640}, scheme="dark") as pages:
        page = pages.log_in(at="/#/dashboard").page
        found = chart(page, "Success rate")
        image, tip = found.get_by_role("img"), found.locator(".tip")
        expect(found.locator("g")).to_have_count(2)
        image.focus()
        expect(tip).to_contain_text("0% broken")
        page.keyboard.press("Escape")
        expect(tip).to_be_hidden()
        box = image.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40)
        expect(tip).to_contain_text("100%")
        page.mouse.move(0, 0)
        expect(tip).to_be_hidden()
        touch = {"pointerType": "touch", "clientX": box["x"] + 60, "clientY": box["y"] + 40}
        image.dispatch_event("pointerdown", touch)
        image.dispatch_event("pointerleave", touch)
        expect(tip).to_contain_text("100%")
        marks = found.locator("g circle, g path")
        before = marks.count()
        series = page.locator(".legend").first.get_by_role("button", name="broken")
        series.press("Enter")
        expect(series).to_have_attribute("aria-pressed", "false")
        expect(found.locator("g")).to_have_count(1)
        assert 0 < marks.count() < before
        series.press(" ")
        expect(found.locator("g")).to_have_count(2)
        pages.check_width()
        pages.check_accessibility()


def test_days_and_all_channels_together(chromium, busy):
    with Pages(chromium, busy) as pages:
        page = pages.log_in(at="/#/dashboard").page
        page.get_by_label("Time").select_option("Last 30 days, by day")
        expect(chart(page, "Success rate").locator("text").last).to_have_text(DAY)
        assert figures(page, "Success rate") == {MARKUP: "100%", "broken": "0%"}
        page.get_by_label("Channels").select_option("All together")
        expect(page.locator(".legend").first).to_have_text("All together")
        found = figures(page, "Success rate")
        total = busy.call("GET", "/channels/stats?window=30d&series=day&sum=1")["sum"]
        assert found == {"All together": f"{total['success_rate']:.1%}".replace(".0%", "%")}


def test_more_channels_than_colours(chromium, busy, upstream):
    more = [busy.channel(upstream.url(), ["unused"]) for _ in range(5)]
    with Pages(chromium, busy) as pages:
        page = pages.page
        page.clock.install()
        pages.log_in(at="/#/dashboard")
        legend = page.locator(".legend").first
        expect(legend.get_by_role("button")).to_have_count(6)
        choice = page.get_by_label("Channels")
        choice.select_option("Channels 7 to 7")
        expect(legend).to_have_text(more[-1]["name"])
        busy.call("DELETE", f"/channels/{more[-1]['id']}")
        pages.pass_time(11_000, lambda timeout: expect(choice.locator("option")).to_have_text(
            ["Each channel", "All together"], timeout=timeout))
        expect(legend.get_by_role("button")).to_have_count(6)


def test_the_largest_come_first(chromium, busy, upstream):
    other = person(busy, username="<i>anna</i>", quota=None)
    key = other.call("POST", "/tokens", {"name": MARKUP, "quota": None})["key"]
    for _ in range(5):
        ask(busy, busy.good.model, key)
    with Pages(chromium, busy, language="zh") as pages:
        page = pages.log_in(at="/#/dashboard").page

        def top(title):
            found = page.locator(".card", has=page.locator("h3", has_text=title)).locator("li")
            return [tuple(item.locator("span, b").all_inner_texts()) for item in found.all()]
        expect(page.locator(".top-list li").first).to_be_visible()
        assert top("模型排行") == [(busy.good.model, "8"), (busy.bad.model, "1")]
        assert top("用户排行") == [("<i>anna</i>", "5"), ("root", "4")]
        assert top("令牌排行")[0] == (MARKUP + " · <i>anna</i>", "5")
        assert figures(page, "按天和模型")[busy.good.model] == "8"
        page.get_by_label("显示").select_option("费用")
        cost = busy.call("GET", "/stats/summary")["today"]["cost"]
        expect(page.locator(".top-list").first.locator("b")).to_have_text(f"US${float(cost):.2f}")
        assert page.locator("main img").count() == 0


def test_a_user_sees_only_the_own_usage(chromium, busy):
    user = person(busy, username="plain", quota=5_000_000)
    key = user.call("POST", "/tokens", {"name": "laptop", "quota": None})["key"]
    with Pages(chromium, busy, size=PHONE) as pages:
        page = pages.log_in("plain", USER_PASSWORD, at="/#/dashboard").page
        expect(page.locator(".steps a")).to_have_text(["Make a token", "Try the playground"])
        ask(busy, busy.good.model, key)
        page.reload()
        expect(card(page, "Requests today")).to_have_text("1")
        expect(page.locator(".steps")).to_have_count(0)
        left = user.call("GET", "/users/self")
        units = (left["quota"] - left["used_quota"]) / left["quota_per_unit"]
        assert abs(float(card(page, "Quota left").inner_text()[1:]) - units) < 0.01
        expect(page.locator("h3")).to_have_text(["Top models", "Top tokens"])
        expect(page.locator("h2")).to_have_text(["Usage of 30 days"])
        assert figures(page, "By day and model") == {busy.good.model: "1"}
        assert not [url for url in pages.requests if "/channels" in url or "/status" in url]
        pages.check_width()
        pages.check_accessibility()


def test_choices_before_the_figures_have_come(chromium, busy):
    with Pages(chromium, busy) as pages:
        page = pages.page
        with held(page, "/api/v1/stats**"):
            pages.log_in(at="/#/dashboard")
            page.get_by_label("Time").select_option("Last 30 days, by day")
            page.get_by_label("Show").select_option("Tokens used")
        assert figures(page, "Success rate") == {MARKUP: "100%", "broken": "0%"}
        expect(chart(page, "Success rate").locator("text").last).to_have_text(DAY)
        expect(page.get_by_role("heading", name="Top models").locator("..")).to_contain_text("48")


def test_no_line_begins_before_its_chart(chromium, busy):
    today = date.fromisoformat(busy.call("GET", "/stats/summary")["day"])
    series = [{"day": str(today - timedelta(back)), **dict.fromkeys(
        ("success_rate", "error_rate"), 1), "latency_ms_mean": 9, "latency_ms_p95": 9}
        for back in range(31)]
    item = {"channel_id": 1, "name": "old", "series": series[::-1]}
    data = {"items": [item], "total": 1, "bucket_seconds": 86400}
    with Pages(chromium, busy) as pages:
        page = pages.page
        pages.context.route("**/channels/stats?window=30d*", lambda route: route.fulfill(
            json={"success": True, "message": "", "data": data}))
        pages.log_in(at="/#/dashboard").page.get_by_label("Time").select_option("30d")
        line, ground = map(chart(page, "Success rate").locator, ["path.stroke", "line.grid"])
        expect(line).to_have_count(1)
        assert line.bounding_box()["x"] >= ground.first.bounding_box()["x"]


def test_tokens_of_the_same_name_are_told_apart(chromium, busy):
    user = person(busy, username="plain", quota=None)
    mine = [busy.token(name="laptop") for _ in range(2)]
    for key in (*(each["key"] for each in mine),
                user.call("POST", "/tokens", {"name": "laptop"})["key"]):
        ask(busy, busy.good.model, key)
    with Pages(chromium, busy) as pages:
        top = pages.log_in(at="/#/dashboard").page.locator(
            ".card", has=pages.page.get_by_role("heading", name="Top tokens"))
        for name in (*(f"laptop · root ({each['id']})" for each in mine), "laptop · plain"):
            expect(top.get_by_text(name, exact=True)).to_be_visible()


def test_the_first_steps_and_what_the_first_view_costs(chromium, make_gateway, upstream):
    gateway = make_gateway()
    with Pages(chromium, gateway) as pages:
        page = pages.log_in(at="/#/dashboard").page
        expect(page.locator(".steps a")).to_have_text(
            ["Add a channel", "Make a token", "Try the playground"])
        expect(page.locator(".sheet").first).to_be_visible()
        pages.requests.clear()
        page.reload(wait_until="networkidle")
        calls = [url for url in pages.requests if "/api/" in url]
        assert len(calls) <= 6 and len(pages.requests) - len(calls) <= 8, pages.requests
        route = gateway.route(upstream, "echo")
        page.reload()
        expect(page.locator(".steps li").first).to_contain_text("✓")
        ask(gateway, route.model)
        page.reload()
        expect(card(page, "Requests today")).to_have_text("1")
        expect(page.locator(".steps")).to_have_count(0)


def test_the_state_of_the_box(visit):
    pages = visit()
    with (page := pages.page).expect_response("**/api/v1/status") as answer:
        pages.log_in(at="/#/dashboard")
    told = answer.value.json()["data"]
    facts = page.locator(".sheet")
    expect(facts.locator("dt")).to_contain_text(["Version", "Running for", "Clock", "Memory of",
                                                 "Free flash", "Written today"])
    for good in ("set", "in order"):
        expect(facts.locator(".badge.good", has_text=good).first).to_be_visible()
    expect(page.locator(".note")).to_have_count(0)
    bad = {**told, "clock": "before_build", "storage": "full", "first_password": True,
           "storage_message": "The disk is full.", "dropped_log_rows": 7}
    pages.context.route("**/api/v1/status", lambda route: route.fulfill(
        json={"success": True, "message": "", "data": bad}))
    page.reload()
    expect(page.locator(".note")).to_contain_text(
        ["first password", "The disk is full.", "not set", "7 rows"])
    expect(page.locator(".note a")).to_have_attribute("href", "#/account")
    expect(facts).to_contain_text(told["version"])
    pages.check_accessibility()
