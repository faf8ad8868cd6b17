# SPDX-License-Identifier: MIT
"""Images of a board: of its data partition by file system, and for containers."""

import gzip
import json
import tempfile
from pathlib import Path

from board_tools import descriptor, digest, plain_tar, run, tool, write

UBI_PAGE, UBI_BLOCK, UBIFS_LEB, UBIFS_LIMIT = 2048, "128KiB", 126976, 1000
EXT4_MEGABYTES = 32
JFFS2_ERASE_KB = 64


def image(board):
    """What can be written to an empty data partition."""
    system = board.settings.get("file_system", "unknown")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "tree"
        data = folder / "tinygateway"
        data.mkdir(parents=True, mode=0o700)
        write(data / "board.yaml", board.file.read_bytes(), 0o600)
        if system == "ext4":
            with_program(board, folder)
            ext4(board, folder)
        elif system == "ubifs":
            with_program(board, folder)
            ubifs(board, folder, Path(name))
        elif system == "jffs2":
            jffs2(board, folder)


def with_program(board, folder):
    """Partitions of this size have room for the program and its installer."""
    for name in ("tinygateway", "install.sh", "init", "keep.list", "board.yaml", "SHA256SUMS"):
        if (board.out / name).exists():
            write(folder / "install" / name, (board.out / name).read_bytes(),
                  (board.out / name).stat().st_mode & 0o777)


def ext4(board, folder):
    """An ext4 that old U-Boots and kernels read too; resize2fs fills the partition."""
    path = board.out / "data.ext4"
    with path.open("wb") as file:
        file.truncate(EXT4_MEGABYTES << 20)
    run(tool("mkfs.ext4"), "-q", "-F", "-L", "tinygateway", "-O", "^metadata_csum,^64bit",
        "-E", "root_owner=0:0", "-d", folder, path)
    board.note(path)


def ubifs(board, folder, scratch):
    """A UBIFS volume for ubiupdatevol, and a UBI image for an erased partition."""
    volume, path = board.out / "data.ubifs", board.out / "data.ubi"
    run(tool("mkfs.ubifs"), "-m", UBI_PAGE, "-e", board.leb, "-c", UBIFS_LIMIT, "--squash-uids",
        "-r", folder, "-o", volume)
    write(scratch / "ubi.ini", (
        f"[data]\nmode=ubi\nimage={volume}\nvol_id=0\nvol_type=dynamic\nvol_name=UDISK\n"
        f"vol_size={UBIFS_LEB * 32}\nvol_flags=autoresize\n"))
    run(tool("ubinize"), "-m", UBI_PAGE, "-p", UBI_BLOCK, "-Q", "1", "-o", path,
        scratch / "ubi.ini")
    board.note(volume)
    board.note(path)


def jffs2(board, folder):
    """A JFFS2 image where the erase block is 64 KiB; on smaller ones it would lose files."""
    if board.settings.get("erase_kb") != str(JFFS2_ERASE_KB):
        print(f"note: no JFFS2 image, since erase_kb is not {JFFS2_ERASE_KB}: the board formats "
              "its partition itself (docs/install.md)")
        return
    path = board.out / "data.jffs2"
    run(tool("mkfs.jffs2"), "-r", folder, "-o", path, "-e", f"{JFFS2_ERASE_KB}KiB", "-l", "-n",
        "-p", "--squash-uids")
    board.note(path)


def container(board):
    """An OCI image archive, readable by `docker load` too, made of plain files."""
    files = {"usr/bin/tinygateway": (board.binary.read_bytes(), 0o755)}
    bundle = Path("/etc/ssl/certs/ca-certificates.crt")
    if bundle.is_file():
        files["etc/ssl/certs/ca-certificates.crt"] = (bundle.read_bytes(), 0o644)
    layer = plain_tar(files, folders={"data": (0o700, 65532), "tmp": (0o1777, 0)})
    packed_layer = gzip.compress(layer, 9, mtime=0)
    architecture, variant = board.oci
    platform = {"architecture": architecture, "os": "linux"}
    if variant:
        platform["variant"] = variant
    reference = f"tinygateway:{board.version.replace('~', '-')}"  # tags know no tilde
    config = json.dumps({
        **platform,
        "config": {
            "User": "65532:65532", "ExposedPorts": {"3000/tcp": {}},
            "Env": ["TINYGATEWAY_DATA_DIR=/data"], "Entrypoint": ["/usr/bin/tinygateway"],
            "Cmd": ["serve"], "Volumes": {"/data": {}}, "WorkingDir": "/data",
            "StopSignal": "SIGTERM"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer)]},
        "history": [{"created_by": "scripts/board.py"}],
    }).encode()
    kind = "application/vnd.oci.image."
    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
        "config": descriptor(kind + "config.v1+json", config),
        "layers": [descriptor(kind + "layer.v1.tar+gzip", packed_layer)]}).encode()
    index = {"schemaVersion": 2, "manifests": [{
        **descriptor(kind + "manifest.v1+json", manifest), "platform": platform,
        "annotations": {"org.opencontainers.image.ref.name": reference}}]}
    members = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
               "index.json": json.dumps(index).encode(),
               "manifest.json": json.dumps([{
                   "Config": "blobs/sha256/" + digest(config),
                   "RepoTags": [reference],
                   "Layers": ["blobs/sha256/" + digest(packed_layer)]}]).encode()}
    for blob in (config, manifest, packed_layer):
        members["blobs/sha256/" + digest(blob)] = blob
    path = board.out / f"tinygateway-{board.version}-{architecture}.oci.tar"
    write(path, plain_tar({name: (blob, 0o644) for name, blob in members.items()}))
    board.note(path)
