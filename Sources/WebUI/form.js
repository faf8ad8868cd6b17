// SPDX-License-Identifier: MIT
// Forms drawn from a list of fields, in a dialog that loses nothing.
import { ask, during, fill, h, openDialog, problem, t } from "./core.js";

/**
 * A field of a form:
 *   name, label, help       the API's name, and words for people
 *   type                    text (without), password, number, textarea, lines (an array, one a
 *                           line), pairs (an object, `key:value` a line), select, checkbox, time
 *                           (Unix seconds or null), or a function `(value, changed) => input` that
 *                           makes `{ element, read() }` of its own
 *   options                 of a select, and proposals of a text: [value, label] or value
 *   empty                   what an empty input means: null, "" (without), …
 *   check(value)            a sentence when the value is wrong, else nothing; asked as one types
 *   shortcuts               of a time: [label, seconds from now or null]
 * and what an input knows: required, placeholder, min, max, maxlength, pattern, autocomplete, rows.
 */

const inputAttributes = ["required", "placeholder", "min", "max", "step", "minlength", "maxlength",
  "pattern", "autocomplete", "rows", "inputmode", "disabled"];
let count = 0;

/** Draws one field; gives `{ field, element, input, read(), fail(sentence) }`. */
export function drawField(field, value, changed = () => {}) {
  const id = "field" + ++count;
  const attributes = { id, name: field.name, "aria-describedby": id + "-note" };
  for (const key of inputAttributes) attributes[key] = field[key];
  const made = typeof field.type === "function"
    ? field.type(value, changed, attributes)
    : makers[field.type ?? "text"](field, value, attributes);
  const note = h("small", { id: id + "-note" }, field.help);
  const input = made.element.matches("input, select, textarea")
    ? made.element : made.element.querySelector("#" + id);
  const fail = (sentence) => {
    fill(note, sentence ?? field.help);
    note.classList.toggle("problem", !!sentence);
    if (sentence) input?.setAttribute("aria-invalid", "true");
    else input?.removeAttribute("aria-invalid");
  };
  const check = () => {
    let sentence = null;
    try { sentence = field.check?.(made.read()); } catch (error) { sentence = error.message; }
    fail(sentence);
    return !sentence;
  };
  made.element.addEventListener("input", () => { check(); changed(); });
  made.element.addEventListener("change", () => { check(); changed(); });
  const label = input
    ? h("label", { for: id }, field.label, field.required && h("abbr", { title: t("needed") }, "*"))
    : h("span", { class: "label" }, field.label);
  const isBox = field.type === "checkbox";
  const element = h(isBox ? "div.field.box" : "div.field", { "data-field": field.name },
    isBox ? [made.element, label] : [label, made.element], note);
  return { field, element, input, read: made.read, check, fail };
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
    return { element: input, read: () => lines(input.value) };
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

const read = (input, field) => input.value === "" ? field.empty ?? "" : input.value;

/** The lines of a text that are not empty. */
export const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

/** Lines `key:value` as an object; the first colon counts. Fails with the line that has none. */
export function pairs(text) {
  const result = {};
  lines(text).forEach((line, index) => {
    const colon = line.indexOf(":");
    const [key, value] = [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    if (colon < 1 || !value) {
      throw new Error(t("Line {0} needs a name, a colon and another name.", index + 1));
    }
    if (key in result) throw new Error(t("Line {0}: {1} stands twice.", index + 1, key));
    result[key] = value;
  });
  return result;
}

/**
 * Opens a dialog with a form. `save` gets the values: all of them, or with `changesOnly` those that
 * differ from `value`; when it fails, the form stays and the sentence stands at its field.
 * Returns a promise: what `save` gave, or undefined when the form was left.
 */
export function openForm({ title, fields, value = {}, submit, save, intro, changesOnly }) {
  return new Promise((resolve) => {
    let isDirty = false;
    let result;
    const changed = () => { isDirty = true; };
    const drawn = fields.map((field) => drawField(field, value[field.name], changed));
    isDirty = false;
    const button = h("button.primary", { type: "submit" }, submit ?? t("Save"));
    const form = h("form", {
      novalidate: true,
      onsubmit(event) {
        event.preventDefault();
        if (!isComplete(form, drawn)) return;
        during(button, async () => {
          const values = {};
          for (const { field, read } of drawn) {
            const now = read();
            if (changesOnly && same(now, value[field.name])) continue;
            if (now !== undefined) values[field.name] = now;
          }
          try {
            result = await save(values);
          } catch (error) {
            if (!showAtField(error, drawn)) throw error;
            return;
          }
          isDirty = false;
          dialog.close("saved");
        });
      },
    }, intro, drawn.map((each) => each.element), h("div.actions", {},
      h("button", { type: "button", onclick: () => leave() }, t("Cancel")), button));
    const dialog = openDialog(title, form);
    const leave = async () => {
      if (!isDirty || await ask(t("Leave the form without saving?"), t("Leave it"))) {
        isDirty = false;
        dialog.close();
      }
    };
    const stay = (event) => {
      if (!isDirty) return dialog.close();
      event.preventDefault();
      const wanted = location.href;
      history.replaceState(null, "", event.detail.oldURL);
      leave().then(() => { if (!dialog.open) location.href = wanted; });
    };
    const warn = (event) => { if (isDirty) event.preventDefault(); };
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); leave(); });
    document.addEventListener("leaving", stay);
    addEventListener("beforeunload", warn);
    dialog.addEventListener("close", () => {
      document.removeEventListener("leaving", stay);
      removeEventListener("beforeunload", warn);
      resolve(result);
    });
    (form.querySelector("input, select, textarea") ?? button).focus();
  });
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Whether all inputs are right; else says so at them and goes to the first one that is not. */
function isComplete(form, drawn) {
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
  first?.input?.focus();
  return !first;
}

/** Puts the API's sentence at the field that it begins with; false when it names none. */
function showAtField(error, drawn) {
  const name = error.message?.split(" ")[0];
  const found = drawn.find((each) => each.field.name === name && each.element.isConnected);
  if (!found) return false;
  found.fail(found.field.label + error.message.slice(name.length));
  found.element.scrollIntoView({ block: "center" });
  found.input?.focus();
  return true;
}

/** Shows what hinders a page from being drawn, with a way to try again. */
export const failed = (error, again) =>
  h("div", {}, problem(error), h("button", { type: "button", onclick: again }, t("Try again")));
