# shellcheck shell=sh disable=SC2154  # variables of run.sh
# Processes of the benchmark: each has a name, and in $dir/pids a file of that
# name with the id by which it is ended, in $dir/measured one with the id of
# the process that does the work.


# begin NAME COMMAND...: starts a process.

begin() {
    process=$1
    shift
    mkdir -p "$dir/pids" "$dir/measured"
    "$@" >"$dir/$process.log" 2>&1 &
    echo $! >"$dir/pids/$process"
    echo $! >"$dir/measured/$process"
}


pid_of() {
    cat "$dir/measured/$1"
}


# A process that has ended, but was not waited for, is not alive.

alive() {
    grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status" 2>/dev/null
}


# end NAME: ends it, and waits until it is gone.

end() {
    process=$1
    [ -f "$dir/pids/$process" ] || return 0

    ended=$(cat "$dir/pids/$process")
    rm "$dir/pids/$process"

    kill "$ended" 2>/dev/null || :
    await 5 is_gone "$ended" || kill -9 "$ended" 2>/dev/null || :
    wait "$ended" 2>/dev/null || :
}


is_gone() {
    ! alive "$1"
}


# await SECONDS COMMAND...: until it succeeds; fails when the time is up.

await() {
    tries=$(($1 * 20))
    shift

    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.05
    done
}


stop() {
    for file in "$dir/pids"/*; do
        end "${file##*/}"
    done

    rm -rf "$dir"
}


fail() {
    tail -n 5 "$dir"/*.log "$dir"/*/error.log "$dir/wrk" >&2 2>/dev/null || :
    echo "t/bench/run.sh: $*" >&2
    exit 1
}


# Redis

start_redis() {
    chmod 755 "$dir"
    socket=$dir/redis.sock

    begin redis redis-server --port 0 --unixsocket "$socket" \
        --unixsocketperm 777 --save '' --dir "$dir"
    redis=$(pid_of redis)
    await 20 redis_answers || fail "Redis does not start"
}


redis_answers() {
    redis_cli ping >/dev/null 2>&1
}


redis_cli() {
    redis-cli -s "$socket" "$@"
}


used_memory() {
    redis_cli info memory | tr -d '\r' | sed -n 's/^used_memory:\(.*\)$/\1/p'
}


# load_tasks SCOPE COUNT

load_tasks() {
    before=$(used_memory)
    began=$(date +%s.%N)
    perl "$here/load.pl" "$socket" bench "$1" "$2"
    ended=$(date +%s.%N)
    after=$(used_memory)

    awk -v n="$2" -v b="$began" -v e="$ended" -v m="$before" -v k="$after" \
        'BEGIN { printf "loaded %d tasks in %.1f s, %d puts/s, " \
                        "%d bytes a task in Redis\n",
                        n, e - b, n / (e - b), (k - m) / n }'
}


# nginx, each with a directory of its own

port_of() {
    first=${BENCH_PORT:-18089}

    case $1 in
    tasks)   echo "$first" ;;
    fixed)   echo $((first + 1)) ;;
    lua)     echo $((first + 2)) ;;
    node)    echo $((first + 3)) ;;
    fastify) echo $((first + 4)) ;;
    fastapi) echo $((first + 5)) ;;
    go)      echo $((first + 6)) ;;
    webdis)  echo $((first + 7)) ;;
    esac
}


url_of() {
    echo "http://127.0.0.1:$(port_of "$1")"
}


# fill NAME FILE: the file with its places filled in.

fill() {
    sed -e "s|@SOCKET@|$socket|" -e "s|@PORT@|$(port_of "$1")|" "$2"
}


# make_nginx NAME MODULE...: its directory, but for server.conf.

make_nginx() {
    prefix=$dir/$1
    shift
    mkdir -p "$prefix"
    [ -d "$prefix/temp" ] || mkdir -m 777 "$prefix/temp"
    cp "$here/nginx.conf" "$prefix"

    for library do
        echo "load_module $library;"
    done >"$prefix/modules.conf"
}


# start_nginx NAME PATH: returns when PATH is answered.

start_nginx() {
    begin "$1" nginx -p "$dir/$1" -c nginx.conf -e error.log -g 'daemon off;'
    await_url "$1" "$2"

    master=$(pid_of "$1")
    children=$(cat "/proc/$master/task/$master/children")
    echo "${children%% *}" >"$dir/measured/$1"
}


await_url() {
    await 20 answers "$1" "$2" || fail "$1 does not answer $2"
    alive "$(pid_of "$1")" || fail "$1 has ended: is its port taken?"
}


answers() {
    alive "$(pid_of "$1")" \
        && curl -sf -m 5 -o "$dir/answer" "$(url_of "$1")$2" 2>/dev/null
}


# nginx with the module.  It has loaded the functions when a list is answered.

start_tasks() {
    make_nginx tasks "$module"
    fill tasks "$here/tasks.conf" >"$dir/tasks/server.conf"
    cp "$here/bench.json" "$dir/tasks"
    make_definitions "$dir/tasks"
    start_nginx tasks '/tasks?scope=small'
    await 20 loaded || fail "the functions are not loaded"
}


loaded() {
    for library in bench write1 write2 write3; do
        redis_cli function list libraryname "tasks_$library" \
            | grep -q "tasks_$library" || return 1
    done
}


restart_tasks() {
    end tasks
    start_nginx tasks '/tasks?scope=small'
}


# nginx without the module: what it makes of bodies of the same sizes.

start_fixed() {
    make_nginx fixed

    {
        echo "server {"
        echo "    listen 127.0.0.1:$(port_of fixed);"
        fixed_body /list "$(url_of tasks)$hot_list"
        fixed_body /get "$(url_of tasks)/tasks/500?scope=large"
        echo "    location = /304 { return 304; }"
        echo "}"
    } >"$dir/fixed/server.conf"

    start_nginx fixed /list
}


# nginx takes no token of more than 4096 bytes: pieces.

fixed_body() {
    echo "    location = $1 {"
    curl -sf -m 10 "$2" | fold -w 4000 \
        | awk '{ print "        set $p" NR " '\''" $0 "'\'';"; v = v "$p" NR }
               END { print "        return 200 " v ";\n    }" }'
}


# What is used by processes

# CPU time, user and system, in clock ticks.

ticks() {
    sed 's/.*) //' "/proc/$1/stat" | awk '{ print $12 + $13 }'
}


# memory NAME LINE: a line of /proc/PID/status, in KB.

memory() {
    sed -n "s/^$2:[^0-9]*\([0-9]*\) kB$/\1/p" "/proc/$(pid_of "$1")/status"
}


# Has VmHWM, the most memory that was used, begin anew.

forget_peak() {
    echo 5 >"/proc/$(pid_of "$1")/clear_refs"
}
