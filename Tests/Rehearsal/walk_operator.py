# SPDX-License-Identifier: MIT
"""The operator: scripts, scrapes, moves, checks and upgrades it by its documents alone."""

import csv
import json
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

import boxes
import upgrade
from backups import PASSPHRASE
from document import PRINTED_PASSWORD, Document
from gateway import FIRST_PASSWORD, Gateway
from process import environment, wait_until
from test_api_examples import PRINTED_ADDRESS
from test_sdk_chat import user
from vendors import KEY, Vendors

ROOT = Path(__file__).parents[2]
ARMV7 = ROOT / "dist" / "armv7" / "tinygateway"
EMULATOR = "qemu-arm-static -cpu cortex-a7"


class Desk:
    """What the operator has: a running gateway, its document, and what was made so far."""

    def __init__(self, gateway, folder, vendors):
        self.gateway, self.folder, self.vendors = gateway, folder, vendors
        self.document = Document(gateway, folder)
        self.key = self.user = self.contents = None


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A gateway whose owner chose the password that the document prints."""
    folder = tmp_path_factory.mktemp("operator")
    env = {"TINYGATEWAY_METRICS_TOKEN": "a-token-for-prometheus", "TZ": "UTC0"}
    with Vendors() as vendors, Gateway(folder / "data", env=env) as gateway:
        gateway.login(FIRST_PASSWORD)
        gateway.jwt = gateway.call("PUT", "/users/self/password", {
            "old_password": FIRST_PASSWORD, "new_password": PRINTED_PASSWORD})["token"]
        yield Desk(gateway, folder, vendors)


def step_document(desk):
    """The gateway itself has the document; its first lines log in."""
    served = desk.gateway.http.get("/docs/API.md").text
    assert served == (ROOT / "docs" / "API.md").read_text()
    desk.document.login(PRINTED_ADDRESS + "/api/v1")


@pytest.mark.needs("document")
def step_set_up(desk):
    """Channel, groups, price, key and codes, by the document's examples."""
    document, vendors = desk.document, desk.vendors
    channel = document.data("POST /api/v1/channels", [
        ('"type": "deepseek", "keys": ["sk-0123456789abcdef"]',
         f'"type": "qwen", "keys": ["{KEY}"], "base_url": "{vendors.url(path="/qwen/v1")}"'),
        ('"chat": "deepseek-chat"', '"chat": "qwen-max", "deepseek-chat": "qwen-max"')])
    document.data("POST /api/v1/channel-groups", [("[3,1]", f"[{channel['id']}]")])
    document.data("POST /api/v1/user-groups")
    document.data("POST /api/v1/prices")
    document.data("POST /api/v1/redemptions")
    document.data("PUT /api/v1/model-fallbacks")
    token = document.data("POST /api/v1/tokens", [("10.0.0.0/8", "127.0.0.0/8")])
    desk.key = token["key"]
    answer = document.data("POST /api/v1/channels/{id}/test")
    assert answer["ok"], answer


@pytest.mark.needs("set_up")
def step_hr(desk):
    """HR creates a user, gives a budget, and switches the account off when somebody leaves."""
    document = desk.document
    document.run("Users", more='echo "$ID" > id')
    number = int((desk.folder / "id").read_text())
    change = [("/users/2", f"/users/{number}")]
    found = document.data("GET /api/v1/users/{id}", change)
    assert (found["username"], found["quota"], found["status"], found["group"]) == (
        "li.na", 2_500_000, "disabled", "staff")
    assert found["must_change_password"] is True
    desk.user = number


@pytest.mark.needs("set_up")
def step_management_token(desk):
    """A management token for a script works in place of the login, and reads only."""
    made = desk.document.data("POST /api/v1/auth/tokens", [('"read_only":false',
                                                            '"read_only":true')])
    login, desk.document.env["TOKEN"] = desk.document.env["TOKEN"], made["token"]
    try:
        desk.document.data("GET /api/v1/channels/stats")
        with pytest.raises(AssertionError, match="read_only_token"):
            desk.document.data("POST /api/v1/prices", [("gpt-4o*", "other")])
    finally:
        desk.document.env["TOKEN"] = login


@pytest.mark.needs("set_up")
def step_bi(desk):
    """BI gets the figures of channels, usage by day and the log as files."""
    for _ in range(3):
        desk.gateway.sdk(desk.key).chat.completions.create(
            model="deepseek-chat", messages=user("x"))
    wait_until(lambda: desk.gateway.items("/logs"), what="rows of the log")
    desk.document.run("Figures in a BI board")
    channel, = json.loads((desk.folder / "channels.json").read_text())["data"]["items"]
    print(json.dumps(channel, indent=1))
    assert (channel["requests"], channel["success_rate"]) == (3, 1)
    assert sum(bucket["requests"] for bucket in channel["series"]) == 3
    usage = json.loads((desk.folder / "usage.json").read_text())["data"]
    assert usage["items"][0]["model"] == "deepseek-chat" and usage["total"]["requests"] == 3
    with (desk.folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["token_name"] for row in rows] == ["billing report"] * 3


@pytest.mark.needs("bi")
def step_finance(desk):
    """Finance gives a cost centre another quota and reads what was used of it."""
    token, = desk.gateway.items("/tokens")
    used = desk.document.run("Tokens", [("/tokens/1", f"/tokens/{token['id']}")])
    assert used.strip().endswith("300")
    assert desk.gateway.call("GET", f"/tokens/{token['id']}")["quota"] == 2_000_000


