#!/bin/sh
# The demo: a private Redis (unix socket, no TCP, nothing on disk), nginx with
# the module on 127.0.0.1, which serves five task APIs, sample tasks for each,
# tokens and keys, and a simulated worker that moves the tasks of one of them.
# Installs what is missing and builds the module first; Debian 12 and 13.
#
#   sh conf/demo.sh           runs it until Ctrl-C
#   sh conf/demo.sh start     runs it in the background; returns when it answers
#   sh conf/demo.sh stop      ends it and removes all that it made
#   sh conf/demo.sh status    says whether it runs (exit status 0) or not (3)
#
#   TASKS_DEMO_PORT=8080      the port
#   TASKS_DEMO_DIR=build/demo the directory, which must not exist yet
#
# Every process of the demo has that directory as its working directory: paths
# in it stay short (that of a unix socket has room for 107 bytes), and a process
# is known by it as the demo's.

set -eu

PATH=$PATH:/usr/sbin:/sbin
root=$(cd "$(dirname "$0")/.." && pwd)
self=$root/conf/demo.sh
port=${TASKS_DEMO_PORT:-8080}
dir=${TASKS_DEMO_DIR:-$root/build/demo}
user=www-data                   # of Redis, worker and nginx's workers, if root
start_timeout=20                # s
validity=86400                  # s, of tokens and keys

# of those whose tasks are in conf/samples
cloudreve_scope=VrFV
cyberun_scope=019abc12-4567-7890-abcd-ef1234567891

