#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes a picture of every page into docs/images: page-size-theme.png.
#
#   scripts/screenshots.sh
#
# The release binary shows them, with data as in an office. All together must stay below 1.5 MB.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
target=$root/docs/images
limit=1500000

fail() {
  echo "screenshots: $*" >&2
  exit 1
}

for tool in pngquant zopflipng; do
  command -v "$tool" >/dev/null ||
    fail "$tool is missing; install it: apt-get install pngquant zopfli"
done
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
status=0
TINYGATEWAY_IMAGES=$made "$root/scripts/e2e.sh" x86_64 screenshots.py -o timeout=600 || status=$?
set -- "$made"/*.png
[ -e "$1" ] || fail 'there are no pictures (see above)'
pngquant --force --ext .png --speed 1 --strip 128 "$@"
for picture; do
  zopflipng -y "$picture" "$picture" >"$made/log" || fail "zopflipng failed: $(cat "$made/log")"
done
total=$(cat "$@" | wc -c)
[ "$total" -le "$limit" ] || fail "all pictures have $total bytes, more than $limit"
[ "$status" -eq 0 ] || fail 'not every page could be shown (see above)'
mkdir -p "$target"
rm -f "$target"/*-phone-*.png "$target"/*-desktop-*.png
cp "$@" "$target"
echo "screenshots: $# pictures, $total bytes, in docs/images"
