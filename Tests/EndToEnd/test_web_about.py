# SPDX-License-Identifier: MIT
"""About: what runs here, how the device fares, and what the doctor finds."""

import pytest
from playwright.sync_api import expect

from pages import DESKTOP, PHONE, Pages
from process import run

pytestmark = pytest.mark.native


@pytest.mark.parametrize("size, language", [(PHONE, "zh"), (DESKTOP, "en")],
                         ids=["phone", "desktop"])
def test_version_and_state_are_told(visit, gateway, size, language):
    pages = visit(size=size, language=language).log_in(at="/#/about")
    page = pages.page
    version = run("--version").stdout.split()[1]
    expect(page.locator("dd", has_text=version).first).to_be_visible()
    expect(page.locator("#box")).to_contain_text(str(gateway.data_dir))
    expect(page.locator("main")).to_contain_text(gateway.url + "/metrics")
    for link in page.locator("main .bare a").all():
        assert gateway.http.get(link.get_attribute("href")).status_code == 200
    pages.check_width()
    pages.check_accessibility()


def test_the_doctor_looks_when_asked(visit, gateway):
    pages = visit().log_in(at="/#/about")
    page = pages.page
    expect(page.locator("[data-finding]")).to_have_count(0)
    page.click("#check")
    expect(page.locator("[data-finding]").first).to_be_visible(timeout=30_000)
    found = gateway.call("GET", "/doctor")["findings"]
    shown = page.locator("[data-finding]").evaluate_all(
        "all => all.map((each) => each.dataset.finding)")
    assert sorted(shown) == sorted(finding["id"] for finding in found)
    for finding in found:
        if finding["advice"]:
            expect(page.locator("main")).to_contain_text(finding["advice"])
    pages.check_accessibility()


def test_https_and_figures_are_shown_as_they_are_set(chromium, make_gateway):
    gateway = make_gateway(tls_port=0, metrics_addresses="127.0.0.0/8")
    with Pages(chromium, gateway) as pages:
        page = pages.log_in(at="/#/about").page
        expect(page.get_by_role("region", name="HTTPS for clients")).to_contain_text(
            "HTTPS is off.")
        expect(page.get_by_role("region", name="Figures for Prometheus")).to_contain_text(
            "Without one from 127.0.0.0/8.")
