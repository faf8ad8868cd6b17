# SPDX-License-Identifier: MIT
"""The answers of the bad day's upstreams in two vendors' formats, and what each one costs."""

import json
import random
from dataclasses import dataclass

import payloads

MICRO = 1_000_000
# Prices with a remainder in every sum, so that no rounding goes unseen: millionths per token.
PROMPT_MICRO, COMPLETION_MICRO = 333_333, 1_666_667
PRICE = {"prompt": "0.333333", "completion": "1.666667"}
WORDS = 12


def charge_of(prompt, completion):
    """What so many tokens cost, in millionths of a quota unit."""
    return prompt * PROMPT_MICRO + completion * COMPLETION_MICRO


def estimate_of(text):
    """Tokens that the gateway counts for a text of which nobody reports any."""
    raw = text.encode()
    plain = sum(byte < 0x80 for byte in raw)
    return -(-plain // 4) + -(-(len(raw) - plain) // 3)


def text_of(number, marker):
    """The answer to the request with this number."""
    return f"{number:07d} {marker}: " + " ".join(
        f"wort{number % 89 + n}ü世" for n in range(WORDS))


@dataclass
class Asked:
    """One request as an upstream got it, and what it was handed out for it."""

    number: int
    model: str
    stream: bool
    has_usage: bool         # the events tell the usage at their end
    marker: str
    tells_prompt: bool      # they tell the prompt's at their beginning
    prompt: int = 0
    completion: int = 0

    def __post_init__(self):
        self.prompt, self.completion = random.randint(1, 3000), random.randint(20, 900)

    @property
    def text(self):
        return text_of(self.number, self.marker)

    @property
    def usage(self):
        return {"prompt_tokens": self.prompt, "completion_tokens": self.completion,
                "total_tokens": self.prompt + self.completion}


class OpenAI:
    """OpenAI's own format."""

    path = "/v1"
    type = "openai-compatible"
    done = [b"data: [DONE]\n\n"]
    broken_event = b'data: {"id":"chatcmpl-e2e1","choices":[{"index":0,"del\n\n'

    @staticmethod
    def error(message):
        return payloads.dump(payloads.error(message))

    def error_event(self, message):
        return b"data: " + self.error(message) + b"\n\n"

    def whole(self, asked):
        message = {"role": "assistant", "content": asked.text}
        usage = asked.usage if asked.has_usage else None
        return payloads.dump(payloads.completion(asked.model, message, usage=usage))

    def events(self, asked):
        """The events of a stream; the first one has no content, the last ones no text."""
        values = [payloads.chunk(asked.model, {"role": "assistant", "content": ""})]
        values += [payloads.chunk(asked.model, {"content": piece}) for piece in pieces(asked.text)]
        values.append(payloads.chunk(asked.model, {}, "stop"))
        if asked.has_usage:
            values.append(
                {**payloads.chunk(asked.model, {}), "choices": [], "usage": asked.usage})
        return [b"data: " + payloads.dump(value) + b"\n\n" for value in values] + self.done


class Anthropic:
    """Anthropic's messages, which the gateway converts."""

    path = ""
    type = "anthropic"
    broken_event = b'event: content_block_delta\ndata: {"type":"content_block_del\n\n'

    @staticmethod
    def error(message):
        return payloads.dump(
            {"type": "error", "error": {"type": "api_error", "message": message}})

    def error_event(self, message):
        return b"event: error\ndata: " + self.error(message) + b"\n\n"

    @staticmethod
    def message(asked):
        return {"id": "msg_e2e1", "type": "message", "role": "assistant", "model": asked.model,
                "content": [{"type": "text", "text": asked.text}], "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": asked.prompt, "output_tokens": asked.completion}}

    def whole(self, asked):
        return payloads.dump(self.message(asked))

    def events(self, asked):
        """The events of a stream, the first two without content."""
        start = {**self.message(asked), "content": [], "stop_reason": None,
                 "usage": {"input_tokens": asked.prompt, "output_tokens": 1}}
        values = [
            {"type": "message_start", "message": start},
            {"type": "content_block_start", "index": 0,
             "content_block": {"type": "text", "text": ""}}]
        values += [{"type": "content_block_delta", "index": 0,
                    "delta": {"type": "text_delta", "text": piece}}
                   for piece in pieces(asked.text)]
        values += [
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
             "usage": {"output_tokens": asked.completion}},
            {"type": "message_stop"}]
        return [b"event: %s\ndata: %s\n\n" % (value["type"].encode(), payloads.dump(value))
                for value in values]


def pieces(text):
    """A text cut into words, the blanks in front of them."""
    first, *rest = text.split(" ")
    return [first, *(" " + word for word in rest)]


def number_of(body):
    """The number of the request that an upstream has got: the beginning of the user's text."""
    content = body["messages"][-1]["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    return int(text.split(" ")[0])


def read_request(raw, marker, wire):
    """What a request asks for."""
    body = json.loads(raw)
    stream = bool(body.get("stream"))
    wants = bool((body.get("stream_options") or {}).get("include_usage"))
    number = number_of(body)
    # OpenAI tells a stream's usage to those who ask; number 0 is to be estimated.
    has_usage = number > 0 and (not stream or wants or isinstance(wire, Anthropic))
    return Asked(number, body["model"], stream, has_usage, marker, isinstance(wire, Anthropic))
