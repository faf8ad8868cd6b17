# SPDX-License-Identifier: MIT
"""The management API does what its OpenAPI document says, and the document what the API does."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

HERE = Path(__file__).parent
DOCUMENTS = {"/docs/API.md": "text/markdown; charset=utf-8", "/openapi.json": "application/json"}


@pytest.fixture(scope="module")
def document(gateway):
    """The document that the binary serves."""
    return httpx.get(gateway.url + "/openapi.json", trust_env=False).raise_for_status().json()


# The documents

@pytest.mark.short
@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_are_served_to_anyone(gateway, path):
    answer = gateway.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == DOCUMENTS[path]
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.content == (HERE.parents[1] / "docs" / Path(path).name).read_bytes()
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"].lower() == "accept-encoding"
    plain = gateway.http.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert plain.content == answer.content and "content-encoding" not in plain.headers
    assert int(plain.headers["content-length"]) == len(plain.content)
    assert plain.headers["etag"] != answer.headers["etag"]
    head = gateway.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    for field in ("content-length", "content-type", "etag"):
        assert head.headers[field] == answer.headers[field]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_are_not_sent_again_without_need(gateway, path):
    tag = gateway.http.get(path).headers["etag"]
    assert re.fullmatch('"[0-9a-f]{32}"', tag)
    for condition in (tag, f'"a", {tag}', f"W/{tag}", "*"):
        answer = gateway.http.get(path, headers={"If-None-Match": condition})
        assert (answer.status_code, answer.content) == (304, b""), condition
        assert answer.headers["etag"] == tag
    assert gateway.http.get(path, headers={"If-None-Match": '"a"'}).status_code == 200
    # The connection is still in order.
    assert gateway.http.get(path).status_code == 200


@pytest.mark.native
def test_documents_are_sent_as_fast_as_they_are_read(make_gateway):
    gateway = make_gateway(memory_limit_mb=24)
    text = gateway.http.get("/openapi.json").content
    before, clients = gateway.own_kb, []
    for _ in range(40):
        client = socket.create_connection(("127.0.0.1", gateway.port), timeout=20)
        # More answers than the system's own buffers could hide.
        client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n" * 150)
        clients.append(client)
    for _ in range(20):
        assert gateway.http.get("/openapi.json").content == text
    # A reader of packed bytes with its window is 42 kB; the rest are blocks that wait to be sent.
    assert gateway.own_kb - before < 40 * 70
    stream = clients[0].makefile("rb")
    for _ in range(150):
        while stream.readline().strip():
            pass
        assert stream.read(len(text)) == text
    for client in clients:
        client.close()


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_are_only_read(gateway, path):
    for method in ("POST", "PUT", "DELETE"):
        answer = gateway.http.request(method, path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_channel_types_are_those_of_the_document(gateway, document):
    described = document["components"]["schemas"]["ChannelInput"]["properties"]["type"]["enum"]
    assert sorted(described) == sorted(item["slug"] for item in gateway.items("/channel-types"))


# Requests by schemathesis

def is_loopback(url):
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")


@pytest.mark.tools
@pytest.mark.timeout(180)
def test_schemathesis_finds_no_fault(make_gateway):
    gateway = make_gateway()
    assert gateway.channel("http://127.0.0.1:9/v1", ["gpt-4o"])["id"] == 1
    assert gateway.items("/tokens")[0]["id"] == 1
    environment = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(HERE), "PYTHONDONTWRITEBYTECODE": "1",
        "NO_PROXY": "*", "CONTRACT_TOKEN": gateway.jwt}
    done = subprocess.run(
        [Path(sys.executable).parent / "schemathesis", "--config-file", HERE / "contract.toml",
         "run", gateway.url + "/openapi.json", "--checks", "all", "--no-color"],
        env=environment, cwd=gateway.data_dir.parent, capture_output=True, text=True, timeout=170)
    assert done.returncode == 0, done.stdout[-20000:] + done.stderr[-2000:]
    count = int(re.search(r"(\d+) generated", done.stdout).group(1))
    assert count > 500, done.stdout[-2000:]
    for channel in gateway.items("/channels"):
        assert is_loopback(channel["base_url"]), channel
    levels = [re.match(r"[\d-]+ [\d:]+ (\w+) ", line) for line in gateway.log_lines]
    assert any(found and found.group(1) == "info" for found in levels)
    errors = [line for line, found in zip(gateway.log_lines, levels)
              if found and found.group(1) == "error"]
    assert not errors, errors
