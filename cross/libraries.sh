#!/bin/bash
# SPDX-License-Identifier: MIT
# Makes the sysroot of one target: musl, kernel headers, SQLite, Mbed TLS, and the SwiftPM
# toolset that uses them.
#
#   cross/libraries.sh TARGET       prints the folder, which is made when an input has changed
set -euo pipefail
. "$(dirname "$0")/common.sh"

# SQLite: one connection per thread (2), WAL kept, nothing that no query here uses. Of small blocks
# it holds 14 kB ready in place of 48: statements, which stay, are not made of them. Compiled with
# -Oz: 12 % smaller than with -Os and no slower.
SQLITE_FLAGS=(
  -DSQLITE_THREADSAFE=2 -DSQLITE_DQS=0 -DSQLITE_DEFAULT_MEMSTATUS=0 -DSQLITE_TEMP_STORE=3
  -DSQLITE_DEFAULT_CACHE_SIZE=-512 -DSQLITE_MAX_MMAP_SIZE=0 -DSQLITE_ENABLE_BATCH_ATOMIC_WRITE
  -DSQLITE_DEFAULT_LOOKASIDE=1200,12
  -DSQLITE_OMIT_LOAD_EXTENSION -DSQLITE_OMIT_DEPRECATED -DSQLITE_OMIT_SHARED_CACHE
  -DSQLITE_OMIT_PROGRESS_CALLBACK -DSQLITE_OMIT_AUTHORIZATION -DSQLITE_OMIT_TRACE
  -DSQLITE_OMIT_GET_TABLE -DSQLITE_OMIT_TCL_VARIABLE -DSQLITE_OMIT_COMPLETE
  -DSQLITE_OMIT_DESERIALIZE -DSQLITE_OMIT_JSON -DSQLITE_OMIT_UTF16 -DSQLITE_UNTESTABLE
  -DSQLITE_OMIT_DATETIME_FUNCS -DSQLITE_OMIT_COMPILEOPTION_DIAGS -DSQLITE_OMIT_DECLTYPE
  -DSQLITE_OMIT_INCRBLOB -DSQLITE_OMIT_INTROSPECTION_PRAGMAS -DSQLITE_OMIT_AUTOMATIC_INDEX
  $SQLITE_OMITTED
  -DHAVE_FDATASYNC=1 -DHAVE_USLEEP=1 -DHAVE_GMTIME_R=1 -DHAVE_LOCALTIME_R=1 -DUSE_PREAD=1
  -fno-stack-protector
)

# Of Mbed TLS: where the time goes, compiled for speed; the rest is compiled for size. It keeps
# the stack protector, since it reads what strangers send.
FAST_FILES=" aes aesce aesni bignum bignum_core chacha20 chachapoly constant_time ecp ecp_curves \
gcm poly1305 sha256 sha512 "
SKIPPED_FILES=" net_sockets "

# A name for all that decides the result: these scripts, the compiler, the fetched versions.
hash_of_inputs() {
  local packages="$1" sources="$2"
  {
    cat "$CROSS_DIR"/{common.sh,libraries.sh,malloc_cache.c,small_libc.c}
    cat "$CROSS_DIR"/{mbedtls_config.h,mbedtls_entropy.c}
    cat "$CROSS_DIR"/patches/*.patch
    echo "$SWIFT_VERSION $TOOLCHAIN $TARGET $CACHE $CROSS_DIR"
    cd "$packages" && echo *
    cd "$sources" && echo ./*.dsc
  } | sha256sum | cut -c 1-12
}

# musl and libgcc as they are; of the kernel's headers only what does not come from glibc.
make_sysroot() {
  local root="$1" packages="$2" unpacked="$1/unpacked" package
  mkdir -p "$unpacked" "$root/lib" "$root/include"
  for package in "$packages"/*.deb; do dpkg -x "$package" "$unpacked"; done
  mv "$unpacked/usr/include/$C_TARGET"/* "$root/include"
  mv "$unpacked"/usr/include/{linux,asm-generic} "$root/include"
  mv "$unpacked/usr/include/$KERNEL_ARCH/asm" "$root/include"
  mv "$unpacked/usr/lib/$C_TARGET"/*.[ao] "$root/lib"
  mv "$unpacked/usr/lib/gcc/$KERNEL_ARCH/12"/lib{gcc,gcc_eh,atomic}.a "$root/lib"
  rm -rf "$unpacked"
}

# Prints the flags every C file of this target is compiled with, one per line.
c_flags() {
  printf '%s\n' "--target=$C_TARGET" $C_FLAGS -nostdinc -isystem "$CLANG_HEADERS" \
    -isystem "$1/include" -fno-short-enums -ffunction-sections -fdata-sections \
    -fno-unwind-tables -fno-asynchronous-unwind-tables -fstack-protector-strong -fno-pic
}

# Copies of the source files that a patch of ours changes, with the change made.
make_patched() {
  local patch file
  for patch in "$CROSS_DIR"/patches/*.patch; do
    file="$(sed -n 's|^+++ b/||p' "$patch")"
    install -D -m 644 "$2/mbedtls/$file" "$1/patched/$file"
    patch --quiet --directory "$1/patched" --strip 1 <"$patch"
  done
}

# Writes a Makefile on standard output, so that all processors compile.
library_makefile() {
  local root="$1" sources="$2" file name level objects=""
  echo "CC = $TOOLCHAIN/bin/clang $(c_flags "$root" | tr '\n' ' ') -w -DNDEBUG"
  printf 'all: %s/libsqlite3.a %s/libmbedtls.a %s/malloc_cache.o %s/small_libc.o\n' \
    "$root/lib" "$root/lib" "$root/lib" "$root/lib"
  printf '%s/malloc_cache.o:\n\t$(CC) -O2 -c %s/malloc_cache.c -o $@\n' \
    "$root/lib" "$CROSS_DIR"
  printf '%s/small_libc.o:\n\t$(CC) -Oz -c %s/small_libc.c -o $@\n' "$root/lib" "$CROSS_DIR"
  for file in "$CROSS_DIR/mbedtls_entropy.c" "$sources/mbedtls/library"/*.c; do
    [ ! -f "$root/patched/library/${file##*/}" ] || file="$root/patched/library/${file##*/}"
    name="$(basename "$file" .c)"
    case "$SKIPPED_FILES" in *" $name "*) continue ;; esac
    level=-Oz
    case "$FAST_FILES" in *" $name "*) level=-O2 ;; esac
    objects="$objects $name.o"
    printf '%s.o:\n\t$(CC) %s -I%s -c %s -o $@\n' \
      "$name" "$level $CRYPTO_FLAGS" "$sources/mbedtls/library" "$file"
  done
  printf 'sqlite3.o:\n\t$(CC) -Oz %s -c %s -o $@\n' "${SQLITE_FLAGS[*]}" "$sources/sqlite3.c"
  printf '%s/libsqlite3.a: sqlite3.o\n\t%s/bin/llvm-ar rcs $@ $^\n' "$root/lib" "$TOOLCHAIN"
  printf '%s/libmbedtls.a:%s\n\t%s/bin/llvm-ar rcs $@ $^\n' "$root/lib" "$objects" "$TOOLCHAIN"
}

