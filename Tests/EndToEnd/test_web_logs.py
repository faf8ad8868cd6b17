# SPDX-License-Identifier: MIT
"""The request log and the audit: filters, older rows, the live view, CSV, deletion."""

import csv
import json
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, person
from pages import PHONE, Pages

pytestmark = pytest.mark.native
MARKUP = "<b>bold</b><img src=x onerror=alert(1)>"


def ask(gateway, model, key=None, stream=False):
    """One chat request; the answer as it is."""
    body = {"model": model, "messages": [{"role": "user", "content": "hello"}], "stream": stream}
    return gateway.post("/v1/chat/completions", json.dumps(body), key)


def ask_more(gateway, count):
    """Requests that succeed, with another token."""
    for _ in range(count):
        assert ask(gateway, gateway.good.model).status_code == 200


def module(name):
    """The expression that loads a module of the pages."""
    return f"import(document.querySelector('script[src]').src.replace('app.js', '{name}'))"


def rows(page):
    """The rows that are shown."""
    return page.locator(".feed tbody tr")


def shown(page):
    """The ids of the rows that are shown."""
    return [int(row.get_attribute("data-id")) for row in rows(page).all()]


@pytest.fixture
def filled(make_gateway, upstream):
    """A gateway with two models, one of which fails, and three requests of one token."""
    gateway = make_gateway(retry_interval_ms=10)
    gateway.call("POST", "/prices", {"model": "poem*", "prompt": "1.25", "completion": "5"})
    gateway.call("PUT", "/user-groups/1", {"ratio": "0.5"})
    gateway.good = gateway.route(upstream, "poem", name=MARKUP)
    gateway.bad = gateway.route(upstream, "status:500", name="broken")
    gateway.laptop = gateway.token(name=MARKUP, quota=None, expires_at=None)
    assert ask(gateway, gateway.good.model, gateway.laptop["key"], True).status_code == 200
    assert ask(gateway, gateway.bad.model, gateway.laptop["key"]).status_code == 502
    assert ask(gateway, "nobody-has-it", gateway.laptop["key"]).status_code == 404
    return gateway


def test_filters_stay_and_choose_rows(chromium, filled):
    ask_more(filled, 52)
    with Pages(chromium, filled) as pages:
        page = pages.page
        page.clock.install()

        def choose(label, value, count):
            """Sets a filter as a person does, who then waits a moment."""
            field = page.get_by_label(label)
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
            page.clock.fast_forward(300)
            expect(rows(page)).to_have_count(count)
        pages.log_in(at="/#/logs")
        expect(rows(page)).to_have_count(50)
        assert shown(page) == sorted(shown(page), reverse=True)
        expect(page.get_by_role("status").filter(has_text="55 rows")).to_be_visible()
        page.get_by_role("button", name="Older rows").click()
        expect(rows(page)).to_have_count(55)
        assert shown(page) == sorted(set(shown(page)), reverse=True)
        expect(page.get_by_role("button", name="Older rows")).to_have_count(0)
        choose("Status", "failed", 2)
        choose("Status", "502", 1)
        page.reload()
        expect(rows(page)).to_contain_text([filled.bad.model])
        choose("Status", "all", 50)
        token = page.get_by_label("Token")
        token.focus()
        option = page.locator(f"#{token.get_attribute('list')} option").last
        expect(option).to_have_attribute("value", f"{MARKUP} #{filled.laptop['id']}")
        choose("Token", "nobody", 50)
        expect(page.locator("small.problem")).to_have_text(
            "Choose one of the list, or type its number.")
        choose("Token", option.get_attribute("value"), 3)
        choose("Streamed", "yes", 1)
        expect(rows(page)).to_contain_text([MARKUP])
        choose("Time", "From … until …", 1)
        choose("Until", "2020-01-01T00:00", 0)
        expect(page.locator(".empty")).to_be_visible()
        choose("Time", "Last hour", 1)
        assert page.locator("main img").count() == 0
        pages.check_accessibility()


def test_a_row_tells_how_its_charge_came_about(chromium, filled):
    with Pages(chromium, filled) as pages:
        page = pages.log_in(at=f"/#/logs?token_id={filled.laptop['id']}").page
        newest = filled.call("GET", f"/logs?token_id={filled.laptop['id']}")["items"]
        expect(rows(page)).to_have_count(3)
        rows(page).nth(2).get_by_role("button").press("Enter")
        dialog, row = page.locator("dialog[open]"), newest[2]
        asked, told = row["prompt_tokens"], row["completion_tokens"]
        sum_ = asked * 1.25 + told * 5
        expect(dialog).to_contain_text(f"{asked} × 1.25 (prompt) + {told} × 5 (answer) = {sum_:g}")
        expect(dialog).to_contain_text("Charged was 0.5 times that")
        expect(dialog).to_contain_text(f"{row['quota_micro'] / 1e6:g} units")
        pages.context.grant_permissions(["clipboard-read", "clipboard-write"])
        dialog.get_by_role("button", name="Copy").click()
        expect(page.locator(".notice")).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == row["request_id"]
        pages.check_accessibility()
        dialog.get_by_role("button", name="Close").click()
        rows(page).nth(1).click()
        expect(dialog).to_contain_text("The upstream reported an error of its own.")
        page.keyboard.press("Escape")
        rows(page).nth(0).click()
        expect(dialog).to_contain_text("The gateway refused it, no upstream was asked.")
        price_of = lambda model, *names: page.evaluate(
            f"async (a) => (await {module('logs.js')}).priceOf(...a)?.model ?? null",
            [model, [{"model": name} for name in names]])
        assert price_of("gpt-4o", "gpt-*", "gpt-4*", "gpt-4o-mini") == "gpt-4*"
        assert price_of("gpt-4o", "gpt-4o*", "gpt-4o") == "gpt-4o"
        assert price_of("a.b", "a?b", "axb", "*x*") is None
        assert price_of("ab", "a*", "*b") == "a*"


