package Tasks::Browser;

# Owns one headless Chromium, which t/node/browser.mjs drives.  A method is a
# command of that program; it dies if that cannot be done, or waits in vain.
#
#   my $browser = Tasks::Browser->new;
#   $browser->open("http://127.0.0.1:$port/", { width => 375 });
#   $browser->until('document.title === "Tasks"');
#   $browser->click('#pause');

use strict;
use warnings;

use IPC::Open2;
use JSON::PP;

use Tasks::Node;

my $JSON = JSON::PP->new->utf8->allow_nonref;

our $AUTOLOAD;


sub new {
    my ($class) = @_;

    my $self = bless { owner => $$ }, $class;

    $self->{pid} = open2($self->{out}, $self->{in}, 'node',
                         Tasks::Node::directory() . '/browser.mjs');
    $self->{in}->autoflush;

    return $self;
}


sub AUTOLOAD {
    my ($self, @arguments) = @_;

    my $name = $AUTOLOAD =~ s/.*:://r;
    my $out = $self->{out};

    local $SIG{PIPE} = 'IGNORE';
    print { $self->{in} } $JSON->encode([$name, @arguments]), "\n";

    my $answer = $JSON->decode(<$out> // die "the browser has ended\n");

    if (defined $answer->{error}) {
        require Carp;
        Carp::croak("$name: $answer->{error}");
    }

    my $value = $answer->{value};

    return wantarray && ref $value eq 'ARRAY' ? @$value : $value;
}


# The end of its input ends it, and Chromium with it.

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $!);

    close $self->{in};
    waitpid $self->{pid}, 0;
}


1;
