# shellcheck shell=sh disable=SC2154  # variables of run.sh
# The parts "stream" and "slow": lists of all tasks, which go out in chunks, and
# what they take of the worker's memory.  Both begin with a new worker.

readers=200
all='/tasks/all?scope=large'


run_stream() {
    restart_tasks
    check_stream
    restart_tasks

    used=$(memory tasks VmRSS)
    forget_peak tasks

    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        "$dir/stream" "$socket" large >"$dir/rate" \
            || fail "the C client fails"
        awk '{ print $1 / $2 }' "$dir/rate" | keep stream_client
        stream stream_json application/json
        stream stream_lines application/x-ndjson
    done

    peak=$(memory tasks VmHWM)
    grown=$(mebibytes $((peak - used)))

    heading "a list of all $tasks tasks, in rows"
    row stream_client "the same commands by a C client"
    row stream_json "this module, JSON, read by curl" stream_client
    row stream_lines "this module, NDJSON" stream_client
    echo "memory of the worker: $used KB before, $peak KB at most"

    target "stream: memory of the worker grows by" '<' 4 "$grown" " MiB"
    target_ratio "stream / C client" 0.7 stream_json stream_client
}


# Each row is there, and both forms hold the same ones.

check_stream() {
    fetch application/x-ndjson >"$dir/lines"
    fetch application/json >"$dir/whole"

    rows=$(wc -l <"$dir/lines")
    [ "$rows" -eq "$tasks" ] || fail "a list has $rows of $tasks rows"

    {
        printf '{"code":200,"message":"success","data":['
        tr '\n' , <"$dir/lines" | sed 's/,$//'
        printf ']}'
    } | cmp - "$dir/whole" || fail "JSON and NDJSON differ"

    rm "$dir/lines" "$dir/whole"
}


# fetch TYPE [CURL OPTIONS]: the whole list.

fetch() {
    type=$1
    shift
    curl -sf -m 120 -H "Accept: $type" "$@" "$(url_of tasks)$all" \
        || fail "a streamed list fails"
}


# stream NAME TYPE: rows a second.

stream() {
    fetch "$2" -o /dev/null -w '%{time_total}\n' >"$dir/rate"
    awk -v n="$tasks" '{ print n / $1 }' "$dir/rate" | keep "$1"
}


mebibytes() {
    awk -v k="$1" 'BEGIN { printf "%.2f\n", k / 1024 }'
}


# Gets alone and beside slow readers, by turns.

run_slow() {
    restart_tasks

    used=$(memory tasks VmRSS)
    forget_peak tasks

    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        get_load get_alone
        beside_readers get_load get_beside
    done

    peak=$(memory tasks VmHWM)

    heading "one task beside $readers readers of 10 KB/s"
    row get_alone "without them"
    row get_beside "with them" get_alone
    echo "memory of the worker: $used KB before, $peak KB at most; each reader" \
         "got $(median slow_rate) bytes/s"

    target "$readers slow readers: memory of the worker grows by" '<' 64 \
        "$(mebibytes $((peak - used)))" " MiB"
    target_ratio "gets beside them / without" 0.8 get_beside get_alone
}


get_load() {
    wrk_load "$1" tasks "$(url_of tasks)$(get_path tasks)"
}


beside_readers() {
    begin slow perl "$here/slow.pl" "$(port_of tasks)" "$all" $readers \
        $((seconds + 1))
    slow=$(pid_of slow)

    await 20 grep -qs ready "$dir/slow.log" || fail "slow readers get nothing"
    "$@"
    await $((seconds + 20)) is_gone "$slow" || fail "slow readers do not end"
    wait "$slow" || fail "slow readers fail"
    tail -n 1 "$dir/slow.log" | keep slow_rate
    end slow
}
