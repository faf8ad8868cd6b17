# SPDX-License-Identifier: MIT
"""Makes boards' folders as `make board` does, with a small program in place of the binary."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOARDS = sorted(path.stem for path in (ROOT / "board-configs").glob("*.yaml"))
PROGRAM = """#!/bin/sh
case $1 in
  --version) echo "tinygateway %s" ;;
  check-config) exit 0 ;;
  serve) trap 'exit 0' TERM; while :; do sleep 0.1; done ;;
esac
"""


def make(folder, board, program=None, *options):
    """Makes a board's folder with a small program in place of the binary."""
    folder.mkdir(parents=True, exist_ok=True)
    small = folder / "program"
    small.write_text(program or PROGRAM % "1")
    small.chmod(0o755)
    result = subprocess.run(
        [sys.executable, ROOT / "scripts/board.py", board, "--binary", small, "--version", "1.2~x",
         "--out", folder / "out", *options], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder / "out"


def settings(board):
    """A board file's lines."""
    text = (ROOT / "board-configs" / f"{board}.yaml").read_text()
    return dict(re.findall(r"^([a-z_0-9]+): *(.*?)$", text, re.M))


def only(folder, pattern):
    """The one file of that name."""
    found = list(folder.glob(pattern))
    assert len(found) == 1, found
    return found[0]
