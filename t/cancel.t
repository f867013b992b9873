# Cancelling a task.

use lib 't/lib';
use Tasks 'no_plan';

# A definition with a cancel rule; "routes" replaces the usual ones.

sub api {
    my ($rule, $routes) = @_;

    $routes //= '{"action": "cancel", "method": "POST", "path": "/{id}/cancel",
                  "response": {"id": "$id", "was": "$state"}}';

    return <<"END";
>>> t.json
{"name": "t", "id": "integer", "order": "n", "cancel": {$rule},
 "fields": {
    "n":      {"type": "integer"},
    "status": {"type": "string", "filter": true, "default": "new"},
    "reason": {"type": "string"},
    "worker": {"type": "string", "view": "detail"},
    "flag":   {"type": "boolean"},
    "left":   {"type": "integer", "default": 9},
    "info":   {"type": "object"},
    "at":     {"type": "datetime", "view": "detail"}},
 "routes": [$routes,
    {"action": "list", "path": "", "response": "\$tasks",
     "query": {"status": {"type": "string", "filter": "status"}}},
    {"action": "get", "path": "/{id}", "response": "\$task"}],
 "errors": {"cannot_cancel": {"body": {"error": "\$message", "id": "\$id", "was": "\$state"},
                              "message": "not when \$state"}}}
END
}

add_block_preprocessor(sub {
    my ($block) = @_;

    my $api = api($block->rule // '"from": ["a", "b"], "set": {"status": "x"}',
                  scalar $block->routes);

    $block->set_value(api => 't') unless defined $block->api;
    $block->set_value(api_file => $api);
    $block->set_value(config => <<'END') unless defined $block->config;
    location /t { tasks_api apis/t.json; tasks_pass main; }
END
});

run_tests();

__DATA__

=== from: the states that can be cancelled
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"b"}
3 {"n":3,"status":"c"}
4 {"n":4,"status":"x"}
5 {"n":5}
--- request eval
[map { "POST /t/$_/cancel" } 1 .. 6]
--- error_code eval
[200, 200, 409, 409, 409, 404]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":2,"was":"b"}', '{"error":"not when c","id":3,"was":"c"}',
 '{"error":"not when x","id":4,"was":"x"}', '{"error":"not when new","id":5,"was":"new"}', '{"error":"Task not found"}']



=== except: the states that cannot, all others can
--- rule: "except": ["x", "new"], "set": {"status": "x"}
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"anything \"else\""}
3 {"n":3,"status":""}
4 {"n":4,"status":"x"}
5 {"n":5}
--- request eval
[map { "POST /t/$_/cancel" } 1 .. 6]
--- error_code eval
[200, 200, 200, 409, 409, 404]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":2,"was":"anything \"else\""}', '{"id":3,"was":""}',
 '{"error":"not when x","id":4,"was":"x"}', '{"error":"not when new","id":5,"was":"new"}', '{"error":"Task not found"}']



=== unchanged: an answer as if, but nothing is touched
--- rule: "from": ["a"], "unchanged": ["x", "done"], "set": {"status": "x", "reason": "user"}
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"done"}
3 {"n":3,"status":"c"}
--- request eval
["POST /t/1/cancel", "POST /t/1/cancel", "POST /t/2/cancel", "POST /t/3/cancel", "GET /t"]
--- error_code eval
[200, 200, 200, 409, 200]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":1,"was":"x"}', '{"id":2,"was":"done"}', '{"error":"not when c","id":3,"was":"c"}',
 '[{"id":1,"n":1,"status":"x","reason":"user","left":9},{"id":2,"n":2,"status":"done","left":9},{"id":3,"n":3,"status":"c","left":9}]']



=== set: values of each kind, and null, which clears
--- rule
"from": ["a"], "set": {"status": "x", "reason": "by \"user\" \u00e9", "worker": null, "flag": true, "left": null,
                       "info": {"k": [1, null]}, "n": -1}
--- put
1 {"n":1,"status":"a","worker":"w","flag":false,"left":3,"reason":"none"}
2 {"n":0,"status":"b"}
--- request eval
["POST /t/1/cancel", "GET /t/1", "GET /t", "GET /t?status=a", "GET /t?status=x"]
--- response_json eval
my $row = '{"id":1,"n":-1,"status":"x","reason":"by \"user\" \u00e9","flag":true,"left":9,"info":{"k":[1,null]}}';
['{"id":1,"was":"a"}', $row, qq([$row,{"id":2,"n":0,"status":"b","left":9}]), '[]', "[$row]"]



