# SPDX-License-Identifier: MIT
"""Board files, and what `make board` makes of them: packages, images, init scripts, installer."""

import gzip
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile

import pytest

from packages import ROOT, make
from process import run, wait_until

BOARDS = sorted(path.stem for path in (ROOT / "board-configs").glob("*.yaml"))
pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Folders of boards, each made once."""
    folders = {}

    def get(board):
        if board not in folders:
            folders[board] = make(tmp_path_factory.mktemp(board), board)
        return folders[board]

    return get


def settings(board):
    """A board file's lines."""
    text = (ROOT / "board-configs" / f"{board}.yaml").read_text()
    return dict(re.findall(r"^([a-z_0-9]+): *(.*?)$", text, re.M))


def only(folder, pattern):
    found = list(folder.glob(pattern))
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("board", BOARDS)
def test_the_gateway_takes_every_board_file(tmp_path, board):
    path = ROOT / "board-configs" / f"{board}.yaml"
    result = run("check-config", "--board", path, "--data-dir", tmp_path)
    assert result.returncode == 0, result.stdout
    for key, value in settings(board).items():
        if key != "data_dir":
            line = rf'^{key}: "?{re.escape(value)}"?  # .*{board}'
            assert re.search(line, result.stdout, re.M), key


@pytest.mark.parametrize("board", [b for b in BOARDS if b.endswith("spinor")])
def test_small_flash_starts_and_takes_settings(make_gateway, board):
    gateway = make_gateway(arguments=["--board", ROOT / "board-configs" / f"{board}.yaml"])
    gateway.token()
    gateway.stop()
    # What a 512 KiB partition has to hold.
    files = sum(path.stat().st_size for path in gateway.data_dir.glob("db.db*"))
    assert files < 450 << 10, sorted((p.name, p.stat().st_size) for p in gateway.data_dir.iterdir())


@pytest.mark.parametrize("board", BOARDS)
def test_packages_and_images_follow_the_board_file(made, board):
    folder, facts = made(board), settings(board)
    names = {path.name for path in folder.iterdir()}
    assert {"tinygateway", "board.yaml", "install.sh", "init", "keep.list", "SHA256SUMS"} <= names
    suffixes = {name.rsplit(".", 1)[1] for name in names if "." in name}
    assert ("deb" in suffixes) == (facts["init_system"] == "systemd")
    assert ("ipk" in suffixes) == (facts["init_system"] != "systemd") == ("feed" in names)
    assert ("data.ext4" in names) == (facts["file_system"] == "ext4")
    assert ("data.ubi" in names) == (facts["file_system"] == "ubifs")
    assert "data.jffs2" not in names        # 4 KiB sectors: such an image would lose files
    assert ("tar" in suffixes) == (facts["target"] != "armv5te")
    assert facts["data_dir"] + "/" in (folder / "keep.list").read_text().split()
    for script in ("init", "install.sh"):
        text = (folder / script).read_text()
        assert not re.search(r"@[A-Z_]+@", text), script
        if text.startswith("#!"):
            subprocess.run(["sh", "-n", folder / script], check=True)


@pytest.mark.parametrize("board, architecture", [
    ("orangepi-pc-sd", "armhf"), ("raspberry-pi-4-sd", "arm64"),
    ("raspberry-pi-zero-sd", "armel"), ("generic-x86_64", "amd64")])
def test_a_debian_package_installs_below_a_folder(made, tmp_path, board, architecture):
    package = only(made(board), "*.deb")
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
    found = {only(made(board), "*.deb").stem.rsplit("_", 1)[1]
             for board in BOARDS if settings(board)["init_system"] == "systemd"}
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


def test_a_sysupgrade_keeps_settings_and_data(made):
    for board in ("openwrt-armv7-ubifs", "r528-emmc"):
        kept = (made(board) / "feed/tinygateway/files/lib/upgrade/keep.d/tinygateway").read_text()
        assert set(kept.split()) == {"/etc/tinygateway/", settings(board)["data_dir"] + "/"}
        assert kept == (made(board) / "keep.list").read_text()


