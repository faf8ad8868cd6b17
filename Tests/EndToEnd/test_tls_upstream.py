# SPDX-License-Identifier: MIT
"""Upstreams over TLS: verified, by name, resumed, and never trusted on a doubt."""

import openai
import pytest

import payloads
from process import wait_until
from test_sdk_chat import collect, user


def chat(gateway, route, text="secret"):
    answer = gateway.sdk().chat.completions.create(model=route.model, messages=user(text))
    return answer.choices[0].message.content


@pytest.mark.short
@pytest.mark.parametrize("listener", ["tls", "tls12-rsa"])
def test_talks_to_a_verified_upstream(gateway, upstream, listener):
    route = gateway.route(upstream, "echo", listener=listener)
    assert chat(gateway, route, "over TLS") == "over TLS"
    assert route.request().sni == "localhost"


@pytest.mark.short
def test_streams_over_tls(gateway, upstream):
    route = gateway.route(upstream, "poem", listener="tls")
    text, _ = collect(gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True))
    assert text == payloads.POEM


@pytest.mark.short
@pytest.mark.parametrize("listener", ["unknown-ca", "wrong-name", "expired"])
def test_sends_nothing_to_an_upstream_that_it_cannot_verify(gateway, upstream, listener):
    route = gateway.route(upstream, "echo", listener=listener)
    with pytest.raises(openai.InternalServerError) as caught:
        chat(gateway, route)
    assert caught.value.status_code == 502
    assert "TLS" in caught.value.body["message"]
    assert route.requests() == [], "request bytes were sent before verification"


def test_the_log_tells_the_cause_of_a_tls_failure(gateway, upstream):
    route = gateway.route(upstream, "echo", listener="wrong-name")
    with pytest.raises(openai.InternalServerError):
        chat(gateway, route)
    wait_until(lambda: any("certificate" in line.lower() for line in gateway.log_lines[-40:]),
               what="a log line about the certificate")


def test_an_address_is_verified_too_and_has_no_server_name(gateway, upstream):
    route = gateway.route(upstream, "echo", listener="tls", host="127.0.0.1")
    assert chat(gateway, route, "by address") == "by address"
    assert route.request().sni is None


def test_plain_http_at_the_tls_port_is_an_upstream_error(gateway, upstream):
    model = "echo@http-at-tls"
    gateway.channel(f"http://localhost:{upstream.ports['tls']}/v1", [model])
    with pytest.raises(openai.InternalServerError):
        gateway.sdk().chat.completions.create(model=model, messages=user("x"))


def test_tls_at_the_plain_port_is_an_upstream_error(gateway, upstream):
    model = "echo@tls-at-http"
    gateway.channel(f"https://localhost:{upstream.ports['plain']}/v1", [model],
                    connect_timeout_ms=2000)
    with pytest.raises(openai.InternalServerError):
        gateway.sdk().chat.completions.create(model=model, messages=user("x"))


def test_a_connection_is_kept_and_used_again(gateway, upstream):
    route = gateway.route(upstream, "echo", listener="tls")
    for number in range(4):
        assert chat(gateway, route, f"number {number}") == f"number {number}"
    assert len({request.connection for request in route.requests()}) == 1


@pytest.mark.parametrize("listener", ["tls", "tls12-rsa"])
def test_a_session_is_resumed(gateway, upstream, listener):
    route = gateway.route(upstream, "closes-after", listener=listener)
    for _ in range(3):
        chat(gateway, route)
    assert route.requests()[-1].resumed, "the third connection made a full handshake"


def test_an_end_without_close_notify_does_not_complete_an_answer(gateway, upstream):
    route = gateway.route(upstream, "closes-tls", listener="tls")
    with pytest.raises((openai.InternalServerError, openai.APIConnectionError)):
        chat(gateway, route)


@pytest.mark.parametrize("script", ["cut:6", "drop:6", "close-cut:6"])
def test_a_stream_that_breaks_over_tls_ends_with_an_error(gateway, upstream, script):
    route = gateway.route(upstream, script, listener="tls")
    stream = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("x"), stream=True)
    with pytest.raises(openai.APIError):
        list(stream)


def test_a_large_body_and_a_large_answer_pass_over_tls(gateway, upstream):
    route = gateway.route(upstream, "echo", listener="tls")
    text = "x" * 3_000_000
    assert chat(gateway, route, text) == text


def test_failover_between_a_bad_certificate_and_a_good_one(gateway, upstream):
    model = "echo@tls-failover"
    gateway.channel(upstream.url("unknown-ca"), [model], priority=2)
    gateway.channel(upstream.url("tls"), [model], priority=1)
    answer = gateway.sdk().chat.completions.create(model=model, messages=user("safe"))
    assert answer.choices[0].message.content == "safe"


def test_without_the_private_root_the_same_upstream_is_refused(make_gateway, upstream):
    gateway = make_gateway(retries=0)
    route = gateway.route(upstream, "echo", listener="tls")
    with pytest.raises(openai.InternalServerError):
        chat(gateway, route)
