# Omelette's task API: the conformance cases by their ids, the examples of its
# documents, and what its clients take for granted.

use lib 't/lib';
use Tasks 'no_plan';

my $FIXTURES = <<'END';
42 {"project_id":1,"task_type":"search","status":"running","progress":30,"total":100,"created_at":"2025-03-12T10:00:00"}
43 {"project_id":1,"task_type":"ocr","status":"pending","progress":0,"total":0,"created_at":"2025-03-12T10:00:01"}
44 {"project_id":2,"task_type":"search","status":"completed","progress":100,"total":100,"params":{"query":"ml"},"result":{"imported":10},"created_at":"2025-03-12T09:59:00","started_at":"2025-03-12T10:00:01","completed_at":"2025-03-12T10:02:30"}
45 {"project_id":2,"task_type":"crawl","status":"failed","error_message":"x","created_at":"2025-03-12T09:58:00"}
END

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(config => <<'END') unless defined $block->config;
    location /api/v1/tasks { tasks_api apis/omelette.json; tasks_pass main; }
END
    $block->set_value(put => $FIXTURES) unless defined $block->put;
});


# Responses.

sub success {
    my ($data, $message) = @_;
    $message //= 'success';
    return qq({"code":200,"message":"$message","data":$data,"timestamp":"<now>"});
}

sub failure {
    my ($code, $message) = @_;
    return qq({"code":$code,"message":"$message","data":null});
}

sub invalid {
    my ($location, $parameter, $input, $type, $message) = @_;
    $type //= 'int_parsing';
    $message //= 'Input should be a valid integer, unable to parse string as an integer';
    return qq({"code":422,"message":"Validation error","data":[{"type":"$type",)
        . qq("loc":["$location","$parameter"],"msg":"$message","input":"$input"}]});
}

sub ids { my $ids = join ',', map { qq(\\{"id":$_,[^{}]*\\}) } @_;
          return qr/^\{"code":200,"message":"success","data":\[$ids\],"timestamp":/ }

run_tests();

__DATA__

=== OM1: the list: newest first, seven members each
--- request
GET /api/v1/tasks
--- response_headers
Content-Type: application/json
--- response_json eval
main::success('[' . CORE::join(',',
    '{"id":43,"project_id":1,"task_type":"ocr","status":"pending","progress":0,"total":0,"created_at":"2025-03-12T10:00:01"}',
    '{"id":42,"project_id":1,"task_type":"search","status":"running","progress":30,"total":100,"created_at":"2025-03-12T10:00:00"}',
    '{"id":44,"project_id":2,"task_type":"search","status":"completed","progress":100,"total":100,"created_at":"2025-03-12T09:59:00"}',
    '{"id":45,"project_id":2,"task_type":"crawl","status":"failed","progress":0,"total":0,"created_at":"2025-03-12T09:58:00"}')
    . ']')



=== OM2: curl -X GET ".../tasks?project_id=1&status=running&limit=20"
--- request
GET /api/v1/tasks?project_id=1&status=running&limit=20
--- response_json eval
main::success('[{
"id": 42,
"project_id": 1,
"task_type": "search",
"status": "running",
"progress": 30,
"total": 100,
"created_at": "2025-03-12T10:00:00"
}]')



=== OM6: a task: twelve members, error_message "" and not null
--- request
GET /api/v1/tasks/44
--- response_json eval
main::success('{"id":44,"project_id":2,"task_type":"search","status":"completed",
"progress":100,"total":100,"params":{"query":"ml"},"result":{"imported":10},
"error_message":"","created_at":"2025-03-12T09:59:00",
"started_at":"2025-03-12T10:00:01","completed_at":"2025-03-12T10:02:30"}')



=== the members come in the order of the document
--- request
GET /api/v1/tasks/44
--- response_body_like: ^\{"code":.*,"message":.*,"data":\{"id":.*,"project_id":.*,"task_type":.*,"status":.*,"progress":.*,"total":.*,"params":.*,"result":.*,"error_message":.*,"created_at":.*,"started_at":.*,"completed_at":.*\},"timestamp":"....-..-..T..:..:..[.0-9]*Z"\}$



=== OM8: there is no such task
--- request
GET /api/v1/tasks/99999
--- error_code: 404
--- response_headers
Content-Type: application/json
--- response_body chomp
{"code":404,"message":"Task not found","data":null}



=== OM9: a cancel, and the task after it: completed_at is still null
--- request eval
["POST /api/v1/tasks/43/cancel", "GET /api/v1/tasks/43", "GET /api/v1/tasks?status=pending",
 "GET /api/v1/tasks?status=cancelled&project_id=1"]
