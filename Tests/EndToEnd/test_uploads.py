# SPDX-License-Identifier: MIT
"""Large forms go through without being held, whichever way the model is known."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import openai
import pytest

from media import sound
from money import expect_used
from process import IS_EMULATED, free_port, is_release, next_number, wait_until
from test_audio import field, form, told

MEGABYTE = 1 << 20
RECORDING = ("long.mp3", sound("long", 25 * MEGABYTE))
SLACK_KB = 2048


@pytest.fixture
def small(make_gateway):
    """A gateway that holds little: of a form 1 MB, of all bodies 8 MB."""
    return make_gateway(memory_limit_mb=24, body_held_limit_kb=1024)


def expect_lean(gateway, before):
    """The most that was ever resident has hardly grown."""
    if is_release() and not IS_EMULATED:
        assert gateway.peak_kb - before < SLACK_KB


def model_last(gateway, route, path="/v1/audio/transcriptions", model=None, key=None, file=None):
    """A form as curl sends it, the file before the model."""
    head = b'Content-Disposition: form-data; name="file"; filename="long.mp3"'
    body = form(b"xyz", (head, (file or RECORDING)[1]),
                field(b"model", (model or route.model).encode()), field(b"language", b"de"))
    return gateway.post(path, body, key,
                        headers={"Content-Type": "multipart/form-data; boundary=xyz"})


def test_the_official_client_sends_25_mb_through_24_mb(small, upstream):
    route = small.route(upstream, "transcript")
    small.get("/v1/models")
    before = small.peak_kb
    answer = small.sdk().audio.transcriptions.create(file=RECORDING, model=route.model)
    assert answer.text == told(RECORDING)
    expect_lean(small, before)
    [request] = route.requests()
    assert int(request.header("content-length")[0]) == len(request.body)


def test_a_mapped_model_is_replaced_while_a_form_passes(small, upstream):
    route = small.route(upstream, "transcript", "never")
    answer = small.sdk().audio.transcriptions.create(file=RECORDING, model=route.model)
    assert answer.text == told(RECORDING)
    assert route.request().fields == {"model": route.request().model}


def test_a_large_form_goes_to_the_next_channel_while_none_is_reached(small, upstream):
    suffix = f"@{next_number()}"
    for number, (address, name) in enumerate([
            (f"http://127.0.0.1:{free_port()}/v1", "a-much-longer-name-than-the-other"),
            (upstream.url(), "transcript")]):
        small.channel(address, ["public" + suffix], priority=9 - number,
                      model_mapping={"public" + suffix: name + suffix})
    answer = small.sdk().audio.transcriptions.create(file=RECORDING, model="public" + suffix)
    assert answer.text == told(RECORDING)
    [request] = upstream.requests(suffix)
    assert request.fields == {"model": "transcript" + suffix}
    assert int(request.header("content-length")[0]) == len(request.body)


@pytest.mark.parametrize("scripts", [["transcript"], ["transcript", "never"]])
def test_the_address_may_name_the_model_that_comes_last(small, upstream, scripts):
    route = small.route(upstream, *scripts)
    small.get("/v1/models")
    before = small.peak_kb
    answer = model_last(small, route, f"/v1/audio/transcriptions?model={route.model}")
    assert answer.json()["text"] == told(RECORDING)
    expect_lean(small, before)
    assert route.request().fields == {"model": route.request().model, "language": "de"}


def test_a_key_for_one_model_needs_no_name(small, upstream):
    route, _ = small.route(upstream, "transcript"), small.route(upstream, "transcript")
    key = small.token(models=[route.model])["key"]
    assert model_last(small, route, key=key).json()["text"] == told(RECORDING)


def test_a_model_that_comes_last_and_differs_is_refused(small, upstream):
    route, other = small.route(upstream, "transcript"), small.route(upstream, "transcript")
    path = f"/v1/audio/transcriptions?model={route.model}"
    answer = model_last(small, route, path, model=other.model)
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "model"
    assert route.requests() == [] and other.requests() == []


def test_a_large_form_whose_model_cannot_be_known_is_refused_at_once(small, upstream):
    route, _ = small.route(upstream, "transcript"), small.route(upstream, "transcript")
    answer = model_last(small, route)
    assert answer.status_code == 413
    assert "?model=NAME" in answer.json()["error"]["message"]
    assert route.requests() == []


def test_a_form_that_can_be_held_may_name_its_model_last(small, upstream):
    route, _ = small.route(upstream, "transcript"), small.route(upstream, "transcript")
    file = ("long.mp3", sound("x", 3 * MEGABYTE))
    assert model_last(small, route, file=file).json()["text"] == told(file)


@pytest.mark.parametrize("end", [b"", b"--x", b"--\r\n\r\n"])
def test_a_large_form_with_a_bad_end_is_never_completed_upstream(small, upstream, end):
    route = small.route(upstream, "transcript")
    head = b'Content-Disposition: form-data; name="file"; filename="long.mp3"'
    body = form(b"xyz", field(b"model", route.model.encode()), (head, RECORDING[1]), end=end)
    answer = small.post("/v1/audio/transcriptions", body,
                        headers={"Content-Type": "multipart/form-data; boundary=xyz"})
    assert answer.status_code == 400, answer.text
    assert route.requests() == []


def test_an_early_refusal_of_a_large_form_arrives(small, upstream):
    base = upstream.url(path="/early-413/v1")
    small.channel(base, ["refuses-early"])
    with pytest.raises(openai.APIStatusError) as caught:
        small.sdk().audio.transcriptions.create(file=RECORDING, model="refuses-early")
    assert caught.value.status_code == 413 and "too large for me" in str(caught.value)


@pytest.mark.parametrize("model_first", [True, False])
def test_a_large_form_waits_for_a_busy_channel(small, upstream, model_first):
    route = small.route(upstream, "transcript", max_concurrency=1)
    slow = small.sdk().with_options(timeout=30)
    path = f"/v1/audio/transcriptions?model={route.model}"
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(slow.audio.transcriptions.create, file=RECORDING, model=route.model)
                 if model_first else pool.submit(model_last, small, route, path)
                 for _ in range(3)]
        for call in calls:
            answer = call.result()
            text = answer.text if model_first else answer.json()["text"]
            assert text == told(RECORDING)
    assert len(route.requests()) == 3


def test_a_large_form_asks_for_no_more_quota_than_its_texts_and_files(small, upstream):
    route, token = small.route(upstream, "transcript"), small.token(quota=1200)
    answer = small.sdk(token["key"]).audio.transcriptions.create(
        file=RECORDING, model=route.model)
    assert answer.text == told(RECORDING)
    expect_used(small, token, 59)


def test_a_form_in_chunks_goes_on_in_chunks(small, upstream):
    route = small.route(upstream, "transcript")
    head = b'Content-Disposition: form-data; name="file"; filename="long.mp3"'
    body = form(b"xyz", field(b"model", route.model.encode()), (head, RECORDING[1]))
    pieces = (body[start:start + 99_999] for start in range(0, len(body), 99_999))
    answer = small.http.post(
        "/v1/audio/transcriptions", content=pieces,
        headers={"Content-Type": "multipart/form-data; boundary=xyz",
                 "Authorization": f"Bearer {small.key()}"})
    assert answer.json()["text"] == told(RECORDING)
    assert route.request().header("transfer-encoding") == ["chunked"]


def test_forms_have_a_limit_of_their_own(make_gateway, upstream):
    gateway = make_gateway(upload_limit_mb=3, body_limit_mb=1, body_held_limit_kb=512)
    route = gateway.route(upstream, "transcript")
    file = ("a.mp3", sound("x", 2 * MEGABYTE))
    create = gateway.sdk().audio.transcriptions.create
    assert create(file=file, model=route.model).text == told(file)
    with pytest.raises(openai.APIStatusError) as caught:
        create(file=("a.mp3", sound("x", 3 * MEGABYTE)), model=route.model)
    assert caught.value.status_code == 413 and "upload_limit_mb" in str(caught.value)


@pytest.mark.native
def test_a_slow_upstream_slows_the_client_down(small, raw):
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    small.channel(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", ["stuck"])
    head = b'Content-Disposition: form-data; name="file"; filename="long.mp3"'
    body = form(b"xyz", field(b"model", b"stuck"), (head, RECORDING[1]))
    before = small.resident_kb
    client = raw(small)
    client.send(b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
                b"Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: %d\r\n\r\n"
                % (small.key().encode(), len(body)))
    accepted = []
    thread = threading.Thread(target=lambda: accepted.append(listener.accept()))
    thread.start()
    client.socket.settimeout(1)
    sent = 0
    with pytest.raises(TimeoutError):
        while sent < len(body):
            sent += client.socket.send(body[sent:sent + MEGABYTE])
    thread.join()
    assert sent < 20 * MEGABYTE, "only the kernel's buffers may hold what nobody reads"
    assert small.resident_kb - before < SLACK_KB
    client.socket.close()
    listener.close()
    accepted[0][0].close()
    wait_until(lambda: small.get("/v1/models").status_code == 200, what="a gateway that lives on")


@pytest.mark.native
def test_a_slow_listener_costs_little(small, upstream, raw):
    route = small.route(upstream, "speech:24000:audio/mpeg")
    body = json.dumps({"model": route.model, "input": "x", "voice": "a"}).encode()
    before = small.resident_kb
    client = raw(small, receive_buffer=65536).send(
        b"POST /v1/audio/speech HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (small.key().encode(), len(body), body))
    client.head()
    seen = [route.request().bytes_sent]

    def has_stalled():
        seen.append(route.request().bytes_sent)
        return seen[-1] == seen[-2] > 0 and len(seen) > 8

    wait_until(has_stalled, 15, "an upstream that is no longer read")
    assert seen[-1] < 16 * MEGABYTE
    assert small.resident_kb - before < SLACK_KB
    assert client._exactly(24_000_000) == sound("x", 24_000_000)
    assert small.resident_kb - before < SLACK_KB
