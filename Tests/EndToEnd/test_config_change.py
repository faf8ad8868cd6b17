# SPDX-License-Identifier: MIT
"""`PUT /config`: config.yaml is changed as a careful owner would, and holds at once."""

import os
import signal
import threading

import pytest

from process import free_port, wait_until, with_mounts
from test_management_login import failure

FILE = b"# mine\r\n#body_limit_mb: 32\r\n\r\nretries: 5  # why\r\n  # end"
SECRET = "a-bearer-token-for-prometheus"


@pytest.fixture
def with_file(make_gateway):
    """Starts a gateway whose config.yaml is the one above."""
    def make(**options):
        gateway = make_gateway(start=False, **options)
        path(gateway).write_bytes(FILE)
        return gateway.start()
    return make


def path(gateway):
    return gateway.data_dir / "config.yaml"


def change(gateway, **values):
    return gateway.request("PUT", "/config", json=values)


def settings(gateway):
    return {item["key"]: item for item in gateway.call("GET", "/config")["items"]}


def is_too_large(gateway):
    """Whether a body of 1.5 MB is."""
    status = gateway.post("/v1/chat/completions", b'{"a":"' + bytes(1_500_000)).status_code
    return status == 413


@pytest.mark.short
def test_a_change_holds_at_once_and_after_a_power_cut(with_file):
    gateway = with_file()
    path(gateway).chmod(0o640)
    assert not is_too_large(gateway)
    answer = change(gateway, body_limit_mb=1, retries="7", expose_channel=True)
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"] == gateway.call("GET", "/config")
    written = (FILE.replace(b"#body_limit_mb: 32", b"body_limit_mb: 1").replace(b"5", b"7") +
               b"\r\nexpose_channel: true\r\n")
    assert path(gateway).read_bytes() == written
    assert path(gateway).stat().st_mode & 0o777 == 0o640
    assert "config.yaml.new" not in os.listdir(gateway.data_dir)
    gateway.kill()
    gateway.start()
    for _ in range(2):
        assert is_too_large(gateway)
        now = settings(gateway)
        for key, value, line in (("body_limit_mb", "1", 2), ("retries", "7", 4),
                                 ("expose_channel", "true", 6)):
            item = now[key]
            assert (item["value"], item["source"], item["line"]) == (value, "file", line)
        # The same again writes nothing.
        node = path(gateway).stat().st_ino
        assert change(gateway, retries=7).status_code == 200
        assert path(gateway).stat().st_ino == node
    answer = change(gateway, body_limit_mb=None, retries=5)
    assert answer.status_code == 200, answer.text
    assert path(gateway).read_bytes() == FILE + b"\r\nexpose_channel: true\r\n"
    assert not is_too_large(gateway)
    assert settings(gateway)["body_limit_mb"]["source"] == "default"
    rows = [row for row in gateway.items("/audit") if row["action"] == "config_change"]
    assert [row["target"] for row in rows] == [
        "body_limit_mb, retries", "body_limit_mb, retries, expose_channel"]


def test_a_secret_is_set_and_never_shown(with_file):
    gateway = with_file()

    def scrape():
        return gateway.http.get("/metrics", headers={"Authorization": f"Bearer {SECRET}"})

    assert scrape().status_code == 401
    answer = change(gateway, metrics_token=SECRET)
    assert answer.status_code == 200 and SECRET not in answer.text
    assert settings(gateway)["metrics_token"]["is_set"] and scrape().status_code == 200
    answer = change(gateway, metrics_token="geheim")
    failure(answer, 400, "invalid_field")
    assert "geheim" not in answer.text
    assert change(gateway, metrics_token=None).status_code == 200
    assert scrape().status_code == 401
    assert not any("geheim" in line or SECRET in line for line in gateway.log_lines)
    assert SECRET not in gateway.request("GET", "/audit").text


