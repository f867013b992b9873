package Tasks;

# Test support for the module.  Gives every test file a Redis of its own and
# every nginx the module, a store called "main" and the definitions of
# conf/apis, and adds sections to the format of Test::Nginx::Socket; works with
# the real one and with the one in t/lib/fallback.
#
#   use Tasks;              blocks: Test::Nginx::Socket with no_plan
#   use Tasks ':live';      no blocks: Test::More, and nginx by start_nginx()
#
# Sections:
#
#   --- api, --- scope      whose tasks the block is about ("omelette", none)
#   --- put                 "ID {...}" a line: a task, its values as they stand;
#                           "= API [SCOPE]": whose the tasks below it are
#   --- redis               a command a line, words quoted as in redis-cli
#   --- redis_after_start   the same, when nginx is up
#   --- keep_data           Redis is not emptied before the block
#   --- api_file            ">>> NAME.json" and text: definitions for "apis/"
#   --- conf_file           ">>> PATH" and text: other files beside nginx.conf
#   --- response_json       the response's meaning (see Tasks::JSON)

use strict;
use warnings;

use Cwd qw(abs_path);
use File::Basename qw(basename dirname);
use File::Temp qw(tempdir);
use Test::More ();
use Time::HiRes qw(sleep);

use Tasks::HTTP;
use Tasks::JSON;
use Tasks::Library;
use Tasks::Nginx;
use Tasks::RedisServer;
use Tasks::Stopwatch;

my @EXPORT = qw(redis redis_socket redis_server start_nginx http http_connect
                wait_for is_json stopwatch);

