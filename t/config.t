# Mistakes in definitions and directives: nginx does not start, and says what is
# wrong where.
#
# Of the hand-written bad inputs, those of the configuration are here and in
# schema.t.

use lib 't/lib';
use Tasks 'no_plan';

use File::Temp qw(tempdir);
use JSON::PP ();

# A good definition.  --- change is a JSON merge patch of it (RFC 7396: null
# removes a member), or one of a route of its own, of "query: PARAMETER" or of
# "runs: COLLECTION"; --- definition replaces it.  Then --- error_log is what
# follows "FILE: " in the message.  --- directives are more ones of its location.

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

    $change = collection($1) if $change =~ /^runs: (.*)/s;

    my $json = JSON::PP->new->utf8->canonical->allow_nonref;

    return $json->encode(patch($json->decode($GOOD), $json->decode($change)));
}

# A definition's collection "runs" with members changed.
sub collection {
    my ($change) = @_;

    my $json = JSON::PP->new->utf8->canonical;
    my $runs = {id => 'string', order => 'at desc', state => 'phase',
                fields => {at => {type => 'datetime'}, phase => {type => 'string'}},
                cancel => {from => ['on'], set => {phase => 'off'}}};

    return $json->encode({collections => {runs => patch($runs, $json->decode($change))}});
}

# A file of a public key, or of a private one, for --- conf_file.
sub key_file {
    my ($private, @algorithm) = @_;

    my ($file, $public) = map { tempdir(CLEANUP => 1) . "/$_" } qw(private public);

    system('openssl', 'genpkey', '-quiet', '-algorithm', @algorithm, '-out', $file) == 0
        && system('openssl', 'pkey', '-in', $file, '-pubout', '-out', $public) == 0
        or die "openssl: $?\n";

    return ">>> keys/t.pem\n" . Tasks::slurp($private ? $file : $public);
}

