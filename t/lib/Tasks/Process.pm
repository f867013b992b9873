package Tasks::Process;

# What /proc says of processes, by their ids.

use strict;
use warnings;

use Exporter qw(import);
use POSIX qw(_SC_CLK_TCK _SC_PAGESIZE);

our @EXPORT = qw(slurp children old_workers cpu_of rss_of fds_of);


# The file's text; "" if there is none, or no longer.

sub slurp {
    my ($path) = @_;

    open my $in, '<:raw', $path or return '';
    local $/;

    return <$in> // '';
}


# All processes below one, by what they call themselves.

sub children {
    my ($pid, $title) = @_;

    return grep { slurp("/proc/$_/cmdline") =~ $title }
           grep { slurp("/proc/$_/stat") =~ /^\d+ \(.*\) \S $pid /s }
           map { m{(\d+)/stat$} } glob '/proc/[0-9]*/stat';
}


# Those of a Tasks::Nginx that were told to quit.

sub old_workers { children($_[0]->pid, qr/worker process is shutting down/) }


# Seconds of a processor, by the process and for it.

sub cpu_of {
    my ($pid) = @_;

    my @field = split ' ', slurp("/proc/$pid/stat") =~ s/^.*\) //sr;

    return ($field[11] + $field[12]) / POSIX::sysconf(_SC_CLK_TCK);
}


# Bytes of memory that it has.

sub rss_of {
    my ($pid) = @_;

    return POSIX::sysconf(_SC_PAGESIZE)
           * (split ' ', slurp("/proc/$pid/statm"))[1];
}


# Open files.

sub fds_of { return scalar(() = glob "/proc/$_[0]/fd/*") }


1;
