// SPDX-License-Identifier: MIT
// Backups: to this device, on the gateway's own disk, and back.
import {
  action, api, ApiError, ask, bytes, counted, during, fetchFrom, fill, get, h, hooks, keep,
  notice, number, openDialog, problem, said, t, time,
} from "./core.js";
import { save } from "./files.js";
import { drawField } from "./form.js";
import { table } from "./list.js";

/** Draws the page. */
export async function mount(root, { signal }) {
  fill(root, h("div.cards.wide", {}, drawDownload(signal), drawRestore(signal)));
  // Gateways without a place for backups do not know the call.
  const kept = await get("/backups", {}, { signal }).catch((error) => {
    if (error.status !== 404) throw error;
  });
  if (kept) root.append(drawKept(kept));
}

/** How far something is: `{ element, show(done, all), hide() }`. */
function drawProgress(label) {
  const bar = h("progress", { "aria-label": label, max: 1 });
  const text = h("small");
  const element = h("div.progress", { hidden: true }, bar, text);
  return {
    element,
    show(done, all) {
      element.hidden = false;
      if (all) bar.value = done / all;
      else bar.removeAttribute("value");
      text.textContent = all ? t("{0} of {1}", bytes(done), bytes(all)) : bytes(done);
    },
    hide() { element.hidden = true; },
  };
}

/** Whether a text is long enough, and not too long, for a passphrase. */
function isPassphrase(text) {
  const size = new TextEncoder().encode(text).length;
  return size >= 12 && size <= 128;
}

/** What a passphrase is worth: a sentence, and whether it is a good one. */
function strength(text) {
  const words = new Set(text.toLowerCase().split(/[\s._-]+/).filter((word) => word.length > 2));
  const letters = new Set(text).size;
  if (letters < 6) return t("Weak: too few different letters.");
  if (words.size >= 4 || text.length >= 20 && letters >= 12) return t("Good.");
  return t("Fair. Better are four or five random words.");
}

// To this device

/** The form that makes a backup and downloads it. */
function drawDownload(signal) {
  const logs = drawField({ name: "logs", label: t("With request log, statistics and audit"),
    type: "checkbox", help: t("Without them the file is small and all that is needed.") });
  const phrase = drawField({ name: "passphrase", label: t("Passphrase"), type: "password",
    autocomplete: "new-password",
    help: t("With one, the file restores everything on another device, channel keys included."),
    check: (value) => value && !isPassphrase(value) && t("Passphrases have 12 to 128 bytes.") },
  "", () => { hint.textContent = isPassphrase(phrase.read()) ? strength(phrase.read()) : ""; });
  const hint = h("small", { id: "strength", role: "status" });
  const reveal = drawField({ name: "reveal", label: t("Show the passphrase"), type: "checkbox" },
    false, () => { phrase.input.type = reveal.read() ? "text" : "password"; });
  phrase.element.append(hint);
  const progress = drawProgress(t("Download"));
  let controller = null;
  const cancel = h("button", { type: "button", hidden: true, onclick: () => controller.abort() },
    t("Cancel"));
  const button = action(t("Make a backup and download it"), async () => {
    if (!phrase.check()) return phrase.input.focus();
    controller = new AbortController();
    signal.addEventListener("abort", () => controller.abort());
    cancel.hidden = false;
    try {
      await download(logs.read(), phrase.read(), progress, controller.signal);
    } finally {
      cancel.hidden = true;
      progress.hide();
    }
  }, { class: "primary", id: "download" });
  return h("section.card", { "aria-label": t("Backup") }, h("h2", {}, t("Backup")),
    h("p", {}, t("One file with accounts, tokens, channels and settings. Clients notice nothing.")),
    logs.element, phrase.element, reveal.element, progress.element,
    h("div.actions", {}, cancel, button));
}

/** Fetches the file, shows how far it is, and hands it to the browser. */
async function download(withLogs, passphrase, progress, signal) {
  progress.show(0, 0);
  const response = passphrase
    ? await fetchFrom("POST", "/api/v1/backup", { passphrase, logs: withLogs }, { signal })
    : await fetchFrom("GET", "/api/v1/backup?logs=" + (withLogs ? 1 : 0), undefined, { signal });
  const name = "tinygateway-" + new Date().toISOString().slice(0, 10) + ".db";
  const size = await save(response, name, progress.show);
  notice(t("Downloaded: {0}, {1}.", name, bytes(size)));
}

// On the gateway's disk

