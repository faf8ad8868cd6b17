# SPDX-License-Identifier: MIT
"""What schemathesis must not send, and what a schema alone cannot say.

Loaded by schemathesis itself (contract.toml); acts before each request, in each of its phases.
"""

import re

import schemathesis

# Nobody listens there, and nothing else is ever the address of an upstream.
BASE_URL = "http://127.0.0.1:9/v1"
BROADCAST = "127.255.255.255"
# What test_contract.py made; it must stay, since other objects refer to it.
KEPT_ID = 1
EXISTING = {"groups": ["default"], "channel_groups": ["default"], "channel_group": "default",
            "group": "default", "user_id": KEPT_ID, "new_user_group": "default",
            "fallback_channels": [KEPT_ID]}
# Types whose keys or settings have a form of their own.
NEEDS = ("ernie-v1", "vertex", "bedrock")
KNOWN_METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT")
OWN_HEADERS = re.compile(
    "(host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|accept-encoding"
    "|keep-alive|proxy-.*|authorization|via|date|server)$", re.IGNORECASE)


def is_positive(case):
    """Whether the request is one that the document allows."""
    return case.meta is None or case.meta.generation.mode.is_positive


def keep_home(body):
    """No upstream but this machine's, no packet to a network."""
    for field, value in (("base_url", BASE_URL), ("wake_broadcast", BROADCAST)):
        if isinstance(body.get(field, ""), str):
            body[field] = value


def name_what_exists(body):
    """References lead to what there is: a schema cannot know ids and names."""
    for field, value in EXISTING.items():
        if body.get(field):
            body[field] = value
    if ("type" in body or "keys" in body) and not body.get("keys"):
        body["keys"] = ["sk-upstream-key-1"]
    if body.get("type") in NEEDS:
        body["type"] = "openai-compatible"
    if body.get("config"):
        # Which settings there are depends on the type; most have none.
        body["config"] = {}
    if body.get("allowed_ips"):
        body["allowed_ips"] = ["127.0.0.0/8", "::1"]
    for name in list(body.get("headers") or {}):
        if OWN_HEADERS.match(name):
            del body["headers"][name]
    if isinstance(body.get("prices"), list):
        body["prices"] = list({price["model"]: price for price in body["prices"]}.values())
    for field in ("model_ratio", "completion_ratio"):
        if body.get(field):
            body[field] = {name: value for name, value in body[field].items()
                           if re.fullmatch("[A-Za-z0-9._:/@+*-]{1,128}", name)}
    for model, others in (body.get("fallbacks") or {}).items():
        body["fallbacks"][model] = [other for other in others if other != model]
    for model, other in (body.get("offline") or {}).items():
        if model == other:
            body["offline"][model] = other + "-local" if len(other) < 100 else "local"


def fit_together(path, query):
    """What a schema cannot say of parameters beside each other."""
    if path == "/api/v1/explain":
        query["token_id"] = KEPT_ID
    if "series" in query or "format" in query:
        query.pop("page_size", None)
    if query.get("series") == "day":
        query["window"] = "30d"
    if path == "/api/v1/models":
        query.pop("channel_group", None)
    if "format" in query:
        query.pop("page", None)
    if "group_by" in query:
        query["group_by"] = ",".join(dict.fromkeys(query["group_by"].split(",")))
    if path == "/api/v1/stats":
        query.pop("from", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Puts one request right."""
    path = case.operation.path
    changes = case.method == "DELETE" or (case.method == "PUT" and "/users/" in path)
    if changes and case.path_parameters.get("id") in (KEPT_ID, str(KEPT_ID)):
        case.path_parameters["id"] = KEPT_ID + 10**9
    if isinstance(case.body, dict):
        if path.startswith("/api/v1/channels"):
            keep_home(case.body)
        if is_positive(case):
            name_what_exists(case.body)
    if case.query and is_positive(case):
        fit_together(path, case.query)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """What is refused before its address is known is no management call.

    RFC 9110 §9.1: 501 is the answer to a method that nobody here knows. Nor is it a fault to say
    that exports must wait for each other, as the document does.
    """
    if response.status_code == 503 and b'"code":"busy"' in response.content:
        return False
    if response.status_code == 501 and case.method not in KNOWN_METHODS:
        return False
    return b'{"error":{"message":"The request is not valid HTTP/1.1."' not in response.content
