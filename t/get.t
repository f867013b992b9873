# One task by its id.

use lib 't/lib';
use Tasks 'no_plan';

# What a detail shows of each kind of field; ids are strings of some form.

my $views = <<'END';
>>> t.json
{"name": "t", "order": "n",
 "id": {"type": "string", "name": "task_id", "pattern": "^[^!]*$", "max_length": 12},
 "fields": {
    "n":    {"type": "integer"},
    "all":  {"type": "any"},
    "list": {"type": "any", "view": "list"},
    "hide": {"type": "any", "view": "none"},
    "only": {"type": "any", "view": "detail"},
    "none": {"type": "any", "view": "detail", "default": null},
    "text": {"type": "string", "default": "a \"b\" \u00e9"},
    "deep": {"type": "object", "default": {"a": [1, 2.5, true], "b": {}}}},
 "routes": [{"action": "list", "path": "", "response": "$tasks"},
            {"action": "get", "path": "/latest/{id}", "status": 203, "content_type": "application/vnd.task+json",
             "response": {"is": "$id", "task": "$task"}},
            {"action": "get", "path": "/{id}", "response": "$task"}]}
END

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(api => 't') unless defined $block->api;
    $block->set_value(api_file => $views) unless defined $block->api_file;
    $block->set_value(config => <<'END') unless defined $block->config;
    location /t { tasks_api apis/t.json; tasks_pass main; }
END
});

