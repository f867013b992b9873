# What clients get when Redis is away, slow, broken or lying: an error in the
# API's shape, soon, and service again as soon as there is a Redis; never a
# wrong body, never another's, and never a cancel that is sent twice.

use lib 't/lib';
use Tasks ':live';

use IO::Socket::INET;
use IO::Socket::UNIX;
use List::Util qw(max);
use POSIX ();
use Socket ();
use Time::HiRes qw(sleep time);

use FaultyRedis;
use RESP;
use Tasks::HTTP;
use Tasks::Jobs;
use Tasks::Nginx;
use Tasks::RedisServer;

my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds

load_jobs();


# A Redis of two tasks, whose answers a plan may change:
#
#   replies => { KIND => BYTES or an answer }    see kind_of()
#   moving => 1       a revision that is another one each time

sub bulk { defined $_[0] ? '$' . length($_[0]) . "\r\n$_[0]\r\n" : "\$-1\r\n" }

sub array { '*' . @_ . "\r\n" . join '', @_ }

my @POSITIONS = ('862a99ba0c6000:b', '862a99ba0c6000:a');

my %BODY = (
    list   => '{"tasks":[{"id":"b"},{"id":"a"}],"next":null}',
    pages  => '{"tasks":[{"id":"b"},{"id":"a"}],"total":2}',
    get    => '{"task":{"id":"a","status":"running","kind":"x","n":1,'
              . '"created":"2025-01-01T00:00:00","note":[1]}}',
    cancel => '{"cancelled":"a","was":"running"}',
);

my %REQUEST = (
    list   => ['GET', ''],
    pages  => ['GET', '/pages'],
    get    => ['GET', '/a'],
    cancel => ['POST', '/a/cancel'],
);


sub kind_of {
    my ($command) = @_;

    my ($name, $key) = @$command;

    return $name eq 'HMGET' ? ($key =~ /:rows$/ ? 'rows'
                               : $key =~ /:revs$/ ? 'revision' : 'task')
         : { ZRANGE => 'members', ZCARD => 'total', FCALL => 'cancel',
             SELECT => 'select', AUTH => 'auth', FUNCTION => 'load',
             FCALL_RO => $key =~ /_page$/ ? 'page' : 'version' }->{$name};
}


my %ANSWERS = (
    auth     => "+OK\r\n",
    select   => "+OK\r\n",
    load     => bulk('tasks_jobs'),
    version  => bulk('0123456789abcdef0123456789abcdef'),
    members  => array(map { bulk($_) } @POSITIONS),
    total    => ":2\r\n",
    task     => array(bulk(99), bulk('"running"'), bulk('"x"'), bulk(1),
                      bulk('"2025-01-01T00:00:00"'), bulk('[1]')),
    cancel   => array(map { bulk($_) } 'cancelled', '"running"', 'running'),
    page     => array(bulk(99), ":2\r\n", map { bulk($_) } @POSITIONS,
                      '{"id":"b"}', '{"id":"a"}'),
);

my $revision = 99;


