# SPDX-License-Identifier: MIT
"""Every management call that API.md describes, tried by every caller who may not make it.

Calls are read from the document: one that is added later is tried too, without a change here.
"""

import re
from pathlib import Path

import pytest

from stopped import add_user, encode, query, sign, signing_secret

API = Path(__file__).parents[2] / "docs" / "API.md"
CALLS = re.findall(
    r"^### (GET|POST|PUT|DELETE) /api/v1(\S+)\n\n\*(Anyone|User|Administrator|Root)[.*]",
    API.read_text(), re.MULTILINE)
GUARDED = [call for call in CALLS if call[2] != "Anyone"]
WITH_FIRST_PASSWORD = {("PUT", "/users/self/password"), ("GET", "/auth/session"),
                       ("DELETE", "/auth/session"), ("POST", "/auth/logout")}
NEEDS_PERSON = {("PUT", "/users/self/password"), ("DELETE", "/auth/session"),
                ("POST", "/auth/logout"), ("POST", "/auth/tokens"),
                ("DELETE", "/auth/tokens/{id}"),
                ("POST", "/backup"), ("POST", "/restore")}
# `GET` calls that a token which only reads may not make.
NOT_READ_ONLY = {("GET", "/backup")}
# Whatever exists of these must be the same after all attempts.
STATE = ("/channels", "/tokens", "/channel-groups", "/user-groups", "/model-fallbacks", "/users",
         "/prices", "/redemptions", "/options", "/users/self", "/auth/tokens", "/config")
NO_SUCH_ID = 999_999


def ids(calls):
    return [f"{method} {path}" for method, path, _ in calls]


def test_the_document_is_understood():
    headings = re.findall(r"^### \S+ /api/v1", API.read_text(), re.MULTILINE)
    assert len(CALLS) == len(headings) > 30
    assert {path for _, path, access in CALLS if access == "Anyone"} >= {"/auth/login", "/health"}


