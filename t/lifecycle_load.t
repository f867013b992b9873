# Reloads, killed workers and restarts of Redis, each many times and under load
# on new connections: what fails is what was under way on a worker that was
# killed, or comes while there is no Redis, and a cancel that was answered with
# 200 is in Redis afterwards, come what may.

use lib 't/lib';
use Tasks ':live';

use List::Util qw(max);
use Time::HiRes qw(sleep time);

use Tasks::Jobs;
use Tasks::Load;
use Tasks::Process;
use Tasks::RedisServer;

my $FULL = $ENV{TASKS_FULL};
my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds
my $DEADLINE = 1;                                 # s, the store's timeout
my $CANCELS = $FULL ? 10000 : 4000;               # tasks to be cancelled
my ($READERS, $CANCELLERS) = (3, 2);              # clients

my @PATHS = ('/jobs', '/jobs?status=running', '/jobs/pages?limit=5',
             '/jobs/t1', '/jobs/t30', '/jobs?limit=100');
my $ANSWER = qr/^200 \{"(?:tasks?|cancelled)":.*\}$/;
my $NO_MORE = qr/^404 \{"error":"not_found","status":404\}$/;
my $DOWN = qr/^50(?:3 \{"error":"unavailable"|4 \{"error":"timeout")/;
my $CUT_OFF = qr/^(?:no answer (?:connection closed|send:)|incomplete)/;

# Each write is on the disk before it is answered, but for those that make the
# tasks; the file is then made short, so that it is read soon.
my $redis = Tasks::RedisServer->new('--appendonly', 'yes',
                                    '--appendfsync', 'always');

$redis->command('CONFIG', 'SET', 'appendfsync', 'no');
load_jobs($redis);
put("t$_", $_ % 2 ? 'running' : 'completed') for 1 .. 40;

for my $phase (qw(reload kill restart)) {
    put("$phase$_", 'running') for 0 .. $CANCELS - 1;
}

$redis->command('BGREWRITEAOF');
wait_for(sub { $redis->command('INFO', 'persistence')
               =~ /rewrite_in_progress:0\r\naof_rewrite_scheduled:0/ }, 20);
$redis->command('CONFIG', 'SET', 'appendfsync', 'always');


sub put {
    my ($id, $status) = @_;

    $redis->command('FCALL', 'jobs_put', 1, $JOBS, job($id, status => $status));
}


sub start_two {
    return start_jobs(workers => 2, worker_connections => 256, @_,
                      store => 'server unix:' . $redis->socket
                               . "; timeout ${DEADLINE}s;");
}


# Clients that read, and clients each of which cancels tasks of its own, each
# task once.

sub start_load {
    my ($nginx, $phase, $accept) = @_;

    my $cancel = sub {
        my ($client, $n) = @_;
        my $task = $n * $CANCELLERS + $client;
        return ('POST', "/jobs/$phase$task/cancel");
    };

    return map { Tasks::Load->start($nginx->port, accept => $accept, %$_) }
        { fresh => $READERS, paths => \@PATHS, pause => 0.001 },
        { fresh => $CANCELLERS, requests => $cancel, pause => 0.003 };
}


# What all of them have seen, and whether what was cancelled is.

sub end_load {
    my ($name, $nginx, @loads) = @_;

    # on a slow machine, until there are enough
    wait_for(sub { 40 < (() = $nginx->access_log =~ m{/cancel HTTP\S+ 200 }g) },
             60, 'cancels');

    my @results = map { $_->stop } @loads;
    my %sum;

    for my $result (@results) {
        $sum{requests} += $result->{requests};
        $sum{$_} += $result->{statuses}{$_} for keys %{ $result->{statuses} };
    }

    my @failures = map { @{ $_->{failures} } } @results;
    my @done = map { m{/(\w+)/cancel} } @{ $results[1]{done} };
    my @lost = grep { $redis->command('HGET', "$JOBS:task:$_", 'status')
                      ne '"cancelled"' } @done;

    is(join("\n", @failures[0 .. ($#failures > 9 ? 9 : $#failures)]), '',
       "$name: no request fails otherwise");
    is("@lost", '', "$name: all cancels that were answered are recorded");
    cmp_ok(scalar @done, '>', 30, "$name: some were");

    note("$name: ", join ', ', scalar(@done) . ' cancels',
         map { "$_: $sum{$_}" } sort keys %sum);

    return \%sum;
}


sub served_after {
    my ($nginx, $took) = @_;

    wait_for(sub {
        10 == grep { (eval { http($nginx->port, 'GET', '/jobs/t1')->status }
                      // 'none') eq '200' } 1 .. 10
    }, 10, 'service');

    return $took->();
}


# Reloads

{
    my $nginx = start_two();
    my @load = start_load($nginx, 'reload', qr/$ANSWER|$NO_MORE/);
    my ($reloads, $slowest) = ($FULL ? 200 : 10, 0);

    for (1 .. $reloads) {
        $nginx->reload;
        my $took = stopwatch();
        wait_for(sub { !old_workers($nginx) }, 20, 'old workers to go');
        $slowest = max($slowest, $took->());
    }

    end_load('reloads', $nginx, @load);
    cmp_ok($slowest, '<', $DEADLINE + 1 * $SLOW,
           "$reloads reloads: old workers are gone in time");
    note("lifecycle_load.t: $reloads reloads, old workers gone after "
         . "$slowest s");
}


# Killed workers

{
    my $nginx = start_two(allow => qr/is gone|exited on signal 9/);
    my @load = start_load($nginx, 'kill', qr/$ANSWER|$NO_MORE|$CUT_OFF/);
    my ($kills, $slowest) = ($FULL ? 50 : 5, 0);

    for (1 .. $kills) {
        my @workers = $nginx->worker_pids;
        my $took = stopwatch();
        kill 'KILL', $workers[rand @workers];
        wait_for(sub { my @now = $nginx->worker_pids;
                       @now == 2 && "@now" ne "@workers" }, 5, 'a new worker');
        $slowest = max($slowest, served_after($nginx, $took));
        sleep 0.05;
    }

    my $sum = end_load('killed workers', $nginx, @load);
    my $cut = ($sum->{'no '} // 0) + ($sum->{inc} // 0);

    cmp_ok($cut, '<=', $kills * ($READERS + $CANCELLERS),
           "$kills workers killed: only requests under way are cut");
    cmp_ok($slowest, '<', 1 * $SLOW, 'and there is service within a second');
    note("lifecycle_load.t: $kills workers killed, $cut requests cut, service "
         . "after $slowest s");
}


# Restarts of Redis, and what it costs when it is not there

{
    my $nginx = start_two();
    my @load = start_load($nginx, 'restart', qr/$ANSWER|$NO_MORE|$DOWN/);
    my ($restarts, $slowest) = ($FULL ? 30 : 5, 0);

    for (1 .. $restarts) {
        sleep 0.1;
        $redis->stop;
        # also so long that attempts to connect have become as rare as they may
        sleep($_ % 5 ? 0.05 + rand 0.3 : 4);
        $redis->start;
        wait_for(sub { eval { $redis->command('EXISTS', "$JOBS:task:t1") } },
                 10, 'Redis to have read its data');
        $slowest = max($slowest, served_after($nginx, stopwatch()));
    }

    my $sum = end_load('restarts of Redis', $nginx, @load);

    cmp_ok($slowest, '<', 1 * $SLOW, "$restarts restarts of Redis: each time "
           . 'there is service within a second');
    cmp_ok($sum->{503}, '>', 0, 'and some requests were refused before');

    $redis->stop;
    sleep 0.2;

    my $start = time;
    my %cpu = map { $_ => cpu_of($_) } $nginx->worker_pids;
    sleep($FULL ? 10 : 2);
    my $share = max(map { 100 * (cpu_of($_) - $cpu{$_}) / (time - $start) }
                    keys %cpu);

    cmp_ok($share, '<', 2 * $SLOW, 'without it a worker does next to nothing');
    $redis->start;
    note(sprintf 'lifecycle_load.t: %d restarts of Redis, service after %.2f '
         . 's; without it %.1f %% of a processor', $restarts, $slowest, $share);
}


done_testing();
