// SPDX-License-Identifier: MIT
// Lists of the management API as tables, which are cards on a phone.
import { action, ask, fill, get, h, notice, number, t } from "./core.js";
import { drawField, failed } from "./form.js";

/** Everything that a list has, page after page; at most 1000 items. */
export async function getAll(path, query = {}, options) {
  const items = [];
  for (let page = 1; page <= 10; page++) {
    const data = await get(path, { ...query, page, page_size: 100 }, options);
    items.push(...data.items);
    if (items.length >= data.total || !data.items.length) break;
  }
  return items;
}

/** A row of a table. */
export const tableRow = (columns, item, options = {}) => h("tr", { "data-id": item.id },
  options.lead?.(item), columns.map((column) =>
    h("td" + (column.class ? "." + column.class : ""), { "data-label": column.label || null },
      column.value(item) ?? "")));

/** A table; on a phone each row is a card whose cells carry the column's label. */
export function table(caption, columns, items, options = {}) {
  return h("div.scroll", { tabindex: "0", role: "region", "aria-label": caption }, h("table", {},
    h("caption.unseen", {}, caption),
    h("thead", {}, h("tr", {}, options.head, columns.map((column) =>
      h("th" + (column.class ? "." + column.class : ""), { scope: "col" },
        column.label || h("span.unseen", {}, t("Actions")))))),
    h("tbody", {}, items.map((item) => tableRow(columns, item, options)))));
}

/**
 * Draws a list into `root` and returns `{ reload, items }`:
 *   signal           of the page
 *   path, query      what is read, one page after the other
 *   load             in place of the path: a function `(query, { signal })` that gives such a page
 *   caption          what the table holds
 *   columns          [{ label, value(item) → node or text, class }]; class `end` aligns numbers
 *   actions(item)    the buttons of a row
 *   filters          fields of a form above the list (see form.js); their values join the query
 *   create           [label, function]: the button above the list
 *   bulk             [[label, function(items), class]]: what can be done to the chosen rows
 *   empty            what is said when there is nothing
 *   pageSize         rows of a page (50)
 *   prepare(items)   is awaited before rows are drawn, for what their cells need
 *   before(data)     may draw something of the answer above the table
 */
