# The directive "tasks_openapi" and the response: what may be configured, and
# what HTTP makes of a document.

use lib 't/lib';
use Tasks 'no_plan';

our $SMALL = <<'END';
>>> t.json
{"name": "t", "id": "integer", "order": "id",
 "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "get", "path": "/{id}", "response": "$task"}]}
END


add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(api_file => $SMALL) unless defined $block->api_file;
    $block->set_value(config => <<'END') unless defined $block->config;
    location /openapi { tasks_api apis/t.json; tasks_openapi /t; }
END
});

sub servers { qr/^\{"openapi":"3\.1\.0","info":\{"title":"t","version":"[0-9a-f]{8}"\},"servers":\[\{"url":"\Q$_[0]\E"\}\]/ }

run_tests();

__DATA__

=== GET
--- request
GET /openapi
--- raw_response_headers_like chop
Content-Type: application/json\r.*ETag: "[0-9a-f]{32}"\r.*X-Content-Type-Options: nosniff\r
--- response_body_like eval
main::servers('/t')



=== HEAD has the headers of GET
--- request
HEAD /openapi
--- raw_response_headers_like chop
Content-Type: application/json\r.*Content-Length: [1-9]\d{3}\r.*ETag: "[0-9a-f]{32}"\r
--- response_body chop



=== nginx answers 304 to any ETag
--- request
GET /openapi
--- more_headers
If-None-Match: *
--- error_code: 304
--- response_body chop



=== to another ETag it does not
--- request
GET /openapi
--- more_headers
If-None-Match: "00000000000000000000000000000000"
--- error_code: 200



=== other methods
--- request eval
['POST /openapi', 'DELETE /openapi']
--- error_code eval
[405, 405]



=== a body is read, and the connection is kept
--- request eval
["GET /openapi\nsome body", 'GET /openapi']
--- error_code eval
[200, 200]



=== compressed
--- config
    gzip on; gzip_types *; gzip_min_length 1;
    location /openapi { tasks_api apis/t.json; tasks_openapi /t; }
--- request
GET /openapi
--- more_headers
Accept-Encoding: gzip
--- raw_response_headers_like chop
ETag: W/"[0-9a-f]{32}"\r.*Content-Encoding: gzip\r



=== in a subrequest
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /t; }
    location = /page.html { ssi on; }
--- user_files
>>> page.html
<<!--# include virtual="/openapi" -->>
--- request
GET /page.html
--- response_body_like
^<\{"openapi":.*\}>



=== the path is / by default
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi; }
--- request
GET /openapi
--- response_body_like eval
[main::servers('/')]



=== a definition of an outer level
--- http_config
    tasks_api apis/t.json;
--- config
    location /openapi { tasks_openapi /t; }
--- request
GET /openapi
--- response_body_like eval
[main::servers('/t')]



=== a slash at the end of the path counts as none
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a/t/; }
--- request
GET /openapi
--- response_body_like eval
main::servers('/a/t')



=== the last segment goes to the paths if one of these would be empty
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a/t; }
    location /root    { tasks_api apis/t.json; tasks_openapi; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id", "fields": {},
 "routes": [{"action": "list", "response": "$tasks"},
            {"action": "get", "path": "/{id}", "response": "$task"}]}