def test_images_hold_the_data_directory(made, tmp_path):
    debugfs = subprocess.run(
        ["/usr/sbin/debugfs", "-R", "cat /tinygateway/board.yaml",
         made("r528-emmc") / "data.ext4"], capture_output=True, check=True)
    assert debugfs.stdout == (ROOT / "board-configs/r528-emmc.yaml").read_bytes()
    spinand = made("t113-s3-spinand")
    assert (spinand / "data.ubi").read_bytes()[:4] == b"UBI#"
    assert (spinand / "data.ubifs").read_bytes()[:4] == b"\x31\x18\x10\x06"
    # Where the erase block is 64 KiB, there is an image for NOR too.
    board = tmp_path / "large.yaml"
    text = (ROOT / "board-configs/lichee-zero-v3s-spinor.yaml").read_text()
    board.write_text(text.replace("erase_kb: 4\n", "erase_kb: 64\n"))
    image = (make(tmp_path / "made", board) / "data.jffs2").read_bytes()
    assert image[:2] == b"\x85\x19" and len(image) % (64 << 10) == 0


def test_a_container_image_is_what_it_says(made):
    path = only(made("raspberry-pi-4-sd"), "*.oci.tar")
    with tarfile.open(path) as tar:
        files = {m.name: tar.extractfile(m).read() for m in tar if m.isfile()}
    for name, content in files.items():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content).hexdigest() == name.rsplit("/", 1)[1]
    blob = lambda entry: files["blobs/" + entry["digest"].replace(":", "/")]
    entry, = json.loads(files["index.json"])["manifests"]
    assert entry["platform"] == {"architecture": "arm64", "os": "linux", "variant": "v8"}
    # The version is 1.2~x: tags of images know no tilde, and loading would end there.
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "tinygateway:1.2-x"}
    assert json.loads(files["manifest.json"])[0]["RepoTags"] == ["tinygateway:1.2-x"]
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    assert config["architecture"] == "arm64" and config["config"]["User"] == "65532:65532"
    layer = gzip.decompress(blob(manifest["layers"][0]))
    assert config["rootfs"]["diff_ids"] == ["sha256:" + hashlib.sha256(layer).hexdigest()]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        modes = {m.name: (m.mode, m.uid) for m in tar}
    assert modes["usr/bin/tinygateway"] == (0o755, 0) and modes["data"] == (0o700, 65532)


def test_the_same_sources_give_the_same_packages(made, tmp_path):
    for board in ("raspberry-pi-4-sd", "openwrt-aarch64-emmc"):
        again = make(tmp_path / board, board)
        for path in made(board).iterdir():
            if path.suffix in (".deb", ".ipk", ".tar"):
                assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_what_cannot_be_made_is_said(tmp_path):
    def refused(*arguments):
        result = subprocess.run([sys.executable, ROOT / "scripts/board.py", *arguments],
                                capture_output=True, text=True, check=False)
        assert result.returncode != 0
        return result.stderr

    assert "lichee-zero-v3s-spinor" in refused("no-such-board")
    board = tmp_path / "six.yaml"
    board.write_text("target: armv6\ninit_system: none\n")
    assert "armv5te" in refused(board)
    assert "make release TARGETS=armv7" in refused("r528-emmc", "--binary", tmp_path / "none")


def test_the_busybox_script_starts_it_again_until_it_is_stopped(made, tmp_path):
    folder = made("f1c200s-spinor")
    environment = {**os.environ, "PROGRAM": str(folder / "tinygateway"), "RUN": str(tmp_path),
                   "DATA_DIR": str(tmp_path / "data"), "PAUSE": "0.1", "LOG_PLACE": "none"}

    def script(word, status=0):
        result = subprocess.run(["sh", folder / "init", word], env=environment, check=False,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        assert result.returncode == status, result.stdout
        return result.stdout.decode()

    def child():
        found = re.search(r"process (\d+)", subprocess.run(
            ["sh", folder / "init", "status"], env=environment, stdout=subprocess.PIPE,
            check=False, text=True).stdout)
        return int(found.group(1)) if found else 0

    script("status", 3)
    script("start")
    try:
        first = child()
        assert first and "already" in script("start")
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: child() not in (0, first), what="a second process")
        second = child()
    finally:
        script("stop")
    assert not child()
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
    script("status", 3)
