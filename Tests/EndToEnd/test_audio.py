# SPDX-License-Identifier: MIT
"""Speech and transcripts, with the official client where it has the call."""

import base64
import hashlib
import io
import json
import os

import openai
import pytest

from media import sound
from money import expect_used
from process import wait_until

WORDS = "Guten Tag, 世界!"       # 14 characters, 18 bytes
pytestmark = pytest.mark.usefixtures("no_prices")


def recording(count=5000, name="tag.mp3"):
    return name, sound("recording", count)


def told(*files):
    """What the upstream says about files that arrived whole."""
    return ", ".join(f"{name} {len(raw)} {hashlib.sha256(raw).hexdigest()}" for name, raw in files)


def row(gateway, token):
    """The only row of a token's log."""
    def rows():
        return gateway.items("/logs", f"token_id={token['id']}&")
    wait_until(lambda: len(rows()) == 1, 8, "a log row")
    return rows()[0]


# Speech


@pytest.mark.parametrize(
    "kind", ["audio/mpeg", "audio/wav:chunked", "application/octet-stream:close"])
def test_speech_comes_as_bytes(gateway, upstream, kind):
    route, token = gateway.route(upstream, f"speech:300:{kind}"), gateway.token()
    with gateway.sdk(token["key"]).audio.speech.with_streaming_response.create(
            model=route.model, input=WORDS, voice="alloy", response_format="mp3") as answer:
        assert answer.headers["content-type"] == kind.split(":")[0]
        assert answer.headers["x-tinygateway-attempts"] == "1"
        raw = b"".join(answer.iter_bytes())
    assert raw == sound(WORDS, 300_000)
    assert route.request().path == "/v1/audio/speech"
    expect_used(gateway, token, 14)


def test_speech_comes_as_events(gateway, upstream):
    route, token = gateway.route(upstream, "speech:10"), gateway.token()
    body = json.dumps({"model": route.model, "input": "hi", "voice": "alloy",
                       "stream_format": "sse"})
    answer = gateway.post("/v1/audio/speech", body, token["key"])
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line]
    audio = b"".join(base64.b64decode(e["audio"]) for e in events if e["type"].endswith("delta"))
    assert audio == sound("hi", 10_000)
    assert events[-1]["type"] == "speech.audio.done" and "[DONE]" not in answer.text
    expect_used(gateway, token, 27)
    assert row(gateway, token)["stream"] is True


def test_events_without_their_end_are_an_error(gateway, upstream):
    route = gateway.route(upstream, "speech:10:cut")
    body = json.dumps({"model": route.model, "input": "hi", "voice": "a", "stream_format": "sse"})
    answer = gateway.post("/v1/audio/speech", body)
    assert '"stream_interrupted"' in answer.text.splitlines()[-2]


@pytest.mark.parametrize("broken", ["raw:html-200", "speech:0", "speech:1:image/png", "status:500",
                                    "raw:error-200", "speech-cut:0", "speech:1:text/plain"])
def test_speech_is_retried_before_its_first_byte(gateway, upstream, broken):
    route = gateway.route(upstream, broken, "speech:20")
    answer = gateway.sdk().audio.speech.create(model=route.model, input="x", voice="alloy")
    assert answer.content == sound("x", 20_000)
    assert len(route.requests()) == 2


def test_speech_that_breaks_off_is_no_whole_answer(gateway, upstream):
    route = gateway.route(upstream, "speech-cut:65536", "speech:20")
    body = json.dumps({"model": route.model, "input": "x", "voice": "alloy"})
    with pytest.raises(Exception, match="(?i)incomplete|peer closed|closed connection"):
        gateway.post("/v1/audio/speech", body)
    assert len(route.requests()) == 1


# Transcripts


@pytest.mark.short
def test_a_transcript_in_every_format(gateway, upstream):
    route, file = gateway.route(upstream, "transcript"), recording()
    create = gateway.sdk().audio.transcriptions.create
    assert create(file=file, model=route.model).text == told(file)
    verbose = create(file=file, model=route.model, response_format="verbose_json",
                     timestamp_granularities=["word", "segment"])
    assert (verbose.text, verbose.duration) == (told(file), 12.5)
    for form in ("text", "srt", "vtt"):
        assert told(file) in create(file=file, model=route.model, response_format=form)
    for request in route.requests():
        assert request.path == "/v1/audio/transcriptions"
        assert int(request.header("content-length")[0]) == len(request.body)


@pytest.mark.parametrize("script", ["transcript", "transcript:done"])
def test_a_transcript_as_events(gateway, upstream, script):
    route, token, file = gateway.route(upstream, script), gateway.token(), recording()
    stream = gateway.sdk(token["key"]).audio.transcriptions.create(
        file=file, model=route.model, stream=True)
    events = list(stream)
    assert "".join(e.delta for e in events[:-1]).strip() == events[-1].text == told(file)
    expect_used(gateway, token, 59)
    assert row(gateway, token)["stream"] is True


