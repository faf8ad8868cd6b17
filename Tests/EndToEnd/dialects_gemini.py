# SPDX-License-Identifier: MIT
"""Google's generateContent as the scripted upstream speaks it, and its token endpoint."""

import asyncio
import base64
import urllib.parse

import dialects
import payloads
from shapes import send_head

FIELDS = {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig",
          "safetySettings"}
ACCESS_TOKEN = "ya29.e2e-token"
SIGNATURE = "c2lnbmF0dXJl"


def error(status, word, message, **more):
    return {"error": {"code": status, "message": message, "status": word, **more}}


def fault(exchange):
    """What Google would refuse a request for; None for nothing."""
    request = exchange.json
    if "/projects/" in exchange.path:
        if exchange.header("authorization") != [f"Bearer {ACCESS_TOKEN}"]:
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
    elif exchange.header("x-goog-api-key") != [dialects.KEY]:
        reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return error(400, "INVALID_ARGUMENT", "API key not valid.", details=[reason])
    if unknown := set(request) - FIELDS:
        return error(400, "INVALID_ARGUMENT", f"Unknown name {unknown}")
    contents = request["contents"]
    if not contents or any(not content["parts"] for content in contents):
        return error(400, "INVALID_ARGUMENT", "contents must not be empty")
    roles = [content["role"] for content in contents]
    if set(roles) - {"user", "model"} or any(a == b for a, b in zip(roles, roles[1:])):
        return error(400, "INVALID_ARGUMENT", "Please use a valid role: user, model.")
    calls = [part for content in contents for part in content["parts"] if "functionCall" in part]
    if any(part.get("thoughtSignature") not in (SIGNATURE, None) for part in calls):
        return error(400, "INVALID_ARGUMENT", "Thought signature is not valid")
    return None


def parts_of(request, script):
    """The parts of the answer."""
    asked = request["contents"][-1]["parts"]
    results = [p["functionResponse"]["response"] for p in asked if "functionResponse" in p]
    if script == "tools" and results:
        return [{"text": f"It is {results[0]['result']}."}]
    if script == "tools" and request.get("tools"):
        call = {"name": "get_weather", "args": {"city": "Rome", "unit": "celsius"}}
        return [{"text": "Let me check."},
                {"functionCall": call, "thoughtSignature": SIGNATURE}]
    if script == "vision":
        return [{"text": digest(p["inlineData"])} for p in asked if "inlineData" in p]
    if script == "thinking":
        return [{"text": "2+2 is 4.", "thought": True}, {"text": "4"}]
    text = payloads.POEM if script == "poem" else "".join(p.get("text", "") for p in asked)
    return [{"text": c} for c in text] if script == "poem" else [{"text": text}]


def digest(picture):
    """Google takes two spellings and both alphabets of base64, and its own SDK mixes them."""
    data = picture["data"].replace("-", "+").replace("_", "/")
    return dialects.digest(picture.get("mimeType") or picture["mime_type"], data)


def piece(model, parts, reason=None):
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    usage = {"promptTokenCount": 11, "totalTokenCount": 11}
    if reason:
        candidate["finishReason"] = reason
        usage = {"promptTokenCount": 11, "candidatesTokenCount": 3, "thoughtsTokenCount": 2,
                 "totalTokenCount": 16}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": model,
            "responseId": "resp1"}


async def gemini(connection, exchange):
    """`error:STATUS:WORD`, `blocked`, `midstream`, `cut`, `tools`, `vision`, `thinking`, `poem`."""
    script, *arguments = exchange.model.split("@")[0].split("-")
    said = fault(exchange)
    if said is None and script == "error":
        said = error(int(arguments[0]), arguments[1], f"upstream says {arguments[0]}")
    if said is not None:
        return await dialects.send(connection, said, said["error"]["code"])
    if exchange.path.endswith(":countTokens"):
        return await dialects.send(connection, {"totalTokens": 77})
    parts = parts_of(exchange.json, script)
    if script == "blocked":
        return await dialects.send(connection, {
            "promptFeedback": {"blockReason": "SAFETY"}, "responseId": "resp1"})
    if not exchange.path.endswith(":streamGenerateContent?alt=sse"):
        return await dialects.send(connection, piece(exchange.model, parts, "STOP"))
    pieces = [piece(exchange.model, [part]) for part in parts]
    if script == "midstream":
        pieces.append(error(503, "UNAVAILABLE", "The model is overloaded."))
    elif script != "cut":
        pieces.append(piece(exchange.model, [{"text": ""}], "STOP"))
    await send_head(connection, 200, [("Content-Type", "text/event-stream"),
                                      ("Connection", "close")])
    for each in pieces:
        await connection.send(b"data: " + payloads.dump(each) + b"\r\n\r\n")
    connection.keep = False


async def token(connection, exchange):
    """Gives a token for an assertion of three parts."""
    await asyncio.sleep(0)
    form = dict(urllib.parse.parse_qsl(exchange.body.decode()))
    parts = form.get("assertion", "").split(".")
    signature = base64.urlsafe_b64decode(parts[-1] + "==") if len(parts) == 3 else b""
    if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" or not signature:
        return await dialects.send(connection, {"error": "invalid_grant"}, 400)
    await dialects.send(connection, {
        "access_token": ACCESS_TOKEN, "expires_in": 3599, "token_type": "Bearer"})


dialects.DIALECTS.update({
    ":generateContent": gemini, ":streamGenerateContent": gemini, ":countTokens": gemini,
    "/oauth/token": token,
})
