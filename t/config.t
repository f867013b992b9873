# Mistakes in definitions and directives: nginx does not start, and says what is
# wrong where.

use lib 't/lib';
use Tasks 'no_plan';

use JSON::PP ();

# A good definition.  --- change is a JSON merge patch of it (RFC 7396: null
# removes a member); --- definition replaces it.  Then --- error_log is what
# follows "FILE: " in the message.

our $GOOD = <<'END';
{"name": "t", "id": "integer", "order": "n", "repeated": "first", "state": "s",
 "fields": {"n": {"type": "integer"}, "s": {"type": "string", "filter": true},
            "o": {"type": "object"}, "b": {"type": "boolean", "filter": true}},
 "cancel": {"from": ["a"], "set": {"s": "x"}},
 "routes": [{"action": "list", "path": "", "response": "$tasks"}],
 "errors": {"default": {"body": {"error": "$message"}}}}
END

sub patch {
    my ($target, $patch) = @_;

    return $patch unless ref $patch eq 'HASH';

    my %result = ref $target eq 'HASH' ? %$target : ();

    for (keys %$patch) {
        defined $patch->{$_} ? $result{$_} = patch($result{$_}, $patch->{$_})
                             : delete $result{$_};
    }

    return \%result;
}

sub changed {
    my ($change) = @_;

    return $GOOD unless defined $change;

    # a route alone stands for all, a parameter for a route with it
    $change = qq({"routes": [$change]}) if $change =~ /^\s*\{"action"/;
    $change = qq({"routes": [{"action": "list", "path": "", "response": "\$tasks",
                              "query": {"p": $1}}]}) if $change =~ /^query: (.*)/s;

    my $json = JSON::PP->new->utf8->canonical->allow_nonref;

    return $json->encode(patch($json->decode($GOOD), $json->decode($change)));
}

add_block_preprocessor(sub {
    my ($block) = @_;

    my $of_file = defined $block->change || defined $block->definition;
    my $definition = $block->definition // changed($block->change);

    $block->set_value(api_file => ">>> t.json\n$definition")
        unless defined $block->api_file;
    $block->set_value(config => <<'END') unless defined $block->config;
    location /t { tasks_api apis/t.json; tasks_pass main; }
END
    return if defined $block->request;

    $block->set_value(must_die => '1');

    # an unfinished file has a line more where Test::Nginx keeps blank ones
    $of_file = 0 if $block->error_log =~ /end of file/;

    $block->set_value(error_log => ($of_file ? 'conf/apis/t.json: ' : '')
                                   . $block->error_log);
});

run_tests();

__DATA__

=== the good definition is good
--- request
GET /t
--- response_body chomp
[]



=== no JSON
--- definition
{"name": "t",
 "id": integer}
--- error_log
line 2, column 14: invalid token near 'integer'



=== not all of it
--- definition: {"name": "t"
--- error_log
'}' expected near end of file



=== something after it
--- definition: {"name": "t"} x
--- error_log
line 1, column 15: end of file expected near 'x'



=== a member twice
--- definition: {"name": "t", "name": "u"}
--- error_log
line 1, column 20: duplicate object key near '"name"'



=== ill-formed UTF-8
--- definition eval: "{\"name\": \"\xff\"}"
--- error_log
line 1, column 10: unable to decode byte 0xff



=== no object
--- definition: []
--- error_log
$: must be an object



=== an empty file
--- definition
--- error_log
'[' or '{' expected near end of file



=== no such file
--- config
    location /t { tasks_api apis/none.json; tasks_pass main; }
--- error_log
conf/apis/none.json: unable to open



=== a folder
--- config
    location /t { tasks_api apis; tasks_pass main; }
--- error_log
conf/apis: 



=== an unknown member
--- change: {"nmae": "x"}
--- error_log
$: unknown member "nmae"



=== name: missing
--- change: {"name": null}
--- error_log
$: "name" is missing



=== name: no string
--- change: {"name": 5}
--- error_log
$.name: must be a string



=== name: of other characters
--- change: {"name": "A"}
--- error_log
$: "name" must be 1 to 64 of a-z, 0-9 and _, and start with a letter



=== name: starts with a digit
--- change: {"name": "1a"}
--- error_log
$: "name" must be 1 to 64



=== name: empty
--- change: {"name": ""}
--- error_log
$: "name" must be 1 to 64



=== name: a brace, which would leave the hash tag
--- change: {"name": "a}b"}
--- error_log
$: "name" must be 1 to 64



=== id: missing
--- change: {"id": null}
--- error_log
$: "id" is missing



=== id: of no type that an id can have
--- change: {"id": "boolean"}
--- error_log
$.id: must be a string or an integer that is never absent



=== id: of an unknown type
--- change: {"id": "uuid"}
--- error_log
$.id.type: unknown "uuid", it may be string, integer, number, boolean, datetime, object, array, any



=== id: no object
--- change: {"id": 5}
--- error_log
$.id: must be an object



=== id: an unknown member
--- change: {"id": {"type": "string", "regex": "x"}}
--- error_log
$.id: unknown member "regex"



=== id: a filter
--- change: {"id": {"type": "string", "filter": "s"}}
--- error_log
$.id: the id has no other role



=== id: a default
--- change: {"id": {"type": "string", "default": "a"}}
--- error_log
$.id: must be a string or an integer that is never absent



=== fields: missing
--- change: {"fields": null}
--- error_log
$: "fields" is missing



=== fields: no object
--- change: {"fields": []}
--- error_log
$.fields: must be an object



=== a field without a type
--- change: {"fields": {"x": {}}}
--- error_log
$.fields.x: "type" is missing



=== a field of an unknown type
--- change: {"fields": {"x": {"type": "int"}}}
--- error_log
$.fields.x.type: unknown "int"



=== a field that is only a type
--- change: {"fields": {"x": "integer"}}
--- error_log
$.fields.x: must be an object



=== a field with an unknown member
--- change: {"fields": {"x": {"type": "any", "nullable": true}}}
--- error_log
$.fields.x: unknown member "nullable"



=== a field in an unknown view
--- change: {"fields": {"x": {"type": "any", "view": "short"}}}
--- error_log
$.fields.x.view: unknown "short", it may be all, list, detail, none



=== a field of the module's own names
--- change: {"fields": {"_rev": {"type": "any"}}}
--- error_log
$.fields._rev: a field's name has 1 to 64 bytes and starts with no "_"



=== a field that is the id
--- change: {"fields": {"id": {"type": "any"}}}
--- error_log
$.fields.id: is the id, which is no field



=== a filter that is neither true nor false
--- change: {"fields": {"n": {"filter": "yes"}}}
--- error_log
$.fields.n.filter: must be true or false



=== a filter on an object
--- change: {"fields": {"o": {"filter": true}}}
--- error_log
$.fields.o: only a string, an integer or a boolean can be a filter



=== a default of another type than the field
--- change: {"fields": {"n": {"default": "x"}}}
--- error_log
$.fields.n.default: must be null or of the field's type



=== too many filters
--- change eval: CORE::join '', '{"fields":{', (CORE::join ',', map { qq("f$_":{"type":"string","filter":true}) } 1 .. 4), '}}'
--- error_log
$: 6 fields are filters, at most 5 may be



=== order: missing
--- change: {"order": null}
--- error_log
$: "order" is missing



=== order: by no field
--- change: {"order": "created desc"}
--- error_log
$: "order": "created" is not a field; as in "created_at desc"



=== order: in an unknown direction
--- change: {"order": "n down"}
--- error_log
$: "order": "n down" is not a field



=== order: by an object
--- change: {"order": "o"}
--- error_log
$: "order": only a string, an integer or a datetime has one



=== repeated: something else
--- change: {"repeated": "all"}
--- error_log
$.repeated: unknown "all", it may be first, last, error



=== max_value: too small, or no integer
--- change: {"max_value": 63}
--- error_log
$.max_value: must be an integer between 64 and 16777216



=== state: no field
--- change: {"state": "status"}
--- error_log
$: "state": "status" is not a field



=== state: no string
--- change: {"state": "n"}
--- error_log
$: the state "n" must be a string



=== cancel: neither from nor except
--- change: {"cancel": {"from": null}}
--- error_log
$.cancel: either "from" or "except" says which states can be cancelled



=== cancel: both of them
--- change: {"cancel": {"except": ["x"]}}
--- error_log
$.cancel: either "from" or "except" says which states can be cancelled



=== cancel: from is no array
--- change: {"cancel": {"from": "a"}}
--- error_log
$.cancel.from: must be an array



=== cancel: from holds something else
--- change: {"cancel": {"from": ["a", null]}}
--- error_log
$.cancel.from[1]: must be a string, an integer or a boolean



=== cancel: nothing to set
--- change: {"cancel": {"set": null}}
--- error_log
$.cancel: "set" is missing



=== cancel: sets no field
--- change: {"cancel": {"set": {"status": "x"}}}
--- error_log
$.cancel.set.status: is not a field



=== cancel: sets an unknown time
--- change: {"cancel": {"set": {"s": "$later"}}}
--- error_log
$.cancel.set.s: "$later" may be $now, $now_seconds or $now_naive, for a string or a datetime



=== cancel: sets a value of another type
--- change: {"cancel": {"set": {"n": "x"}}}
--- error_log
$.cancel.set.n: must be of the field's type



=== cancel: clears what tasks are ordered by
--- definition
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}, "status": {"type": "string"}},
 "cancel": {"from": ["a"], "set": {"n": null}}, "routes": [{"action": "list", "response": "$tasks"}]}
