# Parameters of the query and the path, what is said about bad ones, and the
# templates of responses and errors.

use lib 't/lib';
use Tasks 'no_plan';

use Tasks::JWT;

# Echoes what became of a parameter: with a filter per type, the list tells
# which task matched.

my $head = '"id": "integer", "order": "n", "fields": {
    "n": {"type": "integer"},
    "i": {"type": "integer", "filter": true},
    "s": {"type": "string", "filter": true},
    "b": {"type": "boolean", "filter": true}}';

my $errors = '"errors": {
    "default": {"body": {"class": "$status", "code": "$code", "rule": "$rule",
        "in": "$location", "of": "$parameter", "value": "$value",
        "message": "$message"}},
    "bad_parameter": {"rules": {"minimum": "$parameter=$value is low"}},
    "forbidden": {"status": 403, "message": "No $parameter for you"}}';

sub api {
    my ($query, $response, $top) = @_;
    $response //= '"$tasks"';
    $top = $top ? "$top," : '';
    return <<"END";
>>> t.json
{"name": "t", $head, $top $errors,
 "routes": [{"action": "list", "path": "", "query": {$query}, "response": $response},
            {"action": "get", "path": "/{id}", "response": "\$task"}]}
END
}

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(api => 't');
    $block->set_value(api_file => api(scalar $block->query,
                                      scalar $block->response, scalar $block->top))
        unless defined $block->api_file;
    $block->set_value(config => <<'END') unless defined $block->config;
    location /t { tasks_api apis/t.json; tasks_pass main; }
END
});

sub row { my ($id, $rest) = @_; qq({"id":$id,"n":$id$rest}) }

# What is said about a parameter.
sub bad {
    my ($rule, $of, $value, $message, %more) = @_;
    my $code = $more{code} ? qq("$more{code}") : 'null';
    my $status = $more{status} // 400;
    $value = defined $value ? qq("$value") : 'null';
    return qq({"class":$status,"code":$code,"rule":"$rule","in":"query","of":"$of",)
        . qq("value":$value,"message":"$message"});
}

run_tests();

__DATA__

=== integers
--- query: "i": {"type": "integer", "filter": "i"}
--- put
1 {"n":1,"i":5}
2 {"n":2,"i":-5}
3 {"n":3,"i":0}
4 {"n":4,"i":9223372036854775807}
5 {"n":5,"i":-9223372036854775808}
--- request eval
[map { "GET /t?i=$_" } qw(5 -5 0 -0 005 %2B5 9223372036854775807 -9223372036854775808)]
--- response_body eval
['[' . main::row(1, ',"i":5') . ']', '[' . main::row(2, ',"i":-5') . ']',
 ('[' . main::row(3, ',"i":0') . ']') x 2, ('[' . main::row(1, ',"i":5') . ']') x 2,
 '[' . main::row(4, ',"i":9223372036854775807') . ']',
 '[' . main::row(5, ',"i":-9223372036854775808') . ']']



=== no integers
--- query: "i": {"type": "integer", "filter": "i"}
--- request eval
[map { "GET /t?i=$_" } '', '-', '%2B', '1.0', '1e3', '0x1', '1%00', '+1', '1+', '--1',
                       '9223372036854775808', '-9223372036854775809', '99999999999999999999999', 'NaN']
--- error_code eval
[(400) x 14]
--- response_json eval
[map { main::bad('type', 'i', $_, 'i is not of the right type') }
 '', '-', '+', '1.0', '1e3', '0x1', '1\u0000', ' 1', '1 ', '--1', '9223372036854775808',
 '-9223372036854775809', '99999999999999999999999', 'NaN']



=== booleans
--- query: "b": {"type": "boolean", "filter": "b"}
--- put
1 {"n":1,"b":true}
2 {"n":2,"b":false}
--- request eval
[map { "GET /t?b=$_" } qw(true 1 false 0 %74rue)]
--- response_body eval
[('[' . main::row(1, ',"b":true') . ']') x 2, ('[' . main::row(2, ',"b":false') . ']') x 2,
 '[' . main::row(1, ',"b":true') . ']']



