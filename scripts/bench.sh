#!/bin/sh
# SPDX-License-Identifier: MIT
# The gateway beside nginx on this machine: throughput, latency, processor time, memory, writes.
#
#   scripts/bench.sh [--quick] [--write docs/performance.md]   all options: --help
#   scripts/bench.sh profile --help                            where the processor time goes
#   scripts/bench.sh litellm --help                            LiteLLM's proxy in nginx's place
#
# TINYGATEWAY_BINARY  the gateway (dist/x86_64/tinygateway)
# NGINX               nginx; without it the one on PATH, else Debian's package is unpacked, not
#                     installed, below the work directory, so that no service is started
# BENCH_CPUS=0,1      cores of load and of gateway; BENCH_NICE=-10 precedence over other work (root)
set -eu
cd "$(dirname "$0")/.."
work=.build/bench

fail() {
  echo "bench: $1" >&2
  exit 1
}

unpack_nginx() {
  command -v apt-get >/dev/null || fail "no nginx: install it, or set NGINX"
  mkdir -p "$work/package"
  (
    cd "$work/package"
    rm -f nginx_*.deb
    apt-get -qq download nginx >log 2>&1 ||
      { [ "$(id -u)" = 0 ] && apt-get -qq update >>log 2>&1 &&
        apt-get -qq download nginx >>log 2>&1; }
  ) || fail "nginx is missing: apt-get install -y nginx"
  dpkg-deb -x "$work"/package/nginx_*.deb "$work/package"
}

find_nginx() {
  for candidate in "${NGINX:-}" nginx /usr/sbin/nginx "$work/package/usr/sbin/nginx"; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null && return
  done
  unpack_nginx
  candidate=$work/package/usr/sbin/nginx
  "$candidate" -v 2>/dev/null || fail "nginx does not run here: apt-get install -y nginx"
}

# The environment that scripts/e2e.sh makes for its tests.
find_litellm() {
  [ -z "${TINYGATEWAY_LITELLM:-}" ] || return 0
  cache=${TINYGATEWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tinygateway}
  for candidate in "$cache"/venv-*/bin/litellm; do
    [ -x "$candidate" ] && TINYGATEWAY_LITELLM=${candidate%/bin/litellm}
  done
  [ -n "${TINYGATEWAY_LITELLM:-}" ] || fail "no LiteLLM: 'make e2e' installs it for its tests"
  export TINYGATEWAY_LITELLM
}

command -v python3 >/dev/null || fail "no python3: apt-get install -y python3"
find_nginx
NGINX=$(command -v "$candidate")
case $NGINX in /*) ;; *) NGINX=$PWD/$NGINX ;; esac
export NGINX PYTHONDONTWRITEBYTECODE=1
program=bench.py
if [ "${1:-}" = profile ]; then
  shift
  program=profile.py
elif [ "${1:-}" = litellm ]; then
  shift
  program=litellm.py
  find_litellm
fi
exec python3 "Tests/Bench/$program" "$@"