--- error_log
$.cancel.set.n: the field is required



=== cancel: no state
--- definition
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}},
 "cancel": {"from": ["a"], "set": {}}, "routes": [{"action": "list", "response": "$tasks"}]}
--- error_log
$.cancel: wants a state: a field "status" or the one that "state" names



=== cancel: an unknown member
--- change: {"cancel": {"form": ["a"]}}
--- error_log
$.cancel: unknown member "form"



=== routes: missing
--- change: {"routes": null}
--- error_log
$: "routes" must be an array of at least one route



=== routes: none
--- change: {"routes": []}
--- error_log
$: "routes" must be an array of at least one route



=== a route that is no object
--- change: {"routes": ["list"]}
--- error_log
$.routes[0]: must be an object



=== a route with an unknown member
--- change: {"action": "list", "responses": "$tasks"}
--- error_log
$.routes[0]: unknown member "responses"



=== a route without an action
--- change: {"routes": [{"path": ""}]}
--- error_log
$.routes[0]: "action" is missing



=== an unknown action
--- change: {"action": "delete", "path": "/{id}"}
--- error_log
$.routes[0].action: unknown "delete", it may be list, get, cancel



=== a method that is not known
--- change: {"action": "list", "method": "get", "response": 1}
--- error_log
$.routes[0].method: unknown "get", it may be GET, POST, PUT, PATCH, DELETE



