// SPDX-License-Identifier: MIT
// Testing channels, and what is done to many of them, one after the other.
import { api, during, duration, fill, h, openDialog, said, t } from "./core.js";
import { drawField, openForm } from "./form.js";

/** The outcome of a test in plain words. */
const verdict = (result) => result.ok
  ? h("span.good", {}, t("It works: {0} answered after {1}.", result.model,
    duration(result.latency_ms)))
  : h("span.bad", {}, t("It does not work with {0}: {1}", result.model, said(result.error)));

const test = (channel, model) =>
  api("POST", `/channels/${channel.id}/test`, model ? { model } : {});

/** Opens the test of a channel, and tests at once when it is known with which model. */
export function openTest(channel, type) {
  const listed = channel.models.length ? channel.models : type?.models ?? [];
  const all = [...new Set([...listed, ...Object.keys(channel.model_mapping)])];
  const chats = all.filter((name) => !/embed|bge-|rerank/i.test(name));
  // Where there is nothing else, the upstream may say so itself.
  const models = chats.length ? chats : all;
  const field = drawField({ name: "model", label: t("Model"), required: true, maxlength: 128,
    type: listed.length ? "select" : "text", options: models }, models[0]);
  const answer = h("p.answer", { role: "status" });
  const button = h("button.primary", { type: "submit" }, t("Test"));
  const run = () => during(button, async () => {
    fill(answer, t("Asking…"));
    try {
      fill(answer, verdict(await test(channel, field.read())));
    } catch (error) {
      fill(answer);
      throw error;
    }
  });
  const dialog = openDialog(t("Test {0}", channel.name), h("form", {
    onsubmit(event) { event.preventDefault(); run(); },
  }, field.element, answer, h("p", {}, h("small", {},
    t("A real request with one token; the vendor may charge it."))),
  h("div.actions", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("Close")),
    button)));
  if (models.length) run();
}

/** Tests channels one after the other, each with its first model; closing the dialog stops. */
export async function testInTurn(channels) {
  const title = t("Testing");
  const bar = h("progress", { max: channels.length, value: 0, "aria-label": title });
  const lines = h("ul.results", { "aria-live": "polite" });
  const close = h("button", { type: "button", onclick: () => dialog.close() }, t("Stop"));
  const dialog = openDialog(title, bar, lines, h("div.actions", {}, close));
  for (const channel of channels) {
    if (!dialog.open) return false;
    const outcome = await test(channel).then(verdict, (error) => h("span.bad", {}, error.message));
    lines.append(h("li", {}, h("strong", {}, channel.name), " ", outcome));
    bar.value++;
  }
  close.textContent = t("Close");
  // The rows stay chosen: what was tested is often what is changed next.
  return false;
}

/** Gives channels another weight. */
export const setWeight = async (channels) => await openForm({
  title: t("Set weight"), value: { weight: 1 },
  fields: [{ name: "weight", label: t("Weight"), type: "number", min: 0, max: 1000,
    required: true }],
  async save({ weight }) {
    for (const channel of channels) await api("PUT", "/channels/" + channel.id, { weight });
    return true;
  },
}) ?? false;
