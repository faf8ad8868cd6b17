// SPDX-License-Identifier: MIT
// Accounts: who may log in, with which rights and how much quota.
import { action, api, get, h, t } from "./core.js";
import { date, quotaField, statusBadge, usage } from "./fields.js";
import { openForm } from "./form.js";
import { deleteButton, drawList, getAll } from "./list.js";
import { newPassword, showOnce, switchButton } from "./once.js";

const roles = () => [["user", t("User")], ["admin", t("Administrator")], ["root", t("Root")]];
const roleName = (role) => roles().find(([name]) => name === role)?.[1] ?? role;

/** Draws the page. */
export async function mount(root, { signal, query, may }) {
  const [self, options, groups] = await Promise.all([get("/users/self", {}, { signal }),
    get("/options", {}, { signal }), getAll("/user-groups", {}, { signal })]);
  const page = { self, options, may, groups: groups.map((group) => group.name) };
  const all = ["", t("all")];

  const list = drawList(root, {
    signal, path: "/users", caption: t("Users"), values: Object.fromEntries(query),
    create: [t("New user"), () => edit(page)],
    filters: [
      { name: "username", label: t("User name"), maxlength: 64 },
      { name: "group", label: t("User group"), type: "select", options: [all, ...page.groups] },
      { name: "role", label: t("Role"), type: "select", options: [all, ...roles()] },
      { name: "status", label: t("Status"), type: "select", options: [
        all, ["enabled", t("enabled")], ["disabled", t("disabled")]] },
    ],
    columns: [
      { label: t("User name"), value: (user) => user.username },
      { label: t("Role"), value: (user) => roleName(user.role) },
      { label: t("User group"), value: (user) => user.group },
      { label: t("Used"), value: (user) => usage(user, options) },
      { label: t("Created"), value: (user) => date(user.created_at) },
      { label: t("Status"), value: (user) => [statusBadge(user.status),
        user.must_change_password && h("div", {}, h("small", {}, t("must change the password")))] },
    ],
    actions: (user, reload) => actions(page, user, reload),
  });
  await list.ready;
}

/** What the caller may do with an account: administrators are changed by root only. */
function actions(page, user, reload) {
  const { self, may } = page;
  const mayChange = user.role === "user" || may("root");
  const isOther = user.id !== self.id;
  return [
    mayChange && action(t("Edit"), async () => { if (await edit(page, user)) await reload(); },
      { class: "quiet" }),
    mayChange && user.quota !== null && action(t("Top up"), async () => {
      if (await topUp(page, user)) await reload();
    }, { class: "quiet" }),
    (user.role === "user" || may("root") || !isOther) &&
      h("a.button.quiet", { href: "#/tokens?user_id=" + user.id }, t("Tokens")),
    mayChange && isOther && switchButton("/users", user, reload),
    mayChange && isOther && deleteButton(user.username, async () => {
      await api("DELETE", "/users/" + user.id);
      await reload();
    }),
  ].filter(Boolean);
}

/** A password to hand out, with a button for another one. */
const passwordType = (isNew) => (value, changed, attributes) => {
  const input = h("input", { ...attributes, autocomplete: "new-password", spellcheck: "false",
    value: isNew ? newPassword() : "" });
  return { element: h("div.search", {}, input, h("button", {
    type: "button", onclick() {
      input.value = newPassword();
      input.dispatchEvent(new Event("input", { bubbles: true }));
    },
  }, t("Generate"))), read: () => input.value || undefined };
};

function fields({ options, groups, may, self }, user) {
  const isOther = user?.id !== self.id;
  return [
    { name: "username", label: t("User name"), required: true, maxlength: 64,
      autocomplete: "off" },
    isOther && { name: "password", label: user ? t("New password") : t("Password"),
      type: passwordType(!user), required: !user, minlength: 8, maxlength: 128,
      help: user ? t("Empty: the old one stays. A new one ends every login of the user.")
        : t("8 to 128 characters. It is shown once more after saving.") },
    isOther && { name: "must_change_password", label: t("Must choose another at the next login"),
      type: "checkbox" },
    isOther && may("root") && { name: "role", label: t("Role"), type: "select", class: "half",
      options: roles() },
    { name: "group", label: t("User group"), type: "select", options: groups, class: "half" },
    quotaField({ name: "quota", label: t("Quota in units, in all"),
      help: t("Empty: no limit.") }, options),
  ].filter(Boolean);
}

async function edit(page, user) {
  const { options } = page;
  let secret;
  const saved = await openForm({
    title: user ? t("Edit {0}", user.username) : t("New user"),
    value: user ?? { role: "user", must_change_password: true, group: options.new_user_group,
      quota: options.new_user_quota },
    changesOnly: !!user, fields: fields(page, user),
    save: (values) => {
      secret = values.password;
      // A new password would take the wish to change it back.
      if (user && secret) {
        values = { must_change_password: user.must_change_password, ...values };
      }
      return user ? api("PUT", "/users/" + user.id, values) : api("POST", "/users", values);
    },
  });
  if (saved && secret) {
    await showOnce(t("Login of {0}", saved.username),
      t("Hand it out now: the password is never shown again."),
      [location.origin + "/", t("User name") + ": " + saved.username,
        t("Password") + ": " + secret].join("\n"), { file: "login.txt" });
  }
  return saved;
}

const topUp = ({ options }, user) => openForm({
  title: t("Top up {0}", user.username), submit: t("Top up"),
  intro: h("p", {}, usage(user, options)),
  fields: [quotaField(
    { name: "quota", label: t("Units to add"), required: true, min: 1 }, options)],
  save: (values) => api("POST", "/users/" + user.id + "/top-up", values),
});
