# SPDX-License-Identifier: MIT
"""`tinygateway import`: databases of One API and New API, good ones, odd ones and broken ones."""

import contextlib
import hashlib
import json
import sqlite3

import pytest

from foreign import key, new_api, one_api
from gateway import FIRST_PASSWORD, ManagementError
from process import run
from test_sdk_chat import user


def bring(gateway, path, *arguments, succeeds=True):
    """Runs the import into a stopped gateway's data directory; returns what it wrote."""
    before = path.read_bytes() if path.is_file() else None
    result = run("import", path, "--data-dir", gateway.data_dir, *arguments)
    assert (result.returncode == 0) == succeeds, result.stdout
    assert before is None or path.read_bytes() == before, "the source must stay as it is"
    return result.stdout


def rows(gateway, sql):
    """Rows of a stopped gateway's database."""
    with contextlib.closing(sqlite3.connect(gateway.data_dir / "db.db")) as database:
        return database.execute(sql).fetchall()


def content(gateway):
    """Everything that an import may write, to compare."""
    return {table: rows(gateway, f"SELECT * FROM {table} ORDER BY 1, 2") for table in (
        "users", "tokens", "usage", "channels", "channel_groups", "user_groups", "prices",
        "redemptions", "options")}


def counted(report, kind):
    """The three numbers of one kind's line."""
    line = next(line for line in report.splitlines() if line.startswith(f"  {kind} "))
    return [int(word) for word in line[20:].replace(",", " ").split() if word.isdigit()]


def ask(gateway, letter, model, text="x"):
    """One chat with a client's old key."""
    return gateway.sdk("sk-" + key(letter)).chat.completions.create(
        model=model, messages=user(text))


@pytest.fixture
def set_up(fresh):
    """Starts the gateway and logs in for the first time."""
    def start():
        fresh.start()
        return fresh.set_up()
    return start


@pytest.mark.short
def test_a_clients_old_key_works_through_the_imported_channel(fresh, tmp_path, upstream):
    source = one_api(tmp_path / "one-api.db")
    source.user(2, "ann", quota=700, used_quota=300, group="vip")
    source.token("a", 2, remain_quota=600, used_quota=400)
    source.channel("up", 8, base_url=upstream.url(path=""), models="public@i1,other@i1",
                   model_mapping='{"public@i1": "echo@i1", "unlisted@i1": "echo@i1"}',
                   group="vip,default", priority=5, weight=0)
    source.option("GroupRatio", {"default": 1, "vip": 0.5, "svip": 2})
    bring(fresh, source.close())
    fresh.start()
    assert ask(fresh, "a", "public@i1", "hello").choices[0].message.content == "hello"
    assert upstream.requests("@i1")[-1].key == "sk-upstream-key-9"
    with pytest.raises(Exception, match="unlisted@i1"):
        ask(fresh, "a", "unlisted@i1")
    fresh.stop()
    assert rows(fresh, "SELECT username, role, user_group, quota, status FROM users") == [
        ("root", 100, "default", None, 1), ("ann", 1, "vip", 1000, 1)]
    assert rows(fresh, "SELECT name, channel_groups, ratio FROM user_groups ORDER BY name") == [
        ("default", "default", 1000000), ("svip", "svip", 2000000), ("vip", "vip", 500000)]
    assert rows(fresh, "SELECT quota, status FROM tokens") == [(1000, 1)]
    (user_used,), (token_used,) = rows(fresh, "SELECT used_micro FROM usage ORDER BY owner")
    assert user_used > 300_000_000 and token_used > 400_000_000
    assert b"sk-upstream-key-9" not in (fresh.data_dir / "db.db").read_bytes()


def test_quotas_end_where_they_ended_there(fresh, tmp_path, upstream):
    source = one_api(tmp_path / "one-api.db")
    source.user(2, "poor", quota=0, used_quota=90).user(3, "rich", quota=9_000_000_000_001)
    source.token("a", 1, remain_quota=0, used_quota=5000, status=4)
    source.token("b", 2, unlimited_quota=1).token("c", 3, unlimited_quota=1)
    source.token("d", 3, expired_time=1700000000, status=3, unlimited_quota=1)
    source.token("e", 3, status=2, unlimited_quota=1)
    source.token("f", 3, expired_time=4102444800, unlimited_quota=1)
    source.channel("up", 50, base_url=upstream.url(), models="echo@i2")
    bring(fresh, source.close())
    fresh.start()
    for letter, status in (("a", 429), ("b", 429), ("d", 401), ("e", 401)):
        with pytest.raises(Exception) as caught:
            ask(fresh, letter, "echo@i2")
        assert caught.value.status_code in (status, 402, 403), (letter, caught.value)
    for letter in "cf":
        ask(fresh, letter, "echo@i2")


