# SPDX-License-Identifier: MIT
"""The frame of the rehearsal: a walk is a file, its functions `step_…` are done in their order.

What a step prints, and the pictures that it takes, are left in TINYGATEWAY_REHEARSAL as
NNN-name.txt and .png; REPORT.md there sums up. A step that fails fails the run, and only those
that need it (`@pytest.mark.needs("name")`) are left out. Helpers come from Tests/EndToEnd, where
scripts/rehearsal.sh starts.
"""

import os
from pathlib import Path

import pytest

from faulty import Fleet
from fixtures import certificates, chromium, upstream  # noqa: F401
from report import Report, name_of

FOLDER = Path(os.environ["TINYGATEWAY_REHEARSAL"])
# A walk's number is the first digit of its steps'.
WALKS = {"walk_clone": 0, "walk_owner": 1, "walk_developer": 2, "walk_operator": 3,
         "walk_bad_day": 4}
REPORT = Report(FOLDER)


def pytest_collection_modifyitems(items):
    """Numbers the steps of each walk."""
    counts = {}
    for item in items:
        walk = item.module.__name__
        counts[walk] = counts.get(walk, 0) + 1
        REPORT.add(item, WALKS[walk] * 100 + counts[walk])


def pytest_runtest_setup(item):
    """Leaves out what needs a step that did not succeed."""
    for marker in item.iter_markers("needs"):
        if failed := [name for name in marker.args if not REPORT.succeeded(item, name)]:
            pytest.skip(f"needs {', '.join(failed)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Takes down what became of a step."""
    outcome = yield
    REPORT.note(item, outcome)
    return outcome


def pytest_report_teststatus(report):
    """One line for each step instead of dots; see `pytest_runtest_logreport`."""
    counts = report.when == "call" or not report.passed
    return report.outcome if counts else "", "", ""


@pytest.hookimpl(trylast=True)
def pytest_runtest_logreport(report):
    """Says how a step went."""
    if report.when == "teardown":
        REPORT.tell(report.nodeid)


def pytest_sessionfinish():
    """Writes the summary."""
    REPORT.write()


@pytest.fixture
def picture(request):
    """Takes a picture of a page; the first of a step has its name, others a number too."""
    stem, taken = name_of(request.node), []

    def take(page):
        taken.append(page)
        number = f"-{len(taken)}" if len(taken) > 1 else ""
        page.screenshot(path=FOLDER / f"{stem}{number}.png", full_page=True)
    return take


@pytest.fixture(scope="module")
def fleet():
    """Vendors for load, whose behaviour is switched under way."""
    with Fleet() as fleet:
        yield fleet
