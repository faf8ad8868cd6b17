# SPDX-License-Identifier: MIT
"""The usage log: what is a row, how rows are found, exported, kept to oneself and deleted."""

import csv
import io
import json
import time

import pytest

from database import add_user
from process import wait_until
from test_management_login import failure
from test_sdk_chat import user


def ask(gateway, key, model, stream=False):
    """One chat request; the answer, read to its end."""
    body = {"model": model, "messages": user("x"), "stream": stream}
    return gateway.post("/v1/chat/completions", json.dumps(body), key)


def logs(gateway, jwt=None, **parameters):
    """One page of the log."""
    response = gateway.request("GET", "/logs", jwt=jwt, params=parameters)
    assert response.status_code == 200, response.text
    return response.json()["data"]


def exported(gateway, jwt=None, **parameters):
    """The log as CSV: the names of the columns and the rows."""
    response = gateway.request("GET", "/logs", jwt=jwt, params={"format": "csv", **parameters})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/csv; charset=utf-8")
    assert response.headers["content-disposition"].startswith("attachment; filename=")
    names, *rows = csv.reader(io.StringIO(response.text, newline=""), strict=True)
    assert all(len(row) == len(names) for row in rows)
    return names, [dict(zip(names, row)) for row in rows]


@pytest.mark.short
def test_each_request_of_a_known_key_is_a_row(gateway, upstream):
    good, bad = gateway.route(upstream, "echo"), gateway.route(upstream, "status:500")
    token = gateway.token(models=[good.model, bad.model])
    began = int(time.time())
    answers = [ask(gateway, token["key"], good.model), ask(gateway, token["key"], good.model, True),
               ask(gateway, token["key"], bad.model), ask(gateway, token["key"], "not-allowed")]
    gateway.call("PUT", f"/tokens/{token['id']}", {"quota": 1})
    answers.append(ask(gateway, token["key"], good.model))
    assert ask(gateway, "sk-unknown", good.model).status_code == 401

    page = logs(gateway, token_id=token["id"])
    assert (page["total"], page["total_is_capped"], page["next_before"]) == (5, False, None)
    rows = page["items"][::-1]
    assert [row["status"] for row in rows] == [200, 200, answers[2].status_code, 403, 429]
    assert [row["request_id"] for row in rows] == [
        answer.headers["x-oneapi-request-id"] for answer in answers]
    assert [row["stream"] for row in rows][:2] == [False, True]
    assert [row["model"] for row in rows] == [good.model] * 2 + [bad.model, None, good.model]
    first = rows[0]
    assert (first["user_id"], first["username"]) == (1, "root")
    assert (first["token_id"], first["token_name"]) == (token["id"], token["name"])
    channel = good.channel
    assert (first["channel_id"], first["channel_name"]) == (channel["id"], channel["name"])
    assert (first["prompt_tokens"], first["completion_tokens"]) == (11, 5)
    assert first["quota_micro"] // 1_000_000 == first["quota"] == 16
    assert first["cost"] == "0.000032" and rows[2]["cost"] == "0"
    assert (page["currency"], page["quota_per_unit"]) == ("USD", 500_000)
    assert first["latency_ms"] >= first["first_byte_ms"] >= 0
    assert began <= first["time"] <= time.time()
    assert (first["address"], first["attempts"], first["error_kind"]) == ("127.0.0.1", 1, None)
    assert not first["estimated"] and not first["client_gone"]
    assert rows[2]["error_kind"] == "upstream_server" and rows[2]["attempts"] >= 1
    assert rows[3]["attempts"] == rows[4]["attempts"] == 0
    assert all(row["quota_micro"] == 0 for row in rows[2:])


@pytest.mark.short
def test_a_row_tells_why_its_request_was_tried_again(gateway, upstream):
    route = gateway.route(upstream, "status:429", "echo")
    token = gateway.token(models=[route.model])
    assert ask(gateway, token["key"], route.model).status_code == 200
    row, = logs(gateway, token_id=token["id"])["items"]
    assert (row["status"], row["attempts"], row["error_kind"]) == (200, 2, None)
    assert row["channel_name"] == route.channels[1]["name"]
    first = {"first_error_kind": "rate_limited", "first_channel_id": route.channel["id"],
             "first_channel_name": route.channel["name"]}
    assert first.items() <= row.items()
    line, = exported(gateway, token_id=token["id"])[1]
    assert {name: str(value) for name, value in first.items()}.items() <= line.items()