=== no booleans
--- query: "b": {"type": "boolean", "filter": "b"}
--- request eval
[map { "GET /t?b=$_" } '', 'yes', 'TRUE', '2', 'true+', '01']
--- error_code eval
[(400) x 6]
--- response_json eval
[map { main::bad('type', 'b', $_, 'b is not of the right type') } '', 'yes', 'TRUE', '2', 'true ', '01']



=== strings: not longer than they may be, and well-formed
--- query: "s": {"type": "string", "filter": "s", "max_length": 4}
--- request eval
["GET /t?s=abcd", "GET /t?s=abcde", "GET /t?s=%C3%A4%C3%A4", "GET /t?s=%C3%A4%C3%A4a",
 "GET /t?s=%ff", "GET /t?s=a%0Ab", "GET /t?s=%00", "GET /t?s=%ED%A0%80", "GET /t?s="]
--- error_code eval
[200, 400, 200, 400, 400, 400, 400, 400, 200]
--- response_json eval
['[]', main::bad('max_length', 's', 'abcde', 's is too long'), '[]',
 main::bad('max_length', 's', 'ääa', 's is too long'),
 main::bad('type', 's', "\xef\xbf\xbd", 's is not of the right type'),
 main::bad('type', 's', 'a\nb', 's is not of the right type'),
 main::bad('type', 's', '\u0000', 's is not of the right type'),
 main::bad('type', 's', "\xef\xbf\xbd" x 3, 's is not of the right type'), '[]']



=== 255 bytes unless it says more
--- query: "s": {"type": "string", "filter": "s"}, "l": {"max_length": 1024}
--- request eval
["GET /t?s=" . 'x' x 255, "GET /t?s=" . 'x' x 256, "GET /t?l=" . 'x' x 1024, "GET /t?l=" . 'x' x 1025]
--- error_code eval
[200, 400, 200, 400]



=== bounds
--- query: "i": {"type": "integer", "minimum": -1, "maximum": 10}
--- request eval
[map { "GET /t?i=$_" } -1, 10, -2, 11, 0]
--- error_code eval
[200, 200, 400, 400, 200]
--- response_json eval
['[]', '[]', main::bad('minimum', 'i', '-2', 'i=-2 is low'), main::bad('maximum', 'i', '11', 'i is too large'),
 '[]']



=== enum
--- query: "s": {"type": "string", "enum": ["a", "b c", ""]}, "i": {"type": "integer", "enum": [1, 10]}
--- request eval
["GET /t?s=a&i=1", "GET /t?s=b+c", "GET /t?s=", "GET /t?s=A", "GET /t?i=2", "GET /t?i=10", "GET /t?i=010"]
--- error_code eval
[200, 200, 200, 400, 400, 200, 200]
--- response_json eval
['[]', '[]', '[]', main::bad('enum', 's', 'A', 's is not one of the allowed values'),
 main::bad('enum', 'i', '2', 'i is not one of the allowed values'), '[]', '[]']



=== pattern
--- query: "s": {"type": "string", "pattern": "^[a-z]+(-[0-9]{2})?\\z"}
--- request eval
["GET /t?s=ab-12", "GET /t?s=ab-1", "GET /t?s=", "GET /t?s=ab-123"]
--- error_code eval
[200, 400, 400, 400]
--- response_json eval
['[]', map { main::bad('pattern', 's', $_, 's does not have the right form') } 'ab-1', '', 'ab-123']



=== required, default and absent_if
--- query
"s": {"type": "string", "filter": "s", "required": true, "absent_if": ["all"]},
"i": {"type": "integer", "filter": "i", "default": 7, "absent_if": [0, "any"]},
"b": {"type": "boolean", "filter": "b", "absent_if": [""]}
--- put
1 {"n":1,"s":"x","i":7,"b":true}
2 {"n":2,"s":"x","i":0,"b":false}
--- request eval
["GET /t?s=x", "GET /t", "GET /t?s=all", "GET /t?s=x&i=0", "GET /t?s=x&i=any", "GET /t?s=x&i=00&b=",
 "GET /t?s=x&b", "GET /t?s=", "GET /t?s=x&b=false"]
--- error_code eval
[200, 400, 400, 200, 200, 200, 200, 200, 200]
--- response_json eval
['[' . main::row(1, ',"s":"x","i":7,"b":true') . ']', main::bad('required', 's', undef, 's is required'),
 main::bad('required', 's', 'all', 's is required'),
 ('[' . main::row(1, ',"s":"x","i":7,"b":true') . ']') x 4, '[]', '[]']



