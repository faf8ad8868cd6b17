# SPDX-License-Identifier: MIT
"""The page of the channels: a channel is added, tested, changed and removed as an owner does it."""

import re

import pytest
from playwright.sync_api import expect

import payloads
from channel_pages import KEY, button, empty, gateway, note, only, owner  # noqa: F401
from pages import DESKTOP, PHONE
from shapes import Verbatim

pytestmark = pytest.mark.native
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def qwen(upstream):
    """The upstream knows the model qwen-max."""
    body = payloads.dump(payloads.completion("qwen-max", {"role": "assistant", "content": "hi"}))
    head = (f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode()
    upstream.verbatim["qwen-max"] = Verbatim(body, 0, head)
    yield upstream
    del upstream.verbatim["qwen-max"]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_qwen_channel_is_added_and_tested(owner, gateway, qwen, size):
    pages = owner(size=size)
    page = pages.page
    page.click("#create")
    pages.field("type").press_sequentially("qwen")
    choices = page.get_by_role("listbox").get_by_role("option")
    expect(choices).to_have_text([re.compile("Qwen.*qwen$"), re.compile("native.*qwen-native$")])
    pages.field("type").press("ArrowDown")
    pages.field("type").press("ArrowUp")
    pages.field("type").press("Enter")
    expect(pages.field("type")).to_have_value("Aliyun Qwen (DashScope)")
    expect(pages.field("base_url")).to_have_attribute(
        "placeholder", "https://dashscope.aliyuncs.com/compatible-mode/v1")
    expect(note(pages, "keys")).to_have_text("One a line, such as sk-…")
    page.click("dialog button[type=submit]")
    expect(note(pages, "keys")).to_have_text("This type needs a key.")
    expect(pages.field("keys")).to_be_focused()
    pages.field("name").fill("My Qwen")
    pages.field("keys").fill(KEY)
    pages.field("base_url").fill(qwen.url())
    pages.field("model_mapping").fill("qwen-max")
    expect(note(pages, "model_mapping")).to_contain_text("Line 1 needs a public name, a colon")
    pages.field("model_mapping").fill("qwen-max:qwen-max")
    expect(note(pages, "model_mapping")).to_contain_text("One a line")
    pages.check_width()
    pages.save()
    channel = only(gateway)
    assert (channel["type"], channel["name"], channel["base_url"], channel["models"]) == (
        "qwen", "My Qwen", qwen.url(), [])
    assert channel["model_mapping"] == {"qwen-max": "qwen-max"}
    assert channel["status"] == "enabled" and len(channel["key_hints"]) == 1

    button(pages, "Test", "My Qwen").click()
    dialog = page.get_by_role("dialog", name="Test My Qwen")
    expect(dialog.get_by_role("status")).to_contain_text("It works: qwen-max answered after")
    assert qwen.requests("qwen-max")[-1].key == KEY
    dialog.locator("select").select_option("qwen-plus")
    dialog.get_by_role("button", name="Test").click()
    expect(dialog.get_by_role("status")).to_contain_text("It does not work with qwen-plus:")
    expect(dialog.get_by_role("status")).to_contain_text("The model does not exist")
    pages.check_accessibility()
    pages.check_width()


def test_models_that_do_not_chat_are_not_offered_for_the_test(owner, gateway, upstream):
    gateway.channel(upstream.url(), ["text-embedding-v4", "echo", "bge-reranker"], name="mixed")
    gateway.channel(upstream.url(), ["text-embedding-v4"], name="one kind")
    pages = owner()
    for name, models in (("mixed", ["echo"]), ("one kind", ["text-embedding-v4"])):
        button(pages, "Test", name).click()
        dialog = pages.page.get_by_role("dialog", name="Test " + name)
        expect(dialog.locator("option")).to_have_text(models)
        dialog.get_by_role("button", name="Close").click()


def test_weight_and_priority_are_edited_in_place(owner, gateway, upstream):
    gateway.channel(upstream.url(), ["echo"], name="mine")
    pages = owner()
    weight = pages.page.get_by_label("Weight of mine")
    weight.fill("90")
    weight.press("Enter")
    expect(pages.page.locator("#notices")).to_contain_text("Saved.")
    assert only(gateway)["weight"] == 90
    weight.fill("5000")
    weight.press("Enter")
    expect(pages.row("mine").locator(".problem:not(:empty)")).to_have_count(1)
    expect(weight).to_have_attribute("aria-invalid", "true")
    weight.press("Escape")
    expect(weight).to_have_value("90")
    priority = pages.page.get_by_label("Priority of mine")
    priority.fill("-7")
    with pages.page.expect_response(lambda answer: answer.request.method == "PUT"):
        priority.press("Tab")
    channel = only(gateway)
    assert (channel["weight"], channel["priority"]) == (90, -7)


def test_health_and_state_are_live(owner, gateway, upstream):
    route = gateway.route(upstream, "echo", name="mine")
    pages = owner()
    page = pages.page
    expect(pages.row("mine")).to_contain_text("no requests")
    button(pages, "Disable", "mine").click()
    expect(pages.row("mine")).to_contain_text("Disabled")
    assert only(gateway)["status"] == "disabled"
    button(pages, "Enable", "mine").click()
    expect(pages.row("mine")).to_contain_text("Enabled")
    page.clock.install()
    page.reload()
    expect(pages.row("mine")).to_contain_text("no requests")
    gateway.sdk().chat.completions.create(
        model=route.model, messages=[{"role": "user", "content": "hi"}])
    page.get_by_label("Weight of mine").fill("3")
    pages.pass_time(11_000, lambda timeout: expect(pages.row("mine")).to_contain_text(
        "100% of 1", timeout=timeout))
    expect(page.get_by_label("Weight of mine")).to_have_value("3")
    expect(page.get_by_label("Weight of mine")).to_be_focused()


def test_a_channel_whose_keys_are_refused_says_why(owner, gateway, upstream):
    route = gateway.route(upstream, "status:401", name=MARKUP)
    with pytest.raises(Exception, match="."):
        gateway.sdk().chat.completions.create(
            model=route.model, messages=[{"role": "user", "content": "hi"}])
    channel = only(gateway)
    pages = owner("?status=auto_disabled")
    assert channel["status"] == "auto_disabled"
    row = pages.row(MARKUP)
    expect(row).to_contain_text("Off after failures")
    expect(row).to_contain_text(channel["status_reason"])
    assert pages.page.locator("main img").count() == 0
    button(pages, "Enable", MARKUP).click()
    expect(row).to_contain_text("Enabled")
    assert only(gateway)["status"] == "enabled"


def test_many_channels_at_once(owner, gateway, upstream):
    for name in ("one", "two", "other"):
        gateway.channel(upstream.url(), ["echo"], name=name)
    gateway.call("POST", "/channels", {"name": "DS", "type": "deepseek", "keys": [KEY],
                                       "base_url": upstream.url(path="/deepseek")})
    pages = owner()
    page = pages.page
    for name in ("one", "two"):
        page.get_by_label("Choose " + name).check()
    bulk = page.locator(".bulk")
    bulk.get_by_role("button", name="Test").click()
    results = page.get_by_role("dialog", name="Testing")
    expect(results.locator("li")).to_have_text([re.compile("one It works"), re.compile("two It")])
    results.get_by_role("button", name="Close").click()
    bulk.get_by_role("button", name="Set weight").click()
    pages.field("weight").fill("7")
    pages.field("weight").press("Enter")
    expect(page.get_by_label("Weight of two")).to_have_value("7")
    for name in ("one", "two"):
        page.get_by_label("Choose " + name).check()
    bulk.get_by_role("button", name="Disable").click()
    expect(pages.row("two")).to_contain_text("Disabled")
    page.get_by_label("State").select_option("disabled")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Search").fill("ON")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill("")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Choose all").check()
    bulk.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete 2 entries?").get_by_role(
        "button", name="Delete").click()
    expect(page.locator(".empty")).to_be_visible()
    page.get_by_label("State").select_option("")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_label("Type").select_option("deepseek")
    expect(page.locator("tbody tr")).to_have_count(1)
    button(pages, "Balance", "DS").click()
    expect(pages.row("DS").get_by_role("button", name=re.compile("110.00"))).to_be_visible()
    assert [(c["name"], c["weight"]) for c in gateway.items("/channels")] == [
        ("other", 1), ("DS", 1)]


@pytest.mark.parametrize("size, language, scheme", [
    (PHONE, "zh", "dark"), (DESKTOP, "en", "light")], ids=["phone", "desktop"])
def test_the_page_is_for_everybody(owner, gateway, upstream, size, language, scheme):
    gateway.channel(upstream.url(), ["echo"], name=MARKUP + "a-name-without-any-space" * 3)
    pages = owner(size=size, language=language, scheme=scheme)
    expect(pages.row(MARKUP)).to_be_visible()
    pages.check_accessibility()
    pages.check_width()
    pages.row(MARKUP).get_by_role("button").nth(1).click()
    pages.page.locator("dialog summary").click()
    pages.field("type").press("ArrowDown")
    pages.check_accessibility()
    pages.check_width()
    pages.field("type").press("Escape")
    expect(pages.page.get_by_role("listbox")).to_have_count(0)
    expect(pages.page.locator("dialog")).to_have_count(1)
    assert pages.page.locator("dialog img, main img").count() == 0
