# SPDX-License-Identifier: MIT
"""`tinygateway import` makes no right and no quota wider, whatever was here before."""

import pytest

from foreign import key, new_api, one_api
from test_import import ask, bring, rows
from test_sdk_chat import user


def test_a_directory_in_use_gets_no_wider_rights(make_gateway, tmp_path, upstream):
    gateway = make_gateway()
    for name in ("fast", "vip"):
        gateway.call("POST", "/channel-groups", {"name": name})
        gateway.channel(upstream.url(), [f"echo@{name}"], groups=[name])
    gateway.call("PUT", "/user-groups/1", {"channel_groups": ["fast"]})
    known = gateway.call("POST", "/users", {
        "username": "known", "password": "a password of theirs", "quota": 100_000})
    old = gateway.token(user_id=known["id"])
    gateway.stop()
    source = new_api(tmp_path / "one-api.db").user(2, "ann", quota=100_000)
    source.user(3, "known", quota=5).user(4, "bob", quota=100_000, group="staff")
    source.token("a", 2).token("b", 2, group="vip").token("c", 3, group="vip")
    source.token("d", 4).token("e", 4, group="vip")
    report = bring(gateway, source.close())
    assert report.count("is disabled here: it names a channel group that the user group of its "
                        "owner does not list") == 2
    assert rows(gateway, "SELECT name, channel_groups FROM user_groups ORDER BY id") == [
        ("default", "fast"), ("staff", "staff,vip")]
    assert rows(gateway, "SELECT channel_group, status FROM tokens WHERE id > 1 ORDER BY id") == [
        ("", 1), ("", 1), ("vip", 2), ("vip", 2), ("staff", 1), ("vip", 1)]
    gateway.start()
    for secret in (old["key"], "sk-" + key("a")):
        gateway.sdk(secret).chat.completions.create(model="echo@fast", messages=user("x"))
        with pytest.raises(Exception, match="403|404|503"):
            gateway.sdk(secret).chat.completions.create(model="echo@vip", messages=user("x"))
    ask(gateway, "e", "echo@vip")
    for letter, model in (("b", "echo@vip"), ("c", "echo@vip"), ("d", "echo@vip")):
        with pytest.raises(Exception, match="401|403|404|503"):
            ask(gateway, letter, model)


def test_a_limit_that_is_too_large_stays_a_limit(fresh, tmp_path):
    source = one_api(tmp_path / "one-api.db")
    source.user(2, "rich", quota=5_000_000_000_000, used_quota=5_000_000_000_000)
    source.token("a", 2, remain_quota=5_000_000_000_000, used_quota=5_000_000_000_000)
    source.token("b", 2, remain_quota=9_000_000_000_001, unlimited_quota=1)
    report = bring(fresh, source.close())
    assert report.count("has the largest quota that there is, 9000000000000 units") == 2
    largest = 9_000_000_000_000
    assert rows(fresh, "SELECT quota FROM users WHERE username = 'rich'") == [(largest,)]
    assert rows(fresh, "SELECT quota FROM tokens ORDER BY id") == [(largest,), (None,)]
