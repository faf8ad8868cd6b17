# SPDX-License-Identifier: MIT
"""The official SDKs of OpenAI, Anthropic and Google, each with the same few methods.

A method returns plain values, so that one test serves all of them; what is special about one SDK
has tests of its own (test_sdk_chat.py, test_sdk_anthropic.py, test_sdk_gemini.py).
"""

import base64
import json

import anthropic
import openai
from google import genai
from google.genai import errors, types

from process import PATIENCE
from test_sdk_chat import PNG, WEATHER, user

SCHEMA = WEATHER[0]["function"]
# In base64 with both characters in which its alphabets differ.
PICTURE = PNG + b"\xfb\xef\xff\xff"
BASE64 = base64.b64encode(PICTURE).decode()


class OpenAIClient:
    """`/v1/chat/completions`."""

    error = openai.APIError

    def __init__(self, gateway, key):
        self.calls = gateway.sdk(key).chat.completions

    def text(self, model, content="hi", **more):
        """The text of a whole answer, how it ended, and its tokens in and out."""
        answer = self.calls.create(model=model, messages=user(content), **more)
        usage, choice = answer.usage, answer.choices[0]
        return choice.message.content, choice.finish_reason == "stop", (
            usage.prompt_tokens, usage.completion_tokens)

    def stream(self, model):
        """The same of a stream, and the number of its pieces of text."""
        text, ends, usage = [], [], None
        for chunk in self.calls.create(model=model, messages=user("hi"), stream=True,
                                       stream_options={"include_usage": True}):
            usage = chunk.usage or usage
            text += [c.delta.content for c in chunk.choices if c.delta.content]
            ends += [c.finish_reason for c in chunk.choices if c.finish_reason]
        return text, ends == ["stop"], (usage.prompt_tokens, usage.completion_tokens)

    def picture(self, model):
        """What is said about a picture."""
        return self.text(model, [{"type": "text", "text": "What?"},
                                 {"type": "image_url", "image_url": {
                                     "url": "data:image/png;base64," + BASE64}}])[0]

    def tool(self, model, streaming):
        """The name and arguments of the call that is asked for, and the answer to its result."""
        settings = {"model": model, "tools": WEATHER}
        history = user("Weather in Rome?")
        if streaming:
            with self.calls.stream(messages=history, **settings) as stream:
                choice = stream.get_final_completion().choices[0]
        else:
            choice = self.calls.create(messages=history, **settings).choices[0]
        assert choice.finish_reason == "tool_calls"
        call = choice.message.tool_calls[0]
        history += [choice.message.to_dict(exclude_none=True),
                    {"role": "tool", "tool_call_id": call.id, "content": "22 °C"}]
        last = self.calls.create(messages=history, **settings)
        function = call.function
        return function.name, json.loads(function.arguments), last.choices[0].message.content


class AnthropicClient:
    """`/v1/messages`."""

    error = anthropic.APIStatusError

    def __init__(self, gateway, key):
        self.messages = anthropic.Anthropic(
            api_key=key, base_url=gateway.url, max_retries=0, timeout=30.0 * PATIENCE).messages

    def text(self, model, content="hi", **more):
        answer = self.messages.create(
            model=model, max_tokens=100, messages=user(content), **more)
        return text_of(answer), answer.stop_reason == "end_turn", spent(answer.usage)

    def stream(self, model):
        with self.messages.stream(
                model=model, max_tokens=100, messages=user("hi")) as stream:
            pieces = list(stream.text_stream)
            answer = stream.get_final_message()
        return pieces, answer.stop_reason == "end_turn", spent(answer.usage)

    def picture(self, model):
        source = {"type": "base64", "media_type": "image/png", "data": BASE64}
        return self.text(model, [{"type": "text", "text": "What?"},
                                 {"type": "image", "source": source}])[0]

    def tool(self, model, streaming):
        tool = {"name": SCHEMA["name"], "description": SCHEMA["description"],
                "input_schema": SCHEMA["parameters"]}
        settings = {"model": model, "max_tokens": 100, "tools": [tool]}
        history = user("Weather in Rome?")
        if streaming:
            with self.messages.stream(messages=history, **settings) as stream:
                answer = stream.get_final_message()
        else:
            answer = self.messages.create(messages=history, **settings)
        call = answer.content[-1]
        assert answer.stop_reason == "tool_use" and call.type == "tool_use"
        result = {"type": "tool_result", "tool_use_id": call.id, "content": "22 °C"}
        history += [
            {"role": "assistant", "content": [
                block.model_dump(exclude_none=True) for block in answer.content]},
            {"role": "user", "content": [result]}]
        last = self.messages.create(messages=history, **settings)
        return call.name, call.input, text_of(last)


def text_of(message):
    """The text of an Anthropic message."""
    return "".join(block.text for block in message.content if block.type == "text")


def spent(usage):
    """Tokens in and out; Anthropic counts what its cache did apart."""
    cache = (usage.cache_read_input_tokens or 0) + (usage.cache_creation_input_tokens or 0)
    return usage.input_tokens + cache, usage.output_tokens


class GoogleClient:
    """`/v1beta/models/…:generateContent`."""

    error = errors.APIError

    def __init__(self, gateway, key):
        self.client = genai.Client(api_key=key, http_options=types.HttpOptions(
            base_url=gateway.url, timeout=int(30_000 * PATIENCE)))
        self.models = self.client.models

    def text(self, model, content="hi"):
        answer = self.models.generate_content(model=model, contents=content)
        return answer.text, is_stopped(answer), counted(answer)

    def stream(self, model):
        pieces = list(self.models.generate_content_stream(model=model, contents="hi"))
        text = [piece.text for piece in pieces if piece.text]
        return text, is_stopped(pieces[-1]), counted(pieces[-1])

    def picture(self, model):
        part = types.Part.from_bytes(data=PICTURE, mime_type="image/png")
        return self.text(model, ["What?", part])[0]

    def tool(self, model, streaming):
        declaration = types.FunctionDeclaration(
            name=SCHEMA["name"], description=SCHEMA["description"],
            parameters={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}})
        config = types.GenerateContentConfig(
            tools=[types.Tool(function_declarations=[declaration])])
        history = [types.Content(role="user", parts=[types.Part(text="Weather in Rome?")])]
        settings = {"model": model, "config": config}
        if streaming:
            parts = [part for piece in self.models.generate_content_stream(
                contents=history, **settings) for part in piece.candidates[0].content.parts or []]
        else:
            answer = self.models.generate_content(contents=history, **settings)
            parts = answer.candidates[0].content.parts
        call = next(part.function_call for part in parts if part.function_call)
        result = types.Part.from_function_response(name=call.name, response={"result": "22 °C"})
        history += [types.Content(role="model", parts=[
            p for p in parts if p.text or p.function_call]),
            types.Content(role="user", parts=[result])]
        last = self.models.generate_content(contents=history, **settings)
        return call.name, call.args, last.text


def is_stopped(answer):
    """Whether Google's answer ended as it should."""
    return answer.candidates[0].finish_reason == types.FinishReason.STOP


def counted(answer):
    """Tokens in and out, thoughts included."""
    usage = answer.usage_metadata
    return usage.prompt_token_count, usage.total_token_count - usage.prompt_token_count


CLIENTS = {"openai": OpenAIClient, "anthropic": AnthropicClient, "google": GoogleClient}