=== set: the time, with milliseconds
--- rule: "from": ["a"], "set": {"status": "x", "at": "$now"}
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/1/cancel", "GET /t/1"]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":1,"n":1,"status":"x","left":9,"at":"<now>"}']
--- response_body_like eval
['', '"at":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"']



=== in seconds
--- rule: "from": ["a"], "set": {"status": "x", "at": "$now_seconds"}
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/1/cancel", "GET /t/1"]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":1,"n":1,"status":"x","left":9,"at":"<now>"}']
--- response_body_like eval
['', '"at":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"']



=== and without a zone
--- rule: "from": ["a"], "set": {"status": "x", "at": "$now_naive"}
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/1/cancel", "GET /t/1"]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":1,"n":1,"status":"x","left":9,"at":"<now>"}']
--- response_body_like eval
['', '"at":"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d"']



=== a request that is only noted for the worker: the state stays
--- rule: "from": ["a"], "set": {"flag": true}
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/1/cancel", "POST /t/1/cancel", "GET /t?status=a"]
--- response_json eval
['{"id":1,"was":"a"}', '{"id":1,"was":"a"}', '[{"id":1,"n":1,"status":"a","flag":true,"left":9}]']



=== no response in the definition: 204 and no body
--- routes: {"action": "cancel", "method": "POST", "path": "/{id}/cancel"}
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/1/cancel", "POST /t/1/cancel"]
--- error_code eval
[204, 409]
--- response_headers eval
["! Content-Type\n! Content-Length\n! Transfer-Encoding\nX-Content-Type-Options: nosniff", "Content-Type: application/json"]
--- response_body eval
["", '{"error":"not when x","id":1,"was":"x"}']



=== a status of its own
--- routes: {"action": "cancel", "method": "POST", "path": "/{id}/cancel", "status": 202, "response": {"ok": true, "status": "$status"}}
--- put
1 {"n":1,"status":"a"}
--- request
POST /t/1/cancel
--- error_code: 202
--- response_body chomp
{"ok":true,"status":202}



=== DELETE /{id}
--- routes: {"action": "cancel", "method": "DELETE", "path": "/{id}", "response": null}
--- put
1 {"n":1,"status":"a"}
--- request eval
["GET /t/1", "DELETE /t/1", "GET /t/1", "DELETE /t/1", "POST /t/1", "DELETE /t"]
--- error_code eval
[200, 200, 200, 409, 405, 405]
--- response_headers eval
["", "", "", "", "Allow: DELETE, GET, HEAD", "Allow: GET, HEAD"]
--- response_body_like eval
['"a"', '^null$', '"x"', 'not when x', 'Method', 'Method']



=== PUT and PATCH
--- routes
{"action": "cancel", "method": "PUT", "path": "/{id}/state", "response": "$id"},
{"action": "cancel", "method": "PATCH", "path": "/{id}", "response": "$id", "errors": {"cannot_cancel": {"status": 422}}}
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"a"}
--- request eval
["PUT /t/1/state", "PATCH /t/2\n{}", "PATCH /t/1", "PUT /t/1/state", "PUT /t/1"]
--- error_code eval
[200, 200, 422, 409, 405]
--- response_body_like eval
['^1$', '^2$', 'not when x', 'not when x', 'Method']



=== a path with other parameters, and a query
--- routes
{"action": "cancel", "method": "POST", "path": "/{name}/runs/{id}/stop", "response": "$id",
 "path_parameters": {"name": {"type": "string", "pattern": "^[a-z]+$"}},
 "query": {"force": {"type": "boolean", "default": false}}}
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/zeta/runs/1/stop?force=x", "POST /t/Zeta/runs/1/stop", "POST /t/zeta/runs/x/stop", "POST /t/zeta/runs/1/stop?force=1&x",
 "GET /t/zeta/runs/1/stop", "POST /t/zeta/runs/1"]
--- error_code eval
[400, 400, 400, 200, 405, 404]
--- response_body_like eval
['force is not', 'name does not', 'id is not', '^1$', 'Method', 'Not found']



