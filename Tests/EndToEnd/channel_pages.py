# SPDX-License-Identifier: MIT
"""What the tests of the channels' page and of its form share."""

import pytest

KEY = "sk-upstream-key-1"


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway whose list holds only what these tests make."""
    config = {"retry_interval_ms": 10}
    with seed.copy(tmp_path_factory.mktemp("web-channels") / "data", config) as instance:
        yield instance


@pytest.fixture(autouse=True)
def empty(gateway):
    """Each test begins without channels."""
    yield
    for channel in gateway.items("/channels"):
        gateway.call("DELETE", f"/channels/{channel['id']}")


@pytest.fixture
def owner(visit):
    """Opens the page, logged in."""
    def open_page(query="", **options):
        pages = visit(**options).log_in(at="/#/channels" + query)
        pages.page.wait_for_selector("#page:not([aria-busy])")
        return pages
    return open_page


def note(pages, name):
    """What stands at a field of the open form."""
    return pages.page.locator(f"dialog[open] [data-field='{name}'] > small")


def only(gateway):
    """The one channel that there is."""
    channel, = gateway.items("/channels")
    return channel


def button(pages, name, row):
    """A button of a row."""
    return pages.row(row).get_by_role("button", name=name, exact=True)


def add(pages, kind, base_url, keys=KEY):
    """Opens the form of a new channel and fills in the least; the name is the type's."""
    pages.page.click("#create")
    pages.field("type").fill(kind)
    pages.field("type").press("Enter")
    pages.field("base_url").fill(base_url)
    pages.field("keys").fill(keys)
