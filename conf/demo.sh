#!/bin/sh
# The demo: a private Redis (unix socket, no TCP, nothing on disk), nginx with
# the module on 127.0.0.1, sample tasks, and a simulated worker that moves them.
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
    sh "$root/docker/build.sh" --install redis-server curl perl-base
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
    run_redis
    run_nginx
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
    mkdir conf logs modules temp
    chmod 755 conf logs modules temp

    if [ "$(id -u)" = 0 ]; then
        chown $user: run
    fi

    echo "$port" >port
    echo $$ >demo.pid

    ln -s "$root/build/ngx_http_tasks_module.so" modules/
    ln -s "$root/conf/apis" conf/apis
    sed "s/127\.0\.0\.1:8080/127.0.0.1:$port/" "$root/conf/nginx.conf" \
        >conf/nginx.conf
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

    # nginx writes nginx.pid; by its first answer it has loaded the functions
    await nginx "curl -fs --noproxy '*' -m 2 -o /dev/null \
                 '$(url "$port")/api/v1/tasks?limit=1'"
}


run_worker() {
    simulate >logs/worker.log 2>&1 &
    worker=$!
    echo $worker >worker.pid

    await worker '[ -f run/loaded ]'
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
    api=$(url "$port")/api/v1/tasks

    cat <<END

The tasks API answers on $api; about 200 tasks, of which some run.

The documentation's three examples (task 42 runs, as in its first one; the
completed task of the second one is 44; the worker leaves 42 to 45 alone):

  curl "$api?project_id=1&status=running&limit=20"
  curl "$api/42"
  curl "$api/44"
  curl -X POST "$api/42/cancel"

The worker moves the others, and stops working on what is cancelled:

  curl "$api?status=running"
  curl -X POST "$api/<id of one of them>/cancel"
  curl "$api?limit=5"
  curl "$api?project_id=3&status=failed&limit=10"

What is wrong is answered as the API's clients know it:

  curl -i "$api?limit=x"
  curl -i "$api/99999"

A task of your own (the functions' text: $(url "$port")/library/omelette.lua):

  cd $dir
  redis-cli -s run/redis.sock FCALL omelette_put 1 'tasks:{omelette}' 9001 \\
      project_id 9 task_type '"ocr"' total 80 \\
      created_at '"$(date -u +%Y-%m-%dT%H:%M:%S)"'
  curl "$api/9001"

Logs: $dir/logs
Stop it with Ctrl-C, or from elsewhere with: sh conf/demo.sh stop
END
}


# The simulated worker: a client of Redis like any other, in any language.  It
# loads the sample tasks, then makes a step every second.

