# SPDX-License-Identifier: MIT
"""A channel that fails before the first byte is replaced by the next; the client sees nothing."""

import contextlib
import socket
import time

import openai
import pytest

from gateway import ManagementError
from process import PATIENCE, free_port, next_number, over, wait_until
from test_sdk_chat import collect, user

FAST = {"first_byte_timeout_ms": 1000 * PATIENCE, "connect_timeout_ms": 1000 * PATIENCE}


def chat(gateway, route, stream=False):
    """The text of one chat completion."""
    answer = gateway.sdk().chat.completions.create(
        model=route.model, messages=user("plan B"), stream=stream)
    return collect(answer)[0] if stream else answer.choices[0].message.content


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("script", [
    "status:500", "status:502", "status:503", "status:529", "status:408", "status:409",
    "status:429", "status:401", "status:402", "status:403", "retry-after:1", "reset",
    "half-close", "never", "raw:not-http", "raw:huge-head", "raw:two-lengths", "raw:both-framings",
    "raw:redirect", "raw:html-502", "raw:error-200", "status:404:model_not_found"])
def test_goes_to_the_next_channel(gateway, upstream, script, stream):
    route = gateway.route(upstream, script, "echo", **FAST)
    assert chat(gateway, route, stream) == "plan B"
    models = [request.model.split("@")[0] for request in route.requests()]
    assert models[0] == script and models[-1] == "echo" and models.count("echo") == 1


@pytest.mark.parametrize("script", ["status:400", "status:413", "status:422"])
def test_a_wrong_request_is_not_tried_again(gateway, upstream, script):
    route = gateway.route(upstream, script, "echo")
    with pytest.raises(openai.APIStatusError) as caught:
        chat(gateway, route)
    assert caught.value.status_code == int(script.split(":")[1])
    assert len(route.requests()) == 1


def test_several_failures_in_a_row(gateway, upstream):
    route = gateway.route(upstream, "status:429", "reset", "raw:not-http", "echo")
    assert chat(gateway, route) == "plan B"


def test_comments_before_the_content_do_not_bind_to_a_channel(gateway, upstream):
    route = gateway.route(upstream, "raw:comment-error", "echo")
    assert chat(gateway, route, stream=True) == "plan B"
    assert [r.model.split("@")[0] for r in route.requests()] == ["raw:comment-error", "echo"]


def test_the_number_of_attempts_is_bounded(make_gateway, upstream):
    gateway = make_gateway(retries=2, retry_interval_ms=10)
    route = gateway.route(upstream, *["status:500"] * 6)
    with pytest.raises(openai.InternalServerError):
        chat(gateway, route)
    assert len(route.requests()) == 3


def test_no_retry_when_none_is_configured(make_gateway, upstream):
    gateway = make_gateway(retries=0)
    route = gateway.route(upstream, "status:500", "echo")
    with pytest.raises(openai.InternalServerError):
        chat(gateway, route)
    assert len(route.requests()) == 1


def test_refused_connection_goes_to_the_next_channel(gateway, upstream):
    suffix = f"@{next_number()}"
    gateway.channel(f"http://127.0.0.1:{free_port()}/v1", ["echo" + suffix], priority=2)
    gateway.channel(upstream.url(), ["echo" + suffix], priority=1)
    answer = gateway.sdk().chat.completions.create(model="echo" + suffix, messages=user("b"))
    assert answer.choices[0].message.content == "b"


