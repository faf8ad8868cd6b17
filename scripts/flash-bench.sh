#!/bin/sh
# SPDX-License-Identifier: MIT
# Counts what a simulated day and an idle time write, with the settings of each board file.
#
#   scripts/flash-bench.sh [--requests N] [--rows N] [--idle SECONDS] [--write FILE] [BOARD…]
#
# TINYGATEWAY_BINARY  the gateway (dist/x86_64/tinygateway)
set -eu
cd "$(dirname "$0")/.."
export PYTHONDONTWRITEBYTECODE=1
exec python3 Tests/Bench/flash.py "$@"
