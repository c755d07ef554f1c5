#!/bin/sh
# Installs what the demo and the tests need and this machine lacks, from the distribution's packages, without
# asking (Debian and Ubuntu). Prints nothing and touches nothing when all is there.
set -eu
cd "$(dirname "$0")"
. ./bed.sh

missing=
# needs COMMAND PACKAGE: the package goes on the list when the command is not there.
needs() { command -v "$1" >/dev/null || missing="$missing $2"; }
needs cc gcc
needs curl curl
needs containerd containerd
needs dockerd docker.io
needs ip iproute2
needs iptables iptables
needs mmdebstrap mmdebstrap
needs nsenter util-linux
needs ps procps
needs runc runc
needs shellcheck shellcheck
needs ssh openssh-client
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ -n "$missing" ] || exit 0

command -v apt-get >/dev/null || die "missing:$missing, and there is no apt-get here to install them with"
become_root "$@"
say "installing$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086  # a list of packages
apt-get install -q -y --no-install-recommends $missing
