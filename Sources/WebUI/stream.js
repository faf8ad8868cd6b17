// SPDX-License-Identifier: MIT
// Reads event streams (text/event-stream), and what chat completions say in them.
import { ApiError, said, t } from "./core.js";

/**
 * A reader of an event stream's text, in whatever pieces it comes: `push(text)`, `end()`.
 * `emit` gets `{ event, data }`. Lines end with LF, CR or CRLF; comments and unknown fields are
 * passed over. An event that lacks its blank line at the end counts: some upstreams forget it.
 */
export function eventReader(emit) {
  let rest = "";
  let event = "";
  let data = [];
  const take = (line) => {
    if (!line) {
      if (data.length) emit({ event: event || "message", data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
  };
  return {
    push(text) {
      // A CR at the end may be the half of a CRLF.
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop();
      lines.forEach(take);
    },
    end() {
      take(rest.replace(/\r$/, ""));
      take("");
    },
  };
}

/** The events of a stream of bytes, as they come. */
export async function* events(stream) {
  const ready = [];
  const reader = eventReader((event) => ready.push(event));
  const decoder = new TextDecoder();
  const bytes = stream.getReader();
  try {
    for (let isDone = false; !isDone;) {
      const part = await bytes.read();
      isDone = part.done;
      if (isDone) reader.end();
      else reader.push(decoder.decode(part.value, { stream: true }));
      yield* ready.splice(0);
    }
  } finally {
    bytes.cancel().catch(() => {});
  }
}

/**
 * What a chunk of a chat completion, or a whole one, adds to an answer:
 * `{ text, reasoning, usage, model, finish }`. Fails with the error that it carries.
 */
export function partOf(chunk) {
  const error = chunk.error ?? (chunk.object === "error" ? chunk : null);
  if (error) {
    throw new ApiError(error.message ? said(error.message) : t("The answer broke off."),
      error.code ?? "", 0);
  }
  const choice = chunk.choices?.[0];
  const said = choice?.delta ?? choice?.message ?? {};
  return {
    text: said.content ?? "", reasoning: said.reasoning_content ?? said.reasoning ?? "",
    usage: chunk.usage, model: chunk.model, finish: choice?.finish_reason,
  };
}

function read(data) {
  try {
    return JSON.parse(data);
  } catch {
    throw new Error(t("The answer cannot be read."));
  }
}

/** The parts of an answer as they come, whether it is a stream or one piece. */
export async function* parts(response) {
  if (!/event-stream/.test(response.headers.get("Content-Type"))) {
    yield partOf(read(await response.text()));
    return;
  }
  let isComplete = false;
  for await (const { data } of events(response.body)) {
    if (data === "[DONE]") return;
    const part = partOf(read(data));
    isComplete ||= !!part.finish;
    yield part;
  }
  if (!isComplete) throw new Error(t("The answer broke off."));
}
