// SPDX-License-Identifier: MIT
// Keys for clients: who may use what, until when and how much.
import { action, api, ApiError, counted, get, h, number, openDialog, t } from "./core.js";
import {
  badge, checkAddress, choice, date, expiry, quotaField, statusBadge, usage,
} from "./fields.js";
import { openForm } from "./form.js";
import { deleteButton, drawList, getAll } from "./list.js";
import { bulkDelete, bulkStatus, showOnce, switchButton } from "./once.js";
import { snippets } from "./snippets.js";

/** The models that are served now; none where that cannot be told. */
const served = (channel_group) => get("/models", { channel_group }).catch((error) => {
  if (error instanceof ApiError) return [];
  throw error;
});

/** Draws the page. */
export async function mount(root, { signal, query, may }) {
  const isAdmin = may("admin");
  const [self, models, all, users] = await Promise.all([
    get("/users/self", {}, { signal }), served(),
    isAdmin ? getAll("/channel-groups", {}, { signal }) : [],
    isAdmin ? getAll("/users", {}, { signal }) : []]);
  const groups = isAdmin ? all.map(({ name }) => name) : self.channel_groups;
  const page = { self, models, groups, users, isAdmin, may };
  const owner = (id) => id === self.id ? self.username
    : users.find((user) => user.id === id)?.username ?? "#" + id;

  const list = drawList(root, {
    signal, path: "/tokens", caption: t("Tokens"), values: Object.fromEntries(query),
    create: [t("New token"), () => create(page)],
    filters: [
      { name: "name", label: t("Name"), maxlength: 64 },
      isAdmin && { name: "user_id", label: t("Owner"), type: "select", options: [
        ["", t("all")], [String(self.id), t("{0} (me)", self.username)],
        ...users.filter((user) => user.id !== self.id)
          .map((user) => [String(user.id), user.username])] },
      { name: "status", label: t("Status"), type: "select", options: [
        ["", t("all")], ["enabled", t("enabled")], ["disabled", t("disabled")]] },
    ].filter(Boolean),
    empty: t("No tokens. A token is a key with which a program uses the models here."),
    columns: [
      { label: t("Name"), value: (token) =>
        [h("div", {}, token.name), h("small.code", {}, token.key_hint)] },
      isAdmin && { label: t("Owner"), value: (token) => owner(token.user_id) },
      { label: t("Used"), value: (token) => [usage(token, self), period(token)] },
      { label: t("Limits"), value: limits },
      { label: t("Expires"), value: (token) => [
        h("div", {}, token.expires_at === null ? t("never") : date(token.expires_at)),
        h("small", {}, token.accessed_at === null ? t("never used")
          : t("last used {0}", date(token.accessed_at)))] },
      { label: t("Status"), value: state },
    ].filter(Boolean),
    bulk: [bulkStatus("/tokens", t("Enable"), "enabled"),
      bulkStatus("/tokens", t("Disable"), "disabled"), bulkDelete("/tokens")],
    actions: (token, reload) => [
      action(t("Edit"), async () => { if (await edit(page, token)) await reload(); },
        { class: "quiet" }),
      action(t("Connect"), () => connect(page, token), { class: "quiet" }),
      action(t("Duplicate"), async () => {
        const { name, ...others } = token;
        if (await create(page, { ...others, name: t("{0} (copy)", name) })) await reload();
      }, { class: "quiet" }),
      switchButton("/tokens", token, reload),
      deleteButton(token.name, async () => {
        await api("DELETE", "/tokens/" + token.id);
        await reload();
      }),
    ],
  });
  await list.ready;
}

function state(token) {
  if (token.status !== "enabled") return statusBadge(token.status);
  if (token.expires_at !== null && token.expires_at * 1000 < Date.now()) {
    return badge(t("expired"), "bad");
  }
  return token.quota !== null && token.used_quota >= token.quota
    ? badge(t("used up"), "warn") : statusBadge("enabled");
}

/** When the quota begins anew. */
const period = (token) => token.quota_period !== "none" && h("small", {},
  token.quota_resets_at === null
    ? { daily: t("each day"), monthly: t("each month") }[token.quota_period]
    : t("from 0 again {0}", date(token.quota_resets_at)));

