# SPDX-License-Identifier: MIT
"""The pages of users, user groups and the own account."""

import re

import pytest
from playwright.sync_api import expect

from accounts import USER_PASSWORD, Person, create, person
from gateway import PASSWORD
from looks import check
from pages import PHONE
from process import next_number

pytestmark = pytest.mark.native


@pytest.fixture
def users(gateway):
    """Names for users; those that were made are deleted at the end."""
    made = []

    def name():
        made.append(f"web {next_number()}")
        return made[-1]

    yield name
    for user in gateway.items("/users"):
        if user["username"] in made:
            gateway.call("DELETE", f"/users/{user['id']}")


def find(gateway, name):
    """The user of this name."""
    user, = [each for each in gateway.items("/users") if each["username"] == name]
    return user


def handed_out(pages):
    """The password in what is shown once; says that it is kept."""
    text = pages.page.locator("pre.secret").inner_text()
    pages.page.get_by_role("button", name="I have kept it").click()
    expect(pages.page.locator("dialog[open]")).to_have_count(0)
    return re.search("Password: (.*)", text).group(1)


def test_a_user_gets_a_password_that_must_be_changed(visit, gateway, users):
    name = users()
    pages = visit(size=PHONE).log_in(at="/#/users")
    page = pages.page
    page.click("#create")
    pages.field("username").fill(name)
    page.get_by_label("Quota in units, in all in USD").fill("3")
    check(pages)
    page.click("dialog[open] button[type=submit]")
    password = handed_out(pages)
    assert len(password) == 19
    assert find(gateway, name)["quota"] == 1500000
    answer = gateway.request(
        "POST", "/auth/login", jwt="", json={"username": name, "password": password})
    assert answer.json()["data"]["must_change_password"] is True
    expect(pages.row(name)).to_contain_text("must change the password")
    check(pages)
    pages.row(name).get_by_role("link", name="Tokens").click()
    expect(page.locator("#page [name=user_id] option:checked")).to_have_text(name)


def test_users_are_found_changed_topped_up_and_removed(visit, gateway, users):
    name = users()
    user = create(gateway, username=name, quota=500000, must_change_password=True)
    pages = visit().log_in(at="/#/users")
    page = pages.page
    page.locator("#page [name=username]").fill(name)
    expect(page.locator("tbody tr")).to_have_count(1)
    row = pages.row(name)
    row.get_by_role("button", name="Top up").click()
    pages.field("quota").fill("250000")
    pages.save()
    expect(row).to_contain_text("$1.50")
    row.get_by_role("button", name="Edit").click()
    page.get_by_role("button", name="Generate").click()
    pages.field("quota").fill("")
    page.click("dialog[open] button[type=submit]")
    password = handed_out(pages)
    after = find(gateway, name)
    assert (after["quota"], after["must_change_password"]) == (None, True)
    assert Person(gateway, name, password).jwt
    expect(row.get_by_role("button", name="Top up")).to_have_count(0)
    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    assert find(gateway, name)["status"] == "disabled"
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name=f"Delete {name}?").get_by_role("button", name="Delete").click()
    expect(page.locator(".empty")).to_be_visible()
    assert user["id"] not in [each["id"] for each in gateway.items("/users")]


def test_a_wrong_input_is_said_at_its_field(visit, gateway, users):
    name = users()
    create(gateway, username=name)
    pages = visit().log_in(at="/#/users")
    pages.expect_error("409", "400")
    page = pages.page
    page.click("#create")
    pages.field("username").fill(name)
    pages.field("password").fill("short")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("[data-field=password] .problem")).to_be_visible()
    pages.field("password").fill(name + "...")
    page.click("dialog[open] button[type=submit]")
    expect(page.locator("dialog[open] [role=alert]")).to_contain_text("is taken")
    expect(pages.field("username")).to_have_value(name)


