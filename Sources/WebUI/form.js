// SPDX-License-Identifier: MIT
// Forms drawn from a list of fields, in a dialog that loses nothing.
import { ask, during, fill, h, language, openDialog, problem, t } from "./core.js";

/**
 * A field of a form:
 *   name, label, help       the API's name, and words for people
 *   type                    text (without), password, number, textarea, lines (an array, one a
 *                           line), pairs (an object, `key:value` a line), select, checkbox, time
 *                           (Unix seconds or null), or a function
 *                           `(value, changed, attributes) => { element, read() }`, whose inputs may
 *                           be fields themselves: `inner()` gives those that are drawn
 *   advanced                stands folded at the end
 *   options                 of a select, and proposals of a text: [value, label] or value
 *   empty                   what an empty input means: null, "" (without), …
 *   check(value)            a sentence when the value is wrong, else nothing; asked as one types
 *   each(line)              the same for one of several lines, whose number the sentence gets
 *   shortcuts               of a time: [label, seconds from now or null]
 *   class                   `half`: as wide as half of the form
 * and what an input knows: required, placeholder, min, max, maxlength, pattern, autocomplete, rows.
 */

const inputAttributes = ["required", "placeholder", "min", "max", "step", "minlength", "maxlength",
  "pattern", "autocomplete", "rows", "inputmode", "disabled"];
let count = 0;

/**
 * Draws one field; gives `{ field, element, input, read(), check(), fail(sentence), need(is) }`.
 * The last one says whether it must be filled in, where that is not always so.
 */
export function drawField(field, value, changed = () => {}) {
  const id = "field" + ++count;
  const attributes = { id, name: field.name, "aria-describedby": id + "-note" };
  for (const key of inputAttributes) if (field[key] !== undefined) attributes[key] = field[key];
  const made = typeof field.type === "function"
    ? field.type(value, changed, attributes)
    : makers[field.type ?? "text"](field, value, attributes);
  const note = h("small", { id: id + "-note" }, field.help);
  const input = made.element.matches("input, select, textarea")
    ? made.element : made.element.querySelector("#" + id);
  const fail = (sentence) => {
    fill(note, sentence || field.help);
    note.classList.toggle("problem", !!sentence);
    if (sentence) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
  };
  const check = () => {
    let sentence = null;
    try {
      const now = made.read();
      sentence = field.check?.(now);
    } catch (error) {
      sentence = error.message;
    }
    fail(sentence);
    return !sentence;
  };
  made.element.addEventListener("input", () => { check(); changed(); });
  made.element.addEventListener("change", () => { check(); changed(); });
  const star = h("abbr", { title: t("needed"), hidden: !field.required }, "*");
  const label = input ? h("label", { for: id }, field.label, star)
    : h("span", { class: "label" }, field.label);
  const need = (isNeeded) => {
    star.hidden = !isNeeded;
    input.ariaRequired = isNeeded;
  };
  const isBox = field.type === "checkbox";
  const element = h("div.field" + (isBox ? ".box" : "") + (field.class ? "." + field.class : ""),
    { "data-field": field.name }, isBox ? [made.element, label] : [label, made.element], note);
  return { ...made, field, element, input, check, fail, need };
}

