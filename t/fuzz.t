# The inputs that t/fuzz keeps, of the kind that reach every branch of the units
# that read hostile bytes, once more; with TASKS_FULL=1 also a minute of new
# ones for each unit, for which clang is installed.

use strict;
use warnings;

use Test::More;

for my $unit (qw(reply request token definition)) {
    my @kept = glob "t/fuzz/corpus/$unit/*";

    cmp_ok(@kept, '>', 10, "$unit: there are inputs");
    is(scalar `sh t/fuzz/run.sh 0 $unit`,
       "$unit: " . @kept . " inputs, no finding\n",
       "$unit: they do no harm");

    like(scalar `sh t/fuzz/run.sh 60 $unit`,
         qr/^$unit: \d{4,} inputs, no finding$/m, "$unit: nor do others")
        if $ENV{TASKS_FULL};
}

done_testing();
