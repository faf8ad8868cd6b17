// SPDX-License-Identifier: MIT
// Finds what the management API says among sentences of another language, also where values stand
// in it, or where it was put together of several.

const put = (text, values) => text.replace(/\{(\d)\}/g, (_, index) => values[index]);

/** The sentences with places for values as [expression, words, whether it has any itself]. */
function compiled(sentences) {
  return Object.keys(sentences).filter((key) => /\{0/.test(key)).map((key) => {
    const pieces = key.split(/\{\d\}/);
    const escaped = pieces.map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    const whole = pieces.join("");
    const hasWords = /\w/.test(whole);
    // The longest knows most; lists are cut before single words are looked at.
    return [new RegExp(`^${escaped.join("(.+?)")}$`, "is"), sentences[key], hasWords,
      hasWords ? whole.length : 12];
  }).sort((one, other) => other[3] - one[3]);
}

/** A function that says sentences of the API in words of `sentences`, found by `code(English)`. */
export function speaker(sentences, code) {
  let patterns;

  /** A sentence without its full stop; nothing when it is not known. */
  function find(text) {
    const whole = sentences[code(text, 5)] ??
      sentences[code(text[0].toLowerCase() + text.slice(1), 5)];
    if (whole) return whole;
    for (const [pattern, words, hasWords] of patterns ??= compiled(sentences)) {
      const [, ...values] = pattern.exec(text) ?? [];
      // Mere punctuation joins a part that is known with whatever follows.
      if (values.length && (hasWords || find(values[0]))) return put(words, values.map(say));
    }
    const [, field, rest] = /^([a-z_.]+) (.+)$/.exec(text) ?? [];
    const problem = rest && find(rest);
    return problem && field + " " + problem;
  }

  const sentence = (text) => {
    const known = text !== "." && find(text.replace(/\.$/, ""));
    return known && known + (text.endsWith(".") ? "。" : "");
  };

  function say(text) {
    if (!text) return text;
    const parts = text.split(/(?<=[.?!]) (?=[A-Z])/);
    const known = parts.map(sentence);
    if (known.every(Boolean)) return known.join("");
    return parts.length > 1 && sentence(text) ||
      parts.map((part, index) => known[index] || part).join(" ").replace(/([。？！]) /g, "$1");
  }
  return say;
}
