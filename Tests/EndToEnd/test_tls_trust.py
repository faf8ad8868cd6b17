# SPDX-License-Identifier: MIT
"""Whom upstreams are verified by: ca_file, then SSL_CERT_FILE, the system's bundle, the built-in
set. Two upstreams with different roots show which of them is in force."""

import re
import signal
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from payloads import SHORT
from process import over, wait_until
from test_sdk_chat import user


@pytest.fixture
def system(tmp_path):
    """Makes a command that shows the gateway a file, or nothing, as the system's bundle."""
    def show(bundle):
        folder = tmp_path / "ssl"
        (folder / "certs").mkdir(parents=True)
        if bundle is not None:
            (folder / "certs" / "ca-certificates.crt").write_bytes(bundle.read_bytes())
        return over("/etc/ssl", folder)
    return show


def trusted(gateway, upstream):
    """The upstreams that the gateway talks to."""
    found = set()
    for listener in ("tls", "unknown-ca"):
        route = gateway.route(upstream, "echo", listener=listener)
        try:
            gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
            found.add(listener)
        except openai.InternalServerError as error:
            assert error.status_code == 502 and "TLS" in error.body["message"]
            assert route.requests() == []
    return found


@pytest.fixture
def start(make_gateway):
    """Starts a gateway that says at start whom it trusts."""
    def start(variable=None, wrapper=(), **config):
        env = {} if variable is None else {"SSL_CERT_FILE": variable}
        gateway = make_gateway(
            start=False, env=env, log_level="debug", retry_interval_ms=10, **config)
        gateway.wrapper = list(wrapper)
        return gateway.start()
    return start


def test_ca_file_comes_first(start, upstream, certificates):
    gateway = start(certificates.stranger_file, ca_file=certificates.ca_file)
    assert trusted(gateway, upstream) == {"tls"}


def test_the_variable_comes_next(start, upstream, certificates):
    gateway = start(certificates.stranger_file)
    assert trusted(gateway, upstream) == {"unknown-ca"}


@pytest.mark.native
def test_the_variable_comes_before_the_system(start, system, upstream, certificates):
    gateway = start(certificates.stranger_file, system(certificates.ca_file))
    assert trusted(gateway, upstream) == {"unknown-ca"}


@pytest.mark.native
def test_the_system_comes_before_the_built_in_set(start, system, upstream, certificates):
    gateway = start(wrapper=system(certificates.ca_file))
    assert trusted(gateway, upstream) == {"tls"}


@pytest.mark.native
@pytest.mark.parametrize("bundle", [None, "empty"])
def test_the_built_in_set_comes_last(start, system, upstream, tmp_path, bundle):
    if bundle == "empty":
        bundle = tmp_path / "empty.pem"
        bundle.touch()
    gateway = start(wrapper=system(bundle))
    assert trusted(gateway, upstream) == set()
    told = re.search(r"verified with (\d+) authorities of the built-in set", gateway.log)
    assert told and int(told.group(1)) > 100, gateway.log


@pytest.mark.parametrize("variable, config, name", [
    ("missing.pem", {}, "missing.pem: No such file"),
    ("tls.key", {}, "tls.key: holds no certificate"),
    ("stranger.pem", {"ca_file": "tls.key"}, "tls.key: holds no certificate")])
def test_a_file_that_is_named_and_of_no_use_is_not_passed_over(
        start, upstream, certificates, variable, config, name):
    gateway = start(certificates.folder / variable,
                    **{key: certificates.folder / value for key, value in config.items()})
    assert any("channels with https will not work" in line and name in line
               for line in gateway.log_lines), gateway.log
    route = gateway.route(upstream, "echo", listener="unknown-ca")
    with pytest.raises(openai.InternalServerError):
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    assert route.requests() == []


def test_what_another_ca_file_does_not_verify_is_not_used_again(
        make_gateway, upstream, certificates):
    gateway = make_gateway(start=False)

    def trust(file):
        settings = f"ca_file: {file}\nretry_interval_ms: 10\n"
        (gateway.data_dir / "config.yaml").write_text(settings)

    def ask(route):
        return gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))

    def check_refused():
        before = len(route.requests())
        with pytest.raises(openai.InternalServerError) as error:
            ask(route)
        assert error.value.status_code == 502 and "TLS" in error.value.body["message"]
        assert len(route.requests()) == before

    trust(certificates.ca_file)
    gateway.start()
    route = gateway.route(upstream, "echo", listener="tls")
    slow = gateway.route(upstream, "slow-first-byte:4000", listener="tls")
    ask(route)
    with ThreadPoolExecutor(1) as thread:
        busy = thread.submit(ask, slow)
        assert slow.request().connection == route.requests()[-1].connection
        ask(route)                              # on a second connection, which is idle now
        assert route.requests()[-1].connection != slow.request().connection
        trust(certificates.stranger_file)
        gateway.signal(signal.SIGHUP)
        wait_until(lambda: "configuration reloaded" in gateway.log, what="a line of the log")
        check_refused()
        assert not busy.done()
        assert busy.result().choices[0].message.content == SHORT
    check_refused()                             # nor on the one that was busy meanwhile
