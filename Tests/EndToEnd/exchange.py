# SPDX-License-Identifier: MIT
"""The record that the scripted upstream keeps of each request."""

import json
import threading
import time
from dataclasses import dataclass, field


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
        return self.json.get("model", "")
