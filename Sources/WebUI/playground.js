// SPDX-License-Identifier: MIT
// Tries models out: a conversation through one of one's own tokens.
import { action, api, ask, duration, fetchFrom, fill, get, h, kept, number, t } from "./core.js";
import { getAll } from "./list.js";
import { copyButton } from "./files.js";
import { bodyOf, curl, drawSetup, isCut, python } from "./request.js";
import { parts } from "./stream.js";
import { drawText, images, picture } from "./turn.js";

/** The conversation; it stays while other pages are shown. */
let state = null;

const begin = (username) => ({
  username, turns: [], draft: "", images: [],
  values: { model: kept("playground.model") ?? "", stream: true },
});

/** Draws the page. */
export async function mount(root, { signal, session, may }) {
  if (state?.username !== session.username) state = begin(session.username);
  const [models, me] = await Promise.all(
    [get("/models", {}, { signal }), get("/users/self", {}, { signal })]);
  const tokens = await getAll("/tokens", may("admin") ? { user_id: me.id } : {}, { signal });
  if (!tokens.length) return fill(root, offer(root, { signal, session, may }));
  const setup = drawSetup(state.values, models, tokens);
  const talk = h("ol.talk", { "aria-label": t("Conversation"), "aria-live": "polite" });
  const code = drawCode();
  const page = { signal, may, setup, talk, code, running: null };
  signal.addEventListener("abort", () => page.running?.abort());
  addEventListener("beforeunload", (event) => state.draft && event.preventDefault(), { signal });
  fill(root, setup.element, talk, drawComposer(page), code.element);
  setup.changed = code.redraw;
  redraw(page);
}

/** What is shown to somebody without a token. */
function offer(root, page) {
  return h("div.empty", {},
    h("p", {}, t("Requests go through one of your tokens, and you have none yet.")),
    action(t("Make a token named “playground”"), async () => {
      await api("POST", "/tokens", { name: "playground" });
      await mount(root, page);
    }, { class: "primary", id: "offer" }));
}

/** The next request as a program; drawn only while it is unfolded. */
function drawCode() {
  const area = h("div");
  const redraw = () => {
    if (!element.open) return;
    const draft = { role: "user", text: state.draft || t("Hello"), images: state.images };
    const last = state.turns.at(-1)?.role === "user" ? [] : [draft];
    const body = bodyOf(state.values, [...state.turns, ...last]);
    fill(area, isCut(body) && h("p.faint", {}, t("Images are left out here.")),
      [["curl", curl(body)], ["Python", python(body)]].map(([name, text]) => h("section", {},
        h("div.beside", {}, h("h2", {}, name), copyButton(text)), h("pre", {}, text))));
  };
  const element = h("details.card", { id: "code", ontoggle: redraw },
    h("summary", {}, t("The same as a program")),
    h("p.faint", {}, t("TINYGATEWAY_KEY is the key of a token; it was shown when it was made.")),
    area);
  return { element, redraw };
}

// The conversation

function redraw(page) {
  fill(page.talk, state.turns.map((turn) => drawTurn(page, turn)));
  page.code.redraw();
}

/** One turn with its buttons. */
function drawTurn(page, turn) {
  const isMine = turn.role === "user";
  const body = h("div.body");
  const facts = h("p.faint.told");
  const buttons = h("div.actions");
  const item = h("li.turn." + turn.role, {},
    h("strong", {}, isMine ? t("You") : turn.model ?? t("Answer")), body, facts, buttons);
  const reason = h("div.text.faint");
  const fold = h("details", { hidden: true }, h("summary", {}, t("Reasoning")), reason);
  const text = h("div");
  fill(body, turn.images?.map(picture), fold, text);
  const draw = () => {
    fold.hidden = !turn.reasoning;
    drawText(reason, turn.reasoning ?? "");
    drawText(text, turn.text);
    fill(facts, turn.error && [h("span.problem", { role: "alert" }, turn.error), " "],
      turn.facts?.());
    fill(buttons, !turn.isRunning && [
      isMine && action(t("Edit"), () => edit(page, turn, item), { class: "quiet" }),
      action(t("Send again"), () => again(page, turn), { class: "quiet" }),
      turn.text && copyButton(turn.text)]);
  };
  turn.draw = draw;
  draw();
  return item;
}

/** Turns one's own turn into a field; sending it again drops what came after. */
function edit(page, turn, item) {
  const input = h("textarea", { rows: 4, value: turn.text, "aria-label": t("Edit") });
  fill(item, h("strong", {}, t("You")), turn.images.map(picture), input, h("div.actions", {},
    h("button", { type: "button", onclick: () => redraw(page) }, t("Cancel")),
    action(t("Send again"), () => {
      turn.text = input.value.trim();
      return again(page, turn);
    }, { class: "primary" })));
  input.focus();
}

/** Asks once more from a turn on. */
async function again(page, turn) {
  if (page.running) return;
  const index = state.turns.indexOf(turn);
  state.turns.length = turn.role === "user" ? index + 1 : index;
  redraw(page);
  await answer(page);
}

