# SPDX-License-Identifier: MIT
"""Other models in place of one that fails or is too small, and local models without internet."""

import pytest

from faulty import OK, failing
from process import PATIENCE, next_number, wait_until
from test_management_login import failure
from traffic import make_pool, pool_of

TOO_LONG = failing(400, "context_length_exceeded", "Your messages are too long.")


@pytest.fixture(scope="module")
def gateway(seed, tmp_path_factory):
    """A gateway of this file alone: its table of fallbacks belongs to one test at a time."""
    config = {"breaker_cooldown_ms": 300, "breaker_cooldown_limit_ms": 600,
              "failover_connect_ms": 500 * PATIENCE}
    with seed.copy(tmp_path_factory.mktemp("fallback") / "data", config) as instance:
        yield instance


def set_table(gateway, fallbacks=None, offline=None):
    """Replaces the table of fallbacks."""
    body = {"fallbacks": fallbacks or {}, "offline": offline or {}}
    gateway.call("PUT", "/model-fallbacks", body)
    assert gateway.call("GET", "/model-fallbacks") == body


def expect_served(response, model, upstream):
    """A correct answer that says which model served it."""
    assert response.status_code == 200, f"{response.status_code} {response.text[:300]}"
    assert response.headers["x-tinygateway-model"] == model
    if "json" in response.headers["content-type"]:
        assert response.json()["model"] == model
    assert upstream.marker + ":" in response.text


# Other models


@pytest.mark.short
@pytest.mark.parametrize("stream", [False, True])
def test_another_model_serves_when_every_channel_failed(gateway, fleet, stream):
    first = pool_of(gateway, fleet, {}, {}, behaviours=[failing(500), failing(503)])
    second = pool_of(gateway, fleet, {})
    set_table(gateway, {first.model: [second.model]})
    expect_served(first.ask(stream=stream), second.model, second.upstreams[0])
    assert first.counts() == [1, 1]
    assert second.upstreams[0].arrivals[0].model == second.model
    for upstream in first.upstreams:
        upstream.behave(OK)
    response = first.ask(stream=stream)
    assert response.headers["x-tinygateway-model"] == first.model


def test_fallbacks_are_tried_in_their_order(gateway, fleet):
    pools = [pool_of(gateway, fleet, {}) for _ in range(4)]
    set_table(gateway, {pools[0].model: [pools[2].model, pools[1].model, pools[3].model]})
    for pool in pools[:3]:
        pool.upstreams[0].kill()
    expect_served(pools[0].ask(), pools[3].model, pools[3].upstreams[0])
    pools[1].upstreams[0].revive()
    wait_until(lambda: pools[0].ask().headers.get("x-tinygateway-model") == pools[1].model, 5,
               "the second fallback")


def test_the_fallback_goes_on_serving_while_the_first_model_is_left_alone(gateway, fleet):
    first, second = pool_of(gateway, fleet, {}), pool_of(gateway, fleet, {})
    set_table(gateway, {first.model: [second.model]})
    first.upstreams[0].kill()
    for _ in range(12):
        expect_served(first.ask(), second.model, second.upstreams[0])
    assert first.reason() == "circuit_open"


def test_a_context_that_is_too_small_falls_back_by_the_exact_code(gateway, fleet):
    first, second = pool_of(gateway, fleet, {}, behaviours=[TOO_LONG]), pool_of(gateway, fleet, {})
    assert first.failure(400)["code"] == "context_length_exceeded"
    set_table(gateway, {first.model: [second.model]})
    expect_served(first.ask(), second.model, second.upstreams[0])
    first.upstreams[0].behave(failing(400, "invalid_value", "context_length_exceeded: no"))
    first.failure(400)
    assert second.upstreams[0].count == 1, "words in a message are no code"


def test_when_the_fallback_fails_too_the_client_gets_one_error(gateway, fleet):
    first = pool_of(gateway, fleet, {}, behaviours=[failing(500, message="first exploded")])
    second = pool_of(gateway, fleet, {}, behaviours=[failing(500, message="second exploded")])
    set_table(gateway, {first.model: [second.model]})
    assert "exploded" in first.failure(502)["message"]
    assert first.counts() == second.counts() == [1]


def test_models_that_name_each_other_end(gateway, fleet):
    first = pool_of(gateway, fleet, {}, behaviours=[failing(500)])
    second = pool_of(gateway, fleet, {}, behaviours=[failing(500)])
    set_table(gateway, {first.model: [second.model], second.model: [first.model]})
    first.failure(502)
    assert first.counts() == second.counts() == [1]


@pytest.mark.parametrize("body, word", [
    ({"fallbacks": {"a": "b"}}, "fallbacks"), ({"fallbacks": {"a": ["a"]}}, "fallbacks"),
    ({"fallbacks": []}, "fallbacks"), ({"offline": {"a": ["b"]}}, "offline"),
    ({"offline": {"a b": "c"}}, "offline"), ({"no_such_field": 1}, "no_such_field")], ids=str)
def test_a_bad_table_is_refused(gateway, body, word):
    assert word in failure(gateway.request("PUT", "/model-fallbacks", json=body), 400)


# Without internet


@pytest.fixture
def home(gateway, fleet):
    """A cloud model whose channels cannot be reached, and a local one: two pools."""
    model = f"cloud-{next_number()}"
    cloud = make_pool(gateway, [fleet.upstream(listening=False)], model=model, location="cloud")
    gateway.channel("http://no-such-host.invalid/v1", [model], location="cloud", priority=5)
    local = make_pool(gateway, [fleet.upstream()], model=f"local-{next_number()}",
                      location="local")
    return cloud, local


@pytest.mark.parametrize("entry", ["model", "*"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_local_model_serves_when_the_internet_is_gone(gateway, home, entry, stream):
    cloud, local = home
    other = f"other-{next_number()}"
    table = {cloud.model: local.model, "*": other} if entry == "model" else {"*": local.model}
    set_table(gateway, offline=table)
    for _ in range(3):
        expect_served(cloud.ask(stream=stream), local.model, local.upstreams[0])


def test_the_cloud_is_used_again_when_it_is_back(gateway, home):
    cloud, local = home
    set_table(gateway, offline={"*": local.model})
    expect_served(cloud.ask(), local.model, local.upstreams[0])
    cloud.upstreams[0].revive()
    wait_until(lambda: cloud.ask().headers.get("x-tinygateway-model") == cloud.model, 15,
               "the cloud in use again")


def test_a_cloud_that_answers_is_not_offline(gateway, fleet):
    cloud = pool_of(gateway, fleet, {}, {}, behaviours=[failing(500)] * 2, location="cloud")
    local = pool_of(gateway, fleet, {}, location="local")
    set_table(gateway, offline={"*": local.model})
    cloud.upstreams[0].kill()
    cloud.failure(502)
    assert local.upstreams[0].count == 0, "one cloud channel answered, though with an error"


def test_without_an_entry_the_error_says_what_is_wrong(gateway, home):
    cloud, local = home
    set_table(gateway, offline={f"other-{next_number()}": local.model})
    message = cloud.failure((502, 503, 504))["message"]
    assert "(2 channels tried)" in message and local.upstreams[0].count == 0


@pytest.mark.parametrize("field, value", [
    ("location", "moon"), ("location", None), ("max_concurrency", -1), ("max_concurrency", "3")])
def test_a_bad_field_of_a_channel_is_named(gateway, field, value):
    body = {"name": "n", "type": "openai", "keys": ["sk-1234567890"], "models": ["m"],
            field: value}
    assert field in failure(gateway.request("POST", "/channels", json=body), 400)
