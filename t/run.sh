#!/bin/sh
# Runs the test suites: installs what is missing, builds, then proves the module
# as it is built for use, and again with the address and undefined-behaviour
# sanitizers.  Ends with prove's summary; fails if either pass does.
#
#   sh t/run.sh                       every suite
#   sh t/run.sh t/get.t -v            arguments for prove
#   sh t/run.sh --full                suites in their full form: an hour
#   TASKS_SANITIZE=0 sh t/run.sh      no second pass; "only": no first one
#   TASKS_REDIS_SERVER=valkey-server sh t/run.sh
#
# Test::Nginx::Socket is taken where it is installed; otherwise the small one in
# t/lib/fallback is.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/.." && pwd)
sanitize=${TASKS_SANITIZE:-1}

if [ "${1:-}" = --full ]; then
    export TASKS_FULL=1
    shift
fi


main() {
    cd "$root"

    sh docker/build.sh --packages \
        perl libtest-base-perl tini curl openssl valgrind shellcheck \
        python3-jsonschema python3-prometheus-client python3-yaml \
        redis-server "${TASKS_REDIS_SERVER:-redis-server}"

    # npm comes with nodejs where that is not Debian's own
    command -v npm >/dev/null || sh docker/build.sh --packages nodejs npm

    suites=t/*.t
    browser=

    for argument do
        case $argument in
        *dashboard.t|t|t/) suites= browser=chromium ;;
        *.t) suites= ;;
        -j*) export TEST_NGINX_RANDOMIZE=1 ;;
        esac
    done

    status=0

    if [ "$sanitize" != only ]; then
        # the largest package, which one suite wants
        if [ -n "$suites$browser" ]; then
            sh docker/build.sh --packages chromium
        fi

        sh docker/build.sh
        prove_normal "$@" || status=$?
    fi

    # a summary of the second pass must not hide a failure of the first

    if [ "$status" = 0 ] && [ "$sanitize" != 0 ]; then
        sh docker/build.sh --sanitize
        prove_sanitized "$@" || status=$?
    fi

    exit $status
}


# tini reaps what nginx and redis leave behind, at once.

prove() {
    libraries=-It/lib

    perl -MTest::Nginx::Socket -e1 2>/dev/null \
        || libraries="$libraries -It/lib/fallback"

    # shellcheck disable=SC2086  # lists of words, and a pattern
    tini -s -- prove $libraries "$@" $suites
}


prove_normal() {
    echo "== $(nginx -v 2>&1)"

    TASKS_MODULE=$root/build/ngx_http_tasks_module.so prove "$@"
}


prove_sanitized() {
    echo "== the same with sanitizers"

    reports=$root/build/asan/reports
    rm -rf "$reports"
    mkdir -p "$reports"

    # fuzz has sanitizers itself; the others build and run the module as it is
    # for use, and the page in the browser asks nothing that suites here do not

    if [ -n "$suites" ]; then
        suites=$(ls t/*.t \
                 | grep -vE '^t/(demo|dashboard|fuzz|image|install)\.t$')
    fi

    TASKS_MODULE=$root/build/asan/ngx_http_tasks_module.so \
    TEST_NGINX_BINARY=$root/build/asan/nginx \
    TASKS_SANITIZER_DIR=$reports \
        prove "$@" || return

    # what no block has taken, such as a report written by a late exit

    for report in "$reports"/*; do
        if [ -s "$report" ]; then
            cat "$report"
            echo "Result: FAIL (a sanitizer report)"
            return 1
        fi
    done
}


main "$@"
