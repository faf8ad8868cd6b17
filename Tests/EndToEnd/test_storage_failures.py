# SPDX-License-Identifier: MIT
"""A disk that is full or broken under a running gateway: served on, said once, healed by itself."""

import contextlib
import resource
from pathlib import Path

import pytest

from process import on_small_disk, wait_until
from test_management_login import failure
from test_sdk_chat import user

WORKS = "storage works again"
FAILS = "storage fails, requests are served on"


def storage(gateway):
    return gateway.call("GET", "/health")["storage"]


def check_outage(gateway, upstream, begin, end, code):
    """What holds while the disk fails and after; `begin` and `end` make and end the failure."""
    route, token = gateway.route(upstream, "echo"), gateway.token(name="before")
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    charge = gateway.used_quota(token)
    assert storage(gateway) == "ok"
    begin()

    def refused():
        answer = gateway.request("PUT", f"/tokens/{token['id']}", json={"name": "x" * 100})
        return answer if answer.status_code != 200 else None
    failure(wait_until(refused, what="a change that fails"), *code)
    assert gateway.call("GET", f"/tokens/{token['id']}")["name"] in ("before", "x" * 100)
    for _ in range(20):
        gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    wait_until(lambda: storage(gateway) == "failing", what="the state is shown")
    wait_until(lambda: FAILS in gateway.log, what="a line of the log")
    end()
    wait_until(lambda: storage(gateway) == "ok", timeout=12, what="healing without any change")
    wait_until(lambda: WORKS in gateway.log, what="a line of the log")
    gateway.call("PUT", f"/tokens/{token['id']}", {"name": "after"})
    assert gateway.used_quota(token) == 21 * charge
    assert gateway.log.count(FAILS) <= 3, "said once for each change of state"
    gateway.kill()
    gateway.start()
    found = gateway.call("GET", f"/tokens/{token['id']}")
    assert (found["name"], found["used_quota"]) == ("after", 21 * charge)


@pytest.mark.native
def test_writes_that_fail(make_gateway, upstream):
    gateway = make_gateway(start=False, flush_interval_ms=300)
    gateway.wrapper = ["sh", "-c", 'trap "" XFSZ && exec "$@"', "sh"]
    gateway.start()
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

    def limit(size):
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (size, unlimited[1]))
    check_outage(gateway, upstream, lambda: limit(1), lambda: limit(resource.RLIM_INFINITY),
                 (503, "storage_failed"))


@pytest.mark.native
def test_a_full_disk(make_gateway, upstream):
    gateway = make_gateway(start=False, flush_interval_ms=300)
    gateway.wrapper = on_small_disk(gateway.data_dir, "8m")
    gateway.start()
    filler = Path(f"/proc/{gateway.process.pid}/root{gateway.data_dir}/filler")

    def fill():
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
    route = gateway.route(upstream, "echo")
    token = gateway.token()
    fill()

    def full():
        return gateway.request("POST", "/tokens", json={"name": "n" * 100}).status_code == 507
    wait_until(full, what="a change that is refused")
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))
    wait_until(lambda: storage(gateway) == "failing", what="the state is shown")
    filler.unlink()
    wait_until(lambda: storage(gateway) == "ok", timeout=12, what="healing without any change")
    gateway.token(name="after")
    assert gateway.used_quota(token) > 0
