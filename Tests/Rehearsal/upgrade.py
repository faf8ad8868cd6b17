# SPDX-License-Identifier: MIT
"""What must survive an upgrade and a move; databases of earlier versions.

Those come from the scripts in `previous`, which the versions wrote.
"""

import re
import sqlite3
from pathlib import Path

FOLDER = Path(__file__).parent / "previous"
VERSIONS = sorted(int(path.stem.removeprefix("version-")) for path in FOLDER.glob("*.sql"))
LISTS = ("/users", "/user-groups", "/tokens", "/channels", "/channel-groups", "/prices",
         "/redemptions", "/logs")
SETTINGS = ("/options", "/model-fallbacks", "/stats/summary")


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


def schema_of(folder):
    """The tables and indices of a stopped gateway's database, as they were made."""
    with sqlite3.connect(folder / "db.db") as database:
        rows = database.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL").fetchall()
    database.close()
    return sorted(re.sub(r"\s+", " ", sql) for sql, in rows)


def contents(gateway):
    """Everything that the management API shows, without what follows from the clock."""
    found = {path: gateway.items(path) for path in LISTS}
    found |= {path: gateway.call("GET", path) for path in SETTINGS}
    for channel in found["/channels"]:
        channel.pop("key_hints")
    return found


def lost(before, after, path=""):
    """Where something that was there is not, or is another; what is new does not count."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [each for key in before
                for each in lost(before[key], after.get(key), f"{path}.{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [each for number, (old, new) in enumerate(zip(before, after))
                for each in lost(old, new, f"{path}[{number}]")]
    return [] if before == after else [f"{path}: {before!r} became {after!r}"]
