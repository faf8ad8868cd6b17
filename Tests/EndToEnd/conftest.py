# SPDX-License-Identifier: MIT
"""Fixtures: one upstream and one gateway for most tests, and a maker of special gateways."""

import pytest

import packages
from faulty import Fleet
from fixtures import certificates, chromium, upstream  # noqa: F401
from gateway import Gateway
from process import IS_EMULATED, binary
from rawhttp import RawClient
from samples import Samples


def pytest_ignore_collect(collection_path, config):
    """Leaves files unread that have none of the tests that `-m` asks for: the SDKs take seconds."""
    marker, name = config.option.markexpr, collection_path.name
    if not name.startswith("test_") or not marker.isidentifier():
        return None
    if marker == "web":
        return None if name.startswith("test_web_") else True
    return None if f"mark.{marker}" in collection_path.read_text() else True


def pytest_collection_modifyitems(items):
    """Marks the tests of the pages; without a binary only those of the upstream itself run."""
    for item in items:
        if item.path.name.startswith("test_web_"):
            item.add_marker("web")
    if binary():
        return
    skip = pytest.mark.skip(reason="TINYGATEWAY_BINARY is not set")
    for item in items:
        if "self_test" not in item.keywords:
            item.add_marker(skip)


@pytest.fixture(scope="module")
def samples():
    """Answers with what a test puts into `samples.samples`, and keeps what was asked."""
    server = Samples()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def fleet():
    """Upstreams for load, each of them switched by the test; none is left afterwards."""
    with Fleet() as fleet:
        yield fleet
    assert not fleet.failures, fleet.failures


@pytest.fixture(scope="session")
def seed(tmp_path_factory):
    """A stopped gateway after its first login; others start with a copy of its data."""
    try:
        with Gateway(tmp_path_factory.mktemp("seed") / "data") as gateway:
            gateway.set_up()
            gateway.key()
    except Exception as error:
        pytest.exit(f"no test can run: first start, login and stop failed: {error!r}", 1)
    return gateway


@pytest.fixture(scope="session")
def gateway(seed, certificates, tmp_path_factory):
    """The gateway that most tests share; it retries quickly and trusts the test's roots."""
    config = {"ca_file": certificates.ca_file, "retry_interval_ms": 10}
    with seed.copy(tmp_path_factory.mktemp("shared") / "data", config) as instance:
        yield instance


@pytest.fixture
def no_prices(gateway):
    """Whatever prices a test gives the shared gateway go after it."""
    yield
    gateway.call("POST", "/prices/import", {"prices": [], "replace": True})


@pytest.fixture
def make_gateway(seed, tmp_path_factory):
    """Starts gateways with settings of their own; all end, with status 0, after the test."""
    made = []

    def make(start=True, arguments=(), env=None, **config):
        folder = tmp_path_factory.mktemp("own") / "data"
        instance = seed.copy(folder, config, arguments, env)
        made.append(instance)
        return instance.start() if start else instance

    yield make
    for instance in made:
        if instance.process is not None:
            instance.stop()


@pytest.fixture
def fresh(tmp_path_factory):
    """A gateway that has never been started."""
    instance = Gateway(tmp_path_factory.mktemp("fresh") / "data")
    yield instance
    if instance.process is not None:
        instance.stop()


@pytest.fixture
def raw(gateway):
    """Opens raw connections to the shared gateway."""
    opened = []

    def connect(target=gateway, **options):
        client = RawClient(target.port, **options)
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.socket.close()


@pytest.fixture
def visit(chromium, gateway):
    """Opens a gateway's pages, without more the shared one's, as one more visitor."""
    from pages import Pages
    opened = []

    def open_pages(**options):
        pages = Pages(chromium, options.pop("gateway", gateway), **options).__enter__()
        opened.append(pages)
        return pages

    yield open_pages
    for pages in opened:
        pages.__exit__(None)


def pytest_runtest_setup(item):
    """Leaves out what means nothing under an emulator."""
    if IS_EMULATED and item.get_closest_marker("native"):
        pytest.skip("not under an emulator")


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Folders of boards, each made once."""
    folders = {}

    def get(board):
        if board not in folders:
            folders[board] = packages.make(tmp_path_factory.mktemp(board), board)
        return folders[board]

    return get
