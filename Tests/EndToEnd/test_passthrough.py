# SPDX-License-Identifier: MIT
"""What the gateway leaves alone: every byte of the body but model and stream_options."""

import json

import pytest

import payloads
from process import next_number

ODD_BODY = (
    '{ "x-first":1.0,"temperature" : 1e2, "big":123456789012345678901234567890,\t"neg":-0.0,\r\n'
    '"exp":1E+05,"nested":{"a":[1.50,{"b":null}],"a":"twice"}, "esc":"\\u00e9\\/\\n\\ud83d\\ude00",'
    '"utf8":"é世🌍","empty":{},"messages":[{"role":"user","content":"hi \\"there\\""}],'
    '"model"%s:%s"MODEL" ,"seed":9007199254740993,"unknown_field":[true,false,null] }\n')


def send(gateway, model, body, **more):
    answer = gateway.post("/v1/chat/completions", body.replace("MODEL", model), **more)
    assert answer.status_code == 200, answer.text
    return answer


def test_body_is_untouched_when_nothing_is_mapped(gateway, upstream):
    route = gateway.route(upstream, "echo")
    body = ODD_BODY % ("", "")
    send(gateway, route.model, body)
    assert route.request().body == body.replace("MODEL", route.model).encode()


@pytest.mark.parametrize("spaces", [("", ""), ("  ", "\n"), ("\t", " ")])
def test_only_the_model_changes_when_it_is_mapped(gateway, upstream, spaces):
    unique = f"@{next_number()}"
    gateway.channel(upstream.url(), ["public" + unique],
                    model_mapping={"public" + unique: "poem" + unique})
    body = ODD_BODY % spaces
    send(gateway, "public" + unique, body)
    [request] = upstream.requests(unique)
    assert request.body == body.replace("MODEL", "poem" + unique).encode()


@pytest.mark.parametrize("position", ["first", "last", "only-escaped"])
def test_the_model_is_found_wherever_it_stands(gateway, upstream, position):
    unique = f"@{next_number()}"
    gateway.channel(upstream.url(), ["public" + unique],
                    model_mapping={"public" + unique: "echo" + unique})
    decoy = '"messages":[{"role":"user","content":"\\"model\\":\\"decoy\\"","model":"inner"}]'
    model = '"model":"public%s"' % unique
    if position == "only-escaped":
        model = '"mod\\u0065l":"publi\\u0063%s"' % unique
    parts = [model, decoy] if position == "first" else [decoy, model]
    send(gateway, "", "{" + ",".join(parts) + "}")
    [request] = upstream.requests(unique)
    assert request.json["model"] == "echo" + unique
    assert decoy.encode() in request.body


def test_usage_is_asked_for_without_touching_the_rest(gateway, upstream):
    route = gateway.route(upstream, "echo")
    body = '{"model":"MODEL","stream":true,"x":1.0,"messages":[{"role":"user","content":"a"}]}'
    answer = send(gateway, route.model, body)
    sent = route.request()
    assert sent.json["stream_options"] == {"include_usage": True}
    without = {k: v for k, v in sent.json.items() if k != "stream_options"}
    assert without == json.loads(body.replace("MODEL", route.model))
    assert b'"x":1.0' in sent.body
    assert '"total_tokens"' not in answer.text and '"choices":[]' not in answer.text


@pytest.mark.parametrize("options", [
    '{"include_usage":false}', "{}", "null", '{"include_obfuscation": false}',
    '{"include_usage":null,"other":1.0}'])
def test_usage_is_asked_for_inside_existing_options(gateway, upstream, options):
    route = gateway.route(upstream, "echo")
    answer = send(gateway, route.model, (
        '{"model":"MODEL","messages":[{"role":"user","content":"a"}],'
        '"stream_options":%s,"stream":true}') % options)
    sent = route.request().json["stream_options"]
    given = {k: v for k, v in (json.loads(options) or {}).items() if k != "include_usage"}
    assert sent == {**given, "include_usage": True}
    assert '"total_tokens"' not in answer.text


def test_a_body_that_asks_for_usage_itself_is_untouched(gateway, upstream):
    route = gateway.route(upstream, "echo")
    body = ('{"model":"MODEL","messages":[{"role":"user","content":"a"}],"stream":true,'
            '"stream_options":{ "include_usage":true }}')
    answer = send(gateway, route.model, body)
    assert route.request().body == body.replace("MODEL", route.model).encode()
    assert '"total_tokens":16' in answer.text


