// SPDX-License-Identifier: MIT
// Fields of a channel's form that depend on no other: how they are written and read.
import { h, t } from "./core.js";
import { lines } from "./form.js";

const modelName = /^[\w.:/@+-]{1,128}$/;

/** A model's name as a person typed it; fails when no model can have it. */
export function checkedModel(text) {
  if (modelName.test(text)) return text;
  throw new Error(t("{0} is no name of a model: letters, digits and . _ : / @ + - only.", text));
}

/** Keys, one a line; with `isJSON` each one is a whole JSON file. */
export function keysOf(text, isJSON) {
  if (!isJSON || !text.trim().startsWith("{")) return lines(text);
  return text.trim().split(/(?<=\})\s*(?=\{)/).map((key, index) => {
    try {
      JSON.parse(key);
    } catch {
      throw new Error(t("Key {0} is no complete JSON file.", index + 1));
    }
    return key;
  });
}

/** Lines `public:upstream`; `public => upstream` where the public name has a colon. */
export function mappingOf(text) {
  const result = {};
  lines(text).forEach((line, index) => {
    const [, key, name] = line.match(/^(\S+)\s*=>\s*(\S+)$/) ??
      line.match(/^([^:\s]+)\s*:\s*(\S+)$/) ?? [];
    if (!modelName.test(key ?? " ") || !modelName.test(name)) {
      throw new Error(t("Line {0} needs a public name, a colon and the upstream's name.",
        index + 1));
    }
    if (Object.hasOwn(result, key)) {
      throw new Error(t("Line {0}: {1} stands twice.", index + 1, key));
    }
    result[key] = name;
  });
  return result;
}

/** A mapping as such lines. */
export const mappingText = (mapping) => Object.entries(mapping ?? {}).map(([key, name]) =>
  key + (key.includes(":") ? " => " : ":") + name).join("\n");

/** A text area whose text is read by `parse`. */
export const area = (write, parse) => (value, changed, attributes) => {
  const input = h("textarea", { rows: 3, spellcheck: "false", autocapitalize: "off",
    autocomplete: "off", ...attributes, value: write(value) });
  return { element: input, read: () => parse(input.value) };
};

/** Fields that few channels need. */
export const advanced = () => [
  { name: "max_concurrency", label: t("Requests at once"), type: "number", empty: 0, min: 0,
    max: 100000, help: t("Empty or 0: no limit.") },
  ...[["connect_timeout_ms", t("Time to connect (ms)")],
    ["first_byte_timeout_ms", t("Time to the first byte (ms)")],
    ["idle_timeout_ms", t("Longest silence (ms)")],
  ].map(([name, label]) => ({ name, label, type: "number", empty: 0, min: 0,
    max: 3600000,
    help: t("Empty or 0: as the settings say.") })),
  { name: "headers", label: t("Further headers"), type: "pairs",
    help: t("One a line: a name, a colon, the value.") },
  { name: "location", label: t("Location"), type: "select", options: [
    ["auto", t("As the address says")], ["local", t("In the local network")],
    ["cloud", t("In the internet")]],
  help: t("Local channels still answer while the internet is gone.") },
  { name: "wake_mac", label: t("Wake the machine: hardware address"),
    placeholder: "aa:bb:cc:dd:ee:ff", check: (text) =>
      text && !/^([\da-f]{2}[:-]){5}[\da-f]{2}$/i.test(text) &&
        t("Six pairs such as aa:bb:cc:dd:ee:ff."),
    help: t("Empty: it is never woken.") },
  { name: "wake_broadcast", label: t("Wake-up packet to"), placeholder: "255.255.255.255" },
  { name: "wake_timeout_ms", label: t("Time to wake (ms)"), type: "number", empty: 0, min: 0,
    max: 600000,
    help: t("Empty or 0: 60000.") },
  { name: "wake_policy", label: t("Requests meanwhile"), type: "select", options: [
    ["hold", t("wait")], ["fallback", t("go to another channel")]] },
].map((field) => ({ ...field, advanced: true }));
