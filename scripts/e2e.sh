#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs the end-to-end tests against one release binary: everything on x86_64, the short round for
# the other targets under qemu-user-static.
#
#   scripts/e2e.sh [x86_64|armv7|aarch64|armv6|armv5te] [pytest arguments]
#
# TINYGATEWAY_BINARY names another binary, TINYGATEWAY_EMULATOR another emulator, and
# TINYGATEWAY_CACHE the folder that keeps the Python packages between runs.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
tests=$root/Tests/EndToEnd
cache=${TINYGATEWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tinygateway}

fail() {
  echo "e2e: $*" >&2
  exit 1
}

# Sets `emulator` for a target, and `round` to the tests that it runs.
choose_target() {
  emulator=
  round=
  case $1 in
    x86_64) return ;;
    armv7) emulator='qemu-arm-static -cpu cortex-a7' ;;
    aarch64) emulator='qemu-aarch64-static' ;;
    armv6) emulator='qemu-arm-static -cpu arm1176' ;;
    armv5te) emulator='qemu-arm-static -cpu arm926' ;;
    *) fail "unknown target '$1'; use x86_64, armv7, aarch64, armv6 or armv5te" ;;
  esac
  round='-m short'
  [ "$(uname -m)" != "$1" ] || emulator=
}

find_python() {
  for candidate in python3 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  fail 'Python 3.11 or later is missing; install it: apt-get install python3 python3-venv'
}

# Makes a virtual environment once per set of requirements, in `venv`; a half-made one is never
# used.
#
#   make_environment FILE PROGRAM [PIP OPTION]
#
# PROGRAM is what it must bring.
make_environment() {
  requirements=$tests/$1 program=$2
  shift 2
  python=$(find_python)
  hash=$({ cat "$requirements"; "$python" -V; } | sha256sum | cut -c 1-16)
  venv=$cache/venv-$hash
  [ ! -x "$venv/bin/$program" ] || return 0
  mkdir -p "$cache"
  rm -rf "$venv" "$venv.log"
  "$python" -m venv "$venv" >"$venv.log" 2>&1 || {
    cat "$venv.log" >&2
    rm -rf "$venv"
    fail 'cannot make a virtual environment; install it: apt-get install python3-venv'
  }
  for pause in 2 10 30 0; do
    if "$venv/bin/python" -m pip install --disable-pip-version-check --only-binary :all: \
      "$@" -r "$requirements" >"$venv.log" 2>&1 && [ -x "$venv/bin/$program" ]; then
      rm -f "$venv.log"
      return 0
    fi
    echo 'e2e: pip failed, trying again' >&2
    sleep "$pause"
  done
  tail -n 20 "$venv.log" >&2
  rm -rf "$venv"
  fail "cannot install the Python packages of $requirements from PyPI (see above)"
}

target=x86_64
case ${1:-} in
  '' | -* | *.py* | */*) ;;
  *)
    target=$1
    shift
    ;;
esac
choose_target "$target"
emulator=${TINYGATEWAY_EMULATOR-$emulator}
binary=${TINYGATEWAY_BINARY:-$root/dist/$target/tinygateway}
case $binary in
  /*) ;;
  *) binary=$PWD/$binary ;;
esac
[ -x "$binary" ] || fail "there is no binary $binary; run 'make release' first"
if [ -n "$emulator" ] && ! command -v "${emulator%% *}" >/dev/null; then
  fail "${emulator%% *} is missing; install it: apt-get install qemu-user-static"
fi
if [ -z "$round" ]; then
  make_environment requirements-litellm.txt litellm --no-deps
  export TINYGATEWAY_LITELLM="$venv"
fi
make_environment requirements.txt pytest

cd "$tests"
export TINYGATEWAY_BINARY="$binary" TINYGATEWAY_EMULATOR="$emulator" PYTHONDONTWRITEBYTECODE=1
# shellcheck disable=SC2086 # the round is two words or none
exec "$venv/bin/python" -m pytest $round "$@"
