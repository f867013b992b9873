# What a worker holds: after many requests of every kind, answered, refused and
# left, its memory and its open files are what they were; readers that are slow
# cost it little; and valgrind finds nothing wrong, and nothing that is lost.

use lib 't/lib';
use Tasks ':live';

use Digest::SHA qw(sha256_hex);
use IO::Select;
use Time::HiRes qw(time);

use FaultyRedis;
use Tasks::JWT;
use Tasks::Jobs;
use Tasks::Nginx;
use Tasks::Process;
use Tasks::Valgrind;

my $FULL = $ENV{TASKS_FULL};
my $SANITIZED = $ENV{TASKS_SANITIZER_DIR};
my $REQUESTS = $FULL ? 100000 : $SANITIZED ? 1000 : 5000;    # of each kind
my $BATCH = 50;                           # pipelined
my $ROWS = 10000;
my $READERS = 200;

# KiB by which memory may differ, however many requests there were.  The
# address sanitizer keeps up to 256 MB of what was freed.
my $FLAT = $SANITIZED ? 300000 : 64;
my $EACH = $SANITIZED ? 2000 : 128;       # for each slow reader

my $SECRET = 'of-hs256-0123456789abcdefghijklmnopq';
my $TOKEN = jwt('{"sub":"ann","exp":4102444800}', $SECRET);

load_jobs();
redis('HSET', 'tasks:credential:' . sha256_hex('key'), owner => 'ann');
put_job("t$_", n => $_, status => $_ % 2 ? 'running' : 'completed',
        created => sprintf '2025-01-01T%02d:%02d:%02d', $_ / 3600, $_ / 60 % 60,
                           $_ % 60) for 1 .. $ROWS;
redis('FCALL', 'jobs_cancel', 1, $JOBS, 't1');


# nginx with all kinds of locations, and where its buffers are small.  Options:
# those of start_jobs().

sub start_all {
    my $api = 'tasks_api apis/jobs.json; tasks_pass main;';
    my $small = Tasks::Nginx::free_port();

    my $nginx = start_jobs(
        worker_connections => 1024, @_,
        files       => { 'conf/keys/hs256.key' => $SECRET },
        locations   => <<"END");
listen 127.0.0.1:$small sndbuf=32k;
access_log off;
send_timeout 600s;
location /off     { $api tasks_cache off; }
location /token   { $api tasks_auth jwt; tasks_jwt_key HS256 keys/hs256.key;
                    add_header X-Sub \$tasks_jwt_sub; }
location /key     { $api tasks_auth credential; tasks_credential \$http_x_key; }
location /scoped  { $api tasks_scope \$arg_scope; }
location /else    { $api tasks_fallback \@else; }
location /library { tasks_api apis/jobs.json; tasks_library; }
location \@else    { return 200 else; }
END

    return ($nginx, $small);
}


# kind => the status of all, and requests, in turn: method, path, headers.

sub kinds {
    my ($port) = @_;

    my $etag = http($port, 'GET', '/jobs')->header('ETag');
    my $bearer = { Authorization => "Bearer $TOKEN" };

    return (
        'lists, cached'     => [200, map { [GET => "/jobs$_"] } '', '?limit=5',
                                '?status=running', '/pages?page=2'],
        'lists, not cached' => [200, map { [GET => "/off$_"] } '', '?limit=5',
                                '?status=running', '/pages?page=2',
                                '/after?cursor=t7&status=running,completed'],
        'tasks'             => [200, map { [GET => "/jobs/t$_"] } 1 .. 9],
        'cancels'           => [200, [POST => '/jobs/t1/cancel']],
        'not modified'      => [304, [GET => '/jobs',
                                      { 'If-None-Match' => $etag }]],
        'tokens'            => [200, [GET => '/token/t1', $bearer],
                                [GET => '/token?limit=3', $bearer]],
        'credentials'       => [200, [GET => '/key/t1', { 'X-Key' => 'key' }]],
        'other handlers'    => [200, [GET => '/else/a/b/c'],
                                [GET => '/library']],
        'errors'            => ['4..', [GET => '/jobs?limit=x'],
            [GET => '/jobs?cursor=x'], [GET => '/jobs/none'], [PUT => '/jobs'],
            [GET => '/jobs/a/b/c'], [POST => '/jobs/t2/cancel'],
            [GET => '/token', { Authorization => 'Bearer a.b.c' }],
            [GET => '/token'], [GET => '/key', { 'X-Key' => 'other' }],
            [GET => '/scoped']],
    );
}


# Pipelines requests of a kind, and returns how many had another status.  A
# connection is for 1000, as nginx has it: it grows by what nginx allocates for
# requests that come together.

sub ask_all {
    my ($port, $count, $status, @requests) = @_;

    my @bytes = map { Tasks::HTTP::request_bytes($_->[0], $_->[1],
                                                 headers => $_->[2]) }
                    @requests;
    my ($turn, $wrong, $connection) = (0, 0);

    for (my $left = $count; $left > 0; $left -= $BATCH) {
        $connection = http_connect($port) if $turn % 1000 == 0;
        $connection->send(join '', map { $bytes[$turn++ % @bytes] }
                                       1 .. $BATCH);
        $connection->response(20)->status =~ /^$status$/ or $wrong++
            for 1 .. $BATCH;
    }

    return $wrong;
}


