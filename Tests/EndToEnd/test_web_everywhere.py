# SPDX-License-Identifier: MIT
"""What holds on every page: width, text from people, focus, notices, language, connection."""

import re

import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, create
from pages import DESKTOP, PHONE, Pages
from process import next_number
from test_sdk_chat import user
from test_web_chinese import ENGLISH

pytestmark = pytest.mark.native
MARKUP = "<img src=x onerror=alert(1)>&amp;<b>ein-Wort-ohne-Luecke-und-En"
# The background of one colour, and the text of another one, as numbers from 0 to 255.
COLOURS = """([ground, text]) => {
  const probe = document.body.appendChild(document.createElement("p"));
  probe.style.cssText = `background: var(${ground}); color: var(${text})`;
  const { backgroundColor, color } = getComputedStyle(probe);
  probe.remove();
  return [backgroundColor, color].map((each) => each.match(/\\d+/g).slice(0, 3).map(Number));
}"""


@pytest.fixture
def crowded(make_gateway, upstream):
    """A gateway where people gave markup without a gap as every name that may be chosen freely."""
    gateway = make_gateway(retry_interval_ms=10)
    call = gateway.call
    call("POST", "/channel-groups", {"name": MARKUP})
    call("POST", "/user-groups", {"name": MARKUP, "channel_groups": [MARKUP, "default"]})
    call("POST", "/users", {"username": MARKUP, "password": USER_PASSWORD, "quota": 5,
                            "group": MARKUP})
    good = gateway.route(upstream, "echo", name=MARKUP, headers={"X-Note": MARKUP},
                         groups=["default", MARKUP])
    bad = gateway.route(upstream, "status:500", name="bad " + MARKUP)
    token = call("POST", "/tokens", {"name": MARKUP, "models": [good.model]})
    call("POST", "/tokens", {"name": "playground"})
    call("POST", "/auth/tokens", {"name": MARKUP})
    call("POST", "/redemptions", {"name": MARKUP, "quota": 5, "count": 1})
    call("POST", "/prices", {"model": "a-model-" * 12, "prompt": "1"})
    gateway.sdk(token["key"]).chat.completions.create(model=good.model, messages=user("hi"))
    with pytest.raises(Exception, match="500|502"):
        gateway.sdk().chat.completions.create(model=bad.model, messages=user("hi"))
    return gateway


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_page_fits_a_phone_and_shows_text(chromium, crowded, language):
    with Pages(chromium, crowded, size=PHONE, language=language) as pages:
        page = pages.log_in(at="/").page
        links = page.locator("#menu a").evaluate_all("all => all.map((each) => each.hash)")
        assert len(links) == 14
        seen = 0
        for name in [*(link.removeprefix("#/") for link in links), "logs?tab=audit"]:
            pages.go(name)
            page.wait_for_load_state("networkidle")
            text = page.locator("main").inner_text()
            seen += MARKUP in text
            pages.check_width()
            if language == "zh":
                told = [line for line in text.split("\n") if "Luecke" not in line]
                assert not ENGLISH.search("\n".join(told)), (name, ENGLISH.search("\n".join(told)))
            if page.locator("#create").count():
                page.locator("#create").click()
                dialog = page.locator("dialog[open]")
                for fold in dialog.locator("summary").all():
                    fold.click()
                assert dialog.evaluate("(each) => each.scrollWidth <= each.clientWidth"), name
                page.keyboard.press("Escape")
                expect(dialog).to_have_count(0)
            assert page.locator("[src=x], [onerror], main b:has(b)").count() == 0, name
        # Dashboard, tokens, log, audit, channels, both kinds of groups, users, codes, account.
        assert seen >= 9


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_have_the_contrast_of_aa(visit, theme):
    page = visit(scheme=theme).page
    page.goto("/")
    expect(page.locator("h1")).to_be_visible()
    # The policy forbids no style that a script sets.
    pairs = [(ground, text, 4.5) for ground in ("--paper", "--ground")
             for text in ("--ink", "--faint", "--accent", "--good", "--warn", "--bad")]
    pairs += [("--accent", "--on-accent", 4.5), ("--bad", "--on-bad", 4.5),
              ("--ink", "--ground", 4.5)]
    pairs += [("--paper", f"--series-{number}", 3) for number in range(1, 7)]
    pairs += [(f"--series-{number}", "--on-accent", 4.5) for number in range(1, 7)]
    for ground, text, least in pairs:
        one, other = map(luminance, page.evaluate(COLOURS, [ground, text]))
        contrast = (max(one, other) + 0.05) / (min(one, other) + 0.05)
        assert contrast >= least, f"{text} on {ground} has {contrast:.2f}"


