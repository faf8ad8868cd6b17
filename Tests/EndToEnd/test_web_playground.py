# SPDX-License-Identifier: MIT
"""The playground: conversations that stream, stop and fail, and the reader of event streams."""

import base64
import os
import subprocess
import sys

import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, create
from gateway import PASSWORD
from pages import DESKTOP, PHONE, Pages
from payloads import POEM
from process import wait_until

pytestmark = pytest.mark.native

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg==")
# Imports the module and gives what it makes of a stream: whole, split in two at each byte, and
# byte by byte; all must be the same.
READ = """async (bytes) => {
  const script = document.querySelector("script[src]").src;
  const { events } = await import(script.replace("app.js", "stream.js"));
  const whole = new Uint8Array(bytes);
  const read = async (...pieces) => {
    const stream = new ReadableStream({ start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    } });
    const found = [];
    for await (const { event, data } of events(stream)) found.push([event, data]);
    return JSON.stringify(found);
  };
  const first = await read(whole);
  for (let cut = 0; cut <= whole.length; cut++) {
    const other = await read(whole.slice(0, cut), whole.slice(cut));
    if (other !== first) return `split at ${cut}: ${other}`;
  }
  const single = await read(...[...whole].map((byte) => new Uint8Array([byte])));
  return single === first ? JSON.parse(first) : `byte by byte: ${single}`;
}"""


@pytest.fixture
def token(gateway):
    """A token of root's for the page, which prefers this name."""
    token = gateway.call("POST", "/tokens", {"name": "playground"})
    yield token
    gateway.call("DELETE", f"/tokens/{token['id']}")


@pytest.fixture
def route(gateway, upstream):
    """Makes models; their channels go after the test."""
    made = []

    def make(*scripts, **fields):
        made.append(gateway.route(upstream, *scripts, **fields))
        return made[-1]

    yield make
    for each in made:
        for channel in each.channels:
            gateway.call("DELETE", f"/channels/{channel['id']}")


@pytest.fixture
def opened(visit, token):
    """Opens the playground of root with a model."""
    def open_page(model, **options):
        pages = visit(**options).log_in(at="/#/playground")
        return choose(pages, model)
    return open_page


def choose(pages, model):
    """Searches for a model and takes it."""
    pages.page.fill("[name=model]", model)
    pages.page.press("[name=model]", "Enter")
    expect(pages.page.locator("[name=model]")).to_have_value(model)
    return pages


def say(pages, text):
    """Types a message, sends it, and gives the turn that answers."""
    pages.page.fill("#draft", text)
    pages.page.press("#draft", "Enter")
    return pages.page.locator(".turn.assistant").last


def ended(turn):
    """Waits until an answer has ended."""
    expect(turn).not_to_have_attribute("aria-busy", "true")
    return turn


@pytest.mark.parametrize("text, expected", [
    ("data: a\n\ndata: b\n\n", [["message", "a"], ["message", "b"]]),
    ("\ufeffdata: 世界 🌍\r\n\r\ndata:b\r\n\r\n", [["message", "世界 🌍"], ["message", "b"]]),
    ("data: a\r\rdata: b\r\r", [["message", "a"], ["message", "b"]]),
    (": hello\n\nid: 1\nretry: 5\ndata: a\n: again\ndata:  b\n\n", [["message", "a\n b"]]),
    ("event: error\ndata: {}\n\ndata: a\n\n", [["error", "{}"], ["message", "a"]]),
    ("event: ping\n\ndata\n\ndata: a", [["message", ""], ["message", "a"]]),
    ("", []),
], ids=["lf", "crlf", "cr", "comments", "event", "unfinished", "empty"])
def test_an_event_stream_is_read_in_whatever_pieces_it_comes(visit, text, expected):
    pages = visit()
    pages.page.goto("/")
    assert pages.page.evaluate(READ, list(text.encode())) == expected


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_conversation_streams_and_is_logged(opened, route, gateway, size):
    model, slow = route("reason"), route("slow-stream:60")
    pages = opened(model.model, size=size)
    page = pages.page
    turn = ended(say(pages, "two and two?"))
    expect(turn.locator(".body > div")).to_have_text("4")
    expect(turn).to_contain_text("11 + 5 tokens")
    expect(turn).to_contain_text(f"channel {model.channel['name']}")
    expect(turn.locator("details > div")).to_be_hidden()
    turn.locator("summary").click()
    expect(turn.locator("details > div")).to_have_text("2+2 is 4.")
    link = turn.get_by_role("link")
    request = link.get_attribute("href").split("=")[1]
    row, = gateway.call("GET", f"/logs?request_id={request}")["items"]
    assert (row["model"], row["stream"], row["token_name"]) == (model.model, True, "playground")

    page.locator("summary", has_text="parameters").click()
    page.fill("[name=system]", "Be brief.")
    page.fill("[name=temperature]", "0.5")
    page.fill("[name=max_tokens]", "64")
    choose(pages, slow.model)
    page.fill("#draft", "first line")
    page.press("#draft", "Shift+Enter")
    page.keyboard.type("second line")
    turn = say(pages, page.input_value("#draft"))
    expect(turn).to_contain_text("春眠")
    expect(turn).to_have_attribute("aria-busy", "true")
    expect(ended(turn)).to_contain_text("quoted")
    body = slow.request().json
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "two and two?"},
        {"role": "assistant", "content": "4"},
        {"role": "user", "content": "first line\nsecond line"}]
    assert (body["temperature"], body["max_tokens"], body["stream"]) == (0.5, 64, True)