# Clients that leave without an answer, some in the middle of a long list.

sub leave_all {
    my ($port, $count) = @_;

    my @paths = ('/jobs', '/off', '/jobs/t1', "/off?limit=$ROWS", '/key/t1');

    for my $n (1 .. $count) {
        my $connection = http_connect($port);
        $connection->send(Tasks::HTTP::request_bytes('GET', $paths[$n % @paths],
            headers => { 'X-Key' => 'key' }));
        sysread $connection->socket, my $byte, 1 if $n % 3 == 0;
        $connection->close;
    }

    return 0;
}


# Runs a part, then all of it, and compares.

sub is_flat {
    my ($name, $worker, $run) = @_;

    my $wrong = $run->($REQUESTS / 5);
    my $files = wait_still(sub { fds_of($worker) });
    my $memory = rss_of($worker);

    $wrong += $run->($REQUESTS);
    my $left = wait_still(sub { fds_of($worker) });
    my $more = (rss_of($worker) - $memory) / 1024;

    is($wrong, 0, "$REQUESTS $name: all have their status");
    cmp_ok($more, '<=', $FLAT, "memory is what it was, but for $FLAT KiB");
    cmp_ok($left, '<=', $files, 'and so are open files');

    return sprintf '%s %+d', $name, $more;
}


# Waits until a number is the same for some time, a longer one if the machine is
# busy, and returns it.

sub wait_still {
    my ($number) = @_;

    my ($last, $since, $same) = ($number->(), time, stopwatch());

    wait_for(sub {
        my $now = $number->();
        ($last, $since, $same) = ($now, time, stopwatch()) if $now != $last;
        return $same->() > 0.2 || time - $since > 3;
    }, 20, 'rest');

    return $last;
}


# Many requests

{
    my ($nginx) = start_all();
    my ($worker) = $nginx->worker_pids;
    my %kinds = kinds($nginx->port);
    my @figures;

    for my $name (sort keys %kinds) {
        push @figures, is_flat($name, $worker, sub {
            ask_all($nginx->port, $_[0], @{ $kinds{$name} });
        });
    }

    push @figures, is_flat('clients that leave', $worker,
                           sub { leave_all($nginx->port, $_[0]) });

    note("memory.t: KiB after $REQUESTS of each: ", join ', ', @figures);
}


# Slow readers

{
    my ($nginx, $small) = start_all();
    my ($worker) = $nginx->worker_pids;
    my $path = "/off?limit=$ROWS";
    my $whole = http($nginx->port, 'GET', $path)->body;
    my $files = wait_still(sub { fds_of($worker) });
    my $memory = rss_of($worker);

    my @readers = map {
        my $connection = http_connect($small, 16384);
        $connection->send(Tasks::HTTP::request_bytes('GET', $path));
        $connection;
    } 1 .. $READERS;

    wait_still(sub { rss_of($worker) });
    my $held = (rss_of($worker) - $memory) / 1024 / $READERS;

    cmp_ok($held, '<', $EACH, "$READERS clients that do not read "
           . length($whole) . " bytes: less than $EACH KiB for each");
    is(http($nginx->port, 'GET', '/jobs/t1')->status, '200',
       'others are served');

    my $right = grep { $_->response(20)->body eq $whole } @readers;

    is($right, $READERS, 'then they read, and get all of it');
    $_->close for @readers;
    cmp_ok(wait_still(sub { fds_of($worker) }), '<=', $files,
           'their files are closed');
    note(sprintf 'memory.t: %d slow readers hold %d KiB each', $READERS, $held);
}


# Valgrind, of the module as it is built for use

unless ($SANITIZED) {
    my $valgrind = Tasks::Valgrind->new;
    my $proxy = FaultyRedis->proxy(redis_socket());
    my $count = $FULL ? 1000 : 50;
    my $wrong = 0;

    {
        local $ENV{TEST_NGINX_BINARY} = $valgrind->binary;

        my ($nginx) = start_all(master => 0, store => 'server '
                                . $proxy->address . '; timeout 10s;');
        wait_for(sub { http($nginx->port, 'GET', '/jobs')->status eq '200' },
                 30, 'service');
        my %kinds = kinds($nginx->port);

        $wrong += ask_all($nginx->port, $count, @$_) for values %kinds;
        $wrong += ask_all($nginx->port, $BATCH, 200,
            [GET => '/off?limit=1500'],
            [GET => '/off?limit=1500', { Accept => 'application/x-ndjson' }]);
        leave_all($nginx->port, $count);

        # nginx without a master process closes nothing when it exits
        $proxy->stop;
        wait_for(sub { status(http($nginx->port, 'GET', '/jobs/t1',
                                   timeout => 20)) =~ /^503/ }, 20, 'its end');
        $nginx->stop;
        is($nginx->exit_status, 0, 'valgrind: nginx exits with status 0');
    }

    is($wrong, 0, 'valgrind: all requests have their status');
    is($valgrind->complaints, '', 'valgrind: no error, and nothing is lost');
}


done_testing();
