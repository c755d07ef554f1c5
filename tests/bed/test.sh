#!/bin/sh
# Everything that is checked, with all its own set-up: formatting, lints, the pure tests, the tests on real engines
# (a cgroup v1 and a cgroup v2 view, four Debian releases) and the documentation. Keeps caches; stops the engines
# that it started. Engines of the bed that run already are used as they are and left running.
#
#   test.sh            all of it            test.sh ARG...    only `cargo test ARG...`, with the engines up
set -eu
cd "$(dirname "$0")"
bed=$PWD
. ./bed.sh

./install.sh
running=$(bed_sockets)
stop() {
    status=$?
    trap - EXIT
    [ -n "$running" ] || "$bed/engine.sh" stop
    exit $status
}
trap stop EXIT
trap 'exit 130' INT TERM
./engine.sh start
./image.sh bullseye bookworm trixie forky debian:13
for line in $(./engine.sh env); do export "${line?}"; done

cd ../..
if [ $# -gt 0 ]; then
    cargo test --locked "$@"
    exit
fi
sh tests/bed/lint.sh
RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --locked --no-deps
cargo test --locked --no-fail-fast
