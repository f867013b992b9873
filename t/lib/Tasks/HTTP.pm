package Tasks::HTTP;

# A blocking HTTP/1.1 connection for tests: sends exactly the bytes it is
# given, and reads responses by their own framing, so that a connection can be
# kept alive and a truncated response is seen as one.  Also takes responses
# from bytes that somebody else has read.

use strict;
use warnings;

use IO::Select;
use IO::Socket::INET;
use Socket qw(SO_RCVBUF SOL_SOCKET);

use Tasks::Stopwatch;


# With a size, no more than about that is received before it is read.

sub connect {
    my ($class, $port, $size) = @_;

    my $socket = IO::Socket::INET->new(Proto => 'tcp')
        or die "socket: $!\n";

    setsockopt $socket, SOL_SOCKET, SO_RCVBUF, pack 'i', $size if $size;

    $socket->connect($port, Socket::inet_aton('127.0.0.1'))
        or die "connect to port $port: $!\n";

    return bless { socket => $socket, buffer => '' }, $class;
}


sub from_bytes {
    my ($class, $bytes) = @_;

    return bless { buffer => $bytes, eof => 1 }, $class;
}


sub socket { $_[0]{socket} }


# Bytes that were read and belong to no response yet.

sub rest { $_[0]{buffer} }


sub close {
    my ($self) = @_;

    CORE::close delete $self->{socket} if $self->{socket};
    $self->{eof} = 1;
}


sub send {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';

    while (length $bytes) {
        my $n = syswrite($self->{socket}, $bytes) // die "send: $!\n";
        substr $bytes, 0, $n, '';
    }
}


# The options: headers (a hash of header lines), body.  The connection stays
# open unless the caller sends "Connection: close".

sub request_bytes {
    my ($method, $target, %option) = @_;

    my %headers = (Host => 'localhost', %{ $option{headers} // {} });
    my $body = $option{body} // '';

    $headers{'Content-Length'} //= length $body
        if length $body && !exists $headers{'Transfer-Encoding'};

    return join "\r\n", "$method $target HTTP/1.1",
                        (map { "$_: $headers{$_}" } sort keys %headers),
                        '', $body;
}


# Reads one response; dies if it has not come in $timeout seconds, as a
# stopwatch has them, and returns undef if the connection is closed before it
# begins.  With $is_head there is no body, whatever the headers say.

sub response {
    my ($self, $timeout, $is_head) = @_;

    $self->{over} = deadline($timeout // 5);

    my $head = $self->_until("\r\n\r\n");

    return unless length $head;

    my $response = Tasks::HTTP::Response->new($head);

    $self->_read_body($response) unless $is_head || $response->has_no_body;

    return $response;
}


sub _read_body {
    my ($self, $response) = @_;

    my $length = $response->header('Content-Length');

    if (lc $response->header('Transfer-Encoding') eq 'chunked') {
        $self->_read_chunks($response);

    } elsif (length $length) {
        $response->{body} = $self->_exactly($length);
        $response->{complete} = length $response->{body} == $length;

    } else {
        $response->{body} = $self->_until(undef);
    }
}


sub _read_chunks {
    my ($self, $response) = @_;

    $response->{complete} = 0;

    while (1) {
        my ($size) = $self->_until("\r\n") =~ /^([0-9a-fA-F]+)\s*(?:;.*)?\r\n$/
            or return;
        $size = hex $size;

        last if $size == 0;

        my $chunk = $self->_exactly($size);
        $response->{body} .= $chunk;

        return if length $chunk < $size || $self->_exactly(2) ne "\r\n";
    }

    my $line;
    1 while ($line = $self->_until("\r\n")) =~ /[^\r\n]/;

    $response->{complete} = $line eq "\r\n";
}


# The bytes up to and with the mark, or all that came before the end.

sub _until {
    my ($self, $mark) = @_;

    my ($from, $at) = (0, -1);

    until (defined $mark && ($at = index $self->{buffer}, $mark, $from) >= 0) {
        $from = length($self->{buffer}) - 3;
        $from = 0 if $from < 0;
        $self->_fill or return substr $self->{buffer}, 0,
                                      length $self->{buffer}, '';
    }

    return substr $self->{buffer}, 0, $at + length $mark, '';
}


sub _exactly {
    my ($self, $length) = @_;

    1 while length $self->{buffer} < $length && $self->_fill;

    return substr $self->{buffer}, 0, $length, '';
}


# Waits for more bytes; false at the end.

sub _fill {
    my ($self) = @_;

    return 0 if $self->{eof};

    my $select = IO::Select->new($self->{socket});

    do {
        die "timed out waiting for a response\n" if $self->{over}->();
    } until $select->can_read(0.05);

    my $n = sysread $self->{socket}, $self->{buffer}, 65536,
                    length $self->{buffer};

    $self->{eof} = 1 unless $n;

    return $n;
}


package Tasks::HTTP::Response;

# Made of the head, "HTTP/1.1 200 OK ... \r\n\r\n"; body and complete, which
# is false for a truncated response, are filled in by the connection.


sub new {
    my ($class, $head) = @_;

    my $self = bless { raw_headers => $head, headers => {}, body => '',
                       complete => $head =~ /\r\n\r\n\z/ ? 1 : 0 }, $class;

    my ($line, @lines) = split /\r\n/, $head;

    ($self->{status}, $self->{reason}) =
        ($line // '') =~ m{^HTTP/\d\.\d (\d{3})(?: (.*))?$};

    for (@lines) {
        my ($name, $value) = split /:\s*/, $_, 2;
        push @{ $self->{headers}{lc $name} }, $value // '';
    }

    return $self;
}


sub status      { $_[0]{status} // '' }
sub reason      { $_[0]{reason} // '' }
sub body        { $_[0]{body} }
sub complete    { $_[0]{complete} }
sub raw_headers { $_[0]{raw_headers} }


# The header's values joined with ", ", or "" if there is none.

sub header {
    my ($self, $name) = @_;

    return join ', ', @{ $self->{headers}{lc $name} // [] };
}


sub has_header {
    my ($self, $name) = @_;

    return exists $self->{headers}{lc $name};
}


sub has_no_body {
    my ($self) = @_;

    return $self->status =~ /^(?:1..|204|304)$/;
}


1;
