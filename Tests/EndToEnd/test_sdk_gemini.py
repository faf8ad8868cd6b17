# SPDX-License-Identifier: MIT
"""The official google-genai SDK through `/v1beta`, to vendors of Google's format and of OpenAI's;
the OpenAI SDK to a vendor of Google's; and Vertex AI with its token endpoint."""

import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from google import genai
from google.genai import errors, types

import dialects_gemini
import payloads
from process import PATIENCE
from test_sdk_chat import IMAGE_URL, WEATHER, collect, user

OPENAI = {"path": "/v1"}
OWN = {"path": "", "type": "gemini"}
BOTH = pytest.mark.parametrize("vendor", [OPENAI, OWN], ids=["openai", "gemini"])


@pytest.fixture(scope="module")
def client(gateway):
    """The SDK with its key in `x-goog-api-key`, without its own retries."""
    return genai.Client(api_key=gateway.key(), http_options=types.HttpOptions(
        base_url=gateway.url, timeout=int(30_000 * PATIENCE)))


@pytest.mark.short
@BOTH
def test_answers_generate_content(gateway, upstream, client, vendor):
    route = gateway.route(upstream, "echo", **vendor)
    answer = client.models.generate_content(
        model=route.model, contents="Hello, 世界 🌍", config=types.GenerateContentConfig(
            system_instruction="Be kind.", temperature=0.5, stop_sequences=["END"]))
    assert answer.text == "Hello, 世界 🌍"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    usage = answer.usage_metadata
    assert (usage.prompt_token_count, usage.total_token_count) == (11, 16)


@BOTH
def test_tells_errors_in_googles_words(gateway, upstream, client, vendor):
    script = "status:503" if vendor is OPENAI else "error-503-UNAVAILABLE"
    route = gateway.route(upstream, script, **vendor)
    with pytest.raises(errors.ServerError) as caught:
        client.models.generate_content(model=route.model, contents="hi")
    assert (caught.value.code, caught.value.status) == (503, "UNAVAILABLE")
    with pytest.raises(errors.ClientError) as caught:
        client.models.generate_content(model="no-such-model", contents="hi")
    assert (caught.value.code, caught.value.status) == (404, "NOT_FOUND")


def test_streams_one_array_without_alt(gateway, upstream):
    route = gateway.route(upstream, "poem", **OWN)
    answer = gateway.post(
        f"/v1beta/models/{route.model}:streamGenerateContent",
        json.dumps({"contents": [{"role": "user", "parts": [{"text": "a poem"}]}]}))
    assert answer.headers["content-type"] == "application/json"
    parts = [p["candidates"][0]["content"]["parts"] for p in answer.json()]
    assert "".join(p.get("text", "") for each in parts for p in each) == payloads.POEM


def test_takes_the_key_in_the_query(gateway, upstream):
    route = gateway.route(upstream, "echo", **OWN)
    answer = gateway.http.post(
        f"/v1beta/models/{route.model}:generateContent?key={gateway.key()}",
        json={"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    assert answer.status_code == 200
    assert gateway.key() not in route.request().path


def test_lists_models_and_counts_tokens(gateway, upstream, client):
    own, other = gateway.route(upstream, "echo", **OWN), gateway.route(upstream, "echo")
    names = {model.name for model in client.models.list()}
    assert {f"models/{own.model}", f"models/{other.model}"} <= names
    assert client.models.get(model=own.model).name == f"models/{own.model}"
    assert client.models.count_tokens(model=own.model, contents="hello").total_tokens == 77
    assert client.models.count_tokens(model=other.model, contents="hello").total_tokens > 0


@pytest.mark.short
def test_serves_openais_clients(gateway, upstream):
    sdk = gateway.sdk()
    route = gateway.route(upstream, "poem", **OWN)
    text, usage = collect(sdk.chat.completions.create(
        model=route.model, messages=user("a poem"), stream=True,
        stream_options={"include_usage": True}))
    assert text == payloads.POEM
    assert (usage.prompt_tokens, usage.completion_tokens) == (11, 5)
    route = gateway.route(upstream, "thinking", **OWN)
    answer = sdk.chat.completions.create(model=route.model, messages=user("2+2"))
    assert answer.choices[0].message.reasoning_content == "2+2 is 4."
    route = gateway.route(upstream, "vision", **OWN)
    picture = {"type": "image_url", "image_url": {"url": IMAGE_URL}}
    answer = sdk.chat.completions.create(
        model=route.model, messages=[{"role": "user", "content": [picture]}])
    assert answer.choices[0].message.content.startswith("image/png")
    route = gateway.route(upstream, "blocked", **OWN)
    answer = sdk.chat.completions.create(model=route.model, messages=user("x"))
    assert answer.choices[0].finish_reason == "content_filter"


def test_gives_signatures_back(gateway, upstream):
    route = gateway.route(upstream, "tools", **OWN)
    sdk, history = gateway.sdk(), user("Weather in Rome?")
    answer = sdk.chat.completions.create(model=route.model, messages=history, tools=WEATHER)
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    call = message.tool_calls[0].model_dump()
    assert call["extra_content"]["google"]["thought_signature"] == dialects_gemini.SIGNATURE
    history += [message.model_dump(exclude_none=True), {
        "role": "tool", "tool_call_id": call["id"], "content": "18 °C"}]
    answer = sdk.chat.completions.create(model=route.model, messages=history, tools=WEATHER)
    assert answer.choices[0].message.content == "It is 18 °C."
    parts = [p for c in route.request(2).json["contents"] for p in c["parts"]]
    assert [p["thoughtSignature"] for p in parts if "functionCall" in p] == [
        dialects_gemini.SIGNATURE]


def test_exchanges_a_service_account_for_vertex(gateway, upstream):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()).decode()
    account = {"type": "service_account", "project_id": "example-project",
               "private_key_id": "k1", "private_key": pem,
               "client_email": "a@example-project.iam.gserviceaccount.com",
               "token_uri": "https://oauth2.googleapis.com/token"}
    route = gateway.route(
        upstream, "echo", path="", type="vertex", keys=[json.dumps(account, indent=2)],
        config={"token_url": upstream.url(path="/oauth/token"), "location": "us-central1"})
    for _ in range(2):
        answer = gateway.sdk().chat.completions.create(model=route.model, messages=user("hello"))
        assert answer.choices[0].message.content == "hello"
    path = "/v1/projects/example-project/locations/us-central1/publishers/google/models/"
    assert route.request().path == f"{path}{route.model}:generateContent"
    asked = [e for e in upstream.requests("") if e.path == "/oauth/token"]
    assert len(asked) == 1, "one token serves both"
    head, claims, signature = asked[0].body.decode().partition("assertion=")[2].split(".")
    private.public_key().verify(
        dialects_gemini.base64.urlsafe_b64decode(signature + "=="), f"{head}.{claims}".encode(),
        padding.PKCS1v15(), hashes.SHA256())
