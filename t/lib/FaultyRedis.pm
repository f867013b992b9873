package FaultyRedis;

# A Redis that misbehaves as told, in a process of its own: either one that
# answers each command with what a function returns, or a proxy that spoils the
# replies of a real one.
#
#   my $fake  = FaultyRedis->canned(sub { my ($command, $plan) = @_; ... });
#   my $proxy = FaultyRedis->proxy(redis_socket(), plan => { cut => 100 });
#
#   "server " . $fake->address . ";"
#   $proxy->plan(stall => 10);         from now on
#   $fake->commands;  $fake->connections;  $fake->inject($bytes);  $fake->drop;
#   $proxy->replies;                   as the real Redis sent them
#   $proxy->late;                      how many replies were late
#
# The function gets each command as an array of words, the plan, which is
# whatever the test has set, and the connection's number; it runs in the other
# process, so that variables of the test that it changes stay as they were
# there.  It returns an answer: the bytes, or a hash of
#
#   bytes                       what to send
#   delay => MS                 before that
#   split => [OFFSETS]          in pieces, 5 ms apart
#   byte_by_byte => 1           1 ms apart
#   gap => MS                   so far apart, in place of that; a unix socket
#                               is always waited for until the piece is read
#   close, reset, stall => 1    what to do then: stall is to send nothing more
#
# A proxy's plan counts bytes and replies from when it was set, over all
# connections:
#
#   cut, reset, stall => N      after N bytes of replies: close, or send RST
#                               (TCP only), or nothing more
#   once => 1                   and only then, not on later connections
#   split => [OFFSETS], byte_by_byte => 1, delay => MS      as above
#   late => [PART, MS]          that part of the replies, at random, so late;
#                               half of them begin when half of that is over,
#                               so that the connection is not a silent one
#   replace => { K => BYTES }   instead of the K-th reply (from 1)
#   insert => { K => BYTES }    before it
#
# A plan of either kind may have refuse => 1: connections are closed at once; or
# freeze => 1: nothing is sent or done until there is another plan.

use strict;
use warnings;

use File::Temp qw(tempdir);
use IO::Socket::INET;
use IO::Socket::UNIX;
use JSON::PP ();
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);

use RESP;

my $json = JSON::PP->new->ascii->allow_nonref;


sub canned {
    my ($class, $callback, %option) = @_;

    return $class->_start(callback => $callback, %option);
}


sub proxy {
    my ($class, $upstream, %option) = @_;

    return $class->_start(upstream => $upstream, %option);
}


# Options: listen, a path or a port (0: a free one; the default is a path in a
# temporary directory), plan, and forget => 1: no commands and replies are kept.

sub _start {
    my ($class, %option) = @_;

    my $listen = $option{listen} // tempdir(CLEANUP => 1) . '/redis.sock';
    my $listener = _listen($listen);

    socketpair(my $control, my $childs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "socketpair: $!\n";

    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        close $control;
        $SIG{$_} = 'DEFAULT' for qw(HUP INT TERM);
        my $server = FaultyRedis::Server->new($listener, $childs, \%option);
        eval { $server->serve; 1 }
            or print STDERR "FaultyRedis: $@";
        POSIX::_exit(0);
    }

    my $path = $listen =~ /^\d+$/ ? undef : $listen;

    return bless { pid => $pid, control => $control, path => $path, owner => $$,
                   address => $path ? "unix:$path"
                                    : '127.0.0.1:' . $listener->sockport },
                 $class;
}


sub _listen {
    my ($listen) = @_;

    my $listener;

    if ($listen =~ /^\d+$/) {
        $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $listen, Listen => 128, ReuseAddr => 1);
    } else {
        unlink $listen;
        $listener = IO::Socket::UNIX->new(Local => $listen, Listen => 128);
    }

    return $listener // die "listen on $listen: $!\n";
}


# As the "server" directive takes it.

sub address { $_[0]{address} }
sub pid     { $_[0]{pid} }


# Sets a new plan, in place of the old one.

sub plan {
    my ($self, %plan) = @_;

    $self->_ask({ plan => \%plan });
}


# The commands received so far, each an array of words.

sub commands { return @{ $_[0]->_ask({ commands => 1 })->{commands} } }


# The replies that a proxy has got so far, each as its bytes.

sub replies { return @{ $_[0]->_ask({ sent => 1 })->{sent} } }


# How many connections were accepted so far.

sub connections { return $_[0]->_ask({})->{connections} }


# How many replies were late so far.

sub late { return $_[0]->_ask({})->{late} }


# Sends bytes that nobody asked for on every connection.

sub inject {
    my ($self, $bytes) = @_;

    $self->_ask({ inject => $bytes });
}


# Closes every connection; new ones are accepted.

sub drop { $_[0]->_ask({ drop => 1 }) }


