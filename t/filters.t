# Filters that have several values, and parameters that stand for some.

use lib 't/lib';
use Tasks 'no_plan';

my $API = <<'END';
>>> jobs.json
{
  "name": "jobs",
  "id": "integer",
  "order": "n desc",
  "fields": {
    "n":     {"type": "integer"},
    "state": {"type": "string", "filter": true, "default": "new"},
    "owner": {"type": "integer", "filter": true},
    "ref":   {"type": "string", "filter": true}
  },
  "routes": [
    {"action": "list",
     "query": {"state": {"filter": "state", "multiple": "comma", "absent_if": ["", "all"], "max_items": 4, "max_length": 9},
               "owner": {"filter": "owner", "type": "integer", "multiple": "repeated", "minimum": 1},
               "ref":   {"filter": "ref", "type": "uuid"},
               "limit": {"role": "limit", "type": "integer"},
               "after": {"role": "cursor"}},
     "response": {"jobs": "$tasks", "total": "$total", "count": "$count", "more": "$has_more", "next": "$next_cursor?"}},
    {"action": "list", "path": "/paged",
     "query": {"state": {"filter": "state", "multiple": "comma"},
               "page":  {"role": "page", "type": "integer"},
               "limit": {"role": "limit", "type": "integer", "default": 2}},
     "response": {"jobs": "$tasks", "page": "$page", "pages": "$pages", "next": "$next_page?"}},
    {"action": "list", "path": "/from",
     "query": {"state": {"filter": "state", "multiple": "comma"},
               "from":  {"role": "offset", "type": "integer"},
               "limit": {"role": "limit", "type": "integer", "default": 2, "minimum": -5}},
     "response": {"jobs": "$tasks", "from": "$offset", "total": "$total", "limit": "$limit", "next": "$next_offset?"}},
    {"action": "list", "path": "/by",
     "query": {"group": {"default": "open", "choices": {
                 "open":   {"filters": {"state": ["new", "run"]}},
                 "mine":   {"filters": {"owner": [1]}, "limit": 1},
                 "closed": {"filters": {"state": ["done"], "owner": [1, 2]}, "limit": 50},
                 "any":    {}}},
               "limit": {"role": "limit", "type": "integer", "maximum": 10}},
     "response": {"jobs": "$tasks", "limit": "$limit"}},
    {"action": "list", "path": "/states/{state}",
     "path_parameters": {"state": {"filter": "state", "multiple": "comma"}},
     "response": "$tasks"}
  ],
  "errors": {"default": {"body": {"error": "$message", "rule": "$rule?", "value": "$value?"}}}
}
END

my $PUT = <<'END';
= jobs
1 {"n":10,"state":"done","owner":1}
2 {"n":20,"owner":2}
3 {"n":30,"state":"run","owner":1}
4 {"n":40,"state":"done","owner":2,"ref":"550e8400-e29b-41d4-a716-446655440000"}
5 {"n":40,"state":"run","owner":3}
6 {"n":60,"state":"a,b","owner":3}
END

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value(api_file => $API);
    $block->set_value(put => $PUT) unless defined $block->put;
    $block->set_value(config => <<'END');
    location /jobs { tasks_api apis/jobs.json; tasks_pass main; }
END
});

# The ids of a list and what comes behind.
sub jobs {
    my ($rest, @ids) = @_;

    my $ids = join ',', map { qq(\\{"id":$_,[^{}]*\\}) } @ids;

    return qr/^\{"jobs":\[$ids\]\Q$rest\E\}$/;
}

run_tests();

__DATA__

=== several values: their tasks in one order, with one total
--- request eval
["GET /jobs?state=run,done", "GET /jobs?state=done,run", "GET /jobs?state=new,run,done",
 "GET /jobs?state=none,new"]
