# The life of nginx's processes and of Redis's: reload, graceful exit, binary
# upgrade, a worker that is killed, restarts of Redis, all under load; what the
# module costs while Redis is down; what it leaves behind.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use IO::Select;
use IO::Socket::INET;
use List::Util qw(max);
use Time::HiRes qw(sleep time);

use FaultyRedis;
use RESP;
use Tasks::Jobs;
use Tasks::Load;
use Tasks::Nginx;
use Tasks::Process;
use Tasks::RedisServer;
use Tasks::Valgrind;

my $FULL = $ENV{TASKS_FULL};
my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds

$ENV{TEST_NGINX_BINARY} = binary_by_path();

my @PATHS = ('/jobs', '/jobs?status=running', '/jobs/pages?limit=5',
             '/jobs/t1', '/jobs/t30', '/jobs?limit=100');
my $WHOLE = qr/^200 \{"tasks?":.*\}$/;

fill();


# nginx executes argv[0] for an upgrade, and looks for no path.

sub binary_by_path {
    my $binary = Tasks::Nginx::binary();
    my ($nginx) = grep { -x } map { "$_/nginx" }
                  split(/:/, $ENV{PATH}), '/usr/sbin';

    return $nginx if $binary eq 'nginx';

    open my $in, '<', $binary or die "$binary: $!\n";
    my $script = join '', <$in>;

    return $binary unless $script =~ s/^exec nginx\b/exec $nginx/m;

    my $copy = tempdir(CLEANUP => 1) . '/nginx';
    open my $out, '>', $copy or die "$copy: $!\n";
    print $out $script;
    close $out;
    chmod 0755, $copy;

    return $copy;
}


sub fill {
    my ($redis) = @_;

    $redis //= redis_server();
    load_jobs($redis);

    $redis->command('FCALL', 'jobs_put', 1, $JOBS, job("t$_", n => $_,
        status => $_ % 2 ? 'running' : 'completed', kind => 'k' . $_ % 3,
        created => sprintf '2025-01-01T00:00:%02d', $_)) for 1 .. 40;
}


sub no_failures {
    my ($load, $name) = @_;

    my $result = $load->stop(101);

    is(@{ $result->{failures} }, 0, "$name: no request fails")
        or diag(join "\n", @{ $result->{failures} });
    cmp_ok($result->{requests}, '>', 100, "$name: of many");
    note("$name: $result->{requests} requests, $result->{raced} raced");

    return $result;
}


sub serves { return status(http($_[0]->port, 'GET', '/jobs/t1')) eq '200' }


# Reload

{
    my $nginx = start_jobs(workers => 2, worker_connections => 256);
    my $load = Tasks::Load->start($nginx->port, fresh => 3, kept => 3,
                                  paths => \@PATHS, accept => $WHOLE);
    my $reloads = $FULL ? 500 : $SLOW > 1 ? 30 : 100;
    my $done = 0;

    $done += $nginx->reload for 1 .. $reloads;

    is($done, $reloads, "$reloads reloads");
    ok(wait_for(sub { !old_workers($nginx) }, 2 * $SLOW, 'old workers to go'),
       'old workers are gone within the timeout and a second');
    no_failures($load, 'reloads');
    unlike($nginx->error_log, qr/open socket/, 'no socket is left open');
    is(fds_of(($nginx->worker_pids)[0]), fds_of(($nginx->worker_pids)[1]),
       'the workers have as many files open');
}


# Graceful exit

my $SLOW_STORE = 'connect_timeout 2s; timeout 5s;';

