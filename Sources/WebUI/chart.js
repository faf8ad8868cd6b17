// SPDX-License-Identifier: MIT
// Charts as SVG: lines, areas and stacked bars over time.
import { fill, h, number, t, time } from "./core.js";

/** Round numbers from 0 up to at least `top`, about `count` steps of at least `least`. */
export function ticks(top, count = 4, least = 0) {
  const end = top > 0 ? top : 1;
  const rough = Math.max(end / count, least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough * (1 - 1e-9)) * power;
  return Array.from({ length: Math.ceil(end / step - 1e-9) + 1 }, (_, index) =>
    Number((index * step).toPrecision(12)));
}

const timeSteps = [1, 5, 10, 15, 30, 60, 180, 360, 720, 1440, 2880, 7200, 14400, 43200];

/**
 * Round times between two, at most `count + 1`, in Unix seconds. `offset` is what the local time
 * is ahead of UTC, in seconds.
 */
export function timeTicks(from, until, count, offset = 0) {
  const step = 60 * (timeSteps.find((each) => (until - from) / (each * 60) <= count)
    ?? timeSteps.at(-1));
  const result = [];
  const first = Math.ceil((from + offset) / step) * step - offset;
  for (let each = first; each <= until; each += step) result.push(each);
  return result;
}

/** A function from values to places: `from` is at `start`, `until` at `end`. */
export const scale = (from, until, start, end) => (value) =>
  start + (value - from) / (until - from || 1) * (end - start);

const isThere = ([, value]) => value !== null && value !== undefined;

/** The times of the points that `fits` takes, the first one first. */
const timesOf = (series, fits) => [...new Set(series.flatMap((each) =>
  each.points.filter(fits).map(([at]) => at)))].sort((a, b) => a - b);

/** Points [time, value] in runs without a gap: neighbours are at most a step apart. */
export function runs(points, step) {
  const result = [];
  let before = null;
  for (const point of points) {
    if (!isThere(point)) continue;
    if (before === null || point[0] - before > step * 1.5) result.push([]);
    result.at(-1).push(point);
    before = point[0];
  }
  return result;
}

/** Series of points as stacked pieces [time, lower, upper], one list for each series. */
export function stack(series) {
  const sums = new Map();
  return series.map((each) => each.points.map(([at, value]) => {
    const lower = sums.get(at) ?? 0;
    sums.set(at, lower + (value ?? 0));
    return [at, lower, lower + (value ?? 0)];
  }));
}

/** Unix seconds of the start of a day such as 2026-11-25, in UTC: days have no time zone. */
export const dayTime = (day) => Date.parse(day + "T00:00:00Z") / 1000;

// The legend

/** A legend whose series can be switched off; several charts may have the same one. */
export function makeLegend() {
  const off = new Set();
  const listeners = [];
  const element = h("div.legend", { role: "group", "aria-label": t("Series") });
  let drawn = "";
  return {
    element, listeners,
    shows: (key) => !off.has(key),
    draw(series) {
      const now = JSON.stringify(series.map((each) => [each.key, each.name]));
      if (now === drawn) return;
      drawn = now;
      fill(element, series.map((each, index) => h(`button.quiet.series-${index + 1}`, {
        type: "button", "aria-pressed": String(!off.has(each.key)),
        onclick() {
          if (!off.delete(each.key)) off.add(each.key);
          this.setAttribute("aria-pressed", !off.has(each.key));
          for (const listener of listeners) listener();
        },
      }, h("i", {}), each.name)));
    },
  };
}

// A chart over time

const [height, above, below, right] = [190, 8, 22, 10];

function svg(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/**
 * A chart; gives `{ element, draw(data) }`.
 *   kind      line, area or bars (stacked)
 *   format    a value as text
 *   top       the axis ends there at least
 *   legend    that of other charts too; without one the chart has its own
 * `data`: `from` and `until` (the first and the last bucket), `step` (all in seconds), `byDay`
 * (times are days, see dayTime), `isWhole` (values are whole numbers), and `series`: up to six of
 * `{ key, name, points: [[time, value], …] }`. A bucket without a point is a gap. Drawing the same
 * again changes nothing.
 */
export function chart(caption, options) {
  const legend = options.legend ?? makeLegend();
  const view = {
    caption, legend, format: number, ...options, data: null, at: null, width: 0, times: [],
    image: svg("svg", { role: "img", "aria-label": caption, tabindex: 0, height }),
    tip: h("div.tip", { role: "status", hidden: true }),
    shown: () => view.data.series.map((each, index) => ({ ...each, index }))
      .filter((each) => legend.shows(each.key)),
    label: (at, isLong) => time(at, view.data.byDay
      ? { month: "short", day: "numeric", timeZone: "UTC", ...(isLong && { weekday: "short" }) }
      : { hour: "2-digit", minute: "2-digit" }),
  };
  const table = h("div.scroll", { tabindex: "0", role: "region", "aria-label": caption });
  const drawTable = () => {
    if (details.open && view.data) fill(table, figures(view));
  };
  const details = h("details", { ontoggle: drawTable },
    h("summary", {}, t("Figures as a table")), table);
  const plot = h("div.plot", {}, view.image, view.tip);
  listen(view);
  legend.listeners.push(() => redraw(view));
  new ResizeObserver(([entry]) => {
    view.width = Math.floor(entry.contentRect.width);
    redraw(view);
  }).observe(plot);
  let drawn = "";
  return {
    element: h("figure.chart", {}, h("figcaption", {}, caption),
      options.legend ? null : legend.element, plot, details),
    draw(data) {
      if (drawn === (drawn = JSON.stringify(data))) return;
      view.data = data;
      if (!options.legend) legend.draw(data.series);
      redraw(view);
      drawTable();
    },
  };
}

function redraw(view) {
  if (!view.data || !view.width) return;
  const { image, width } = view;
  Object.assign(view, place(view, view.shown()));
  image.setAttribute("viewBox", `0 0 ${width} ${height}`);
  image.setAttribute("width", width);
  image.setAttribute("aria-label", summary(view));
  view.cursor = svg("line", { class: "cursor", y1: above, y2: height - below });
  image.replaceChildren(...axes(view), ...marks(view), view.cursor);
  if (!view.times.length) image.append(svg("text", { x: (view.left + width) / 2, y: height / 3,
    "text-anchor": "middle" }, t("Nothing happened.")));
  point(view, view.at);
}

/** Shows the figures of a time; null hides them. */
function point(view, at) {
  const { tip, cursor, width } = view;
  const hasFigures = at !== null && view.times.includes(at);
  view.at = hasFigures ? at : null;
  tip.hidden = !hasFigures;
  cursor?.setAttribute("visibility", hasFigures ? "visible" : "hidden");
  if (!hasFigures) return;
  const x = view.x(at);
  cursor.setAttribute("x1", x);
  cursor.setAttribute("x2", x);
  fill(tip, h("strong", {}, view.label(at, true)), view.shown().map((each) =>
    h(`span.series-${each.index + 1}`, {}, h("i", {}), h("b", {},
      view.format(valueAt(each, at))), " ", each.name)));
  const wide = tip.offsetWidth;
  const left = x > width / 2 ? x - 10 - wide : Math.min(x + 10, width - wide);
  tip.style.left = Math.max(0, left) + "px";
}

/** Mouse, finger and keys choose the time whose figures are shown. */
function listen(view) {
  const { image } = view;
  const follow = (event) => {
    const px = event.clientX - image.getBoundingClientRect().left;
    point(view, nearest(view.times, (at) => Math.abs(view.x(at) - px)));
  };
  image.addEventListener("pointermove", follow);
  image.addEventListener("pointerdown", follow);
  image.addEventListener("pointerleave", ({ pointerType: kind }) =>
    kind !== "touch" && point(view, null)); // After a tap the figures stay until the next one.
  image.addEventListener("focus", () => point(view, view.at ?? view.times.at(-1) ?? null));
  image.addEventListener("blur", () => point(view, null));
  image.addEventListener("keydown", (event) => {
    const index = view.times.indexOf(view.at);
    const next = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0,
      End: view.times.length - 1 }[event.key];
    if (event.key === "Escape") point(view, null);
    if (next === undefined) return;
    event.preventDefault();
    if (view.times[next] !== undefined) point(view, view.times[next]);
  });
}