def test_a_translation(gateway, upstream):
    route, file = gateway.route(upstream, "transcript"), recording(name="gruß.mp3")
    answer = gateway.sdk().audio.translations.create(file=file, model=route.model, prompt="Tag")
    assert hashlib.sha256(file[1]).hexdigest() in answer.text
    assert route.request().path == "/v1/audio/translations"
    assert route.request().fields == {"model": route.model, "prompt": "Tag"}


def test_a_mapped_model_and_nothing_else_is_changed(gateway, upstream):
    route, file = gateway.route(upstream, "status:500", "transcript"), recording()
    answer = gateway.sdk().audio.transcriptions.create(
        file=file, model=route.model, language="de", temperature=0.5)
    assert answer.text == told(file)
    first, second = route.requests()
    assert first.fields == {"language": "de", "temperature": "0.5", "model": first.model}
    assert first.model.startswith("status") and second.model.startswith("transcript")
    assert first.body.replace(first.model.encode(), b"") == \
        second.body.replace(second.model.encode(), b"")


@pytest.mark.parametrize(("script", "form", "charge"), [
    ("transcript", "json", 59), ("transcript:seconds", "json", 125),
    # The name of the model and of the format, a file, and the text that came.
    ("transcript:no-usage", "text", None), ("transcript:silent", "text", None)])
def test_what_a_transcript_costs(gateway, upstream, script, form, charge):
    route, token, file = gateway.route(upstream, script), gateway.token(), recording()
    answer = gateway.sdk(token["key"]).audio.transcriptions.create(
        file=file, model=route.model, response_format=form)
    if charge is None:
        asked = (len(route.model) + len(form) + 3) // 4 + 1000
        charge = asked + (len(answer) + 3) // 4
    expect_used(gateway, token, charge)
    assert row(gateway, token)["estimated"] is (form == "text")


def test_a_page_is_a_text_only_where_one_was_asked_for(gateway, upstream):
    route, file = gateway.route(upstream, "raw:html-200", "transcript"), recording()
    create = gateway.sdk().audio.transcriptions.create
    assert create(file=file, model=route.model).text == told(file)
    answer = gateway.http.post(
        "/v1/audio/transcriptions", data={"model": route.model, "response_format": "text"},
        files={"file": file}, headers={"Authorization": f"Bearer {gateway.key()}"})
    assert answer.text == "<html></html>"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


# Forms that are refused


def form(boundary, *parts, end=b"--\r\n"):
    mark = b"--" + boundary
    return b"".join(mark + b"\r\n" + head + b"\r\n\r\n" + value + b"\r\n"
                    for head, value in parts) + mark + end


def field(name, value):
    return b'Content-Disposition: form-data; name="%s"' % name, value


@pytest.mark.parametrize(("parts", "end", "words"), [
    ([], b"--\r\n", "model is missing"),
    ([field(b"model", b"a"), field(b"model", b"b")], b"--\r\n", "two fields of one name"),
    ([field(b"model", b"a b")], b"--\r\n", "must be a name"),
    ([field(b"model", b"a")], b"--\r\nmore", "behind a boundary"),
    ([field(b"model", b"a")], b"", "no proper end"),
    ([field(b"mod\\el", b"a")], b"--\r\n", "cannot be read"),
    ([(b"Content-Type: text/plain", b"a")], b"--\r\n", "without Content-Disposition"),
    ([field(b"stream", b"maybe"), field(b"model", b"a")], b"--\r\n", "true or false"),
])
def test_a_bad_form_is_refused(gateway, parts, end, words):
    answer = gateway.post("/v1/audio/transcriptions", form(b"xyz", *parts, end=end),
                          headers={"Content-Type": "multipart/form-data; boundary=xyz"})
    assert answer.status_code == 400, answer.text
    assert words in answer.json()["error"]["message"]


@pytest.mark.parametrize("kind", [
    "application/json", "multipart/form-data", "multipart/form-data; boundary=\"a",
    "multipart/mixed; boundary=a"])
def test_a_transcription_takes_nothing_but_a_form(gateway, kind):
    answer = gateway.post("/v1/audio/transcriptions", b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_form"


def test_an_unknown_model_and_a_forbidden_one(gateway, upstream):
    route, other = gateway.route(upstream, "transcript"), gateway.route(upstream, "transcript")
    key = gateway.token(models=[other.model])["key"]
    file = ("a.wav", io.BytesIO(os.urandom(100)))
    with pytest.raises(openai.PermissionDeniedError):
        gateway.sdk(key).audio.transcriptions.create(file=file, model=route.model)
    with pytest.raises(openai.NotFoundError):
        gateway.sdk().audio.transcriptions.create(file=file, model="no-such-model-here")
    assert route.requests() == []
