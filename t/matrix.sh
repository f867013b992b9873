#!/bin/sh
# Runs the suites on Debian releases, each in a bare root, with Redis and, where
# Debian has it, Valkey in its place.  As root; installs debootstrap.
#
#   sh t/matrix.sh                    Debian 12 and 13
#   sh t/matrix.sh 13 -- t/get.t      one; arguments for prove
#   TASKS_SANITIZE=1 sh t/matrix.sh   with sanitizers, too
#
# The output of each run is in build/matrix; prove's last lines are printed.

set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
results=$root/build/matrix
status=0


main() {
    releases=

    while [ $# -gt 0 ]; do
        case $1 in
        --) shift; break ;;
        12|13) releases="$releases $1"; shift ;;
        *)
            sed -n 's/^#   //p' "$0" >&2
            exit 2
            ;;
        esac
    done

    sh "$root/docker/build.sh" --packages debootstrap
    mkdir -p "$results"

    for release in ${releases:-12 13}; do
        run_release "$release" "$@"
    done

    exit $status
}


run_release() {
    release=$1
    shift

    dir=$(mktemp -d /tmp/matrix.XXXXXX)
    trap 'sh "$root/t/chroot.sh" remove "$dir"' EXIT
    trap 'exit 1' HUP INT TERM

    chmod 755 "$dir"
    sh "$root/t/chroot.sh" make "$release" "$dir"
    copy_checkout "$dir/checkout"

    run_suites "$release" "$dir" redis-server "$@"

    if in_root apt-cache show valkey-server >/dev/null 2>&1; then
        run_suites "$release" "$dir" valkey-server "$@"
    fi

    sh "$root/t/chroot.sh" remove "$dir"
    trap - EXIT
}


copy_checkout() {
    mkdir "$1"
    (cd "$root" && tar -c --exclude=./build --exclude=./.git \
                       --exclude='./t/servroot*' .) | tar -xC "$1"
}


in_root() {
    sh "$root/t/chroot.sh" run "$dir" "$@"
}


run_suites() {
    log=$results/$1-$3.log
    server=$3
    echo "== Debian $1, $server"
    shift 3

    in_root env TASKS_REDIS_SERVER="$server" \
        TASKS_SANITIZE="${TASKS_SANITIZE:-0}" sh checkout/t/run.sh "$@" \
        >"$log" 2>&1 || status=1

    # shellcheck disable=SC2016  # dpkg-query's
    in_root dpkg-query -W -f '${Package} ${Version}\n' \
        nginx "$server" 'libhiredis[0-9]*' libjansson4
    sed -n '/^Test Summary Report/,$p' "$log"
    tail -n 2 "$log"
}


main "$@"