add_block_preprocessor(sub {
    my ($block) = @_;

    my $of_file = defined $block->change || defined $block->definition;
    my $definition = $block->definition // changed($block->change);

    $block->set_value(api_file => ">>> t.json\n$definition")
        unless defined $block->api_file;
    my $directives = $block->directives // '';
    $block->set_value(config => <<"END") unless defined $block->config;
    location /t { tasks_api apis/t.json; tasks_pass main; $directives }
END
    return if defined $block->request;

    $block->set_value(must_die => '1');

    # an unfinished file has a line more where Test::Nginx keeps blank ones
    $of_file = 0 if $block->error_log =~ /end of file/;

    $block->set_value(error_log => ($of_file ? 'conf/apis/t.json: ' : '')
                                   . $block->error_log);

    # where: a path of the definition, or a line; but nginx looks at variables last
    $block->set_value(error_log => $block->error_log . "\nconf/nginx.conf:")
        unless $of_file || $block->error_log =~ /^unknown "\w+" variable/;
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
$: the name "A" must be 1 to 64 of a-z, 0-9 and _, and start with a letter



=== name: starts with a digit
--- change: {"name": "1a"}
--- error_log
$: the name "1a" must be 1 to 64



=== name: empty
--- change: {"name": ""}
--- error_log
$: the name "" must be 1 to 64



=== name: a brace, which would leave the hash tag
--- change: {"name": "a}b"}
--- error_log
$: the name "a}b" must be 1 to 64



=== id: missing
--- change: {"id": null}
--- error_log
$: "id" is missing



=== id: of no type that an id can have
--- change: {"id": "boolean"}
--- error_log
$.id: must be one string, integer or uuid that is never absent



=== id: of an unknown type
--- change: {"id": "ulid"}
--- error_log
$.id.type: unknown "ulid", it may be string, integer, number, boolean, datetime, object, array, any, uuid



=== id: of a type that only fields have
--- change: {"id": "number"}
--- error_log
$.id: a parameter's type must be string, integer, boolean or uuid



=== id: several of them
--- change: {"id": {"type": "integer", "multiple": "comma"}}
--- error_log
$.id: only a filter may have "multiple" values



=== id: a choice
--- change: {"id": {"choices": {"a": {}}}}
--- error_log
$.id: the id has no other role



=== a parameter: choices without one
--- change: {"routes": [{"action": "list", "query": {"p": {"choices": {}}}, "response": "$tasks"}]}
--- error_log
$.routes[0].query.p.choices: must have a value



=== collections: one without a name
--- change: {"collections": {"": {"id": "string", "order": "n", "fields": {"n": {"type": "integer"}}}}}
--- error_log
$.collections.: a collection has a name



=== id: the form of a cursor
--- change: {"id": {"form": "$id"}}
--- error_log
$.id: "encoding" and "form" are for a cursor



=== id: a value that means that it is absent
--- change: {"id": {"type": "uuid", "absent_if": [""]}}
--- error_log
$.id: must be one string, integer or uuid that is never absent



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
$.id: must be one string, integer or uuid that is never absent



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



=== a field of a type that only parameters have
--- change: {"fields": {"x": {"type": "uuid"}}}
--- error_log
$.fields.x: "uuid" is a type of ids and parameters; a field is a string



=== absent_if: no array
--- change: {"fields": {"s": {"absent_if": ""}}}
--- error_log
$.fields.s.absent_if: must be an array



=== absent_if: a value of another type than the field
--- change: {"fields": {"s": {"absent_if": ["", 0]}}}
--- error_log
$.fields.s.absent_if[1]: must be of the field's type



=== absent_if: null, which is none of any type
--- change: {"fields": {"o": {"absent_if": [null]}}}
--- error_log
$.fields.o.absent_if[0]: must be of the field's type



=== absent_if: a cancel stores what is not there then
--- change: {"fields": {"s": {"absent_if": [""]}}, "cancel": {"from": ["a"], "set": {"s": ""}}}
--- error_log
$.cancel.set.s: is in the field's "absent_if": null clears it



=== an enum of a uuid: no UUID
--- change: {"action": "list", "query": {"u": {"type": "uuid", "enum": ["0b4e7cb6-5b4c-4a1c-a2bb-ee1fa8c3d37g"]}}, "response": "$tasks"}
--- error_log
$.routes[0].query.u.enum[0]: must be a UUID



=== the form of a cursor: control characters
--- change: {"action": "list", "query": {"c": {"role": "cursor", "form": "a\u0007$id"}}, "response": "$tasks"}
--- error_log
$.routes[0].query.c.form: must hold no control characters



=== a route without an action: a response
--- change: {"action": "none", "path": "/x", "response": "$tasks"}
--- error_log
$.routes[0].response: is of no use to the action "none"



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



=== order: by a boolean
--- change: {"order": "b desc"}
--- error_log
$: "order": only a string, an integer or a datetime has one



=== order: by the id under another name
--- change: {"id": {"name": "key"}, "order": "id"}
--- error_log
$: "order": "id" is not a field



=== repeated: something else
--- change: {"repeated": "all"}
--- error_log
$.repeated: unknown "all", it may be first, last, error



=== content_type: no string
--- change: {"content_type": true}
--- error_log
$.content_type: must be a string



=== content_type: two lines
--- change: {"content_type": "a\r\nSet-Cookie: b"}
--- error_log
$.content_type: must hold no control characters



=== headers: no object
--- change: {"headers": ["X"]}
--- error_log
$.headers: must be an object



=== headers: a name that is none
--- change: {"headers": {"X:": "a"}}
--- error_log
$.headers: header "X:" must be a name of letters, digits and "-"



=== headers: one that nginx sends
--- change: {"headers": {"content-Length": "5"}}
--- error_log
$.headers: header "content-Length" is nginx's to send



=== headers: a value that is no string
--- change: {"headers": {"X-Age": 5}}
--- error_log
$.headers.X-Age: must be a string



=== headers: two lines
--- change: {"headers": {"X": "a\nb"}}
--- error_log
$.headers.X: must hold no control characters



=== correlation_header: no string
--- change: {"correlation_header": ["X-Request-Id"]}
--- error_log
$.correlation_header: must be a string



=== correlation_header: no name
--- change: {"correlation_header": "X Request"}
--- error_log
$: "correlation_header" must be a name of letters, digits and "-"



=== correlation_header: empty
--- change: {"correlation_header": ""}
--- error_log
$: "correlation_header" must be a name of letters, digits and "-"



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



=== cancel: sets a time that is none: 2025-13-01T00:00:00
--- change: {"fields": {"d": {"type": "datetime"}}, "cancel": {"set": {"d": "2025-13-01T00:00:00"}}}
--- error_log
$.cancel.set.d



=== cancel: sets a time that is none: 2025-02-29T00:00:00
--- change: {"fields": {"d": {"type": "datetime"}}, "cancel": {"set": {"d": "2025-02-29T00:00:00"}}}
--- error_log
$.cancel.set.d



=== cancel: sets a time that is none: 2025-01-01T24:00:00
--- change: {"fields": {"d": {"type": "datetime"}}, "cancel": {"set": {"d": "2025-01-01T24:00:00"}}}
--- error_log
$.cancel.set.d



=== cancel: sets a time that is none: 2025-01-01T00:00:00+24:00
--- change: {"fields": {"d": {"type": "datetime"}}, "cancel": {"set": {"d": "2025-01-01T00:00:00+24:00"}}}
--- error_log
$.cancel.set.d



=== cancel: sets a time that is none: 2025-01-01T00:00:00.
--- change: {"fields": {"d": {"type": "datetime"}}, "cancel": {"set": {"d": "2025-01-01T00:00:00."}}}
--- error_log
$.cancel.set.d



=== cancel: sets a time that is none: 2025-01-01T00:00:00Zx
--- change: {"fields": {"d": {"type": "datetime"}}, "cancel": {"set": {"d": "2025-01-01T00:00:00Zx"}}}
--- error_log
$.cancel.set.d



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



=== cancel: where is no object
--- change: {"cancel": {"where": ["s"]}}
--- error_log
$.cancel.where: must be an object



=== cancel: where of no field
--- change: {"cancel": {"where": {"kind": ["x"]}}}
--- error_log
$.cancel.where.kind: is not a field



=== cancel: where without an array
--- change: {"cancel": {"where": {"s": "x"}}}
--- error_log
$.cancel.where.s: must be an array



=== cancel: where holds something else
--- change: {"cancel": {"where": {"s": ["x", {}]}}}
--- error_log
$.cancel.where.s[1]: must be a string, an integer or a boolean



=== cancel: where holds a value that the field cannot have
--- change: {"cancel": {"where": {"n": [1, "2"]}}}
--- error_log
$.cancel.where.n[1]: must be of the field's type



=== cancel: where holds nothing
--- change: {"cancel": {"where": {"n": []}}}
--- error_log
$.cancel.where.n: must have a value



=== cancel: sets a number of seconds where a string is
--- change: {"cancel": {"set": {"s": "$now_unix"}}}
--- error_log
$.cancel.set.s: "$now_unix" may be $now, $now_seconds or $now_naive, for a string or a datetime, and $now_unix or $now_unix_ms, for a number or an integer



=== cancel: sets a time where an integer is
--- change: {"fields": {"i": {"type": "integer"}}, "cancel": {"set": {"i": "$now"}}}
--- error_log
$.cancel.set.i: "$now" may be $now, $now_seconds or $now_naive, for a string or a datetime, and $now_unix or $now_unix_ms, for a number or an integer



=== cancel: sets a time where a boolean is
--- change: {"cancel": {"set": {"b": "$now_unix_ms"}}}
--- error_log
$.cancel.set.b: "$now_unix_ms" may be



=== collections: no object
--- change: {"collections": ["runs"]}
--- error_log
$.collections: must be an object



=== collections: one that is no object
--- change: {"collections": {"runs": "string"}}
--- error_log
$.collections.runs: must be an object



=== collections: a member that only the whole has
--- change: runs: {"routes": []}
--- error_log
$.collections.runs: unknown member "routes"



=== collections: a name of its own
--- change: runs: {"name": "x"}
--- error_log
$.collections.runs: unknown member "name"



=== collections: a key that cannot be in a name
--- change: {"collections": {"Runs": {"id": "string", "order": "id", "fields": {}}}}
--- error_log
$.collections.Runs: the name "t_Runs" must be 1 to 64 of a-z, 0-9 and _



=== collections: a key that is too long
--- change eval: '{"collections": {"' . 'r' x 63 . '": {"id": "string", "order": "id", "fields": {}}}}'
--- error_log eval
'$.collections.' . 'r' x 63 . ': the name "t_' . 'r' x 63 . '" must be 1 to 64 of a-z, 0-9 and _'



=== collections: no id
--- change: runs: {"id": null}
--- error_log
$.collections.runs: "id" is missing



=== collections: no order
--- change: runs: {"order": null}
--- error_log
$.collections.runs: "order" is missing



=== collections: an order by a field of the main one
--- change: runs: {"order": "n"}
--- error_log
$.collections.runs: "order": "n" is not a field



=== collections: no fields
--- change: runs: {"fields": null}
--- error_log
$.collections.runs: "fields" is missing



=== collections: a field of an unknown type
--- change: runs: {"fields": {"x": {"type": "int"}}}
--- error_log
$.collections.runs.fields.x.type: unknown "int"



=== collections: too many filters
--- change eval: CORE::join '', 'runs: {"fields":{', (CORE::join ',', map { qq("f$_":{"type":"string","filter":true}) } 1 .. 6), '}}'
--- error_log
$.collections.runs: 6 fields are filters, at most 5 may be



=== collections: a max_value that is too small
--- change: runs: {"max_value": 1}
--- error_log
$.collections.runs.max_value: must be an integer between 64 and 16777216



=== collections: a state that is no field
--- change: runs: {"state": "s"}
--- error_log
$.collections.runs: "state": "s" is not a field



=== collections: a cancel without a state
--- change: runs: {"state": null}
--- error_log
$.collections.runs.cancel: wants a state



=== collections: a cancel that sets no field
--- change: runs: {"cancel": {"set": {"s": "x"}}}
--- error_log
$.collections.runs.cancel.set.s: is not a field



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



=== a route of an unknown collection
--- change: {"collections": {"runs": {"id": "string", "order": "id", "fields": {"x": {"type": "any"}}}}, "routes": [{"action": "list", "response": 1, "collection": "jobs"}]}
--- error_log
$.routes[0]: "jobs" is not in "collections"



=== a route of a collection without a key
--- change: {"collections": {"runs": {"id": "string", "order": "id", "fields": {"x": {"type": "any"}}}}, "routes": [{"action": "list", "response": 1, "collection": ""}]}
--- error_log
$.routes[0]: "" is not in "collections"



=== a route whose collection is no string
--- change: {"collections": {"runs": {"id": "string", "order": "id", "fields": {"x": {"type": "any"}}}}, "routes": [{"action": "list", "response": 1, "collection": {}}]}
--- error_log
$.routes[0].collection: must be a string



=== a cancel in a collection without a rule
--- change: {"collections": {"runs": {"id": "string", "order": "id", "fields": {"x": {"type": "any"}}}}, "routes": [{"action": "cancel", "path": "/{id}", "collection": "runs"}]}
--- error_log
$.routes[0]: the definition says no "cancel" rule for this action



=== a filter that only the main collection has
--- change: {"collections": {"runs": {"id": "string", "order": "id", "fields": {"x": {"type": "any"}}}}, "routes": [{"action": "list", "response": 1, "collection": "runs", "query": {"p": {"filter": "s"}}}]}
--- error_log
$.routes[0].query.p.filter: "s" is not a field with "filter": true



=== a field that only the main collection has
--- change: {"collections": {"runs": {"id": "string", "order": "id", "fields": {"x": {"type": "any"}}}}, "routes": [{"action": "get", "path": "/{id}", "collection": "runs", "response": "$task.s"}]}
--- error_log
$.routes[0].response: "$task.s": "s" is not a field



=== headers of a route: no object
--- change: {"action": "list", "response": 1, "headers": "X: a"}
--- error_log
$.routes[0].headers: must be an object



=== headers of a route: a name that is none
--- change: {"action": "list", "response": 1, "headers": {"X_Y": "a"}}
--- error_log
$.routes[0].headers: header "X_Y" must be a name



=== headers of a route: a value that is no string
--- change: {"action": "list", "response": 1, "headers": {"X": null}}
--- error_log
$.routes[0].headers.X: must be a string



=== what is not served: by a method that is not known
--- change: {"action": "none", "path": "/x", "method": "HEAD"}
--- error_log
$.routes[0].method: unknown "HEAD", it may be GET, POST, PUT, PATCH, DELETE



=== what is not served: a parameter that is not declared
--- change: {"action": "none", "path": "/{x}"}
--- error_log
$.routes[0].path: "{x}" is not in "path_parameters"



=== what is not served: a role
--- change: {"action": "none", "path": "/x", "query": {"p": {"role": "cursor"}}}
--- error_log
$.routes[0].query.p: only a list has such a role



=== what is not served by any method, and is by one
--- change: {"routes": [{"action": "list", "path": "/x", "response": 1}, {"action": "none", "path": "/x"}]}
--- error_log
$.routes[1]: has the method and path of routes[0]



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
$.routes[0].query.p: a parameter's type must be string, integer, boolean or uuid



=== a query that is no object
--- change: {"action": "list", "response": 1, "query": ["p"]}
--- error_log
$.routes[0].query: must be an object



=== a parameter: an unknown member
--- change: query: {"min": 1}
--- error_log
$.routes[0].query.p: unknown member "min"



=== a parameter: an unknown role
--- change: query: {"role": "sort"}
--- error_log
$.routes[0].query.p.role: unknown "sort", it may be none, limit, page, offset, cursor



=== a parameter: several values by default, one of which is wrong
--- change: query: {"filter": "s", "multiple": "comma", "enum": ["a", "b"], "default": "a,c"}
--- error_log
$.routes[0].query.p.default: fails the parameter's own rule "enum"



=== path_parameters: the id is described elsewhere
--- change: {"action": "get", "path": "/x/{id}", "path_parameters": {"id": {"type": "string"}}, "response": "$task"}
--- error_log
$.routes[0].path_parameters: {id} is described by the collection's "id"



=== a parameter: the role of a filter without its field
--- change: query: {"role": "filter"}
--- error_log
$.routes[0].query.p.role: unknown "filter", it may be none, limit, page, offset, cursor



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
$.routes[0].query.p: "filter" and "choices" exclude a role



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



=== a parameter: a limit whose bounds let nothing pass
--- change: query: {"type": "integer", "role": "limit", "maximum": -1}
--- error_log
$.routes[0].query.p: minimum is above maximum



=== a parameter: a limit whose bound is no integer
--- change: query: {"type": "integer", "role": "limit", "maximum": "9"}
--- error_log
$.routes[0].query.p.maximum: must be an integer between -9223372036854775808 and 9223372036854775807



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



=== a parameter: a UUID that is none by default
--- change: query: {"type": "uuid", "default": "550e8400"}
--- error_log
$.routes[0].query.p.default: fails the parameter's own rule "type"



=== a parameter: a UUID for a field that is no string
--- change: query: {"type": "uuid", "filter": "b"}
--- error_log
$.routes[0].query.p: is of another type than the field "b"



=== a parameter: the role of a choice without its choices
--- change: query: {"role": "choice"}
--- error_log
$.routes[0].query.p.role: unknown "choice", it may be none, limit, page, offset, cursor



=== a parameter: an offset that is a string
--- change: query: {"role": "offset"}
--- error_log
$.routes[0].query.p: must be of type integer



=== a parameter: an offset below 0
--- change: query: {"role": "offset", "type": "integer", "minimum": -1}
--- error_log
$.routes[0].query.p.minimum: must be an integer between 0 and 4503599627370496



=== a parameter: an offset above what an index can have
--- change: query: {"role": "offset", "type": "integer", "maximum": 4503599627370497}
--- error_log
$.routes[0].query.p.maximum: must be an integer between 0 and 4503599627370496



=== a parameter: multiple: an unknown way
--- change: query: {"filter": "s", "multiple": "csv"}
--- error_log
$.routes[0].query.p.multiple: unknown "csv", it may be no, comma, repeated



=== a parameter: multiple: true
--- change: query: {"filter": "s", "multiple": true}
--- error_log
$.routes[0].query.p.multiple: must be a string



=== a parameter: multiple: of what is no filter
--- change: query: {"multiple": "comma"}
--- error_log
$.routes[0].query.p: only a filter may have "multiple" values



=== a parameter: multiple: of a limit
--- change: query: {"type": "integer", "role": "limit", "multiple": "repeated"}
--- error_log
$.routes[0].query.p: only a filter may have "multiple" values



=== a parameter: multiple: of a choice
--- change: query: {"choices": {"a": {}}, "multiple": "comma"}
--- error_log
$.routes[0].query.p: only a filter may have "multiple" values



=== a parameter: multiple: repeated in a path
--- change: {"action": "list", "response": 1, "path": "/{s}", "path_parameters": {"s": {"filter": "s", "multiple": "repeated"}}}
--- error_log
$.routes[0].path_parameters.s: a parameter of the path cannot be "repeated"



=== a parameter: max_items: of one value
--- change: query: {"filter": "s", "max_items": 3}
--- error_log
$.routes[0].query.p: "max_items" wants "multiple"



=== a parameter: max_items: none
--- change: query: {"filter": "s", "multiple": "comma", "max_items": 0}
--- error_log
$.routes[0].query.p.max_items: must be an integer between 1 and 64



=== a parameter: max_items: too many
--- change: query: {"filter": "s", "multiple": "comma", "max_items": 65}
--- error_log
$.routes[0].query.p.max_items: must be an integer between 1 and 64



=== a parameter: choices: no object
--- change: query: {"choices": ["a"]}
--- error_log
$.routes[0].query.p.choices: must be an object



=== a parameter: choices: with a filter
--- change: query: {"choices": {"a": {}}, "filter": "s"}
--- error_log
$.routes[0].query.p.choices: are of a string without "filter" and "enum"



=== a parameter: choices: with an enum
--- change: query: {"choices": {"a": {}}, "enum": ["a"]}
--- error_log
$.routes[0].query.p.choices: are of a string without "filter" and "enum"



=== a parameter: choices: of an integer
--- change: query: {"choices": {"1": {}}, "type": "integer"}
--- error_log
$.routes[0].query.p.choices: are of a string without "filter" and "enum"



=== a parameter: choices: with a role
--- change: query: {"choices": {"a": {}}, "role": "cursor"}
--- error_log
$.routes[0].query.p: "filter" and "choices" exclude a role



=== a parameter: choices: one that is no object
--- change: query: {"choices": {"a": ["x"]}}
--- error_log
$.routes[0].query.p.choices.a: must be an object



=== a parameter: choices: an unknown member
--- change: query: {"choices": {"a": {"filter": {"s": ["x"]}}}}
--- error_log
$.routes[0].query.p.choices.a: unknown member "filter"



=== a parameter: choices: a negative limit
--- change: query: {"choices": {"a": {"limit": -1}}}
--- error_log
$.routes[0].query.p.choices.a.limit: must be an integer between 0 and 9223372036854775807



=== a parameter: choices: filters that are no object
--- change: query: {"choices": {"a": {"filters": ["s"]}}}
--- error_log
$.routes[0].query.p.choices.a.filters: must be an object



=== a parameter: choices: a filter on a field that is none
--- change: query: {"choices": {"a": {"filters": {"n": [1]}}}}
--- error_log
$.routes[0].query.p.choices.a.filters.n: "n" is not a field with "filter": true



=== a parameter: choices: a value without its array
--- change: query: {"choices": {"a": {"filters": {"s": "x"}}}}
--- error_log
$.routes[0].query.p.choices.a.filters.s: must be an array



=== a parameter: choices: no value
--- change: query: {"choices": {"a": {"filters": {"s": []}}}}
--- error_log
$.routes[0].query.p.choices.a.filters.s: must have a value



=== a parameter: choices: a value of another type
--- change: query: {"choices": {"a": {"filters": {"s": ["x", 1]}}}}
--- error_log
$.routes[0].query.p.choices.a.filters.s[1]: must be of the field's type



=== a parameter: choices: a value that can be none
--- change: query: {"choices": {"a": {"filters": {"s": [null]}}}}
--- error_log
$.routes[0].query.p.choices.a.filters.s[0]: must be a string, an integer or a boolean



=== a parameter: choices: a value twice
--- change: query: {"choices": {"a": {"filters": {"b": [true, false, true]}}}}
--- error_log
$.routes[0].query.p.choices.a.filters.b[2]: is there twice



=== a parameter: choices: a default that is none of them
--- change: query: {"choices": {"a": {}}, "default": "b"}
--- error_log
$.routes[0].query.p.default: fails the parameter's own rule "enum"



=== a parameter: a cursor of an unknown encoding
--- change: query: {"role": "cursor", "encoding": "hex"}
--- error_log
$.routes[0].query.p.encoding: unknown "hex", it may be base64url, base64, none



=== a parameter: an encoding of what is no cursor
--- change: query: {"encoding": "base64"}
--- error_log
$.routes[0].query.p: "encoding" and "form" are for a cursor



=== a parameter: a form of what is no cursor
--- change: query: {"filter": "s", "form": "$id"}
--- error_log
$.routes[0].query.p: "encoding" and "form" are for a cursor



=== a parameter: a cursor whose form has no place
--- change: query: {"role": "cursor", "form": "id"}
--- error_log
$.routes[0].query.p: "form" must hold "$position" or "$id"



=== a parameter: a cursor whose form has an unknown place
--- change: query: {"role": "cursor", "form": "${id}"}
--- error_log
$.routes[0].query.p: "form" must hold "$position" or "$id"



=== a parameter: a cursor whose form has two places
--- change: query: {"role": "cursor", "form": "$id:$position"}
--- error_log
$.routes[0].query.p: "form" may hold one "$"



=== a parameter: a cursor whose form is no string
--- change: query: {"role": "cursor", "form": {"id": "$id"}}
--- error_log
$.routes[0].query.p.form: must be a string



=== a parameter: a message whose code is neither text nor number
--- change: query: {"errors": {"type": {"code": null}}}
--- error_log
$.routes[0].query.p.errors.type.code: must be a string, an integer or a boolean



=== a parameter: a message for a class that is not said
--- change: query: {"errors": {"default": {"class": "gone"}}}
--- error_log
$.routes[0].query.p.errors.default.class: unknown "gone", it may be bad_parameter



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
$.routes[0].query: page, offset and cursor exclude each other



=== too many combinations of filter values
--- change: {"fields": {"r": {"type": "string", "filter": true}}, "routes": [{"action": "list", "response": 1, "query": {"s": {"filter": "s", "multiple": "comma", "max_items": 13}, "r": {"filter": "r", "multiple": "comma", "max_items": 5}}}]}
--- error_log
$.routes[0]: a request could ask for over 64 combinations of filter values; lower "max_items"



=== too many combinations of three filters, by default
--- change: {"fields": {"r": {"type": "string", "filter": true}}, "routes": [{"action": "list", "response": 1, "query": {"s": {"filter": "s", "multiple": "comma"}, "r": {"filter": "r", "multiple": "repeated"}, "b": {"filter": "b", "type": "boolean", "multiple": "comma", "max_items": 2}}}]}
--- error_log
$.routes[0]: a request could ask for over 64 combinations of filter values



=== too many combinations of a choice and a filter
--- change eval: CORE::join '', '{"fields": {"r": {"type": "string", "filter": true}}, "routes": [{"action": "list", "response": 1, "query": {"r": {"filter": "r", "multiple": "comma"}, "c": {"choices": {"a": {}, "b": {"filters": {"s": [', (CORE::join ',', map { qq("$_") } 1 .. 9), ']}}}}}}]}'
--- error_log
$.routes[0]: a request could ask for over 64 combinations of filter values



=== too many combinations with a parameter of the path
--- change: {"fields": {"r": {"type": "string", "filter": true}}, "routes": [{"action": "list", "response": 1, "path": "/{s}", "path_parameters": {"s": {"filter": "s", "multiple": "comma", "max_items": 9}}, "query": {"r": {"filter": "r", "multiple": "comma"}}}]}
--- error_log
$.routes[0]: a request could ask for over 64 combinations of filter values



=== as many as there may be
--- change: {"fields": {"r": {"type": "string", "filter": true}}, "routes": [{"action": "list", "response": 1, "query": {"s": {"filter": "s", "multiple": "comma"}, "r": {"filter": "r", "multiple": "comma"}, "s2": {"filter": "s"}}}]}
--- request
GET /t
--- response_body chomp
1



=== an offset and a page
--- change: {"action": "list", "response": 1, "query": {"a": {"type": "integer", "role": "offset"}, "b": {"type": "integer", "role": "page"}}}
--- error_log
$.routes[0].query: page, offset and cursor exclude each other



=== an offset and a cursor
--- change: {"action": "list", "response": 1, "query": {"a": {"type": "integer", "role": "offset"}, "b": {"role": "cursor"}}}
--- error_log
$.routes[0].query: page, offset and cursor exclude each other



=== a page in the path and an offset
--- change: {"action": "list", "response": 1, "path": "/{a}", "path_parameters": {"a": {"type": "integer", "role": "page"}}, "query": {"b": {"type": "integer", "role": "offset"}}}
--- error_log
$.routes[0].query: page, offset and cursor exclude each other



=== two offsets
--- change: {"action": "list", "response": 1, "query": {"a": {"type": "integer", "role": "offset"}, "b": {"type": "integer", "role": "offset"}}}
--- error_log
$.routes[0].query.b: another parameter has the same role



=== a choice outside a list
--- change: {"action": "get", "path": "/{id}", "response": 1, "query": {"a": {"choices": {"x": {}}}}}
--- error_log
$.routes[0].query.a: only a list has such a role



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



=== a response: a field of a task that is none
--- change: {"action": "get", "path": "/{id}", "response": {"a": "$task.status"}}
--- error_log
$.routes[0].response.a: "$task.status": "status" is not a field



=== a response: the id as a field of a task
--- change: {"action": "get", "path": "/{id}", "response": {"a": "$task.id?"}}
--- error_log
$.routes[0].response.a: "$task.id": "id" is not a field



=== a response: a field of a task in braces
--- change: {"action": "cancel", "path": "/{id}", "response": ["${task.a b}"]}
--- error_log
$.routes[0].response[0]: "$task.a b": "a b" is not a field



=== a response: a field of a task in a list
--- change: {"action": "list", "response": {"a": "$task.s"}}
--- error_log
$.routes[0].response.a: "$task.s" has no value here



=== a response: a field of a task inside a text
--- change: {"action": "get", "path": "/{id}", "response": "it is $task.s"}
--- error_log
$.routes[0].response: "$task.s" has no value here



=== a response: a field of a task that may be left out of an array
--- change: {"action": "get", "path": "/{id}", "response": ["$task.s?"]}
--- error_log
$.routes[0].response[0]: "$task.s?": only a member of an object can be left out



=== a response: what only a page has
--- change: {"action": "get", "path": "/{id}", "response": {"a": "$has_more"}}
--- error_log
$.routes[0].response.a: "$has_more" has no value here



=== a response: a state where nothing is cancelled
--- change: {"action": "get", "path": "/{id}", "response": "$state"}
--- error_log
$.routes[0].response: "$state" has no value here



=== a response: the claim that a token fails
--- change: {"action": "cancel", "path": "/{id}", "response": "$claim"}
--- error_log
$.routes[0].response: "$claim" has no value here



=== errors: no object
--- change: {"errors": []}
--- error_log
$.errors: must be an object



=== errors: an unknown class
--- change: {"errors": {"teapot": {}}}
--- error_log
$.errors: unknown class "teapot"



=== errors: an unknown member
--- change: {"errors": {"timeout": {"cause": 5}}}
--- error_log
$.errors.timeout: unknown member "cause"



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



=== errors: a code that is an object
--- change: {"errors": {"timeout": {"code": {}}}}
--- error_log
$.errors.timeout.code: must be a string, an integer or a boolean



=== errors: a code that is a fraction
--- change: {"errors": {"default": {"code": 1.5}}}
--- error_log
$.errors.default.code: must be a string, an integer or a boolean



=== errors: a field of a task
--- change: {"errors": {"cannot_cancel": {"body": {"a": "$task.s"}}}}
--- error_log
$.errors.cannot_cancel.body.a: "$task.s" has no value here



=== errors: what only a page has
--- change: {"errors": {"not_found": {"message": "$count of them"}}}
--- error_log
$.errors.not_found.message: "$count" has no value here



=== errors: like an unknown class
--- change: {"errors": {"teapot": {"like": "coffee"}}}
--- error_log
$.errors.teapot.like: unknown "coffee", it may be bad_parameter, bad_cursor, unauthorized



=== errors: like no string
--- change: {"errors": {"teapot": {"like": 418}}}
--- error_log
$.errors.teapot.like: must be a string



=== errors: like another class of the definition's own
--- change: {"errors": {"no_team": {"like": "forbidden"}, "teapot": {"like": "no_team"}}}
--- error_log
$.errors.teapot.like: unknown "no_team", it may be bad_parameter, bad_cursor, unauthorized



=== errors: like itself
--- change: {"errors": {"teapot": {"like": "teapot"}}}
--- error_log
$.errors.teapot.like: unknown "teapot", it may be bad_parameter



=== errors: a class that is called as what is no error
--- change: {"errors": {"not_modified": {"like": "forbidden"}}}
--- error_log
$.errors.not_modified: is the name of an outcome of requests that is no error



=== errors: like, of a class that is there anyway
--- change: {"errors": {"timeout": {"like": "unavailable"}}}
--- error_log
$.errors.timeout: "like" is for a class of your own, whose name is of a-z, 0-9 and _



=== errors: like, of all classes
--- change: {"errors": {"default": {"like": "internal"}}}
--- error_log
$.errors.default: "like" is for a class of your own



=== errors: a class of its own with a capital letter
--- change: {"errors": {"noTeam": {"like": "forbidden"}}}
--- error_log
$.errors.noTeam: "like" is for a class of your own, whose name is of a-z, 0-9 and _



=== errors: a class of its own without a name
--- change: {"errors": {"": {"like": "forbidden"}}}
--- error_log
$.errors.: "like" is for a class of your own



=== errors: a class of its own that is like none
--- change: {"errors": {"no_team": {"status": 400}}}
--- error_log
$.errors: unknown class "no_team"; one of your own says which it is "like"



=== errors: a class of its own with an unknown member
--- change: {"errors": {"no_team": {"like": "forbidden", "state": 400}}}
--- error_log
$.errors.no_team: unknown member "state"



=== errors: a class of its own with a status that is none
--- change: {"errors": {"no_team": {"like": "forbidden", "status": 42}}}
--- error_log
$.errors.no_team.status: must be an integer between 200 and 599



=== errors: a class of its own with rules
--- change: {"errors": {"bad_team": {"like": "bad_parameter", "rules": {}}}}
--- error_log
$.errors.bad_team: "rules" stand in "bad_parameter" of the definition's errors



=== errors of a route: a class that is like another
--- change: {"action": "list", "response": 1, "errors": {"forbidden": {"like": "unauthorized"}}}
--- error_log
$.routes[0].errors.forbidden: "like" stands in the definition's errors



=== errors of a route: a class of its own
--- change: {"action": "list", "response": 1, "errors": {"no_team": {"like": "forbidden"}}}
--- error_log
$.routes[0].errors: unknown class "no_team"



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



=== tasks_store: a password of 1024 bytes
--- user_files eval
">>> ../conf/password\n" . 'x' x 1500 . "\n"
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



=== tasks_status: another format
--- config
    location /t { tasks_status xml; }
--- error_log
invalid parameter "xml", it may be "json" or "prometheus"



=== tasks_status: two formats
--- config
    location /t { tasks_status json prometheus; }
--- error_log
invalid number of arguments in "tasks_status" directive



=== tasks_status: twice
--- config
    location /t { tasks_status; tasks_status json; }
--- error_log
"tasks_status" directive is duplicate



=== tasks_status: not in a location
--- config
    tasks_status;
--- error_log
"tasks_status" directive is not allowed here



=== tasks_library: no definition
--- config
    location /t { tasks_library; }
--- error_log
no "tasks_api" for location "/t"



=== tasks_library: an unknown collection
--- config
    location /t { tasks_api apis/t.json; tasks_library runs; }
--- error_log
conf/apis/t.json" has no collection "runs"



=== tasks_library: two collections
--- config
    location /t { tasks_api apis/t.json; tasks_library a b; }
--- error_log
invalid number of arguments in "tasks_library" directive



=== tasks_library: twice
--- config
    location /t { tasks_api apis/t.json; tasks_library; tasks_library; }
--- error_log
"tasks_library" directive is duplicate



=== tasks_auth: a method twice
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_auth credential credential; tasks_credential $http_x; }
--- error_log
"tasks_auth" directive has a method twice



=== tasks_cache: a size in a location
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_cache 1m; }
--- error_log
"1m" may be on, off, or in "http" a size of 64k or more



