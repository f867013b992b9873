# Calls of the C library that fail: each allocation of a request of each kind,
# one at a time and all from one on, and the system calls of its connections and
# of the way back to Redis.  The worker lives, the client gets its answer, an
# error or the end of its connection, and the next client gets its answer.

use lib 't/lib';
use Tasks ':live';

use Digest::SHA qw(sha256_hex);
use Errno;

use FaultyRedis;
use Tasks::Failing;
use Tasks::JWT;
use Tasks::Jobs;

my $FULL = $ENV{TASKS_FULL};
my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds
my $SECRET = 'of-hs256-0123456789abcdefghijklmnopq';
my $CLAIMS = '{"sub":"ann","role":"user","exp":4102444800}';
my $LINES = 'application/x-ndjson';
my %KEYS = map { $_ => [new_key($_)] } qw(RS256 ES256 EdDSA);
my %TOKEN = (HS256 => jwt($CLAIMS, $SECRET),
             map { $_ => jwt($CLAIMS, $KEYS{$_}[0], alg => $_) } keys %KEYS);

# What nginx itself says of a call of its own that failed, and no more.
my $OWN = qr/\[emerg\].*\ (?:malloc|posix_memalign)\([\d,\ ]+\)\ failed
             |\[(?:alert|crit)\].*\ (?:socket\(\)|epoll_ctl\(\w+,\ \d+\)
                 |recv\(\)|writev\(\)|ioctl\(FION\w+\)
                 |setsockopt\(TCP_NODELAY\))\ failed/x;

my $failing = Tasks::Failing->new;

$ENV{TEST_NGINX_BINARY} = $failing->binary;

load_jobs();
redis('HSET', 'tasks:credential:' . sha256_hex('key'), owner => 'ann');
put_job("t$_", n => $_, status => $_ % 2 ? 'running' : 'pending',
        created => sprintf '2025-01-01T00:%02d:%02d', $_ / 60, $_ % 60)
    for 1 .. 1200;

my $proxy = FaultyRedis->proxy(redis_socket(), listen => 0);
my $api = 'tasks_api apis/jobs.json; tasks_pass main;';
my $keys = join ' ', 'tasks_jwt_key HS256 keys/hs256.key;',
                     map { "tasks_jwt_key $_ $KEYS{$_}[1];" } sort keys %KEYS;
my $nginx = start_jobs(
    allow       => $OWN,
    store       => 'server unix:' . redis_socket() . '; timeout 1s;',
    files       => { 'conf/keys/hs256.key' => $SECRET },
    http_config => 'tasks_store tcp { server ' . $proxy->address . '; }',
    locations   => <<"END");
location /off   { $api tasks_cache off; }
location /tcp   { tasks_api apis/jobs.json; tasks_pass tcp; }
location /token { $api tasks_auth jwt; $keys tasks_jwt_claim role user admin; }
location /key   { $api tasks_auth credential; tasks_credential \$http_x_key; }
END
my ($worker) = $nginx->worker_pids;


my %known;

# name => method, path, headers, what is done before, and what after the order.

my %ROUTES = (
    'a list, cached'     => [GET => '/jobs'],
    'a list, changed'    => [GET => '/jobs?status=running', {}, \&touch],
    'not modified'       => [GET => '/jobs?limit=3', \%known, \&know],
    'a list, not cached' => [GET => '/off'],
    'a list by ids'      => [GET => '/off/after?status=running,pending'],
    'a page'             => [GET => '/off/pages?page=3&status=running'],
    'a list in chunks'   => [GET => '/off?limit=1200'],
    'lines'              => [GET => '/off?limit=1200', { Accept => $LINES }],
    'a task'             => [GET => '/jobs/t1'],
    'a cancel'           => [POST => '/jobs/t2/cancel', {},
                             sub { put_job('t2', status => 'running') }],
    (map { ("a token, $_" => [GET => '/token/t1',
        { Authorization => "Bearer $TOKEN{$_}" }]) } keys %TOKEN),
    'a credential'       => [GET => '/key/t1', { 'X-Key' => 'key' }],
    'an error'           => [GET => '/jobs/none'],
    'after a loss'       => [GET => '/jobs/t1', {}, undef, \&lose],
    'after a loss, tcp'  => [GET => '/tcp/t1', {}, undef, sub { $proxy->drop }],
    'lost functions'     => [POST => '/jobs/t3/cancel', {},
                             sub { redis('HSET', "$JOBS:task:t3",
                                         'status', '"running"') },
                             sub { redis('FUNCTION', 'FLUSH', 'SYNC'); lose() }],
);


# nginx's connections to Redis.

sub lose { redis('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes') }


sub know {
    $known{'If-None-Match'} =
        http($nginx->port, 'GET', '/jobs?limit=3')->header('ETag');
}


# Another revision of the same task.

sub touch { put_job('t7', n => $_) for 8, 7 }


# Asks on a connection of its own, and waits for the connection's end, as nginx
# allocates also then.

