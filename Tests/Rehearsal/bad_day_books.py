# SPDX-License-Identifier: MIT
"""Three sides of the account, held against each other after each life of the gateway: what clients
saw, what upstreams handed out, and what the gateway wrote down."""

import collections
import contextlib
import csv
import io
import sqlite3

from bad_day_faults import LATE
from bad_day_wire import MICRO, charge_of, estimate_of
from money import TOKEN, USER

# The codes of the events that may end a stream: ours, and those of an error that the upstream told.
ERROR_EVENTS = {"stream_interrupted", "upstream_error", "scripted failure"}


class Books:
    """What was expected, what was found, and the differences (`problems`)."""

    def __init__(self, ledger, tokens, prompt_estimates, window):
        self.ledger, self.tokens, self.window = ledger, tokens, window
        self.prompt_estimates = prompt_estimates    # by model, of one that tells no usage
        self.used = collections.Counter()           # at the beginning of the present life
        self.last_row = self.previous_kill = 0
        self.problems, self.lives = [], []

    def open_with(self, copy):
        """The state before the first request."""
        self.used, self.last_row, _ = self.read(copy)
        return self

    def read(self, copy):
        """Used millionths by owner and id, the last row, and the charges of rows since."""
        with contextlib.closing(sqlite3.connect(copy)) as database:
            for check, good in (("integrity_check", [("ok",)]), ("foreign_key_check", [])):
                if (found := database.execute(f"PRAGMA {check}").fetchall()) != good:
                    self.problems.append(f"{check}: {found[:3]}")
            used = collections.Counter({
                (owner, number): micro for owner, number, micro in
                database.execute("SELECT owner, id, used_micro FROM usage")})
            last = database.execute("SELECT ifnull(max(id), 0) FROM logs").fetchone()[0]
            self.charges = database.execute(
                "SELECT user_id, token_id, ifnull(charge, (prompt_tokens + completion_tokens) "
                f"* {MICRO}) FROM logs WHERE id > ?", (self.last_row,)).fetchall()
        return used, last, self.charges

    def close_life(self, life, attempts, copy, export, killed):
        """Compares everything of a life that has ended.

        `export`: the log as CSV; `killed`: when the process was killed, None for an ordinary end.
        """
        used, last, charges = self.read(copy)
        self.compare_sums(used, charges)
        rows = {row["request_id"]: row for row in csv.DictReader(io.StringIO(export))
                if self.last_row < int(row["id"]) <= last}
        if len(rows) != len(charges):
            self.problems.append(f"life {life}: {len(rows)} rows exported of {len(charges)}")
        # What ended after the kill may be an answer of the next process.
        mine = [a for a in attempts if a.life == life
                or (a.life == life - 1 and a.ended > self.previous_kill)]
        self.previous_kill = killed or 0
        staying = [a for a in mine if not a.leaving and a.outcome in ("complete", "cut")]
        missing = [a for a in staying if a.life == life and a.request_id not in rows]
        for attempt in staying:
            if attempt.request_id in rows:
                self.compare(attempt, rows[attempt.request_id])
        self.look_for_strangers(rows, mine)
        oldest = max((killed - a.ended for a in missing), default=0) if killed else 0
        if missing and not killed:
            self.problems.append(f"life {life} ended well without rows of {missing[:3]}")
        elif oldest > self.window:
            self.problems.append(
                f"life {life}: a row of {oldest:.1f} s before the kill is missing: {missing[:3]}")
        self.lives.append({
            "life": life, "requests": len(mine), "rows": len(rows), "acknowledged": len(staying),
            "missing": len(missing), "oldest_missing_s": round(oldest, 2),
            "charged_units": sum(charge for *_, charge in charges) / MICRO})
        self.used, self.last_row = used, last

    def compare_sums(self, used, charges):
        """What was added to tokens and users is what the rows say, to the millionth."""
        sums = collections.Counter()
        for user, token, charge in charges:
            sums[USER, user] += charge
            sums[TOKEN, token] += charge
        for owner in sums.keys() | used.keys() | self.used.keys():
            if used[owner] - self.used[owner] != sums[owner]:
                self.problems.append(
                    f"{owner} used {used[owner] - self.used[owner]}, rows say {sums[owner]}")

    def look_for_strangers(self, rows, attempts):
        """Rows of those who stayed belong to an answer that they saw, and no row is there twice."""
        known = {a.request_id for a in attempts}
        token = str(self.tokens["staying"]["id"])
        strangers = [row for number, row in rows.items()
                     if row["token_id"] == token and number not in known]
        if strangers:
            self.problems.append(f"{len(strangers)} rows of nobody: {strangers[:3]}")

    def compare(self, attempt, row):
        """One answer that a client saw, with its row."""
        expected = self.expected(attempt)
        if expected is not None and int(row["quota_micro"]) != expected:
            self.problems.append(f"{attempt} is charged {row['quota_micro']}, not {expected}")
        if int(row["status"]) != 200 or row["stream"] != str(attempt.stream).lower():
            self.problems.append(f"{attempt} has the row {row}")

    def expected(self, attempt):
        """The charge of an answer, in millionths of a unit; None where nobody can tell."""
        if attempt.outcome == "complete":
            asked = self.serving(attempt)
            if asked is None:
                self.problems.append(f"no upstream has handed out {attempt}")
                return None
            if asked.has_usage:
                return charge_of(asked.prompt, asked.completion)
            prompt = self.prompt_estimates[attempt.model]
            return charge_of(prompt, estimate_of(attempt.text))
        asked = self.ledger.cut.get(attempt.number)
        if asked is None:
            return None
        if not attempt.text == asked.text[:len(attempt.text)]:
            self.problems.append(f"not the beginning of {asked.text!r}: {attempt}")
        estimate = estimate_of(attempt.text)
        if asked.tells_prompt:
            return charge_of(asked.prompt, max(1, estimate))
        return charge_of(self.prompt_estimates[attempt.model], estimate)

    def serving(self, attempt):
        """What the upstream whose answer this is has handed out."""
        for asked in reversed(self.ledger.handed_out[attempt.number]):
            if asked.text == attempt.text:
                return asked
        return None

    def check_cuts(self, attempts, was_starved):
        """Only what an upstream broke off may be cut short, and the client is told."""
        for attempt in attempts:
            if attempt.outcome != "cut":
                continue
            late = set(self.ledger.faults[attempt.number]) & set(LATE)
            if not late and not was_starved(attempt):
                self.problems.append(f"cut short by nobody: {attempt}")
            if attempt.error not in ERROR_EVENTS:
                self.problems.append(f"not the documented event: {attempt}")
