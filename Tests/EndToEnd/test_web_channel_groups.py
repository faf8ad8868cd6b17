# SPDX-License-Identifier: MIT
"""The page of the channel groups: shares, members, fallbacks, and why a request goes where."""

import re

import pytest
from playwright.sync_api import expect

from channel_pages import gateway  # noqa: F401
from pages import DESKTOP, PHONE

pytestmark = pytest.mark.native
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(autouse=True)
def empty(gateway):
    """Each test begins without channels and groups of its own."""
    yield
    gateway.call("PUT", "/model-fallbacks", {"fallbacks": {}, "offline": {}})
    for kind in ("channels", "channel-groups"):
        for item in gateway.items("/" + kind):
            if item["name"] != "default":
                gateway.call("DELETE", f"/{kind}/{item['id']}")


@pytest.fixture
def owner(visit):
    """Opens the page, logged in."""
    def open_page(**options):
        pages = visit(**options).log_in(at="/#/channel-groups")
        pages.page.wait_for_selector("#page:not([aria-busy])")
        return pages
    return open_page


def card(pages, name):
    """What the page shows of a group."""
    return pages.page.locator(f"section[data-group='{name}']")


def group(gateway, name):
    """What the gateway says about a group."""
    return next(each for each in gateway.items("/channel-groups") if each["name"] == name)


def shares(pages, name):
    """The last cells of a group's members."""
    return card(pages, name).locator("tbody tr td:last-child")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_two_channels_share_90_to_10(owner, gateway, upstream, size):
    channels = [gateway.channel(upstream.url(), ["echo@90"], name=name) for name in ("A", "B", "C")]
    pages = owner(size=size)
    page = pages.page
    page.click("#create")
    pages.field("name").fill("pair")
    members = page.get_by_role("group", name="Members")
    members.get_by_role("checkbox", name="A").check()
    members.get_by_role("checkbox", name="B").check()
    page.get_by_label("Strategy").select_option("weighted_round_robin")
    pages.save()
    expect(shares(pages, "pair")).to_have_text(["50%", "50%"])
    for name, weight in (("A", "90"), ("B", "10")):
        field = card(pages, "pair").get_by_label(f"Weight of {name}")
        field.fill(weight)
        field.press("Enter")
    expect(shares(pages, "pair")).to_have_text(["90%", "10%"])
    expect(card(pages, "default").get_by_label("Weight of A")).to_have_value("90")
    expect(shares(pages, "default").first).to_have_text("89.1%")
    bar = card(pages, "pair").get_by_role("img", name="A 90%, B 10%")
    widths = [piece.bounding_box()["width"] for piece in bar.locator("span").all()]
    assert widths[0] / sum(widths) == pytest.approx(0.9, abs=0.02)
    pages.check_accessibility()
    pages.check_width()
    pair = group(gateway, "pair")
    assert [(m["name"], m["weight"]) for m in pair["members"]] == [("A", 90), ("B", 10)]
    token = gateway.token(quota=None, channel_group="pair")
    for _ in range(10):
        answer = gateway.post("/v1/chat/completions", key=token["key"], body=(
            '{"model":"echo@90","messages":[{"role":"user","content":"hi"}]}'))
        assert answer.status_code == 200
    assert [gateway.stats(c)["requests"] for c in channels] == [9, 1, 0]
    gateway.call("DELETE", f"/tokens/{token['id']}")


def test_only_who_can_be_chosen_has_a_share(owner, gateway, upstream):
    settings = [{"weight": 3}, {"weight": 1}, {"weight": 0}, {"status": "disabled"},
                {"priority": -1, "weight": 9}]
    for number, fields in enumerate(settings):
        gateway.channel(upstream.url(), ["echo"], name=f"{MARKUP}{number}", **fields)
    pages = owner()
    expect(shares(pages, "default")).to_have_text(
        ["75%", "25%", "none: weight 0", "disabled", "in reserve"])
    weight = card(pages, "default").get_by_label(f"Weight of {MARKUP}1")
    weight.fill("1001")
    weight.press("Enter")
    expect(card(pages, "default").locator(".problem:not(:empty)")).to_have_count(1)
    assert group(gateway, "default")["members"][1]["weight"] == 1
    card(pages, "default").get_by_role("button", name="Edit").click()
    expect(pages.field("name")).to_be_disabled()
    pages.field("strategy").select_option("priority")
    expect(pages.page.locator("[data-field=strategy] small")).to_contain_text("largest weight")
    pages.save()
    expect(shares(pages, "default").first).to_have_text("100%")
    assert pages.page.locator("main img").count() == 0
    gateway.call("PUT", "/channel-groups/1", {"strategy": "weighted_round_robin"})


