# SPDX-License-Identifier: MIT
"""Each limit of the OpenAPI document holds: what is at it passes, what is beyond it is a 400."""

import json
import re

import httpx
import pytest

from process import next_number

# Bodies that make an object, by schema; others are made of the required fields.
BODIES = {
    "ChannelInput": {"name": "a", "type": "openai-compatible", "keys": ["sk-upstream-key-1"],
                     "base_url": "http://127.0.0.1:9/v1"},
    "Login": {"username": "nobody", "password": "wrong password"},
    "PasswordChange": {"old_password": "wrong password", "new_password": "another password"},
}
# What a field needs beside it; with a value, what that value needs.
ACCOUNT = {"type": "service_account", "project_id": "p", "client_email": "a@p.example",
           "private_key_id": "k", "private_key": "x",
           "token_uri": "https://oauth2.googleapis.com/token"}
BESIDE = {("/api/v1/channels/stats", "series", "day"): {"window": "30d"},
          ("ChannelInput", "base_url"): {"keys": ["sk-upstream-key-1"]},
          ("PriceList", "completion_ratio"): {"model_ratio": {}},
          ("ChannelInput", "type", "ernie-v1"): {"keys": ["ak-1|sk-1"]},
          ("ChannelInput", "type", "bedrock"): {"config": {"region": "us-east-1"}},
          ("ChannelInput", "type", "vertex"): {"keys": [json.dumps(ACCOUNT)]}}
# Fields whose values must fit more than a schema can say, such as names of what exists: only
# what is beyond the limit is tried.
REFERENCES = {"groups", "channel_groups", "channel_group", "fallback_channels", "group",
              "new_user_group", "user_id", "config"}
# Texts in a form of their own, as long as asked for; others are a row of letters.
TEXTS = {
    "base_url": lambda size: "http://127.0.0.1:9/".ljust(size, "a")[:size],
    "allowed_ips": None, "wake_mac": None, "wake_broadcast": None,
}
ITEMS = {"allowed_ips": lambda number: f"10.0.{number // 250}.{number % 250}",
         "prices": lambda number: {"model": f"model-{number}", "prompt": "1"}}
REFUSED = (400, 422)


def text_for(schema):
    """A text that fits, another one each time where that is possible."""
    name = f"a{next_number()}".ljust(schema.get("minLength", 0), "a")
    for text in (name, "1", "AAA", "2026-01-01", "0123456789abcdef", "ok", "day", ""):
        if re.search(schema.get("pattern", ""), text):
            return text
    raise AssertionError(f"no text fits {schema}")


class Schemas:
    """Schemas of the document, with references followed."""

    def __init__(self, document):
        self.document = document

    def resolve(self, schema):
        while isinstance(schema, dict) and "$ref" in schema:
            value = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                value = value[part]
            schema = value
        return schema

    def operations(self):
        """(method, path, operation) of each call."""
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                yield method.upper(), path, operation

    def body(self, operation):
        """Name, properties and required fields of a JSON body; None for none."""
        content = operation.get("requestBody", {}).get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            return None
        outer = schema
        schema = schema.get("allOf", [schema])[0]
        name = schema.get("$ref", operation["operationId"]).rsplit("/", 1)[-1]
        found = self.resolve(schema)
        required = outer.get("required", []) + found.get("required", [])
        return name, found.get("properties", {}), required

    # Values

    def value(self, field, schema):
        """Some value that fits."""
        schema = self.resolve(schema)
        if "enum" in schema:
            return schema["enum"][0]
        for alternative in schema.get("anyOf", []):
            return self.value(field, alternative)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "string":
            return text_for(schema)
        return {"integer": schema.get("minimum", 0), "number": 1, "boolean": True, "array": [],
                "object": {}, "null": None}[kind]

    def item(self, field, schema, number):
        """The `number`-th of many different values."""
        if field in ITEMS:
            return ITEMS[field](number)
        return number + 1 if self.resolve(schema).get("type") == "integer" else f"X-{number}"

    def cases(self, field, schema):
        """(value, fits) at and beyond each limit of a schema."""
        schema = self.resolve(schema)
        yield from self.number_cases(schema)
        yield from self.text_cases(field, schema)
        yield from self.list_cases(field, schema)
        yield from self.object_cases(field, schema)
        if "enum" in schema:
            yield from ((value, True) for value in schema["enum"])
            yield "none of these", False
        for alternative in schema.get("anyOf", []):
            if set(alternative) & {"minimum", "maximum"} or "$ref" in alternative:
                yield from self.cases(field, {"type": "integer", **self.resolve(alternative)})

    def number_cases(self, schema):
        if "minimum" in schema:
            yield schema["minimum"], True
            yield schema["minimum"] - 1, False
        if "maximum" in schema:
            yield schema["maximum"], True
            yield schema["maximum"] + 1, False

    def text_cases(self, field, schema):
        text = TEXTS.get(field, lambda size: "a" * size)
        if "maxLength" in schema:
            if text:
                yield text(schema["maxLength"]), True
            yield (text or (lambda size: "a" * size))(schema["maxLength"] + 1), False
        if schema.get("minLength"):
            yield text(schema["minLength"]), True
            yield text(schema["minLength"] - 1), False

    def list_cases(self, field, schema):
        if "maxItems" in schema:
            items = [self.item(field, schema["items"], number)
                     for number in range(schema["maxItems"] + 1)]
            yield items[:-1], True
            yield items, False
            if schema.get("uniqueItems"):
                yield [items[0], items[0]], False
        if schema.get("type") == "array":
            yield from (([value], fits) for value, fits in self.cases(field, schema["items"]))

    def object_cases(self, field, schema):
        if "maxProperties" in schema:
            members = schema.get("additionalProperties") or {}
            value = self.value(field, members) if members else 0
            limit = schema["maxProperties"]
            yield {f"X-{number}": value for number in range(limit)}, True
            yield {f"X-{number}": value for number in range(limit + 1)}, False
            if members:
                yield from (({"Y": value}, fits) for value, fits in self.cases(field, members))
                names = self.resolve(schema.get("propertyNames", {}))
                yield from (({name: value}, fits) for name, fits in self.text_cases("", names))


