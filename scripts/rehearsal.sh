#!/bin/sh
# SPDX-License-Identifier: MIT
# Walks the product as its users do, against the release binaries in dist/.
#
#   scripts/rehearsal.sh [clone|owner|developer|operator|bad-day …]
#   scripts/rehearsal.sh --collect-only
#
# Without any: owner, developer and operator, some two minutes. `clone` builds anew, `bad-day` lasts
# an hour. Each step leaves its output or a picture in .build/rehearsal; REPORT.md there sums up.
# A step that fails fails the run; those that do not need it are done all the same. With
# --collect-only all walks are read, and none is done.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
walks=$root/Tests/Rehearsal
results=$root/.build/rehearsal

if [ "${1:-}" = --collect-only ]; then
  results=$(mktemp -d)
  trap 'rm -rf "$results"' EXIT
  TINYGATEWAY_REHEARSAL=$results "$root/scripts/e2e.sh" x86_64 \
    -c "$walks/pytest.ini" --rootdir "$walks" --collect-only "$walks"
  exit
fi

[ $# -gt 0 ] || set -- owner developer operator
count=$#
while [ "$count" -gt 0 ]; do
  file=$walks/walk_$(echo "$1" | tr - _).py
  if [ ! -f "$file" ]; then
    echo "rehearsal: there is no walk '$1'; use clone, owner, developer, operator or bad-day" >&2
    exit 2
  fi
  shift
  set -- "$@" "$file"
  count=$((count - 1))
done

status=0
TINYGATEWAY_REHEARSAL=$results "$root/scripts/e2e.sh" x86_64 \
  -c "$walks/pytest.ini" --rootdir "$walks" "$@" || status=$?
echo "rehearsal: the steps' outputs and pictures are in $results, summed up in REPORT.md"
exit "$status"
