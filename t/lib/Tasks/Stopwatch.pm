package Tasks::Stopwatch;

# Time that is not the machine's fault: what passes, less what some process
# spends waiting for a processor, a disk or memory, which Linux counts, and what
# a host takes away.  Limits in time are of the module, and a busy machine must
# not make them fail; of what passes a tenth counts in any case, so that a limit
# stays one.  Where Linux does not count, a third does.
#
#   my $took = stopwatch();
#   ...
#   cmp_ok($took->(), '<', 0.5);
#
#   my $over = deadline(5);
#   until (...) { die if $over->() }

use strict;
use warnings;

use Exporter qw(import);
use List::Util qw(max);
use POSIX qw(_SC_CLK_TCK);
use Time::HiRes qw(time);

our @EXPORT = qw(stopwatch deadline);


sub stopwatch {
    my ($start, $before) = (time, lost());

    return sub {
        my $passed = time - $start;

        return defined $before ? max($passed - (lost() - $before), $passed / 10)
                               : $passed / 3;
    };
}


# True when so many seconds are over.  Nearly all that is waited for is there
# at once, and to begin to count is more work than that.

sub deadline {
    my ($seconds) = @_;

    my ($start, $took) = time;

    return sub {
        my $passed = time - $start;

        return 0 if $passed < 0.02;

        $took //= stopwatch();

        return $passed > $seconds && $took->() + 0.02 > $seconds;
    };
}


# Seconds, since the machine has started, in which somebody waited.

sub lost {
    my ($waited) = first_line('/proc/pressure/cpu') =~ /total=(\d+)/
        or return undef;

    for my $what (qw(io memory)) {
        $waited += $1
            if first_line("/proc/pressure/$what") =~ /total=(\d+)/;
    }

    my $stolen = (split ' ', first_line('/proc/stat'))[8] // 0;

    return $waited / 1e6 + $stolen / POSIX::sysconf(_SC_CLK_TCK);
}


sub first_line {
    my ($path) = @_;

    open my $in, '<', $path or return '';

    return scalar(<$in>) // '';
}


1;
