#!/bin/sh
# Builds the module for Debian's own nginx; the image, the tests and the demo
# all build with this script.  Runs from any directory, on Debian 12 and 13.
#
#   sh docker/build.sh               build/ngx_http_tasks_module.so
#   sh docker/build.sh --sanitize    build/asan/ngx_http_tasks_module.so, and
#                                    build/asan/nginx, which runs nginx with it
#   sh docker/build.sh --deb         build/deb/libnginx-mod-http-tasks_*.deb
#   sh docker/build.sh --install     builds and installs that package
#   sh docker/build.sh --uninstall   takes it away again, but for definitions
#                                    that have been changed
#   sh docker/build.sh --packages PACKAGE...
#                                    only installs the packages that are missing
#
# Installs what is missing, and does nothing when the result is up to date.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/.." && pwd)
policy=/usr/sbin/policy-rc.d

. "$root/docker/package.sh"


main() {
    if [ "${1:-}" = --packages ]; then
        shift
        install_missing "$@"
        return
    fi

    [ $# -le 1 ] || usage

    case ${1:-} in
    --deb)       package_build;  return ;;
    --install)   package_add;    return ;;
    --uninstall) package_remove; return ;;
    --sanitize)
        out=$root/build/asan
        cc_opt="-g -O1 -U_FORTIFY_SOURCE -fsanitize=address,undefined
                -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
        ld_opt="-fsanitize=address,undefined"
        ;;
    '')
        out=$root/build
        cc_opt="-g -O2 -fPIC -fstack-protector-strong -D_FORTIFY_SOURCE=2
                -Wformat -Werror=format-security"
        ld_opt="-Wl,-z,relro -Wl,-z,now"
        ;;
    *)
        usage
        ;;
    esac

    prepare
    build
}


usage() {
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}


# One build at a time in a directory.

prepare() {
    install_missing gcc libc6-dev make nginx nginx-dev libpcre2-dev \
                    libhiredis-dev libjansson-dev libssl-dev

    mkdir -p "$out"
    exec 9>"$out/lock"
    flock 9
}


# Services of new packages (nginx on port 80, redis-server on 6379) must not
# be started: policy-rc.d is Debian's switch for it, and is taken away again.

install_missing() {
    missing=
    for package do
        dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null \
            | grep -qx installed || missing="$missing $package"
    done

    if [ -z "$missing" ]; then
        return
    fi

    if [ "$(id -u)" != 0 ]; then
        echo "$0: needs root to install:$missing" >&2
        exit 1
    fi

    echo "installing:$missing"

    (
        if [ ! -e $policy ]; then
            trap 'rm -f $policy' EXIT
            trap 'exit 1' HUP INT TERM
            printf '#!/bin/sh\nexit 101\n' >$policy
            chmod 755 $policy
        fi

        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq
        # shellcheck disable=SC2086  # a list of words
        apt-get install -qq -y --no-install-recommends $missing >/dev/null
    )
}


build() {
    so=$out/ngx_http_tasks_module.so
    sum=$(checksum)

    if [ -f "$so" ] && [ "$sum" = "$(cat "$so.sum" 2>/dev/null)" ]; then
        return
    fi

    rm -f "$so.sum"

    compile >"$out/build.log" 2>&1 || show_failure

    if [ "$out" = "$root/build/asan" ]; then
        write_sanitizing_nginx
    else
        check_load
    fi

    echo "$sum" >"$so.sum"
    echo "built ${so#"$root/"}"
}


show_failure() {
    grep -E -A6 'error: |undefined reference' "$out/build.log" >&2 \
        || tail -40 "$out/build.log" >&2
    echo "$0: failed, see $out/build.log" >&2
    exit 1
}


# What the result depends on: sources, and those named; options; packages.

checksum() {
    {
        find "$root/src" "$root/config" "$root/docker/build.sh" "$@" -type f \
            | LC_ALL=C sort | tr '\n' '\0' | xargs -0 sha256sum
        echo "${cc_opt:-} ${ld_opt:-}"
        dpkg-query -W gcc nginx nginx-dev libhiredis-dev libjansson-dev \
                      libssl-dev
    } | sha256sum | cut -d' ' -f1
}


# nginx-dev has nginx's headers and configure, but no .c files: enough for a
# dynamic module.  conf_flags is a bash array of the distribution's options,
# with which the module gets the distribution's binary signature.  nginx's own
# -W -Wall -Werror hold for the module.

compile() {
    tree=$out/tree

    rm -rf "$tree"
    cp -rL /usr/share/nginx/src "$tree"

    (
        cd "$tree"
        export ASAN_OPTIONS=detect_leaks=0
        # shellcheck disable=SC2086,SC2116  # in one line
        bash -eu -c '. ./conf_flags
                     ./configure "${NGX_CONF_FLAGS[@]}" "$@"' configure \
            --add-dynamic-module="$root" \
            --with-cc-opt="$(echo $cc_opt)" --with-ld-opt="$ld_opt"
        make -j2 -f objs/Makefile modules
    ) || return 1

    mv "$tree/objs/ngx_http_tasks_module.so" "$so"
}


check_load() {
    mkdir -p "$out/check"
    echo "pid nginx.pid; load_module $so; events { }" >"$out/check/nginx.conf"

    nginx -q -t -e stderr -p "$out/check" -c nginx.conf
}


# The distribution's nginx knows nothing of sanitizers: their libraries must
# be loaded before anything else.  Reports go to $TASKS_SANITIZER_LOG.PID.
# nginx leaks at exit by design, hence no leak check.

write_sanitizing_nginx() {
    asan=$(readlink -f "$(gcc -print-file-name=libasan.so)")
    ubsan=$(readlink -f "$(gcc -print-file-name=libubsan.so)")

    cat >"$out/nginx" <<END
#!/bin/sh
log=log_path=\${TASKS_SANITIZER_LOG:-stderr}
export LD_PRELOAD=$asan:$ubsan
export ASAN_OPTIONS=detect_leaks=0:\$log
export UBSAN_OPTIONS=print_stacktrace=1:\$log
exec nginx "\$@"
END

    chmod 755 "$out/nginx"
}


main "$@"
