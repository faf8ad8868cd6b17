# SPDX-License-Identifier: MIT
"""The pages of prices and redemption codes, and a user who tops up by code."""

import json

import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, create
from looks import check
from pages import PHONE
from process import next_number

pytestmark = [pytest.mark.native, pytest.mark.usefixtures("no_prices")]


def prices(gateway):
    """All prices by model."""
    return {each["model"]: each for each in gateway.items("/prices")}


def test_a_price_is_made_in_money_and_kept_exact(visit, gateway):
    pages = visit(size=PHONE).log_in(at="/#/prices")
    page = pages.page
    expect(page.locator("#unpriced")).to_contain_text("cost $2.00 for a million tokens")
    page.click("#create")
    pages.field("model").fill("web-model*")
    page.get_by_label("Prompt in USD for 1M").fill("0.27")
    expect(pages.field("prompt")).to_have_value("0.135")
    pages.field("completion").fill("0.000001")
    expect(page.get_by_label("Completion in USD for 1M")).to_have_value("0.000002")
    page.get_by_label("Image in USD for image").fill("0.04")
    pages.check_width()
    pages.save()
    price = prices(gateway)["web-model*"]
    assert [price[part] for part in ("prompt", "completion", "cached", "image")] == [
        "0.135", "0.000001", None, "20000"]
    row = pages.row("web-model*")
    expect(row).to_contain_text("$0.27 / 1M")
    expect(row).to_contain_text("$0.04 each")
    expect(row).to_contain_text("like prompt")
    check(pages)
    row.get_by_role("button", name="Edit").click()
    pages.field("completion").fill("abc")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("[data-field=completion] .problem")).to_contain_text("A decimal such as")
    pages.field("completion").fill("")
    pages.save()
    assert prices(gateway)["web-model*"]["completion"] is None
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_models_without_a_price_are_named(visit, gateway, upstream):
    routes = [gateway.route(upstream, "echo") for _ in range(2)]
    pattern = routes[0].model[:-1] + "*" + routes[0].model[-1]
    gateway.call("POST", "/prices", {"model": pattern, "prompt": "1"})
    pages = visit().log_in(at="/#/prices")
    page = pages.page
    page.locator("summary").click()
    expect(page.get_by_role("button", name=routes[0].model, exact=True)).to_have_count(0)
    page.get_by_role("button", name=routes[1].model, exact=True).click()
    expect(pages.field("model")).to_have_value(routes[1].model)
    pages.field("prompt").fill("2")
    pages.save()
    expect(page.get_by_role("button", name=routes[1].model, exact=True)).to_have_count(0)
    assert prices(gateway)[routes[1].model]["prompt"] == "2"


def test_what_unpriced_models_cost_is_said(visit, gateway):
    before = gateway.call("GET", "/options")["unpriced_models"]
    pages = visit().log_in(at="/#/account")
    try:
        for choice, sentence in (("free", "Models without a price are free."),
                                 ("refuse", "Models without a price are not served.")):
            gateway.call("PUT", "/options", {"unpriced_models": choice})
            pages.go("account").go("prices")
            expect(pages.page.locator("#unpriced")).to_contain_text(sentence)
    finally:
        gateway.call("PUT", "/options", {"unpriced_models": before})


def test_one_apis_ratios_are_imported_and_what_was_skipped_is_shown(visit, gateway):
    pages = visit(size=PHONE).log_in(at="/#/prices")
    page = pages.page
    page.get_by_role("button", name="Import").click()
    pages.field("text").fill("{\"gpt-4\": 15, ")
    expect(page.locator("[data-field=text] .problem")).to_have_text("This is no JSON object.")
    pages.field("text").fill(json.dumps({"gpt-4": 15, "gpt-4o": 1.25, "llama(33)": 1}))
    pages.field("completion").fill(json.dumps({"gpt-4": 2, "unknown": 3}))
    check(pages)
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("#skipped")).to_contain_text("llama(33)")
    expect(page.locator("#skipped")).to_contain_text("unknown")
    page.get_by_role("button", name="Close").click()
    expect(pages.row("gpt-4o")).to_contain_text("$2.50 / 1M")
    made = prices(gateway)
    assert (made["gpt-4"]["prompt"], made["gpt-4"]["completion"]) == ("15", "30")


def test_an_export_is_a_file_that_an_import_takes(visit, gateway, tmp_path):
    gateway.call("POST", "/prices", {"model": "exported", "prompt": "0.000001", "image": "3"})
    pages = visit().log_in(at="/#/prices")
    page = pages.page
    with page.expect_download() as started:
        page.get_by_role("button", name="Export").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    gateway.call("POST", "/prices/import", {"prices": [], "replace": True})
    gateway.call("POST", "/prices", {"model": "goes", "prompt": "1"})
    page.get_by_role("button", name="Import").click()
    page.get_by_label("Take it from a file").first.set_input_files(file)
    pages.field("replace").check()
    page.click("dialog[open] button[type=submit]")
    page.get_by_role("dialog", name="Replace all prices?").get_by_role(
        "button", name="Replace").click()
    expect(page.locator(".notice")).to_have_text("1 price imported, 1 in all.")
    expect(pages.row("goes")).to_have_count(0)
    made = prices(gateway)
    assert list(made) == ["exported"]
    assert (made["exported"]["prompt"], made["exported"]["image"]) == ("0.000001", "3")


def test_codes_are_shown_once_and_a_user_tops_up(visit, gateway):
    name = f"spring <i>{next_number()}</i>"
    pages = visit().log_in(at="/#/redemptions")
    page = pages.page
    page.click("#create")
    pages.field("name").fill(name)
    page.get_by_label("Units of each code in USD").fill("1.5")
    pages.field("count").fill("3")
    page.get_by_role("button", name="30 days").click()
    page.click("dialog[open] button[type=submit]")
    codes = page.locator("pre.secret").inner_text().split()
    assert len(set(codes)) == 3
    with page.expect_download() as started:
        page.get_by_role("button", name="Download").click()
    assert started.value.path().read_text().split() == codes
    page.get_by_role("button", name="I have kept it").click()
    expect(pages.row(name)).to_have_count(3)
    pages.row(name).nth(2).get_by_role("button", name="Disable").click()
    expect(pages.row(name).nth(2)).to_contain_text("disabled")

    user = create(gateway, quota=500000)
    other = visit(size=PHONE).log_in(user["username"], USER_PASSWORD, at="/#/account")
    other.expect_error("409")
    account = other.page
    account.fill("[name=code]", " " + codes[0] + " ")
    account.get_by_role("button", name="Top up").click()
    expect(account.locator(".card").nth(2)).to_contain_text("$2.50")
    account.fill("[name=code]", codes[2])
    account.get_by_role("button", name="Top up").click()
    expect(account.locator("[role=alert]")).to_have_text("This code is disabled.")
    other.check_width()

    page.locator("#page [name=status]").select_option("used")
    expect(pages.row(name)).to_have_count(1)
    expect(pages.row(name)).to_contain_text(user["username"])
    page.locator("#page [name=status]").select_option("")
    expect(pages.row(name)).to_have_count(3)
    check(pages)
    for box in page.get_by_role("checkbox", name=f"Choose {name}").all():
        box.check()
    page.get_by_role("group", name="Chosen rows").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(pages.row(name)).to_have_count(0)
    gateway.call("DELETE", f"/users/{user['id']}")