/** The backups that the gateway keeps by itself. */
function drawKept(kept) {
  const area = h("div");
  const draw = (now) => fill(area,
    now.failure && h("p.problem", {}, t("The last one could not be made: {0}", said(now.failure))),
    now.recovery && h("p.warn", {}, t(
      "The database was damaged. At {0} the backup of {1} took its place; what came after is lost.",
      time(now.recovery.time), time(now.recovery.backup_time)), " ", said(now.recovery.reason)),
    now.items.length ? table(t("Backups on the device"), [
      { label: t("Made"), value: (item) => time(item.created_at) },
      { label: t("File"), value: (item) => h("code", {}, item.name) },
      { label: t("Size"), class: "end", value: (item) => bytes(item.size) },
    ], now.items) : h("p.empty", {}, t("There are none yet.")));
  draw(kept);
  return h("section", { id: "kept" }, h("h2", {}, t("Backups on the device")),
    h("p", {}, kept.interval_hours
      ? counted("Every {0} hours the gateway keeps one in {1}.", number(kept.interval_hours),
        kept.directory)
      : t("They are kept in {0}; none is made by itself (backup_interval_hours is 0).",
        kept.directory)),
    area, h("p", {}, action(t("Make one now"), async () => {
      await api("POST", "/backups");
      draw(await get("/backups"));
    }, { id: "make" })));
}

// Back

/** The form that puts a backup in the place of everything. */
function drawRestore(signal) {
  const file = h("input", { type: "file", id: "file", accept: ".db,application/vnd.sqlite3" });
  const phrase = drawField({ name: "restore_passphrase", label: t("Its passphrase"),
    type: "password", autocomplete: "off", help: t("Empty, if it was made without one.") });
  const progress = drawProgress(t("Upload"));
  const button = h("button.danger", { type: "submit", id: "restore" }, t("Restore"));
  const form = h("form", { onsubmit(event) {
    event.preventDefault();
    during(button, async () => {
      const [chosen] = file.files;
      if (!chosen) throw new Error(t("Choose a file first."));
      if (phrase.read() && !isPassphrase(phrase.read())) {
        throw new Error(t("Passphrases have 12 to 128 bytes."));
      }
      const question = t("Replace all accounts, tokens, channels, prices and logs by {0}?",
        chosen.name);
      if (!await ask(question, t("Replace everything"))) return;
      try {
        finish(await upload(chosen, phrase.read(), progress, signal));
      } finally {
        progress.hide();
      }
    });
  } }, h("div.field", {}, h("label", { for: "file" }, t("File of the backup")), file),
  phrase.element, progress.element, h("div.actions", {}, button));
  return h("section.card", { "aria-label": t("Restore") }, h("h2", {}, t("Restore")),
    h("p", {}, t("Everybody has to log in again. If it fails, everything stays as it is.")),
    form);
}

/** Sends the file; fetch cannot tell how much of it has gone. */
async function upload(file, passphrase, progress, signal) {
  const answer = await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/restore");
    request.setRequestHeader("Content-Type", "application/vnd.sqlite3");
    if (passphrase) request.setRequestHeader("X-Backup-Passphrase", passphrase);
    request.upload.onprogress = (event) => progress.show(event.loaded, event.total);
    request.upload.onload = () => progress.show(0, 0);
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error(
      t("The upload broke off. Look whether the gateway is there, then try again.")));
    signal.addEventListener("abort", () => request.abort());
    progress.show(0, file.size);
    request.send(file);
  });
  let told = null;
  try { told = JSON.parse(answer.responseText); } catch { /* Not the gateway's own words. */ }
  if (answer.status === 200) return told.data;
  if (answer.status === 401 && await hooks.login()) {
    return upload(file, passphrase, progress, signal);
  }
  if (told?.code === "wrong_passphrase") {
    throw new Error(t("This is not the passphrase of that backup."));
  }
  throw new ApiError(told?.message ? said(told.message)
    : t("The gateway answered with status {0}.", answer.status), told?.code, answer.status);
}

/** Says what is there now; every login has ended. */
function finish(data) {
  keep("session", null);
  const locked = data.locked_channels;
  const dialog = openDialog(t("Restored"),
    h("p", {}, counted("There are now {0} users, {1} tokens and {2} channels.", number(data.users),
      number(data.tokens), number(data.channels))),
    data.management_tokens > 0 && h("p", {}, t(
      "Management tokens of the backup that work again: {0}. Delete those that had leaked.",
      number(data.management_tokens))),
    locked.length > 0 && [
      problem(t("The keys of these channels cannot be opened here. Enter them again:")),
      h("ul", {}, locked.map(({ name }) => h("li", {}, name)))],
    h("p", {}, t("Log in with the password of the backup.")),
    h("div.actions", {}, h("button.primary", { type: "button", onclick: () => dialog.close() },
      t("Log in"))));
  dialog.addEventListener("close", () => location.reload());
}
