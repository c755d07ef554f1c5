#!/bin/sh
# Runs the benchmarks on a bed engine in this machine's own cgroup view, with Docker Compose v2 beside sdcompose.
# Where Docker Compose is not installed, it is taken from the testing release's package into the bed, not installed;
# where that cannot be had either, its column is left out.
#
#   Given to `cargo bench`: SDCOMPOSE_BENCH_ENGINE=unix://…, SDCOMPOSE_BENCH_IMAGE, and SDCOMPOSE_BENCH_COMPOSE, a path.
set -eu
cd "$(dirname "$0")"
bed=$PWD
. ./bed.sh

# Prints the path of a Docker Compose v2 binary, or nothing.
docker_compose() {
    for plugin in /usr/libexec/docker /usr/lib/docker /usr/local/lib/docker "$BED/compose/usr/libexec/docker"; do
        if "$plugin/cli-plugins/docker-compose" version >/dev/null 2>&1; then
            echo "$plugin/cli-plugins/docker-compose"
            return
        fi
    done
}

fetch_docker_compose() {
    apt=$BED/compose/apt
    mkdir -p "$apt/lists/partial" "$apt/archives/partial"
    debian_sources forky | sed 's|^deb |&[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] |' >"$apt/sources.list"
    set -- -q -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$apt/lists" \
        -o Dir::Cache::archives="$apt/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=
    apt-get "$@" update >&2 && (cd "$apt/archives" && apt-get "$@" download docker-compose >&2) &&
        dpkg-deb -x "$apt"/archives/docker-compose_*.deb "$BED/compose"
    rm -rf "$apt"
}

./install.sh
if host_has_v1; then view=v1; else view=v2; fi
running=$(bed_sockets)
trap '[ -n "$running" ] || "$bed/engine.sh" stop "$view"' EXIT
trap 'exit 130' INT TERM
./engine.sh start "$view"
./image.sh --engine "$BED/$view/docker.sock" trixie
[ -n "$(docker_compose)" ] || fetch_docker_compose || say 'no Docker Compose v2 to compare with'
export SDCOMPOSE_BENCH_ENGINE="unix://$BED/$view/docker.sock" SDCOMPOSE_BENCH_IMAGE=sdcompose-test/debian:trixie
compose=$(docker_compose)
[ -z "$compose" ] || export SDCOMPOSE_BENCH_COMPOSE="$compose"
cd ../..
cargo bench --locked "$@"
