# SPDX-License-Identifier: MIT
"""Pictures of every page of the menu, in both sizes and themes, in docs/images.

Not collected with the tests; scripts/screenshots.sh runs it.
"""

import os
import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

import demonstration
from gateway import Gateway
from pages import DESKTOP, PHONE, Pages
from upstream import Upstream

FOLDER = Path(os.environ["TINYGATEWAY_IMAGES"])
SIZES = {"phone": PHONE, "desktop": DESKTOP}


@pytest.fixture(scope="module")
def furnished():
    """A gateway with a month behind it, and the upstream of its channels."""
    with (Upstream() as upstream, tempfile.TemporaryDirectory(prefix="tinygateway-") as folder,
          Gateway(Path(folder) / "data", {"time_zone": "UTC0"}) as gateway):
        keys = demonstration.furnish(gateway.set_up(), upstream)
        demonstration.story(upstream, gateway)
        demonstration.talk(gateway, keys)
        gateway.stop()
        demonstration.remember(gateway)
        gateway.start()
        gateway.login()
        demonstration.talk(gateway, keys)
        yield gateway


def prepare(page, name):
    """What somebody would have done on a page before looking at it."""
    if name == "dashboard":
        page.get_by_label("Time").select_option("30d")
        expect(page.locator(".chart svg").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    if name == "playground":
        page.fill("[name=model]", "qwen3-coder")
        page.press("[name=model]", "Enter")
        page.fill("#draft", demonstration.QUESTION)
        page.press("#draft", "Enter")
        expect(page.locator(".turn.assistant .told a")).to_be_visible()
        expect(page.locator("[aria-busy=true]")).to_have_count(0)
        page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    if name == "about":
        page.click("#check")
        expect(page.locator("[data-finding]").first).to_be_visible(timeout=30_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_pictures(chromium, furnished, size, theme):
    without = []
    with Pages(chromium, furnished, size=SIZES[size], scheme=theme) as pages:
        page = pages.page

        def take(name):
            expect(page.locator("main [aria-busy=true]")).to_have_count(0)
            page.screenshot(path=FOLDER / f"{name}-{size}-{theme}.png")

        page.goto("/")
        expect(page.locator("[name=username]")).to_be_visible()
        take("login")
        pages.log_in(at="/")
        links = page.locator("#menu a").evaluate_all("all => all.map((each) => each.hash)")
        for name in [link.removeprefix("#/") for link in links]:
            pages.go(name)
            if page.get_by_text("This page could not be loaded.").count():
                pages.expect_error(name + ".js", "Failed to load")
                without.append(name)
                continue
            prepare(page, name)
            take(name)
    assert not without, f"pages without a picture: {without}"
