#!/bin/bash
# SPDX-License-Identifier: MIT
# Links a binary: lld, with changes between Swift's bitcode and the binary.
#
#   cross/link.sh TARGET ARGUMENT…      arguments of lld
#
# LLVM aligns each text of more than 16 bytes for 16, and says that a function whose address is
# taken must have one of its own. Swift reads texts as bytes and compares no functions: here the
# texts move together, and functions that are the same become one. C is not changed.
#
# On x86_64 the functions that TARGET.order names come first, in that order. A name that is gone is
# no error: the list is made anew from time to time (Tests/Bench/profile.sh --tool order).
#
# On armv7 sequences of instructions that occur often become functions of their own, as LLVM does by
# itself for aarch64; where that saves less than 100 bytes, the calls are not worth their time.
#
# On x86_64, compiled for speed, LLVM copies functions into their callers only when they are tiny:
# with its own bound the binary has 1.4 MB more, and a request 1 % more or fewer instructions. Nor
# do functions keep a pointer to their frame, which Swift has no flag for and nobody reads: 3 %.
#
# There the code is optimized once more with TARGET.profile, which says how often each branch was
# taken under load: a request takes 11 % fewer instructions, what never ran is made small and
# stands apart. Functions that have changed since the profile was made go without it, so it is made
# anew from time to time (Tests/Bench/profile.sh --tool training). PROFILE=generate links the
# counting binary for that.
set -euo pipefail
. "$(dirname "$0")/common.sh"

is_bitcode() { [ "$(head -c 2 "$1")" = BC ]; }

# Assembly without alignment of texts; of the addresses that matter none is a function's.
repack() {
  awk '
    $1 == ".section" { in_texts = sub(/\.rodata\.str1\.16,/, ".rodata.str1.1,") }
    in_texts && $1 == ".p2align" { next }
    $1 == ".type" && /,[%@]function/ { name = $2; sub(/,.*/, "", name); functions[name] = 1 }
    $1 == ".addrsig_sym" && $2 in functions { next }
    { print }'
}

# Assembly without frame pointers, from bitcode that the linker has optimized.
assemble() {
  local clang=("$TOOLCHAIN/bin/clang" "--target=$SWIFT_TRIPLE" -O2 -x ir -S)
  local passes=(-Xclang -disable-llvm-passes) use=("${clang[@]}" -fno-pic)
  if [ "${PROFILE:-}" = generate ]; then
    use+=(-mllvm -disable-preinline -fprofile-generate)
  else
    "$TOOLCHAIN/bin/llvm-profdata" merge "$CROSS_DIR/$TARGET.profile" -o "$1.profdata"
    # What is called often is copied into its callers whatever the bound says.
    use+=(-mllvm -disable-preinline -mllvm -inline-threshold=0 -Wno-backend-plugin
      "-fprofile-use=$1.profdata")
  fi
  "${clang[@]}" "${passes[@]}" -emit-llvm "$1" -o - |
    sed 's/"frame-pointer"="all"/"frame-pointer"="none"/' |
    "${use[@]}" -ffunction-sections -fdata-sections - -o -
  rm -f "$1.profdata"
}

select_target "$1"
shift
find_toolchain
code=()
if [ "$TARGET" = armv7 ]; then
  code=(-mllvm -enable-machine-outliner=always -mllvm -outliner-benefit-threshold=100)
elif [ "$TARGET" = x86_64 ]; then
  code=(-mllvm -inline-threshold=25)
fi
order=()
if [ -f "$CROSS_DIR/$TARGET.order" ]; then
  order=("--symbol-ordering-file=$CROSS_DIR/$TARGET.order" --no-warn-symbol-ordering)
fi
others=() previous="" output="" bitcode=0
for argument; do
  [ "$previous" != -o ] || output="$argument"
  previous="$argument"
  case "$argument" in
    *.swift.o) if is_bitcode "$argument"; then bitcode=1 && continue; fi ;;
  esac
  others+=("$argument")
done
if [ "$bitcode" = 1 ]; then
  if [ "$TARGET" = x86_64 ]; then
    "$TOOLCHAIN/bin/ld.lld" "$@" --lto-emit-llvm "${code[@]}"
    assemble "$output" >"$output.lto.s"
  else
    "$TOOLCHAIN/bin/ld.lld" "$@" --lto-emit-asm "${code[@]}"
  fi
  repack <"$output.lto.s" >"$output.s"
  # shellcheck disable=SC2086
  "$TOOLCHAIN/bin/clang" "--target=$C_TARGET" $C_FLAGS -c "$output.s" -o "$output.lto.o"
  rm -f "$output.lto.s" "$output.s"
  set -- "${others[@]}" "$output.lto.o"
  if [ "${PROFILE:-}" = generate ]; then
    set -- "$@" -u __llvm_profile_runtime \
      "$TOOLCHAIN"/lib/clang/*/lib/linux/libclang_rt.profile-x86_64.a
  fi
fi
exec "$TOOLCHAIN/bin/ld.lld" "$@" "${order[@]}"