export function drawList(root, options) {
  const chosen = new Set();
  const state = { page: 1, items: [], query: {} };
  const area = h("div", { class: "list" });
  const filters = (options.filters ?? []).map((field) =>
    drawField(field, options.values?.[field.name], () => later()));
  let timer = null;
  let controller = null;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => { state.page = 1; reload(); }, 300);
  };
  const bar = h("div.bar", {}, filters.map((each) => each.element), options.tools,
    options.create && action(options.create[0], async () => {
      if (await options.create[1]() === undefined) return;
      // New rows have the largest ids, so they are on the last page.
      state.page = Math.ceil((state.total + 1) / (options.pageSize ?? 50)) || 1;
      // Not awaited: whoever makes several need not wait for the list.
      reload();
    }, { class: "primary", id: "create" }));

  async function reload() {
    controller?.abort();
    const mine = controller = new AbortController();
    options.signal.addEventListener("abort", () => mine.abort(), { once: true });
    const query = { page: state.page, page_size: options.pageSize ?? 50, ...options.query };
    try {
      for (const each of filters) query[each.field.name] = each.read();
      area.setAttribute("aria-busy", "true");
      const data = await (options.load?.(query, { signal: mine.signal }) ??
        get(options.path, query, { signal: mine.signal }));
      const last = Math.max(1, Math.ceil(data.total / data.page_size));
      if (state.page > last) {
        state.page = last;
        return reload();
      }
      await options.prepare?.(data.items);
      if (mine !== controller) return;
      state.items = data.items;
      state.total = data.total;
      state.query = query;
      draw(data, last);
    } catch (error) {
      if (error.name !== "AbortError") fill(area, failed(error, reload));
    } finally {
      if (mine === controller) area.removeAttribute("aria-busy");
    }
  }

  function draw(data, last) {
    for (const id of [...chosen]) {
      if (!data.items.some((item) => item.id === id)) chosen.delete(id);
    }
    const columns = options.actions ? [...options.columns, {
      label: "", class: "actions", value: (item) => options.actions(item, reload),
    }] : options.columns;
    fill(area, options.before?.(data), data.items.length
      ? [bulkBar(), table(options.caption, columns, data.items, boxes(data.items))]
      : h("p.empty", {}, options.empty ?? t("Nothing here yet.")), last > 1 && pager(data, last));
  }

  function pager(data, last) {
    const go = (step) => action(step < 0 ? t("Back") : t("Next"), async () => {
      state.page += step;
      await reload();
    }, { disabled: step < 0 ? state.page === 1 : state.page === last });
    return h("nav.pager", { "aria-label": t("Pages of the list") }, go(-1),
      h("span", {}, t("Page {0} of {1}, {2} in all", number(state.page), number(last),
        number(data.total))), go(1));
  }

  // Choosing rows

  function boxes(items) {
    if (!options.bulk) return {};
    const box = (label, isChosen, change) => h("input", { type: "checkbox", "aria-label": label,
      checked: isChosen, onchange() { change(this.checked); drawBulk(); } });
    const set = (isChosen, item) => isChosen ? chosen.add(item.id) : chosen.delete(item.id);
    return {
      head: h("th", { scope: "col" }, box(t("Choose all"), items.every((i) => chosen.has(i.id)),
        (isChosen) => {
          items.forEach((item) => set(isChosen, item));
          for (const each of area.querySelectorAll("td.choice input")) each.checked = isChosen;
        })),
      lead: (item) => h("td.choice", {}, box(t("Choose {0}", item.name ?? item.id),
        chosen.has(item.id), (isChosen) => set(isChosen, item))),
    };
  }

  const bulk = h("div.bulk", { role: "group", "aria-label": t("Chosen rows") });
  function drawBulk() {
    const items = state.items.filter((item) => chosen.has(item.id));
    fill(bulk, items.length > 0 && [h("span", {}, t("{0} chosen", number(items.length))),
      options.bulk.map(([label, work, kind]) => action(label, async () => {
        if (await work(items) === false) return;
        chosen.clear();
        await reload();
      }, { class: kind ?? null }))]);
  }
  const bulkBar = () => options.bulk && (drawBulk(), bulk);

  root.append(bar, area);
  const ready = reload();
  return { reload, ready, area, get items() { return state.items; } };
}

/** A row's button that deletes after having asked once. */
export const deleteButton = (name, work) => action(t("Delete"), async () => {
  if (await ask(t("Delete {0}?", name), t("Delete"))) await work();
}, { class: "quiet danger" });

/** Names and their values below each other: `[name, value, attributes of the value]`. */
export const terms = (rows) => h("dl.terms", {}, rows.filter(Boolean).map(
  ([name, value, attributes]) => [h("dt", {}, name), h("dd", attributes, value)]));

/** A number edited in its place: `save` gets it when it has changed; failures stand at it. */
export function editedNumber(label, value, limits, save) {
  const note = h("small.problem", { role: "alert" });
  const say = (sentence) => {
    fill(note, sentence);
    if (sentence) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const input = h("input.number", {
    type: "number", step: 1, value, "aria-label": label, ...limits,
    onkeydown(event) {
      if (event.key !== "Escape") return;
      input.value = value;
      say("");
    },
    async onchange() {
      const wanted = input.value;
      if (!wanted || !input.checkValidity()) {
        return say(wanted ? input.validationMessage : t("This is needed."));
      }
      try {
        await save(Number(wanted));
        value = wanted;
        say("");
        notice(t("Saved."));
      } catch (error) {
        say(error.message);
      }
    },
  });
  return h("span.edited", {}, input, note);
}
