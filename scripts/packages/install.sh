#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs TinyGateway for @NAME@ from the folder that this script lies in, on the board itself.
#
#   install.sh [install|rollback]
#
# What is there already stays as /usr/bin/tinygateway.old, with which `rollback` goes back. Settings
# are never replaced: a board.yaml that differs is put beside the old one as board.yaml.new.
# ROOT=FOLDER installs below a folder, for tests and images; nothing is started then.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=${ROOT:-}
program=$root/usr/bin/tinygateway
settings=$root/etc/tinygateway/board.yaml

say() { echo "install: $*"; }

fail() {
  echo "install: $*" >&2
  exit 1
}

# Starts, stops, enables: whatever init there is.
service() {
  [ -z "$root" ] || return 0
  if [ -d /run/systemd/system ]; then
    case $1 in
      enable) systemctl daemon-reload && systemctl enable --quiet tinygateway ;;
      *) systemctl "$1" tinygateway ;;
    esac
  elif [ -x /etc/init.d/tinygateway ]; then
    /etc/init.d/tinygateway "$1"
  elif [ -x /etc/init.d/S90tinygateway ]; then
    [ "$1" = enable ] || /etc/init.d/S90tinygateway "$1"
  fi
}

# Where the init script of this folder belongs.
init_path() {
  [ -f "$here/init" ] || return 0
  case $(head -n 1 "$here/init") in
    *rc.common*) echo "$root/etc/init.d/tinygateway" ;;
    *sh*) echo "$root/etc/init.d/S90tinygateway" ;;
    *) echo "$root/etc/systemd/system/tinygateway.service" ;;
  esac
}

# put FILE PATH MODE: by a new name first, so that a power cut leaves the old or the new file.
put() {
  mkdir -p "$(dirname "$2")"
  cp "$1" "$2.new"
  chmod "$3" "$2.new"
  [ -n "$root" ] || sync
  mv "$2.new" "$2"
}

install() {
  (cd "$here" && sha256sum -c SHA256SUMS >/dev/null) ||
    fail "files are missing or damaged: copy them again"
  # The right processor, and a kernel that will do.
  "$here/tinygateway" --version >/dev/null 2>&1 ||
    fail "this binary does not run here: wrong board?"
  if [ -f "$program" ]; then
    service stop || true
    cp "$program" "$program.old"
  fi
  put "$here/tinygateway" "$program" 755
  if [ ! -f "$settings" ]; then
    put "$here/board.yaml" "$settings" 644
  elif ! cmp -s "$here/board.yaml" "$settings"; then
    put "$here/board.yaml" "$settings.new" 644
    say "kept $settings; the new one is $settings.new"
  fi
  target=$(init_path)
  if [ -n "$target" ]; then
    mode=755
    case $target in *.service) mode=644 ;; esac
    put "$here/init" "$target" $mode
  fi
  if [ -d "$root/lib/upgrade" ]; then
    put "$here/keep.list" "$root/lib/upgrade/keep.d/tinygateway" 644
  fi
  cmp -s "$here/tinygateway" "$program" ||
    fail "$program is not what was copied: is the disk full?"
  "$program" check-config --board "$settings" >/dev/null || {
    [ ! -f "$program.old" ] || mv "$program.old" "$program"
    service start || true
    fail "the settings do not fit this version, see check-config; the old version is back"
  }
  service enable || true
  service start || fail "it does not start; look at the log, and at tinygateway doctor"
  say "installed $("$program" --version | head -n 1)"
}

rollback() {
  [ -f "$program.old" ] || fail "there is no older version"
  service stop || true
  mv "$program" "$program.new"
  mv "$program.old" "$program"
  mv "$program.new" "$program.old"
  service start || fail "the old version does not start either"
  say "back to $("$program" --version | head -n 1)"
}

case ${1:-install} in
  install) install ;;
  rollback) rollback ;;
  *) fail "usage: install.sh [install|rollback]" ;;
esac
