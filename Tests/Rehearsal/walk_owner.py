# SPDX-License-Identifier: MIT
"""The owner: from the first start to three departments that share two vendors."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest
from playwright.sync_api import expect

from gateway import FIRST_PASSWORD, Gateway
from owner_pages import Owner, choose_password, curl, from_address, replace_password
from pages import Pages
from process import wait_until
from test_sdk_chat import user
from vendors import KEY, PACE, POEMS, Vendors

OFFICE = "10.20.0.0/16"


@pytest.fixture(scope="module")
def owner(chromium, tmp_path_factory):
    """A gateway that has never been started behind a proxy, its owner's browser, two vendors."""
    config = {"time_zone": "UTC0", "trusted_proxies": "127.0.0.1"}
    gateway = Gateway(tmp_path_factory.mktemp("owner") / "data", config)
    with Vendors() as vendors, gateway:
        print(gateway.log)
        with Pages(chromium, gateway) as pages:
            yield Owner(gateway, vendors, pages)
    assert not vendors.failures, vendors.failures


def step_login(owner, picture):
    """The address of the gateway shows a login page."""
    owner.page.goto("/")
    expect(owner.page.locator("[name=username]")).to_be_visible()
    picture(owner.page)
    print(owner.page.inner_text("body"))


@pytest.mark.needs("login")
def step_first_password(owner, picture):
    """root / 123456 can do nothing but choose another password."""
    page = owner.page
    owner.pages.expect_error("403")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", FIRST_PASSWORD)
    page.click("main button[type=submit]")
    expect(page.locator("[name=new_password]")).to_be_visible()
    picture(page)
    with pytest.raises(Exception, match="password_change_required"):
        owner.gateway.login(FIRST_PASSWORD)
        owner.gateway.call("GET", "/channels")
    replace_password(page, FIRST_PASSWORD)
    picture(page)
    owner.gateway.login()


def step_unknown_key(owner):
    """curl with an unknown key: 401 in OpenAI's shape."""
    status, text = curl(
        owner.gateway.url + "/v1/chat/completions", "-H", "Authorization: Bearer sk-unknown",
        "-H", "Content-Type: application/json",
        "-d", '{"model":"qwen-max","messages":[{"role":"user","content":"Hello"}]}')
    error = json.loads(text)["error"]
    assert status == 401 and set(error) == {"message", "type", "param", "code"}
    assert error["code"] == "invalid_api_key"


@pytest.mark.needs("first_password")
def step_qwen_channel(owner, picture):
    """A channel of type Qwen; the empty address shows the vendor's own; the test button works."""
    owner.open_channel("qwen", name="Qwen")
    expect(owner.pages.field("base_url")).to_have_attribute(
        "placeholder", "https://dashscope.aliyuncs.com/compatible-mode/v1")
    picture(owner.page)
    owner.fill(keys=KEY, model_mapping="qwen-max:qwen-max",
               base_url=owner.vendors.url(path="/qwen/v1"))
    owner.pages.save()
    owner.test_channel("Qwen")
    picture(owner.page)
    owner.page.keyboard.press("Escape")


@pytest.mark.needs("qwen_channel")
def step_first_token(owner, picture):
    """A token by its page, with the key shown once."""
    owner.create("tokens", name="mine")
    owner.keep_token("mine")
    picture(owner.page)


@pytest.mark.needs("first_token")
def step_poem(owner):
    """The official Python SDK gets a poem from qwen-max."""
    answer = owner.ask(owner.keys["mine"])
    print(answer.choices[0].message.content, answer.usage)
    assert answer.choices[0].message.content == POEMS["qwen"]
    assert answer.usage.total_tokens == 100


