# SPDX-License-Identifier: MIT
"""The upstreams of the bad day: one that serves always, and those that do 1 % of every fault.

All run on the loop of the whole rehearsal. What they handed out is theirs to say: `Ledger` holds
it against what the gateway charged.
"""

import asyncio
import collections
import contextlib
import random
import socket
import ssl
import struct

from bad_day_faults import EARLY, LATE, Answer, dribble, good
from bad_day_wire import read_request
from faulty import bound

OUTAGE = 0.15
HANDSHAKES = {
    "TLS: no handshake": b"", "TLS: plain HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "TLS: fatal alert": bytes.fromhex("15030300020228")}


class Ledger:
    """What upstreams handed out and did, by the number of the request."""

    def __init__(self):
        self.handed_out = collections.defaultdict(list)     # answers meant to be complete
        self.done = collections.Counter()                   # what was done, how often
        self.faults = collections.defaultdict(list)         # which faults a request met
        self.cut = {}                                       # answers that were broken off

    @property
    def count(self):
        return sum(self.done.values())


class Deck:
    """Deals each of its faults once in a hundred requests, in an order nobody can tell."""

    def __init__(self, faults, dice):
        self.faults, self.dice, self.cards = list(faults), dice, []

    def deal(self):
        """The next fault; None for a good answer."""
        if not self.cards:
            self.cards = self.faults + [None] * (100 - len(self.faults))
            self.dice.shuffle(self.cards)
        return self.cards.pop()


class Line:
    """One accepted connection."""

    def __init__(self, upstream, reader, writer):
        self.upstream, self.reader, self.writer = upstream, reader, writer
        self.keep, self.is_idle = True, True

    async def serve(self):
        """Answers requests until somebody ends the connection."""
        try:
            while self.keep:
                self.is_idle = True
                raw = await self.request()
                self.is_idle = False
                await self.upstream.answer(self, raw)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.writer.close()

    async def request(self):
        """The body of the next request."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        return await self.reader.readexactly(int(length or 0))

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def hold(self):
        """Says nothing more; the gateway has to lose its patience."""
        self.keep = False
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.reader.read(), 60)

    def reset(self):
        """Ends the connection with RST, what is unsent is lost."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.drop()

    def drop(self):
        """Ends the connection; on TLS without a word about it."""
        self.keep = False
        if not self.writer.transport.get_write_buffer_size():
            self.writer.transport.abort()
        else:
            self.writer.close()

    def hand_out(self, asked):
        """Notes what a complete answer begins to hand out."""
        self.upstream.ledger.handed_out[asked.number].append(asked)


class BadUpstream:
    """One upstream on a port of its own; without a deck of faults it serves always."""

    def __init__(self, marker, wire, ledger, context=None, faults=(), dice=random):
        self.marker, self.wire, self.ledger, self.context = marker, wire, ledger, context
        self.deck = Deck(faults, dice)
        self.spoiled = collections.deque()      # what the next handshakes meet
        self.lines, self.tasks = set(), set()
        # Bound and never listening: nobody else gets the port during an outage.
        self.reservation = bound(0)
        self.port = self.reservation.getsockname()[1]
        self.listener = None

    @property
    def url(self):
        scheme, host = ("https", "localhost") if self.context else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}{self.wire.path}"

    @staticmethod
    def all_faults(has_tls):
        """The names of everything that such an upstream may do."""
        return [*EARLY, *LATE, "dribble", "refused", *(HANDSHAKES if has_tls else ())]

    def listen(self):
        self.listener = bound(self.port)
        self.listener.listen(128)
        self.listener.setblocking(False)
        asyncio.get_running_loop().add_reader(self.listener, self.accept)

    def accept(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                self.begin(self.welcome(sock))

    def begin(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def welcome(self, sock):
        """Serves one connection, unless its handshake is to fail."""
        if self.spoiled:
            with contextlib.suppress(ConnectionError), sock:
                said = HANDSHAKES[self.spoiled.popleft()]
                await asyncio.get_running_loop().sock_recv(sock, 4096)
                await asyncio.get_running_loop().sock_sendall(sock, said)
            return
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=1 << 20)
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await loop.connect_accepted_socket(
                lambda: protocol, sock, ssl=self.context)
        except (OSError, ssl.SSLError):
            return
        line = Line(self, reader, asyncio.StreamWriter(transport, protocol, reader, loop))
        self.lines.add(line)
        try:
            await line.serve()
        finally:
            self.lines.discard(line)

    async def answer(self, line, raw):
        """Does what the next card says."""
        asked = read_request(raw, self.marker, self.wire)
        fault = self.deck.deal() if asked.number > 0 else None
        answer = Answer(self.wire, asked)
        self.ledger.done[fault or "good answer"] += 1
        act = {**EARLY, **LATE, "dribble": dribble}.get(fault, good)
        if act is not good:
            self.ledger.faults[asked.number].append(fault)
        if fault in LATE and asked.stream:
            self.ledger.cut[asked.number] = asked
        await act(line, answer)
        if fault == "refused":
            self.shut(line)
            asyncio.get_running_loop().call_later(OUTAGE, self.listen)
        elif fault in HANDSHAKES:
            self.spoiled.append(fault)
            self.close_lines(line)

    def close_lines(self, last):
        """Ends the idle connections and, behind its answer, the one that is served."""
        last.keep = False
        for line in self.lines:
            if line.is_idle:
                line.writer.transport.abort()

    def shut(self, last):
        """Connecting is refused from now on."""
        self.close()
        self.close_lines(last)

    def close(self):
        if self.listener is not None:
            asyncio.get_running_loop().remove_reader(self.listener)
            self.listener.close()
            self.listener = None

    async def end(self):
        """The end of the day."""
        self.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.reservation.close()
