#!/bin/sh
# The benchmark: the module, the limits that nginx and Redis set, and what else
# one might serve the same lists with, each one process, side by side in one
# run on this machine: Redis on a unix socket, wrk with 64 keep-alive
# connections, contender after contender in each round.
#
#   sh t/bench/run.sh           what the targets need, with 100,000 tasks: below
#                               3 minutes
#   sh t/bench/run.sh full      everything, with 1,000,000 tasks: 20 minutes
#
#   --without NAME              leaves a contender out (lua, node, fastify,
#                               fastapi, go, webdis); may be repeated
#   --only PART                 a part (rates, growth, stream, slow, idle, writes,
#                               coherence); may be repeated
#
#   BENCH_MODULE=FILE           a module that is there, not one to be built
#   BENCH_TASKS, BENCH_ROUNDS, BENCH_SECONDS
#                               tasks, rounds, seconds of one load
#   BENCH_PORT=18089            the first of eight ports on 127.0.0.1
#
# Installs what is missing; ends with the targets and what was measured.  All
# that it makes is in a temporary directory, and no process outlives it.

set -eu

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

# the list that the writer changes
hot_list="/tasks?scope=large&status=running&limit=50"

for part in processes measure contenders rates growth stream idle writes \
            coherence
do
    # shellcheck source=/dev/null
    . "$here/$part.sh"
done


main() {
    parse "$@"

    dir=$(mktemp -d)
    ulimit -n 8192
    trap stop EXIT
    trap 'exit 1' HUP INT TERM

    prepare
    start_redis
    start_tasks
    load_tasks small 1000
    load_tasks large "$tasks"
    start_fixed

    for part in $parts; do
        "run_$part"
    done

    report_targets
}


parse() {
    full=
    without=' '
    only=

    while [ $# -gt 0 ]; do
        case $1 in
        full)       full=yes ;;
        --without)  without="$without${2:?a contender is due} "; shift ;;
        --only)     only="$only ${2:?a part is due}"; shift ;;
        *)          usage ;;
        esac
        shift
    done

    if [ "$full" ]; then
        tasks=${BENCH_TASKS:-1000000}
        rounds=${BENCH_ROUNDS:-5}
        seconds=${BENCH_SECONDS:-3}
        parts=${only:-rates growth stream slow idle writes coherence}
    else
        tasks=${BENCH_TASKS:-100000}
        rounds=${BENCH_ROUNDS:-3}
        seconds=${BENCH_SECONDS:-1}
        parts=${only:-rates growth stream slow idle}
    fi

    choose_contenders

    for part in $parts; do
        case $part in
        rates|growth|stream|slow|idle|writes|coherence) ;;
        *)  usage ;;
        esac
    done
}


usage() {
    sed -n 's/^#   //p' "$0" >&2
    exit 2
}


prepare() {
    sh "$root/docker/build.sh" --packages redis-server nginx wrk perl curl gcc \
        libc6-dev libhiredis-dev
    module=${BENCH_MODULE:-}

    if [ -z "$module" ]; then
        sh "$root/docker/build.sh"
        module=$root/build/ngx_http_tasks_module.so
    fi

    [ -f "$module" ] || fail "there is no $module"

    for program in pipeline stream writer coherence; do
        gcc -O2 -Wall -o "$dir/$program" "$here/$program.c" -lhiredis -pthread
    done

    case " $parts " in
    *' rates '*)  install_contenders ;;
    esac
}


main "$@"
