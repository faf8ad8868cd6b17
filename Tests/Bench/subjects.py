# SPDX-License-Identifier: MIT
"""What is measured: the gateway, nginx as a plain reverse proxy, and, to try the benchmark, any
command. Each listens on 127.0.0.1 and passes requests on to the mock upstream."""

import http.client
import json
import os
import shlex
import shutil
import subprocess
import time

import system
import tools

MODELS = ["mock", "mock-i0", "mock-i80", "mock-i100", "mock-c20-i80", "mock-c80-i100"]
CONVERTED = ["messages-c1000-i5", "messages-c20-i80", "messages-c80-i100"]
PASSWORD = "bench-Password-1"


class Subject:
    """A proxy under measurement: one process tree on the subject's core, one work directory."""

    name = "subject"
    key = "sk-bench"

    def __init__(self, bench, label, tls=False):
        self.bench, self.tls = bench, tls
        self.directory = bench.path(f"subjects/{label}")
        shutil.rmtree(self.directory, ignore_errors=True)
        os.makedirs(self.directory)
        self.log = os.path.join(self.directory, "log")
        self.port = system.free_port()
        self.upstream = bench.tls_port if tls else bench.mock_port
        self.process = None

    @property
    def pid(self):
        """Root of the process tree."""
        return self.process.pid

    def command(self):
        """The command that starts it in the foreground."""
        raise NotImplementedError

    def version(self):
        """One line that names it."""
        return self.name

    def prepare(self):
        """Writes its configuration; called once."""

    def start(self, wrapper=(), limit=15.0):
        """Starts it; seconds from the start of the process to the first HTTP answer."""
        began = time.perf_counter()
        self.process = system.spawn([*wrapper, *self.command()], system.SUBJECT_CPU, self.log,
                                    environment=self.environment(), directory=self.directory)
        if not tools.await_answer(self.process, self.port, limit):
            raise tools.Failure(f"{self.name} did not answer: {tools.tail(self.log)}")
        return time.perf_counter() - began

    def environment(self):
        """Its environment: nothing of ours that could configure it."""
        kept = ("PATH", "HOME", "LANG", "TMPDIR")
        return {k: v for k, v in os.environ.items() if k in kept}

    def stop(self):
        """Ends it."""
        system.stop(self.process)
        self.process = None

    def load(self, *arguments, model="mock", limit=120):
        """Runs the load driver against it."""
        return self.bench.load(self.port, self.key, *arguments, model=model, limit=limit)


class Nginx(Subject):
    """nginx with one worker and kept-alive upstream connections, without buffers and log."""

    name = "nginx"

    def prepare(self):
        tls = ""
        if self.tls:
            tls = (f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {self.bench.ca_file}; "
                   "proxy_ssl_name localhost; proxy_ssl_server_name on; "
                   "proxy_ssl_session_reuse on;")
        text = tools.nginx_configuration(self.directory, self.port, self.upstream, proxy_tls=tls)
        with open(f"{self.directory}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(text)

    def command(self):
        return [self.bench.nginx, "-e", self.log, "-c", f"{self.directory}/nginx.conf"]

    def version(self):
        done = subprocess.run([self.bench.nginx, "-v"], capture_output=True, text=True, check=False)
        return done.stderr.strip().rpartition(" ")[2]


class Command(Subject):
    """Any command; {port}, {upstream_port}, {directory} are filled in. It needs no preparation."""

    name = "stand-in"

    def __init__(self, bench, label, command, tls=False):
        super().__init__(bench, label, tls)
        self.template = command

    def command(self):
        return shlex.split(self.template.format(
            port=self.port, upstream_port=self.upstream, directory=self.directory))

    def version(self):
        return "stand-in: " + os.path.basename(shlex.split(self.template)[0])


class Gateway(Subject):
    """TinyGateway, prepared through its management API as its owner would."""

    name = "gateway"

    def __init__(self, bench, label, binary, tls=False, settings=None):
        super().__init__(bench, label, tls)
        self.binary = os.path.abspath(binary)
        if not os.access(self.binary, os.X_OK):
            raise tools.Failure(f"no {binary}: run `make release`, or set TINYGATEWAY_BINARY")
        self.data = os.path.join(self.directory, "data")
        self.settings = dict(settings or {})
        if tls:
            self.settings["ca_file"] = bench.ca_file
        self.first_start = None

    def command(self):
        return [self.binary, "serve", "--data-dir", self.data, "--port", str(self.port),
                "--log-level", "warn"]

    def version(self):
        done = subprocess.run([self.binary, "--version"], capture_output=True, text=True,
                              check=False)
        return (done.stdout.strip() or done.stderr.strip() or "gateway").splitlines()[0]

    def prepare(self):
        """Makes the data directory: first start, own password, channel, token; then stops."""
        os.makedirs(self.data)
        if self.settings:
            with open(f"{self.data}/config.yaml", "w", encoding="utf-8") as file:
                file.writelines(f"{k}: {v}\n" for k, v in self.settings.items())
        self.first_start = self.start()
        try:
            self._configure()
        finally:
            self.stop()

    def _configure(self):
        login = self._call("POST", "/api/v1/auth/login",
                           {"username": "root", "password": "123456"})
        changed = self._call("PUT", "/api/v1/users/self/password",
                             {"old_password": "123456", "new_password": PASSWORD},
                             login["token"])
        session = changed["token"]
        scheme, host = ("https", "localhost") if self.tls else ("http", "127.0.0.1")
        self._call("POST", "/api/v1/channels", {
            "name": "mock", "type": "openai-compatible", "keys": ["sk-up"],
            "base_url": f"{scheme}://{host}:{self.upstream}/v1", "models": MODELS}, session)
        self._call("POST", "/api/v1/channels", {
            "name": "messages", "type": "anthropic", "keys": ["sk-up"],
            "base_url": f"{scheme}://{host}:{self.upstream}", "models": CONVERTED}, session)
        token = self._call("POST", "/api/v1/tokens", {"name": "bench", "quota": None}, session)
        self.key = token["key"]

    def _call(self, method, path, body, session=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Content-Type": "application/json"}
        if session:
            headers["Authorization"] = "Bearer " + session
        try:
            connection.request(method, path, body and json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise tools.Failure(f"{method} {path}: {error!r}: {tools.tail(self.log)}") from error
        finally:
            connection.close()
        answer = json.loads(text) if text.startswith("{") else {}
        if response.status // 100 != 2 or not isinstance(answer.get("data"), dict):
            raise tools.Failure(f"{method} {path} answered {response.status}: {text[:500]}")
        return answer["data"]