for my $signal (qw(QUIT HUP)) {
    fill();

    my $proxy = FaultyRedis->proxy(redis_socket());
    my $nginx = start_jobs(
        store => 'server ' . $proxy->address . "; $SLOW_STORE");

    wait_for(sub { serves($nginx) }, 5, 'service');
    $proxy->plan(delay => 60);     # of each reply, one after the other

    my @asked = map { ask_on(http_connect($nginx->port), @$_) }
        ['GET', '/jobs'], ['GET', '/jobs/t1'], ['GET', '/jobs/pages'],
        ['POST', '/jobs/t1/cancel'], ['GET', '/jobs/none'];

    wait_for(sub { grep { "@$_" =~ /FCALL jobs_cancel/ } $proxy->commands },
             5, 'the commands');
    wait_for(sub { grep { "@$_" =~ /:task:none / } $proxy->commands });

    my $took = stopwatch();
    $signal eq 'HUP' ? $nginx->reload : $nginx->quit;

    is(join(' ', map { status($_->response(5)) } @asked),
       '200 200 200 200 404 not_found',
       "$signal: requests that wait on a slow Redis are answered");
    cmp_ok($took->(), '<', 3, "$signal: in time");

    if ($signal eq 'QUIT') {
        ok($nginx->wait_exit(2 * $SLOW), "$signal: nginx exits");
        is($nginx->exit_status, 0, "$signal: with status 0");
    } else {
        ok(wait_for(sub { !old_workers($nginx) }, 2 * $SLOW, 'its exit'),
           "$signal: the old worker exits");
        ok(serves($nginx), "$signal: the new one serves");
    }

    unlike($nginx->error_log, qr/open socket/, "$signal: no socket is left");
}


sub ask_on {
    my ($connection, $method, $path) = @_;

    $connection->send(Tasks::HTTP::request_bytes($method, $path));

    return $connection;
}


# Also of a Redis that says nothing, and of one that is not there.

{
    my $hole = FaultyRedis->canned(sub { { stall => 1 } });
    my $nginx = start_jobs(store => 'server ' . $hole->address
        . '; connect_timeout 600ms; timeout 500ms; ');
    my @asked = map { ask_on(http_connect($nginx->port), 'GET', '/jobs/t1') }
                1 .. 3;

    http($nginx->port, 'GET', '/');    # by now it has read them, too
    my $took = stopwatch();
    $nginx->quit;

    like(join(' ', map { status($_->response(5)) } @asked),
         qr/^(?:50[34] \w+ ?){3}$/, 'a silent Redis: errors');
    ok($nginx->wait_exit(2), 'and nginx exits');
    cmp_ok($took->(), '<', 1.5 * $SLOW, 'within the timeout and a second');
    is($nginx->exit_status, 0, 'with status 0');

    $nginx = start_jobs(store => 'server unix:/nonexistent;');
    sleep 0.2;
    $nginx->quit;
    ok($nginx->wait_exit(1 * $SLOW), 'no Redis: nginx exits at once');
}


# A request that comes when nginx is about to exit, after another one has gone
# without an answer

{
    my $fake = FaultyRedis->canned(sub {
        my ($command) = @_;

        return "+OK\r\n" if $command->[0] eq 'SELECT';
        return { stall => 1 } if "@$command" =~ /:dead /;
        return "*6\r\n" . "\$1\r\n1\r\n" x 6;
    });
    my $nginx = start_jobs(store => 'server ' . $fake->address
                                    . '; load_functions off; timeout 2s;');
    my $late = http_connect($nginx->port);
    $late->send("GET /jobs/a HTTP/1.1\r\nHost: a");

    my $dead = ask_on(http_connect($nginx->port), 'GET', '/jobs/dead');
    wait_for(sub { grep { "@$_" =~ /:dead / } $fake->commands });
    $dead->close;
    wait_for(sub { $nginx->error_log =~ /prematurely closed/ });

    $nginx->quit;
    wait_for(sub { $nginx->error_log =~ /gracefully shutting down/ });
    $late->send("\r\n\r\n");
    is(status($late->response), '200', 'a request that ends after QUIT');
    ok($nginx->wait_exit(2 * $SLOW), 'and nginx exits');
    unlike($nginx->error_log, qr/open socket/, 'no socket is left open');
}


# Binary upgrade, of a daemon: a master process whose parent is the one that
# started it takes itself for the new one, and ignores USR2.

