# tasks_status: what all workers have counted, to the last request, as JSON and
# as Prometheus reads it.

use lib 't/lib';
use Tasks ':live';

use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(sleep time);

use FaultyRedis;
use Tasks::Jobs;
use Tasks::RedisServer;
use Tasks::Status;



# Asks, and returns when Redis has got a command.

sub ask {
    my ($nginx, $proxy, $path, $command) = @_;

    my $before = grep { "@$_" =~ /$command/ } $proxy->commands;
    my $connection = http_connect($nginx->port);

    $connection->send(Tasks::HTTP::request_bytes('GET', $path));
    wait_for(sub { $before < grep { "@$_" =~ /$command/ } $proxy->commands },
             5, $command);

    return $connection;
}


sub abandon { ask(@_)->close }


load_jobs();
put_job($_, n => 1, status => 'running') for 'a' .. 'e';
put_job('done', status => 'completed');


# Every outcome, by several workers

{
    my $proxy = FaultyRedis->proxy(redis_socket());
    my $nginx = start_jobs(
        workers => 3,
        store => 'server ' . $proxy->address . '; timeout 60s;',
        http_config => <<'END',
            tasks_store gone { server unix:/nowhere/redis.sock; }
            map $http_x_team $team { 1 1; }
END
        files => {
            'html/page' => '<!--# include virtual="/jobs/a" -->' x 3,
            'conf/apis/teams.json' => <<'END' },
{"name": "teams", "id": "string", "order": "id", "fields": {},
 "routes": [{"action": "get", "path": "/{id}/\"\\\u00e9", "response": "$id"},
            {"action": "list", "path": "", "response": "$tasks"}],
 "errors": {"no_team": {"like": "forbidden", "status": 400}}}
END
        locations => $STATUS . <<'END');
    location = /page { ssi on; ssi_types *; }
    location /app {
        tasks_api apis/jobs.json prefix=/app; tasks_pass main;
        tasks_fallback @app;
    }
    location /gone { tasks_api apis/jobs.json; tasks_pass gone; }
    location /left {
        tasks_api apis/jobs.json; tasks_pass gone;
        tasks_fallback @app unavailable;
    }
    location /scoped {
        tasks_api apis/jobs.json; tasks_pass main; tasks_scope $arg_scope;
    }
    location /sorry {
        tasks_api apis/jobs.json; tasks_pass main;
        tasks_intercept_errors on; error_page 404 /plain;
    }
    location = /plain { return 200 "plain"; }
    location /teams {
        tasks_api apis/teams.json; tasks_pass main;
        tasks_require $team error=no_team;
    }
    location @app { return 200 "app"; }
END

    comes_to($nginx, of_store('main', qw(ready connecting down)), [3, 0, 0],
             'three workers are connected');
    comes_to($nginx, routes('jobs'), {}, 'nothing was asked yet');

    my %expected = ('GET /pages' => { ok => 1 }, 'GET /{id}' => { ok => 1 },
                    'POST /{id}/cancel' => { ok => 1 });

    http($nginx->port, 'POST', '/jobs/e/cancel');
    my $etag = http($nginx->port, 'GET', '/jobs/pages')->header('ETag');
    my $task = http($nginx->port, 'GET', '/jobs/a')->header('ETag');

    my $N = 7;
    my @kinds = (
        # method, path, headers, status, route, outcome
        ['GET',    '/jobs', {}, 200, 'GET', 'ok'],
        ['HEAD',   '/jobs', {}, 200, 'GET', 'ok'],
        ['GET',    '/jobs?limit=x', {}, 400, 'GET', 'bad_parameter'],
        ['GET',    '/jobs?cursor=!', {}, 400, 'GET', 'bad_cursor'],
        ['GET',    '/jobs/pages', { 'If-None-Match' => $etag }, 304,
         'GET /pages', 'not_modified'],
        ['GET',    '/jobs/pages', { 'If-None-Match' => "\"x\", $etag" }, 304,
         'GET /pages', 'not_modified'],
        ['GET',    '/jobs/b', {}, 200, 'GET /{id}', 'ok'],
        ['GET',    '/jobs/a', { 'If-None-Match' => $task }, 304, 'GET /{id}',
         'not_modified'],
        ['GET',    '/jobs/no', {}, 404, 'GET /{id}', 'not_found'],
        ['GET',    '/sorry/no', {}, 404, 'GET /{id}', 'not_found'],
        ['POST',   '/jobs/done/cancel', {}, 409, 'POST /{id}/cancel',
         'cannot_cancel'],
        ['POST',   '/jobs/e/cancel', {}, 200, 'POST /{id}/cancel', 'ok'],
        ['GET',    '/jobs/a/b/c', {}, 404, '-', 'no_route'],
        ['DELETE', '/jobs', {}, 405, '-', 'bad_method'],
        ['GET',    '/app/a/b/c', {}, 200, '-', 'fallback'],
        ['DELETE', '/app', {}, 200, '-', 'fallback'],
        ['GET',    '/gone/a', {}, 503, 'GET /{id}', 'unavailable'],
        ['GET',    '/left/a', {}, 200, 'GET /{id}', 'fallback'],
        ['POST',   '/left/a/cancel', {}, 503, 'POST /{id}/cancel',
         'unavailable'],
        ['GET',    '/scoped', {}, 401, 'GET', 'unauthorized'],
    );

    wait_for(sub { told($nginx)->{stores}{gone}{down} == 3 }, 5, 'no store');

    my @wrong;

    for my $kind ((@kinds) x $N) {
        my ($method, $path, $headers, $status, $route, $outcome) = @$kind;

        my $response = http($nginx->port, $method, $path, headers => $headers);
        push @wrong, "$method $path: " . $response->status
            if $response->status ne $status;
        $expected{$route}{$outcome}++;
    }

    is_deeply(\@wrong, [], 'every kind of request gets what it should');
    comes_to($nginx, routes('jobs'), \%expected,
             "$N requests of each of " . @kinds . ' kinds are counted');

    # subrequests: three of them, and the page of a former error

    my $page = http($nginx->port, 'GET', '/page');
    is(() = $page->body =~ /"id":"a"/g, 3, 'a page with three tasks');
    $expected{'GET /{id}'}{ok} += 3;
    comes_to($nginx, routes('jobs'), \%expected, 'is three requests');

    # a definition's own class, and names that must be escaped

    http($nginx->port, 'GET', '/teams/1/%22%5C%C3%A9', headers => { @$_ })
        for [], [], ['X-Team' => 1];
    comes_to($nginx, routes('teams'),
             { "GET /{id}/\"\\\x{e9}" => { no_team => 2, not_found => 1 } },
             'classes of its own');

    # clients that go away

    $proxy->plan(delay => 100_000);
    abandon($nginx, $proxy, '/jobs/c', 'task:c') for 1 .. 3;
    abandon($nginx, $proxy, '/jobs/pages?limit=3', 'HMGET \S+:revs') for 1 .. 2;
    $expected{'GET /{id}'}{aborted} = 3;
    $expected{'GET /pages'}{aborted} = 2;
    comes_to($nginx, routes('jobs'), \%expected, 'clients that go away');
    $proxy->plan;

    my $parsed = same_in_both($nginx, 'all outcomes');

    is_deeply($parsed->{types}, {
        tasks_workers => 'gauge',
        tasks_requests => 'counter',
        tasks_request_duration_seconds => 'histogram',
        tasks_lists => 'counter',
        tasks_store_connections => 'gauge',
        tasks_store_pending_operations => 'gauge',
        tasks_store_reconnects => 'counter',
        tasks_store_connect_failures => 'counter',
        tasks_store_timeouts => 'counter',
        tasks_cache_entries => 'gauge',
        tasks_cache_bytes => 'gauge',
    }, 'types are what they should be');

    is($parsed->{values}{'tasks_requests_total{api=jobs,outcome=internal,'
                         . 'route=GET /after}'}, 0,
       'what has not been is there, as 0');
    is_deeply(told($nginx, '/status/json')->{apis}, told($nginx)->{apis},
              'JSON is the default');
}