@pytest.mark.needs("bi")
def step_prometheus(desk):
    """What Prometheus scrapes is in order for its own tool, or for its client library."""
    text = desk.gateway.http.get(
        "/metrics", headers={"Authorization": "Bearer a-token-for-prometheus"}).text
    (desk.folder / "metrics").write_text(text)
    families = list(text_string_to_metric_families(text))
    print(f"{len(families)} families, {sum(len(f.samples) for f in families)} samples")
    assert all(family.documentation and family.type != "unknown" for family in families)
    counted = [sample.value for family in families for sample in family.samples
               if sample.name == "tinygateway_requests_total"
               and sample.labels["outcome"] == "success"]
    assert counted == [3]
    tool = shutil.which("promtool")
    print("promtool:", tool or "not installed, Debian's package prometheus has it")
    if tool:
        done = subprocess.run([tool, "check", "metrics"], input=text, text=True,
                              capture_output=True, timeout=20)
        print(done.stdout + done.stderr)
        assert done.returncode == 0


@pytest.mark.needs("finance", "hr")
def step_backup(desk):
    """One file with everything, its keys sealed under a passphrase."""
    desk.contents = upgrade.contents(desk.gateway)
    desk.document.run("POST /api/v1/backup", [('"logs":false', '"logs":true'),
                                              (PASSPHRASE, PASSPHRASE)])
    size = (desk.folder / "tinygateway.db").stat().st_size
    print(f"{size} bytes;", {path: len(found) for path, found in desk.contents.items()})


@pytest.mark.needs("backup")
def step_other_architecture(desk):
    """Wiped, and restored on ARMv7: everything is still there, and the key still works."""
    data = desk.gateway.data_dir
    desk.gateway.stop()
    shutil.rmtree(data)
    (desk.folder / "passphrase.txt").write_text(PASSPHRASE)
    arguments = ["restore", "tinygateway.db", "--passphrase-file", "passphrase.txt",
                 "--data-dir", data]
    done = subprocess.run([*EMULATOR.split(), ARMV7, *arguments], cwd=desk.folder, text=True,
                          env=environment(), capture_output=True, timeout=60)
    print(done.stdout + done.stderr)
    assert done.returncode == 0 and "Restored: 2 users" in done.stdout
    other = Gateway(data, {"time_zone": "UTC0"})
    other.wrapper = ["sh", "-c", f'shift; exec {EMULATOR} {ARMV7} "$@"', "sh"]
    with other:
        other.login(PRINTED_PASSWORD)
        target = other.call("GET", "/status")["target"]
        print(target)
        assert target.startswith("armv7")
        after = upgrade.contents(other)
        for path, before in desk.contents.items():
            assert after[path] == before, path
        asked = desk.vendors.answered["qwen"]
        other.sdk(desk.key).chat.completions.create(model="deepseek-chat", messages=user("x"))
        assert desk.vendors.answered["qwen"] == asked + 1


def step_doctor_on_a_healthy_box(tmp_path):
    """The doctor finds nothing on a healthy box: exit status 0."""
    with ExitStack() as stack:
        box = boxes.Box(tmp_path / "data", stack)
        boxes.healthy(box)
        done, found = box.examine()
    assert done.returncode == 0
    assert {level for kind in found.values() for level, _ in kind} == {"ok"}


@pytest.mark.parametrize("make", boxes.BOXES, ids=lambda make: make.__name__)
def step_doctor(tmp_path, make):
    """The doctor finds what is wrong with a box, and says what to do."""
    wanted, level, words, advice = boxes.BOXES[make]
    print(make.__doc__)
    with ExitStack() as stack:
        box = boxes.Box(tmp_path / "data", stack)
        make(box)
        done, found = box.examine()
    assert done.returncode == {"warning": 1, "error": 2}[level]
    (told, message), = found[wanted]
    assert told == level and words in message and advice in done.stdout
    # The small disk of these tests lies in memory, which the doctor notices, too.
    others = {name for name, kind in found.items() for each, _ in kind if each != "ok"}
    assert others <= {wanted, "file_system"}, "something else is said to be wrong"


def step_doctor_on_a_wrong_clock(tmp_path, upstream, certificates):
    """The doctor notices a clock that is two days late, by what verified upstreams say."""
    with Gateway(tmp_path / "data", {"ca_file": certificates.ca_file}) as gateway:
        gateway.set_up()
        found = boxes.wrong_clock(gateway, upstream)
    print(found)
    assert found["level"] == "warning" and "NTP" in found["advice"]


@pytest.mark.parametrize("version", upgrade.VERSIONS)
def step_upgrade(desk, tmp_path, version):
    """A database of an earlier version is brought up to date, loses nothing, and serves."""
    folder = tmp_path / "data"
    key = upgrade.write(version, folder, desk.vendors.url(path=""))
    with Gateway(folder) as gateway:
        gateway.login()
        token, = gateway.items("/tokens")
        assert (token["name"], token["quota"], token["used_quota"]) == ("laptop", 100_000, 100)
        assert [row["quota"] for row in gateway.items("/logs")] == [100]
        asked = desk.vendors.answered["qwen"]
        gateway.sdk(key).chat.completions.create(model="qwen-max", messages=user("x"))
        assert desk.vendors.answered["qwen"] == asked + 1
        print(gateway.log)
    now, kept = upgrade.version_of(folder), sorted(p.name for p in folder.glob("db.db.*"))
    print(f"version {version} became {now}; kept: {kept}")
    assert now == max(upgrade.VERSIONS), "previous/ lacks the newest version of the schema"
    with Gateway(tmp_path / "new"):
        pass
    assert upgrade.schema_of(folder) == upgrade.schema_of(tmp_path / "new")
    assert kept == ([] if version == now else [f"db.db.before-{version + 1}"])
    assert all(name in gateway.log for name in kept)
