// SPDX-License-Identifier: MIT
// The state of the box in words.
import { bytes, counted, h, number, percent, t, time, told } from "./core.js";

/** What is wrong with the storage, in words; null when nothing is. */
const storageTrouble = (state) => ({
  full: t("The storage is full."), read_only: t("The storage can only be read."),
  io_error: t("The storage reports errors."), corrupt: t("The database is damaged."),
  busy: t("Another program holds the database."),
})[state] ?? (state === "ok" ? null : state);

const badge = (isGood, text) => h(`span.badge.${isGood ? "good" : "bad"}`, {}, text);
const of = (part, whole) => whole ? t("{0} of {1}", bytes(part), bytes(whole)) : bytes(part);

/** Seconds as 3 d 4 h. */
function span(seconds) {
  const parts = [[86400, t("d")], [3600, t("h")], [60, t("min")], [1, t("s")]];
  const first = parts.findIndex(([size]) => seconds >= size);
  const [large, small] = parts.slice(first < 0 ? 3 : first);
  const text = number(Math.floor(seconds / large[0])) + " " + large[1];
  return small ? text + " " + Math.floor(seconds % large[0] / small[0]) + " " + small[1] : text;
}

/** The facts of `/status` that people look for, as [name, what is shown]. */
export function facts(status) {
  const isClockSet = status.clock === "ok";
  return [
    [t("Version"), status.version, " ", h("small", {}, status.target)],
    status.board && [t("Board"), status.board],
    [t("Running for"), span(status.uptime_seconds)],
    [t("Clock"), badge(isClockSet, isClockSet ? t("set") : t("not set")), " ",
      time(status.now), " ", h("small", {}, status.time_zone)],
    [t("Memory of the gateway"), of(status.resident_bytes, status.memory_limit_bytes)],
    status.machine_memory_bytes > 0 && [t("Free memory of the box"),
      of(status.machine_available_bytes, status.machine_memory_bytes)],
    [t("Storage"), badge(status.storage === "ok", storageTrouble(status.storage) ?? t("in order"))],
    [t("Free flash"), of(status.free_bytes, status.total_bytes), " ", h("small", {},
      percent(status.total_bytes ? status.free_bytes / status.total_bytes : null))],
    [t("Written today"), bytes(status.written_bytes_today), " ",
      h("small", {}, t("since the start {0}", bytes(status.written_bytes)))],
    [t("Database"), bytes(status.database_bytes)],
    [t("Request log"), of(status.log_bytes, status.log_limit_bytes)],
    [t("Open connections"), number(status.client_connections), " ",
      h("small", {}, t("requests in work: {0}", number(status.relays)))],
  ].filter(Boolean);
}

/** What somebody should do something about, as sentences in boxes. */
export function warnings(status) {
  const note = (kind, ...text) => h(`p.note.${kind}`, {}, text);
  const trouble = storageTrouble(status.storage);
  const isTight = status.total_bytes > 0 && status.free_bytes < status.total_bytes / 20;
  return [
    status.first_password && note("bad",
      t("An account still has the first password, which everybody knows."), " ",
      h("a", { href: "#/account" }, t("Choose another one"))),
    trouble && note("bad", trouble, " ", status.storage_message && told(status.storage_message)),
    status.clock !== "ok" && note("warn",
      t("The clock of the box is not set. Until it is, nothing expires and days are wrong.")),
    isTight && !trouble && note("warn", t("The storage is nearly full: {0} are free.",
      bytes(status.free_bytes))),
    status.dropped_log_rows > 0 && note("warn",
      counted("{0} rows of the log could not be written.", number(status.dropped_log_rows))),
  ].filter(Boolean);
}
