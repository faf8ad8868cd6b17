# SPDX-License-Identifier: MIT
"""Packages of boards: installed, tried, removed as far as there is no board."""

import io
import os
import subprocess
import tarfile

import pytest

from packages import BOARDS, only, settings

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("board, architecture", [
    ("orangepi-pc-sd", "armhf"), ("raspberry-pi-4-sd", "arm64"),
    ("raspberry-pi-zero-sd", "armhf"), ("raspberry-pi-zero-sd", "armel"),
    ("generic-x86_64", "amd64")])
def test_a_debian_package_installs_below_a_folder(made, tmp_path, board, architecture):
    package = only(made(board), f"*_{architecture}.deb")
    control = subprocess.run(
        ["dpkg-deb", "-f", package], capture_output=True, text=True, check=True)
    assert f"Architecture: {architecture}\n" in control.stdout
    assert "Version: 1.2~x" in control.stdout
    database = tmp_path / "var/lib/dpkg"
    for name in ("updates", "info", "triggers"):
        (database / name).mkdir(parents=True)
    (database / "status").touch()
    # What the scripts call when systemd runs there; they find the folder by DPKG_ROOT.
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    called = tmp_path / "called"
    systemctl = tmp_path / "stand-in/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f'#!/bin/sh\necho "$@" >>{called}\n')
    systemctl.chmod(0o755)

    def dpkg(*words):
        result = subprocess.run(
            ["dpkg", f"--root={tmp_path}", "--force-not-root", "--force-script-chrootless",
             "--force-architecture", "--force-bad-path", f"--log={tmp_path}/log", *words],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{systemctl.parent}:{os.environ['PATH']}:/usr/sbin:/sbin"})
        assert result.returncode == 0, result.stdout + result.stderr

    dpkg("--install", package)
    assert "Status: install ok installed\n" in (database / "status").read_text()
    assert os.access(tmp_path / "usr/bin/tinygateway", os.X_OK)
    unit = (tmp_path / "lib/systemd/system/tinygateway.service").read_text()
    assert "ExecStart=/usr/bin/tinygateway serve" in unit and "DynamicUser=yes" in unit
    assert (database / "info/tinygateway.conffiles").read_text() == "/etc/tinygateway/board.yaml\n"
    data = tmp_path / settings(board)["data_dir"].lstrip("/")
    data.mkdir(parents=True)
    (data / "db.db").touch()
    own = tmp_path / "etc/tinygateway/board.yaml"
    own.write_text("# edited\n")
    dpkg("--install", package)                # over it
    assert own.read_text() == "# edited\n"
    dpkg("--remove", "tinygateway")
    assert (data / "db.db").exists() and own.exists() and not (tmp_path / "usr/bin").exists()
    dpkg("--purge", "tinygateway")
    assert not data.exists() and not own.parent.exists()
    started = ["daemon-reload", "enable --quiet tinygateway.service", "restart tinygateway.service"]
    assert called.read_text().splitlines() == [
        *started, "daemon-reload", *started, "disable --quiet --now tinygateway.service",
        *2 * ["daemon-reload"]]


def test_every_debian_architecture_is_made(made):
    found = {package.stem.rsplit("_", 1)[1]
             for board in BOARDS for package in made(board).glob("*.deb")}
    assert found == {"armhf", "arm64", "armel", "amd64"}


def test_an_openwrt_package_has_its_three_members(made):
    package = only(made("openwrt-armv7-ubifs"), "*.ipk")
    with tarfile.open(package, "r:gz") as outer:
        assert {m.name for m in outer} == {"./debian-binary", "./data.tar.gz", "./control.tar.gz"}
        assert outer.extractfile("./debian-binary").read() == b"2.0\n"
        members = {}
        for part in ("data", "control"):
            content = outer.extractfile(f"./{part}.tar.gz").read()
            with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as inner:
                for member in inner:
                    assert (member.uid, member.gid) == (0, 0)
                    if member.isfile():
                        members[member.name] = (member.mode, inner.extractfile(member).read())
    assert members["./usr/bin/tinygateway"][0] == 0o755
    assert b"USE_PROCD=1" in members["./etc/init.d/tinygateway"][1]
    assert b"procd_set_param respawn" in members["./etc/init.d/tinygateway"][1]
    assert members["./lib/upgrade/keep.d/tinygateway"][1] == b"/etc/tinygateway/\n"
    assert b"Architecture: all\n" in members["./control"][1]
    assert members["./conffiles"][1] == b"/etc/tinygateway/board.yaml\n"
    for script in ("./postinst", "./prerm", "./etc/init.d/tinygateway"):
        assert members[script][0] == 0o755
        subprocess.run(["sh", "-n"], input=members[script][1], check=True)


@pytest.mark.parametrize("program, status", [("exit 0", 0), ("exit 126", 1)])
def test_an_openwrt_package_says_that_it_is_for_another_processor(
        made, tmp_path, program, status):
    assert only(made("t113-s3-spinand"), "*.ipk").name == "tinygateway_1.2~x_armv7.ipk"
    with tarfile.open(only(made("t113-s3-spinand"), "*.ipk"), "r:gz") as outer:
        content = outer.extractfile("./control.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as inner:
        script = inner.extractfile("./postinst").read().decode()
    for name, text in ("usr/bin/tinygateway", program), ("etc/init.d/tinygateway", "echo $1"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        script = script.replace("/" + name, str(path))
    result = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=False)
    assert result.returncode == status
    assert result.stdout.split() == (["enable", "restart"] if status == 0 else [])
    assert ("for armv7" in result.stderr) == (status == 1)


RULES = """
RSTRIP:=strip --strip-all
"""
PACKAGE = """
define BuildPackage
install:
	$(call Build/Prepare)
	$(call Build/Compile)
	$(call Package/$(1)/install,$(DESTINATION))
conffiles:
	@echo $(Package/$(1)/conffiles)
endef
"""


@pytest.mark.parametrize("tree", ["openwrt", "old-tina"])
def test_the_feed_package_installs_what_the_packages_hold(made, tmp_path, tree):
    # The build systems' own files are not here: as little of them as the Makefile asks for.
    folders = {name: tmp_path / name for name in ("top", "include", "build", "compile", "root")}
    for folder in folders.values():
        folder.mkdir()
    (folders["top"] / "rules.mk").write_text(RULES)
    place = folders["include"] if tree == "openwrt" else folders["build"]
    (place / "package.mk").write_text(PACKAGE)
    feed = made("openwrt-armv7-ubifs") / "feed/tinygateway"

    def build(target):
        return subprocess.run(
            ["make", "-s", "-C", feed, target, f"TOPDIR={folders['top']}",
             f"INCLUDE_DIR={folders['include']}", f"BUILD_DIR={folders['build']}",
             f"COMPILE_DIR={folders['compile']}", f"DESTINATION={folders['root']}", "CP=cp -fpR"],
            capture_output=True, text=True, check=True).stdout

    build("install")
    files = {str(path.relative_to(folders["root"])): path.stat().st_mode & 0o777
             for path in folders["root"].rglob("*") if path.is_file()}
    assert files == {
        "usr/bin/tinygateway": 0o755, "etc/init.d/tinygateway": 0o755,
        "etc/tinygateway/board.yaml": 0o644, "lib/upgrade/keep.d/tinygateway": 0o644}
    assert build("conffiles") == "/etc/tinygateway/board.yaml\n"
    where = folders["build" if tree == "openwrt" else "compile"]
    assert [path.name for path in where.iterdir() if path.is_dir()] == ["tinygateway-1.2~x"]
