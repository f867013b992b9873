package Tasks::Shipped;

# Parts of the configuration that is shipped, conf/nginx.conf, for the suites of
# the five APIs.

use strict;
use warnings;

use Exporter qw(import);

use Tasks ();

our @EXPORT = qw(maps location);

my $IN_BRACES = qr/(?<braces> \{ (?: [^{}"'\#]++ | "(?:[^"\\]|\\.)*+"
                     | '(?:[^'\\]|\\.)*+' | \#[^\n]*+ | (?&braces) )*+ \})/x;


# All of its maps.

sub maps {
    my $shipped = Tasks::slurp('conf/nginx.conf');
    my @maps;

    push @maps, $1 while $shipped =~ /^ {4}(map [^{]+$IN_BRACES)/mg;

    return join "\n", @maps, '';
}


# The location of that name, with more directives.

sub location {
    my ($name, $more) = @_;
    $more //= '';

    Tasks::slurp('conf/nginx.conf') =~ /^ {8}(location \Q$name\E $IN_BRACES)/m
        or die "conf/nginx.conf has no location $name\n";

    return $1 =~ s/\}\z/$more}/r;
}


1;
