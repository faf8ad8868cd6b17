// SPDX-License-Identifier: MIT
// What every page uses: elements, words, numbers, calls of the management API, dialogs.

/**
 * Makes an element: `h("button.primary", { type: "submit", onclick: f }, "Save")`.
 * Functions become listeners, true an empty attribute; null, undefined and false leave an
 * attribute or a child out. Strings become text, never markup.
 */
export function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(key.slice(2), value);
    else if (key === "value" || key === "checked") element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...pieces(children));
  return element;
}

/** Children without those that are left out. */
const pieces = (children) => children.flat(Infinity).filter((child) =>
  child !== null && child !== undefined && child !== false);

/** Puts other children into an element; the focus stays at its place among them. */
export function fill(element, ...children) {
  const place = placeOf(element, document.activeElement);
  element.replaceChildren(...pieces(children));
  return refocus(element, place);
}

/** Where in another one an element stands: a number for each level. */
function placeOf(root, element) {
  const place = [];
  if (root.contains(element)) {
    for (; element !== root; element = element.parentElement) {
      place.unshift([...element.parentElement.children].indexOf(element));
    }
  }
  return place;
}

/** Goes to what stands at a place now, when the focus is lost: else a reader begins anew. */
function refocus(root, place) {
  if (!place.length || document.activeElement !== document.body) return root;
  // Of what has become shorter, to the last.
  const found = place.reduce((at, index) => at.children[index] ?? at.lastElementChild ?? at, root);
  for (const each of [found, document.querySelector("h1")]) {
    if (document.activeElement === document.body) each?.focus({ preventScroll: true });
  }
  return root;
}

// What is kept in the browser

/** A setting of this browser; null when there is none, also where nothing can be kept. */
export function kept(key) {
  try { return localStorage.getItem("tg." + key); } catch { return null; }
}

/** Keeps a setting of this browser; null forgets it. */
export function keep(key, value) {
  try {
    if (value === null) localStorage.removeItem("tg." + key);
    else localStorage.setItem("tg." + key, value);
  } catch { /* A private window: it holds until the page is closed. */ }
}

// Words

const same = (text) => text;
let locale;
let words;
/** By what the words have a text: when they are packed, by a hash of so many signs. */
let code;
/** The language of the pages, `en` or `zh`. */
export let language;
/** What the management API says, in the language of the pages as far as they know it. */
export let said;

/** Begins a language: the one given or chosen before, else the browser's first. */
export async function speak(wanted = kept("language") ??
  (/^zh\b/i.test(navigator.languages?.[0] ?? "") ? "zh" : "en")) {
  ({ default: words, said, code = same } =
    wanted === "zh" ? await import("./zh.js") : { default: {}, said: same });
  language = wanted;
  locale = language === "zh" ? "zh-CN" : navigator.language || "en";
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
}

/** An English text in the language of the pages; `{0}`, `{1}` … stand for the values. */
export const t = (text, ...values) =>
  (words[code(text, 3)] ?? text).replace(/\{(\d)\}/g, (_, index) => values[index]);

/** The same with numbers as people read them: in English the word behind a 1 loses its s. */
export const counted = (text, ...numbers) => t(language === "zh" ? text : numbers.reduce(
  (text, each, index) => each !== "1" ? text
    : text.replace(RegExp(`(\\{${index}\\} \\w+)s\\b`), "$1"), text), ...numbers);

/** What the API says as an element; on a Chinese page a vendor's words are English. */
export const told = (text, words = said(text)) => h("span", {
  lang: language === "zh" && /[a-z] [a-z]/i.test(words) && !/[\u3000-\u9fff]/.test(words) && "en",
}, words);

// Numbers and times

const none = "–";

/** 1234567 as 1,234,567. */
export const number = (value, options) => value === null || value === undefined
  ? none : new Intl.NumberFormat(locale, options).format(value);
/** 1234567 as 1.2M. */
export const short = (value) => number(value, { notation: "compact", maximumFractionDigits: 1 });
/** 0.985 as 98.5%. */
export const percent = (value) => number(value, { style: "percent", maximumFractionDigits: 1 });
/** Money as the API tells it: a decimal text. */
export const money = (value, currency) =>
  number(value === null || value === undefined ? null : Number(value),
    { style: "currency", currency, maximumFractionDigits: Math.abs(value) < 1 ? 6 : 2 });
/** Milliseconds as 12 ms or 3.4 s. */
export const duration = (ms) => ms === null || ms === undefined ? none
  : ms < 1000 ? number(Math.round(ms)) + " ms"
    : number(ms / 1000, { maximumFractionDigits: 1 }) + " s";
/** Bytes as 1.5 MB. */
export function bytes(value) {
  if (value === null || value === undefined) return none;
  const step = value < 1000 ? 0 : value < 1e6 ? 1 : value < 1e9 ? 2 : 3;
  return number(value / 1000 ** step, { maximumFractionDigits: step ? 1 : 0 }) +
    " " + ["B", "kB", "MB", "GB"][step];
}
/** Unix seconds as date and time, or as Intl's options say. */
export const time = (seconds, options = { dateStyle: "medium", timeStyle: "medium" }) =>
  seconds === null || seconds === undefined ? none
    : new Intl.DateTimeFormat(locale, options).format(seconds * 1000);

// The management API

/**
 * A call that failed: `message` is for people, `code` and `status` for programs; `request` names
 * it in the log.
 */