sub answer {
    my ($command, $plan) = @_;

    my $kind = kind_of($command);
    my $changed = $plan->{replies}{$kind};

    return $changed if defined $changed;

    return array(map { bulk($plan->{moving} ? $revision++ : 99) }
                     @$command[2 .. $#$command])
        if $kind eq 'revision';
    return array(map { bulk("{\"id\":\"$_\"}") } @$command[2 .. $#$command])
        if $kind eq 'rows';

    return $ANSWERS{$kind};
}


sub fake { return FaultyRedis->canned(\&answer, @_) }


# nginx with such a Redis.  Its lists are read anew for each request, in the
# same steps; what requests share is in cache.t.

sub start_on {
    my ($fake, $directives, %option) = @_;

    my $http = delete $option{http_config} // '';

    return start_jobs(
        store => 'server ' . $fake->address . "; load_functions off; $directives",
        http_config => "tasks_cache off; $http", %option);
}


sub ask {
    my ($nginx, $action, $prefix) = @_;

    my ($method, $path) = @{ $REQUEST{$action} };

    return http($nginx->port, $method, ($prefix // '/jobs') . $path,
                timeout => 10);
}


# What a request got: its status, "200" only with the right body, and the
# header that goes with an error.

sub outcome {
    my ($response, $action) = @_;

    my $status = status($response);

    return $response->body eq $BODY{$action} ? $status : 'a wrong body'
        if $status eq '200';

    return "$status, Retry-After " . $response->header('Retry-After')
        if $status =~ /^50[34] / && $response->header('Retry-After') ne '1';

    return $status;
}


sub asked { return outcome(ask(@_), $_[1]) }


sub serves {
    my ($nginx, @rest) = @_;

    return asked($nginx, 'get', @rest) eq '200';
}


sub wait_serves {
    my ($nginx, $seconds) = @_;

    my $took = stopwatch();
    wait_for(sub { serves($nginx) }, $seconds // 10, 'service');

    return $took->();
}


sub commands {
    my ($fake, $kind) = @_;

    return scalar grep { kind_of($_) eq $kind } $fake->commands;
}


sub rss {
    my ($pid) = @_;

    open my $in, '<', "/proc/$pid/statm" or die "statm: $!\n";

    return (split ' ', <$in>)[1] * 4096;
}


# Redis comes and goes

{
    my $redis = Tasks::RedisServer->new;
    my $load = sub {
        load_jobs($redis);
        $redis->command('FCALL', 'jobs_put', 1, $JOBS, job('a'));
    };
    my $get = sub { status(http($_[0]->port, 'GET', '/jobs/a')) };

    $redis->stop;

    my $nginx = start_jobs(store => 'server unix:' . $redis->socket
                                    . '; timeout 10s;');

    wait_for(sub { $nginx->error_log =~ /requests are refused/ });
    is(asked($nginx, $_), '503 unavailable', "no Redis: $_")
        for sort keys %REQUEST;

    my $slowest = 0;

    for my $round (1 .. 3) {
        sleep 0.3 * $round;
        $redis->start;
        my $took = stopwatch();
        wait_for(sub { $get->($nginx) eq '404 not_found' }, 5, 'service');
        $slowest = max($slowest, $took->());

        $load->();
        is($get->($nginx), '200', "Redis appears, round $round: service");

        $redis->command('FLUSHALL');
        is($get->($nginx), '404 not_found', 'emptied');
        is(http($nginx->port, 'GET', '/jobs')->body,
           '{"tasks":[],"next":null}', 'no task');

        $redis->stop;
        is($get->($nginx), '503 unavailable', 'stopped');
    }

    cmp_ok($slowest, '<', 1 * $SLOW, 'service within a second of Redis');
    note("service after $slowest s at most");

    my @said = $nginx->error_log =~ /\[error\].*tasks store "main": (.*)/g;
    cmp_ok(@said, '<=', 8, 'each change is said once') or diag(@said);
}


# A Redis that stops, with its connections open, and goes on

{
    my $redis = Tasks::RedisServer->new;
    load_jobs($redis);
    $redis->command('FCALL', 'jobs_put', 1, $JOBS, job('a'));

    my $nginx = start_jobs(store => 'server unix:' . $redis->socket
                           . '; timeout 400ms; connect_timeout 400ms;');
    my $get = sub { status(http($nginx->port, 'GET', '/jobs/a')) };
    wait_for(sub { $get->() eq '200' }, 5, 'service');

    $redis->pause;
    my ($start, $took) = (time, stopwatch());
    is($get->(), '504 timeout', 'a Redis that is stuck: a timeout');
    cmp_ok($took->(), '<', 0.4 + 0.2 * $SLOW, 'in time');
    cmp_ok(time - $start, '>', 0.38, 'and not before');
    sleep 1;
    like($get->(), qr/^50[34] /, 'still stuck');
    $redis->resume;
    $took = stopwatch();
    wait_for(sub { $get->() eq '200' }, 5, 'service');
    cmp_ok($took->(), '<', 1 * $SLOW, 'service within a second');
}


# Black holes

{
    my $fake = fake(plan => { replies => { select => { stall => 1 } } });
    my $nginx = start_on($fake, 'timeout 600ms; connect_timeout 1s;');

    my $took = stopwatch();
    like(asked($nginx, 'get'), qr/^50[34] \w+$/, 'accepts and says nothing');
    cmp_ok($took->(), '<', 0.6 + 0.2 * $SLOW, 'in time');
    wait_for(sub { $nginx->error_log =~ /requests are refused/ });
    is(asked($nginx, $_), '503 unavailable', "then refused at once: $_")
        for sort keys %REQUEST;
    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1.5 * $SLOW, 'service again');

    for my $action (sort keys %REQUEST) {
        $fake->plan(replies => { map { $_ => { stall => 1 } }
                                 qw(revision members task cancel) });
        my $connections = $fake->connections;
        $took = stopwatch();
        is(asked($nginx, $action), '504 timeout', "$action is never answered");
        cmp_ok($took->(), '<', 0.6 + 0.2 * $SLOW, 'in time');
        $fake->plan;
        cmp_ok(wait_serves($nginx), '<', 1 * $SLOW, 'then there is service');
        is($fake->connections, $connections + 1, 'on a new connection');
    }
}

{
    my $fake = fake();
    my $nginx = start_on($fake, 'timeout 300ms; max_pending 5;');
    wait_serves($nginx);

    $fake->plan(replies => { task => { stall => 1 } });

    for (1 .. 8) {
        my $connection = http_connect($nginx->port);
        $connection->send(Tasks::HTTP::request_bytes('GET', '/jobs/a'));
        sleep 0.04;
        $connection->close;
    }

    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1 * $SLOW,
           'a stuck connection is replaced though no client waits so long');
}


# Connections that are closed

{
    my $fake = fake(plan => { refuse => 1 });
    my $nginx = start_on($fake, '');

    wait_for(sub { $nginx->error_log =~ /requests are refused/ });
    is(asked($nginx, $_), '503 unavailable', "accept and close: $_")
        for sort keys %REQUEST;
    sleep 1;
    my $attempts = $fake->connections;
    cmp_ok($attempts, '<', 12, 'with few attempts');
    my ($start, $took) = (time, stopwatch());
    wait_for(sub { $fake->connections >= $attempts + 3 }, 10, 'attempts');
    cmp_ok($took->(), '<', 2.4, 'but never long without one');
    sleep 2.4 - (time - $start) if time < $start + 2.4;
    my $seconds = time - $start;
    cmp_ok($fake->connections - $attempts, '<', 5 * $seconds, 'nor often');
    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1 * $SLOW, 'service again');

    $fake->plan(replies => { map { $_ => { close => 1 } }
                             qw(revision members total task cancel) });
    my $before = commands($fake, 'task');
    is(asked($nginx, 'get'), '503 unavailable', 'closed at each command: get');
    is(commands($fake, 'task') - $before, 2, 'a read is sent again once');
    $before = commands($fake, 'cancel');
    is(asked($nginx, 'cancel'), '503 unavailable', 'cancel');
    is(commands($fake, 'cancel') - $before, 1, 'which is sent once');
    is(asked($nginx, 'list'), '503 unavailable', 'list');
    $fake->plan;
    wait_serves($nginx);

    # between requests
    for (1 .. 5) {
        $fake->drop;
        is(asked($nginx, 'get'), '200', 'closed while idle: not noticed');
    }
}


# Refusals

my @REFUSALS = map { "-$_\r\n" } (
    'LOADING Redis is loading the dataset in memory',
    'OOM command not allowed when used memory > \'maxmemory\'.',
    'MASTERDOWN Link with MASTER is down',
    'NOAUTH Authentication required.',
    'NOPERM this user has no permissions to run the command',
    'BUSY Redis is busy running a script.', 'MISCONF Redis is configured to',
    'ERR max number of clients reached',
);

{
    my $fake = fake();
    my $nginx = start_on($fake, 'timeout 10s;');
    my $secret = 'CANARY';

    for my $refusal (@REFUSALS, "-READONLY You can't write\r\n",
                     "-NOREPLICAS Not enough good replicas to write.\r\n") {
        my ($name) = $refusal =~ /^-(.*?\w+)/;
        my @actions = $refusal =~ /READONLY|NOREPL/ ? 'cancel'
                                                    : sort keys %REQUEST;

        $fake->plan(replies => { map { $_ => $refusal =~ s/\r/ $secret\r/r }
            qw(revision members total rows task cancel page) });

        for my $action (@actions) {
            my $response = ask($nginx, $action);
            is(outcome($response, $action), '503 unavailable',
               "$name to $action");
            unlike($response->raw_headers . $response->body, qr/$secret/,
                   'which is not repeated');
        }
    }

    $fake->plan(replies => { map { $_ => "-ERR unknown $secret\r\n" }
                             qw(members task cancel) });
    is(asked($nginx, $_), '500 internal', "ERR to $_") for sort keys %REQUEST;

    for my $kind (qw(revision members total rows)) {
        $fake->plan(replies => { $kind => "-WRONGTYPE Operation\r\n" });
        is(asked($nginx, 'pages'), '500 internal', "WRONGTYPE for $kind");
    }

    $fake->plan;
    is(asked($nginx, $_), '200', "$_ is then served") for sort keys %REQUEST;
    is($fake->connections, 1, 'on the same connection');
    like($nginx->error_log, qr/answers "\w+ .*CANARY"/, 'the log has the words');
}

for my $refusal (@REFUSALS) {
    my ($name) = $refusal =~ /^-(.*?\w+)/;
    my $fake = fake(plan => { replies => { select => $refusal,
                                           version => $refusal } });
    my $nginx = start_on($fake, 'timeout 500ms;');

    if ($name eq 'NOPERM') {
        cmp_ok(wait_serves($nginx), '<', 1 * $SLOW,
               'NOPERM to the default database: service');
        next;
    }

    wait_for(sub { $nginx->error_log =~ /requests are refused/ });
    is(asked($nginx, 'get'), '503 unavailable', "$name at once");
    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1 * $SLOW, 'service when it is over');
}


# What Redis says for itself

{
    my $redis = Tasks::RedisServer->new('--busy-reply-threshold', '20');
    load_jobs($redis);
    $redis->command('FCALL', 'jobs_put', 1, $JOBS, job('a')) for 1;
    my $nginx = start_jobs(store => 'server unix:' . $redis->socket
                                    . '; timeout 10s;');
    my $get = sub { status(http($nginx->port, 'GET', '/jobs/a')) };
    my $cancel = sub { status(http($nginx->port, 'POST', '/jobs/a/cancel')) };
    my $both = sub { join ', ', $get->(), $cancel->() };

    wait_for(sub { $get->() eq '200' }, 5, 'service');

    # a cancel makes no room, but may be what ends the cause

    my %states = (
        'out of memory' => ['200, 200', [maxmemory => 1], [maxmemory => 0]],
        'too few replicas' => ['200, 503 unavailable',
            ['min-replicas-to-write' => 1], ['min-replicas-to-write' => 0]],
    );

    for my $name (sort keys %states) {
        my ($expected, $set, $unset) = @{ $states{$name} };
        $redis->command('CONFIG', 'SET', @$set);
        is($both->(), $expected, "$name: get and cancel");
        $redis->command('CONFIG', 'SET', @$unset);
    }

    $redis->command('REPLICAOF', '127.0.0.1', 1);
    is($both->(), '200, 503 unavailable', 'a replica');
    $redis->command('CONFIG', 'SET', 'replica-serve-stale-data', 'no');
    is($both->(), '503 unavailable, 503 unavailable', 'its master is down');
    $redis->command('REPLICAOF', 'NO', 'ONE');

    my $pid = fork() // die "fork: $!\n";
    if (!$pid) {
        eval { RESP->new($redis->socket)->command('EVAL',
               'while true do end', 0) };
        POSIX::_exit(0);
    }
    my $other = RESP->new($redis->socket);
    wait_for(sub { my $r = $other->ask('PING');
                   ref $r && $$r =~ /^BUSY/ }, 5, 'a busy Redis');
    is($both->(), '503 unavailable, 503 unavailable', 'busy');
    $other->command('SCRIPT', 'KILL');
    waitpid $pid, 0;
    is($get->(), '200', 'not busy any more');

    my @crowd;
    $redis->command('CONFIG', 'SET', 'maxclients', 4);
    for (1 .. 5) { push @crowd, eval { RESP->new($redis->socket) } }
    $redis->command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    undef @crowd;
    wait_for(sub { $get->() eq '200' }, 5, 'service');
    pass('killed by CLIENT KILL: service again');
}


# Keys of another type, and keys that are lost: what the functions never do

sub refill {
    redis('FLUSHALL');
    put_job("t$_", n => $_, status => 'running', kind => 'x',
            created => "2025-01-01T00:00:0$_") for 1 .. 9;
}

{
    refill();

    my $nginx = start_jobs();
    my $at = sub { status(http($nginx->port, $_[1] // 'GET', "/jobs$_[0]")) };
    my ($cursor) = http($nginx->port, 'GET', '/jobs?limit=3')->body
                   =~ /"next":"([\w-]+)"/;
    my @lists = ('', '?limit=3', "?limit=3&cursor=$cursor", '?kind=x', '/pages',
                 '/pages?limit=3&page=2', '/pages?page=9', '/pages?limit=0',
                 '/pages?status=running');

    is($at->($_), '200', "a sound list $_") for @lists;

    # key, the lists concerned, get, cancel
    for (["$JOBS:task:t1", [], '500 internal', '500 internal'],
         ["$JOBS:rows", [grep { !/page=9|limit=0/ } @lists], '200', '500 internal'],
         ["$JOBS:revs", \@lists, '200', '500 internal'],
         ["$JOBS:index", [grep { !/kind|status/ } @lists], '200', undef],
         ["$JOBS:index:status=running", ['/pages?status=running'], '200',
          '500 internal']) {
        my ($key, $lists, $get, $cancel) = @$_;

        redis('DEL', $key);
        redis('SET', $key, 'x');
        is($at->($_), '500 internal', "$key is a string: list $_") for @$lists;
        is($at->('/t1'), $get, "$key is a string: get");
        is($at->('/t1/cancel', 'POST'), $cancel, "$key is a string: cancel")
            if $cancel;
        refill();
    }

    my %losses = (
        'the index' => [sub { redis('DEL', "$JOBS:index") },
                        grep { !/kind|status/ } @lists],
        'the revisions' => [sub { redis('DEL', "$JOBS:revs") }, @lists],
        'a revision' => [sub { redis('HDEL', "$JOBS:revs", '') },
                         grep { !/kind|status/ } @lists],
        'an index' => [sub { redis('DEL', "$JOBS:index:kind=x") }, '?kind=x'],
        'the rows' => [sub { redis('DEL', "$JOBS:rows") },
                       grep { !/page=9|limit=0/ } @lists],
        'a row' => [sub { redis('HDEL', "$JOBS:rows", 't5') },
                    '', "?limit=3&cursor=$cursor", '?kind=x', '/pages',
                    '/pages?limit=3&page=2', '/pages?status=running'],
        'a removed task stays in an index' => [
            sub { redis('ZADD', "$JOBS:index", 0, '862a99ba0c6000:t0') },
            '', '/pages'],
        'a member is no position' => [
            sub { redis('ZADD', "$JOBS:index", 0, 'zz') }, '', '?limit=3'],
    );

    for my $name (sort keys %losses) {
        my ($lose, @concerned) = @{ $losses{$name} };
        my %concerned = map { $_ => 1 } @concerned;

        $lose->();
        is($at->($_), '500 internal', "lost: $name: list $_") for @concerned;
        is($at->($_), '200', "lost: $name: but not list $_")
            for grep { !$concerned{$_} && $name =~ /^(?:an index|a row)$/ } @lists;
        refill();
    }

    like($nginx->error_log, qr/\[error\].*does Redis evict keys/,
         'the log says what to look for');
}


# Not Redis at all

my %NONSENSE = (
    'HTTP'                  => "HTTP/1.1 400 Bad Request\r\n\r\n",
    'garbage'               => "\x00\xff\x16\x03\x01garbage\r\n",
    'a wrong length'        => "\$3\r\n100000\r\n",
    'a short string'        => "\$9\r\nabc\r\n\$3\r\nabc\r\n",
    'a negative length'     => "\$-5\r\n",
    'a negative count'      => "*-5\r\n",
    'a huge count'          => "*1000000000\r\n",
    'a count that overflows' => "*99999999999999999999\r\n",
    'a huge number'         => ":99999999999999999999999\r\n",
    'no number'             => ":12a\r\n",
    'deep nesting'          => "*1\r\n" x 100,
    'RESP3'                 => "%1\r\n+a\r\n+b\r\n",
    'an empty line'         => "\r\n",
);

{
    my $fake = fake();
    my $nginx = start_on($fake, 'timeout 1s; max_reply 64k;');
    my ($worker) = $nginx->worker_pids;

    wait_serves($nginx);
    my $memory = rss($worker);

    for my $name (sort keys %NONSENSE) {
        for my $action (sort keys %REQUEST) {
            $fake->plan(replies => { map { $_ => $NONSENSE{$name} }
                                     qw(members task cancel) });
            is(asked($nginx, $action), '503 unavailable', "$name to $action");
            $fake->plan;
            wait_serves($nginx);
        }
    }

    # what follows a string is part of it, though the next one begins well

    $fake->plan(replies => { task => $ANSWERS{task} =~ s/99\r\n/99XY/r });
    is(asked($nginx, 'get'), '503 unavailable', 'a string that does not end');
    $fake->plan;
    wait_serves($nginx);

    for my $bytes ("\$1000000000\r\n", "\$1000000000\r\n" . 'a' x 300_000,
                   '+' . 'a' x 300_000) {
        $fake->plan(replies => { task => $bytes });
        like(asked($nginx, 'get'),
             qr/^(?:503 unavailable|504 timeout|500 too_large)$/,
             'a huge length and '
             . (length($bytes) > 99 ? 'many' : 'no') . ' bytes');
        $fake->plan;
        wait_serves($nginx);
    }

    cmp_ok(rss($worker) - $memory, '<', 8e6 * $SLOW, 'no memory is asked for');
}

for my $name (sort keys %NONSENSE) {
    my $fake = fake(plan => { replies => { select => $NONSENSE{$name} } });
    my $nginx = start_on($fake, 'timeout 500ms; connect_timeout 500ms;');

    wait_for(sub { $nginx->error_log =~ /requests are refused/ });
    is(asked($nginx, 'get'), '503 unavailable', "$name at once");
    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1.2 * $SLOW, 'service when it is over');
}


# Replies of another kind than is due

my %KINDS = (
    'nil'              => "\$-1\r\n",
    'a nil array'      => "*-1\r\n",
    'a number'         => ":1\r\n",
    'a status'         => "+OK\r\n",
    'a string'         => "\$1\r\na\r\n",
    'an empty string'  => "\$0\r\n\r\n",
    'an empty array'   => "*0\r\n",
    'an array of nil'  => "*1\r\n\$-1\r\n",
    'an array of numbers' => "*3\r\n:1\r\n:2\r\n:3\r\n",
    'an array of statuses' => "*3\r\n+a\r\n+b\r\n-c\r\n",
    'an array of arrays' => "*1\r\n*1\r\n+a\r\n",
    'a long array'     => array((bulk('862a99ba0c6000:a')) x 70),
);

my %ALLOWED = (
    revision => qr/^an? (?:empty )?string$|^an array of nil$/,    # as before
    rows     => qr/^$/, members => qr/^an empty array$/, total => qr/^a number$/,
    task     => qr/^$/, cancel => qr/^$/, page => qr/^$/,
);

{
    my $fake = fake();
    my $nginx = start_on($fake, 'timeout 10s;');
    wait_serves($nginx);

    my %where = (list => [qw(revision members rows page)], get => ['task'],
                 cancel => ['cancel'], pages => ['total', 'page']);

    for my $action (sort keys %where) {
        for my $kind (@{ $where{$action} }) {
            for my $name (sort grep { !/$ALLOWED{$kind}/ } keys %KINDS) {
                $fake->plan(moving => $kind eq 'page',
                            replies => { $kind => $KINDS{$name} });
                like(asked($nginx, $action),
                     qr/^(?:503 unavailable|500 internal)$/,
                     "$action: $name for $kind");
                $fake->plan;
                is(asked($nginx, $action), '200', 'then the right one');
            }
        }
    }

    # what contradicts itself is read again, at last by the function

    my $contradiction = array(bulk(undef), ":2\r\n", map { bulk($_) } @POSITIONS,
                              '{"id":"b"}', '{"id":"a"}');

    for my $case ([revision => array(bulk(undef))], [members => array()]) {
        $fake->plan(replies => { @$case });
        is(asked($nginx, 'list'), '200', "no $case->[0]: the function has them");
        $fake->plan(replies => { @$case, page => $contradiction });
        is(asked($nginx, 'list'), '500 internal', 'if it does not, that is an error');
        $fake->plan;
        is(asked($nginx, 'list'), '200', 'then the right one');
    }

    # a task that came and went between two commands: there, but not counted

    $fake->plan(replies => { revision => array(bulk(undef)), total => ":0\r\n",
                             page => array(bulk(undef), ":0\r\n") });
    is(http($nginx->port, 'GET', '/jobs/pages')->body, '{"tasks":[],"total":0}',
       'a task that is in an index of no revision is not shown');

    my %rows = map { ("$_->[0] in place of a row" =>
                      array(bulk('{"id":"b"}'), $_->[1])) }
               ['a number', ":1\r\n"], ['a status', "+OK\r\n"],
               ['an error', "-ERR no\r\n"], ['an array', "*0\r\n"],
               ['nil', "\$-1\r\n"];
    $rows{'a row too few'} = array(bulk('{"id":"b"}'));
    $rows{'a row too many'} = array(map { bulk("{\"id\":\"$_\"}") } qw(b a c));

    for my $name (sort keys %rows) {
        $fake->plan(replies => { rows => $rows{$name} });
        like(asked($nginx, 'list'), qr/^(?:503 unavailable|500 internal)$/,
             $name);
    }

    my @page = (bulk(99), ":2\r\n", map { bulk($_) } @POSITIONS, '{"id":"b"}',
                '{"id":"a"}');

    $fake->plan(moving => 1);
    is(asked($nginx, $_), '200', "the page function: $_") for qw(list pages);

    for my $i (0 .. 5) {
        my $number = $i == 1 ? bulk(2) : ":1\r\n";

        for my $other ($number, "+OK\r\n", "*0\r\n", "-ERR\r\n", "\$-1\r\n") {
            my @changed = @page;
            $changed[$i] = $other;
            $fake->plan(moving => 1, replies => { page => array(@changed) });
            like(asked($nginx, 'pages'), qr/^(?:503 unavailable|500 internal)$/,
                 "the page function: element $i is " . substr $other, 0, 3);
        }
    }

    $fake->plan(moving => 1, replies => { page => array(@page[0 .. 4]) });
    like(asked($nginx, 'pages'), qr/^50[03] \w+$/, 'a row too few');

    for my $i (0 .. 5) {
        my @task = map { bulk($_) } 99, '"running"', '"x"', 1, '""', '[1]';
        for my $other (":1\r\n", "+OK\r\n", "*0\r\n", "-ERR\r\n") {
            my @changed = @task;
            $changed[$i] = $other;
            $fake->plan(replies => { task => array(@changed) });
            like(asked($nginx, 'get'), qr/^(?:503 unavailable|500 internal)$/,
                 "get: element $i is " . substr $other, 0, 3);
        }
    }

    for my $outcome ('CANCELLED', '', 'cancelled ') {
        $fake->plan(replies => { cancel =>
            array(map { bulk($_) } $outcome, '"running"', 'running') });
        like(asked($nginx, 'cancel'), qr/^50[03] \w+$/,
             "cancel: the outcome \"$outcome\"");
    }

    $fake->plan(replies => { cancel => array(bulk('missing')) });
    is(asked($nginx, 'cancel'), '404 not_found', 'cancel: missing');
    $fake->plan(replies => { cancel => array(map { bulk($_) } 'refused',
                                             '"done"', 'done') });
    is(asked($nginx, 'cancel'), '409 cannot_cancel', 'cancel: refused');
}

for my $name (sort grep { !/string/ } keys %KINDS) {
    my $fake = fake(plan => { replies => { version => $KINDS{$name},
                                           load => $KINDS{$name} } });
    my $nginx = start_jobs(store => 'server ' . $fake->address . ';');
    my $wanted = $name =~ /^(?:nil|a nil array|a number|a status)$/;

    sleep 0.05;
    my $got = asked($nginx, 'get');
    ok($got eq '200' || $got eq '503 unavailable' && !$wanted,
       "loading: $name for the version: $got");
    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1 * $SLOW, 'and service');
}


# More replies than were asked for

{
    my $fake = fake();
    my $nginx = start_on($fake, 'timeout 10s;');
    wait_serves($nginx);

    for my $bytes ("+OK\r\n", bulk('{"id":"foreign"}'), $ANSWERS{task}) {
        my $connections = $fake->connections;
        $fake->inject($bytes);
        wait_for(sub { $fake->connections > $connections }, 2,
                 'a new connection');
        is(asked($nginx, $_), '200', "$_ after an extra reply while idle")
            for sort keys %REQUEST;
    }

    for my $bytes ("+OK\r\n", ":1\r\n", bulk('x'), array(bulk('x'))) {
        for my $action (sort keys %REQUEST) {
            $fake->plan(replies => { map { $_ => $bytes . $ANSWERS{$_} }
                                     qw(members task cancel) });
            like(asked($nginx, $action), qr/^50[03] \w+$/,
                 "$action with an extra reply before its own");
            $fake->plan;
            is(asked($nginx, $action), '200', 'the next one is right');

            $fake->plan(replies => { map { $_ => $ANSWERS{$_} . $bytes }
                                     qw(task cancel) });
            is(asked($nginx, 'get'), '200', 'an extra reply behind its own');
            is(asked($nginx, 'cancel'), '200', 'cancel, too');
            $fake->plan;
            is(asked($nginx, $action), '200', 'the next one is right');
        }
    }
}


# Replies that are cut anywhere.  Eight processes, as nearly all is waiting.

sub sweeping {
    my ($command, $plan) = @_;

    my $bytes = answer($command, $plan);

    return $bytes if ref $bytes || kind_of($command) eq 'select'
                     || !defined $plan->{at};

    # state of the fake's process: since the plan was set
    our ($number, $sent, $done);
    ($number, $sent, $done) = ($plan->{number}, 0, 0)
        unless defined $number && $number == $plan->{number};

    return $plan->{always} ? { close => 1 } : $bytes if $done;

    my $at = $plan->{at} - $sent;
    $sent += length $bytes;

    return $bytes if $at < 0 || $at >= length $bytes;

    $done = 1;

    return { bytes => $bytes, split => [$at] } if $plan->{how} eq 'split';

    return { bytes => substr($bytes, 0, $at), $plan->{how} => 1 };
}


# Of all the offsets those that are this process's; returns what went wrong.

sub sweep {
    my ($nginx, $fake, $slot, $slots) = @_;

    my (%sum, $number);
    my $cancels = 0;

    for my $action (qw(list pages get cancel)) {
        my $size = 0;
        $size += length answer([split / /], {}) for
            { list => ['HMGET k:revs r', 'ZRANGE i', 'HMGET k:rows b a',
                       'HMGET k:revs r'],
              pages => ['HMGET k:revs r', 'ZRANGE i', 'ZCARD i', 'HMGET k:rows b a',
                        'HMGET k:revs r'],
              get => ['HMGET k:task:a'], cancel => ['FCALL c'] }->{$action}->@*;

        for my $how (qw(close reset stall split always)) {
            for my $at (grep { $_ % $slots == $slot } 0 .. $size - 1) {
                my $always = $how eq 'always';
                my $kept = $how eq 'split'
                           || $how =~ /close|reset/ && $action ne 'cancel';

                $fake->plan(number => ++$number, at => $at, always => $always,
                            how => $always ? 'close' : $how);

                my $got = asked($nginx, $action,
                                $how eq 'stall' ? "/short$slot" : "/s$slot");
                my $expected = $kept ? '200' : $how eq 'stall' ? '504 timeout'
                                                               : '503 unavailable';

                $sum{$got eq $expected ? 'right'
                     : "$action, $how at $at of $size: $got"}++;
                $cancels++ if $action eq 'cancel';

                # nginx may be about to leave the connection; not the next one
                if ($how eq 'stall') {
                    $fake->plan;
                    $fake->drop;
                    wait_for(sub { serves($nginx, "/short$slot") });
                }
            }
        }
    }

    $fake->plan;
    $sum{'cancels were not sent once each'}++
        unless commands($fake, 'cancel') == $cancels;
    $sum{'no service afterwards'}++ unless asked($nginx, 'list', "/s$slot") eq '200';

    return join "\n", map { "$sum{$_} $_" } sort keys %sum;
}


{
    my $slots = 8;
    my @fakes = map { FaultyRedis->canned(\&sweeping, listen => 0) } 1 .. $slots;
    my $stores = join "\n", map {
        my $server = 'server ' . $fakes[$_]->address . '; load_functions off;';
        "tasks_store s$_ { $server timeout 10s; } "
        . "tasks_store short$_ { $server timeout " . 100 * $SLOW . 'ms; }'
    } 0 .. $slots - 1;
    my $nginx = start_on($fakes[0], '',
        worker_connections => 256,
        http_config => $stores,
        locations => join("\n", map { jobs_location("/s$_", "s$_"),
                                      jobs_location("/short$_", "short$_") }
                                0 .. $slots - 1));
    my %sum;

    my @children = map {
        my $slot = $_;
        (open my $out, '-|') || do {
            my $result = eval { sweep($nginx, $fakes[$slot], $slot, $slots) };
            syswrite STDOUT, $result // "1 died: $@";
            POSIX::_exit(0);
        };
        $out;
    } 0 .. $slots - 1;

    for my $child (@children) {
        while (<$child>) {
            chomp;
            my ($n, $what) = split / /, $_, 2;
            $sum{$what} += $n;
        }
        close $child;
    }

    my $right = delete $sum{right} // 0;

    cmp_ok($right, '>', 1500, 'replies cut, reset, stalled and split at every '
           . "byte: $right answers as they should be");
    is(join("\n", sort keys %sum), '', 'and none that is not');
}

{
    my $proxy = FaultyRedis->proxy(redis_socket());
    refill();
    my $nginx = start_jobs(store => 'server ' . $proxy->address . ';');
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs/t1')) eq '200' });

    my %whole = map { $_ => http($nginx->port, 'GET', $_)->body }
                '/jobs?limit=3', '/jobs/t1', '/jobs/pages?limit=2&page=3';
    $proxy->plan(byte_by_byte => 1);
    is(http($nginx->port, 'GET', $_)->body, $whole{$_}, "byte by byte: $_")
        for sort keys %whole;
    is(http($nginx->port, 'POST', '/jobs/t1/cancel')->body,
       '{"cancelled":"t1","was":"running"}', 'byte by byte: cancel');
}


# Slow, but alive

{
    my $fake = FaultyRedis->canned(sub {
        my ($command, $plan) = @_;

        my $kind = kind_of($command);

        return answer(@_) if $kind ne 'task' && $kind ne 'cancel';

        my ($id) = $command->[$kind eq 'task' ? 1 : 4] =~ /(\w+)$/;
        my $bytes = $kind eq 'cancel' ? $ANSWERS{cancel}
            : array(bulk(99), (map { bulk("\"$id\"") } 1 .. 5));

        return { bytes => $bytes, delay => $plan->{delay},
                 byte_by_byte => $id eq 'slow', gap => 30 };
    });

    # the reply takes longer than anybody waits, and bytes come all the time

    my $nginx = start_on($fake, 'timeout 2s;');
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs/x')) eq '200' });
    my $connections = $fake->connections;
    my $slow = http_connect($nginx->port);
    my $foreign = 0;

    for my $i (1 .. 5) {
        $slow->send(Tasks::HTTP::request_bytes('GET', '/jobs/slow'));
        is(status($slow->response), '504 timeout', 'a reply that is too late');

        for my $j (1 .. 20) {
            my $response = http($nginx->port, 'GET', "/jobs/i${i}x$j");
            $foreign++ if $response->status eq '200'
                          && $response->body !~ /"id":"i${i}x$j","status":"i${i}x$j"/;
            $foreign++ if $response->body =~ /slow/;
        }
    }

    is($foreign, 0, 'is given to nobody');
    is($fake->connections, $connections, 'and the connection stays');

    # each in time, but with no pause in between

    $nginx = start_on($fake, 'timeout 2s;');
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs/x')) eq '200' });
    $connections = $fake->connections;
    $fake->plan(delay => 40);
    my ($start, @asked, %statuses) = (time);

    while (time < $start + 2.5) {
        my $connection = http_connect($nginx->port);
        $connection->send(Tasks::HTTP::request_bytes('POST', '/jobs/i/cancel'));
        push @asked, $connection;
        $statuses{status((shift @asked)->response)}++ if @asked > 3;
    }

    $statuses{status($_->response)}++ for @asked;
    is(join(' ', keys %statuses), '200',
       'a steady stream of replies: all in time');
    is($fake->connections, $connections, 'the connection stays');
}


# Bounds

{
    my $fake = fake();
    my $nginx = start_on($fake, 'max_reply 2k; timeout 10s;');
    wait_serves($nginx);
    my $connections = $fake->connections;

    my $large = '"' . 'x' x 3000 . '"';
    $fake->plan(replies => { rows => array(bulk('{}'), bulk($large)),
        task => array(bulk(99), (bulk('"' . 'x' x 600 . '"')) x 5),
        cancel => array(map { bulk($_) } 'cancelled', $large, $large) });
    is(asked($nginx, $_), '500 too_large', "max_reply: $_") for sort keys %REQUEST;
    $fake->plan;
    is(asked($nginx, $_), '200', "within it: $_") for sort keys %REQUEST;
    is($fake->connections, $connections, 'the connection stays');

    $fake->plan(replies => { task => array(bulk(99), bulk('"' . 'x' x 2e5 . '"'),
                                           (bulk(1)) x 4) });
    is(asked($nginx, 'get'), '500 too_large', 'far beyond max_reply');
    $fake->plan;
    cmp_ok(wait_serves($nginx), '<', 1 * $SLOW, 'and service');
}

{
    my $fake = fake();
    my $nginx = start_on($fake, 'max_pending 3; timeout 10s;');
    wait_serves($nginx);

    $fake->plan(freeze => 1);
    my @connections = map {
        my $connection = http_connect($nginx->port);
        $connection->send(Tasks::HTTP::request_bytes('GET', '/jobs/a'));
        $connection;
    } 1 .. 8;

    my $took = stopwatch();
    my @refused = map { status($_->response) } @connections[3 .. 7];
    cmp_ok($took->(), '<', 0.1 * $SLOW, 'max_pending: refused at once');
    is("@refused", join(' ', ('503 unavailable') x 5), 'those that are too many');
    $fake->plan;
    is(join(' ', map { status($_->response) } @connections[0 .. 2]),
       '200 200 200', 'the others are served');
    is(asked($nginx, 'get'), '200', 'and the next one, too');
}


# Sent once, or again once

{
    my $fake = fake(listen => 0);
    my $nginx = start_on($fake, 'timeout 300ms;');
    wait_serves($nginx);
    my $n = 0;

    for my $how ('close', 'reset', 'stall') {
        for my $bytes ('', "*3\r\n", "*3\r\n\$9\r\ncancelled\r\n\$9\r\n\"runn") {
            $fake->plan(replies => { cancel => { bytes => $bytes, $how => 1 } });
            like(asked($nginx, 'cancel'), qr/^50[34] \w+$/,
                 "a cancel, then $how");
            $n++;
            $fake->plan;
            wait_serves($nginx);
        }
    }

    is(commands($fake, 'cancel'), $n, 'no cancel was sent twice');

    # with others in flight

    $nginx = start_on($fake, 'timeout 10s;');
    wait_serves($nginx);
    $fake->plan(replies => { task => { bytes => $ANSWERS{task}, delay => 60 },
                             cancel => { close => 1 } });
    my $before = commands($fake, 'cancel');
    my @asked = map {
        my $connection = http_connect($nginx->port);
        $connection->send(Tasks::HTTP::request_bytes(@$_));
        $connection;
    } ['GET', '/jobs/a'], ['POST', '/jobs/a/cancel'], ['GET', '/jobs/a'],
      ['GET', '/jobs/a'], ['POST', '/jobs/a/cancel'];
    is(join(', ', map { status($_->response) } @asked),
       '200, 503 unavailable, 200, 200, 503 unavailable',
       'reads among cancels on a broken connection');
    cmp_ok(commands($fake, 'cancel') - $before, '<=', 2, 'each cancel once');
}


# More than a socket takes at once, both ways

{
    my $redis = Tasks::RedisServer->new;
    my $tasks = 600;

    load_jobs($redis);
    $redis->command('FCALL', 'jobs_put', 1, $JOBS,
        job("t$_" . 'x' x 100, n => $_, note => 'y' x 4000)) for 1 .. $tasks;

    my $proxy = FaultyRedis->proxy($redis->socket);
    my $nginx = start_jobs(
        store => 'server unix:' . $redis->socket . '; timeout 10s;',
        http_config => 'tasks_cache off; tasks_store spoilt { server ' . $proxy->address
                       . '; timeout 10s; }',
        locations => jobs_location('/spoilt', 'spoilt'),
        worker_connections => 256);
    my $list = "?limit=$tasks";

    wait_for(sub { status(http($nginx->port, 'GET', "/$_/none"))
                   eq '404 not_found' }) for 'jobs', 'spoilt';
    my $whole = http($nginx->port, 'GET', "/jobs$list")->body;
    is(() = $whole =~ /"id"/g, $tasks, 'a large list');

    my %got;

    for my $round (1 .. 4) {
        my @connections = map { http_connect($nginx->port) } 1 .. 60;

        for my $i (0 .. $#connections) {
            $connections[$i]->send(
                Tasks::HTTP::request_bytes('GET', "/jobs$list"));
            $i % 10 == 5 ? $redis->pause : $i % 10 == 9 ? $redis->resume : 1;
            sleep 0.004 if $i % 10 == 5;
        }

        $redis->resume;
        $got{$_->response(20)->body eq $whole ? 'whole' : 'other'}++
            for @connections;
    }

    is(join(' ', %got), 'whole 240',
       'many large lists from a Redis that pauses');

    my $size = length $whole;
    %got = ();

    # the answers of the first step, then some of the rows; sent anew, the
    # commands are of many buffers

    for my $at (5, 3000, 50_000, 80_000, 130_000, $size + 60_000) {
        $proxy->plan(cut => $at, once => 1);
        my $before = $proxy->connections;
        my $body = http($nginx->port, 'GET', "/spoilt$list", timeout => 20)->body;
        $got{$body eq $whole ? 'whole' : 'other'}++;
        is($proxy->connections, $before + 1, "cut after $at bytes");
    }

    is(join(' ', %got), 'whole 6', 'a large list is asked for anew');

    $proxy->plan(split => [1000, 65536, 65537, 131072, 140_000]);
    is(http($nginx->port, 'GET', "/spoilt$list")->body, $whole,
       'a large list in pieces');
}


# A peer that does not accept

{
    my $deaf = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $port = $deaf->sockport;

    # what fills its queue; further ones are not answered at all
    my @queued = map {
        IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Timeout => 0.1)
    } 1 .. 4;
    is(grep({ !defined } @queued) > 0, 1, 'a queue is full');

    my $nginx = start_jobs(store => "server 127.0.0.1:$port; "
                                    . 'connect_timeout 300ms; timeout 2s;');
    my $took = stopwatch();
    is(asked($nginx, 'get'), '503 unavailable', 'connect_timeout');
    cmp_ok($took->(), '<', 0.3 + 0.2 * $SLOW, 'in time');
}

{
    my $path = redis_server()->directory . '/deaf.sock';
    my $deaf = IO::Socket::UNIX->new(Listen => 1, Local => $path);
    my @queued = map {
        my $socket = IO::Socket->new->socket(Socket::AF_UNIX(),
                                          Socket::SOCK_STREAM(), 0);
        $socket->blocking(0);
        $socket->connect(Socket::pack_sockaddr_un($path));
        $socket;
    } 1 .. 4;
    my $nginx = start_jobs(store => "server unix:$path; "
                                    . 'connect_timeout 300ms; timeout 2s;');
    my $took = stopwatch();
    is(asked($nginx, 'get'), '503 unavailable', 'a unix socket, too');
    cmp_ok($took->(), '<', 0.3 + 0.2 * $SLOW, 'in time');
}


# A name with several addresses, of which not all answer

{
    my $port = Tasks::Nginx::free_port();
    my $redis = Tasks::RedisServer->new('--port', $port, '--bind', '127.0.0.1');
    load_jobs($redis);

    my $nginx = start_jobs(store => "server localhost:$port;");
    my $took = stopwatch();
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs/a'))
                   eq '404 not_found' });
    cmp_ok($took->(), '<', 1 * $SLOW, 'localhost');
}


