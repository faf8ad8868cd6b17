// SPDX-License-Identifier: MIT
// The channels: how each of them does, what can be done to one or to many.
import {
  action, api, duration, every, fill, get, h, money, number, percent, t, told,
} from "./core.js";
import { editChannel } from "./channel-form.js";
import { openTest, setWeight, testInTurn } from "./channel-work.js";
import { matches } from "./combo.js";
import { badge } from "./fields.js";
import { deleteButton, drawList, editedNumber, getAll } from "./list.js";
import { bulkDelete, bulkStatus } from "./once.js";

// The types whose vendors tell a balance; see docs/API.md.
const telling = ["deepseek", "moonshot"];

/** Draws the page. */
export async function mount(root, { signal, query }) {
  const { items: types } = await get("/channel-types", {}, { signal });
  const typeOf = new Map(types.map((type) => [type.slug, type]));
  const page = { signal, types, typeOf, cells: new Map(), figures: new Map() };
  const edit = async (channel, isCopy) => editChannel({ channel, isCopy, types,
    groups: (await getAll("/channel-groups")).map((group) => group.name) });
  page.edit = edit;
  page.list = drawList(root, {
    signal, caption: t("Channels"), load: (wanted, options) => load(wanted, options, page),
    values: { search: query.get("search") ?? "", status: query.get("status") ?? "" },
    filters: [
      { name: "search", label: t("Search"), autocomplete: "off" },
      { name: "type", label: t("Type"), type: "select",
        options: [["", t("All")], ...types.map((type) => [type.slug, type.name])] },
      { name: "status", label: t("State"), type: "select",
        options: [["", t("All")], ...Object.entries(states()).map(([key, [label]]) =>
          [key, label])] },
    ],
    create: [t("New channel"), () => edit()],
    empty: t("No channel yet, or none that fits the filters."),
    columns: columns(page), actions: (channel, reload) => buttons(channel, reload, page),
    bulk: bulk(),
  });
  await page.list.ready;
  every(10000, () => refresh(page), signal);
}

const states = () => ({
  enabled: [t("Enabled"), "good"],
  disabled: [t("Disabled"), "faint"],
  auto_disabled: [t("Off after failures"), "bad"],
});

/** One page of the channels that fit the filters; the API has none of its own. */
async function load({ search, type, status, page, page_size }, options, { typeOf }) {
  const all = (await getAll("/channels", {}, options)).filter((channel) =>
    (!type || channel.type === type) && (!status || channel.status === status) &&
    matches(search, [channel.name, typeOf.get(channel.type)?.name, channel.type, channel.base_url,
      ...channel.models, ...channel.groups].join(" ")));
  return { items: all.slice((page - 1) * page_size, page * page_size), total: all.length, page,
    page_size };
}

function columns(page) {
  const cell = (name) => (channel) => {
    const element = h("span", {});
    page.cells.set(channel.id, { ...page.cells.get(channel.id), [name]: element });
    return element;
  };
  const edited = (name, limits) => (channel) => editedNumber(
    name === "weight" ? t("Weight of {0}", channel.name) : t("Priority of {0}", channel.name),
    channel[name], limits, async (value) => Object.assign(channel,
      await api("PUT", "/channels/" + channel.id, { [name]: value })));
  return [
    { label: t("Name"), value: (channel) => h("span", {}, channel.name, " ",
      h("small.reason", {}, page.typeOf.get(channel.type)?.name ?? channel.type)) },
    { label: t("State"), value: cell("state") },
    { label: t("Success, 1 h"), value: cell("health") },
    { label: t("Latency, 1 h"), value: cell("latency") },
    { label: t("Weight"), value: edited("weight", { min: 0, max: 1000 }) },
    { label: t("Priority"), value: edited("priority", { min: -1000000, max: 1000000 }) },
  ];
}

/** Says in a row what may change while it is looked at. */
function drawCells(channel, page) {
  const cells = page.cells.get(channel.id);
  const figures = page.figures.get(channel.id);
  const now = JSON.stringify([channel.status, channel.status_reason, figures]);
  if (cells.drawn === now) return;
  cells.drawn = now;
  const [label, kind] = states()[channel.status];
  fill(cells.state, badge(label, kind),
    channel.status_reason && h("small", {}, " ", told(channel.status_reason)));
  cells.change.textContent = channel.status === "enabled" ? t("Disable") : t("Enable");
  const rate = figures?.success_rate;
  fill(cells.health, rate === null || rate === undefined ? h("span.faint", {}, t("no requests"))
    : [h("strong." + (rate >= 0.99 ? "good" : rate >= 0.9 ? "warn" : "bad"), {}, percent(rate)),
      h("small", {}, " ", t("of {0}", number(figures.requests))),
      rate < 1 && figures.last_error && h("small.reason", {}, told(figures.last_error))]);
  fill(cells.latency, figures?.successes > 0
    ? [duration(figures.latency_ms_mean), h("small.reason", {},
      t("p95 {0}", duration(figures.latency_ms_p95)))] : "–");
}

/** Reads the figures of the last hour, and the channels whose state has changed. */
async function refresh(page) {
  const figures = await getAll("/channels/stats", { window: "1h" }, { signal: page.signal });
  for (const each of figures) page.figures.set(each.channel_id, each);
  for (const channel of page.list.items) {
    const status = page.figures.get(channel.id)?.status;
    if (status && status !== channel.status) {
      Object.assign(channel, await get("/channels/" + channel.id, {}, { signal: page.signal }));
    }
    drawCells(channel, page);
  }
}

function buttons(channel, reload, page) {
  const button = (label, work) => action(label, work, { class: "quiet" });
  const edit = (isCopy) => async () => {
    const now = await get("/channels/" + channel.id);
    if (await page.edit(now, isCopy) !== undefined) await reload();
  };
  const change = button("", async () => {
    const status = channel.status === "enabled" ? "disabled" : "enabled";
    Object.assign(channel, await api("PUT", "/channels/" + channel.id, { status }));
    drawCells(channel, page);
  });
  page.cells.set(channel.id, { ...page.cells.get(channel.id), change });
  drawCells(channel, page);
  return [
    button(t("Test"), () => openTest(channel, page.typeOf.get(channel.type))),
    button(t("Edit"), edit(false)), change, button(t("Copy"), edit(true)),
    telling.includes(channel.type) && button(t("Balance"), async (self) => {
      const { amount, currency } = await get(`/channels/${channel.id}/balance`);
      self.textContent = t("Balance: {0}", money(amount, currency));
    }),
    deleteButton(channel.name, async () => {
      await api("DELETE", "/channels/" + channel.id);
      await reload();
    }),
  ];
}

const bulk = () => [
  bulkStatus("/channels", t("Enable"), "enabled"),
  bulkStatus("/channels", t("Disable"), "disabled"),
  [t("Test"), testInTurn], [t("Set weight"), setWeight], bulkDelete("/channels"),
];
