# The API as a part of nginx: methods, headers, locations, other modules,
# subrequests, redirects, the fallback.

use lib 't/lib';
use Tasks 'no_plan';

our $api = <<'END';
>>> t.json
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "status": {"type": "string", "filter": true}},
 "cancel": {"from": ["a"], "set": {"status": "x"}},
 "routes": [
    {"action": "list", "path": "", "response": {"items": "$tasks"},
     "query": {"status": {"type": "string", "filter": "status"}}},
    {"action": "get", "path": "/{id}", "response": "$task"},
    {"action": "cancel", "method": "POST", "path": "/{id}/cancel", "response": "$id"}]}
END

# An application behind the same nginx, which tells what it was asked.
my $app = <<'END';
    server {
        listen unix:$TEST_NGINX_SERVER_ROOT/app.sock;
        location / { return 200 "app: $request_method $request_uri $http_content_length [$http_x_body]"; }
        location /accel { add_header X-Accel-Redirect /t/1; return 200 accel; }
    }
    upstream app { server unix:$TEST_NGINX_SERVER_ROOT/app.sock; }
END

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(api => 't');
    $block->set_value(api_file => $api) unless defined $block->api_file;
    $block->set_value(put => <<'END') unless defined $block->put;
1 {"n":1,"status":"a"}
2 {"n":2,"status":"b"}
END
    $block->set_value(http_config => $app . ($block->http_config // ''));
    $block->set_value(config => ($block->config // '') . <<'END') unless defined $block->alone;
    location /t { tasks_api apis/t.json; tasks_pass main; }
END
});

my $one = '{"id":1,"n":1,"status":"a"}';
my $two = '{"id":2,"n":2,"status":"b"}';
our $list = qq({"items":[$one,$two]});

sub one { $one } sub two { $two }

run_tests();

__DATA__

=== GET and HEAD: the same headers, but no body
--- request eval
["GET /t", "HEAD /t", "GET /t/1", "HEAD /t/1", "HEAD /t/9", "HEAD /t/x"]
--- error_code eval
[200, 200, 200, 200, 404, 400]
--- response_headers eval
my $same = "Content-Type: application/json\nX-Content-Type-Options: nosniff\n! Transfer-Encoding\nContent-Length: ";
[$same . length $main::list, $same . length $main::list, $same . length main::one(), $same . length main::one(), $same . 26,
 $same . length '{"error":"id is not of the right type"}']
--- response_body eval
[$main::list, '', main::one(), '', '', '']



=== other methods are told what there is
--- request eval
["POST /t", "DELETE /t/1", "GET /t/1/cancel", "OPTIONS /t", "HEAD /t/1/cancel", "post /t/1/cancel", "PUT /t/1"]
--- error_code eval
[(405) x 5, 400, 405]
--- response_headers eval
["Allow: GET, HEAD\nContent-Type: application/json\nX-Content-Type-Options: nosniff", "Allow: GET, HEAD", "Allow: POST",
 "Allow: GET, HEAD", "Allow: POST", "", "Allow: GET, HEAD"]



=== a path that the API does not have
--- request eval
["GET /t/", "GET /tx", "GET /t/1/", "GET /t/1/cancel/now", "POST /t/1/stop", "GET /t/1/Cancel", "GET /other"]
--- error_code eval
[(404) x 7]
--- response_headers eval
[("Content-Type: application/json\nX-Content-Type-Options: nosniff\n! Allow") x 6, "Content-Type: text/html"]
--- response_body_like eval
[('^\{"error":"Not found"\}$') x 6, '<html>']



=== ways to write the same path
--- request eval
["GET //t//1", "GET /t/./1", "GET /x/../t/1", "GET /%74/%31", "GET http://other/t/1?x#y", "GET /t/1 HTTP/1.0"]
--- response_body eval
[(main::one()) x 6]



=== a location that ends in a slash
--- alone
--- config
    location /t/ { tasks_api apis/t.json; tasks_pass main; }
    location = / { tasks_api apis/t.json; tasks_pass main; }
--- request eval
["GET /t/1", "POST /t/1/cancel", "GET /t/?status=b", "GET /?status=b", "POST /t/", "GET /t/1/"]
--- error_code eval
[200, 200, 200, 200, 405, 404]
--- response_body_like eval
['^\{"id":1', '^1$', '^\{"items":\[\{"id":2', '^\{"items":\[\{"id":2', 'Method', 'Not found']



=== a location that is a regular expression, one that matches exactly, one without a prefix
--- alone
--- config
    location ~ ^/v[12]/tasks { tasks_api apis/t.json prefix=/v1/tasks; tasks_pass main; }
    location = /only { tasks_api apis/t.json; tasks_pass main; }
    location ~ /\d+$ { tasks_api apis/t.json prefix=; tasks_pass main; }
    location ^~ /with/ { tasks_api apis/t.json prefix=/with/; tasks_pass main; }
--- request eval
["GET /v1/tasks/1", "GET /v1/tasks", "GET /v2/tasks/1", "GET /only", "GET /only/1", "GET /1", "GET /x/1", "GET /with/2"]
--- error_code eval
[200, 200, 404, 200, 404, 200, 404, 200]



=== a definition and a scope from above, and a prefix from the location
--- alone
--- config
    tasks_api apis/t.json;
    tasks_scope $http_x_user;
    location /a { tasks_pass main; }
    location /b { location /b/c { tasks_pass main; } }
--- redis
FCALL t_put 1 tasks:{t:u} 1 n 1
--- more_headers eval
[("X-User: u") x 3, "X-User: v", ""]
--- request eval
["GET /a/1", "GET /b/c/1", "GET /b/1", "GET /a/1", "GET /a/1"]
--- error_code eval
[200, 200, 404, 404, 401]



=== nested locations: paths begin where the definition is named
--- alone
--- config
    location /a { tasks_api apis/t.json; tasks_pass main; location /a/1 { tasks_pass main; add_header X-In nested; } }
    location /b { tasks_api apis/t.json; location /b/1 { tasks_pass main; add_header X-In nested; } }
--- request eval
["GET /a/1", "GET /b/1"]
--- response_headers eval
["X-In: nested", "X-In: nested"]
--- response_body eval
[main::one(), main::one()]



=== if and limit_except
--- alone
--- config
    location /t {
        tasks_api apis/t.json;
        tasks_pass main;
        if ($arg_x) { add_header X-If yes; }
        if ($arg_no) { return 418; }
        limit_except GET { deny all; }
    }
    location /i {
        tasks_api apis/t.json;
        if ($arg_x) { tasks_pass main; }
    }
--- request eval
["GET /t/1", "GET /t/1?x=1", "GET /t/1?no=1", "POST /t/1/cancel", "HEAD /t/1", "GET /i/1?x=1", "GET /i/1"]
--- error_code eval
[200, 200, 418, 403, 200, 200, 404]
--- response_headers eval
["! X-If", "X-If: yes", "", "", "", "", ""]



=== limit_except and if with something else inside
--- alone
--- config
    location /t {
        tasks_api apis/t.json;
        tasks_pass main;
        if ($arg_x) { proxy_pass http://app; }
        limit_except GET { proxy_pass http://app; }
    }
--- request eval
["GET /t/1", "POST /t/1/cancel", "GET /t/1?x=1"]
--- response_body eval
[main::one(), 'app: POST /t/1/cancel  []', 'app: GET /t/1?x=1  []']



=== add_header, also on errors
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; add_header X-A 1; add_header X-B 2 always; expires 5m; }
--- request eval
["GET /t/1", "GET /t/9"]
--- error_code eval
[200, 404]
--- response_headers eval
["X-A: 1\nX-B: 2\nCache-Control: max-age=300", "! X-A\nX-B: 2"]



=== variables of what was done and what went wrong
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; add_header X-Did "$tasks_action/$tasks_error" always; }
    location /other { add_header X-Did "$tasks_action/$tasks_error"; return 204; }
--- request eval
["GET /t", "GET /t/1", "POST /t/1/cancel", "GET /t/9", "GET /t/x", "POST /t/2/cancel", "GET /t/1/2", "POST /t", "GET /other"]
--- error_code eval
[200, 200, 200, 404, 400, 409, 404, 405, 204]
--- response_headers eval
[map { "X-Did: $_" } 'list/', 'get/', 'cancel/', 'get/not_found', 'get/bad_parameter', 'cancel/cannot_cancel', '/no_route',
                     '/bad_method', '/']



=== error pages leave the API's errors alone, unless told otherwise
--- alone
--- config
    error_page 404 405 503 /sorry;
    location /sorry { return 200 "sorry: $status $tasks_error"; }
    location /t { tasks_api apis/t.json; tasks_pass main; }
    location /i { tasks_api apis/t.json; tasks_pass main; tasks_intercept_errors on; }
    location /n { tasks_api apis/t.json; tasks_pass main; tasks_intercept_errors on; error_page 418 /x; }
--- request eval
["GET /t/9", "GET /i/9", "GET /i/1", "POST /i", "GET /i/x", "GET /n/9", "POST /i/2/cancel\nbody"]
--- error_code eval
[404, 404, 200, 405, 400, 404, 409]
--- response_body_like eval
['^\{"error":"Task not found"\}$', '^sorry', '^\{"id":1', '^sorry', '<title>400', '<title>404', '<title>409']



=== limit_req
--- http_config
    limit_req_zone $binary_remote_addr zone=z:1m rate=1r/m;
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; limit_req zone=z; limit_req_status 429; }
--- request eval
["GET /t/1", "GET /t/1"]
--- error_code eval
[200, 429]



=== auth_basic, allow and deny
--- alone
--- user_files
>>> ../conf/users
u:{PLAIN}p
--- config
    location /t { tasks_api apis/t.json; tasks_scope $remote_user; tasks_pass main; auth_basic tasks; auth_basic_user_file users; }
    location /d { tasks_api apis/t.json; tasks_pass main; deny all; }
--- redis
FCALL t_put 1 tasks:{t:u} 5 n 5
--- request eval
["GET /t/5", "GET /t/5", "GET /d/1"]
--- more_headers eval
["Authorization: Basic dTpw", "", ""]
--- error_code eval
[200, 401, 403]
--- response_body_like eval
['"n":5', '', '']



=== gzip, and what comes out of it again
--- config
    gzip on; gzip_types application/json; gzip_min_length 1; gzip_http_version 1.0; gzip_proxied any;
    location /plain { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/t; proxy_set_header Accept-Encoding gzip; gunzip on; }
--- request eval
["GET /t", "GET /t", "GET /plain", "HEAD /t", "GET /plain/9"]
--- more_headers eval
["Accept-Encoding: gzip", "", "", "Accept-Encoding: gzip", ""]
--- error_code eval
[200, 200, 200, 200, 404]
--- response_headers eval
["Content-Encoding: gzip\nTransfer-Encoding: chunked", "! Content-Encoding", "! Content-Encoding", "", ""]
--- response_body_like eval
["^\x1f\x8b", quotemeta $main::list, quotemeta $main::list, '^$', 'not found']



=== sub_filter and addition work on rows that are spliced in
--- config
    location /s { tasks_api apis/t.json; tasks_pass main; sub_filter_types *; sub_filter '"status"' '"state"'; sub_filter_once off; }
--- request
GET /s
--- response_body eval
$main::list =~ s/status/state/gr



=== ranges are not offered
--- request
GET /t/1
--- more_headers
Range: bytes=0-3
--- response_headers
! Accept-Ranges
--- response_body eval: main::one()



=== several requests on a connection, errors and bodies among them
--- pipelined_requests eval
["GET /t/1", "GET /t/9", "POST /t\nbody", "GET /t/2", "POST /t/1/cancel\nbody", "GET /t/x", "GET /t?status=b"]
--- error_code eval
[200, 404, 405, 200, 200, 400, 200]
--- response_body_like eval
['"id":1', 'Task not found', 'Method not', '"id":2', '^1$', 'id is not', '^\{"items":\[\{"id":2[^}]*\}\]\}$']



=== a request in pieces
--- request eval
[["GE", {value => "T /t/1 HT", delay_before => 0.01}, {value => "TP/1.1", delay_before => 0.01}]]
--- response_body eval: main::one()



=== a body of a GET does not matter
--- request eval
["GET /t/1\nbody", "GET /t\n" . 'x' x 200000]
--- response_body eval
[main::one(), $main::list]



=== tasks in a page of SSI
--- config
    location /page { ssi on; ssi_types *; root html; }
--- user_files
>>> page
<!--# include virtual="/t/1" --> and <!--# include virtual="/t/9" -->, <!--# include virtual="/t?status=b" -->
--- request
GET /page
--- response_body_like eval
quotemeta main::one() . ' and {"error":"Task not found"}, {"items":[' . main::two() . ']}'



=== many of them
--- config
    location /page { ssi on; ssi_types *; root html; }
--- user_files eval
[['page', CORE::join ',', ('<!--# include virtual="/t/1" -->', '<!--# include virtual="/t/2" -->') x 40]]
--- request
GET /page
--- response_body eval
CORE::join ',', (main::one(), main::two()) x 40



=== a task as a permission
--- config
    location /yes { auth_request /t/1; root html; index index.html; try_files /index.html =404; }
    location /no  { auth_request /t/x; root html; try_files /index.html =404; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "routes": [{"action": "get", "path": "/{id}", "response": "$task"}],
 "errors": {"bad_parameter": {"status": 403}}}
--- request eval
["GET /yes", "GET /no"]
--- error_code eval
[200, 403]
--- response_body_like eval
['It works', '403']



=== a mirror that cancels
--- config
    location /m { mirror /t/1/cancel; mirror_request_body off; proxy_pass http://app; }
--- request eval
["POST /m", "GET /t/1"]
--- response_body_like eval
['^app: POST /m', '"status":"x"']



=== internal redirects: rewrite, try_files, error_page, X-Accel-Redirect
--- config
    location /old { rewrite ^/old/(.*)$ /t/$1 last; }
    location /in { rewrite ^/in(.*)$ /t$1 break; tasks_api apis/t.json prefix=/t; tasks_pass main; }
    location /try { try_files $uri /t/2; }
    location /keep { error_page 404 /t/1; root html; }
    location /gone { error_page 404 = /t/1; root html; }
    location /named { error_page 404 = @tasks; root html; }
    location @tasks { tasks_api apis/t.json prefix=/named; tasks_pass main; }
    location /accel { proxy_pass http://app; }
--- request eval
["GET /old/1", "GET /old/9", "POST /old/1/cancel\nbody", "GET /in/2?x", "GET /try/5", "GET /keep", "GET /gone", "GET /named/2",
 "GET /accel"]
--- error_code eval
[200, 404, 200, 200, 200, 404, 200, 200, 200]
--- response_body_like eval
['"id":1', 'not found', '^1$', '"id":2', '"id":2', '"id":1', '"id":1', '"id":2', '"id":1']



=== what the API has no route for stays with the application, body and all
--- alone
--- config
    location /t {
        tasks_api apis/t.json; tasks_pass main; tasks_fallback @app;
        add_header X-Did "$tasks_action";
    }
    location @app { proxy_pass http://app; proxy_set_header X-Body $request_body; }
--- request eval
["POST /t\n{\"new\":\"task\"}", "GET /t/1/log?a=b%20c", "DELETE /t/1", "GET /t/1", "PUT /t/1/cancel\nbody", "GET /t/", "GET /t/9",
 "GET /t/x", "POST /t/2/cancel\nbody", "HEAD /t/1/log"]
--- error_code eval
[200, 200, 200, 200, 200, 200, 404, 400, 409, 200]
--- response_body_like eval
['^app: POST /t 14 \[\{"new":"task"\}\]$', '^app: GET /t/1/log\?a=b%20c  \[\]$', '^app: DELETE /t/1  \[\]$', '^\{"id":1',
 '^app: PUT /t/1/cancel 4 \[body\]$', '^app: GET /t/  \[\]$', 'Task not found', 'not of the right type', 'Cannot cancel', '^$']



=== a body of a megabyte, and a chunked one
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback @app; }
    location @app { proxy_pass http://app; proxy_set_header X-Body $request_body; }
--- request eval
["POST /t\n" . 'x' x 1048576, "POST /t\n4\r\nbody\r\n0\r\n\r\n"]
--- more_headers eval
["", "Transfer-Encoding: chunked"]
--- response_body eval
['app: POST /t 1048576 []', 'app: POST /t 4 [body]']



=== a request to the application on the same connection as one to the API
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback @app; }
    location @app { proxy_pass http://app; proxy_set_header X-Body $request_body; }
--- pipelined_requests eval
["POST /t\nhello", "GET /t/1", "POST /t\nagain", "POST /t/1/cancel\nx"]
--- response_body eval
['app: POST /t 5 [hello]', main::one(), 'app: POST /t 5 [again]', '1']



=== scope is checked before the fallback is taken only for what the API has
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_scope $http_x_user; tasks_pass main; tasks_fallback @app; }
    location @app { proxy_pass http://app; }
--- request eval
["GET /t", "POST /t\nx"]
--- error_code eval
[401, 200]



=== the store is unavailable: an error, with Retry-After
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- request eval
["GET /t", "GET /t/1", "POST /t/1/cancel", "GET /t/x", "GET /t/1/2", "HEAD /t"]
--- error_code eval
[503, 503, 503, 400, 404, 503]
--- response_headers eval
[("Retry-After: 1\nContent-Type: application/json") x 3, "! Retry-After", "! Retry-After", "Retry-After: 1"]
--- response_body_like eval
[('^\{"error":"The task store is unavailable"\}$') x 3, '', '', '^$']



=== Retry-After of the definition's own
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "routes": [{"action": "get", "path": "/{id}", "response": "$task"}],
 "errors": {"unavailable": {"status": 502, "headers": {"retry-after": "30"}}}}
--- request
GET /t/1
--- error_code: 502
--- response_headers
Retry-After: 30



=== gzip goes by the type, without its parameters
--- api_file eval
$main::api =~ s/"id": /"content_type": "application\/json; charset=utf-8", "id": /r
--- config
    gzip on; gzip_types application/json; gzip_min_length 1;
--- request
GET /t
--- more_headers
Accept-Encoding: gzip
--- response_headers
Content-Encoding: gzip
Content-Type: application/json; charset=utf-8
--- response_body_like chop
^\x1f\x8b



=== a list says that it depends on Accept, an error or a task does not
--- request eval
["GET /t", "GET /t", "GET /t/1", "GET /t?status=a&status="]
--- more_headers eval
["", "Accept: application/x-ndjson", "", ""]
--- response_headers eval
["Vary: Accept", "Vary: Accept\nContent-Type: application/x-ndjson", "! Vary", ""]



=== tasks that are shown twice, as often as they are asked for
--- api_file eval
$main::api =~ s/\{"items": "\$tasks"\}/{"items": "\$tasks", "again": "\$tasks"}/r
--- config
    tasks_cache off;
--- request eval
["GET /t", "GET /t/1", "GET /t"]
--- response_headers eval
my $length = 'Content-Length: ' . (2 * length($main::list) - 1);
[$length, '', $length]
--- response_body eval
my $items = substr $main::list, 9, -1;
my $twice = qq({"items":$items,"again":$items});
[$twice, main::one(), $twice]



=== Allow has each method once, and none that is not served
--- api_file eval
$main::api =~ s/"routes": \[/$& {"action": "none", "method": "DELETE", "path": "\/off"}, {"action": "list", "path": "\/off", "response": "\$tasks"}, {"action": "none", "method": "PUT", "path": "\/x\/y\/z"},/r
--- request eval
["PUT /t/off", "POST /t/x/y/z", "DELETE /t/off"]
--- error_code eval
[405, 404, 404]
--- response_headers eval
["Allow: GET, HEAD", "! Allow", "! Allow"]



=== a cancel that is the application's gets there with its body
--- api_file eval
$main::api =~ s/"id": "integer"/"id": {"type": "integer", "errors": {"default": {"class": "no_route"}}}/r
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback @app; tasks_require $arg_ok error=no_route; }
    location @app { proxy_pass http://app; proxy_set_header X-Body $request_body; }
--- request eval
["POST /t/settings/cancel?ok=1\nhello body", "POST /t/1/cancel\nhello body", "POST /t/1/cancel?ok=1\nhello body"]
--- response_body_like eval
['^app: POST /t/settings/cancel\?ok=1 10 \[hello body\]', '^app: POST /t/1/cancel 10 \[hello body\]', '^1$']



=== a cache in front keeps what is compressed apart
--- http_config
    proxy_cache_path $TEST_NGINX_SERVER_ROOT/cache keys_zone=z:1m;
--- config
    gzip on; gzip_types application/json; gzip_min_length 1; gzip_vary on; gzip_proxied any; gzip_http_version 1.0;
    location /kept { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/t; proxy_cache z; proxy_cache_valid 1m; gzip off; }
--- request eval
["GET /kept", "GET /kept", "GET /kept"]
--- more_headers eval
["Accept-Encoding: gzip", "", "Accept-Encoding: gzip"]
--- response_headers eval
["Content-Encoding: gzip", "! Content-Encoding", "Content-Encoding: gzip"]
--- response_body_like eval
["^\x1f\x8b", quotemeta $main::list, "^\x1f\x8b"]



=== an error's body has no id where there is no route
--- api_file eval
$main::api =~ s/"cancel":/"errors": {"default": {"body": {"error": "\$tasks_error", "id": "\$id"}}}, "cancel":/r
--- request eval
["GET /t/nope/x/y", "PUT /t", "GET /t/9", "GET /t/x", "POST /t/2/cancel"]
--- error_code eval
[404, 405, 404, 400, 409]
--- response_body eval
['{"error":"no_route","id":null}', '{"error":"bad_method","id":null}', '{"error":"not_found","id":9}',
 '{"error":"bad_parameter","id":null}', '{"error":"cannot_cancel","id":2}']



=== errors that nginx would not answer are answered with tasks_intercept_errors, too
--- api_file eval
$main::api =~ s/"cancel":/"errors": {"default": {"status": 499, "body": "499"}, "no_route": {"status": 408, "body": "408"}, "bad_method": {"status": 444, "body": "444"}, "bad_parameter": {"status": 410, "body": "410"}}, "cancel":/r
--- config
    tasks_intercept_errors on;
--- request eval
["GET /t/9", "GET /t/a/b/c", "PUT /t", "GET /t/x"]
--- error_code eval
[499, 408, 444, 410]
--- response_body_like eval
['^"499"$', '^"408"$', '^"444"$', '<title>410 Gone']



=== "if" and "limit_except" go on with what answers in their location
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; if ($arg_x) { set $y 1; } limit_except GET { } }
    location = /library { tasks_api apis/t.json; tasks_library; if ($arg_x) { set $y 1; } limit_except GET { } }
    location = /openapi { tasks_api apis/t.json; tasks_openapi /t; if ($arg_x) { set $y 1; } limit_except GET { } }
    location = /metrics { tasks_status prometheus; if ($arg_x) { set $y 1; } limit_except GET { } }
--- request eval
[map { ("GET /$_", "GET /$_?x=1", "POST /$_") } qw(t library openapi metrics)]
--- error_code eval
[(200, 200, 405) x 4]
--- response_body_like eval
['^\{"items"', '^\{"items"', 'Method', ('^#!lua') x 2, '405', ('^\{"openapi"') x 2, '405', ('^# ') x 2, '405']



=== unavailable: reads go to the application, a cancel never does
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- alone
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback @app unavailable; }
    location /n { tasks_api apis/t.json; tasks_pass main; tasks_fallback @app; }
    location @app { proxy_pass http://app; }
--- request eval
["GET /t?status=a", "GET /t/1", "POST /t/1/cancel", "POST /t\nx", "HEAD /t/1", "GET /t/x", "GET /n/1"]
--- error_code eval
[200, 200, 503, 200, 200, 400, 503]
--- response_body_like eval
['^app: GET /t\?status=a ', '^app: GET /t/1 ', 'unavailable', '^app: POST /t ', '^$', 'id is not', 'unavailable']



=== the text of the function library
--- config
    location = /library { tasks_api apis/t.json; tasks_library; }
--- request eval
["GET /library", "HEAD /library", "POST /library"]
--- error_code eval
[200, 200, 405]
--- response_headers eval
["Content-Type: text/plain", "Content-Type: text/plain", ""]
--- response_body_like eval
['^#!lua name=tasks_t\n', '^$', '405']
