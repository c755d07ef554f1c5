#!/bin/sh
# From nothing to three systemd machines: installs what is missing, uses the container engine that answers or
# starts one of its own, makes the base image, builds sdcompose, brings examples/shop up and fetches its page.
# Asks nothing, can be run again, and leaves an engine that was there as it was.
#
#   SHOP_PORT, SHOP_SSH_PORT   where the shop is published (default: 8080 and 2222 on 127.0.0.1)
#   make demo-down             takes the shop away again, and the engine if the demo started it
set -eu
cd "$(dirname "$0")"
. ./bed.sh
shop=../../examples/shop
sdcompose=$PWD/../../target/release/sdcompose

# The engine of this shell's DOCKER_HOST or of the default socket; else the demo's own, in this machine's own view.
engine_socket() {
    case ${DOCKER_HOST:-} in
        unix://*) socket=${DOCKER_HOST#unix://} ;;
        '') socket=/var/run/docker.sock ;;
        *) die "DOCKER_HOST is $DOCKER_HOST; the demo needs an engine on this machine" ;;
    esac
    own=
    if answers "$socket"; then return; fi
    if host_has_v1; then own=v1; else own=v2; fi
    socket=$BED/$own/docker.sock
}

show() {
    echo
    echo "\$ $*"
    "$@"
}

command -v cargo >/dev/null || die 'needs Rust: see https://rustup.rs, or the packages cargo and rustc'
./install.sh
engine_socket
export DOCKER_HOST="unix://$socket"

if [ "${1:-}" = down ]; then
    if answers "$socket" && [ -x "$sdcompose" ]; then (cd "$shop" && "$sdcompose" down); fi
    [ -z "$own" ] || ./engine.sh stop "$own"
    echo "The shop is down. Its volume, the images and their cache in $BED stay for the next time; make clean removes them."
    exit
fi

[ -z "$own" ] || ./engine.sh start "$own"
./image.sh --engine "$socket" debian:13
(cd ../.. && cargo build --release --locked)

PATH=$(dirname "$sdcompose"):$PATH
cd "$shop"
show sdcompose up -d
show sdcompose ps
show curl --silent --show-error --fail --retry 5 --retry-connrefused "http://127.0.0.1:${SHOP_PORT:-8080}/"
echo
echo "The shop runs at http://127.0.0.1:${SHOP_PORT:-8080}/. Go on in $(pwd -P), with"
[ -z "$own" ] || echo "    export DOCKER_HOST=$DOCKER_HOST"
echo "    export PATH=\"$(cd "$(dirname "$sdcompose")" && pwd -P):\$PATH\""
echo "    sdcompose logs -f"
echo "and take it away with: make demo-down"
