# Replies of Redis that come in pieces: whatever the pieces, clients get what
# they get when each reply comes at once.  Every byte is the first one of a
# second read once, and all are read one by one, and in pieces of some sizes.
#
# TASKS_FULL=1 has every byte of long lists, too.

use lib 't/lib';
use Tasks ':live';

use FaultyRedis;
use RESP;
use Tasks::Jobs qw(status);
use Tasks::Replay;

my $FULL = $ENV{TASKS_FULL};
my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds

# the module reads 16384 bytes at a time
my @PIECES = (1, 2, 3, 5, 7, 16, 64, 1000, 4096, 16383, 16384, 16385);

my $replay = Tasks::Replay->record;


# A piece is sent when the last one was read, and not before: the tests below
# are of nothing else.

{
    my $fake = FaultyRedis->canned(sub {
        return { bytes => "+abcdef\r\n", split => [3], gap => 0 };
    });
    my $socket = RESP::connect_to($fake->address =~ s/^unix://r);

    $socket->syswrite(RESP::encode_command('PING'));
    ok(IO::Select->new($socket)->can_read(5), 'a piece');
    ok($fake->connections, 'the fake has gone on meanwhile');

    my @pieces;

    while (join('', @pieces) !~ /\n/) {
        $socket->sysread(my $piece, 100);
        push @pieces, $piece;
    }

    is_deeply(\@pieces, ['+ab', "cdef\r\n"], 'and a piece');
}


sub cases {
    my ($action) = @_;

    my @at = splits($action);
    my @cases = ((map { [split => $_, 'unix'] } @at),
                 (map { [split => $_, 'tcp'] } grep { $_ % 20 == 0 } @at),
                 (map { [pieces => $_, 'unix'] } @PIECES));

    return map { { action => $action, how => $_->[0], at => $_->[1],
                   times => 1, way => $_->[2] } } @cases;
}


# Nearly all of a long list are rows: of these the quick form has a sample, but
# all that is around them.

sub splits {
    my ($action) = @_;

    my $size = $replay->size($action);
    my @ends = $replay->ends($action);

    return grep {
        my $at = $_;
        $FULL || $action !~ /^streamed/ || $at % 29 == 0
            || grep { abs($at - $_) < 40 } @ends;
    } 1 .. $size - 1;
}


sub split_at {
    my ($replay, $slot, $case) = @_;

    my ($response, $took) = $replay->ask($slot, $case);
    my $status = status($response);

    $replay->figure('answered after', $took);

    return '' if $status eq '200' && $response->complete
                 && $response->body eq $replay->body($case->{action});

    return "@$case{qw(action how at)}: "
           . ($status eq '200' ? 'another body' : $status);
}


{
    my $nginx = $replay->start(slots => 12, timeout => 20_000);
    my ($splits, $failures) = (0, 0);

    for my $action ($replay->actions) {
        my @cases = cases($action);
        my $result = $replay->work($nginx, \&split_at, @cases);

        is(join("\n", sort keys %{ $result->{wrong} }), '',
           "$action: nothing went wrong");
        is($result->{right}, @cases, 'all bodies are as of whole replies');
        note(sprintf '%s: answered after %.3f s at most', $action,
             $result->{figures}{'answered after'});

        $splits += @cases;
        $failures += @cases - $result->{right};
    }

    diag("split.t: $splits splits, $failures failures");
}


done_testing();