def test_the_live_view_follows_and_moves_nothing(chromium, filled):
    ask_more(filled, 20)
    with Pages(chromium, filled, size=PHONE, language="zh") as pages:
        page = pages.page
        page.clock.install()
        pages.log_in(at="/#/logs")
        expect(rows(page)).to_have_count(23)
        page.get_by_role("switch", name="实时").check()
        ask_more(filled, 1)
        page.clock.fast_forward(2000)
        expect(rows(page)).to_have_count(24)
        expect(rows(page).first).to_have_class("fresh")
        read = rows(page).nth(20)
        label = read.get_attribute("data-id")
        read.scroll_into_view_if_needed()
        before = read.bounding_box()["y"]
        ask_more(filled, 3)
        page.clock.fast_forward(2000)
        expect(rows(page)).to_have_count(27)
        expect(page.get_by_role("status").filter(has_text="新增 4 条")).to_have_count(1)
        assert abs(page.locator(f"tr[data-id='{label}']").bounding_box()["y"] - before) < 2
        assert shown(page) == sorted(set(shown(page)), reverse=True)


def test_csv_has_the_rows_of_the_filter(chromium, filled):
    with Pages(chromium, filled) as pages:
        page = pages.log_in(at=f"/#/logs?token_id={filled.laptop['id']}&status=failed").page
        expect(rows(page)).to_have_count(2)
        with page.expect_download() as download:
            page.get_by_role("button", name="Download as CSV").click()
        table = list(csv.DictReader(Path(download.value.path()).read_text().splitlines()))
        assert download.value.suggested_filename == "log.csv"
        assert [row["status"] for row in table] == ["404", "502"]
        assert {row["token_name"] for row in table} == {MARKUP}
        expect(page.get_by_role("button", name="Download as CSV")).to_be_visible()
        assert page.evaluate(f"""async () => {{
          const {{ save }} = await {module("files.js")};
          const body = new ReadableStream({{ start(queue) {{
            queue.enqueue(new Uint8Array(3));
            queue.error(new TypeError("gone"));
          }} }});
          return save(new Response(body), "half.csv", () => {{}}).catch((error) => error.message);
        }}""") == "The download broke off. Try it again."


def test_a_user_sees_only_the_own_rows(chromium, filled):
    user = person(filled, username="plain", quota=None)
    key = user.call("POST", "/tokens", {"name": "laptop", "quota": None})["key"]
    ask(filled, filled.good.model, key)
    with Pages(chromium, filled, size=PHONE) as pages:
        page = pages.log_in("plain", USER_PASSWORD, at="/#/logs").page
        expect(rows(page)).to_have_count(1)
        labels = page.locator(".feed th").evaluate_all("all => all.map(e => e.textContent)")
        assert labels == ["Time", "Token", "Model", "Status", "Tokens in + out", "Cost", "Latency"]
        expect(page.locator(".tabs")).to_have_count(0)
        expect(page.get_by_role("button", name="Delete old rows")).to_have_count(0)
        page.locator("summary").click()
        expect(page.get_by_label("Token")).to_be_visible()
        expect(page.get_by_label("User")).to_have_count(0)
        rows(page).first.click()
        expect(page.locator("dialog[open]")).to_contain_text("Charge")
        pages.check_width()
        pages.check_accessibility()


def test_old_rows_are_deleted_after_a_question(chromium, filled):
    with Pages(chromium, filled) as pages:
        page = pages.log_in(at="/#/logs").page
        button = page.get_by_role("button", name="Delete old rows")
        button.click()
        page.get_by_role("button", name="7 days ago").click()
        pages.save()
        expect(page.locator(".notice")).to_have_text("Rows deleted: 0")
        expect(button).not_to_have_attribute("aria-busy", "true")
        button.click()
        until = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(time.time() + 60))
        pages.field("until").fill(until)
        pages.save()
        expect(page.locator(".notice").last).to_have_text("Rows deleted: 3")
        expect(page.locator(".empty")).to_be_visible()


def test_the_audit_says_who_did_what(chromium, filled):
    with Pages(chromium, filled) as pages:
        page = pages.log_in(at="/#/logs").page
        page.get_by_role("link", name="Audit").click()
        page.get_by_label("Action").select_option("Token: created")
        expect(rows(page).first).to_contain_text(MARKUP)
        assert all("Token: created" in row for row in rows(page).all_inner_texts())
        page.reload()
        expect(page.get_by_label("Action")).to_have_value("token_create")
        page.get_by_label("Action").select_option("all")
        expect(rows(page).first).to_contain_text("Login")
        total = filled.call("GET", "/audit")["total"]
        expect(rows(page)).to_have_count(total)
        pages.check_accessibility()
