#!/bin/sh
# SPDX-License-Identifier: MIT
# Where the gateway's processor time goes under load of the mock upstream; see --help.
exec "$(dirname "$0")/../../scripts/bench.sh" profile "$@"