# without a "/" in front it is below the current directory
case $dir in
/*) ;;
*)  dir=$PWD/$dir ;;
esac


main() {
    case ${1:-run} in
    run)
        check_absent
        prepare
        # a script's background job ignores Ctrl-C, and a shell cannot undo it
        exec perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' sh "$self" serve
        ;;
    start)  check_absent; prepare; start ;;
    stop)   stop ;;
    status) status ;;
    serve)  serve ;;            # internal
    *)
        echo "usage: $0 [start | stop | status]" >&2
        exit 2
        ;;
    esac
}


fail() {
    echo "demo.sh: $*" >&2
    exit 1
}


url() {
    echo "http://127.0.0.1:$1"
}


# Processes

# True if the process of that id exists and is one of the demo's.

is_ours() {
    [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$real_dir" ]
}


# The id that a file of the directory holds, if that process is the demo's.

process() {
    pid=$(cat "$dir/$1.pid" 2>/dev/null) || return
    real_dir=$(readlink -f "$dir")
    [ -n "$pid" ] && is_ours "$pid" && echo "$pid"
}


check_absent() {
    case $port in
    ''|*[!0-9]*|??????*) fail "TASKS_DEMO_PORT: \"$port\" is not a port" ;;
    esac

    [ "$port" -ge 1 ] && [ "$port" -le 65535 ] \
        || fail "TASKS_DEMO_PORT: \"$port\" is not a port"

    if pid=$(process demo); then
        fail "it runs already, as process $pid, on $(url \
"$(cat "$dir/port" 2>/dev/null)"); end it with: sh conf/demo.sh stop"
    fi

    if [ -f "$dir/demo.pid" ]; then
        clear_remains
    fi

    [ ! -e "$dir" ] || fail "$dir is in the way: it is not the demo's"
}


# After a kill -9 of the demo, or a crash of the machine.

clear_remains() {
    [ -O "$dir" ] || fail "$dir belongs to another user"

    for name in worker nginx redis; do
        if pid=$(process $name); then
            kill -TERM "$pid" 2>/dev/null || :
            await_exit "$pid" || kill -KILL "$pid" 2>/dev/null || :
        fi
    done

    rm -rf "$dir"
}


await_exit() {
    tries=100

    while kill -0 "$1" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || return 1
        sleep 0.1
    done
}


# Commands

prepare() {
    sh "$root/docker/build.sh" --packages redis-server curl perl-base openssl
    sh "$root/docker/build.sh"

    check_port
}


# nginx would try for seconds; a low port is for root only.

check_port() {
    perl -MIO::Socket::INET -e '
        IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0],
                              Listen => 1, ReuseAddr => 1)
            or die "$!\n"' "$port" 2>/dev/null && return

    fail "cannot listen on 127.0.0.1:$port: another process does, or it needs" \
         "root; choose another port: TASKS_DEMO_PORT=$((port + 1))" \
         "sh conf/demo.sh"
}


start() {
    log=$(mktemp)

    setsid perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV' sh "$self" serve \
        </dev/null >"$log" 2>&1 &
    pid=$!

    # its own process group, so that Ctrl-C here ends it too
    trap 'kill -TERM $pid 2>/dev/null || :; rm -f "$log"; exit 130' INT TERM HUP

    # what it says last is the end of its welcome
    until grep -q '^Stop' "$log"; do
        if ! kill -0 $pid 2>/dev/null; then
            cat "$log" >&2
            rm -f "$log"
            exit 1
        fi

        sleep 0.1
    done

    cat "$log"
    rm -f "$log"
}


stop() {
    if pid=$(process demo); then
        kill -TERM "$pid"
        await_exit "$pid" || fail "process $pid does not end"
        echo "stopped"

    elif [ -f "$dir/demo.pid" ]; then
        clear_remains
        echo "cleared what was left of it"

    else
        echo "it does not run"
    fi
}


status() {
    if pid=$(process demo); then
        echo "it runs, as process $pid, on $(url "$(cat "$dir/port")")"
    else
        echo "it does not run"
        exit 3
    fi
}


# Runs the demo until a signal, or until one of its processes ends.

serve() {
    mkdir -p "$(dirname "$dir")"
    mkdir "$dir" || exit 1

    redis='' nginx='' worker='' timer=''
    trap end EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    make_directory
    make_keys
    run_redis
    run_nginx
    load_samples
    make_credentials
    run_worker

    welcome

    while nap 1; do
        for name in redis nginx worker; do
            check_alive $name
        done
    done
}


make_directory() {
    chmod 755 "$dir"
    cd "$dir"

    mkdir -m 700 run
    mkdir -p conf/dashboard conf/samples logs modules temp
    chmod 755 conf conf/dashboard conf/samples logs modules temp

    if [ "$(id -u)" = 0 ]; then
        chown $user: run
    fi

    echo "$port" >port
    echo $$ >demo.pid

    ln -s "$root/build/ngx_http_tasks_module.so" modules/
    ln -s "$root/conf/apis" conf/apis
    install -m 644 "$root"/conf/dashboard/* conf/dashboard
    install -m 644 "$root"/conf/samples/*.redis conf/samples
    sed "s/127\.0\.0\.1:8080/127.0.0.1:$port/" "$root/conf/nginx.conf" \
        >conf/nginx.conf
}


# With which tokens are signed: nginx's master reads them, no worker can.

make_keys() {
    mkdir -m 700 conf/keys

    for api in cloudreve codex runwisp cyberun; do
        (umask 077; random_hex 32 >conf/keys/$api.key)
    done
}


random_hex() {
    openssl rand -hex "$1"
}


# Runs a program in place of this shell; nothing of the demo needs root.

exec_unprivileged() {
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid $user --regid $user --clear-groups -- "$@"
    fi

    exec "$@"
}


run_redis() {
    (
        exec_unprivileged redis-server --port 0 --unixsocket run/redis.sock \
            --unixsocketperm 700 --save '' --appendonly no --daemonize no \
            --logfile run/redis.log >/dev/null
    ) &
    redis=$!
    echo $redis >redis.pid

    await redis "[ -S run/redis.sock ]"
}


# The directives on the command line are those that depend on who runs it.

run_nginx() {
    directives='daemon off;'

    if [ "$(id -u)" = 0 ]; then
        directives="$directives user $user;"
    fi

    nginx -p ./ -c conf/nginx.conf -g "$directives" -e logs/error.log \
        >/dev/null 2>&1 &
    nginx=$!

    # nginx writes nginx.pid; by its first answer it has loaded all functions
    await nginx "curl -fs --noproxy '*' -m 2 -o /dev/null \
                 '$(url "$port")/omelette/api/v1/tasks?limit=1'"
}


ask_redis() {
    redis-cli -e -s run/redis.sock "$@"
}


# As any writer would, through the Redis functions; each says a revision.

load_samples() {
    sed '/^#/d; /^$/d' conf/samples/*.redis >run/samples
    ask_redis <run/samples >run/replies

    if [ "$(grep -c '^[0-9][0-9]*$' run/replies)" \
         != "$(grep -c '' run/samples)" ]
    then
        fail "the samples: $(grep -v '^[0-9]*$' run/replies)"
    fi

    rm run/samples run/replies
}


# For those who try the APIs, in a file that a shell can read: the URLs, and the
# headers with tokens and keys.

make_credentials() {
    expires=$(($(date +%s) + validity))

    # each with what its server puts into one
    cloudreve_token=$(token cloudreve \
        "\"token_type\":\"access\",\"sub\":\"$cloudreve_scope\"")
    runwisp_token=$(token runwisp '"iss":"runwisp","aud":"runwisp-api"')
    cyberun_token=$(token cyberun \
        "\"sub\":\"ada\",\"teams\":[\"$cyberun_scope\"]")
    admin_token=$(codex_token 3f8e1c52-6b0d-4b6e-9a57-2d8f0e4c7a11 admin)
    reader_token=$(codex_token 9c4b7a06-1d2e-4f83-8b15-60a7d9e3f522 reader)

    # opaque ones: Redis has their hashes only, with what they may
    codex_key=codex_$(random_hex 4)_$(random_hex 16)
    cyberun_key=sk-$(random_hex 24)

    put_credential "$codex_key" rights tasks:read
    put_credential "$cyberun_key" team "$cyberun_scope"

    (umask 077; cat >credentials) <<END
cloudreve=$(url "$port")/cloudreve/api/v4/workflow
codex=$(url "$port")/codex/api/v1/tasks
runwisp=$(url "$port")/runwisp/api
cyberun=$(url "$port")/cyberun/api/v1/r/tasks

cloudreve_user='Authorization: Bearer $cloudreve_token'
codex_admin='Authorization: Bearer $admin_token'
codex_reader='Authorization: Bearer $reader_token'
codex_key='X-API-Key: $codex_key'
runwisp_user='Authorization: Bearer $runwisp_token'
cyberun_key='Authorization: Bearer $cyberun_key'
cyberun_user='Authorization: Bearer $cyberun_token'
cyberun_team='X-Team-ID: $cyberun_scope'
END

    # who has called sudo for the packages only
    if [ "$(id -u)" = 0 ] && [ -n "${SUDO_UID:-}" ]; then
        chown "$SUDO_UID" credentials
    fi
}


codex_token() {
    token codex "\"sub\":\"$1\",\"username\":\"$2\",\"role\":\"$2\""
}


# A JSON Web Token of an API with these claims and the times.  openssl has the
# key on its command line, where others may see it: that is for a demo only.

token() {
    claims="{$2,\"iat\":$(date +%s),\"exp\":$expires}"
    text=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
    text=$text.$(printf %s "$claims" | base64url)

    echo "$text.$(printf %s "$text" \
        | openssl dgst -sha256 -hmac "$(cat "conf/keys/$1.key")" -binary \
        | base64url)"
}


base64url() {
    base64 -w 0 | tr +/ -_ | tr -d =
}


# A credential, then fields and values, which nginx has as variables.

put_credential() {
    hash=$(printf %s "$1" | sha256sum | cut -d ' ' -f 1)
    shift

    ask_redis HSET "tasks:credential:$hash" "$@" expires "$expires" >/dev/null
}


run_worker() {
    simulate >logs/worker.log 2>&1 &
    worker=$!
    echo $worker >worker.pid

    await worker '[ -f run/loaded ]'
}


# From standard input: the user may not be allowed to read the checkout.

simulate() {
    exec_unprivileged perl - <"$root/conf/worker.pl"
}


# A signal interrupts it, unlike a sleep in the foreground.

nap() {
    sleep "$1" &
    timer=$!
    wait $timer
}


# Waits until a command succeeds, and gives up when that takes too long, or when
# the process of that name ends before.

await() {
    tries=$((start_timeout * 10))

    until eval "$2" 2>/dev/null; do
        check_alive "$1"
        tries=$((tries - 1))

        if [ $tries = 0 ]; then
            show_log "$1"
            fail "$1 is not ready after $start_timeout s"
        fi

        nap 0.1
    done
}


show_log() {
    case $1 in
    redis) log=run/redis.log ;;
    nginx) log=logs/error.log ;;
    *)     log=logs/$1.log ;;
    esac

    tail -n 5 "$log" >&2 || :
}


# The shell forgets a child that has ended when it waits for another one.

check_alive() {
    eval "pid=\$$1"

    if ! kill -0 "$pid" 2>/dev/null; then
        show_log "$1"
        fail "$1 has ended, and so does the demo"
    fi
}


end() {
    trap '' INT TERM HUP

    for pid in $timer $worker $nginx $redis; do
        kill -TERM "$pid" 2>/dev/null || :
    done

    for pid in $worker $nginx $redis; do
        wait "$pid" 2>/dev/null || :
    done

    cd /
    rm -rf "$dir"
}


welcome() {
    cat <<END

Five task APIs answer on $(url "$port"), and a page shows them:
$(url "$port")/dashboard/

All but Omelette want a token or a key: a file for your shell has these, valid
for a day, and the URLs.  The page takes such a header as it is in that file.

  . "$dir/credentials"

END

    welcome_omelette
    welcome_cloudreve
    welcome_codex
    welcome_runwisp
    welcome_cyberun

    cat <<END
What writers have stored of all that is in conf/samples, how it is served in
conf/apis and conf/nginx.conf.  Logs: $dir/logs
Stop it with Ctrl-C, or from elsewhere with: sh conf/demo.sh stop
END
}


# Lines that begin with two spaces are commands, and can be pasted as they are.

welcome_omelette() {
    api=$(url "$port")/omelette/api/v1/tasks

    cat <<END
Omelette, the examples of its documentation; task 42 runs, 44 is completed:

  curl "$api?project_id=1&status=running&limit=20"
  curl "$api/42"
  curl "$api/44"
  curl -X POST "$api/42/cancel"

A worker moves the other 200 tasks:

  curl "$api?status=running"
  curl "$api?project_id=3&status=failed&limit=10"

What is wrong is answered as the API's clients know it:

  curl -i "$api?limit=x"
  curl -i "$api/99999"

A task of your own (the functions' text: $(url "$port")/library/omelette.lua):

  redis-cli -s "$dir/run/redis.sock" \\
      FCALL omelette_put 1 'tasks:{omelette}' 9001 \\
      project_id 9 task_type '"ocr"' total 80 \\
      created_at '"$(date -u +%Y-%m-%dT%H:%M:%S)"'
  curl "$api/9001"
  curl -X POST "$api/9001/cancel"

END
}


welcome_cloudreve() {
    cat <<END
Cloudreve: a user's tasks in three categories, with a cursor; even errors have
the status 200:

  curl -H "\$cloudreve_user" "\$cloudreve?category=general&page_size=10"
  curl -H "\$cloudreve_user" \\
      "\$cloudreve?category=general&page_size=10&next_page_token=eyJpZCI6Ilc2QW1USyJ9"
  curl -H "\$cloudreve_user" "\$cloudreve?category=downloading&page_size=10"
  curl -H "\$cloudreve_user" "\$cloudreve/progress/pXe7Lh"
  curl -i -H "\$cloudreve_user" "\$cloudreve?category=general"

A cancel is only recorded, for the worker that downloads:

  curl -X DELETE -H "\$cloudreve_user" "\$cloudreve/download/jAMaCN"
  redis-cli -s "$dir/run/redis.sock" \\
      HGET 'tasks:{cloudreve:$cloudreve_scope}:task:jAMaCN' cancel

END
}


welcome_codex() {
    task=550e8400-e29b-41d4-a716-44665544

    cat <<END
Codex: bare arrays.  An admin may do all, this key may read, a reader nothing:

  curl -H "\$codex_admin" "\$codex"
  curl -H "\$codex_admin" "\$codex?status=failed&limit=1"
  curl -H "\$codex_key" "\$codex/${task}0000"
  curl -X POST -H "\$codex_admin" "\$codex/${task}0000/cancel"
  curl -i -X POST -H "\$codex_admin" "\$codex/${task}0002/cancel"
  curl -i -X POST -H "\$codex_key" "\$codex/${task}0001/cancel"
  curl -i -H "\$codex_reader" "\$codex"

END
}


welcome_runwisp() {
    runs=tasks/zeta/runs/01ARZ3NDEKTSV4RRFFQ69G5FA

    cat <<END
RunWisp: tasks by their names, and their runs, a collection of its own:

  curl -H "\$runwisp_user" "\$runwisp/tasks"
  curl -H "\$runwisp_user" "\$runwisp/runs?status=pending,running&limit=2&offset=2"
  curl -H "\$runwisp_user" "\$runwisp/tasks/zeta/runs"
  curl -H "\$runwisp_user" "\$runwisp/${runs}V"
  curl -X POST -H "\$runwisp_user" "\$runwisp/${runs}V/stop"
  curl -i -X POST -H "\$runwisp_user" "\$runwisp/${runs}W/stop"
  curl -i "\$runwisp/tasks"

END
}


welcome_cyberun() {
    task=019abc12-9012-7890-abcd-ef1234567896
    running=019abc12-8290-7890-abcd-ef1234567829

    cat <<END
Cyberun: a team's tasks, by pages.  A key belongs to a team, a user names one:

  curl -H "\$cyberun_key" "\$cyberun"
  curl -H "\$cyberun_key" "\$cyberun?per_page=10&current_page=5"
  curl -H "\$cyberun_user" -H "\$cyberun_team" "\$cyberun?status=failed"
  curl -i -H "\$cyberun_user" "\$cyberun?status=failed"
  curl -H "\$cyberun_key" "\$cyberun/$task"
  curl -H "\$cyberun_key" "\$cyberun/$task/result"
  curl -X POST -H "\$cyberun_key" "\$cyberun/$running/cancel"

END
}


main "$@"
