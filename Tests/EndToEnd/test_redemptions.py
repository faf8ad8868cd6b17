# SPDX-License-Identifier: MIT
"""Redemption codes: made by an administrator, used once by somebody."""

import hashlib
import re
import sqlite3
import time

import pytest

from accounts import at_once, person
from test_management_login import failure
from test_management_objects import rejected

FUTURE = 4_000_000_000


@pytest.fixture
def own(make_gateway):
    """A gateway of the test's own."""
    return make_gateway(password_rounds=10000)


def make(gateway, **fields):
    """Makes codes; the items and the codes."""
    data = gateway.call("POST", "/redemptions", {"name": "gift", "quota": 500, **fields})
    return data["items"], data["codes"]


def redeem(someone, code):
    """Presents a code; the answer as it is."""
    return someone.request("POST", "/users/self/redeem", {"code": code})


@pytest.mark.short
def test_a_code_adds_to_the_quota_once_and_survives_a_power_cut(own):
    (item,), (code,) = make(own, expires_at=FUTURE)
    assert re.fullmatch(r"tgc-[0-9A-Za-z]{32}", code)
    assert item == {"id": item["id"], "name": "gift", "quota": 500, "expires_at": FUTURE,
                    "code_hint": f"{code[:8]}…{code[-4:]}", "status": "unused", "used_by": None,
                    "used_at": None, "created_at": item["created_at"]}
    path = f"/redemptions/{item['id']}"
    someone = person(own, quota=10)
    own.kill()
    own.start()
    assert own.call("GET", path) == item
    assert redeem(someone, code).json()["data"] == {"quota_added": 500, "quota": 510}
    own.kill()
    own.start()
    assert own.call("GET", someone.path)["quota"] == 510
    used = own.call("GET", path)
    assert used == {**item, "status": "used", "used_by": someone.record["id"],
                    "used_at": used["used_at"]} and used["used_at"] >= item["created_at"]
    failure(redeem(someone, code), 409, "code_not_usable")
    failure(own.request("PUT", path, json={"name": "late"}), 409, "conflict")
    own.call("DELETE", path)
    failure(own.request("GET", path), 404)
    assert someone.call("GET", "/users/self")["quota"] == 510


def test_of_many_that_present_a_code_exactly_one_wins(own):
    people = [person(own, quota=0) for _ in range(4)]
    _, codes = make(own, count=3, quota=7)
    for code in codes:
        answers = at_once(*[lambda p=p, c=code: redeem(p, c) for p in people * 2])
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] + [409] * 7
    own.restart()
    assert sum(own.call("GET", p.path)["quota"] for p in people) == 21
    assert own.call("GET", "/redemptions?status=used")["total"] == 3


def test_an_account_without_a_limit_leaves_the_code_unused(own):
    (item,), (code,) = make(own, quota=9000000000000)
    path = f"/redemptions/{item['id']}"
    response = own.request("POST", "/users/self/redeem", json={"code": code})
    failure(response, 409, "conflict")
    rich = person(own, quota=1)
    failure(redeem(rich, code), 409, "conflict")
    assert own.call("GET", path)["status"] == "unused"
    poor = person(own, quota=0)
    assert redeem(poor, code).json()["data"]["quota"] == 9000000000000


def test_administrators_give_themselves_no_quota(own):
    boss = person(own, role="admin", quota=10)
    body = {"name": "own", "quota": 500}
    made = boss.call("POST", "/redemptions", body)
    (code,), (item,) = made["codes"], made["items"]
    failure(redeem(boss, code), 403, "forbidden")
    top_up = boss.request("POST", f"{boss.path}/top-up", {"quota": 5})
    failure(top_up, 403, "forbidden")
    failure(boss.request("PUT", boss.path, {"quota": 500}), 403, "forbidden")
    assert boss.call("GET", "/users/self")["quota"] == 10
    assert own.call("GET", f"/redemptions/{item['id']}")["status"] == "unused"
    # Users get any quota from them.
    someone = person(own, quota=0)
    assert redeem(someone, code).json()["data"]["quota"] == 500
    assert boss.call("POST", f"{someone.path}/top-up", {"quota": 500})["quota"] == 1000
    # Who becomes an administrator redeems no more.
    (_, (other,)) = make(own)
    own.call("PUT", someone.path, {"role": "admin"})
    failure(redeem(someone, other), 403, "forbidden")


def test_codes_that_are_disabled_or_expired_are_refused_until_that_changes(own):
    (item, _), (code, other) = make(own, count=2, expires_at=1)
    path = f"/redemptions/{item['id']}"
    someone = person(own, quota=0)
    assert item["status"] == "expired"
    failure(redeem(someone, code), 409, "code_not_usable")
    changed = own.call("PUT", path, {"expires_at": None, "status": "disabled", "name": "later"})
    assert changed == {**item, "expires_at": None, "status": "disabled", "name": "later"}
    failure(redeem(someone, code), 409, "code_not_usable")
    assert own.call("PUT", path, {"status": "unused"})["status"] == "unused"
    assert redeem(someone, code).status_code == 200
    failure(redeem(someone, other), 409, "code_not_usable")


