# SPDX-License-Identifier: MIT
# Read by the other scripts of this folder: the targets, the cache, the tool chain.
# shellcheck shell=bash disable=SC2034

CROSS_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
CACHE="${TINYGATEWAY_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/tinygateway}/cross"
ALL_TARGETS="x86_64 armv7 aarch64 armv6 armv5te"

# Debian releases: the C library and kernel headers, and the library sources.
SYSROOT_SUITE=bookworm
SOURCE_SUITE=trixie
SYSROOT_PACKAGES="musl-dev libgcc-12-dev linux-libc-dev"
SOURCE_PACKAGES="sqlite3 mbedtls"

# What SQLite leaves out of its grammar and code: no query here uses it. A file with auto_vacuum,
# which is never one of ours, can be read and not written.
SQLITE_OMITTED="-DSQLITE_OMIT_WINDOWFUNC -DSQLITE_OMIT_EXPLAIN -DSQLITE_OMIT_ANALYZE \
-DSQLITE_OMIT_AUTOVACUUM"

say() { printf '%s\n' "$*" >&2; }
die() {
  say "error: $*"
  exit 1
}

# Sets what is particular to a target: Debian's name of the architecture, the triple of the
# Swift module, the triple and the CPU flags for C, and what readelf must say of the result.
select_target() {
  TARGET="$1"
  EXTRA_LIBRARIES=""
  CRYPTO_FLAGS=""
  case "$TARGET" in
    x86_64)
      DEBIAN_ARCH=amd64 KERNEL_ARCH=x86_64-linux-gnu
      SWIFT_TRIPLE=x86_64-unknown-linux-gnu
      C_TARGET=x86_64-linux-musl C_FLAGS="-march=x86-64"
      # Lets Mbed TLS compile its AES-NI code, which it uses after asking the processor.
      CRYPTO_FLAGS="-maes -mpclmul"
      MACHINE="X86-64" ATTRIBUTES=""
      ;;
    armv7)
      DEBIAN_ARCH=armhf KERNEL_ARCH=arm-linux-gnueabihf
      SWIFT_TRIPLE=armv7-none-none-eabi
      C_TARGET=arm-linux-musleabihf
      C_FLAGS="-march=armv7-a -mthumb -mfpu=vfpv3-d16 -mfloat-abi=hard"
      MACHINE="ARM" ATTRIBUTES="Tag_CPU_arch: v7|Tag_ABI_VFP_args: VFP registers"
      ;;
    aarch64)
      DEBIAN_ARCH=arm64 KERNEL_ARCH=aarch64-linux-gnu
      SWIFT_TRIPLE=aarch64-none-none-elf
      C_TARGET=aarch64-linux-musl C_FLAGS="-march=armv8-a"
      MACHINE="AArch64" ATTRIBUTES=""
      ;;
    armv6)
      # Of Debian's ports only armel's C library runs there: armhf's is for ARMv7. Floating point is
      # computed by the processor and passed as armel passes it.
      DEBIAN_ARCH=armel KERNEL_ARCH=arm-linux-gnueabi
      SWIFT_TRIPLE=armv6-none-none-eabi
      C_TARGET=arm-linux-musleabi
      C_FLAGS="-mcpu=arm1176jzf-s -mfpu=vfpv2 -mfloat-abi=softfp"
      EXTRA_LIBRARIES="-latomic"
      MACHINE="ARM" ATTRIBUTES="Tag_CPU_arch: v6|Tag_FP_arch: VFPv2"
      ;;
    armv5te)
      DEBIAN_ARCH=armel KERNEL_ARCH=arm-linux-gnueabi
      SWIFT_TRIPLE=armv4t-none-none-eabi
      C_TARGET=arm-linux-musleabi C_FLAGS="-march=armv5te -mfloat-abi=soft"
      EXTRA_LIBRARIES="-latomic"
      MACHINE="ARM" ATTRIBUTES="Tag_CPU_arch: v5TE"
      ;;
    *) die "no such target: $TARGET (there are: $ALL_TARGETS)" ;;
  esac
}

# Sets TOOLCHAIN to the usr folder of the Swift tool chain on PATH, whose clang, lld and
# llvm-ar do the whole build.
find_toolchain() {
  local information
  command -v swiftc >/dev/null || die "swiftc is not on PATH: install Swift 6.3 or later"
  information="$(swiftc -print-target-info)" || die "swiftc -print-target-info failed"
  TOOLCHAIN="$(sed -n 's/.*"runtimeResourcePath": "\(.*\)\/lib\/swift".*/\1/p' <<<"$information")"
  SWIFT_VERSION="$(sed -n 's/.*"compilerVersion": "\(.*\)".*/\1/p' <<<"$information")"
  [ -x "$TOOLCHAIN/bin/clang" ] || die "no clang beside swiftc in $TOOLCHAIN/bin"
  [ -x "$TOOLCHAIN/bin/ld.lld" ] || die "no ld.lld beside swiftc in $TOOLCHAIN/bin"
  CLANG_HEADERS="$("$TOOLCHAIN/bin/clang" -print-resource-dir)/include"
}

# One process at a time works on the cache: takes the lock for the life of this shell.
lock_cache() {
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock 9
}
