# SPDX-License-Identifier: MIT
"""Starts the gateway under test, speaks its management API, and stops it."""

import contextlib
import re
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

import httpx
from openai import AsyncOpenAI, OpenAI

from process import PATIENCE, START_SECONDS, STOP_SECONDS, command, environment, next_number

FIRST_PASSWORD = "123456"
PASSWORD = "correct horse battery"


class ManagementError(Exception):
    """A management call that failed; carries the answer."""

    def __init__(self, response):
        super().__init__(f"{response.request.method} {response.request.url.path}: "
                         f"{response.status_code} {response.text[:500]}")
        self.response = response
        self.status = response.status_code
        with contextlib.suppress(ValueError):
            self.body = response.json()


@dataclass
class Route:
    """A model of one test: its public name, its channels in order of priority."""

    model: str
    unique: str
    channels: list
    upstream: object

    @property
    def channel(self):
        """The first channel."""
        return self.channels[0]

    def requests(self):
        """What arrived upstream so far."""
        return self.upstream.requests(self.unique)

    def request(self, number=1):
        """The `number`-th request that arrived upstream; waits for it."""
        return self.upstream.wait_for(self.unique, number)


class Gateway:
    """One running gateway and its data directory."""

    def __init__(self, data_dir, config=None, arguments=(), env=None, jwt=None):
        self.data_dir = Path(data_dir)
        self.config, self.arguments, self.env = config or {}, list(arguments), env or {}
        self.jwt, self.process, self.log_lines = jwt, None, []
        self.port = self.default_key = None
        self.http = self._sdk = None
        self.wrapper = []               # a command that runs the gateway in place of itself
        self.leaves_log = False         # nobody reads the log once the gateway has started

    def copy(self, data_dir, config=None, arguments=(), env=None):
        """Another gateway, not started, over a copy of this stopped one's data and logins."""
        shutil.copytree(self.data_dir, data_dir)
        other = Gateway(data_dir, config, arguments, env, self.jwt)
        other.default_key = self.default_key
        return other

    # Starting and stopping

    def start(self, port=0):
        """Starts the process and waits until it says that it listens."""
        arguments = ["serve", "--data-dir", self.data_dir, "--port", port, *self.arguments]
        for key, value in self.config.items():
            arguments += ["--" + key.replace("_", "-"), value]
        self.process = subprocess.Popen(
            [*self.wrapper, *command(*arguments)], env=environment(**self.env),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.port, self._started = None, threading.Event()
        self.read_log()
        if not self._started.wait(START_SECONDS) or self.port is None:
            self.process.kill()
            self._reader.join(2)
            self.process.wait()
            self.process = None
            raise AssertionError(f"the gateway did not start:\n{self.log}")
        self.http = httpx.Client(base_url=self.url, timeout=30 * PATIENCE, trust_env=False)
        self._sdk = None
        return self

    def read_log(self):
        """Reads the log from now on, in the background."""
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self):
        for line in self.process.stdout:
            text = line.decode(errors="replace").rstrip("\n")
            self.log_lines.append(text)
            found = re.search(r"Server started on http://[^ ]*:(\d+)", text)
            if found:
                self.port = int(found.group(1))
                self._started.set()
                if self.leaves_log:
                    return
        self._started.set()

    def signal(self, number=signal.SIGTERM):
        """Sends a signal to the gateway itself."""
        self.process.send_signal(number)

    def wait(self, timeout=STOP_SECONDS):
        """Waits for the end and returns the exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the gateway did not end in {timeout} s:\n{self.log}") from None
        self._reader.join(5)
        return status

    def stop(self):
        """Ends the gateway in the ordinary way; anything but status 0 is a failure."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.signal()
        status = self.wait()
        self.http.close()
        self.process = None
        assert status == 0, f"exit status {status}:\n{self.log}"

    def kill(self):
        """Ends the gateway as a lost power line does."""
        self.process.kill()
        self.process.wait()
        self._reader.join(5)
        self.http.close()
        self.process = None

    def restart(self):
        """Stops and starts again over the same data."""
        self.stop()
        return self.start()

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        elif self.process is not None:
            print(f"--- log of the gateway ---\n{self.log}")
            self.kill()

    # Looking at it

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self):
        return "\n".join(self.log_lines)

    # Resident memory in kB: all of it, what is no page of a file, the most that there ever was.
    resident_kb = property(lambda self: self._status_kb("VmRSS"))
    own_kb = property(lambda self: self._status_kb("RssAnon"))
    peak_kb = property(lambda self: self._status_kb("VmHWM"))

    def _status_kb(self, name):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+)", status).group(1))

    # Management API

    def request(self, method, path, jwt=None, **more):
        """One management call with the login's JWT; returns the answer as it is."""
        token = self.jwt if jwt is None else jwt
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers.update(more.pop("headers", {}))
        return self.http.request(method, "/api/v1" + path, headers=headers, **more)

    def call(self, method, path, body=None):
        """A management call that must succeed; returns `data`."""
        response = self.request(method, path, **({} if body is None else {"json": body}))
        if response.status_code not in (200, 201):
            raise ManagementError(response)
        envelope = response.json()
        assert envelope["success"] is True, envelope
        return envelope.get("data")

    def login(self, password=PASSWORD, username="root"):
        """Logs in and keeps the JWT; returns the answer's data."""
        body = {"username": username, "password": password}
        data = self.call("POST", "/auth/login", body)
        self.jwt = data["token"]
        return data

    def set_up(self):
        """First login and the password change that it demands."""
        data = self.login(FIRST_PASSWORD)
        assert data["must_change_password"] is True
        body = {"old_password": FIRST_PASSWORD, "new_password": PASSWORD}
        self.jwt = self.call("PUT", "/users/self/password", body)["token"]
        return self

    def channel(self, base_url, models, **fields):
        """Creates a channel and returns what the gateway says about it."""
        body = {
            "name": f"channel {next_number()}", "type": "openai-compatible",
            "keys": ["sk-upstream-key-1"], "base_url": base_url, "models": models, **fields}
        return self.call("POST", "/channels", body)

    def route(self, upstream, *scripts, listener="plain", host=None, path="/v1", **fields):
        """A model with one channel per script, tried in this order."""
        suffix = f"@{next_number()}"
        base_url = upstream.url(listener, host, path)
        if len(scripts) == 1:
            model = scripts[0] + suffix
            return Route(model, suffix, [self.channel(base_url, [model], **fields)], upstream)
        model = "public" + suffix
        channels = [
            self.channel(base_url, [model], model_mapping={model: script + suffix},
                         priority=len(scripts) - number, **fields)
            for number, script in enumerate(scripts)]
        return Route(model, suffix, channels, upstream)

    def token(self, **fields):
        """Creates a token and returns what the gateway says about it, the key included."""
        return self.call("POST", "/tokens", {"name": f"token {next_number()}", **fields})

    def used_quota(self, token):
        """What a token has used so far."""
        return self.call("GET", f"/tokens/{token['id']}")["used_quota"]

    def stats(self, channel):
        """The figures of one channel."""
        items = self.items("/channels/stats", "window=1h&")
        return next(item for item in items if item["channel_id"] == channel["id"])

    def items(self, path, query=""):
        """All pages of a list."""
        items, page = [], 1
        while True:
            data = self.call("GET", f"{path}?{query}page={page}&page_size=100")
            items += data["items"]
            if len(items) >= data["total"] or not data["items"]:
                return items
            page += 1

    # Relay API

    def key(self):
        """A key without limits, made once."""
        if self.default_key is None:
            self.default_key = self.token(quota=None, expires_at=None)["key"]
        return self.default_key

    def sdk(self, key=None, **options):
        """The official client, without its own retries."""
        if key is None and not options:
            if self._sdk is None:
                self._sdk = self.sdk(self.key())
            return self._sdk
        settings = {"max_retries": 0, "timeout": 30.0 * PATIENCE, **options}
        return OpenAI(api_key=key or self.key(), base_url=self.url + "/v1", **settings)

    def async_sdk(self):
        """The same, for asyncio."""
        return AsyncOpenAI(
            api_key=self.key(), base_url=self.url + "/v1", max_retries=0, timeout=30 * PATIENCE)

    def post(self, path, body, key=None, **more):
        """A relay call whose body is sent byte for byte."""
        headers = {"Authorization": f"Bearer {key or self.key()}",
                   "Content-Type": "application/json", **more.pop("headers", {})}
        content = body if isinstance(body, bytes) else body.encode()
        return self.http.post(path, content=content, headers=headers, **more)

    def get(self, path, key=None, **more):
        """A relay call without a body."""
        headers = {"Authorization": f"Bearer {key or self.key()}", **more.pop("headers", {})}
        return self.http.get(path, headers=headers, **more)
