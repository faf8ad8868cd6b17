# SPDX-License-Identifier: MIT
"""config.yaml, environment, command line: precedence, and errors that say what to change."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
from pathlib import Path

import pytest

from gateway import Gateway
from process import binary, command, environment, free_port, run


BOARDS = sorted((Path(__file__).parents[2] / "board-configs").glob("*.yaml"))
NOT_IN_CONFIG = set("config board target cpu_flags storage_medium file_system partition_kb "
                    "erase_kb init_system log_place".split())


def serve(folder, *arguments, env=None):
    return run("serve", "--data-dir", folder, "--port", "0", *arguments, env=env)


def refused(result, *words):
    """A refusal to start: a status that is no crash, and a sentence with these words."""
    assert result.returncode in range(1, 128), (result.returncode, result.stdout)
    for word in words:
        assert str(word) in result.stdout, f"{word!r} is not in {result.stdout!r}"


def test_the_first_config_holds_every_key_with_its_default_and_a_comment(fresh):
    fresh.start()
    fresh.stop()
    text = (fresh.data_dir / "config.yaml").read_text()
    shown = dict(re.findall(r"\n# [^\n]{10,}\n#([a-z_]+): ([^\n]+)", text))
    # What is in force where nothing was set, less what no file may hold.
    checked = run("check-config", "--data-dir", fresh.data_dir).stdout
    defaults = dict(re.findall(r"(?m)^([a-z_]+): (.*)  # default$", checked))
    assert shown == {k: v for k, v in defaults.items() if k not in NOT_IN_CONFIG}
    assert len(shown) > 60 and shown["port"] == "3000" and shown["ca_file"] == '""'
    assert shown.keys() == set(re.findall(r"(?m)^#?([a-z_]+):", text))


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
    refused(result, f"{tmp_path / 'config.yaml'}:{number}: ", word)


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
        refused(run("serve", "--data-dir", tmp_path, "--port", port),
                f"tinygateway: port {port} is already in use; "
                "stop the other program or choose another with --port\n")


def test_an_address_of_another_machine_is_named(tmp_path):
    refused(serve(tmp_path, "--listen", "192.0.2.1"), "cannot listen on 192.0.2.1 port 0: ",
            "; set listen to an address of this machine, or to 0.0.0.0\n")


@pytest.fixture
def nobody():
    """A folder that everybody may enter, and a runner for a user who owns nothing."""
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        program = shutil.copy(binary(), folder)
        user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

        def serve_as_nobody(data_dir):
            return subprocess.run(
                [*user, program, "serve", "--data-dir", data_dir, "--port", "0"], text=True,
                timeout=20, env=environment(), check=False, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        yield folder, serve_as_nobody


def test_a_data_directory_of_another_user_says_what_to_do(nobody):
    folder, serve_as_nobody = nobody
    data = folder / "data"
    data.mkdir(mode=0o700)
    for path in (data, data / "below"):
        refused(serve_as_nobody(path), f"command line: --data-dir: {path} is not writable for this "
                "user; change its owner with chown, or choose another with --data-dir\n")
    refused(serve_as_nobody(folder / "new"), f"{folder / 'new'} cannot be made by this user; "
            "make it and give it to the user, or choose another with --data-dir\n")


@pytest.mark.parametrize("name, sentence", [
    ("config.yaml", "{}: cannot read the file: Permission denied; correct the path or make the "
     "file readable\n"),
    ("db.db", "cannot open {}: Permission denied; give it and its folder to this user with chown, "
     "or mount it rw\n"),
    ("secret.key", "tinygateway: {}, the key for channel keys, cannot be read: Permission denied; "
     "give it to this user, or restore it from a backup\n")])
def test_a_file_of_another_user_says_what_to_do(seed, nobody, name, sentence):
    """As after a first start as root."""
    folder, serve_as_nobody = nobody
    data = Path(shutil.copytree(seed.data_dir, folder / "data"))
    for path in (data, *data.iterdir()):
        os.chown(path, 65534, 65534)
    os.chown(data / name, 0, 0)
    refused(serve_as_nobody(data), sentence.format(data / name))
    assert (data / name).stat().st_mode & 0o777 == 0o600


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


@pytest.mark.parametrize("second, status, told", [
    ("another password", 0, "The password of root is changed."),
    ("yet another one", 1, "the two passwords differ; nothing is changed")])
def test_passwd_asks_twice_on_a_terminal_and_shows_nothing(seed, tmp_path, second, status, told):
    data = shutil.copytree(seed.data_dir, tmp_path / "data")
    ours, its = pty.openpty()
    process = subprocess.Popen(command("passwd", "--data-dir", data), env=environment(),
                               stdin=its, stdout=its, stderr=its)
    shown = b""
    for question, answer in ((b"New password: ", "another password"), (b"same again: ", second)):
        while not shown.endswith(question):
            shown += os.read(ours, 1000)
        os.write(ours, answer.encode() + b"\n")
    assert process.wait(20) == status
    shown += os.read(ours, 1000)
    assert shown.decode() == f"New password: \r\nThe same again: \r\n{told}\r\n"
    assert termios.tcgetattr(its)[3] & termios.ECHO, "the terminal shows nothing any more"
    os.close(ours)
    os.close(its)


def test_passwd_left_by_a_signal_lets_the_terminal_show_again(seed, tmp_path):
    data = shutil.copytree(seed.data_dir, tmp_path / "data")
    ours, its = pty.openpty()
    with subprocess.Popen(command("passwd", "--data-dir", data), env=environment(), stdin=its,
                          stdout=its, stderr=its) as process:
        shown = b""
        while not shown.endswith(b"New password: "):
            shown += os.read(ours, 1000)
        assert not termios.tcgetattr(its)[3] & termios.ECHO
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == -signal.SIGINT
    assert termios.tcgetattr(its)[3] & termios.ECHO, "the terminal shows nothing any more"
    os.close(ours)
    os.close(its)


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
