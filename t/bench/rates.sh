# shellcheck shell=sh disable=SC2154  # variables of run.sh
# The part "rates": lists without and with the cache, 304, and one task, beside
# the limits and the contenders.


run_rates() {
    start_contenders

    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        rates_of_lists
        rates_of_hot_list
        rates_of_task
    done

    for name in $contenders; do
        end "$name"
    done

    report_rates
    rate_targets
}


rates_of_lists() {
    pipeline_load redis_list large
    rotating_load cold tasks /cold

    for name in $contenders; do
        [ "$name" = webdis ] || rotating_load "list_$name" "$name" /tasks
    done
}


# pipeline_load NAME SCOPE: Redis's limit.

pipeline_load() {
    "$dir/pipeline" "$socket" "$2" "$seconds" >"$dir/rate" \
        || fail "the C client fails"
    keep "$1" <"$dir/rate"
}


# rotating_load NAME SERVER PATH: lists of rotating filters.

rotating_load() {
    wrk_load "$1" "$2" -s "$here/rotate.lua" "$(url_of "$2")" -- "$3" large
}


rates_of_hot_list() {
    list="$(url_of tasks)$hot_list"

    wrk_load fixed_list fixed "$(url_of fixed)/list"
    wrk_load hot tasks "$list"
    with_writes 100 large wrk_load hot_writes tasks "$list"
    wrk_load fixed_304 fixed "$(url_of fixed)/304"
    known=$(etag_of "$list")
    wrk_load not_modified tasks -H "If-None-Match: $known" "$list"
}


etag_of() {
    etag=$(curl -s -m 10 -o "$dir/answer" -D - "$1" | tr -d '\r' \
           | sed -n 's/^ETag: //p')
    status=$(curl -s -m 10 -o "$dir/answer" -w '%{http_code}' \
                  -H "If-None-Match: $etag" "$1")
    [ "$status" = 304 ] || fail "If-None-Match: $etag is answered by $status"
    echo "$etag"
}


rates_of_task() {
    wrk_load fixed_get fixed "$(url_of fixed)/get"
    wrk_load get tasks "$(url_of tasks)$(get_path tasks)"

    for name in $contenders; do
        wrk_load "get_$name" "$name" "$(url_of "$name")$(get_path "$name")"
    done
}


report_rates() {
    echo
    echo "medians of $rounds rounds of $seconds s; ratio: to the first line of" \
         "the table;"
    echo "server, Redis, wrk: CPU time of a request; memory: of the server"

    heading "50-row lists, not cached, rotating filters"
    row redis_list "Redis's limit: the same commands by a C client"
    row cold "this module, tasks_cache off" redis_list
    report_contenders list_ redis_list

    heading "50-row list, always the same"
    row fixed_list "nginx: fixed body of the same size"
    row hot "this module" fixed_list
    row hot_writes "the same beside 100 writes/s to this list" fixed_list

    heading "the same list by If-None-Match"
    row fixed_304 "nginx: return 304"
    row not_modified "this module" fixed_304

    heading "one task of 12 fields"
    row fixed_get "nginx: fixed body of the same size"
    row get "this module" fixed_get
    report_contenders get_ fixed_get
}


# report_contenders PREFIX REFERENCE

report_contenders() {
    for name in $contenders; do
        row "$1$name" "$(title_of "$name")" "$2"
    done
}


rate_targets() {
    target_ratio "hot list / fixed body" 0.82 hot fixed_list
    target_ratio "the same with 100 writes/s" 0.60 hot_writes fixed_list
    target_ratio "If-None-Match / return 304" 0.85 not_modified fixed_304
    target_ratio "not cached / Redis's limit" 0.85 cold redis_list
    target_to_best "not cached" 1.7 cold list_
    target_ratio "one task / fixed body" 0.55 get fixed_get
    target_to_best "one task" 2.5 get get_
}


# target_to_best TEXT LIMIT NAME PREFIX: to the best of the contenders, and to
# the best of those that answer with the same JSON, if that is another one.

target_to_best() {
    peer=$(best_contender "$4" "$contenders")
    same=$(best_contender "$4" "$(echo "$contenders" | sed 's/ webdis//')")

    for name in $peer $same; do
        target_ratio "$1 / $(title_of "$name")" "$2" "$3" "$4$name"
        [ "$peer" != "$same" ] || break
    done
}


# best_contender PREFIX NAMES

best_contender() {
    for name in $2; do
        ! measured "$1$name" || echo "$(median "$1$name") $name"
    done | sort -g | tail -n 1 | cut -d' ' -f2
}
