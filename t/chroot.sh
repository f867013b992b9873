#!/bin/sh
# Bare Debian roots for tests that install something.  As root, and with
# debootstrap.
#
#   sh t/chroot.sh make 12|13 DIR     a minimal system in DIR
#   sh t/chroot.sh run DIR COMMAND... runs it there; ends what it leaves behind
#   sh t/chroot.sh engine DIR         runs dockerd there, on a network of its own
#   sh t/chroot.sh remove DIR
#
# What debootstrap makes is kept in build/roots for the next time.  The mirror
# is that of the machine's own apt sources.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/.." && pwd)


main() {
    action=${1:-}
    [ $# -lt 2 ] || shift

    case $action in
    make)   make_root "$1" "$2" ;;
    run)    run_in "$@" ;;
    engine) run_engine "$1" ;;
    remove) rm -rf --one-file-system "$1" ;;
    *)
        sed -n 's/^#   //p' "$0" >&2
        exit 2
        ;;
    esac
}


make_root() {
    case $1 in
    12) suite=bookworm ;;
    13) suite=trixie ;;
    *)  echo "$0: Debian $1 is not known" >&2; exit 2 ;;
    esac

    kept=$root/build/roots/$suite

    if [ ! -d "$kept" ]; then
        rm -rf "$kept.new"
        mkdir -p "$kept.new"
        bootstrap "$suite" "$kept.new"
        mv "$kept.new" "$kept"
    fi

    mkdir -p "$2"
    cp -a "$kept/." "$2"
}


# As in Debian's own images, nothing may start a service.

bootstrap() {
    # shellcheck disable=SC2016  # apt-get's
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' \
                                  'Origin: Debian' 'Label: Debian' | head -n 1)

    debootstrap --variant=minbase "$1" "$2" "$mirror" >"$2.log" 2>&1 || {
        tail -n 5 "$2.log" >&2
        exit 1
    }

    printf '#!/bin/sh\nexit 101\n' >"$2/usr/sbin/policy-rc.d"
    chmod 755 "$2/usr/sbin/policy-rc.d"
    chroot "$2" apt-get clean
}


# Mounts and processes are in namespaces of their own, and go with them.  The
# resolver, and whom node trusts, are the machine's.

run_in() {
    dir=$1
    shift

    cp -L /etc/resolv.conf "$dir/etc/resolv.conf"
    trusted=${NODE_EXTRA_CA_CERTS:-}
    [ -z "$trusted" ] || cp -L "$trusted" "$dir/etc/node-ca.crt"

    # shellcheck disable=SC2016  # the inner shell's
    exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        ${trusted:+NODE_EXTRA_CA_CERTS=/etc/node-ca.crt} \
        unshare --mount --pid --fork --kill-child sh -euc '
            dir=$1
            shift
            mount -t proc proc "$dir/proc"
            mount --rbind /dev "$dir/dev"
            exec chroot "$dir" "$@"' run "$dir" "$@"
}


# The root is that of the mounts' namespace, and no chroot in it: what enters
# the namespace of a container, such as a health check, would be outside.

run_engine() {
    # shellcheck disable=SC2016  # the inner shell's
    exec unshare --mount --pid --net --fork --kill-child sh -euc '
        mount --bind "$1" "$1"
        cd "$1"
        mount -t proc proc proc
        mount -t sysfs sysfs sys
        mount --rbind /sys/fs/cgroup sys/fs/cgroup
        mount --rbind /dev dev
        mount -t tmpfs tmpfs run
        pivot_root . mnt
        exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot . sh -euc "
            umount -l /mnt
            ip link set lo up
            exec dockerd --cgroup-parent=/tasks_test"' engine "$1"
}


main "$@"