def test_what_does_not_fit_is_refused_by_its_name(with_file, tmp_path):
    gateway = with_file(env={"TINYGATEWAY_QUEUE_LIMIT": "9"}, log_level="warn",
                        tls_port=free_port())
    before = gateway.call("GET", "/config")
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate\n")
    cases = [
        ("port", 80, "changes only with a restart: write it into"),
        ("queue_limit", 5, "is set by TINYGATEWAY_QUEUE_LIMIT, which is stronger than the file"),
        ("log_level", "info", "is set by --log-level"),
        ("heartbeat_ms", "soon", '"soon" is not a whole number from 0 to 600000'),
        ("heartbeat_ms", 1.5, '"1.5" is not a whole number'),
        ("heartbeat_ms", 999, "is too short; write 0 for none, or at least 1000"),
        ("heartbeat_ms", "", "has no value; write a whole number"),
        ("heartbeat_ms", {"a": 1}, "must be a text, a number, true, false or null"),
        ("heartbeat_ms", [], "must be a text, a number, true, false or null"),
        ("expose_channel", "yes", "is not one of false, true"),
        ("body_held_limit_kb", 1_000_000, "is too much for memory_limit_mb"),
        ("retry_statuses", "200", "is not a list of statuses"),
        ("trusted_proxies", "10.0.0.0/8\nport: 80", "is not a list of addresses"),
        ("ca_file", "a\nport: 80", "is not empty or text of 1 to 1024 bytes"),
        ("ca_file", str(tmp_path / "none"), "cannot read"),
        ("ca_file", str(junk), "cannot be used"),
        ("tls_certificate", str(junk), "needs tls_key"),
    ]
    for key, value, sentence in cases:
        answer = change(gateway, retries=1, **{key: value})
        failure(answer, 400, "invalid_field")
        message = answer.json()["message"]
        assert message.startswith(f"{key} ") and sentence in message, message
        assert message.endswith("."), message
    # Such a gateway would not start again.
    answer = change(gateway, tls_certificate=str(junk), tls_key=str(junk))
    failure(answer, 400, "invalid_field")
    assert answer.json()["message"].startswith("tls_certificate cannot be used")
    for key in ("log_levle", "data_dir", "partition_kb"):
        answer = change(gateway, retries=1, **{key: "x"})
        failure(answer, 400, "unknown_field")
        assert f'"{key}"' in answer.json()["message"]
    assert path(gateway).read_bytes() == FILE
    assert gateway.call("GET", "/config") == before


def test_a_file_changed_by_hand_is_left_alone(with_file):
    gateway = with_file()
    mine = FILE + b"\r\nretry_interval_ms: 50\r\n"
    path(gateway).write_bytes(mine)
    answer = change(gateway, retries=1)
    failure(answer, 409, "conflict")
    assert "was changed since the gateway read it" in answer.json()["message"]
    assert path(gateway).read_bytes() == mine
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: settings(gateway)["retry_interval_ms"]["value"] == "50")
    assert change(gateway, retries=1).status_code == 200
    assert path(gateway).read_bytes() == mine.replace(b"5  #", b"1  #")
    # A missing one is not made from nothing: all other settings would be lost unseen.
    path(gateway).unlink()
    failure(change(gateway, retries=2), 409, "conflict")
    assert not path(gateway).exists()
    gateway.signal(signal.SIGHUP)
    wait_until(lambda: settings(gateway)["retry_interval_ms"]["value"] == "0")
    assert change(gateway, retries=2).status_code == 200
    assert b"\nretries: 2\n" in path(gateway).read_bytes()


def test_a_link_stays_one(make_gateway, tmp_path):
    gateway = make_gateway(start=False)
    target = tmp_path / "there.yaml"
    target.write_bytes(FILE)
    path(gateway).unlink(missing_ok=True)
    path(gateway).symlink_to(target)
    gateway.start()
    assert change(gateway, retries=1).status_code == 200
    assert path(gateway).is_symlink()
    assert target.read_bytes() == FILE.replace(b"5", b"1")
    assert os.listdir(tmp_path) == ["there.yaml"]


def test_changes_at_once_do_not_undo_each_other(with_file):
    gateway = with_file()
    wanted = {"retries": "1", "queue_limit": "2", "session_hours": "3", "retry_interval_ms": "4",
              "breaker_failures": "5", "body_limit_mb": "6"}
    threads = [threading.Thread(target=change, args=(gateway,), kwargs={key: value})
               for key, value in wanted.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now = settings(gateway)
    assert {key: now[key]["value"] for key in wanted} == wanted
    gateway.restart()
    gateway.login()
    now = settings(gateway)
    assert {key: now[key]["value"] for key in wanted} == wanted


@pytest.mark.native
@pytest.mark.parametrize("mount, status, code, reason", [
    ("mount --bind {0} {0} && mount -o remount,bind,ro {0}", 503, "storage_failed", "Read-only"),
    ("mount --bind {0}/own.yaml {0}/own.yaml", 503, "storage_failed", "busy"),
    ("cp {0}/own.yaml {0}.seed && mount -t tmpfs -o size=8k tmpfs {0} && "
     "cp {0}.seed {0}/own.yaml && head -c 4096 /dev/zero >{0}/filler", 507, "storage_full",
     "No space left"),
], ids=["read-only", "mounted", "full"])
def test_a_folder_that_takes_no_file_is_told(
        make_gateway, tmp_path, mount, status, code, reason):
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "own.yaml").write_bytes(FILE)
    gateway = make_gateway(start=False, arguments=["--config", folder / "own.yaml"])
    gateway.wrapper = with_mounts(mount.format(folder))
    gateway.start()
    answer = change(gateway, retries=1)
    failure(answer, status, code)
    message = answer.json()["message"]
    assert message.startswith(f"{folder}/own.yaml cannot be written") and reason in message
    assert settings(gateway)["retries"]["value"] == "5"
    seen = f"/proc/{gateway.process.pid}/root{folder}"
    assert "own.yaml.new" not in os.listdir(seen)
    with open(f"{seen}/own.yaml", "rb") as file:
        assert file.read() == FILE