def test_new_api_numbers_groups_and_limits(fresh, tmp_path, upstream):
    source = new_api(tmp_path / "one-api.db", root="boss")
    source.user(2, "ann", quota=100000).user(3, "gone", deleted_at="2025-01-01 00:00:00")
    source.token("a", 2, model_limits_enabled=1, model_limits="echo@i3", group="vip",
                 allow_ips="127.0.0.1\n10.0.0.0/8")
    source.token("b", 2).token("c", 3).token("d", 2, deleted_at="2025-01-01 00:00:00")
    source.token("e", 2, group="auto").token("f", 1)
    info = json.dumps({"is_multi_key": True, "multi_key_size": 3,
                       "multi_key_status_list": {"0": 2, "2": 3}}).encode()
    source.channel("vip", 60, base_url=upstream.url(path=""), models="echo@i3,wide@i3",
                   group="vip", key="sk-off-aaaaaaaa\nsk-on-bbbbbbbb\nsk-off-cccccccc",
                   channel_info=info, priority=None, weight=None)
    source.channel("deep", 43).channel("zhipu", 26).channel("suno", 36)
    source.channel("whole", 8, base_url=upstream.url(path="/v1/chat/completions"))
    source.channel("odd", 8, base_url=upstream.url(path="/v1/{model}"))
    source.channel("plan", 26, base_url="glm-coding-plan")
    report = bring(fresh, source.close())
    assert "(New API)" in report.splitlines()[0]
    assert '1 "boss" is merged with the root account' in report
    assert '"suno" is left out: its type 36 (Suno) is not spoken here' in report
    assert '"odd" is left out' in report and '"plan" is left out' in report
    assert "key number 1" in report and "key number 3" in report and "key number 2" not in report
    assert counted(report, "users") == [1, 1, 1]
    assert counted(report, "tokens") == [4, 0, 2]
    assert counted(report, "channels") == [4, 0, 3]
    assert rows(fresh, "SELECT name, type, base_url, weight FROM channels WHERE name <> 'vip'") == [
        ("deep", "deepseek", "", 1),
        ("zhipu", "zhipu", "", 1),
        ("whole", "openai-compatible", upstream.url(), 1)]
    assert rows(fresh, "SELECT channel_groups FROM user_groups") == [("default,vip",)]
    assert rows(fresh, "SELECT channel_group FROM tokens ORDER BY id") == [
        ("vip",), ("default",), ("default",), ("",)]
    fresh.start()
    ask(fresh, "a", "echo@i3")
    assert upstream.requests("@i3")[-1].key == "sk-on-bbbbbbbb"
    for letter, model in (("a", "wide@i3"), ("b", "echo@i3"), ("c", "echo@i3")):
        with pytest.raises(Exception, match="401|403|404"):
            ask(fresh, letter, model)


def test_one_api_numbers(fresh, tmp_path):
    source = one_api(tmp_path / "one-api.db")
    for name, number in (("deepseek", 36), ("ollama", 30), ("groq", 29), ("ark", 40),
                         ("aws", 33), ("claude", 14), ("unknown", 999)):
        source.channel(name, number)
    source.channel("ark elsewhere", 40, base_url="https://ark.example/")
    source.channel("claude elsewhere", 14, base_url="https://claude.example")
    source.channel("keyless", 1, key="").channel("off", 1, status=2).channel("auto", 1, status=3)
    source.channel("nothing", 1, models="").channel("prompted", 1, system_prompt="be brief")
    report = bring(fresh, source.close())
    assert rows(fresh, "SELECT name, type, base_url, status FROM channels") == [
        ("deepseek", "deepseek", "", 1), ("ollama", "ollama", "", 1),
        ("groq", "groq", "", 1),
        ("ark", "doubao", "", 1),
        ("claude", "anthropic", "", 1),
        ("ark elsewhere", "doubao", "https://ark.example", 1),
        ("claude elsewhere", "anthropic", "https://claude.example", 1),
        ("off", "openai", "", 2), ("auto", "openai", "", 1), ("nothing", "openai", "", 2),
        ("prompted", "openai", "", 1)]
    for sentence in ('"aws" is left out: its type 33 (AWS)', "its type 999 (unknown)",
                     '"keyless" is left out',
                     '"prompted" loses what is in system_prompt',
                     '"auto" was switched off automatically'):
        assert sentence in report
    again = bring(fresh, tmp_path / "one-api.db", "--product", "new-api", "--dry-run")
    assert "(New API)" in again, "the owner's word counts"


