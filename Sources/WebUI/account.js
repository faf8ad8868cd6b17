// SPDX-License-Identifier: MIT
// The own account: quota, password, codes, tokens for scripts, prices.
import { api, counted, during, fill, get, h, money, notice, number, t } from "./core.js";
import { changePassword } from "./app.js";
import { date, expiry, statusBadge } from "./fields.js";
import { drawField, isComplete, openForm, showAtField } from "./form.js";
import { deleteButton, drawList } from "./list.js";
import { showOnce } from "./once.js";
import { priceColumns } from "./prices.js";

/** Draws the page. */
export async function mount(root, { signal, may }) {
  const cards = h("div.cards", {});
  const self = await get("/users/self", {}, { signal });
  drawCards(cards, self);
  const again = async () => drawCards(cards, await get("/users/self", {}, { signal }));
  root.append(cards, h("div.cards", {},
    !may("admin") && h("section.card", {}, h("h2", {}, t("Top up by code")), redeem(self, again)),
    h("section.card", {}, h("h2", {}, t("Change password")), password(self))));
  const tokens = part(root, t("Management tokens"),
    t("With them scripts make calls of the management API in your name. Models need a token."));
  const prices = part(root, t("My prices"));
  await Promise.all([drawTokens(tokens, signal), drawPrices(prices, self, signal)]);
}

function part(root, title, about) {
  const section = h("section", {}, h("h2", {}, title), about && h("p.faint", {}, about));
  root.append(section);
  return section;
}

function drawCards(cards, self) {
  const { currency, quota_per_unit, quota, used_quota } = self;
  const cost = (units) => money(units / quota_per_unit, currency);
  const card = (title, text, ...more) =>
    h("div.card", {}, h("span.faint", {}, title), h("strong", {}, text), more);
  const left = Math.max(0, quota - used_quota);
  fill(cards,
    card(t("User name"), self.username, h("small", {}, t("since {0}", date(self.created_at)))),
    card(t("Role"), { user: t("User"), admin: t("Administrator"), root: t("Root") }[self.role],
      h("small", {}, t("User group {0}", self.group), " "), statusBadge(self.status)),
    card(t("Left"), quota === null ? t("no limit") : cost(left),
      quota !== null && [h("small", {}, counted("{0} of {1} units", number(left), number(quota))),
        quota > 0 && h("meter", { max: quota, value: left, low: quota * 0.1, optimum: quota,
          "aria-label": t("Left") })]),
    card(t("Used"), money(self.used_cost, currency),
      h("small", {}, counted("{0} units", number(used_quota)))));
}

/** A form that stands in the page; `work` gets the values and empties it when it has succeeded. */
function inlineForm(label, fields, work, hidden) {
  const drawn = fields.map((field) => drawField(field, ""));
  const button = h("button.primary", { type: "submit" }, label);
  const form = h("form", { novalidate: true, onsubmit(event) {
    event.preventDefault();
    if (!isComplete(drawn)) return;
    during(button, async () => {
      try {
        await work(Object.fromEntries(drawn.map((each) => [each.field.name, each.read()])));
        form.reset();
      } catch (error) {
        if (!showAtField(error, drawn)) throw error;
      }
    });
  } }, hidden, drawn.map((each) => each.element), button);
  return form;
}

function redeem(self, again) {
  if (self.quota === null) {
    return h("p", {}, t("Your quota has no limit: there is nothing to top up."));
  }
  return inlineForm(t("Top up"), [{ name: "code", label: t("Redemption code"), required: true,
    minlength: 8, maxlength: 64, autocomplete: "off", placeholder: "tgc-…" }], async ({ code }) => {
    const { quota_added } = await api("POST", "/users/self/redeem", { code: code.trim() });
    notice(t("{0} were added.", money(quota_added / self.quota_per_unit, self.currency)));
    await again();
  });
}

const password = (self) => inlineForm(t("Change password"), [
  { name: "old_password", label: t("Present password"), type: "password", required: true,
    autocomplete: "current-password" },
  { name: "new_password", label: t("New password"), type: "password", required: true, minlength: 8,
    maxlength: 128, autocomplete: "new-password", help: t("It ends your other logins.") },
  { name: "again", label: t("New password again"), type: "password", required: true,
    autocomplete: "new-password" },
], async ({ again, ...values }) => {
  await changePassword(values, again);
  notice(t("The password is changed."));
}, h("input", { type: "text", hidden: true, autocomplete: "username", value: self.username }));

function drawTokens(section, signal) {
  const create = async () => {
    const token = await openForm({
      title: t("New management token"), submit: t("Create"), value: { read_only: false },
      fields: [
        { name: "name", label: t("Name"), required: true, maxlength: 128,
          placeholder: t("Which script it is for") },
        { name: "expires_at", label: t("Expires"), type: "time", shortcuts: expiry(),
          help: t("Empty: never.") },
        { name: "read_only", label: t("May only read"), type: "checkbox" },
      ],
      save: (values) => api("POST", "/auth/tokens", values),
    });
    if (token) {
      await showOnce(t("Management token {0}", token.name),
        t("Copy it now: it is kept here as a hash only and never shown again."), token.token, {
          more: h("pre", { tabindex: 0, "aria-label": "curl" },
            `curl ${location.origin}/api/v1/users/self -H 'Authorization: Bearer ${token.token}'`),
        });
    }
    return token;
  };
  return drawList(section, {
    signal, path: "/auth/tokens", caption: t("Management tokens"),
    create: [t("New management token"), create],
    columns: [
      { label: t("Name"), value: (token) =>
        [h("div", {}, token.name), h("small.code", {}, token.token_hint)] },
      { label: t("Rights"), value: (token) => token.read_only ? t("read") : t("read and change") },
      { label: t("Expires"), value: (token) =>
        token.expires_at === null ? t("never") : date(token.expires_at) },
      { label: t("Created"), value: (token) => date(token.created_at) },
    ],
    actions: (token, reload) => deleteButton(token.name, async () => {
      await api("DELETE", "/auth/tokens/" + token.id);
      await reload();
    }),
  }).ready;
}

const drawPrices = (section, self, signal) => drawList(section, {
  signal, path: "/users/self/prices", caption: t("My prices"), columns: priceColumns(self),
  pageSize: 20, empty: t("No model has a price of its own."),
  before: ({ group, ratio }) => h("p", {}, Number(ratio) === 1
    ? t("Your user group {0} pays these prices.", group)
    : t("Your user group {0} pays these prices times {1}.", group, ratio)),
}).ready;