simulate() {
    exec_unprivileged perl - <<'END'
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX qw(strftime);

my $BASE = 'tasks:{omelette}';
my $FIRST_ID = 100;         # below are the tasks of the documentation
my $KEPT = 300;             # tasks, when older ones are pruned
my $RUNNING = 6;            # at a time
my $WAITING = 12;           # at most

$| = 1;
srand 42;

my $redis = IO::Socket::UNIX->new(Peer => 'run/redis.sock')
    or die "run/redis.sock: $!\n";
my $next_id = $FIRST_ID;


# Redis: a command and its reply.  An error reply ends the worker.

sub redis {
    print $redis '*' . @_ . "\r\n", map { "\$" . length . "\r\n$_\r\n" } @_;
    $redis->flush;

    return reply();
}

sub reply {
    my $line = <$redis> // die "Redis is gone\n";
    my ($type, $rest) = $line =~ /^(.)(.*)\r\n/s;

    die "Redis: $rest\n" if $type eq '-';

    return $rest if $type eq '+' || $type eq ':';
    return undef if $rest < 0;
    return [map { reply() } 1 .. $rest] if $type eq '*';

    read $redis, my $text, $rest + 2;

    return substr $text, 0, $rest;
}


# The contract: a task's values are JSON text.

sub put { return redis('FCALL', 'omelette_put', 1, $BASE, @_) }

# What nobody has written is not there; its default is "pending".
sub status {
    my ($id) = @_;

    my ($status, $created) = @{ redis('HMGET', "$BASE:task:$id",
                                      qw(status created_at)) };

    return 'absent' unless $created;
    return 'pending' unless defined $status;
    return $status =~ s/"//gr;
}

# Ids by an index, newest first.
sub ids {
    return map { /:(\d+)$/ }
           @{ redis('ZRANGE', "$BASE:index:status=$_[0]", 0, -1, 'REV') };
}

# Changes a task if it is in that state: a cancellation that comes in between
# is not overwritten.  Returns whether it was.
sub change {
    my ($id, $state, @values) = @_;

    return redis('FCALL', 'omelette_put_if', 1, $BASE, $id, qq("$state"),
                 @values);
}


# The tasks of the documentation.

my %EXAMPLES = (
    42 => [qw(project_id 1 task_type "search" status "running" progress 30
              total 100),
           params     => '{"query": "machine learning", '
                         . '"sources": ["semantic_scholar"]}',
           created_at => '"2025-03-12T10:00:00"',
           started_at => '"2025-03-12T10:00:01"'],

    43 => [qw(project_id 1 task_type "crawl" status "pending" progress 0
              total 25),
           params     => '{"urls": 25}',
           created_at => '"2025-03-12T10:00:01"'],

    44 => [qw(project_id 1 task_type "search" status "completed" progress 100
              total 100),
           params       => '{"query": "machine learning", '
                           . '"sources": ["semantic_scholar"]}',
           result       => '{"papers_found": 15, "imported": 10}',
           created_at   => '"2025-03-12T10:00:00"',
           started_at   => '"2025-03-12T10:00:01"',
           completed_at => '"2025-03-12T10:02:30"'],

    45 => [qw(project_id 1 task_type "ocr" status "failed" progress 7 total 12),
           params        => '{"paper_id": 7, "pages": 12}',
           error_message => '"page 8: the image cannot be read"',
           created_at    => '"2025-03-12T09:58:00"',
           started_at    => '"2025-03-12T09:58:02"',
           completed_at  => '"2025-03-12T09:58:40"'],
);

sub put_examples {
    for my $id (sort keys %EXAMPLES) {
        put($id, @{ $EXAMPLES{$id} }) if status($id) eq 'absent';
    }
}


# The others: what goes in and what comes out, by type.

my %TYPES = (
    search         => ['{"query": "réseaux de neurones", '
                       . '"sources": ["arxiv", "semantic_scholar"]}',
                       '{"papers_found": %d, "imported": %d}'],
    dedup          => ['{"threshold": 0.85}',
                       '{"compared": %d, "duplicates": %d}'],
    crawl          => ['{"urls": 40, "depth": 2}',
                       '{"downloaded": %d, "missing": %d}'],
    ocr            => ['{"paper_id": 314, "language": "en"}',
                       '{"pages": %d, "words": %d}'],
    index          => ['{"collection": "papers"}',
                       '{"chunks": %d, "skipped": %d}'],
    keyword_expand => ['{"keywords": ["大语言模型", "retrieval"]}',
                       '{"added": %d, "rejected": %d}'],
);

my @TYPE_NAMES = sort keys %TYPES;
my @ERRORS = ('"the source did not answer in 30 s"', '"quota exceeded"',
              '"worker lost: \"gpu-2\""');

# Without a zone, as this API has it.
sub when { return strftime('"%Y-%m-%dT%H:%M:%S"', gmtime $_[0]) }

sub new_task {
    my ($created) = @_;

    my $id = $next_id++;
    my $type = $TYPE_NAMES[rand @TYPE_NAMES];

    return ($id, 20 * (1 + int rand 10),
            project_id => 2 + $id % 5, task_type => qq("$type"),
            params => $TYPES{$type}[0], created_at => when($created));
}

sub outcome {
    my ($type, $time) = @_;

    return (status => '"failed"', error_message => $ERRORS[rand @ERRORS],
            completed_at => when($time)) if rand() < 0.12;

    my $result = ($TYPES{$type} // [])->[1] // '{}';

    return (status => '"completed"', completed_at => when($time),
            result => sprintf $result, 10 + rand 90, rand 10);
}

# 200 tasks of the last days: old ones have ended, six run, ten wait.
sub put_samples {
    my $age = 200;

    while ($age--) {
        my $created = time - $age * 1200 - rand 600;
        my ($id, $total, %task) = new_task($created);
        my ($type) = $task{task_type} =~ /(\w+)/;

        if ($age < 10) {
            put($id, %task, total => $total);
            next;
        }

        my $started = $created + 1 + rand 5;

        my %state = $age < 10 + $RUNNING ? (status => '"running"')
                  : $age % 13 == 0       ? (status => '"cancelled"')
                  : outcome($type, $started + 20 + rand 300);

        my $done = $state{status} =~ /completed/ ? $total : int rand $total;

        put($id, %task, %state, started_at => when($started), total => $total,
            progress => $done);
    }
}


# One second of work.

my %mine;                   # tasks that the worker works on

sub step {
    my ($second) = @_;

    my @running = grep { $_ >= $FIRST_ID } ids('running');
    my @waiting = grep { $_ >= $FIRST_ID } ids('pending');

    for my $id (sort keys %mine) {
        my $status = status($id);
        next if $status eq 'running';
        print "task $id is $status: work on it stops\n";
        delete $mine{$id};
    }

    progress($_) for @running;

    start($waiting[-1]) if @running < $RUNNING && @waiting;

    if ($second % 3 == 0 && @waiting < $WAITING) {
        my ($id, $total, %task) = new_task(time);
        put($id, %task, total => $total);
    }

    prune() if $second % 30 == 0;
}

sub start {
    my ($id) = @_;

    $mine{$id} = 1 if change($id, 'pending', status => '"running"',
                             started_at => when(time));
}

sub progress {
    my ($id) = @_;

    my ($done, $total, $type) = @{ redis('HMGET', "$BASE:task:$id",
                                         qw(progress total task_type)) };
    ($type) = ($type // '') =~ /(\w+)/;
    $total //= 0;
    $done = ($done // 0) + 1 + int rand 6;
    $mine{$id} = 1;

    if ($done < $total) {
        change($id, 'running', progress => $done);

    } elsif (change($id, 'running', outcome($type // '', time),
                    progress => $total)) {
        delete $mine{$id};
    }
}

# The documentation's tasks are the oldest ones; those that it takes come back.
sub prune {
    my $removed = redis('FCALL', 'omelette_prune', 1, $BASE, $KEPT);
    print "$removed old tasks are removed\n" if $removed;
    put_examples();
}


put_examples();
put_samples();

open my $loaded, '>', 'run/loaded' or die "run/loaded: $!\n";
close $loaded;

for (my $second = 1; ; $second++) {
    sleep 1;
    step($second);
}
END
}


main "$@"