@pytest.mark.needs("first_token")
def step_poem_streamed(owner):
    """Streamed, it arrives character by character, each when the vendor wrote it."""
    began, pieces = time.monotonic(), []
    for chunk in owner.gateway.sdk(owner.keys["mine"]).chat.completions.create(
            model="qwen-max", messages=user("Write a poem."), stream=True):
        if chunk.choices and chunk.choices[0].delta.content:
            pieces.append((time.monotonic(), chunk.choices[0].delta.content))
            print(f"{(pieces[-1][0] - began) * 1000:6.1f} ms {pieces[-1][1]!r}")
    assert [text for _, text in pieces] == list(POEMS["qwen"])
    late = [here - there for (here, _), there in zip(pieces, owner.vendors.sent_at)]
    print(f"from vendor to client: at most {max(late) * 1000:.1f} ms")
    gaps = sorted(b[0] - a[0] for a, b in zip(pieces, pieces[1:]))
    assert gaps[len(gaps) // 2] > PACE / 2, "the pieces come together"
    assert pieces[-1][0] - pieces[0][0] > PACE * (len(pieces) - 1) * 0.8


@pytest.mark.needs("qwen_channel")
def step_ernie_channel(owner, picture):
    """A second channel of type ERNIE, in ERNIE's own format, under the same public model."""
    address = owner.vendors.url(path="/ernie")
    owner.open_channel("ernie-v1", name="ERNIE", keys="my-ak|my-sk", base_url=address,
                       model_mapping="qwen-max:ERNIE-4.0-8K\nqwen-turbo:ERNIE-4.0-8K",
                       config__exchange_url=address + "/oauth/2.0/token")
    picture(owner.page)
    owner.pages.save()
    owner.test_channel("ERNIE")
    owner.page.keyboard.press("Escape")


@pytest.mark.needs("ernie_channel")
def step_group(owner, picture):
    """A group of both, 90 to 10."""
    owner.make_group("both", "Qwen", "ERNIE")
    card = owner.page.locator("section[data-group='both']")
    for name, weight in (("Qwen", "90"), ("ERNIE", "10")):
        field = card.get_by_label("Weight of " + name)
        field.fill(weight)
        field.press("Enter")
    expect(card.get_by_role("img", name="Qwen 90%, ERNIE 10%")).to_be_visible()
    picture(owner.page)
    owner.create("tokens", name="both")
    owner.pages.field("channel_group").select_option("both")
    owner.keep_token("both")


@pytest.mark.needs("group")
def step_thousand_requests(owner):
    """1,000 requests, 16 at once: 900 to Qwen and 100 to ERNIE, exactly."""
    before = dict(owner.vendors.answered)
    began = time.monotonic()
    with ThreadPoolExecutor(16) as pool:
        texts = list(pool.map(owner.text, [owner.keys["both"]] * 1000))
    counts = {name: texts.count(poem) for name, poem in POEMS.items()}
    print(f"answers after {time.monotonic() - began:.1f} s:", counts)
    assert counts == {"qwen": 900, "ernie": 100}
    assert {name: owner.vendors.answered[name] - before[name] for name in before} == counts


@pytest.mark.needs("ernie_channel")
def step_marketing_token(owner, picture):
    """A token for marketing: from the office, qwen-turbo only, 5,000 tokens a month, 30 days."""
    owner.create("tokens", name="marketing", quota="5000", allowed_ips=OFFICE)
    owner.pages.field("quota_period").select_option("monthly")
    owner.check("qwen-turbo")
    owner.page.get_by_role("button", name="30 days").click()
    picture(owner.page)
    owner.keep_token("marketing")
    row = owner.pages.row("marketing")
    expect(row).to_contain_text("qwen-turbo")
    print(row.inner_text())
    picture(owner.page)
    token, = owner.gateway.call("GET", "/tokens?name=marketing")["items"]
    assert [token[name] for name in ("models", "allowed_ips", "quota", "quota_period")] == [
        ["qwen-turbo"], [OFFICE], 5000, "monthly"]
    assert time.gmtime(token["quota_resets_at"])[2:5] == (1, 0, 0), "not with the next month"
    assert abs(token["expires_at"] - time.time() - 30 * 86400) < 120


@pytest.mark.needs("marketing_token")
def step_marketing_limits(owner, picture):
    """Each of its limits bites, and tells the programmer why."""
    key, office = owner.keys["marketing"], from_address("10.20.30.40")
    owner.refused(openai.PermissionDeniedError, "ip_not_allowed", key, "qwen-turbo",
                  **from_address("10.21.0.1"))
    owner.refused(openai.PermissionDeniedError, "model_not_allowed", key, "qwen-max", **office)
    for number in range(50):
        assert owner.ask(key, "qwen-turbo", **office).usage.total_tokens == 100, number
    owner.refused(openai.RateLimitError, "insufficient_quota", key, "qwen-turbo", **office)
    owner.pages.go("dashboard").go("tokens")
    row = owner.pages.row("marketing")
    expect(row).to_contain_text("used up")
    picture(owner.page)
    print(row.inner_text())
    row.get_by_role("button", name="Edit").click()
    owner.fill(quota="6000", expires_at="2026-01-01T00:00:00")
    owner.pages.save()
    expect(row).to_contain_text("expired")
    owner.refused(openai.AuthenticationError, "token_expired", key, "qwen-turbo", **office)


@pytest.mark.needs("group")
def step_departments(owner, chromium, picture):
    """Three departments with channel groups and ratios of their own; support pays half."""
    owner.make_group("research", "Qwen")
    owner.make_group("support", "ERNIE")
    departments = {"product": ("1", "both"), "research": ("1", "research", "both"),
                   "support": ("0.5", "support")}
    for name, (ratio, *groups) in departments.items():
        owner.make_user_group(name, ratio, *groups)
    picture(owner.page)
    for name in departments:
        password = owner.make_user(f"{name}.lead", name, "1000000")
        owner.keys[name] = choose_password(chromium, owner.gateway, f"{name}.lead", password)
    picture(owner.page)
    assert owner.lines("User") == [1] * 3, "a word is broken in the middle"
    spent = {}
    for name in departments:
        texts = {owner.text(owner.keys[name]) for _ in range(10)}
        found, = owner.gateway.call("GET", f"/users?username={name}.lead")["items"]
        rows = owner.rows(f"user_id={found['id']}&")
        spent[name] = sum(row["quota"] for row in rows)
        print(name, spent[name], [POEMS["qwen"] in texts, POEMS["ernie"] in texts])
        assert texts == {POEMS[each] for each in {
            "product": ("qwen", "ernie"), "research": ("qwen",), "support": ("ernie",)}[name]}
    assert spent == {"product": 1000, "research": 1000, "support": 500}


@pytest.mark.needs("group")
@pytest.mark.parametrize("mood", ["throttled", "silent"])
def step_qwen_in_trouble(owner, picture, mood):
    """Qwen is throttled, then silent, under load: nobody waits for more than 1.2 s."""
    owner.pages.go("channels")
    owner.pages.row("Qwen").get_by_role("button", name="Edit").click()
    owner.page.locator("dialog summary").click()
    owner.fill(first_byte_timeout_ms="800")
    owner.pages.save()
    vendors = owner.vendors

    def ask(number):
        if number == 200:
            vendors.moods["qwen"] = mood
        began = time.monotonic()
        answer = owner.post(owner.keys["both"])
        return time.monotonic() - began, answer
    try:
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(ask, range(600)))
    finally:
        vendors.moods["qwen"] = "well"
    slowest = max(seconds for seconds, _ in answers)
    retried = [answer for _, answer in answers if answer.headers["x-tinygateway-attempts"] != "1"]
    print(f"slowest: {slowest * 1000:.0f} ms; asked a second channel: {len(retried)} of 600")
    assert {answer.status_code for _, answer in answers} == {200}
    assert retried and slowest < 1.2
    owner.pages.go("dashboard").go("channels")
    expect(owner.pages.row("ERNIE")).to_contain_text("100%")
    picture(owner.page)
    print(owner.pages.row("Qwen").inner_text())
    began, before = time.monotonic(), vendors.answered["qwen"]
    wait_until(lambda: ask(0) and vendors.answered["qwen"] > before, 30, "Qwen's return")
    print(f"Qwen is asked again after {time.monotonic() - began:.1f} s")


