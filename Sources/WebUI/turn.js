// SPDX-License-Identifier: MIT
// Parts of the playground's conversation: a text that grows, and images from files.
import { h, t } from "./core.js";

/** All images of a message together; the gateway takes requests of 32 MB at first. */
const imageBytes = 20e6;

/**
 * Draws a text with code between fences (```) into `area`. Called again with a longer text it only
 * adds what is new, so that a selection stays.
 */
export function drawText(area, text) {
  const pieces = text.split(/^\x60{3}.*\n?/m);
  while (area.children.length > pieces.length) area.lastElementChild.remove();
  pieces.forEach((written, index) => {
    const piece = written.replace(index % 2 ? /\n$/ : /^\n+|\n+$/g, "");
    const element = area.children[index] ?? area.appendChild(
      index % 2 ? h("pre") : h("div.text"));
    const before = element.textContent;
    if (piece === before) return;
    if (before && piece.startsWith(before)) {
      element.firstChild.appendData(piece.slice(before.length));
    } else {
      element.textContent = piece;
    }
  });
}

/** An image of a conversation. */
export const picture = (url) => h("img.picture", { src: url, alt: t("Image") });

/**
 * The images of the message that is being written: `{ button, list, add(files), redraw() }`.
 * `say` shows what is wrong with one.
 */
export function images(state, say, changed) {
  const list = h("div.shelf");
  const redraw = () => {
    list.replaceChildren(...state.images.map((url, index) => h("span", {}, picture(url),
      h("button.quiet", { type: "button", "aria-label": t("Remove image {0}", index + 1),
        onclick() { state.images = state.images.filter((_, i) => i !== index); redraw(); },
      }, "×"))));
    changed();
  };
  const add = async (files) => {
    say();
    for (const file of files) {
      const held = state.images.reduce((sum, url) => sum + url.length * 0.75, 0);
      if (!file.type.startsWith("image/")) say(t("{0} is no image.", file.name));
      else if (held + file.size > imageBytes) say(t("These images are too large together."));
      else state.images = [...state.images, await dataURL(file)];
    }
    if (files.length) redraw();
  };
  const input = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true,
    id: "images", onchange() { add([...input.files]).then(() => { input.value = ""; }); } });
  list.replaceChildren();
  redraw();
  return {
    list, add, redraw,
    button: h("span", {}, input, h("button.quiet", { type: "button",
      onclick: () => input.click() }, t("Attach an image"))),
  };
}

/** A file's contents as an address. */
const dataURL = (file) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result);
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});