=== tasks_cache: a size that is too small
--- http_config
    tasks_cache 63k;
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; }
--- error_log
"63k" may be on, off, or in "http" a size of 64k or more



=== tasks_cache: no size
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_cache sometimes; }
--- error_log
"sometimes" may be on, off, or in "http" a size of 64k or more



=== tasks_cache: twice
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_cache on; tasks_cache off; }
--- error_log
"tasks_cache" directive is duplicate



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
"tasks_api" wants "prefix=" in location "^/t": it has a name, or is given by a regular expression



=== tasks_api: the same with tasks_pass in an "if"
--- config
    location ~ ^/t { tasks_api apis/t.json; if ($arg_x) { tasks_pass main; } }
--- error_log
"tasks_api" wants "prefix=" in location "^/t": it has a name, or is given by a regular expression



=== tasks_pass: beside tasks_status
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_status; }
--- error_log
"tasks_status" directive is beside another directive that answers requests



=== tasks_api: nor in one that has a name
--- config
    location @t { tasks_api apis/t.json; tasks_pass main; }
--- error_log
"tasks_api" wants "prefix=" in location "@t": it has a name, or is given by a regular expression



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



=== tasks_auth: an unknown method
--- directives: tasks_auth basic;
--- error_log
unknown method "basic", it may be jwt, credential, or off alone