# The system itself asks an idle connection now and then whether it is there

{
    my $port = Tasks::Nginx::free_port();
    my $redis = Tasks::RedisServer->new('--port', $port, '--bind', '127.0.0.1');
    load_jobs($redis);

    my $nginx = start_jobs(store => "server 127.0.0.1:$port;");
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs/a')) eq '404 not_found' });

    # its timer, in the column behind the queues: 2, of keepalive

    my $to_redis = sprintf '%08X:%04X 01', unpack('V', pack 'C4', 127, 0, 0, 1), $port;
    like(Tasks::slurp('/proc/net/tcp'), qr/ $to_redis \S+ 02:/, 'an idle connection is asked for');
}


# One page of several answers: when the first one cannot be written, all the
# others are given up, at the moment when they, too, are to be failed

{
    my $tasks = 0;
    my $fake = FaultyRedis->canned(sub {
        my ($command) = @_;

        return "+OK\r\n" if $command->[0] eq 'SELECT';

        return $tasks++ ? { stall => 1 } : { close => 1 };
    });
    my $include = join '', map { "<!--# include virtual=\"/jobs/$_\" -->" }
                           'a' .. 'c';
    my $nginx = start_on($fake, 'timeout 5s;',
        locations => 'postpone_output 0; '
                     . 'location /page { ssi on; root html; }',
        files => { 'html/page/index.html' => "x$include" });
    my ($worker) = $nginx->worker_pids;
    my $client = http_connect($nginx->port);

    $client->send(Tasks::HTTP::request_bytes('GET', '/page/index.html'));
    # sent anew by then: what is in flight cannot be saved any more
    wait_for(sub { commands($fake, 'task') >= 4 });

    kill 'STOP', $worker;
    $fake->stop;
    setsockopt $client->socket, Socket::SOL_SOCKET(), Socket::SO_LINGER(),
               pack 'ii', 1, 0;
    $client->close;
    kill 'CONT', $worker;

    is(asked($nginx, 'get'), '503 unavailable',
       'requests that end each other: nginx is well');
    is_deeply([$nginx->worker_pids], [$worker], 'the same worker');
}