def test_a_stopped_answer_keeps_what_had_come(opened, route, gateway, token):
    stalls = route("stall:5")
    pages = opened(stalls.model)
    turn = say(pages, "go on")
    expect(turn).to_contain_text("春眠不")
    pages.page.click("#stop")
    expect(ended(turn)).to_contain_text("Stopped.")
    expect(turn).to_contain_text("春眠不")
    expect(turn).not_to_contain_text("so on")
    expect(pages.page.locator("#send")).to_be_visible()
    rows = wait_until(lambda: gateway.call("GET", f"/logs?token_id={token['id']}")["items"])
    assert rows[0]["client_gone"] is True


def test_errors_are_said_at_the_answer(opened, route):
    broken, refused, good = route("error:4"), route("status:400:bad"), route("echo")
    pages = opened(refused.model)
    pages.expect_error("400", "Failed to load resource")
    page = pages.page
    turn = ended(say(pages, "hello"))
    expect(turn.locator("[role=alert]")).to_contain_text("upstream says 400")
    expect(turn).to_contain_text(f"channel {refused.channel['name']}")
    choose(pages, broken.model)
    turn = ended(say(pages, "hello again"))
    expect(turn.locator("[role=alert]")).to_be_visible()
    expect(turn).to_contain_text(POEM[:3])
    # Edited and sent again, the conversation goes on from there.
    choose(pages, good.model)
    mine = page.locator(".turn.user").last
    mine.get_by_role("button", name="Edit").click()
    page.locator(".turn.user textarea").fill("corrected")
    page.locator(".turn.user").last.get_by_role("button", name="Send again").click()
    expect(ended(page.locator(".turn.assistant").last)).to_contain_text("corrected")
    said = [message["content"] for message in good.request().json["messages"]]
    assert said == ["hello", "corrected"]
    page.fill("[name=model]", "no such model")
    expect(page.get_by_role("listbox")).to_have_text("Nothing found.")
    page.locator(".setup summary").click()
    expect(page.locator("[name=model]")).to_have_value(good.model)
    page.fill("[name=temperature]", "3")
    expect(page.locator("[data-field=temperature] small")).to_have_text("From 0 to 2.")
    page.fill("#draft", "kept")
    page.press("#draft", "Enter")
    expect(page.locator(".composer .problem")).to_be_visible()
    expect(page.locator("#draft")).to_have_value("kept")
    page.click("#clear")
    page.get_by_role("dialog").get_by_role("button", name="Clear").click()
    expect(page.locator(".turn")).to_have_count(0)


