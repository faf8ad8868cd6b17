// SPDX-License-Identifier: MIT
// An input that chooses one of many by search.
import { fill, h, t } from "./core.js";

/** Whether each word of a search stands in a text. */
export const matches = (search, text) =>
  search.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));

/** What may be chosen, each with its value; `pick` gets the place of one. */
function drawOptions(list, options, present, pick) {
  fill(list, options.map(([key, text], index) => h("li", {
    role: "option", id: `${list.id}-${index}`, "aria-selected": String(key === present),
    onclick: () => pick(index),
  }, text, key !== text && h("small", {}, key))), !options.length && h("li", { role: "option",
    "aria-disabled": "true", "aria-selected": "false" }, t("Nothing found.")));
}

/**
 * A type of field: one of many options [value, label], by an input that searches in both and a
 * list below it. `chosen` gets the value.
 */
export const oneOf = (options, chosen = () => {}) => (value, changed, attributes) => {
  let present = value;
  let shown = [];
  let at = -1;
  const id = attributes.id + "-list";
  const label = (key) => options.find(([each]) => each === key)?.[1] ?? "";
  const list = h("ul.proposals", { role: "listbox", id });
  const input = h("input", {
    type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list", ...attributes,
    value: label(value), onfocus: () => input.select(), onclick: () => open(""),
    oninput: () => open(input.value), onkeydown: press,
    onblur() { close(); input.value = label(present); },
  });
  list.hidden = true;

  function open(search) {
    shown = options.filter((option) => matches(search, option.join(" ")));
    drawOptions(list, shown, present, pick);
    list.setAttribute("aria-label", input.labels[0]?.textContent ?? "");
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    go(search ? 0 : shown.findIndex(([key]) => key === present));
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function go(index) {
    at = Math.min(index, shown.length - 1);
    list.querySelector(".at")?.classList.remove("at");
    if (at < 0) return input.removeAttribute("aria-activedescendant");
    list.children[at].classList.add("at");
    list.children[at].scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", `${id}-${at}`);
  }

  function pick(index) {
    present = shown[index][0];
    input.value = label(present);
    close();
    chosen(present);
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  function press(event) {
    if (event.isComposing) return;
    const isOpen = !list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && !isOpen) open("");
    else if (step) go(Math.max(at + step, 0));
    else if (event.key === "Enter" && isOpen) at >= 0 && pick(at);
    else if (event.key === "Escape" && isOpen) close();
    else return;
    event.preventDefault();
  }

  // A press in the list must not take the focus from the input, which would close it.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("mousedown", (event) => event.preventDefault());
  return { element: h("div.combo", {}, input, list), read: () => present ?? "" };
};