/** Lets the model answer the conversation as it stands. */
async function answer(page) {
  const body = bodyOf(state.values, state.turns);
  const turn = { role: "assistant", text: "", reasoning: "", model: body.model, isRunning: true };
  const controller = page.running = new AbortController();
  state.turns.push(turn);
  const item = drawTurn(page, turn);
  page.talk.append(item);
  item.setAttribute("aria-busy", "true");
  item.scrollIntoView({ block: "end" });
  page.showRunning();
  try {
    await receive(turn, body, controller.signal);
  } catch (error) {
    turn.error = error.name === "AbortError" ? t("Stopped.")
      : error instanceof TypeError ? t("The answer broke off: the connection was lost.")
        : error.message;
    turn.id ??= error.request;
    turn.facts ??= () => facts(turn, {});
  }
  page.running = null;
  turn.isRunning = false;
  item.removeAttribute("aria-busy");
  turn.draw();
  page.code.redraw();
  page.showRunning();
  if (page.may("admin")) await nameChannel(turn);
}

/** Asks the log which channel answered; only administrators learn it there. */
async function nameChannel(turn) {
  if (!turn.id || turn.channel) return;
  const { items } = await get("/logs", { request_id: turn.id, page_size: 1 }).catch(() => ({}));
  turn.channel = items?.[0]?.channel_name;
  turn.draw();
}

/** Sends the request and adds to the turn what comes. */
async function receive(turn, body, signal) {
  const began = performance.now();
  const response = await fetchFrom(
    "POST", `/api/v1/tokens/${state.values.token}/chat/completions`, body, { signal });
  let first = null;
  let usage = null;
  let isDrawing = false;
  const head = (name) => response.headers.get(name);
  const end = () => performance.now() - began;
  turn.id = head("X-Oneapi-Request-Id");
  turn.channel = head("X-TinyGateway-Channel");
  turn.facts = () => facts(turn, {
    first, usage, total: turn.isRunning ? null : turn.total ??= end(),
    attempts: Number(head("X-TinyGateway-Attempts")), served: head("X-TinyGateway-Model") });
  for await (const part of parts(response)) {
    if (part.text || part.reasoning) first ??= end();
    turn.text += part.text;
    turn.reasoning += part.reasoning;
    usage = part.usage ?? usage;
    if (isDrawing) continue;
    isDrawing = true;
    requestAnimationFrame(() => {
      isDrawing = false;
      if (!turn.isRunning) return;
      const isAtEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 80;
      turn.draw();
      if (isAtEnd) scrollTo(0, document.documentElement.scrollHeight);
    });
  }
}

/** What is known of an answer: times, tokens, where it came from. */
function facts(turn, { first = null, usage, total = null, attempts, served }) {
  const said = [
    first !== null && t("first words after {0}", duration(first)),
    total !== null && t("whole answer after {0}", duration(total)),
    usage && t("{0} + {1} tokens", number(usage.prompt_tokens), number(usage.completion_tokens)),
    served && served !== turn.model && t("served by {0}", served),
    attempts > 1 && t("{0} attempts", attempts),
    turn.channel && t("channel {0}", turn.channel),
  ].filter(Boolean).join(" · ");
  return [said, " ", turn.id && h("a", { href: "#/logs?request_id=" + turn.id },
    t("Request {0} in the log", turn.id))];
}

// Writing

/** The field to write in: text, images, send, stop, clear. */
function drawComposer(page) {
  const note = h("p.problem", { role: "alert", hidden: true });
  const say = (sentence) => {
    note.hidden = !sentence;
    note.textContent = sentence ?? "";
  };
  const shelf = images(state, say, () => page.code.redraw());
  const input = h("textarea", {
    rows: 2, id: "draft", value: state.draft, placeholder: t("Ask something"),
    "aria-label": t("Your message"),
    oninput() { state.draft = input.value; page.code.redraw(); },
    onkeydown(event) {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      submit();
    },
    onpaste: (event) => shelf.add(event.clipboardData.files),
  });
  const submit = async () => {
    if (page.running || !state.draft.trim() && !state.images.length) return;
    if (!page.setup.isRight()) return say(t("Something above needs to be corrected first."));
    say();
    state.turns.push({ role: "user", text: state.draft.trim(), images: state.images });
    page.talk.append(drawTurn(page, state.turns.at(-1)));
    state.draft = input.value = "";
    state.images = [];
    shelf.redraw();
    await answer(page);
  };
  const send = h("button.primary", { type: "button", id: "send", onclick: submit }, t("Send"));
  const stop = h("button.danger", { type: "button", id: "stop", hidden: true,
    onclick: () => page.running?.abort() }, t("Stop"));
  const clear = action(t("Clear"), async () => {
    if (!await ask(t("Clear the conversation?"), t("Clear"))) return;
    page.running?.abort();
    state.turns = [];
    redraw(page);
    page.showRunning();
    input.focus();
  }, { class: "quiet", id: "clear" });
  page.showRunning = () => {
    send.hidden = !!page.running;
    stop.hidden = !page.running;
    clear.hidden = !state.turns.length;
  };
  page.showRunning();
  return h("section.composer", { "aria-label": t("Your message") }, shelf.list, input, note,
    h("div.beside", {}, shelf.button, h("small", {}, t("Enter sends, Shift+Enter begins a line.")),
      clear, stop, send));
}
