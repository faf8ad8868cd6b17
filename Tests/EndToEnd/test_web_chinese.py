# SPDX-License-Identifier: MIT
"""Chinese pages: what the management API says is Chinese too, however it was put together."""

import re

import pytest
from playwright.sync_api import expect

from looks import check
from pages import PHONE
from process import free_port, next_number

pytestmark = pytest.mark.native

# Three words of small letters in a row.
ENGLISH = re.compile(r"\b[A-Za-z']{2,} [a-z']{2,} [a-z']{2,}")
IMPORT = "(await import(document.querySelector('link[rel=modulepreload]').href))"
SENTENCES = {
    # As a whole, with full stop and without, in any case of the first letter.
    "This does not exist.": "该对象不存在。",
    "The disk that holds the database is full: free some space; nothing was changed.":
        "数据库所在磁盘已满，请释放空间；未作任何更改。",
    # Values in between; a field's name first.
    "port 3000 is in use by another program": "端口 3000 被其他程序占用",
    "name must have 1 to 128 bytes and no control characters.":
        "name 须为 1 至 128 字节，且不含控制字符。",
    "Too many wrong passwords: try again in 5 s.": "密码错误次数过多，请在 5 秒后重试。",
    # Parts behind each other, and parts within parts.
    "the clock is plausible; there is no clock chip; that of an upstream is 35 minutes ahead":
        "时钟正常；没有时钟芯片；某上游的时钟快 35 分钟",
    "/data lies on ext4, eMMC, which is read-only": "/data 位于 ext4，介质：eMMC，只读",
    "home (nas:11434) is not reached: Connection refused; it is woken when it is needed":
        "home (nas:11434) 不可达：连接被拒绝；需要时会唤醒",
    "All its keys are set aside: the vendor rejects the key (401). Next try in 5 s.":
        "所有密钥已停用：厂商拒绝此密钥（401）。5 秒后再试。",
    'The group "a" is used by user 3 "x", token 4 "y" and 2 more: give them another group first.':
        '分组 "a" 正被用户 3 "x"，令牌 4 "y" 等另外 2 项使用，请先为其更换分组。',
    'prices entry 3 ("a"): prompt must be true or false.':
        '第 3 条价格（"a"）：prompt 须为 true 或 false。',
    # A vendor's own words stay, alone or behind ours.
    "Incorrect API key. See the list. Bye.": "Incorrect API key. See the list. Bye.",
    "No balance: the upstream refuses the key (401): Incorrect key":
        "无法获取余额：上游拒绝此密钥（401）：Incorrect key",
    # What looks like part of an expression, or like a place for a value.
    "the name (.+)[ was not found: {1}; check base_url and the DNS server":
        "找不到域名 (.+)[：{1}；请检查接口地址和 DNS 服务器",
    "": "", ".": ".", "...": "...",
}


def test_sentences_are_found_by_the_places_of_their_values(visit):
    page = visit(language="zh").log_in().page
    said = page.evaluate(
        f"async (texts) => {{ const said = {IMPORT}.said; "
        "return texts.map((text) => said(text)) }", list(SENTENCES))
    assert dict(zip(SENTENCES, said)) == SENTENCES


def test_what_nobody_translated_is_marked_as_english(visit):
    page = visit(language="zh").log_in().page
    languages = page.evaluate(
        f"async (texts) => {{ const told = {IMPORT}.told; "
        "return texts.map((text) => told(text).lang) }",
        ["This does not exist.", "Incorrect API key.", "gpt-4o", "Linux 6.1.0"])
    assert languages == ["", "en", "", ""]


@pytest.mark.parametrize("browser, language, title", [
    ("zh-TW", "zh-CN", "登录"), ("zh-HK", "zh-CN", "登录"), ("zh-Hant-TW", "zh-CN", "登录"),
    ("fr-FR", "en", "Log in"), ("zu-ZA", "en", "Log in")])
def test_the_browser_says_which_language(visit, browser, language, title):
    page = visit(language=browser).page
    page.goto("/")
    expect(page.locator("h1")).to_have_text(title)
    assert page.evaluate("document.documentElement.lang") == language
    other = page.locator("#language")
    assert other.get_attribute("lang") == ("en" if language == "zh-CN" else "zh-CN")


def test_the_doctor_speaks_chinese(visit, gateway):
    name = f"ollama{next_number()}"
    channel = gateway.call("POST", "/channels", {
        "name": name, "type": "ollama", "base_url": f"http://127.0.0.1:{free_port()}"})
    pages = visit(size=PHONE, language="zh").log_in(at="/#/about")
    page = pages.page
    page.click("#check")
    finding = page.locator("[data-finding=channel]", has_text=name)
    expect(finding).to_contain_text("不可达：连接被拒绝", timeout=30_000)
    for text in page.locator("[data-finding]").all_inner_texts():
        assert not ENGLISH.search(text.replace(name, "")), text
    assert page.locator("[data-finding] [lang=en]").count() == 0
    check(pages)
    gateway.call("DELETE", f"/channels/{channel['id']}")


def test_a_wrong_field_is_explained_in_chinese(visit, gateway):
    pages = visit(size=PHONE, language="zh").log_in(at="/#/users")
    pages.expect_error("400", "409")
    page = pages.page
    page.click("#create")
    pages.field("username").fill("web-chinese")
    pages.field("password").fill("web-chinese")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("[data-field=password] .problem")).to_have_text(
        "密码：不能与用户名相同。")
    pages.field("username").fill("root")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("dialog[open] p.problem")).to_have_text(
        '用户名 "root" 已被使用，请换一个。')
