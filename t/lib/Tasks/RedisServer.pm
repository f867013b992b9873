package Tasks::RedisServer;

# Owns one private redis-server, or the program that TASKS_REDIS_SERVER names
# (valkey-server): a temporary directory, a unix socket and nothing on TCP or
# disk.  Stopped by its process id when the object goes away.

use strict;
use warnings;

use File::Temp qw(tempdir);
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep);

use RESP;
use Tasks::Stopwatch;

my $START_TIMEOUT = 10;
my $PROGRAM = $ENV{TASKS_REDIS_SERVER} || 'redis-server';


# The arguments are added to redis-server's, such as "--requirepass", "x", and
# take the place of those below.  Starts the server.

sub new {
    my ($class, @arguments) = @_;

    my $self = bless { directory => tempdir(CLEANUP => 1), owner => $$,
                       arguments => \@arguments }, $class;

    $self->start;

    return $self;
}


sub pid       { $_[0]{pid} }
sub socket    { "$_[0]{directory}/redis.sock" }
sub directory { $_[0]{directory} }


# Starts it, again if it was stopped, on the same socket, and empty unless the
# arguments have it write to the disk.

sub start {
    my ($self) = @_;

    $self->{pid} = $self->_spawn;

    my $over = deadline($START_TIMEOUT);

    until ($self->_answers) {
        die "$PROGRAM did not start\n"
            if $over->() || waitpid($self->{pid}, WNOHANG);
        sleep 0.005;
    }
}


sub _spawn {
    my ($self) = @_;

    my $pid = fork() // die "fork: $!\n";

    return $pid if $pid;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{directory}/redis.log";
    open STDERR, '>&', \*STDOUT;

    no warnings 'exec';
    exec $PROGRAM, '--port', 0, '--unixsocket', $self->socket,
         '--dir', $self->{directory}, '--save', '', '--appendonly', 'no',
         '--daemonize', 'no', '--enable-debug-command', 'yes',
         @{ $self->{arguments} };
    POSIX::_exit(127);
}


# A server with a password answers too, with an error.

sub _answers {
    my ($self) = @_;

    return eval { $self->{client} = RESP->new($self->socket);
                  $self->{client}->ask('PING'); 1 };
}


# Sends a command and returns its reply; dies on an error reply.

sub command {
    my ($self, @words) = @_;

    return $self->{client}->command(@words);
}


# Ends it at once, as a crash would.

sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} // return;

    kill 'CONT', $pid;
    kill 'KILL', $pid;
    waitpid $pid, 0;
    unlink $self->socket;
}


# Stops it from doing anything, with its connections open; resume() goes on.

sub pause  { return kill 'STOP', $_[0]{pid} }
sub resume { return kill 'CONT', $_[0]{pid} }


sub DESTROY {
    my ($self) = @_;

    local ($?, $!);

    $self->stop if $self->{owner} == $$;
}


1;