=== tasks_auth: off with another one
--- directives: tasks_auth jwt off;
--- error_log
unknown method "off", it may be jwt, credential, or off alone



=== tasks_auth: no method
--- directives: tasks_auth;
--- error_log
invalid number of arguments in "tasks_auth" directive



=== tasks_auth: twice
--- directives: tasks_auth off; tasks_auth jwt;
--- error_log
"tasks_auth" directive is duplicate



=== tasks_auth: a token without a key
--- directives: tasks_auth jwt;
--- error_log
"tasks_auth" wants "tasks_jwt_key"



=== tasks_auth: a credential without its place
--- directives: tasks_auth credential;
--- error_log
"tasks_auth" wants "tasks_credential"



=== tasks_auth: a credential, and the key is missing
--- directives: tasks_auth credential jwt; tasks_credential $http_x_key;
--- error_log
"tasks_auth" wants "tasks_jwt_key"



=== tasks_auth: a key that only another location has
--- conf_file
>>> keys/t.pem
0123456789abcdef0123456789abcdef
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; tasks_auth jwt; }
    location /u { tasks_jwt_key HS256 keys/t.pem; }
--- error_log
"tasks_auth" wants "tasks_jwt_key"



=== tasks_jwt_key: no algorithm at all
--- conf_file
>>> keys/t.pem
0123456789abcdef0123456789abcdef
--- directives: tasks_auth jwt; tasks_jwt_key none keys/t.pem;
--- error_log
unknown algorithm "none", it may be HS256, HS384, HS512, RS256, ES256 or EdDSA



