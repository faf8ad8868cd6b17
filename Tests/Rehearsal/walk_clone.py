# SPDX-License-Identifier: MIT
"""The first minutes: a clean clone, `make run`, and a gateway that answers; builds everything."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import httpx
import pytest

from process import free_port

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 1500


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Where the repository is cloned to."""
    return tmp_path_factory.mktemp("clone") / "tinygateway"


def step_clone(clone):
    """git clone of what is committed here."""
    done = subprocess.run(["git", "clone", "--quiet", ROOT, clone], capture_output=True, text=True)
    print(done.stderr, sorted(path.name for path in clone.iterdir()))
    assert done.returncode == 0


@pytest.mark.timeout(BUILD_SECONDS + 60)
@pytest.mark.needs("clone")
def step_make_run(clone, tmp_path):
    """make run builds and starts; PORT and DATA say where."""
    port, began = free_port(), time.monotonic()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TINYGATEWAY_")}
    process = subprocess.Popen(
        ["make", "run", f"PORT={port}", f"DATA={tmp_path / 'data'}"], cwd=clone, text=True,
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    stop = threading.Timer(BUILD_SECONDS, os.killpg, (process.pid, signal.SIGKILL))
    stop.start()
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "Server started" in line:
                break
        print("".join(lines[-15:]), f"after {time.monotonic() - began:.0f} s")
        assert re.search(rf"Server started on http://0\.0\.0\.0:{port}\n", lines[-1])
        page = httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
        assert page.status_code == 200 and "<title>TinyGateway" in page.text
        assert (tmp_path / "data" / "config.yaml").exists()
    finally:
        stop.cancel()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    left = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True)
    assert left.stdout == b"", "building leaves files that git does not ignore"
