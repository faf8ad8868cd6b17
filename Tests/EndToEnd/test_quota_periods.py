# SPDX-License-Identifier: MIT
"""Quotas that start again each day or month, in the time zone of the gateway."""

import contextlib
import json
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from process import over, run
from test_sdk_chat import user

DAY = 86_400


@contextlib.contextmanager
def database(gateway):
    """The database of a gateway that is stopped meanwhile."""
    gateway.stop()
    with contextlib.closing(sqlite3.connect(gateway.data_dir / "db.db")) as connection:
        with connection:
            yield connection
    gateway.start()


def begin_period(gateway, token, start):
    """Lets a token's period have begun at another time."""
    with database(gateway) as connection:
        change = "UPDATE usage SET period_start = ? WHERE owner = 2 AND id = ?"
        assert connection.execute(change, (start, token["id"])).rowcount == 1


def stored(gateway, token):
    """Used millionths and start of the period, as they are in the file."""
    with database(gateway) as connection:
        query = "SELECT used_micro, period_start FROM usage WHERE owner = 2 AND id = ?"
        return connection.execute(query, (token["id"],)).fetchone()


def ask(gateway, token, model):
    """One request, which reserves more than 10 and costs 16 where it is served."""
    body = {"model": model, "messages": user("x"), "max_tokens": 10}
    return gateway.post("/v1/chat/completions", json.dumps(body), key=token["key"])


@pytest.fixture
def own(make_gateway):
    return make_gateway(time_zone="UTC")


@pytest.mark.short
@pytest.mark.parametrize("period", ["daily", "monthly"])
def test_a_quota_starts_again_in_the_next_period(own, upstream, period):
    route = own.route(upstream, "echo")
    token = own.token(quota=20, quota_period=period)
    assert ask(own, token, route.model).status_code == 200
    refused = ask(own, token, route.model)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "insufficient_quota"
    shown = own.call("GET", f"/tokens/{token['id']}")
    resets_at = shown["quota_resets_at"]
    assert shown["used_quota"] == 16 and shown["quota_period"] == period
    assert abs(resets_at - time.time() - int(refused.headers["retry-after"])) < 30
    written = datetime.fromtimestamp(resets_at, timezone.utc).isoformat()
    assert f"renewed at {written}" in refused.json()["error"]["message"]

    before = int(time.time()) - (DAY if period == "daily" else 31 * DAY)
    begin_period(own, token, before)
    # Showing it changes nothing; the next request begins the period.
    assert own.used_quota(token) == 0
    assert stored(own, token) == (16_000_000, before)
    path = "/dashboard/billing/"
    assert own.get(path + "usage", token["key"]).json()["total_usage"] == 0
    assert own.get(path + "subscription", token["key"]).json()["hard_limit_usd"] == 0.00004
    assert ask(own, token, route.model).status_code == 200
    assert own.used_quota(token) == 16
    assert ask(own, token, route.model).status_code == 429
    used, start = stored(own, token)
    assert used == 16_000_000 and abs(start - time.time()) < 60
    assert own.used_quota(token) == 16


def test_a_clock_that_was_wrong_gives_no_quota_away(own, upstream):
    route = own.route(upstream, "echo")
    token = own.token(quota=40, quota_period="daily")
    assert ask(own, token, route.model).status_code == 200
    begin_period(own, token, int(time.time()) + 365 * DAY)
    assert own.used_quota(token) == 16
    assert ask(own, token, route.model).status_code == 200
    assert own.used_quota(token) == 32
    assert ask(own, token, route.model).status_code == 429
    used, start = stored(own, token)
    assert used == 32_000_000 and abs(start - time.time()) < 60


def test_changing_the_period_begins_it(own, upstream):
    route = own.route(upstream, "echo")
    token = own.token(quota=20)
    path = f"/tokens/{token['id']}"
    assert ask(own, token, route.model).status_code == 200
    shown = own.call("GET", path)
    assert shown["quota_resets_at"] is None and shown["used_quota"] == 16
    refused = ask(own, token, route.model)
    assert refused.status_code == 429 and "retry-after" not in refused.headers
    assert own.call("PUT", path, {"quota_period": "monthly"})["used_quota"] == 0
    assert ask(own, token, route.model).status_code == 200
    assert own.call("PUT", path, {"quota_period": "daily"})["used_quota"] == 16
    assert own.call("PUT", path, {"quota_period": "none"})["quota_resets_at"] is None