@pytest.mark.needs("qwen_in_trouble[silent]")
def step_charts(owner, picture):
    """The charts show it, and say in words what the API says in numbers."""
    owner.pages.go("dashboard")
    stats = owner.gateway.call("GET", "/channels/stats?window=1h&series=1")["items"]
    owner.check_chart("Success rate", "success_rate", stats)
    owner.check_chart("Error rate", "error_rate", stats)
    picture(owner.page)
    for item in stats:
        print(item["name"], item["requests"], item["success_rate"], item["errors_by_kind"])
    qwen = next(item for item in stats if item["name"] == "Qwen")
    assert qwen["errors_by_kind"]["rate_limited"] and qwen["errors_by_kind"]["timeout"]
    assert any(bucket["error_rate"] for bucket in qwen["series"]), "the chart is flat"


@pytest.mark.parametrize("kind, words", [
    ("rate_limited", "Qwen: The upstream refused: too many requests."),
    ("timeout", "Qwen: The upstream took too long.")], ids=["throttled", "silent"])
@pytest.mark.needs("qwen_in_trouble[throttled]", "qwen_in_trouble[silent]")
def step_log(owner, picture, kind, words):
    """The log explains a request that was tried again: what failed, where, and who answered."""
    row = next(row for row in owner.rows() if row["first_error_kind"] == kind)
    print(json.dumps(row, indent=1))
    assert (row["status"], row["attempts"], row["channel_name"]) == (200, 2, "ERNIE")
    owner.pages.go("logs?request_id=" + row["request_id"])
    owner.page.locator(".feed tbody tr").get_by_role("button").click()
    dialog = owner.page.locator("dialog[open]")
    picture(owner.page)
    for name, value in (("Failed at first", words), ("Attempts", "2"), ("Channel", "ERNIE")):
        expect(dialog.locator("dt", has_text=name).locator("+ dd")).to_contain_text(value)
    owner.page.keyboard.press("Escape")
