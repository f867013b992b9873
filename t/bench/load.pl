#!/usr/bin/perl

# Loads tasks through the public contract: load.pl SOCKET SCOPE COUNT.
# Five statuses, ten projects, a second between tasks.

use strict;
use warnings;

use IO::Socket::UNIX;
use POSIX qw(strftime);

my ($socket, $scope, $count) = @ARGV;

my @statuses = qw(pending running completed failed cancelled);
my $redis = IO::Socket::UNIX->new(Peer => $socket) or die "$socket: $!\n";
my $epoch = 1735689600;

for (my $id = 1; $id <= $count; $id += 500) {
    my $last = $id + 499 < $count ? $id + 499 : $count;
    my $sent = join '', map { put($_) } $id .. $last;

    print {$redis} $sent;
    $redis->flush;

    for ($id .. $last) {
        my $reply = <$redis>;
        die "task $_: $reply" if $reply !~ /^:/;
    }
}


sub put {
    my ($id) = @_;

    my @arguments = (
        'FCALL', 'bench_put', 1, "tasks:{bench:$scope}", $id,
        'project_id', $id % 10,
        'task_type', '"search"',
        'status', qq{"$statuses[$id % 5]"},
        'progress', $id % 100,
        'total', 100,
        'created_at', strftime('"%Y-%m-%dT%H:%M:%S"', gmtime $epoch + $id),
    );

    return join '', '*' . @arguments . "\r\n",
                    map { '$' . length($_) . "\r\n$_\r\n" } @arguments;
}
