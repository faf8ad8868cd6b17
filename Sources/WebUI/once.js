// SPDX-License-Identifier: MIT
// Secrets that are shown this once, files that are made here, and rows that are changed together.
import { action, api, ask, h, openDialog, t } from "./core.js";
import { copyButton } from "./files.js";

/** Gives the reader a file with this text. */
export function download(name, text, type = "text/plain") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

/**
 * Shows a secret that nobody will see again, until it is said to be kept. With `file` it can be
 * downloaded under this name; `more` stands below it.
 */
export const showOnce = (title, sentence, text, { file, more } = {}) => new Promise((resolve) => {
  const done = h("button.primary", { type: "button", onclick: () => dialog.close() },
    t("I have kept it"));
  const dialog = openDialog(title, h("p", {}, sentence),
    h("pre.secret", { tabindex: 0, "aria-label": title }, text),
    h("div.actions", {}, file && action(t("Download"), () => download(file, text)),
      copyButton(text)), more, h("div.actions", {}, done));
  dialog.addEventListener("cancel", async (event) => {
    event.preventDefault();
    if (await ask(t("It is not shown again. Close?"), t("Close"))) dialog.close();
  });
  dialog.addEventListener("close", resolve);
});

/** 16 letters and digits that are not taken for one another, in groups: 80 bits. */
export function newPassword() {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const text = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => letters[byte % 32]);
  return text.join("").match(/.{4}/g).join("-");
}

/** Bulk actions of a list: deleting the chosen rows of `path`. */
export const bulkDelete = (path) => [t("Delete"), async (items) => {
  if (!await ask(t("Delete {0} entries?", items.length), t("Delete"))) return false;
  for (const item of items) {
    // What somebody else deleted meanwhile is gone as well.
    await api("DELETE", path + "/" + item.id).catch((error) => {
      if (error.status !== 404) throw error;
    });
  }
}, "danger"];

/** Bulk actions of a list: giving the chosen rows of `path` a status. */
export const bulkStatus = (path, label, status) => [label, async (items) => {
  for (const item of items) await api("PUT", path + "/" + item.id, { status });
}];

/** A row's button that switches between two statuses. */
export const switchButton = (path, item, reload, on = "enabled") => {
  const isOn = item.status === on;
  return action(isOn ? t("Disable") : t("Enable"), async () => {
    await api("PUT", path + "/" + item.id, { status: isOn ? "disabled" : on });
    await reload();
  }, { class: "quiet" });
};