--- response_json eval
[main::success('null', 'Task cancelled'),
 main::success('{"id":43,"project_id":1,"task_type":"ocr","status":"cancelled",
  "progress":0,"total":0,"params":null,"result":null,"error_message":"",
  "created_at":"2025-03-12T10:00:01","started_at":null,"completed_at":null}'),
 main::success('[]'),
 main::success('[{"id":43,"project_id":1,"task_type":"ocr","status":"cancelled",
  "progress":0,"total":0,"created_at":"2025-03-12T10:00:01"}]')]



=== curl -X GET ".../tasks/42", the task as the document shows it
--- put
42 {"project_id": 1, "task_type": "search", "status": "completed", "progress": 100, "total": 100, "params": {"query": "machine learning", "sources": ["semantic_scholar"]}, "result": {"papers_found": 15, "imported": 10}, "created_at": "2025-03-12T10:00:00", "started_at": "2025-03-12T10:00:01", "completed_at": "2025-03-12T10:02:30"}
--- request
GET /api/v1/tasks/42
--- response_json eval
main::success('{
"id": 42,
"project_id": 1,
"task_type": "search",
"status": "completed",
"progress": 100,
"total": 100,
"params": {"query": "machine learning", "sources": ["semantic_scholar"]},
"result": {"papers_found": 15, "imported": 10},
"error_message": "",
"created_at": "2025-03-12T10:00:00",
"started_at": "2025-03-12T10:00:01",
"completed_at": "2025-03-12T10:02:30"
}')



=== curl -X POST ".../tasks/42/cancel"
--- request
POST /api/v1/tasks/42/cancel
--- response_headers
Content-Type: application/json
--- response_json eval
main::success('null', 'Task cancelled')



=== each filter, and a limit
--- request eval
["GET /api/v1/tasks?project_id=2", "GET /api/v1/tasks?status=failed",
 "GET /api/v1/tasks?status=running&project_id=2", "GET /api/v1/tasks?limit=2",
 "GET /api/v1/tasks?project_id=1&limit=1"]
--- response_body eval
[main::ids(44, 45), main::ids(45), main::ids(), main::ids(43, 42), main::ids(43)]



=== project_id=0 and an empty status are no filters
--- request eval
["GET /api/v1/tasks?project_id=0&status=", "GET /api/v1/tasks?project_id=0",
 "GET /api/v1/tasks?status=&project_id=2", "GET /api/v1/tasks?status",
 "GET /api/v1/tasks?project_id=-0"]
--- response_body eval
[main::ids(43, 42, 44, 45), main::ids(43, 42, 44, 45), main::ids(44, 45),
 main::ids(43, 42, 44, 45), main::ids(43, 42, 44, 45)]



=== an unknown status and an unknown project have no tasks
--- request eval
["GET /api/v1/tasks?status=paused", "GET /api/v1/tasks?project_id=7",
 "GET /api/v1/tasks?project_id=-1", "GET /api/v1/tasks?status=Running"]
--- response_json eval
[(main::success('[]')) x 4]



=== no task at all
--- put
--- request
GET /api/v1/tasks
--- response_json eval
main::success('[]')



=== limit=0 is an empty list
--- request
GET /api/v1/tasks?limit=0
--- response_json eval
main::success('[]')



=== a limit that is no integer
--- request eval
[map { "GET /api/v1/tasks?limit=$_" } qw(ten 1.5 1e1 %31x), '']
--- error_code eval
[(422) x 5]
--- response_json eval
[map { main::invalid('query', 'limit', $_) } qw(ten 1.5 1e1 1x), '']



=== a project that is no integer; the first mistake is told
--- request eval
["GET /api/v1/tasks?project_id=one", "GET /api/v1/tasks?limit=x&project_id=%22y%22"]
--- error_code eval
[422, 422]
--- response_json eval
[main::invalid('query', 'project_id', 'one'), main::invalid('query', 'project_id', '\"y\"')]



=== an id that is no integer
--- request eval
["GET /api/v1/tasks/abc", "POST /api/v1/tasks/4.2/cancel", "GET /api/v1/tasks/42x",
 "GET /api/v1/tasks/99999999999999999999"]
--- error_code eval
[(422) x 4]
--- response_json eval
[map { main::invalid('path', 'id', $_) } 'abc', '4.2', '42x', '99999999999999999999']



=== a cancel of a task that has ended
--- put
1 {"status":"completed","created_at":"2025-03-12T10:00:00"}
2 {"status":"failed","created_at":"2025-03-12T10:00:00"}
3 {"status":"cancelled","created_at":"2025-03-12T10:00:00"}
--- request eval
["POST /api/v1/tasks/1/cancel", "POST /api/v1/tasks/2/cancel", "POST /api/v1/tasks/3/cancel"]
--- error_code eval
[400, 400, 400]
--- response_json eval
[map { main::failure(400, "Cannot cancel task in $_ state") } qw(completed failed cancelled)]



