# What logs have to tell of a request, also where nginx has gone on to another
# location since, or the client has gone.

use lib 't/lib';
use Tasks ':live';

use Time::HiRes qw(time);

use FaultyRedis;

my $slow = FaultyRedis->proxy(redis_socket());

my $nginx = start_nginx(<<'END', http_config => <<"HTTP");
    access_log logs/tasks.log tasks;

    location /t { tasks_api apis/omelette.json; tasks_pass main; }

    location /gone {
        tasks_api apis/omelette.json;
        tasks_pass gone;
        tasks_fallback @app unavailable;
    }

    location /sorry {
        tasks_api apis/omelette.json;
        tasks_pass main;
        tasks_intercept_errors on;
        error_page 404 /page;
    }

    location /early {
        tasks_api apis/omelette.json;
        tasks_pass main;
        tasks_scope before$tasks_outcome;
    }

    location = /page { return 200 "sorry"; }
    location = /plain { return 200 "plain"; }
    location @app { add_header X-Outcome $tasks_outcome; return 200 "app"; }
END
    log_format tasks '\$request_uri \$status \$tasks_action \$tasks_error '
                     '\$tasks_api "\$tasks_route" \$tasks_id \$tasks_outcome '
                     '\$tasks_store_time';
    add_header X-Outcome \$tasks_outcome;
    tasks_store main { server ${\ $slow->address}; timeout 3s; }
    tasks_store gone { server unix:/nowhere/redis.sock; }
HTTP

redis('FCALL', 'omelette_put', 1, 'tasks:{omelette}', 7, 'task_type', '"x"',
      'created_at', '"2025-01-01T00:00:00Z"')
    if wait_for(sub { http($nginx->port, 'GET', '/t')->status == 200 }, 5,
                'the store');

my $TIME = '\d+\.\d{3}';
my $etag = http($nginx->port, 'GET', '/t')->header('ETag');

my @cases = (
    ['/t',         200, "list - omelette \"GET\" - ok $TIME"],
    ['/t/7',       200, "get - omelette \"GET /{id}\" 7 ok $TIME"],
    ['/t/07',      200, "get - omelette \"GET /{id}\" 7 ok $TIME"],
    ['/t/9',       404,
     "get not_found omelette \"GET /{id}\" 9 not_found $TIME"],
    ['/t/x',       422,
     'get bad_parameter omelette "GET /{id}" - bad_parameter -'],
    ['/t/9/x',     404, '- no_route omelette "-" - no_route -'],
    ['/gone',      200, 'list unavailable omelette "GET" - fallback -'],
    ['/gone/9/x',  200, '- - omelette "-" - fallback -'],
    ['/sorry/9',   404,
     "get not_found omelette \"GET /{id}\" 9 not_found $TIME"],
    ['/plain',     200, '- - - "-" - - -'],
);

for my $case (@cases) {
    my ($path, $status, $values) = @$case;

    my $seen = log_lines($path);
    my $response = http($nginx->port, 'GET', $path);

    is($response->status, $status, $path);
    like(logged($path, $seen), line($values), "$path in the log: $values");
}

is(http($nginx->port, 'GET', '/gone')->header('X-Outcome'), 'fallback',
   'a fallback knows what it is');
is(http($nginx->port, 'GET', '/t/7')->header('X-Outcome'), 'ok',
   'the outcome in a header');
ok(!http($nginx->port, 'GET', '/plain')->has_header('X-Outcome'),
   'or no such header');

# not modified, by a list's ETag

my $seen = log_lines('/t');
is(http($nginx->port, 'GET', '/t', headers => { 'If-None-Match' => $etag })
   ->status, 304, 'not modified');
like(logged('/t', $seen), line("list - omelette \"GET\" - not_modified $TIME"),
     'is told apart');

# there is no outcome before there is one: the scope is "before"

redis('FCALL', 'omelette_put', 1, 'tasks:{omelette:before}', 8, 'task_type',
      '"x"', 'created_at', '"2025-01-01T00:00:00Z"');
is(http($nginx->port, 'GET', '/early/8')->status, 200, 'no outcome yet');

# Redis is slow, and the client waits, or goes

$slow->plan(delay => 120);
$seen = log_lines('/t/7');
my $start = time;
http($nginx->port, 'GET', '/t/7');
my $waited = time - $start;
my ($time) = logged('/t/7', $seen) =~ / ok ([\d.]+)$/;
cmp_ok($time, '>=', 0.115, "it has waited $time s");
cmp_ok($time, '<=', $waited + 0.001, 'and no longer than its client');

$slow->plan(freeze => 1);
my $asked = $slow->commands;
my $connection = http_connect($nginx->port);
$connection->send(Tasks::HTTP::request_bytes('GET', '/t/5'));
wait_for(sub { $asked < $slow->commands }, 5, 'the command');
$connection->close;
like(logged('/t/5', 0), qr{ 499 get - omelette "GET /\{id\}" 5 aborted $TIME$},
     'a client that goes away');

done_testing();


sub line {
    my ($values) = @_;

    my $pattern = quotemeta($values) =~ s/\Q${\ quotemeta $TIME}\E/$TIME/r;

    return qr/^\S+ \d+ $pattern$/;
}


# The line of a request that was logged after so many others.

sub logged {
    my ($path, $seen) = @_;

    my @lines;
    wait_for(sub { (@lines = log_lines($path)) > $seen }, 5,
             "the log line of $path");

    return $lines[-1];
}


sub log_lines {
    my ($path) = @_;

    open my $file, '<', $nginx->prefix . '/logs/tasks.log' or return;
    my @lines = grep { /^\Q$path\E / } map { s/\n//r } <$file>;

    return @lines;
}
