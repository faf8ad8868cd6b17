# SPDX-License-Identifier: MIT
"""The record that the scripted upstream keeps of each request."""

import json
import re
import threading
import time
from dataclasses import dataclass, field
from functools import cached_property


@dataclass
class Part:
    """One part of a form; a file when it has a file name."""

    head: str
    name: str
    file_name: str | None
    value: bytes


@dataclass
class Exchange:
    """One request as the upstream saw it, and what became of its answer."""

    method: str
    path: str
    headers: list
    head: bytes
    body: bytes
    listener: str
    connection: int
    sequence: int
    sni: str | None = None
    resumed: bool = False
    received_at: float = field(default_factory=time.monotonic)
    bytes_sent: int = 0
    finished: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)
    gone_at: float | None = None

    def header(self, name):
        """Values of one header, in order."""
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def key(self):
        """The channel key that the gateway presented."""
        return (self.header("authorization") or [""])[0].removeprefix("Bearer ")

    @property
    def json(self):
        """The body, parsed; an empty object when it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    @property
    def model(self):
        """The model as it arrived here, after the gateway's mapping."""
        if self.is_form:
            return self.fields.get("model", "")
        named = re.search(r"/models/([^:]*):[a-zA-Z]+(\?|$)", self.path)
        return self.json.get("model") or (named.group(1) if named else "")

    @property
    def is_form(self):
        return "".join(self.header("content-type")).startswith("multipart/form-data")

    @cached_property
    def parts(self):
        """The parts of a form, in order; a form that is not exactly one has none."""
        boundary = re.search(r'boundary="?([^";]+)', self.header("content-type")[0]).group(1)
        mark = b"--" + boundary.encode()
        whole = b"\r\n" + self.body.removesuffix(b"\r\n")
        first, *rest = whole.split(b"\r\n" + mark)
        if first or not rest or rest.pop() != b"--":
            return []
        parts = []
        for part in rest:
            head, _, value = part.partition(b"\r\n\r\n")
            text = head.decode()
            file_name = re.search(r'filename="([^"]*)"', text)
            parts.append(Part(text, re.search(r'[ ;]name="([^"]*)"', text).group(1),
                              file_name and file_name.group(1), value))
        return parts

    @property
    def fields(self):
        """The fields of a form that are no files."""
        if not self.is_form:
            return {}
        return {p.name: p.value.decode() for p in self.parts if p.file_name is None}
