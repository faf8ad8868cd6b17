# SPDX-License-Identifier: MIT
"""`make flash`: over ssh and adb to a board that is a folder, and to a device that is a file."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from packages import PROGRAM, ROOT, make
from process import binary, environment

pytestmark = pytest.mark.tools

FAKE = """#!/bin/sh
# Runs what is meant for the board below a folder, and says so like {name} would.
{shift}
script=$(printf %s "$*" |
  sed "s#/usr/bin/#$BOARD/usr/bin/#g; s#/tmp/tinygateway-install#$BOARD/tmp/i#g")
mkdir -p "$BOARD/tmp"
ROOT=$BOARD exec sh -c "$script"
"""
ADB = """#!/bin/sh
if [ "$1" = push ]; then cp "$2" "$BOARD/tmp/i/${3##*/}"; exit; fi
shift
script=$(printf %s "$*" |
  sed "s#/usr/bin/#$BOARD/usr/bin/#g; s#/tmp/tinygateway-install#$BOARD/tmp/i#g")
mkdir -p "$BOARD/tmp"
ROOT=$BOARD sh -c "$script"
exit 0
"""


@pytest.fixture
def flash(tmp_path):
    """Runs scripts/flash.py with a board that is a folder."""
    tools, board = tmp_path / "tools", tmp_path / "board"
    tools.mkdir()
    board.mkdir()
    (tools / "ssh").write_text(FAKE.format(name="ssh", shift="shift"))
    (tools / "adb").write_text(ADB)
    for name in ("ssh", "adb"):
        (tools / name).chmod(0o755)

    def call(folder, *options, answer="y", status=0):
        result = subprocess.run(
            [sys.executable, ROOT / "scripts/flash.py", "some", "--folder", folder, *options],
            input=answer + "\n", text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            check=False, env=environment(BOARD=board, PATH=f"{tools}:{os.environ['PATH']}"))
        assert (result.returncode == 0) == (status == 0), result.stdout
        return result.stdout

    call.board = board
    return call


@pytest.mark.parametrize("via", [("--via", "ssh", "--target", "root@board"), ("--via", "adb")])
def test_flash_installs_asks_and_goes_back(flash, tmp_path, via):
    first = make(tmp_path / "first", "r528-emmc")
    second = make(tmp_path / "second", "r528-emmc", PROGRAM % "2")
    broken = make(tmp_path / "broken", "r528-emmc", "#!/bin/sh\nexit 1\n")
    program = flash.board / "usr/bin/tinygateway"
    flash(first, *via, answer="n", status=1)
    assert not program.exists()
    assert "verified" in flash(first, *via)
    assert program.read_text() == PROGRAM % "1"
    assert (flash.board / "etc/init.d/tinygateway").stat().st_mode & 0o111
    owner = flash.board / "etc/tinygateway/board.yaml"
    owner.write_text(owner.read_text() + "port: 3001\n")

    assert "tinygateway 1" in flash(second, *via)
    assert program.read_text() == PROGRAM % "2"
    assert "port: 3001" in owner.read_text() and Path(f"{owner}.new").exists()
    assert "wrong board" in flash(broken, *via, status=1)
    assert program.read_text() == PROGRAM % "2"
    assert "back to tinygateway 1" in flash(second, *via, "--rollback")
    assert program.read_text() == PROGRAM % "1"


def test_a_damaged_copy_is_not_installed(flash, tmp_path):
    folder = make(tmp_path / "made", "r528-emmc")
    (folder / "board.yaml").write_text("port: 1\n")
    assert "copy them again" in flash(folder, "--via", "ssh", "--target", "b", status=1)
    assert not (flash.board / "usr/bin/tinygateway").exists()


def test_a_version_that_refuses_the_settings_is_taken_back(flash, tmp_path):
    via = ("--via", "ssh", "--target", "b")
    flash(make(tmp_path / "first", "r528-emmc"), *via)
    newer = PROGRAM.replace("exit 0 ;;", "exit 1 ;;") % "2"
    assert "the old version is back" in flash(
        make(tmp_path / "second", "r528-emmc", newer), *via, status=1)
    assert (flash.board / "usr/bin/tinygateway").read_text() == PROGRAM % "1"


def test_an_image_goes_to_a_device_and_back(flash, tmp_path):
    folder = make(tmp_path / "made", "r528-emmc")
    # The beginning is enough, and quicker.
    image = (folder / "data.ext4").read_bytes()[:2 << 20]
    (tmp_path / "image").write_bytes(image)
    device = tmp_path / "device"
    old = os.urandom(1 << 20) + bytes(len(image) - (1 << 19))
    device.write_bytes(old)
    via = ("--via", "dev", "--target", device, "--image", tmp_path / "image")
    assert "OVERWRITE" in flash(folder, *via, answer="", status=1)
    assert device.read_bytes() == old
    assert "written and verified" in flash(folder, *via)
    assert device.read_bytes() == image + old[len(image):]
    flash(folder, *via, "--rollback")
    assert device.read_bytes() == old
    device.write_bytes(b"x" * 1000)
    assert "the image needs" in flash(folder, *via, status=1)
    assert "nothing" not in flash(folder, "--via", "dev", "--target", tmp_path / "no", status=1)


def test_the_real_binary_installs(flash, tmp_path):
    folder = tmp_path / "out"
    subprocess.run([sys.executable, ROOT / "scripts/board.py", "generic-x86_64", "--binary",
                    binary(), "--out", folder], check=True, stdout=subprocess.DEVNULL)
    assert "verified" in flash(folder, "--via", "ssh", "--target", "b")