=== a list by POST
--- change: {"action": "list", "method": "POST", "response": 1}
--- error_log
$.routes[0]: list and get are for the method GET, cancel is for another one



=== a cancel by GET
--- change: {"action": "cancel", "method": "GET", "path": "/{id}/cancel"}
--- error_log
$.routes[0]: list and get are for the method GET, cancel is for another one



=== a cancel without a rule
--- definition
{"name": "t", "id": "integer", "order": "n", "fields": {"n": {"type": "integer"}},
 "routes": [{"action": "cancel", "path": "/{id}/cancel"}]}
--- error_log
$.routes[0]: the definition says no "cancel" rule for this action



=== a list with an id
--- change: {"action": "list", "path": "/{id}", "response": 1}
--- error_log
$.routes[0].path: a list has no "{id}"



=== a get without one
--- change: {"action": "get", "path": "/task", "response": 1}
--- error_log
$.routes[0].path: must hold "{id}" once



=== a get with two
--- change: {"action": "get", "path": "/{id}/{id}", "response": 1}
--- error_log
$.routes[0].path: must hold "{id}" once



=== a path that does not start with a slash
--- change: {"action": "get", "path": "{id}", "response": 1}
--- error_log
$.routes[0].path: must start with "/"



=== a part of a segment as a parameter
--- change: {"action": "get", "path": "/{id}.json", "response": 1}
--- error_log
$.routes[0].path: a parameter must be a whole segment, as in "{id}"



=== a parameter of the path that is not declared
--- change: {"action": "get", "path": "/{name}/{id}", "response": 1}
--- error_log
$.routes[0].path: "{name}" is not in "path_parameters"



=== a parameter that is declared and not in the path
--- change: {"action": "get", "path": "/{id}", "response": 1, "path_parameters": {"name": {}}}
--- error_log
$.routes[0].path_parameters: "path" must hold {name} once



=== two routes for the same requests
--- change: {"routes": [{"action": "get", "path": "/{id}", "response": 1}, {"action": "get", "path": "/{id}", "response": 2}]}
--- error_log
$.routes[1]: has the method and path of routes[0]