def test_prices_are_exact_and_settings_and_codes_are_taken(fresh, tmp_path):
    source = new_api(tmp_path / "one-api.db")
    source.option("ModelRatio", '{"a": 37.5, "b": 0.0000005, "c": 0.00000049, "d": -1, "e": 1e7, '
                                '"f(14)": 2, "g-*": 1, "h": 0.25, "i": "x", "j": 0}')
    source.option("CompletionRatio", '{"a": 1.3333333333333333, "h": 4, "nobody": 2}')
    source.option("CacheRatio", {"a": 0.1}).option("ModelPrice", {"draw": 0.04})
    source.option("QuotaPerUnit", "100000").option("QuotaForNewUser", "77")
    source.option("RegisterEnabled", "true").option("EmailVerificationEnabled", "true")
    source.option("SMTPToken", "secret-of-mail")
    for letter, status in (("a", 1), ("b", 2), ("c", 3)):
        source.add("redemptions", key=letter * 32, status=status, name="gift", quota=50,
                   created_time=1700000000, redeemed_time=1700000001, used_user_id=1,
                   expired_time=0)
    source.add("redemptions", key="short", status=1, name="short", quota=50)
    report = bring(fresh, source.close())
    assert rows(fresh, "SELECT model, prompt, completion, cached FROM prices") == [
        ("a", 37_500_000, 50_000_000, 3_750_000), ("b", 1, None, None), ("c", 0, None, None),
        ("g-*", 1_000_000, None, None), ("h", 250_000, 1_000_000, None), ("j", 0, None, None)]
    assert counted(report, "prices") == [6, 0, 4]
    assert json.loads(rows(fresh, "SELECT value FROM options WHERE name = 'settings'")[0][0]) == {
        "quota_per_unit": 100000, "new_user_quota": 77, "registration": False}
    assert rows(fresh, "SELECT code_hash, status, used_by, used_at FROM redemptions") == [
        (hashlib.sha256(letter.encode() * 32).digest(), status, used_by, used_at)
        for letter, status, used_by, used_at in (
            ("a", 1, None, None), ("b", 2, None, None), ("c", 3, 1, 1700000001))]
    assert '"SMTPToken"' in report and "secret-of-mail" not in report
    assert "a" * 32 not in report, "codes must not be shown"


def test_a_second_import_changes_nothing(make_gateway, tmp_path):
    gateway = make_gateway(start=False)
    source = one_api(tmp_path / "one-api.db")
    source.user(2, "ann", quota=10, used_quota=5, group="vip").token("a", 2).token("b", 1)
    source.channel("one", 1).channel("one", 1, key="sk-upstream-key-8")
    source.option("ModelRatio", {"m": 2}).option("GroupRatio", {"vip": 0.5, "default": 2})
    source.option("QuotaPerUnit", "1000")
    source.add("redemptions", key="a" * 32, status=1, name="gift", quota=50)
    path = source.close()
    unchanged = content(gateway)
    dry = bring(gateway, path, "--dry-run")
    assert content(gateway) == unchanged
    first = bring(gateway, path)
    assert dry.splitlines()[2:] == first.splitlines()[2:]
    kept = content(gateway)
    assert kept != unchanged and len(kept["channels"]) == len(unchanged["channels"]) + 2
    second = bring(gateway, path)
    assert content(gateway) == kept
    for kind in ("users", "tokens", "channels", "user groups", "prices", "redemption codes"):
        assert counted(second, kind)[0] == 0, second
    gateway.start()


def test_a_dry_run_makes_nothing(fresh, tmp_path):
    path = one_api(tmp_path / "one-api.db").channel("up", 1).close()
    report = bring(fresh, path, "--dry-run")
    assert "nothing was written" in report and counted(report, "channels") == [1, 0, 0]
    assert not fresh.data_dir.exists()


def test_names_that_exist_keep_their_rights(make_gateway, tmp_path):
    gateway = make_gateway(start=False)
    source = new_api(tmp_path / "one-api.db", root="boss").user(2, "root").token("z", 2)
    report = bring(gateway, source.close())
    assert "account of that name with other rights" in report
    assert counted(report, "tokens") == [0, 0, 1], "a stranger's key must not become root's"


def test_a_running_gateway_is_left_alone(make_gateway, tmp_path):
    gateway = make_gateway()
    path = one_api(tmp_path / "one-api.db").token("a", 1).close()
    for arguments in ((), ("--dry-run",)):
        assert "use" in bring(gateway, path, *arguments, succeeds=False)
    gateway.stop()
    assert len(rows(gateway, "SELECT * FROM tokens")) == 1
    gateway.start()


def test_accounts_without_a_password_cannot_log_in(set_up, fresh, tmp_path):
    bring(fresh, one_api(tmp_path / "one-api.db").user(2, "ann", quota=5).close())
    gateway = set_up()
    for password in (FIRST_PASSWORD, "!imported without a password"):
        with pytest.raises(ManagementError) as caught:
            gateway.login(password, "ann")
        assert caught.value.status == 401
    gateway.stop()
    changed = run("passwd", "ann", "--data-dir", gateway.data_dir, stdin="a new password\n")
    assert changed.returncode == 0, changed.stdout
    gateway.start()
    gateway.login("a new password", "ann")
