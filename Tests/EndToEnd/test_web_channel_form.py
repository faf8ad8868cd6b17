# SPDX-License-Identifier: MIT
"""The form of a channel: what the type asks for, models from the upstream, keys that stay."""

import json

import pytest
from playwright.sync_api import expect

from channel_pages import KEY, add, button, empty, gateway, note, only, owner  # noqa: F401
from test_contract_limits import ACCOUNT

pytestmark = pytest.mark.native


def test_models_come_from_the_upstream(owner, gateway, upstream):
    pages = owner()
    page = pages.page
    add(pages, "openai-compatible", upstream.url())
    ask = page.get_by_role("button", name="Save and ask the upstream for its models")
    ask.click()
    expect(page.locator(".models")).to_contain_text("The upstream has 3 models.")
    expect(page.locator(".models")).to_contain_text("off until you save this form")
    channel = only(gateway)
    assert (channel["status"], channel["models"]) == ("disabled", [])
    page.click("dialog button[type=submit]")
    expect(note(pages, "models")).to_have_text("Choose at least one model.")
    page.get_by_label("upstream-only-model").check()
    by_hand = page.get_by_label("Search in Models")
    by_hand.fill("no model")
    by_hand.press("Enter")
    expect(note(pages, "models")).to_contain_text("no model is no name of a model")
    page.get_by_label("no model").uncheck()
    by_hand.fill("my/own:model")
    by_hand.press("Enter")
    expect(page.get_by_label("my/own:model")).to_be_checked()
    pages.save()
    channel = only(gateway)
    assert channel["status"] == "enabled"
    assert sorted(channel["models"]) == ["my/own:model", "upstream-only-model"]
    expect(pages.row("OpenAI-compatible")).to_contain_text("Enabled")


def test_an_upstream_without_answer_is_said_at_the_button(owner, gateway):
    pages = owner()
    pages.expect_error("502")
    add(pages, "openai-compatible", "http://127.0.0.1:9/v1")
    pages.page.get_by_role("button", name="Save and ask the upstream for its models").click()
    expect(pages.page.locator(".models > .problem")).to_contain_text("Connection refused")
    assert only(gateway)["status"] == "disabled"


def test_keys_stay_until_the_address_changes(owner, gateway, upstream):
    gateway.channel(upstream.url(), ["echo"], name="mine", keys=[KEY, "sk-second-key-2345"],
                    headers={"X-Api-Key": "secret-of-the-first"})
    pages = owner()
    pages.expect_error("400")
    button(pages, "Edit", "mine").click()
    expect(note(pages, "keys")).to_contain_text(", ".join(only(gateway)["key_hints"]))
    pages.field("name").fill("renamed")
    pages.field("weight").fill("42")
    pages.save()
    channel = only(gateway)
    assert (channel["name"], channel["weight"], len(channel["key_hints"])) == ("renamed", 42, 2)
    button(pages, "Edit", "renamed").click()
    pages.field("base_url").fill("nowhere")
    expect(note(pages, "base_url")).to_contain_text("An address begins with http")
    pages.field("base_url").fill(upstream.url(path="/other/v1"))
    pages.page.click("dialog button[type=submit]")
    expect(note(pages, "keys")).to_contain_text("must be entered again, since the address")
    pages.field("keys").fill("sk-third-key-9876\nsk-third key\n")
    expect(note(pages, "keys")).to_contain_text("Key 2 has a space")
    pages.field("keys").fill("sk-third-key-9876")
    pages.page.click("dialog button[type=submit]")
    expect(note(pages, "headers")).to_contain_text("must be entered again, since the address")
    pages.field("headers").fill("X-Api-Key:another-secret")
    pages.save()
    channel = only(gateway)
    assert channel["base_url"].endswith("/other/v1") and len(channel["key_hints"]) == 1


def test_a_copy_needs_its_keys(owner, gateway, upstream):
    gateway.channel(upstream.url(), ["echo"], name="mine", priority=5, max_concurrency=3,
                    headers={"X-Plain": "yes", "X-Api-Key": "secret-of-the-first"},
                    model_mapping={"a:b": "echo", "c": "echo"})
    gateway.call("PUT", f"/channels/{only(gateway)['id']}", {"type": "vllm", "keys": [KEY]})
    pages = owner()
    button(pages, "Copy", "mine").click()
    expect(pages.field("name")).to_have_value("mine (copy)")
    expect(pages.field("model_mapping")).to_have_value("a:b => echo\nc:echo")
    pages.field("keys").fill(KEY)
    pages.save()
    first, second = gateway.items("/channels")
    same = ("type", "base_url", "models", "model_mapping", "priority", "max_concurrency", "groups")
    assert [first[name] for name in same] == [second[name] for name in same]
    assert second["name"] == "mine (copy)" and second["headers"] == {"X-Plain": "yes"}


def test_the_form_follows_the_type(owner, gateway):
    pages = owner()
    pages.expect_error("400")
    page = pages.page
    page.click("#create")
    pages.field("type").fill("bedrock")
    pages.field("type").press("Enter")
    expect(pages.field("name")).to_have_value("AWS Bedrock")
    pages.field("keys").fill("AKIA|secret")
    page.click("dialog button[type=submit]")
    expect(page.locator("[data-field='config.region'] > small")).to_have_text("This is needed.")
    pages.field("type").fill("vertex")
    pages.field("type").press("Enter")
    expect(pages.field("config.region")).to_have_count(0)
    expect(pages.field("name")).to_have_value("Google Vertex AI")
    account = json.dumps(ACCOUNT, indent=1)
    pages.field("keys").fill(account[:-3])
    expect(note(pages, "keys")).to_have_text("Key 1 is no complete JSON file.")
    pages.field("keys").fill("")
    page.set_input_files("dialog input[type=file]", {
        "name": "account.json", "mimeType": "application/json", "buffer": account.encode()})
    expect(pages.field("keys")).to_have_value(account + "\n")
    pages.field("config.location").fill("europe-west4")
    page.locator("dialog summary").click()
    pages.field("headers").fill("Host:example.org")
    page.locator("dialog summary").click()
    page.click("dialog button[type=submit]")
    expect(note(pages, "headers")).to_contain_text("must not set Host")
    expect(pages.field("headers")).to_be_visible()
    pages.field("headers").fill("")
    pages.save()
    channel = only(gateway)
    assert (channel["type"], channel["config"]) == ("vertex", {"location": "europe-west4"})
    assert len(channel["key_hints"]) == 1


def test_what_a_type_needs_has_a_star(owner, gateway, upstream):
    gateway.channel(upstream.url(), ["echo"], name="with a key", type="qwen", keys=[KEY])
    pages = owner()
    pages.page.click("#create")
    star = {name: pages.page.locator(f"dialog[open] [data-field='{name}'] abbr")
            for name in ("name", "base_url", "keys")}
    for kind, needed in (("qwen", ["name", "keys"]), ("ollama", ["name"]),
                         ("openai-compatible", ["name", "base_url"])):
        pages.field("type").fill(kind)
        pages.field("type").press("Enter")
        for name, each in star.items():
            expect(each).to_be_visible(visible=name in needed)
    pages.page.keyboard.press("Escape")
    pages.page.get_by_role("button", name="Leave it").click()
    button(pages, "Edit", "with a key").click()
    expect(star["name"]).to_be_visible()
    expect(star["keys"]).to_be_hidden()
