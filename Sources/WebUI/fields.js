// SPDX-License-Identifier: MIT
// Fields that several pages have: choices from names, amounts with their worth, addresses.
import { counted, fill, h, language, money, number, t } from "./core.js";

/**
 * A type of field: some of a list of names, each with a box. A promise of `names` is not awaited:
 * `type.offer(names)` puts others there, `type.choose(names)` chooses those only.
 *   labels      Map of what is shown in place of the names
 *   isOrdered   the chosen ones stand first, in an order that buttons change
 *   byHand      names that are not in the list may be added
 *   unknown     what is said of a chosen name that is not in the list
 */
export function choice({ label, names, labels, isOrdered, byHand, unknown }) {
  let [chosen, rows, search] = [[], [], null];
  const list = h("div.options", {});
  const shown = (name) => labels?.get(name) ?? name;
  const isKnown = (name) => !names.length || names.includes(name);
  const redraw = () => {
    rows = [...new Set([...chosen, ...names])];
    fill(list, rows.map(row));
    search?.draw();
  };
  const told = () => list.dispatchEvent(new Event("change", { bubbles: true }));

  function toggle(name, isChosen) {
    chosen = chosen.filter((other) => other !== name);
    if (isChosen) chosen.push(name);
    if (!isOrdered) return;
    redraw();
    rowOf(name).querySelector("input").focus();
  }
  function move(name, step) {
    const index = chosen.indexOf(name);
    chosen.splice(index + step, 0, ...chosen.splice(index, 1));
    redraw();
    const [up, down] = rowOf(name).querySelectorAll("button");
    [step < 0 ? up : down, step < 0 ? down : up].find((each) => !each.disabled).focus();
    told();
  }
  const rowOf = (name) => list.children[rows.indexOf(name)];
  const row = (name) => h("div", {}, h("label", {},
    h("input", { type: "checkbox", checked: chosen.includes(name),
      onchange() { toggle(name, this.checked); } }),
    h("span", {}, shown(name), !isKnown(name) && h("small", {}, " – " + unknown))),
  isOrdered && chosen.length > 1 && chosen.includes(name) &&
    arrows(name, shown(name), chosen, move));

  const type = (value, changed, attributes) => {
    chosen = [...value ?? []];
    const texts = () => rows.map(shown);
    search = byHand || names.length > 7 ? searchIn(label, list, texts, byHand && ((name) => {
      chosen.push(name);
      redraw();
      told();
    })) : null;
    redraw();
    return {
      element: h("div", { role: "group", "aria-label": label,
        "aria-describedby": attributes["aria-describedby"] }, search?.element, list),
      read() {
        // To choose nothing often means everything: what is typed must not get lost.
        if (!chosen.length && search?.typed()) {
          throw new Error(t("“{0}” is typed, but nothing is chosen yet.", search.typed()));
        }
        return [...chosen];
      },
    };
  };
  type.offer = (others) => { names = others; redraw(); };
  type.choose = (others) => { chosen = [...others]; redraw(); };
  return type;
}

/** Two buttons that move a name in the order of the chosen ones. */
const arrows = (name, shown, chosen, move) => [
  [-1, 0, t("Move {0} up", shown), "↑"], [1, chosen.length - 1, t("Move {0} down", shown), "↓"],
].map(([step, end, title, text]) => h("button.quiet", {
  type: "button", "aria-label": title, disabled: chosen[end] === name,
  onclick: () => move(name, step),
}, text));

/** An input that hides the rows without its text; `take` gets a name that is in no row. */
function searchIn(label, list, rows, take) {
  const input = h("input", { type: "search", spellcheck: "false", autocomplete: "off",
    "aria-label": t("Search in {0}", label),
    placeholder: take ? t("Search, or type another name") : t("Search") });
  const button = h("button", { type: "button", hidden: true, onclick: () => add(typed()) });
  const typed = () => input.value.trim();
  const draw = () => {
    const part = typed().toLowerCase();
    rows().forEach((name, index) => {
      list.children[index].hidden = !name.toLowerCase().includes(part);
    });
    button.hidden = !take || !part || rows().includes(typed());
    button.textContent = t("Add {0}", typed());
  };
  function add(name) {
    input.value = "";
    take(name);
    draw();
    input.focus();
  }
  /** The Enter key takes the row of this name, or the only one seen, or else the name itself. */
  function enter() {
    const seen = rows().filter((name, index) => !list.children[index].hidden);
    const name = rows().includes(typed()) || !seen.length ? typed() : seen[0];
    const row = list.children[rows().indexOf(name)];
    if (!typed() || (seen.length > 1 && name !== typed())) return;
    if (row) {
      row.querySelector("input").click();
      input.value = "";
      draw();
    } else if (take) {
      add(name);
    }
  }
  // What is searched for is no change of the form.
  input.addEventListener("input", (event) => { event.stopPropagation(); draw(); });
  input.addEventListener("change", (event) => event.stopPropagation());
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    enter();
  });
  return { element: h("div.search", {}, input, button), typed, draw };
}