=== absent without a default: no filter
--- query
"i": {"type": "integer", "filter": "i", "absent_if": [0]}
--- put
1 {"n":1,"i":7}
2 {"n":2,"i":0}
--- request eval
["GET /t?i=0", "GET /t?i=-0", "GET /t?i=7", "GET /t"]
--- response_body eval
my $both = '[' . main::row(1, ',"i":7') . ',' . main::row(2, ',"i":0') . ']';
[$both, $both, '[' . main::row(1, ',"i":7') . ']', $both]



=== repeated: the first one counts
--- query: "i": {"type": "integer", "filter": "i"}
--- put
1 {"n":1,"i":1}
--- request eval
["GET /t?i=1&i=x", "GET /t?i=x&i=1", "GET /t?i=1&%69=2"]
--- error_code eval
[200, 400, 200]



=== repeated: the last one
--- query: "i": {"type": "integer", "filter": "i"}
--- top: "repeated": "last"
--- request eval
["GET /t?i=1&i=x", "GET /t?i=x&i=1", "GET /t?i=1&i"]
--- error_code eval
[400, 200, 400]



=== repeated: an error
--- query: "i": {"type": "integer", "filter": "i", "errors": {"repeated": {"message": "one $parameter, please", "code": "twice"}}}, "s": {}
--- top: "repeated": "error"
--- request eval
["GET /t?i=1&i=1", "GET /t?i=1", "GET /t?s=&s=", "GET /t?x=1&x=2"]
--- error_code eval
[400, 200, 400, 200]
--- response_json eval
[main::bad('repeated', 'i', '1', 'one i, please', code => 'twice'), '[]',
 main::bad('repeated', 's', '', 's is given more than once'), '[]']



=== encoding: names, spaces, broken sequences
--- query: "a b&=": {"type": "string", "filter": "s"}
--- put
1 {"n":1,"s":"x y"}
2 {"n":2,"s":"%"}
3 {"n":3,"s":"%4"}
4 {"n":4,"s":"%zz"}
5 {"n":5,"s":"x=y?z/#"}
--- request eval
[map { "GET /t?$_" } 'a+b%26%3D=x+y', 'a%20b%26%3d=x%20y', 'a+b%26%3D=%', 'a+b%26%3D=%4', 'a+b%26%3D=%zz',
                     'a+b%26%3D=x=y?z/%23', '&&a+b%26%3D=%25&', '=&a+b%26%3D=%2']
--- response_body_like eval
[map { $_ ? qq(^\\[\\{"id":$_,[^}]*\\}\\]\$) : '^\[\]$' } 1, 1, 2, 3, 4, 5, 2, 0]



=== unknown parameters do not matter
--- query: "i": {"type": "integer"}
--- request eval
["GET /t?x=%ff&I=x&i[]=x&i%00=x&=&&", "GET /t?", "GET /t?id=x"]
--- error_code eval
[200, 200, 200]



=== a wrong type is told first, then the first one as declared
--- query: "s": {"type": "string", "required": true}, "i": {"type": "integer", "minimum": 5}, "b": {"type": "boolean"}
--- request eval
["GET /t?b=x&i=1", "GET /t?b=x&i=y", "GET /t?i=1", "GET /t?i=1&s=a"]
--- error_code eval
[(400) x 4]
--- response_json eval
[main::bad('type', 'b', 'x', 'b is not of the right type'), main::bad('type', 'i', 'y', 'i is not of the right type'),
 main::bad('required', 's', undef, 's is required'), main::bad('minimum', 'i', '1', 'i=1 is low')]



=== messages, codes and classes of their own
--- query
"i": {"type": "integer", "minimum": 1, "maximum": 5, "errors": {
    "type":    "\"$value\" $$ ${parameter}s",
    "minimum": {"code": "low", "message": "at least 1, not $value"},
    "maximum": {"code": "high", "class": "forbidden"}}},