sub ask_route {
    my ($method, $path, $headers) = @{ $_[0] };

    my $connection = http_connect($nginx->port);
    $connection->send(Tasks::HTTP::request_bytes($method, $path,
        headers => { Connection => 'close', %{ $headers // {} } }));

    my $response = eval { $connection->response(5 * $SLOW) };

    return $@ if $@;

    eval { $connection->response(5 * $SLOW) };

    return $response // '';
}


# What a client sees: "right", an error's status, "cut" or "closed"; or else
# what is wrong.

sub outcome {
    my ($response, $right) = @_;

    return $response eq '' ? 'closed' : $response unless ref $response;
    return 'cut' unless $response->complete;

    my $text = $response->status . ' ' . $response->body;

    return 'right' if $text eq $right;
    return $response->status
        if status($response) =~ /^50[034] (?:internal|unavailable|timeout)$/
           || $text =~ /^500 <html>.*500 Internal Server Error/s;

    return "wrong: $text";
}


# A cancel that is said to be done is.

sub is_recorded {
    my ($path) = @_;

    my ($id) = $path =~ m{/(\w+)/cancel$} or return 1;

    return redis('HGET', "$JOBS:task:$id", 'status') eq '"cancelled"';
}


# One request with one order out.  Returns what the client saw, whether
# anything failed, and what is wrong.

sub fail_once {
    my ($route, $right, $kind, %order) = @_;

    my @wrong;

    $route->[3]->() if $route->[3];
    $failing->order($kind, %order);
    $route->[4]->() if $route->[4];
    my $response = ask_route($route);
    my (undef, $failed) = $failing->end;
    my $outcome = outcome($response, $right);

    push @wrong, $outcome if $outcome !~ /^(?:right|closed|cut|50.)$/;
    push @wrong, 'not recorded'
        if $outcome eq 'right' && !is_recorded($route->[1]);
    push @wrong, next_one($route, $right,
                          $route->[4] || $order{times} ? 1.5 * $SLOW : 0);
    push @wrong, 'worker is gone' if ($nginx->worker_pids)[0] != $worker;

    return ($outcome, $failed, @wrong);
}


# The next request is right at once, or, where nginx may have failed to connect
# again, within a time.

sub next_one {
    my ($route, $right, $seconds) = @_;

    my $took = stopwatch();
    my $next;

    do {
        $route->[3]->() if $route->[3];
        $next = outcome(ask_route($route), $right);
    } while ($next eq '503' && $took->() < $seconds);

    return $next eq 'right' ? () : "next: $next";
}


# Lets the first call fail, the second one, and so on, up to the most or until
# two in a row are none.  Returns how many failed.

sub sweep {
    my ($name, $kind, %order) = @_;

    my $most = delete $order{most} // 1000;
    my $route = $ROUTES{$name};
    my $what = join ' ', $kind, map { "$_ $order{$_}" } sort keys %order;
    my $first = wait_for(sub {
        $route->[3]->() if $route->[3];
        my $response = ask_route($route);
        return status($response) !~ /^503/ && $response;
    }, 3 * $SLOW, 'service');
    my $right = $first->status . ' ' . $first->body;
    my ($nth, $clean, $sum, %seen, @wrong) = (0, 0, 0);

    ($worker) = $nginx->worker_pids;

    while ($clean < 2 && $nth < $most) {
        my ($outcome, $failed, @trouble) =
            fail_once($route, $right, $kind, %order, nth => ++$nth);

        $clean = $failed ? 0 : $clean + 1;
        $seen{$outcome}++ if $failed;
        $sum += $failed;
        push @wrong, map { "$nth: $_" } @trouble;
    }

    like($right, $name eq 'an error' ? qr/^404 /
                : $name eq 'not modified' ? qr/^304 $/ : qr/^200 /,
         "$name, $what: is answered");
    is(join("\n", grep { defined } @wrong[0 .. 4]), '', 'and so it goes on');
    ok($sum, 'when some failed');
    note(join ', ', map { "$seen{$_} $_" } sort keys %seen);

    return $sum;
}


# What can go wrong with a call, and on which routes it is made.

my @LOST = ('after a loss', 'after a loss, tcp', 'lost functions');
my @ASKED = ('a list, changed', 'a list in chunks', 'a task', 'a cancel',
             'a credential');
my %CALLS = (
    socket     => [[qw(EMFILE ENFILE ENOMEM)], @LOST],
    connect    => [[qw(ECONNREFUSED EAGAIN EACCES)], @LOST],
    epoll_ctl  => [[qw(ENOMEM ENOSPC EPERM)], @LOST, @ASKED],
    recv       => [[qw(ECONNRESET ETIMEDOUT EIO)], @LOST, @ASKED],
    writev     => [[qw(EPIPE ECONNRESET ENOBUFS)], @LOST, @ASKED],
    ioctl      => [[qw(EINVAL ENOMEM EIO)], @LOST],
    getsockopt => [[qw(EINVAL ENOMEM ENOBUFS)], 'after a loss, tcp'],
    setsockopt => [[qw(EINVAL ENOMEM ENOBUFS)], 'after a loss, tcp'],
);
my ($allocations, $calls) = (0, 0);

# To be connected again takes time: the quick form is short there.

for my $name (sort keys %ROUTES) {
    my $short = $ROUTES{$name}[4] && !$FULL;

    $allocations += sweep($name, 'memory', @$_)
        for [], $short && $name ne $LOST[0] ? () : [times => 1e6],
            $FULL ? map { [times => $_] } 2 .. 5 : ();
}

for my $kind (sort keys %CALLS) {
    my ($errors, @routes) = @{ $CALLS{$kind} };

    for my $name (@routes) {
        my $short = $ROUTES{$name}[4] && !$FULL;

        for my $error ($short && $name ne $routes[0] ? $errors->[0]
                                                     : @$errors) {
            my @order = (error => Errno->can($error)->(),
                         $short ? (most => 2) : ());

            $calls += sweep($name, $kind, @order, @$_)
                for [], $FULL ? ([times => 2], [times => 5]) : ();
        }
    }
}

note("failures.t: $allocations allocations and $calls system calls failed");

done_testing();