=== the same, but for the names of parameters
--- change: {"routes": [{"action": "get", "path": "/{a}/{id}", "response": 1, "path_parameters": {"a": {}}}, {"action": "get", "path": "/{b}/{id}", "response": 2, "path_parameters": {"b": {}}}]}
--- error_log
$.routes[1]: has the method and path of routes[0]



=== a path of too many segments
--- change eval: '{"action": "list", "response": 1, "path": "' . '/a' x 17 . '"}'
--- error_log
$.routes[0].path: has more than 16 segments



=== parameters of the path that are no object
--- change: {"action": "get", "path": "/{id}", "response": 1, "path_parameters": ["id"]}
--- error_log
$.routes[0].path_parameters: must be an object



=== no response
--- change: {"action": "list", "path": ""}
--- error_log
$.routes[0]: "response" is missing



=== a status that is an error
--- change: {"action": "list", "response": 1, "status": 404}
--- error_log
$.routes[0].status: must be an integer between 200 and 299



=== a content type that is no string
--- change: {"action": "list", "response": 1, "content_type": 5}
--- error_log
$.routes[0].content_type: must be a string



=== a parameter: a type that only fields have
--- change: query: {"type": "number"}
--- error_log
$.routes[0].query.p: a parameter's type must be string, integer or boolean



=== a query that is no object
--- change: {"action": "list", "response": 1, "query": ["p"]}
--- error_log
$.routes[0].query: must be an object



=== a parameter: an unknown member
--- change: query: {"min": 1}
--- error_log
$.routes[0].query.p: unknown member "min"



=== a parameter: an unknown role
--- change: query: {"role": "offset"}
--- error_log
$.routes[0].query.p.role: unknown "offset", it may be none, id, filter, limit, page, cursor



=== a parameter: the role of a filter without its field
--- change: query: {"role": "filter"}
--- error_log
$.routes[0].query.p: a filter is named by "filter", the id by "{id}" in the path



=== a parameter: a filter on a field that is none
--- change: query: {"type": "integer", "filter": "n"}
--- error_log
$.routes[0].query.p.filter: "n" is not a field with "filter": true



=== a parameter: a filter of another type than its field
--- change: query: {"type": "integer", "filter": "s"}
--- error_log
$.routes[0].query.p: is of another type than the field "s"



=== a parameter: a filter with a role
--- change: query: {"role": "limit", "type": "integer", "filter": "s"}
--- error_log
$.routes[0].query.p.filter: excludes a role



=== a parameter: a limit that is a string
--- change: query: {"role": "limit"}
--- error_log
$.routes[0].query.p: must be of type integer



=== a parameter: a page that is a string
--- change: query: {"role": "page"}
--- error_log
$.routes[0].query.p: must be of type integer



=== a parameter: a cursor that is an integer
--- change: query: {"role": "cursor", "type": "integer"}
--- error_log
$.routes[0].query.p: must be of type string



=== a parameter: minimum above maximum
--- change: query: {"type": "integer", "minimum": 5, "maximum": 4}
--- error_log
$.routes[0].query.p: minimum is above maximum



=== a parameter: a limit above what the module can serve
--- change: query: {"type": "integer", "role": "limit", "maximum": 10001}
--- error_log
$.routes[0].query.p.maximum: must be an integer between 0 and 10000



=== a parameter: a bound that is no integer
--- change: query: {"type": "integer", "minimum": 1.5}
--- error_log
$.routes[0].query.p.minimum: must be an integer between -9223372036854775808 and 9223372036854775807



=== a parameter: a page from 0
--- change: query: {"type": "integer", "role": "page", "minimum": 0}
--- error_log
$.routes[0].query.p.minimum: must be an integer between 1 and 2147483647



=== a parameter: longer than any
--- change: query: {"max_length": 0}
--- error_log
$.routes[0].query.p.max_length: must be an integer between 1 and



=== a parameter: a default of another type
--- change: query: {"type": "integer", "default": "5"}
--- error_log
$.routes[0].query.p.default: must be of the parameter's type



=== a parameter: a default of another type, boolean
--- change: query: {"type": "boolean", "default": [1]}
--- error_log
$.routes[0].query.p.default: must be of the parameter's type