def luminance(colour):
    """The relative luminance of WCAG 2.2."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                        for part in (each / 255 for each in colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_the_focus_stays_where_somebody_worked(visit, gateway):
    names = [f"focus {next_number()}" for _ in range(3)]
    for name in names:
        gateway.token(name=name)
    pages = visit().log_in(at="/#/tokens?name=focus")
    page = pages.page

    def press(row, button):
        pages.row(row).get_by_role("button", name=button, exact=True).press("Enter")
    press(names[0], "Disable")
    expect(pages.row(names[0]).get_by_role("button", name="Enable")).to_be_focused()
    press(names[0], "Edit")
    pages.field("rpm").fill("7")
    pages.field("rpm").press("Enter")
    expect(pages.row(names[0])).to_contain_text("7 requests a minute")
    expect(pages.row(names[0]).get_by_role("button", name="Edit")).to_be_focused()
    # After a row that goes, its place has the next one; after the last, the one before it; when
    # there is none any more, one is at the page's heading.
    for name, then in ((names[0], names[1]), (names[2], names[1]), (names[1], None)):
        press(name, "Delete")
        page.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
        expect(pages.row(name)).to_have_count(0)
        expect(page.locator("h1") if then is None else
               pages.row(then).get_by_role("button", name="Delete")).to_be_focused()
    pages.go("settings")
    change = page.get_by_role("button", name="Change: New users")
    change.press("Enter")
    pages.field("new_user_quota").fill("5")
    pages.save()
    expect(change).to_be_focused()
    gateway.call("PUT", "/options", {"new_user_quota": 0})
    # Whoever leaves a form for another page is at that page's heading.
    change.press("Enter")
    page.evaluate("location.hash = '#/account'")
    expect(page.locator("h1")).to_have_text("My account")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator("h1")).to_be_focused()


def test_a_notice_is_seen_and_read_within_a_dialog(visit, gateway):
    token = gateway.token(name=f"copied {next_number()}")
    pages = visit().log_in(at="/#/tokens")
    page = pages.page
    # As in a browser that came without HTTPS.
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    pages.row(token["name"]).get_by_role("button", name="Connect").click()
    dialog = page.locator("dialog[open]")
    copy = dialog.get_by_role("button", name="Copy").first
    copy.press("Enter")
    notice = dialog.locator("[aria-live] > .notice")
    expect(notice).to_have_text("Copied.")
    expect(copy).to_be_focused()
    assert notice.evaluate("""(each) => {
      const { left, top } = each.getBoundingClientRect();
      return document.elementFromPoint(left + 4, top + 4) === each;
    }""")
    pages.check_accessibility()
    text = dialog.locator("pre").inner_text()
    # What is said just before a dialog closes is still seen.
    page.keyboard.press("Escape")
    expect(page.locator("#notices .notice")).to_have_text("Copied.")
    pages.go("tokens?x")
    page.click("#create")
    pages.field("allowed_ips").press("Control+V")
    assert pages.field("allowed_ips").input_value() == text
    gateway.call("DELETE", f"/tokens/{token['id']}")


def test_nothing_typed_is_lost_when_the_language_changes(visit, gateway, upstream):
    route = gateway.route(upstream, "echo")
    token = gateway.token(name="playground")
    pages = visit()
    page = pages.page
    page.goto("/")
    page.fill("[name=username]", "root")
    page.click("#language")
    expect(page.locator("h1")).to_have_text("登录")
    expect(page.locator("[name=username]")).to_have_value("root")
    expect(page.locator("#language")).to_be_focused()
    pages.log_in(at="/#/playground")
    page.fill("[name=model]", route.model)
    page.press("[name=model]", "Enter")
    page.fill("#draft", "said before")
    page.press("#draft", "Enter")
    expect(page.locator(".turn.assistant")).not_to_have_attribute("aria-busy", "true")
    page.fill("#draft", "half typed")
    page.click("#language")
    expect(page.locator("h1")).to_have_text("Playground")
    assert page.locator("html").get_attribute("lang") == "en"
    expect(page.locator("#draft")).to_have_value("half typed")
    expect(page.locator(".turn.user")).to_contain_text("said before")
    pages.go("account")
    page.fill("[name=old_password]", "half typed")
    page.click("#language")
    expect(page.locator("h1")).to_have_text("我的账户")
    expect(page.locator("[name=old_password]")).to_have_value("half typed")
    page.reload()
    expect(page.locator("h1")).to_have_text("我的账户")
    # What stands in rows is not typed there: they may be others the next time.
    pages.go("channels")
    page.locator("td.choice input").first.check()
    expect(page.locator(".bulk")).to_contain_text("1")
    page.click("#language")
    expect(page.locator("h1")).to_have_text("Channels")
    expect(page.locator("td.choice input").first).not_to_be_checked()
    pages.go("logs")
    page.check("#live")
    page.click("#language")
    expect(page.locator("#live")).to_be_checked()
    gateway.call("DELETE", f"/tokens/{token['id']}")
    gateway.call("DELETE", f"/channels/{route.channel['id']}")


def test_what_a_lost_connection_kept_away_comes_by_itself(chromium, make_gateway):
    gateway = make_gateway()
    with Pages(chromium, gateway) as pages:
        pages.expect_error("ERR_CONNECTION_REFUSED", "Failed to load resource")
        page = pages.log_in(at="/#/user-groups").page
        port = gateway.port

        def away(act, shown):
            gateway.stop()
            act()
            expect(page.locator("#page .problem")).to_have_text("The gateway cannot be reached.")
            expect(page.locator("#lost")).to_be_visible()
            gateway.start(port)
            expect(page.locator("#lost")).to_have_count(0)
            expect(page.locator(shown)).to_be_visible()
            expect(page.locator("#page .problem")).to_have_count(0)
        # A page that was not there yet, and a list that is read again.
        away(lambda: page.evaluate("location.hash = '#/tokens'"), "#page [name=name]")
        away(lambda: page.fill("#page [name=name]", "nobody"), ".empty")
        expect(page.locator("#page [name=name]")).to_have_value("nobody")


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_user_sees_the_own_pages_and_no_other(visit, gateway, size):
    account = create(gateway)
    pages = visit(size=size).log_in(account["username"], USER_PASSWORD, at="/#/dashboard")
    page = pages.page
    expect(page.locator("#menu a")).to_have_text(
        ["Dashboard", "Playground", "Tokens", "Logs", "My account"])
    for name in ("channels", "settings", "backup", "about"):
        page.evaluate("(name) => { location.hash = '#/' + name }", name)
        expect(page.locator("#page .problem")).to_have_text("Your account may not see this page.")
        assert not [url for url in pages.requests if re.search(f"/{name}\\.js|/api/v1/{name}", url)]
    pages.go("account")
    expect(page.get_by_label("Redemption code")).to_be_visible()
    gateway.call("DELETE", f"/users/{account['id']}")
