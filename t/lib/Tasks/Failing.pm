package Tasks::Failing;

# nginx's calls of the C library, failing as told: by t/lib/failing.c, which is
# compiled here and preloaded, before the sanitizers' libraries if these are in
# use.
#
#   my $failing = Tasks::Failing->new;
#   local $ENV{TEST_NGINX_BINARY} = $failing->binary;
#   my $nginx = start_nginx(...);
#
#   $failing->order('memory', nth => 3);     the third one from now on
#   ...
#   my ($seen, $failed) = $failing->end;

use strict;
use warnings;

use Cwd qw(abs_path);
use Errno qw(ENOMEM);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);

use Tasks::Nginx;

# in the order of the enumeration in failing.c
my @KINDS = qw(nothing memory socket connect epoll_ctl recv writev getsockopt
               setsockopt ioctl);
my %NUMBER = map { $KINDS[$_] => $_ } 0 .. $#KINDS;

my $SOURCE = abs_path(dirname(__FILE__) . '/../failing.c');


sub new {
    my ($class) = @_;

    my $directory = tempdir(CLEANUP => 1);
    my $self = bless { directory => $directory }, $class;

    system('gcc', qw(-O2 -fPIC -shared -o), "$directory/failing.so", $SOURCE)
        and die "cannot compile $SOURCE\n";

    open $self->{orders}, '+>', "$directory/orders" or die "orders: $!\n";
    $self->_write;
    $self->_write_binary;

    return $self;
}


# What runs nginx with the library.

sub binary { "$_[0]{directory}/nginx" }


sub _write_binary {
    my ($self) = @_;

    my $nginx = Tasks::Nginx::binary();
    my $library = "$self->{directory}/failing.so";
    my $script = $nginx =~ m{/} ? _read($nginx) : '';

    if ($script =~ /^#!/) {
        $script =~ s/^(export LD_PRELOAD=)/$1$library:/m;
        $script =~ s/^(export ASAN_OPTIONS=)/$1verify_asan_link_order=0:/m;
    } else {
        $script = "#!/bin/sh\nexport LD_PRELOAD=$library\n"
                  . qq(exec $nginx "\$@"\n);
    }

    $script =~ s/^exec /export TASKS_FAILING=$self->{directory}\/orders\nexec /m;

    open my $out, '>', $self->binary or die $self->binary, ": $!\n";
    print $out $script;
    close $out or die $self->binary, ": $!\n";
    chmod 0755, $self->binary;
}


sub _read {
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;

    return <$in>;
}


# From now on calls of that kind are counted, and so many (times, 1) fail from
# the nth on (1), with an errno (error, ENOMEM).

sub order {
    my ($self, $kind, %option) = @_;

    $self->_write;
    $self->_write($NUMBER{$kind} // die("what is $kind?\n"),
                  $option{nth} // 1, $option{times} // 1,
                  $option{error} // ENOMEM, 0, 0);
}


# Nothing fails any more.  Returns how many calls were counted, and how many
# have failed.

sub end {
    my ($self) = @_;

    sysseek $self->{orders}, 0, 0;
    sysread $self->{orders}, my $bytes, 24;
    $self->_write;

    return (unpack 'l6', $bytes)[4, 5];
}


# The kind is written last: it is what makes the orders count.

sub _write {
    my ($self, @orders) = @_;

    my $bytes = pack 'l6', @orders ? @orders : (0) x 6;

    for my $part ([4, substr $bytes, 4], [0, substr $bytes, 0, 4]) {
        sysseek $self->{orders}, $part->[0], 0;
        syswrite $self->{orders}, $part->[1];
    }
}


1;