--- response_body_like eval
[(main::jobs(',"total":4,"count":4,"more":false', 5, 4, 3, 1)) x 2,
 main::jobs(',"total":5,"count":5,"more":false', 5, 4, 3, 2, 1),
 main::jobs(',"total":1,"count":1,"more":false', 2)]



=== a value that is there twice counts once
--- request eval
["GET /jobs?state=run,run,run", "GET /jobs?owner=1&owner=%2B1&owner=01"]
--- response_body_like eval
[main::jobs(',"total":2,"count":2,"more":false', 5, 3),
 main::jobs(',"total":2,"count":2,"more":false', 3, 1)]



=== two filters with several values each
--- request
GET /jobs?state=run,done&owner=1&owner=2
--- response_body_like eval
main::jobs(',"total":3,"count":3,"more":false', 4, 3, 1)



=== a comma separates nothing where values are repeated, and the other way around
--- request eval
["GET /jobs?owner=1,2", "GET /jobs?state=run&state=done"]
--- error_code eval
[400, 200]
--- response_body_like eval
[qr/^\{"error":"owner is not of the right type","rule":"type","value":"1,2"\}$/,
 main::jobs(',"total":2,"count":2,"more":false', 5, 3)]



=== values that stand for none do so within several
--- request eval
["GET /jobs?state=all", "GET /jobs?state=", "GET /jobs?state=all,run", "GET /jobs?state=run,"]
--- response_body_like eval
[(main::jobs(',"total":6,"count":6,"more":false', 6, 5, 4, 3, 2, 1)) x 2,
 (main::jobs(',"total":2,"count":2,"more":false', 5, 3)) x 2]



=== too many values, and rules that one of them fails
--- request eval
["GET /jobs?state=a,b,c,d,e", "GET /jobs?state=a,b,c,d,a", "GET /jobs?state=run,0123456789", "GET /jobs?owner=1&owner=0",
 "GET /jobs?owner=1&owner=2&owner=3&owner=4&owner=5&owner=6&owner=7&owner=8&owner=9", "GET /jobs?ref=x"]
--- error_code eval
[400, 200, 400, 400, 400, 400]
--- response_body_like eval
[qr/^\{"error":"state has too many values","rule":"max_items","value":"a,b,c,d,e"\}$/,
 main::jobs(',"total":0,"count":0,"more":false'),
 qr/"rule":"max_length"/, qr/"rule":"minimum"/, qr/"rule":"max_items"/, qr/"rule":"type","value":"x"/]



=== a UUID in any case finds the one in lower case
--- request
GET /jobs?ref=550E8400-e29b-41d4-A716-446655440000
--- response_body_like eval
main::jobs(',"total":1,"count":1,"more":false', 4)



=== a limit cuts what was merged
--- request eval
["GET /jobs?state=run,done&limit=0", "GET /jobs?state=run,done&limit=4"]
--- response_body_like eval
[main::jobs(',"total":4,"count":0,"more":true'),
 main::jobs(',"total":4,"count":4,"more":false', 5, 4, 3, 1)]



=== a cursor goes on in what was merged: 5 and 4 are equal in the order
--- request eval
["GET /jobs?state=run,done&limit=1", "GET /jobs?state=run,done&limit=2&after=ODAwMDAwMDAwMDAwMjg6NQ",
 "GET /jobs?state=run,done&limit=2&after=ODAwMDAwMDAwMDAwMWU6Mw"]
--- response_body_like eval
[main::jobs(',"total":4,"count":1,"more":true,"next":"ODAwMDAwMDAwMDAwMjg6NQ"', 5),
 main::jobs(',"total":4,"count":2,"more":true,"next":"ODAwMDAwMDAwMDAwMWU6Mw"', 4, 3),
 main::jobs(',"total":4,"count":1,"more":false', 1)]



=== pages of what was merged
--- request eval
["GET /jobs/paged?state=run,done", "GET /jobs/paged?state=run,done&page=2", "GET /jobs/paged?state=run,done&page=3",
 "GET /jobs/paged?state=run&page=1&limit=1"]
