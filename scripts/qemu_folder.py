# SPDX-License-Identifier: MIT
"""The folder of a board file, as scripts/board.py makes it, for an emulated board."""

import subprocess
import sys

from board_tools import ROOT

# What the gateway runs from, of a board's folder.
INSTALLED = ("tinygateway", "install.sh", "init", "keep.list", "board.yaml", "SHA256SUMS")


def make_board(board, folder, changes, more=(), binary=None):
    """The folder that scripts/board.py makes of a board file with some settings changed and lines
    added, for BusyBox's init and the data's place on the emulated boards; its path."""
    changes = {"init_system": "busybox", "data_dir": "/mnt/UDISK/tinygateway", **changes}
    lines = []
    for line in (ROOT / f"board-configs/{board}.yaml").read_text("utf-8").splitlines():
        key = line.partition(":")[0]
        lines.append(f"{key}: {changes[key]}" if key in changes else line)
    path, made = folder / f"{board}.yaml", folder / "made"
    path.write_text("\n".join([*lines, *more]) + "\n", encoding="utf-8")
    given = ["--binary", binary] if binary else []
    subprocess.run([sys.executable, ROOT / "scripts/board.py", path, *given, "--out", made],
                   check=True, stdout=subprocess.DEVNULL)
    return made
