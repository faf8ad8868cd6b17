// SPDX-License-Identifier: MIT
// What models cost, in units for a token and in money for a million.
import {
  action, api, ask, counted, fill, get, h, money, notice, number, openDialog, t,
} from "./core.js";
import { amount } from "./fields.js";
import { openForm } from "./form.js";
import { deleteButton, drawList, getAll } from "./list.js";
import { bulkDelete, download } from "./once.js";

/** A price that a price without its own takes, by name. */
const instead = { completion: "prompt", cached: "prompt", audio_prompt: "prompt",
  audio_completion: "completion" };

/** Names of a price's parts for people. */
const labels = () => ({ prompt: t("Prompt"), completion: t("Completion"), cached: t("Cached"),
  image: t("Image"), audio_prompt: t("Audio in"), audio_completion: t("Audio out") });

/** A part of a price as units and as money; also for `/users/self/prices`. */
export function priceCell(price, part, { currency, quota_per_unit }) {
  const value = price[part];
  if (value === null || value === undefined) {
    const other = labels()[instead[part]];
    return h("small", {}, other ? t("like {0}", other.toLowerCase()) : "–");
  }
  const worth = Number(value) / quota_per_unit;
  return [h("div", {}, part === "image" ? t("{0} each", money(worth, currency))
    : money(worth * 1e6, currency) + " / " + t("1M")), h("small", {}, t("{0} units", value))];
}

/** The columns of a list of prices; audio only where one of them has a price for it. */
export const priceColumns = (unit) => [
  { label: t("Model"), value: (price) => h("code", {}, price.model) },
  ...["prompt", "completion", "cached", "image"].map((part) => (
    { label: labels()[part], value: (price) => priceCell(price, part, unit), class: "end" })),
  { label: t("Audio"), class: "end", value: (price) =>
    price.audio_prompt ?? price.audio_completion ? ["audio_prompt", "audio_completion"].map(
      (part) => h("div", {}, priceCell(price, part, unit))) : h("small", {}, "–") },
];

/** Draws the page. */
export async function mount(root, { signal }) {
  const [options, models] = await Promise.all([
    get("/options", {}, { signal }), get("/models", {}, { signal }).catch(() => [])]);
  root.append(h("p", { id: "unpriced" }, withoutPrice(options), " ",
    h("a", { href: "#/settings" }, t("Change it in the settings"))));
  const unpriced = h("details", { hidden: true });
  root.append(unpriced);
  const showUnpriced = async () => {
    const names = await withoutOwn(models, signal);
    const add = (model) => action(model, async () => {
      if (await edit(options, models, null, { model }) !== undefined) await list.reload();
    }, { class: "quiet" });
    fill(unpriced, h("summary", {}, t("Models without a price: {0}", number(names.length))),
      names.map(add));
    unpriced.hidden = !names.length;
  };
  const list = drawList(root, {
    signal, path: "/prices", caption: t("Prices"), columns: priceColumns(options),
    create: [t("New price"), () => edit(options, models)],
    tools: [action(t("Import"), async () => {
      if (await openImport() !== undefined) await list.reload();
    }), action(t("Export"), async () => {
      const data = await api("GET", "/prices/export");
      download("prices.json", JSON.stringify(data, null, 1) + "\n", "application/json");
    })],
    bulk: [bulkDelete("/prices")],
    prepare: showUnpriced,
    actions: (price, reload) => [
      action(t("Edit"), async () => {
        if (await edit(options, models, price)) await reload();
      }, { class: "quiet" }),
      deleteButton(price.model, async () => {
        await api("DELETE", "/prices/" + price.id);
        await reload();
      }),
    ],
  });
  await list.ready;
}

/** What models without a price cost, in a sentence. */
const withoutPrice = ({ unpriced_models, unpriced_ratio, quota_per_unit, currency }) => ({
  free: () => t("Models without a price are free."),
  refuse: () => t("Models without a price are not served."),
  ratio: () => t("Models without a price cost {0} for a million tokens (ratio {1}).",
    money(Number(unpriced_ratio) * 1e6 / quota_per_unit, currency), unpriced_ratio),
})[unpriced_models]();

/** The served models that match no price; none where there are too many prices to tell. */
async function withoutOwn(models, signal) {
  const prices = models.length ? await getAll("/prices", {}, { signal }) : [];
  if (prices.length >= 1000) return [];
  const patterns = prices.map(({ model }) =>
    new RegExp("^" + model.replace(/[.+]/g, "\\$&").replaceAll("*", ".*") + "$"));
  return models.filter((model) => !patterns.some((pattern) => pattern.test(model)));
}