const makers = {
  text(field, value, attributes) {
    const input = h("input", { type: "text", ...attributes, value: value ?? "",
      list: field.options && attributes.id + "-list" });
    if (!field.options) return { element: input, read: () => read(input, field) };
    const list = h("datalist", { id: attributes.id + "-list" },
      field.options.map((option) => h("option", { value: option })));
    return { element: h("span.with-list", {}, input, list), read: () => read(input, field) };
  },
  password: (field, value, attributes) => makers.text(
    { ...field, options: null }, value, { type: "password", ...attributes }),
  number(field, value, attributes) {
    const input = h("input", { type: "number", step: 1, ...attributes, value: value ?? "" });
    return { element: input, read() {
      if (input.validity.badInput) throw new Error(t("This is no number."));
      return input.value === "" ? field.empty ?? null : Number(input.value);
    } };
  },
  textarea(field, value, attributes) {
    const input = h("textarea", { rows: 4, ...attributes, value: value ?? "" });
    return { element: input, read: () => read(input, field) };
  },
  lines(field, value, attributes) {
    const input = h("textarea", { rows: 4, spellcheck: "false", ...attributes,
      value: (value ?? []).join("\n") });
    return { element: input, read: () => numbered(input.value).map(([line, index]) => {
      const sentence = field.each?.(line);
      if (sentence) throw new Error(t("Line {0}: {1}", index, sentence));
      return line;
    }) };
  },
  pairs(field, value, attributes) {
    const input = h("textarea", { rows: 3, spellcheck: "false", ...attributes,
      value: Object.entries(value ?? {}).map((pair) => pair.join(":")).join("\n") });
    return { element: input, read: () => pairs(input.value) };
  },
  select(field, value, attributes) {
    const input = h("select", attributes, field.options.map((option) => {
      const [key, label] = Array.isArray(option) ? option : [option, option];
      return h("option", { value: key ?? "", selected: (value ?? "") === (key ?? "") }, label);
    }));
    return { element: input, read: () => read(input, field) };
  },
  checkbox(field, value, attributes) {
    const input = h("input", { type: "checkbox", ...attributes, checked: !!value });
    return { element: input, read: () => input.checked };
  },
  time(field, value, attributes) {
    const input = h("input", { type: "datetime-local", step: 1, ...attributes });
    const set = (seconds) => {
      input.value = seconds === null || seconds === undefined ? ""
        : new Date((seconds - new Date(seconds * 1000).getTimezoneOffset() * 60) * 1000)
          .toISOString().slice(0, 19);
      input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const buttons = (field.shortcuts ?? []).map(([label, seconds]) => h("button.quiet", {
      type: "button",
      onclick: () => set(seconds === null ? null : Math.floor(Date.now() / 1000) + seconds),
    }, label));
    set(value);
    return { element: h("div.time", {}, input, buttons), read: () =>
      input.value ? Math.floor(new Date(input.value).getTime() / 1000) : null };
  },
};

const read = (input, { empty = "" }) => input.value === "" ? empty : input.value;

/** The lines of a text that are not empty, with their numbers. */
const numbered = (text) => text.split("\n").map((line, index) => [line.trim(), index + 1])
  .filter(([line]) => line);
/** The lines of a text that are not empty. */
export const lines = (text) => numbered(text).map(([line]) => line);

/** Lines `key:value` as an object; the first colon counts. Fails with the line that has none. */
export function pairs(text) {
  const result = {};
  for (const [line, index] of numbered(text)) {
    const colon = line.indexOf(":");
    const [key, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    if (colon < 1 || !value) {
      throw new Error(t("Line {0} needs a name, a colon and another name.", index));
    }
    if (key in result) throw new Error(t("Line {0}: {1} stands twice.", index, key));
    result[key] = value;
  }
  return result;
}

/**
 * Opens a dialog with a form. `save` gets the values: all of them, or with `changesOnly` those that
 * differ from `value`; when it fails, the form stays and the sentence stands at its field.
 * `ready(inputs, send)` gets what was drawn by the fields' names, and a function that saves without
 * leaving the form and tells whether it could.
 * Returns a promise: what `save` gave, or undefined when the form was left.
 */
export function openForm({ title, fields, value = {}, submit, save, intro, changesOnly, ready }) {
  return new Promise((resolve) => {
    let isDirty = false;
    let result;
    const changed = () => { isDirty = true; };
    const drawn = fields.map((field) => drawField(field, value[field.name], changed));
    const all = () => drawn.flatMap((each) => [each, ...each.inner?.() ?? []]);
    const send = async () => {
      if (!isComplete(all())) return false;
      const values = {};
      for (const { field, read } of drawn) {
        const now = read();
        if (changesOnly && same(now, value[field.name])) continue;
        if (now !== undefined) values[field.name] = now;
      }
      try {
        result = await save(values);
      } catch (error) {
        if (!showAtField(error, all())) throw error;
        return false;
      }
      isDirty = false;
      return true;
    };
    const button = h("button.primary", { type: "submit" }, submit ?? t("Save"));
    const folded = drawn.filter((each) => each.field.advanced).map((each) => each.element);
    const form = h("form", {
      novalidate: true,
      onsubmit(event) {
        event.preventDefault();
        during(button, async () => { if (await send()) dialog.close("saved"); });
      },
    }, intro, drawn.filter((each) => !each.field.advanced).map((each) => each.element),
    folded.length > 0 && h("details", {}, h("summary", {}, t("Advanced")), folded),
    h("div.actions", {},
      h("button", { type: "button", onclick: () => leave() }, t("Cancel")), button));
    ready?.(Object.fromEntries(drawn.map((each) => [each.field.name, each])), send);
    isDirty = false;
    const dialog = openDialog(title, form);
    const leave = async () => {
      if (!isDirty || await ask(t("Leave the form without saving?"), t("Leave it"))) {
        isDirty = false;
        dialog.close();
      }
    };
    hold(dialog, () => isDirty, leave);
    dialog.addEventListener("close", () => resolve(result));
    (form.querySelector("input, select, textarea") ?? button).focus();
  });
}

/** Asks before a dialog with changes is left: by Escape, for another page, with the window. */
function hold(dialog, isDirty, leave) {
  const stay = (event) => {
    if (!isDirty()) return dialog.close();
    event.preventDefault();
    const wanted = location.href;
    history.replaceState(null, "", event.detail.oldURL);
    leave().then(() => { if (!dialog.open) location.href = wanted; });
  };
  const warn = (event) => { if (isDirty()) event.preventDefault(); };
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
  document.addEventListener("leaving", stay);
  addEventListener("beforeunload", warn);
  dialog.addEventListener("close", () => {
    document.removeEventListener("leaving", stay);
    removeEventListener("beforeunload", warn);
  });
}

/** Whether two values of the API are the same. */
export const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether all inputs are right; else says so at them and goes to the first one that is not. */
export function isComplete(drawn) {
  let first = null;
  for (const each of drawn) {
    let isRight = each.check();
    if (isRight && each.input && !each.input.checkValidity()) {
      each.fail(each.input.validity.valueMissing
        ? t("This is needed.") : each.input.validationMessage);
      isRight = false;
    }
    if (!isRight) first ??= each;
  }
  if (first) goTo(first);
  return !first;
}

/** Shows a field, also one that is folded, and goes to it. */
function goTo({ element, input }) {
  element.closest("details")?.setAttribute("open", "");
  element.scrollIntoView({ block: "center" });
  (input ?? element.querySelector("input, select, textarea, button"))?.focus();
}

/** Puts the API's sentence at the field that it begins with; false when it names none. */
export function showAtField(error, drawn) {
  const name = error.message?.split(" ")[0];
  const found = drawn.find((each) => each.field.name === name && each.element.isConnected);
  if (!found) return false;
  found.fail(found.field.label + (language === "zh" ? "：" : " ") +
    error.message.slice(name.length + 1));
  goTo(found);
  return true;
}

/** Shows what hinders a page from being drawn, with a way to try again. */
export function failed(error, again) {
  const area = h("div", {}, problem(error),
    h("button", { type: "button", onclick: again }, t("Try again")));
  document.addEventListener("found", () => area.isConnected && again(), { once: true });
  return area;
}
