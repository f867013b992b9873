# shellcheck shell=sh disable=SC2154  # variables of run.sh
# The part "growth": what becomes of the rate as one thing grows: tasks, depth
# of the page, connections, writes beside it, rows.  Short: tasks and depth.


run_growth() {
    scopes='small large'

    if [ "$full" ]; then
        load_tasks medium $((tasks / 10))
        scopes='small medium large'
    fi

    round=0
    while [ $round -lt "$rounds" ]; do
        round=$((round + 1))
        growth_of_tasks

        if [ "$full" ]; then
            growth_of_connections
            growth_of_writes
            growth_of_rows
        fi
    done

    report_growth
    growth_targets
}


# First page and the page in the middle of the list of all tasks.

growth_of_tasks() {
    for scope in $scopes; do
        list="$(url_of tasks)/cold?scope=$scope&limit=50"
        wrk_load "first_$scope" tasks "$list"
        wrk_load "deep_$scope" tasks "$list&cursor=$(middle_of "$scope")"
    done
}


middle_of() {
    count=$(redis_cli zcard "tasks:{bench:$1}:index")
    position=$(redis_cli zrange "tasks:{bench:$1}:index" $((count / 2)) \
                         $((count / 2)))
    printf %s "$position" | base64 | tr '+/' '-_' | tr -d '=\n'
}


growth_of_connections() {
    for n in 1 64 1000; do
        for path in /cold /tasks; do
            wrk_load "connections_$n$(slug $path)" tasks -c "$n" \
                "$(url_of tasks)$(running_list $path)"
        done
    done
}


growth_of_writes() {
    for n in 0 100 5000; do
        for path in /cold /tasks; do
            with_writes $n large wrk_load "beside_$n$(slug $path)" tasks \
                "$(url_of tasks)$(running_list $path)"
        done
    done
}


growth_of_rows() {
    for n in 1 50 1000; do
        for path in /cold /tasks; do
            wrk_load "rows_$n$(slug $path)" tasks \
                "$(url_of tasks)$(running_list $path $n)"
        done
    done
}


# running_list PATH [ROWS]: the list that the writer changes.

running_list() {
    echo "$1?scope=large&status=running&limit=${2:-50}"
}


slug() {
    echo "$1" | tr / _
}


report_growth() {
    heading "not cached, 50 rows: tasks and depth"

    for scope in $scopes; do
        count=$(redis_cli zcard "tasks:{bench:$scope}:index")
        row "first_$scope" "$count tasks, first page" first_small
        row "deep_$scope" "$count tasks, cursor in the middle" first_small
    done

    measured connections_1_cold || return 0

    for path in cold tasks; do
        [ $path = cold ] && kind="not cached" || kind="cached"

        heading "$kind: connections"
        report_series connections_ "$path" "connections" 64 1 64 1000
        heading "$kind: writes/s to the list meanwhile"
        report_series beside_ "$path" "writes/s" 0 0 100 5000
        heading "$kind: rows (1000: in chunks)"
        report_series rows_ "$path" "rows" 50 1 50 1000
    done

    for n in 100 5000; do
        ! measured "writes_$n" \
            || echo "of $n writes/s there were $(median "writes_$n")"
    done
}


# report_series PREFIX PATH UNIT REFERENCE N...

report_series() {
    prefix=$1
    path=$2
    unit=$3
    reference=$1$4_$2
    shift 4

    for n do
        row "$prefix${n}_$path" "$n $unit" "$reference"
    done
}


growth_targets() {
    target_ratio "first page, $tasks tasks / 1000 tasks" 0.9 first_large \
        first_small
    target_ratio "deep cursor / first page" 0.9 deep_large first_large
}
