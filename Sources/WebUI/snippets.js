// SPDX-License-Identifier: MIT
// How programs are pointed at this gateway: ready-made text for each of them.
import { fill, h, keep, kept, t } from "./core.js";
import { copyButton } from "./files.js";

/** A text as one word of a shell. */
export const shellWord = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

/** A request to `url` as a command with curl. */
export const curl = (url, key, body) => `curl ${shellWord(url)} \\
  -H ${shellWord("Authorization: Bearer " + key)} \\
  -H 'Content-Type: application/json' \\
  -d ${shellWord(JSON.stringify(body))}`;

/** Names of programs, each with text to copy (a string) or fields to fill in, and where. */
function programs(key, model) {
  const root = location.origin;
  const v1 = root + "/v1";
  const [quotedKey, quotedModel] = [JSON.stringify(key), JSON.stringify(model)];
  const shell = (variables) => Object.entries(variables).map(([name, value]) =>
    `export ${name}=${shellWord(value)}`).join("\n");
  const keyField = [t("API key"), key];
  const modelField = [t("Model"), model];
  return [
    ["curl", curl(v1 + "/chat/completions", key,
      { model, messages: [{ role: "user", content: "Hello" }] })],
    ["Python (openai)", `# pip install openai
from openai import OpenAI

client = OpenAI(base_url="${v1}", api_key=${quotedKey})
answer = client.chat.completions.create(
    model=${quotedModel},
    messages=[{"role": "user", "content": "Hello"}],
)
print(answer.choices[0].message.content)`],
    ["Node.js (openai)", `// npm install openai; save this as chat.mjs
import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${v1}", apiKey: ${quotedKey} });
const answer = await client.chat.completions.create({
  model: ${quotedModel},
  messages: [{ role: "user", content: "Hello" }],
});
const [choice] = answer.choices; console.log(choice.message.content);`],
    ["Open WebUI", [["URL", v1], keyField],
      t("Admin settings → Connections → OpenAI API → add a connection")],
    ["LobeChat", [[t("API proxy URL"), v1], keyField, modelField],
      t("Settings → AI service provider → OpenAI")],
    ["NextChat", [[t("Endpoint"), root], keyField, [t("Custom models"), model + "@OpenAI"]],
      t("Settings → Custom endpoint → model provider OpenAI; no /v1 here")],
    ["Chatbox", [[t("API host"), v1], [t("API path"), "/chat/completions"], keyField,
      modelField], t("Settings → Model provider → Add → OpenAI API compatible")],
    ["Cherry Studio", [[t("API host"), root], keyField, modelField],
      t("Settings → Model provider → Add → type OpenAI; it adds /v1 itself")],
    // Both variables at once would be two keys.
    ["Claude Code", "unset ANTHROPIC_API_KEY\n" + shell({
      ANTHROPIC_BASE_URL: root, ANTHROPIC_AUTH_TOKEN: key, ANTHROPIC_MODEL: model,
      ANTHROPIC_DEFAULT_HAIKU_MODEL: model }) + "\nclaude"],
    ["Gemini CLI", shell({ GOOGLE_GEMINI_BASE_URL: root, GEMINI_API_KEY: key,
      GEMINI_MODEL: model }) + "\ngemini"],
    [t("Other programs"), [[t("OpenAI base URL"), v1], [t("Anthropic base URL"), root],
      [t("Gemini base URL"), root], [t("Ollama base URL"), root], keyField, modelField],
    t("Most programs have a field for the base URL of OpenAI's API.")],
  ];
}

/** A choice of programs and below it what the chosen one needs. */
export function snippets(key, model) {
  const all = programs(key, model);
  const area = h("div", {});
  const show = (name) => {
    const [, content, where] = all.find((each) => each[0] === name) ?? all[0];
    fill(area, where && h("p", {}, where), typeof content === "string"
      ? [h("pre", { tabindex: 0, "aria-label": name }, content),
        h("div.actions", {}, copyButton(content))]
      : h("div.facts", {}, content.map(([label, value]) =>
        [h("span", {}, label), h("code", {}, value), copyButton(value)])));
  };
  const start = kept("program") ?? all[0][0];
  show(start);
  return h("div", {}, h("label.field", {}, h("span", {}, t("Ready-made for")),
    h("select", { name: "program", onchange() { keep("program", this.value); show(this.value); } },
      all.map(([name]) => h("option", { value: name, selected: name === start }, name)))), area);
}
