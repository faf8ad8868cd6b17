# SPDX-License-Identifier: MIT
"""The live figures of channels: percentiles, what survives a restart, what they cost."""

import sqlite3
import time

import openai
import pytest

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
    empty = gateway.resident_kb
    gateway.stop()
    fill(gateway.data_dir / "db.db", channels)
    gateway.start()
    gateway.login()
    full = gateway.resident_kb
    print(f"resident: {empty} kB without figures, {full} kB with those of 50 channels")
    figures = gateway.items("/channels/stats", "window=30d&")
    # The first hour may have left the window since.
    assert {i["requests"] for i in figures} <= {5000 * 720, 5000 * 719}
    assert figures[0]["latency_ms_p99"] > figures[0]["latency_ms_p50"] > 500
    # 50 channels of about 80 kB, and what reading them leaves behind in the allocator.
    assert full - empty < 50 * 110
    assert figures[0]["errors_by_kind"]["timeout"] in (40 * 720, 40 * 719)
