// SPDX-License-Identifier: MIT
// The playground's request: what is asked for, its body, and the same as a program.
import { oneOf } from "./combo.js";
import { counted, h, keep, number, t } from "./core.js";
import { drawField } from "./form.js";

/**
 * Model, token and parameters, kept in `values`: `{ element, isRight() }`. Its `changed()` may be
 * set by the caller.
 */
export function drawSetup(values, models, tokens) {
  const setup = { changed() {} };
  const draw = (field) => drawField(field, values[field.name], () => {
    try { values[field.name] = each[field.name].read(); } catch { /* It is said there. */ }
    if (field.name === "model") keep("playground.model", values.model);
    setup.changed();
  });
  const within = (low, high) => (value) => value !== null && (value < low || value > high)
    && t("From {0} to {1}.", low, high);
  const optional = { type: "number", placeholder: t("the model’s own") };
  const fields = [
    { name: "model", label: t("Model"), type: oneOf(models.map((name) => [name, name])),
      help: models.length ? counted("{0} models; type to search.", number(models.length))
        : t("No channel serves a model to you now.") },
    { name: "token", label: t("Token"), type: "select",
      options: tokens.map(({ id, name, status }) => [
        String(id), status === "enabled" ? name : t("{0} (disabled)", name)]) },
    { name: "system", label: t("System prompt"), type: "textarea", rows: 3 },
    { name: "temperature", label: t("Temperature"), ...optional, step: "any",
      check: within(0, 2) },
    { name: "top_p", label: "top_p", ...optional, step: "any", check: within(0, 1) },
    { name: "max_tokens", label: t("Most tokens of an answer"), ...optional,
      check: within(1, 1e7) },
    { name: "stream", label: t("Show the answer as it comes"), type: "checkbox" },
  ];
  const each = {};
  if (!tokens.some(({ id }) => String(id) === values.token)) {
    const usable = tokens.filter(({ status }) => status === "enabled");
    values.token = String((usable.find(({ name }) => name === "playground") ?? usable[0]
      ?? tokens[0]).id);
  }
  if (!models.includes(values.model)) values.model = models[0] ?? "";
  for (const field of fields) each[field.name] = draw(field);
  const { model, token, ...rest } = each;
  setup.element = h("section.card.setup", { "aria-label": t("What is asked") },
    h("div.pair", {}, model.element, token.element),
    h("details", {}, h("summary", {}, t("System prompt and parameters")), rest.system.element,
      h("div.pair", {}, rest.temperature.element, rest.top_p.element, rest.max_tokens.element),
      rest.stream.element));
  setup.isRight = () => Object.values(each).every((one) => one.check()) && !!values.model;
  return setup;
}

/** Turns in the API's form. */
function messages(turns, system) {
  const said = turns.filter((turn) => turn.text || turn.images?.length).map((turn) => ({
    role: turn.role,
    content: turn.images?.length
      ? [...(turn.text ? [{ type: "text", text: turn.text }] : []), ...turn.images.map((url) =>
        ({ type: "image_url", image_url: { url } }))]
      : turn.text,
  }));
  return system ? [{ role: "system", content: system }, ...said] : said;
}

/** The request's body. */
export function bodyOf(values, turns) {
  const { model, stream } = values;
  const body = { model, messages: messages(turns, values.system) };
  for (const name of ["temperature", "top_p", "max_tokens"]) {
    const value = values[name];
    if (value !== null && value !== undefined && value !== "") body[name] = value;
  }
  if (stream) Object.assign(body, { stream, stream_options: { include_usage: true } });
  return body;
}

// As a program

/** A request's body without the bulk of its images, which nobody wants to read. */
const readable = (body) => JSON.parse(JSON.stringify(body), (key, value) =>
  key === "url" && value.length > 100 ? value.slice(0, value.indexOf(",") + 1) + "…" : value);

/** Whether the body holds an image that `curl` and `python` cut. */
export const isCut = (body) => JSON.stringify(readable(body)) !== JSON.stringify(body);

/** A command for a shell of POSIX. */
export function curl(body) {
  const text = JSON.stringify(readable(body), null, 1).replace(/'/g, "'\\''");
  return `curl -N ${location.origin}/v1/chat/completions \\
  -H "Authorization: Bearer $TINYGATEWAY_KEY" \\
  -H 'Content-Type: application/json' \\
  -d '${text}'`;
}

/** The same with OpenAI's package. */
export function python(body) {
  const { stream, stream_options: _, ...rest } = readable(body);
  const values = Object.entries(rest).map(([name, value]) =>
    `    ${name}=${JSON.stringify(value, null, 4).replace(/\n/g, "\n    ")},`);
  const end = stream ? `    stream=True,
)
for chunk in answer:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)` : `)
print(answer.choices[0].message.content)`;
  return `import os
from openai import OpenAI

client = OpenAI(base_url="${location.origin}/v1", api_key=os.environ["TINYGATEWAY_KEY"])
answer = client.chat.completions.create(
${values.join("\n")}
${end}`;
}
