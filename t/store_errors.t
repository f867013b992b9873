# What Redis, or what is in its place, may answer to any command or to the
# first one of a connection: each client gets an error in the API's shape and in
# time, the next one is served, and the log says what it was without a flood.
# faults.t has what comes and goes, and more of what is lost or of another kind.

use lib 't/lib';
use Tasks ':live';

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(time);

use FaultyRedis;
use Tasks::HTTP;
use Tasks::Jobs;
use Tasks::Nginx;
use Tasks::RedisServer;
use Tasks::Replay;

my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds
my $SHORT = 200 * $SLOW;                          # ms
my $GRACE = 0.2 * $SLOW;                          # of answers, in seconds


my $LAST = qr/\$\d+\r\n[^\r]*\r\n\z/;            # string of a reply


# Name => what it comes to, and the reply or what makes it of the right one.
# It comes to
#
#   refusal   "unavailable", with the connection as it is
#   error     "internal", likewise
#   broken    another connection, where reads are sent again
#   other     a reply to something else: an error, and another connection
#   silence   a timeout
#   any       one of these, by the reply that it stands for

my %FAULTS = (
    (map { (lc($_) =~ s/\W.*//r => ['refusal', "-$_\r\n"]) }
        'LOADING Redis is loading the dataset in memory',
        'MASTERDOWN Link with MASTER is down',
        "READONLY You can't write against a read only replica.",
        'MOVED 3999 127.0.0.1:6381', 'ASK 3999 127.0.0.1:6381',
        'CLUSTERDOWN Hash slot not served',
        'TRYAGAIN Multiple keys request during rehashing of slot',
        'NOAUTH Authentication required.',
        'WRONGPASS invalid username-password pair or user is disabled.',
        'NOPERM this user has no permissions to run the \'hmget\' command',
        "OOM command not allowed when used memory > 'maxmemory'.",
        'BUSY Redis is busy running a script.',
        'MISCONF Redis is configured to save RDB snapshots',
        'UNKILLABLE Sorry the script already executed write commands',
        'NOREPLICAS Not enough good replicas to write.'),
    maxclients => ['refusal', "-ERR max number of clients reached\r\n"],

    (map { (lc($_) =~ s/\W.*//r => ['error', "-$_\r\n"]) }
        'NOSCRIPT No matching script.',
        'EXECABORT Transaction discarded because of previous errors.',
        'WRONGTYPE Operation against a key holding the wrong kind of value',
        'ERR unknown command'),
    function => ['refusal', "-ERR Function not found\r\n"],
    bare     => ['error', "-\r\n"],
    nul      => ['error', "-ERR a\0b\0\r\n"],
    escapes  => ['error', "-ERR \e[2J\x01\xff\r\n"],
    words    => ['error', '-ERR ' . 'x' x 65536 . "\r\n"],

    http      => ['broken', "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"],
    tls       => ['broken', "\x15\x03\x03\x00\x02\x02\x28"],
    nuls      => ['broken', "\0" x 40],
    inline    => ['broken', "garbage\r\n"],
    line      => ['broken', "\r\n"],
    shorter   => ['broken', sub { changed($_[0], 0, -1) . "\r\n" }],
    less      => ['broken', sub { changed($_[0], -1, 0) }],
    billion   => ['broken', "*1000000000\r\n"],
    overflow  => ['broken', "*9223372036854775808\r\n"],
    minus2    => ['broken', "*-2\r\n"],
    bulk2     => ['broken', "\$-2\r\n"],
    exbibytes => ['broken', "\$9223372036854775808\r\n"],
    deep      => ['broken', "*1\r\n" x 1000],
    bigger    => ['broken', "*700\r\n" . "\$1\r\nx\r\n" x 700],
    nested    => ['broken', "*1\r\n*1\r\n+a\r\n"],

    lines     => ['any', "-ERR one\nforged: line\r\n"],
    map       => ['any', "%1\r\n+a\r\n+b\r\n"],
    set       => ['any', "~5\r\n" . "+a\r\n" x 5],
    push      => ['any', ">2\r\n+message\r\n+a\r\n"],
    double    => ['any', ",1.5\r\n"],
    boolean   => ['any', "#t\r\n"],
    null      => ['any', "_\r\n"],
    number    => ['any', "(3492890328409238509324850943850943825024385\r\n"],
    verbatim  => ['any', "=7\r\ntxt:abc\r\n"],
    doubles   => ['any', sub { $_[0] =~ s/$LAST/,1.5\r\n/r }],
    booleans  => ['any', sub { $_[0] =~ s/$LAST/#t\r\n/r }],
    numbers   => ['any', sub { $_[0] =~ s/$LAST/(12\r\n/r }],
    texts     => ['any', sub { $_[0] =~ s/$LAST/=7\r\ntxt:abc\r\n/r }],
    statuses  => ['any', "*1\r\n+OK\r\n"],
    kilobytes => ['any', '-ERR ' . 'x' x 32768 . "\r\n" . 'y' x 32768 . "\r\n"],

    nil       => ['other', "\$-1\r\n"],
    nothing   => ['other', "*-1\r\n"],
    status    => ['other', "+OK\r\n"],
    empty     => ['other', "*0\r\n"],

    endless   => ['silence', sub { stalled('-ERR ' . 'x' x 65536) }],
    longer    => ['silence', sub { stalled("\$100\r\nabc\r\n") }],
    huge      => ['silence', sub { stalled("\$9223372036854775807\r\nabc") }],
    short     => ['silence', sub { stalled(substr $_[0], 0, -1) }],
);

# The first string of a reply, with another length than it says.

sub changed {
    my ($reply, $said, $sent) = @_;

    return $reply =~ s/\$(\d+)\r\n([^\r]+)/
        "\$" . ($1 + $said) . "\r\n" . substr $2, 0, $1 + $sent/er;
}


sub stalled { return { bytes => $_[0], stall => 1 } }


# In the log, of what it comes to.

my %SAYS = (
    refusal => qr/answers "(?:[A-Z]+|ERR max number of clients) /,
    error   => qr/answers "/,
    broken  => qr/does not speak|sent |gave a reply/,
    other   => qr/gave a reply to another command|do not go together/,
    silence => qr/does not answer/,
    any     => qr/does not speak|sent |gave a reply|do not go together|answers/,
);

my @ACTIONS = qw(list cached checked pages get cancel);
my @NAMES = sort keys %FAULTS;


# To any command

sub cases {
    my ($slot, $replay) = @_;

    my $name = $NAMES[$slot];
    my $silent = $FAULTS{$name}[0] eq 'silence';

    return map {
        my $action = $_;
        map { my $at = $_; map { { action => $action, how => 'instead',
                 at => $at, times => $_, fault => $name, slot => $slot,
                 way => $silent ? 'short' : 'unix' } } $silent ? 1 : (1, 2) }
            grep { makes_a_fault($replay, $name, $action, $_) }
                 0 .. $replay->replies($action) - 1;
    } @ACTIONS;
}


# Of a number there is no string to change; and who knows better than Redis that
# a page has no tasks?

sub makes_a_fault {
    my ($replay, $name, $action, $at) = @_;

    return 1 unless $action eq 'pages';

    return $at != ($name eq 'empty' ? 1 : 2)
        if $name =~ /^(?:empty|shorter|less|doubles|booleans|numbers|texts)$/;

    return 1;
}


# No members, but a revision: as if the index had been emptied and filled.

sub is_read_again {
    my ($case) = @_;

    return $case->{fault} eq 'empty' && $case->{at} == 1
           && $case->{action} =~ /^(?:list|cached)$/;
}


sub expected {
    my ($case) = @_;

    my $class = $FAULTS{$case->{fault}}[0];

    return qr/^whole$/ if is_read_again($case);
    return { refusal => qr/^503 unavailable$/, error => qr/^500 internal$/,
             other   => qr/^(?:503 unavailable|500 internal)$/,
             silence => qr/^504 timeout$/,
             any     => $case->{times} == 2 || $case->{action} eq 'cancel'
                        ? qr/^(?:503 unavailable|500 internal)$/
                        : qr/^(?:503 unavailable|500 internal|whole)$/,
             broken  => $case->{action} eq 'cancel' || $case->{times} == 2
                        ? qr/^503 unavailable$/ : qr/^whole$/ }->{$class};
}


sub tries {
    my ($case) = @_;

    my $class = $FAULTS{$case->{fault}}[0];

    return is_read_again($case)                ? qr/^[23]$/
         : $case->{action} eq 'cancel'         ? qr/^1$/
         : $class eq 'broken'                  ? qr/^2$/
         : $class eq 'any'                     ? qr/^[12]$/
         : $class eq 'silence'                 ? qr/^[01]$/ : qr/^1$/;
}


sub spoilt {
    my ($replay, $slot, $case) = @_;

    my ($response, $took) = $replay->ask($slot, $case);
    my $status = status($response);
    my $whole = $response->body eq $replay->body($case->{action});
    my $got = $status ne '200' ? $status : $whole ? 'whole' : 'another body';
    my ($tries, $away) = $replay->probe($slot, $case, 1 * $SLOW);
    my $limit = ($case->{way} eq 'short' ? $SHORT / 1000 : 1) + $GRACE;

    $replay->figure('answered after', $took) if $case->{way} ne 'short';
    $replay->figure('service after', $away);

    my $right = $got =~ expected($case);

    return "late: $got after $took s"
        if $right && $took > $limit || !$right && $got eq '504 timeout';

    my @wrong = (
        $right ? () : $got,
        $tries =~ tries($case) ? () : "came $tries times",
        join('', $response->raw_headers, $response->body) =~ /forged|xxx|ERR/
            ? 'repeats what Redis says' : ());

    return '' unless @wrong;

    return join '; ', "$case->{fault} as reply $case->{at} to $case->{action}, "
                      . "times $case->{times}:", @wrong;
}


{
    my $replay = Tasks::Replay->record;
    my $nginx = $replay->start(slots => scalar @NAMES, short => $SHORT,
        faults => { map { $_ => $FAULTS{$_}[1] } @NAMES });
    my @cases = map { cases($_, $replay) } 0 .. $#NAMES;
    my $result = $replay->work($nginx, \&spoilt, @cases);

    is(join("\n", sort keys %{ $result->{wrong} }), '',
       @NAMES . ' faults in place of each reply: answers as they should be');
    is($result->{right}, @cases, 'to all');
    note("$result->{again} were late, and done again");
    note(sprintf '%s %.3f s at most', $_, $result->{figures}{$_})
        for sort keys %{ $result->{figures} };

    my $log = $nginx->error_log;

    for my $slot (0 .. $#NAMES) {
        my @said = $log =~ /\[error\].*store "(?:unix|short)$slot": (.*)/g;
        my $class = $FAULTS{$NAMES[$slot]}[0];
        my $asked = grep { $_->{slot} == $slot } @cases;

        ok((grep { /$SAYS{$class}/ } @said), "$NAMES[$slot]: the log says what")
            or diag(@said[0 .. 3]);
        cmp_ok(@said, '<=', 2 * $asked, 'at most once for each time');
    }

    ok($log !~ /^forged|[^\n[:^cntrl:]]/m, 'what Redis says stays in its line');
    diag('store_errors.t: ' . @NAMES . ' faults, ' . @cases . ' replies, '
         . (@cases - $result->{right}) . ' failures');
}



# To the first command of a connection: SELECT says which fault is due

sub ask_jobs {
    my ($nginx, $path, $action) = @_;

    my ($method, $rest) = @{ { list => ['GET', ''], get => ['GET', '/a'],
                               cancel => ['POST', '/a/cancel'] }->{$action} };
    my $took = stopwatch();
    my $response = http($nginx->port, $method, "$path$rest", timeout => 10);

    return (status($response), $took->());
}


# Lines of a store in the log, without its name.

sub said {
    my ($nginx, $store) = @_;

    return $nginx->error_log
           =~ /\[(?:error|warn|notice)\].*tasks store "$store": (.*)/g;
}


# Each of the three is refused at once, for as long as it lasts; returns what
# was not so.

sub refused {
    my ($nginx, $store) = @_;

    return grep { $_ } map {
        my ($got, $took) = ask_jobs($nginx, "/$store", $_);
        $got eq '503 unavailable' && $took < 0.1 + $GRACE
            ? '' : sprintf '%s to %s: %s after %.3f s', $store, $_, $got, $took;
    } qw(list get cancel);
}


sub serves {
    my ($nginx, $store) = @_;

    return (ask_jobs($nginx, "/$store", 'list'))[0] eq '200';
}


# A user that may not SELECT needs no other database.  A status is right.

my @GREETINGS = grep { !/^(?:status|noperm)$/ } @NAMES;

sub greeting {
    my ($number) = @_;

    my $fault = $FAULTS{$GREETINGS[$number]}[1];

    return ref $fault ? $fault->("\$2\r\nOK\r\n") : $fault;
}


{
    load_jobs();
    put_job('a', n => 1);

    my $fake = FaultyRedis->canned(sub {
        my ($command, $plan) = @_;

        return $plan->{well} ? "+OK\r\n" : greeting($command->[1])
            if $command->[0] eq 'SELECT';
        return "*0\r\n" if $command->[0] eq 'ZRANGE';
        return "*1\r\n\$-1\r\n";
    });
    my $nginx = start_jobs(
        worker_connections => 512,
        locations => join("\n", map { jobs_location("/g$_", "g$_") }
                                    0 .. $#GREETINGS),
        http_config => join "\n", 'tasks_cache off;', map {
            "tasks_store g$_ { server ${\ $fake->address }; database $_; "
            . 'connect_timeout 300ms; load_functions off; }'
        } 0 .. $#GREETINGS);
    my $refused = sub {
        grep { "@{[ said($nginx, qq(g$_)) ]}" =~ /requests are refused/ }
             0 .. $#GREETINGS;
    };

    wait_for(sub { $refused->() == @GREETINGS }, 5 * $SLOW, 'all to fail');
    is_deeply([map { refused($nginx, "g$_") } 0 .. $#GREETINGS], [],
              @GREETINGS . ' faults in place of a greeting: refused at once');
    ok((ask_jobs($nginx, '/jobs', $_))[0] eq '200', "beside another store: $_")
        for qw(get list);

    # several more attempts of each

    my $connections = $fake->connections;
    wait_for(sub { $fake->connections > $connections + 3 * @GREETINGS }, 20);

    for my $i (0 .. $#GREETINGS) {
        my @said = said($nginx, "g$i");
        my $class = $FAULTS{$GREETINGS[$i]}[0];

        cmp_ok(@said, '<=', 2, "$GREETINGS[$i]: said once")
            or diag(@said[0 .. 5]);
        like("@said", qr/refuses SELECT: ".*refuses the connection/,
             'in the words of Redis') if $class =~ /^(?:refusal|error)$/;
    }

    $fake->plan(well => 1);

    my $took = stopwatch();
    wait_for(sub { !grep { !serves($nginx, "g$_") } 0 .. $#GREETINGS },
             10 * $SLOW, 'service of all');
    cmp_ok($took->(), '<', 2 * $SLOW, 'service of all when it is over');
    is(scalar(grep { grep { /^connected to/ } said($nginx, "g$_") }
                   0 .. $#GREETINGS), @GREETINGS, 'the log says so, too');
}


# What else may have the port: nothing, one that accepts and is silent or
# closes, a web server, a server of TLS

sub s_server {
    my $directory = redis_server()->directory;
    my $port = Tasks::Nginx::free_port();

    system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 "
           . "-nodes -subj /CN=localhost -days 1 -keyout $directory/key "
           . "-out $directory/certificate >$directory/openssl.log 2>&1") == 0
        or die "openssl: no certificate\n";

    my $pid = fork() // die "fork: $!\n";

    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', "$directory/openssl.log";
        open STDERR, '>&', \*STDOUT;
        exec 'openssl', 's_server', '-accept', "127.0.0.1:$port", '-quiet',
             '-key', "$directory/key", '-cert', "$directory/certificate"
            or POSIX::_exit(127);
    }

    wait_for(sub { IO::Socket::INET->new("127.0.0.1:$port") }, 5, 'openssl');

    return ($port, $pid);
}


{
    my ($tls, $pid) = s_server();
    my $hole = IO::Socket::INET->new(Listen => 128, LocalAddr => '127.0.0.1');
    my $closing = FaultyRedis->canned(sub { '' }, plan => { refuse => 1 });
    my $http = Tasks::Nginx::free_port();
    my %servers = (
        nobody => '127.0.0.1:' . Tasks::Nginx::free_port(),
        hole   => '127.0.0.1:' . $hole->sockport,
        closes => $closing->address,
        http   => "127.0.0.1:$http",
        tls    => "127.0.0.1:$tls",
    );
    my @names = sort keys %servers;
    my $nginx = start_jobs(
        port => $http,
        locations => join("\n", map { jobs_location("/$_", $_) } @names),
        http_config => join "\n", map {
            "tasks_store $_ { server $servers{$_}; connect_timeout 300ms; }"
        } @names);

    my %says = (nobody => qr/cannot connect.*Connection refused/,
                hole   => qr/cannot connect.*timed out/, closes => qr/lost/,
                http   => qr/does not speak the Redis protocol/,
                tls    => qr/does not speak the Redis protocol|lost/);

    for my $name (@names) {
        wait_for(sub { grep { /are refused/ } said($nginx, $name) }, 5, $name);
        is_deeply([refused($nginx, $name)], [], "$name: refused at once");
        is((ask_jobs($nginx, '/jobs', 'get'))[0], '200', 'not the other store');
    }

    my $attempts = $closing->connections;
    wait_for(sub { $closing->connections > $attempts + 3 }, 10, 'attempts');

    for my $name (@names) {
        my @said = said($nginx, $name);
        is(scalar @said, 1, "$name: said once") or diag(@said);
        like($said[0], $says{$name}, 'what it is');
    }

    kill 'TERM', $pid;
    waitpid $pid, 0;
}


# What greets as Redis does, and breaks with each command: said once a second

{
    my $fake = FaultyRedis->canned(sub {
        return $_[0][0] eq 'SELECT' ? "+OK\r\n" : "garbage\r\n";
    });
    my $nginx = start_jobs(
        store => "server ${\ $fake->address }; load_functions off;");
    my $start = time;

    wait_for(sub { (ask_jobs($nginx, '/jobs', 'get'))[0] eq '503 unavailable'
                   && $fake->connections > 20 }, 10, 'many connections');

    my $lines = grep { /\[error\].*connecting again/ }
                split /\n/, $nginx->error_log;

    cmp_ok($lines, '>=', 1, 'a connection that breaks again and again: said');
    cmp_ok($lines, '<=', 2 + time - $start, 'once a second');
}


# A reply that comes when nobody waits for it any more, but not after so long a
# silence that the connection is given up: the next one there is that of the
# next request

{
    my $fake = FaultyRedis->canned(sub {
        my ($command, $plan) = @_;

        my ($name, $key) = @$command;
        my ($id) = $name eq 'FCALL' ? $command->[4] : $key =~ /task:(\w+)/;
        my $bytes = $name eq 'SELECT' ? "+OK\r\n"
            : $name eq 'FCALL' ? join("\r\n", '*3', '$9', 'cancelled', '$3',
                                      "\"$id\"", '$1', $id, '')
            : "*6\r\n" . "\$3\r\n\"$id\"\r\n" x 6;

        return $bytes unless $id && $id eq 'l';
        return { bytes => $bytes, delay => 1200, split => [4], gap => 1200 };
    });
    my $nginx = start_jobs(
        store => "server ${\ $fake->address }; load_functions off; "
                 . 'timeout 2s;');
    my $own = sub {
        my ($id) = @_;
        my $response = http($nginx->port, 'GET', "/jobs/$id");
        return status($response) eq '200'
               && $response->body =~ /"status":"$id"/;
    };

    wait_for(sub { $own->('a') }, 5, 'service');
    my $connections = $fake->connections;

    for my $request (['GET', '/jobs/l'], ['POST', '/jobs/l/cancel']) {
        is(status(http($nginx->port, @$request)), '504 timeout',
           "@$request: its reply is late");
        ok($own->('b'), 'the next one gets its own');
        ok($own->('c'), 'and the one after that');
    }

    is($fake->connections, $connections, 'on the same connection');
}


# What is no JSON, written past the functions into a real Redis: it is sent as
# it is, but breaks neither nginx nor the response's framing

{
    my $nginx = start_jobs();
    my %garbage = (
        'no JSON' => 'garbage', 'an open string' => '"run', 'nothing' => '',
        'NUL bytes' => "\0\0", 'no UTF-8' => "\"\xff\xfe\"",
        'line ends' => "1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        'another member' => '1,"admin":true', 'two closing braces' => '1}}',
    );

    for my $name (sort keys %garbage) {
        my $value = $garbage{$name};

        redis('FLUSHALL');
        put_job('a', n => 1, status => 'running', kind => 'x');
        put_job('b', n => 2, status => 'running');
        redis('HSET', "$JOBS:task:a", 'note', $value);
        redis('HSET', "$JOBS:rows", 'a', $value);

        my $get = http($nginx->port, 'GET', '/jobs/a');
        my $list = http($nginx->port, 'GET', '/jobs');

        is($get->body, '{"task":{"id":"a","status":"running","kind":"x","n":1,'
           . qq("created":"2025-01-01T00:00:00","note":$value}}),
           "$name in a field: sent as it is");
        like($list->body, qr/^\{"tasks":\[.*\Q$value\E.*\],"next":null\}$/s,
             "$name as a row: sent as it is");
        ok($get->complete && $list->complete, 'in whole responses');
        is(status(http($nginx->port, 'GET', '/jobs/b')), '200', 'another one');
        is(status(http($nginx->port, 'POST', '/jobs/b/cancel')), '200',
           'which is cancelled, too');
    }

    # a field that a cancel looks at

    redis('HSET', "$JOBS:task:a", 'status', 'garbage');
    is(status(http($nginx->port, 'POST', '/jobs/a/cancel')),
       '409 cannot_cancel', 'a state that is no JSON is none to cancel from');
}


done_testing();
