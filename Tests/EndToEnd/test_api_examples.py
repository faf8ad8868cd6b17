# SPDX-License-Identifier: MIT
"""Every curl example of docs/API.md works as it is printed there.

Each runs in a shell against a gateway of its own, with what it names made before: ids, groups,
tokens. Nothing but this machine is ever asked: that is checked before an example runs.
"""

import json
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway import FIRST_PASSWORD, Gateway
from process import environment, next_number

DOCUMENT = Path(__file__).parents[2] / "docs" / "API.md"
PRINTED_ADDRESS = "http://127.0.0.1:3000"
PRINTED_PASSWORD = "correct horse"
# Fails on any status but 2xx, and in the middle of a pipe, too.
PRELUDE = """set -eu -o pipefail
curl() { command curl -sS --noproxy '*' --fail-with-body "$@"; }
"""
# How to make objects that an example names by id.
MAKES = {
    "channels": lambda: {"name": "a", "type": "deepseek", "keys": ["sk-upstream-key-1"],
                         "models": ["deepseek-chat"]},
    "channel-groups": lambda: {"name": f"group {next_number()}"},
    "user-groups": lambda: {"name": f"group {next_number()}"},
    "tokens": lambda: {"name": "a"},
    "users": lambda: {"username": f"user{next_number()}", "password": "eight bytes or more",
                      "quota": 1000},
    "redemptions": lambda: {"name": "a", "quota": 1},
    "prices": lambda: {"model": f"model-{next_number()}", "prompt": "1"},
    "auth/tokens": lambda: {"name": "a"},
}
# Where an example names objects beside its address: pattern, collection, id or name.
REFERENCES = [
    (r"\$API/([a-z/-]+)/(\d+)", None, int),
    (r"token_id=(\d+)", "tokens", int), (r"user_id=(\d+)", "users", int),
    (r'"fallback_channels":\[([\d,]+)\]', "channels", int),
    (r'"group":"([^"]+)"', "user-groups", str),
    (r'"channel_group":"([^"]+)"', "channel-groups", str),
    (r'"channel_groups":\[([^\]]+)\]', "channel-groups", str),
]
# Files that an example reads, and what the example has that writes them.
FILES = {"-b cookies": "-c cookies", "@tinygateway.db": '"passphrase":'}


@dataclass
class Example:
    """One block of shell, and the heading above it."""

    heading: str
    text: str

    @property
    def name(self):
        return self.heading.lstrip("# ")


@dataclass
class Stage:
    """A running gateway with what an example needs."""

    gateway: Gateway
    upstream: object
    token: str = ""
    path: str = "/v1"               # below which the scripted upstream is asked
    replacements: dict = field(default_factory=dict)

    def make(self, collection, **more):
        body = {**MAKES[collection](), **more}
        if collection == "channels":
            body.update(base_url=self.upstream.url(path=self.path),
                        model_mapping={"deepseek-chat": f"echo@{next_number()}"})
        return self.gateway.call("POST", "/" + collection, body)

    def provide(self, collection, wanted):
        """Makes the object with that id, or of that name, unless it is there."""
        items = self.gateway.items("/" + collection)
        if isinstance(wanted, str):
            if wanted not in [item["name"] for item in items]:
                self.make(collection, name=wanted)
            return
        last = 0
        while wanted not in [item["id"] for item in items] and last < wanted:
            made = self.make(collection)
            last = made["id"] if "id" in made else made["items"][-1]["id"]
            items.append({"id": last})


def read_examples():
    """All blocks of shell that use curl."""
    examples, heading, block = [], "", None
    for line in DOCUMENT.read_text().splitlines():
        if line.startswith("#") and block is None:
            heading = line
        elif line == "```sh":
            block = []
        elif line == "```" and block is not None:
            if any("curl" in each for each in block):
                examples.append(Example(heading, "\n".join(block)))
            block = None
        elif block is not None:
            block.append(line)
    return examples


EXAMPLES = read_examples()


# What some examples need besides.

