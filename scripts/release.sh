#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds the static release binaries dist/TARGET/tinygateway with Embedded Swift and musl.
#
#   scripts/release.sh [x86_64 armv7 aarch64 armv6 armv5te]     all five when none is named
#
# OPT sets the Swift optimization; without it -O for x86_64 (a fifth fewer instructions per
# request, 10 % more bytes) and -Osize for the boards. PROFILE=generate makes a binary that counts
# for cross/TARGET.profile and leaves dist/ alone (cross/link.sh). What .build/TARGET keeps:
# release/TinyGateway, the same binary with its symbols (without DWARF, which Valgrind 3.19 dies
# of), and tinygateway.map, the linker's map, for scripts/size.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/common.sh

# Fails unless the binary is what the boards need: right processor, static, not writable code.
check_binary() {
  local binary="$1" facts attribute
  facts="$(readelf --file-header --program-headers --dynamic --arch-specific --wide "$binary")"
  grep -q "Machine:.*$MACHINE" <<<"$facts" || die "$binary is not for $MACHINE"
  if grep -q INTERP <<<"$facts"; then die "$binary wants a dynamic linker"; fi
  if grep -q '(NEEDED)' <<<"$facts"; then die "$binary wants shared libraries"; fi
  if grep -q 'LOAD.* RWE ' <<<"$facts"; then die "$binary has writable code"; fi
  while read -r attribute; do
    [ -z "$attribute" ] || grep -q "$attribute\$" <<<"$facts" || die "$binary lacks $attribute"
  done < <(tr '|' '\n' <<<"$ATTRIBUTES")
  if [[ "$TARGET" = armv[56]* ]] && grep -q 'VFP registers' <<<"$facts"; then
    die "$binary passes floats in registers, as no C library of these processors does"
  fi
}

# Embedded Swift 6.3 takes one literal array of a function for another when it compiles a function
# of one module into another one: no such function may have two.
check_literals() {
  local module object found
  for object in "$1"/*.build/*.o; do
    module="${object%.build/*}" module="${module##*/}"
    found="$("$TOOLCHAIN/bin/llvm-nm" --defined-only "$object" 2>/dev/null |
      awk -v own="\$e${#module}$module" \
        '$3 ~ /^\$e[0-9].*Tv[0-9]+_r$/ && index($3, own) != 1 { print $3; exit }')"
    [ -z "$found" ] || die "two literal arrays in one function may be mixed up: $found"
  done
}

build_target() {
  local libraries linked scratch=".build/$1" result="dist/$1" optimization="${OPT:--Osize}"
  [ "$1" != x86_64 ] || optimization="${OPT:--O}"
  libraries="$(cross/libraries.sh "$1")"
  mkdir -p "$scratch" "$result"
  # Of what the link reads besides the objects SwiftPM knows nothing.
  # shellcheck disable=SC2046
  linked="${PROFILE:-} $(cat cross/link.sh $(compgen -G "cross/$1.*") | sha256sum)"
  if [ "$linked" != "$(cat "$scratch/linked" 2>/dev/null)" ]; then
    rm -f "$scratch/release/TinyGateway"
  fi
  rm -f "$scratch/linked" # Written when the link is done.
  EMBEDDED=1 OPT="$optimization" swift build --configuration release --product TinyGateway \
    -debug-info-format none --triple "$SWIFT_TRIPLE" --toolset "$libraries/toolset.json" \
    --scratch-path "$scratch" \
    -Xlinker --icf=safe -Xlinker -mllvm -Xlinker -enable-merge-functions \
    -Xlinker "-Map=$PWD/$scratch/tinygateway.map" 2>&1 |
    { grep -v "libc not found for 'x86_64" || true; } >&2 # It is found: behind -isystem.
  printf '%s\n' "$linked" >"$scratch/linked"
  check_literals "$scratch/release"
  [ -z "${PROFILE:-}" ] || return 0
  "$TOOLCHAIN/bin/llvm-objcopy" --strip-all "$scratch/release/TinyGateway" \
    "$result/tinygateway.new"
  check_binary "$result/tinygateway.new"
  mv "$result/tinygateway.new" "$result/tinygateway"
  printf '%-8s %8d bytes  dist/%s/tinygateway\n' "$1" "$(stat -c %s "$result/tinygateway")" "$1"
}

find_toolchain
scripts/documents.sh
[ $# -gt 0 ] || set -- $ALL_TARGETS
for target; do select_target "$target"; done
case "${PROFILE:-none} $*" in
  "none "* | "generate x86_64") ;;
  *) die "PROFILE knows generate only, and for x86_64 alone" ;;
esac
for target; do
  select_target "$target"
  build_target "$target"
done
