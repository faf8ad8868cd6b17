// SPDX-License-Identifier: MIT
// What was asked of the gateway, and, for administrators, who changed what.
import {
  action, api, bytes, counted, duration, fetchFrom, h, money, notice, number, openDialog,
  queryText, short, t, time,
} from "./core.js";
import { getAll } from "./list.js";
import { drawFeed, pickField, rangeField } from "./feed.js";
import { copyButton, save } from "./files.js";
import { openForm } from "./form.js";

/** Draws the page. */
export async function mount(root, page) {
  const isAdmin = page.may("admin");
  const tab = isAdmin ? page.query.get("tab") : null;
  const values = Object.fromEntries(page.query);
  if (isAdmin) {
    root.append(h("nav.tabs", { "aria-label": t("Kinds of logs") },
      [["", t("Request log")], ["audit", t("Audit")]].map(([name, title]) => h("a", {
        href: "#/logs" + (name && "?tab=" + name), "aria-current": name === (tab ?? "") && "page",
      }, title))));
  }
  if (tab === "audit") return (await import("./audit.js")).drawAudit(root, page, values);
  const feed = drawFeed(root, {
    signal: page.signal, path: "/logs", caption: t("Request log"), columns: columns(isAdmin),
    fields: fields(isAdmin), values, address: "#/logs", isLive: true, open: showDetails,
    tools: [
      action(t("Download as CSV"), (button) => downloadCSV(feed.query(), button, page)),
      isAdmin && action(t("Delete old rows"), async () => {
        if (await deleteOld()) await feed.reload();
      }, { class: "quiet danger" }),
    ],
  });
  await feed.ready;
}

const statuses = [200, 400, 401, 402, 403, 404, 408, 413, 415, 422, 429, 499, 500, 501, 502, 503,
  504, 529];

const fields = (isAdmin) => [
  rangeField(),
  isAdmin && pickField("user_id", t("User"), "/users"),
  pickField("token_id", t("Token"), "/tokens"),
  isAdmin && pickField("channel_id", t("Channel"), "/channels"),
  pickField("model", t("Model"), "/models", { isText: true }),
  { name: "status", label: t("Status"), type: "select", options: [["", t("all")],
    ["ok", t("successful")], ["failed", t("failed")], ...statuses.map(String)] },
  { name: "stream", label: t("Streamed"), type: "select", options: [["", t("all")],
    ["true", t("yes")], ["false", t("no")]] },
  { name: "request_id", label: t("Request ID"), maxlength: 16,
    check: (text) => text && !/^[0-9a-fA-F]{16}$/.test(text) && t("16 digits of 0-9 and a-f.") },
].filter(Boolean);

const nameOf = (name, id) => name ?? (id ? t("deleted, number {0}", id) : null);
const outcome = ({ status, client_gone: isGone, error_kind: kind }) =>
  h(`span.badge.${isGone ? "warn" : status < 400 && !kind ? "good" : "bad"}`, {}, status);

const columns = (isAdmin) => [
  { label: t("Time"), value: (row) =>
    h("button.quiet.opener", { type: "button" }, time(row.time)) },
  isAdmin && { label: t("User"), value: (row) => nameOf(row.username, row.user_id) },
  { label: t("Token"), value: (row) => nameOf(row.token_name, row.token_id) },
  { label: t("Model"), value: (row) => row.model ?? t("unknown") },
  isAdmin && { label: t("Channel"), value: (row) => nameOf(row.channel_name, row.channel_id) },
  { label: t("Status"), value: (row) => [outcome(row),
    row.attempts > 1 && h("small", { title: t("Attempts") }, " ×" + number(row.attempts))] },
  { label: t("Tokens in + out"), class: "end", value: (row) =>
    `${short(row.prompt_tokens)}\u00a0+\u00a0${short(row.completion_tokens)}` },
  { label: t("Cost"), class: "end", value: (row) => money(row.cost, row.currency) },
  { label: t("Latency"), class: "end", value: (row) => duration(row.latency_ms) },
].filter(Boolean);

async function downloadCSV(query, button, { signal }) {
  const label = button.textContent;
  try {
    const response = await fetchFrom("GET", "/api/v1/logs" + queryText(
      { ...query, format: "csv" }), undefined, { signal });
    await save(response, "log.csv", (done) => {
      button.textContent = label + " " + bytes(done);
    });
  } finally {
    button.textContent = label;
  }
}

async function deleteOld() {
  const day = 86400;
  return openForm({
    title: t("Delete old rows"), submit: t("Delete"),
    intro: h("p", {}, t("They do not come back. Statistics and used quotas stay.")),
    fields: [{ name: "until", label: t("Rows from before"), type: "time", required: true,
      shortcuts: [7, 30, 90].map((days) => [t("{0} days ago", days), -days * day]) }],
    async save({ until }) {
      const { deleted } = await api("DELETE", "/logs?until=" + until);
      notice(t("Rows deleted: {0}", number(deleted)));
      return true;
    },
  });
}

