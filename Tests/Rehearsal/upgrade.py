# SPDX-License-Identifier: MIT
"""Databases of earlier versions, from the scripts in `previous`, which those versions wrote."""

import re
import sqlite3
from pathlib import Path

FOLDER = Path(__file__).parent / "previous"
VERSIONS = sorted(int(path.stem.removeprefix("version-")) for path in FOLDER.glob("*.sql"))


def write(version, folder, upstream):
    """Writes the data directory of a version, whose channel leads to an upstream; the client's key.

    In each: root, a channel, a token that has used 100 units, and the row of its request.
    """
    text = (FOLDER / f"version-{version}.sql").read_text()
    key, secret = (re.search(rf"^-- {name}: (.*)$", text, re.M).group(1)
                   for name in ("key", "secret.key"))
    folder.mkdir(mode=0o700)
    (folder / "secret.key").write_bytes(bytes.fromhex(secret))
    (folder / "secret.key").chmod(0o600)
    with sqlite3.connect(folder / "db.db") as database:
        database.executescript(text.replace("http://UPSTREAM", upstream))
    database.close()
    return key


def version_of(folder):
    """The version of a stopped gateway's database."""
    with sqlite3.connect(folder / "db.db") as database:
        found, = database.execute("PRAGMA user_version").fetchone()
    database.close()
    return found
