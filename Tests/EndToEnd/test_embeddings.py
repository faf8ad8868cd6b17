# SPDX-License-Identifier: MIT
"""Vectors between the protocols of clients and vendors, and rankings of Cohere's."""

import json

import pytest

import payloads
from process import next_number

VECTORS = [[0.5, -1.25], [2, 0.125]]
VENDORS = {
    "gemini": ("/v1beta/models/m:batchEmbedContents",
               {"embeddings": [{"values": vector} for vector in VECTORS]}),
    "qwen-native": ("/api/v1/services/embeddings/text-embedding/text-embedding",
                    {"output": {"embeddings": [
                        {"text_index": index, "embedding": VECTORS[index]} for index in (1, 0)]},
                     "usage": {"total_tokens": 9}}),
    "cohere": ("/v2/embed", {"embeddings": {"float": VECTORS},
                             "meta": {"billed_units": {"input_tokens": 9}}}),
    "ollama-native": ("/api/embed", {"embeddings": VECTORS, "prompt_eval_count": 9})}


@pytest.fixture(params=list(VENDORS))
def vendor(request, gateway, samples):
    """A public model of a vendor that answers with two vectors."""
    name = f"vectors{next_number()}"
    gateway.channel(samples.url, [name], type=request.param, model_mapping={name: "m"})
    path, answer = VENDORS[request.param]
    samples.samples.append(("application/json", json.dumps(answer).encode()))
    yield name, request.param
    assert samples.requests[-1][0] == path


@pytest.mark.short
def test_openai_clients_get_vectors_of_all_vendors(gateway, vendor):
    name, kind = vendor
    answer = gateway.sdk().embeddings.create(model=name, input=["a", "b"], dimensions=2)
    assert [list(item.embedding) for item in answer.data] == VECTORS
    assert answer.model == name
    assert answer.usage.prompt_tokens == (answer.usage.total_tokens if kind == "gemini" else 9)
    assert answer.usage.prompt_tokens > 0


def test_gemini_clients_get_vectors_of_all_vendors(gateway, vendor):
    body = {"requests": [{"model": f"models/{vendor[0]}", "content": {"parts": [{"text": text}]},
                          "outputDimensionality": 2} for text in "ab"]}
    answer = gateway.post(f"/v1beta/models/{vendor[0]}:batchEmbedContents", json.dumps(body))
    assert answer.json() == {"embeddings": [{"values": vector} for vector in VECTORS]}


@pytest.mark.parametrize("path, body, expected", [
    ("/v1beta/models/{}:embedContent", {"content": {"parts": [{"text": "a"}]}},
     {"embedding": {"values": payloads.VECTOR}}),
    ("/v1/models/{}:embedContent", {"content": {"parts": [{"text": "a"}]}},
     {"embedding": {"values": payloads.VECTOR}}),
    ("/api/embeddings", {"model": "{}", "prompt": "a"}, {"embedding": payloads.VECTOR})])
def test_other_clients_reach_openais_format(gateway, upstream, path, body, expected):
    route = gateway.route(upstream, "echo")
    if "model" in body:
        body = {**body, "model": route.model}
    answer = gateway.post(path.format(route.model), json.dumps(body))
    assert answer.status_code == 200, answer.text
    assert answer.json() == expected
    sent = route.request()
    assert (sent.path, sent.json) == ("/v1/embeddings", {"model": route.model, "input": ["a"]})


def test_ollama_clients_reach_openais_format(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = gateway.post("/api/embed", json.dumps({"model": route.model, "input": ["a", "b"]}))
    said = answer.json()
    assert said["embeddings"] == [payloads.VECTOR] * 2 and said["prompt_eval_count"] > 0


def test_tokens_are_refused_for_vendors_without_words_for_them(gateway, samples):
    name = f"vectors{next_number()}"
    gateway.channel(samples.url, [name], type="cohere")
    answer = gateway.post("/v1/embeddings", json.dumps({"model": name, "input": [1, 2]}))
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "input"


def test_rankings_of_cohere(gateway, samples):
    name = f"rank{next_number()}"
    gateway.channel(samples.url, [name], type="cohere", model_mapping={name: "rerank-v3.5"})
    results = {"results": [{"index": 1, "relevance_score": 0.9}],
               "meta": {"billed_units": {"search_units": 1}}}
    samples.samples.append(("application/json", json.dumps(results).encode()))
    body = {"model": name, "query": "q", "documents": ["a", "b"], "top_n": 1}
    assert gateway.post("/v1/rerank", json.dumps(body)).json() == results
    path, _, sent = samples.requests[-1]
    assert (path, json.loads(sent)) == ("/v2/rerank", {**body, "model": "rerank-v3.5"})