def test_a_group_is_edited_and_deleted(owner, gateway, upstream):
    one, two, three = [gateway.channel(upstream.url(), ["echo"], name=name)
                       for name in ("one", "two", "three")]
    gateway.call("POST", "/channel-groups", {"name": "mine"})
    gateway.call("PUT", f"/channels/{one['id']}", {"groups": ["mine"]})
    pages = owner()
    pages.expect_error("400", "409")
    page = pages.page
    card(pages, "mine").get_by_role("button", name="Edit").click()
    members = page.get_by_role("group", name="Members")
    expect(members.get_by_label("one")).to_be_checked()
    members.get_by_label("one").uncheck()
    members.get_by_label("two").check()
    fallbacks = page.get_by_role("group", name="Fallback channels")
    for name in ("one", "two", "three"):
        fallbacks.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name="Move three up").press("Enter")
    expect(page.get_by_role("button", name="Move three up")).to_be_focused()
    page.keyboard.press("Enter")
    fallbacks.get_by_role("checkbox", name="two").uncheck()
    pages.field("sticky").check()
    pages.field("retries").fill("11")
    page.click("dialog button[type=submit]")
    expect(pages.field("retries")).to_be_focused()
    pages.field("retries").fill("2")
    pages.field("retry_interval_ms").fill("250")
    pages.save()
    mine = group(gateway, "mine")
    assert [m["name"] for m in mine["members"]] == ["two"]
    assert mine["fallback_channels"] == [three["id"], one["id"]]
    assert (mine["sticky"], mine["retries"], mine["retry_interval_ms"]) == (True, 2, 250)
    assert gateway.call("GET", f"/channels/{two['id']}")["groups"] == ["default", "mine"]
    assert gateway.call("GET", f"/channels/{one['id']}")["groups"] == ["default"]
    expect(card(pages, "mine")).to_contain_text("Tried last: three → one.")
    expect(card(pages, "mine")).to_contain_text("Pause before each: 250 ms.")
    delete = card(pages, "mine").get_by_role("button", name="Delete")
    delete.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card(pages, "mine").locator("p.problem")).to_contain_text("two")
    gateway.call("PUT", f"/channels/{two['id']}", {"groups": []})
    delete.click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card(pages, "mine")).to_have_count(0)


def test_models_fall_back_on_others(owner, gateway, upstream):
    gateway.channel(upstream.url(), ["gpt-4o", "llama3:8b"], name="A")
    pages = owner()
    page = pages.page
    page.click("#new-rule")
    pages.field("model").fill("gpt-4o")
    pages.field("instead").fill("not a model")
    expect(page.locator("[data-field=instead] small")).to_contain_text("is no name of a model")
    pages.field("instead").fill("llama3:8b\nqwen-max")
    pages.save()
    expect(pages.row("gpt-4o")).to_contain_text("llama3:8b → qwen-max")
    page.click("#new-rule")
    pages.field("model").fill("*")
    pages.field("kind").select_option("offline")
    pages.field("instead").fill("llama3:8b\nqwen-max")
    page.click("dialog button[type=submit]")
    expect(page.locator("[data-field=instead] small")).to_contain_text("must be one model")
    pages.field("instead").fill("llama3:8b")
    pages.save()
    expect(pages.row("any other")).to_contain_text("the internet is gone")
    assert gateway.call("GET", "/model-fallbacks") == {
        "fallbacks": {"gpt-4o": ["llama3:8b", "qwen-max"]}, "offline": {"*": "llama3:8b"}}
    pages.row("gpt-4o").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(pages.row("gpt-4o")).to_have_count(0)
    assert gateway.call("GET", "/model-fallbacks")["fallbacks"] == {}


@pytest.mark.parametrize("size, language, scheme, words", [
    (PHONE, "zh", "dark", ["请求将发往 B。", "已手动禁用。"]),
    (DESKTOP, "en", "light", ["The request goes to B.", "It is disabled by hand."]),
], ids=["phone", "desktop"])
def test_the_way_of_a_request_is_explained(owner, gateway, upstream, size, language, scheme, words):
    gateway.channel(upstream.url(), ["gpt-4o"], name="A", status="disabled")
    gateway.channel(upstream.url(), ["gpt-4o"], name="B", model_mapping={"gpt-4o": "echo"})
    token = gateway.token(quota=None, name=MARKUP)
    pages = owner(size=size, language=language, scheme=scheme)
    explain = pages.page.locator("#explain")
    explain.locator("select").select_option(MARKUP)
    explain.locator("[name=model]").fill("gpt-4o")
    explain.locator("[name=model]").press("Enter")
    expect(pages.page.get_by_text(words[0])).to_be_visible()
    rows = pages.page.locator("#explain ~ div tbody tr")
    expect(rows.first).to_have_text(re.compile("1B.*default.*echo"))
    expect(rows.last).to_contain_text(words[1])
    pages.check_accessibility()
    pages.check_width()
    assert pages.page.locator("main img").count() == 0
    gateway.call("DELETE", f"/tokens/{token['id']}")