# The request for it

{
    my $nginx = start_jobs(locations => $STATUS, workers => 2);

    await_service($nginx);

    for (['/status', 'application/json'],
         ['/metrics', 'text/plain; version=0.0.4'])
    {
        my ($path, $type) = @$_;

        my $get = http($nginx->port, 'GET', $path);
        my $head = http($nginx->port, 'HEAD', $path);

        is($get->status, 200, "$path");
        is($get->header('Content-Type'), $type, "$path: its type");
        is($get->header('Cache-Control'), 'no-store', "$path: no cache");
        is($get->header('Content-Length'), length $get->body, "$path: length");
        is($head->status, 200, "$path: HEAD");
        is($head->header('Content-Type'), $type, "$path: HEAD, its type");
        is($head->header('Content-Length'), length $get->body,
           "$path: HEAD, length");
        is(http($nginx->port, 'GET', $path,
                headers => { 'If-None-Match' => '*' })->status, 200,
           "$path: is told in any case");

        for my $method (qw(POST PUT DELETE OPTIONS)) {
            is(http($nginx->port, $method, $path)->status, 405,
               "$path: $method");
        }
    }

    is_deeply(told($nginx)->{apis}{jobs}{requests}{'-'}, {},
              'is not counted itself');
}


# Time, and what waits

