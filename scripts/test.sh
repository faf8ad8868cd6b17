#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs every test: style, unit tests, fuzz targets, the release binaries, end-to-end tests.
#
#   scripts/test.sh
#
# One headline per stage, with its result and its time; the first stage that fails ends the run,
# but the end-to-end stages all come to their end. Then what failed is shown, and a line for each
# failing test. The last line is `N passed, N failed`: tests of stages that count their own, and
# one for every other stage. Outputs stay in .build/test.
#
# TINYGATEWAY_FUZZ_SECONDS  how long each fuzz target runs (3)
set -uo pipefail
cd "$(dirname "$0")/.."

logs=.build/test
fuzz_seconds=${TINYGATEWAY_FUZZ_SECONDS:-3}
passed=0
failed=0
failures=()
declare -A background=()
# So wide are pytest's closing lines, which name the test first: in 80 columns the reason is lost.
export COLUMNS=200
mkdir -p "$logs"

# Adds up what `swift test`, pytest and the fuzz targets say about themselves in a log; sets
# counted_passed and counted_failed, both 0 where nothing counts.
count_tests() {
  read -r counted_passed counted_failed < <(awk '
    /Test run with [0-9]+ tests?/ {
      match($0, /with [0-9]+ test/)
      total += substr($0, RSTART + 5, RLENGTH - 10)
    }
    /^✘ Test .* failed after/ && !/Test run with/ { broken++ }
    /^✘ Test run with/ { swift_failed = 1 }
    /: [0-9]+ runs, no crash$/ { good++ }
    /: CRASH, status/ { bad++ }
    /^(=+ )?[0-9]+ [a-z]+(, [0-9]+ [a-z]+)* in [0-9.]+s/ {
      count = split($0, parts, /[ ,=]+/)
      for (i = 1; i < count; i++) {
        if (parts[i + 1] == "passed") good += parts[i]
        if (parts[i + 1] ~ /^(failed|errors?)$/) bad += parts[i]
      }
    }
    END {
      if (swift_failed && !broken) broken = 1
      print good + total - broken + 0, bad + broken + 0
    }' "$1")
}

# Prints what is wrong in a log, at most a dozen lines for each failing test, and appends what is
# to be read last, a line for each failing test, to a file.
#
#   explain LOG FILE
#
# Left out are the page as Playwright describes it, and what a test printed: the log has them.
explain() {
  awk -v closing="$2" '
    function keep(test, line) {
      if (seen[test, line]++ || kept[test]++ >= (test == "" ? 40 : 12) || total++ >= 120) return
      print "  | " substr(line, 1, 300)
    }
    function close_with(line) { if (++closed <= 40) print "  " substr(line, 1, 300) >>closing }
    !printed && /^(FAILED|ERROR) / { close_with($0); next }
    /^___+ .* ___+$/ { test = $0; gsub(/^_+ | _+$/, "", test); heading = $0; printed = 0; next }
    /^=+ / { test = ""; printed = 0 }
    /^-+ Captured .* -+$/ { printed = 1 }
    printed || /^E +- |^E *$/ { next }
    /^✘ Test .* recorded an issue at / {
      name = $0
      sub(/ recorded an issue at .*/, "", name)
      if (!issues[name]++) close_with($0); else keep(name, $0)
      next
    }
    /^✘|^[^ ]+:[0-9]+:|error: |^E |: CRASH/ && !/`- error/ {
      if (/^[^ ]+:[0-9]+:/ && test != "" && frames[test]++ >= 5) next
      if (test != "" && !headed[test]++) keep(test, test)
      keep(test, $0)
    }
    END { exit total == 0 && closed == 0 }' "$1" || tail -n 40 "$1" | sed 's/^/  | /'
}

# Prints the closing lines and ends: what went wrong in detail, then a line for each failing test.
finish() {
  local name log pid
  for pid in "${background[@]}"; do kill -- "-$pid" 2>/dev/null; done
  : >"$logs/closing"
  for name in "${failures[@]}"; do
    log=$(log_of "$name")
    echo "test: the stage '$name' failed; its whole output is in $log" >>"$logs/closing"
    echo "-- what failed in: $name"
    explain "$log" "$logs/closing"
  done
  cat "$logs/closing"
  echo "total time: $SECONDS s"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ]
  exit
}

# Tells how a stage went and adds up.
conclude() {
  local name=$1 log=$2 status=$3 seconds=$4
  count_tests "$log"
  if [ "$status" -ne 0 ]; then
    [ "$counted_failed" -gt 0 ] || counted_failed=1
  elif [ "$((counted_passed + counted_failed))" -eq 0 ]; then
    counted_passed=1
  fi
  passed=$((passed + counted_passed))
  failed=$((failed + counted_failed))
  printf '== %-28s %s, %d passed, %d failed, %d s\n' "$name" \
    "$([ "$status" -eq 0 ] && echo ok || echo FAILED)" \
    "$counted_passed" "$counted_failed" "$seconds"
  [ "$status" -eq 0 ] || failures+=("$name")
}

# Ends the run when a stage has failed.
stop_if_failed() { [ "${#failures[@]}" -eq 0 ] || finish; }

log_of() { echo "$logs/${1// /-}.log"; }

# stage NAME COMMAND…: runs the command now; its failure ends the run.
stage() {
  local name=$1 log begun=$SECONDS status=0
  log=$(log_of "$name")
  shift
  echo "-- $name"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  conclude "$name" "$log" "$status" "$((SECONDS - begun))"
  stop_if_failed
}

# begin NAME COMMAND…: starts the command beside the stages that follow; join NAME waits for it.
begin() {
  local name=$1 log
  log=$(log_of "$name")
  shift
  set -m
  (
    begun=$SECONDS
    status=0
    "$@" || status=$?
    echo "$((SECONDS - begun))" >"$log.seconds"
    exit "$status"
  ) >"$log" 2>&1 </dev/null &
  background[$name]=$!
  set +m
}

join() {
  local name=$1 log status=0
  log=$(log_of "$name")
  echo "-- $name"
  wait "${background[$name]}" || status=$?
  unset "background[$name]"
  conclude "$name" "$log" "$status" "$(cat "$log.seconds" 2>/dev/null || echo 0)"
}

compile_libraries() {
  local target
  for target in x86_64 armv7 aarch64 armv5te; do cross/libraries.sh "$target" || return; done
}

test_boards() {
  local target status=0
  for target in armv7 aarch64 armv5te; do scripts/e2e.sh "$target" || status=1; done
  return "$status"
}

trap 'failed=$((failed + 1)); echo "test: interrupted"; finish' INT TERM

stage "packages" scripts/install-packages.sh test release
# Mostly waiting for the network and for one compiler at a time, so it runs beside the rest.
begin "C libraries" compile_libraries
stage "roots" scripts/roots.sh
stage "documents" scripts/documents.sh
stage "tidy" scripts/tidy.sh
stage "unit tests build" swift build --build-tests
# The unit tests wait for half of their time.
begin "fuzz" scripts/fuzz.sh "$fuzz_seconds"
stage "unit tests" swift test --skip-build
join "fuzz"
join "C libraries"
stop_if_failed
# A whole module is compiled on one core, so two targets share two of them.
begin "release x86_64 armv7" scripts/release.sh x86_64 armv7
begin "release aarch64 armv5te" scripts/release.sh aarch64 armv5te
join "release x86_64 armv7"
join "release aarch64 armv5te"
stop_if_failed
# What measures time and memory runs alone; the rest mostly waits, so it runs side by side.
begin "end to end figures" scripts/e2e.sh x86_64 -m "native and not web and not soak"
join "end to end figures"
begin "bad day" scripts/e2e.sh x86_64 test_bad_day.py
begin "end to end x86_64" scripts/e2e.sh x86_64 -m "not native and not tools and not web"
begin "end to end tools" scripts/e2e.sh x86_64 -m tools
begin "end to end pages" scripts/e2e.sh x86_64 -m web
begin "end to end boards" test_boards
begin "rehearsal is readable" scripts/rehearsal.sh --collect-only
join "end to end x86_64"
join "end to end tools"
join "end to end pages"
join "end to end boards"
join "bad day"
join "rehearsal is readable"
finish