{
    my $nginx = start_jobs(workers => 2, worker_connections => 256);
    my $prefix = $nginx->prefix;
    my $conf = slurp("$prefix/conf/nginx.conf");
    my $worker = qr/^nginx: worker process\0*$/;

    $nginx->stop;
    $nginx->write_file('conf/nginx.conf', $conf =~ s/daemon off/daemon on/r);
    system Tasks::Nginx::binary(), '-p', "$prefix/", '-c',
           "$prefix/conf/nginx.conf", '-e', "$prefix/logs/error.log";

    my $master = sub { slurp("$prefix/logs/nginx.pid") =~ /^(\d+)/ && $1 };
    my $old = wait_for($master, 5, 'a master process');
    wait_for(sub { children($old, $worker) == 2 }, 5, 'workers');

    my $load = Tasks::Load->start($nginx->port, fresh => 2, kept => 2,
                                  paths => \@PATHS, accept => $WHOLE);

    kill 'USR2', $old;
    my $new = wait_for(sub {
        my $pid = $master->();
        $pid && $pid != $old && children($pid, $worker) == 2 && $pid;
    }, 10 * $SLOW, 'the new binary');

    kill 'WINCH', $old;
    ok(wait_for(sub { !children($old, qr/worker/) }, 3 * $SLOW,
                'old workers to go'), 'upgrade: old workers go');
    kill 'QUIT', $old;
    ok(wait_for(sub { gone($old) }, 2 * $SLOW, 'its exit'),
       'upgrade: the old master exits');
    ok(serves($nginx), 'upgrade: the new one serves');
    sleep 0.2;
    no_failures($load, 'upgrade');

    kill 'QUIT', $new;
    ok(wait_for(sub { gone($new) }, 5, 'its exit'), 'upgrade: and exits');
    unlike($nginx->error_log, qr/open socket/, 'upgrade: no socket is left');
}


sub gone {
    my ($pid) = @_;

    return slurp("/proc/$pid/stat") =~ /^$|\) Z /;
}


# A worker is killed

{
    my $nginx = start_jobs(allow => qr/is gone|exited on signal 9/);
    my ($worker) = $nginx->worker_pids;

    kill 'KILL', $worker;
    my ($new) = wait_for(sub { grep { $_ != $worker } $nginx->worker_pids }, 5,
                         'a new worker');
    ok(serves($nginx), 'a killed worker is replaced by one that serves');
}


# Redis restarts

