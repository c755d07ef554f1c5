#!/bin/sh
# The bed's own container engines: real dockerds, apart from any engine that this machine runs. "v1" sees the
# machine's cgroup v1 (hybrid) hierarchies, "v2" a private cgroup2 mount; both run at once. Each has its own data,
# sockets, containerd, bridge and address range, and is stopped only by the process ids noted when it was started.
#
#   engine.sh start [v1|v2...]  start, return when it answers       engine.sh stop [v1|v2...]
#   engine.sh status            what runs                           engine.sh env    SDCOMPOSE_TEST_V1=unix://… lines
#
# A machine that boots with cgroup v2 has no v1 to show: "start v1" says so and does nothing, "env" leaves it out.
set -eu
cd "$(dirname "$0")"
. ./bed.sh

# Where one engine lives and which addresses it hands out; the range follows from the bed's path, so that two beds
# on one machine do not meet.
locate() {
    dir=$BED/$1
    socket=$dir/docker.sock
    range=$(($(printf %s "$BED" | cksum | cut -d' ' -f1) % 120 + 100))
    bridge=sdc$range$1
    case $1 in v1) base=0 ;; v2) base=128 ;; *) die "no such view: $1 (v1 or v2)" ;; esac
    pool=10.$range.$base.0/18
    gateway=10.$range.$((base + 64)).1/24
    subnet=10.$range.$base.0/17
}

# The pid in a file, if that process is still the one we started (its command line names our directory).
ours() {
    pid=$(cat "$1" 2>/dev/null) && [ -r "/proc/$pid/cmdline" ] && tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$dir/" && echo "$pid"
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
    ticks=$(($1 * 10))
    shift
    until "$@"; do
        ticks=$((ticks - 1))
        [ $ticks -gt 0 ] || return 1
        sleep 0.1
    done
}
gone() { ! kill -0 "$1" 2>/dev/null || [ "$(ps -o stat= -p "$1" | cut -c1)" = Z ]; }

# up SECONDS NAME TEST...: waits until NAME passes the test; its log is the answer if it does not, or dies.
up() {
    wait_for "$1" settled "$@" || true
    name=$2
    shift 2
    "$@" && return
    tail -n 20 "$dir/$name.log" >&2
    die "$name did not start, its log is $dir/$name.log"
}
settled() {
    pid=$(cat "$dir/$2.pid")
    shift 2
    "$@" || gone "$pid"
}

# The engines run without iptables: a second dockerd that manages them in one network namespace deletes the first
# one's chains. Published ports then go through docker-proxy; outbound traffic needs these three rules.
rules() {
    iptables -w -t nat "$1" POSTROUTING -s "$subnet" ! -d "$subnet" -j MASQUERADE &&
        iptables -w "$1" FORWARD -s "$subnet" -j ACCEPT && iptables -w "$1" FORWARD -d "$subnet" -j ACCEPT
}

network_up() {
    ip link show "$bridge" >/dev/null 2>&1 || ip link add "$bridge" type bridge
    ip addr replace "$gateway" dev "$bridge"
    ip link set "$bridge" up
    rules -C 2>/dev/null || rules -I || say "$1: no NAT here: containers have no outbound network"
}

configure() {
    uplink=$(ip -o route show default | sed -n '1s/.* dev \([^ ]*\).*/\1/p')
    mtu=$(cat "/sys/class/net/$uplink/mtu" 2>/dev/null || echo 1500)
    cat >"$dir/containerd.toml" <<TOML
version = 2
root = "$dir/containerd"
state = "$dir/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$dir/containerd.sock"
TOML
    cat >"$dir/daemon.json" <<JSON
{
  "hosts": ["unix://$socket"], "group": "${BED_GROUP:-$(id -g)}", "containerd": "$dir/containerd.sock",
  "data-root": "$dir/data", "exec-root": "$dir/run/docker", "pidfile": "$dir/run/dockerd.pid",
  "exec-opts": ["native.cgroupdriver=cgroupfs"],
  "bridge": "$bridge", "iptables": false, "ip6tables": false, "mtu": $mtu,
  "default-address-pools": [{"base": "$pool", "size": 25}]
}
JSON
}

