# SPDX-License-Identifier: MIT
"""The frame of the web pages: login, menu, language, theme, an ended login, a lost connection."""

import re

import pytest
from playwright.sync_api import expect

from gateway import FIRST_PASSWORD, PASSWORD
from pages import DESKTOP, PHONE, Pages

pytestmark = pytest.mark.native


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_first_login_forces_another_password(chromium, fresh, size):
    with fresh, Pages(chromium, fresh, size=size) as pages:
        page = pages.page
        pages.log_in(password=FIRST_PASSWORD, at="/#/user-groups")
        expect(page.locator("h1")).to_have_text("Choose a password")
        pages.check_accessibility()
        page.fill("[name=old_password]", FIRST_PASSWORD)
        page.fill("[name=new_password]", PASSWORD)
        page.fill("[name=again]", PASSWORD + "x")
        page.click("main button[type=submit]")
        expect(page.locator(".problem")).to_have_text("The two new passwords differ.")
        page.fill("[name=again]", PASSWORD)
        page.click("main button[type=submit]")
        expect(page.locator("h1")).to_have_text("User groups")
        cookie, = pages.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == (
            "tg_session", True, "Strict")


def test_the_first_page_costs_five_requests_and_60_kb(chromium, gateway):
    for language in ("en", "zh"):
        with Pages(chromium, gateway, language=language) as pages:
            sizes = []
            pages.page.on("requestfinished", lambda request: sizes.append(sum(
                request.sizes()[part] for part in ("responseBodySize", "responseHeadersSize"))))
            pages.page.goto("/", wait_until="networkidle")
            expect(pages.page.locator("h1")).to_be_visible()
            # When they are not taken from a folder, these are within zh.js.
            asked = [url for url in pages.requests
                     if not url.startswith("data:") and not url.endswith(("said.js", "zh-api.js"))]
            assert len(asked) <= 5
            assert sum(sizes) <= 60_000


def test_the_pages_come_packed_and_are_kept(gateway):
    page = gateway.http.get("/")
    assert page.headers["content-encoding"] == "gzip"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    whole = int(page.headers["content-length"])
    script = re.search(r'src="(/ui/[0-9a-f]{8}/app\.js)"', page.text).group(1)
    answer = gateway.http.get(script)
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert whole > 0 and answer.headers["etag"]
    again = gateway.http.get(script, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert gateway.http.get("/ui/00000000/app.js").status_code == 404


@pytest.mark.parametrize("language, title", [("en", "Log in"), ("zh", "登录")])
def test_the_browsers_language_comes_first(visit, language, title):
    pages = visit(language=language)
    pages.page.goto("/")
    expect(pages.page.locator("h1")).to_have_text(title)
    assert pages.page.locator("html").get_attribute("lang").startswith(language)
    pages.check_accessibility()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_language_and_theme_are_chosen_and_kept(visit, size):
    pages = visit(scheme="light", size=size).log_in()
    page = pages.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.select_option("#theme", "dark")
    assert page.evaluate(ground) != light
    page.click("#language")
    expect(page.locator("#menu a[aria-current]")).to_have_text("用户分组")
    page.reload()
    expect(page.locator("#menu a[aria-current]")).to_have_text("用户分组")
    assert page.evaluate(ground) != light
    page.click("#language")
    expect(page.locator("#menu a[aria-current]")).to_have_text("User groups")


def test_a_wrong_password_is_said_at_the_form(visit):
    pages = visit()
    pages.expect_error("401")
    page = pages.page
    page.goto("/")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", "wrong horse")
    page.keyboard.press("Enter")
    expect(page.locator(".problem")).to_contain_text("wrong")
    assert page.input_value("[name=username]") == "root"


def test_an_ended_login_loses_nothing_that_was_typed(visit, gateway):
    pages = visit().log_in().go("user-groups")
    pages.expect_error("401")
    page = pages.page
    page.click("#create")
    pages.field("name").fill("half typed")
    pages.context.clear_cookies()
    page.click("dialog[open] button[type=submit]")
    again = page.get_by_role("dialog", name="Log in again")
    again.locator("[name=password]").fill(PASSWORD)
    again.locator("button[type=submit]").click()
    expect(pages.row("half typed")).to_be_visible()
    group, = [g for g in gateway.call("GET", "/user-groups")["items"] if g["name"] == "half typed"]
    gateway.call("DELETE", f"/user-groups/{group['id']}")


def test_a_logged_out_tab_returns_to_where_it_was(visit):
    pages = visit().log_in().go("user-groups")
    pages.expect_error("401")
    pages.context.clear_cookies()
    pages.page.reload()
    expect(pages.page.locator("h1")).to_have_text("Log in")
    pages.page.fill("[name=username]", "root")
    pages.page.fill("[name=password]", PASSWORD)
    pages.page.click("main button[type=submit]")
    expect(pages.page.locator("h1")).to_have_text("User groups")


def test_a_lost_connection_is_shown_and_recovers(chromium, make_gateway):
    gateway = make_gateway()
    with Pages(chromium, gateway) as pages:
        pages.expect_error("ERR_CONNECTION_REFUSED", "Failed to load resource")
        pages.log_in().go("user-groups")
        port = gateway.port
        gateway.stop()
        pages.page.click("#create")
        pages.field("name").fill("typed while away")
        pages.page.click("dialog[open] button[type=submit]")
        expect(pages.page.locator("#lost")).to_be_visible()
        gateway.start(port)
        expect(pages.page.locator("#lost")).to_have_count(0)
        pages.save()
        expect(pages.row("typed while away")).to_be_visible()


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_menu_leads_everywhere_with_the_keyboard(visit, size):
    pages = visit(size=size).log_in(at="/#/nowhere")
    page = pages.page
    if size == PHONE:
        page.get_by_role("button", name="Menu").press("Enter")
    page.locator("#menu a[href='#/user-groups']").press("Enter")
    expect(page.locator("h1")).to_have_text("User groups")
    expect(page.locator("h1")).to_be_focused()
    pages.check_width()
    pages.check_accessibility()
    page.click("#create")
    pages.check_accessibility()
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_markup_in_a_name_is_text(visit, gateway):
    name = "<img src=x onerror=alert(1)>"
    group = gateway.call("POST", "/user-groups", {"name": name})
    pages = visit().log_in().go("user-groups")
    expect(pages.row(name)).to_be_visible()
    assert pages.page.locator("main img").count() == 0
    pages.row(name).get_by_role("button", name="Delete").click()
    pages.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(pages.row(name)).to_have_count(0)
    assert group["id"] not in [g["id"] for g in gateway.call("GET", "/user-groups")["items"]]


def test_a_form_with_changes_is_left_only_after_a_question(visit):
    pages = visit().log_in().go("user-groups")
    page = pages.page
    page.click("#create")
    pages.field("name").fill("not to be lost")
    page.keyboard.press("Escape")
    question = page.get_by_role("dialog", name="Leave the form without saving?")
    question.get_by_role("button", name="Cancel").click()
    expect(pages.field("name")).to_have_value("not to be lost")
    page.keyboard.press("Escape")
    question.get_by_role("button", name="Leave it").click()
    expect(page.locator("dialog")).to_have_count(0)
