package Test::Nginx::Socket;

# Runs test blocks in the format of Test::Nginx::Socket, on Debian's Test::Base.
# Taken by t/run.sh only where the real Test::Nginx::Socket is not installed;
# knows the sections and functions that this project's suites use, with the
# same meaning, and nothing of the module under test.
#
# Beyond the real one, every block fails if nginx is unwell: a process died or
# was replaced, an [alert], [crit] or [emerg] was logged that the block did not
# ask for, a sanitizer reported, or nginx did not exit when told to.  So it does
# if a response is truncated, or if bytes come after it.

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Path qw(remove_tree);
use IO::Select;
use Test::Base ();
use Time::HiRes qw(sleep time);

use Tasks::HTTP;
use Tasks::Nginx;

our @ISA = ('Test::Base');

our @EXPORT = qw(
    plan run_tests repeat_each no_long_string no_shuffle no_root_location
    add_block_preprocessor add_response_body_check add_cleanup_handler
    add_test_cleanup_handler server_root server_port html_dir master_on
    master_off workers worker_connections log_level timeout env_to_nginx
    bail_out
);

BEGIN {
    no strict 'refs';
    *$_ = Test::Base->can($_) for qw(plan ok is like unlike fail diag);
}

my (@preprocessors, @body_checks, @cleanup_handlers, @test_cleanup_handlers);
my $repeat_each = 1;
my $timeout = $ENV{TEST_NGINX_TIMEOUT} || 10;

my %settings = (
    port   => $ENV{TEST_NGINX_PORT} || Tasks::Nginx::free_port(),
    prefix => $ENV{TEST_NGINX_SERVROOT} || abs_path('t') . '/servroot',
);

$settings{prefix} .= "_$settings{port}" if $ENV{TEST_NGINX_RANDOMIZE};

$ENV{TEST_NGINX_SERVER_ROOT} = $settings{prefix};
$ENV{TEST_NGINX_HTML_DIR} = "$settings{prefix}/html";
$ENV{TEST_NGINX_SERVER_PORT} = $settings{port};

my $running;


sub no_long_string()     { }
sub no_shuffle()         { }
sub env_to_nginx         { }
sub no_root_location()   { $settings{root_location} = 0 }
sub master_on()          { $settings{master} = 1 }
sub master_off()         { $settings{master} = 0 }
sub server_root()        { return $settings{prefix} }
sub server_port()        { return $settings{port} }
sub html_dir()           { return "$settings{prefix}/html" }
sub log_level            { return setting('log_level', @_) }
sub workers              { return setting('workers', @_) }
sub worker_connections   { return setting('worker_connections', @_) }
sub bail_out             { Test::More::BAIL_OUT(join '', @_) }

sub add_block_preprocessor(&)   { unshift @preprocessors, shift }
sub add_response_body_check     { push @body_checks, shift }
sub add_cleanup_handler         { unshift @cleanup_handlers, shift }
sub add_test_cleanup_handler    { unshift @test_cleanup_handlers, shift }

sub repeat_each { return @_ ? $repeat_each = shift : $repeat_each }
sub timeout     { return @_ ? $timeout = shift : $timeout }


sub setting {
    my ($name, @value) = @_;

    $settings{$name} = $value[0] if @value;

    return $settings{$name};
}


# A block's code is run just before the block: it may look at the clock.

sub run_tests() {
    Test::Base::filters_delay();

    for my $block (Test::Base::blocks()) {
        $block->run_filters;
        $_->($block) for @preprocessors;
        run_block($block);
        $_->($block) for @test_cleanup_handlers;
    }

    $_->() for @cleanup_handlers;
}


sub run_block {
    my ($block) = @_;

    $running = nginx_for($block);

    if (defined $block->must_die) {
        check_death($block);
        return;
    }

    if (!$running->start) {
        fail($block->name . ' - nginx starts');
        diag($running->error_log);
        return;
    }

    eval_section($block, 'init');

    my $log = LogWindow->new($running);

    for my $round (0 .. $repeat_each - 1) {
        run_round($block, $round, $log);
    }

    $running->stop;
    check_health($block);
}


