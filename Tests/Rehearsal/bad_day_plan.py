# SPDX-License-Identifier: MIT
"""When what happens on a bad day, how the gateway is set, and how large its files may become."""

import dataclasses
import os
import random
from dataclasses import dataclass

HOUR, SHORTEST = 3600, 120

# What keeps to these whatever happens; the log is full of old rows from the beginning, but for a
# single long life, whose rows must all be there at its end.
LOG_LIMIT, LONG_LOG_LIMIT = 1 << 20, 4 << 20
OLD_ROWS = 30_000
WAL_PAGES, PAGE = 64, 4096
BACKUPS = 2
PATIENCE_MS = {"first_byte_timeout_ms": 2500, "idle_timeout_ms": 2500}

OTHER_TABLES = 384 << 10    # beside the log: settings, usage by day, figures by hour
BACKUP_LIMIT = 384 << 10    # one backup without logs
TRANSACTION_PAGES = 64      # the largest transaction that may stand behind a checkpoint
ROW_BYTES = 48              # of a log row, and of the old one that leaves for it
FRAME_HEAD = 24             # of each page in the write-ahead log


@dataclass(frozen=True)
class Plan:
    """When what happens, in seconds, and how much there may be of everything."""

    duration: float = HOUR
    rate: float = 20
    has_kills: bool = True
    seed: int = dataclasses.field(default_factory=lambda: random.randrange(1 << 32))

    def __post_init__(self):
        assert self.duration >= SHORTEST, "the disk's outage must fit between two kills"

    @classmethod
    def of_environment(cls):
        """The plan that the variables DURATION (seconds) and KILLS (0: none) tell."""
        return cls(float(os.environ.get("DURATION", HOUR)),
                   has_kills=os.environ.get("KILLS", "1") != "0")

    @property
    def is_long(self):
        return self.duration >= HOUR

    @property
    def flush_interval(self):
        return 5.0 if self.is_long else 1.0

    @property
    def window(self):
        """What a kill may take: a flush ends within the interval, but that it waits for a
        processor and for the disk, which others may keep busy in the short form."""
        return self.flush_interval + (1 if self.is_long else 3)

    @property
    def kills(self):
        """The times of kills: every ten minutes of an hour."""
        step = self.duration / 6
        return [step * number for number in range(1, 6)] if self.has_kills else []

    @property
    def full(self):
        """From when to when the disk is full, so that it is well again just before a kill."""
        end = self.duration / 2 - 4 * self.flush_interval
        return end - max(7, self.duration / 30), end

    @property
    def waiting_rows(self):
        """Log rows that wait in memory while the disk is full; one flush writes them."""
        begin, end = self.full
        return int(self.rate * (end - begin))

    @property
    def life_of_outage(self):
        """The life in which the disk is full."""
        return sum(at < self.full[0] for at in self.kills)

    @property
    def log_limit(self):
        """Bytes that the log may have."""
        return LOG_LIMIT if self.has_kills else LONG_LOG_LIMIT

    @property
    def disk(self):
        """The size of the disk."""
        return f"{(self.log_limit >> 20) + 5}m"

    @property
    def settings(self):
        """How the gateway is set."""
        return {
            "log_limit_mb": self.log_limit >> 20, "wal_autocheckpoint_pages": WAL_PAGES,
            "journal_size_limit_kb": 16, "cache_kb": 128, "backup_keep": BACKUPS,
            "flush_interval_ms": int(self.flush_interval * 1000),
            "pool_idle_timeout_ms": 5000, "keep_alive_timeout_ms": 30_000}

    @property
    def size_limits(self):
        """The most bytes that each file of the data directory may have; of backups, together."""
        outage = 2 * self.waiting_rows * ROW_BYTES // PAGE
        wal = (WAL_PAGES + TRANSACTION_PAGES + outage) * (PAGE + FRAME_HEAD)
        return {"db.db": self.log_limit + OTHER_TABLES, "db.db-wal": wal,
                "backups": (BACKUPS + 1) * BACKUP_LIMIT, "config.yaml": 16 << 10,
                "secret.key": 1 << 10}

    @property
    def change_pause(self):
        return 3.0 if self.is_long else 0.7

    @property
    def look_pause(self):
        return 1.0 if self.is_long else 0.25
