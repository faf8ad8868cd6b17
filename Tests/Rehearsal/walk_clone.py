# SPDX-License-Identifier: MIT
"""The first minutes: a clean clone, `make run`, a login page; and the next version over its data.

It builds everything, and then once more what TINYGATEWAY_PREVIOUS (the commit before) differs in.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

import upgrade
from gateway import FIRST_PASSWORD, Gateway
from owner_pages import replace_password
from process import free_port
from test_sdk_chat import user
from vendors import KEY, POEMS, Vendors

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 1500
PREVIOUS = os.environ.get("TINYGATEWAY_PREVIOUS", "HEAD~1")


class Clone:
    """The clone, what `make run` started, and copies of what was built."""

    def __init__(self, folder):
        self.folder, self.data = folder / "tinygateway", folder / "data"
        self.now, self.before = folder / "now", folder / "before"
        self.port = None

    def git(self, *arguments):
        """What git prints."""
        done = subprocess.run(["git", *arguments], cwd=self.folder, text=True,
                              capture_output=True, check=True)
        return done.stdout.strip()

    def make(self, *arguments):
        """Starts make; it is killed with all that it started when it takes too long."""
        process = subprocess.Popen(
            ["make", *arguments], cwd=self.folder, text=True, start_new_session=True,
            env={k: v for k, v in os.environ.items() if not k.startswith("TINYGATEWAY_")},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        stop = threading.Timer(BUILD_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
        stop.start()
        return process, stop

    @contextlib.contextmanager
    def running(self):
        """The first line of the README: `make run`, until the gateway says that it listens."""
        self.port, began = free_port(), time.monotonic()
        process, stop = self.make("run", f"PORT={self.port}", f"DATA={self.data}")
        try:
            lines = []
            for line in process.stdout:
                lines.append(line)
                if "Server started" in line:
                    break
            print("".join(lines[-15:]), f"after {time.monotonic() - began:.0f} s")
            assert re.search(rf"Server started on http://0\.0\.0\.0:{self.port}\n", lines[-1])
            yield f"http://127.0.0.1:{self.port}"
        finally:
            stop.cancel()
            os.killpg(process.pid, signal.SIGINT)
            process.wait(30)

    def gateway(self, binary):
        """A gateway, not started, of a binary that was built here."""
        gateway = Gateway(self.data)
        gateway.wrapper = ["sh", "-c", f'shift; exec {binary} "$@"', "sh"]
        return gateway


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Where the repository is cloned to."""
    return Clone(tmp_path_factory.mktemp("clone"))


def step_clone(clone):
    """git clone of what is committed here."""
    subprocess.run(["git", "clone", "--quiet", ROOT, clone.folder], check=True)
    print(clone.git("log", "-2", "--oneline"), sorted(path.name for path in clone.folder.iterdir()))
    assert (clone.folder / "README.md").exists()


@pytest.mark.timeout(BUILD_SECONDS + 60)
@pytest.mark.needs("clone")
def step_make_run(clone, chromium, picture):
    """make run builds and starts; Chromium has the login page, and root must choose a password."""
    with clone.running() as address:
        page = chromium.new_page(base_url=address)
        page.goto("/")
        expect(page).to_have_title(re.compile("TinyGateway"))
        page.fill("[name=username]", "root")
        page.fill("[name=password]", FIRST_PASSWORD)
        picture(page)
        page.click("main button[type=submit]")
        expect(page.locator("[name=new_password]")).to_be_visible()
        replace_password(page, FIRST_PASSWORD)
        picture(page)
        page.close()
        refused = httpx.get(address + "/v1/models", trust_env=False)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    assert (clone.data / "config.yaml").exists()
    assert clone.git("status", "--porcelain") == "", "building leaves files that git sees"
    shutil.copy(clone.folder / ".build" / "debug" / "TinyGateway", clone.now)
    shutil.rmtree(clone.data)


@pytest.mark.timeout(BUILD_SECONDS + 60)
@pytest.mark.needs("make_run")
def step_previous_commit(clone):
    """The commit before this one builds in the same folder."""
    clone.git("checkout", "--quiet", PREVIOUS)
    print(clone.git("log", "-1", "--oneline"))
    process, stop = clone.make("build")
    text, _ = process.communicate()
    stop.cancel()
    print(text[-1500:])
    assert process.returncode == 0
    shutil.copy(clone.folder / ".build" / "debug" / "TinyGateway", clone.before)


@pytest.mark.needs("previous_commit")
def step_upgrade(clone):
    """Its database, not even closed in order: this commit's gateway has everything and serves."""
    with Vendors() as vendors:
        old = clone.gateway(clone.before).start()
        old.set_up()
        old.call("POST", "/channel-groups", {"name": "both"})
        old.channel(vendors.url(path="/qwen/v1"), ["qwen-max"], keys=[KEY], groups=["both"])
        old.call("POST", "/user-groups", {"name": "staff", "ratio": "0.5"})
        old.call("POST", "/prices", {"model": "qwen*", "prompt": "1", "completion": "2"})
        old.call("POST", "/users", {"username": "li.na", "password": "first day 2026"})
        key = old.token(quota=100_000, channel_group="both")["key"]
        for _ in range(20):
            ask(old, key)
        old.restart()
        before = upgrade.contents(old)
        assert len(before["/logs"]) == 20
        old.kill()
        with clone.gateway(clone.now) as new:
            new.login()
            after = upgrade.contents(new)
            print(new.log)
            assert upgrade.lost(before, after) == []
            assert ask(new, key) == POEMS["qwen"]
        print(f"version {upgrade.version_of(clone.data)};",
              {path: len(found) for path, found in before.items()})


def ask(gateway, key):
    """The text of one answer."""
    answer = gateway.sdk(key).chat.completions.create(
        model="qwen-max", messages=user("Write a poem."))
    return answer.choices[0].message.content