my $rest = '"none":null,"text":"a \"b\" é","deep":{"a":[1,2.5,true],"b":{}}}';
sub task { my ($id, $n) = @_; return qq({"task_id":"$id","n":$n,$rest) }

run_tests();

__DATA__

=== every field of the detail view, as it was written
--- api: omelette
--- put
42 {"project_id":1,"task_type":"search","status":"running","progress":30,"created_at":"2025-03-12T10:00:00","params":{"q": 1.10}}
--- config
    location /api/v1/tasks { tasks_api apis/omelette.json; tasks_pass main; }
--- request
GET /api/v1/tasks/42
--- response_body_like: ^\{"code":200,"message":"success","data":\{"id":42,"project_id":1,.*"params":\{"q": 1\.10\},"result":null,"error_message":""



=== views: what list and detail show of the same task
--- put
a {"n":1,"all":1,"list":2,"hide":3,"only":4,"none":5,"text":"","deep":{}}
--- request eval
["GET /t/a", "GET /t"]
--- response_body eval
['{"task_id":"a","n":1,"all":1,"only":4,"none":5,"text":"","deep":{}}',
 '[{"task_id":"a","n":1,"all":1,"list":2,"text":"","deep":{}}]']



=== absent: a default, null, or left out; null is absent
--- put
a {"n":1}
b {"n":1,"all":null,"only":null,"none":null,"text":null,"deep":null}
--- request eval
["GET /t/a", "GET /t/b", "GET /t"]
--- response_body eval
[main::task('a', 1), main::task('b', 1),
 CORE::join ',', map { s/"none":null,//r } '[' . main::task('a', 1), main::task('b', 1) . ']']



=== what is cleared is absent again
--- put
a {"n":1,"all":"x","only":"y","none":"z"}
a {"all":null,"only":null,"none":null}
--- request
GET /t/a
--- response_body eval: main::task('a', 1)



=== bytes stay as they were written
--- put eval
"a {\"n\":9007199254740991, \"all\":[1.10,1E2, -0.0,9223372036854775807],\"only\":{\"a\":1,\"a\":\"\\/\\u00e9\\u2028\"},"
. "\"none\":\"\xe2\x80\xa8\x7f\xf0\x9f\x98\x80\",\"text\":\"\\ud83d\\ude00\",\"deep\":{ \"x\" :\t1 }}\n"
--- request
GET /t/a
--- response_body eval
"{\"task_id\":\"a\",\"n\":9007199254740991,\"all\":[1.10,1E2, -0.0,9223372036854775807],\"only\":{\"a\":1,\"a\":\"\\/\\u00e9\\u2028\"},"
. "\"none\":\"\xe2\x80\xa8\x7f\xf0\x9f\x98\x80\",\"text\":\"\\ud83d\\ude00\",\"deep\":{ \"x\" :\t1 }}"



=== a value larger than all buffers
--- put eval
qq(a {"n":1,"all":") . 'x' x 1000000 . qq("}\n)
--- request
GET /t/a
--- response_body eval
'{"task_id":"a","n":1,"all":"' . 'x' x 1000000 . '",' . main::task("a", 1) =~ s/^.*?"n":1,//r



=== a task that is not there, one removed, one whose writer only reserved a key
--- put
a {"n":1}
b {"n":1}
--- redis
--- redis_after_start
FCALL t_remove 1 tasks:{t} a
HSET tasks:{t}:task:c all 1
--- request eval
["GET /t/a", "GET /t/b", "GET /t/c", "GET /t/d"]
--- error_code eval
[404, 200, 404, 404]
--- response_body eval
[map { $_ eq 'b' ? main::task('b', 1) : '{"error":"Task not found"}' } 'a' .. 'd']



=== ids of any form, percent-encoded or not
--- redis
FCALL t_put 1 tasks:{t} "a b" n 1
FCALL t_put 1 tasks:{t} "a:b*{}" n 2
FCALL t_put 1 tasks:{t} "ä" n 3
FCALL t_put 1 tasks:{t} "\"\\" n 4
FCALL t_put 1 tasks:{t} "%41" n 5
FCALL t_put 1 tasks:{t} "a+b" n 6
FCALL t_put 1 tasks:{t} "?#&=" n 7
FCALL t_put 1 tasks:{t} "..." n 8
--- request eval
[map { "GET /t/$_" } 'a%20b', 'a:b*{}', '%61%3Ab%2a%7B%7d', '%c3%a4', "\xc3\xa4", '%22%5C', '%2541', 'a+b', 'a%2Bb',
                     '%3F%23%26=?x', '...']
--- response_body eval
[main::task('a b', 1), (main::task('a:b*{}', 2)) x 2, (main::task("\xc3\xa4", 3)) x 2, main::task('\"\\\\', 4),
 main::task('%41', 5), (main::task('a+b', 6)) x 2, main::task('?#&=', 7), main::task('...', 8)]



=== ids that are none
--- request eval
[map { "GET /t/$_" } 'no!', 'x' x 13, '%ff', '%C0%AF', '%ED%A0%80', '%0A', '%7f', '%01', '%c3%a4' x 7]
--- error_code eval
[(400) x 9]
--- response_json eval
[map { qq({"error":"id $_"}) =~ s/"id /"task_id /r } 'does not have the right form', 'is too long',
 ('is not of the right type') x 6, 'is too long']



=== the longest id
--- put
123456789012 {"n":1}
--- request eval
["GET /t/123456789012", "GET /t/%c3%a4%c3%a4%c3%a4%c3%a4%c3%a4%c3%a4"]
--- error_code eval
[200, 404]



=== a zero byte and a path that leaves the location are refused by nginx
--- request eval
["GET /t/a%00", "GET /t/a%00b", "GET /t/../../a"]
--- error_code eval
[400, 400, 400]



=== segments: none, empty, too many, slashes
--- put
a {"n":1}
latest {"n":2}
--- request eval
["GET /t/", "GET /t/a/", "GET /t//a", "GET /t/./a", "GET /t/x/../a", "GET /t/a/b/c", "GET /t/a%2Fb", "GET /t/latest",
 "GET /t/" . "a/" x 100]
--- error_code eval
[404, 404, 200, 200, 200, 404, 404, 200, 404]



=== another route to the same action: a literal segment wins
--- put
a {"n":1}
--- request eval
["GET /t/latest/a", "GET /t/latest/b"]
--- error_code eval
[203, 404]
--- response_headers eval
["Content-Type: application/vnd.task+json", "Content-Type: application/json"]
--- response_body eval
['{"is":"a","task":' . main::task('a', 1) . '}', '{"error":"Task not found"}']



=== integer ids: as numbers, in their canonical form
--- api_file
>>> t.json
{"name": "t", "id": {"type": "integer", "minimum": -5}, "order": "n", "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "get", "path": "/{id}", "response": {"id": "$id", "text": "id $id", "task": "$task"}}]}
--- put
7 {"n":1}
-5 {"n":2}
0 {"n":3}
9223372036854775807 {"n":4}
--- request eval
[map { "GET /t/$_" } qw(7 007 %2B7 -5 -0 9223372036854775807 -6)]
--- error_code eval
[(200) x 6, 400]
--- response_body eval
[(map { qq({"id":$_->[0],"text":"id $_->[0]","task":{"id":$_->[0],"n":$_->[1]}}) }
 [7, 1], [7, 1], [7, 1], [-5, 2], [0, 3], ['9223372036854775807', 4]), '{"error":"id is too small"}']



=== the id in one view only, or in none
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer", "view": "none"}},
 "routes": [{"action": "get", "path": "/{id}", "response": {"data": "$task"}},
            {"action": "list", "path": "", "response": "$tasks"}]}
--- put
1 {"n":1}
--- request eval
["GET /t/1", "GET /t"]
--- response_body eval
['{"data":{"id":1}}', '[{"id":1}]']



=== the same id in two scopes
--- config
    location /t { tasks_api apis/t.json; tasks_scope $http_x_user; tasks_pass main; }
--- redis
FCALL t_put 1 tasks:{t:a} x n 1
FCALL t_put 1 tasks:{t:b} x n 2
FCALL t_put 1 tasks:{t} x n 3
--- request eval
[("GET /t/x") x 4]
--- more_headers eval
["X-User: a", "X-User: b", "X-User: c", ""]
--- error_code eval
[200, 200, 404, 401]
--- response_body_like eval
['"n":1', '"n":2', 'not found', 'Unauthorized']