"s": {"required": true, "errors": {"required": {"class": "not_found", "message": "no $parameter", "code": "none"}}}
--- request eval
["GET /t?i=%22&s=", "GET /t?i=0&s=", "GET /t?i=6&s=", "GET /t?i=5"]
--- error_code eval
[400, 400, 403, 404]
--- response_json eval
[main::bad('type', 'i', '\"', '\"\"\" $ is'), main::bad('minimum', 'i', '0', 'at least 1, not 0', code => 'low'),
 main::bad('maximum', 'i', '6', 'No i for you', code => 'high', status => 403),
 main::bad('required', 's', undef, 'no s', code => 'none', status => 404)]



=== parameters of the path
--- api_file
>>> t.json
{"name": "t", "id": {"type": "string", "pattern": "^[a-z]+$", "max_length": 3}, "order": "n",
 "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "get", "path": "/{kind}/{id}", "response": "$task",
   "path_parameters": {"kind": {"type": "integer", "maximum": 3, "errors": {"maximum": "which $parameter?"}}}}],
 "errors": {"bad_parameter": {"body": ["$location", "$parameter", "$rule", "$message", "$value"]}}}
--- put
abc {"n":1}
--- request eval
["GET /t/1/abc", "GET /t/4/abc", "GET /t/x/abcd", "GET /t/1/abcd", "GET /t/1/ABC", "GET /t/4/ABC", "GET /t//abc"]
--- error_code eval
[200, (400) x 5, 404]
--- response_json eval
['{"id":"abc","n":1}', '["path","kind","maximum","which kind?","4"]',
 '["path","kind","type","kind is not of the right type","x"]', '["path","id","max_length","id is too long","abcd"]',
 '["path","id","pattern","id does not have the right form","ABC"]', '["path","kind","maximum","which kind?","4"]',
 '{"error":"Not found"}']



=== a template: nested, with members left out, with dollars and text
--- query: "c": {"role": "cursor", "absent_if": [""]}, "l": {"type": "integer", "role": "limit", "absent_if": [0]}
--- response
{"a": {"b": [{"items": "$tasks", "next": "$next_cursor?"}, [], {}, "$total"]},
 "first": {"l": "$limit?", "x": 1, "c": "$next_cursor?"}, "only": {"n": "$next_cursor?"},
 "text": "$total of ${total}s, $$5 $$total, $limit?", "none": "$next_cursor", "limit": "$limit",
 "plain": [1, -1.5, true, false, null, "", "\u00e9\"\\\n\u0001/"], "now": "$now", "seconds": "$now_seconds",
 "naive": "$now_naive", "status": "$status", "$x": "a$$", "last": "$limit?"}
--- put
1 {"n":1}
2 {"n":2}
--- request eval
["GET /t", "GET /t?l=1"]
--- response_json eval
my $rest = '"plain":[1,-1.5,true,false,null,"","\u00e9\"\\\\\n\u0001/"],"now":"<now>","seconds":"<now>","naive":"<now>","status":200,"$x":"a$"';
my $cursor = 'ODAwMDAwMDAwMDAwMDE6MQ';
[qq({"a":{"b":[{"items":[{"id":1,"n":1},{"id":2,"n":2}]},[],{},2]},"first":{"x":1},"only":{},
    "text":"2 of 2s, \$5 \$total, ?","none":null,"limit":null,$rest}),
 qq({"a":{"b":[{"items":[{"id":1,"n":1}],"next":"<any>"},[],{},2]},"first":{"l":1,"x":1,"c":"<any>"},
    "only":{"n":"<any>"},"text":"2 of 2s, \$5 \$total, 1?","none":"<any>","limit":1,$rest,"last":1})]



=== members that are left out leave no comma behind
--- query: "c": {"role": "cursor", "absent_if": [""]}
--- response: {"a": "$next_cursor?", "b": "$next_cursor?", "c": 1, "d": "$next_cursor?", "e": {"f": "$limit?"}, "g": {"h": "$limit?", "i": "$limit?", "j": 2}}
--- request
GET /t
--- response_body chomp
{"c":1,"e":{},"g":{"j":2}}



=== variables of nginx
--- query
--- response: {"host": "$host", "x": "$arg_x", "y": "$arg_y?", "text": "<$arg_x|$arg_y|${http_x_a}>", "uuid": "$request_id", "uri": "$request_uri", "case": "$HOST"}
--- request
GET /t?x=1"%22
--- more_headers
Host: Example.org
X-A: b"c
--- response_body_like: ^\{"host":"example.org","x":"1\\"%22","text":"<1\\"%22\|\|b\\"c>","uuid":"[0-9a-f]{32}","uri":"/t\?x=1\\"%22","case":"example.org"\}$



