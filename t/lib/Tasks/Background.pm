package Tasks::Background;

# A function that goes on and on in another process, as a writer does.

use strict;
use warnings;

use Exporter qw(import);
use POSIX ();

use RESP;
use Tasks ();

our @EXPORT = qw(in_background end);


# Calls the function with a Redis connection of its own, again and again, until
# end().  Returns the process's id.

sub in_background {
    my ($code) = @_;

    # end() may come before there is a handler

    my $terms = POSIX::SigSet->new(POSIX::SIGTERM);
    POSIX::sigprocmask(POSIX::SIG_BLOCK, $terms);
    my $pid = fork() // die "fork: $!\n";

    if ($pid) {
        POSIX::sigprocmask(POSIX::SIG_UNBLOCK, $terms);
        return $pid;
    }

    # A system call that waits for Redis goes on after the signal; and a handler
    # that is not "safe" would run amid whatever Perl does, malloc() included.

    my $stop;
    my $action = POSIX::SigAction->new(
        sub { $stop = 1 }, POSIX::SigSet->new, POSIX::SA_RESTART);
    $action->safe(1);
    POSIX::sigaction(POSIX::SIGTERM, $action);
    POSIX::sigprocmask(POSIX::SIG_UNBLOCK, $terms);

    srand $$;
    my $redis = RESP->new(Tasks::redis_socket());
    my $ok = eval { $code->($redis) until $stop; 1 };

    print STDERR "# background: $@" unless $ok;
    POSIX::_exit($ok ? 0 : 1);
}


# Whether all that it did was done, and no call of it failed.

sub end {
    my ($pid) = @_;

    kill 'TERM', $pid;
    waitpid $pid, 0;

    return $? == 0;
}


1;
