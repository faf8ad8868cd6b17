// SPDX-License-Identifier: MIT
// Which other models serve when a model cannot, and why a request goes where it goes.
import { action, api, during, fill, get, h, number, said, t, told } from "./core.js";
import { checkedModel } from "./channel-fields.js";
import { drawField, openForm } from "./form.js";
import { deleteButton, getAll, table } from "./list.js";

/** The public names that the channels and the types list, as proposals. */
export async function knownModels(signal) {
  const [channels, { items: types }] = await Promise.all([
    getAll("/channels", {}, { signal }), get("/channel-types", {}, { signal })]);
  const builtIn = new Map(types.map((type) => [type.slug, type.models]));
  return [...new Set(channels.flatMap(({ models, type, model_mapping: mapping }) =>
    [...models.length ? models : builtIn.get(type) ?? [], ...Object.keys(mapping)]))].sort();
}

/** Draws the model fallbacks. */
export async function mountFallbacks(root, signal, models) {
  const area = h("div", {});
  root.append(h("div.head", {}, h("h2", {}, t("Model fallbacks")),
    action(t("New rule"), () => edit(null), { id: "new-rule" })),
  h("p.faint", {}, t("Which other models serve when a model cannot.")), area);
  let rules;

  async function draw() {
    rules = await get("/model-fallbacks", {}, { signal });
    const items = [
      ...Object.entries(rules.fallbacks).map(([model, instead]) =>
        ({ kind: "fallbacks", model, instead })),
      ...Object.entries(rules.offline).map(([model, instead]) =>
        ({ kind: "offline", model, instead: [instead] })),
    ];
    fill(area, items.length > 0 && table(t("Model fallbacks"), [
      { label: t("Model"), value: (rule) => rule.model === "*" ? t("any other") : rule.model },
      { label: t("When"), value: (rule) => kinds()[rule.kind] },
      { label: t("Served by"), value: (rule) => rule.instead.join(" → ") },
      { label: "", class: "actions", value: (rule) => [
        action(t("Edit"), () => edit(rule), { class: "quiet" }),
        deleteButton(rule.model, () => put(rule, null))] },
    ], items));
  }

  /** Replaces a rule by another; both are one answer of the API. */
  async function put(before, now) {
    const next = { fallbacks: { ...rules.fallbacks }, offline: { ...rules.offline } };
    if (before) delete next[before.kind][before.model];
    if (now) next[now.kind][now.model] = now.kind === "offline" ? now.instead[0] : now.instead;
    await api("PUT", "/model-fallbacks", next);
    await draw();
    return now;
  }

  const edit = (rule) => openForm({
    title: rule ? t("Edit {0}", rule.model) : t("New rule"),
    value: rule ?? { kind: "fallbacks" },
    fields: [
      { name: "model", label: t("Model"), required: true, options: models, maxlength: 128,
        check: (model) => { if (model && model !== "*") checkedModel(model); },
        help: t("While the internet is gone, * stands for any other model.") },
      { name: "kind", label: t("When"), type: "select", options: Object.entries(kinds()) },
      { name: "instead", label: t("Served by"), type: "lines", required: true,
        check: (names) => { names.forEach(checkedModel); },
        help: t("One a line, tried in this order; just one while the internet is gone.") },
    ],
    save: (now) => {
      if (now.kind === "offline" && now.instead.length > 1) {
        throw new Error("instead " + t("must be one model while the internet is gone."));
      }
      return put(rule, now);
    },
  });
  await draw();
}

const kinds = () => ({
  fallbacks: t("all its channels have failed, or the prompt is too long"),
  offline: t("the internet is gone"),
});

/** Draws the tool that tells by what a request would be served. */
export async function mountExplain(root, signal, models) {
  const tokens = await getAll("/tokens", {}, { signal });
  const token = drawField({ name: "token_id", label: t("Token"), type: "select",
    options: tokens.map(({ id, name }) => [String(id), name]) });
  const model = drawField({ name: "model", label: t("Model"), options: models, required: true,
    maxlength: 128 });
  const area = h("div", { role: "status" });
  const button = h("button", { type: "submit" }, t("Explain"));
  root.append(h("h2", {}, t("Why would a request be served, or not?")), tokens.length
    ? h("form.bar.together", { id: "explain", onsubmit(event) {
      event.preventDefault();
      during(button, async () => fill(area, answer(await get("/explain",
        { token_id: token.read(), model: model.read() }, { signal }))));
    } }, token.element, model.element, button)
    : h("p.faint", {}, t("This needs a token: make one first.")), area);
}

function answer(data) {
  const channels = [...data.channels].sort((a, b) =>
    (a.order ?? Infinity) - (b.order ?? Infinity) || a.channel_id - b.channel_id);
  const first = channels[0]?.order === 1 && channels[0];
  const served = first && data.answer.startsWith("The request goes")
    ? first.serves_model === data.model ? t("The request goes to {0}.", first.name)
      : t("The request goes to {0}, which serves {1} instead.", first.name, first.serves_model)
    : said(data.answer);
  return [h("p", {}, h("strong", {}, served)), channels.length > 0 && table(t("Channels"), [
    { label: t("Order"), class: "end", value: (each) => number(each.order) },
    { label: t("Channel"), value: (each) => each.name },
    { label: t("Channel group"), value: (each) => each.is_fallback
      ? t("fallback channel") : each.group ?? "–" },
    { label: t("Upstream's name"), value: (each) => each.upstream_model },
    { label: t("Reason"), value: (each) => h("span" + (each.eligible ? "" : ".faint"), {},
      told(each.detail)) },
  ], channels)];
}
