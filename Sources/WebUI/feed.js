// SPDX-License-Identifier: MIT
// A list that grows by time, newest first: filters, older rows below, new ones above.
import { action, counted, every, fill, get, h, number, queryText, t } from "./core.js";
import { drawField, failed } from "./form.js";
import { getAll, table, tableRow } from "./list.js";

const pageSize = 50;
const rowLimit = 1000; // More rows than that make a browser slow.

/**
 * Draws such a list into `root` and returns `{ ready, reload, query }`:
 *   signal           of the page
 *   path             what is read; rows with a smaller id come with `before`
 *   caption          what the table holds
 *   columns          as of a list (see list.js)
 *   fields           filters (see form.js); what one reads may be an object of parameters
 *   values           the filters as they stand in the address, by name
 *   address, fixed   where the filters are kept, so that a link leads to the same rows, and what
 *                    else stands there
 *   open(item)       shows the details of a row, which a click chooses
 *   tools            buttons beside the number of rows
 *   isLive           whether new rows can be followed, by `after`
 */
export function drawFeed(root, options) {
  let timer = null;
  const again = () => reload(feed);
  const feed = {
    ...options, items: [], query: {}, data: {}, arrived: 0, reading: null,
    inputs: options.fields.map((field) => drawField(field, options.values[field.name], () => {
      clearTimeout(timer);
      timer = setTimeout(again, 300);
    })),
    area: h("div.feed" + (options.open ? ".opens" : ""), { onclick(event) {
      const row = event.target.closest("tbody tr");
      if (!row || !options.open || String(getSelection())) return;
      options.open(feed.items.find((item) => String(item.id) === row.dataset.id));
    } }),
    count: h("span.faint", { role: "status" }),
    live: h("input", { type: "checkbox", role: "switch", id: "live", onchange() {
      feed.arrived = 0;
      say(feed);
    } }),
  };
  root.append(
    h("details.filters", { open: matchMedia("(min-width: 44rem)").matches },
      h("summary", {}, t("Filters")), h("form.bar", { onsubmit(event) {
        event.preventDefault();
        again();
      } }, feed.inputs.map((each) => each.element))),
    h("div.bar.tools", {}, options.isLive && h("label.pick", {}, feed.live, t("Live")),
      feed.count, options.tools), feed.area);
  const ready = again();
  if (options.isLive) every(2000, () => follow(feed), options.signal);
  return { ready, reload: again, query: () => feed.query };
}

/** Reads rows; each gets the currency that the list is told in. */
async function read(feed, query, options) {
  const data = await get(feed.path, { page_size: pageSize, ...feed.query, ...query }, options);
  for (const item of data.items) item.currency = data.currency;
  return data;
}

async function reload(feed) {
  const { area, inputs, signal } = feed;
  if (signal.aborted || inputs.filter((each) => !each.check()).length) return;
  feed.reading?.abort();
  const mine = feed.reading = new AbortController();
  signal.addEventListener("abort", () => mine.abort(), { once: true });
  history.replaceState(null, "", feed.address + queryText({ ...feed.fixed,
    ...Object.fromEntries(inputs.map(({ field, input }) => [field.name, input.value])) }));
  feed.query = Object.assign({}, ...inputs.map(({ field, read }) => {
    const value = read();
    return typeof value === "object" && value ? value : { [field.name]: value };
  }));
  area.setAttribute("aria-busy", "true");
  try {
    const data = await read(feed, {}, mine);
    Object.assign(feed, { data, items: data.items, arrived: 0 });
    draw(feed);
  } catch (error) {
    if (!mine.signal.aborted) fill(area, failed(error, () => reload(feed)));
  } finally {
    if (mine === feed.reading) area.removeAttribute("aria-busy");
  }
}

function say({ count, live, arrived, data: { total, total_is_capped: isCapped } }) {
  fill(count, live.checked ? t("New rows: {0}", number(arrived))
    : isCapped ? t("More than {0} rows", number(total)) : counted("{0} rows", number(total)));
}

function draw(feed) {
  say(feed);
  const whole = table(feed.caption, feed.columns, feed.items);
  feed.body = whole.querySelector("tbody");
  fill(feed.area, feed.items.length ? whole : h("p.empty", {}, t("Nothing here yet.")),
    feed.items.length === pageSize && older(feed));
}

const rowsOf = (feed, items) => items.map((item) => tableRow(feed.columns, item));

