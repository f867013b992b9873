#!/bin/sh
# Feeds the units that read hostile bytes with made-up ones, by libFuzzer, with
# the address, leak and undefined-behaviour sanitizers, inside Debian's nginx:
#
#   sh t/fuzz/run.sh                  60 seconds for each unit
#   sh t/fuzz/run.sh 600              600 seconds
#   sh t/fuzz/run.sh 60 request       one unit
#   sh t/fuzz/run.sh 0                only what is kept in t/fuzz/corpus; for
#                                     this gcc will do
#   sh t/fuzz/run.sh 0 request FILE   what a file, such as a finding, does
#   TASKS_FUZZ_MERGE=1 sh ...         keeps the inputs that reach more code, too
#
# Prints how many inputs each unit took, and ends with a status other than 0 if
# there was a finding, which is then in build/fuzz/findings.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-60}
units=${2:-reply request token definition}
file=${3:-}

sanitizers="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
sanitizers="$sanitizers -fno-omit-frame-pointer"


main() {
    cd "$root"

    if [ "$seconds" = 0 ]; then
        use_gcc
    else
        use_clang
    fi

    build
    write_keys

    rm -rf "$out/findings"
    mkdir -p "$out/findings"

    status=0

    for unit in $units; do
        write_unit "$unit"
        run_unit "$unit" || status=1
    done

    exit $status
}


# The objects of the sanitized module, and a driver in libFuzzer's place.

use_gcc() {
    out=$root/build/fuzz/gcc
    tree=$root/build/asan/tree
    cc=gcc

    sh docker/build.sh --packages openssl >&2
    sh docker/build.sh --sanitize >&2

    runtime=$(readlink -f "$(gcc -print-file-name=libasan.so)")
    runtime=$runtime:$(readlink -f "$(gcc -print-file-name=libubsan.so)")
    sources="$root/t/fuzz/replay.c $tree/objs/addon/src/*.o"
    options=$sanitizers
}


# NULL + 0, which clang minds, is the end of an empty string to nginx.

use_clang() {
    out=$root/build/fuzz/clang
    tree=$root/build/tree

    case $(. /etc/os-release && echo "$VERSION_ID") in
    12) version=14 ;;
    *)  version=19 ;;
    esac

    sh docker/build.sh --packages clang-$version libclang-rt-$version-dev \
                                 openssl >&2
    sh docker/build.sh >&2

    cc=clang-$version
    runtime=$($cc -print-file-name=libclang_rt.asan-x86_64.so)
    sources="$root/src/*.c
             $($cc -print-file-name=libclang_rt.fuzzer_no_main-x86_64.a)
             -lstdc++ -lm"
    options="-fsanitize=fuzzer-no-link $sanitizers -shared-libasan
             -fno-sanitize=pointer-overflow"
}


# The module and the targets as one shared object, with the headers that the
# module's own build has made.

build() {
    so=$out/ngx_http_tasks_fuzz.so

    mkdir -p "$out"

    if [ -e "$so" ] && [ -z "$(find "$root/src" "$root/t/fuzz" \
                                    -name '*.[ch]' -newer "$so")" ]
    then
        return
    fi

    echo '{ global: ngx_modules; ngx_module_names; ngx_module_order;
            local: *; };' >"$out/symbols"

    # shellcheck disable=SC2046,SC2086  # lists of words, and patterns
    $cc -g -O1 -fPIC -shared -U_FORTIFY_SOURCE -Wall -Wextra -Werror $options \
        $(printf -- '-I %s ' "$root/src" "$root/t/fuzz" "$tree/objs" \
          "$tree/objs/tasks" "$tree/src/core" "$tree/src/event" \
          "$tree/src/event/modules" "$tree/src/event/quic" \
          "$tree/src/os/unix" "$tree/src/http" "$tree/src/http/modules" \
          "$tree/src/http/v2" "$tree/src/http/v3") \
        "$root"/t/fuzz/ngx_*.c $sources -o "$so" \
        -Wl,--version-script="$out/symbols" \
        -lhiredis -ljansson -lcrypto
}


write_keys() {
    if [ -e "$out/ed.pem" ]; then
        return
    fi

    echo 'the secret of the fuzz targets, 40 bytes' >"$out/hs.key"

    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 \
        | openssl pkey -pubout -out "$out/ec.pem"
    openssl genpkey -quiet -algorithm ED25519 \
        | openssl pkey -pubout -out "$out/ed.pem"
}


# A program for libFuzzer, which calls itself to merge.

write_unit() {
    case $1 in
    request) arguments="$root/t/fuzz/request.json
                        $(ls "$root"/conf/apis/*.json | grep -v /schema)" ;;
    token)   arguments="HS256 $out/hs.key ES256 $out/ec.pem
                        EdDSA $out/ed.pem" ;;
    *)       arguments= ;;
    esac

    # shellcheck disable=SC2086,SC2116  # the words on one line
    echo "pid $out/$1.pid; load_module $so; events { }
          http { tasks_fuzz $1 $(echo $arguments); }" >"$out/$1.conf"

    cat >"$out/$1" <<END
#!/bin/sh
export TASKS_FUZZ="\$0 \$*"
export LD_PRELOAD=$runtime
export ASAN_OPTIONS=leak_check_at_exit=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
exec nginx -q -t -e stderr -p "$out" -c "$out/$1.conf"
END

    chmod 755 "$out/$1"
}


run_unit() {
    unit=$1
    kept=$root/t/fuzz/corpus/$unit
    log=$out/$unit.log

    if [ -n "$file" ]; then
        "$out/$unit" "$file"
        return
    fi

    if [ "$seconds" = 0 ]; then
        set -- "$kept"
    else
        mkdir -p "$out/new/$unit"
        set -- "$out/new/$unit" "$kept" -max_total_time="$seconds" \
               -artifact_prefix="$out/findings/$unit-" -max_len=16384 \
               -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
               -dict="$root/t/fuzz/$unit.dict"
    fi

    rc=0
    "$out/$unit" "$@" >"$log" 2>&1 || rc=$?

    # a run without a last line has not come to its end

    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")

    if [ $rc != 0 ] || [ -z "$count" ]; then
        tail -60 "$log" >&2
        echo "$unit: a finding, see $log and $out/findings"
        return 1
    fi

    echo "$unit: $count inputs, no finding"

    if [ -n "${TASKS_FUZZ_MERGE:-}" ] && [ "$seconds" != 0 ]; then
        merge
    fi
}


# Few and small: what it takes to reach all code that was reached.

merge() {
    rm -rf "$out/merged"
    mkdir -p "$out/merged"

    "$out/$unit" -set_cover_merge=1 -use_counters=0 -max_len=16384 \
        "$out/merged" "$out/new/$unit" "$kept" >"$out/$unit.merge.log" 2>&1

    rm -f "$kept"/*
    cp "$out/merged"/* "$kept"

    echo "$unit: $(find "$kept" -type f | wc -l) inputs reach all that was"
}


main "$@"
