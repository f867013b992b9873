# The test harness itself, on plain nginx: what must pass passes, and what must
# fail does fail.  The suites rely on the second half.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use File::Temp qw(tempdir);
use Time::HiRes qw(sleep time);

use FaultyRedis;
use RESP;
use Tasks::HTTP;
use Tasks::JSON;
use Tasks::Nginx;

my $directory = tempdir(CLEANUP => 1);

local $ENV{TEST_NGINX_SERVROOT} = "$directory/servroot";
local $ENV{TASKS_SANITIZER_LOG} = "$directory/report";

# Without the module, whose directives are not the subject here.
my @includes = map { abs_path($_) } grep { -d } @INC[0 .. 3], 't/lib';


my $own = grep { m{t/lib/fallback} } @includes;


# Runs blocks in a process of their own and returns its TAP lines: those that
# passed and those that failed.

sub run_blocks {
    my ($spec, $setup) = @_;

    my $file = "$directory/blocks.t";
    open my $out, '>', $file or die "$file: $!\n";
    print $out "use Test::Nginx::Socket 'no_plan';\n", $setup // '',
               "\nrun_tests();\n__DATA__\n\n$spec";
    close $out;

    my $libraries = join ' ', map { "-I$_" } @includes;
    my @lines = `$^X $libraries $file 2>/dev/null`;

    return ([grep { /^ok/ } @lines], [grep { /^not ok|^Bail out/ } @lines]);
}


sub block {
    my ($name, %sections) = @_;

    return join "\n", "=== $name", (map {
        my $apart = /\s/ || $sections{$_} =~ /\n/ ? "\n" : ': ';
        "--- $_$apart$sections{$_}"
    } sort keys %sections), '', '';
}


my @GOOD = (
    block('one request',
        config           => q(location /a { return 200 '{"a":1}'; }),
        request          => 'GET /a',
        'response_body chomp' => '{"a":1}',
        response_headers => "Content-Length: 7\nConnection: close\n! X-A"),

    block('requests and their expectations',
        config           => 'location /a { return 200 a; }',
        'request eval'   => '["GET /a", "HEAD /a", "GET /b"]',
        'error_code eval' => '[200, 200, 404]',
        'response_body_like eval' => '["^a\$", "^\$", "404"]'),

    block('pipelined requests',
        config           => 'location ~ . { return 200 $request_uri; }',
        'pipelined_requests eval' => '["GET /a", "GET /b", "GET /c"]',
        'response_body eval' => '["/a", "/b", "/c"]'),

    block('a request body, and headers',
        config           => 'location /a { return 200 '
                            . '"$content_length $http_x_a"; }',
        request          => "POST /a\nhello",
        more_headers     => "X-A: 1",
        'response_body chomp' => '5 1'),

    block('a request in pieces',
        config           => 'location /a { return 200 "$request"; }',
        'request eval'   => '[["GE", {value => "T /", delay_before => 0.01},'
                            . ' "a"]]',
        'response_body chomp' => 'GET /a HTTP/1.1'),

    block('a chunked response',
        config           => "location /a { sub_filter x yy; root html; }\n"
                            . 'sub_filter_types *;',
        user_files       => ">>> a\n1x2x\n",
        request          => 'GET /a',
        response_headers => 'Transfer-Encoding: chunked',
        'response_body_like chomp' => '^1yy2x'),

    block('a configuration that is refused',
        config           => 'nonsense;',
        must_die         => '1',
        error_log        => "[emerg]\nunknown directive \"nonsense\""),

    block('log lines',
        config           => '',
        request          => 'GET /absent',
        error_code       => '404',
        error_log        => 'open() "',
        no_error_log     => "[crit]\nfoo"),

    block('a log line that is asked for',
        config           => 'location /a { proxy_pass http://unix:/absent; }',
        request          => 'GET /a',
        error_code       => '502',
        error_log        => '[crit]'),

    block('a silence that is expected',
        config           => 'limit_rate 1;',
        request          => 'GET /',
        timeout          => '50ms',
        abort            => '',
        ignore_response  => ''),

    block('code between start and request',
        config           => '',
        init             => 'open my $f, ">", server_root() . "/html/i";'
                            . 'print $f "yes"',
        request          => 'GET /i',
        'response_body chomp' => 'yes'),
);

