# SPDX-License-Identifier: MIT
"""A scripted OpenAI-compatible upstream that records every request and fails exactly as told.

It speaks HTTP over bare asyncio streams, so that each byte, reset and pause is chosen by the
script. The script of a request is the part of its model name before `@` (see behaviours.py); what
follows `@` only makes the name unique, so that tests share one upstream without meeting.
"""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
import time

from exchange import Exchange

HEAD_LIMIT = 1 << 20


class Gone(Exception):
    """The peer closed or reset the connection while the answer was being written."""


class Connection:
    """One accepted connection: reads requests, hands them to the script, watches for the end."""

    def __init__(self, upstream, listener, reader, writer, number):
        self.upstream, self.listener, self.number = upstream, listener, number
        self.reader, self.writer = reader, writer
        self.sequence = 0
        self.exchange = None
        self.keep = True
        self.pushed_back = b""
        tls = writer.get_extra_info("ssl_object")
        self.resumed = bool(tls and tls.session_reused)
        self.sni = getattr(tls, "e2e_sni", None)
        self.set_option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        writer.transport.set_write_buffer_limits(high=1, low=0)

    def set_option(self, level, name, value):
        """Sets a socket option, unless the peer has ended the connection already."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(level, name, value)

    async def serve(self):
        """Answers requests until the peer or the script ends the connection."""
        try:
            while self.keep:
                exchange = await self.read_request()
                if exchange is None:
                    break
                await self.answer(exchange)
        except (Gone, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            with contextlib.suppress(Exception):
                self.writer.close()

    async def answer(self, exchange):
        """Runs the script, and ends it when the peer goes away first."""
        self.exchange = exchange
        watch = asyncio.ensure_future(self.watch(exchange))
        work = asyncio.ensure_future(self.upstream.script(self, exchange))
        await asyncio.wait({watch, work}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
            raise Gone
        watch.cancel()
        await asyncio.wait({watch})
        if work.exception() is not None:
            if not isinstance(work.exception(), (Gone, ConnectionError)):
                self.upstream.failures.append(work.exception())
            self.note_gone(exchange)
            raise Gone
        exchange.finished.set()

    async def watch(self, exchange):
        """Returns when the peer closes; anything else that it sends is kept for later."""
        try:
            while data := await self.reader.read(65536):
                self.pushed_back += data
        except (ConnectionError, ssl.SSLError):
            pass
        self.note_gone(exchange)

    def note_gone(self, exchange):
        if not exchange.gone.is_set():
            exchange.gone_at = time.monotonic()
            exchange.gone.set()

    async def read_some(self):
        if self.pushed_back:
            data, self.pushed_back = self.pushed_back, b""
            return data
        return await self.reader.read(262144)

    async def read_request(self):
        """One request with its whole body, or None at the end of the connection."""
        held = bytearray()
        while b"\r\n\r\n" not in held:
            data = await self.read_some()
            if not data or len(held) > HEAD_LIMIT:
                return None
            held += data
        head, _, rest = bytes(held).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ")
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]
        exchange = Exchange(
            method, path, headers, head, b"", self.listener, self.number, self.sequence,
            self.sni, self.resumed)
        self.sequence += 1
        self.pushed_back = rest + self.pushed_back
        early = self.upstream.early_answer(path)
        if early is not None:
            await self.upstream.early_script(self, exchange, early)
            return None
        exchange.body = await self.read_body(exchange)
        self.upstream.record(exchange)
        return exchange

    async def read_body(self, exchange):
        if exchange.header("transfer-encoding") == ["chunked"]:
            return await self.read_chunks()
        return await self.read_exactly(int((exchange.header("content-length") or ["0"])[0]))

    async def read_exactly(self, count):
        held = bytearray()
        while len(held) < count:
            data = await self.read_some()
            if not data:
                raise ConnectionResetError
            held += data
        self.pushed_back = bytes(held[count:]) + self.pushed_back
        return bytes(held[:count])

    async def read_line(self):
        line = bytearray()
        while not line.endswith(b"\r\n"):
            line += await self.read_exactly(1)
        return bytes(line[:-2])

    async def read_chunks(self):
        body = bytearray()
        while size := int((await self.read_line()).split(b";")[0], 16):
            body += await self.read_exactly(size)
            if await self.read_exactly(2) != b"\r\n":
                raise ConnectionResetError
        while await self.read_line():
            pass
        return bytes(body)

    async def send(self, data, segment=0):
        """Writes bytes, in pieces of `segment` bytes when that is not 0."""
        step = segment or max(len(data), 1)
        for start in range(0, len(data), step):
            piece = data[start:start + step]
            self.writer.write(piece)
            await self.writer.drain()
            self.exchange.bytes_sent += len(piece)
            if segment:
                await asyncio.sleep(0)

    def reset(self):
        """Ends the connection with RST, what is unsent is lost."""
        self.keep = False
        self.set_option(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def drop(self):
        """Ends the connection with FIN, without TLS's close_notify."""
        self.keep = False
        self.writer.transport.abort()


class Upstream:
    """The listeners and the records; runs its own loop on its own thread."""

    def __init__(self, certificates=None):
        from behaviours import early_script, run_script
        self.script, self.early_script = run_script, early_script
        self.certificates = certificates
        self.ports = {}
        self.failures = []
        self.connections = {}
        self.verbatim = {}          # answers of given bytes, by the unique part of the model
        self._exchanges = []
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end_tasks(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _end_tasks(self):
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _open(self):
        await self._listen("plain", None)
        if self.certificates is not None:
            for name in self.certificates.listeners:
                await self._listen(name, self.certificates.server_context(name))

    async def _listen(self, name, context):
        self.connections[name] = 0
        if context is not None:
            context.sni_callback = lambda tls, host, _: setattr(tls, "e2e_sni", host)

        async def accepted(reader, writer):
            self.connections[name] += 1
            number = self.connections[name]
            with contextlib.suppress(asyncio.CancelledError):
                await Connection(self, name, reader, writer, number).serve()

        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        sock.bind(("127.0.0.1", 0))
        server = await asyncio.start_server(accepted, sock=sock, ssl=context, backlog=512)
        self.ports[name] = server.sockets[0].getsockname()[1]

    def url(self, listener="plain", host=None, path="/v1"):
        """The base URL of a channel that leads here; TLS listeners are reached by name."""
        scheme, name = ("http", "127.0.0.1") if listener == "plain" else ("https", "localhost")
        return f"{scheme}://{host or name}:{self.ports[listener]}{path}"

    def early_answer(self, path):
        """The script of a base path `/early-…`, which answers before it reads the body."""
        return path.split("/")[1] if path.startswith("/early-") else None

    def record(self, exchange):
        with self._changed:
            self._exchanges.append(exchange)
            self._changed.notify_all()

    def requests(self, unique):
        """All requests whose model ends with this unique part, in order of arrival."""
        with self._changed:
            return [x for x in self._exchanges if x.model.endswith(unique)]

    def wait_for(self, unique, count=1, timeout=10):
        """The `count`-th request for a model; fails when it does not come."""
        with self._changed:
            def arrived():
                return sum(x.model.endswith(unique) for x in self._exchanges) >= count
            assert self._changed.wait_for(arrived, timeout), f"no request for {unique} upstream"
        return self.requests(unique)[count - 1]


if __name__ == "__main__":
    with Upstream() as upstream:
        print(upstream.url(), flush=True)
        threading.Event().wait()
