# SPDX-License-Identifier: MIT
"""The live figures of channels: percentiles, what survives a restart, what they cost."""

import sqlite3
import time

import openai
import pytest

from test_management_login import failure
from test_sdk_chat import user


def test_the_figures_have_percentiles(gateway, upstream):
    route = gateway.route(upstream, "slow-first-byte:50")
    nothing = gateway.stats(route.channel)
    for key in ("latency_ms_p50", "latency_ms_p95", "latency_ms_p99", "first_byte_ms_p95"):
        assert nothing[key] is None
    for _ in range(4):
        gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    for window in ("1h", "24h", "30d"):
        series = window != "30d"
        items = gateway.items("/channels/stats", f"window={window}&series={series:d}&")
        figures = next(i for i in items if i["channel_id"] == route.channel["id"])
        for found in (figures, *figures.get("series", [])[-1:]):
            assert found["requests"] >= 1
            assert 40 <= found["latency_ms_p50"] <= found["latency_ms_p95"]
            assert found["latency_ms_p95"] <= found["latency_ms_p99"]
            assert 40 <= found["first_byte_ms_p95"]


def test_the_figures_of_hours_survive_a_restart(make_gateway, upstream):
    gateway = make_gateway()
    route = gateway.route(upstream, "echo", "status:500")
    dead = gateway.route(upstream, "status:500")
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    with pytest.raises(openai.APIStatusError):
        gateway.sdk().chat.completions.create(model=dead.model, messages=user("x"))

    def figures():
        items = gateway.items("/channels/stats", "window=24h&series=1&")
        keep = (route.channels[0]["id"], dead.channel["id"])
        return [{k: v for k, v in i.items() if not k.startswith("last_error")}
                for i in items if i["channel_id"] in keep]

    before = figures()
    gateway.restart()
    gateway.login()
    assert figures() == before and before[0]["first_byte_ms_p95"] is not None


def packed(*numbers):
    """LEB128, as the gateway packs numbers."""
    out = bytearray()
    for number in numbers:
        while number >= 0x80:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        out.append(number)
    return bytes(out)


def histogram(steps, count):
    numbers = [len(steps)]
    for step, before in zip(steps, [0, *steps]):
        numbers += [step - before, count]
    return packed(*numbers)


def fill(path, channels):
    """A month of busy hours for each channel: 5,000 requests an hour."""
    detail = packed(2, 3, 40, 7, 9) + histogram(range(18, 32), 350) + histogram(range(15, 27), 400)
    now = int(time.time()) // 3600
    with sqlite3.connect(path) as database:
        rows = [(hour, channel, 5000, 4900, 3_000_000, 900_000, 40_000_000, 4_000_000, detail)
                for hour in range(now - 719, now + 1) for channel in channels]
        database.executemany("INSERT INTO channel_hours VALUES (?,?,?,?,?,?,?,?,?)", rows)
    database.close()


@pytest.mark.native
def test_a_month_of_fifty_channels_fits_a_small_board(make_gateway, upstream):
    gateway = make_gateway()
    channels = [gateway.channel(upstream.url(), ["m"])["id"] for _ in range(50)]
    gateway.restart()
    empty = gateway.own_kb
    gateway.stop()
    fill(gateway.data_dir / "db.db", channels)
    gateway.start()
    gateway.login()
    full = gateway.own_kb
    print(f"its own: {empty} kB without figures, {full} kB with those of 50 channels")
    figures = gateway.items("/channels/stats", "window=30d&")
    # The first hour may have left the window since.
    assert {i["requests"] for i in figures} <= {5000 * 720, 5000 * 719}
    assert figures[0]["latency_ms_p99"] > figures[0]["latency_ms_p50"] > 500
    # 50 channels of about 80 kB, and what reading them leaves behind in the allocator.
    assert full - empty < 50 * 110
    assert figures[0]["errors_by_kind"]["timeout"] in (40 * 720, 40 * 719)


@pytest.mark.native
def test_a_month_by_day_and_all_channels_together_are_small(make_gateway, upstream):
    gateway = make_gateway(time_zone="Asia/Shanghai")
    channels = [gateway.channel(upstream.url(), ["m"])["id"] for _ in range(12)]
    gateway.stop()
    fill(gateway.data_dir / "db.db", channels)
    gateway.start()
    gateway.login()

    def figures(**parameters):
        answer = gateway.request("GET", "/channels/stats", params={"window": "30d", **parameters})
        assert answer.status_code == 200, answer.text
        assert len(answer.content) < 600_000
        return answer.json()["data"]

    days = figures(series="day")
    assert days["total"] == 12 and days["bucket_seconds"] == 86_400
    for item in days["items"]:
        series = item["series"]
        assert 30 <= len(series) <= 31
        assert sum(day["requests"] for day in series) == item["requests"]
        # The first and the last day are cut; the others have 24 hours of 5,000 requests.
        assert {day["requests"] for day in series[1:-1]} == {120_000}
        assert [day["time"] for day in series] == sorted(day["time"] for day in series)
        for day in series:
            assert (day["time"] + 8 * 3600) % 86_400 == 0       # midnight in Shanghai
            assert day["day"] == time.strftime("%Y-%m-%d", time.gmtime(day["time"] + 8 * 3600))
    one = days["items"][0]
    together = figures(series="day", sum="1")
    assert "items" not in together and together["bucket_seconds"] == 86_400
    both = together["sum"]
    assert both["requests"] == 12 * one["requests"]
    assert both["success_rate"] == one["success_rate"]
    assert both["latency_ms_p95"] == one["latency_ms_p95"]
    assert [day["requests"] for day in both["series"]] == [
        12 * day["requests"] for day in one["series"]]
    began = time.monotonic()
    assert figures(sum="1")["sum"] == {k: v for k, v in both.items() if k != "series"}
    print(f"sum of 12 busy channels over 30 days: {time.monotonic() - began:.3f} s")
    assert len(figures(series="1", sum="1")["sum"]["series"]) in (719, 720)
    for wrong in ({"series": "day", "window": "1h"}, {"series": "2"}, {"sum": "2"},
                  {"window": "2d"}):
        answer = gateway.request("GET", "/channels/stats", params=wrong)
        failure(answer, 400, "invalid_parameter")


def test_all_channels_are_one_series_of_minutes(gateway, upstream):
    route = gateway.route(upstream, "status:500", "echo")
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    data = gateway.call("GET", "/channels/stats?series=1&sum=1")
    items = gateway.items("/channels/stats")
    both = data["sum"]
    assert (data["window"], data["bucket_seconds"]) == ("1h", 60)
    for name in ("requests", "successes", "errors", "prompt_tokens", "completion_tokens"):
        assert both[name] == sum(item[name] for item in items)
        assert both[name] == sum(minute[name] for minute in both["series"])
    assert both["errors_by_kind"]["upstream_server"] >= 1 and both["successes"] >= 1
    times = [minute["time"] for minute in both["series"]]
    assert times == sorted(set(times)) and all(t % 60 == 0 for t in times)
