// SPDX-License-Identifier: MIT
// What can be set: options that hold at once, and the settings of config.yaml.
import { action, api, fill, get, h, notice, number, openDialog, said, t } from "./core.js";
import { copyButton } from "./files.js";
import { drawField, openForm } from "./form.js";
import { getAll, table, terms } from "./list.js";

const decimal = (value) => /^\d{1,7}(\.\d{1,6})?$/.test(value) && Number(value) <= 1e6
  ? null : t("A number from 0 to 1000000 with at most 6 places.");
const between = (low, high) => (value) => value === null || value < low || value > high
  ? t("From {0} to {1}.", number(low), number(high)) : null;

/** The options in three groups: title, and fields of a form with `was`, the value at first. */
const groups = (userGroups) => [
  [t("Money"), [
    { name: "currency", label: t("Currency"), required: true, was: "USD", maxlength: 3,
      help: t("Three capital letters, such as CNY."),
      options: ["USD", "CNY", "EUR"],
      check: (value) => !/^[A-Z]{3}$/.test(value) && t("Three capital letters, such as CNY.") },
    { name: "quota_per_unit", label: t("Quota units of one unit of money"), type: "number",
      required: true, min: 1, was: 500000, check: between(1, 1e9),
      help: t("Changes what all quotas are worth, used or not.") },
    { name: "unpriced_models", label: t("Models without a price"), type: "select", was: "ratio",
      options: [["ratio", t("cost the ratio below")], ["free", t("are free")],
        ["refuse", t("are not served")]] },
    { name: "unpriced_ratio", label: t("Their ratio"), inputmode: "decimal", required: true,
      was: "1", check: decimal, help: t("Quota units for each token.") },
    { name: "assumed_completion_tokens", label: t("Assumed tokens of an answer"), type: "number",
      required: true, was: 1000, check: between(0, 1e6),
      help: t("Reserved for a request that names no limit; the true number is charged.") },
  ]],
  [t("New users"), [
    { name: "registration", label: t("Strangers may make an account"), type: "checkbox",
      was: false, help: t("Anybody who reaches this address, at most five an hour from each.") },
    { name: "new_user_quota", label: t("Quota of a new user"), type: "number", was: 0, empty: null,
      placeholder: t("no limit"), help: t("In quota units; empty: no limit."),
      check: (value) => value !== null && between(0, 9e12)(value) },
    { name: "new_user_group", label: t("User group of a new user"), type: "select",
      was: "default", options: userGroups },
  ]],
  [t("How long things are kept"), [
    { name: "log_days", label: t("Days of the request log"), type: "number", required: true,
      was: 0, check: between(0, 3650), help: t("0: until the log is full.") },
    { name: "statistics_days", label: t("Days of the statistics"), type: "number",
      required: true, was: 400, check: between(1, 3650),
      help: t("Usage by day, model, user and token.") },
  ]],
];

/** Draws the page. */
export async function mount(root, { signal, may }) {
  const [options, userGroups, config] = await Promise.all([
    get("/options", {}, { signal }), getAll("/user-groups", {}, { signal }),
    get("/config", {}, { signal })]);
  const cards = h("div.cards.wide");
  const draw = (now) => fill(cards, groups(userGroups.map(({ name }) => name))
    .map(([title, fields]) => card(title, fields, now, draw)));
  draw(options);
  fill(root, h("h2", {}, t("Options")),
    h("p", {}, t("They hold from the next request on.")), cards, drawConfig(config, may("root")));
}

// Options

/** An option's value as people read it. */
function shown(field, value) {
  if (field.type === "checkbox") return value ? t("yes") : t("no");
  if (field.type === "select") {
    return field.options.find((option) => option[0] === value)?.[1] ?? value;
  }
  if (value === null) return t("no limit");
  return field.type === "number" ? number(value) : value;
}

/** One group of options with its values, and the form that changes them. */
function card(title, fields, now, draw) {
  const change = action(t("Change"), () => openForm({
    title, fields, value: now, changesOnly: true, async save(values) {
      draw(await api("PUT", "/options", values));
      notice(t("Saved."));
    },
  }), { "aria-label": t("Change: {0}", title) });
  return h("section.card", { "aria-label": title },
    h("div.beside", {}, h("h2", {}, title), change),
    terms(fields.map((field) => [field.label, [shown(field, now[field.name]), " ",
      now[field.name] !== field.was &&
        h("small", {}, t("(at first {0})", shown(field, field.was)))],
    { "data-option": field.name }])));
}

// config.yaml

const sources = () => ({
  default: t("built in"), file: t("file"), board: t("board file"),
  environment: t("environment"), command_line: t("command line"),
});

/** Where a value came from. */
function origin(item) {
  const name = sources()[item.source];
  return item.line ? t("{0}, line {1}", name, item.line) : name;
}

/** A value as a line of the file needs it. */
const quoted = (value) => /^[\w./-]+$/.test(value) ? value : JSON.stringify(value);

/** What stands in the place of a secret that is set. */
const hidden = "••••••••";

/** A setting as a field of a form; an empty one has no line of its own in the file. */
const fieldOf = (item) => ({
  name: item.key, label: item.key, empty: null, autocomplete: "off",
  placeholder: item.source === "file" ? item.default : valueOf(item),
  type: item.choices.length ? "select" : item.secret ? "password"
    : item.min === null ? "text" : "number",
  min: item.min ?? undefined, max: item.max ?? undefined,
  options: item.choices.length
    ? [["", t("(at first {0})", item.default)], ...item.choices] : undefined,
  help: [wordsOf(item), item.min !== null ? t("From {0} to {1}.", number(item.min),
    number(item.max)) : !item.choices.length && t("May be") + ": " + said(item.expects),
    item.default && t("(at first {0})", item.default), item.source !== "default" && origin(item)]
    .filter(Boolean).join(" "),
  check: (value) => item.secret && value !== hidden && value?.includes("•") &&
    t("Write the whole value."),
});

