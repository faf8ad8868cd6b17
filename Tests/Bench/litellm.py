#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""LiteLLM's proxy beside the gateway: start, memory at rest, processor time for a request.

    scripts/bench.sh litellm [--requests N] [--rest SECONDS]

The proxy is that of the end-to-end tests (scripts/e2e.sh makes its environment and names it), with
one worker, without database and log. Both pass plain chat completions on to the same mock upstream.
Processor time counts instead of requests per second: other programs disturb it less.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import phases
import subjects
import system
import tools

KEY = "sk-bench"
START_SECONDS = 180                     # on a busy machine; on an idle one it takes ten


class LiteLLM(subjects.Subject):
    """The proxy with one model, which it passes on by its name."""

    name = "LiteLLM"

    def __init__(self, bench, environment):
        super().__init__(bench, "litellm")
        self.python = os.path.join(environment, "bin", "python")
        self.size = system.directory_bytes(environment)

    def prepare(self):
        config = {"general_settings": {"master_key": KEY},
                  "litellm_settings": {"telemetry": False, "num_retries": 0},
                  "model_list": [{"model_name": "mock", "litellm_params": {
                      "model": "openai/mock", "api_key": "sk-up",
                      "api_base": f"http://127.0.0.1:{self.upstream}/v1"}}]}
        with open(f"{self.directory}/config.json", "w", encoding="utf-8") as file:
            json.dump(config, file)

    def command(self):
        return [self.python, os.path.join(os.path.dirname(self.python), "litellm"), "--config",
                f"{self.directory}/config.json", "--host", "127.0.0.1", "--port", str(self.port)]

    def environment(self):
        # Its table of prices comes with the package: nothing is fetched.
        return {**super().environment(), "HOME": self.directory, "LITELLM_LOG": "ERROR",
                "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}

    def version(self):
        code = "import importlib.metadata as m; print('LiteLLM', m.version('litellm'))"
        return subprocess.run([self.python, "-c", code], check=True, capture_output=True,
                              text=True).stdout.strip()


def measure(subject, bench, given, limit):
    """The figures of one subject, from its start to its end."""
    subject.prepare()
    system.quieten(2)
    started = subject.start(limit=limit)
    time.sleep(given.rest)
    rest = system.memory_kb(subject.pid)
    subject.load("-c", 4, "-n", 50)     # what is made with the first requests
    counts, watch = phases.watched(subject, bench, "-c", 4, "-n", given.requests)
    after = system.memory_kb(subject.pid)
    subject.stop()
    return {"MB of files": subject.size / 1e6, "start to first answer (s)": started,
            "RSS at rest (MB)": rest["rss"] / 1024, "PSS at rest (MB)": rest["pss"] / 1024,
            "RSS after the requests (MB)": after["rss"] / 1024, "threads": after["threads"],
            "processor time for a request (ms)": watch.cpu / max(1, counts["ok"]) * 1000,
            "requests that failed": counts["sent"] - counts["ok"],
            "used by other programs meanwhile (% of a core)": watch.other_load}


def main():
    """Measures both, one after the other; prints a table."""
    parser = argparse.ArgumentParser(prog="scripts/bench.sh litellm")
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--rest", type=float, default=10, help="seconds before memory is read")
    given = parser.parse_args()
    environment = os.environ.get("TINYGATEWAY_LITELLM")
    if not environment:
        sys.exit("bench: TINYGATEWAY_LITELLM does not name LiteLLM's environment")
    bench = tools.Bench(os.path.abspath(".build/bench"), os.environ["NGINX"])
    try:
        bench.start_mock()
        proxy = LiteLLM(bench, environment)
        gateway = subjects.Gateway(bench, "gateway", os.environ.get(
            "TINYGATEWAY_BINARY", "dist/x86_64/tinygateway"))
        gateway.size = os.path.getsize(gateway.binary)
        print(f"| {system.machine()}, {time.strftime('%F')} | {proxy.version()} "
              f"| {gateway.version()} |\n| --- | ---: | ---: |")
        columns = [measure(proxy, bench, given, START_SECONDS), measure(gateway, bench, given, 15)]
        for name in columns[0]:
            print("| " + " | ".join([name, *(f"{column[name]:,.3g}" for column in columns)]) + " |")
    finally:
        system.stop_all()


if __name__ == "__main__":
    main()
