# SPDX-License-Identifier: MIT
"""The report of flash.py as docs/flash.md."""

HEAD = """# What is written to flash

Written by `{command}`; do not edit by hand.

- Date: {date}; machine: {machine}
- {requests:,} requests in a simulated day with each board's storage settings, {rows:,} written
  one by one for comparison, {idle:.0f} s idle
- {boards} board files, {sets} sets of settings: files with the same settings share a row

**How a day is simulated.** A flush writes what its interval has gathered. It begins a 64th of the
interval early, so that what it writes is on the medium within the interval (earlier where flushes
take longer than a hundredth of it, and in the first dozens after a start: some 20 flushes more, not
counted here). {requests:,} requests spread evenly over a day come every
{pause:.1f} s, so a flush holds 1 + (63/64 of the interval ÷ {pause:.1f} s) of them, at most
`flush_rows`. The requests are sent without pauses, and the gateway is told to flush at that
number of rows: as many flushes, with as many rows each, as in the day. The last flush and the
checkpoint of the stop are counted too.

**What is counted.** Bytes, calls and syncs that the kernel gets for the database and its
journal (`strace`), on whatever file system this machine has: what SQLite asks for, not what the
flash is given. JFFS2 and UBIFS compress it, ext4 and F2FS add their own journals. The backup is
extra, once a day when something has changed, without logs; with `backup_interval_hours: 0` only
when asked.
Times are not measured, so a busy machine changes nothing but this: rows hold latencies and dates,
whose digits vary in number, so that a page fills a little earlier or later. Of four sets run twice
with 10,000 requests, at a load of 8 to 19 on two cores, three came out the same to the byte shown,
and one wrote a page more; calls and syncs were the same. Growth is that of all files of the data
directory; a write-ahead log stays as large as it once was. Peak memory is the program's `VmHWM` on
this machine, with one request at a time.

**One by one** is the same load as One API writes it: five transactions per request (quota and
key before it, log row, user and channel after it), with the same settings of SQLite
(`Tests/Bench/flash_rows.py`).

**Idle** is the gateway with the board's own settings, unchanged, without a request. In 24 hours
nothing more can come than in these seconds, by the code: the loop has deadlines for a batch
that waits (`WriteBatch.deadline`, nil when it is empty and the medium is sound), for relays,
waiting requests, channel tests (off unless configured) and backups (`BackupKeeper`, which looks
every hour at most and writes nothing when no row has changed). Nothing else reaches the storage
thread without a request. `make qemu-idle` lets a whole day pass on an emulated board:
[boards.md](boards.md#an-idle-day).
"""


def names(result):
    """The board files that share one measurement."""
    return ", ".join(f"`{name}`" for name in result["boards"])


def settings_row(result):
    """What the boards of a row have set."""
    named = result["settings"]
    return [
        names(result), f"{named['journal_mode']}, {named['synchronous']}, {named['locking_mode']}",
        named["page_size"], named["cache_kb"], named["wal_autocheckpoint_pages"],
        named["journal_size_limit_kb"],
        f"{int(named['flush_interval_ms']) / 1000:g} s or {named['flush_rows']}",
        named["history"], named["log_limit_mb"]]


def day_row(result):
    """What the simulated day and the idle time wrote."""
    day = result["day"]
    done = day["requests"]
    files = ", ".join(f"`{name}` {entry['bytes'] / 1024:,.0f}"
                      for name, entry in sorted(day["files"].items()))
    return [
        names(result), str(day["per_flush"]), f"{day['bytes'] / done:,.0f}",
        f"{day['writes'] / done:.2f}", f"{day['syncs']:,}", files, f"{day['grown'] / 1024:,.0f}",
        f"{day['backup'] / 1024:,.0f}", f"{day['peak_kb'] / 1024:.1f}", f"{result['idle']}"]


def rows_row(result):
    """The same beside one row per request."""
    day, rows = result["day"], result["rows"]
    done, one = day["requests"], rows["requests"]
    ours, theirs = day["bytes"] / done, rows["bytes"] / one
    return [
        names(result), f"{ours:,.0f}", f"{theirs:,.0f}", f"{day['writes'] / done:.2f}",
        f"{rows['writes'] / one:.1f}", f"{day['syncs'] / done:.2f}", f"{rows['syncs'] / one:.1f}",
        f"{theirs / ours:,.0f}"]


def table(head, rows):
    """A table whose first column is text."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows] + [""]


def document(about, results):
    """The whole text."""
    lines = [HEAD.format(pause=86_400 / about["requests"], sets=len(results),
                         boards=sum(len(result["boards"]) for result in results), **about)]
    lines += ["## The settings", ""]
    lines += table(
        ["board files", "journal, synchronous, locking", "page", "cache, KiB",
         "checkpoint, pages", "journal limit, KiB", "flush, at most rows", "history",
         "log limit, MB"], map(settings_row, results))
    lines += ["## The day, and idle", ""]
    lines += table(
        ["board files", "requests per flush", "bytes per request", "write calls per request",
         "syncs in the day", "KiB in the day, by file", "growth of files, KiB", "a backup, KiB",
         "peak memory, MB", "bytes while idle"], map(day_row, results))
    lines += ["## Beside one row per request", ""]
    lines += table(
        ["board files", "bytes per request", "one by one", "write calls per request", "one by one",
         "syncs per request", "one by one", "times as many bytes"], map(rows_row, results))
    return "\n".join(lines).rstrip("\n") + "\n"