my ($passed, $failed) = run_blocks(join '', @GOOD);

is(@$failed, 0, 'blocks that must pass do') or diag(@$failed);
is(@$passed, $own ? 36 : 35, 'and each of their checks is made');

($passed, $failed) = run_blocks($GOOD[0], 'repeat_each(3);');

is("@{[scalar @$passed]} @{[scalar @$failed]}", '15 0', 'repeat_each');

($passed, $failed) = run_blocks($GOOD[1], 'master_on(); workers(2);');

is("@{[scalar @$passed]} @{[scalar @$failed]}", '6 0', 'a master and workers');


my $ok = 'location /a { return 200 a; }';

my %BAD = (
    'a wrong status' => [qr/ status/, config => $ok, request => 'GET /b'],

    'a wrong body' => [qr/ body/, config => $ok, request => 'GET /a',
        response_body => 'b'],

    'a wrong header' => [qr/ header Server/, config => $ok,
        request => 'GET /a', response_headers => 'Server: a'],

    'a header too many' => [qr/ no header Server/, config => $ok,
        request => 'GET /a', response_headers => '! Server'],

    'no answer in time' => [qr/ an answer within/, config => 'limit_rate 1;',
        request => 'GET /', timeout => '50ms'],

    'an absent log line' => [qr/ error.log has foo/, config => $ok,
        request => 'GET /a', error_log => 'foo'],

    'an unwanted log line' => [qr/ error.log has no open/, config => $ok,
        request => 'GET /b', error_code => '404', no_error_log => 'open'],

    'a configuration that is accepted' => [qr/ nginx dies/, config => $ok,
        must_die => ''],

    'a configuration that is refused' => [qr/ nginx starts/, config => 'foo;',
        request => 'GET /a'],

    'a bad log line' => [qr/ nginx is well/, error_code => '502',
        config => 'location /a { proxy_pass http://unix:/absent; }',
        request => 'GET /a'],

    'nginx is killed' => [qr/ nginx is well/, config => $ok,
        request => 'GET /a', init => <<'END'],
open my $f, '<', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/nginx.pid";
kill 'KILL', <$f>;
END

    'a sanitizer report' => [qr/ nginx is well/, config => $ok,
        request => 'GET /a', init => <<'END'],
open my $f, '>', "$ENV{TASKS_SANITIZER_LOG}.1";
print $f "runtime error";
END

    'bytes after a response' => [qr/ nothing comes after/, config => $ok,
        'raw_request eval' => '"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"'
            . '. "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"'],
);

SKIP: {
    skip 'the real Test::Nginx::Socket', 2 * keys %BAD
        unless $own;

    for my $name (sort keys %BAD) {
        my ($pattern, %sections) = @{ $BAD{$name} };

        (undef, $failed) = run_blocks(block($name, %sections) . $GOOD[0]);

        like("@$failed", $pattern, "fails: $name");
        unlike("@$failed", qr/one request/, 'but not the block after it');
    }
}


# nginx by itself

