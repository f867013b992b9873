package Tasks::Command;

# Runs programs for tests of what is installed.

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(output succeeds);


# Standard output and error; $? is the exit status.  There is nothing to read.

sub output {
    my (@command) = @_;

    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1 </dev/null', 'sh', @command
        or die "sh: $!\n";
    local $/;
    my $text = <$out> // '';
    close $out;

    return $text;
}


# A test that it does; if it does not, the rest makes no sense.  Returns the
# output.

sub succeeds {
    my ($name, @command) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $text = output(@command);

    if (!Test::More::ok($? == 0, $name)) {
        Test::More::diag($text);
        Test::More::BAIL_OUT("@command");
    }

    return $text;
}


1;