{
    my $proxy = FaultyRedis->proxy(redis_socket());
    my $nginx = start_jobs(
        locations => $STATUS, workers => 1, worker_connections => 128,
        store => 'server ' . $proxy->address
                 . '; timeout 3s; connect_timeout 3s;',
        http_config => 'tasks_cache off;');

    await_service($nginx);

    my $before = told($nginx)->{apis}{jobs}{duration_ms};
    $proxy->plan(delay => 70);
    my $start = time;
    http($nginx->port, 'GET', '/jobs/a');
    my $waited = 1000 * (time - $start);
    http($nginx->port, 'GET', '/jobs/a/b/c');
    $proxy->plan;

    my $after;
    wait_for(sub { $after = told($nginx)->{apis}{jobs}{duration_ms};
                   $after->{count} > $before->{count} }, 5, 'the count');

    is($after->{count}, $before->{count} + 1, 'who does not wait has no time');
    is($after->{le}{50}, $before->{le}{50}, 'a reply of 70 ms is none of 50');
    is($after->{le}{5000}, $before->{le}{5000} + 1, 'but one of 5000');
    is($after->{le}{'+Inf'}, $after->{count}, 'of all');

    my $ms = $after->{sum} - $before->{sum};
    cmp_ok($ms, '>=', 65, "$ms ms");
    cmp_ok($ms, '<=', $waited + 1, 'and no more than its client has waited');

    # a Redis that says nothing

    $proxy->plan(delay => 100_000);
    my @waiting = map { http_connect($nginx->port) } 1 .. 4;
    $_->send(Tasks::HTTP::request_bytes('GET', '/jobs/b')) for @waiting;

    comes_to($nginx, of_store('main', qw(pending timeouts)), [4, 0],
             'four operations are pending');
    is(status($_->response(10)), '504 timeout', 'and time out') for @waiting;
    comes_to($nginx, of_store('main', qw(pending timeouts)), [0, 4],
             'four have timed out', 10);
    is(told($nginx)->{apis}{jobs}{requests}{'GET /{id}'}{timeout}, 4,
       'so have their requests');
}


# Lists

{
    my $nginx = start_jobs(locations => $STATUS . <<'END', workers => 1);
    location /off {
        tasks_api apis/jobs.json; tasks_pass main; tasks_cache off;
    }
END
    await_service($nginx);
    put_job('a', n => 2);

    my $etag = http($nginx->port, 'GET', '/jobs')->header('ETag');
    http($nginx->port, 'GET', '/jobs') for 1 .. 5;
    http($nginx->port, 'GET', '/off') for 1 .. 3;
    http($nginx->port, 'GET', '/jobs', headers => { 'If-None-Match' => $etag })
        for 1 .. 2;
    http($nginx->port, 'GET', '/jobs/pages');
    http($nginx->port, 'GET', '/jobs?limit=x');

    comes_to($nginx, sub { $_[0]{apis}{jobs}{lists} },
             { MISS => 2, HIT => 5, BYPASS => 3, SHARED => 0,
               NOT_MODIFIED => 2 }, 'lists by $tasks_cache');

    my ($entries, $bytes) = @{ of_store('main', qw(cache_entries cache_bytes))
                               ->(told($nginx)) };
    is($entries, 2, 'two pages are kept');
    cmp_ok($bytes, '>', 1000, "in $bytes bytes");
    cmp_ok($bytes, '<', 8000, 'and not more');

    put_job($_, n => 1) for 'f' .. 'g';
    http($nginx->port, 'GET', '/jobs');
    comes_to($nginx, sub { $_[0]{apis}{jobs}{lists}{MISS} }, 3, 'read anew');
    is(told($nginx)->{stores}{main}{cache_entries}, 2, 'in place of the old');

    same_in_both($nginx, 'lists');
}