def test_an_ended_login_and_a_lost_connection_lose_nothing(chromium, make_gateway, upstream):
    gateway = make_gateway()
    stalls = gateway.route(upstream, "stall:5")
    gateway.call("POST", "/tokens", {"name": "playground"})
    with Pages(chromium, gateway) as pages:
        pages.expect_error("401", "Failed to load resource", "ERR_")
        page = pages.log_in(at="/#/playground").page
        expect(page.locator("#draft")).to_be_visible()
        pages.context.clear_cookies()
        turn = say(pages, "go on")
        again = page.get_by_role("dialog", name="Log in again")
        again.locator("[name=password]").fill(PASSWORD)
        again.locator("button[type=submit]").click()
        expect(turn).to_contain_text("春眠不")
        assert len(stalls.requests()) == 1
        gateway.kill()
        expect(ended(turn)).to_contain_text("The answer broke off: the connection was lost.")
        expect(turn).to_contain_text("春眠不")


def test_what_a_model_says_is_text(opened, route):
    pages = opened(route("echo").model)
    text = "<img src=x onerror=alert(1)>\n```html\n<script>alert(2)</script>\n```\nend"
    turn = ended(say(pages, text.replace("\n", " ")))
    expect(turn).to_contain_text("<img src=x onerror=alert(1)>")
    pages.page.fill("#draft", text)
    pages.page.press("#draft", "Enter")
    turn = ended(pages.page.locator(".turn.assistant").nth(1))
    expect(turn.locator("pre")).to_have_text("<script>alert(2)</script>")
    assert pages.page.locator("main img, main script").count() == 0


def test_an_image_goes_with_the_message(opened, route):
    seen = route("vision")
    pages = opened(seen.model)
    page = pages.page
    page.set_input_files("#images", [{"name": "a.png", "mimeType": "image/png", "buffer": PIXEL}])
    expect(page.locator(".shelf img")).to_be_visible()
    turn = ended(say(pages, "what is it?"))
    expect(turn).to_contain_text(f"image/png {len(PIXEL)}")
    content = seen.request().json["messages"][0]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    expect(page.locator(".shelf img")).to_have_count(0)
    page.set_input_files("#images", [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"x"}])
    expect(page.locator(".composer .problem")).to_have_text("a.txt is no image.")


@pytest.mark.parametrize("size, language", [(PHONE, "zh"), (DESKTOP, "en")],
                         ids=["phone", "desktop"])
def test_the_page_fits_and_can_be_read_aloud(opened, route, size, language):
    pages = opened(route("reason").model, size=size, language=language)
    ended(say(pages, "two and two?"))
    pages.page.locator(".setup summary").click()
    pages.page.locator("#code > summary").click()
    pages.check_width()
    pages.check_accessibility()


def test_the_request_is_shown_as_programs_that_run(opened, route, token):
    model = route("echo")
    pages = opened(model.model)
    ended(say(pages, "it's \"quoted\""))
    pages.page.locator("#code > summary").click()
    pages.page.fill("#draft", "a $HOME and 'quotes'")
    curl, python = pages.page.locator("#code pre").all_text_contents()
    env = {**os.environ, "TINYGATEWAY_KEY": token["key"], "NO_PROXY": "127.0.0.1"}
    run = {"env": env, "capture_output": True, "text": True, "timeout": 30}
    assert "data: [DONE]" in subprocess.run(["sh", "-c", curl + " -s"], **run).stdout
    assert subprocess.run([sys.executable, "-c", python], **run).stdout == "a $HOME and 'quotes'"
    sent = [request.json["messages"][-1]["content"] for request in model.requests()[1:]]
    assert sent == ["a $HOME and 'quotes'"] * 2


def test_somebody_without_a_token_makes_one_with_a_click(visit, gateway, route):
    model = route("echo")
    user = create(gateway, quota=None)
    pages = visit()
    pages.log_in(user["username"], USER_PASSWORD, at="/#/playground")
    pages.page.click("#offer")
    choose(pages, model.model)
    expect(ended(say(pages, "hello"))).to_contain_text("hello")
    made, = gateway.call("GET", f"/tokens?user_id={user['id']}")["items"]
    assert made["name"] == "playground" and made["used_quota"] > 0
    # The conversation is still there after another page was shown.
    pages.page.fill("#draft", "half a question")
    pages.page.goto("/#/nowhere")
    expect(pages.page.locator("h1")).to_have_text("There is no such page")
    pages.go("playground")
    expect(pages.page.locator(".turn")).to_have_count(2)
    expect(pages.page.locator("#draft")).to_have_value("half a question")
