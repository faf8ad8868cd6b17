# SPDX-License-Identifier: MIT
"""Somebody who changes settings all day, and remembers what was acknowledged."""

import asyncio
import itertools

import httpx

WEIGHTS = range(50, 101)
KEPT = 40           # tokens; the oldest go
BACKUP_EACH = 10    # changes
REFUSED_WHEN_FULL = 503, 507
NUMBERS = itertools.count(1)


class Settings:
    """Possible states of what was changed: one after an acknowledgement, two after none."""

    def __init__(self, channels, dice):
        self.dice = dice
        self.names, self.weights = {}, {channel["id"]: {channel["weight"]} for channel in channels}
        self.may_refuse = lambda: False         # whether the disk is full
        self.problems, self.acknowledged, self.refused, self.unanswered = [], 0, 0, 0
        self.client = None
        self.turn = asyncio.Lock()              # nothing changes while it is verified

    def connect(self, gateway):
        """Goes on with this life of the gateway."""
        self.client = httpx.AsyncClient(
            base_url=gateway.url + "/api/v1", timeout=20, trust_env=False,
            headers={"Authorization": f"Bearer {gateway.jwt}"})

    async def work(self, pause):
        """One change after the other, until it is cancelled."""
        for number in itertools.count():
            await asyncio.sleep(pause * (0.5 + self.dice.random()))
            async with self.turn:
                if number % BACKUP_EACH == BACKUP_EACH - 1:
                    await self.call("POST", "/backups", None)
                else:
                    await self.dice.choice([self.create, self.rename, self.weigh, self.drop])()

    async def call(self, method, path, body):
        """The data of a change that was acknowledged; False of one refused; None: who knows."""
        try:
            answer = await self.client.request(method, path, json=body)
        except httpx.HTTPError:
            self.unanswered += 1
            return None
        if answer.status_code == 200:
            self.acknowledged += 1
            return answer.json()["data"] or {}
        self.refused += 1
        if answer.status_code not in REFUSED_WHEN_FULL or not self.may_refuse():
            self.problems.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return False

    async def create(self):
        name = f"made {next(NUMBERS)}"
        made = await self.call("POST", "/tokens", {"name": name})
        if made:
            self.names[made["id"]] = {name}

    async def change(self, states, number, path, field, value):
        """Changes one field, which may have the new value from now on."""
        before = states[number]
        states[number] = before | {value}
        done = await self.call("PUT", path, {field: value})
        if done is not None:
            states[number] = before if done is False else {value}

    async def rename(self):
        if self.names:
            number = self.dice.choice(list(self.names))
            await self.change(self.names, number, f"/tokens/{number}", "name",
                              f"renamed {next(NUMBERS)}")

    async def weigh(self):
        number = self.dice.choice(list(self.weights))
        await self.change(self.weights, number, f"/channels/{number}", "weight",
                          self.dice.choice(WEIGHTS))

    async def drop(self):
        """Deletes the oldest token when there are many."""
        if len(self.names) < KEPT:
            return await self.create()
        number = min(self.names)
        before = self.names[number]
        self.names[number] = before | {None}
        done = await self.call("DELETE", f"/tokens/{number}", None)
        if done is False:
            self.names[number] = before
        elif done is not None:
            del self.names[number]

    async def verify(self, gateway):
        """Nothing acknowledged may be lost; what was left open is known afterwards."""
        async with self.turn:
            await asyncio.to_thread(self.compare, gateway)

    def compare(self, gateway):
        """Everything that the gateway shows, with what it may be."""
        tokens = {item["id"]: item["name"] for item in gateway.items("/tokens")}
        weights = {item["id"]: item["weight"] for item in gateway.items("/channels")}
        for found, states in ((tokens, self.names), (weights, self.weights)):
            for number, possible in list(states.items()):
                if found.get(number) not in possible:
                    self.problems.append(f"{number} is {found.get(number)}, not {possible}")
                states[number] = {found.get(number)}
        for number in [n for n, names in self.names.items() if names == {None}]:
            del self.names[number]
