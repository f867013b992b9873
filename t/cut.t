# Replies of Redis that are cut, at every byte: the connection is closed there,
# or reset, or nothing more comes.  A client gets the whole right body, or an
# error in the API's shape, in time; a list that has begun to go out is seen to
# be cut, never complete.  Reads are sent again once, cancels never, and the
# next request is served.
#
# TASKS_FULL=1 has every byte of long lists, too, and all ways at each.

use lib 't/lib';
use Tasks ':live';

use Tasks::Jobs qw(status);
use Tasks::Replay;

my $FULL = $ENV{TASKS_FULL};
my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds

my $SHORT = 200 * $SLOW;                          # timeout of a stalled store
my $GRACE = 0.2 * $SLOW;                          # of answers, in seconds

my %WAY = (close => 'unix', behind => 'unix', reset => 'tcp', stall => 'short');

my $replay = Tasks::Replay->record;


# The cases

sub cases {
    my ($action) = @_;

    my @all = offsets($action, 1);
    my @some = $FULL ? @all : offsets($action, 7);
    my @times = $action =~ /^streamed/ ? (0) : (1, 2);

    my @cases = ((map { [behind => $_, 1] } $replay->ends($action)),
                 (map { my $at = $_; map { [close => $at, $_] } @times } @all),
                 (map { my $at = $_; map { [reset => $at, $_] } @times } @some),
                 (map { [stall => $_, 1] } @some));

    # at each byte of long lists one or the other

    return map { { action => $action, how => $_->[0], at => $_->[1],
                   times => $_->[2] || 1 + $_->[1] % 2,
                   way => $WAY{$_->[0]} } } @cases;
}


# Nearly all of a long list are rows: of these there is a sample, but all of the
# chunk that comes when the response has begun.

sub offsets {
    my ($action, $step) = @_;

    my $end = $replay->size($action) - 1;
    my $sent = $replay->sent($action);
    my $rows = defined $sent && !($FULL && $action eq 'streamed');

    return grep { $_ % ($rows && $_ < $sent ? $step * 97 : $step) == 0 }
           0 .. $end;
}


# What is due

sub is_whole {
    my ($case) = @_;

    my ($how, $action, $at) = @$case{qw(how action at)};

    return $how eq 'stall' ? 0
         : $action ne 'cancel' ? $case->{times} == 1
         : $how eq 'behind' && $at == $replay->size($action);
}


sub expected {
    my ($case) = @_;

    return 'whole' if is_whole($case);

    my $sent = $replay->sent($case->{action});

    return 'begun and cut' if defined $sent && $case->{at} >= $sent;

    return $case->{how} eq 'stall' ? '504 timeout' : '503 unavailable';
}


sub outcome {
    my ($case, $response) = @_;

    my $status = status($response);

    return $status if $status ne '200';

    my $whole = $replay->body($case->{action});

    return 'whole' if $response->complete && $response->body eq $whole;
    return 'complete, but another body' if $response->complete;

    return index($whole, $response->body) == 0
           && $response->body =~ /"id":"512"\}$/ ? 'begun and cut'
                                                 : 'cut elsewhere';
}


# How often the command that is cut is to come.

sub tries {
    my ($case) = @_;

    my $once = $case->{action} eq 'cancel' || $case->{how} eq 'stall'
               || $case->{how} eq 'behind' && is_end_of_step($case);

    return $once ? 1 : 2;
}


# Whether nothing more is due of the commands that were sent together.

sub is_end_of_step {
    my ($case) = @_;

    my ($action, $at) = @$case{qw(action at)};
    my @ends = $replay->ends($action);
    my ($index) = grep { $ends[$_] == $at } 0 .. $#ends;

    return 1 if $index == $#ends;

    return $action =~ /^(?:list|cached)$/ ? $index == 1
         : $action eq 'pages' ? $index == 2
         : $index =~ /^[136]$/;
}


# What went wrong, if anything

sub cut {
    my ($replay, $slot, $case) = @_;

    my ($response, $took) = $replay->ask($slot, $case);
    my ($got, $expected) = (outcome($case, $response), expected($case));
    my ($tries, $away) = $replay->probe($slot, $case, 1 * $SLOW);

    my $chunks = $expected eq 'begun and cut' ? 2 : 1;
    my $timeout = $case->{how} eq 'stall' ? $chunks * $SHORT / 1000 : 1;
    my $limit = $timeout + $GRACE;

    $replay->figure("$case->{how}: answered after", $took);
    $replay->figure('service after', $away);

    return "late: $got after $took s"
        if $got eq $expected && $took > $limit
           || $got eq '504 timeout' && $got ne $expected;

    my @wrong = (
        $got eq $expected ? () : "$got, not $expected",
        $tries == tries($case) || $tries == 0 && $case->{how} eq 'stall'
            ? () : "came $tries times",
        $response->header('Retry-After') eq ($got =~ /^50[34] / ? '1' : '')
            ? () : 'Retry-After',
    );

    return @wrong ? join('; ', "@$case{qw(action how at times)}:", @wrong) : '';
}


{
    my $nginx = $replay->start(slots => 24, short => $SHORT);
    my ($cuts, $failures) = (0, 0);

    for my $action ($replay->actions) {
        my @cases = cases($action);
        my $result = $replay->work($nginx, \&cut, @cases);
        my %figures = %{ $result->{figures} };

        is(join("\n", sort keys %{ $result->{wrong} }), '',
           "$action: nothing went wrong");
        is($result->{right}, @cases, 'all were as they should be');
        note("$action: $_ ", sprintf '%.3f s at most', $figures{$_})
            for sort keys %figures;
        note("$action: $result->{again} were late, and done again");

        $cuts += @cases;
        $failures += @cases - $result->{right};
    }

    diag("cut.t: $cuts cuts, $failures failures");
}


done_testing();
