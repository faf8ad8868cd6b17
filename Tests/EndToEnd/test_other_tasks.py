# SPDX-License-Identifier: MIT
"""Images from forms, moderations, ranked documents, and vectors as base64."""

import base64
import json

import pytest

from media import VECTOR, single
from money import expect_used
from process import next_number

PICTURE = ("a.png", b"\x89PNG\r\n\x1a\n--\r\n" * 99, "image/png")
MASK = ("m.png", b"mask", "image/png")
pytestmark = pytest.mark.usefixtures("no_prices")


def default_model(gateway, upstream, name, script):
    """Serves a model of OpenAI's own under a script's name; what makes it unique."""
    unique = f"@{next_number()}"
    channel = gateway.channel(upstream.url(), [name], model_mapping={name: script + unique})
    return channel, unique


def test_images_are_edited(gateway, upstream):
    route, token = gateway.route(upstream, "pictures"), gateway.token()
    gateway.call("POST", "/prices", {"model": route.model, "prompt": "0", "image": "1000"})
    answer = gateway.sdk(token["key"]).images.edit(
        model=route.model, image=[PICTURE, PICTURE], mask=MASK, prompt="a hat", n=2)
    assert len(answer.data) == 2
    said = base64.b64decode(answer.data[0].b64_json).decode()
    assert said.startswith("['model', 'n', 'prompt'] a.png 1188") and "m.png 4" in said
    assert route.request().path == "/v1/images/edits"
    expect_used(gateway, token, 2000)


def test_a_form_may_leave_out_the_model_that_openai_assumes(gateway, upstream):
    channel, unique = default_model(gateway, upstream, "dall-e-2", "pictures")
    answer = gateway.sdk().images.create_variation(image=PICTURE, n=1)
    assert "a.png" in base64.b64decode(answer.data[0].b64_json).decode()
    [request] = upstream.requests(unique)
    assert [part.name for part in request.parts][0] == "model"
    assert request.path == "/v1/images/variations"
    gateway.call("DELETE", f"/channels/{channel['id']}")


def test_images_may_be_edited_by_json(gateway, upstream):
    route = gateway.route(upstream, "pictures")
    body = json.dumps({"model": route.model, "prompt": "x", "images": [{"file_id": "f"}]})
    answer = gateway.post("/v1/images/edits", body)
    assert answer.status_code == 200, answer.text
    assert route.request().json["images"] == [{"file_id": "f"}]


@pytest.mark.parametrize(("name", "value"), [("n", "0"), ("n", "129"), ("n", "two"),
                                             ("stream", "true")])
def test_images_with_fields_that_cannot_be(gateway, upstream, name, value):
    route = gateway.route(upstream, "pictures")
    answer = gateway.http.post(
        "/v1/images/edits", data={"model": route.model, name: value}, files={"image": PICTURE},
        headers={"Authorization": f"Bearer {gateway.key()}"})
    assert answer.status_code == 400 and answer.json()["error"]["param"] == name
    assert route.requests() == []


def test_texts_are_moderated(gateway, upstream):
    route, token = gateway.route(upstream, "moderation"), gateway.token()
    answer = gateway.sdk(token["key"]).moderations.create(model=route.model, input="x" * 400)
    assert answer.results[0].flagged is False
    expect_used(gateway, token, (400 + len(route.model) + 3) // 4)
    channel, unique = default_model(gateway, upstream, "omni-moderation-latest", "moderation")
    assert gateway.sdk().moderations.create(input="y").model == "moderation" + unique
    gateway.call("DELETE", f"/channels/{channel['id']}")


@pytest.mark.parametrize(("path", "vendor", "charge"), [
    ("/v1/rerank", "jina", 30), ("/v2/rerank", "silicon", 26), ("/v1/reranks", "jina", 30),
    ("/rerank", "cohere", None)])
def test_documents_are_ranked(gateway, upstream, path, vendor, charge):
    route, token = gateway.route(upstream, f"ranks:{vendor}"), gateway.token()
    documents = ["short", "a longer one", "the longest of them all"]
    body = {"model": route.model, "query": "which?", "documents": documents, "top_n": 2,
            "return_documents": False}
    answer = gateway.post(path, json.dumps(body), token["key"])
    assert [result["index"] for result in answer.json()["results"]] == [2, 1]
    assert route.request().path == "/v1/rerank" and route.request().json == body
    texts = len(route.model) + len("which?") + sum(map(len, documents))
    expect_used(gateway, token, charge or (texts + 3) // 4)


# Vectors


@pytest.mark.short
@pytest.mark.parametrize("script", ["floats", "echo"])
def test_vectors_come_as_the_official_client_asks(gateway, upstream, script):
    route = gateway.route(upstream, script)
    answer = gateway.sdk().embeddings.create(model=route.model, input=["a", "b"])
    assert route.request().json["encoding_format"] == "base64"
    expected = single(VECTOR) if script == "floats" else [0.25, -0.5, 1.0]
    assert [list(item.embedding) for item in answer.data] == [expected] * 2
    assert answer.usage.total_tokens == 4


def test_vectors_stay_numbers_where_nobody_asked(gateway, upstream):
    route = gateway.route(upstream, "floats")
    answer = gateway.post("/v1/embeddings", json.dumps({"model": route.model, "input": "a"}))
    assert answer.json()["data"][0]["embedding"] == VECTOR
    assert "content-length" in answer.headers


def test_a_large_answer_is_encoded_as_it_passes(gateway, upstream):
    route, token = gateway.route(upstream, "floats:512"), gateway.token()
    answer = gateway.sdk(token["key"]).embeddings.create(model=route.model, input=["a"] * 64)
    assert [list(item.embedding) for item in answer.data] == [single(VECTOR * 512)] * 64
    expect_used(gateway, token, 4)


def test_a_vector_that_is_none_is_a_failed_attempt(gateway, upstream):
    route = gateway.route(upstream, "nested", "floats")
    answer = gateway.sdk().embeddings.create(model=route.model, input="a")
    assert list(answer.data[0].embedding) == single(VECTOR)
    assert len(route.requests()) == 2
