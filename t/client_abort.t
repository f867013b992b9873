# Clients that go away while Redis is slow: nobody else notices, what they asked
# for is logged, and a cancel that was sent is done.

use lib 't/lib';
use Tasks ':live';

use FaultyRedis;
use Socket qw(SOL_SOCKET SO_LINGER);
use Tasks::Library;

my $definition = <<'END';
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string", "filter": true}},
 "cancel": {"from": ["a"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "path": "", "response": "$tasks",
     "query": {"status": {"type": "string", "filter": "status"}}},
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "method": "POST", "path": "/{id}/cancel", "response": "$id"}]}
END

redis('FUNCTION', 'LOAD', 'REPLACE', $_)
    for Tasks::Library::texts(Tasks::main_config(), 't.json' => $definition);

redis('FCALL', 't_put', 1, 'tasks:{t}', $_, 'n', $_, 'status', '"a"') for 1 .. 20;

my $slow = FaultyRedis->proxy(redis_socket());

my $nginx = start_nginx(<<'END', files => { 'conf/apis/t.json' => $definition }, http_config => <<"HTTP");
    location /t { tasks_api apis/t.json; tasks_pass main; access_log logs/tasks.log tasks; }
    location /then { tasks_api apis/t.json; tasks_pass main; post_action /t/10; }
    location /page { ssi on; ssi_types *; access_log logs/tasks.log tasks; }
    location = /library { tasks_api apis/t.json; tasks_library; }
END
tasks_store main { server ${\ $slow->address}; timeout 5s; }
log_format tasks '\$status \$request_method \$request_uri \$tasks_action';
HTTP

$nginx->write_file('html/page', '<!--# include virtual="/t/1" -->' x 3);


# The lines of the access log since the last call, when there are so many.

my $seen = 0;

sub logged {
    my ($count) = @_;

    my @lines = wait_for(sub {
        open my $in, '<', $nginx->prefix . '/logs/tasks.log' or return;
        my @all = <$in>;
        @all >= $seen + $count && \@all;
    }, 5, "$count lines in the log")->@*;

    chomp(my @new = @lines[$seen .. $#lines]);
    $seen = @lines;

    return @new;
}


# Sends bytes and goes away, when Redis has got the command: by close, or with
# a reset.

sub abandon {
    my ($bytes, $command, $reset) = @_;

    my $before = grep { "@$_" =~ /$command/ } $slow->commands;
    my $connection = http_connect($nginx->port);

    $connection->send($bytes);
    wait_for(sub { $before < grep { "@$_" =~ /$command/ } $slow->commands }, 5, $command);

    setsockopt $connection->socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $reset;
    $connection->close;
}


sub bytes {
    my ($method, $path, $body) = @_;
    return Tasks::HTTP::request_bytes($method, $path, body => $body // '');
}


is(http($nginx->port, 'GET', '/t/2')->body, '{"id":2,"n":2,"status":"a"}', 'while it is fast');
logged(1);

for my $reset (0, 1) {
    my $how = $reset ? 'reset' : 'closed';

    $slow->plan(freeze => 1);
    abandon(bytes('GET', '/t/3'), 'task:3', $reset);
    my $next = http_connect($nginx->port);
    $next->send(bytes('GET', '/t/4'));
    is_deeply([logged(1)], ['499 GET /t/3 get'], "$how: what was given up is logged");
    $slow->plan;
    is($next->response->body, '{"id":4,"n":4,"status":"a"}', 'the next answer is the right one');
    is_deeply([logged(1)], ['200 GET /t/4 get'], 'and logged');

    $slow->plan(freeze => 1);
    abandon(bytes('GET', '/t'), 'ZRANGE', $reset);
    $next->send(bytes('GET', '/t?status=x'));
    is_deeply([logged(1)], ['499 GET /t list'], "$how: a list is logged");
    $slow->plan;
    like($next->response->body, qr/^\[/, 'the next list');
    is_deeply([logged(1)], ['200 GET /t?status=x list'], 'and logged');
}

# a cancel, with and without a body: done, whoever waits for it

for my $try ([5, ''], [6, 'body'], [7, 'x' x 100000]) {
    my ($id, $body) = @$try;

    $slow->plan(freeze => 1);
    abandon(bytes('POST', "/t/$id/cancel", $body), "cancel 1 \\S+ $id\$", 0);
    http($nginx->port, 'GET', '/');    # by now it has seen that nobody waits
    $slow->plan;
    like((logged(1))[0], qr{^(?:499|200) POST /t/$id/cancel cancel$}, "cancel of $id, " . length($body) . ' bytes');
    is(http($nginx->port, 'GET', "/t/$id")->body, qq({"id":$id,"n":$id,"status":"x"}), 'is done');
    logged(1);
}

# a subrequest

$slow->plan(delay => 150);
abandon(bytes('GET', '/page'), 'task:1 ', 0);
like((logged(1))[0], qr{^(?:499|200) GET /page }, 'a page of tasks');

# one that has sent half of a body

abandon("POST /t/8/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n12345", 'cancel 1 \S+ 8$', 0);
logged(1);
is(http($nginx->port, 'GET', '/t/8')->body, '{"id":8,"n":8,"status":"x"}', 'a half body');
logged(1);

# nginx goes on with "post_action": what was asked before is not answered any
# more, neither what is asked then

for my $case (['/then/3', 'task:3'], ['/then', 'ZRANGE']) {
    abandon(bytes('GET', $case->[0]), $case->[1], 0);
    is(join(" ", logged(1)), "499 GET $case->[0] get", "post_action behind $case->[0]");
}

is(http($nginx->port, 'GET', '/t/4')->body, '{"id":4,"n":4,"status":"a"}', 'and there is service');
logged(1);

# many at once, some of which stay; replies come one by one when the others have
# gone

$slow->plan(freeze => 1, delay => 10);

my @stay;

for my $n (1 .. 40) {
    my $connection = http_connect($nginx->port);
    my $id = $n % 20 + 1;
    $connection->send(bytes('GET', "/t/$id"));
    push @stay, [$id, $connection] if $n % 3 == 0;
    $connection->close if $n % 3;
}

is(grep({ /^499/ } logged(40 - @stay)), 40 - @stay, 'most go away');
$slow->plan(delay => 10);
my @wrong = grep { $_->[1]->response->body !~ /^\{"id":$_->[0],/ } @stay;
is(@wrong, 0, 'those who stay get their own answers');
is(grep({ /^200/ } logged(scalar @stay)), @stay, 'and nobody else');

# Expect: 100-continue: said first, or not at all

$slow->plan;
my $connection = http_connect($nginx->port);
$connection->send("POST /t/9/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
my $response = $connection->response;
$response = $connection->response if $response->status == 100;
is($response->status . $response->body, '2009', 'Expect: 100-continue');
$connection->send('body' . bytes('GET', '/t/9'));
is($connection->response->body, '{"id":9,"n":9,"status":"x"}', 'and the next request');

is($slow->connections, 1, 'one connection to Redis served all of it');

done_testing();
