// SPDX-License-Identifier: MIT
// The form of a channel, drawn from what the gateway says about the channel types.
import { api, counted, during, fill, get, h, number, said, t } from "./core.js";
import { advanced, area, checkedModel, keysOf, mappingOf, mappingText } from "./channel-fields.js";
import { oneOf } from "./combo.js";
import { choice } from "./fields.js";
import { drawField, openForm, same } from "./form.js";

const empty = { weight: 1, priority: 0, models: [], groups: ["default"], status: true,
  location: "auto", wake_policy: "hold" };

/**
 * Opens the form: of `channel`, of a copy of it with `isCopy`, or of a new one. Gives the channel
 * as it was saved, undefined when the form was left before.
 */
export function editChannel({ channel, isCopy, types, groups }) {
  const form = new ChannelForm(channel, isCopy, types);
  return openForm({
    title: channel && !isCopy ? t("Edit {0}", channel.name) : t("New channel"),
    fields: form.fields(groups), value: form.value,
    intro: isCopy && h("p", {}, t("Keys and secret values are not copied: enter them again.")),
    save: (values) => form.save(values),
    ready: (inputs, send) => form.ready(inputs, send),
  });
}

class ChannelForm {
  constructor(channel, isCopy, types) {
    this.types = types;
    this.id = isCopy ? undefined : channel?.id;
    this.stored = this.id ? shown(channel) : {};
    this.value = channel ? { ...channel, status: channel.status !== "disabled" } : { ...empty };
    this.hints = this.id ? channel.key_hints : [];
    if (isCopy) {
      this.value.name = t("{0} (copy)", channel.name);
      this.value.headers = withoutHints(channel.headers);
      this.value.config = withoutHints(channel.config);
    }
    this.type = types.find((type) => type.slug === this.value.type);
  }

  fields(groups) {
    const choose = (slug) => this.choose(slug);
    const type = { name: "type", label: t("Type"), required: true,
      type: oneOf(this.types.map(({ slug, name }) => [slug, name]), choose) };
    const name = { name: "name", label: t("Name"), required: true, maxlength: 128 };
    return [
      ...this.id ? [name, type] : [type, name],
      { name: "base_url", label: t("Base URL"), inputmode: "url", maxlength: 1024,
        check: (text) => this.checkAddress(text) },
      { name: "keys", label: t("API keys"), type: (...given) => this.keysInput(...given),
        check: (keys) => this.checkKeys(keys) },
      { name: "config", label: t("Settings of the type"),
        type: (value) => this.configInput(value) },
      { name: "models", label: t("Models"), type: (...given) => this.modelsInput(...given),
        check: (models) => this.checkModels(models) },
      { name: "model_mapping", label: t("Model mapping"), type: area(mappingText, mappingOf),
        placeholder: "gpt-4o:qwen-max",
        help:
          t("One a line, public:upstream. Where the public name has a colon: llama3:8b => x.") },
      { name: "groups", label: t("Channel groups"),
        type: choice({ label: t("Channel groups"), names: groups }),
        help: t("None chosen: default.") },
      { name: "weight", label: t("Weight"), type: "number", min: 0, max: 1000, required: true,
        class: "half", help: t("Its share among channels of the same priority.") },
      { name: "priority", label: t("Priority"), type: "number", required: true, class: "half",
        min: -1000000, max: 1000000, help: t("Higher ones first.") },
      { name: "status", label: t("Enabled"), type: "checkbox" },
      ...advanced(),
    ];
  }

  /** What the other inputs say for the type that was chosen. */
  choose(slug) {
    const before = this.type;
    this.type = this.types.find((type) => type.slug === slug);
    const { name, base_url, keys } = this.inputs;
    if (!name.input.value || name.input.value === before?.name) name.input.value = this.type.name;
    base_url.input.placeholder = this.type.default_base_url;
    base_url.field.help = this.type.default_base_url && t("Empty: the vendor's own, as shown.");
    keys.field.help = [
      this.hints.length > 0 && t("Stored: {0}. Empty: these stay.", this.hints.join(", ")),
      this.stored.type && t("Needed again when the address changes."),
      this.type.key_form ? t("One a line, such as {0}", this.type.key_form) : t("One a line."),
    ].filter(Boolean).join(" ");
    base_url.need(this.needs("base_url"));
    keys.need(this.needs("keys") && !this.hints.length);
    this.file.hidden = !this.isJSON();
    [base_url, keys, name].forEach((each) => each.fail());
    this.drawConfig({});
    this.models.describe();
  }

  ready(inputs, send) {
    this.inputs = inputs;
    this.send = send;
    const config = this.value.config;
    if (this.type) this.choose(this.type.slug);
    this.drawConfig(config ?? {});
  }

  needs(name) {
    return !!this.type?.fields.some((field) => field.name === name && field.required);
  }

