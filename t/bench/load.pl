#!/usr/bin/perl

# Changes tasks through the public contract, pipelined on one connection:
#
#     load.pl SOCKET NAME SCOPE COUNT [create | status | progress]
#
# "create" (the default) makes tasks 1 to COUNT of the definition NAME, a second
# between them: five statuses, ten projects, three types.  The others change
# one field of each of these tasks.

use strict;
use warnings;

use IO::Socket::UNIX;
use POSIX qw(strftime);

my ($socket, $name, $scope, $count, $operation) = @ARGV;

my @statuses = qw(pending running completed failed cancelled);
my @types = qw(search import export);
my $epoch = 1735689600;

my %fields_of = (
    create => \&task,
    status => sub { status => qq{"$statuses[($_[0] + 1) % 5]"} },
    progress => sub { progress => ($_[0] + 1) % 100 },
);

my $fields = $fields_of{$operation // 'create'} or die "what is $operation?\n";
my $redis = IO::Socket::UNIX->new(Peer => $socket) or die "$socket: $!\n";
my $base = "tasks:{$name:$scope}";
my $due = 0;

# what comes next is made while Redis is busy with what was sent

for (my $id = 1; $id <= $count; $id += 500) {
    my $last = $id + 499 < $count ? $id + 499 : $count;
    my $puts = join '', map { put($_) } $id .. $last;

    take($due);
    print {$redis} $puts;
    $redis->flush;
    $due = $last - $id + 1;
}

take($due);


sub take {
    my ($replies) = @_;

    for (1 .. $replies) {
        my $reply = <$redis> // 'Redis has closed the connection';
        die "put: $reply\n" if $reply !~ /^:/;
    }
}


sub put {
    my ($id) = @_;

    my @arguments = ('FCALL', "${name}_put", 1, $base, $id, $fields->($id));

    return join '', '*' . @arguments . "\r\n",
                    map { '$' . length($_) . "\r\n$_\r\n" } @arguments;
}


sub task {
    my ($id) = @_;

    my $created = strftime('"%Y-%m-%dT%H:%M:%S"', gmtime $epoch + $id);

    return (
        project_id => $id % 10,
        task_type => qq{"$types[$id % 3]"},
        status => qq{"$statuses[$id % 5]"},
        progress => $id % 100,
        total => 100,
        created_at => $created,
        started_at => $created,
        owner => '"user-' . $id % 1000 . '"',
        queue => '"default"',
        worker => '"worker-' . $id % 50 . '"',
        attempts => 1,
        params => qq({"pages":$id,"language":"en","priority":5}),
    );
}
