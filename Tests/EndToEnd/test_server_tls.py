# SPDX-License-Identifier: MIT
"""HTTPS for clients: with an own certificate, or a self-signed one made at first start."""

import json
import socket
import ssl

import httpx
import pytest

import payloads
from process import free_port
from test_sdk_chat import user


@pytest.fixture
def own(make_gateway, certificates):
    """A gateway with a certificate of the test's authority; `.tls_url` leads to it."""
    gateway = make_gateway(start=False, tls_port=free_port(), tls_key=certificates.own_key,
                           tls_certificate=certificates.own_certificate)
    gateway.start()
    gateway.tls_url = f"https://localhost:{gateway.config['tls_port']}"
    return gateway


def test_serves_with_the_configured_certificate(own, upstream, certificates):
    route = own.route(upstream, "poem")
    trusted = ssl.create_default_context(cafile=certificates.ca_file)
    body = {"model": route.model, "messages": user("x")}
    headers = {"Authorization": "Bearer " + own.key()}
    with httpx.Client(verify=trusted, trust_env=False, headers=headers, timeout=20) as client:
        for _ in range(3):
            answer = client.post(own.tls_url + "/v1/chat/completions", json=body)
            assert answer.json()["choices"][0]["message"]["content"] == payloads.POEM
        answer = client.post(own.tls_url + "/v1/chat/completions", json=body | {"stream": True})
        assert answer.content.endswith(b"data: [DONE]\n\n")


def test_makes_a_self_signed_certificate_and_keeps_it(make_gateway):
    gateway = make_gateway(tls_port=free_port())

    def shown():
        return ssl.get_server_certificate(("127.0.0.1", gateway.config["tls_port"]))

    first = shown()
    assert "BEGIN CERTIFICATE" in first
    gateway.restart()
    assert shown() == first
    keys = [p for p in gateway.data_dir.rglob("*") if p.is_file()
            and b"PRIVATE KEY" in p.read_bytes()]
    assert keys and all(p.stat().st_mode & 0o077 == 0 for p in keys)


def test_old_protocol_versions_are_refused(own):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", own.config["tls_port"])) as plain:
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            context.wrap_socket(plain)


def test_plain_http_at_the_tls_port_is_closed(own, raw):
    with socket.create_connection(("127.0.0.1", own.config["tls_port"]), timeout=15) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        data = b""
        try:
            while piece := client.recv(4096):
                data += piece
        except ConnectionResetError:
            pass
        assert not data.startswith(b"HTTP/1.1 200")
    assert own.get("/api/v1/health").status_code == 200


def test_a_large_answer_over_tls_to_a_slow_reader(own, upstream, certificates):
    route = own.route(upstream, "flood:6")
    trusted = ssl.create_default_context(cafile=certificates.ca_file)
    body = json.dumps({"model": route.model, "messages": user("x"), "stream": True}).encode()
    with socket.create_connection(("127.0.0.1", own.config["tls_port"]), timeout=20) as plain, \
            trusted.wrap_socket(plain, server_hostname="localhost") as client:
        client.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
                       b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                       % (own.key().encode(), len(body), body))
        received = bytearray()
        while piece := client.recv(65536):
            received += piece
    assert len(received) > 5_000_000 and b"data: [DONE]" in received[-64:]


@pytest.mark.parametrize("text, told", [(None, "No such file"), ("nonsense", "PEM")])
def test_a_certificate_file_of_no_use_is_one_clear_sentence(make_gateway, tmp_path, text, told):
    path = tmp_path / "my.pem"
    if text is not None:
        path.write_text(text)
        path.chmod(0o600)
    gateway = make_gateway(start=False, tls_port=free_port(), tls_key=path, tls_certificate=path)
    with pytest.raises(AssertionError, match=f"{told}.*; correct "):
        gateway.start()
