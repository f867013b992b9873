#!/bin/sh
# The benchmark: one nginx worker, Redis on a unix socket, 64 keep-alive
# connections, everything on this machine and side by side in one run.
#
#   sh t/bench/run.sh              1,000 and 1,000,000 tasks, 5 rounds
#   ROUNDS=3 SECONDS_EACH=2 LARGE=100000 sh t/bench/run.sh
#
# Prints the median of each contender and ratios.  Nothing outlives it.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/../.." && pwd)
rounds=${ROUNDS:-5}
seconds=${SECONDS_EACH:-3}
large=${LARGE:-1000000}
port=${BENCH_PORT:-18089}
url=http://127.0.0.1:$port
dir=$(mktemp -d)
socket=$dir/redis.sock


main() {
    trap stop EXIT
    trap 'exit 1' HUP INT TERM

    sh "$root/docker/build.sh" --install redis-server wrk perl curl
    sh "$root/docker/build.sh"
    gcc -O2 -Wall -o "$dir/pipeline" "$root/t/bench/pipeline.c" -lhiredis

    start
    load small 1000
    load large "$large"
    cursors

    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        once
    done

    report
}


start() {
    chmod 755 "$dir"
    mkdir -m 777 "$dir/temp"

    redis-server --port 0 --unixsocket "$socket" --unixsocketperm 777 \
        --save '' --dir "$dir" --logfile "$dir/redis.log" &
    redis=$!

    until redis-cli -s "$socket" ping >/dev/null 2>&1; do
        kill -0 $redis || fail "Redis does not start"
    done

    cp "$root/t/bench/bench.json" "$dir"
    start_nginx 'return 200 x;'
}


start_nginx() {
    configure "$1"
    redis-cli -s "$socket" function flush >/dev/null
    nginx -q -p "$dir" -c nginx.conf -e error.log -g 'daemon off;' &
    nginx=$!

    # the worker loads the functions when it is ready

    until redis-cli -s "$socket" function list libraryname tasks_bench \
          | grep -q tasks_bench
    do
        kill -0 $nginx || fail "nginx does not start"
    done

    worker=$(cat "/proc/$nginx/task/$nginx/children")
    worker=${worker%% *}
}


configure() {
    sed -e "s|@MODULE@|$root/build/ngx_http_tasks_module.so|" \
        -e "s|@SOCKET@|$socket|" -e "s|@PORT@|$port|" \
        -e "s|@FIXED@|$1|" "$root/t/bench/nginx.conf" > "$dir/nginx.conf"
}


stop() {
    for pid in ${nginx:-} ${redis:-}; do
        kill "$pid" 2>/dev/null || :
    done

    wait
    rm -rf "$dir"
}


fail() {
    echo "$0: $1" >&2
    tail -n 5 "$dir/redis.log" "$dir/error.log" "$dir/wrk" >&2 2>/dev/null || :
    exit 1
}


used_memory() {
    redis-cli -s "$socket" info memory | tr -d '\r' \
        | sed -n 's/^used_memory:\(.*\)$/\1/p'
}


load() {
    before=$(used_memory)
    began=$(date +%s.%N)
    perl "$root/t/bench/load.pl" "$socket" "$1" "$2"
    ended=$(date +%s.%N)
    after=$(used_memory)

    awk -v n="$2" -v b="$began" -v e="$ended" -v m="$before" -v k="$after" \
        'BEGIN { printf "loaded %d tasks in %.1f s, %d puts/s, " \
                        "%d bytes a task in Redis\n",
                        n, e - b, n / (e - b), (k - m) / n }'
}


# A page in the middle of each list, and a fixed body as long as a list.

