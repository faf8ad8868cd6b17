// SPDX-License-Identifier: MIT
// The audit: who did what.
import { h, number, said, t, time } from "./core.js";
import { drawFeed, pickField, rangeField } from "./feed.js";

/** What was done, by the audit's names: those of settings end with what was done to them. */
const things = () => ({
  channel: t("Channel"), channel_group: t("Channel group"), token: t("Token"), user: t("User"),
  user_group: t("User group"), price: t("Price"), redemption: t("Redemption code"),
  management_token: t("Management token"), prices: t("Prices"), options: t("Settings"),
  config: "config.yaml", model_fallbacks: t("Fallback models"), logs: t("Logs"),
  password: t("Password"),
});
const deeds = () => ({
  create: t("created"), change: t("changed"), delete: t("deleted"), import: t("imported"),
});
const others = () => ({
  login: t("Login"), login_failed: t("Login failed"),
  login_disabled: t("Login to a disabled account"),
  login_first_password_remote: t("Login with the first password from elsewhere"),
  logout: t("Logout"), register: t("Registered"), password_change_failed:
    t("Password change failed"), redeem: t("Code redeemed"), redeem_failed:
    t("Code refused"), user_top_up: t("Quota topped up"), channel_test: t("Channel tested"),
  backup: t("Backup taken"), restore: t("Backup restored"), restore_failed: t("Restore failed"),
});

function inWords(action) {
  const known = others()[action];
  if (known) return known;
  const cut = action.lastIndexOf("_");
  const [thing, deed] = [things()[action.slice(0, cut)], deeds()[action.slice(cut + 1)]];
  return thing && deed ? t("{0}: {1}", thing, deed) : action;
}

const settings = ["channel", "channel_group", "token", "user", "user_group", "price", "redemption"];
const actions = () => [
  ...settings.flatMap((thing) => ["create", "change", "delete"].map((deed) => thing + "_" + deed)),
  "management_token_create", "management_token_delete", "prices_import", "options_change",
  "config_change", "model_fallbacks_change", "logs_delete", "password_change",
  ...Object.keys(others()),
];

/** Draws the audit. */
export const drawAudit = (root, { signal }, values) => drawFeed(root, {
  signal, path: "/audit", caption: t("Audit"), values, address: "#/logs",
  fixed: { tab: "audit" },
  fields: [
    rangeField(), pickField("user_id", t("User"), "/users"),
    { name: "action", label: t("Action"), type: "select",
      options: [["", t("all")], ...actions().map((each) => [each, inWords(each)])] },
  ],
  columns: [
    { label: t("Time"), value: (row) => time(row.time) },
    { label: t("User"), value: (row) => row.username },
    { label: t("Action"), value: (row) => [h("span", { title: row.action }, inWords(row.action)),
      row.times > 1 && [" ", h("small", {}, t("{0} times", number(row.times)))]] },
    { label: t("What"), value: (row) => said(row.target) },
    { label: t("Address"), value: (row) => row.address },
    { label: t("Request ID"), value: (row) => h("code", {}, row.request_id) },
  ],
}).ready;
