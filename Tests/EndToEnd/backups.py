# SPDX-License-Identifier: MIT
"""Makes backups of a running gateway, changes them, and restores them."""

import sqlite3

from gateway import PASSWORD
from test_sdk_chat import user

PASSPHRASE = "correct horse battery staple"
TYPE = {"Content-Type": "application/vnd.sqlite3"}


def backup(gateway, body=None, query=""):
    """The bytes of a backup."""
    response = (gateway.request("GET", "/backup" + query) if body is None
                else gateway.request("POST", "/backup", json=body))
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/vnd.sqlite3"
    assert "attachment" in response.headers["content-disposition"]
    assert int(response.headers["content-length"]) == len(response.content)
    return response.content


def restore(gateway, content, passphrase=None, headers=TYPE):
    """Asks for a restore; the answer as it is."""
    if passphrase:
        headers = {**headers, "X-Backup-Passphrase": passphrase}
    return gateway.request("POST", "/restore", content=content, headers=headers)


def restored(gateway, content, passphrase=None, password=PASSWORD):
    """A restore that must succeed; logs in again."""
    response = restore(gateway, content, passphrase)
    assert response.status_code == 200, response.text
    assert gateway.request("GET", "/tokens").status_code == 401
    gateway.login(password)
    return response.json()["data"]


def leftovers(gateway):
    """Files in the data directory that should not stay."""
    return [path.name for path in gateway.data_dir.iterdir()
            if path.name.endswith((".tmp", ".new")) or "stage" in path.name]


def served_key(gateway, route, key):
    """The key that the upstream got for a request with a client's key."""
    gateway.sdk(key).chat.completions.create(model=route.model, messages=user("x"))
    return route.requests()[-1].key


def new_board(fresh):
    """Another device after its first login."""
    return fresh.start().set_up()


def changed(content, path, script):
    """A backup as somebody with an editor would change it."""
    path.write_bytes(content)
    with sqlite3.connect(path, isolation_level=None) as database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute("BEGIN")
        script(database)
        database.execute("COMMIT")
    database.close()
    return path.read_bytes()