/** A number without an exponent, with at most so many places. */
export const plain = (value, places) =>
  places ? value.toFixed(places).replace(/\.?0+$/, "") : value.toFixed(0);

/**
 * A field of quota units with the same as money beside it; typing in either fills in the other.
 *   factor   units that one of the money's units buys
 *   places   of the units: 0 for whole numbers; others are read as texts, so that they stay exact
 *   per      what the money is for, such as "1M"
 */
export function amount(field, { currency, factor, places = 0, per }) {
  return { ...field, check: (value) => field.check?.(value) ?? (
    places && value !== null && !/^\d+(\.\d{1,6})?$/.test(value)
      ? t("A decimal such as 0.5, with at most 6 places.") : null),
  type(value, changed, attributes) {
    const units = h("input", { ...attributes, value: value ?? "",
      ...places ? { inputmode: "decimal" } : { type: "number", step: 1, min: field.min ?? 0 } });
    const coins = h("input", { inputmode: "decimal", autocomplete: "off",
      "aria-label": per ? t("{0} in {1} for {2}", field.label, currency, per)
        : t("{0} in {1}", field.label, currency) });
    const given = (input) => input.value.trim().replace(",", ".");
    const convert = (from, to, rate, digits) => {
      const result = Number(given(from)) * rate;
      to.value = given(from) === "" || !Number.isFinite(result) ? "" : plain(result, digits);
    };
    const show = () => convert(units, coins, 1 / factor, 6);
    units.addEventListener("input", show);
    coins.addEventListener("input", () => convert(coins, units, factor, places));
    show();
    return {
      element: h("div.amount", {}, units, h("span", {}, "="), coins,
        h("span", {}, per ? currency + " / " + per : currency)),
      read() {
        if (units.validity.badInput) throw new Error(t("This is no number."));
        if (coins.value && !units.value) throw new Error(t("This is no number."));
        if (units.value === "") return null;
        return places ? given(units) : Number(units.value);
      },
    };
  } };
}

/** A field of quota; `self` is what `/users/self` or the options say about money. */
export const quotaField = (field, { currency, quota_per_unit }) =>
  amount({ max: 9e12, ...field }, { currency, factor: quota_per_unit });

/** What was used of a quota: as money, as units, and as a bar. */
export function usage({ used_quota, quota, used_cost }, { currency, quota_per_unit }) {
  const isLimited = quota !== null;
  return [
    h("div", {}, money(used_cost, currency),
      isLimited && " / " + money(quota / quota_per_unit, currency)),
    h("small", {}, isLimited ? counted("{0} of {1} units", number(used_quota), number(quota))
      : counted("{0} units, no limit", number(used_quota))),
    isLimited && quota > 0 && h("meter", { max: quota, high: quota * 0.9, optimum: 0,
      value: Math.min(used_quota, quota), "aria-label": t("Used part of the quota") }),
  ];
}

/** The shortcuts of a time at which something expires. */
export const expiry = () => [[t("1 day"), 86400], [t("7 days"), 604800], [t("30 days"), 2592000],
  [t("1 year"), 31536000], [t("Never"), null]];

/** A word with its colour: how something is. */
export const badge = (text, kind) => h("span.badge." + kind, {}, text);

/** A status of the API that says whether something is on. */
export const statusBadge = (status) =>
  status === "enabled" ? badge(t("enabled"), "good") : badge(t("disabled"), "bad");

/** Day and time without seconds: for columns. */
export const date = (seconds) => new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : undefined,
  { dateStyle: "medium", timeStyle: "short" }).format(seconds * 1000);

const byte = "(25[0-5]|2[0-4]\\d|1?\\d?\\d)";
const ipv4 = new RegExp(`^${byte}(\\.${byte}){3}$`);

/** A sentence when a text is neither an address nor a block of addresses such as 10.0.0.0/8. */
export function checkAddress(text) {
  const [, host, , bits] = /^([^/]*)(\/(.*))?$/.exec(text);
  let [least, most] = [0, 32];
  if (!ipv4.test(host)) {
    let usual;
    try {
      usual = /^[\da-f:.]+$/i.test(host) && new URL(`http://[${host}]/`).hostname;
    } catch { /* The browser knows IPv6 addresses as well as anybody. */ }
    if (!usual) return t("{0} is no IPv4 or IPv6 address.", host);
    // An IPv4 address written as IPv6 has its bits at the end.
    [least, most] = [/^\[::ffff:[^:]+:[^:]+\]$/.test(usual) ? 96 : 0, 128];
  }
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && bits >= least && bits <= most)) {
    return t("after / must stand {0} to {1}, not “{2}”.", least, most, bits);
  }
  return null;
}