@contextlib.contextmanager
def black_hole():
    """A port that neither accepts nor refuses: its queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_unanswered_connect_goes_to_the_next_channel(gateway, upstream):
    suffix = f"@{next_number()}"
    with black_hole() as port:
        gateway.channel(f"http://127.0.0.1:{port}/v1", ["echo" + suffix], priority=2, **FAST)
        gateway.channel(upstream.url(), ["echo" + suffix], priority=1)
        answer = gateway.sdk().chat.completions.create(model="echo" + suffix, messages=user("b"))
    assert answer.choices[0].message.content == "b"


@pytest.mark.parametrize("url", ["http://127.0.0.1:{port}/v1", "http://no-such-host.invalid/v1"])
def test_an_unreachable_upstream_gives_one_sentence(gateway, url):
    model = f"m@{next_number()}"
    gateway.channel(url.format(port=free_port()), [model], connect_timeout_ms=2000)
    with pytest.raises(openai.InternalServerError) as caught:
        gateway.sdk().chat.completions.create(model=model, messages=user("x"))
    assert caught.value.status_code in (502, 503, 504)
    assert len(caught.value.body["message"]) > 15
    assert "127.0.0.1" not in caught.value.body["message"], "addresses are for the log"


@pytest.mark.parametrize("host", ["0.0.0.0", "[::ffff:0.0.0.0]", "[::]"])
def test_a_forbidden_address_is_never_connected(gateway, upstream, host):
    try:
        route = gateway.route(upstream, "echo", host=host)
    except ManagementError as error:
        assert error.status == 400
        return
    with pytest.raises(openai.InternalServerError):
        chat(gateway, route)
    assert route.requests() == []


def test_a_channel_cannot_lead_back_to_the_gateway(gateway):
    model = f"loop@{next_number()}"
    try:
        gateway.channel(gateway.url + "/v1", [model], keys=[gateway.key()])
    except ManagementError as error:
        assert error.status == 400
        return
    with pytest.raises(openai.InternalServerError):
        gateway.sdk().chat.completions.create(model=model, messages=user("x"))
    requests = [line for line in gateway.log_lines if model in line]
    assert len(requests) < 6, "the gateway called itself"


@pytest.mark.native
def test_the_next_address_of_a_name_is_tried(make_gateway, upstream, tmp_path):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 dead.test\n127.0.0.2 first.test\n127.0.0.1 first.test\n"
                     "127.0.0.1 second.test\n127.0.0.2 second.test\n"
                     "::1 both.test\n127.0.0.1 both.test\n")
    gateway = make_gateway(start=False, retry_interval_ms=10)
    gateway.wrapper = over("/etc/hosts", hosts)
    gateway.start()
    with pytest.raises(openai.InternalServerError):
        chat(gateway, gateway.route(upstream, "echo", host="dead.test"))
    for host in ("first.test", "second.test", "both.test"):
        assert chat(gateway, gateway.route(upstream, "echo", host=host)) == "plan B"


def test_silence_before_the_first_byte_is_a_timeout(gateway, upstream):
    route = gateway.route(upstream, "never", **FAST)
    with pytest.raises(openai.InternalServerError) as caught:
        chat(gateway, route)
    assert caught.value.status_code == 504
    assert route.request().gone.wait(2), "the upstream must be cancelled"
    assert gateway.stats(route.channel)["last_error"] == "timeout: no answer in time"


def test_a_slow_first_byte_within_the_limit_is_waited_for(gateway, upstream):
    route = gateway.route(upstream, "slow-first-byte:300", "echo")
    assert chat(gateway, route) != "plan B"
    assert len(route.requests()) == 1


def test_retry_after_reaches_the_client(gateway, upstream):
    route = gateway.route(upstream, "retry-after:17")
    with pytest.raises(openai.RateLimitError) as caught:
        chat(gateway, route)
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 17


def test_a_channel_that_asked_for_a_pause_gets_it(gateway, upstream):
    route = gateway.route(upstream, "retry-after:30", "echo")
    for _ in range(3):
        assert chat(gateway, route) == "plan B"
    models = [request.model.split("@")[0] for request in route.requests()]
    assert models == ["retry-after:30", "echo", "echo", "echo"]


def test_a_refused_key_disables_the_channel_with_its_reason(gateway, upstream):
    route = gateway.route(upstream, "status:401:invalid_api_key", "echo")
    assert chat(gateway, route) == "plan B"
    path = f"/channels/{route.channel['id']}"
    channel = wait_until(
        lambda: (c := gateway.call("GET", path))["status"] == "auto_disabled" and c, 1,
        "auto_disabled")
    assert channel["status_reason"]
    chat(gateway, route)
    assert [r.model.split("@")[0] for r in route.requests()].count("echo") == 2
    assert len(route.requests()) == 3


def test_a_refused_key_leaves_the_other_keys_in_use(gateway, upstream):
    route = gateway.route(upstream, "echo", keys=["sk-a-1", "sk-b-2"])
    chat(gateway, route)
    assert gateway.call("GET", f"/channels/{route.channel['id']}")["status"] == "enabled"


def test_the_higher_priority_is_used_alone(gateway, upstream):
    route = gateway.route(upstream, "echo", "poem")
    for _ in range(4):
        assert chat(gateway, route) == "plan B"


def test_weights_are_kept_exactly_and_evenly(gateway, upstream):
    suffix = f"@{next_number()}"
    for script, weight in (("echo", 90), ("poem", 10)):
        gateway.channel(upstream.url(), ["public" + suffix], weight=weight, priority=5,
                        model_mapping={"public" + suffix: script + suffix})
    for _ in range(20):
        gateway.sdk().chat.completions.create(model="public" + suffix, messages=user("x"))
    models = [request.model.split("@")[0] for request in upstream.requests(suffix)]
    assert models[:10].count("echo") == 9 and models[10:].count("echo") == 9


def test_a_suffix_of_an_administrators_key_pins_a_channel(gateway, upstream):
    route = gateway.route(upstream, "echo", "poem")
    key = f"{gateway.key()}-{route.channels[1]['id']}"
    for _ in range(2):
        gateway.sdk(key).chat.completions.create(model=route.model, messages=user("x"))
    assert {r.model.split("@")[0] for r in route.requests()} == {"poem"}
    with pytest.raises(openai.APIStatusError):
        gateway.sdk(gateway.key() + "-999999").chat.completions.create(
            model=route.model, messages=user("x"))


def test_a_connection_that_went_stale_is_replaced_unseen(make_gateway, upstream):
    gateway = make_gateway(retries=0)
    route = gateway.route(upstream, "stale")
    for stream in (False, True, False):
        assert chat(gateway, route, stream)
    assert len({request.connection for request in route.requests()}) >= 3


def test_an_upstream_that_closes_after_each_answer(gateway, upstream):
    route = gateway.route(upstream, "closes-after")
    for _ in range(5):
        assert chat(gateway, route)
        time.sleep(0.02)
    assert len(route.requests()) == 5


@pytest.mark.parametrize("script, stream", [
    ("slow-stream:20", True), ("never", True), ("never", False), ("slow-first-byte:5000", False)])
def test_a_client_that_leaves_cancels_the_upstream(gateway, upstream, raw, script, stream):
    route = gateway.route(upstream, script)
    body = b'{"model":"%s","messages":[],"stream":%s}' % (
        route.model.encode(), b"true" if stream else b"false")
    client = raw().send(
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
        % (gateway.key().encode(), len(body), body))
    exchange = route.request()
    if script.startswith("slow-stream"):
        client.head()
    left_at = time.monotonic()
    client.socket.close()
    assert exchange.gone.wait(1.0 * PATIENCE), "the upstream was not cancelled within 1 s"
    assert exchange.gone_at - left_at < 1.0 * PATIENCE
    time.sleep(0.1)
    assert len(route.requests()) == 1, "a client that left needs no second attempt"
