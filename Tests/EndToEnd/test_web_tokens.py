# SPDX-License-Identifier: MIT
"""The page of tokens: made by an owner in a browser, used by programs."""

import contextlib
import io
import json
import subprocess
import time

import openai
import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, create
from looks import check
from pages import DESKTOP, PHONE, Pages, held
from process import next_number

pytestmark = pytest.mark.native


@pytest.fixture
def tokens(gateway):
    """Names for tokens; those that were made are deleted at the end."""
    made = []

    def name():
        made.append(f"made in a browser {next_number()}")
        return made[-1]

    yield name
    for token in gateway.items("/tokens"):
        if any(token["name"].startswith(each) for each in made):
            gateway.call("DELETE", f"/tokens/{token['id']}")


def find(gateway, name):
    """The token of this name."""
    token, = [each for each in gateway.items("/tokens") if each["name"] == name]
    return token


def kept_key(pages):
    """The key that is shown once."""
    return pages.page.locator("pre.secret").inner_text()


def close_key(pages):
    """Says that the key is kept."""
    pages.page.get_by_role("button", name="I have kept it").click()
    expect(pages.page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_token_for_one_model_works_with_the_sdk(visit, gateway, upstream, tokens, size):
    served = gateway.route(upstream, "echo")
    other = gateway.route(upstream, "echo")
    name = tokens()
    pages = visit(size=size).log_in(at="/#/tokens")
    page = pages.page
    page.click("#create")
    pages.field("name").fill(name)
    search = page.get_by_role("searchbox", name="Search in Models")
    search.fill(served.unique)
    page.get_by_role("checkbox", name=served.model, exact=True).check()
    page.get_by_role("button", name="30 days").click()
    pages.field("quota").fill("500000")
    expect(page.get_by_label("Quota in units in USD")).to_have_value("1")
    page.get_by_label("Quota in units in USD").fill("2,5")
    expect(pages.field("quota")).to_have_value("1250000")
    pages.field("quota_period").select_option("monthly")
    pages.field("allowed_ips").fill("127.0.0.0/8\n2001:db8::/32")
    pages.field("rpm").fill("60")
    check(pages)
    page.click("dialog[open] button[type=submit]")
    key = kept_key(pages)
    check(pages)
    close_key(pages)
    expect(pages.row(name)).to_contain_text(served.model)
    expect(pages.row(name)).to_contain_text("$2.50")
    pages.check_width()

    token = find(gateway, name)
    assert abs(token["expires_at"] - time.time() - 30 * 86400) < 120
    assert (token["quota"], token["quota_period"], token["rpm"], token["tpm"]) == (
        1250000, "monthly", 60, None)
    assert (token["models"], token["allowed_ips"]) == (
        [served.model], ["127.0.0.0/8", "2001:db8::/32"])
    sdk = gateway.sdk(key)
    message = [{"role": "user", "content": "Hello"}]
    assert sdk.chat.completions.create(model=served.model, messages=message).choices
    with pytest.raises(openai.PermissionDeniedError):
        sdk.chat.completions.create(model=other.model, messages=message)


def test_the_ready_made_programs_work(visit, gateway, upstream, tokens):
    route = gateway.route(upstream, "echo")
    name = tokens()
    pages = visit().log_in(at="/#/tokens")
    page = pages.page
    page.click("#create")
    pages.field("name").fill(name)
    page.get_by_role("searchbox", name="Search in Models").fill(route.model)
    page.keyboard.press("Enter")
    page.click("dialog[open] button[type=submit]")
    key = kept_key(pages)
    pages.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").first.click()
    expect(page.locator(".notice")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == key
    choice = page.get_by_label("Ready-made for")
    choice.select_option("Python (openai)")
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(page.get_by_label("Python (openai)", exact=True).inner_text(), {})
    assert output.getvalue().strip()
    choice.select_option("curl")
    curl = page.get_by_label("curl", exact=True).inner_text()
    run = subprocess.run(["sh", "-c", curl + " --noproxy '*' -sS"], capture_output=True, timeout=30)
    assert json.loads(run.stdout)["choices"], run.stderr
    for client, address in (("Claude Code", f"ANTHROPIC_BASE_URL='{gateway.url}'"),
                            ("Gemini CLI", f"GOOGLE_GEMINI_BASE_URL='{gateway.url}'"),
                            ("Open WebUI", f"{gateway.url}/v1"),
                            ("Cherry Studio", gateway.url)):
        choice.select_option(client)
        expect(page.locator("dialog[open]")).to_contain_text(address)
    page.keyboard.press("Escape")
    page.get_by_role("dialog", name="It is not shown again. Close?").get_by_role(
        "button", name="Cancel").click()
    assert kept_key(pages) == key
    close_key(pages)
    pages.row(name).get_by_role("button", name="Connect").click()
    expect(page.locator("dialog[open]")).to_contain_text(find(gateway, name)["key_hint"])
    expect(page.locator("dialog[open]")).not_to_contain_text(key)


@pytest.mark.parametrize("text, sentence", [
    ("10.0.0.0/8\n\n10.0.0.300", "Line 3: 10.0.0.300 is no IPv4 or IPv6 address."),
    ("10.0.0.0/33", "Line 1: after / must stand 0 to 32"),
    ("2001:db8::/129", "Line 1: after / must stand 0 to 128"),
    ("::1\n::ffff:10.0.0.0/64", "Line 2: after / must stand 96 to 128"),
    ("2001:db8:::1", "Line 1: 2001:db8:::1 is no IPv4"),
    ("example.org", "Line 1: example.org is no IPv4"),
])
def test_addresses_are_checked_as_one_types(form, gateway, text, sentence):
    box = form.field("allowed_ips")
    box.fill(text)
    expect(form.page.locator("[data-field=allowed_ips] .problem")).to_contain_text(sentence)
    assert gateway.request("POST", "/tokens", json={
        "name": "refused", "allowed_ips": text.split()}).status_code == 400
    box.fill("10.0.0.1\n2001:DB8::1\n::ffff:10.0.0.0/104\n0.0.0.0/0\n::/0")
    expect(form.page.locator("[data-field=allowed_ips] .problem")).to_have_count(0)


@pytest.fixture(scope="module")
def form(chromium, gateway):
    """The form of a new token."""
    with Pages(chromium, gateway) as pages:
        pages.log_in(at="/#/tokens")
        pages.page.click("#create")
        yield pages


def test_what_is_typed_but_not_chosen_does_not_mean_all_models(visit, gateway, tokens):
    name = tokens()
    pages = visit().log_in(at="/#/tokens")
    page = pages.page
    page.click("#create")
    pages.field("name").fill(name)
    page.get_by_role("searchbox", name="Search in Models").fill("a-model-to-come")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("[data-field=models] .problem")).to_contain_text("nothing is chosen yet")
    page.get_by_role("button", name="Add a-model-to-come").click()
    page.click("dialog[open] button[type=submit]")
    close_key(pages)
    assert find(gateway, name)["models"] == ["a-model-to-come"]


def test_the_models_to_choose_are_those_of_the_channel_group(visit, gateway, upstream):
    group = gateway.call("POST", "/channel-groups", {"name": f"web {next_number()}"})
    inside = gateway.route(upstream, "echo", groups=[group["name"]])
    outside = gateway.route(upstream, "echo")
    pages = visit().log_in(at="/#/tokens")
    page = pages.page
    page.click("#create")
    expect(page.get_by_role("checkbox", name=outside.model, exact=True)).to_have_count(1)
    pages.field("channel_group").select_option(group["name"])
    expect(page.locator("[data-field=models] .options")).to_have_text(inside.model)
    page.get_by_role("checkbox", name=inside.model, exact=True).check()
    pages.field("channel_group").select_option("")
    expect(page.get_by_role("checkbox", name=outside.model, exact=True)).to_have_count(1)
    expect(page.get_by_role("checkbox", name=inside.model)).to_be_checked()
    expect(page.locator("[data-field=models] .options")).to_contain_text("not served now")
    gateway.call("DELETE", f"/channels/{inside.channel['id']}")
    gateway.call("DELETE", f"/channel-groups/{group['id']}")


def test_tokens_are_changed_switched_off_and_deleted(visit, gateway, tokens):
    name = tokens()
    token = gateway.token(name=name, models=["<b>bold</b>"[3:7]], quota=1000)
    copy = name + " (copy)"
    pages = visit().log_in(at=f"/#/tokens?name={name.replace(' ', '+')}")
    page, row = pages.page, pages.row(name)
    row.get_by_role("button", name="Edit").click()
    pages.field("quota").fill("")
    pages.field("name").fill(name + " <img src=x>")
    pages.save()
    expect(row).to_contain_text("<img src=x>")
    assert page.locator("main img").count() == 0
    after = gateway.call("GET", f"/tokens/{token['id']}")
    assert (after["quota"], after["models"]) == (None, ["bold"])
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    assert gateway.call("GET", f"/tokens/{token['id']}")["status"] == "disabled"
    row.get_by_role("button", name="Duplicate").click()
    pages.field("name").fill(copy)
    page.click("dialog[open] button[type=submit]")
    close_key(pages)
    assert find(gateway, copy)["models"] == ["bold"]
    expect(pages.row(copy)).to_be_visible()
    page.get_by_role("checkbox", name="Choose all").check()
    page.get_by_role("group", name="Chosen rows").get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete 2 entries").get_by_role("button", name="Delete").click()
    expect(page.locator(".empty")).to_be_visible()


def test_several_tokens_are_made_without_waiting_for_the_list(visit, gateway, tokens):
    pages = visit().log_in(at="/#/tokens")
    page = pages.page
    names = [tokens(), tokens()]
    with held(page, "/api/v1/tokens?*"):
        for name in names:
            page.click("#create")
            pages.field("name").fill(name)
            pages.field("rpm").fill("1")
            page.click("dialog[open] button[type=submit]")
            close_key(pages)
    for name in names:
        expect(pages.row(name)).to_contain_text("1 request a minute")


def test_a_user_chooses_among_the_own_channel_groups(visit, gateway):
    made = [gateway.call("POST", "/channel-groups", {"name": name}) for name in ("vip", "gold")]
    staff = gateway.call("POST", "/user-groups", {
        "name": "staff", "channel_groups": ["vip", "default"]})
    user = create(gateway, group="staff")
    pages = visit().log_in(user["username"], USER_PASSWORD, at="/#/tokens")
    pages.page.click("#create")
    pages.field("name").fill("mine")
    group = pages.field("channel_group")
    expect(group.locator("option")).to_have_text(["as the user group says", "vip", "default"])
    group.select_option("vip")
    pages.page.click("dialog[open] button[type=submit]")
    close_key(pages)
    gateway.call("PUT", f"/user-groups/{staff['id']}", {"channel_groups": ["default"]})
    pages.page.reload()
    # What is bound to a group that was taken away stays so until another one is chosen.
    pages.expect_error("403")
    pages.row("mine").get_by_role("button", name="Edit").click()
    expect(group).to_have_value("vip")
    group.select_option("default")
    with pages.page.expect_response("**/api/v1/tokens?*"):
        pages.save()
    token, = gateway.items("/tokens", f"user_id={user['id']}&")
    assert token["channel_group"] == "default"
    gateway.call("DELETE", f"/users/{user['id']}")
    gateway.call("DELETE", f"/user-groups/{staff['id']}")
    for each in made:
        gateway.call("DELETE", f"/channel-groups/{each['id']}")


def test_an_administrator_makes_a_token_for_a_user(visit, gateway):
    user = create(gateway)
    name = f"for somebody {next_number()}"
    pages = visit().log_in(at="/#/tokens")
    page = pages.page
    page.click("#create")
    pages.field("name").fill(name)
    pages.field("user_id").select_option(label=user["username"])
    page.click("dialog[open] button[type=submit]")
    close_key(pages)
    assert find(gateway, name)["user_id"] == user["id"]
    page.locator("#page [name=user_id]").select_option(label=user["username"])
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(pages.row(name)).to_contain_text(user["username"])
    gateway.call("DELETE", f"/users/{user['id']}")


def test_a_plain_user_sees_only_the_own_tokens(visit, gateway):
    user = create(gateway, quota=1000000)
    gateway.token(name=f"of user {user['id']}", user_id=user["id"], expires_at=1)
    pages = visit(language="zh").log_in(user["username"], USER_PASSWORD, at="/#/tokens")
    page = pages.page
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(pages.row(f"of user {user['id']}")).to_contain_text("已过期")
    check(pages)
    page.click("#create")
    expect(page.locator("dialog[open] [name=user_id]")).to_have_count(0)
    check(pages)
    gateway.call("DELETE", f"/users/{user['id']}")