function edit(options, models, price, value = price) {
  const { currency, quota_per_unit } = options;
  const part = (name, more) => amount({ name, label: labels()[name], ...more },
    name === "image" ? { currency, factor: quota_per_unit, places: 6, per: t("image") }
      : { currency, factor: quota_per_unit / 1e6, places: 6, per: t("1M") });
  const as = (name) => ({ help: t("Empty: like {0}.", labels()[name].toLowerCase()) });
  return openForm({
    title: price ? t("Edit {0}", price.model) : t("New price"), value: value ?? {},
    changesOnly: !!price,
    intro: h("p.faint", {},
      t("Units for one token, or money for a million: each gives the other.")),
    fields: [
      { name: "model", label: t("Model"), required: true, maxlength: 128, options: models,
        help: t("A public name, or a pattern: * stands for any text.") },
      part("prompt", { required: true }), part("completion", as("prompt")),
      part("cached", as("prompt")), part("image", { help: t("Empty: nothing.") }),
      part("audio_prompt", as("prompt")), part("audio_completion", as("completion")),
    ],
    save: (values) => price ? api("PUT", "/prices/" + price.id, values)
      : api("POST", "/prices", values),
  });
}

// Import

/** A text area that a file can be put into. */
const fileType = (value, changed, attributes) => {
  const area = h("textarea", { ...attributes, spellcheck: "false", value: value ?? "" });
  const file = h("input", { type: "file", accept: ".json,.txt,application/json",
    "aria-label": t("Take it from a file"), async onchange() {
      if (!this.files[0]) return;
      area.value = await this.files[0].text();
      area.dispatchEvent(new Event("input", { bubbles: true }));
    } });
  return { element: h("div", {}, file, area), read: () => area.value };
};

/** A JSON object of a text; null for an empty one. Fails with a sentence. */
function objectOf(text) {
  if (!text.trim()) return null;
  let value = null;
  try { value = JSON.parse(text); } catch { /* Said below. */ }
  if (typeof value === "string") return objectOf(value);
  if (!value || typeof value !== "object") throw new Error(t("This is no JSON object."));
  return value;
}

/** What was pasted as the body of an import: an export of here, or One API's options. */
function importOf(text, completionText) {
  const value = objectOf(text);
  const list = Array.isArray(value) ? value : value.prices;
  if (list) return { prices: list };
  const part = (name) => typeof value[name] === "string" ? objectOf(value[name]) : value[name];
  const ratios = value.model_ratio ?? part("ModelRatio") ?? value;
  const completions = objectOf(completionText ?? "") ?? value.completion_ratio ??
    part("CompletionRatio");
  return { model_ratio: ratios, ...completions ? { completion_ratio: completions } : {} };
}

const openImport = () => openForm({
  title: t("Import prices"), submit: t("Import"),
  fields: [
    { name: "text", label: t("Export of here, or One API's ModelRatio"), type: fileType,
      required: true, rows: 6, check: (text) => { objectOf(text); },
      placeholder: "{\"prices\": …}\n{\"gpt-4o\": 1.25, …}" },
    { name: "completion", label: t("One API's CompletionRatio"), type: fileType, rows: 3,
      check: (text) => { objectOf(text); }, placeholder: "{\"gpt-4o\": 4, …}",
      help: t("Only with ModelRatio. Empty: completions cost as much as prompts.") },
    { name: "replace", label: t("Delete all prices that are not in the import"),
      type: "checkbox" },
  ],
  save: async ({ text, completion, replace }) => {
    const body = importOf(text, completion);
    if (replace && !await ask(t("Replace all prices?"), t("Replace"))) {
      throw new Error(t("Nothing was imported."));
    }
    const result = await api("POST", "/prices/import", { ...body, replace });
    notice(counted("{0} prices imported, {1} in all.", number(result.imported),
      number(result.total)));
    if (result.skipped.length) showSkipped(result.skipped);
    return result;
  },
});

function showSkipped(names) {
  const dialog = openDialog(t("Entries left out: {0}", number(names.length)),
    h("p", {}, t("They mean nothing here, or are no ratio.")),
    h("pre", { tabindex: 0, id: "skipped", "aria-label": t("Left out") }, names.join("\n")),
    h("div.actions", {}, h("button.primary", { type: "button", onclick: () => dialog.close() },
      t("Close"))));
}