--- request eval
['GET /openapi', 'GET /root']
--- response_body_like eval
[qr{"servers":\[\{"url":"/a"\}\].*"paths":\{"/t":\{.*"/t/\{id\}":\{},
 qr{"servers":\[\{"url":"/"\}\].*"paths":\{"/":\{.*"/\{id\}":\{}]



=== of a path that is not served nothing is said
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id", "fields": {},
 "routes": [{"action": "get", "path": "/{id}", "response": "$task"},
            {"action": "none"}, {"action": "none", "path": "/stats"}]}
--- request
GET /openapi
--- response_body_like eval
qr{"url":"/a"\}.*"paths":\{"/\{id\}":\{"get":\{(?!.*stats)}



=== paths that differ in names of parameters are one
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id",
 "fields": {"kind": {"type": "string", "filter": true},
            "status": {"type": "string"}},
 "cancel": {"from": ["new"], "set": {"status": "off"}},
 "routes": [{"action": "list", "path": "/{kind}", "response": "$tasks",
             "path_parameters": {"kind": {"filter": "kind"}}},
            {"action": "cancel", "path": "/{id}"}]}
--- request
GET /openapi
--- response_body_like eval
qr/"paths":\{"\/\{kind\}":\{"get":\{.*"post":\{[^{]*"parameters":\[\{"name":"kind","in":"path"[^]]*"x-tasks-role":"id"\}\](?!.*\{id\})/



=== names of operations: by a word of the path, and no more of it
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id",
 "fields": {"project": {"type": "string", "filter": true}},
 "routes": [{"action": "list", "response": "$tasks"},
            {"action": "list", "path": "/projects/{project_identifier_or_slug_of_the_one}",
             "path_parameters": {"project_identifier_or_slug_of_the_one": {"filter": "project"}},
             "response": "$tasks"}]}
--- request
GET /openapi
--- response_body_like eval
qr/"operationId":"listTasks".*"operationId":"listTasksProjects"/



=== what stands in a path is encoded
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id", "fields": {},
 "routes": [{"action": "list", "path": "/50% of?", "response": "$tasks"}]}
--- request
GET /openapi
--- response_body_like eval
qr{"paths":\{"/50%25%20of%3F":\{}



=== patterns: only those that ECMA-262 knows
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id", "fields": {},
 "routes": [{"action": "list", "path": "/x", "response": "$tasks", "query": {
   "y1": {"pattern": "^(?:a|b+?)[^\\]x]{1,2}\\d\\.$"},
   "y2": {"pattern": "^(?=a)a(?!b)[a-z0-9._-]+$"},
   "n1": {"pattern": "(?i)a"}, "n2": {"pattern": "(?<x>a)"},
   "n3": {"pattern": "\\Aa"}, "n4": {"pattern": "[[:alpha:]]"},
   "n5": {"pattern": "a++"}, "n6": {"pattern": "[]a]"},
   "n7": {"pattern": "(*UTF)a"}, "n8": {"pattern": "(?>a)"},
   "n9": {"pattern": "\\x{61}"}}}]}
--- request
GET /openapi
--- response_body_like eval
qr/^(?!(?:.*"pattern"){3}).*"name":"y1"[^}]*"pattern".*"name":"y2"[^}]*"pattern".*"name":"n1"/



=== no store is needed
--- http_config
    tasks_store main { server unix:none.sock; }
--- request
GET /openapi
--- error_code: 200



=== without a definition
--- config
    location /t { tasks_openapi; }
--- must_die: 1
--- error_log
no "tasks_api" for location "/t"



=== twice
--- config
    location /t { tasks_api apis/t.json; tasks_openapi; tasks_openapi /t; }
--- must_die: 1
--- error_log
"tasks_openapi" directive is duplicate



=== two paths
--- config
    location /t { tasks_api apis/t.json; tasks_openapi /a /b; }
--- must_die: 1
--- error_log
invalid number of arguments in "tasks_openapi" directive



=== in server
--- config
    tasks_openapi /t;
--- must_die: 1
--- error_log
"tasks_openapi" directive is not allowed here



=== a path that does not begin with a slash
--- config
    location /t { tasks_api apis/t.json; tasks_openapi t; }
--- must_die: 1
--- error_log
"t" must be a path, as "/api/tasks" in



=== a path with a query
--- config
    location /t { tasks_api apis/t.json; tasks_openapi /t?a; }
--- must_die: 1
--- error_log
"/t?a" must be a path



=== a path with braces
--- config
    location /t { tasks_api apis/t.json; tasks_openapi "/{t}"; }
--- must_die: 1
--- error_log
"/{t}" must be a path



=== a path that is not of an address
--- config
    location /t { tasks_api apis/t.json; tasks_openapi "/a b"; }
--- must_die: 1
--- error_log
"/a b" must be a path



=== an empty path
--- config
    location /t { tasks_api apis/t.json; tasks_openapi ""; }
--- must_die: 1
--- error_log
"" must be a path



=== a format that is none
--- config
    location /openapi { tasks_api apis/t.json; tasks_openapi /a; }
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "id",
 "fields": {"n": {"type": "integer", "format": 64}},
 "routes": [{"action": "list", "response": "$tasks"}]}
--- must_die: 1
--- error_log
$.fields.n.format: must be a string