# A list that goes out in chunks

{
    put_job(sprintf('s%04d', $_), kind => 'stream') for 1 .. 600;

    my $proxy = FaultyRedis->proxy(redis_socket());
    my $nginx = start_jobs(
        locations => $STATUS, workers => 1,
        store => 'server ' . $proxy->address . '; timeout 5s;',
        http_config => 'tasks_cache off;');
    my $path = '/jobs/pages?limit=1000';

    await_service($nginx);

    my $response = http($nginx->port, 'GET', $path);
    is($response->header('Transfer-Encoding'), 'chunked', 'a streamed list');
    comes_to($nginx, sub { $_[0]{apis}{jobs}{requests}{'GET /pages'} },
             { ok => 1 }, 'is one request');

    my $replies = $proxy->commands;
    http($nginx->port, 'GET', $path);
    $replies = $proxy->commands - $replies;

    $proxy->plan(replace => { $replies => "-ERR no\r\n" });
    $response = http($nginx->port, 'GET', $path, timeout => 10);
    ok(!$response->complete, 'one that is cut');
    comes_to($nginx, sub { $_[0]{apis}{jobs}{requests}{'GET /pages'} },
             { ok => 2, internal => 1 }, 'is the error that cut it');

    $proxy->plan(delay => 300);
    my $connection = http_connect($nginx->port);
    $connection->send(Tasks::HTTP::request_bytes('GET', $path));
    wait_for(sub { sysread $connection->socket, my $buf, 100 }, 5, 'a chunk');
    setsockopt $connection->socket, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    $connection->close;
    comes_to($nginx, sub { $_[0]{apis}{jobs}{requests}{'GET /pages'} },
             { ok => 2, internal => 1, aborted => 1 },
             'one that nobody reads on is aborted');
}


# Redis goes and comes back

{
    my $redis = Tasks::RedisServer->new;
    load_jobs($redis);

    my $nginx = start_jobs(
        locations => $STATUS, workers => 2,
        store => 'server unix:' . $redis->socket . '; connections 2; timeout 10s;');
    my $states = of_store('main', qw(ready connecting down));

    comes_to($nginx, $states, [4, 0, 0], 'two connections of each worker');
    is_deeply(of_store('main', qw(reconnects connect_failures))
              ->(told($nginx)), [0, 0], 'none was lost');

    $redis->stop;
    comes_to($nginx, $states, [0, 0, 4], 'they are down');
    is(http($nginx->port, 'GET', '/jobs/a')->status, 503, 'no service');
    wait_for(sub { told($nginx)->{stores}{main}{connect_failures} > 12 }, 10,
             'attempts');
    is(http($nginx->port, 'GET', '/metrics')->status, 200,
       'the status needs no Redis');

    $redis->start;
    comes_to($nginx, $states, [4, 0, 0], 'and up again', 10);
    is(told($nginx)->{stores}{main}{reconnects}, 4, 'four reconnects');
    is(told($nginx)->{stores}{main}{pending}, 0, 'nothing is pending');
}


# Two definitions of one name; a store and a file that are hard to write

{
    my $other = with_path('/other');
    my $nginx = start_jobs(
        files => { 'conf/apis/jobs2.json' => $other },
        http_config => 'tasks_store \'st"o\\\\r"e\' { server unix:'
                       . redis_socket() . '; timeout 10s; }'
                       . ' tasks_store idle { server unix:/nowhere; }',
        locations => $STATUS . <<'END');
    location /two {
        tasks_api apis/jobs2.json; tasks_pass 'st"o\\r"e';
    }
END
    my $name = 'jobs ' . $nginx->prefix . '/conf/apis/jobs2.json';

    await_service($nginx);
    http($nginx->port, 'GET', '/two/a') for 1 .. 2;
    http($nginx->port, 'GET', '/two/other');

    comes_to($nginx, routes($name),
             { 'GET /{id}' => { ok => 2 }, 'GET /other' => { ok => 1 } },
             'the second one is told apart by its file');
    is_deeply([sort keys %{ told($nginx)->{stores} }], ['main', 'st"o\\r"e'],
              'stores that are in use');
    same_in_both($nginx, 'names');
}


done_testing();