const older = (feed) => h("p.pager", {}, action(t("Older rows"), async (button) => {
  const { items } = await read(feed, { before: feed.items.at(-1).id }, feed);
  feed.items.push(...items);
  feed.body.append(...rowsOf(feed, items));
  if (items.length < pageSize) button.parentElement.remove();
}));

/** Puts the rows that came meanwhile above the others. */
async function follow(feed) {
  const { area, live, reading, items: [newest] } = feed;
  if (!live.checked || area.getAttribute("aria-busy")) return;
  if (!newest) return reload(feed);
  const items = [];
  for (let before; items.length < rowLimit;) {
    const data = await read(feed, { after: newest.id, before, page_size: 100 }, feed);
    items.push(...data.items);
    before = data.next_before;
    if (!before) break;
  }
  if (!items.length || reading !== feed.reading) return;
  feed.items.unshift(...items);
  feed.arrived += items.length;
  putAbove(feed.body, rowsOf(feed, items));
  say(feed);
  if (feed.items.length <= rowLimit) return;
  feed.items.length = rowLimit;
  while (feed.body.rows.length > rowLimit) feed.body.lastChild.remove();
  if (!area.querySelector(".pager")) area.append(older(feed));
}

/** Puts rows above the others, so that what one reads stays where it is. */
function putAbove(body, rows) {
  const isRead = body.getBoundingClientRect().top < 0;
  const anchor = body.contains(document.activeElement) ? document.activeElement
    : isRead ? [...body.rows].find((row) => row.getBoundingClientRect().bottom > 0) : null;
  const before = anchor?.getBoundingClientRect().top;
  for (const row of rows) row.classList.add("fresh");
  body.prepend(...rows);
  if (anchor) scrollBy(0, anchor.getBoundingClientRect().top - before);
}

// Filters that lists by time have in common

/** The span of time: shortcuts, or two times. */
export const rangeField = () => ({
  name: "range", label: t("Time"),
  type(value, changed, attributes) {
    const isOwn = /^\d*-\d*$/.test(value ?? "");
    const own = h("option", { value: isOwn ? value : "-" }, t("From … until …"));
    const select = h("select", attributes, [["", t("all")], ["3600", t("Last hour")],
      ["today", t("Today")], ["86400", t("Last 24 hours")], ["604800", t("Last 7 days")],
      ["2592000", t("Last 30 days")]].map(([key, name]) => h("option", { value: key }, name)), own);
    select.value = value ?? "";
    const [from, until] = [t("From"), t("Until")].map((label, index) => drawField(
      { name: "", label, type: "time" }, isOwn ? value.split("-")[index] || null : null, () => {
        own.value = `${from.read() ?? ""}-${until.read() ?? ""}`;
      }));
    const both = h("div.both", { hidden: !isOwn }, from.element, until.element);
    select.addEventListener("change", () => { both.hidden = select.value !== own.value; });
    return { element: h("div", {}, select, both), read: () => span(select.value) };
  },
});

function span(text) {
  if (text === "today") return { from: new Date().setHours(0, 0, 0, 0) / 1000 };
  const [from, until] = text.split("-");
  if (until !== undefined) return { from, until };
  return { from: text && Math.floor(Date.now() / 1000) - Number(text) };
}

/**
 * A field for one entry of a list, which is read when somebody first goes there. The value is the
 * entry's id, as `name #7`; with `isText` it is the text itself, and `path` gives texts.
 */
export const pickField = (name, label, path, { isText } = {}) => ({
  name, label,
  type(value, changed, attributes) {
    let known = null;
    const textOf = (item) => isText ? item : `${item.name ?? item.username} #${item.id}`;
    const list = h("datalist", { id: attributes.id + "-list" });
    const input = h("input", { type: "text", autocomplete: "off", ...attributes, list: list.id,
      value: value ?? "", async onfocus() {
        known ??= (isText ? get(path) : getAll(path)).catch(() => []);
        fill(list, (await known).map((item) => h("option", { value: textOf(item) })));
      } });
    return { element: h("span.with-list", {}, input, list), read: () => isText ? input.value.trim()
      : input.value && (/(?:^|#)(\d+)$/.exec(input.value)?.[1] ?? NaN) };
  },
  check: (value) => Number.isNaN(value) && t("Choose one of the list, or type its number."),
});
