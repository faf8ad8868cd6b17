# SPDX-License-Identifier: MIT
"""The report of flash.py as docs/flash.md."""

HEAD = """# What is written to flash

Written by `{command}`; do not edit by hand.

- Date: {date}; machine: {machine}
- {requests:,} requests in a simulated day with each board's storage settings, {rows:,} written
  one by one for comparison, {idle:.0f} s idle

**How a day is simulated.** A flush writes what its interval has gathered. {requests:,} requests
spread evenly over a day come every {pause:.1f} s, so a flush holds 1 + (interval ÷ {pause:.1f}
s) of them, at most `flush_rows`. The requests are sent without pauses, and the gateway is told
to flush at that number of rows: as many flushes, with as many rows each, as in the day. The
last flush and the checkpoint of the stop are counted too.

**What is counted.** Bytes, calls and syncs that the kernel gets for the database and its
journal (`strace`), on whatever file system this machine has: what SQLite asks for, not what the
flash is given. JFFS2 and UBIFS compress it, ext4 and F2FS add their own journals. The backup is
extra, once a day when something has changed, without logs; 0 with `backup_interval_hours: 0`.

**One by one** is the same load as One API writes it: five transactions per request (quota and
key before it, log row, user and channel after it), with the same settings of SQLite
(`Tests/Bench/flash_rows.py`).

**Idle** is the gateway with the board's own settings, unchanged, without a request. In 24 hours
nothing more can come than in these seconds, by the code: the loop has deadlines for a batch
that waits (`WriteBatch.deadline`, nil when it is empty and the medium is sound), for relays,
waiting requests, channel tests (off unless configured) and backups (`BackupKeeper`, which looks
every hour at most and writes nothing when no row has changed). Nothing else reaches the storage
thread without a request.
"""


def settings_text(named):
    """The settings of SQLite and of the flush in a few words."""
    return (f"{named['journal_mode']}, {named['synchronous']}, page {named['page_size']}, flush "
            f"{int(named['flush_interval_ms']) / 1000:g} s or {named['flush_rows']} rows"
            + (", history in memory" if named["history"] == "memory" else ""))


def row(result):
    """One line of the table."""
    day, rows = result["day"], result["rows"]
    done, one = day["requests"], rows["requests"]
    ours, theirs = day["bytes"] / done, rows["bytes"] / one
    return [
        settings_text(result["settings"]), str(day["per_flush"]), f"{ours:,.0f}",
        f"{day['writes'] / done:.2f}", f"{day['syncs']:,}", f"{day['grown'] / 1024:,.0f}",
        f"{day['backup'] / 1024:,.0f}", f"{day['peak_kb'] / 1024:.1f}",
        f"{result['idle']}", f"{theirs:,.0f}",
        f"{rows['writes'] / one:.1f}", f"{rows['syncs'] / one:.1f}", f"{theirs / ours:,.0f}"]


def document(about, results):
    """The whole text."""
    lines = [HEAD.format(pause=86_400 / about["requests"], **about), "## Results", ""]
    head = ["settings", "requests per flush", "bytes per request", "write calls per request",
            "syncs in the day", "growth of files, KiB", "a backup, KiB", "peak memory, MB",
            "bytes while idle", "one by one: bytes per request", "calls per request",
            "syncs per request", "times as many bytes"]
    lines += ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    lines += ["| " + " | ".join(row(result)) + " |" for result in results]
    lines += ["", "| settings | board files |", "| --- | --- |"]
    lines += [f"| {settings_text(result['settings'])} | "
              + ", ".join(f"`{name}`" for name in result["boards"]) + " |" for result in results]
    lines += ["", "Bytes by file in the day, in KiB:", ""]
    for result in results:
        files = ", ".join(f"{name} {entry['bytes'] / 1024:,.0f}"
                          for name, entry in sorted(result["day"]["files"].items()))
        lines.append(f"- {settings_text(result['settings'])}: {files}")
    return "\n".join(lines) + "\n"
