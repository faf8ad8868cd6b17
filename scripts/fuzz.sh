#!/bin/bash
# SPDX-License-Identifier: MIT
# Feeds made-up input to each parser under libFuzzer and AddressSanitizer.
#
#   scripts/fuzz.sh [SECONDS] [TARGET…]
#
# SECONDS for each target (60); the TARGETs (all) are Tests/Fuzz/<TARGET>Fuzz.swift.
# A driver whose line `// with: FILES` names sources of the program is compiled with them.
# Seeds are in Tests/Fuzz/corpus/<TARGET>; what is found stays in .build/fuzz/corpus and is used
# again. On a crash: prints the path of the input and ends with 1; `.build/fuzz/<TARGET>Fuzz INPUT`
# repeats it. FUZZ_JOBS targets run at once (one for each core).
set -euo pipefail
cd "$(dirname "$0")/.."

duration=${1:-60}
case $duration in
  '' | *[!0-9]*)
    echo "usage: $0 [SECONDS] [TARGET…]" >&2
    exit 2
    ;;
esac
shift || true
work=.build/fuzz
jobs=${FUZZ_JOBS:-$(nproc)}
modules=(Platform MiniJSON MiniHTTP)
c_modules=(CPlatform CRoots CMbedTLS)
swift_flags=(-swift-version 6 -O -package-name tinygateway -sanitize=fuzzer,address)
# Symbolizing hangs, leaks are looked for elsewhere, and Swift's own backtraces take seconds.
export ASAN_OPTIONS=symbolize=0:detect_leaks=0 SWIFT_BACKTRACE=enable=no

swiftc=$(command -v swiftc) || {
  echo "fuzz: no swiftc on PATH" >&2
  exit 1
}
clang=$(dirname "$(readlink -f "$swiftc")")/clang
includes=()
for module in "${c_modules[@]}"; do includes+=(-I "Sources/$module/include"); done

targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
  for driver in Tests/Fuzz/*Fuzz.swift; do targets+=("$(basename "$driver" Fuzz.swift)"); done
fi

# Whether `made` is missing or older than one of the other paths.
outdated() {
  local made=$1
  shift
  [ ! -e "$made" ] || [ -n "$(find "$@" -newer "$made" -print -quit)" ]
}

build_c_modules() {
  local module source
  for module in "${c_modules[@]}"; do
    outdated "$work/$module.a" "Sources/$module" scripts/fuzz.sh || continue
    mkdir -p "$work/$module" "$work/maps/$module"
    printf 'module %s { header "%s" export * }\n' "$module" \
      "$PWD/Sources/$module/include/$module.h" >"$work/maps/$module/module.modulemap"
    rm -f "$work/$module.a"
    for source in "Sources/$module"/*.c; do
      "$clang" -c -O1 -fsanitize=address,fuzzer-no-link -DTG_NO_ROOTS=1 -DTG_EMBEDDED=0 \
        -DTG_BUILD_TIME=1763856000 '-DTG_VERSION="fuzz"' "${includes[@]}" "$source" \
        -o "$work/$module/$(basename "$source" .c).o"
    done
    "$(dirname "$clang")/llvm-ar" rcs "$work/$module.a" "$work/$module"/*.o
  done
}

build_modules() {
  local module
  for module in "${c_modules[@]}"; do swift_flags+=(-I "$work/maps/$module"); done
  swift_flags+=(-I "$work")
  for module in "${modules[@]}"; do
    outdated "$work/$module.o" "Sources/$module" "$work"/C*.a scripts/fuzz.sh || continue
    find "Sources/$module" -name '*.swift' -print0 |
      xargs -0 "$swiftc" "${swift_flags[@]}" -wmo -enable-testing -parse-as-library \
        -module-name "$module" -emit-module -emit-module-path "$work/$module.swiftmodule" \
        -c -o "$work/$module.o"
    # What imports this module is older now.
    rm -f "$work"/*Fuzz
  done
}

build_driver() {
  local target=$1 module objects=() sources=("Tests/Fuzz/$1Fuzz.swift") more=()
  read -ra more < <(sed -n 's|^// with: ||p' "${sources[0]}") || true
  sources+=("${more[@]}")
  outdated "$work/${target}Fuzz" "${sources[@]}" || return 0
  for module in "${modules[@]}"; do objects+=("$work/$module.o"); done
  for module in CMbedTLS CRoots CPlatform; do objects+=("$work/$module.a"); done
  "$swiftc" "${swift_flags[@]}" -parse-as-library -module-name "${target}Fuzz" \
    "${sources[@]}" "${objects[@]}" -lmbedtls -lmbedx509 -lmbedcrypto \
    -o "$work/${target}Fuzz" >"$work/$target.log" 2>&1 || {
    cat "$work/$target.log" >&2
    echo "$target: does not build" >&2
    return 1
  }
}

# Runs one target; prints one line, and on a find the input's path.
run() {
  local target=$1 log="$work/$1.log" status=0 found runs
  mkdir -p "$work/corpus/$target" "$work/crashes"
  rm -f "$work/crashes/$target"-*
  local corpora=("$work/corpus/$target")
  [ ! -d "Tests/Fuzz/corpus/$target" ] || corpora+=("Tests/Fuzz/corpus/$target")
  timeout $((duration * 2 + 60)) "$work/${target}Fuzz" -max_total_time="$duration" \
    -max_len=4096 -timeout=10 -rss_limit_mb=1024 -verbosity=1 -print_final_stats=1 \
    -artifact_prefix="$work/crashes/$target-" "${corpora[@]}" >"$log" 2>&1 || status=$?
  if [ "$status" -eq 0 ]; then
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    echo "$target: ${runs:-0} runs, no crash"
    return 0
  fi
  tail -n 15 "$log" >&2
  found=$(find "$work/crashes" -name "$target-*" -print -quit)
  echo "$target: CRASH, status $status, input ${found:-unknown}, log $log" >&2
  return 1
}

mkdir -p "$work"
for target in "${targets[@]}"; do
  [ -e "Tests/Fuzz/${target}Fuzz.swift" ] || {
    echo "fuzz: no target '$target'; there are:" Tests/Fuzz/*Fuzz.swift >&2
    exit 2
  }
done
build_c_modules
build_modules

# Builds and runs each target, so many at once; fails if one of them does.
failed=0
running=0
for target in "${targets[@]}"; do
  if [ "$running" -ge "$jobs" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  (build_driver "$target" && run "$target") &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit "$failed"
