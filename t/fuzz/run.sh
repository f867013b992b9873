#!/bin/sh
# Feeds the units that read hostile bytes with made-up ones, by libFuzzer, with
# the address, leak and undefined-behaviour sanitizers, inside Debian's nginx:
#
#   sh t/fuzz/run.sh                  60 seconds for each unit
#   sh t/fuzz/run.sh 600              600 seconds
#   sh t/fuzz/run.sh 0                only what is kept in t/fuzz/corpus
#   sh t/fuzz/run.sh 60 request       one unit
#   sh t/fuzz/run.sh 60 request FILE  what a file, such as a finding, does
#   TASKS_FUZZ_MERGE=1 sh ...         then keeps the inputs that reach more code
#
# Prints how many inputs each unit took, and ends with a status other than 0 if
# there was a finding, which is then in build/fuzz/findings.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/build/fuzz
seconds=${1:-60}
units=${2:-reply request token definition}


main() {
    cd "$root"

    sh docker/build.sh --install clang-14 libclang-rt-14-dev openssl
    sh docker/build.sh
    build
    write_keys

    rm -rf "$out/findings"
    mkdir -p "$out/findings"

    status=0

    for unit in $units; do
        write_unit "$unit"

        if [ -n "${3:-}" ]; then
            "$out/$unit" "$3"
            continue
        fi

        run_unit "$unit" || status=1
    done

    exit $status
}


# The module and the targets as one shared object, with the headers that the
# module's own build has made.  NULL + 0, which clang minds, is the end of an
# empty string to nginx.

build() {
    so=$out/ngx_http_tasks_fuzz.so
    tree=$root/build/tree

    mkdir -p "$out"

    if [ -n "$(find "$so" -newer "$root/build/ngx_http_tasks_module.so" \
               2>/dev/null)" ] \
       && [ -z "$(find "$root/t/fuzz" -name '*.[ch]' -newer "$so")" ]
    then
        return
    fi

    echo '{ global: ngx_modules; ngx_module_names; ngx_module_order;
            local: *; };' >"$out/symbols"

    # shellcheck disable=SC2046  # a list of words
    clang-14 -g -O1 -fPIC -Wall -Wextra -Werror -shared -o "$so" \
        -fsanitize=fuzzer-no-link,address,undefined -shared-libasan \
        -fno-sanitize=pointer-overflow -fno-sanitize-recover=undefined \
        -fno-omit-frame-pointer \
        $(printf -- '-I %s ' "$root/src" "$root/t/fuzz" "$tree/objs" \
          "$tree/objs/tasks" "$tree/src/core" "$tree/src/event" \
          "$tree/src/os/unix" "$tree/src/http" "$tree/src/http/modules" \
          "$tree/src/http/v2") \
        "$root"/src/*.c "$root"/t/fuzz/*.c \
        "$(clang-14 -print-file-name=libclang_rt.fuzzer_no_main-x86_64.a)" \
        -Wl,--version-script="$out/symbols" \
        -lhiredis -ljansson -lcrypto -lstdc++ -lm
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

    echo "pid $out/$1.pid; load_module $so; events { }
          http { tasks_fuzz $1 $(echo $arguments); }" >"$out/$1.conf"

    cat >"$out/$1" <<END
#!/bin/sh
export TASKS_FUZZ="\$0 \$*"
export LD_PRELOAD=$(clang-14 -print-file-name=libclang_rt.asan-x86_64.so)
export ASAN_OPTIONS=leak_check_at_exit=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1
exec nginx -q -t -e stderr -p "$out" -c "$out/$1.conf"
END

    chmod 755 "$out/$1"
}


run_unit() {
    new=$out/new/$1
    kept=$root/t/fuzz/corpus/$1
    log=$out/$1.log

    mkdir -p "$new" "$kept"

    set -- "$1" -artifact_prefix="$out/findings/$1-" -max_len=16384 \
           -timeout=10 -rss_limit_mb=1024 -print_final_stats=1

    if [ -e "$root/t/fuzz/$1.dict" ]; then
        set -- "$@" -dict="$root/t/fuzz/$1.dict"
    fi

    if [ "$seconds" = 0 ]; then
        set -- "$@" -runs=0 "$kept"
    else
        set -- "$@" -max_total_time="$seconds" "$new" "$kept"
    fi

    unit=$1
    shift

    rc=0
    "$out/$unit" "$@" >"$log" 2>&1 || rc=$?

    # a run without a last line has not come to its end

    count=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")

    if [ $rc != 0 ] || [ -z "$count" ]; then
        tail -60 "$log" >&2
        echo "$unit: a finding, see $log and $out/findings"
        return 1
    fi

    coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    echo "$unit: $count inputs, no finding; $coverage edges seen"

    if [ -n "${TASKS_FUZZ_MERGE:-}" ]; then
        merge "$unit"
    fi
}


# Few and small: what each unit's code needs to be seen.

merge() {
    rm -rf "$out/merged"
    mkdir -p "$out/merged"

    "$out/$1" -merge=1 -max_len=16384 "$out/merged" "$out/new/$1" "$kept" \
        >"$out/$1.merge.log" 2>&1

    echo "$1: $(ls "$out/merged" | wc -l) inputs reach all of it"
}


main "$@"
