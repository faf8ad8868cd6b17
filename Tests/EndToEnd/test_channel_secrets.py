# SPDX-License-Identifier: MIT
"""What happens to channels when secret.key, the key for their keys, is lost or comes back."""

import shutil

import pytest

from gateway import ManagementError
from test_management_login import failure
from test_sdk_chat import user


def refused(gateway, method, path, body=None):
    """A call that must be a 400 which sends people to secret.key."""
    with pytest.raises(ManagementError) as caught:
        gateway.call(method, path, body)
    assert "secret.key" in failure(caught.value.response, 400)


def ask(gateway, route):
    """One request; returns the key that the upstream got."""
    gateway.sdk().chat.completions.create(model=route.model, messages=user("x"))
    return route.requests()[-1]


def test_the_key_file_is_private_and_survives_a_restart(make_gateway, upstream):
    gateway = make_gateway()
    file = gateway.data_dir / "secret.key"
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    route = gateway.route(upstream, "echo")
    gateway.stop()
    gateway.start()
    assert file.read_bytes() == content
    assert ask(gateway, route).key == "sk-upstream-key-1"


def test_secret_headers_are_not_readable_on_the_disk(make_gateway, upstream):
    gateway = make_gateway()
    gateway.channel(upstream.url(), ["m"], headers={"X-Api-Key": "not-in-the-clear-1234"})
    gateway.stop()
    for path in gateway.data_dir.rglob("*"):
        assert not path.is_file() or b"not-in-the-clear" not in path.read_bytes(), path


@pytest.mark.parametrize("comes_back", [True, False], ids=["restored", "entered-again"])
def test_a_lost_key_file_switches_channels_off_until(make_gateway, upstream, tmp_path, comes_back):
    gateway = make_gateway()
    file, kept = gateway.data_dir / "secret.key", tmp_path / "kept"
    route = gateway.route(upstream, "echo")
    path = f"/channels/{route.channel['id']}"
    gateway.stop()
    shutil.move(file, kept)
    gateway.start()
    found = gateway.call("GET", path)
    assert found["status"] == "auto_disabled" and "secret.key" in found["status_reason"]
    assert found["key_hints"] == ["…"]
    assert gateway.log.count("cannot be decrypted") == 1 and "is missing" in gateway.log
    refused(gateway, "PUT", path, {"status": "enabled"})
    refused(gateway, "POST", path + "/test", {"model": route.model})
    gateway.call("PUT", path, {"name": "renamed"})
    if comes_back:
        gateway.stop()
        shutil.copy(kept, file)
        gateway.start()
        key = "sk-upstream-key-1"
    else:
        gateway.call("PUT", path, {"keys": ["sk-upstream-key-2"]})
        key = "sk-upstream-key-2"
    found = gateway.call("GET", path)
    assert (found["name"], found["status"], found["status_reason"]) == ("renamed", "enabled", "")
    assert ask(gateway, route).key == key


def test_a_file_that_holds_no_key_stops_the_start_and_is_named(make_gateway):
    gateway = make_gateway()
    gateway.stop()
    file = gateway.data_dir / "secret.key"
    content = file.read_bytes()
    file.write_bytes(b"nonsense\n")
    with pytest.raises(AssertionError, match="secret.key does not hold"):
        gateway.start()
    assert file.read_bytes() == b"nonsense\n"
    file.write_bytes(content)
    gateway.start()
