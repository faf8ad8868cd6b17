# SPDX-License-Identifier: MIT
"""What an owner does in the pages, in one line each."""

import json
import re
import subprocess
from decimal import ROUND_HALF_UP, Decimal

import pytest
from playwright.sync_api import expect

from gateway import PASSWORD
from pages import Pages
from process import wait_until
from test_sdk_chat import user
from test_web_dashboard import chart
from test_web_tokens import close_key, kept_key


def curl(*arguments):
    """What curl prints, and the status."""
    done = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "-w", "\n%{http_code}", *arguments],
        capture_output=True, text=True, timeout=20, check=True)
    print("$ curl", *arguments, "\n" + done.stdout)
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


class Owner:
    """Somebody at the pages of a gateway."""

    def __init__(self, gateway, vendors, pages):
        self.gateway, self.vendors, self.pages = gateway, vendors, pages
        self.page = pages.page
        self.keys = {}                  # of tokens, by their names

    def fill(self, **values):
        """Fields of the form that is open, by the API's names; `__` stands for a dot."""
        for name, value in values.items():
            self.pages.field(name.replace("__", ".")).fill(value)

    def check(self, name, group=None):
        """A box of the form that is open, within a group of boxes."""
        scope = self.page if group is None else self.page.get_by_role("group", name=group)
        scope.get_by_role("checkbox", name=name, exact=True).check()

    def create(self, page, **values):
        """Opens the form of something new, and fills it in."""
        self.pages.go(page)
        self.page.click("#create:not([aria-busy=true])")
        self.fill(**values)

    def open_channel(self, kind, **values):
        """The form of a new channel of a type, filled in."""
        self.create("channels", type=kind)
        self.pages.field("type").press("Enter")
        self.fill(**values)

    def test_channel(self, name):
        """Presses the test button of a channel; its words, which must be good ones."""
        self.pages.row(name).get_by_role("button", name="Test").click()
        dialog = self.page.get_by_role("dialog", name="Test " + name)
        status = dialog.get_by_role("status")
        expect(status).to_contain_text("It works")
        print(status.inner_text())
        return dialog

    def keep_token(self, name):
        """Sends the form of a new token, and keeps the key that is shown once."""
        self.page.click("dialog[open] button[type=submit]")
        self.keys[name] = kept_key(self.pages)
        close_key(self.pages)

    def make_group(self, name, *channels):
        """A channel group of some channels."""
        self.create("channel-groups", name=name)
        for channel in channels:
            self.check(channel, "Members")
        self.pages.save()

    def make_user_group(self, name, ratio, *groups):
        """A user group that may use only some channel groups."""
        self.create("user-groups", name=name, ratio=ratio)
        self.page.get_by_role("checkbox", name="default", exact=True).uncheck()
        for group in groups:
            self.check(group)
        self.pages.save()

    def make_user(self, name, group, quota):
        """An account; the password that is to be handed out."""
        self.create("users", username=name, quota=quota)
        self.pages.field("group").select_option(group)
        self.page.click("dialog[open] button[type=submit]")
        text = self.page.locator("pre.secret").inner_text()
        self.page.get_by_role("button", name="I have kept it").click()
        expect(self.page.locator("dialog[open]")).to_have_count(0)
        return re.search("Password: (.*)", text).group(1)

    def lines(self, text):
        """On how many lines the cells of a table with this text show it."""
        return self.page.get_by_role("cell", name=text, exact=True).evaluate_all("""all =>
          all.map((cell) => {
            const range = document.createRange();
            range.selectNodeContents(cell);
            return range.getClientRects().length;
          })""")

    def check_chart(self, caption, key, stats):
        """A chart's words are the figures of the API."""
        text = chart(self.page, caption).get_by_role("img").get_attribute("aria-label")
        print(text)
        for item in stats:
            values = [bucket[key] for bucket in item["series"] if bucket[key] is not None]
            last, least, most = (share(v) for v in (values[-1], min(values), max(values)))
            assert f"{item['name']}: last {last}, lowest {least}, highest {most}" in text

    # Asking

    def ask(self, key, model="qwen-max", **more):
        """The official SDK asks; the answer."""
        return self.gateway.sdk(key, **more).chat.completions.create(
            model=model, messages=user("Write a poem."))

    def post(self, key):
        """The same without an SDK; the answer as it is."""
        body = json.dumps({"model": "qwen-max", "messages": user("Write a poem.")})
        return self.gateway.post("/v1/chat/completions", body, key)

    def text(self, key):
        """The text of such an answer."""
        return self.post(key).json()["choices"][0]["message"]["content"]

    def refused(self, error, code, key, model="qwen-max", **more):
        """The same, which must be refused with the SDK's class and a code."""
        with pytest.raises(error) as caught:
            self.ask(key, model, **more)
        print(f"{caught.value.status_code} {caught.value.code}: {caught.value.body['message']}")
        assert caught.value.code == code

    def rows(self, query=""):
        """All rows of the log, also those that are not written yet."""
        return wait_until(lambda: self.gateway.items("/logs", query), what="rows of the log")


def replace_password(page, old):
    """Fills the form that stands before everything else until the password is another one."""
    for name, text in (("old_password", old), ("new_password", PASSWORD), ("again", PASSWORD)):
        page.fill(f"[name={name}]", text)
    page.click("main button[type=submit]")
    expect(page.locator("#logout")).to_be_visible()


def choose_password(chromium, gateway, name, password):
    """Somebody logs in with a password that was handed out, and must choose another one."""
    with Pages(chromium, gateway) as pages:
        pages.expect_error("403")
        pages.log_in(name, password, at="/")
        replace_password(pages.page, password)
        person = Owner(gateway, None, pages)
        person.create("tokens", name="laptop")
        person.keep_token("laptop")
        return person.keys["laptop"]


def share(value):
    """A share as the pages write it."""
    percent = Decimal(str(value * 100)).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{percent:f}%".replace(".0%", "%")


def from_address(address):
    """What a proxy in front of the gateway says about a client."""
    return {"default_headers": {"X-Forwarded-For": address}}