def test_a_request_without_stream_gets_no_stream_options(gateway, upstream):
    route = gateway.route(upstream, "echo")
    for stream in ("", '"stream":false,', '"stream":null,'):
        body = '{%s"model":"MODEL","messages":[{"role":"user","content":"a"}]}' % stream
        send(gateway, route.model, body)
        assert route.requests()[-1].body == body.replace("MODEL", route.model).encode()


def test_the_answer_is_untouched(gateway, upstream):
    route = gateway.route(upstream, "echo")
    answer = send(gateway, route.model,
                  '{"model":"MODEL","messages":[{"role":"user","content":"é \\u4e16"}]}')
    message = {"role": "assistant", "content": "é 世", "refusal": None}
    assert answer.content == payloads.dump(payloads.completion(route.model, message))


def test_the_stream_is_untouched(gateway, upstream):
    route = gateway.route(upstream, "poem")
    body = ('{"model":"MODEL","messages":[],"stream":true,'
            '"stream_options":{"include_usage":true}}')
    answer = send(gateway, route.model, body)
    chunk = payloads.chunk(route.model, {"content": "春"}, usage=None)
    assert b"data: " + payloads.dump(chunk) + b"\n\n" in answer.content
    assert answer.content.endswith(b"data: [DONE]\n\n")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_the_client_key_never_reaches_the_upstream(gateway, upstream):
    route = gateway.route(upstream, "echo")
    send(gateway, route.model, '{"model":"MODEL","messages":[{"role":"user","content":"a"}]}',
         headers={"Cookie": "session=1", "Connection": "keep-alive, X-Hop",
                  "X-Hop": "1", "Accept-Encoding": "gzip, br", "TE": "trailers"})
    request = route.request()
    assert request.header("authorization") == ["Bearer sk-upstream-key-1"]
    assert gateway.key().encode() not in request.head
    for name in ("cookie", "x-hop", "te"):
        assert request.header(name) == [], name
    assert request.header("accept-encoding") in ([], ["identity"])
    assert request.header("host") == [f"127.0.0.1:{upstream.ports['plain']}"]
    assert request.header("content-type") == ["application/json"]


def test_extra_headers_of_the_channel_are_sent(gateway, upstream):
    route = gateway.route(upstream, "echo", headers={"X-Team": "red", "OpenAI-Organization": "o"})
    send(gateway, route.model, '{"model":"MODEL","messages":[{"role":"user","content":"a"}]}')
    request = route.request()
    assert request.header("x-team") == ["red"]
    assert request.header("openai-organization") == ["o"]


def test_upstream_headers_pass_an_allow_list(gateway, upstream):
    route = gateway.route(upstream, "leaky-headers")
    for stream in ("false", "true"):
        answer = send(gateway, route.model, '{"model":"MODEL","messages":[],"stream":%s}' % stream)
        for name in ("set-cookie", "x-internal", "keep-alive"):
            assert name not in answer.headers, name
        assert "vendor" not in answer.headers.get("server", "")


def test_several_keys_of_a_channel_are_all_used(gateway, upstream):
    route = gateway.route(upstream, "echo", keys=["sk-key-one", "sk-key-two"])
    for _ in range(8):
        send(gateway, route.model, '{"model":"MODEL","messages":[{"role":"user","content":"a"}]}')
    assert {request.key for request in route.requests()} == {"sk-key-one", "sk-key-two"}


def test_upstream_connections_are_kept_and_used_again(gateway, upstream):
    route = gateway.route(upstream, "echo")
    for _ in range(5):
        send(gateway, route.model, '{"model":"MODEL","messages":[{"role":"user","content":"a"}]}')
    assert len({request.connection for request in route.requests()}) == 1


def test_a_large_ordinary_body_passes(gateway, upstream):
    route = gateway.route(upstream, "echo")
    text = "lorem ipsum 世界 " * 60_000
    body = json.dumps({"messages": [{"role": "user", "content": text}], "model": route.model})
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.json()["choices"][0]["message"]["content"] == text
    assert route.request().body == body.encode()