sub _ask {
    my ($self, $request) = @_;

    my $control = $self->{control};

    syswrite $control, $json->encode($request) . "\n";

    return $json->decode(scalar(readline $control)
                         // die "FaultyRedis has died\n");
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;

    kill 'KILL', $pid;
    waitpid $pid, 0;
    unlink $self->{path} if $self->{path};
}


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);

    $self->stop if $self->{owner} == $$;
}


package FaultyRedis::Server;

# The other process: one loop over the listener, the control socket, the
# clients, and a proxy's connections to the real Redis.

use IO::Select;
use Time::HiRes qw(time);


sub new {
    my ($class, $listener, $control, $option) = @_;

    return bless { listener => $listener, control => $control, %$option,
                   plan => $option->{plan} // {}, connections => [],
                   accepted => 0, commands => [], sent => [], bytes => 0,
                   replies => 0, late => 0 }, $class;
}


# Ends when the test process does.

sub serve {
    my ($self) = @_;

    $SIG{PIPE} = 'IGNORE';

    until ($self->{ended}) {
        my ($readable, $writable) = $self->_wait;

        $self->_handle($_) for @$readable;

        $self->{connections} = [grep { $_->progress }
                                     @{ $self->{connections} }];
    }
}


sub _wait {
    my ($self) = @_;

    my @connections = @{ $self->{connections} };

    my @due = sort { $a <=> $b } map { $_->due } @connections;
    my $timeout = @due ? $due[0] - time : undef;
    $timeout = 0 if defined $timeout && $timeout < 0;

    $self->{handlers} = {
        fileno $self->{listener} => sub { $self->_accept },
        fileno $self->{control}  => sub { $self->_obey },
        map { $_->handlers } @connections,
    };

    return IO::Select->select(
        IO::Select->new(keys %{ $self->{handlers} }),
        IO::Select->new(map { $_->unsent } @connections),
        undef, $timeout);
}


sub _handle {
    my ($self, $fileno) = @_;

    $self->{handlers}{$fileno}->();
}


sub _accept {
    my ($self) = @_;

    my $client = $self->{listener}->accept or return;

    $self->{accepted}++;

    push @{ $self->{connections} },
         FaultyRedis::Connection->new($self, $client)
        unless $self->{plan}{refuse};
}


sub _obey {
    my ($self) = @_;

    my $line = readline $self->{control};

    return $self->{ended} = 1 unless defined $line;

    my $request = $json->decode($line);

    if ($request->{plan}) {
        $self->{plan} = $request->{plan};
        @$self{qw(bytes replies)} = (0, 0);
    }

    for my $connection (@{ $self->{connections} }) {
        $connection->queue({ bytes => $request->{inject} })
            if defined $request->{inject};
        $connection->drop if $request->{drop};
        $connection->progress;
    }

    syswrite $self->{control},
             $json->encode({ connections => $self->{accepted},
                              late => $self->{late},
                              map { $_ => $request->{$_} && $self->{$_} }
                                  qw(commands sent) }) . "\n";
}


# An answer to a command from the test's function.

sub answer {
    my ($self, $command, $number) = @_;

    my $answer = $self->{callback}->($command, $self->{plan}, $number);

    return ref $answer ? $answer : { bytes => $answer };
}


# What becomes of a reply of the real Redis, as an answer.