export class ApiError extends Error {
  constructor(message, code, status, request = null) {
    super(message);
    Object.assign(this, { code, status, request });
  }
}

/** What happens when a login has ended, and when the gateway is out of reach. Set by app.js. */
export const hooks = { login: async () => false, lost() {}, found() {} };

/**
 * Calls the management API and returns the answer's `data`.
 * When the login has ended, asks for a new one and calls again, so that nothing typed is lost.
 */
export async function api(method, path, body, { signal } = {}) {
  const response = await send(method, "/api/v1" + path, body, signal);
  if (response.status === 401 && path !== "/auth/session" && await hooks.login()) {
    return api(method, path, body, { signal });
  }
  return (await checked(response)).data;
}

/** Whether a failure means that the login has ended, and not something of a client's token. */
const isLogin = ({ status, code }) => status === 401 && /^(login|session|invalid_login)/.test(code);

/**
 * The answer of a call as it is: for files and streams. Fails with an ApiError.
 * When the login has ended, asks for a new one and calls again.
 */
export async function fetchFrom(method, path, body, options = {}) {
  const response = await send(method, path, body, options.signal, options.headers);
  if (response.ok) return response;
  try {
    await checked(response);
  } catch (error) {
    if (isLogin(error) && await hooks.login()) return fetchFrom(method, path, body, options);
    throw error;
  }
}

async function send(method, path, body, signal, headers) {
  const isData = body !== undefined && !(body instanceof Blob);
  try {
    const response = await fetch(path, {
      method, signal, cache: "no-store",
      headers: { ...(isData ? { "Content-Type": "application/json" } : {}), ...headers },
      body: isData ? JSON.stringify(body) : body,
    });
    hooks.found();
    return response;
  } catch (error) {
    if (error.name === "AbortError") throw error;
    hooks.lost();
    throw new ApiError(t("The gateway cannot be reached."), "unreachable", 0);
  }
}

async function checked(response) {
  let answer = null;
  try { answer = await response.json(); } catch { /* Not the gateway's own words. */ }
  if (response.ok && answer) return answer;
  const message = answer?.message || answer?.error?.message;
  throw new ApiError(
    message ? said(message) : t("The gateway answered with status {0}.", response.status),
    answer?.code ?? answer?.error?.code ?? "", response.status,
    response.headers.get("X-Oneapi-Request-Id"));
}

/** Parameters behind a path; empty ones are left out. */
export function queryText(query) {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) =>
    value !== "" && value !== null && value !== undefined)).toString();
  return text && "?" + text;
}

/** Reads something: `get("/logs", { page: 2 })`. Empty parameters are left out. */
export const get = (path, query = {}, options) =>
  api("GET", path + queryText(query), undefined, options);

/** Calls `work` now and every so many milliseconds while the page is seen, until `signal`. */
export function every(milliseconds, work, signal) {
  const run = async () => {
    if (!document.hidden) {
      try { await work(); } catch (error) {
        if (error.name !== "AbortError" && !(error instanceof ApiError)) throw error;
      }
    }
    if (!signal.aborted) setTimeout(run, milliseconds);
  };
  return run();
}

// Messages and dialogs

/** Where notices stand: what is outside of an open dialog is neither seen well nor read aloud. */
const noticeArea = () => [...document.querySelectorAll(".notices")].at(-1);

/** Says something in passing; read aloud by screen readers. */
export function notice(text) {
  const line = h("div.notice", {}, text);
  noticeArea().append(line);
  setTimeout(() => line.remove(), 6000);
}

/** An error where it happened. */
export const problem = (error) => h("p.problem", { role: "alert" }, told(error.message ?? error));

/**
 * A button that works: disabled meanwhile, a failure is shown behind it.
 * `attributes.class` may be `primary`, `danger` or `quiet`.
 */
export function action(label, work, attributes = {}) {
  const button = h("button", { type: "button", ...attributes }, label);
  button.addEventListener("click", () => during(button, work));
  return button;
}

/** Runs `work` while a button is disabled and busy; shows a failure behind it. */
export async function during(button, work) {
  if (button.getAttribute("aria-busy")) return;
  button.nextElementSibling?.matches(".problem") && button.nextElementSibling.remove();
  button.setAttribute("aria-busy", "true");
  try {
    await work(button);
  } catch (error) {
    if (error.name !== "AbortError") button.after(problem(error));
  } finally {
    button.removeAttribute("aria-busy");
  }
}

let dialogCount = 0;

/** Opens a dialog and returns it; it is gone when it closes. Content gets a heading. */
export function openDialog(title, ...content) {
  const id = "dialog" + ++dialogCount;
  const notices = h("div.notices", { "aria-live": "polite" });
  const dialog = h("dialog", { "aria-labelledby": id }, h("h2", { id }, title), content, notices);
  const place = placeOf(document.body, document.activeElement);
  dialog.addEventListener("close", () => {
    dialog.remove();
    noticeArea()?.append(...notices.children);
    refocus(document.body, place);
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks once before something is destroyed; true when it shall be. */
export function ask(question, label) {
  return new Promise((resolve) => {
    const dialog = openDialog(question, h("form", { method: "dialog" }, h("div.actions", {},
      h("button", { value: "" }, t("Cancel")), h("button.danger", { value: "yes" }, label))));
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}
