# SPDX-License-Identifier: MIT
"""Fixtures that the end-to-end tests and the rehearsal have in common."""

import pytest

from certificates import Certificates
from upstream import Upstream


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """The certificate authority of a run."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def upstream(certificates):
    """The scripted upstream, plain and TLS; a mistake in a script fails the run."""
    with Upstream(certificates) as upstream:
        yield upstream
    assert not upstream.failures, upstream.failures


@pytest.fixture(scope="module")
def chromium():
    """The browser of a file of tests; its event loop would be in the way of other files."""
    from pages import browser
    with browser() as instance:
        yield instance
