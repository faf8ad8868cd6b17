# SPDX-License-Identifier: MIT
"""Accounts of a test: made, logged in, and used with their own login."""

import threading

from process import next_number

USER_PASSWORD = "a user's password"


class Person:
    """One account and its login."""

    def __init__(self, gateway, username, password=USER_PASSWORD, record=None):
        self.gateway, self.username, self.record = gateway, username, record
        body = {"username": username, "password": password}
        response = gateway.request("POST", "/auth/login", jwt="", json=body)
        assert response.status_code == 200, response.text
        self.jwt = response.json()["data"]["token"]

    @property
    def path(self):
        return f"/users/{self.record['id']}"

    def request(self, method, path, body=None):
        """A management call of this account; returns the answer as it is."""
        more = {} if body is None else {"json": body}
        return self.gateway.request(method, path, jwt=self.jwt, **more)

    def call(self, method, path, body=None):
        """A management call of this account that must succeed; returns `data`."""
        response = self.request(method, path, body)
        assert response.status_code == 200, response.text
        return response.json()["data"]


def create(gateway, **fields):
    """Creates an account with the gateway's own login; returns what is said about it."""
    body = {"username": f"user {next_number()}", "password": USER_PASSWORD, **fields}
    return gateway.call("POST", "/users", body)


def person(gateway, **fields):
    """Creates an account and logs it in."""
    record = create(gateway, **fields)
    return Person(gateway, record["username"], fields.get("password", USER_PASSWORD), record)


def at_once(*calls):
    """Makes the calls at the same time; returns their answers in order."""
    answers, barrier = [None] * len(calls), threading.Barrier(len(calls))

    def run(index, call):
        barrier.wait(10)
        answers[index] = call()

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers
