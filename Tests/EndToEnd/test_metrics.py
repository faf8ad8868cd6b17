# SPDX-License-Identifier: MIT
"""/metrics as Prometheus reads it, and who may."""

import signal
import time

import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from process import wait_until
from test_sdk_chat import user

TOKEN = "a-token-for-prometheus"
TYPE = "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture(scope="module")
def watched(seed, tmp_path_factory):
    """A gateway with a token for Prometheus."""
    env = {"TINYGATEWAY_METRICS_TOKEN": TOKEN}
    with seed.copy(tmp_path_factory.mktemp("watched") / "data", env=env) as instance:
        yield instance


def get(gateway, authorization=None, method="GET"):
    headers = {"Authorization": authorization} if authorization else {}
    return gateway.http.request(method, "/metrics", headers=headers)


def scrape(gateway):
    """All samples by name; what the parser of Prometheus' own client accepts."""
    answer = get(gateway, f"Bearer {TOKEN}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == TYPE
    families = list(text_string_to_metric_families(answer.text))
    assert all(family.documentation and family.type != "unknown" for family in families)
    return [sample for family in families for sample in family.samples]


def value(samples, name, /, **labels):
    """The value of exactly one sample."""
    found = [s.value for s in samples
             if s.name == "tinygateway_" + name and labels.items() <= s.labels.items()]
    assert len(found) == 1, (name, labels, found)
    return found[0]


@pytest.mark.short
def test_prometheus_reads_the_process(watched):
    samples = scrape(watched)
    assert value(samples, "build_info") == 1
    assert abs(value(samples, "start_time_seconds") + value(samples, "uptime_seconds")
               - time.time()) < 5
    assert value(samples, "resident_memory_bytes") > 500_000
    assert value(samples, "client_connections") >= 1
    assert value(samples, "relays") == value(samples, "held_body_bytes") == 0
    assert value(samples, "log_rows_dropped_total") == 0
    assert value(samples, "flush_failures_total") == 0
    assert all(s.name.startswith("tinygateway_") for s in samples)


@pytest.mark.short
def test_prometheus_reads_the_channels(watched, upstream):
    name = 'quotes " and \\ and 世界'
    route = watched.route(upstream, "status:429", "echo", name=name)
    bad, good = (str(channel["id"]) for channel in route.channels)
    for _ in range(3):
        watched.sdk().chat.completions.create(model=route.model, messages=user("x"))
    samples = scrape(watched)
    assert value(samples, "requests_total", channel=good, name=name, outcome="success") == 3
    assert value(samples, "requests_total", channel=good, outcome="error") == 0
    assert value(samples, "requests_total", channel=bad, outcome="error") == 3
    assert value(samples, "errors_total", channel=bad, kind="rate_limited") == 3
    assert value(samples, "errors_total", channel=bad, kind="tls") == 0
    assert value(samples, "prompt_tokens_total", channel=good) == 33
    assert value(samples, "completion_tokens_total", channel=good) == 15
    for histogram in ("request_duration_seconds", "first_byte_seconds"):
        assert value(samples, histogram + "_count", channel=good) == 3
        assert value(samples, histogram + "_bucket", channel=good, le="+Inf") == 3
        assert 0 <= value(samples, histogram + "_sum", channel=good) < 30
    assert value(samples, "channel_ready", channel=good) == 1
    assert value(samples, "channel_state", channel=good, state="enabled") == 1


def test_counters_go_on_when_a_channel_is_changed(watched, upstream):
    route = watched.route(upstream, "echo")
    channel = str(route.channel["id"])
    watched.sdk().chat.completions.create(model=route.model, messages=user("x"))
    change = {"status": "disabled", "name": "another name"}
    watched.call("PUT", f"/channels/{channel}", change)
    samples = scrape(watched)
    assert value(samples, "requests_total", channel=channel, outcome="success",
                 name="another name") == 1
    assert value(samples, "channel_ready", channel=channel) == 0
    assert value(samples, "channel_state", channel=channel, state="disabled") == 1
    watched.call("DELETE", f"/channels/{channel}")
    assert not any(s.labels.get("channel") == channel for s in scrape(watched))


def test_a_held_request_is_seen(watched, upstream):
    route = watched.route(upstream, "slow-stream:30")
    stream = iter(watched.sdk().chat.completions.create(
        model=route.model, messages=user("x" * 5000), stream=True))
    next(stream)
    samples = scrape(watched)
    assert value(samples, "relays") == 1 and value(samples, "held_body_bytes") > 5000
    list(stream)
    wait_until(lambda: value(scrape(watched), "relays") == 0, what="the end of the relay")


@pytest.mark.parametrize("authorization", [
    None, "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", "Bearer"])
def test_strangers_get_a_401(watched, authorization):
    answer = get(watched, authorization)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "tinygateway_" not in answer.text and TOKEN not in answer.text


def test_an_administrator_may_read(watched):
    assert get(watched, f"Bearer {watched.jwt}").status_code == 200


def test_a_clients_key_may_not_read(watched):
    assert get(watched, f"Bearer {watched.key()}").status_code == 401


def test_a_first_login_may_not_read(fresh):
    fresh.start()
    fresh.login("123456")
    assert get(fresh, f"Bearer {fresh.jwt}").status_code == 401


def test_only_reading_is_possible(watched):
    head = get(watched, f"Bearer {TOKEN}", "HEAD")
    assert head.status_code == 200 and head.content == b""
    assert int(head.headers["content-length"]) > 1000
    answer = get(watched, f"Bearer {TOKEN}", "POST")
    assert answer.status_code == 405 and "GET" in answer.headers["allow"]


def test_without_settings_only_administrators_may_read(gateway):
    assert get(gateway).status_code == 401
    assert get(gateway, f"Bearer {gateway.jwt}").status_code == 200


def test_an_address_may_read_without_a_token(make_gateway):
    gateway = make_gateway(metrics_addresses="127.0.0.0/8")
    assert get(gateway).status_code == 200
    other = make_gateway(metrics_addresses="10.0.0.0/8")
    assert get(other).status_code == 401


def test_a_proxy_does_not_lend_its_address(make_gateway):
    gateway = make_gateway(metrics_addresses="127.0.0.1", trusted_proxies="127.0.0.1")
    answer = gateway.http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.1"})
    assert answer.status_code == 401


def test_a_reload_changes_who_may_read(make_gateway):
    gateway = make_gateway()
    path = gateway.data_dir / "config.yaml"
    assert get(gateway, f"Bearer {TOKEN}").status_code == 401
    path.write_text(f"metrics_token: {TOKEN}\nmetrics_addresses: 127.0.0.1\n")
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: get(gateway).status_code == 200, what="the new addresses")
    path.write_text(f"metrics_token: {TOKEN}\n")
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: get(gateway).status_code == 401, what="the old addresses")
    assert get(gateway, f"Bearer {TOKEN}").status_code == 200
    assert TOKEN not in gateway.log


def test_the_token_is_no_login(watched):
    assert watched.request("GET", "/channels", jwt=TOKEN).status_code == 401
    with pytest.raises(openai.AuthenticationError):
        watched.sdk(TOKEN).models.list()
