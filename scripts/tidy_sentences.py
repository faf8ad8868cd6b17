# SPDX-License-Identifier: MIT
"""For scripts/tidy.py: what the management API says to people has its Chinese in zh-api.js, which
has none for what it does not say.

Sentences are put together of pieces at run time, so pieces are compared: each text with several
words in the sources below must be part of one of the sentences.
"""

import os
import re

WORDS = "Sources/WebUI/zh-api.js"
OTHERS = "  // Of the C library."
# Where sentences are made that pages show: files, and folders.
SOURCES = [
    "Sources/TinyGateway/Admin", "Sources/TinyGateway/Doctor", "Sources/TinyGateway/Relay",
    "Sources/TinyGateway/Routing/Eligibility.swift", "Sources/TinyGateway/State",
    "Sources/TinyGateway/Configuration/ConfigurationValue.swift",
    "Sources/TinyGateway/Configuration/ConfigurationChecks.swift",
    "Sources/TinyGateway/Configuration/ConfigurationLayers.swift",
    "Sources/Store/StoreError.swift", "Sources/Store/Restore.swift",
    "Sources/Store/RedemptionTable.swift", "Sources/MiniHTTP/Client",
]
# For terminals and Prometheus.
ELSEWHERE = re.compile(r"(Command|Metrics\w*|DoctorReport|AdminAudit)\.swift$")
# Headers, fields of the log, names in code.
NO_SENTENCE = re.compile(r"\\r|\\n|=|^[\w./-]+$|\\u\{1\}|^\||; Path|; Max|SELECT|INSERT")
# To the log, or of a defect that stops the program.
TO_LOG = re.compile(r"\blog\.\w+\($|\blog\??\.\w+\(|preconditionFailure\(|\bsay\(|DialectText")
# What no page does: the words of programs that make a call wrongly.
UNMET = [
    "The request needs the header", "The request needs a", "This request takes no body",
    "The request body must not be compressed", "This address allows the methods",
    "There is no such management call", "The query parameter", "must be given once",
    "must have 1 to 64 bytes", "logs must be 0 or 1", "must be a whole number from 1 to",
    "may be day with window", "must be csv", "gives the whole log", "rows from before this",
    "must be an HTTP status", "16 hexadecimal digits", "must not be after until",
    "must be one or several of day", "must be a day such as", "model must be the name of",
    "token_id must be the id", "A management token may not", "This management token",
    "The client is gone", "API key is not known here", "Send exactly one", "An API key is needed",
    "The Authorization header", "The model in the address", "Images cannot be streamed",
    "The model's name cannot be part", "This call takes a form", "The field model",
    "The form", "must be an object", "The field stream", "The field n must", "for this address",
    "put the field model", "Put the field model", "address for access tokens", "given up here",
    "of the backup that work again", "no such account", "has no valid hash",
    "the code was used", "no such code", "a backup could not be read back", "no random bytes",
    "no room", "bearer", ": waking", "client_gone", "tinygateway ", "the key for channel keys",
    "give it to this user", "or enter their keys again", "PRAGMA", "Linux ",
    "The field config.", "no TLS context", "sixteen bytes", "a change was not stored",
    "memory and off lose", "off and normal lose", "is the same as port", "; did you mean",
    "there is no such setting", "a secret does not belong", "config.yaml or as",
    "a fact about the board", "cannot be set here",
]
# Keys of settings and labels of fields, as their tables write them.
KEYS = re.compile(r'ConfigurationRow\(\s*"(\w+)"')
LABELS = re.compile(
    r'^\s*(?:fieldList: )?"?!?[a-z_]+\|(Region|[A-Z][^|"\n*]* [^|"\n*]*)', re.MULTILINE)
LITERAL = re.compile(r'"""\n(.*?)"""|"((?:[^"\\\n]|\\.)*)"', re.DOTALL)
JOINED = re.compile(r'"\s*\+\s*"')
WORDY = re.compile(r"[A-Za-z]{2,}[,:;]? [A-Za-z]|^ [a-z]{2}|[a-z]{2,} $")