class Objects:
    """Objects to change, one per path, made when first asked for."""

    def __init__(self, gateway, schemas):
        self.gateway, self.schemas, self.ids = gateway, schemas, {}

    def body(self, operation):
        name, properties, required = self.schemas.body(operation)
        made = {field: self.schemas.value(field, properties[field]) for field in required}
        return {**made, **BODIES.get(name, {})}

    def path(self, path):
        """The path with the id of an object in it."""
        if "{id}" not in path:
            return path
        collection = path.partition("/{id}")[0]
        if collection not in self.ids:
            operation = self.schemas.document["paths"][collection]["post"]
            answer = self.gateway.http.post(
                collection, json=self.body(operation),
                headers={"Authorization": f"Bearer {self.gateway.jwt}"})
            assert answer.status_code == 200, f"{collection}: {answer.text}"
            made = answer.json()["data"]
            self.ids[collection] = made.get("id") or made["items"][0]["id"]
        return path.replace("{id}", str(self.ids[collection]))


def send(gateway, method, path, **more):
    return gateway.http.request(
        method, path, headers={"Authorization": f"Bearer {gateway.jwt}"}, **more)


def judge(answer, call, field, value, fits):
    """Describes what went wrong; None when all is well."""
    refused = answer.status_code in REFUSED
    shown = json.dumps(value)
    case = f"{call}: {field} = {shown[:60]}{f'… ({len(shown)})' if len(shown) > 60 else ''}"
    if fits and (refused or answer.status_code >= 500):
        return f"{case} should pass: {answer.status_code} {answer.text[:200]}"
    if not fits and not refused:
        return f"{case} should be refused: {answer.status_code} {answer.text[:200]}"
    if not fits and field not in answer.json()["message"]:
        return f"{case}: the refusal does not name the field: {answer.text[:200]}"
    return None


@pytest.fixture(scope="module")
def schemas(gateway):
    answer = httpx.get(gateway.url + "/openapi.json", trust_env=False)
    return Schemas(answer.raise_for_status().json())


def open_registration(gateway, schemas):
    """A registration that is closed looks at no field."""
    if "/api/v1/options" in schemas.document["paths"]:
        gateway.call("PUT", "/options", {"registration": True})


@pytest.mark.tools
def test_limits_of_fields(make_gateway, schemas):
    gateway = make_gateway()
    open_registration(gateway, schemas)
    objects, wrong, count = Objects(gateway, schemas), [], 0
    for method, path, operation in schemas.operations():
        found = schemas.body(operation)
        if found is None:
            continue
        name, properties, _ = found
        # A change takes one field; what has no change is made anew each time.
        takes_one = "{id}" in path or (method == "PUT" and name not in BODIES)
        for field, schema in properties.items():
            for value, fits in schemas.cases(field, schema):
                if fits and field in REFERENCES:
                    continue
                body = {} if takes_one else objects.body(operation)
                beside = BESIDE.get((name, field)) or BESIDE.get((name, field, str(value)), {})
                body = {**body, **beside, field: value}
                answer = send(gateway, method, objects.path(path), json=body)
                wrong.append(judge(answer, f"{method} {path}", field, value, fits))
                count += 1
    assert not any(wrong), "\n".join(filter(None, wrong))
    assert count > 200


@pytest.mark.tools
def test_limits_of_parameters(gateway, schemas):
    wrong = []
    for method, path, operation in schemas.operations():
        if method != "GET" or "{id}" in path:
            continue
        parameters = [schemas.resolve(each) for each in operation.get("parameters", [])]
        needed = {each["name"]: schemas.value(each["name"], each["schema"])
                  for each in parameters if each.get("required")}
        for parameter in parameters:
            name = parameter["name"]
            for value, fits in schemas.cases(name, parameter["schema"]):
                # Any text would fit, but the group has to exist.
                if fits and (name in needed or name == "channel_group"):
                    continue
                beside = BESIDE.get((path, name, str(value)), {})
                answer = send(gateway, method, path, params={**needed, **beside, name: value})
                wrong.append(judge(answer, f"{method} {path}", name, value, fits))
    assert not any(wrong), "\n".join(filter(None, wrong))
    assert len(wrong) > 20
