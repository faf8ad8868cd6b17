# SPDX-License-Identifier: MIT
"""The web pages without what only people need, for scripts/documents.py."""

import json
import re

TOKEN = re.compile(r"""
    (?P<text>"(?:[^"\\\n]|\\.)*")
  | (?P<comment>/\*.*?\*/|//[^\n]*)
  | (?P<word>[\w$#]+)
  | (?P<space>\s+)
  | (?P<sign>.)""", re.DOTALL | re.VERBOSE)
# What a regular expression may follow; a division follows a value.
BEFORE_PATTERN = re.compile(r"(^|[(,=:\[!&|?{};]|=>|return)$")
ENTRY = re.compile(r'^  ("(?:[^"\\]|\\.)*"):\s+("(?:[^"\\]|\\.)*"),$', re.MULTILINE)
# Hashes of texts are written in so many signs, from this one on: neither " nor \ nor ~.
BASE, FIRST = 57, 35
WORD_SIGNS, SENTENCE_SIGNS = 3, 5
UNPACK = """export const code=(text,size)=>{let n=SEED,signs="";
for(const each of text)n=Math.imul(n^each.charCodeAt(),16777619);
for(n>>>=0;size--;n=Math.floor(n/BASE))signs+=String.fromCharCode(FIRST+n%BASE);
return signs};
const cut=(text,size)=>Object.fromEntries(text.split("~").map((each)=>
[each.slice(0,size),each.slice(size)]));
"""


def literal(source, start, open_braces):
    """Where the part of a template literal ends that begins at `start`."""
    end = start + 1
    while source[end] != "`":
        if source.startswith("${", end):
            open_braces.append(0)
            return end + 2
        end += 2 if source[end] == "\\" else 1
    return end + 1


def pattern(source, start):
    """Where the regular expression ends that begins at `start`."""
    end, is_class = start + 1, False
    while source[end] != "/" or is_class:
        is_class = source[end] == "[" or is_class and source[end] != "]"
        end += 2 if source[end] == "\\" else 1
    return end + 1


def tokens(source):
    """The tokens of a module without comments, each with its kind."""
    place, before, open_braces = 0, "", []
    while place < len(source):
        sign = source[place]
        if sign == "`" or sign == "}" and open_braces and not open_braces[-1]:
            if sign == "}":
                open_braces.pop()
            end, kind = literal(source, place, open_braces), "text"
        elif (sign == "/" and source[place + 1] not in "/*" and BEFORE_PATTERN.search(before)):
            end, kind = pattern(source, place), "text"
        else:
            found = TOKEN.match(source, place)
            end, kind = found.end(), found.lastgroup
            if open_braces and sign in "{}":
                open_braces[-1] += 1 if sign == "{" else -1
        token, place = source[place:end], end
        if kind == "comment":
            continue
        if kind != "space":
            before = (before[-1:] if kind == "sign" else "") + token
        yield kind, token


def gap(left, space, right):
    """What must stand between two tokens in place of a space."""
    if "\n" in space:
        # Where no statement can end, or none begin, a line break means nothing.
        return "" if left in "{([,;:?&|=*<>" or right in ")]},.?:&|=*" else "\n"
    both = re.match(r"[\w$#]{2}|\+\+|--|//", left + right)
    return " " if both else ""


def script(source):
    """A module without comments and spaces that mean nothing."""
    result, space, kept = [], "", []
    for kind, token in tokens(source):
        if kind == "space":
            space += token
            continue
        if space and result:
            result.append(gap(result[-1][-1], space, token[0]))
        result.append(token)
        kept.append(token)
        space = ""
    text = "".join(result) + "\n"
    assert [token for kind, token in tokens(text) if kind != "space"] == kept
    return text


def style(source):
    """A style sheet without comments and spaces that mean nothing."""
    text = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    parts = re.split(r'("[^"\n]*")', re.sub(r"\s+", " ", text).strip())
    for index, part in enumerate(parts[::2]):
        part = re.sub(r" ?([{};,>]) ?", r"\1", part)
        parts[2 * index] = part.replace(": ", ":").replace(";}", "}")
    return "".join(parts) + "\n"


def code(text, size, seed):
    """A text's hash, as the packed words count it (FNV-1a)."""
    number, signs = seed, ""
    for sign in text:
        number = (number ^ ord(sign)) * 16777619 & 0xFFFFFFFF
    for _ in range(size):
        number, digit = divmod(number, BASE)
        signs += chr(FIRST + digit)
    return signs


def entries(source):
    """The English and Chinese of a module of words."""
    found = {json.loads(english): json.loads(chinese) for english, chinese in ENTRY.findall(source)}
    assert source.count('":') == len(found), "an odd line of words"
    return found


def cut(words, size, seed):
    """The call that unpacks words which have hashes in place of their English; None when two
    hashes are the same."""
    keys = [code(english, size, seed) for english in words]
    if len(set(keys)) < len(keys):
        return None
    assert not any("~" in chinese for chinese in words.values())
    # Those that end alike pack better beside each other.
    rows = sorted(zip(words.values(), keys), key=lambda row: row[0][::-1])
    text = json.dumps("~".join(key + chinese for chinese, key in rows), ensure_ascii=False)
    return f"cut({text},{size})"


def words(source, seed):
    """The words of the pages, whose English stands in the pages already."""
    head = UNPACK.replace("SEED", str(seed)).replace("BASE", str(BASE))
    return (head.replace("FIRST", str(FIRST))
            + f"export default {cut(entries(source), WORD_SIGNS, seed)};\n")


def sentences(source, seed):
    """What the management API says. Those with places for values keep their English, since they
    are compared with it."""
    all_of_them = entries(source)
    patterns = {key: value for key, value in all_of_them.items() if "{0}" in key}
    whole = {key: value for key, value in all_of_them.items() if "{0}" not in key}
    lines = json.dumps(patterns, ensure_ascii=False, separators=(",", ":"))
    return (f"const sentences=Object.assign({cut(whole, SENTENCE_SIGNS, seed)},{lines});\n")


def find_seed(words, sentences):
    """The first number with which all hashes differ."""
    return next(seed for seed in range(1000)
                if cut(entries(words), WORD_SIGNS, seed)
                and cut(entries(sentences), SENTENCE_SIGNS, seed))


def lean(name, pages):
    """A file of the pages as it is packed; `pages`: the texts of all, by name."""
    source = pages[name]
    if name == "zh.js":
        # One file, in which what stands in both is packed once.
        seed = find_seed(source, pages["zh-api.js"])
        return (words(source, seed) + sentences(pages["zh-api.js"], seed)
                + script(pages["said.js"]) + "export const said=speaker(sentences,code);\n")
    return script(source) if name.endswith(".js") else style(source)
