# SPDX-License-Identifier: MIT
"""What an emulated board is asked: until its power goes, and until its history is full."""

import contextlib
import os
import socket
import threading
import time

from board_tools import fail

PIPELINED, PORTION, LIMIT = 50, 1000, 60_000
BODY = '{"model":"absent","messages":[]}'


class Load:
    """Chat completions and renamings until the power goes."""

    def __init__(self, board, key, jwt, slots):
        self.board, self.key, self.jwt, self.slots = board, key, jwt, slots
        self.answers, self.changes, self.pending = [], 0, None
        self.began = self.slowest = 0   # when the last change was asked for; seconds of the slowest

    def ask(self, stopped):
        """Chat completions; when each was answered."""
        while not stopped.is_set():
            with contextlib.suppress(OSError, ValueError):
                self.board.chat(self.key)
                self.answers.append(time.monotonic())

    def rename(self, stopped):
        """Renamings, one after the other; which name each token has got for sure."""
        while not stopped.is_set():
            number = list(self.slots)[self.changes % len(self.slots)]
            name = f"change {os.urandom(6).hex()}"
            self.pending, self.began = (number, name), time.monotonic()
            with contextlib.suppress(OSError, ValueError):
                self.board.call("PUT", f"/api/v1/tokens/{number}", {"name": name}, self.jwt)
                self.slots[number] = name
                self.changes, self.pending = self.changes + 1, None
                self.slowest = max(self.slowest, time.monotonic() - self.began)

    def until_cut(self, seconds):
        """Runs both, ends the power; when that was."""
        stopped = threading.Event()
        threads = [threading.Thread(target=work, args=(stopped,), daemon=True)
                   for work in (self.ask, self.rename)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        stopped.set()                   # no new attempt after the cut
        cut = time.monotonic()
        if self.pending:
            self.slowest = max(self.slowest, cut - self.began)
        self.board.cut()
        for thread in threads:
            thread.join(70)
        return cut


def refused(board, key, count):
    """So many requests that are refused, in one go: each is a row of the history like another."""
    request = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: board\r\nAuthorization: Bearer {key}"
               f"\r\nContent-Length: {len(BODY)}\r\n\r\n{BODY}").encode()
    with socket.create_connection(("127.0.0.1", board.port), timeout=300) as client:
        for _ in range(0, count, PIPELINED):
            client.sendall(request * PIPELINED)
            answers = b""
            while answers.count(b"HTTP/1.1 ") < PIPELINED or not answers.endswith(b"}"):
                answers += client.recv(1 << 16) or fail("the board hangs up")
            if answers.count(b"HTTP/1.1 404 ") != PIPELINED:
                fail(f"a request for an absent model is not answered 404: {answers[:500]}")


def history(board, jwt, before=""):
    """A request that the history holds, the newest before an id if one is given; None without."""
    items = board.call("GET", f"/api/v1/logs?page_size=1{before}", None, jwt)["data"]["items"]
    return items[0]["id"] if items else None


def room(board, jwt):
    """Free bytes of the flash, and those of the database."""
    status = board.call("GET", "/api/v1/status", None, jwt)["data"]
    return status["free_bytes"], status["database_bytes"]


def rename_all(board, jwt, slots):
    """Changes a setting of each token; what goes wrong ends the program."""
    for number in slots:
        slots[number] = f"with a full history {number}"
        board.call("PUT", f"/api/v1/tokens/{number}", {"name": slots[number]}, jwt)


def fill_history(board, key, jwt, slots):
    """Asks until the oldest request has gone, then changes settings."""
    free, size = room(board, jwt)
    refused(board, key, PIPELINED)
    while (first := history(board, jwt)) is None:
        time.sleep(0.1)                 # until the flush
    sent = 0
    while history(board, jwt, f"&before={first + 1}"):
        if sent > LIMIT:
            fail(f"the history holds the first of {sent} requests, and lets none go")
        refused(board, key, PORTION)
        sent += PORTION
    rename_all(board, jwt, slots)
    free_after, size_after = room(board, jwt)
    print(f"history full: the first of {sent} requests has gone from it; then {len(slots)} "
          f"settings changed; free on flash {free >> 10} kB before and {free_after >> 10} kB "
          f"after, db.db {size >> 10} and {size_after >> 10} kB", flush=True)
