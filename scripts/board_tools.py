# SPDX-License-Identifier: MIT
"""What the makers of packages and images share: tools, files, archives."""

import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0")) or 1_735_689_600


def fail(message):
    """Ends with one sentence."""
    sys.exit(f"board: {message}")


def read_board(path):
    """The settings of a board file, as texts."""
    settings = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        found = re.match(r"([a-z_0-9]+):\s*(.*?)\s*(?:\s#.*)?$", line)
        if found:
            settings[found.group(1)] = found.group(2).strip("'\"")
    return settings


def version():
    """The gateway's version, as the build knows it."""
    text = (ROOT / "Package.swift").read_text(encoding="utf-8")
    found = re.search(r'TINYGATEWAY_VERSION"\] \?\? "([^"]+)"', text)
    given = os.environ.get("TINYGATEWAY_VERSION") or (found.group(1) if found else "0")
    return given.replace("-", "~", 1)  # What comes before a release sorts before it.


def write(path, content, mode=0o644):
    """Writes a file with its mode; makes its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)


def run(*command):
    """Runs a tool; its output appears only when it fails."""
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, check=False,
                            env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH)})
    if result.returncode:
        fail(f"{command[0]} failed:\n{result.stdout}")


def tool(name):
    """The path of a tool that may lie where users do not look."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return found or fail(f"{name} is missing; type: scripts/install-packages.sh board")


def digest(content):
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def descriptor(kind, content):
    """How OCI names a blob."""
    return {"mediaType": kind, "digest": "sha256:" + digest(content), "size": len(content)}


def plain_tar(files, folders=None):
    """A tar of files and their folders, the same bytes each time."""
    entries = dict(folders or {})
    for name in files:
        for parent in list(Path(name).parents)[:-1]:
            entries.setdefault(str(parent), (0o755, 0))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, (mode, owner) in sorted(entries.items()):
            if name in (".", ""):
                continue
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = tarfile.DIRTYPE, mode, EPOCH
            info.uid = info.gid = owner
            tar.addfile(info)
        for name, (content, mode) in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(content), mode, EPOCH
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def packed(files):
    """A gzip'd tar."""
    return gzip.compress(plain_tar(files), 9, mtime=EPOCH)


def archive(folder):
    """A gzip'd tar of a folder, names beginning with `./`."""
    return packed({f"./{path.relative_to(folder)}": (path.read_bytes(), path.stat().st_mode & 0o777)
                   for path in folder.rglob("*") if path.is_file()})