def open_registration(stage):
    stage.gateway.call("PUT", "/options", {"registration": True, "new_user_quota": 1})


def make_code(stage):
    """A code, and a user with a quota to which it can be added."""
    code = stage.make("redemptions")["codes"][0]
    user = stage.make("users", username="reader")
    body = {"username": user["username"], "password": "eight bytes or more"}
    stage.token = stage.gateway.call("POST", "/auth/login", body)["token"]
    stage.replacements[r"tgc-[0-9A-Za-z]+"] = code


def tell_balance(stage):
    stage.path = "/deepseek/v1"


def serve_a_model(stage):
    stage.make("channels")


SETUPS = {
    "POST /api/v1/tokens/{id}/chat/completions": serve_a_model,
    "GET /api/v1/channels/{id}/balance": tell_balance,
    "POST /api/v1/auth/register": open_registration,
    "POST /api/v1/users/self/redeem": make_code,
}


def is_first_login(example):
    return f'"old_password":"{FIRST_PASSWORD}"' in example.text


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """A stopped gateway whose owner has the password of the examples."""
    with Gateway(tmp_path_factory.mktemp("examples") / "data") as gateway:
        gateway.login(FIRST_PASSWORD)
        body = {"old_password": FIRST_PASSWORD, "new_password": PRINTED_PASSWORD}
        gateway.jwt = gateway.call("PUT", "/users/self/password", body)["token"]
    return gateway


@pytest.fixture
def stage(request, prepared, upstream, tmp_path):
    example = request.getfixturevalue("example")
    if is_first_login(example):
        gateway = Gateway(tmp_path / "data")
    else:
        gateway = prepared.copy(tmp_path / "data")
    with gateway:
        if is_first_login(example):
            gateway.login(FIRST_PASSWORD)
        yield Stage(gateway, upstream, gateway.jwt)


def prepare(example, stage):
    """Makes what the example names."""
    if example.name in SETUPS:
        SETUPS[example.name](stage)
    for pattern, collection, kind in REFERENCES:
        for match in re.findall(pattern, example.text):
            where, found = match if collection is None else (collection, match)
            for wanted in re.findall(r"\d+" if kind is int else r"[^\",]+", found):
                stage.provide(where, kind(wanted))


def script(example, stage):
    """The example's text for this gateway, checked to ask nobody else."""
    text = example.text
    for file, maker in FILES.items():
        if file in text:
            first = next(each.text for each in EXAMPLES if maker in each.text)
            text = f"{first} >/dev/null\n{text}"
    text = text.replace(PRINTED_ADDRESS, stage.gateway.url)
    for pattern, replacement in stage.replacements.items():
        text = re.sub(pattern, replacement, text)
    for host in re.findall(r"\w+://([^/\s\"':]*)", text):
        assert host == "127.0.0.1", f"{example.heading} asks {host}"
    calls = len(re.findall(r"(^|[^\w-])curl\s", text))
    assert calls == len(re.findall(r"\$API/", text)), f"{example.heading}: curl without $API"
    return text


@pytest.mark.tools
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_the_example_works(example, stage, tmp_path):
    prepare(example, stage)
    done = subprocess.run(
        ["bash", "-c", PRELUDE + script(example, stage)], cwd=tmp_path, text=True,
        capture_output=True, timeout=20,
        env=environment(API=stage.gateway.url + "/api/v1", TOKEN=stage.token))
    where = f"docs/API.md, {example.heading}:\n{example.text}\n{done.stdout}{done.stderr}"
    assert done.returncode == 0, where
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            # The next answer may follow on the same line.
            assert json.JSONDecoder().raw_decode(line)[0]["success"] is True, where


def test_each_call_has_an_example():
    described = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("### ")]
    shown = [example.heading for example in EXAMPLES]
    for heading in described:
        assert heading in shown, f"docs/API.md: no curl example below '{heading}'"
        method = heading.split()[1]
        text = EXAMPLES[shown.index(heading)].text
        assert method in ("GET", "POST") or f"-X {method}" in text, heading
