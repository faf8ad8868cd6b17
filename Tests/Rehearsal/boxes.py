# SPDX-License-Identifier: MIT
"""Boxes for the doctor: a healthy one, and such as each have one thing wrong."""

import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from email.utils import formatdate
from time import time

from gateway import Gateway
from process import command, environment, free_port, on_small_disk
from shapes import Verbatim
from test_doctor import findings


@dataclass
class Box:
    """How the doctor is called on a box, and what else it takes to make it ill."""

    folder: object
    stack: ExitStack
    arguments: list = field(default_factory=list)
    wrapper: list = field(default_factory=list)

    def examine(self):
        """The doctor's words, its exit status and its findings by id."""
        if "--port" not in self.arguments:
            self.arguments += ["--port", free_port()]
        done = subprocess.run(
            [*self.wrapper, *command("doctor", "--data-dir", self.folder, *self.arguments)],
            env=environment(), capture_output=True, text=True, timeout=60)
        print("$ tinygateway doctor", *self.arguments, f"\n{done.stdout}{done.stderr}"
              f"exit status {done.returncode}\n")
        return done, findings(done)


def healthy(box):
    """A gateway after its first login."""
    with Gateway(box.folder) as gateway:
        gateway.set_up()


def first_password(box):
    """A gateway that nobody has logged into."""
    Gateway(box.folder).start().stop()


def full_disk(box):
    """No room is left on the disk."""
    healthy(box)
    with (box.folder / "fill").open("wb") as file:
        file.write(bytes(3_900_000))
    box.wrapper = on_small_disk(box.folder, "4m")


def no_authorities(box):
    """The configuration names a bundle in which no authority is."""
    healthy(box)
    bundle = box.folder / "bundle.pem"
    bundle.write_text("# The download failed.\n")
    box.arguments = ["--ca-file", bundle]


def taken_port(box):
    """Another program has the port."""
    healthy(box)
    stranger = box.stack.enter_context(socket.create_server(("0.0.0.0", 0)))
    box.arguments = ["--port", stranger.getsockname()[1]]


def lost_channel(box):
    """A channel leads to where nobody listens."""
    with Gateway(box.folder) as gateway:
        gateway.set_up()
        gateway.channel(f"http://127.0.0.1:{free_port()}/v1", ["m"], name="lost")


def other_journal(box):
    """The configuration was changed, and the gateway not restarted since."""
    healthy(box)
    box.arguments = ["--journal-mode", "persist"]


def too_much_memory(box):
    """It may use more memory than the machine has."""
    healthy(box)
    box.arguments = ["--memory-limit-mb", 999_999]


def no_folder(box):
    """The medium of the data directory is not mounted."""


# What is found, how bad it is, a part of the message, a part of the advice.
BOXES = {
    first_password: ("password", "error", "first password", "tinygateway passwd"),
    full_disk: ("space", "error", "are free", "Remove files"),
    no_authorities: ("authorities", "error", "bundle.pem", "Correct ca_file"),
    taken_port: ("port", "error", "another program", "Stop that program"),
    lost_channel: ("channel", "warning", "refused", "Check base_url"),
    other_journal: ("journal_mode", "warning", "wal is in force, not persist", "Restart"),
    too_much_memory: ("memory", "error", "999999", "Lower memory_limit_mb"),
    no_folder: ("file_system", "error", "cannot be looked at", "mount its medium"),
}


def wrong_clock(gateway, upstream):
    """An upstream whose certificate is good says that it is two days later than the box thinks."""
    route = gateway.route(upstream, "clock", listener="tls")
    body = b'{"choices":[]}'
    head = (f"HTTP/1.1 200 OK\r\nDate: {formatdate(time() + 172_800, usegmt=True)}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
    upstream.verbatim[route.unique] = Verbatim(body, 0, head.encode())
    gateway.post("/v1/chat/completions", f'{{"model":"{route.model}","messages":[]}}')
    return next(f for f in gateway.call("GET", "/doctor")["findings"] if f["id"] == "clock")
