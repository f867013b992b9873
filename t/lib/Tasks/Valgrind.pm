package Tasks::Valgrind;

# nginx under valgrind's memcheck, as it is built for use:
#
#   my $valgrind = Tasks::Valgrind->new;
#   {
#       local $ENV{TEST_NGINX_BINARY} = $valgrind->binary;
#       my $nginx = start_nginx(..., master => 0);
#       ...
#       $nginx->stop;
#   }
#   is($valgrind->complaints, '');       errors, and what is definitely lost

use strict;
use warnings;

use File::Temp qw(tempdir);

use Tasks::Nginx;
use Tasks::Process;


sub new {
    my ($class) = @_;

    my $self = bless { directory => tempdir(CLEANUP => 1) }, $class;
    my $directory = $self->{directory};
    my $nginx = Tasks::Nginx::binary();

    # what nginx itself allocates for good
    _write("$directory/nginx.supp", "{\n    environment\n    Memcheck:Leak\n"
           . "    ...\n    fun:ngx_set_environment\n}\n");

    # valgrind looks nowhere for what it runs
    _write($self->binary, "#!/bin/sh\n"
        . 'PATH=$PATH:/usr/sbin' . "\n"
        . 'exec valgrind -q --leak-check=full --show-leak-kinds=definite '
        . "--num-callers=20 --suppressions=$directory/nginx.supp "
        . "--log-file=$directory/log.%p \"\$(command -v $nginx)\" \"\$@\"\n");
    chmod 0755, $self->binary;

    return $self;
}


sub binary { "$_[0]{directory}/nginx" }


sub complaints {
    my ($self) = @_;

    return join '', map { slurp($_) } glob "$self->{directory}/log.*";
}


sub _write {
    my ($path, $text) = @_;

    open my $out, '>', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
}


1;
