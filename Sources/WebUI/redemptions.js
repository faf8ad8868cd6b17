// SPDX-License-Identifier: MIT
// Codes that add quota to the account of whoever presents them first.
import { action, api, counted, get, h, money, number, t } from "./core.js";
import { badge, date, expiry, quotaField } from "./fields.js";
import { openForm } from "./form.js";
import { deleteButton, drawList, getAll } from "./list.js";
import { bulkDelete, showOnce, switchButton } from "./once.js";

const statuses = () => ({ unused: [t("unused"), "good"], used: [t("used"), "faint"],
  expired: [t("expired"), "warn"], disabled: [t("disabled"), "bad"] });

/** Draws the page. */
export async function mount(root, { signal }) {
  const options = await get("/options", {}, { signal });
  const names = new Map();
  const list = drawList(root, {
    signal, path: "/redemptions", caption: t("Redemption codes"),
    // Who used codes; an account that is gone keeps its number.
    async prepare(items) {
      if (items.every(({ used_by }) => used_by === null || names.has(used_by))) return;
      for (const user of await getAll("/users", {}, { signal })) names.set(user.id, user.username);
      for (const { used_by } of items) if (!names.has(used_by)) names.set(used_by, "#" + used_by);
    },
    create: [t("New codes"), () => create(options)],
    filters: [
      { name: "name", label: t("Name"), maxlength: 64 },
      { name: "status", label: t("Status"), type: "select", options: [["", t("all")],
        ...Object.entries(statuses()).map(([name, [text]]) => [name, text])] },
    ],
    columns: [
      { label: t("Name"), value: (code) =>
        [h("div", {}, code.name), h("small.code", {}, code.code_hint)] },
      { label: t("Quota"), class: "end", value: (code) => [
        h("div", {}, money(code.quota / options.quota_per_unit, options.currency)),
        h("small", {}, counted("{0} units", number(code.quota)))] },
      { label: t("Expires"), value: (code) =>
        code.expires_at === null ? t("never") : date(code.expires_at) },
      { label: t("Used by"), value: (code) => code.used_by === null ? "–"
        : [h("div", {}, names.get(code.used_by)), h("small", {}, date(code.used_at))] },
      { label: t("Created"), value: (code) => date(code.created_at) },
      { label: t("Status"), value: (code) => badge(...statuses()[code.status]) },
    ],
    bulk: [[t("Disable"), async (items) => {
      for (const code of items.filter((each) => each.status === "unused")) {
        await api("PUT", "/redemptions/" + code.id, { status: "disabled" });
      }
    }], bulkDelete("/redemptions")],
    actions: (code, reload) => [
      code.status !== "used" && [action(t("Edit"), async () => {
        if (await edit(code)) await reload();
      }, { class: "quiet" }), switchButton("/redemptions", code, reload, "unused")],
      deleteButton(code.name, async () => {
        await api("DELETE", "/redemptions/" + code.id);
        await reload();
      }),
    ].flat().filter(Boolean),
  });
  await list.ready;
}

const commonFields = () => [
  { name: "name", label: t("Name"), required: true, maxlength: 64,
    placeholder: t("What the codes are for") },
  { name: "expires_at", label: t("Expires"), type: "time", shortcuts: expiry(),
    help: t("Empty: never.") },
];

async function create(options) {
  const [name, expires] = commonFields();
  const made = await openForm({
    title: t("New codes"), submit: t("Create"), value: { count: 1 },
    fields: [name,
      quotaField({ name: "quota", label: t("Units of each code"), required: true, min: 1 },
        options),
      { name: "count", label: t("How many"), type: "number", required: true, min: 1, max: 100 },
      expires],
    save: async (values) => ({ ...await api("POST", "/redemptions", values), name: values.name }),
  });
  if (made) {
    await showOnce(counted("{0} codes", number(made.codes.length)),
      t("Copy them now: they are kept here as hashes only and never shown again."),
      made.codes.join("\n"), { file: made.name.replace(/[^\p{L}\p{N}.-]+/gu, "-") + ".txt" });
  }
  return made;
}

const edit = (code) => openForm({
  title: t("Edit {0}", code.name), value: code, changesOnly: true, fields: commonFields(),
  save: (values) => api("PUT", "/redemptions/" + code.id, values),
});
