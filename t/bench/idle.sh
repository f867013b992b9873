# shellcheck shell=sh disable=SC2154  # variables of run.sh
# The part "idle": what an idle keep-alive connection that has got a list takes
# of the worker's memory, beside nginx without the module.

idle_connections=2000


run_idle() {
    idle_load tasks "$hot_list"
    idle_load fixed /list

    ours=$(median idle_tasks)
    plain=$(median idle_fixed)

    echo
    echo "$idle_connections idle connections: $ours bytes each," \
         "in nginx without the module $plain"

    target "memory of an idle connection / nginx alone" '<' 1.1 \
        "$(ratio idle_tasks idle_fixed)"
}


# idle_load SERVER PATH: in a new worker that has answered before.

idle_load() {
    end "$1"
    start_nginx "$1" "$2"

    used=$(memory "$1" RssAnon)
    begin idle perl "$here/idle.pl" "$(port_of "$1")" "$2" $idle_connections
    await 30 grep -qs ready "$dir/idle.log" || fail "idle connections fail"
    echo $((($(memory "$1" RssAnon) - used) * 1024 / idle_connections)) \
        | keep "idle_$1"
    end idle
}
