# SPDX-License-Identifier: MIT
"""docs/API.md as an operator uses it: its examples, found by heading, with other values."""

import json
import subprocess

from process import environment
from test_api_examples import PRELUDE, PRINTED_PASSWORD, read_examples

__all__ = ["PRINTED_PASSWORD", "Document"]


class Document:
    """The examples of the document, run in one folder against one gateway."""

    def __init__(self, gateway, folder):
        self.folder = folder
        self.env = {"API": gateway.url + "/api/v1", "GATEWAY": gateway.url}
        self.examples = {}
        for example in read_examples():
            self.examples.setdefault(example.name, example.text)

    def login(self, address):
        """The block at the top of the document, which sets TOKEN."""
        text = self.examples["Management API"].replace(address, self.env["API"])
        done = self.shell(text + '\nprintf %s "$TOKEN"')
        assert done.count(".") == 2, f"no token: {done}"
        self.env["TOKEN"] = done

    def shell(self, text):
        """Runs a block of shell; what it prints."""
        done = subprocess.run(
            ["bash", "-c", PRELUDE + text], cwd=self.folder, text=True, capture_output=True,
            timeout=60, env=environment(**self.env))
        print(f"{text}\n→ {done.stdout[:1500]}{done.stderr}\n")
        assert done.returncode == 0, f"exit {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout

    def run(self, heading, changes=(), more=""):
        """The example below a heading, with texts replaced; `more` is typed after it."""
        text = self.examples[heading]
        for old, new in changes:
            assert old in text, f"{heading}: no {old}"
            text = text.replace(old, str(new))
        return self.shell(text + "\n" + more)

    def data(self, heading, changes=()):
        """The same, and the `data` of its answer."""
        answer = json.loads(self.run(heading, changes))
        assert answer["success"] is True
        return answer["data"]
