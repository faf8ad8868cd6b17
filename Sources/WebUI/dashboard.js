// SPDX-License-Identifier: MIT
// The first page: usage, the channels' figures, the state of the box, what to do at the start.
import { facts, warnings } from "./box.js";
import {
  ApiError, duration, every, fill, get, h, money, number, percent, problem, short, t,
} from "./core.js";
import { chart, dayTime, makeLegend } from "./chart.js";

const daySeconds = 86400;
const shownDays = 30;
const channelsAtOnce = 6; // As many as there are colours.

/** Draws the page. */
export async function mount(root, { signal, may }) {
  const page = {
    signal, isAdmin: may("admin"), notes: h("div"), start: h("div"),
    summary: null, channelCount: null, clockOffset: 0,
  };
  const first = [sumsPart(page), page.isAdmin && boxPart(page)].filter(Boolean);
  const second = [page.isAdmin && channelsPart(page), usagePart(page)].filter(Boolean);
  root.append(page.notes, page.start, first[0].element, ...second.map((each) => each.element));
  if (first[1]) root.append(first[1].element);
  // The charts need the box's time and day.
  await (page.known = Promise.all(first.map((each) => live(page, each))));
  await Promise.all(second.map((each) => live(page, each)));
}

/** Reads a part of the page again and again; a failure is said where the part stands. */
function live({ signal }, { element, interval, load }) {
  const trouble = h("div");
  element.after(trouble);
  return every(interval, async () => {
    try {
      await load();
      fill(trouble);
    } catch (error) {
      if (signal.aborted || error.status === 0) return; // The frame tells of a lost connection.
      if (!(error instanceof ApiError)) throw error;
      if (trouble.textContent !== error.message) fill(trouble, problem(error));
    }
  }, signal);
}

const drawn = new WeakMap();

/** Draws into an element, unless it shows the same value already. */
function show(element, value, draw) {
  const text = JSON.stringify(value);
  if (drawn.get(element) === text) return;
  drawn.set(element, text);
  fill(element, draw(value));
}

/** A select with a label, for what a part shows. */
function choice(label, options, onchange) {
  const select = h("select", { onchange: () => onchange(select.value) });
  const set = (options) => {
    const before = select.value;
    show(select, options, () => options.map(([value, name]) =>
      h("option", { value, selected: value === before }, name)));
    if (before && select.value !== before) onchange(select.value);
  };
  set(options);
  return { element: h("label.pick", {}, h("span", {}, label), select), set };
}

// What to do first

function showSteps(page) {
  const { isAdmin, summary, channelCount } = page;
  const isNew = channelCount === 0 || (summary?.last_30_days.requests === 0 &&
    (!isAdmin || channelCount !== null));
  show(page.start, isNew && [channelCount], () => isNew && h("section.card.steps", {},
    h("h2", {}, t("First steps")), h("ol", {},
      isAdmin && h("li", {}, channelCount > 0 && h("span.good", {}, "✓ "),
        h("a", { href: "#/channels" }, t("Add a channel")), " ",
        t("An account at a vendor, or a server of your own, that answers requests.")),
      h("li", {}, h("a", { href: "#/tokens" }, t("Make a token")), " ",
        t("The key that your programs send.")),
      h("li", {}, h("a", { href: "#/playground" }, t("Try the playground")), " ",
        t("Ask a model right here.")))));
}

// Today and 30 days

function sumsPart(page) {
  const element = h("div.cards.sums");
  const card = (label, value, note) =>
    h("div.card", {}, h("span", {}, label), h("strong", {}, value), h("small", {}, note));
  const draw = ({ summary: { today, last_30_days: month, currency }, user }) => {
    const both = (label, text) => card(label, text(today), t("30 days: {0}", text(month)));
    return [
      both(t("Requests today"), (sums) => number(sums.requests)),
      both(t("Tokens today"), (sums) => short(sums.prompt_tokens + sums.completion_tokens)),
      both(t("Cost today"), (sums) => money(sums.cost, currency)),
      user ? quota(user)
        : both(t("Failed today"), (sums) => percent(sums.failures / (sums.requests || 1))),
    ];
  };
  const quota = (user) => card(t("Quota left"),
    user.quota === null ? t("no limit")
      : money(Math.max(0, user.quota - user.used_quota) / user.quota_per_unit, user.currency),
    t("Used: {0}", money(user.used_cost, user.currency)));
  return {
    element, interval: 30000,
    async load() {
      const [summary, user] = await Promise.all(["/stats/summary", !page.isAdmin && "/users/self"]
        .map((path) => path && get(path, {}, page)));
      page.summary = summary;
      show(element, { summary, user }, draw);
      showSteps(page);
    },
  };
}

