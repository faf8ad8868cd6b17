# SPDX-License-Identifier: MIT
"""The web pages in a real browser: Debian's Chromium, driven by Playwright.

TINYGATEWAY_PAGES=FOLDER takes the pages from a folder (Sources/WebUI) in place of those in the
binary, to write pages without building. TINYGATEWAY_LATENCY_MS=300 lets each answer come that much
later: what acts on something that is not there yet fails then.
"""

import contextlib
import os
import shutil
from importlib.resources import files
from pathlib import Path

from playwright.sync_api import Error, expect, sync_playwright

from gateway import PASSWORD
from process import PATIENCE

PHONE = {"width": 360, "height": 740}
DESKTOP = {"width": 1366, "height": 768}
BROWSERS = ["chromium-headless-shell", "chromium"]
TYPES = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
expect.set_options(timeout=10_000 * PATIENCE)


@contextlib.contextmanager
def browser():
    """A running Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert found, "Chromium is missing; install it: apt-get install chromium-headless-shell"
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield instance
        instance.close()


@contextlib.contextmanager
def held(page, path):
    """Keeps calls of a path (a glob) waiting within the block, to look at what is seen then."""
    waiting = []
    page.route(f"**{path}", lambda route: waiting.append(route))
    yield
    page.unroute(f"**{path}")
    for route in waiting:
        with contextlib.suppress(Error):           # The page may have given the call up.
            route.continue_()


class Pages:
    """One visitor: a page of a browser of its own, and what went wrong in it.

    Used as a context manager, it fails at the end when the console has an error, when something
    was asked from another host, or when a script failed.
    """

    def __init__(self, browser, gateway, size=None, language="en", scheme="light"):
        self.gateway, self.errors, self.requests, self.expected = gateway, [], [], []
        self.context = browser.new_context(
            viewport=size or DESKTOP,
            locale={"en": "en-US", "zh": "zh-CN"}.get(language, language),
            color_scheme=scheme, base_url=gateway.url, reduced_motion="reduce")
        self.context.set_default_timeout(10_000 * PATIENCE)
        folder = os.environ.get("TINYGATEWAY_PAGES")
        if folder:
            self._take_from(Path(folder))
        self.page = self.context.new_page()
        latency = int(os.environ.get("TINYGATEWAY_LATENCY_MS", 0))
        if latency:
            self.context.new_cdp_session(self.page).send("Network.emulateNetworkConditions", {
                "offline": False, "latency": latency, "downloadThroughput": -1,
                "uploadThroughput": -1})
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def _take_from(self, folder):
        policy = self.gateway.http.get("/").headers["content-security-policy"]

        def answer(route, name, kind):
            text = (folder / name).read_text().replace("{version}", "working")
            route.fulfill(body=text, content_type=kind + "; charset=utf-8",
                          headers={"Content-Security-Policy": policy})
        self.context.route("**/ui/working/*", lambda route: answer(
            route, name := Path(route.request.url).name, TYPES[Path(name).suffix]))
        self.context.route(self.gateway.url + "/", lambda route: answer(
            route, "index.html", "text/html"))

    def _heard(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(f"console: {message.text} ({message.location.get('url')})")

    def _asked(self, request):
        self.requests.append(request.url)
        if not request.url.startswith((self.gateway.url, "data:", "blob:")):
            self.errors.append(f"another host: {request.url}")

    def expect_error(self, *parts):
        """Errors of the console that have one of these parts are what the test wants."""
        self.expected += parts

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            with contextlib.suppress(Exception):
                print(f"--- page {self.page.url} ---\n{self.page.inner_text('body')[:3000]}")
        self.context.close()
        wrong = [e for e in self.errors if not any(part in e for part in self.expected)]
        if kind is None:
            assert not wrong, wrong
        elif wrong:
            print("errors of the pages:", *wrong, sep="\n  ")

    # Doing what people do

    def log_in(self, username="root", password=PASSWORD, at="/#/user-groups"):
        """Logs in through the form."""
        self.page.goto(at)
        self.page.fill("[name=username]", username)
        self.page.fill("[name=password]", password)
        self.page.click("main button[type=submit]")
        self.page.wait_for_selector("#logout, [name=new_password]")
        return self

    def go(self, name):
        """Shows a page of the menu by its name in the address, such as `user-groups`."""
        self.page.evaluate("name => { location.hash = '#/' + name }", name)
        self.page.wait_for_selector(f"#menu a[aria-current][href='#/{name.split('?')[0]}']",
                                    state="attached")
        self.page.wait_for_selector("#page:not([aria-busy])", state="attached")
        return self

    def pass_time(self, milliseconds, expectation):
        """Lets time pass, again when need be, until an expectation is true.

        The page may wait for an answer just now, and begin to wait for the next time afterwards.
        """
        for _ in range(4):
            self.page.clock.fast_forward(milliseconds)
            with contextlib.suppress(AssertionError):
                return expectation(2000 * PATIENCE)
        self.page.clock.fast_forward(milliseconds)
        return expectation(10_000 * PATIENCE)

    def field(self, name):
        """The input of a form's field by the API's name, in the dialog that is open."""
        return self.page.locator(f"dialog[open] [name='{name}']")

    def row(self, text):
        """The row of a list that has this text."""
        return self.page.locator("tbody tr", has_text=text)

    def save(self):
        """Sends the dialog's form and waits until it has closed."""
        self.page.click("dialog[open] button[type=submit]")
        expect(self.page.locator("dialog[open]")).to_have_count(0)

    # Looking at it

    def check_accessibility(self, *without):
        """axe-core finds nothing: labels, roles, contrast AA, order of headings."""
        script = (files("axe_playwright_python") / "axe.min.js").read_text()
        self.page.evaluate(script)
        found = self.page.evaluate(
            "rules => axe.run(document, { rules: Object.fromEntries(rules.map("
            "rule => [rule, { enabled: false }])) })", list(without))["violations"]
        assert not found, "\n".join(
            f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
            for each in found)

    def check_width(self):
        """Nothing is wider than the window."""
        inner, whole = self.page.evaluate(
            "[document.documentElement.clientWidth, document.documentElement.scrollWidth]")
        assert whole <= inner, f"the page is {whole} px wide in a window of {inner} px"