=== a parameter: a default that is out of bounds
--- change: query: {"type": "integer", "default": 5, "maximum": 4}
--- error_log
$.routes[0].query.p.default: fails the parameter's own rule "maximum"



=== a parameter: a default that is not in the enum
--- change: query: {"default": "c", "enum": ["a", "b"]}
--- error_log
$.routes[0].query.p.default: fails the parameter's own rule "enum"



=== a parameter: a default where it is required
--- change: query: {"required": true, "default": "x"}
--- error_log
$.routes[0].query.p.default: a required parameter needs no default



=== a parameter: a bad pattern
--- change: query: {"pattern": "a("}
--- error_log
$.routes[0].query.p.pattern: pcre2_compile() failed: missing closing parenthesis in "a("



=== a parameter: an enum that is no array
--- change: query: {"enum": "a"}
--- error_log
$.routes[0].query.p.enum: must be an array



=== a parameter: a value of an enum that can be none
--- change: query: {"enum": ["a", 1.5]}
--- error_log
$.routes[0].query.p.enum[1]: must be a string, an integer or a boolean



=== a parameter: a value of an enum that is of another type
--- change: query: {"type": "integer", "enum": [1, "2"]}
--- error_log
$.routes[0].query.p.enum[1]: must be of the parameter's type



=== a parameter: a default that does not match the pattern
--- change: query: {"default": "c", "pattern": "^[ab]$"}
--- error_log
$.routes[0].query.p.default: fails the parameter's own rule "pattern"



=== a parameter: a message for an unknown rule
--- change: query: {"errors": {"min": "x"}}
--- error_log
$.routes[0].query.p.errors: unknown member "min"



=== a parameter: a message that is no text
--- change: query: {"errors": {"type": 5}}
--- error_log
$.routes[0].query.p.errors.type: must be an object



=== a parameter: a message with a value that it cannot have
--- change: query: {"errors": {"type": "$message"}}
--- error_log
$.routes[0].query.p.errors.type: "$message" has no value here



=== a parameter: an unknown class
--- change: query: {"errors": {"type": {"class": "bad"}}}
--- error_log
$.routes[0].query.p.errors.type.class: unknown "bad", it may be bad_parameter, bad_cursor



=== a parameter: what is said of repeated ones where they are no error
--- change: query: {"errors": {"repeated": "x"}}
--- error_log
$.routes[0].query.p.errors: "repeated" wants "repeated": "error" at the top



=== a role twice
--- change: {"action": "list", "response": 1, "query": {"a": {"type": "integer", "role": "limit"}, "b": {"type": "integer", "role": "limit"}}}
--- error_log
$.routes[0].query.b: another parameter has the same role



=== a page and a cursor
--- change: {"action": "list", "response": 1, "query": {"a": {"type": "integer", "role": "page"}, "b": {"role": "cursor"}}}
--- error_log
$.routes[0].query: page and cursor exclude each other



=== a role outside a list
--- change: {"action": "get", "path": "/{id}", "response": 1, "query": {"a": {"type": "integer", "role": "limit"}}}
--- error_log
$.routes[0].query.a: only a list has such a role



=== a response: neither a value nor a variable
--- change: {"action": "list", "response": {"a": ["$taskz"]}}
--- error_log
$.routes[0].response.a[0]: "$taskz" is neither a value of the module nor a variable of nginx



=== a response: a value that it cannot have
--- change: {"action": "list", "response": {"a": {"b": "$task"}}}
--- error_log
$.routes[0].response.a.b: "$task" has no value here



=== a response: an error's value
--- change: {"action": "list", "response": "$message"}
--- error_log
$.routes[0].response: "$message" has no value here



=== a response: a dollar without a name
--- change: {"action": "list", "response": "5 $ each"}
--- error_log
$.routes[0].response: "5 $ each": "$" wants a name; "$$" stands for the sign itself



=== a response: a brace that is not closed
--- change: {"action": "list", "response": "${tasks"}
--- error_log
$.routes[0].response: "${tasks": "$" wants a name



=== a response: an element that is to be left out
--- change: {"action": "list", "response": ["$total?"]}
--- error_log
$.routes[0].response[0]: "$total?": only a member of an object can be left out



=== a response: the rows inside a text
--- change: {"action": "list", "response": "these: $tasks"}
--- error_log
$.routes[0].response: "$tasks" has no value here



