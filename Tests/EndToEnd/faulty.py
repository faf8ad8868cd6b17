# SPDX-License-Identifier: MIT
"""A fleet of fast upstreams for load: each has a port of its own, and its behaviour is switched
while requests are under way.

One core serves the fleet and the load driver (load.py) on one loop, beside the gateway's.
"""

import asyncio
import collections
import contextlib
import re
import socket
import threading

import payloads
from faulty_connection import (
    CUT, HANG, OK, RESET, STREAMED, Connection, chunks, complete, failing, slow)

__all__ = ["CUT", "HANG", "OK", "RESET", "FaultyUpstream", "Fleet", "failing", "slow", "text_of"]
USAGE = re.compile(rb'"include_usage"\s*:\s*true')


def text_of(marker):
    """The text that the upstream with this marker answers."""
    return f"{marker}: grüß dich, 世界 🌍! The quick brown fox jumps over the lazy dog."


class FaultyUpstream:
    """One upstream: a port, a behaviour, and counts. Every method may be called anywhere."""

    def __init__(self, fleet, marker, behaviour):
        self.fleet, self.loop, self.marker = fleet, fleet.loop, marker
        self.behaviour = behaviour
        self.by_key = {}                        # behaviours of single keys
        self.next = collections.deque()         # behaviours of the next requests, each used once
        self.paused = False
        self.open = self.most_open = self.polls = 0
        self.arrivals, self.waiting, self.connections = [], [], set()
        self.prebuilt = {}
        self.listener = None
        # Bound and never listening: nobody else gets the port while this upstream is dead.
        self.reservation = bound(0)
        self.port = self.reservation.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    @property
    def count(self):
        """How many requests have arrived."""
        return len(self.arrivals)

    @property
    def keys(self):
        """The channel keys of all requests, in order."""
        return [arrival.key for arrival in self.arrivals]

    def behave(self, behaviour):
        """What every request meets from now on; those under way go on as they began."""
        self.behaviour = behaviour
        return self

    def kill(self):
        """Closes the listener and resets all connections: connecting is refused from now on."""
        self.fleet.on_loop(self._kill)

    def _kill(self):
        if self.listener is not None:
            self.loop.remove_reader(self.listener)
            self.listener.close()
            self.listener = None
        for connection in list(self.connections):
            connection.reset()

    def revive(self):
        """Listens again, on the same port."""
        self.fleet.on_loop(self._listen)

    def _listen(self):
        if self.listener is None:
            self.listener = bound(self.port)
            self.listener.listen(512)
            self.listener.setblocking(False)
            self.loop.add_reader(self.listener, self._accept)

    def _accept(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _ = self.listener.accept()
                sock.setblocking(False)
                self.fleet.begin(self.loop.connect_accepted_socket(lambda: Connection(self), sock))

    def pause(self):
        """Accepts connections and requests from now on, and answers none."""
        self.paused = True

    def resume(self):
        """Answers again, first what came during the pause."""
        self.fleet.on_loop(self._resume)

    def _resume(self):
        self.paused = False
        waiting, self.waiting = self.waiting, []
        for connection, arrival, behaviour in waiting:
            if connection.serving is arrival:
                connection.act(behaviour)

    def arrived(self, arrival):
        """Counts a request and says what becomes of it."""
        self.arrivals.append(arrival)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        if self.next:
            return self.next.popleft()
        return self.by_key.get(arrival.key, self.behaviour)

    def ordinary(self, arrival):
        """The bytes of a successful answer."""
        usage = arrival.stream and bool(USAGE.search(arrival.body))
        key = (arrival.model, arrival.stream, usage)
        if key not in self.prebuilt:
            self.prebuilt[key] = self._build(arrival, usage)
        return self.prebuilt[key]

    def _build(self, arrival, usage):
        if not arrival.stream:
            message = {"role": "assistant", "content": text_of(self.marker)}
            return complete(200, payloads.completion(arrival.model, message))
        events = self.events(arrival)
        if usage:
            last = {**payloads.chunk(arrival.model, {}), "choices": [], "usage": payloads.USAGE}
            events.append(b"data: " + payloads.dump(last) + b"\n\n")
        return STREAMED + chunks([*events, b"data: [DONE]\n\n"], b"0\r\n\r\n")

    def events(self, arrival):
        """The events of a stream, without usage and [DONE]."""
        head, tail = text_of(self.marker).split("世")
        deltas = [{"role": "assistant", "content": ""}, {"content": head}, {"content": "世" + tail}]
        values = [payloads.chunk(arrival.model, delta) for delta in deltas]
        values.append(payloads.chunk(arrival.model, {}, "stop"))
        return [b"data: " + payloads.dump(value) + b"\n\n" for value in values]

    def close(self):
        """The end."""
        self._kill()
        self.reservation.close()


def bound(port):
    """A socket bound to a port, beside the one that reserves it."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", port))
    return sock


class Fleet:
    """The loop on its own thread, and the upstreams on it."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.loop.set_exception_handler(self._failed)
        self.upstreams, self.failures, self.tasks = [], [], set()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()

    async def _end(self):
        for upstream in self.upstreams:
            upstream.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.01)    # what was aborted is told so

    def _failed(self, _, context):
        self.failures.append(repr(context.get("exception") or context["message"]))

    def upstream(self, behaviour=OK, listening=True):
        """A new upstream; one that does not listen can be revived."""
        upstream = FaultyUpstream(self, f"u{len(self.upstreams) + 1}", behaviour)
        self.upstreams.append(upstream)
        if listening:
            upstream.revive()
        return upstream

    def begin(self, coroutine):
        """Runs a coroutine beside everything else; only on the loop."""
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def start(self, coroutine):
        """Runs a coroutine on the loop and returns a future of its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine, seconds=100):
        """Runs a coroutine on the loop and returns its result."""
        return self.start(coroutine).result(seconds)

    def on_loop(self, function):
        """Calls a function on the loop's thread, and waits for it."""
        if threading.current_thread() is self.thread:
            return function()

        async def call():
            return function()

        return self.run(call(), 10)