def test_names_of_models_that_nothing_serves_are_not_learned(gateway, upstream):
    token, known = gateway.token(), gateway.route(upstream, "echo")
    bodies = [{"model": "made-up-1", "prompt": "x", "stream": True},
              {"model": "made-up-2", "prompt": "x", "n": 1000},
              {"model": "made-up-3", "prompt": "x", "stream": 7},
              {"model": "made-up-4", "prompt": "x"},
              {"model": known.model, "prompt": "x", "stream": True}]
    statuses = [gateway.post("/v1/images/generations", json.dumps(body), token["key"]).status_code
                for body in bodies]
    assert statuses == [400, 400, 400, 404, 400]
    rows = logs(gateway, token_id=token["id"])["items"]
    assert [row["model"] for row in rows] == [None] * 5
    assert logs(gateway, model="made-up-1")["total"] == 0


@pytest.fixture(scope="module")
def recorded(seed, tmp_path_factory, upstream):
    """A gateway of root's, ann's and a second administrator's with some requests of the first two.

    `jwts` are logins by name, `keys` and `tokens` keys and tokens of root and ann.
    """
    instance = seed.copy(tmp_path_factory.mktemp("log") / "data", {"flush_interval_ms": 86_400_000})
    for name, role in (("ann", "user"), ("boss", "admin")):
        add_user(instance, name, role)
    with instance as gateway:
        gateway.jwts = {"root": gateway.jwt}
        for name in ("ann", "boss"):
            gateway.jwts[name] = gateway.login(username=name)["token"]
        gateway.tokens = {}
        for name in ("root", "ann"):
            gateway.jwt = gateway.jwts[name]
            gateway.tokens[name] = gateway.token(name='=SUM(A1),"x"')
        gateway.jwt = gateway.jwts["root"]
        gateway.routes = [gateway.route(upstream, "echo"), gateway.route(upstream, "status:500")]
        for name in ("root", "ann", "ann"):
            ask(gateway, gateway.tokens[name]["key"], gateway.routes[0].model)
        ask(gateway, gateway.tokens["ann"]["key"], gateway.routes[0].model, True)
        ask(gateway, gateway.tokens["ann"]["key"], gateway.routes[1].model)
        yield gateway


def test_filters_combine(recorded):
    rows = logs(recorded)["items"]
    assert len(rows) == 5 and [row["id"] for row in rows] == sorted(
        (row["id"] for row in rows), reverse=True)
    token, channel = recorded.tokens["ann"]["id"], recorded.routes[0].channel["id"]
    good, newest = recorded.routes[0].model, rows[0]
    for parameters, count in (
            ({"token_id": token}, 4), ({"user_id": 1}, 1), ({"channel_id": channel}, 4),
            ({"model": good}, 4), ({"model": good, "token_id": token}, 3), ({"model": "none"}, 0),
            ({"status": "ok"}, 4), ({"status": "failed"}, 1), ({"status": 200}, 4),
            ({"status": newest["status"]}, 1), ({"stream": "true"}, 1), ({"stream": "false"}, 4),
            ({"request_id": newest["request_id"]}, 1), ({"request_id": "0" * 16}, 0),
            ({"from": rows[-1]["time"]}, 5), ({"until": rows[-1]["time"]}, 0),
            ({"from": newest["time"] + 1}, 0), ({"before": rows[2]["id"]}, 2)):
        page = logs(recorded, **parameters)
        assert len(page["items"]) == count, parameters
        assert page["total"] == (None if "before" in parameters else count), parameters


def test_pages_and_the_cursor_show_each_row_once(recorded):
    ids = [row["id"] for row in logs(recorded)["items"]]
    for size in (1, 2, 5):
        numbered, page = [], 1
        while items := logs(recorded, page=page, page_size=size)["items"]:
            numbered += [row["id"] for row in items]
            page += 1
        followed, more = [], {}
        while True:
            answer = logs(recorded, page_size=size, **more)
            followed += [row["id"] for row in answer["items"]]
            if answer["next_before"] is None:
                break
            more = {"before": answer["next_before"]}
        assert numbered == followed == ids