class World:
    """A gateway with accounts of each kind, their objects, and every way to log in wrongly."""

    def __init__(self, gateway):
        self.gateway = gateway
        self.secret = signing_secret(gateway)
        self.ids = {name: add_user(gateway, name, **fields) for name, fields in {
            "ann": {}, "bob": {}, "carl": {"role": "admin"}, "dora": {"enabled": False},
            "eve": {"must_change": True}, "olga": {"role": "admin", "must_change": True}}.items()}
        query(gateway, "UPDATE users SET session_epoch = 3 WHERE username = 'carl'")
        rows = query(gateway, "SELECT id, session_epoch FROM users WHERE username = 'root'")
        self.ids["root"], self.root_epoch = rows[0]
        gateway.start()
        self.objects = {name: self.make_objects(name) for name in ("ann", "bob", "root")}
        body = {"name": "reads", "read_only": True}
        self.reader = self.ask("POST", "/auth/tokens", "root", body)["token"]
        self.ended = self.jwt("root")
        assert self.call("POST", "/auth/logout", self.bearer(self.ended)).status_code == 200
        self.cookie = self.log_in("root")

    def jwt(self, name, **more):
        epoch = {"carl": 3, "root": self.root_epoch}.get(name, 0)
        return sign(self.secret, self.ids[name], epoch, **more)

    def bearer(self, text):
        return {"Authorization": f"Bearer {text}"}

    def call(self, method, path, headers, body=None, id=NO_SUCH_ID):
        body = {} if body is None and method in ("POST", "PUT") else body
        more = {} if body is None else {"json": body}
        return self.gateway.http.request(
            method, "/api/v1" + path.replace("{id}", str(id)), headers=headers, **more)

    def ask(self, method, path, name, body=None):
        answer = self.call(method, path, self.bearer(self.jwt(name)), body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    def make_objects(self, name):
        """What belongs to an account, by the path that leads to it."""
        token = self.ask("POST", "/tokens", name, {"name": f"of {name}"})
        management = self.ask("POST", "/auth/tokens", name, {"name": f"of {name}"})
        return {"/tokens": token["id"], "/auth/tokens": management["id"],
                "/users": self.ids[name], "key": token["key"], "script": management["token"]}

    def log_in(self, name):
        """The session cookie of an account that the seed made."""
        self.gateway.login()
        body = {"username": name, "password": "correct horse battery"}
        answer = self.call("POST", "/auth/session", {}, body)
        assert answer.status_code == 200, answer.text
        self.gateway.http.cookies.clear()
        return {"Cookie": f"tg_session={answer.cookies['tg_session']}"}

    def strangers(self):
        """Headers of callers whom no call admits."""
        signed = self.jwt("root")
        head, payload, signature = signed.split(".")
        forged = ("B" if signature[0] == "A" else "A") + signature[1:]
        none = encode({"alg": "none", "typ": "JWT"})
        found = {
            "nobody": {},
            "an empty login": {"Authorization": "Bearer"},
            "nonsense": self.bearer("a.b.c"),
            "another scheme": {"Authorization": f"Basic {signed}"},
            "another secret": self.bearer(sign(b"x" * 64, self.ids["root"], self.root_epoch)),
            "a changed signature": self.bearer(f"{head}.{payload}.{forged}"),
            "no algorithm": self.bearer(f"{none}.{payload}."),
            "no algorithm, signed": self.bearer(self.jwt("root", header={"alg": "none"})),
            "another algorithm": self.bearer(
                self.jwt("root", header={"alg": "HS512", "typ": "JWT"})),
            "expired": self.bearer(self.jwt("root", age=86_400 + 61)),
            "from the future": self.bearer(self.jwt("root", age=-120)),
            "too long a life": self.bearer(self.jwt("root", exp=9_999_999_999)),
            "without an id": self.bearer(self.jwt("root", jti="")),
            "ended": self.bearer(self.ended),
            "an older epoch": self.bearer(sign(self.secret, self.ids["carl"], 2)),
            "a newer epoch": self.bearer(sign(self.secret, self.ids["carl"], 4)),
            "no such account": self.bearer(sign(self.secret, 4711)),
            "a disabled account": self.bearer(self.jwt("dora")),
            "a client key": self.bearer(self.objects["root"]["key"]),
            "a client key elsewhere": {"x-api-key": self.objects["root"]["key"]},
            "an unknown management token": self.bearer("tgm-" + "a" * 48),
            "a cut management token": self.bearer(self.objects["root"]["script"][:-1]),
            "an unknown session": {"Cookie": "tg_session=" + "a" * 64},
            "two sessions": {"Cookie": f"{self.cookie['Cookie']}; {self.cookie['Cookie']}"},
            "a bad login beside a session": {**self.cookie, **self.bearer("a.b.c")},
        }
        return found.items()

    def state(self):
        """What the attempts must leave alone."""
        login = self.bearer(self.jwt("root"))
        return {path: self.call("GET", path, login).text for path in STATE}


@pytest.fixture(scope="module")
def world(seed, tmp_path_factory):
    instance = seed.copy(tmp_path_factory.mktemp("permissions") / "data")
    made = World(instance)
    before = made.state()
    assert '"bob"' in before["/users"] or '"not_found"' in before["/users"]
    yield made
    assert made.state() == before
    instance.stop()


def refused(answer, status, code=None):
    assert answer.status_code == status, f"{answer.status_code} {answer.text[:300]}"
    body = answer.json()
    assert body["success"] is False and (code is None or body["code"] == code), body


@pytest.mark.parametrize("method, path, access", GUARDED, ids=ids(GUARDED))
def test_nobody_without_a_login(world, method, path, access):
    for name, headers in world.strangers():
        answer = world.call(method, path, headers)
        assert answer.status_code == 401, f"{name}: {answer.status_code} {answer.text[:300]}"


@pytest.mark.parametrize("method, path, access", GUARDED, ids=ids(GUARDED))
def test_the_right_caller_is_not_refused(world, method, path, access):
    callers = [world.bearer(world.jwt("root"))]
    if access != "Root":
        callers.append(world.bearer(world.jwt("carl")))
    if access == "User":
        callers.append(world.bearer(world.jwt("ann")))
    if (method, path) not in NEEDS_PERSON:
        callers.append(world.bearer(world.objects["root"]["script"]))
    if method == "GET":
        callers.append(world.cookie)
        if (method, path) not in NOT_READ_ONLY:
            callers.append(world.bearer(world.reader))
    for headers in callers:
        answer = world.call(method, path, headers)
        assert answer.status_code not in (401, 403) and answer.status_code < 500, answer.text


@pytest.mark.parametrize("method, path, access", GUARDED, ids=ids(GUARDED))
def test_a_user_makes_no_call_of_administrators(world, method, path, access):
    for headers in (world.bearer(world.jwt("ann")), world.bearer(world.objects["ann"]["script"]),
                    world.bearer(world.jwt("ann", role="root"))):
        answer = world.call(method, path, headers)
        if access in ("Administrator", "Root"):
            refused(answer, 403, "forbidden")
        else:
            assert answer.status_code != 403 or answer.json()["code"] == "login_needed"


@pytest.mark.parametrize("method, path, access", GUARDED, ids=ids(GUARDED))
def test_a_first_password_is_good_for_its_change_only(world, method, path, access):
    for name in ("eve", "olga"):
        answer = world.call(method, path, world.bearer(world.jwt(name)))
        if (method, path) in WITH_FIRST_PASSWORD:
            assert answer.status_code in (200, 400), answer.text
        else:
            refused(answer, 403, "password_change_required")


OWNED = [call for call in GUARDED if "{id}" in call[1]]


@pytest.mark.parametrize("method, path, access", OWNED, ids=ids(OWNED))
def test_objects_of_others_do_not_exist(world, method, path, access):
    """Users reach nobody else's objects; administrators do not reach what is root's own."""
    collection = path.split("/{id}")[0]
    for owner in ("bob", "root"):
        id = world.objects[owner].get(collection, 1)
        for headers in (world.bearer(world.jwt("ann")),
                        world.bearer(world.objects["ann"]["script"])):
            assert world.call(method, path, headers, id=id).status_code in (403, 404)
    if collection == "/auth/tokens" or (collection == "/users" and method != "GET"):
        answer = world.call(method, path, world.bearer(world.jwt("carl")),
                            id=world.objects["root"][collection])
        assert answer.status_code in (403, 404), answer.text


@pytest.mark.parametrize("method, path, access", GUARDED, ids=ids(GUARDED))
def test_management_tokens_stay_within_their_bounds(world, method, path, access):
    if method != "GET" or (method, path) in NOT_READ_ONLY:
        code = "login_needed" if (method, path) in NEEDS_PERSON else "read_only_token"
        refused(world.call(method, path, world.bearer(world.reader)), 403, code)
    if (method, path) in NEEDS_PERSON:
        refused(world.call(method, path, world.bearer(world.objects["root"]["script"])),
                403, "login_needed")


@pytest.mark.parametrize("method, path, access", CALLS, ids=ids(CALLS))
def test_other_sites_change_nothing(world, method, path, access):
    if method == "GET":
        return
    foreign = [{"Origin": "http://evil.example"}, {"Origin": "null"},
               {"Origin": world.gateway.url.replace("http", "https")},
               {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}]
    if access == "Anyone":
        for headers in foreign:
            refused(world.call(method, path, headers), 403, "cross_site")
        return
    for headers in [{}, *foreign]:
        refused(world.call(method, path, {**world.cookie, **headers}), 403, "cross_site")


def test_nothing_of_the_management_opens_the_relay(world):
    for headers in (world.bearer(world.jwt("root")), world.cookie, world.bearer(world.reader),
                    world.bearer(world.objects["root"]["script"]),
                    {"x-api-key": world.objects["root"]["script"]}):
        assert world.gateway.http.get("/v1/models", headers=headers).status_code == 401
        answer = world.gateway.http.post(
            "/v1/chat/completions", headers=headers, json={"model": "m", "messages": []})
        assert answer.status_code == 401
    assert world.gateway.get("/v1/models").status_code == 200
