# SPDX-License-Identifier: MIT
"""The program under test as a process: its command line, its environment, its end."""

import functools
import itertools
import os
import shlex
import socket
import subprocess
import time
from pathlib import Path

import pytest

EMULATOR = shlex.split(os.environ.get("TINYGATEWAY_EMULATOR", ""))
IS_EMULATED = bool(EMULATOR)
PATIENCE = 6 if IS_EMULATED else 1      # factor on waiting times that are no requirement
START_SECONDS = 15 * PATIENCE
STOP_SECONDS = 15 * PATIENCE
next_number = itertools.count(1).__next__


def binary():
    """The binary under test, as scripts/e2e.sh passes it."""
    path = os.environ.get("TINYGATEWAY_BINARY", "")
    return str(Path(path).resolve()) if path else ""


def command(*arguments):
    """The command line of the gateway, under the emulator when there is one."""
    return [*EMULATOR, binary(), *map(str, arguments)]


def environment(**more):
    """A clean environment; nothing of the caller's configuration leaks in."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "ASAN_OPTIONS")}
    return {**kept, **{k: str(v) for k, v in more.items()}}


def run(*arguments, env=None, timeout=20 * PATIENCE, stdin=None):
    """Runs the gateway to its end; the result has `returncode` and the joined output."""
    return subprocess.run(
        command(*arguments), env=environment(**(env or {})), timeout=timeout, input=stdin,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        stdin=subprocess.DEVNULL if stdin is None else None)


@functools.cache
def is_release():
    """Whether the binary is one of those whose size and memory have goals."""
    return "Embedded Swift" in run("--version").stdout


def with_mounts(script):
    """A command that runs another behind a script, in a namespace of mounts of its own."""
    wrapper = ["unshare", "--map-root-user", "--mount", "sh", "-c", script + ' && exec "$@"', "sh"]
    if subprocess.run([*wrapper[:3], "true"], capture_output=True).returncode != 0:
        pytest.skip("needs namespaces of its own, which are not allowed here")
    return wrapper


def over(target, source):
    """A command that runs another with `source`, a file or folder, in the place of `target`."""
    return with_mounts(f"mount --bind {shlex.quote(str(source))} {target}")


def on_small_disk(folder, size, then="true"):
    """A command that runs another with a folder on a disk of its own; `size` as tmpfs takes it.

    `then` is done there before, in the folder's place of `@`.
    """
    folder = shlex.quote(str(folder))
    return with_mounts(
        f"cp -a {folder} {folder}.seed && mount -t tmpfs -o size={size},mode=700 tmpfs {folder} && "
        f"cp -a {folder}.seed/. {folder} && {then.replace('@', folder)}")


def remount(process, folder, how):
    """Changes the mount of a folder as a process sees it."""
    subprocess.run(["nsenter", "-t", str(process), "--user", "--preserve-credentials", "--mount",
                    "mount", "-o", f"remount,{how}", folder], check=True)


def wait_until(condition, timeout=5.0, what="condition"):
    """Polls until `condition` gives a true value, and returns it."""
    end = time.monotonic() + timeout * PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} not reached in {timeout} s; last value {value!r}"
        time.sleep(0.02)
    return value


def free_port():
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
