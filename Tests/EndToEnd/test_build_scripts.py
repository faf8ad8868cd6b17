# SPDX-License-Identifier: MIT
"""What building fetches and installs: mirrors that fail for a while, machines without rights."""

import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.tools
ROOT = Path(__file__).parents[2]
SYSROOT = ["musl-dev", "libgcc-12-dev", "linux-libc-dev"]

# Fails as often as the file `failures` says for its last argument; writes down what was asked.
APT = """#!/bin/sh
for last; do :; done
echo "$*" >>"$STAND_IN/calls"
case " $* " in *" download "* | *" install "* | *" update "*) ;; *) exit 0 ;; esac
left=$(sed -n "s/^$last //p" "$STAND_IN/failures" 2>/dev/null)
if [ "${left:-0}" -gt 0 ]; then
  sed -i "s/^$last .*/$last $((left - 1))/" "$STAND_IN/failures"
  echo "E: Failed to fetch $last: File has unexpected size. Mirror sync in progress?"
  exit 100
fi
case " $* " in *" download "*) echo package >"${last}_1.deb" ;; esac
"""
# Says of each package whether it is there, as `dpkg-query -W -f` does.
DPKG = """#!/bin/sh
shift 3
for package; do
  case " $(cat "$STAND_IN/missing") " in
    *" $package "*) echo "no packages found matching $package" >&2 ;;
    *) printf 'installed:%s ' "$package" ;;
  esac
done
"""


class StandIns:
    """Programs in the place of Debian's, and what was asked of them."""

    def __init__(self, folder):
        self.folder, self.cache = folder / "stand-in", folder / "cache"
        self.folder.mkdir()
        self.put("apt-get", APT)
        self.put("sleep", '#!/bin/sh\necho "$1" >>"$STAND_IN/pauses"\n')
        (self.folder / "keyring").touch()

    def put(self, name, text):
        """A program that is found before the machine's own."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def write(self, name, text):
        """What a program reads to know what to do."""
        (self.folder / name).write_text(text)

    def lines(self, name):
        """What the programs wrote down."""
        path = self.folder / name
        return path.read_text().splitlines() if path.exists() else []

    def run(self, *words):
        """Runs a script of the repository; output and errors in one."""
        return subprocess.run(
            [str(ROOT / words[0]), *words[1:]], text=True, check=False, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}",
                 "STAND_IN": str(self.folder), "TINYGATEWAY_CACHE": str(self.cache),
                 "TINYGATEWAY_MIRROR": "http://mirror.test/debian",
                 "TINYGATEWAY_KEYRING": str(self.folder / "keyring")})


@pytest.fixture
def stand_ins(tmp_path):
    """Programs in the place of Debian's, in a folder of their own."""
    return StandIns(tmp_path)


def test_a_mirror_that_is_inconsistent_for_a_while_is_asked_again(stand_ins):
    stand_ins.write("failures", "libgcc-12-dev 3\n")
    result = stand_ins.run("cross/fetch.sh", "packages", "armhf")
    assert result.returncode == 0, result.stdout
    assert "attempt 3 of 6 failed: http://mirror.test/debian" in result.stdout
    folder = stand_ins.cache / "cross" / "packages-bookworm-armhf"
    assert result.stdout.splitlines()[-1] == str(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(f"{p}_1.deb" for p in SYSROOT)
    # The lists may be what was old: they are fetched anew before each attempt.
    calls = [line.split() for line in stand_ins.lines("calls")]
    assert [words[-1] for words in calls] == [
        "update", "musl-dev", "libgcc-12-dev", "update", "libgcc-12-dev", "update",
        "libgcc-12-dev", "update", "libgcc-12-dev", "linux-libc-dev"]
    assert stand_ins.lines("pauses") == ["2", "4", "8"]
    assert stand_ins.run("cross/fetch.sh", "packages", "armhf").stdout == f"{folder}\n"
    assert len(stand_ins.lines("calls")) == len(calls), "what is there is fetched again"


@pytest.mark.parametrize("broken", ["libgcc-12-dev", "update"])
def test_a_package_that_cannot_be_had_is_named(stand_ins, broken):
    stand_ins.write("failures", f"{broken} 99\n")
    result = stand_ins.run("cross/fetch.sh", "packages", "armhf")
    package = "musl-dev" if broken == "update" else broken
    assert result.returncode == 1
    assert (f"error: could not fetch {package} from http://mirror.test/debian (bookworm). "
            "Check that the mirror is reachable and complete, or name another one: "
            "TINYGATEWAY_MIRROR=http://HOST/debian") in result.stdout
    assert "Mirror sync in progress?" in result.stdout
    assert not (stand_ins.cache / "cross" / "packages-bookworm-armhf").exists()
    stand_ins.write("failures", "")
    assert stand_ins.run("cross/fetch.sh", "packages", "armhf").returncode == 0


def machine(stand_ins, missing="", user="0", sudo=None):
    """A Debian machine that lacks packages, as root or not, with a sudo of that status or none."""
    stand_ins.put("dpkg-query", DPKG)
    stand_ins.put("id", f"#!/bin/sh\necho {user}\n")
    stand_ins.write("missing", missing)
    if sudo is not None:
        stand_ins.put("sudo", '#!/bin/sh\necho "$*" >>"$STAND_IN/sudo-calls"\n'
                              f'[ {sudo} = 0 ] || exit {sudo}\n[ "$1" = -n ] || exec "$@"\n')


def test_nothing_is_said_when_nothing_is_missing(stand_ins):
    machine(stand_ins, user="1000")
    result = stand_ins.run("scripts/install-packages.sh", "run", "release", "test", "bench")
    assert (result.returncode, result.stdout) == (0, "")
    assert stand_ins.lines("calls") == []


@pytest.mark.parametrize("user, sudo", [("0", None), ("1000", 0)])
def test_what_is_missing_is_installed_as_root_or_through_sudo(stand_ins, user, sudo):
    machine(stand_ins, "libsqlite3-dev libmbedtls-dev", user, sudo)
    stand_ins.write("failures", "libmbedtls-dev 1\n")
    result = stand_ins.run("scripts/install-packages.sh", "run")
    assert result.returncode == 0, result.stdout
    assert "installing: libsqlite3-dev libmbedtls-dev\n" in result.stdout
    assert "apt-get failed, attempt 1 of 4; again in 5 s" in result.stdout
    calls = [line.split("Lock::Timeout=300 ")[1] for line in stand_ins.lines("calls")]
    install = "install --no-install-recommends libsqlite3-dev libmbedtls-dev"
    assert calls == ["update", install, "update", install]
    if sudo is not None:
        assert sum(" apt-get " in line for line in stand_ins.lines("sudo-calls")) == len(calls)


def test_without_rights_the_one_command_is_printed(stand_ins):
    machine(stand_ins, "libmbedtls-dev zopfli", "1000", sudo=1)
    result = stand_ins.run("scripts/install-packages.sh", "run")
    assert result.returncode == 1
    assert result.stdout == (
        "missing packages; as root, type:\n"
        "  apt-get update && apt-get install --no-install-recommends libmbedtls-dev zopfli\n")
    assert stand_ins.lines("calls") == []


def test_packages_that_cannot_be_installed_are_named(stand_ins):
    machine(stand_ins, "zopfli")
    stand_ins.write("failures", "update 99\n")
    result = stand_ins.run("scripts/install-packages.sh", "run")
    assert result.returncode == 1
    assert "error: could not install zopfli; see above, or type:" in result.stdout
    assert len(stand_ins.lines("calls")) == 4
