// SPDX-License-Identifier: MIT
// The frame: who is logged in, which page is shown, language and theme, a lost connection.
import {
  action, api, ApiError, during, every, fill, h, hooks, keep, kept, language, notice, openDialog,
  problem, speak, t,
} from "./core.js";

/** Pages by their name in the address: title, roles that see it, module. */
const pages = () => ({
  dashboard: [t("Dashboard"), "user"],
  playground: [t("Playground"), "user"],
  tokens: [t("Tokens"), "user"],
  logs: [t("Logs"), "user"],
  channels: [t("Channels"), "admin"],
  "channel-groups": [t("Channel groups"), "admin"],
  users: [t("Users"), "admin"],
  "user-groups": [t("User groups"), "admin"],
  prices: [t("Prices"), "admin"],
  redemptions: [t("Redemption codes"), "admin"],
  settings: [t("Settings"), "admin"],
  backup: [t("Backup and restore"), "root"],
  account: [t("My account"), "user"],
  about: [t("About and doctor"), "admin"],
});
const ranks = ["user", "admin", "root"];

let session = null;
let shown = null; // The controller of the page that is shown.

const may = (role) => ranks.indexOf(session.role) >= ranks.indexOf(role);

// Login

/** A labelled input of the login's forms. */
function input(label, attributes) {
  return h("label.field", {}, h("span", {}, label), h("input", { required: true, ...attributes }));
}

/** A form with one button; `work` gets the inputs' values by name. */
function form(label, inputs, work) {
  const button = h("button.primary", { type: "submit" }, label);
  return h("form", {
    onsubmit(event) {
      event.preventDefault();
      during(button, () => work(Object.fromEntries(new FormData(event.target))));
    },
  }, inputs, h("div.actions", {}, button));
}

const credentials = (username) => [
  input(t("User name"), { name: "username", autocomplete: "username", value: username ?? "",
    autofocus: !username, maxlength: 64 }),
  input(t("Password"), { name: "password", type: "password", autofocus: !!username,
    autocomplete: "current-password", maxlength: 128 }),
];

async function enter(values) {
  session = await api("POST", "/auth/session", values);
  keep("session", "1");
}

/** The whole window for one form. */
function only(title, ...content) {
  document.title = title + " – TinyGateway";
  fill(document.body, notices(), h("main.alone", { id: "main" },
    h("p.brand", {}, "TinyGateway"), h("h1", { tabindex: "-1" }, title), content,
    h("div.choices", {}, choices())));
  (document.querySelector("[autofocus]") ?? document.querySelector("h1")).focus();
}

function showLogin() {
  only(t("Log in"), form(t("Log in"), credentials(), async (values) => {
    await enter(values);
    open();
  }));
}

function showPasswordChange() {
  only(t("Choose a password"),
    h("p", {}, t("The first password is known to everybody. Choose one of your own.")),
    form(t("Change password"), [
      h("input", { type: "hidden", autocomplete: "username", value: session.username }),
      input(t("Present password"), { name: "old_password", type: "password", autofocus: true,
        autocomplete: "current-password" }),
      input(t("New password"), { name: "new_password", type: "password", minlength: 8,
        maxlength: 128, autocomplete: "new-password" }),
      input(t("New password again"), { name: "again", type: "password",
        autocomplete: "new-password" }),
    ], async ({ again, ...values }) => {
      await changePassword(values, again);
      open();
    }));
}

/** Changes the own password and logs in with it; `again` is what was typed a second time. */
export async function changePassword(values, again) {
  if (again !== values.new_password) throw new Error(t("The two new passwords differ."));
  await api("PUT", "/users/self/password", values);
  await enter({ username: session.username, password: values.new_password });
}

/** Who is logged in: `username`, `role`. */
export const who = () => session;

/** Asks for a new login above the page, so that what was typed there stays; one at a time. */
let asking = null;
hooks.login = async () => session && shown ? asking ??= askForLogin() : false;

const askForLogin = () => new Promise((resolve) => {
  const dialog = openDialog(t("Log in again"),
    h("p", {}, t("Your login has ended. What you typed is still here.")),
    form(t("Log in"), credentials(session.username), async (values) => {
      const before = session.username;
      await enter(values);
      if (session.username !== before || session.must_change_password) location.reload();
      dialog.close("done");
    }));
  dialog.addEventListener("close", () => {
    asking = null;
    resolve(dialog.returnValue === "done");
    if (dialog.returnValue !== "done") leave();
  });
});

/** Forgets the login and shows the form; the address stays. */
function leave() {
  session = null;
  keep("session", null);
  shown?.abort();
  shown = null;
  showLogin();
}

// A lost connection

let isLost = false;
hooks.lost = () => {
  if (isLost) return;
  isLost = true;
  const banner = h("div.banner", { role: "alert", id: "lost" },
    t("The connection to the gateway is lost. Trying again…"));
  document.body.prepend(banner);
  const retry = setInterval(() => fetch("/api/v1/health", { cache: "no-store" }).then(() => {
    clearInterval(retry);
    hooks.found();
  }, () => {}), 2000);
};
hooks.found = () => {
  if (!isLost) return;
  isLost = false;
  document.getElementById("lost")?.remove();
  notice(t("Connected again."));
  document.dispatchEvent(new Event("found"));
};

// The frame

const notices = () => h("div.notices", { id: "notices", role: "status" });

/** What one types into outside of dialogs and tables, whose rows may be others the next time. */
const inputs = () => [...document.querySelectorAll(
  "main :is(input:not([type=hidden], [type=file]), select, textarea):not(table *)")];

