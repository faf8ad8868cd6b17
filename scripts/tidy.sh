#!/bin/sh
# SPDX-License-Identifier: MIT
# Style as a failing check: swift-format's lint, and the project's own rules (scripts/tidy.py).
#
#   scripts/tidy.sh
#
# Prints one line per finding, FILE:LINE: what, what to do. Formatting alone is repaired by
# `make format`.
set -eu
cd "$(dirname "$0")/.."

command -v swift >/dev/null || {
  echo "tidy: swift is not on PATH: install Swift 6.3 or later" >&2
  exit 1
}
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
swift format lint --strict --parallel --recursive --configuration .swift-format \
  Package.swift Sources Tests >"$report" 2>&1 || status=1
# tidy.py counts the columns of Sources; in tests, long literals may stay in one piece.
sed -e '/^Sources.*\[LineLength\]/d' \
  -e 's/: error: \[\(.*\)\] \(.*\)/: \2 (\1), correct it; `make format` repairs layout/' "$report"
python3 scripts/tidy.py || status=1
exit "$status"
