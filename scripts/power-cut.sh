#!/bin/sh
# SPDX-License-Identifier: MIT
# Kills the gateway under load at random points, and simulates power cuts between any two writes.
#
#   scripts/power-cut.sh [ROUNDS]
#
# ROUNDS kills of the release binary dist/x86_64 (200), then the unit tests of lost writes.
set -eu
cd "$(dirname "$0")/.."

rounds=${1:-200}
case $rounds in
  '' | 0 | *[!0-9]*)
    echo "usage: $0 [ROUNDS]" >&2
    exit 2
    ;;
esac
TINYGATEWAY_POWER_CUTS=$rounds scripts/e2e.sh x86_64 -q -s test_power_cut.py
swift test --filter PowerCutTests