// Details of a row

/** What went wrong, in words. */
const reason = (kind) => ({
  connect: t("No connection to the upstream came about."),
  tls: t("The upstream's certificate or encryption is not right."),
  timeout: t("The upstream took too long."),
  reset: t("The upstream broke the connection."),
  bad_answer: t("The upstream's answer could not be understood."),
  cut: t("The answer broke off."),
  rate_limited: t("The upstream refused: too many requests."),
  upstream_server: t("The upstream reported an error of its own."),
  refused_key: t("The upstream refused the channel's key."),
  refused_request: t("The upstream refused the request."),
  client_gone: t("The client left before the answer was complete."),
  gateway: t("The gateway refused it, no upstream was asked."),
})[kind] ?? kind;

function showDetails(row) {
  const charge = h("dd", {}, money(row.cost, row.currency), " ",
    h("small", {}, counted("{0} units",
      number(row.quota_micro / 1e6, { maximumFractionDigits: 6 }))));
  const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const dialog = openDialog(t("Request of {0}", time(row.time)), h("dl.sheet", {},
    fact(t("Status"), outcome(row), " ", row.client_gone && reason("client_gone"),
      row.error_kind && row.error_kind !== "client_gone" && reason(row.error_kind)),
    fact(t("Model"), row.model ?? t("unknown")),
    fact(t("User"), nameOf(row.username, row.user_id)),
    fact(t("Token"), nameOf(row.token_name, row.token_id)),
    row.channel_id && fact(t("Channel"), nameOf(row.channel_name, row.channel_id)),
    fact(t("Attempts"), number(row.attempts)),
    row.first_error_kind && fact(t("Failed at first"),
      [nameOf(row.first_channel_name, row.first_channel_id), reason(row.first_error_kind)]
        .filter(Boolean).join(": ")),
    fact(t("Latency"), duration(row.latency_ms)),
    row.first_byte_ms > 0 && fact(t("First byte after"), duration(row.first_byte_ms)),
    fact(t("Streamed"), row.stream ? t("yes") : t("no")),
    fact(t("Tokens in + out"), t("{0} in the prompt ({1} of them cached), {2} in the answer",
      number(row.prompt_tokens), number(row.cached_tokens), number(row.completion_tokens)),
    row.estimated && [" ", h("small", {}, t("estimated, the upstream told none"))]),
    h("div", {}, h("dt", {}, t("Charge")), charge),
    row.address && fact(t("Address"), row.address),
    fact(t("Request ID"), h("code", {}, row.request_id), " ", copyButton(row.request_id))),
  h("div.actions", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("Close"))));
  if (row.quota_micro > 0) {
    getAll("/users/self/prices").then((prices) => charge.append(
      h("small.lines", {}, explain(row, priceOf(row.model, prices)))), () => {});
  }
}

/** The price of a model: of its name, else of the pattern with most characters, the older first. */
export function priceOf(model, prices) {
  const fits = (pattern) => new RegExp("^" + pattern.split("*").map((part) =>
    part.replace(/[.+]/g, "\\$&")).join(".*") + "$").test(model ?? "");
  const length = (price) => price.model.replaceAll("*", "").length;
  return prices.find((price) => price.model === model) ??
    prices.filter((price) => price.model.includes("*") && fits(price.model))
      .reduce((best, price) => best && length(best) >= length(price) ? best : price, null);
}

/** How a charge came about, by the prices of now. */
function explain(row, price) {
  const { prompt, completion, cached } = price ?? { prompt: "1" };
  const parts = [
    [row.prompt_tokens - row.cached_tokens, prompt, t("prompt")],
    [row.cached_tokens, cached ?? prompt, t("cached")],
    [row.completion_tokens, completion ?? prompt, t("answer")],
  ].filter(([count]) => count > 0);
  const sum = parts.reduce((sum, [count, ratio]) => sum + count * ratio, 0);
  const exactly = (value) => number(value, { maximumFractionDigits: 6 });
  const times = row.quota_micro / 1e6 / sum;
  return [
    price ? t("By the price of {0}:", price.model) : t("The model has no price of its own:"), " ",
    parts.map(([count, ratio, name]) => `${number(count)} × ${exactly(ratio)} (${name})`)
      .join(" + "), ` = ${exactly(sum)}. `,
    sum > 0 && Math.abs(times - 1) > 1e-6 &&
      t("Charged was {0} times that: the user group's ratio, or prices have changed since.",
        exactly(times)),
  ].filter(Boolean).join("");
}
