# SPDX-License-Identifier: MIT
"""The benchmark's own programs: mock upstream, load driver, TLS front, test certificates."""

import json
import os
import shutil
import socket
import subprocess
import time

import system

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = {
    "mock": ["mock.c", "mock_answers.c", "mock_messages.c", "mock_chance.c", "wire.c"],
    "load": ["load.c", "load_results.c", "histogram.c", "wire.c"],
}
HEADERS = ["wire.h", "mock.h", "load.h", "histogram.h"]


class Failure(Exception):
    """The benchmark cannot go on; the text says why and what to do."""


def compiler():
    """The C compiler's command."""
    names = [os.environ.get("CC"), "cc", "gcc", "clang"]
    found = next((n for n in names if n and shutil.which(n)), None)
    if not found:
        raise Failure("no C compiler: install Debian's gcc and libc6-dev, or set CC")
    return found


def build(directory):
    """Compiles mock and driver into `directory` when they are missing or old."""
    os.makedirs(directory, exist_ok=True)
    for name, files in SOURCES.items():
        target = os.path.join(directory, name)
        paths = [os.path.join(HERE, f) for f in files]
        newest = max(os.stat(os.path.join(HERE, f)).st_mtime for f in files + HEADERS)
        if not os.path.exists(target) or os.stat(target).st_mtime < newest:
            subprocess.run([compiler(), "-O2", "-Wall", "-Wextra", "-o", target, *paths],
                           check=True)


def status_of(port, path="/v1/models", key="none", limit=2.0):
    """The HTTP status of one GET, 0 when there is no answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), limit) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
                      "Connection: close\r\n\r\n".encode())
            return int(s.recv(64).split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return 0


def await_answer(process, port, limit=15.0):
    """Waits for the first HTTP answer of a process; False when it ended or took too long."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if status_of(port):
            return True
        if process.poll() is not None:
            return False
        time.sleep(0.0005)
    return False


def tail(path):
    """The end of a log file, for an error message."""
    return system.slurp(path)[-1500:]


def nginx_configuration(directory, port, upstream, listen_tls="", proxy_tls=""):
    """The configuration of an nginx with one worker that passes everything on, unbuffered."""
    user = "user root;" if os.geteuid() == 0 else ""
    temporary = "".join(f"{kind}_temp_path {directory}/{kind}; " for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off; {user} worker_processes 1; worker_rlimit_nofile 16384;
pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off; keepalive_requests 10000000; {temporary}
  client_max_body_size 8m; client_body_buffer_size 256k;
  upstream mock {{
    server 127.0.0.1:{upstream}; keepalive 1024; keepalive_requests 10000000;
  }}
  server {{
    listen 127.0.0.1:{port} {"ssl" if listen_tls else ""} backlog=4096; {listen_tls}
    location / {{
      proxy_pass {"https" if proxy_tls else "http"}://mock; {proxy_tls}
      proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_buffer_size 8k;
    }}
  }}
}}
"""


class Bench:
    """Where the tools live, and the mock and TLS front while they run."""

    def __init__(self, directory, nginx):
        self.directory, self.nginx = directory, nginx
        self.mock = self.front = None
        self.mock_port, self.tls_port = system.free_port(), system.free_port()
        build(directory)

    def path(self, name):
        """A path inside the work directory."""
        return os.path.join(self.directory, name)

    @property
    def ours(self):
        """Process ids that are load, not the subject."""
        return [p.pid for p in (self.mock, self.front) if p]

    def start_mock(self):
        """Starts the mock upstream on the load's core."""
        command = [self.path("mock"), str(self.mock_port)]
        self.mock = system.spawn(command, system.LOAD_CPU, self.path("mock.log"))
        if not await_answer(self.mock, self.mock_port):
            raise Failure("the mock upstream did not start: " + tail(self.path("mock.log")))

    def start_tls(self):
        """Starts an nginx on the load's core that speaks TLS for the mock."""
        folder = self.path("tls")
        self.make_certificates(folder)
        tls = (f"ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key; "
               "ssl_session_cache shared:s:8m;")
        with open(f"{folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(nginx_configuration(folder, self.tls_port, self.mock_port, listen_tls=tls))
        log = f"{folder}/log"
        self.front = system.spawn([self.nginx, "-e", log, "-c", f"{folder}/nginx.conf"],
                                  system.LOAD_CPU, log)
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise Failure("the TLS front did not start: " + tail(log))

    @property
    def ca_file(self):
        """The test CA that signed the TLS front's certificate."""
        return self.path("tls/ca.pem")

    def make_certificates(self, folder):
        """Makes a test CA and a certificate for localhost, on P-256, once."""
        os.makedirs(folder, exist_ok=True)
        if os.path.exists(f"{folder}/server.pem"):
            if time.time() - os.stat(f"{folder}/server.pem").st_mtime < 20 * 86400:
                return
        if not shutil.which("openssl"):
            raise Failure("no openssl to make a test certificate: install Debian's openssl")

        def openssl(*arguments):
            subprocess.run(["openssl", *arguments], check=True, cwd=folder,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        openssl("req", "-x509", *key, "-days", "30", "-keyout", "ca.key", "-out", "ca.pem",
                "-subj", "/CN=bench CA")
        openssl("req", *key, "-keyout", "server.key", "-out", "server.csr",
                "-subj", "/CN=localhost")
        with open(f"{folder}/extensions", "w", encoding="utf-8") as file:
            file.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "30", "-extfile", "extensions", "-out", "server.pem")

    def load(self, port, key, *arguments, model="mock", limit=120):
        """Runs the load driver once on the load's core; its counts."""
        command = ["taskset", "-c", str(system.LOAD_CPU), self.path("load"), "-a", str(port),
                   "-k", key, "-m", model, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
        if done.returncode:
            raise Failure(f"the load driver failed: {done.stderr[-500:]}")
        return json.loads(done.stdout)