// The channels' figures

/** Spans of time by their name in the API: buckets, name for people, seconds between readings. */
const windows = () => ({
  "1h": [60, t("Last hour, by minute"), 10],
  "24h": [24, t("Last 24 hours, by hour"), 30],
  "30d": [shownDays, t("Last 30 days, by day"), 60],
});

function channelsPart(page) {
  const legend = makeLegend();
  const charts = [
    ["success_rate", t("Success rate"), { format: percent, top: 1 }],
    ["error_rate", t("Error rate"), { format: percent, top: 0.01, kind: "area" }],
    ["latency_ms_mean", t("Latency, mean"), { format: duration, top: 100 }],
    ["latency_ms_p95", t("Latency, 95% are faster"), { format: duration, top: 100 }],
  ].map(([key, caption, options]) => ({ key, ...chart(caption, { legend, ...options }) }));
  const state = { window: "1h", page: "1", due: 0 };
  const change = (values) => {
    Object.assign(state, values, { due: 0 });
    return load().catch(() => {}); // The next reading says what is wrong.
  };
  const span = choice(t("Time"), Object.entries(windows()).map(([key, each]) => [key, each[1]]),
    (window) => change({ window }));
  const pages = choice(t("Channels"), [["1", t("Each channel")], ["sum", t("All together")]],
    (page) => change({ page }));
  const element = h("section", {}, h("div.bar", {}, h("h2", {}, t("Channels")), span.element,
    pages.element), legend.element, h("div.charts", {}, charts.map((each) => each.element)));

  async function load() {
    if (Date.now() < state.due) return;
    await page.known;
    const { window, page: shown } = state;
    const [count, , interval] = windows()[window];
    const data = await get("/channels/stats", {
      window, series: window === "30d" ? "day" : 1,
      ...(shown === "sum" ? { sum: 1 } : { page: shown, page_size: channelsAtOnce }),
    }, page);
    if (window !== state.window || shown !== state.page) return;
    if (data.items) {
      page.channelCount = data.total;
      pages.set(pageOptions(data.total));
      showSteps(page);
    }
    const items = data.items ?? [{ ...data.sum, channel_id: 0, name: t("All together") }];
    draw(items, data.bucket_seconds, count);
    state.due = Date.now() + interval * 1000 - 1000;
  }

  function draw(items, step, count) {
    const byDay = step === daySeconds;
    const now = Date.now() / 1000 + page.clockOffset;
    const until = byDay && page.summary ? dayTime(page.summary.day) : Math.floor(now / step) * step;
    const from = until - (count - 1) * step;
    legend.draw(items.map((each) => ({ key: each.channel_id, name: each.name })));
    for (const each of charts) {
      // A reading may begin a bucket before the span.
      const points = (item) => item.series.map((bucket) =>
        [byDay ? dayTime(bucket.day) : bucket.time, bucket[each.key]]).filter(([at]) => at >= from);
      each.draw({ from, until, step, byDay, series: items.map((item) =>
        ({ key: item.channel_id, name: item.name, points: points(item) })) });
    }
  }
  return { element, interval: 10000, load };
}

function pageOptions(total) {
  const options = [];
  for (let first = 1; first <= Math.max(total, 1); first += channelsAtOnce) {
    const last = Math.min(total, first + channelsAtOnce - 1);
    options.push([String(options.length + 1), total <= channelsAtOnce ? t("Each channel")
      : t("Channels {0} to {1}", number(first), number(last))]);
  }
  return [...options, ["sum", t("All together")]];
}

// Usage

