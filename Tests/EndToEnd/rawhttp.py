# SPDX-License-Identifier: MIT
"""A client that sends exactly the bytes it is given and reads answers strictly."""

import socket
import time
from dataclasses import dataclass

from process import PATIENCE


@dataclass
class Answer:
    """One parsed answer."""

    version: str
    status: int
    headers: list
    body: bytes

    def header(self, name):
        """Values of one header, in order."""
        return [v for n, v in self.headers if n.lower() == name.lower()]


class RawClient:
    """One connection to the gateway."""

    def __init__(self, port, timeout=10.0, receive_buffer=None, wrap=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout * PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if wrap is not None:
            self.socket = wrap(self.socket)
        self.held = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data, byte_by_byte=False):
        """Sends bytes; the gateway may already have closed."""
        data = data.encode("latin-1") if isinstance(data, str) else data
        try:
            if not byte_by_byte:
                self.socket.sendall(data)
            else:
                for index in range(len(data)):
                    self.socket.sendall(data[index:index + 1])
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def _more(self):
        data = self.socket.recv(65536)
        self.held += data
        return bool(data)

    def _until(self, mark):
        while mark not in self.held:
            assert self._more(), f"connection closed within an answer: {self.held[:300]!r}"
        part, _, self.held = self.held.partition(mark)
        return part

    def _exactly(self, count):
        while len(self.held) < count:
            assert self._more(), f"connection closed {count - len(self.held)} bytes too early"
        part, self.held = self.held[:count], self.held[count:]
        return part

    def head(self):
        """The head of the next answer."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        assert not any("\n" in line or "\r" in line for line in lines), lines
        version, status, _ = lines[0].split(" ", 2)
        headers = []
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            assert colon and name and " " not in name, f"bad header line {line!r}"
            headers.append((name, value.strip()))
        return Answer(version, int(status), headers, b"")

    def answer(self, method="GET"):
        """The next complete answer; it must have exactly one valid length."""
        answer = self.head()
        length, coding = answer.header("content-length"), answer.header("transfer-encoding")
        if method == "HEAD" or answer.status in (204, 304) or answer.status < 200:
            return answer
        assert len(length) + len(coding) <= 1, f"two lengths: {answer.headers}"
        if coding:
            assert coding == ["chunked"] and answer.version == "HTTP/1.1"
            answer.body = self._chunks()
        elif length:
            assert length[0].isdigit()
            answer.body = self._exactly(int(length[0]))
        else:
            assert answer.header("connection") == ["close"] or answer.version == "HTTP/1.0", \
                f"no length: {answer.headers}"
            while self._more():
                pass
            answer.body, self.held = self.held, b""
        return answer

    def _chunks(self):
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            assert self._exactly(2) == b"\r\n"
        assert self._exactly(2) == b"\r\n"
        return body

    def is_closed(self, within=3.0):
        """Whether the gateway ends the connection, with nothing more sent, within that time."""
        self.socket.settimeout(within * PATIENCE)
        try:
            return not self.held and self.socket.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True

    def is_quiet(self, seconds=0.15):
        """Whether the gateway neither sends nor closes for that time."""
        self.socket.settimeout(seconds)
        try:
            self.held += self.socket.recv(65536)
            return False
        except TimeoutError:
            return not self.held

    def seconds_until_closed(self, limit):
        """How long the gateway keeps the connection; fails beyond the limit."""
        start = time.monotonic()
        self.socket.settimeout(limit)
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            pass
        return time.monotonic() - start
