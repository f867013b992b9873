package Tasks::Load;

# Clients in processes of their own, each asking as fast as it is answered:
# what the process's life and Redis's must not show to anybody.
#
#   my $load = Tasks::Load->start($port, fresh => 2, kept => 2,
#       paths => ['/jobs'], accept => qr/^200 \{/);
#   ...
#   my $result = $load->stop(100);      when so many requests were made
#   $result->{requests}; @{ $result->{failures} }; $result->{statuses}{200};
#
# In place of paths, requests => CODE says what to ask next: it gets the number
# of the client and of its request (both from 0) and returns method and path.
# Of what is answered with 200, its paths are then in @{ $result->{done} }.
#
# Fresh clients make a connection for each request.  Kept ones keep theirs
# until it is closed or they are told "Connection: close"; a kept connection
# may be closed while a request is on its way to it, before a byte of the
# response: that is what keep-alive is like, and the request is sent again on
# another connection.  Everything else that accept ("STATUS BODY") does not
# match is a failure, as is an incomplete response.

use strict;
use warnings;

use File::Temp qw(tempfile);
use JSON::PP ();
use POSIX ();
use Time::HiRes qw(sleep time);

use Tasks ();
use Tasks::HTTP;


# Options: fresh, kept (how many clients), paths or requests, accept, pause
# (seconds between requests, 0).

sub start {
    my ($class, $port, %option) = @_;

    # a byte for each request
    my ($count) = tempfile(UNLINK => 1);

    my @clients = map { { pause => 0, %option, port => $port, kept => $_,
                          count => $count } }
                  (0) x ($option{fresh} // 0), (1) x ($option{kept} // 0);

    $clients[$_]{number} = $_ for 0 .. $#clients;
    $_->{results} = _fork($_) for @clients;

    return bless { clients => \@clients, count => $count }, $class;
}


sub _fork {
    my ($client) = @_;

    pipe my $read, my $write or die "pipe: $!\n";

    $client->{pid} = fork() // die "fork: $!\n";

    if ($client->{pid}) {
        sysread $read, my $ready, 1;    # it can be told to stop
        return $read;
    }

    close $read;
    $client->{ready} = $write;
    my $result = eval { _ask_on($client) } // { failures => [$@] };
    syswrite $write, JSON::PP->new->ascii->encode($result);
    POSIX::_exit(0);
}


# Ends the clients, when they have made so many requests, and adds up what they
# have seen.

sub stop {
    my ($self, $least) = @_;

    Tasks::wait_for(sub { -s $self->{count} >= $least }, 60, 'requests')
        if $least;

    my %sum = (requests => 0, raced => 0, failures => [], statuses => {},
               done => []);

    kill 'TERM', map { $_->{pid} } @{ $self->{clients} };

    for my $client (@{ $self->{clients} }) {
        my $handle = $client->{results};
        my $result = JSON::PP->new->decode(join '', <$handle>);

        waitpid delete $client->{pid}, 0;

        $sum{$_} += $result->{$_} // 0 for qw(requests raced);
        $sum{statuses}{$_} += $result->{statuses}{$_}
            for keys %{ $result->{statuses} };
        push @{ $sum{$_} }, @{ $result->{$_} // [] } for qw(failures done);
    }

    return \%sum;
}


sub DESTROY {
    my ($self) = @_;

    kill 'KILL', grep { $_ } map { $_->{pid} } @{ $self->{clients} };
}


sub _ask_on {
    my ($client) = @_;

    my %result = (requests => 0, raced => 0, failures => [], statuses => {});
    my $stopped = 0;

    local $SIG{TERM} = sub { $stopped = 1 };
    syswrite $client->{ready}, ' ';

    srand $$;

    until ($stopped) {
        my ($method, $path) = $client->{requests}
            ? $client->{requests}->($client->{number}, $result{requests})
            : ('GET', $client->{paths}[rand @{ $client->{paths} }]);
        my $response = eval { _ask($client, $method, $path, \%result) };

        last if $stopped;       # the signal may have cut the waiting short

        $result{requests}++;
        syswrite $client->{count}, '.';

        my $text = !$response ? 'no answer ' . ($@ // '')
                 : !$response->complete ? 'incomplete'
                 : $response->status . ' ' . $response->body;

        $result{statuses}{substr $text, 0, 3}++;
        push @{ $result{done} }, $path if $client->{requests} && $text =~ /^200 /;

        push @{ $result{failures} },
             sprintf('%.3f %s: %s', time, $path, substr $text, 0, 200)
            if $text !~ $client->{accept} && @{ $result{failures} } < 20;

        sleep $client->{pause} if $client->{pause};
    }

    return \%result;
}


sub _ask {
    my ($client, $method, $path, $result) = @_;

    for (1 .. 3) {
        my $kept = $client->{connection};
        my $connection = $kept // Tasks::HTTP->connect($client->{port});
        my $response = eval {
            $connection->send(Tasks::HTTP::request_bytes($method, $path,
                $client->{kept} ? ()
                                : (headers => { Connection => 'close' })));
            $connection->response(10);
        };
        my $error = $@;

        $client->{connection} = undef;

        if ($response) {
            $client->{connection} = $connection
                if $client->{kept}
                   && $response->header('Connection') ne 'close';
            return $response;
        }

        die $error if $error =~ /^timed out/;
        die $error || "connection closed\n" unless $kept;

        $result->{raced}++;
    }

    die "three connections in turn\n";
}


1;
