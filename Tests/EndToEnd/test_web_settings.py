# SPDX-License-Identifier: MIT
"""The settings: options that hold at once, and how each key of config.yaml is changed."""

import pytest
from playwright.sync_api import expect

from pages import DESKTOP, PHONE, Pages
from test_options import DEFAULTS

pytestmark = pytest.mark.native


@pytest.fixture
def options(gateway):
    """The shared gateway's options; they are as at first after the test."""
    yield lambda: gateway.call("GET", "/options")
    gateway.call("PUT", "/options", DEFAULTS)


def change(pages, title):
    """Opens the form of one group of options."""
    pages.page.get_by_role("button", name=f"Change: {title}").click()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_option_is_shown_and_changed(visit, options, size):
    pages = visit(size=size).log_in(at="/#/settings")
    page = pages.page
    shown = page.locator("[data-option]")
    expect(shown).to_have_count(len(DEFAULTS))
    names = shown.evaluate_all("all => all.map((each) => each.dataset.option)")
    assert sorted(names) == sorted(DEFAULTS)
    change(pages, "Money")
    pages.check_accessibility()
    pages.field("currency").fill("CNY")
    pages.field("quota_per_unit").fill("1000000")
    pages.field("unpriced_models").select_option("refuse")
    pages.save()
    expect(page.locator("[data-option=currency]")).to_contain_text("CNY (at first USD)")
    change(pages, "New users")
    pages.field("registration").check()
    pages.field("new_user_quota").fill("")
    pages.save()
    expect(page.locator("[data-option=new_user_quota]")).to_contain_text("no limit")
    change(pages, "How long things are kept")
    pages.field("log_days").fill("30")
    pages.save()
    assert options() == {**DEFAULTS, "currency": "CNY", "quota_per_unit": 1000000,
                         "unpriced_models": "refuse", "registration": True,
                         "new_user_quota": None, "log_days": 30}
    pages.check_width()
    page.fill("[name=search]", "metrics")       # Of the whole list axe takes seconds.
    expect(pages.row("stop_timeout_ms")).to_have_count(0)
    pages.check_accessibility()


@pytest.mark.parametrize("group, name, value, sentence", [
    ("Money", "currency", "yuan", "Three capital letters, such as CNY."),
    ("Money", "quota_per_unit", "0", "From 1 to 1,000,000,000."),
    ("Money", "unpriced_ratio", "1.1234567", "A number from 0 to 1000000 with at most 6 places."),
    ("How long things are kept", "statistics_days", "0", "From 1 to 3,650."),
])
def test_a_wrong_option_is_said_at_its_field(visit, options, group, name, value, sentence):
    pages = visit().log_in(at="/#/settings")
    change(pages, group)
    pages.field(name).fill(value)
    note = pages.page.locator(f"dialog [data-field={name}] small")
    if name != "currency":
        expect(note).to_have_text(sentence)
    pages.page.click("dialog[open] button[type=submit]")
    expect(note).to_have_text(sentence)
    expect(pages.field(name)).to_be_focused()
    assert options() == DEFAULTS


