#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages that are missing for what is to be done.
#
#   scripts/install-packages.sh run|release|test|bench|screenshots|board|qemu …
#
# As root or through sudo; otherwise prints the command to type and fails. Silent and quick
# when nothing is missing.
set -euo pipefail

# What the Swift toolchain takes from the system: its linker and what that links with, and the
# libraries of its own programs. A package's manifest is linked too, so every build needs these.
SWIFT="binutils g++ libc6-dev libncurses6 libsqlite3-0 libxml2"
RUN="$SWIFT libsqlite3-dev libmbedtls-dev pkg-config make python3 ca-certificates zopfli"
RELEASE="$SWIFT make python3 ca-certificates zopfli tcl dpkg-dev xz-utils"
RELEASE="$RELEASE debian-archive-keyring patch"
# Packages and images of boards.
BOARD="python3 ca-certificates dpkg mtd-utils e2fsprogs xz-utils"
# Boards that are emulated.
QEMU="$BOARD qemu-system-arm kmod cpio f2fs-tools"
TEST="$RUN $RELEASE $BOARD qemu-user-static python3-venv openssl curl tzdata"
TEST="$TEST chromium-headless-shell fonts-droid-fallback"
SCREENSHOTS="pngquant zopfli"
BENCH="$RELEASE gcc openssl strace"
ATTEMPTS=4

wanted=()
for purpose; do
  case "$purpose" in
    run) wanted+=($RUN) ;;
    release) wanted+=($RELEASE) ;;
    test) wanted+=($TEST) ;;
    bench) wanted+=($BENCH) ;;
    screenshots) wanted+=($SCREENSHOTS) ;;
    board) wanted+=($BOARD) ;;
    qemu) wanted+=($QEMU) ;;
    *)
      echo "usage: $0 run|release|test|bench|screenshots|board|qemu …" >&2
      exit 2
      ;;
  esac
done
[ "${#wanted[@]}" -gt 0 ] || exit 0

if ! command -v dpkg-query >/dev/null; then
  echo "note: this is not Debian; what is needed is called there: ${wanted[*]}" >&2
  exit 0
fi
format='${db:Status-Status}:${Package} '
installed=" $(dpkg-query -W -f "$format" "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
  case "$installed ${missing[*]:-}" in
    *" installed:$package "* | *" $package"*) ;;
    *) missing+=("$package") ;;
  esac
done
[ "${#missing[@]}" -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=(sudo)
  else
    echo "missing packages; as root, type:" >&2
    echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
fi

# Runs apt-get, waiting for another one that holds the lock; shows its output if it fails.
apt() {
  local log status=0
  log="$(mktemp)"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 || status=$?
  [ "$status" -eq 0 ] || tail -n 15 "$log" >&2
  rm -f "$log"
  return "$status"
}

echo "installing: ${missing[*]}" >&2
for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
  if apt update && apt install --no-install-recommends "${missing[@]}"; then exit 0; fi
  if ((attempt < ATTEMPTS)); then
    echo "apt-get failed, attempt $attempt of $ATTEMPTS; again in $((attempt * 5)) s" >&2
    sleep $((attempt * 5))
  fi
done
echo "error: could not install ${missing[*]}; see above, or type:" >&2
echo "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
exit 1
