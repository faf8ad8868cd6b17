#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the built-in table of certificate authorities when it is missing or older than what it
# is made from: scripts/make-roots.py and Debian's ca-certificates.
#
#   scripts/roots.sh
#
# TINYGATEWAY_ROOTS names another PEM bundle, or a folder of *.crt files. Silent and quick when
# nothing is to be done.
set -eu
cd "$(dirname "$0")/.."

table=Sources/CRoots/roots.generated.inc
source=${TINYGATEWAY_ROOTS:-/usr/share/ca-certificates/mozilla}

if [ ! -e "$source" ] && [ -z "${TINYGATEWAY_ROOTS:-}" ]; then
  scripts/install-packages.sh run
fi
[ -e "$source" ] || {
  echo "roots: there is no $source; install ca-certificates, or name a PEM bundle in" \
    "TINYGATEWAY_ROOTS" >&2
  exit 1
}

# A package's files keep the time at which they were packed, so the package's list counts too.
is_outdated() {
  [ -e "$table" ] || return 0
  list=/var/lib/dpkg/info/ca-certificates.list
  [ -e "$list" ] || list=$source
  [ -n "$(find scripts/make-roots.py "$source" "$list" -newer "$table" -print -quit)" ]
}

if is_outdated; then
  before=$(cksum 2>/dev/null <"$table" || true)
  python3 scripts/make-roots.py "$source" "$table"
  # SwiftPM does not see that an included file has changed.
  [ "$before" = "$(cksum <"$table")" ] || touch Sources/CRoots/CRoots.c
fi
