# shellcheck shell=sh disable=SC2154  # root is build.sh's
# The binary package, as docker/build.sh makes, installs and removes it, which
# has this file as a part of it.  docker/debian says what is in it; nginx-dev has
# it depend on the nginx that it was built for, and enables the module.

binary=libnginx-mod-http-tasks
module=/usr/lib/nginx/modules/ngx_http_tasks_module.so


# Sets deb to the package's file.

package_build() {
    out=$root/build/deb
    prepare

    sum=$(checksum "$root/docker/debian" "$root/docker/package.sh" \
                   "$root/conf" "$root/README.md" "$root/LICENSE")

    if [ "$sum" != "$(cat "$out/sum" 2>/dev/null)" ]; then
        rm -rf "$out/source" "$out/${binary:?}"* "$out/sum"
        package_compile >"$out/build.log" 2>&1 || show_failure
        echo "$sum" >"$out/sum"
    fi

    deb=$(echo "$out/${binary}_"*.deb)
    echo "built ${deb#"$root/"}"
}


# dpkg-buildpackage puts its results beside the source.  The check that it is
# told to leave out wants a C++ compiler.

package_compile() {
    mkdir "$out/source" || return

    (
        cd "$root" || exit
        cp -r config src conf docker/debian README.md LICENSE "$out/source" \
            || exit
        cd "$out/source" || exit
        DEB_BUILD_OPTIONS=${DEB_BUILD_OPTIONS:-parallel=2} \
        dpkg-buildpackage --build=binary --no-sign --no-check-builddeps
    )
}


package_add() {
    need_root

    if [ -e $module ] && ! dpkg-query -S $module >/dev/null 2>&1; then
        echo "$0: $module is of no package: remove it and the load_module" \
             "directive for it first" >&2
        exit 1
    fi

    package_build
    dpkg --install --force-confdef --force-confold "$deb"

    nginx -t || {
        echo "$0: nginx does not start like this" >&2
        exit 1
    }
}


# dpkg --purge would remove changed definitions, too.

package_remove() {
    need_root

    if ! dpkg-query -W -f '${db:Status-Status}\n' $binary 2>/dev/null \
         | grep -qvx not-installed
    then
        echo "$binary is not installed"
        return
    fi

    changed_definitions | while read -r file; do
        cp -p "$file" "$file.changed"
    done

    dpkg --purge $binary

    for file in /etc/nginx/tasks/*.changed; do
        [ -e "$file" ] || continue
        mv "$file" "${file%.changed}"
        echo "kept ${file%.changed}, which has been changed"
    done

    nginx -t || {
        echo "$0: the configuration may still use the module" >&2
        exit 1
    }
}


# dpkg has the checksums of what it has installed.

changed_definitions() {
    dpkg-query -W -f '${Conffiles}\n' $binary | while read -r file sum _; do
        [ ! -f "$file" ] || echo "$sum  $file" | md5sum --check --status \
            || echo "$file"
    done
}


need_root() {
    if [ "$(id -u)" != 0 ]; then
        echo "$0: needs root" >&2
        exit 1
    fi
}
