package Tasks::Status;

# What tasks_status tells, for tests: as JSON, and as an independent parser of
# Prometheus's text format finds it.
#
#   start_jobs(locations => $STATUS, ...);    /status and /metrics
#   told($nginx)->{workers};
#   comes_to($nginx, of_store('main', 'ready'), [2], 'two workers');
#   routes('jobs')->(told($nginx));           {"GET" => {"ok" => 1}}
#   my $parsed = same_in_both($nginx, 'name');    $parsed->{values}{SERIES}

use strict;
use warnings;

use Exporter qw(import);
use IPC::Open2 qw(open2);
use JSON::PP ();

use Tasks ':live';
use Tasks::Jobs;

our @EXPORT = qw($STATUS told comes_to routes of_store same_in_both
                 await_service with_path);

my $SLOW = $ENV{TASKS_SANITIZER_DIR} ? 3 : 1;     # of limits in seconds

our $STATUS = <<'END';
    location = /status { tasks_status; }
    location = /status/json { tasks_status json; }
    location = /metrics { tasks_status prometheus; }
END


sub told {
    my ($nginx, $path) = @_;

    return JSON::PP->new->utf8->decode(
        http($nginx->port, 'GET', $path // '/status', timeout => 10)->body);
}


# A request is counted when it ends, which its client may see before another
# worker does: what is told is given time to come to what it should.

sub comes_to {
    my ($nginx, $part, $expected, $name, $seconds) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my $json = JSON::PP->new->canonical->allow_nonref;
    my $got;

    eval {
        wait_for(sub { $got = $part->(told($nginx));
                       $json->encode($got) eq $json->encode($expected) },
                 $seconds // 5 * $SLOW);
    };

    is_deeply($got, $expected, $name);
}


# Parts of it: the routes of an API that were asked for, numbers of a store.

sub routes {
    my ($api) = @_;

    return sub {
        my $routes = $_[0]{apis}{$api}{requests};
        return { map { %{ $routes->{$_} } ? ($_ => $routes->{$_}) : () }
                     keys %$routes };
    };
}


sub of_store {
    my ($store, @keys) = @_;

    return sub { return [@{ $_[0]{stores}{$store} }{@keys}] };
}


# The jobs' definition, of the same size, with another path of a route.

sub with_path {
    my ($path) = @_;

    return (jobs_file())[1] =~ s{"/after"}{"$path"}r;
}


sub serves { return status(http($_[0]->port, 'GET', '/jobs/a')) eq '200' }

sub await_service {
    my ($nginx) = @_;

    wait_for(sub { serves($nginx) }, 5, 'service');
}


# What an independent parser makes of the text: "NAME{LABEL=VALUE,...}" =>
# value, and "NAME" => type.  It dies of what it cannot parse; a series that is
# there twice is seen here.

sub parsed {
    my ($text) = @_;

    my $pid = open2(my $out, my $in, '/usr/bin/python3', '-c', <<'PYTHON');
import json, sys
from prometheus_client.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    print(json.dumps([family.name, family.type, family.documentation,
                      [[s.name, s.labels, s.value] for s in family.samples]]))
PYTHON

    print $in $text;
    close $in;

    my (%types, %values, @twice);

    while (my $line = <$out>) {
        my ($name, $type, $help, $samples) = @{ JSON::PP::decode_json($line) };

        die "$name: no help\n" unless length $help;
        $types{$name} = $type;

        for (@$samples) {
            my ($series, $labels, $value) = @$_;
            my $key = $series . '{' . join(',', map { "$_=$labels->{$_}" }
                                                    sort keys %$labels) . '}';
            push @twice, $key if exists $values{$key};
            $values{$key} = $value;
        }
    }

    waitpid $pid, 0;

    return $? ? undef : { types => \%types, values => \%values,
                          twice => \@twice };
}


# The same, made of what JSON tells.

sub as_samples {
    my ($told) = @_;

    my %samples = ('tasks_workers{}' => $told->{workers});

    for my $name (keys %{ $told->{apis} }) {
        my $api = $told->{apis}{$name};
        my $time = $api->{duration_ms};

        for my $route (keys %{ $api->{requests} }) {
            my $outcomes = $api->{requests}{$route};
            $samples{"tasks_requests_total{api=$name,outcome=$_,"
                     . "route=$route}"} = $outcomes->{$_} for keys %$outcomes;
        }

        $samples{"tasks_lists_total{api=$name,cache=$_}"} = $api->{lists}{$_}
            for keys %{ $api->{lists} };

        for (keys %{ $time->{le} }) {
            my $le = $_ eq '+Inf' ? $_ : $_ / 1000;
            $samples{"tasks_request_duration_seconds_bucket{api=$name,le=$le}"}
                = $time->{le}{$_};
        }

        $samples{"tasks_request_duration_seconds_sum{api=$name}"}
            = $time->{sum} / 1000;
        $samples{"tasks_request_duration_seconds_count{api=$name}"}
            = $time->{count};
    }

    for my $name (keys %{ $told->{stores} }) {
        my $store = $told->{stores}{$name};

        $samples{"tasks_store_connections{state=$_,store=$name}"}
            = $store->{$_} for qw(ready connecting down);
        $samples{"tasks_store_pending_operations{store=$name}"}
            = $store->{pending};
        $samples{"tasks_store_${_}_total{store=$name}"} = $store->{$_}
            for qw(reconnects connect_failures timeouts);
        $samples{"tasks_$_\{store=$name}"} = $store->{$_}
            for qw(cache_entries cache_bytes);
    }

    return \%samples;
}


sub same_in_both {
    my ($nginx, $name) = @_;

    # a store that is away is tried again and again

    my ($text, $told, $then) = ('', '', '');

    until ($told ne '' && $told eq $then) {
        $told = http($nginx->port, 'GET', '/status')->body;
        $text = http($nginx->port, 'GET', '/metrics')->body;
        $then = http($nginx->port, 'GET', '/status')->body;
    }

    my $parsed = parsed($text);

    ok($parsed, "$name: the parser takes all of it") or return;
    is_deeply($parsed->{twice}, [], "$name: no series is there twice");

    my %values = %{ $parsed->{values} };
    my $expected = as_samples(JSON::PP->new->utf8->decode($told));

    # JSON leaves out outcomes that there were none of
    /^tasks_requests_total/ && !$values{$_} && delete $values{$_}
        for keys %values;

    is_deeply(\%values, $expected, "$name: and finds what JSON tells");

    return $parsed;
}


1;
