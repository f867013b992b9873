# What Redis, or what is in its place, may answer to any command or to the
# first one of a connection: each client gets an error in the API's shape and in
# time, the next one is served, and the log says what it was without a flood.
# faults.t has what comes and goes, and more of what is lost or of another kind.

use lib 't/lib';
use Tasks ':live';

use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use FaultyRedis;
use Tasks::HTTP;
use Tasks::Jobs;
use Tasks::Nginx;
use Tasks::RedisServer;
use Tasks::Replay;

my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds
my $SHORT = 60 * $SLOW;                           # ms
my $GRACE = 0.2 * $SLOW;                          # of answers, in seconds


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
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is 'no'.",
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
    function => ['error', "-ERR Function not found\r\n"],
    bare     => ['error', "-\r\n"],
    nul      => ['error', "-ERR a\0b\0\r\n"],
    escapes  => ['error', "-ERR \e[2J\x01\xff\r\n"],
    lines    => ['error', "-ERR one\nforged: line\r\n"],
    words    => ['error', '-ERR ' . 'x' x 65536 . "\r\n"],

    http      => ['broken', "HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n<html>"],
    tls       => ['broken', "\x15\x03\x03\x00\x02\x02\x28"],
    nuls      => ['broken', "\0" x 40],
    inline    => ['broken', "garbage\r\n"],
    line      => ['broken', "\r\n"],
    shorter   => ['broken', sub { ($_[0] =~ s/(\$\d+\r\n)[^\r]/$1/r) . "\r\n" }],
    less      => ['broken', sub { $_[0] =~ s/\$(\d+)\r\n(?!\r)/"\$" . ($1 - 1) . "\r\n"/er }],
    billion   => ['broken', "*1000000000\r\n"],
    overflow  => ['broken', "*9223372036854775808\r\n"],
    minus2    => ['broken', "*-2\r\n"],
    bulk2     => ['broken', "\$-2\r\n"],
    exbibytes => ['broken', "\$9223372036854775808\r\n"],
    deep      => ['broken', "*1\r\n" x 1000],
    bigger    => ['broken', "*700\r\n" . "\$1\r\nx\r\n" x 700],
    nested    => ['broken', "*1\r\n*1\r\n+a\r\n"],

    map       => ['any', "%1\r\n+a\r\n+b\r\n"],
    set       => ['any', "~5\r\n" . "+a\r\n" x 5],
    push      => ['any', ">2\r\n+message\r\n+a\r\n"],
    double    => ['any', ",1.5\r\n"],
    boolean   => ['any', "#t\r\n"],
    null      => ['any', "_\r\n"],
    number    => ['any', "(3492890328409238509324850943850943825024385\r\n"],
    verbatim  => ['any', "=7\r\ntxt:abc\r\n"],
    doubles   => ['any', sub { $_[0] =~ s/\$\d+\r\n[^\r]*\r\n\z/,1.5\r\n/r }],
    booleans  => ['any', sub { $_[0] =~ s/\$\d+\r\n[^\r]*\r\n\z/#t\r\n/r }],
    numbers   => ['any', sub { $_[0] =~ s/\$\d+\r\n[^\r]*\r\n\z/(12\r\n/r }],
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

    return $name eq 'empty' ? $at != 1
         : $name =~ /^(?:shorter|less|doubles|booleans|numbers)$/ ? $at != 2 : 1;
}


sub expected {
    my ($case) = @_;

    my $class = $FAULTS{$case->{fault}}[0];

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

    return $case->{action} eq 'cancel'         ? qr/^1$/
         : $class eq 'broken'                  ? qr/^2$/
         : $class eq 'any'                     ? qr/^[12]$/
         : $class eq 'silence'                 ? qr/^[01]$/ : qr/^1$/;
}


sub spoilt {
    my ($replay, $slot, $case) = @_;

    my ($response, $took) = $replay->ask($slot, $case);
    my $status = status($response);
    my $got = $status ne '200' ? $status
            : $response->body eq $replay->body($case->{action}) ? 'whole'
                                                                : 'another body';
    my ($tries, $away) = $replay->probe($slot, $case, 1 * $SLOW);
    my $limit = ($case->{way} eq 'short' ? $SHORT / 1000 : 1) + $GRACE;

    $replay->figure('answered after', $took) if $case->{way} ne 'short';
    $replay->figure('service after', $away);

    my @wrong = (
        $got =~ expected($case) ? () : $got,
        $tries =~ tries($case) ? () : "came $tries times",
        $took <= $limit ? () : sprintf('took %.3f s', $took),
        join('', $response->raw_headers, $response->body) =~ /forged|xxx|ERR/
            ? 'repeats what Redis says' : ());

    return @wrong ? join '; ', "$case->{fault} as reply $case->{at} to "
                               . "$case->{action}, times $case->{times}:", @wrong
                  : '';
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
    note(sprintf '%s %.3f s at most', $_, $result->{figures}{$_})
        for sort keys %{ $result->{figures} };

    my $log = $nginx->error_log;

    for my $slot (0 .. $#NAMES) {
        my @said = $log =~ /\[error\].*tasks store "(?:unix|short)$slot": (.*)/g;
        my $class = $FAULTS{$NAMES[$slot]}[0];
        my $asked = grep { $_->{slot} == $slot } @cases;

        ok((grep { /$SAYS{$class}/ } @said), "$NAMES[$slot]: the log says what it is")
            or diag(@said[0 .. 3]);
        cmp_ok(@said, '<=', 2 * $asked, 'at most once for each time');
    }

    ok($log !~ /^forged|[^\n[:^cntrl:]]/m, 'what Redis says stays in its line');
    diag('store_errors.t: ' . @NAMES . ' faults, ' . @cases . ' replies, '
         . (@cases - $result->{right}) . ' failures');
}


done_testing();