{
    my $nginx = Tasks::Nginx->new(prefix => "$directory/nginx", master => 1,
                                  workers => 2, config => $ok);
    ok($nginx->start, 'nginx starts');
    is(() = $nginx->worker_pids, 2, 'its workers');

    my $connection = http_connect($nginx->port);
    is(http($connection, 'GET', '/a')->body, 'a', 'a kept connection')
        for 1 .. 2;
    is(http($nginx->port, "GET /a HTTP/1.0\r\n\r\n")->header('Connection'),
       'close', 'a raw request');
    $connection->close;

    my @old = $nginx->worker_pids;

    ok(!$nginx->reload(config => 'foo;'), 'a reload that is refused');
    is_deeply([$nginx->worker_pids], \@old, 'leaves the workers');
    ok($nginx->reload(config => 'location /a { return 200 new; }'), 'a reload');
    is(http($nginx->port, 'GET', '/a')->body, 'new', 'takes effect');

    $nginx->quit;
    ok($nginx->wait_exit, 'it quits');
    is($nginx->exit_status, 0, 'with status 0');
    like(join('', $nginx->complaints), qr/^[^\n]*\[emerg\][^\n]*\n\z/,
         'only the refused reload is complained about');
    is(() = $nginx->complaints(qr/emerg/), 0, 'unless it is allowed');

    $nginx = Tasks::Nginx->new(prefix => "$directory/nginx", master => 1);
    $nginx->start;
    my ($worker) = $nginx->worker_pids;
    kill 'KILL', $worker;
    wait_for(sub { (($nginx->worker_pids)[0] // $worker) != $worker }, 5,
             'a new worker');
    $nginx->stop;
    like(join('', $nginx->complaints), qr/worker process $worker is gone/,
         'a worker that was replaced');
}


# HTTP responses

sub parse {
    my $connection = Tasks::HTTP->from_bytes(shift);
    my $response = $connection->response;
    return [$response->body, $response->complete ? 1 : 0, $connection->rest];
}

my $chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
my $sized = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";

is_deeply(parse("${chunked}3\r\nabc\r\n1\r\nd\r\n0\r\n\r\nX"), ['abcd', 1, 'X'],
          'chunks');
is_deeply(parse("${chunked}3\r\nabc\r\n"), ['abc', 0, ''], 'no last chunk');
is_deeply(parse("${chunked}3\r\nab"), ['ab', 0, ''], 'a truncated chunk');
is_deeply(parse("${chunked}zz\r\n")->[1], 0, 'no chunk');
is_deeply(parse("${sized}abcd"), ['abc', 1, 'd'], 'a length');
is_deeply(parse("${sized}ab"), ['ab', 0, ''], 'a truncated body');
is_deeply(parse("HTTP/1.1 200 OK\r\nA: "), ['', 0, ''], 'a truncated head');
is(Tasks::HTTP->from_bytes('')->response, undef, 'nothing');


# JSON

is_deeply([Tasks::JSON::members('{"a" : 1.10, "b":[{"x":"}\\""}],"c":null}')],
          [a => '1.10', b => '[{"x":"}\\""}]', c => 'null'],
          'members keep their text');
ok(!eval { Tasks::JSON::members('{"a":1} x'); 1 }, 'not an object');

sub differences { return join '; ', Tasks::JSON::differences(@_) }

is(differences('{"a":1,"b":[null,true,"x"]}', '{"b":[null,true,"x"],"a":1}'),
   '', 'the order of members does not matter');
is(differences('{"a":"1"}', '{"a":1}'), '$.a: got "1", expected 1',
   'types do');
is(differences('[true]', '[1]'), '$[0]: got true, expected 1', 'booleans too');
is(differences('[0]', '[null]'), '$[0]: got 0, expected null', 'null too');
is(differences('{"a":1}', '{"b":1}'), '$.a: unexpected 1; $.b: missing',
   'missing and unexpected members');
is(differences('[1]', '[1,2]'), '$: got 1 elements, expected 2', 'lengths');
isnt(differences('[9007199254740993]', '[9007199254740992]'), '',
     'large numbers are exact');
like(differences('{', '{}'), qr/^not JSON/, 'broken text');
is(differences('["f0a0b0c0-1111-2222-3333-444455556666", 1, "s"]',
               '["<uuid>", "<any>", "<string>"]'), '', 'wildcards');
is(differences('[' . time . ',' . int(time * 1e9) . ',"'
               . POSIX::strftime('%FT%TZ', gmtime) . '"]',
               '["<now>", "<now>", "<now>"]'), '', 'times');
isnt(differences('["2020-01-01T00:00:00Z"]', '["<now>"]'), '', 'another time');


# Redis, true and false

is(redis('SET', 'k', "a\r\nb"), 'OK', 'a private Redis');
is(redis('GET', 'k'), "a\r\nb", 'keeps bytes');
is(redis('GET', 'absent'), undef, 'null');
is_deeply(redis('MGET', 'k', 'absent'), ["a\r\nb", undef], 'an array');
ok(!eval { redis('NONSENSE'); 1 }, 'an error dies');
is_deeply([Tasks::words(q(SET 'a "b' "x\x41\n" c\d))],
          ['SET', 'a "b', "xA\n", 'c\d'], 'words of a command line');

redis('SET', 'k', 'hello');

my $proxy = FaultyRedis->proxy(redis_socket());

sub client { return RESP->new($proxy->address =~ s/^unix://r) }

sub get {
    my ($client) = @_;

    local $SIG{ALRM} = sub { die "silence\n" };
    Time::HiRes::alarm(2);
    my $reply = eval { $client->command('GET', 'k') } // $@;
    Time::HiRes::alarm(0);

    return $reply =~ s/\n\z//r;
}

my $client = client();

is(get($client), 'hello', 'a proxy passes replies on');
$proxy->plan(byte_by_byte => 1);
is(get($client), 'hello', 'byte by byte');
$proxy->plan(split => [2, 5, 13], delay => 30);
my $start = time;
is(get($client), 'hello', 'in pieces');
cmp_ok(time - $start, '>', 0.03, 'later');
$proxy->plan(replace => { 2 => "-ERR no\r\n" });
is(get($client) . get($client) . get($client), 'helloERR nohello', 'replaced');
$proxy->plan(insert => { 1 => "+more\r\n" });
is(get($client), 'more', 'a reply too many');
is(get($client), 'hello', 'shifts the later ones');
$proxy->drop;
$client = client();
$proxy->plan(stall => 15);
is(get($client), 'hello', 'replies up to a number of bytes');
is(get($client), 'silence', 'and no further');
$client = client();
$proxy->plan(cut => 11);
is(get($client), 'hello', 'or the connection is cut');
like(get($client), qr/closed|Broken pipe/, 'after them');
$proxy->plan(refuse => 1);
like(get(client()), qr/closed|Broken pipe/, 'connections are refused');
is_deeply(($proxy->commands)[0], ['GET', 'k'], 'it knows the commands');
is($proxy->connections, 4, 'and counts the connections');
$proxy->stop;

my $fake = FaultyRedis->canned(sub {
    my ($command, $plan) = @_;
    return $plan->{reset} ? { reset => 1 } : "+@$command\r\n";
}, listen => 0);

$client = RESP->new($fake->address);
is($client->command('A', 'b'), 'A b', 'canned answers');
$fake->inject("+unasked\r\n");
is($client->command('C'), 'unasked', 'bytes that nobody asked for');
is($client->command('D'), 'C', 'come first');
$fake->plan(reset => 1);
ok(!eval { $client->command('E') for 1 .. 3; 1 }, 'a reset');
$client = RESP->new($fake->address);
$fake->drop;
ok(!eval { $client->command('F'); 1 }, 'a connection that is dropped');
$client = RESP->new($fake->address);
$fake->plan(freeze => 1);
syswrite $client->{socket}, RESP::encode_command('G');
wait_for(sub { grep { $_->[0] eq 'G' } $fake->commands });
ok(!IO::Select->new($client->{socket})->can_read(0.1), 'it is frozen');
$fake->plan;
is($client->command('H'), 'G', 'and goes on where it was');


# Time and ports

my $took = stopwatch();
$start = time;
sleep 0.2;
my $counted = $took->();
cmp_ok($counted, '>=', 0.02, 'a stopwatch counts a part of what passes');
cmp_ok($counted, '<=', time - $start, 'and no more than passes');

my %ports = map { Tasks::Nginx::free_port() => 1 } 1 .. 20;
is(keys %ports, 20, 'no port is free twice');
open my $others, '-|', $^X, '-MIO::Socket::UNIX', '-e',
     'IO::Socket::UNIX->new(Local => "\0tasks-port-$_", Listen => 1)'
     . ' and print "$_ " for @ARGV', keys %ports or die "perl: $!\n";
is(join('', <$others>), '', 'nor for another process');


my $tries = 0;

is(wait_for(sub { ++$tries > 3 && 'done' }, 1, 'tries'), 'done', 'wait_for');
ok(!eval { wait_for(sub { 0 }, 0.02, 'nothing'); 1 }, 'gives up');

done_testing();