const valueAt = (series, at) => series.points.find(([each]) => each === at)?.[1];

const nearest = (list, distance) => list.reduce((best, each) =>
  best === null || distance(each) < distance(best) ? each : best, null);

// About how wide a text is.
const widthOf = (text) => [...text].reduce((sum, each) => sum + (each > "ÿ" ? 12 : 7.5), 0);

/** Where everything of a chart stands: scales, ticks, times that have figures. */
function place({ data, data: { from, until, step }, width, kind, top = 0, format }, series) {
  const pieces = kind === "bars" ? stack(series) : null;
  const values = pieces ? pieces.flat().map((piece) => piece[2])
    : series.flatMap((each) => each.points.map((each) => each[1] ?? 0));
  const rows = ticks(Math.max(top, ...values), 4, data.isWhole ? 1 : 0);
  const left = 10 + Math.max(...rows.map((row) => widthOf(format(row))));
  const offset = data.byDay ? 0 : -60 * new Date(until * 1000).getTimezoneOffset();
  return {
    series, pieces, rows, left,
    x: scale(from - step / 2, until + step / 2, left, width - right),
    y: scale(0, rows.at(-1), height - below, above),
    columns: timeTicks(from, until, Math.max(2, Math.floor((width - left) / 75)), offset),
    times: timesOf(series, (each) => isThere(each) && each[0] >= from && each[0] <= until),
  };
}

function axes(view) {
  const { format, label } = view;
  const half = 18; // Labels of time are not cut at the edges.
  return [
    ...view.rows.flatMap((row) => [
      svg("line", { class: "grid", x1: view.left, x2: view.width - right, y1: view.y(row),
        y2: view.y(row) }),
      svg("text", { x: view.left - 6, y: view.y(row) + 4, "text-anchor": "end" }, format(row)),
    ]),
    ...view.columns.map((at) => svg("text", { y: height - 5, "text-anchor": "middle",
      x: Math.min(view.width - right - half, Math.max(half, view.x(at))) }, label(at))),
  ];
}

function marks({ data, series, pieces, x, y, kind }) {
  const place = ([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
  return series.map((each, number) => {
    const group = svg("g", { class: `series-${each.index + 1}` });
    if (kind === "bars") {
      const wide = Math.max(1, (x(data.step) - x(0)) * 0.75);
      for (const [at, lower, upper] of pieces[number]) {
        if (upper > lower) group.append(svg("rect", { x: x(at) - wide / 2, width: wide,
          y: y(upper), height: y(lower) - y(upper) }));
      }
      return group;
    }
    for (const run of runs(each.points, data.step)) {
      const line = "M" + run.map(place).join("L");
      if (kind === "area" && run.length > 1) group.append(svg("path", { class: "area",
        d: `${line}L${place([run.at(-1)[0], 0])}L${place([run[0][0], 0])}Z` }));
      group.append(run.length > 1 ? svg("path", { class: "stroke", d: line })
        : svg("circle", { cx: x(run[0][0]), cy: y(run[0][1]), r: 2.5 }));
    }
    return group;
  });
}

/** A chart in words. */
function summary({ caption, series, format }) {
  const parts = series.map(({ name, points }) => {
    const values = points.filter(isThere).map((each) => each[1]);
    return values.length === 0 ? t("{0}: nothing", name)
      : t("{0}: last {1}, lowest {2}, highest {3}", name, format(values.at(-1)),
        format(Math.min(...values)), format(Math.max(...values)));
  });
  return [caption, ...parts].join(". ");
}

function figures({ caption, data: { series }, label, format }) {
  const times = timesOf(series, () => true).reverse();
  return h("table.figures", {}, h("caption.unseen", {}, caption),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Time")), series.map((each) =>
      h("th.end", { scope: "col" }, each.name)))),
    h("tbody", {}, times.map((at) => h("tr", {}, h("th", { scope: "row" }, label(at, true)),
      series.map((each) => h("td.end", {}, format(valueAt(each, at))))))));
}