=== a second cancel is refused
--- request eval
["POST /api/v1/tasks/42/cancel", "POST /api/v1/tasks/42/cancel"]
--- error_code eval
[200, 400]
--- response_json eval
[main::success('null', 'Task cancelled'),
 main::failure(400, 'Cannot cancel task in cancelled state')]



=== a task in a state that nobody knows can be cancelled
--- put
1 {"status":"paused","created_at":"2025-03-12T10:00:00"}
2 {"created_at":"2025-03-12T10:00:00"}
--- request eval
["POST /api/v1/tasks/1/cancel", "POST /api/v1/tasks/2/cancel",
 "GET /api/v1/tasks?status=cancelled"]
--- response_body_like eval
['"Task cancelled"', '"Task cancelled"', '"id":2.*"id":1']



=== a cancel of a missing task
--- request
POST /api/v1/tasks/99999/cancel
--- error_code: 404
--- response_body chomp
{"code":404,"message":"Task not found","data":null}



=== what a task has when it was written with nothing but its time
--- put
7 {"created_at":"2025-03-12T10:00:00"}
--- request eval
["GET /api/v1/tasks?status=pending", "GET /api/v1/tasks/7"]
--- response_body_like eval
['"data":\[\{"id":7,"status":"pending","progress":0,"total":0,"created_at":"2025-03-12T10:00:00"\}\]',
 '"data":\{"id":7,"status":"pending","progress":0,"total":0,"params":null,"result":null,"error_message":"","created_at":"2025-03-12T10:00:00","started_at":null,"completed_at":null\}']



=== created_at comes back byte for byte, whatever its precision and zone
--- put
1 {"created_at":"2025-03-12T10:00:00.123456"}
2 {"created_at":"2025-03-12T10:00:00.5Z"}
3 {"created_at":"2025-03-12T12:00:00.9+02:00"}
4 {"created_at":"2025-03-12 10:00:00.95"}
--- request
GET /api/v1/tasks
--- response_body_like: "id":4,[^}]*"created_at":"2025-03-12 10:00:00\.95"\},\{"id":3,[^}]*"2025-03-12T12:00:00\.9\+02:00"\},\{"id":2,[^}]*"2025-03-12T10:00:00\.5Z"\},\{"id":1,[^}]*"2025-03-12T10:00:00\.123456"\}\]



=== tasks of the same time: each one once, in the same order always
--- put
9 {"status":"running","created_at":"2025-03-12T10:00:00"}
10 {"status":"running","created_at":"2025-03-12T10:00:00"}
11 {"status":"running","created_at":"2025-03-12T10:00:00"}
1 {"status":"running","created_at":"2025-03-12T10:00:01"}
--- request eval
["GET /api/v1/tasks", "GET /api/v1/tasks?status=running", "GET /api/v1/tasks?limit=2"]
--- response_body eval
[main::ids(1, 9, 11, 10), main::ids(1, 9, 11, 10), main::ids(1, 9)]



=== fifty tasks unless asked for more
--- put eval
CORE::join '', map { sprintf qq(%d {"created_at":"2025-03-12T10:%02d:00"}\n), $_, $_ % 60 } 0 .. 59
--- request eval
["GET /api/v1/tasks", "GET /api/v1/tasks?limit=1000", "GET /api/v1/tasks?limit=51"]
--- response_body eval
[main::ids(CORE::reverse 10 .. 59), main::ids(CORE::reverse 0 .. 59), main::ids(CORE::reverse 9 .. 59)]



=== the last one of repeated parameters counts
--- request
GET /api/v1/tasks?limit=x&limit=1&status=failed&limit=2&status=
--- response_body eval
main::ids(43, 42)



=== a limit out of bounds
--- request eval
["GET /api/v1/tasks?limit=1001", "GET /api/v1/tasks?limit=-1"]
--- error_code eval
[422, 422]
--- response_json eval
[main::invalid('query', 'limit', '1001', 'less_than_equal', 'Input should be less than or equal to 1000'),
 main::invalid('query', 'limit', '-1', 'greater_than_equal', 'Input should be greater than or equal to 0')]



=== other methods and paths of the API
--- request eval
["POST /api/v1/tasks", "GET /api/v1/tasks/42/cancel", "DELETE /api/v1/tasks/42",
 "GET /api/v1/tasks/42/result"]
--- error_code eval
[405, 405, 405, 404]
--- response_json eval
[main::failure(405, 'Method not allowed'), main::failure(405, 'Method not allowed'),
 main::failure(405, 'Method not allowed'), main::failure(404, 'Not found')]



=== a store that cannot be reached
--- http_config
    tasks_store main { server unix:/nonexistent/redis.sock; }
--- request
GET /api/v1/tasks
--- error_code: 503
--- response_headers
Retry-After: 1
--- response_json eval
main::failure(503, 'The task store is unavailable')
--- error_log
cannot connect