=== tasks_jwt_key: an algorithm in lower case
--- conf_file
>>> keys/t.pem
0123456789abcdef0123456789abcdef
--- directives: tasks_auth jwt; tasks_jwt_key hs256 keys/t.pem;
--- error_log
unknown algorithm "hs256", it may be HS256



=== tasks_jwt_key: an algorithm that is not served
--- conf_file eval: main::key_file(0, 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384')
--- directives: tasks_auth jwt; tasks_jwt_key ES384 keys/t.pem;
--- error_log
unknown algorithm "ES384", it may be HS256



=== tasks_jwt_key: no file
--- directives: tasks_auth jwt; tasks_jwt_key HS256;
--- error_log
invalid number of arguments in "tasks_jwt_key" directive



=== tasks_jwt_key: a file that is not there
--- directives: tasks_auth jwt; tasks_jwt_key HS256 keys/none.key;
--- error_log
conf/keys/none.key" failed (2: No such file or directory)



=== tasks_jwt_key: a folder
--- directives: tasks_auth jwt; tasks_jwt_key HS256 apis;
--- error_log
conf/apis" is no key: it must be a file of 1 to 8192 bytes



=== tasks_jwt_key: an empty file
--- conf_file eval: ">>> keys/t.pem\n"
--- directives: tasks_auth jwt; tasks_jwt_key HS256 keys/t.pem;
--- error_log
keys/t.pem" is an empty key



=== tasks_jwt_key: a file of no byte
--- directives: tasks_auth jwt; tasks_jwt_key HS256 /dev/null;
--- error_log
"/dev/null" is no key: it must be a file of 1 to 8192 bytes



=== tasks_jwt_key: a file that is too large
--- conf_file eval: ">>> keys/t.pem\n" . 'k' x 8192
--- directives: tasks_auth jwt; tasks_jwt_key HS512 keys/t.pem;
--- error_log
keys/t.pem" is no key: it must be a file of 1 to 8192 bytes



=== tasks_jwt_key: a secret where a public key is due
--- conf_file
>>> keys/t.pem
0123456789abcdef0123456789abcdef
--- directives: tasks_auth jwt; tasks_jwt_key RS256 keys/t.pem;
--- error_log
keys/t.pem" is no public key in PEM form ("BEGIN PUBLIC KEY")



=== tasks_jwt_key: a private key where a public one is due
--- conf_file eval: main::key_file(1, 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048')
--- directives: tasks_auth jwt; tasks_jwt_key RS256 keys/t.pem;
--- error_log
keys/t.pem" is no public key in PEM form ("BEGIN PUBLIC KEY")



=== tasks_jwt_key: a public key that is cut
--- conf_file
>>> keys/t.pem
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
-----END PUBLIC KEY-----
--- directives: tasks_auth jwt; tasks_jwt_key ES256 keys/t.pem;
--- error_log
keys/t.pem" is no public key in PEM form ("BEGIN PUBLIC KEY")



=== tasks_jwt_key: an RSA key of 1024 bits
--- conf_file eval: main::key_file(0, 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024')
--- directives: tasks_auth jwt; tasks_jwt_key RS256 keys/t.pem;
--- error_log
keys/t.pem" is none for RS256: RS256 wants RSA of 2048 bits or more, ES256 the curve P-256, EdDSA Ed25519



=== tasks_jwt_key: an RSA key for ES256
--- conf_file eval: main::key_file(0, 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048')
--- directives: tasks_auth jwt; tasks_jwt_key ES256 keys/t.pem;
--- error_log
keys/t.pem" is none for ES256: RS256 wants RSA of 2048 bits or more, ES256 the curve P-256, EdDSA Ed25519



=== tasks_jwt_key: an RSA key for EdDSA
--- conf_file eval: main::key_file(0, 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048')
--- directives: tasks_auth jwt; tasks_jwt_key EdDSA keys/t.pem;
--- error_log
keys/t.pem" is none for EdDSA: RS256 wants RSA of 2048 bits or more, ES256 the curve P-256, EdDSA Ed25519



=== tasks_jwt_key: a key of P-256 for RS256
--- conf_file eval: main::key_file(0, 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256')
--- directives: tasks_auth jwt; tasks_jwt_key RS256 keys/t.pem;
--- error_log
keys/t.pem" is none for RS256: RS256 wants RSA of 2048 bits or more, ES256 the curve P-256, EdDSA Ed25519



=== tasks_jwt_key: a key of P-384 for ES256
--- conf_file eval: main::key_file(0, 'EC', '-pkeyopt', 'ec_paramgen_curve:P-384')
--- directives: tasks_auth jwt; tasks_jwt_key ES256 keys/t.pem;
--- error_log
keys/t.pem" is none for ES256: RS256 wants RSA of 2048 bits or more, ES256 the curve P-256, EdDSA Ed25519



=== tasks_jwt_key: an Ed25519 key for ES256
--- conf_file eval: main::key_file(0, 'ED25519')
--- directives: tasks_auth jwt; tasks_jwt_key ES256 keys/t.pem;
--- error_log
keys/t.pem" is none for ES256: RS256 wants RSA of 2048 bits or more, ES256 the curve P-256, EdDSA Ed25519



=== tasks_jwt_key: an empty kid
--- conf_file
>>> keys/t.pem
0123456789abcdef0123456789abcdef
--- directives: tasks_auth jwt; tasks_jwt_key HS256 keys/t.pem kid=;
--- error_log
invalid parameter "kid=", it may be "kid=ID"



=== tasks_jwt_key: an unknown parameter
--- conf_file
>>> keys/t.pem
0123456789abcdef0123456789abcdef
--- directives: tasks_auth jwt; tasks_jwt_key HS256 keys/t.pem id=a;
--- error_log
invalid parameter "id=a", it may be "kid=ID"



=== tasks_jwt_key: a secret that can be guessed is told of
--- conf_file
>>> keys/t.pem
secret
--- directives: tasks_auth jwt; tasks_jwt_key HS256 keys/t.pem;
--- request
GET /t
--- error_code: 401
--- error_log
keys/t.pem" has less than 32 bytes and may be guessed



=== tasks_jwt_key: several ones
--- conf_file eval: main::key_file(0, 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256') . ">>> keys/s.key\n0123456789abcdef0123456789abcdef\n"
--- directives: tasks_auth jwt; tasks_jwt_key ES256 keys/t.pem; tasks_jwt_key HS256 keys/s.key kid=a; tasks_jwt_key HS384 keys/s.key kid=a;
--- request
GET /t
--- error_code: 401
--- no_error_log
[warn]



=== tasks_jwt_token: twice
--- directives: tasks_jwt_token $cookie_a; tasks_jwt_token $cookie_b;
--- error_log
"tasks_jwt_token" directive is duplicate



=== tasks_jwt_token: nothing
--- directives: tasks_jwt_token;
--- error_log
invalid number of arguments in "tasks_jwt_token" directive



=== tasks_jwt_token: an unknown variable
--- directives: tasks_jwt_token $nobody;
--- error_log
unknown "nobody" variable



=== tasks_jwt_issuer: twice
--- directives: tasks_jwt_issuer a; tasks_jwt_issuer b;
--- error_log
"tasks_jwt_issuer" directive is duplicate



=== tasks_jwt_audience: twice
--- directives: tasks_jwt_audience a; tasks_jwt_audience b;
--- error_log
"tasks_jwt_audience" directive is duplicate



=== tasks_jwt_leeway: twice
--- directives: tasks_jwt_leeway 1s; tasks_jwt_leeway 2s;
--- error_log
"tasks_jwt_leeway" directive is duplicate



=== tasks_jwt_leeway: no time
--- directives: tasks_jwt_leeway some;
--- error_log
"tasks_jwt_leeway" directive invalid value



=== tasks_jwt_claim: without a name
--- directives: tasks_jwt_claim;
--- error_log
invalid number of arguments in "tasks_jwt_claim" directive



=== tasks_jwt_set: not in http
--- directives: tasks_jwt_set $x sub;
--- error_log
"tasks_jwt_set" directive is not allowed here



=== tasks_jwt_set: no variable
--- http_config: tasks_jwt_set x sub;
--- error_log
invalid variable name "x"



=== tasks_jwt_set: a variable without a name
--- http_config: tasks_jwt_set $ sub;
--- error_log
invalid variable name "$"



=== tasks_jwt_set: without a claim
--- http_config: tasks_jwt_set $x;
--- error_log
invalid number of arguments in "tasks_jwt_set" directive



=== tasks_jwt_set: a variable twice
--- http_config: tasks_jwt_set $x sub; tasks_jwt_set $x iss;
--- error_log
the duplicate "x" variable



=== tasks_jwt_set: a variable that nginx has
--- http_config: tasks_jwt_set $uri sub;
--- error_log
the duplicate "uri" variable



=== tasks_credential: twice
--- directives: tasks_credential $http_a; tasks_credential $http_b;
--- error_log
"tasks_credential" directive is duplicate



=== tasks_credential: nothing
--- directives: tasks_credential;
--- error_log
invalid number of arguments in "tasks_credential" directive



=== tasks_credential: an unknown variable
--- directives: tasks_credential $nobody;
--- error_log
unknown "nobody" variable



=== tasks_require: an unknown class
--- directives: tasks_require $uri error=teapot;
--- error_log
conf/apis/t.json" has no class of errors "teapot"



=== tasks_require: what is for all classes
--- directives: tasks_require $uri error=default;
--- error_log
conf/apis/t.json" has no class of errors "default"



=== tasks_require: no class
--- directives: tasks_require $uri error=;
--- error_log
invalid parameter "error=", it may be "error=CLASS"



=== tasks_require: an unknown parameter
--- directives: tasks_require $uri class=forbidden;
--- error_log
invalid parameter "class=forbidden", it may be "error=CLASS"



=== tasks_require: nothing
--- directives: tasks_require;
--- error_log
invalid number of arguments in "tasks_require" directive



=== tasks_require: an unknown variable
--- directives: tasks_require $nobody;
--- error_log
unknown "nobody" variable



=== tasks_require: a class that only another definition has
--- user_files eval
[['../conf/apis/u.json', $main::GOOD =~ s/"name": "t"/"name": "u"/r =~ s/"default"/"teapot": {"like": "forbidden"}, "default"/r]]
--- config
    tasks_require $uri error=teapot;
    location /u { tasks_api apis/u.json; tasks_pass main; }
    location /t { tasks_api apis/t.json; tasks_pass main; }
--- error_log
"tasks_require": "



=== tasks_scope: twice
--- directives: tasks_scope $arg_a; tasks_scope $arg_b;
--- error_log
"tasks_scope" directive is duplicate



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



=== a definition of the name of another one's collection in a store
--- api_file eval
">>> t.json\n" . main::changed('runs: {}') . "\n>>> u.json\n" . $main::GOOD =~ s/"name": "t"/"name": "t_runs"/r
--- config
    location /t { tasks_api apis/t.json; tasks_pass main; }
    location /u { tasks_api apis/u.json; tasks_pass main; }
--- error_log
conf/apis/u.json": tasks_store "main" serves another definition of the name "t_runs"