sub nginx_for {
    my ($block) = @_;

    my %own;

    for my $name (qw(config http_config main_config post_main_config
                     log_level))
    {
        my $text = $block->$name;
        $own{$name} = expand_environment($text) if defined $text;
    }

    my $nginx = Tasks::Nginx->new(%settings, %own);

    $nginx->write_file($_->[0], $_->[1]) for user_files($block);

    return $nginx;
}


# The values of $TEST_NGINX_... variables in a section's text.

sub expand_environment {
    my ($text) = @_;

    $text =~ s[\$(?:\{(TEST_NGINX_\w+)\}|(TEST_NGINX_\w+))]
              [$ENV{$1 // $2} // bail_out("no variable " . ($1 // $2))]ge;

    return $text;
}


# Pairs of path and content.  A relative path is one below the html directory.

sub user_files {
    my ($block) = @_;

    my $files = $block->user_files // return;

    if (!ref $files) {
        my (undef, @parts) = split /^>>> (\S+).*\n/m, "$files\n";
        $files = [];
        push @$files, [splice @parts, 0, 2] while @parts;
    }

    return map { [$_->[0] =~ m{^/} ? $_->[0] : "html/$_->[0]",
                  expand_environment($_->[1] // '')] } @$files;
}


sub eval_section {
    my ($block, $name) = @_;

    my $code = $block->$name // return;

    eval "package main; no strict; $code; 1"
        or bail_out($block->name . " - $name failed: $@");
}


# A number in --- must_die is the exit code.

sub check_death {
    my ($block) = @_;

    my $started = $running->start;
    my $expected = $block->must_die;

    $running->stop;

    my $status = $running->exit_status;

    ok(!$started && $status && !($status & 127),
       $block->name . ' - nginx dies');

    is($status >> 8, $expected, $block->name . ' - exit code')
        if $expected =~ /^\d+$/;

    check_logs($block, LogWindow->new($running));
    fail_for($block, Tasks::Nginx::sanitizer_reports());
}


sub check_health {
    my ($block) = @_;

    my $expected = $block->error_log // '';
    my @levels = grep { index("@{[ref $expected eq 'ARRAY' ? @$expected
                                                           : $expected]}",
                              "[$_") >= 0 } qw(alert crit emerg);
    my $allowed = @levels ? join '|', map { "\\[$_\\]" } @levels : undef;

    fail_for($block, $running->complaints($allowed));
}


sub fail_for {
    my ($block, @complaints) = @_;

    for my $text (@complaints) {
        fail($block->name . ' - nginx is well');
        diag($text);
    }
}


sub run_round {
    my ($block, $round, $log) = @_;

    my @requests = requests_of($block);
    my $pipelined = $block->pipelined_requests;
    my $many = @requests > 1 || defined $pipelined;
    my $index = 0;

    for my $request (@requests) {
        my $connection = Tasks::HTTP->from_bytes(exchange($block, $request));
        my @heads = map { /^\s*HEAD / ? 1 : 0 }
                    $pipelined ? @$pipelined : $request->[0]{value};

        for my $is_head (@heads) {
            check_response($block, scalar $connection->response(0, $is_head),
                           $many ? $index : undef, $round)
                unless defined $block->ignore_response;

            check_logs($block, $log);
            $index++;
        }

        check_rest($block, $connection->rest);
    }
}


sub check_rest {
    my ($block, $rest) = @_;

    return if $rest eq '' || defined $block->ignore_response;

    fail($block->name . ' - nothing comes after the response');
    diag($rest);
}


# The requests of a block, each one an array of packets: hashes of value,
# delay_before and delay_after.

sub requests_of {
    my ($block) = @_;

    my $raw = $block->raw_request;

    return [map { { value => $_ } } ref $raw ? @$raw : $raw] if defined $raw;

    my $requests = $block->pipelined_requests;

    if ($requests) {
        my @bytes = map {
            my $last = $_ == $#$requests;
            build_request($requests->[$_], headers_of($block, $_),
                          $last ? 'close' : 'keep-alive')
        } 0 .. $#$requests;

        return [{ value => join '', @bytes }];
    }

    $requests = $block->request // bail_out($block->name . ' - no request');
    $requests = [$requests] unless ref $requests;

    return map { packets($requests->[$_], headers_of($block, $_)) }
               0 .. $#$requests;
}


sub headers_of {
    my ($block, $index) = @_;

    my $headers = $block->more_headers // '';

    return $headers unless ref $headers;

    return $headers->[$index] // bail_out($block->name . ' - more_headers has'
                                          . " nothing for request $index");
}


# A request that is itself an array is sent in pieces, as the test has cut it.

sub packets {
    my ($request, $headers) = @_;

    my @packets = map { ref $_ ? { %$_ } : { value => $_ } }
                  ref $request ? @$request : $request;

    my $text = join '', map { $_->{value} } @packets;
    my $bytes = build_request($text, $headers, 'close');
    my $line = $text =~ /\n/ ? $-[0] : length $text;
    my ($at, @cuts) = (0);

    for (@packets) {
        push @cuts, $at <= $line ? $at : $at + length($bytes) - length $text;
        $at += length $_->{value};
    }

    push @cuts, length $bytes;

    $packets[$_]{value} = substr $bytes, $cuts[$_], $cuts[$_ + 1] - $cuts[$_]
        for 0 .. $#packets;

    return \@packets;
}


sub build_request {
    my ($text, $more_headers, $connection) = @_;

    $text =~ s/^(?:\s*#[^\n]*\n|\s+)+//;

    my ($line, $body) = split /\n/, $text, 2;
    my ($method, $target, $version) = split ' ', $line;

    my @headers = grep { /\S/ && !/^\s*#/ } split /\r?\n/, $more_headers;
    my $has = sub { my $name = shift; grep { /^\Q$name\E\s*:/i } @headers };

    $body //= '';
    $body =~ s/^\s+|\s+$//g unless $has->('Transfer-Encoding')
                                || $has->('Content-Length');

    unshift @headers, "Connection: $connection" unless $has->('Connection');
    unshift @headers, 'Host: localhost' unless $has->('Host');
    push @headers, 'Content-Length: ' . length $body
        if length $body && !$has->('Content-Length')
           && !$has->('Transfer-Encoding');

    $line = join ' ', $method, $target // '/', $version // 'HTTP/1.1';

    return join "\r\n", $line, @headers, '', $body;
}


# Sends a request and returns all that comes back until nginx closes.  A silence
# of --- timeout seconds is a failure unless the block says --- abort.

sub exchange {
    my ($block, $packets) = @_;

    my $seconds = $block->timeout // $timeout;
    $seconds =~ s/^([\d.]+)ms$/$1 \/ 1000/e;
    $seconds =~ s/s$//;

    my $connection = eval { Tasks::HTTP->connect($settings{port}) };

    if (!$connection) {
        fail($block->name . " - nginx can be reached: $@");
        return '';
    }

    my $socket = $connection->socket;
    my $bytes = '';

    for my $packet (@$packets) {
        sleep $packet->{delay_before} if $packet->{delay_before};
        eval { $connection->send($packet->{value}); 1 } or last;
        sleep $packet->{delay_after} if $packet->{delay_after};
    }

    shutdown $socket, $block->shutdown || 1 if defined $block->shutdown;

    while (IO::Select->new($socket)->can_read($seconds)) {
        sysread $socket, $bytes, 65536, length $bytes or return $bytes;
    }

    fail($block->name . " - an answer within $seconds s")
        unless defined $block->abort;

    return $bytes;
}


# The part of an expectation that is for one request: the whole of it if there
# is only one.

sub part {
    my ($block, $name, $index) = @_;

    my $value = $block->$name // return undef;

    return $value->[$index // 0] if ref $value eq 'ARRAY';

    bail_out($block->name . " - $name must be an array, as the requests are")
        if defined $index;

    return $value;
}


sub check_response {
    my ($block, $response, $index, $round) = @_;

    my $name = $block->name . (defined $index ? " - request $index" : '');

    $response //= Tasks::HTTP::Response->new("\r\n\r\n");

    check_status($block, $response, $index, $name);
    check_headers($block, $response, $index, $name);

    fail("$name - the response is complete") unless $response->complete;

    check_body($block, $response->body, $index, $name);

    $_->($block, $response->body, $index // 0, $round, 0) for @body_checks;
}


sub check_status {
    my ($block, $response, $index, $name) = @_;

    my $pattern = part($block, 'error_code_like', $index);

    return like($response->status, qr/$pattern/sm, "$name - status")
        if defined $pattern;

    is($response->status, part($block, 'error_code', $index) // 200,
       "$name - status");
}


sub check_headers {
    my ($block, $response, $index, $name) = @_;

    my $headers = part($block, 'response_headers', $index) // '';

    for (grep { /\S/ } split /\n/, $headers) {
        my ($absent, $key, $value) = /^\s*(!?)\s*([^:\s]+)\s*:?\s*(.*?)\s*$/;

        if ($absent) {
            ok(!$response->has_header($key), "$name - no header $key");
        } else {
            $value =~ s/\$ServerPort\b/$settings{port}/g;
            is($response->header($key), $value, "$name - header $key");
        }
    }

    my $pattern = part($block, 'raw_response_headers_like', $index);
    like($response->raw_headers, qr/$pattern/s, "$name - headers like")
        if defined $pattern;

    $pattern = part($block, 'raw_response_headers_unlike', $index);
    unlike($response->raw_headers, qr/$pattern/s, "$name - headers unlike")
        if defined $pattern;
}


sub check_body {
    my ($block, $body, $index, $name) = @_;

    if (defined $block->response_body) {
        my $expected = part($block, 'response_body', $index);

        return like($body, $expected, "$name - body") if ref $expected;

        $expected = expand_environment($expected);
        $expected =~ s/\$ServerPort\b/$settings{port}/g;
        is($body, $expected, "$name - body");
        return;
    }

    my $pattern = part($block, 'response_body_like', $index);
    like($body, qr/$pattern/s, "$name - body like") if defined $pattern;

    $pattern = part($block, 'response_body_unlike', $index);
    unlike($body, qr/$pattern/s, "$name - body unlike") if defined $pattern;
}


# Lines of error.log since the last request: strings that must be part of one,
# or patterns that must match one.

sub check_logs {
    my ($block, $log) = @_;

    my @wanted = patterns($block->error_log);
    my @unwanted = patterns($block->no_error_log);

    return unless @wanted || @unwanted;

    my $name = $block->name;
    my $text = $log->next(map { $_->{regex} } @wanted);

    for my $pattern (@wanted) {
        ok($text =~ $pattern->{regex}, "$name - error.log has $pattern->{text}")
            || diag($text);
    }

    for my $pattern (@unwanted) {
        ok($text !~ $pattern->{regex},
           "$name - error.log has no $pattern->{text}") || diag($text);
    }
}


sub patterns {
    my ($value) = @_;

    return unless defined $value;

    my @list = ref $value eq 'ARRAY'  ? @$value
             : ref $value             ? $value
             : grep { length } split /\n/, $value;

    return map { { text => "$_", regex => ref $_ ? $_ : qr/\Q$_\E/ } } @list;
}


# so that END stops nginx and redis
$SIG{$_} = sub { exit 1 } for qw(HUP INT PIPE TERM);

END {
    $running->stop if $running;
    remove_tree($settings{prefix}) if $ENV{TEST_NGINX_RANDOMIZE};
}


package LogWindow;

# Gives error.log piece by piece, each request its own lines.

sub new {
    my ($class, $nginx) = @_;

    return bless { nginx => $nginx, from => 0 }, $class;
}


# The new lines, once all the patterns match in them.  nginx writes some lines
# only after the client has its response: some seconds are given to them.

sub next {
    my ($self, @patterns) = @_;

    my $deadline = Time::HiRes::time() + 5;
    my $text;

    Time::HiRes::sleep(0.01);

    while (1) {
        $text = $self->{nginx}->error_log($self->{from});
        last unless grep { $text !~ $_ } @patterns;
        last if Time::HiRes::time() > $deadline;
        Time::HiRes::sleep(0.01);
    }

    $self->{from} += length $text;

    return $text;
}


1;
