#!/usr/bin/perl

# Slow readers: each asks for the same list and reads 10 KB of it a second.
#
#     slow.pl PORT PATH READERS SECONDS
#
# Prints "ready" when they have read for a second, by when the kernel's buffers
# are full.  Goes on for so many seconds, then prints the bytes a second that
# each has got; ends with an error if a connection is closed in between.
#
# Their receive buffers are small, and their segments as long as those of a
# network: with the long ones of the loopback the kernel takes more than a
# megabyte of each response before the first reader is slow.

use strict;
use warnings;

use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF IPPROTO_TCP TCP_MAXSEG);
use Time::HiRes qw(sleep time);

use constant { TURN => 0.1, BYTES => 1024 };

my ($port, $path, $count, $seconds) = @ARGV;

$| = 1;

my @readers = map { ask() } 1 .. $count;

read_for(1);
print "ready\n";
printf "%.0f\n", read_for($seconds) / $count / $seconds;


sub read_for {
    my ($time) = @_;

    my $end = time + $time;
    my $read = 0;

    for (my $turn = time; $turn < $end; $turn += TURN) {
        my $wait = $turn - time;
        sleep $wait if $wait > 0;
        $read += read_some($_) for @readers;
    }

    return $read;
}


sub ask {
    my $reader = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";

    setsockopt $reader, SOL_SOCKET, SO_RCVBUF, 4096 or die "SO_RCVBUF: $!\n";
    setsockopt $reader, IPPROTO_TCP, TCP_MAXSEG, 1448 or die "MAXSEG: $!\n";
    connect $reader, pack_sockaddr_in($port, inet_aton('127.0.0.1'))
        or die "connect: $!\n";

    print {$reader} "GET $path HTTP/1.1\r\nHost: localhost\r\n\r\n";
    $reader->flush;

    return $reader;
}


# Waits, as whoever is not slow enough to be waited for is too fast.

sub read_some {
    my ($reader) = @_;

    my $n = sysread $reader, my $bytes, BYTES;
    die "a response has ended early\n" if !$n;

    return $n;
}
