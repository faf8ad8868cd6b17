# SPDX-License-Identifier: MIT
"""Each official SDK through its own ingress to vendors of each of three formats: nine pairs, of
which three are passed on and six converted."""

import pytest

import dialects
import payloads
from sdk_clients import BASE64, CLIENTS
from test_audio import row

VENDORS = {
    "openai": {"path": "/v1", "type": "openai-compatible"},
    "anthropic": {"path": "", "type": "anthropic"},
    "gemini": {"path": "", "type": "gemini"}}
# What the scripted vendors charge, in all formats.
SPENT = (11, 5)
FAILURES = {
    "openai": ["status:400", "status:503"],
    "anthropic": ["error:400:invalid_request_error", "error:503:api_error"],
    "gemini": ["error-400-INVALID_ARGUMENT", "error-503-UNAVAILABLE"]}
BREAKS = {"openai": ["error:6", "drop:6"], "anthropic": ["midstream", "cut"],
          "gemini": ["midstream", "cut"]}


class Pair:
    """One SDK and one vendor."""

    def __init__(self, gateway, upstream, sdk, vendor):
        self.gateway, self.upstream, self.vendor = gateway, upstream, vendor
        self.token = gateway.token()
        self.client = CLIENTS[sdk](gateway, self.token["key"])

    def route(self, script):
        """A model of the vendor that follows a script."""
        return self.gateway.route(self.upstream, script, **VENDORS[self.vendor])

    def expect_counted(self):
        """The log must tell what the vendor counted, and the token must have paid for it."""
        log = row(self.gateway, self.token)
        assert (log["prompt_tokens"], log["completion_tokens"]) == SPENT
        assert self.gateway.used_quota(self.token) == log["quota"] > 0


@pytest.fixture(params=VENDORS)
def vendor(request):
    return request.param


@pytest.fixture(params=CLIENTS)
def pair(request, gateway, upstream, vendor):
    return Pair(gateway, upstream, request.param, vendor)


@pytest.mark.short
def test_answers_whole(pair):
    text, is_complete, spent = pair.client.text(pair.route("echo").model, "Hello, 世界 🌍")
    assert text == "Hello, 世界 🌍" and is_complete and spent == SPENT
    pair.expect_counted()


@pytest.mark.short
def test_streams(pair):
    pieces, is_complete, spent = pair.client.stream(pair.route("poem").model)
    assert "".join(pieces) == payloads.POEM and is_complete and spent == SPENT
    assert len(pieces) > 10
    pair.expect_counted()


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
def test_calls_a_tool_and_uses_its_result(pair, streaming):
    name, arguments, text = pair.client.tool(pair.route("tools").model, streaming)
    assert (name, arguments) == ("get_weather", {"city": "Rome", "unit": "celsius"})
    assert text == "It is 22 °C."


def test_shows_a_picture(pair):
    said = pair.client.picture(pair.route("vision").model)
    assert said == dialects.digest("image/png", BASE64)


@pytest.mark.parametrize("number", [0, 1], ids=["refused", "unavailable"])
def test_raises_what_the_vendor_refuses(pair, number):
    script = FAILURES[pair.vendor][number]
    model = pair.route(script).model
    for ask in (pair.client.text, pair.client.stream):
        with pytest.raises(pair.client.error) as raised:
            ask(model)
        assert str([400, 503][number]) in str(raised.value)
        assert "upstream says" in str(raised.value)
    assert pair.gateway.used_quota(pair.token) == 0


@pytest.mark.parametrize("number", [0, 1], ids=["told", "silent"])
def test_never_takes_a_broken_stream_for_a_complete_one(pair, number):
    with pytest.raises(pair.client.error):
        pair.client.stream(pair.route(BREAKS[pair.vendor][number]).model)