/** Shows everything in the other language; what was typed stays. */
async function changeLanguage() {
  const other = language === "zh" ? "en" : "zh";
  await speak(other);
  keep("language", other);
  const typed = inputs();
  await (session ? open() : start());
  inputs().forEach((input, index) => {
    const { name, value, checked } = typed[index] ?? {};
    if (input.name !== name || (input.value === value && input.checked === checked)) return;
    Object.assign(input, { value, checked });
    for (const type of ["input", "change"]) input.dispatchEvent(new Event(type, { bubbles: true }));
  });
  document.getElementById("language")?.focus();
}

/** Language and theme. */
function choices() {
  const themes = { auto: t("Theme: as the device"), light: t("Light"), dark: t("Dark") };
  return [
    action(language === "zh" ? "English" : "中文", changeLanguage,
      { class: "quiet", id: "language", lang: language === "zh" ? "en" : "zh-CN" }),
    h("select", { "aria-label": t("Theme"), id: "theme", onchange() { setTheme(this.value); } },
      Object.entries(themes).map(([value, label]) =>
      h("option", { value, selected: (kept("theme") ?? "auto") === value }, label))),
  ];
}

function setTheme(theme) {
  keep("theme", theme === "auto" ? null : theme);
  document.documentElement.dataset.theme = theme;
}

function showFrame() {
  const menu = h("nav", { id: "menu", "aria-label": t("Pages") });
  for (const [name, [title, role]] of Object.entries(pages())) {
    if (may(role)) menu.append(h("a", { href: "#/" + name }, title));
  }
  const toggle = h("button.quiet.toggle", {
    type: "button", "aria-expanded": "false", "aria-controls": "menu",
    onclick() { openMenu(!menu.classList.contains("open")); },
  }, t("Menu"));
  const openMenu = (isOpen) => {
    menu.classList.toggle("open", isOpen);
    toggle.setAttribute("aria-expanded", isOpen);
  };
  menu.addEventListener("click", () => openMenu(false));
  fill(document.body, document.getElementById("lost"),
    h("a.skip", { href: "#main", onclick(event) {
      event.preventDefault();
      document.querySelector("h1")?.focus();
    } }, t("To the content")),
    h("header.top", {}, toggle, h("a.brand", { href: "#/dashboard" }, "TinyGateway"),
      h("div.choices", {}, choices(), h("span.name", {}, session.username), action(t("Log out"),
        () => api("DELETE", "/auth/session").then(leave), { class: "quiet", id: "logout" }))),
    menu, notices(), h("main", { id: "main" }));
}

/** Shows the page of the address. */
async function showPage() {
  if (!session || session.must_change_password) return;
  const [address, query] = location.hash.replace(/^#\/?/, "").split("?");
  const name = address || "dashboard";
  const [title, role] = pages()[name] ?? [];
  shown?.abort();
  const controller = shown = new AbortController();
  for (const link of document.querySelectorAll("#menu a")) {
    link.ariaCurrent = link.getAttribute("href") === "#/" + name ? "page" : null;
  }
  const heading = h("h1", { tabindex: "-1" }, title ?? t("There is no such page"));
  const content = h("div", { id: "page", "aria-busy": "true" });
  fill(document.getElementById("main"), heading, content);
  document.title = heading.textContent + " – TinyGateway";
  heading.focus({ preventScroll: true });
  scrollTo(0, 0);
  try {
    if (title && !may(role)) throw new ApiError(t("Your account may not see this page."));
    if (title) {
      const page = await import(`./${name}.js`);
      await page.mount(content, { signal: controller.signal, session, may,
        query: new URLSearchParams(query) });
    }
  } catch (error) {
    if (error.name !== "AbortError") await showFailure(content, error, controller);
  } finally {
    content.removeAttribute("aria-busy");
  }
}

/** Says why a page cannot be seen, and tries again when a lost connection is found again. */
async function showFailure(content, error, { signal }) {
  const isModule = error instanceof TypeError && /import|module/i.test(error.message);
  // A module that does not come may have the connection for its reason.
  const check = () => api("GET", "/health");
  const failure = isModule ? await check().then(() => null, (lost) => lost) : error;
  if (signal.aborted) return;
  // Browsers remember that a module did not come.
  const again = isModule ? () => check().then(() => location.reload()) : showPage;
  fill(content, problem(failure ??
    t("This page could not be loaded. The gateway may have been updated.")),
  action(t("Load again"), again));
  document.addEventListener("found", again, { once: true, signal });
  if (!(error instanceof ApiError) && !isModule) console.error(error);
}

/** What is to be seen after a login, or a change of it. */
function open() {
  if (session.must_change_password) return showPasswordChange();
  showFrame();
  return showPage();
}

addEventListener("hashchange", (event) => {
  // A form with changes may refuse to be left; see form.js.
  if (document.dispatchEvent(new CustomEvent("leaving", { cancelable: true, detail: event }))) {
    showPage();
  }
});

async function start() {
  setTheme(kept("theme") ?? "auto");
  await speak();
  // Without a mark of a login there is none: the first page then costs no call.
  if (!kept("session")) return showLogin();
  try {
    session = await api("GET", "/auth/session");
  } catch (error) {
    if (error.status !== 401) {
      only(t("No connection"), problem(error), action(t("Try again"), () => location.reload()));
      return every(3000, () => api("GET", "/health").then(() => location.reload()),
        new AbortController().signal);
    }
    return leave();
  }
  return open();
}
start();
