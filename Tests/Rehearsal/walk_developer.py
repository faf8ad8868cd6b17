# SPDX-License-Identifier: MIT
"""The application developer: points existing SDKs at the gateway and changes nothing else."""

import contextlib
import functools
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import openai
import pytest

import dialects
import payloads
from faulty import failing
from gateway import Gateway
from process import free_port, wait_until
from sdk_clients import BASE64, CLIENTS
from test_sdk_chat import IMAGE_URL, user
from test_sdk_matrix import VENDORS
from traffic import make_group, pool_of

# What the program meets; the SDK's class, the status, and whether the vendor said it.
CLASSES = [
    ("status:400", openai.BadRequestError, 400), ("status:404", openai.NotFoundError, 404),
    ("status:409", openai.InternalServerError, 502),
    ("status:413", openai.APIStatusError, 413),
    ("status:422", openai.UnprocessableEntityError, 422),
    ("status:429", openai.RateLimitError, 429), ("status:500", openai.InternalServerError, 502),
    ("status:503", openai.InternalServerError, 503), ("reset", openai.InternalServerError, 502),
    ("raw:bad-json", openai.InternalServerError, 502),
    ("status:401:invalid_api_key", openai.InternalServerError, 502)]


# What a chat program in a browser does.
BROWSER = """async ([address, key, model]) => {
  try {
    const answer = await fetch(address + "/v1/chat/completions", { method: "POST",
      headers: { Authorization: "Bearer " + key, "Content-Type": "application/json" },
      body: JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "x" }] }) });
    let pieces = 0;
    for (const reader = answer.body.getReader(); !(await reader.read()).done;) pieces += 1;
    return { pieces, id: answer.headers.get("x-request-id") };
  } catch (error) {
    return String(error);
  }
}"""