cursors() {
    for scope in small large; do
        count=$(redis-cli -s "$socket" zcard "tasks:{bench:$scope}:index")
        position=$(redis-cli -s "$socket" zrange "tasks:{bench:$scope}:index" \
                             $((count / 2)) $((count / 2)))
        cursor=$(printf %s "$position" | base64 | tr '+/' '-_' | tr -d '=')
        eval "cursor_$scope=\$cursor"
    done

    # nginx takes no token of more than 4096 bytes: pieces

    fixed=$(curl -s "$url/tasks?scope=small&limit=50" | fold -w 2000 \
            | sed -e 's/&/\\&/g' -e "s/.*/'&';/" \
            | awk '{ print "set $p" NR " " $0; v = v "$p" NR }
                   END { print "return 200 " v ";" }' \
            | tr '\n' ' ')

    kill "$nginx"
    wait "$nginx"
    start_nginx "$fixed"
}


# Each contender in turn; a line of figures each in a file of its name.

once() {
    wrk_rate fixed "$url/fixed"
    "$dir/pipeline" "$socket" small "$seconds" >> "$dir/redis_small"
    wrk_rotate rotating_small small
    "$dir/pipeline" "$socket" large "$seconds" >> "$dir/redis_large"
    wrk_rotate rotating_large large
    wrk_rate first_small "$url/tasks?scope=small&limit=50"
    wrk_rate first_large "$url/tasks?scope=large&limit=50"
    # shellcheck disable=SC2154  # set by cursors
    wrk_rate deep_small "$url/tasks?scope=small&limit=50&cursor=$cursor_small"
    # shellcheck disable=SC2154
    wrk_rate deep_large "$url/tasks?scope=large&limit=50&cursor=$cursor_large"
    wrk_rate get "$url/tasks/500?scope=large"
}


wrk_rate() {
    name=$1
    shift
    before="$(ticks "$worker") $(ticks "$redis")"
    wrk -t1 -c64 -d"${seconds}s" "$@" > "$dir/wrk"
    after="$(ticks "$worker") $(ticks "$redis")"

    ! grep -q 'Non-2xx\|Socket errors' "$dir/wrk" || fail "$name: errors"
    sed -n 's|^Requests/sec: *||p' "$dir/wrk" >> "$dir/$name"

    requests=$(sed -n 's| *\([0-9]*\) requests in.*|\1|p' "$dir/wrk")
    echo "$before $after $requests $(getconf CLK_TCK)" \
        | awk '{ t = 1e6 / $6 / $5; print ($3 - $1) * t, ($4 - $2) * t }' \
        >> "$dir/cpu_$name"
}


# CPU time of a process, user and system, in clock ticks.

ticks() {
    awk '{ print $14 + $15 }' "/proc/$1/stat"
}


wrk_rotate() {
    wrk_rate "$1" -s "$root/t/bench/rotate.lua" "$url" -- "$2"
}


# The median of a column of a file.

median() {
    awk -v c="${2:-1}" '{ print $c }' "$dir/$1" | sort -n \
        | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}


report() {
    echo
    echo "medians of $rounds rounds of $seconds s, requests a second"

    for name in fixed redis_small rotating_small redis_large rotating_large \
                first_small first_large deep_small deep_large get
    do
        printf '%-16s %8.0f' $name "$(median $name)"

        if [ -f "$dir/cpu_$name" ]; then
            printf '   CPU a request: nginx %5.1f us, Redis %5.1f us' \
                   "$(median cpu_$name 1)" "$(median cpu_$name 2)"
        fi

        echo
    done

    echo
    ratio rotating_small redis_small "lists of rotating filters, of Redis's limit"
    ratio rotating_large redis_large "the same with $large tasks"
    ratio first_large first_small "first page, $large tasks to 1000"
    ratio deep_large deep_small "deep cursor, $large tasks to 1000"
    ratio deep_large first_large "deep cursor to first page, $large tasks"
    ratio get fixed "one task, of nginx's fixed body of a list's size"
}


ratio() {
    printf '%5.2f  %s\n' "$(echo "$(median "$1") $(median "$2")" \
                             | awk '{ print $1 / $2 }')" "$3"
}


main