make_libraries() {
  local root="$1" sources="$2" work="$1/work"
  mkdir "$work"
  cp -r "$sources/mbedtls/include"/* "$sources/sqlite3.h" "$root/include"
  make_patched "$root" "$sources"
  cp "$CROSS_DIR/mbedtls_config.h" "$root/include/mbedtls/mbedtls_config.h"
  library_makefile "$root" "$sources" >"$work/Makefile"
  make -C "$work" -j "$(nproc)" >"$work/log" 2>&1 || {
    grep -m 20 -E 'error|Error' "$work/log" >&2
    die "the C libraries of $TARGET do not compile"
  }
  rm -rf "$work"
}

# Prints arguments as the inside of a JSON array.
json_list() {
  local argument separator=""
  for argument; do
    printf '%s"%s"' "$separator" "$argument"
    separator=", "
  done
}

# The SwiftPM toolset: how to compile Swift and C for this target, and how to link.
write_toolset() {
  local root="$1" flag swift_flags=() c_list linker
  mapfile -t c_list < <(c_flags "$root")
  for flag in "${c_list[@]}" -D__linux__=1 -D__unix__=1; do
    # On x86-64 Swift's own triple names Linux already, and another one for C would confuse it.
    case "$TARGET $flag" in "x86_64 --target="*) continue ;; esac
    swift_flags+=(-Xcc "$flag")
  done
  linker=(
    -static --no-pie --no-dynamic-linker --gc-sections -O2 --strip-debug -L"$root/lib"
    --wrap=malloc --wrap=calloc --wrap=free --wrap=posix_memalign
    "$root/lib/crt1.o" "$root/lib/crti.o" "$root/lib/malloc_cache.o"
    "$root/lib/small_libc.o"
    --start-group -lmbedtls -lsqlite3 $EXTRA_LIBRARIES -lc -lgcc -lgcc_eh --end-group
    "$root/lib/crtn.o"
    "$TOOLCHAIN/lib/swift/embedded/$SWIFT_TRIPLE/libswiftUnicodeDataTables.a"
  )
  cat <<END
{
  "schemaVersion": "1.0",
  "rootPath": "$TOOLCHAIN/bin",
  "swiftCompiler": { "extraCLIOptions": [$(json_list -use-ld=lld "${swift_flags[@]}")] },
  "cCompiler": { "extraCLIOptions": [$(json_list "${c_list[@]}")] },
  "linker": { "path": "$root/link", "extraCLIOptions": [$(json_list "${linker[@]}")] }
}
END
}

select_target "${1:?target}"
find_toolchain
lock_cache
packages="$("$CROSS_DIR/fetch.sh" packages "$DEBIAN_ARCH")"
sources="$("$CROSS_DIR/fetch.sh" sources)"
result="$CACHE/$TARGET-$(hash_of_inputs "$packages" "$sources")"
if [ ! -f "$result/toolset.json" ]; then
  say "compiling SQLite and Mbed TLS for $TARGET"
  rm -rf "$result"
  make_sysroot "$result" "$packages"
  make_libraries "$result" "$sources"
  printf '#!/bin/sh\nexec %s %s "$@"\n' "$CROSS_DIR/link.sh" "$TARGET" >"$result/link"
  chmod +x "$result/link"
  write_toolset "$result" >"$result/toolset.new"
  mv "$result/toolset.new" "$result/toolset.json"
fi
# A folder is touched when used, and gone after a month without use.
touch "$result"
find "$CACHE" -maxdepth 1 -name "$TARGET-????????????" -mtime +30 -exec rm -rf {} +
echo "$result"