def literals(source, is_all=False):
    """The texts of a Swift source, those that are added at once as one, with the line each;
    without `is_all` those for people at the pages."""
    source = re.sub(r"^\s*//.*$", "", source, flags=re.MULTILINE)
    joined = JOINED.sub(lambda found: "\0" * found.group().count("\n"), source)
    for match in LITERAL.finditer(joined):
        line = joined.rfind("\n", 0, match.start()) + 1
        if not is_all and TO_LOG.search(joined[max(0, line - 80):match.start()]):
            continue
        text = match.group(2) if match.group(1) is None else match.group(1).strip()
        text = re.sub(r"\\\n\s*|\0", "", text)
        number = 1 + joined.count("\n", 0, match.start()) + joined.count("\0", 0, match.start())
        for piece in re.split(r"\\\(.*?\)", text):
            yield number, piece.replace('\\"', '"')


def bare(text):
    """A text without what may stand around it in a sentence."""
    text = text.strip(" .,:;(")
    return text[:1].lower() + text[1:]


def sentences(listed):
    """The English of all sentences, each in pieces between its values; those that the C library
    says apart."""
    found, others = {}, []
    for part in re.split(r"\n(?=  // )", listed):
        for match in re.finditer(r'^  "((?:[^"\\]|\\.)*)":', part, re.MULTILINE):
            text = match[1].replace('\\"', '"')
            if part.startswith(OTHERS):
                others.append(text)
            else:
                found[text] = re.split(r"\{\d\}", text)
    return found, others


def sources(root, places):
    """Path and text of each Swift source in files and folders."""
    for place in places:
        path = os.path.join(root, place)
        names = [path] if path.endswith(".swift") else [
            os.path.join(folder, name) for folder, _, names in sorted(os.walk(path))
            for name in sorted(names)]
        for name in names:
            if name.endswith((".swift", ".c")):
                with open(name, encoding="utf-8") as file:
                    yield os.path.relpath(name, root), file.read()


def check_said(root, known, report):
    """Each piece of what is said is a piece of a sentence, or the whole of one."""
    pieces = [bare(piece) for parts in known.values() for piece in parts]
    # A value that follows may be left out.
    heads = [bare(piece) for parts in known.values() for piece in parts[:-1] if len(piece) > 12]
    whole = [re.compile("(.+)".join(map(re.escape, map(bare, parts))), re.IGNORECASE)
             for parts in known.values() if len(parts) > 1 and len("".join(parts)) > 20]
    for path, source in sources(root, SOURCES):
        if ELSEWHERE.search(path):
            continue
        for number, text in literals(source):
            if (not WORDY.search(text) or NO_SENTENCE.search(text)
                    or any(unmet in text for unmet in UNMET)):
                continue
            for part in map(bare, re.split(r"(?<=[.?]) (?=[A-Z])", text)):
                if not (any(part in piece for piece in pieces)
                        or any(part.startswith(head) for head in heads)
                        or any(each.fullmatch(part) for each in whole)):
                    report(path, number, f"“{text}” has no Chinese, add its sentence to {WORDS}")


def is_made_of(words, corpus, most=3):
    """Whether these words can be put together of so many pieces of the corpus."""
    return any(" ".join(words[:end]) in corpus and (
        end == len(words) or most > 1 and is_made_of(words[end:], corpus, most - 1))
        for end in range(len(words), 0, -1))


def check_sentences(root, report):
    """What is said has its Chinese, and nothing else has."""
    with open(os.path.join(root, WORDS), encoding="utf-8") as file:
        known, _ = sentences(file.read())
    check_said(root, known, report)
    named, corpus = set(), []
    for path, source in sources(root, ["Sources"]):
        corpus += [text.lower() for _, text in literals(source, is_all=True)]
        for found, form in ((KEYS, ".{}"), (LABELS, "{}")):
            for text in found.findall(source):
                named.add(form.format(text))
                if form.format(text) not in known:
                    report(path, 1, f"“{text}” has no Chinese, add it to {WORDS}")
    corpus = "\n".join(corpus)
    for text, parts in known.items():
        gone = [piece for piece in parts
                if bare(piece) and not is_made_of(bare(piece).lower().split(), corpus)]
        if gone and text not in named:
            report(WORDS, 1, f"“{text}” is said nowhere (“{gone[0]}”), remove it")
