#!/bin/sh
# Makes base images without a registry and gives them to the bed's running engines.
#
#   image.sh bullseye bookworm trixie forky    a systemd machine with services and probe units, for the tests:
#                                              sdcompose-test/debian:SUITE (systemd 247, 252, 257, 262)
#   image.sh debian:13                         a plain base image for Dockerfiles: pulled if a registry answers,
#                                              else bootstrapped and given the same name
#   image.sh --engine SOCKET debian:13         for another engine than the bed's
#
# A bootstrapped image is kept as a tar in the bed, under the hash of its recipe; an engine that has the image of
# this recipe is left alone.
set -eu
cd "$(dirname "$0")"
. ./bed.sh

MACHINE_PACKAGES=systemd,systemd-sysv,libpam-systemd,dbus,procps,iproute2,openssh-server,cron,nginx
ENABLED='probe-oneshot.service probe-notify.service probe-timer.timer probe-socket.socket probe-path.path'

suite_of() {
    case $1 in
        debian:11 | bullseye) echo bullseye ;;
        debian:12 | bookworm) echo bookworm ;;
        debian:13 | trixie) echo trixie ;;
        debian:14 | forky) echo forky ;;
        *) die "no recipe for $1" ;;
    esac
}

# plan IMAGE: which sources, packages and hooks make it; the recipe's hash names the cached tar.
plan() {
    suite=$(suite_of "$1")
    case $1 in
        debian:*) kind=plain name=$1 sources=$(debian_sources "$suite" full) command=bash ;;
        *) kind=machine name=sdcompose-test/debian:$suite sources=$(debian_sources "$suite") command=/sbin/init ;;
    esac
    recipe=$({
        echo "$name" "$sources" "$MACHINE_PACKAGES" "$ENABLED"
        apt-config dump Acquire::Check
        sed -n '/^bootstrap()/,/^}/p' image.sh
        [ $kind = plain ] || find machine -type f | sort | xargs grep ''
    } | sha256sum | cut -c1-12)
    tar=$BED/images/$kind-$suite-$recipe.tar
}

bootstrap() {
    [ -e "$tar" ] && return
    if [ -z "$sources" ] && apt-get update -q >/dev/null 2>&1; then # now apt knows its mirror
        repositories=$(debian_repositories)
        plan "$1"
    fi
    say "bootstrapping $name"
    mkdir -p "$BED/images"
    rm -f "$BED/images/$kind-$suite-"*.tar
    set -- --variant=minbase --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io
    # A machine whose apt takes a snapshot of the mirror, older than the clock, makes images that take it too.
    for check in Acquire::Check-Valid-Until Acquire::Check-Date; do
        case $(apt-config dump $check) in *'"false"'*) set -- "$@" "--aptopt=$check \"false\"" ;; esac
    done
    for docs in doc man info locale lintian; do set -- "$@" "--dpkgopt=path-exclude=/usr/share/$docs/*"; done
    set -- "$@" "--dpkgopt=path-include=/usr/share/doc/*/copyright" '--dpkgopt=path-include=/usr/share/locale/locale.alias'
    case $sources in *https:*) set -- "$@" --include=ca-certificates ;; esac
    # shellcheck disable=SC2016  # hooks are run by mmdebstrap with the image's root as $1
    if [ $kind = machine ]; then
        set -- "$@" --include="$MACHINE_PACKAGES" --customize-hook='cp -R machine/. "$1"/' \
            --customize-hook='chroot "$1" systemctl enable '"$ENABLED"
    fi
    # shellcheck disable=SC2016
    set -- "$@" --customize-hook='rm -f "$1/var/lib/dbus/machine-id" "$1/etc/hostname" "$1/etc/resolv.conf"; : >"$1/etc/machine-id"'
    if [ -n "$sources" ]; then
        echo "$sources" >"$BED/images/$kind-$suite.list"
        set -- "$@" "$suite" "$BED/images/part-$kind-$suite.tar" "$BED/images/$kind-$suite.list"
    else
        set -- "$@" "$suite" "$BED/images/part-$kind-$suite.tar"
    fi
    log=$BED/images/$kind-$suite.log
    if ! nice mmdebstrap "$@" >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        die "$name: mmdebstrap failed, its log is $log"
    fi
    mv "$BED/images/part-$kind-$suite.tar" "$tar"
}

# Does the engine hold the image of this recipe? For a plain one, anything of that name will do.
has_image() {
    found=$(api "$1" GET "/images/$name/json" 2>/dev/null) || return 1
    [ $kind = plain ] || case $found in *"\"sdcompose.recipe\":\"$recipe\""*) ;; *) return 1 ;; esac
}

# The engine asks the registry itself, by its own mirrors and proxies; no answer within seconds is a no.
pull() {
    api "$1" GET "/distribution/$name/json" --max-time 8 >/dev/null 2>&1 || return 1
    say "pulling $name"
    api "$1" POST "/images/create?fromImage=${name%:*}&tag=${name#*:}" --max-time 600 >/dev/null && has_image "$1"
}

import() {
    say "importing $name ($(du -m "$tar" | cut -f1) MB)"
    old=$(api "$1" GET "/images/$name/json" 2>/dev/null | grep -o '^{"Id":"[^"]*"' | cut -d'"' -f4) || true
    changes="changes=CMD%20%5B%22$command%22%5D&changes=LABEL%20sdcompose.recipe%3D$recipe"
    api "$1" POST "/images/create?fromSrc=-&repo=${name%:*}&tag=${name#*:}&$changes" \
        -H 'Content-Type: application/x-tar' -H 'Expect:' --upload-file "$tar" >/dev/null
    has_image "$1" || die "$1 did not take $tar"
    if [ -n "$old" ]; then api "$1" DELETE "/images/$old" >/dev/null 2>&1 || true; fi # the one it replaces, unless used
}

only=
if [ "${1:-}" = --engine ]; then
    only=$2
    shift 2
fi
[ $# -gt 0 ] || die 'usage: image.sh [--engine SOCKET] SUITE|debian:N...'
repositories=$(debian_repositories)
engines=${only:-$(bed_sockets)}
[ -n "$engines" ] || die 'no engine of the bed runs: engine.sh start'

for engine in $engines; do
    for image in "$@"; do
        plan "$image"
        if has_image "$engine"; then continue; fi
        if [ $kind = plain ] && pull "$engine"; then continue; fi
        become_root ${only:+--engine "$only"} "$@" # once there is something to make
        bootstrap "$image"
        import "$engine"
    done
done