/** What the file has of a setting; null for nothing. */
const valueInFile = (item) => item.source !== "file" || !item.is_set ? null
  : item.secret ? hidden : item.min === null ? item.value : Number(item.value);

/** The form that changes settings of config.yaml; `saved` gets all of them. */
const change = (items, saved) => openForm({
  title: t("Settings of config.yaml"), fields: items.map(fieldOf), changesOnly: true,
  intro: h("p", {}, t("They hold at once. What is left empty is as at first.")),
  value: Object.fromEntries(items.map((item) => [item.key, valueInFile(item)])),
  async save(values) {
    saved(await api("PUT", "/config", values));
    notice(t("Saved."));
  },
});

/** The settings of config.yaml: a list to search, and how to change each. */
function drawConfig(config, mayChange) {
  const list = h("div");
  let query = "";
  let isChanged = false;
  let changeable = [];
  const begin = (items) => change(items, (now) => { config = now; redraw(); });
  const all = action(t("Change"), () => begin(changeable),
    { "aria-label": t("Change: {0}", t("Settings of config.yaml")) });
  const redraw = () => {
    const items = config.items.filter((item) => (!isChanged || item.source !== "default") &&
      [item.key, item.section, item.comment, wordsOf(item), item.value ?? ""]
        .join("\n").toLowerCase().includes(query.toLowerCase()));
    changeable = items.filter((item) => mayChange && item.reload &&
      !["environment", "command_line"].includes(item.source));
    all.hidden = !changeable.length;
    fill(list, items.length ? table(t("Settings of config.yaml"), [
      { label: t("Setting"), value: (item) => [h("code", {}, item.key), h("br"),
        h("small", {}, wordsOf(item))] },
      { label: t("Value"), value: (item) => h("code", {}, valueOf(item)) },
      { label: t("Set by"), value: (item) => h("span", {
        class: item.source === "default" ? "faint" : null }, origin(item)) },
      { label: t("How to change"), class: "actions", value: (item) => changeable.includes(item)
        ? action(t("Change"), () => begin([item]), { "aria-label": t("Change: {0}", item.key) })
        : h("button.quiet", {
          type: "button", "aria-label": t("How to change {0}", item.key),
          onclick: () => explain(config, item) }, t("Show")) },
    ], items) : h("p.empty", {}, t("No setting has this in it.")));
  };
  const find = () => {
    // It is told again when the field is left, perhaps with a click on a row.
    if (search.read().trim() === query) return;
    query = search.read().trim();
    redraw();
  };
  const search = drawField(
    { name: "search", label: t("Search"), placeholder: "timeout" }, "", find);
  const changed = drawField({ name: "changed", label: t("Only those that were set"),
    type: "checkbox" }, false, () => { isChanged = changed.read(); redraw(); });
  redraw();
  return h("section", { id: "config" }, h("h2", {}, t("Settings of config.yaml")),
    h("p", {}, t("They belong to the machine, so they stand in a file on it.")),
    h("div.bar", {}, search.element, changed.element, all), list);
}

/** What a setting does; other languages know it by its key. */
const wordsOf = ({ key, comment }) => {
  const words = said("." + key);
  return words === "." + key ? comment : words;
};

/** A value in force; of a secret only whether there is one. */
function valueOf(item) {
  if (item.secret) return item.is_set ? t("set, not shown") : t("not set");
  return item.value === "" || item.value === null ? t("(empty)") : item.value;
}

/** Says what to write where, and what makes it hold. */
function explain(config, item) {
  const line = `${item.key}: ${item.secret ? "…" : quoted(item.value || item.default || "")}`;
  const isAbove = item.source === "command_line" || item.source === "environment";
  const isPlace = ["data_dir", "config", "board"].includes(item.key);
  const isFact = item.section === "Facts about the board";
  const variable = "TINYGATEWAY_" + item.key.toUpperCase();
  const option = "--" + item.key.replace(/_/g, "-");
  const steps = isPlace
    ? [t("This one is told on the command line with {0}, or with the variable {1}.",
      option, variable)]
    : [isAbove && t("At present {0} decides, which wins over the file: change it there.",
      item.source === "environment" ? variable : option),
    item.line && (isFact || item.source === "file")
      ? t("Change line {0} of the file {1}:", item.line, item.place)
      : t("Write this line into the file {0}:", isFact ? config.board_file || "board.yaml"
        : config.file)];
  const dialog = openDialog(item.key, h("p", {}, wordsOf(item)),
    terms([[t("Value"), valueOf(item)], [t("Set by"), origin(item)],
      [t("At first"), item.default || t("(empty)")], [t("May be"), said(item.expects)]]),
    steps.filter(Boolean).map((step) => h("p", {}, step)),
    !isPlace && h("div.beside", {}, h("pre", {}, line), copyButton(line)),
    h("p", {}, item.reload && !isPlace
      ? t("Then restart the gateway, or send it SIGHUP: no request is lost.")
      : t("Then restart the gateway.")),
    h("div.actions", {}, h("button.primary", { type: "button", onclick: () => dialog.close() },
      t("Close"))));
}
