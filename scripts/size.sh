#!/bin/bash
# SPDX-License-Identifier: MIT
# Prints how many bytes each release binary has, and which module or library they come from.
#
#   scripts/size.sh [TARGET …]      reads the maps that scripts/release.sh leaves in .build
set -euo pipefail
cd "$(dirname "$0")/.."
. cross/common.sh

# Adds up the input sections of lld's map (address, load address, size, alignment, name; output
# sections start right behind the alignment, input sections eight columns later) by the module
# or library they come from. Swift's for the boards come out of the linker's own compiler
# (*.lto.o): the first name in a section's mangled one is the module, or the standard library
# ($eS), whose generic functions are compiled for our types.
breakdown() {
  awk '
    !match($0, /^ *[0-9a-f]+ +[0-9a-f]+ +[0-9a-f]+ +[0-9]+ /) { next }
    { rest = substr($0, RLENGTH + 1) }
    rest ~ /^[^ ]/ { section = $5; next }
    section ~ /^\.(comment|symtab|strtab|shstrtab|debug|ARM.attributes|note)/ { next }
    rest ~ /^        [^ ]/ {
      name = origin($5)
      bytes = from_hex($3)
      if (section ~ /^\.t?bss/) zero[name] += bytes
      else if (section ~ /^\.text/) code[name] += bytes
      else other[name] += bytes
      all[name] = 1
    }
    function origin(file,   parts, i) {
      if (file ~ /^<internal>/) return "(merged by the linker)"
      if (file ~ /\.lto\.o:/) {
        if (!(i = index(file, "$e"))) return "(other Swift)"
        file = substr(file, i + 2)
        if (!match(file, /^[0-9]+/)) return "(generic Swift)"
        return substr(file, RLENGTH + 1, substr(file, 1, RLENGTH))
      }
      sub(/:\(.*/, "", file)
      if (sub(/\.a\(.*/, "", file)) { sub(/.*\/(lib)?/, "", file); return file }
      for (i = split(file, parts, "/"); i > 0; i--)
        if (sub(/\.build$/, "", parts[i]) && parts[i] != "") return parts[i]
      sub(/.*\//, "", file)
      return file
    }
    function from_hex(text,   value, i) {
      value = 0
      for (i = 1; i <= length(text); i++)
        value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
      return value
    }
    END {
      for (name in all)
        printf "%9d %9d %9d %9d  %s\n", code[name] + other[name], code[name], other[name],
          zero[name], name
    }' "$1" | sort -rn | awk '
    BEGIN { printf "  %9s %9s %9s %9s  %s\n", "file", "code", "data", "zeroed", "from" }
    $1 + $4 > 0 { print "  " $0 }'
}

[ $# -gt 0 ] || set -- $ALL_TARGETS
for target; do
  binary="dist/$target/tinygateway"
  map=".build/$target/tinygateway.map"
  if [ ! -f "$binary" ]; then
    echo "$target: not built (make release)"
    continue
  fi
  printf '%s: %d bytes, %d as xz\n' "$target" "$(stat -c %s "$binary")" \
    "$(xz -9 --stdout "$binary" | wc -c)"
  [ ! -f "$map" ] || breakdown "$map"
done