=== hostile values in JSON
--- query
"s": {"pattern": "^$", "errors": {"pattern": "<$value>"}},
"t": {"pattern": "^$", "errors": {"pattern": "$http_x_a"}}
--- request eval
["GET /t?s=%22%7D%5C%2F", "GET /t?s=%01%1f%7f", "GET /t?s=%c0%af%f0%9f%98%80%ed%a0%80x", "GET /t?s=%e2%80%a8",
 "GET /t?s=a%c3", "GET /t?t=x"]
--- more_headers eval
[("X-B: 1") x 5, "X-A: \xff\"\\\t\x01"]
--- error_code eval
[(400) x 6]
--- response_body eval
['{"class":400,"code":null,"rule":"pattern","in":"query","of":"s","value":"\"}\\\\/","message":"<\"}\\\\/>"}',
 qq({"class":400,"code":null,"rule":"type","in":"query","of":"s","value":"\\u0001\\u001f\x7f","message":"s is not of the right type"}),
 qq({"class":400,"code":null,"rule":"type","in":"query","of":"s","value":"\xef\xbf\xbd\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx","message":"s is not of the right type"}),
 qq({"class":400,"code":null,"rule":"pattern","in":"query","of":"s","value":"\xe2\x80\xa8","message":"<\xe2\x80\xa8>"}),
 qq({"class":400,"code":null,"rule":"type","in":"query","of":"s","value":"a\xef\xbf\xbd","message":"s is not of the right type"}),
 qq({"class":400,"code":null,"rule":"pattern","in":"query","of":"t","value":"x","message":"\xef\xbf\xbd\\"\\\\\\u0009\\u0001"})]



=== errors as plain text, with headers, by route and in general
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}},
 "routes": [
  {"action": "list", "path": "", "query": {"i": {"type": "integer"}}, "response": "$tasks",
   "errors": {"bad_parameter": {"status": 418, "headers": {"X-Why": "list", "X-More": "$no"}}}},
  {"action": "get", "path": "/{id}", "response": "$task",
   "errors": {"default": {"body": {"m": "$message"}}, "not_found": {"message": "no $id here"}}}],
 "errors": {"default": {"text": "Oh: $message ($status)\n", "headers": {"X-Why": "any"}},
            "no_route": {"body": null, "content_type": "application/problem+json"}}}
--- request eval
["GET /t?i=<x>", "GET /t/5", "GET /t/x", "GET /t/5/6", "PUT /t"]
--- error_code eval
[418, 404, 400, 404, 405]
--- response_headers eval
["X-Why: list\nX-More: \$no\nContent-Type: text/plain; charset=utf-8\nX-Content-Type-Options: nosniff",
 "X-Why: any\nContent-Type: application/json", "Content-Type: application/json",
 "X-Why: any\nContent-Type: application/problem+json", "Allow: GET, HEAD\nContent-Type: text/plain; charset=utf-8"]
--- response_body eval
["Oh: i is not of the right type (418)\n", '{"m":"no 5 here"}', '{"m":"id is not of the right type"}', 'null',
 "Oh: Method not allowed (405)\n"]



=== status 200 for everything
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "list", "path": "", "query": {"i": {"type": "integer"}}, "response": {"code": 0, "data": "$tasks"}},
            {"action": "get", "path": "/{id}", "response": {"code": 0, "data": "$task"}}],
 "errors": {"default": {"status": 200, "body": {"code": 50000, "msg": "$message"}},
            "not_found": {"body": {"code": 40400, "msg": "$message"}}}}
--- request eval
["GET /t", "GET /t?i=x", "GET /t/5", "GET /t/5/6", "POST /t"]
--- response_json eval
['{"code":0,"data":[]}', '{"code":50000,"msg":"i is not of the right type"}', '{"code":40400,"msg":"Task not found"}',
 '{"code":50000,"msg":"Not found"}', '{"code":50000,"msg":"Method not allowed"}']



=== scope before parameters
--- query: "i": {"type": "integer"}
--- config
    location /t { tasks_api apis/t.json; tasks_scope $http_x_user; tasks_pass main; }
