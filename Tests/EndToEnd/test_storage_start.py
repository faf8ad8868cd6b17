# SPDX-License-Identifier: MIT
"""A start on a disk that takes no writes: what is stored is served, and it heals by itself."""

import shutil
import subprocess
from pathlib import Path

import pytest

from gateway import Gateway
from process import command, on_small_disk, remount, wait_until
from test_management_login import failure
from test_sdk_chat import user
from test_storage_failures import FAILS, WORKS, storage

pytestmark = pytest.mark.native
READ_ONLY = "mount -o remount,ro @"
# All blocks and, where a journal is yet to be made, all inodes.
FULL = "(cat /dev/zero >@/filler 2>/dev/null; true)"


def inside(gateway, name=""):
    """A file of the data directory as the gateway sees it."""
    return Path(f"/proc/{gateway.process.pid}/root{gateway.data_dir}/{name}")


def chat(gateway, route, token):
    """One request, which costs quota."""
    gateway.sdk(token["key"]).chat.completions.create(model=route.model, messages=user("x"))


def rename(gateway, token, name):
    """An attempt to change a setting."""
    return gateway.request("PUT", f"/tokens/{token['id']}", json={"name": name})


def check_after_a_power_cut(gateway, token, used):
    """What was acknowledged and used must be on the disk, not only in memory."""
    wait_until(lambda: gateway.call("GET", "/logs")["items"], what="the log is written")
    left = gateway.data_dir.with_name("left")
    shutil.copytree(inside(gateway), left)
    gateway.kill()
    gateway.data_dir, gateway.wrapper = left, []
    gateway.start()
    found = gateway.call("GET", f"/tokens/{token['id']}")
    assert (found["name"], found["used_quota"]) == ("after", used)
    assert storage(gateway) == "ok"


def test_a_read_only_file_system(make_gateway, upstream):
    gateway = make_gateway(flush_interval_ms=300)
    route, token = gateway.route(upstream, "echo"), gateway.token(name="before")
    gateway.kill()                                      # the token is in the journal alone
    assert (gateway.data_dir / "db.db-wal").stat().st_size
    gateway.wrapper = on_small_disk(gateway.data_dir, "8m", READ_ONLY)
    gateway.start()
    files = {path.name: path.read_bytes() for path in inside(gateway).iterdir() if path.is_file()}
    assert storage(gateway) == "failing" and FAILS in gateway.log
    assert "Read-only file system" in gateway.log
    assert gateway.call("GET", "/status")["storage"] == "read_only"
    assert gateway.call("GET", f"/tokens/{token['id']}")["name"] == "before"
    for _ in range(3):
        chat(gateway, route, token)
    used = gateway.used_quota(token)
    assert used > 0
    failure(rename(gateway, token, "refused"), 503, "storage_failed")
    assert storage(gateway) == "failing"
    assert files == {path.name: path.read_bytes() for path in inside(gateway).iterdir()
                     if path.is_file()}
    remount(gateway.process.pid, gateway.data_dir, "rw")
    wait_until(lambda: storage(gateway) == "ok", timeout=12, what="healing without any change")
    wait_until(lambda: WORKS in gateway.log, what="a line of the log")
    assert rename(gateway, token, "after").status_code == 200
    check_after_a_power_cut(gateway, token, used)


@pytest.mark.parametrize("has_journal", [False, True], ids=["no-journal", "journal"])
def test_a_full_disk(make_gateway, upstream, has_journal):
    gateway = make_gateway(flush_interval_ms=300)
    route, token = gateway.route(upstream, "echo"), gateway.token(name="before")
    if has_journal:
        gateway.kill()
        size = "4m"
    else:
        gateway.stop()
        size = f"4m,nr_inodes={len(list(gateway.data_dir.rglob('*'))) + 2}"
    gateway.wrapper = on_small_disk(gateway.data_dir, size, FULL)
    gateway.start()
    assert has_journal or storage(gateway) == "failing"
    chat(gateway, route, token)

    def refused():
        answer = rename(gateway, token, "x" * 100)
        return answer if answer.status_code != 200 else None
    failure(wait_until(refused, what="a change that fails"), 507, "storage_full")
    wait_until(lambda: storage(gateway) == "failing", what="the state is shown")
    assert gateway.call("GET", "/status")["storage"] == "full"
    inside(gateway, "filler").unlink()
    assert rename(gateway, token, "after").status_code == 200, "at once"
    wait_until(lambda: storage(gateway) == "ok", what="a write that works")
    check_after_a_power_cut(gateway, token, gateway.used_quota(token))


def test_a_first_start_on_a_read_only_file_system_says_what_to_do(tmp_path):
    gateway = Gateway(tmp_path / "data")
    gateway.data_dir.mkdir()
    wrapper = on_small_disk(gateway.data_dir, "1m", READ_ONLY)
    result = subprocess.run([*wrapper, *command("serve", "--data-dir", gateway.data_dir)],
                            capture_output=True, text=True, timeout=20)
    assert result.returncode == 1
    assert "is on a read-only file system; remount it with rw" in result.stderr
