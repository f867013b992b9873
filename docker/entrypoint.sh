#!/bin/sh
# The image's entrypoint.  Before nginx starts, the scripts in this directory
# run in the order of their names, NAME.envsh in this shell, to set variables;
# then the command takes this process's place.
#
#   TASKS_ENTRYPOINT_DIR=/docker-entrypoint.d
#   NGINX_ENTRYPOINT_QUIET_LOGS       if not empty: only what is wrong is said

set -eu

scripts=${TASKS_ENTRYPOINT_DIR:-/docker-entrypoint.d}


main() {
    case ${1:-} in
    nginx|*/nginx) run_scripts ;;
    esac

    exec "$@"
}


run_scripts() {
    for script in "$scripts"/*; do
        case $script in
        *.envsh)
            log "reading $script"
            # shellcheck disable=SC1090
            . "$script"
            ;;
        *.sh)
            if [ -x "$script" ]; then
                log "running $script"
                "$script"
            else
                echo "$0: $script is not executable, and left out" >&2
            fi
            ;;
        esac
    done
}


log() {
    [ -n "${NGINX_ENTRYPOINT_QUIET_LOGS:-}" ] || echo "$0: $*"
}


main "$@"
