# SPDX-License-Identifier: MIT
"""A small disk that outlives the gateways on it, and what lies on it."""

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from process import wait_until, with_mounts


class SmallDisk:
    """A folder on a disk of its own, in a namespace that a process keeps as long as we live."""

    def __init__(self, folder, size):
        self.folder, self.size = Path(folder), size

    def __enter__(self):
        ready = self.folder.with_name("ready")
        mount = (f"mount -t tmpfs -o size={self.size},mode=700 tmpfs '{self.folder}' && "
                 f"cp -a '{self.folder}.seed/.' '{self.folder}' && touch '{ready}'")
        wrapper = with_mounts(mount)
        self.folder.rename(self.folder.with_name(self.folder.name + ".seed"))
        self.folder.mkdir()
        self.keeper = subprocess.Popen([*wrapper, "cat"], stdin=subprocess.PIPE)
        wait_until(ready.exists, what="a mounted disk")
        self.outside = Path(f"/proc/{self.keeper.pid}/root{self.folder}")
        return self

    def __exit__(self, *_):
        self.keeper.stdin.close()
        self.keeper.wait()

    @property
    def wrapper(self):
        """A command that runs another where the disk is mounted."""
        return ["nsenter", "--target", str(self.keeper.pid), "--user", "--preserve-credentials",
                "--mount"]

    def fill(self):
        """Takes all the room that is left, also what was given back since the last time."""
        with contextlib.suppress(OSError), (self.outside / "filler").open("ab", 0) as file:
            while file.write(bytes(4096)):
                pass

    def free(self):
        (self.outside / "filler").unlink()

    def sizes(self):
        """Bytes of each file, those of backups together; without what fills the disk."""
        found = {}
        for directory, _, names in os.walk(self.outside):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    size = os.stat(os.path.join(directory, name)).st_size
                    below = os.path.relpath(directory, self.outside)
                    key = name if below == "." else below
                    found[key] = found.get(key, 0) + size
        found.pop("filler", None)
        return found

    def copy_database(self, target):
        """The database as another program would find it now."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for path in self.outside.glob("db.db*"):
            shutil.copy(path, target)
        return target / "db.db"
