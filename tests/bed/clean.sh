#!/bin/sh
# Stops the bed's engines and removes the bed: their data, the cached images, everything in its directory.
set -eu
cd "$(dirname "$0")"
. ./bed.sh
[ -d "$BED" ] || exit 0
become_root "$@"
./engine.sh stop
rm -rf "$BED/v1" "$BED/v2" "$BED/images" "$BED/compose"
rmdir "$BED" 2>/dev/null || true