# Passwords, users, databases, TCP

sub secured {
    my ($redis, $directives, $password) = @_;

    return start_jobs(
        store => 'server unix:' . $redis->socket
                 . "; timeout 10s; $directives",
        files => { 'conf/password' => $password });
}

{
    my $redis = Tasks::RedisServer->new('--requirepass', 'right#secret');
    $redis->command('AUTH', 'right#secret');
    load_jobs($redis);
    $redis->command('FCALL', 'jobs_put', 1, $JOBS, job('a'));
    $redis->command('ACL', 'SETUSER', 'writer', 'on', '>own#secret', '~tasks:*',
                    '&*', '+@all');
    $redis->command('ACL', 'SETUSER', 'reader', 'on', '>own#secret', '~*',
                    '+@read');

    my $file = 'password_file password;';
    my %cases = (
        'the password'       => ['200', $file, "right#secret\nmore\n"],
        'a long file'        => ['200', $file, "right#secret\n" . 'x' x 2000],
        'a password, CR LF'  => ['200', $file, "right#secret\r\n"],
        'no password'        => ['503 unavailable', '', 'x'],
        'a wrong password'   => ['503 unavailable', $file, "wrong#secret\n"],
        'a user'             => ['200', "user writer; $file", "own#secret"],
        'a user, a wrong password' =>
            ['503 unavailable', "user writer; $file", "wrong#secret"],
        'a wrong user'       => ['503 unavailable', "user nobody; $file",
                                 'own#secret'],
    );

    for my $name (sort keys %cases) {
        my ($expected, @arguments) = @{ $cases{$name} };
        my $nginx = secured($redis, @arguments);

        wait_for(sub { $nginx->error_log =~ /requests are refused/
            || status(http($nginx->port, 'GET', '/jobs/a')) eq '200' });
        is(status(http($nginx->port, $_->[0], "/jobs$_->[1]")), $expected,
           "$name: $_->[1]") for ['GET', '/a'], ['GET', ''], ['POST', '/a/cancel'];
        unlike($nginx->error_log, qr/#secret/, 'not in the log');
        like($nginx->error_log, qr/refuses (?:AUTH|SELECT)/, 'it says what')
            if $expected ne '200';
        $redis->command('FCALL', 'jobs_put', 1, $JOBS,
                        job('a', status => 'running'));
    }

    # one that may only read

    my $nginx = secured($redis, "user reader; $file", 'own#secret');
    is(status(http($nginx->port, 'GET', "/jobs$_")), '200',
       "a user that may only read: $_") for '/a', '', '/pages', '?status=running';
    is(status(http($nginx->port, 'POST', '/jobs/a/cancel')), '503 unavailable',
       'but not cancel');
    is($redis->command('HGET', "$JOBS:task:a", 'status'), '"running"',
       'nor is it done');
    like($nginx->error_log, qr/\[warn\].*does not take functions: "NOPERM/,
         'the log has a warning');
    unlike($nginx->error_log, qr/requests are refused/, 'and no more than that');
}

{
    my $port = Tasks::Nginx::free_port();
    my $redis = Tasks::RedisServer->new('--port', $port, '--bind', '127.0.0.1');
    load_jobs($redis);

    for my $database (0, 3) {
        $redis->command('SELECT', $database);
        $redis->command('FCALL', 'jobs_put', 1, $JOBS,
                        job('where', n => $database));
    }

    for my $server ("127.0.0.1:$port", 'unix:' . $redis->socket) {
        for my $database (0, 3, 5) {
            my $nginx = start_jobs(store => "server $server; "
                                            . "database $database;");
            my $got = wait_for(sub {
                my $response = http($nginx->port, 'GET', '/jobs/where');
                status($response) ne '503 unavailable' && $response;
            });
            is($database == 5 ? status($got) : $got->body =~ /"n":(\d)/ && $1,
               $database == 5 ? '404 not_found' : $database,
               "database $database of $server");
        }
    }

    my $nginx = start_jobs(store => "server 127.0.0.1:$port; database 99;");
    wait_for(sub { $nginx->error_log =~ /requests are refused/ });
    is(status(http($nginx->port, 'GET', '/jobs')), '503 unavailable',
       'a database that there is not');
    like($nginx->error_log, qr/refuses SELECT: "ERR DB index/, 'the log says so');

    $nginx = start_jobs(store => "server 127.0.0.1:$port; timeout 500ms;");
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs')) eq '200' });
    $redis->stop;
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs')) eq '503 unavailable' });
    $redis->start;
    my $took = stopwatch();
    wait_for(sub { status(http($nginx->port, 'GET', '/jobs')) eq '200' });
    cmp_ok($took->(), '<', 1 * $SLOW, 'TCP: service within a second of Redis');
}


done_testing();