def test_a_request_that_began_before_the_renewal_is_charged_to_the_new_period(own, upstream):
    route, slow = own.route(upstream, "echo"), own.route(upstream, "slow-first-byte:2000")
    token = own.token(quota=1000, quota_period="none")
    path = f"/tokens/{token['id']}"
    assert ask(own, token, route.model).status_code == 200
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(ask, own, token, slow.model)
        slow.request()
        assert own.call("PUT", path, {"quota_period": "daily"})["used_quota"] == 0
        assert ask(own, token, route.model).status_code == 200
        assert own.used_quota(token) == 16
        assert waiting.result().status_code == 200
    assert own.used_quota(token) == 32
    assert ask(own, token, route.model).status_code == 200
    assert own.used_quota(token) == 48
    assert stored(own, token)[0] == 48_000_000


# Time zones

def starts(zone):
    """When the next day and the next month begin in a zone."""
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return tuple(int(start.replace(tzinfo=zone).timestamp())
                 for start in (today + timedelta(days=1), month))


@pytest.mark.parametrize(("setting", "name"), [
    ({"env": {"TZ": "Asia/Shanghai"}}, "Asia/Shanghai"),
    ({"env": {"TZ": ":/usr/share/zoneinfo/Pacific/Kiritimati"}}, "Pacific/Kiritimati"),
    ({"time_zone": "<+0545>-5:45"}, "Asia/Kathmandu"),
    ({"time_zone": "America/St_Johns", "env": {"TZ": "UTC"}}, "America/St_Johns")])
def test_periods_begin_at_local_midnight(make_gateway, setting, name):
    gateway = make_gateway(**setting)
    given = setting.get("time_zone") or setting["env"]["TZ"].removeprefix(":/usr/share/zoneinfo/")
    assert f"days begin by the time zone {given} (" in gateway.log
    for _ in range(2):                  # midnight may come in between
        before = starts(ZoneInfo(name))
        tokens = [gateway.token(quota_period=period) for period in ("daily", "monthly")]
        if before == starts(ZoneInfo(name)):
            break
    assert tuple(token["quota_resets_at"] for token in tokens) == before


@pytest.mark.parametrize(("arguments", "env", "words"), [
    (["--time-zone", "Mars/Base"], {}, ["--time-zone", "Mars/Base", "Asia/Shanghai"]),
    ([], {"TZ": "CET-1CEST,M3.5.0"}, ["environment: TZ", "CET-1CEST,M3.5.0"]),
    ([], {"TINYGATEWAY_TIME_ZONE": "asia/shanghai"}, ["TINYGATEWAY_TIME_ZONE"])])
def test_a_zone_that_is_not_known_is_an_error_at_the_start(tmp_path, arguments, env, words):
    result = run("serve", "--data-dir", tmp_path / "data", "--port", 0, *arguments, env=env)
    assert result.returncode == 1
    for word in words:
        assert word in result.stdout


def test_the_system_tells_the_zone(make_gateway, tmp_path):
    (tmp_path / "TZ").write_text("CST-8\n")
    gateway = make_gateway(start=False)
    gateway.wrapper = over("/etc", tmp_path)
    gateway.start()
    assert "days begin by the time zone CST-8 (/etc/TZ)" in gateway.log


def test_the_table_of_zones_is_what_its_script_makes(tmp_path):
    root, zones = Path(__file__).parents[2], Path("/usr/share/zoneinfo")
    made = [tmp_path / "table", tmp_path / "fixtures"]
    kept = [root / "Sources/Platform/TimeZoneTable.swift",
            root / "Tests/PlatformTests/TimeZoneFixtures.swift"]
    subprocess.run([sys.executable, root / "scripts/make-zones.py", zones, *made], check=True,
                   capture_output=True)
    table = made[0].read_text()
    assert 8000 < len(table) < 12_000
    version = (zones / "tzdata.zi").read_text().split("\n", 1)[0].split()[-1]
    # Another version, or one without the old names, gives another table.
    if f"tzdata {version}." in kept[0].read_text() and (zones / "US/Eastern").exists():
        assert [file.read_text() for file in made] == [file.read_text() for file in kept]