--- request eval
["GET /t?i=x", "GET /t/x", "GET /t/1/2", "GET /t?i=x"]
--- more_headers eval
[("X-Other: 1") x 3, "X-User: 1"]
--- error_code eval
[401, 401, 404, 400]



=== a uuid of an enum, in whatever case both are written
--- query: "u": {"type": "uuid", "enum": ["0B4E7CB6-5b4c-4a1c-a2bb-ee1fa8c3d370"]}
--- request eval
[map { "GET /t?u=$_" } '0b4e7cb6-5b4c-4a1c-a2bb-ee1fa8c3d370',
 '0B4E7CB6-5B4C-4A1C-A2BB-EE1FA8C3D370', '0b4e7cb6-5b4c-4a1c-a2bb-ee1fa8c3d371']
--- error_code eval
[200, 200, 400]



=== a default is not preferred to what was sent for the same field
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"}, "s": {"type": "string", "filter": true}},
 "routes": [{"action": "list", "path": "", "response": "$tasks",
             "query": {"s": {"filter": "s"},
                       "tab": {"default": "open", "choices": {"open": {"filters": {"s": ["a", "b"]}}, "all": {}}}}},
            {"action": "list", "path": "/of/{s}", "response": "$tasks",
             "path_parameters": {"s": {"filter": "s"}}, "query": {"s": {"filter": "s", "default": "a"}}}]}
--- put
1 {"n":1,"s":"a"}
2 {"n":2,"s":"b"}
3 {"n":3,"s":"c"}
--- request eval
["GET /t", "GET /t?s=c", "GET /t?s=c&tab=all", "GET /t?s=c&tab=open", "GET /t/of/c", "GET /t/of/c?s=b"]
--- response_body eval
my @row = map { main::row($_, ',"s":"' . (qw(a b c))[$_ - 1] . '"') } 1 .. 3;
["[$row[0],$row[1]]", "[$row[2]]", "[$row[2]]", "[$row[0],$row[1]]", "[$row[2]]", "[$row[1]]"]



=== a default of several values
--- query: "s": {"filter": "s", "multiple": "comma", "default": "a,c"}
--- put
1 {"n":1,"s":"a"}
2 {"n":2,"s":"b"}
3 {"n":3,"s":"c"}
--- request eval
["GET /t", "GET /t?s=b,c"]
--- response_body eval
my @row = map { main::row($_, ',"s":"' . (qw(a b c))[$_ - 1] . '"') } 1 .. 3;
["[$row[0],$row[2]]", "[$row[1],$row[2]]"]



=== what is wrong with several values is said of the one that it is wrong with
--- query: "i": {"type": "integer", "filter": "i", "multiple": "repeated"}, "j": {"type": "integer"}
--- top: "repeated": "error"
--- request eval
["GET /t?i=1&i=2&i=x", "GET /t?j=7&j=8"]
--- error_code eval
[400, 400]
--- response_body eval
[main::bad('type', 'i', 'x', 'i is not of the right type'), main::bad('repeated', 'j', '7', 'j is given more than once')]



=== a cursor in a path
--- api_file
>>> t.json
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "list", "path": "/after/{c}", "response": {"t": "$tasks", "c": "$next_cursor"},
             "path_parameters": {"c": {"role": "cursor"}},
             "query": {"l": {"type": "integer", "role": "limit"}}}]}
--- put
1 {"n":1}
2 {"n":2}
--- request eval
["GET /t/after/xx", "GET /t/after/" . Tasks::JWT::base64url('80000000000001:1')]
--- error_code eval
[400, 200]
--- response_body_like eval
['cursor', '^\{"t":\[\{"id":2,"n":2\}\],"c":null\}$']



=== no task is asked for: nothing leads on
--- query: "l": {"type": "integer", "role": "limit"}, "o": {"type": "integer", "role": "offset"}
--- response: {"t": "$tasks", "more": "$has_more", "next": "$next_offset", "page": "$next_page", "c": "$next_cursor"}
--- put
1 {"n":1}
2 {"n":2}
--- request eval
["GET /t?l=0", "GET /t?l=1"]
--- response_body eval
['{"t":[],"more":true,"next":null,"page":null,"c":null}', '{"t":[' . main::row(1, '') . '],"more":true,"next":1,"page":2,"c":"ODAwMDAwMDAwMDAwMDE6MQ"}']
