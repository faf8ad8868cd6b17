# SPDX-License-Identifier: MIT
"""What a request will cost is held back before it goes out, however its prompt is written."""

import json

import pytest

LONG = "x" * 300 + " word" * 3000
PICTURE = "data:image/png;base64," + "iVBORw0KGgo" * 2000


def chat(content, **more):
    return "/chat/completions", {"messages": [{"role": "user", "content": content}],
                                 "max_tokens": 1, **more}


@pytest.mark.parametrize("call", [
    pytest.param(chat("x" * 20_000), id="a word of 20,000 letters"),
    pytest.param(chat(LONG), id="text that begins with a long word"),
    pytest.param(chat("天" * 3000), id="Chinese text"),
    pytest.param(chat([{"type": "text", "text": "data:image/png;base64," + "A" * 9000}]),
                 id="text that looks like a picture"),
    pytest.param(("/embeddings", {"input": [list(range(1000, 3000))]}), id="tokens as numbers"),
    pytest.param(("/completions", {"prompt": list(range(2000)), "max_tokens": 1}),
                 id="a prompt of numbers"),
    pytest.param(("/completions", {"prompt": "hi", "max_tokens": 400, "best_of": 5}),
                 id="the best of five"),
    pytest.param(chat("hi", max_tokens=600, n=3), id="three answers"),
])
def test_what_exceeds_the_quota_is_not_sent(gateway, upstream, call):
    path, body = call
    route = gateway.route(upstream, "echo")
    token = gateway.token(quota=1500)
    answer = gateway.post("/v1" + path, json.dumps({"model": route.model, **body}), token["key"])
    assert answer.status_code == 429, answer.text
    assert answer.json()["error"]["code"] == "insufficient_quota"
    assert route.requests() == [] and gateway.used_quota(token) == 0


def test_a_picture_is_held_back_as_a_thousand_tokens(gateway, upstream):
    path, body = chat([{"type": "image_url", "image_url": {"url": PICTURE}}])
    route = gateway.route(upstream, "echo")
    body = json.dumps({"model": route.model, **body})
    refused = gateway.post("/v1" + path, body, gateway.token(quota=900)["key"])
    assert refused.status_code == 429, refused.text
    served = gateway.post("/v1" + path, body, gateway.token(quota=1100)["key"])
    assert served.status_code == 200, served.text
