# SPDX-License-Identifier: MIT
"""Backups by the page: downloaded, kept on the device, and restored."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from backups import PASSPHRASE, backup, new_board
from gateway import PASSWORD
from pages import DESKTOP, PHONE, Pages, held

pytestmark = pytest.mark.native


def download(pages):
    """The bytes of the file that the button makes."""
    with pages.page.expect_download() as started:
        pages.page.click("#download")
    assert started.value.suggested_filename.endswith(".db")
    return Path(started.value.path()).read_bytes()


def choose(pages, content, passphrase=""):
    """Fills the form that restores."""
    pages.page.set_input_files("#file", [{
        "name": "mine.db", "mimeType": "application/octet-stream", "buffer": content}])
    pages.page.fill("[name=restore_passphrase]", passphrase)


def restore(pages):
    """Presses the button and says yes."""
    pages.page.click("#restore")
    dialog = pages.page.get_by_role("dialog")
    expect(dialog).to_contain_text("by mine.db?")
    dialog.get_by_role("button", name="Replace everything").click()


@pytest.mark.parametrize("size, language", [(PHONE, "zh"), (DESKTOP, "en")],
                         ids=["phone", "desktop"])
def test_the_page_fits_and_downloads_a_plain_backup(visit, size, language):
    pages = visit(size=size, language=language).log_in(at="/#/backup")
    small = download(pages)
    assert small.startswith(b"SQLite format 3\0")
    pages.check_width()
    pages.check_accessibility()


def test_a_backup_with_a_passphrase_goes_and_comes_back(chromium, make_gateway):
    gateway = make_gateway()
    kept = gateway.token()
    with Pages(chromium, gateway) as pages:
        pages.expect_error("403", "401")
        page = pages.log_in(at="/#/backup").page
        page.fill("[name=passphrase]", "aaaaaaaaaaaaaaa")
        expect(page.locator("#strength")).to_contain_text("Weak")
        page.fill("[name=passphrase]", "too short")
        page.click("#download")
        expect(page.locator("[data-field=passphrase]")).to_contain_text("12 to 128 bytes")
        page.fill("[name=passphrase]", PASSPHRASE)
        expect(page.locator("#strength")).to_have_text("Good.")
        page.check("[name=reveal]")
        expect(page.locator("[name=passphrase]")).to_have_attribute("type", "text")
        with held(page, "/api/v1/backup"):
            page.click("#download")
            expect(page.locator(".progress").first).to_be_visible()
            page.get_by_role("button", name="Cancel").click()
            expect(page.locator(".progress").first).to_be_hidden()
        page.check("[name=logs]")
        content = download(pages)
        later = gateway.token()

        choose(pages, content, PASSPHRASE + "!")
        restore(pages)
        expect(page.locator("form .problem")).to_contain_text("passphrase")
        assert later["id"] in [token["id"] for token in gateway.items("/tokens")]
        choose(pages, content, PASSPHRASE)
        with held(page, "/api/v1/restore"):
            restore(pages)
            expect(page.locator("form .progress")).to_be_visible()
        dialog = page.get_by_role("dialog", name="Restored")
        expect(dialog).to_contain_text("1 user, ")
        dialog.get_by_role("button", name="Log in").click()
        page.fill("[name=username]", "root")
        page.fill("[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        expect(page.locator("h1")).to_have_text("Backup and restore")
        gateway.login()
        ids = [token["id"] for token in gateway.items("/tokens")]
        assert kept["id"] in ids and later["id"] not in ids


def test_channels_whose_keys_stay_locked_are_named(chromium, gateway, upstream, fresh):
    channel = gateway.channel(upstream.url(), ["m"], name="<b>locked</b>")
    content = backup(gateway, query="?logs=0")
    gateway.call("DELETE", f"/channels/{channel['id']}")
    with Pages(chromium, new_board(fresh)) as pages:
        pages.expect_error("400")
        page = pages.log_in(at="/#/backup").page
        page.click("#restore")
        expect(page.locator("form .problem")).to_have_text("Choose a file first.")
        choose(pages, b"no database")
        restore(pages)
        expect(page.locator("form .problem")).to_contain_text("backup")
        choose(pages, content)
        restore(pages)
        dialog = page.get_by_role("dialog", name="Restored")
        expect(dialog.locator("li", has_text="<b>locked</b>")).to_be_visible()
        pages.check_accessibility()


def test_backups_on_the_device_are_listed_and_made(chromium, make_gateway):
    gateway = make_gateway()
    with Pages(chromium, gateway) as pages:
        page = pages.log_in(at="/#/backup").page
        before = len(gateway.call("GET", "/backups")["items"])
        expect(page.locator("#kept tbody tr")).to_have_count(before)
        page.click("#make")
        expect(page.locator("#kept tbody tr")).to_have_count(before + 1)
        newest = gateway.call("GET", "/backups")["items"][0]
        expect(page.locator("#kept tbody tr").first).to_contain_text(newest["name"])