  checkAddress(text) {
    if (!text) return this.needs("base_url") ? t("This type needs an address.") : null;
    return /^https?:\/\/[^\s/?#@]+[^\s?#@]*$/i.test(text) ? null
      : t("An address begins with http:// or https:// and has no user, ? or #.");
  }

  // Keys

  isJSON() { return !!this.type?.key_form.startsWith("{"); }

  keysInput(value, changed, attributes) {
    const { element: input } = area(() => "", String)(null, changed, attributes);
    this.file = h("input", { type: "file", accept: ".json", multiple: true, hidden: true,
      "aria-label": t("JSON files of service accounts"), onchange: async () => {
        for (const file of this.file.files) input.value += await file.text() + "\n";
        input.dispatchEvent(new Event("input", { bubbles: true }));
      } });
    return { element: h("div", {}, input, this.file), read: () => {
      const keys = keysOf(input.value, this.isJSON());
      // A channel that is there keeps its keys without new ones.
      return keys.length || !this.id ? keys : undefined;
    } };
  }

  checkKeys(keys) {
    if (!keys?.length) {
      return this.needs("keys") && !this.hints.length ? t("This type needs a key.") : null;
    }
    const wrong = keys.findIndex((key) => !this.isJSON() && /[^!-~]/.test(key));
    return wrong < 0 ? null : t("Key {0} has a space or a character that no key has.", wrong + 1);
  }

  // Settings of the type

  configInput() {
    this.config = [];
    this.configArea = h("div", {});
    return {
      element: this.configArea, inner: () => this.config,
      read: () => Object.fromEntries(this.config.map((each) =>
        [each.field.name.slice(7), each.read()]).filter(([, value]) => value)),
    };
  }

  drawConfig(values) {
    const own = this.type?.fields.filter((field) => field.name.startsWith("config.")) ?? [];
    this.config = own.map((field) => drawField({
      name: field.name, label: said(field.label), required: field.required,
      type: field.choices.length ? "select" : "text",
      options: field.choices.length ? [["", field.default
        ? t("Default: {0}", field.default) : t("Not set")], ...field.choices] : null,
      placeholder: field.default || field.example,
    }, values[field.name.slice(7)]));
    fill(this.configArea, this.config.map((each) => each.element));
    this.inputs.config.element.hidden = !own.length;
  }

  // Models

  checkModels(models) {
    models.forEach(checkedModel);
    return !models.length && !this.models.isDefault() && !this.isAsking &&
      t("Choose at least one model.");
  }

  modelsInput(value, changed, attributes) {
    const pick = choice({ label: t("Models"), names: value ?? [], byHand: true,
      unknown: t("not in the list") });
    const some = pick(value, changed, attributes);
    let listed = null;
    let isUntouched = !value?.length;
    const own = () => this.type?.models ?? [];
    const isAll = h("input", { type: "checkbox", checked: isUntouched,
      onchange: () => describe() });
    const all = h("span", {});
    const names = h("small", {});
    const told = h("small", { role: "status" });
    const bulk = (label, chosen) => h("button.quiet", { type: "button", onclick() {
      pick.choose(chosen());
      changed();
    } }, label);
    const chosen = h("div", {}, some.element, bulk(t("All"), () => listed ?? own()),
      bulk(t("None"), () => []));
    const describe = () => {
      chosen.hidden = isAll.checked;
      names.hidden = !isAll.checked;
      fill(all, own().length ? counted("The built-in list: {0} models", number(own().length))
        : t("Any model that is asked for"));
      fill(names, own().join(", "));
      if (isAll.checked) return;
      pick.offer(listed ?? own());
      // Who leaves the built-in list begins with all of it.
      if (isUntouched) pick.choose(listed ? own().filter((name) => listed.includes(name)) : own());
      isUntouched = false;
    };
    this.models = { describe, isDefault: () => isAll.checked };
    const ask = h("button", { type: "button", onclick: () => during(ask, async () => {
      const models = await this.ask();
      if (!models) return;
      isUntouched ||= isAll.checked;
      listed = models;
      isAll.checked = false;
      describe();
      changed();
      fill(told, counted("The upstream has {0} models. Choose those that shall be served.",
        number(models.length)),
      this.isSwitchedOff && " " + t("The channel is saved, but off until you save this form."));
    }) }, t("Save and ask the upstream for its models"));
    describe();
    return { element: h("div.models", {}, h("label.box", {}, isAll, all), names, chosen, ask, told),
      read: () => isAll.checked ? [] : some.read() };
  }

  /** The upstream's models, for which the gateway must know the channel; null when it cannot. */
  async ask() {
    this.isAsking = true;
    try {
      if (!await this.send()) return null;
    } finally {
      this.isAsking = false;
    }
    return (await get(`/channels/${this.id}/models`)).models;
  }

  // Saving

  async save(values) {
    values.status = values.status ? "enabled" : "disabled";
    if (this.isAsking) delete values.models;
    // A new channel serves nothing before its models have been chosen.
    if (this.isAsking && !this.id) {
      this.isSwitchedOff = values.status === "enabled";
      values.status = "disabled";
    }
    const changes = Object.fromEntries(Object.entries(values).filter(([name, value]) =>
      !same(value, this.stored[name])));
    if (this.id && !Object.keys(changes).length) return this.stored;
    try {
      const saved = await (this.id ? api("PUT", "/channels/" + this.id, changes)
        : api("POST", "/channels", changes));
      this.id = saved.id;
      this.hints = saved.key_hints;
      this.stored = shown(saved);
      return saved;
    } catch (error) {
      const [, field] = error.message.match(/^Changing .*send (keys|headers|config)/) ?? [];
      if (field) {
        error.message = field + " " + t("must be entered again, since the address changes.");
      }
      throw error;
    }
  }
}

/** A channel as its owner set it: enabled, also when the gateway has switched it off. */
const shown = (channel) => ({ ...channel,
  status: channel.status === "disabled" ? "disabled" : "enabled" });

/** Values that are shown as hints only cannot be copied. */
const withoutHints = (values) => Object.fromEntries(
  Object.entries(values).filter(([, value]) => !value.includes("…")));