my $ROOT = abs_path(dirname(__FILE__) . '/../..');
my $MODULE = abs_path($ENV{TASKS_MODULE}
                      // "$ROOT/build/ngx_http_tasks_module.so");
my $SANITIZER = $ENV{TASKS_SANITIZER_DIR};

$ENV{TASKS_SANITIZER_LOG} = "$SANITIZER/$$" if $SANITIZER;

my ($redis, @nginxes, @after_start);


sub import {
    my ($class, @arguments) = @_;

    my $caller = caller;

    no strict 'refs';
    *{"${caller}::$_"} = \&$_ for @EXPORT;
    use strict 'refs';

    # so that END stops nginx and redis
    $SIG{$_} = sub { exit 1 } for qw(HUP INT PIPE TERM);

    if (@arguments && $arguments[0] eq ':live') {
        strict->import;
        warnings->import;
        @_ = ('Test::More', @arguments[1 .. $#arguments]);
        goto &{ Test::More->can('import') };
    }

    require Test::Nginx::Socket;
    set_up_blocks();

    @_ = ('Test::Nginx::Socket', @arguments ? @arguments : 'no_plan');
    goto &{ Test::Nginx::Socket->can('import') };
}


# Redis

sub redis_server { return $redis //= Tasks::RedisServer->new }
sub redis_socket { return redis_server()->socket }
sub redis        { return redis_server()->command(@_) }


# nginx with the module, for tests of faults and of the process's life.  The
# text is what goes into server {}; the options are those of Tasks::Nginx and
# "allow", a pattern of complaints that are no failure.  Has a master process
# unless told otherwise.  It is stopped when the test file ends, and its
# complaints are failures then.

sub start_nginx {
    my ($config, %option) = @_;

    my $allowed = delete $option{allow};

    my $nginx = Tasks::Nginx->new(
        prefix => tempdir(CLEANUP => 1),
        master => 1,
        %option,
        config      => $config,
        main_config => main_config($option{main_config}),
        http_config => http_config($option{http_config}),
        files       => { api_files(), %{ $option{files} // {} } },
    );

    push @nginxes, [$nginx, $allowed];

    $nginx->start or die "nginx did not start:\n", $nginx->error_log;

    return $nginx;
}


sub main_config {
    my ($own) = @_;

    return join "\n", "load_module $MODULE;",
        $SANITIZER ? map { "env $_;" } qw(LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS)
                   : (),
        $own // '';
}


# Small pools make the sanitizer see what goes beyond an allocation.

sub http_config {
    my ($own) = @_;

    $own //= '';

    # who tests no timeout has time
    my $store = $own =~ /\btasks_store\s+main\b/ ? ''
        : 'tasks_store main { server unix:' . redis_socket() . '; timeout 10s; }';

    my @pools = grep { $SANITIZER && $own !~ /\b$_\b/ }
                qw(request_pool_size connection_pool_size);

    return join "\n", $own, $store, map { "$_ 256;" } @pools;
}


# The project's definitions: path below the prefix => text.

sub api_files {
    return map { ("conf/apis/" . basename($_) => slurp($_)) }
               grep { basename($_) ne "schema.json" }
               glob "$ROOT/conf/apis/*.json";
}


sub slurp {
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;

    return <$in>;
}


# HTTP

sub http_connect { return Tasks::HTTP->connect(@_) }


# Sends a request and returns the response, or undef if the connection is closed
# without one.  To a port, or on a connection of http_connect(), which stays
# open.
#
#   http($port, 'GET', '/tasks', headers => {...}, body => ..., timeout => 5)
#   http($port, "GET /tasks HTTP/1.0\r\n\r\n", timeout => 5)

sub http {
    my ($to, $method, @rest) = @_;

    my $raw = $method =~ /\n/;
    my ($path, %option) = $raw ? (undef, @rest) : @rest;
    my $connection = ref $to ? $to : http_connect($to);

    $connection->send($raw ? $method
        : Tasks::HTTP::request_bytes($method, $path, %option));

    return $connection->response($option{timeout}, $method =~ /^HEAD\b/);
}


# Calls the function until it returns true, and returns that; dies if it does
# not in so many seconds, as a stopwatch has them.

sub wait_for {
    my ($condition, $seconds, $what) = @_;

    my $over = deadline($seconds // 5);

    while (1) {
        my $value = $condition->();
        return $value if $value;
        die 'timed out waiting for ' . ($what // 'a condition') . "\n"
            if $over->();
        sleep 0.005;
    }
}


sub is_json {
    my ($got, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my @differences = Tasks::JSON::differences($got, $expected);

    Test::More::ok(!@differences, $name)
        or Test::More::diag(join "\n", @differences, "the body: $got");
}


# Blocks

sub set_up_blocks {
    Test::Nginx::Socket::add_block_preprocessor(\&prepare);
    Test::Nginx::Socket::add_response_body_check(\&check_json);
    Test::Nginx::Socket::log_level('info');

    # the real one does not look at nginx's health
    if ($INC{'Test/Nginx/Util.pm'}) {
        Test::Nginx::Socket::add_block_preprocessor(\&forbid_alerts);
        Test::Nginx::Socket::add_test_cleanup_handler(\&check_sanitizer);
    }
}


sub prepare {
    my ($block) = @_;

    my $main = main_config(scalar $block->main_config);

    $block->set_value(main_config => $main);
    $block->set_value(http_config => http_config(scalar $block->http_config));

    my %files = (api_files(),
                 map_keys('conf/apis', named_texts(scalar $block->api_file)));

    add_user_files($block, %files,
                   map_keys('conf', named_texts(scalar $block->conf_file)));

    if (!defined $block->keep_data) {
        redis('FLUSHALL');
        redis('FUNCTION', 'FLUSH', 'SYNC');
    }

    load_libraries($main, %files)
        if defined $block->put || defined $block->redis;

    run_commands(scalar $block->redis);
    put_tasks($block);
    delay_commands($block);
}


# ">>> NAME" and text, again and again: name => text, which has one line end
# at its end.

sub named_texts {
    my ($text) = @_;

    return () unless defined $text;

    my (undef, %texts) = split /^>>> (\S+).*\n/m, "$text\n";

    s/\n*\z/\n/ for values %texts;

    return %texts;
}


sub map_keys {
    my ($directory, %texts) = @_;

    return map { ("$directory/$_" => $texts{$_}) } keys %texts;
}


# The configuration directory is made anew for each block: the definitions come
# as files of the block, whose paths begin in html.

sub add_user_files {
    my ($block, %files) = @_;

    my $own = $block->user_files // [];
    my @names = sort keys %files;

    $block->set_value(user_files => ref $own
        ? [@$own, map { ["../$_", $files{$_}] } @names]
        : join '', $own, map { "\n>>> ../$_\n$files{$_}" } @names);
}


sub load_libraries {
    my ($main_config, %files) = @_;

    my %definitions = map { (basename($_) => $files{$_}) } keys %files;

    redis('FUNCTION', 'LOAD', 'REPLACE', $_)
        for Tasks::Library::texts($main_config, %definitions);
}


sub put_tasks {
    my ($block) = @_;

    my $api = $block->api // 'omelette';
    my $base = base_key($api, scalar $block->scope);

    for (lines(scalar $block->put)) {

        if (/^=\s*(\w+)(?:\s+(\S+))?\s*$/) {
            ($api, $base) = ($1, base_key($1, $2));
            next;
        }

        my ($id, $json) = /^(\S+)\s+(.*)$/;
        redis('FCALL', "${api}_put", 1, $base, $id,
              Tasks::JSON::members($json));
    }
}


sub base_key {
    my ($api, $scope) = @_;

    return "tasks:{$api}" unless defined $scope;

    $scope =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;

    return "tasks:{$api:$scope}";
}


sub lines {
    my ($text) = @_;

    return grep { /\S/ && !/^\s*#/ } split /\n/, $text // '';
}


sub run_commands {
    my ($text) = @_;

    redis(words($_)) for lines($text);
}


# The words of a command line: 'as it stands', "with \n, \xHH and \" escapes",
# or plain.

sub words {
    my ($line) = @_;

    my @words;

    while ($line =~ /\G\s*((?:'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"])+)/gc) {
        push @words, join '', map { unquote($_) }
                              $1 =~ /'[^']*'|"(?:[^"\\]|\\.)*"|[^'"]+/g;
    }

    die "a quote is not closed: $line\n" unless $line =~ /\G\s*\z/gc;

    return @words;
}


sub unquote {
    my ($piece) = @_;

    my %escapes = (n => "\n", r => "\r", t => "\t");

    return $piece unless $piece =~ s/^(['"])(.*)\1$/$2/s;

    $piece =~ s/\\(?:x([0-9a-fA-F]{2})|(.))/
                defined $1 ? chr hex $1 : $escapes{$2} \/\/ $2/gesx
        if $1 eq '"';

    return $piece;
}


# --- init is what runs between the start of nginx and the first request.

sub delay_commands {
    my ($block) = @_;

    my $commands = $block->redis_after_start // return;

    push @after_start, $commands;

    $block->set_value(init => join ";\n", "Tasks::after_start($#after_start)",
                              $block->init // ());
}


sub after_start {
    my ($index) = @_;

    run_commands($after_start[$index]);
}


sub check_json {
    my ($block, $body, $index) = @_;

    my $expected = $block->response_json // return;

    $expected = $expected->[$index] if ref $expected;

    is_json($body, $expected, $block->name . ' - response_json')
        if defined $expected;
}


sub forbid_alerts {
    my ($block) = @_;

    return if defined $block->must_die || defined $block->no_error_log;

    my $wanted = $block->error_log // '';
    $wanted = "@$wanted" if ref $wanted eq 'ARRAY';

    $block->set_value(no_error_log => [
        grep { index($wanted, $_) < 0 } qw([alert] [crit] [emerg]) ]);
}


sub check_sanitizer {
    my ($block) = @_;

    fail_for($block->name, Tasks::Nginx::sanitizer_reports());
}


sub fail_for {
    my ($name, @complaints) = @_;

    for my $text (@complaints) {
        Test::More::fail("$name - nginx is well");
        Test::More::diag($text);
    }
}


END {
    for (@nginxes) {
        my ($nginx, $allowed) = @$_;
        $nginx->stop;
        fail_for($0, $nginx->complaints($allowed));
    }
}


1;
