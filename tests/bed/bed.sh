# shellcheck shell=sh
# Sourced by the scripts beside it: where the bed keeps its things, how a script becomes root, how to
# talk to an engine, and which Debian mirror this machine uses. Defines; does nothing.
#
#   SDCOMPOSE_BED   where engines and image caches live   (default: ~/.cache/sdcompose-bed)
#   MIRROR          Debian mirror for the images          (default: the one in this machine's apt sources)

BED=${SDCOMPOSE_BED:-${XDG_CACHE_HOME:-$HOME/.cache}/sdcompose-bed}
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# The calling script again, as root: `become_root "$@"`.
become_root() {
    [ "$(id -u)" = 0 ] && return
    command -v sudo >/dev/null || die 'needs root: run it as root or install sudo'
    mkdir -p "$BED" # as the user, whose cache it is
    exec sudo env SDCOMPOSE_BED="$BED" MIRROR="${MIRROR:-}" BED_GROUP="$(id -g)" "./${0##*/}" "$@"
}

# Does this machine boot with cgroup v1 (or the hybrid of both)?
host_has_v1() { [ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ]; }

# api SOCKET METHOD PATH [curl arguments]: one call to a Docker engine; fails on a status of 400 and above.
api() {
    api_socket=$1 api_method=$2 api_path=$3
    shift 3
    curl --silent --show-error --fail --unix-socket "$api_socket" -X "$api_method" "http://engine$api_path" "$@"
}

# Does an engine answer on this socket?
answers() { [ -S "$1" ] && api "$1" GET /_ping --max-time 5 >/dev/null 2>&1; }

# The sockets of the bed's engines that answer, one a line.
bed_sockets() {
    for view in v1 v2; do
        if answers "$BED/$view/docker.sock"; then echo "$BED/$view/docker.sock"; fi
    done
}

# "URI SUITE" of every repository that this machine's apt takes from Debian itself; apt knows both formats of
# its sources and whose Release file it holds. A host that is not Debian prints nothing.
debian_repositories() {
    # shellcheck disable=SC2016  # apt expands these
    apt-get indextargets --format '$(ORIGIN) $(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' 2>/dev/null |
        sed -n 's/^Debian //p'
}

# debian_sources SUITE [full]: sources.list lines for SUITE from MIRROR, else from this machine's own mirror, else
# nothing, which makes mmdebstrap take its default. "full" adds updates and security where the machine has them.
debian_sources() {
    host=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    : "${repositories:=$(debian_repositories)}"
    uri=${MIRROR:-$(echo "$repositories" | awk -v s="$host" '$2 == s { print $1; exit }')}
    [ -n "$uri" ] || return 0
    echo "deb $uri $1 main"
    case ${2:-}/$1 in
        full/forky | full/sid) ;; # testing has neither
        full/*)
            echo "deb $uri $1-updates main"
            echo "$repositories" | awk -v h="$host-security" -v s="$1-security" '$2 == h { print "deb", $1, s, "main"; exit }'
            ;;
    esac
}