function usagePart(page) {
  const measures = {
    cost: [t("Cost"), (sums) => Number(sums.cost), (value) => money(value, state.currency)],
    tokens: [t("Tokens used"), (sums) => sums.prompt_tokens + sums.completion_tokens, short],
    requests: [t("Requests"), (sums) => sums.requests, short],
  };
  const state = { measure: "requests", currency: "USD", data: null };
  const byDay = chart(t("By day and model"), { kind: "bars",
    format: (value) => measures[state.measure][2](value) });
  const deleted = (id) => t("deleted, number {0}", id);
  const lists = [
    ["model", t("Top models"), (item) => item.model ?? t("unknown")],
    ["token", t("Top tokens"), ({ token_name, token_id, username }) =>
      (token_name ?? deleted(token_id)) + (username ? " · " + username : "")],
    page.isAdmin && ["user", t("Top users"), (item) => item.username ?? deleted(item.user_id)],
  ].filter(Boolean).map(([key, title, name]) => ({ key, title, name, area: h("div") }));
  const measure = choice(t("Show"), Object.entries(measures).map(([key, [name]]) => [key, name])
    .reverse(), (measure) => draw(Object.assign(state, { measure })));
  const cut = h("p.faint");
  const element = h("section", {}, h("div.bar", {}, h("h2", {}, t("Usage of 30 days")),
    measure.element), h("div.charts", {}, byDay.element, lists.map((each) =>
    h("div.card", {}, h("h3", {}, each.title), each.area))), cut);

  function draw({ measure, data }) {
    if (!data) return; // Drawn when it has come.
    const [models, others] = data;
    const [, value, format] = measures[measure];
    for (const { key, name, area } of lists) {
      const { items } = key === "model" ? models : others;
      const top = sumUp(items, key === "model" ? "model" : key + "_id", name, value).slice(0, 8);
      show(area, [top, measure], () => top.length
        ? topList(top.map((each) => [nameAmong(top, each), each.sum]), format)
        : h("p.faint", {}, t("Nothing here yet.")));
    }
    const until = dayTime(models.until);
    byDay.draw({ from: until - (shownDays - 1) * daySeconds, until, step: daySeconds, byDay: true,
      isWhole: measure !== "cost", measure, series: daySeries(models.items, value) });
    fill(cut, (models.is_cut || others.is_cut) && t("Only the largest 1,000 figures are shown."));
  }
  return {
    element, interval: 60000,
    async load() {
      const group = page.isAdmin ? "user,token" : "token";
      state.data = await Promise.all(["day,model", group].map((group_by) =>
        get("/stats", { group_by }, page)));
      state.currency = state.data[0].currency;
      draw(state);
    },
  };
}

/** A name, with its number where others have the same. */
const nameAmong = (all, { key, name }) =>
  all.filter((each) => each.name === name).length > 1 ? `${name} (${key})` : name;

/** The largest first, each with a bar: `items` are [name, value]. */
function topList(items, format) {
  const top = Math.max(...items.map((each) => each[1]), 0) || 1;
  return h("ol.top-list", {}, items.map(([name, value]) => {
    const bar = h("i", {});
    bar.style.width = `${value / top * 100}%`;
    return h("li", {}, h("span", {}, name), h("b", {}, format(value)), bar);
  }));
}

/** Items as `{ key, name, sum }` with one for each `field`, the largest first. */
function sumUp(items, field, name, value) {
  const sums = new Map();
  for (const item of items) {
    const key = String(item[field]);
    if (!sums.has(key)) sums.set(key, { key, name: name(item), sum: 0 });
    sums.get(key).sum += value(item);
  }
  return [...sums.values()].filter((each) => each.sum > 0).sort((a, b) => b.sum - a.sum);
}

/** Series by day of the five models with most, and of the others together. */
function daySeries(items, value) {
  const models = sumUp(items, "model", (item) => item.model ?? t("unknown"), value);
  const top = models.slice(0, models.length > 6 ? 5 : 6);
  if (models.length > top.length) top.push({ key: "…", name: t("Others") });
  return top.map(({ key, name }) => {
    const isOf = (item) => key === "…"
      ? !top.some((each) => each.key === String(item.model)) : String(item.model) === key;
    const points = sumUp(items.filter(isOf), "day", () => "", value)
      .map((each) => [dayTime(each.key), each.sum]);
    return { key, name, points: points.sort((a, b) => a[0] - b[0]) };
  });
}

// The box

function boxPart(page) {
  const list = h("dl.sheet");
  const element = h("section", {}, h("h2", {}, t("The box")), list);
  return {
    element, interval: 30000,
    async load() {
      const status = await get("/status", {}, page);
      page.clockOffset = status.now - Date.now() / 1000;
      show(list, status, () => facts(status).map(([name, ...value]) =>
        h("div", {}, h("dt", {}, name), h("dd", {}, value))));
      const notes = warnings(status);
      show(page.notes, notes.map((each) => each.textContent), () => notes);
    },
  };
}
