# SPDX-License-Identifier: MIT
"""config.yaml, environment, command line: precedence, and errors that say what to change."""

import re
import socket
from pathlib import Path

import pytest

from gateway import Gateway
from process import free_port, run


def serve(folder, *arguments, env=None):
    return run("serve", "--data-dir", folder, "--port", "0", *arguments, env=env)


def refused(result, *words):
    """A refusal to start: a status that is no crash, and a sentence with these words."""
    assert result.returncode in range(1, 128), (result.returncode, result.stdout)
    for word in words:
        assert str(word) in result.stdout, f"{word!r} is not in {result.stdout!r}"


KEYS = ("listen port log_level initial_root_password trusted_proxies ca_file tls_port "
        "tls_certificate tls_key memory_limit_mb body_held_limit_kb body_limit_mb upload_limit_mb "
        "header_timeout_ms keep_alive_timeout_ms connect_timeout_ms first_byte_timeout_ms "
        "stream_idle_timeout_ms request_timeout_ms stop_timeout_ms retries retry_interval_ms "
        "metrics_token metrics_addresses channel_test_interval_ms "
        "journal_mode synchronous locking_mode page_size cache_kb flush_interval_ms flush_rows "
        "log_limit_mb log_addresses").split()


def test_the_first_config_holds_every_key_with_a_comment(fresh):
    fresh.start()
    lines = (fresh.data_dir / "config.yaml").read_text().splitlines()
    for key in KEYS:
        found = [n for n, line in enumerate(lines) if re.match(rf"(# ?)?{key}:", line)]
        assert found, f"{key} is missing"
        assert any("#" in line for line in lines[max(0, found[0] - 3):found[0] + 1]), key


def test_the_first_config_is_valid_as_it_is(fresh):
    fresh.start()
    fresh.stop()
    assert run("check-config", "--data-dir", fresh.data_dir).returncode == 0


@pytest.mark.parametrize("line, word", [
    ("no_such_key: 1", "no_such_key"), ("port: x", "port"), ("port: 70000", "port"),
    ("port: -1", "port"), ("log_level: loud", "log_level"), ("retries: many", "retries"),
    ("memory_limit_mb: 0", "memory_limit_mb"), ("header_timeout_ms: 10s", "header_timeout_ms"),
    ("journal_mode: fast", "journal_mode"), ("listen: 1.2.3.4.5", "listen"),
    ("trusted_proxies: nonsense", "trusted_proxies"), ("port: 1\nport: 2", "port"),
    ("just words", "config.yaml"), ("  indented: 1", "config.yaml"),
    ("port: 99999999999999999999", "port")])
@pytest.mark.parametrize("command", ["check-config", "serve"])
def test_an_error_names_file_line_and_key(tmp_path, command, line, word):
    (tmp_path / "config.yaml").write_text("# a comment\n\n" + line + "\n")
    result = run(command, "--data-dir", tmp_path)
    number = 3 + line.count("\n")
    refused(result, "config.yaml", word)
    assert re.search(rf"\b{number}\b", result.stdout), result.stdout


@pytest.mark.parametrize("text", [
    "port: 3001", "port: '3001'", 'port: "3001"', "port: 3001 # a comment", "port:   3001  ",
    "port: 3001\r", "\ufeffport: 3001", ""])
def test_ordinary_yaml_is_understood(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text + "\n", encoding="utf-8", newline="")
    result = run("check-config", "--data-dir", tmp_path)
    assert result.returncode == 0, result.stdout


def test_an_unknown_argument_is_named(tmp_path):
    refused(serve(tmp_path, "--no-such-option", "1"), "no-such-option")
    refused(run("no-such-command"), "no-such-command")


def test_a_bad_value_on_the_command_line_is_named(tmp_path):
    refused(serve(tmp_path, "--retries", "many"), "retries")


def test_a_secret_on_the_command_line_is_refused(tmp_path):
    result = serve(tmp_path, "--initial-root-password", "seen by everyone")
    refused(result, "initial-root-password")
    assert "seen by everyone" not in result.stdout