def test_each_key_of_the_file_tells_its_value_and_how_to_change_it(chromium, make_gateway):
    secret = "a secret that nobody sees"
    gateway = make_gateway(start=False, log_level="warn", env={"TINYGATEWAY_METRICS_TOKEN": secret})
    with open(gateway.data_dir / "config.yaml", "w") as file:
        file.write("# mine\nflush_rows: 500\n")
    gateway.start()
    with Pages(chromium, gateway) as pages:
        page = pages.log_in(at="/#/settings").page
        items = gateway.call("GET", "/config")["items"]
        keys = {item["key"] for item in items}
        able = [item for item in items
                if item["reload"] and item["source"] not in ("command_line", "environment")]
        shown = page.locator("tbody td:first-child code")
        expect(shown).to_have_count(len(keys))
        assert set(shown.all_text_contents()) == keys
        # What may change at run time is changed here, all else is explained.
        buttons = page.locator("#config tbody").get_by_role("button")
        expect(buttons.filter(has_text="Change")).to_have_count(len(able))
        expect(buttons.filter(has_text="Show")).to_have_count(len(keys) - len(able))
        assert secret not in page.content()
        page.fill("[name=search]", "waiting ROWS")
        expect(page.locator("tbody tr")).to_have_count(1)
        row = pages.row("flush_rows")
        expect(row).to_contain_text("500")
        expect(row).to_contain_text("file, line 2")
        row.get_by_role("button").click()
        dialog = page.get_by_role("dialog", name="flush_rows")
        expect(dialog.locator("pre")).to_have_text("flush_rows: 500")
        expect(dialog).to_contain_text(f"Change line 2 of the file {gateway.data_dir}/config.yaml")
        expect(dialog).to_contain_text("Then restart the gateway.")
        dialog.get_by_role("button", name="Copy").click()
        expect(page.get_by_text("Copied.")).to_be_attached()
        pages.check_accessibility()
        dialog.get_by_role("button", name="Close").click()
        page.fill("[name=search]", "")
        page.check("[name=changed]")
        expect(pages.row("metrics_token")).to_contain_text("set, not shown")
        expect(pages.row("stop_timeout_ms")).to_have_count(0)
        pages.row("log_level").get_by_role("button").click()
        expect(page.get_by_role("dialog")).to_contain_text("--log-level decides")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_settings_of_the_file_are_changed(chromium, make_gateway, size):
    gateway = make_gateway(start=False)
    file = gateway.data_dir / "config.yaml"
    file.write_text("# <b>mine</b>\nretries: 5\n#expose_channel: false\n")
    gateway.start()
    with Pages(chromium, gateway, size=size) as pages:
        page = pages.log_in(at="/#/settings").page
        pages.row("retries").get_by_role("button", name="Change: retries").click()
        expect(pages.field("retries")).to_have_value("5")
        pages.field("retries").fill("7")
        pages.save()
        expect(pages.row("retries")).to_contain_text("file, line 2")
        assert file.read_text() == "# <b>mine</b>\nretries: 7\n#expose_channel: false\n"
        # All that are found at once; what is wrong is said where it is, and the rest stays.
        page.fill("[name=search]", "e")
        page.get_by_role("button", name="Change: Settings of config.yaml").click()
        pages.check_accessibility()
        pages.check_width()
        expect(page.locator("dialog [name=port]")).to_have_count(0)
        pages.field("retries").fill("")
        pages.field("expose_channel").select_option("true")
        pages.field("metrics_token").fill("a-token-for-prometheus")
        pages.field("trusted_proxies").fill("10.0.0.0/8, ::1")
        pages.field("heartbeat_ms").fill("999")
        pages.expect_error("400")
        page.click("dialog[open] button[type=submit]")
        expect(page.locator("dialog [data-field=heartbeat_ms] small")).to_contain_text(
            "is too short; write 0 for none, or at least 1000")
        expect(pages.field("heartbeat_ms")).to_be_focused()
        pages.field("heartbeat_ms").fill("1000")
        pages.save()
        written = file.read_text().splitlines()
        assert written[:3] == ["# <b>mine</b>", "#retries: 3", "expose_channel: true"]
        assert sorted(written[3:]) == [
            "heartbeat_ms: 1000", "metrics_token: a-token-for-prometheus",
            "trusted_proxies: 10.0.0.0/8, ::1"]
        # A secret is not shown, stays, and goes when it is emptied.
        page.fill("[name=search]", "metrics_token")
        begin = pages.row("metrics_token").get_by_role("button")
        begin.click()
        pages.field("metrics_token").press("End")
        pages.field("metrics_token").press("x")
        expect(page.locator("dialog [data-field=metrics_token] small")).to_have_text(
            "Write the whole value.")
        pages.field("metrics_token").fill("")
        pages.save()
        expect(pages.row("metrics_token")).to_contain_text("not set")
        assert "#metrics_token" in file.read_text()


def test_each_key_of_the_file_is_explained_in_chinese(visit, gateway):
    pages = visit(language="zh").log_in(at="/#/settings")
    expect(pages.row("stop_timeout_ms")).to_be_visible()
    said = pages.page.locator("tbody small").all_text_contents()
    items = gateway.call("GET", "/config")["items"]
    assert len(said) == len(items)
    assert [item["key"] for item, text in zip(items, said) if item["comment"] == text] == []
