# conf/proxy.conf, the very file, in front of an application: who answers what,
# with Redis and without.

use lib 't/lib';
use Tasks ':live';

use Cwd qw(abs_path);
use Digest::MD5 qw(md5_hex);
use File::Basename qw(dirname);
use IO::Socket::INET;
use JSON::PP;

use Tasks::HTTP;
use Tasks::JSON;
use Tasks::Nginx;

my $API = '/api/v1/tasks';

my ($app_port, $app_pid) = start_app();

END { kill 'KILL', $app_pid if $app_pid }


# The application: tells what has reached it.  /auth knows one token.

sub start_app {
    my $listener = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1')
        or die "listen: $!\n";
    my $pid = fork // die "fork: $!\n";

    return ($listener->sockport, $pid) if $pid;

    @SIG{qw(TERM INT)} = ('DEFAULT') x 2;

    while (my $client = $listener->accept) {
        serve($client);
        close $client;
    }

    POSIX::_exit(0);
}


sub serve {
    my ($client) = @_;

    my $head = '';

    until ($head =~ /\r\n\r\n/) {
        sysread($client, $head, 65536, length $head) or return;
    }

    my ($method, $uri) = $head =~ /^(\S+) (\S+)/;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    my ($token) = $head =~ /^Authorization: (\S+)/mi;
    my $body = $head =~ s/^.*?\r\n\r\n//sr;

    while (length $body < ($length // 0)) {
        sysread($client, $body, 65536, length $body) or return;
    }

    my $status = $uri eq '/auth' && ($token // '') ne 'alice' ? '401 No' : '200 OK';
    my $answer = encode_json({ app => 1, method => $method, uri => $uri,
                               length => length $body, md5 => md5_hex($body) });

    print $client join "\r\n", "HTTP/1.1 $status", 'X-User: alice',
        'Connection: close', 'Content-Type: application/json',
        'Content-Length: ' . length $answer, '', $answer;
}


# nginx with the file; its addresses are replaced by the test's.

sub start_proxy {
    my ($port, %option) = @_;

    my $text = slurp(abs_path(dirname(__FILE__) . '/../conf/proxy.conf'));

    replace(\$text, 'server 127.0.0.1:8000;', "server 127.0.0.1:$app_port;");
    replace(\$text, 'server 127.0.0.1:6379;', 'server unix:' . redis_socket() . ';');
    replace(\$text, 'listen 80;', "listen 127.0.0.1:$port;");

    # all but the password
    $text =~ s/^(\s*)#(?! |$|user|password)/$1/mg if $option{all};

    return start_nginx('', http_config => $text);
}


sub replace {
    my ($text, $old, $new) = @_;

    $$text =~ s/^(\s*)\Q$old\E/$1$new/m or die "conf/proxy.conf has no $old\n";
}


sub slurp {
    my ($file) = @_;

    open my $in, '<', $file or die "$file: $!\n";
    local $/;

    return <$in>;
}


sub put {
    my ($base, $id, $json) = @_;

    redis('FCALL', 'omelette_put', 1, $base, $id, Tasks::JSON::members($json));
}


my $port = Tasks::Nginx::free_port();

sub from {
    my ($response) = @_;

    my $body = eval { decode_json($response->body) } // return 'nobody';

    return 'the module' if exists $body->{code};
    return $body->{app} ? "the app: $body->{method} $body->{uri}" : 'nobody';
}


# Asks more seldom than limit_req allows.

sub await_answer {
    my ($who) = @_;

    wait_for(sub {
        select undef, undef, undef, 0.1;
        from(http($port, 'GET', $API)) =~ $who
    }, 10, "an answer of $who");
}


sub is_from {
    my ($request, $who, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    my ($method, $uri) = split / /, $request;
    my $response = http($port, $method, $uri);

    is(from($response), $who, $name // "$request: $who");

    return $response;
}


start_proxy($port);

wait_for(sub { eval { redis('FCALL', 'omelette_version', 0) } }, 10,
         'the functions');

put('tasks:{omelette}', $_,
    qq({"project_id": 1, "status": "running", "created_at": "2025-03-12T10:00:00",)
    . qq( "task_type": "search"})) for 1 .. 30;


# Who answers what.

is_from("GET $API", 'the module');
is_from("GET $API/1", 'the module');
is_from("GET $API?limit=x", 'the module', 'errors are the module\'s');
is_from("GET $API/99", 'the module', 'a task that is not there, too');
is_from('GET /', 'the app: GET /');
is_from("GET ${API}_of_another_kind", "the app: GET ${API}_of_another_kind");
is_from("GET $API/1/log?a=%20b", "the app: GET $API/1/log?a=%20b",
        'what there is no route for goes to the app, as it came');
is_from("DELETE $API/1", "the app: DELETE $API/1", 'another method, too');


# With bodies: none, small, in several buffers, on disk, and not all at once.

for my $size (1, 1000, 20_000, 900_000) {
    my $body = join '', map { chr rand 256 } 1 .. $size;

    my $response = http($port, 'POST', $API, body => $body);
    is(from($response), "the app: POST $API", "POST with $size bytes");

    my $seen = decode_json($response->body);
    is("$seen->{length} $seen->{md5}", $size . ' ' . md5_hex($body),
       'they are the same in the app');
}

my $connection = http_connect($port);
my $body = '{"project_id": 1}' x 1000;

$connection->send("POST $API HTTP/1.1\r\nHost: a\r\nContent-Length: "
                  . length($body) . "\r\n\r\n" . substr $body, 0, 5000);
select undef, undef, undef, 0.2;
$connection->send(substr $body, 5000);

is(decode_json($connection->response->body)->{md5}, md5_hex($body),
   'a body in two pieces');

$connection->send("POST $API HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked"
                  . "\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");

is(decode_json($connection->response->body)->{md5}, md5_hex('hello world'),
   'a chunked body, on the same connection');

my $gzipped = http($port, 'GET', $API, headers => {'Accept-Encoding' => 'gzip'});

is($gzipped->header('Content-Encoding'), 'gzip', 'a long list is compressed');


# Without Redis.

is_from("POST $API/1/cancel", 'the module');

redis_server()->stop;

await_answer(qr/^the app/);

is_from("GET $API?limit=3", "the app: GET $API?limit=3",
        'without Redis the app lists');
is_from("GET $API/2", "the app: GET $API/2", 'and has the tasks');
is_from("GET $API?limit=x", 'the module', 'but errors are the module\'s');

my $cancel = is_from("POST $API/2/cancel", 'the module',
                     'and a cancel never goes to the app');
is($cancel->status, 503, 'it is refused');

redis_server()->start;

await_answer(qr/^the module/);
pass('Redis is back, and so is the module');


# Too often.

my %statuses;
$connection = http_connect($port);
$connection->send(Tasks::HTTP::request_bytes('GET', $API) x 120);
$statuses{$connection->response(20)->status}++ for 1 .. 120;

cmp_ok($statuses{200} // 0, '>', 0, 'some of many requests are served');
cmp_ok($statuses{429} // 0, '>', 0, 'and others refused');


# With what is commented out.

$port = Tasks::Nginx::free_port();
start_proxy($port, all => 1);

wait_for(sub { eval { redis('FCALL', 'omelette_version', 0) } }, 10,
         'the functions');

put('tasks:{omelette:alice}', 7, '{"created_at": "2025-03-12T10:00:00"}');
put('tasks:{omelette:bob}', 8, '{"created_at": "2025-03-12T10:00:00"}');

sub status {
    my ($uri, $token) = @_;

    return http($port, 'GET', $uri, headers => {Authorization => $token})
               ->status;
}

is(status("$API/7", 'alice'), 200, 'her own task');
is(status("$API/8", 'alice'), 404, 'the task of another user');
is(status("$API/7", 'eve'), 401, 'the app knows who it is not');
is(status('/auth', 'alice'), 404, 'the question is not for clients');

done_testing();
