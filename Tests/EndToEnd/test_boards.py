# SPDX-License-Identifier: MIT
"""Board files, and what `make board` makes of them: images, init scripts, installer."""

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

from packages import BOARDS, ROOT, make, only, settings
from process import run, wait_until

pytestmark = pytest.mark.tools


@pytest.mark.parametrize("board", BOARDS)
def test_the_gateway_takes_every_board_file(tmp_path, board):
    path = ROOT / "board-configs" / f"{board}.yaml"
    result = run("check-config", "--board", path, "--data-dir", tmp_path)
    assert result.returncode == 0, result.stdout
    for key, value in settings(board).items():
        if key != "data_dir":
            line = rf'^{key}: "?{re.escape(value)}"?  # .*{board}'
            assert re.search(line, result.stdout, re.M), key


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_files_flags_are_those_of_its_binary(board):
    facts = settings(board)
    said = subprocess.run(
        ["bash", "-c", '. cross/common.sh && select_target "$0" && echo "$C_FLAGS"',
         facts["target"]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert facts["cpu_flags"] == said.stdout.strip()


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
    board = tmp_path / "other.yaml"
    board.write_text("target: mipsel\ninit_system: none\n")
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
