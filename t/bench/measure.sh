# shellcheck shell=sh disable=SC2154  # variables of run.sh
# One load, and what becomes of its figures: a file of each in $dir/figures,
# with a line a round.


# wrk_load NAME SERVER [WRK OPTIONS] URL: a load of 64 connections.  Its line is
# requests/s, CPU microseconds a request of the server, of Redis and of wrk, and
# the server's memory in KB.

wrk_load() {
    figure=$1
    server=$2
    shift 2
    pid=$(pid_of "$server")

    times >"$dir/times_before"
    before="$(ticks "$pid") $(ticks "$redis")"
    timeout $((seconds + 20)) wrk -t1 -c64 -d"${seconds}s" "$@" >"$dir/wrk" \
        || fail "$figure: wrk fails"
    after="$(ticks "$pid") $(ticks "$redis")"
    times >"$dir/times_after"

    ! grep -q 'Non-2xx\|Socket errors' "$dir/wrk" || fail "$figure: errors"

    rate=$(sed -n 's|^Requests/sec: *||p' "$dir/wrk")
    requests=$(sed -n 's| *\([0-9]*\) requests in.*|\1|p' "$dir/wrk")
    [ "$requests" -gt 0 ] || fail "$figure: no request was answered"

    echo "$before $after $requests $(getconf CLK_TCK) $rate" \
         "$(memory "$server" VmRSS)" \
         "$(children_time "$dir/times_before")" \
         "$(children_time "$dir/times_after")" \
        | awk '{ t = 1e6 / $6 / $5
                 print $7, ($3 - $1) * t, ($4 - $2) * t, ($10 - $9) * 1e6 / $5,
                       $8 }' \
        | keep "$figure"
}


# Seconds, of what "times" has written: user and system time of all processes
# that this shell has waited for.

children_time() {
    awk 'NR == 2 { split($1, u, /[ms]/); split($2, s, /[ms]/)
                   print u[1] * 60 + u[2] + s[1] * 60 + s[2] }' "$1"
}


# with_writes RATE SCOPE COMMAND...: with so many writes a second to the first
# page of the list of running tasks.  The rate that came of it is a figure, too.

with_writes() {
    asked=$1

    if [ "$asked" = 0 ]; then
        shift 2
        "$@"
        return
    fi

    begin writer "$dir/writer" "$socket" "$2" "$asked" $((seconds + 1))
    shift 2
    sleep 0.2
    "$@"
    await $((seconds + 10)) is_gone "$(pid_of writer)" \
        || fail "the writer does not end"
    wait "$(pid_of writer)" || fail "the writer fails"
    keep "writes_$asked" <"$dir/writer.log"
    end writer
}


# keep NAME: appends its input.

keep() {
    mkdir -p "$dir/figures"
    cat >>"$dir/figures/$1"
}


measured() {
    [ -f "$dir/figures/$1" ]
}


# median NAME [COLUMN]

median() {
    awk -v c="${2:-1}" '{ print $c }' "$dir/figures/$1" | sort -g \
        | awk '{ v[NR] = $1 }
               END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}


# most NAME [COLUMN]

most() {
    awk -v c="${2:-1}" '{ print $c }' "$dir/figures/$1" | sort -g | tail -n 1
}


# ratio NAME NAME: of medians.

ratio() {
    echo "$(median "$1") $(median "$2")" | awk '{ printf "%.3f\n", $1 / $2 }'
}


# Tables

heading() {
    echo
    printf '%-50s %9s %6s %8s %8s %8s %8s\n' "$1" "per s" "ratio" "server" \
           "Redis" "wrk" "memory"
}


# row NAME LABEL [REFERENCE]: its figures and its ratio to the reference.

row() {
    measured "$1" || return 0
    printf '%-50s %9.0f' "$2" "$(median "$1")"

    if [ "${3:-}" ]; then
        printf ' %6.2f' "$(ratio "$1" "$3")"
    else
        printf ' %6s' ''
    fi

    if [ "$(head -n 1 "$dir/figures/$1" | wc -w)" -gt 1 ]; then
        for column in 2 3 4; do
            printf ' %5.1f us' "$(median "$1" $column)"
        done
        printf ' %5.1f MB' "$(most "$1" 5 | awk '{ print $1 / 1024 }')"
    fi

    echo
}


# target TEXT OPERATOR LIMIT MEASURED [UNIT]: a line of the last table.

target() {
    awk -v t="$1" -v op="$2" -v limit="$3" -v m="$4" -v u="${5:-}" 'BEGIN {
        met = op == ">=" ? m + 0 >= limit + 0 : m + 0 < limit + 0
        printf "%-58s | %6.2f%s | %s\n", t " " op " " limit u, m, u,
               met ? "yes" : "NO" }' >>"$dir/targets"
}


# target_ratio TEXT LIMIT NAME NAME: at least so much of the other one.

target_ratio() {
    ! measured "$3" || ! measured "$4" \
        || target "$1" '>=' "$2" "$(ratio "$3" "$4")"
}


report_targets() {
    echo
    printf '%-58s | %s | %s\n' "target" "measured" "met"
    cat "$dir/targets" 2>/dev/null || echo "(none was measured)"
}