--- response_body_like eval
[main::jobs(',"page":1,"pages":2,"next":2', 5, 4), main::jobs(',"page":2,"pages":2', 3, 1),
 main::jobs(',"page":3,"pages":2'), main::jobs(',"page":1,"pages":2,"next":2', 5)]



=== offsets, of one index and of several
--- request eval
["GET /jobs/from?from=1", "GET /jobs/from?state=run,done&from=1", "GET /jobs/from?state=run,done&from=3",
 "GET /jobs/from?from=6", "GET /jobs/from?from=4503599627370496", "GET /jobs/from?limit=-1&from=2"]
--- response_body_like eval
[main::jobs(',"from":1,"total":6,"limit":2,"next":3', 5, 4), main::jobs(',"from":1,"total":4,"limit":2,"next":3', 4, 3),
 main::jobs(',"from":3,"total":4,"limit":2', 1),
 main::jobs(',"from":6,"total":6,"limit":2'), main::jobs(',"from":4503599627370496,"total":6,"limit":2'),
 main::jobs(',"from":2,"total":6,"limit":null', 4, 3, 2, 1)]



=== an offset must be one; beyond the end there is nothing, through several indexes, too
--- request eval
["GET /jobs/from?from=-1", "GET /jobs/from?from=x", "GET /jobs/from?from=4503599627370497", "GET /jobs/from?limit=-6",
 "GET /jobs/from?state=run,done&from=9999", "GET /jobs/from?state=run,done&from=20000", "GET /jobs/from?state=run&from=20000"]
--- error_code eval
[400, 400, 400, 400, 200, 200, 200]
--- response_body_like eval
[qr/minimum/, qr/type/, qr/maximum/, qr/minimum/, main::jobs(',"from":9999,"total":4,"limit":2'),
 main::jobs(',"from":20000,"total":4,"limit":2'), main::jobs(',"from":20000,"total":2,"limit":2')]



=== a choice stands for values of filters
--- request eval
["GET /jobs/by", "GET /jobs/by?group=open&limit=2", "GET /jobs/by?group=any", "GET /jobs/by?group=closed&limit=1"]
--- response_body_like eval
[main::jobs(',"limit":null', 5, 3, 2), main::jobs(',"limit":2', 5, 3), main::jobs(',"limit":null', 6, 5, 4, 3, 2, 1),
 main::jobs(',"limit":50', 4, 1)]



=== the limit of a choice counts, whichever parameter comes first, but theirs is still checked
--- request eval
["GET /jobs/by?group=mine&limit=9", "GET /jobs/by?limit=9&group=mine", "GET /jobs/by?limit=11&group=mine"]
--- error_code eval
[200, 200, 400]
--- response_body_like eval
[(main::jobs(',"limit":1', 3)) x 2, qr/"rule":"maximum","value":"11"/]



=== other values are no choice
--- request eval
["GET /jobs/by?group=", "GET /jobs/by?group=OPEN"]
--- error_code eval
[400, 400]
--- response_body_like eval
[qr/"rule":"enum","value":""/, qr/"rule":"enum","value":"OPEN"/]



=== several values in the path
--- request eval
["GET /jobs/states/run,new", "GET /jobs/states/done", "GET /jobs/states/a%2Cb"]
--- response_body_like eval
[qr/^\[\{"id":5,[^{}]*\},\{"id":3,[^{}]*\},\{"id":2,[^{}]*\}\]$/, qr/^\[\{"id":4,[^{}]*\},\{"id":1,[^{}]*\}\]$/, qr/^\[\]$/]



=== one of several indexes that lost its revision makes an error, not a short list
--- redis_after_start
HDEL tasks:{jobs}:revs state=run
--- request
GET /jobs?state=run,done
--- error_code: 500
--- error_log
index "state=run" of tasks:{jobs} and its revision do not go together