# detached NAME COMMAND...: starts it in a session of its own, so that it outlives this shell, and notes its pid.
detached() {
    name=$1
    shift
    setsid nohup "$@" </dev/null >"$dir/$name.log" 2>&1 &
    echo $! >"$dir/$name.pid"
}

start() {
    locate "$1"
    if answers "$socket"; then return; fi
    if [ "$1" = v1 ] && ! host_has_v1; then
        say 'v1: this machine boots with cgroup v2 only, so there is no cgroup v1 view to test on'
        return
    fi
    stop "$1"
    mkdir -p "$dir/run"
    chmod 711 "$dir"
    configure
    network_up "$1"
    # On a v1 host, "v2" lives in a mount namespace whose /sys/fs/cgroup is cgroup2; the host's mounts stay as they
    # are. On a v2 host it uses them: mounting cgroup2 once more would change the options of the host's own.
    cgroups=
    if [ "$1" = v2 ] && host_has_v1; then cgroups='umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup &&'; fi
    detached containerd unshare -m --propagation private sh -c "$cgroups exec containerd --config $dir/containerd.toml"
    up 20 containerd test -S "$dir/containerd.sock"
    detached dockerd nsenter -m -t "$(cat "$dir/containerd.pid")" dockerd --config-file "$dir/daemon.json"
    up 40 dockerd answers "$socket"
}

# terminate NAME SECONDS
terminate() {
    if pid=$(ours "$dir/$1.pid"); then
        kill "$pid"
        wait_for "$2" gone "$pid" || { kill -9 "$pid" && wait_for 5 gone "$pid"; }
    fi
    rm -f "$dir/$1.pid"
}

stop() {
    locate "$1"
    if answers "$socket"; then # at once: nothing in a bed has a state to save
        for id in $(api "$socket" GET /containers/json | grep -o '"Id":"[0-9a-f]*"' | cut -d'"' -f4); do
            api "$socket" POST "/containers/$id/kill" >/dev/null || true
        done
    fi
    terminate dockerd 60
    terminate containerd 20 # before a new dockerd may start: one that meets a dying containerd hangs
    for shim in $(pgrep -f "containerd-shim.*-address $dir/containerd.sock"); do kill -9 "$shim" || true; done
    # dockerd refuses to start on the file of a killed one whose process nobody has reaped.
    rm -f "$socket" "$dir/containerd.sock" "$dir/containerd.sock.ttrpc" "$dir/run/dockerd.pid"
    while rules -D 2>/dev/null; do :; done
    ip link delete "$bridge" 2>/dev/null || true
}

status() {
    for view in "$@"; do
        locate "$view"
        if answers "$socket"; then
            facts=$(api "$socket" GET /info)
            echo "$view: unix://$socket docker $(field ServerVersion "$facts"), cgroup v$(field CgroupVersion "$facts")," \
                "$(field CgroupDriver "$facts") driver, $(field Driver "$facts")"
        else
            echo "$view: not running"
        fi
    done
}
field() { echo "$2" | grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d'"' -f4; }

env_lines() {
    for view in v1 v2; do
        locate $view
        if answers "$socket"; then echo "SDCOMPOSE_TEST_$(echo $view | tr v V)=unix://$socket"; fi
    done
}

verb=${1:-status}
[ $# -eq 0 ] || shift
case $verb in
    start | stop)
        become_root "$verb" "$@"
        [ $# -gt 0 ] || set -- v1 v2
        for wanted in "$@"; do "$verb" "$wanted"; done
        [ "$verb" = stop ] || status "$@" >&2
        ;;
    status) status v1 v2 ;;
    env) env_lines ;;
    *) die 'usage: engine.sh start [v1|v2...] | stop [v1|v2...] | status | env' ;;
esac