def test_a_bad_value_in_the_environment_is_named(tmp_path):
    refused(serve(tmp_path, env={"TINYGATEWAY_RETRIES": "many"}), "TINYGATEWAY_RETRIES")
    refused(serve(tmp_path, env={"ONEAPI_LOG_LEVEL": "loud"}), "ONEAPI_LOG_LEVEL")


def test_the_command_line_wins_over_environment_and_file(make_gateway):
    gateway = make_gateway(start=False, env={"PORT": "1"})
    (gateway.data_dir / "config.yaml").write_text("port: 2\n")
    gateway.start(port=0)
    assert gateway.port > 2


def test_the_environment_wins_over_the_file(tmp_path):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "config.yaml").write_text(f"port: {free_port()}\n")
        result = run("serve", "--data-dir", tmp_path, env={"PORT": port})
    refused(result, port)


def test_the_data_directory_may_come_from_the_environment(tmp_path):
    (tmp_path / "config.yaml").write_text("no_such_key: 1\n")
    result = run("serve", env={"TINYGATEWAY_DATA_DIR": tmp_path})
    refused(result, "no_such_key", tmp_path / "config.yaml")


def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused(run("serve", "--data-dir", tmp_path, "--port", port), port, "use")


def test_a_data_directory_that_is_a_file_is_named(tmp_path):
    path = tmp_path / "file"
    path.write_text("x")
    refused(serve(path), path)


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    path = tmp_path / "file" / "below"
    refused(serve(path), path)


def test_a_database_that_is_none_is_named_and_kept(tmp_path):
    path = tmp_path / "db.db"
    path.write_bytes(b"this is no database, " * 500)
    refused(serve(tmp_path), "db.db")
    assert path.read_bytes().startswith(b"this is no database")


def test_a_ca_file_that_is_missing_is_named(tmp_path):
    refused(serve(tmp_path, "--ca-file", tmp_path / "no-roots.pem"), "no-roots.pem")


@pytest.mark.short
def test_version_tells_what_is_inside():
    result = run("--version")
    assert result.returncode == 0
    for word in ("tinygateway", "SQLite", "Mbed TLS", "Swift"):
        assert word.lower() in result.stdout.lower()


@pytest.mark.short
def test_help_names_the_commands():
    result = run("--help")
    assert result.returncode == 0
    for word in ("serve", "check-config", "passwd", "--data-dir", "--port", "version"):
        assert word in result.stdout


BOARDS = sorted((Path(__file__).parents[2] / "board-configs").glob("*.yaml"))


@pytest.mark.parametrize("board", BOARDS, ids=lambda path: path.stem)
def test_every_board_file_is_valid_and_starts(tmp_path, board):
    result = run("check-config", "--board", board, "--data-dir", tmp_path)
    assert result.returncode == 0, result.stdout
    with Gateway(tmp_path / "data", arguments=["--board", board]) as gateway:
        assert gateway.request("GET", "/health").status_code == 200


def test_a_missing_board_file_is_named(tmp_path):
    result = serve(tmp_path, "--board", tmp_path / "no-such-board")
    refused(result, "no-such-board")


def test_passwd_sets_a_new_password_of_root(make_gateway):
    gateway = make_gateway(start=False)
    result = run("passwd", "--data-dir", gateway.data_dir, stdin="another password\n" * 2)
    assert result.returncode == 0, result.stdout
    assert "another password" not in result.stdout
    gateway.start()
    assert gateway.login("another password")["token"]


@pytest.mark.parametrize("password", ["", "short", "x" * 200])
def test_passwd_refuses_a_bad_password(make_gateway, password):
    gateway = make_gateway(start=False)
    result = run("passwd", "--data-dir", gateway.data_dir, stdin=(password + "\n") * 2)
    assert result.returncode in range(1, 128)


def test_the_configured_first_password_replaces_the_default(fresh):
    fresh.env["TINYGATEWAY_INITIAL_ROOT_PASSWORD"] = "set at the factory"
    fresh.start()
    body = {"username": "root", "password": "123456"}
    assert fresh.request("POST", "/auth/login", json=body).status_code == 401
    assert fresh.login("set at the factory")["token"]
