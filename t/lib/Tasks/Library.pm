package Tasks::Library;

# The Redis function libraries that the module compiles from API definitions,
# asked from the module itself ("tasks_library"): a test that writes tasks loads
# them as a user would by hand, and depends on no nginx to have done it.

use strict;
use warnings;

use File::Temp qw(tempdir);

use Tasks::HTTP;
use Tasks::JSON;
use Tasks::Nginx;

my %texts;      # definition => its libraries, one of each collection


# The libraries of definitions (file name => JSON text).  $main_config loads
# the module.

sub texts {
    my ($main_config, %definitions) = @_;

    my %new = map { $_ => $definitions{$_} }
              grep { !defined $texts{$definitions{$_}} } keys %definitions;

    fetch($main_config, %new) if %new;

    return map { @{ $texts{$_} } } values %definitions;
}


sub fetch {
    my ($main_config, %definitions) = @_;

    my @names = sort keys %definitions;

    my $nginx = Tasks::Nginx->new(
        prefix      => tempdir(CLEANUP => 1),
        main_config => $main_config,
        files       => { map { ("conf/apis/$_" => $definitions{$_}) } @names },
        config      => join("\n", map { location($_, $definitions{$_}) }
                                 @names),
    );

    $nginx->start
        or die "cannot get the function libraries:\n", $nginx->error_log;

    for my $name (@names) {
        my $text = $definitions{$name};

        $texts{$text} = [map { get($nginx->port, "/$name/$_") }
                         collections($text)];
    }

    $nginx->stop;
}


sub location {
    my ($name, $text) = @_;

    return map { <<"END" } collections($text);
location = /$name/$_ {
    tasks_api apis/$name;
    tasks_library $_;
}
END
}


# The main collection's key is empty.

sub collections {
    my ($text) = @_;

    my %members = Tasks::JSON::members($text);

    my %others = Tasks::JSON::members($members{collections} // '{}');

    return ('', sort keys %others);
}


sub get {
    my ($port, $path) = @_;

    my $connection = Tasks::HTTP->connect($port);
    $connection->send(Tasks::HTTP::request_bytes('GET', $path));
    my $response = $connection->response;

    die "GET $path: no function library\n"
        unless $response && $response->status == 200 && $response->complete;

    return $response->body;
}


1;