@contextlib.contextmanager
def http_server(folder):
    """Another site: a server of files at a port of its own."""
    handler = functools.partial(SilentHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class SilentHandler(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """The gateway of somebody else, with a key for the developer."""
    with Gateway(tmp_path_factory.mktemp("developer") / "data") as gateway:
        gateway.set_up()
        gateway.key()
        yield gateway


@pytest.mark.parametrize("sdk", CLIENTS)
def step_sdk(gateway, upstream, sdk):
    """An official SDK: text, stream, picture, tools; at a vendor of each format."""
    client = CLIENTS[sdk](gateway, gateway.key())
    for vendor, fields in VENDORS.items():
        def model(script, fields=fields):
            return gateway.route(upstream, script, **fields).model
        text, is_complete, spent = client.text(model("echo"), "Hello, 世界 🌍")
        assert text == "Hello, 世界 🌍" and is_complete and spent == (11, 5)
        pieces, is_complete, spent = client.stream(model("poem"))
        assert "".join(pieces) == payloads.POEM and is_complete and spent == (11, 5)
        assert client.picture(model("vision")) == dialects.digest("image/png", BASE64)
        for streaming in (False, True):
            name, arguments, text = client.tool(model("tools"), streaming)
            assert (name, arguments["city"], text) == ("get_weather", "Rome", "It is 22 °C.")
        print(f"{sdk} SDK to a vendor of {vendor}'s format: {len(pieces)} pieces, {spent}")


def step_other_calls(gateway, upstream):
    """The OpenAI SDK's other calls: responses, completions, embeddings, images, models."""
    sdk = gateway.sdk()
    model = gateway.route(upstream, "echo").model
    print(sdk.responses.create(model=model, input="Hello").output_text)
    print(sdk.completions.create(model=model, prompt="Hello").choices[0].text)
    print(sdk.embeddings.create(model=model, input=["a", "b"]).data[1].embedding)
    parts = [{"type": "text", "text": "What?"},
             {"type": "image_url", "image_url": {"url": IMAGE_URL}}]
    answer = sdk.chat.completions.create(
        model=gateway.route(upstream, "vision").model, messages=[
            {"role": "user", "content": parts}])
    print(answer.choices[0].message.content)
    names = [each.id for each in sdk.models.list()]
    assert model in names and sdk.models.retrieve(model).id == model


@pytest.mark.parametrize("script, error, status", CLASSES)
def step_error_class(gateway, upstream, script, error, status):
    """A vendor's failure is the exception that the SDK has for it."""
    route = gateway.route(upstream, script)
    with pytest.raises(error) as caught:
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    print(f"{type(caught.value).__name__} {caught.value.status_code} {caught.value.code}: "
          f"{caught.value.body['message']}; request {caught.value.request_id}")
    assert caught.value.status_code == status and caught.value.body["message"]
    assert "sk-upstream" not in str(caught.value)


def step_refusals(gateway, upstream):
    """What the gateway itself refuses is the exception of the real service: key, model, quota."""
    model = gateway.route(upstream, "echo").model
    for key, name, error, code in (
            ("sk-unknown", model, openai.AuthenticationError, "invalid_api_key"),
            (gateway.token(models=["other"])["key"], model, openai.PermissionDeniedError,
             "model_not_allowed"),
            (gateway.token(quota=0)["key"], model, openai.RateLimitError, "insufficient_quota"),
            (gateway.key(), "", openai.BadRequestError, None)):
        with pytest.raises(error) as caught:
            gateway.sdk(key).chat.completions.create(model=name, messages=user("x"))
        print(caught.value.status_code, caught.value.code, caught.value.body["message"])
        assert code in (None, caught.value.code)


def ask(sdk, pool):
    """One answer."""
    return sdk.chat.completions.create(model=pool.model, messages=user("x"))


def step_retries(gateway, fleet):
    """The SDK tries again by itself, as with the real service: 503 twice, then an answer."""
    pool = pool_of(gateway, fleet, {}, group={"retries": 0})
    pool.upstreams[0].next.extend([failing(503), failing(503)])
    ask(gateway.sdk(pool.token["key"], max_retries=2), pool)
    assert pool.counts() == [3]
    print("requests upstream:", pool.counts())


def step_retry_after(gateway, fleet):
    """It waits as long as Retry-After says; the gateway passes on what the vendor asked for."""
    pool = pool_of(gateway, fleet, {}, group={"retries": 0})
    pool.upstreams[0].next.append(failing(429, retry_after=2))
    began = time.monotonic()
    with pytest.raises(openai.RateLimitError) as caught:
        ask(gateway.sdk(pool.token["key"]), pool)
    print("Retry-After:", caught.value.response.headers.get("retry-after"))
    ask(gateway.sdk(pool.token["key"], max_retries=2), pool)
    waited = time.monotonic() - began
    print(f"answered after {waited:.1f} s")
    assert 1.5 < waited < 6 and pool.counts() == [2]


def step_rate_limit(gateway, fleet):
    """A token's own limit a minute: RateLimitError, with the time to wait."""
    pool = pool_of(gateway, fleet, {}, group={})
    token = gateway.token(rpm=2, channel_group=pool.group["name"])
    for _ in range(2):
        ask(gateway.sdk(token["key"]), pool)
    with pytest.raises(openai.RateLimitError) as caught:
        ask(gateway.sdk(token["key"]), pool)
    print(caught.value.body["message"], caught.value.response.headers["retry-after"])
    assert 1 <= int(caught.value.response.headers["retry-after"]) <= 60


def step_timeouts(gateway, upstream):
    """The SDK's own timeout is APITimeoutError, and the vendor is left at once."""
    route = gateway.route(upstream, "never")
    began = time.monotonic()
    with pytest.raises(openai.APITimeoutError):
        gateway.sdk(gateway.key(), timeout=0.5).chat.completions.create(
            model=route.model, messages=user("x"))
    assert time.monotonic() - began < 3
    assert route.request().gone.wait(3), "the vendor still works for nobody"


def step_no_connection(gateway):
    """A gateway that is not there is APIConnectionError."""
    sdk = openai.OpenAI(api_key="sk-x", base_url=f"http://127.0.0.1:{free_port()}/v1",
                        max_retries=0)
    with pytest.raises(openai.APIConnectionError):
        sdk.models.list()


@pytest.mark.parametrize("script", ["error:6", "cut:6", "drop:6"])
def step_broken_stream(gateway, upstream, script):
    """A stream that breaks off is never taken for a complete one."""
    route = gateway.route(upstream, script)
    pieces = []
    with pytest.raises(openai.APIError) as caught:
        for chunk in gateway.sdk().chat.completions.create(
                model=route.model, messages=user("x"), stream=True):
            pieces += [c.delta.content for c in chunk.choices if c.delta.content]
    print(f"after {''.join(pieces)!r}: {type(caught.value).__name__}: {caught.value}")
    assert pieces


def step_chat_client(gateway, upstream):
    """What chat programs ask before they work: the balance and the models."""
    route = gateway.route(upstream, "echo")
    token = gateway.token(quota=1_000_000)
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    for prefix in ("", "/v1"):
        limit = gateway.get(prefix + "/dashboard/billing/subscription", token["key"]).json()
        wait_until(lambda: gateway.used_quota(token) == 16, what="the charge")
        used = gateway.get(prefix + "/dashboard/billing/usage", token["key"]).json()
        print(limit, used)
        # 500,000 units are 1 USD; the usage is in hundredths of it.
        assert limit["hard_limit_usd"] == 2 and used["total_usage"] == pytest.approx(0.0032)
    models = gateway.get("/v1/models", token["key"]).json()["data"]
    assert route.model in [model["id"] for model in models]


def step_a_missing_model(gateway, upstream):
    """The sentences for a model that nobody serves, or that this key may not use, differ."""
    gateway.route(upstream, "echo")
    lonely = make_group(gateway)["name"]
    model = gateway.route(upstream, "echo").model
    for key, name in ((gateway.key(), "no-such-model"),
                      (gateway.token(channel_group=lonely)["key"], model)):
        with pytest.raises(openai.NotFoundError) as caught:
            gateway.sdk(key).chat.completions.create(model=name, messages=user("x"))
        print(caught.value.body["message"])
        assert caught.value.code == "model_not_found"


def step_program_in_a_browser(chromium, tmp_path, upstream):
    """With `cors: true` a page of another site reads a stream piece by piece; without, nothing."""
    page = chromium.new_page()
    with http_server(tmp_path) as site:
        for cors in ("false", "true"):
            with Gateway(tmp_path / cors, {"cors": cors}) as gateway:
                gateway.set_up()
                model = gateway.route(upstream, "slow-stream:20").model
                page.goto(site)
                found = page.evaluate(BROWSER, [gateway.url, gateway.key(), model])
                print(cors, found)
            if cors == "true":
                assert found["pieces"] > 5 and found["id"]
            else:
                assert found == "TypeError: Failed to fetch"
    page.close()