function limits(token) {
  const some = (list, all) => list.length > 2
    ? t("{0} and {1} more", list.slice(0, 2).join(", "), number(list.length - 2)) : all;
  const lines = [
    token.models.length && some(token.models, token.models.join(", ")),
    token.allowed_ips.length && some(token.allowed_ips, token.allowed_ips.join(", ")),
    token.channel_group !== null && t("Channel group {0}", token.channel_group),
    token.rpm !== null && counted("{0} requests a minute", number(token.rpm)),
    token.tpm !== null && counted("{0} tokens a minute", number(token.tpm)),
  ].filter(Boolean);
  return lines.length ? lines.map((line) => h("div", {}, line)) : t("none");
}

// Making and changing

/** The fields of a token; `owners` are those for whom one may be made. */
function fields({ self, models, groups }, owners) {
  const modelChoice = choice({ label: t("Models"), names: models, byHand: true,
    unknown: t("not served now") });
  return [
    { name: "name", label: t("Name"), required: true, maxlength: 128,
      placeholder: t("What the token is for") },
    owners && { name: "user_id", label: t("Owner"), type: "select", options: owners },
    { name: "models", label: t("Models"), type: modelChoice,
      help: t("None chosen: all, also those to come.") },
    { name: "expires_at", label: t("Expires"), type: "time", shortcuts: expiry(),
      help: t("Empty: never.") },
    quotaField({ name: "quota", label: t("Quota in units"), help: t("Empty: no limit.") }, self),
    { name: "quota_period", label: t("The quota is for"), type: "select", options: [
      ["none", t("ever")], ["daily", t("each day")], ["monthly", t("each month")]] },
    { name: "allowed_ips", label: t("Addresses"), type: "lines", each: checkAddress, rows: 3,
      placeholder: "192.168.1.0/24\n2001:db8::/32",
      help: t("Clients that may use it: addresses and CIDR blocks, one a line. Empty: all.") },
    { name: "channel_group", label: t("Channel group"),
      type: (value, _, attributes) => {
        const offer = async (group) => modelChoice.offer(await served(group));
        if (value) offer(value);
        const element = h("select", { ...attributes, onchange() { offer(this.value); } },
          h("option", { value: "" }, t("as the user group says")),
          // One that was taken from the user since stays until another is chosen.
          [...new Set([...groups, ...value ? [value] : []])].map((name) =>
            h("option", { value: name, selected: name === value }, name)));
        return { element, read: () => element.value || null };
      } },
    { name: "rpm", label: t("Requests a minute"), type: "number", min: 1, max: 1e6, class: "half",
      help: t("Empty: no limit.") },
    { name: "tpm", label: t("Tokens a minute"), type: "number", min: 1, max: 1e9, class: "half",
      help: t("Empty: no limit.") },
  ].filter(Boolean);
}

/** Asks for a new token, and shows its key; `value` is what the form begins with. */
async function create(page, value = { quota_period: "none" }) {
  const { self, users, isAdmin, may } = page;
  const owners = isAdmin && [[String(self.id), t("{0} (me)", self.username)],
    ...users.filter((user) => user.id !== self.id && (may("root") || user.role === "user"))
      .map((user) => [String(user.id), user.username])];
  const token = await openForm({
    title: t("New token"), fields: fields(page, owners), submit: t("Create"),
    value: { ...value, user_id: String(value.user_id ?? self.id) },
    save: ({ user_id, ...values }) =>
      api("POST", "/tokens", isAdmin ? { user_id: Number(user_id), ...values } : values),
  });
  if (token) {
    await showOnce(t("Key of {0}", token.name),
      t("Copy it now: it is kept here as a hash only and never shown again."), token.key,
      { more: snippets(token.key, modelOf(page, token)) });
  }
  return token;
}

const edit = (page, token) => openForm({
  title: t("Edit {0}", token.name), value: token, changesOnly: true, fields: fields(page),
  save: (values) => api("PUT", "/tokens/" + token.id, values),
});

const modelOf = ({ models }, token) => token.models[0] ?? models[0] ?? "gpt-4o";

/** How programs use a token whose key is known to its owner only. */
function connect(page, token) {
  const dialog = openDialog(t("Connect programs with {0}", token.name),
    h("p", {}, t("The key is not kept here. Put yours in place of {0}.", token.key_hint)),
    snippets(token.key_hint, modelOf(page, token)),
    h("div.actions", {}, h("button", { type: "button", onclick: () => dialog.close() },
      t("Close"))));
}