=== a body does not matter: small, chunked, said to be JSON and is none
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"a"}
3 {"n":3,"status":"a"}
--- request eval
["POST /t/1/cancel\n{\"reason\":\"why\"}", "POST /t/2/cancel\n5\r\nhello\r\n0\r\n\r\n", "POST /t/3/cancel\n{"]
--- more_headers eval
["Content-Type: application/json", "Transfer-Encoding: chunked", "Content-Type: application/json"]
--- response_json eval
[map { qq({"id":$_,"was":"a"}) } 1 .. 3]



=== a body of a megabyte, and one in many chunks
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"a"}
--- request eval
["POST /t/1/cancel\n" . 'x' x 1048576, "POST /t/2/cancel\n" . ("1000\r\n" . 'x' x 4096 . "\r\n") x 200 . "0\r\n\r\n"]
--- more_headers eval
["", "Transfer-Encoding: chunked"]
--- response_json eval
[map { qq({"id":$_,"was":"a"}) } 1, 2]



=== a body that comes late
--- put
1 {"n":1,"status":"a"}
--- request eval
[["POST /t/1/cancel\n12345", {value => "67890", delay_before => 0.05}]]
--- response_body chomp
{"id":1,"was":"a"}



=== a body and the next request on the same connection
--- put
1 {"n":1,"status":"a"}
2 {"n":2,"status":"a"}
--- pipelined_requests eval
["POST /t/1/cancel\nhello", "POST /t/2/cancel\n" . 'x' x 100000, "GET /t?status=a", "POST /t/9/cancel\nx"]
--- error_code eval
[200, 200, 200, 404]
--- response_body eval
['{"id":1,"was":"a"}', '{"id":2,"was":"a"}', '[]', '{"error":"Task not found"}']



=== a body larger than the location takes
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; client_max_body_size 10; }
--- put
1 {"n":1,"status":"a"}
--- request eval
["POST /t/1/cancel\n12345678901", "GET /t?status=a"]
--- error_code eval
[413, 200]
--- response_body_like eval
['413', '"id":1']



=== a state with escapes in the message
--- put
1 {"n":1,"status":"do\"ne \u00e9 \\"}
2 {"n":2,"status":"grün"}
--- request eval
["POST /t/1/cancel", "POST /t/2/cancel"]
--- error_code eval
[409, 409]
--- response_json eval
['{"error":"not when do\"ne é \\\\","id":1,"was":"do\"ne é \\\\"}', '{"error":"not when grün","id":2,"was":"grün"}']



=== a state in a longer text of the body, and in plain text
--- routes
{"action": "cancel", "method": "POST", "path": "/{id}/cancel", "response": "was: $state.",
 "errors": {"cannot_cancel": {"body": "is: $state!"}}},
{"action": "cancel", "method": "POST", "path": "/{id}/stop",
 "errors": {"cannot_cancel": {"text": "is: $state!"}}}
--- rule: "except": ["\u0022x\u0022"], "set": {"status": "\"x\""}
--- put
1 {"n":1,"status":"\"a\" \u00e9"}
--- request eval
["POST /t/1/cancel", "POST /t/1/cancel", "POST /t/1/stop"]
--- error_code eval
[200, 409, 409]
--- response_json eval
['"was: \"a\" é."', '"is: \"x\"!"']
--- response_body_like eval
['', '', '^is: "x"!$']



=== a foreign task is not there, and stays as it is
--- config
    location /t { tasks_api apis/t.json; tasks_scope $http_x_user; tasks_pass main; }
--- redis
FCALL t_put 1 tasks:{t:a} 1 n 1 status '"a"'
--- request eval
["POST /t/1/cancel", "POST /t/1/cancel", "GET /t/1", "POST /t/1/cancel"]
--- more_headers eval
["X-User: b", "", "X-User: a", "X-User: a"]
--- error_code eval
[404, 401, 200, 200]
--- response_body_like eval
['not found', 'Unauthorized', '"status":"a"', '"was":"a"']



=== Redis has lost the functions: they are loaded
--- put
1 {"n":1,"status":"a"}
--- redis_after_start
FUNCTION FLUSH SYNC
--- request eval
["GET /t/1", "POST /t/1/cancel", "POST /t/1/cancel"]
--- error_code eval
[200, 200, 409]
