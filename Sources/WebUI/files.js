// SPDX-License-Identifier: MIT
// What people take away: files that come from the gateway, and copies of texts.
import { action, h, notice, t } from "./core.js";

/**
 * Reads the answer of fetchFrom to its end and gives it to the browser as a file. `progress` gets
 * the bytes that have come and all of them, 0 when nobody knows. Returns how many there are.
 */
export async function save(response, name, progress) {
  const all = Number(response.headers.get("Content-Length"));
  const reader = response.body.getReader();
  const parts = [];
  let done = 0;
  try {
    for (let part; !(part = await reader.read()).done;) {
      parts.push(part.value);
      progress(done += part.value.length, all);
    }
  } catch (error) {
    if (error.name === "AbortError") throw error;
    done = -1;
  }
  if (done < 0 || all && done !== all) {
    throw new Error(t("The download broke off. Try it again."));
  }
  const address = URL.createObjectURL(new Blob(parts));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  return done;
}

/** A button that copies a text. */
export function copyButton(text, label = t("Copy")) {
  return action(label, async (button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without HTTPS browsers keep the clipboard to themselves, but not the selection.
      const area = h("textarea", { value: text, class: "unseen" });
      button.after(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    notice(t("Copied."));
  }, { class: "quiet" });
}