def test_an_administrator_changes_users_only(visit, gateway, users):
    admin, user = users(), "<img src=x onerror=alert(1)> " + users()
    create(gateway, username=admin, role="admin")
    record = create(gateway, username=user)
    pages = visit().log_in(admin, USER_PASSWORD, at="/#/users")
    page = pages.page
    expect(pages.row(user).get_by_role("button")).to_have_text([
        "Edit", "Top up", "Disable", "Delete"])
    assert page.locator("main img").count() == 0
    expect(page.locator("tbody tr", has=page.get_by_role("cell", name="root", exact=True))
           .get_by_role("button")).to_have_count(0)
    expect(pages.row(admin).get_by_role("button")).to_have_count(0)
    pages.row(user).get_by_role("button", name="Edit").click()
    expect(pages.field("role")).to_have_count(0)
    renamed = users()
    pages.field("username").fill(renamed)
    pages.save()
    expect(pages.row(renamed)).to_be_visible()      # the list came before its reader is deleted
    gateway.call("DELETE", f"/users/{record['id']}")


def test_channel_groups_are_chosen_in_an_order(visit, gateway):
    names = [f"web {next_number()}" for _ in range(2)]
    groups = [gateway.call("POST", "/channel-groups", {"name": name}) for name in names]
    pages = visit(size=PHONE).log_in(at="/#/user-groups")
    page = pages.page
    page.click("#create")
    pages.field("name").fill(f"staff {names[0]}")
    for name in names:
        page.get_by_role("checkbox", name=name).check()
    page.get_by_role("button", name=f"Move {names[1]} up").click()
    page.get_by_role("button", name=f"Move {names[1]} up").press("Enter")
    expect(page.get_by_role("button", name=f"Move {names[1]} down")).to_be_focused()
    check(pages)
    page.get_by_role("checkbox", name="default").uncheck()
    pages.save()
    expect(pages.row(f"staff {names[0]}")).to_contain_text(f"{names[1]} → {names[0]}")
    made, = [g for g in gateway.items("/user-groups") if g["name"] == f"staff {names[0]}"]
    assert made["channel_groups"] == [names[1], names[0]]
    for path in [f"/user-groups/{made['id']}", *(f"/channel-groups/{g['id']}" for g in groups)]:
        gateway.call("DELETE", path)


# The own account

def test_a_plain_users_account_needs_no_rights(visit, gateway, users):
    name = users()
    create(gateway, username=name, quota=1000000)
    pages = visit(language="zh").log_in(name, USER_PASSWORD, at="/#/account")
    expect(pages.page.locator(".card strong").first).to_have_text(name)
    expect(pages.page.locator(".card").nth(2)).to_contain_text("US$2.00")
    check(pages)


def test_the_password_is_changed_and_the_visit_goes_on(visit, gateway, users):
    user = person(gateway, username=users())
    pages = visit().log_in(user.username, USER_PASSWORD, at="/#/account")
    pages.expect_error("403")
    page = pages.page

    def change(old, new, again):
        for field, value in {"old_password": old, "new_password": new, "again": again}.items():
            page.fill(f"[name={field}]", value)
        page.get_by_role("button", name="Change password").click()

    change("wrong", PASSWORD, PASSWORD)
    expect(page.locator("[data-field=old_password] .problem")).to_have_text(
        "Present password is wrong.")
    change(USER_PASSWORD, PASSWORD, PASSWORD + "x")
    expect(page.locator("[role=alert]")).to_have_text("The two new passwords differ.")
    change(USER_PASSWORD, PASSWORD, PASSWORD)
    expect(page.locator(".notice")).to_have_text("The password is changed.")
    expect(page.locator("[name=old_password]")).to_have_value("")
    assert Person(gateway, user.username, PASSWORD).jwt
    pages.go("tokens")
    expect(page.locator("h1")).to_have_text("Tokens")
    expect(page.locator(".empty")).to_be_visible()


def test_management_tokens_are_shown_once_and_work(visit, gateway, users):
    user = person(gateway, username=users())
    pages = visit(size=PHONE).log_in(user.username, USER_PASSWORD, at="/#/account")
    page = pages.page
    page.click("#create")
    pages.field("name").fill("HR <b>system</b>")
    page.get_by_role("button", name="1 year").click()
    pages.field("read_only").check()
    page.click("dialog[open] button[type=submit]")
    token = page.locator("pre.secret").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    assert gateway.request("GET", "/users/self", jwt=token).status_code == 200
    row = pages.row("HR <b>system</b>")
    expect(row).to_contain_text("read")
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    assert gateway.request("GET", "/users/self", jwt=token).status_code == 401