=== errors: no object
--- change: {"errors": []}
--- error_log
$.errors: must be an object



=== errors: an unknown class
--- change: {"errors": {"teapot": {}}}
--- error_log
$.errors: unknown class "teapot"



=== errors: an unknown member
--- change: {"errors": {"timeout": {"code": 5}}}
--- error_log
$.errors.timeout: unknown member "code"



=== errors: a status that is none
--- change: {"errors": {"timeout": {"status": 100}}}
--- error_log
$.errors.timeout.status: must be an integer between 200 and 599



=== errors: a message that is no string
--- change: {"errors": {"timeout": {"message": 5}}}
--- error_log
$.errors.timeout.message: must be a string



=== errors: a text that is no string
--- change: {"errors": {"timeout": {"text": {}}}}
--- error_log
$.errors.timeout.text: must be a string



=== errors: a value that they cannot have
--- change: {"errors": {"timeout": {"body": {"a": "$tasks"}}}}
--- error_log
$.errors.timeout.body.a: "$tasks" has no value here



=== errors: a header that is none
--- change: {"errors": {"timeout": {"headers": {"X Y": "a"}}}}
--- error_log
$.errors.timeout.headers: header "X Y" must be a name of letters, digits and "-"



=== errors: a header of two lines
--- change: {"errors": {"timeout": {"headers": {"X": "a\r\nSet-Cookie: b"}}}}
--- error_log
$.errors.timeout.headers.X: must hold no control characters



=== errors: a header without a name
--- change: {"errors": {"timeout": {"headers": {"": "a"}}}}
--- error_log
$.errors.timeout.headers: header "" must be a name



=== errors: headers that are no object
--- change: {"errors": {"timeout": {"headers": ["X"]}}}
--- error_log
$.errors.timeout.headers: must be an object



=== errors: a content type of two lines
--- change: {"errors": {"timeout": {"content_type": "a\r\nSet-Cookie: b"}}}
--- error_log
$.errors.timeout.content_type: must hold no control characters



=== errors: an unknown rule
--- change: {"errors": {"bad_parameter": {"rules": {"min": "x"}}}, "routes": [{"action": "list", "response": 1, "query": {"p": {}}}]}
--- error_log
$.errors.bad_parameter.rules: unknown member "min"



=== errors: rules where they mean nothing
--- change: {"errors": {"not_found": {"rules": {}}}}
--- error_log
$.errors.not_found: "rules" stand in "bad_parameter" of the definition's errors



=== errors of a route: an unknown class
--- change: {"action": "list", "response": 1, "errors": {"teapot": {}}}
--- error_log
$.routes[0].errors: unknown class "teapot"



=== tasks_store: no server
--- http_config
    tasks_store main { timeout 1s; }
--- error_log
no "server" in tasks_store "main"



=== tasks_store: no name
--- http_config
    tasks_store { server unix:/x; }
    tasks_store main { server unix:/x; }
--- error_log
invalid number of arguments in "tasks_store" directive



=== tasks_store: twice
--- http_config
    tasks_store main { server unix:/x; }
    tasks_store main { server unix:/y; }
--- error_log
tasks_store "main" is duplicate



=== tasks_store: an unknown directive
--- http_config
    tasks_store main { server unix:/x; prefix a; }
--- error_log
unknown directive "prefix" in tasks_store



=== tasks_store: a directive without its value
--- http_config
    tasks_store main { server; }
--- error_log
invalid number of arguments in "server" directive



=== tasks_store: a directive with two values
--- http_config
    tasks_store main { server unix:/x unix:/y; }
--- error_log
invalid number of arguments in "server" directive



=== tasks_store: a directive twice
--- http_config
    tasks_store main { server unix:/x; timeout 1s; timeout 2s; }
--- error_log
"timeout" directive is duplicate



=== tasks_store: two servers
--- http_config
    tasks_store main { server unix:/x; server unix:/y; }
--- error_log
"server" directive is duplicate



=== tasks_store: a bad time
--- http_config
    tasks_store main { server unix:/x; connect_timeout soon; }
--- error_log
"connect_timeout" directive has an invalid time



=== tasks_store: a timeout of 0
--- http_config
    tasks_store main { server unix:/x; timeout 0; }
--- error_log
max_pending, timeout and connect_timeout not 0



=== tasks_store: a bad size
--- http_config
    tasks_store main { server unix:/x; max_reply big; }
