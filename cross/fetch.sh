#!/bin/bash
# SPDX-License-Identifier: MIT
# Fetches Debian packages without touching the package state of this machine.
#
#   cross/fetch.sh packages ARCH    .deb files of the sysroot of one Debian architecture
#   cross/fetch.sh kernel           Linux for ARMv7 boards with its modules, and BusyBox, unpacked
#   cross/fetch.sh sources          SQLite's amalgamation and Mbed TLS, with Debian's patches
#
# Prints the folder; what is there is not fetched again. apt checks every signature. The mirror
# is the one this machine uses, or TINYGATEWAY_MIRROR.
set -euo pipefail
. "$(dirname "$0")/common.sh"

KEYRING="${TINYGATEWAY_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}"
ATTEMPTS=6

# The first entry of the machine's apt configuration that is Debian's main archive: its suite
# is a release by itself (not bookworm-security, not a third party's name).
find_mirror() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
    'Created-By: Packages' 2>/dev/null | awk '
      $2 ~ /^(bookworm|trixie|forky|sid|oldstable|stable|testing|unstable)$/ && $3 == "main" {
        print $1
        exit
      }'
}

# Writes an apt configuration with a state folder of its own; sets APT.
make_apt_root() {
  local root="$1" line="$2" architecture="$3"
  mkdir -p "$root/lists/partial" "$root/cache/archives/partial" "$root/preferences.d"
  printf '%s\n' "$line" >"$root/sources.list"
  cat >"$root/apt.conf" <<END
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::State::Lists "$root/lists";
Dir::State::status "/dev/null";
Dir::Cache "$root/cache";
Dir::Etc::SourceList "$root/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "$root/preferences.d";
END
  APT=(apt-get -q -q -c "$root/apt.conf")
  LISTS_ARE_NEW=0
}

# Runs an apt-get command in the current folder, with `apt-get update` before it when the
# lists are new or the last attempt failed: mirrors are inconsistent for minutes at a time.
fetch() {
  local attempt pause=2 log
  log="$(mktemp)"
  for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
    if { [ "$LISTS_ARE_NEW" = 1 ] || "${APT[@]}" update >"$log" 2>&1; } &&
      "${APT[@]}" "$@" >"$log" 2>&1; then
      LISTS_ARE_NEW=1
      rm -f "$log"
      return
    fi
    LISTS_ARE_NEW=0
    sed 's/^/  apt: /' "$log" >&2
    if ((attempt < ATTEMPTS)); then
      say "attempt $attempt of $ATTEMPTS failed: $MIRROR; again in $pause s"
      sleep "$pause"
      pause=$((pause * 2))
    fi
  done
  rm -f "$log"
  die "could not fetch ${*: -1} from $MIRROR ($SUITE). Check that the mirror is reachable" \
    "and complete, or name another one: TINYGATEWAY_MIRROR=http://HOST/debian"
}

fetch_packages() {
  local architecture="$1" result package
  SUITE="$SYSROOT_SUITE"
  result="$CACHE/packages-$SUITE-$architecture"
  if [ ! -d "$result" ]; then
    say "fetching the $architecture sysroot: $SYSROOT_PACKAGES"
    make_apt_root "$CACHE/apt-$SUITE-$architecture" \
      "deb [signed-by=$KEYRING] $MIRROR $SUITE main" "$architecture"
    rm -rf "$result.new"
    mkdir "$result.new"
    cd "$result.new"
    for package in $SYSROOT_PACKAGES; do fetch download "$package"; done
    mv "$result.new" "$result"
  fi
  echo "$result"
}

# Debian's kernel for armhf boards, to emulate one.
fetch_kernel() {
  local result name
  SUITE="$SYSROOT_SUITE"
  result="$CACHE/kernel-$SUITE-armhf"
  if [ ! -d "$result" ]; then
    say "fetching Debian's kernel for ARMv7"
    make_apt_root "$CACHE/apt-$SUITE-armhf" \
      "deb [signed-by=$KEYRING] $MIRROR $SUITE main" armhf
    rm -rf "$result.new"
    mkdir "$result.new"
    cd "$result.new"
    fetch download busybox-static
    name="$(apt-cache -c "$CACHE/apt-$SUITE-armhf/apt.conf" depends linux-image-armmp |
      sed -n 's/^ *Depends: \(linux-image-[0-9].*\)$/\1/p' | head -n 1)"
    [ -n "$name" ] || die "linux-image-armmp of $SUITE names no kernel"
    fetch download "$name"
    for package in *.deb; do dpkg-deb -x "$package" .; done
    rm -f ./*.deb
    mv "$result.new" "$result"
  fi
  echo "$result"
}

# Makes sqlite3.c and sqlite3.h out of SQLite's source tree, with the tools of this machine.
make_amalgamation() {
  local tree="$1" log="$1/amalgamation.log"
  (
    mkdir "$tree/made"
    cd "$tree/made"
    export CC="$TOOLCHAIN/bin/clang" BUILD_CC="$TOOLCHAIN/bin/clang"
    ../configure --disable-tcl --disable-readline
    make sqlite3.c OPTS="$SQLITE_OMITTED"
  ) >"$log" 2>&1 || { tail -n 20 "$log" >&2 && die "could not make sqlite3.c (needs tclsh)"; }
}

fetch_sources() {
  local result new package
  SUITE="$SOURCE_SUITE"
  result="$CACHE/sources-$SUITE-$(sha256sum <<<"$SQLITE_OMITTED" | cut -c 1-6)"
  new="$result.new"
  if [ ! -d "$result" ]; then
    say "fetching the sources of: $SOURCE_PACKAGES"
    make_apt_root "$CACHE/apt-$SUITE-source" \
      "deb-src [signed-by=$KEYRING] $MIRROR $SUITE main" amd64
    rm -rf "$new"
    mkdir -p "$new/download" "$new/mbedtls"
    cd "$new/download"
    for package in $SOURCE_PACKAGES; do
      fetch source --download-only "$package"
      dpkg-source --no-check -x "$package"_*.dsc "$package" >/dev/null 2>&1 ||
        die "dpkg-source could not unpack $package"
    done
    make_amalgamation "$new/download/sqlite3"
    mv sqlite3/made/sqlite3.[ch] mbedtls_*.dsc sqlite3_*.dsc "$new"
    mv mbedtls/include mbedtls/library "$new/mbedtls"
    cd "$CACHE"
    rm -rf "$new/download"
    mv "$new" "$result"
  fi
  echo "$result"
}

MIRROR="${TINYGATEWAY_MIRROR:-$(find_mirror)}"
[ -n "$MIRROR" ] || die "apt on this machine has no Debian mirror configured;" \
  "name one: TINYGATEWAY_MIRROR=http://HOST/debian"
[ -r "$KEYRING" ] || die "no $KEYRING: install the package debian-archive-keyring"
find_toolchain
mkdir -p "$CACHE"
case "${1:-}" in
  packages) fetch_packages "${2:?architecture}" ;;
  kernel) fetch_kernel ;;
  sources) fetch_sources ;;
  *) die "usage: $0 packages ARCH | kernel | sources" ;;
esac
