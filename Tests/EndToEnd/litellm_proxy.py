# SPDX-License-Identifier: MIT
"""LiteLLM's proxy as a third-party upstream: it speaks OpenAI's, Anthropic's and Google's APIs.

Some of its models answer by themselves (`mock_response`); one stands for all models of the
scripted upstream and translates, so that streams, tools and errors come in LiteLLM's own words.
"""

import json
import os
import subprocess
from pathlib import Path

import httpx

from process import PATIENCE, environment, free_port, wait_until

KEY = "sk-litellm-test-0123456789abcdef0123456789abcdef"
SENTENCE = "Hello from LiteLLM, in German: schöne Grüße, 世界 🌍."


class LiteLLMProxy:
    """The running proxy."""

    def __init__(self, folder: Path, upstream):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "litellm.log"
        config = {
            "general_settings": {"master_key": KEY},
            "litellm_settings": {
                "telemetry": False, "num_retries": 0, "request_timeout": 20,
                # Otherwise it asks for /responses, where the scripted upstream has one answer only.
                "use_chat_completions_url_for_anthropic_messages": True},
            "model_list": [
                {"model_name": "lite-mock", "litellm_params": {
                    "model": "openai/gpt-4o", "api_key": "none", "mock_response": SENTENCE}},
                {"model_name": "*", "litellm_params": {
                    "model": "openai/*", "api_key": "none", "api_base": upstream.url()}},
            ]}
        path = folder / "litellm.json"
        path.write_text(json.dumps(config, ensure_ascii=False), "utf-8")
        program = Path(os.environ["TINYGATEWAY_LITELLM"]) / "bin" / "litellm"
        # Its table of prices comes with the package: nothing is fetched.
        env = environment(
            LITELLM_LOCAL_MODEL_COST_MAP="True", LITELLM_TELEMETRY="False",
            HOME=folder, PYTHONDONTWRITEBYTECODE="1", LITELLM_LOG="ERROR")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [program, "--config", path, "--host", "127.0.0.1", "--port", str(self.port)],
                env=env, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait(self):
        """Waits until it serves."""
        wait_until(self._serves, 90 * PATIENCE, "start of LiteLLM's proxy")
        return self

    def _serves(self):
        assert self.process.poll() is None, self.log.read_text(errors="replace")[-2000:]
        try:
            return httpx.get(self.url + "/health/liveliness", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self):
        """Ends it."""
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