sub spoil {
    my ($self, $reply) = @_;

    my $plan = $self->{plan};
    my $number = ++$self->{replies};

    push @{ $self->{sent} }, $reply unless $self->{forget};

    $reply = $plan->{replace}{$number} if defined $plan->{replace}{$number};
    $reply = ($plan->{insert}{$number} // '') . $reply;

    my $before = $self->{bytes};
    my %answer = (
        bytes        => $reply,
        delay        => $plan->{delay},
        byte_by_byte => $plan->{byte_by_byte},
        split        => [map { $_ - $before } @{ $plan->{split} // [] }],
    );

    $self->_make_late(\%answer, @{ $plan->{late} })
        if $plan->{late} && rand() < $plan->{late}[0];

    $self->{bytes} += length $reply;

    for my $end (qw(cut reset stall)) {
        next unless defined $plan->{$end} && $self->{bytes} >= $plan->{$end};

        my $left = $plan->{$end} - $before;
        $answer{bytes} = substr $reply, 0, $left > 0 ? $left : 0;
        $answer{$end eq 'cut' ? 'close' : $end} = 1;
        delete $plan->{$end} if $plan->{once};
    }

    return \%answer;
}


sub _make_late {
    my ($self, $answer, undef, $milliseconds) = @_;

    $self->{late}++;

    return $answer->{delay} = $milliseconds if rand() < 0.5;

    $answer->{delay} = $milliseconds / 2;
    $answer->{split} = [1];
    $answer->{gap} = $milliseconds / 2;
}


package FaultyRedis::Connection;

# One client: what it has asked, and the queue of what is still to be done to
# it.  An item of the queue is sent wholly, after a wait, before the next one.

use Socket qw(IPPROTO_TCP SOL_SOCKET SO_LINGER TCP_NODELAY);
use Time::HiRes qw(time);


sub new {
    my ($class, $server, $client) = @_;

    my $self = bless { server => $server, client => $client, asked => '',
                       replied => '', queue => [], out => '',
                       number => $server->{accepted} }, $class;

    $client->blocking(0);
    $self->{tcp} = $client->isa('IO::Socket::INET');
    setsockopt $client, IPPROTO_TCP, TCP_NODELAY, 1 if $self->{tcp};

    if ($server->{upstream}) {
        $self->{upstream} = RESP::connect_to($server->{upstream});
        $self->{closed} = !$self->{upstream};
    }

    return $self;
}


# What to do when a file descriptor is readable.

sub handlers {
    my ($self) = @_;

    return map { fileno $self->{$_->[0]} => $_->[1] }
           grep { $self->{$_->[0]} }
           [client => sub { $self->_read_commands }],
           [upstream => sub { $self->_read_replies }];
}


sub unsent { return length $_[0]{out} ? $_[0]{client} : () }


# When the next item is to be sent.

sub due {
    my ($self) = @_;

    return if $self->{stalled} || length $self->{out} || !@{ $self->{queue} }
              || $self->{server}{plan}{freeze};

    my $item = $self->{queue}[0];

    return time + 0.0001 if $item->{behind} && $self->_is_unread;

    return $item->{at} //= time + ($item->{wait} // 0);
}


# Whether the peer has still to read some of what was sent to it: Linux knows
# that of a unix socket.

sub _is_unread {
    my ($self) = @_;

    my $bytes = pack 'i', 0;

    ioctl $self->{client}, 0x5411, $bytes or die "SIOCOUTQ: $!\n";

    return unpack 'i', $bytes;
}


sub _read_commands {
    my ($self) = @_;

    return if $self->{closed};

    return $self->{closed} = 1
        unless sysread $self->{client}, $self->{asked}, 65536,
                       length $self->{asked};

    while (1) {
        my ($command, $length) = RESP::decode(\$self->{asked});

        last unless $length;

        my $bytes = substr $self->{asked}, 0, $length, '';

        push @{ $self->{server}{commands} }, $command
            unless $self->{server}{forget};

        if ($self->{upstream}) {
            syswrite $self->{upstream}, $bytes;
        } else {
            $self->queue($self->{server}->answer($command, $self->{number}));
        }
    }
}


sub _read_replies {
    my ($self) = @_;

    return if $self->{closed};

    return $self->{closed} = 1
        unless sysread $self->{upstream}, $self->{replied}, 65536,
                       length $self->{replied};

    while (1) {
        my (undef, $length) = RESP::decode(\$self->{replied});

        last unless $length;

        my $reply = substr $self->{replied}, 0, $length, '';

        $self->queue($self->{server}->spoil($reply));
    }
}


# Takes an answer apart into items.

sub queue {
    my ($self, $answer) = @_;

    my $bytes = $answer->{bytes} // '';
    my $length = length $bytes;
    my $gap = ($answer->{gap} // ($answer->{byte_by_byte} ? 1 : 5)) / 1000;

    my @cuts = $answer->{byte_by_byte} ? (1 .. $length - 1)
             : grep { $_ > 0 && $_ < $length }
                    sort { $a <=> $b } @{ $answer->{split} // [] };
    my $from = 0;

    for my $to (@cuts, $length) {
        push @{ $self->{queue} },
             { bytes  => substr($bytes, $from, $to - $from),
               behind => $from && !$self->{tcp},
               wait   => $from ? $gap : ($answer->{delay} // 0) / 1000 };
        $from = $to;
    }

    for my $end (qw(close reset stall)) {
        push @{ $self->{queue} }, { $end => 1 } if $answer->{$end};
    }
}


# Does what is due; false when the connection is over.

sub progress {
    my ($self) = @_;

    while (!$self->{closed}) {
        $self->_write;

        my $due = $self->due;

        last if !defined $due || $due > time;

        my $item = shift @{ $self->{queue} };

        $self->{out} = $item->{bytes} // '';
        $self->{stalled} = 1 if $item->{stall};
        $self->_end($item->{reset}) if $item->{close} || $item->{reset};
    }

    return !$self->{closed};
}


sub _write {
    my ($self) = @_;

    return unless length $self->{out};

    my $n = syswrite $self->{client}, $self->{out};

    if (defined $n) {
        substr $self->{out}, 0, $n, '';
    } elsif (!$!{EAGAIN}) {
        $self->{closed} = 1;
    }
}


# Whatever it waits for.

sub drop {
    my ($self) = @_;

    delete $self->{stalled};
    $self->{queue} = [{ close => 1 }];
}


sub _end {
    my ($self, $reset) = @_;

    setsockopt $self->{client}, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0
        if $reset && $self->{tcp};

    close $self->{client};
    $self->{closed} = 1;
}


1;
