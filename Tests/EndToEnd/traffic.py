# SPDX-License-Identifier: MIT
"""A public model over several faulty upstreams, with its channel group and its token."""

import json
from dataclasses import dataclass

from faulty import OK, text_of
from gateway import Gateway
from load import drive, read_answer, read_stream, request_bytes
from process import next_number


@dataclass
class Pool:
    """A model of one test, its channels in order, and who asks for it."""

    gateway: Gateway
    model: str
    upstreams: list
    channels: list
    token: dict
    group: dict | None

    def ask(self, stream=False, text="hello", **more):
        """One chat request; the answer as it is."""
        body = {"model": self.model, "messages": [{"role": "user", "content": text}],
                "stream": stream, **more}
        return self.gateway.post("/v1/chat/completions", json.dumps(body), self.token["key"])

    def served_by(self, **more):
        """The number of the upstream that serves a request, which must succeed."""
        return self.number_of(self.ask(**more), more.get("stream", False))

    def number_of(self, response, stream=False):
        """The number of the upstream that gave this answer, which must be a correct one."""
        assert response.status_code == 200, f"{response.status_code} {response.text[:500]}"
        _, text = read_stream(response.content) if stream else read_answer(response.content)
        for number, upstream in enumerate(self.upstreams):
            if text == text_of(upstream.marker):
                return number
        raise AssertionError(f"no upstream of this model sends {text!r}")

    def failure(self, status, **more):
        """The error object of a request that must fail with one of these status codes."""
        response = self.ask(**more)
        wanted = (status,) if isinstance(status, int) else status
        assert response.status_code in wanted, f"{response.status_code} {response.text[:500]}"
        return response.json()["error"]

    def counts(self):
        """How many requests each upstream got so far."""
        return [upstream.count for upstream in self.upstreams]

    def explain(self, model=None):
        """What the gateway says about routing this token's requests."""
        return self.gateway.call(
            "GET", f"/explain?token_id={self.token['id']}&model={model or self.model}")

    def verdict(self, number=0):
        """What it says about one channel."""
        channels = self.explain()["channels"]
        wanted = self.channels[number]["id"]
        found = [c for c in channels if c["channel_id"] == wanted]
        assert found, f"channel {wanted} is not explained: {channels}"
        assert found[0]["eligible"] is (found[0]["reason"] is None), found[0]
        return found[0]

    def reason(self, number=0):
        """Why one channel is not eligible; None when it is."""
        return self.verdict(number)["reason"]

    def order(self):
        """The numbers of the channels that would be tried, in that order."""
        numbers = {channel["id"]: number for number, channel in enumerate(self.channels)}
        tried = [c for c in self.explain()["channels"] if c["order"] is not None]
        return [numbers[c["channel_id"]] for c in sorted(tried, key=lambda c: c["order"])]

    def state(self, number=0):
        """One channel as the management API shows it."""
        return self.gateway.call("GET", f"/channels/{self.channels[number]['id']}")

    def change(self, number=0, **fields):
        """Changes settings of one channel."""
        return self.gateway.call("PUT", f"/channels/{self.channels[number]['id']}", fields)

    def start(self, fleet, requests, connections=64, stream=False, **more):
        """Starts a load for this model; returns a future of the `Run`."""
        request = request_bytes(self.token["key"], self.model, stream)
        return fleet.start(drive(
            self.gateway.port, request, self.model, requests, connections, stream, **more))

    def load(self, fleet, requests, connections=64, stream=False, **more):
        """A load for this model; returns the `Run`."""
        return self.start(fleet, requests, connections, stream, **more).result(100)


def pool_of(gateway, fleet, *settings, behaviours=None, **more):
    """A pool with a new upstream for each dict of settings."""
    behaviours = behaviours or [OK] * len(settings)
    return make_pool(gateway, [fleet.upstream(b) for b in behaviours], *settings, **more)


def make_group(gateway, **fields):
    """Creates a channel group with a name of its own."""
    return gateway.call("POST", "/channel-groups", {"name": f"group-{next_number()}", **fields})


def make_pool(gateway, upstreams, *settings, group=None, model=None, **fields):
    """A new model with a channel for each upstream.

    `settings` are the fields of single channels, `fields` those of all. With `group`, a dict of
    settings, the channels and the token are in a channel group of their own.
    """
    model = model or f"model-{next_number()}"
    settings = settings or [{}] * len(upstreams)
    assert len(settings) == len(upstreams)
    created = None if group is None else make_group(gateway, **group)
    if created is not None:
        fields = {"groups": [created["name"]], **fields}
    channels = [
        gateway.channel(**{"base_url": upstream.url, "models": [model], **fields, **own})
        for upstream, own in zip(upstreams, settings)]
    token = gateway.token(**({} if created is None else {"channel_group": created["name"]}))
    return Pool(gateway, model, upstreams, channels, token, created)


def priorities(count):
    """Settings of channels that are tried in their order."""
    return [{"priority": count - number} for number in range(count)]