{
    my $redis = Tasks::RedisServer->new;
    fill($redis);

    my $nginx = start_jobs(workers => 2, worker_connections => 256,
                           store => 'server unix:' . $redis->socket . ';');
    my $load = Tasks::Load->start($nginx->port, fresh => 2, kept => 2,
        paths => ['/jobs/t1', '/jobs'], pause => 0.002,
        accept => qr/^(?:200\ \{|404\ \{"error":"not_found"
                      |503\ \{"error":"unavailable"
                      |504\ \{"error":"timeout")/x);
    my $slowest = 0;

    for (1 .. 10) {
        $redis->stop;
        sleep 0.05 + rand 0.3;
        $redis->start;
        my $took = stopwatch();

        # of each worker: many requests in turn
        wait_for(sub { 10 == grep { status(http($nginx->port, 'GET',
                           '/jobs/t1')) eq '404 not_found' } 1 .. 10 },
                 5, 'service');

        $slowest = max($slowest, $took->());
    }

    cmp_ok($slowest, '<', 1 * $SLOW, '10 restarts of Redis: each time there '
           . 'is service within a second') or diag($slowest);
    note("service after $slowest s at most");
    my $result = no_failures($load, '10 restarts of Redis: but 503 and 504');
    ok($result->{statuses}{503}, 'of which there are some');
    unlike($nginx->error_log, qr/\[(?:alert|crit|emerg)\]/, 'no alert');
}


# A failover that loses writes: what the worker has kept, and what clients have,
# is of a state that the new master never had

{
    my $port = Tasks::Nginx::free_port();
    my $master = Tasks::RedisServer->new('--port', $port, '--bind', '127.0.0.1');
    fill($master);
    my $replica = Tasks::RedisServer->new('--replicaof', "127.0.0.1 $port");

    my $socket = tempdir(CLEANUP => 1) . '/redis.sock';
    symlink $master->socket, $socket or die "symlink: $!\n";
    my $nginx = start_jobs(store => "server unix:$socket; timeout 10s;");

    wait_for(sub { $replica->command('HGET', "$JOBS:revs", '_') }, 10,
             'the replica');
    $replica->command('REPLICAOF', 'NO', 'ONE');

    my $put = sub {
        my ($redis, $n) = @_;
        $redis->command('FCALL', 'jobs_put', 1, $JOBS,
                        job('t40', n => $n, created => '2025-01-02T00:00:00'));
    };
    my $ask = sub {
        my ($path, %header) = @_;
        return http($nginx->port, 'GET', $path, headers => \%header);
    };

    # twice, so that the list is kept

    $put->($master, 1001);
    my %lost = map { ($_ => $ask->($_)) } ('/jobs', '/jobs', '/jobs/t40');
    like($lost{$_}->body, qr/"n":1001\b/, "$_, to be lost") for sort keys %lost;

    $put->($replica, 2002);
    unlink $socket;
    symlink $replica->socket, $socket or die "symlink: $!\n";
    $master->stop;

    wait_for(sub { $ask->('/jobs/t40')->status eq '200' }, 5, 'service');

    for my $path (sort keys %lost) {
        my $response = $ask->($path,
            'If-None-Match' => $lost{$path}->header('ETag'));

        is($response->status, 200, "$path: the ETag is not that of the new master's");
        like($ask->($path)->body, qr/"n":2002\b/, "$path: nor is the body");
    }
}


# A worker that ends a stream after a reload with another definition connects
# again and again, but does not put back the functions of the old one

{
    my $tasks = 3000;
    put_job(sprintf('long%04d', $_), n => $_) for 1 .. $tasks;

    my $proxy = FaultyRedis->proxy(redis_socket());
    my $nginx = start_jobs(store => 'server ' . $proxy->address . ';',
        locations => 'location /slow { tasks_api apis/jobs.json; tasks_pass main;'
                     . ' limit_rate 150k; }');
    my $version = redis('FCALL_RO', 'jobs_version', 0);

    my $stream = ask_on(http_connect($nginx->port), 'GET', '/slow?limit=10000');
    wait_for(sub { grep { "@$_" =~ /ZRANGE/ } $proxy->commands }, 5, 'a chunk');

    my ($file, $text) = Tasks::Jobs::jobs_file();
    $nginx->write_file($file, $text =~ s/"note":/"more": {"type": "any"}, $&/r);
    my $connections = $proxy->connections;
    $nginx->reload;
    wait_for(sub { redis('FCALL_RO', 'jobs_version', 0) ne $version }, 5, 'the new functions');
    $version = redis('FCALL_RO', 'jobs_version', 0);

    my $response = $stream->response(20);
    ok($response->complete && $tasks < (() = $response->body =~ /"id"/g),
       'a list goes on over a reload');
    wait_for(sub { !old_workers($nginx) }, 5, 'the exit of the old worker');

    cmp_ok($proxy->connections, '>', $connections + 1, 'which has connected again');
    is(redis('FCALL_RO', 'jobs_version', 0), $version, 'and left the new functions there');
    fill();
}


# A worker that quits, and still sends something else, while Redis is away: what
# it has begun to connect is closed when it exits

{
    my $port = Tasks::Nginx::free_port();
    my $nginx = start_jobs(store => "server 127.0.0.1:$port; connect_timeout 10s;",
                           locations => 'location /download { limit_rate 10k; }');
    $nginx->write_file('html/download', 'x' x 200000);

    my $download = ask_on(http_connect($nginx->port), 'GET', '/download');
    wait_for(sub { IO::Select->new($download->socket)->can_read(0) });
    $nginx->reload;
    wait_for(sub { old_workers($nginx) }, 5, 'the old worker');

    # of the new one and the old one, which it takes some time to try again

    my $silent = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 1,
                                       ReuseAddr => 1) or die "listen: $!\n";
    my $to_redis = sprintf ' 0100007F:%04X 0[12] ', $port;
    wait_for(sub { 2 <= (() = slurp('/proc/net/tcp') =~ /$to_redis/g) }, 5, 'connections');

    $download->close;
    ok(wait_for(sub { !old_workers($nginx) }, 5, 'its exit'),
       'a worker that is about to connect exits');
    unlike($nginx->error_log, qr/open socket/, 'and leaves no socket open');
}


# Cost while Redis is down

{
    my $nginx = start_jobs(store => 'server unix:/nonexistent;');
    my ($worker) = $nginx->worker_pids;

    sleep 0.3;
    my ($cpu, $start) = (cpu_of($worker), time);
    my $log = length $nginx->error_log;
    sleep 2;
    my $share = 100 * (cpu_of($worker) - $cpu) / (time - $start);

    cmp_ok($share, '<', 2 * $SLOW, "no Redis: $share % of a processor");
    is($nginx->error_log($log), '', 'no Redis: it is said once');

    my $load = Tasks::Load->start($nginx->port, kept => 1, paths => ['/jobs'],
                                  accept => qr/^503 \{/, pause => 0.01);
    my $result = $load->stop(20);
    is(@{ $result->{failures} }, 0, 'requests are refused at once');
    is(() = $nginx->error_log($log) =~ /\[(?:error|warn|alert)\]/g, 0,
       'which is not worth a line each');

    my $began = time;
    my $hole = FaultyRedis->canned(sub { { close => 1 } });
    $nginx = start_jobs(store => 'server ' . $hole->address . ';');
    ($worker) = $nginx->worker_pids;
    sleep 0.3;
    ($cpu, $start) = (cpu_of($worker), time);
    sleep 1.5;
    $share = 100 * (cpu_of($worker) - $cpu) / (time - $start);
    cmp_ok($share, '<', 2 * $SLOW, "a Redis that closes: $share %");
    cmp_ok($hole->connections, '<', 8 * (time - $began), 'with a few attempts');
}


# What stays open

{
    my $proxy = FaultyRedis->proxy(redis_socket(), plan => { delay => 1 });
    my $nginx = start_jobs(worker_connections => 256,
                           store => 'server ' . $proxy->address . ';');
    my ($worker) = $nginx->worker_pids;

    wait_for(sub { serves($nginx) }, 5, 'service');
    my $before = fds_of($worker);

    for my $i (1 .. 1000) {
        my $connection = ask_on(http_connect($nginx->port), 'GET',
                                $PATHS[rand @PATHS]);
        $connection->response if $i % 2;
        $connection->close;
    }

    my $load = Tasks::Load->start($nginx->port, fresh => 1, kept => 1,
                                  paths => \@PATHS, accept => $WHOLE);
    sleep 1;
    no_failures($load, 'besides clients that abort');
    ok(wait_for(sub { fds_of($worker) <= $before }, 3, 'files to be closed'),
       'requests and aborts leave no file open');
    ok(serves($nginx), 'and there is service');
}


# What stays in memory: of aborts, timeouts and lost connections

{
    my $number = 0;
    my $fake = FaultyRedis->canned(sub {
        my ($command) = @_;

        return "+OK\r\n" if $command->[0] eq 'SELECT';

        return { ++$number % 20 ? (delay => 3) : (reset => 1),
                 bytes => "*6\r\n" . "\$3\r\n123\r\n" x 6 };
    });
    my $nginx = start_jobs(worker_connections => 256, store => 'server '
        . $fake->address . '; load_functions off; timeout 20ms;');
    my ($worker) = $nginx->worker_pids;
    my @rss;

    for my $round (1 .. 4) {
        for my $i (1 .. 60) {
            my @asked = map { ask_on(http_connect($nginx->port),
                $_ % 3 ? 'GET' : 'POST', '/jobs/a' . ($_ % 3 ? '' : '/cancel'))
            } 1 .. 12;
            $asked[$_]->close for 0 .. 3;
            $asked[$_]->response for 4 .. 11;
        }

        push @rss, rss_of($worker);
    }

    # a sanitizer keeps for a while what was freed
    my $slack = $SLOW > 1 ? 64e6 : 300e3;
    cmp_ok($rss[3] - $rss[1], '<', $slack, 'aborts, timeouts and lost '
           . 'connections leave no memory in use') or diag("@rss");
    note("resident: @rss");
}


# More of everything

{
    my @redis = map { Tasks::RedisServer->new } 1 .. 2;
    fill($_) for @redis;
    $redis[$_]->command('FCALL', 'jobs_put', 1, $JOBS, job('where', n => $_))
        for 0, 1;

    my $nginx = start_jobs(
        workers => 3, worker_connections => 256,
        http_config => join("\n", map { "tasks_store s$_ { server unix:"
            . $redis[$_]->socket . '; connections 4; timeout 10s; }' } 0, 1),
        locations => join("\n", map { jobs_location("/s$_", "s$_") } 0, 1));

    for my $store (0, 1) {
        my %answers;
        $answers{http($nginx->port, 'GET', "/s$store/where")->body
                 =~ s/.*"n":(\d+).*/$1/r}++ for 1 .. 60;
        is_deeply(\%answers, { $store => 60 },
                  "several stores: each answer is of store $store");
        cmp_ok($redis[$store]->command('CLIENT', 'LIST') =~ tr/\n//, '<=', 13,
               'over four connections a worker');
    }

    my $load = Tasks::Load->start($nginx->port, fresh => 2, kept => 2,
        paths => ['/s0', '/s1/t1', '/s1/pages', '/jobs'], accept => $WHOLE);
    $nginx->reload for 1 .. 10;
    no_failures($load, 'several stores, workers and connections');
}


# Memory, by valgrind, of the module as it is built for use

unless ($ENV{TASKS_SANITIZER_DIR}) {
    my $valgrind = Tasks::Valgrind->new;
    my $own = FaultyRedis->proxy(redis_socket());
    fill();

    {
        local $ENV{TEST_NGINX_BINARY} = $valgrind->binary;

        my $nginx = start_jobs(master => 0, worker_connections => 256,
            store => 'server ' . $own->address . '; timeout 500ms; '
                     . 'max_reply 8k; max_pending 50;');

        wait_for(sub { serves($nginx) }, 20, 'service');
        ask_everything($nginx, $own);
        $nginx->stop;
        is($nginx->exit_status, 0, 'valgrind: nginx exits with status 0');
    }

    is($valgrind->complaints, '', 'valgrind: no error, and nothing is lost');
}


# Some hundred requests of all kinds, answered and not.

sub ask_everything {
    my ($nginx, $proxy) = @_;

    my @asked = ((map { [GET => "/jobs$_"] } '', '/t1', '/pages?limit=3&page=2',
        '?status=running&kind=k1', '?limit=2', '?limit=x', '?cursor=x', '/none',
        '/t1/none', '/' . 'x' x 300), [POST => '/jobs/t1/cancel'],
        [POST => '/jobs/t2/cancel'], [POST => '/jobs/none/cancel'],
        [PUT => '/jobs'], [POST => '/jobs']);
    my @plans = ({}, { byte_by_byte => 1 }, { cut => 30, once => 1 },
        { cut => 150, once => 1 }, { stall => 40, once => 1 },
        { replace => { 1 => "-ERR no\r\n" } }, { replace => { 1 => "*0\r\n" } },
        { replace => { 2 => "+OK\r\n" } }, { insert => { 1 => "+OK\r\n" } },
        { replace => { 1 => "*1\r\n" x 50 } },
        { replace => { 1 => "\$9\r\nabc\r\n" } },
        { replace => { 1 => '$20000' . "\r\n" . 'x' x 20000 . "\r\n" } });
    my %statuses;

    for my $plan (@plans) {
        for (@asked) {
            $proxy->plan(%$plan);
            my $status = status(http($nginx->port, @$_, timeout => 20));
            $statuses{$status}++;
            $proxy->plan;
            wait_for(sub { serves($nginx) }, 20, 'service')
                if $status =~ /^50[34]/;
        }

        # some that are not waited for
        $proxy->plan(delay => 2);
        my @left = map { ask_on(http_connect($nginx->port), @$_) } @asked;
        $_->close for @left;
        redis('FUNCTION', 'FLUSH', 'SYNC');
        $proxy->plan;
        $statuses{status(http($nginx->port, 'POST', '/jobs/t3/cancel',
                              timeout => 20))}++;
    }

    $proxy->stop;
    $statuses{status(http($nginx->port, @$_, timeout => 20))}++ for @asked;

    note('valgrind: ', join ', ', map { "$_: $statuses{$_}" } sort keys %statuses);
    ok($statuses{$_}, "valgrind: some got $_")
        for '200', '503 unavailable', '504 timeout', '404 not_found',
            '500 internal', '500 too_large';
}


done_testing();