--- error_log
"max_reply" directive has an invalid size



=== tasks_store: a bad number
--- http_config
    tasks_store main { server unix:/x; database -1; }
--- error_log
"database" directive has an invalid number



=== tasks_store: too many connections
--- http_config
    tasks_store main { server unix:/x; connections 65; }
--- error_log
connections must be 1 to 64



=== tasks_store: a bad flag
--- http_config
    tasks_store main { server unix:/x; load_functions yes; }
--- error_log
"load_functions" directive must be "on" or "off"



=== tasks_store: a bad port
--- http_config
    tasks_store main { server 127.0.0.1:99999; }
--- error_log
invalid port in server "127.0.0.1:99999"



=== tasks_store: a host that is not known
--- http_config
    tasks_store main { server no-such-host.invalid; }
--- error_log
host not found in server "no-such-host.invalid"



=== tasks_store: a socket without a path
--- http_config
    tasks_store main { server unix:; }
--- error_log
no path in the unix domain socket in server "unix:"



=== tasks_store: no password file
--- http_config
    tasks_store main { server unix:/x; password_file none; }
--- error_log
conf/none" failed (2: No such file or directory)



=== tasks_store: an empty password file
--- user_files
>>> ../conf/password

secret
--- http_config
    tasks_store main { server unix:/x; password_file password; }
--- error_log
password" has no password of less than 1024 bytes in its first line



=== tasks_store: a user without a password
--- http_config
    tasks_store main { server unix:/x; user u; }
--- error_log
"user" without "password_file" in tasks_store "main"



=== tasks_store: not in http
--- config
    tasks_store other { server unix:/x; }
--- error_log
"tasks_store" directive is not allowed here



=== tasks_pass: no such store
--- config
    location /t { tasks_api apis/t.json; tasks_pass other; }
--- error_log
there is no tasks_store "other"



=== tasks_pass: no definition
--- config
    location /t { tasks_pass main; }
--- error_log
no "tasks_api" for location "/t"



=== tasks_pass: twice
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_pass main; }
--- error_log
"tasks_pass" directive is duplicate



=== tasks_pass: in server
--- config
    tasks_pass main;
--- error_log
"tasks_pass" directive is not allowed here



=== tasks_library: no definition
--- config
    location /t { tasks_library; }
--- error_log
no "tasks_api" for location "/t"



=== tasks_api: twice
--- config
    location /t { tasks_api apis/t.json; tasks_api apis/omelette.json; tasks_pass main; }
--- error_log
"tasks_api" directive is duplicate



=== tasks_api: an unknown parameter
--- config
    location /t { tasks_api apis/t.json root=/t; tasks_pass main; }
--- error_log
invalid parameter "root=/t", it may be "prefix=/PATH"



=== tasks_api: a prefix that is no path
--- config
    location /t { tasks_api apis/t.json prefix=t; tasks_pass main; }
--- error_log
invalid parameter "prefix=t", it may be "prefix=/PATH"



=== tasks_api: no prefix in a location that is a regular expression
--- config
    location ~ ^/t { tasks_api apis/t.json; tasks_pass main; }
--- error_log
"tasks_api" wants "prefix=" in location "^/t": it is given by a regular expression



=== tasks_api: nor in one that has a name
--- config
    location @t { tasks_api apis/t.json; tasks_pass main; }
--- error_log
"tasks_api" wants "prefix=" in location "@t": it has a name



=== tasks_fallback: not a named location
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback /app; }
--- error_log
"/app" is not a named location, as "@app"



=== tasks_fallback: an unknown parameter
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback @app always; }
--- error_log
invalid parameter "always", it may be "unavailable"



=== tasks_fallback: twice
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_fallback @a; tasks_fallback @b; }
--- error_log
"tasks_fallback" directive is duplicate



=== tasks_scope: an unknown variable
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_scope $nobody; }
--- error_log
unknown "nobody" variable



=== tasks_intercept_errors: neither on nor off
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_intercept_errors yes; }
--- error_log
invalid value "yes" in "tasks_intercept_errors" directive, it must be "on" or "off"



=== two definitions of one name in a store
--- user_files eval: [['../conf/apis/u.json', $main::GOOD]]
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; }
    location /u { tasks_api apis/u.json; tasks_pass main; }
--- error_log
conf/apis/u.json": tasks_store "main" serves another definition of the name "t"