def test_guessing_codes_is_slowed_down_but_not_the_login(own):
    someone, other = person(own, quota=0), person(own, quota=0)
    _, (code,) = make(own)
    answers = [redeem(someone, f"tgc-wrong-{number}") for number in range(6)]
    for answer in answers[:5]:
        failure(answer, 404, "unknown_code")
    failure(answers[5], 429, "too_many_failures")
    assert int(answers[5].headers["retry-after"]) >= 1
    failure(redeem(someone, code), 429)
    failure(redeem(other, code), 429)           # the same address
    assert someone.call("GET", "/users/self")["quota"] == 0
    wait = int(redeem(someone, code).headers["retry-after"])
    deadline = time.monotonic() + wait + 20
    while (answer := redeem(someone, code)).status_code == 429:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert answer.json()["data"]["quota"] == 500


def test_lists_filter_and_page(own):
    make(own, name="Spring 100%", count=3)
    (two, _), (code, _) = make(own, name="autumn", count=2, expires_at=FUTURE)
    make(own, name="old", expires_at=1)
    redeem(person(own, quota=0), code)

    def total(query):
        return own.call("GET", f"/redemptions?{query}")["total"]

    assert total("") == 6 and total("status=unused") == 4 and total("status=expired") == 1
    assert total("status=used") == 1 and total("status=disabled") == 0
    assert total("name=SPRING") == 3 and total("name=%25") == 3 and total("name=_") == 0
    page = own.call("GET", "/redemptions?page=2&page_size=4")
    assert [item["id"] for item in page["items"]] == [two["id"] + 1, two["id"] + 2]
    assert page["total"] == 6 and page["page"] == 2 and page["page_size"] == 4
    for query in ("status=gone", "name=", "name=" + "x" * 65, "quota=1"):
        failure(own.request("GET", f"/redemptions?{query}"), 400)


def test_codes_are_shown_once_and_stored_as_hashes(own):
    _, (code,) = make(own)
    for path in ("/redemptions", "/redemptions/1"):
        assert code not in own.request("GET", path).text
    own.stop()
    assert code not in own.log
    for path in own.data_dir.rglob("*"):
        if path.is_file():
            assert code.encode() not in path.read_bytes(), path


def test_a_code_of_another_form_is_found_by_its_hash(own):
    code = "0123456789abcdef0123456789abcdef"
    own.stop()
    with sqlite3.connect(own.data_dir / "db.db") as database:
        database.execute(
            "INSERT INTO redemptions (name, code_hash, code_hint, quota, status, created_at)"
            " VALUES ('imported', ?, '0123…cdef', 42, 1, 1)",
            (hashlib.sha256(code.encode()).digest(),))
    database.close()
    own.start()
    assert redeem(person(own, quota=0), code).json()["data"]["quota"] == 42


@pytest.mark.parametrize("change, word", [
    ({"name": ""}, "name"), ({"name": "x" * 65}, "64"), ({"quota": 0}, "quota"),
    ({"quota": 9000000000001}, "9000000000000"), ({"count": 0}, "count"), ({"count": 101}, "100"),
    ({"expires_at": 0}, "expires_at"), ({"expires_at": "soon"}, "expires_at"),
    ({"code": "tgc-mine"}, "code"), ({"status": "used"}, "status")],
    ids=lambda value: str(value)[:32])
def test_a_bad_field_of_a_code_is_named(gateway, change, word):
    rejected(gateway, "POST", "/redemptions", {"name": "n", "quota": 1, **change}, word)


@pytest.mark.parametrize("change, word", [
    ({"status": "used"}, "status"), ({"status": "expired"}, "status"), ({"quota": 5}, "quota"),
    ({"name": ""}, "name"), ({"expires_at": -1}, "expires_at"), ({"used_by": 1}, "used_by")],
    ids=lambda value: str(value)[:32])
def test_a_bad_change_of_a_code_is_named(gateway, change, word):
    (item,), _ = make(gateway)
    rejected(gateway, "PUT", f"/redemptions/{item['id']}", change, word)
    assert gateway.call("GET", f"/redemptions/{item['id']}") == item


@pytest.mark.parametrize("body", [
    {}, {"code": "short"}, {"code": "x" * 65}, {"code": "with space"}, {"code": "ünïcödë-code"},
    {"code": 12345678}, {"code": None}])
def test_a_malformed_code_is_a_400(gateway, body):
    failure(gateway.request("POST", "/users/self/redeem", json=body), 400)
