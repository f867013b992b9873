package RESP;

# The Redis protocol (RESP2), both ways: a blocking client for tests, and the
# framing of commands and replies, on which FaultyRedis is built.  Keeps bytes
# as bytes.  Has no pipelining and no reconnect: a test that needs a new
# connection makes a new object.

use strict;
use warnings;

use IO::Socket::INET;
use IO::Socket::UNIX;
use Socket qw(SOCK_STREAM);


# Connects to "/path/of/a.sock" or "host:port"; dies if it cannot.

sub new {
    my ($class, $address) = @_;

    my $socket = connect_to($address)
        or die "RESP: connect to $address: $!\n";

    return bless { socket => $socket, buffer => '' }, $class;
}


sub connect_to {
    my ($address) = @_;

    return $address =~ m{^/}
        ? IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $address)
        : IO::Socket::INET->new(PeerAddr => $address, Proto => 'tcp');
}


# Sends one command and returns its reply: a string, a number, undef for null,
# an array reference; an error reply dies with its text.

sub command {
    my ($self, @words) = @_;

    my $reply = $self->ask(@words);

    die "$$reply\n" if ref $reply eq 'RESP::Error';

    return $reply;
}


# As command(), but an error reply is returned, as a RESP::Error.

sub ask {
    my ($self, @words) = @_;

    my $socket = $self->{socket};
    my $bytes = encode_command(@words);

    local $SIG{PIPE} = 'IGNORE';
    $socket->syswrite($bytes) // die "RESP: write: $!\n";

    while (1) {
        my ($reply, $length) = decode(\$self->{buffer});

        if ($length) {
            substr($self->{buffer}, 0, $length, '');
            return $reply;
        }

        $socket->sysread($self->{buffer}, 65536, length $self->{buffer})
            or die "RESP: the connection was closed\n";
    }
}


sub encode_command {
    my @words = @_;

    return join '', '*' . @words . "\r\n",
                    map { '$' . length($_) . "\r\n$_\r\n" } @words;
}


# Takes the first value, a reply or a command, from the start of the bytes.
# Returns it and where it ends, or () if it is not complete yet.

sub decode {
    my ($bytes, $at) = @_;

    $at //= 0;

    my $end = index $$bytes, "\r\n", $at;

    return if $end < 0;

    my $type = substr $$bytes, $at, 1;
    my $head = substr $$bytes, $at + 1, $end - $at - 1;
    my $next = $end + 2;

    return ($head, $next)                           if $type eq '+';
    return (0 + $head, $next)                       if $type eq ':';
    return (bless(\$head, 'RESP::Error'), $next)    if $type eq '-';
    return (undef, $next)                           if $head eq '-1';
    return decode_bulk($bytes, $next, $head)        if $type eq '$';
    return decode_array($bytes, $next, $head)       if $type eq '*';

    die "RESP: unexpected type byte \"$type\"\n";
}


sub decode_bulk {
    my ($bytes, $at, $length) = @_;

    return if length $$bytes < $at + $length + 2;

    return (substr($$bytes, $at, $length), $at + $length + 2);
}


sub decode_array {
    my ($bytes, $at, $count) = @_;

    my @values;

    while (@values < $count) {
        my ($value, $next) = decode_element($bytes, $at);

        return unless $next;

        push @values, $value;
        $at = $next;
    }

    return (\@values, $at);
}


# As decode(); strings, of which commands are made, without its detour.

sub decode_element {
    my ($bytes, $at) = @_;

    my $end = index $$bytes, "\r\n", $at;

    return decode($bytes, $at) if $end < 0 || substr($$bytes, $at, 1) ne '$';

    my $length = substr $$bytes, $at + 1, $end - $at - 1;

    return (undef, $end + 2) if $length < 0;
    return if length $$bytes < $end + $length + 4;

    return (substr($$bytes, $end + 2, $length), $end + $length + 4);
}


1;
