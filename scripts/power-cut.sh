#!/bin/sh
# SPDX-License-Identifier: MIT
# Kills the gateway under load at random points, and simulates power cuts between any two writes.
#
#   scripts/power-cut.sh [ROUNDS [SECONDS]]
#
# ROUNDS kills of the release binary dist/x86_64 (200), each after SECONDS (0) more of load, then
# the unit tests of lost writes. With 15 the flushes have found their pace: FlushPacing.
set -eu
cd "$(dirname "$0")/.."

rounds=${1:-200}
case $rounds in
  '' | 0 | *[!0-9]*)
    echo "usage: $0 [ROUNDS [SECONDS]]" >&2
    exit 2
    ;;
esac
export TINYGATEWAY_POWER_CUTS="$rounds" TINYGATEWAY_POWER_SECONDS="${2:-0}"
scripts/e2e.sh x86_64 -q -s test_power_cut.py
swift test --filter PowerCutTests