@pytest.mark.parametrize("query", [
    "from=x", "until=-1", "user_id=0", "token_id=a", "channel_id=1.5", "status=99", "status=bad",
    "request_id=12", "request_id=zzzzzzzzzzzzzzzz", "stream=1", "before=0", "format=xml",
    "page=0", "page_size=101", "page=1001&page_size=100", "page=1000000000",
    "format=csv&page=2", "model=a&model=b", "nothing=1"])
def test_bad_parameters_are_named(recorded, query):
    message = failure(recorded.request("GET", "/logs?" + query), 400)
    assert query.partition("=")[0] in message


def test_users_see_their_own_rows_and_no_channels(recorded):
    jwt = recorded.jwts["ann"]
    page = logs(recorded, jwt)
    assert page["total"] == 4 and {row["username"] for row in page["items"]} == {"ann"}
    assert not any("channel" in name for row in page["items"] for name in row)
    names, rows = exported(recorded, jwt)
    assert len(rows) == 4 and not any("channel" in name for name in names)
    own = page["items"][0]["user_id"]
    assert logs(recorded, jwt, user_id=own)["total"] == 4
    assert logs(recorded, jwt, token_id=recorded.tokens["root"]["id"])["total"] == 0
    for more in ({}, {"format": "csv"}):
        other = recorded.request("GET", "/logs", jwt=jwt, params={"user_id": 1, **more})
        failure(other, 404, "not_found")
        channel = recorded.request("GET", "/logs", jwt=jwt, params={"channel_id": 1, **more})
        failure(channel, 403, "forbidden")
    failure(recorded.request("DELETE", "/logs?until=1", jwt=jwt), 403, "forbidden")
    failure(recorded.request("GET", "/logs", jwt="x"), 401)
    assert logs(recorded, recorded.jwts["boss"])["total"] == 5


def test_an_export_holds_what_the_pages_show(recorded):
    names, rows = exported(recorded)
    pages = logs(recorded)["items"]
    assert len(rows) == len(pages)
    for row, shown in zip(rows, pages):
        assert row.pop("time_utc") == time.strftime(
            "%Y-%m-%dT%H:%M:%SZ", time.gmtime(shown["time"]))
        assert row.pop("token_name") == "'" + shown.pop("token_name")
        for name, value in shown.items():
            text = {None: "", True: "true", False: "false"}.get(value, str(value))
            if not isinstance(value, bool) and isinstance(value, int):
                text = str(value)
            assert row.pop(name) == text, name
        assert not row
    assert exported(recorded, status="failed")[1][0]["error_kind"] == "upstream_server"
    assert exported(recorded, model="none") == (names, [])
    head = recorded.request("HEAD", "/logs?format=csv")
    assert head.status_code == 200 and not head.content


def test_rows_survive_a_restart_and_are_deleted_by_age(make_gateway, upstream):
    gateway = make_gateway(log_addresses="false")
    route, token = gateway.route(upstream, "echo"), gateway.token()
    for _ in range(3):
        ask(gateway, token["key"], route.model)
    gateway.restart()
    kept = logs(gateway, token_id=token["id"])
    assert kept["total"] == 3 and kept["items"][0]["model"] == route.model
    assert kept["items"][0]["address"] is None
    gateway.call("DELETE", f"/tokens/{token['id']}")
    assert logs(gateway, token_id=token["id"])["items"][0]["token_name"] is None
    failure(gateway.request("DELETE", "/logs"), 400, "invalid_parameter")
    oldest = min(row["time"] for row in kept["items"])
    assert gateway.call("DELETE", f"/logs?until={oldest}") == {"deleted": 0}
    ask(gateway, gateway.key(), route.model)
    assert gateway.call("DELETE", f"/logs?until={int(time.time()) + 10}") == {"deleted": 4}
    assert logs(gateway)["total"] == 0
    wait_until(lambda: "audit action=logs_delete" in gateway.log, what="the audit line")
