#!/usr/bin/perl

# Idle keep-alive connections: each has asked for a path and got the response.
#
#     idle.pl PORT PATH CONNECTIONS
#
# Prints "ready" then, and keeps them until it is ended, a minute at most.

use strict;
use warnings;

use IO::Socket::INET;

my ($port, $path, $count) = @ARGV;

$| = 1;

my @idle = map { ask() } 1 .. $count;

print "ready\n";
sleep 60;


sub ask {
    my $connection = IO::Socket::INET->new("127.0.0.1:$port")
        or die "connect: $!\n";

    print {$connection} "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n";
    $connection->flush;

    my $status = <$connection> // '';
    die "unexpected: $status\n" if $status !~ m{^HTTP/1\.1 200 };

    my $length;

    while (defined(my $line = <$connection>)) {
        last if $line eq "\r\n";
        $length = $1 if $line =~ /^Content-Length: (\d+)/i;
    }

    read($connection, my $body, $length) == $length
        or die "a response has ended early\n";

    return $connection;
}
