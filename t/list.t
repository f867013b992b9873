# Lists: limits and pages, orders, filters, rows as they were written, scopes.
# Cursors have a file of their own.

use lib 't/lib';
use Tasks 'no_plan';

sub api {
    my ($name, $order, $fields, $query, $response) = @_;

    return <<"END";
>>> $name.json
{"name": "$name", "id": "integer", "order": "$order", "fields": {$fields},
 "routes": [{"action": "list", "path": "", "query": {$query},
             "response": $response}]}
END
}

sub ordered {
    my ($name, $order, $type) = @_;

    return api($name, $order, qq("k": {"type": "$type"}), '', '"$tasks"');
}

my $apis = join '', ordered('up', 'k', 'integer'),
    ordered('down', 'k desc', 'integer'),
    ordered('words', 'k asc', 'string'),
    ordered('words_down', 'k desc', 'string'),
    ordered('times', 'k', 'datetime'),
    ordered('times_down', 'k desc', 'datetime'),
    api('pages', 'n', '"n": {"type": "integer"},
         "odd": {"type": "boolean", "filter": true}', '
         "page": {"type": "integer", "role": "page", "default": 1},
         "size": {"type": "integer", "role": "limit", "default": 3},
         "odd":  {"type": "boolean", "filter": "odd"}', '
         {"items": "$tasks", "total": "$total", "page": "$page",
          "pages": "$pages", "size": "$limit"}'),
    api('jobs', 'n', '"n": {"type": "integer"},
         "status":   {"type": "string", "filter": true},
         "project":  {"type": "integer", "filter": true, "default": 1},
         "archived": {"type": "boolean", "filter": true, "default": false}', '
         "status":   {"type": "string", "filter": "status"},
         "project":  {"type": "integer", "filter": "project"},
         "archived": {"type": "boolean", "filter": "archived"},
         "hidden":   {"type": "boolean", "filter": "archived"}', '"$tasks"'),
    api('raw', 'n', '"n": {"type": "integer"}, "a": {"type": "any"},
         "i": {"type": "integer"}, "b": {"type": "any", "default": 1},
         "c": {"type": "any", "view": "detail", "default": 1},
         "d": {"type": "any", "view": "list", "default": null},
         "e": {"type": "any", "view": "none", "default": 1}',
        '', '{"items": "$tasks"}'),
    api('capped', 'n', '"n": {"type": "integer"}', '
         "size": {"type": "integer", "role": "limit", "default": 2,
                  "minimum": 2, "maximum": 10000}', '"$tasks"'),
    api('endless', 'n', '"n": {"type": "integer"}', '
         "page": {"type": "integer", "role": "page"},
         "size": {"type": "integer", "role": "limit", "default": 3,
                  "minimum": -5}', '
         {"items": "$tasks", "pages": "$pages", "size": "$limit?"}'),
    api('from', 'n', '"n": {"type": "integer"},
         "odd": {"type": "boolean", "filter": true}', '
         "from": {"type": "integer", "role": "offset", "default": 1},
         "size": {"type": "integer", "role": "limit"},
         "odd":  {"type": "boolean", "filter": "odd", "multiple": "comma"}', '
         {"items": "$tasks", "from": "$offset", "next": "$next_offset?"}'),
    api('held', 'n', '"n": {"type": "integer"},
         "odd": {"type": "boolean", "filter": true}', '
         "size": {"type": "integer", "role": "limit"},
         "odd":  {"type": "boolean", "filter": "odd"}', '
         {"count": "$count", "items": "$tasks"}'),
    api('ids', 'id', '', '', '"$tasks"'),
    api('ids_down', 'id desc', '', '', '"$tasks"');

$apis .= <<'END';
>>> keys.json
{"name": "keys", "id": {"name": "key"}, "order": "key", "fields": {},
 "collections": {
   "down": {"id": {"name": "key"}, "order": "key desc", "fields": {}},
   "both": {"id": "string", "order": "n",
            "fields": {"n": {"type": "integer"},
                       "s": {"type": "string", "view": "none", "filter": true}}}},
 "routes": [{"action": "list", "response": "$tasks"},
            {"action": "list", "collection": "down", "path": "/down", "response": "$tasks"},
            {"action": "list", "collection": "both", "path": "/both", "response": "$tasks",
             "query": {"s": {"filter": "s"}}}]}
>>> by_path.json
{"name": "by_path", "id": "integer", "order": "n",
 "fields": {"n": {"type": "integer"},
            "project": {"type": "integer", "filter": true}},
 "routes": [{"action": "list", "path": "/{project}/tasks",
    "path_parameters": {"project": {"type": "integer", "filter": "project"}},
    "query": {"limit": {"type": "integer", "role": "limit", "default": 2}},
    "response": "$tasks"}]}
END

# Each block is about the list of "api"; the path is "/t".
add_block_preprocessor(sub {
    my ($block) = @_;
    my $api = $block->api;
    my $scope = $block->more_headers ? 'tasks_scope $http_x_user;' : '';

    $block->set_value(api_file => $apis);
    $block->set_value(config => <<"END");
    location /t {
        tasks_api apis/$api.json;
        tasks_pass main;
        $scope
    }
END
});

sub jobs_like { CORE::join('', '^\[', CORE::join(',', map { qq(\\{"id":$_,[^}]*\\}) } @_), '\]$') }

sub page {
    my ($total, $page, $pages, $size, @ids) = @_;
    my $items = CORE::join ',', map { qq({"id":$_,"n":$_,"odd":) . ($_ % 2 ? 'true}' : 'false}') } @ids;
    return qq({"items":[$items],"total":$total,"page":$page,"pages":$pages,"size":$size});
}

sub ten { CORE::join '', map { qq($_ {"n":$_,"odd":) . ($_ % 2 ? "true}\n" : "false}\n") } 1 .. 10 }

run_tests();

__DATA__

=== pages: the first, one in between, the last, none beyond it
--- api: pages
--- put eval: main::ten()
--- request eval
["GET /t", "GET /t?page=2", "GET /t?page=4", "GET /t?page=5", "GET /t?page=2147483647"]
--- response_body eval
[main::page(10, 1, 4, 3, 1..3), main::page(10, 2, 4, 3, 4..6), main::page(10, 4, 4, 3, 10),
 main::page(10, 5, 4, 3), main::page(10, 2147483647, 4, 3)]



=== pages of other sizes
--- api: pages
--- put eval: main::ten()
--- request eval
["GET /t?size=10", "GET /t?size=9&page=2", "GET /t?size=1&page=10", "GET /t?size=0", "GET /t?size=10000&page=2"]
--- response_body eval
[main::page(10, 1, 1, 10, 1..10), main::page(10, 2, 2, 9, 10), main::page(10, 10, 10, 1, 10),
 main::page(10, 1, 1, 0), main::page(10, 2, 1, 10000)]



=== pages count what a filter lets by
--- api: pages
--- put eval: main::ten()
--- request eval
["GET /t?odd=true", "GET /t?odd=false&page=2", "GET /t?odd=1&size=5", "GET /t?odd=0&size=2&page=3"]
--- response_body eval
[main::page(5, 1, 2, 3, 1, 3, 5), main::page(5, 2, 2, 3, 8, 10), main::page(5, 1, 1, 5, 1, 3, 5, 7, 9),
 main::page(5, 3, 3, 2, 10)]



=== an empty list has a total, and a page
--- api: pages
--- put
--- request
GET /t
--- response_body eval
main::page(0, 1, 1, 3)



=== pages out of bounds
--- api: pages
--- put eval: main::ten()
--- request eval
["GET /t?page=0", "GET /t?page=-1", "GET /t?page=2147483648", "GET /t?size=-1"]
--- error_code eval
[(400) x 4]
--- response_body eval
['{"error":"page is too small"}', '{"error":"page is too small"}', '{"error":"page is too large"}',
 '{"error":"size is too small"}']



=== a limit out of the bounds that the definition sets
--- api: capped
--- put eval: main::ten()=~s/,"odd":\w+//gr
--- request eval
["GET /t?size=10001", "GET /t?size=1", "GET /t?size=10000", "GET /t?size=2", "GET /t"]
--- error_code eval
[400, 400, 200, 200, 200]
--- response_body_like eval
['^\{"error":"size is too large"\}$', '^\{"error":"size is too small"\}$', main::jobs_like(1 .. 10),
 main::jobs_like(1, 2), main::jobs_like(1, 2)]



=== a limit above 10000 is taken where the definition sets no bound
--- api: pages
--- put eval: main::ten()
--- request eval
["GET /t?size=10001", "GET /t?size=9223372036854775807", "GET /t?size=9223372036854775808"]
--- error_code eval
[200, 200, 400]
--- response_body eval
[main::page(10, 1, 1, 10001, 1..10), main::page(10, 1, 1, "9223372036854775807", 1..10),
 '{"error":"size is not of the right type"}']



=== a negative limit is none where the definition lets it pass
--- api: endless
--- put
1 {"n":1}
2 {"n":2}
3 {"n":3}
4 {"n":4}
--- request eval
["GET /t?size=-1", "GET /t?size=-5", "GET /t?size=-6", "GET /t", "GET /t?size=0"]
--- error_code eval
[200, 200, 400, 200, 200]
--- response_body eval
['{"items":[{"id":1,"n":1},{"id":2,"n":2},{"id":3,"n":3},{"id":4,"n":4}],"pages":1}',
 '{"items":[{"id":1,"n":1},{"id":2,"n":2},{"id":3,"n":3},{"id":4,"n":4}],"pages":1}',
 '{"error":"size is too small"}',
 '{"items":[{"id":1,"n":1},{"id":2,"n":2},{"id":3,"n":3}],"pages":2,"size":3}',
 '{"items":[],"pages":1,"size":0}']



=== lists from an offset, of one index and of several
--- api: from
--- put eval: main::ten()
--- request eval
["GET /t?size=2&from=0", "GET /t?size=2", "GET /t?size=2&from=8", "GET /t?size=2&from=9", "GET /t?size=2&from=10",
 "GET /t?size=2&from=4503599627370496", "GET /t?size=2&from=3&odd=true", "GET /t?size=2&from=3&odd=true,false"]
--- response_body_like eval
['"id":1,.*"id":2,.*\],"from":0,"next":2\}$', '"id":2,.*"id":3,.*\],"from":1,"next":3\}$',
 '"id":9,.*"id":10,.*\],"from":8\}$', '^\{"items":\[\{"id":10,[^{]*\],"from":9\}$', '^\{"items":\[\],"from":10\}$',
 '^\{"items":\[\],"from":4503599627370496\}$', '"id":7,.*"id":9,.*\],"from":3\}$',
 '"id":4,.*"id":5,.*\],"from":3,"next":5\}$']



=== an offset out of bounds
--- api: from
--- put
--- request eval
["GET /t?from=-1", "GET /t?from=4503599627370497", "GET /t?from=x"]
--- error_code eval
[(400) x 3]
--- response_body eval
['{"error":"from is too small"}', '{"error":"from is too large"}', '{"error":"from is not of the right type"}']



=== without a limit all that follows an offset is shown, whatever the filters
--- api: from
--- put eval: main::ten()
--- request eval
["GET /t?from=8", "GET /t?from=3&odd=false", "GET /t?from=8&odd=false,true"]
--- response_body_like eval
['"id":9,.*"id":10,.*\],"from":8\}$', '"id":8,.*"id":10,.*\],"from":3\}$', '"id":9,.*"id":10,.*\],"from":8\}$']



=== integers in order, negative ones and large ones too
--- api: up
--- put
1 {"k":0}
2 {"k":-1}
3 {"k":9007199254740991}
4 {"k":-9007199254740991}
5 {"k":10}
6 {"k":9}
7 {"k":-16777217}
8 {"k":-16777216}
9 {"k":16777216}
--- request
GET /t
--- response_body_like eval
main::jobs_like(4, 7, 8, 2, 1, 6, 5, 9, 3)



=== the same downwards
--- api: down
--- put
1 {"k":0}
2 {"k":-1}
3 {"k":9007199254740991}
4 {"k":-9007199254740991}
5 {"k":10}
6 {"k":9}
--- request
GET /t
--- response_body_like eval
main::jobs_like(3, 5, 6, 1, 2, 4)



=== strings in order: one that begins as another does comes after it
--- api: words
--- put
1 {"k":"ab"}
2 {"k":"a"}
3 {"k":""}
4 {"k":"B"}
5 {"k":"a-b"}
6 {"k":"abc"}
7 {"k":"\u00e4"}
8 {"k":"a b"}
--- request
GET /t
--- response_body_like eval
main::jobs_like(3, 4, 2, 8, 5, 1, 6, 7)



=== and downwards before it
--- api: words_down
--- put
1 {"k":"ab"}
2 {"k":"a"}
3 {"k":""}
4 {"k":"B"}
5 {"k":"a-b"}
6 {"k":"abc"}
7 {"k":"ä"}
--- request
GET /t
--- response_body_like eval
main::jobs_like(7, 6, 1, 5, 2, 4, 3)



=== characters that a position escapes keep their place in the order
--- api: words
--- put
1 {"k":"a:b"}
2 {"k":"a0b"}
3 {"k":"a!b"}
4 {"k":"a b"}
5 {"k":"a%b"}
6 {"k":"a$b"}
7 {"k":"a\tb"}
8 {"k":"a;b"}
--- request
GET /t
--- response_body_like eval
main::jobs_like(7, 4, 3, 6, 5, 2, 1, 8)



=== date-times in order: zones, fractions, before 1970
--- api: times
--- put
1 {"k":"2025-03-12T10:00:00Z"}
2 {"k":"2025-03-12T12:00:00+02:30"}
3 {"k":"2025-03-12T10:00:00.000001"}
4 {"k":"1969-12-31T23:59:59.999999Z"}
5 {"k":"1970-01-01T00:00:00Z"}
6 {"k":"0001-01-01T00:00:00Z"}
7 {"k":"9999-12-31T23:59:59.999999Z"}
8 {"k":"2025-03-12T09:59:59.9"}
9 {"k":"2024-02-29T00:00:00-12:00"}
--- request
GET /t
--- response_body_like eval
main::jobs_like(6, 4, 5, 9, 2, 8, 1, 3, 7)



=== in order of an integer id
--- api: ids
--- put
10 {}
9 {}
-1 {}
0 {}
9007199254740991 {}
--- request
GET /t
--- response_body chomp
[{"id":-1},{"id":0},{"id":9},{"id":10},{"id":9007199254740991}]



=== the same downwards
--- api: ids_down
--- put
10 {}
9 {}
-1 {}
0 {}
--- request
GET /t
--- response_body chomp
[{"id":10},{"id":9},{"id":0},{"id":-1}]



=== in order of an id that is a string, both ways, by its bytes
--- api: keys
--- put
a:b {}
ab {}
a {}
B {}
:x {}
a,b {}
é {}
= keys_down
a:b {}
ab {}
a {}
B {}
:x {}
a,b {}
é {}
--- request eval
["GET /t", "GET /t/down"]
--- response_body eval
my @keys = map { qq({"key":"$_"}) } ':x', 'B', 'a', 'a,b', 'a:b', 'ab', "\xc3\xa9";
['[' . (CORE::join ',', @keys) . ']', '[' . (CORE::join ',', CORE::reverse @keys) . ']']



=== each collection has tasks of its own
--- api: keys
--- put
1 {}
= keys_both
1 {"n":2,"s":"x"}
2 {"n":1,"s":"y"}
--- request eval
["GET /t", "GET /t/down", "GET /t/both", "GET /t/both?s=x", "GET /t?s=y"]
--- response_body eval
['[{"key":"1"}]', '[]', '[{"id":"2","n":1},{"id":"1","n":2}]', '[{"id":"1","n":2}]', '[{"key":"1"}]']



=== equal ones are ordered by id, as text
--- api: times_down
--- put
1 {"k":"2025-03-12T10:00:00Z"}
10 {"k":"2025-03-12T10:00:00"}
9 {"k":"2025-03-12T11:00:00+01:00"}
2 {"k":"2025-03-12T10:00:00.0Z"}
--- request
GET /t
--- response_body_like eval
main::jobs_like(9, 2, 10, 1)



=== filters, one, two or all of them
--- api: jobs
--- put
1 {"n":1,"status":"a","project":1}
2 {"n":2,"status":"a","project":2,"archived":true}
3 {"n":3,"status":"b","project":2}
4 {"n":4,"status":"b","project":-2,"archived":true}
--- request eval
["GET /t?status=a", "GET /t?project=2", "GET /t?archived=true", "GET /t?project=2&status=a",
 "GET /t?archived=true&status=b", "GET /t?archived=false&project=2&status=b", "GET /t?project=-2",
 "GET /t?status=b&project=1", "GET /t?project=%2B2&project=9"]
--- response_body_like eval
[main::jobs_like(1, 2), main::jobs_like(2, 3), main::jobs_like(2, 4), main::jobs_like(2),
 main::jobs_like(4), main::jobs_like(3), main::jobs_like(4), main::jobs_like(), main::jobs_like(2, 3)]



=== a filter in the path
--- api: by_path
--- put
1 {"n":1,"project":1}
2 {"n":2,"project":2}
3 {"n":3,"project":2}
--- request eval
["GET /t/2/tasks", "GET /t/1/tasks?limit=5", "GET /t/2/tasks?limit=1", "GET /t/3/tasks", "GET /t/x/tasks", "GET /t//tasks"]
--- error_code eval
[200, 200, 200, 200, 400, 404]
--- response_body_like eval
[main::jobs_like(2, 3), main::jobs_like(1), main::jobs_like(2), main::jobs_like(), 'project is not', 'Not found']



=== a default is a value that can be filtered by; a value that is absent is not
--- api: jobs
--- put
1 {"n":1}
2 {"n":2,"status":"a","project":2,"archived":true}
3 {"n":3,"status":null,"project":null,"archived":null}
--- request eval
["GET /t?project=1", "GET /t?archived=false", "GET /t?archived=false&project=1", "GET /t?status=",
 "GET /t?project=1&status=a"]
--- response_body_like eval
[main::jobs_like(1, 3), main::jobs_like(1, 3), main::jobs_like(1, 3), main::jobs_like(),
 main::jobs_like()]



=== a task moves between lists as it changes
--- api: jobs
--- put
1 {"n":1,"status":"a","archived":true}
2 {"n":2,"status":"a"}
1 {"status":"b","archived":null}
2 {"n":0}
--- request eval
["GET /t?status=a", "GET /t?status=b&archived=false", "GET /t?archived=true", "GET /t"]
--- response_body eval
['[{"id":2,"n":0,"status":"a","project":1,"archived":false}]',
 '[{"id":1,"n":1,"status":"b","project":1,"archived":false}]', '[]',
 '[{"id":2,"n":0,"status":"a","project":1,"archived":false},{"id":1,"n":1,"status":"b","project":1,"archived":false}]']



=== values that need escaping
--- api: jobs
--- put
1 {"n":1,"status":"a%b&c=d:e f"}
2 {"n":2,"status":"grün"}
3 {"n":3,"status":""}
4 {"n":4,"status":"gr\u00fcn"}
5 {"n":5,"status":"\u2603 \ud83d\ude00"}
6 {"n":6,"status":"a&project=1"}
7 {"n":7,"status":"a\/\"\\"}
8 {"n":8,"status":"a%25b"}
9 {"n":9,"status":"a","project":1}
--- request eval
["GET /t?status=a%25b%26c%3Dd%3ae+f", "GET /t?status=gr%C3%BCn", "GET /t?status=",
 "GET /t?status=%E2%98%83%20%f0%9f%98%80", "GET /t?status=a%26project%3D1", "GET /t?status=a/%22%5C",
 "GET /t?status=a%2525b", "GET /t?status=a", "GET /t?status=a=b", "GET /t?status=a%25b"]
--- response_body_like eval
[main::jobs_like(1), main::jobs_like(2, 4), main::jobs_like(3), main::jobs_like(5), main::jobs_like(6),
 main::jobs_like(7), main::jobs_like(8), main::jobs_like(9), main::jobs_like(), main::jobs_like()]



=== the later one of two parameters for a field counts
--- api: jobs
--- put
1 {"n":1,"archived":true}
2 {"n":2}
--- request eval
["GET /t?hidden=true", "GET /t?hidden=false&archived=true"]
--- response_body_like eval
[main::jobs_like(1), main::jobs_like(2)]



=== ten thousand tasks, and one too many
--- api: pages
--- put eval
CORE::join '', qq(0 {"n":0,"odd":false}\n), map { qq($_ {"n":$_,"odd":true}\n) } 1 .. 10000
--- request eval
["GET /t?odd=1&size=10000", "GET /t?size=10000&page=2", "GET /t?odd=1&size=10001", "GET /t?size=20000&page=2"]
--- response_body_like eval
['^\{"items":\[\{"id":1,.*\{"id":10000,"n":10000,"odd":true\}\],"total":10000,"page":1,"pages":1,',
 '^\{"items":\[\{"id":10000,"n":10000,"odd":true\}\],"total":10001,"page":2,"pages":2,',
 '^\{"items":\[\{"id":1,.*\{"id":10000,"n":10000,"odd":true\}\],"total":10000,"page":1,"pages":1,',
 '^\{"items":\[\],"total":10001,"page":2,"pages":1,']



=== a list with a limit above 10000 is whole or an error
--- api: held
--- put eval
CORE::join '', map { qq($_ {"n":$_,"odd":true}\n) } 1 .. 10001
--- request eval
["GET /t?size=10001", "GET /t?size=99999&odd=true", "GET /t?size=99999&odd=false", "GET /t?size=10000"]
--- error_code eval
[500, 500, 200, 200]
--- response_body_like eval
['^\{"error":"The answer is too large"\}$', '^\{"error":"The answer is too large"\}$', '^\{"count":0,"items":\[\]\}$',
 '^\{"count":10000,"items":\[\{"id":1,.*\{"id":10000,"n":10000,"odd":true\}\]\}$']



=== of several indexes, what begins behind ten thousand tasks is an error if there is any
--- api: from
--- put eval
CORE::join '', map { qq($_ {"n":$_,"odd":) . ($_ % 2 ? "true}\n" : "false}\n") } 1 .. 10003
--- request eval
["GET /t?odd=true,false&from=10000&size=1", "GET /t?odd=true,false&from=10001&size=1",
 "GET /t?odd=true,false&from=10003&size=1", "GET /t?from=10001&size=1"]
--- error_code eval
[200, 500, 200, 200]
--- response_body_like eval
['^\{"items":\[\{"id":10001,[^{]*\],', '^\{"error":"The answer is too large"\}$', '^\{"items":\[\],"from":10003\}$',
 '^\{"items":\[\{"id":10002,[^{]*\],']



=== a list without a limit is whole or an error
--- api: held
--- put eval
CORE::join '', map { qq($_ {"n":$_,"odd":) . ($_ > 1 ? "true}\n" : "false}\n") } 1 .. 10001
--- request eval
["GET /t", "GET /t?odd=true"]
--- error_code eval
[500, 200]
--- response_body_like eval
['^\{"error":"The answer is too large"\}$', '^\{"count":10000,"items":\[\{"id":2,.*\{"id":10001,"n":10001,"odd":true\}\]\}$']



=== a list without a limit
--- api: up
--- put eval
CORE::join '', map { qq($_ {"k":$_}\n) } 1 .. 200
--- request
GET /t
--- response_body_like: ^\[\{"id":1,"k":1\},.*\{"id":200,"k":200\}\]$



=== a row larger than all buffers
--- api: raw
--- put eval
qq(1 {"n":1,"a":") . 'x' x 1000000 . qq("}\n2 {"n":2,"a":[]}\n)
--- request
GET /t
--- response_body_like: ^\{"items":\[\{"id":1,"n":1,"a":"x{30000}[x]+","b":1,"d":null\},\{"id":2,"n":2,"a":\[\],"b":1,"d":null\}\]\}$



=== rows byte for byte
--- api: raw
--- put eval
"1 {\"n\":1,\"a\":[1.10, 1E2,-0.0,\t1e-7],\"i\":9223372036854775807,\"b\":{\"a\":1,\"a\":2},\"d\":\"\"}\n"
. "2 {\"n\":2,\"a\":\"\\/ \\u00e9 \\u2028\",\"i\":-9223372036854775808,\"b\":\"\xe2\x80\xa8 \xc3\xa9 \xf0\x9f\x98\x80 \x7f\",\"e\":5}\n"
. "3 {\"n\":3,\"a\":{},\"b\":null,\"d\":[ ]}\n"
--- request
GET /t
--- response_body eval
"{\"items\":[{\"id\":1,\"n\":1,\"a\":[1.10, 1E2,-0.0,\t1e-7],\"i\":9223372036854775807,\"b\":{\"a\":1,\"a\":2},\"d\":\"\"},"
. "{\"id\":2,\"n\":2,\"a\":\"\\/ \\u00e9 \\u2028\",\"i\":-9223372036854775808,\"b\":\"\xe2\x80\xa8 \xc3\xa9 \xf0\x9f\x98\x80 \x7f\",\"d\":null},"
. "{\"id\":3,\"n\":3,\"a\":{},\"b\":1,\"d\":[ ]}]}"



=== the same id in two scopes, and none in a third
--- api: up
--- redis
FCALL up_put 1 tasks:{up:anna} 1 k 10
FCALL up_put 1 tasks:{up:bob} 1 k 20
FCALL up_put 1 tasks:{up} 1 k 30
--- request eval
["GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-User: anna", "X-User: bob", "X-User: carl"]
--- response_body eval
['[{"id":1,"k":10}]', '[{"id":1,"k":20}]', '[]']



=== no name of a scope leads to another scope
--- api: up
--- redis
FCALL up_put 1 tasks:{up} 1 k 1
FCALL up_put 1 tasks:{up:a} 2 k 2
FCALL up_put 1 tasks:{up:%7B%7D%3A%2A%25%2F%C3%A4} 3 k 3
FCALL up_put 1 tasks:{up:a%7D} 4 k 4
FCALL up_put 1 tasks:{up:%2541} 5 k 5
--- request eval
[map { "GET /t" } 1 .. 8]
--- more_headers eval
["X-User: {}:*%/\xc3\xa4", "X-User: a}", "X-User: %41", "X-User: a}:index", "X-User: A", "X-User: *",
 "X-User: a%7D", "X-User: :a"]
--- response_body eval
['[{"id":3,"k":3}]', '[{"id":4,"k":4}]', '[{"id":5,"k":5}]', ('[]') x 5]



=== an empty scope, an absent one, and one too long
--- api: up
--- redis eval
"FCALL up_put 1 tasks:{up} 1 k 1\nFCALL up_put 1 tasks:{up:" . 'x' x 255 . "} 2 k 2\n"
--- request eval
["GET /t", "GET /t", "GET /t", "GET /t"]
--- more_headers eval
["X-User:", "X-Other: a", "X-User: " . 'x' x 256, "X-User: " . 'x' x 255]
--- error_code eval
[401, 401, 401, 200]
--- response_body eval
[('{"error":"Unauthorized"}') x 3, '[{"id":2,"k":2}]']
